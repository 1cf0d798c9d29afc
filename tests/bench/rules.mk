# SPDX-License-Identifier: Apache-2.0
# make bench-run: measures the library beside its peers (ONNX Runtime, PyTorch) and this machine's
# limits. BENCH_ARGS= passes options to compare.py, such as "--cases mlp-1024 --bits 1 --json"; "--help" lists
# them. A peer that cannot be had here is left out with a note.

BENCH_B := build/bench
BENCH_PROGRAMS := $(B)/tests/bench/limit $(B)/tests/bench/hal_cost $(B)/tests/bench/boltzmann_speed

$(B)/tests/bench/limit: $(B)/tests/bench/limit.o $(B)/tests/bench/limit_loops.o
	$(CC) -o $@ $^ $(ALLLDFLAGS)

$(B)/tests/bench/hal_cost: $(B)/tests/bench/hal_cost.o $(B)/libhal/cli/bench_cases.o $(B)/libpbit.a
	$(CC) -o $@ $^ $(ALLLDFLAGS) $(LIBS)
$(B)/tests/bench/hal_cost.o: INC += -Ilibhal

$(B)/tests/bench/boltzmann_speed: $(B)/tests/bench/boltzmann_speed.o $(B)/libpbit.a
	$(CC) -o $@ $^ $(ALLLDFLAGS) $(LIBS)

# Boltzmann mode beside a plain heat-bath loop.
bench-boltzmann: $(B)/tests/bench/boltzmann_speed
	@$<

# A failure leaves the peer out; the next run tries again.
bench-peers:
	@mkdir -p $(BENCH_B)
	@tests/bench/peers.sh $(BENCH_B)

bench-run: all $(BENCH_PROGRAMS) bench-peers
	@/usr/bin/python3 tests/bench/compare.py --build $(B) --peers $(BENCH_B) $(BENCH_ARGS)
	@$(B)/tests/bench/boltzmann_speed

.PHONY: bench-peers bench-run bench-boltzmann
