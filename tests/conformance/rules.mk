# SPDX-License-Identifier: Apache-2.0
# Conformance tests: tests/conformance/*.c, one program each, linked with the reference. They judge
# the device in PBIT_TEST_URI, the software device where that is not set; 77 means skipped.

CONFORMANCE := $(patsubst %.c,$(B)/%,$(wildcard tests/conformance/*.c))
REFERENCE_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/reference/*.c))
# The shared library keeps its statistics to itself.
STATS_OBJ := $(B)/libhal/src/stats/stats.o

conformance: $(CONFORMANCE)
$(B)/tests/conformance/%: $(B)/tests/conformance/%.o $(REFERENCE_OBJ) $(TESTLIB_OBJ) $(STATS_OBJ) $(B)/libpbit.so
	$(CC) -o $@ $< $(REFERENCE_OBJ) $(TESTLIB_OBJ) $(STATS_OBJ) -L$(B) -lpbit -Wl,-rpath,'$$ORIGIN/../..' $(ALLLDFLAGS) -lm -lcmocka -lz $(TESTLIBS)
$(B)/tests/conformance/%.o $(B)/tests/reference/%.o: INC += -Itests/reference

.PHONY: conformance
