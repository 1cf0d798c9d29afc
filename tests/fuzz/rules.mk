# SPDX-License-Identifier: Apache-2.0
# make fuzz fuzz-machine FUZZ_SECONDS=30: fuzzes the loaders of models and of machines for that long each. Needs clang with libFuzzer. What it
# finds lies in build/fuzz/found, what it learned in build/fuzz/corpus.

FUZZ_SECONDS ?= 30
FUZZ_CC ?= clang
FUZZ_B := build/fuzz
FUZZ_SRC := $(wildcard libhal/src/model/*.c libhal/src/core/*.c)
MACHINE_SRC := $(wildcard libhal/src/import/*.c libhal/src/core/*.c) \
	$(addprefix libhal/src/boltzmann/,bm.c pairs.c rows.c couple.c dense.c energy.c fixed_view.c)
FUZZ_FLAGS := $(BASE) $(WARN) -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all $(INC) -DPBIT_BUILDING
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(FUZZ_B)/%.o)
MACHINE_OBJ := $(MACHINE_SRC:%.c=$(FUZZ_B)/%.o)

$(FUZZ_B)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -c $< -o $@

$(FUZZ_B)/fuzz_model: $(FUZZ_B)/tests/fuzz/fuzz_model.o $(FUZZ_OBJ)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ -lfdt -lm

$(FUZZ_B)/seed_models: $(FUZZ_B)/tests/fuzz/seed_models.o $(FUZZ_OBJ)
	$(FUZZ_CC) -fsanitize=address,undefined -pthread -o $@ $^ -lfdt -lm

fuzz: $(FUZZ_B)/fuzz_model $(FUZZ_B)/seed_models
	@mkdir -p $(FUZZ_B)/seeds $(FUZZ_B)/corpus $(FUZZ_B)/found
	$(FUZZ_B)/seed_models $(FUZZ_B)/seeds
	$(FUZZ_B)/fuzz_model -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=5 -rss_limit_mb=512 \
		-print_final_stats=1 -verbosity=0 -artifact_prefix=$(FUZZ_B)/found/ $(FUZZ_B)/corpus $(FUZZ_B)/seeds

$(FUZZ_B)/fuzz_machine: $(FUZZ_B)/tests/fuzz/fuzz_machine.o $(MACHINE_OBJ)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ -ljansson -lm

# Each example as a seed, behind the byte that leaves the format to be told.
fuzz-machine: $(FUZZ_B)/fuzz_machine
	@mkdir -p $(FUZZ_B)/machine-seeds $(FUZZ_B)/machine-corpus $(FUZZ_B)/found
	for machine in examples/machines/*.gset examples/machines/*.ising examples/machines/*.qubo \
		examples/machines/*.json examples/machines/*.ftp; do \
		(printf '\0'; cat $$machine) > $(FUZZ_B)/machine-seeds/$${machine##*/}; done
	$(FUZZ_B)/fuzz_machine -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=5 -rss_limit_mb=512 \
		-print_final_stats=1 -verbosity=0 -artifact_prefix=$(FUZZ_B)/found/ \
		$(FUZZ_B)/machine-corpus $(FUZZ_B)/machine-seeds

.PHONY: fuzz fuzz-machine
