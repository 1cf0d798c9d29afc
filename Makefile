# SPDX-License-Identifier: Apache-2.0
# make            build library, command, backends
# make run        set up what is missing, build, run the main job
# make test       set up what is missing, run every test
# make bench      benchmarks (programs, not tests)
# make install    DESTDIR= PREFIX=/usr/local
# Variants: V=release (default), asan, tsan, debug

V ?= release
# Of the targets that set everything up themselves.
JOBS ?= $(shell nproc)
B := build/$(V)
ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
BACKENDDIR ?= $(LIBDIR)/pbit

VERSION := 0.1.0
SOVERSION := 0

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
# No contraction of a*b+c and no reassociation: CONTRACT.md fixes every operation.
BASE := -std=c17 -D_GNU_SOURCE -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno -fno-trapping-math -pthread -MMD -MP
CFLAGS_release := -O2 -g
CFLAGS_debug := -O0 -g3
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
CFLAGS ?=
ALLCFLAGS := $(BASE) $(WARN) $(CFLAGS_$(V)) $(CFLAGS)
ALLLDFLAGS := $(LDFLAGS_$(V)) $(LDFLAGS) -pthread
INC := -Ilibhal/include -Ilibhal/src -Ibackends/software -Ibackends/software/boltzmann -Ibackends -Ikernel

LIB_SRC := $(wildcard libhal/src/*/*.c)
SOFT_SRC := $(wildcard backends/software/*.c backends/software/*/*.c)
RULES_SRC := $(wildcard backends/rules/*.c)
CARD_SRC := $(wildcard backends/fpga/*.c backends/pci/*.c)
CLI_SRC := $(wildcard libhal/cli/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(SOFT_SRC:%.c=$(B)/%.o) $(RULES_SRC:%.c=$(B)/%.o) $(CARD_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
LIBS := -lfdt -ljansson -lm -ldl
# Cards without a driver are found by libpci; without it that backend finds none.
PCI_LIBS := $(shell pkg-config --libs libpci 2>/dev/null)
LIBS += $(PCI_LIBS)
$(B)/backends/pci/%.o: KFLAGS := $(if $(PCI_LIBS),-DPBIT_HAVE_LIBPCI)

all: lib cli examples plugins

lib: $(B)/libpbit.so $(B)/libpbit.a
cli: $(B)/pbit
examples: $(B)/examples/classify
plugins: $(B)/plugins/pbit-template.so

$(B)/examples/classify: examples/classify/classify.c $(B)/libpbit.so
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(ALLCFLAGS)) -Ilibhal/include -o $@ $< -L$(B) -lpbit -Wl,-rpath,'$$ORIGIN/..' $(ALLLDFLAGS)

# The template for authors of backends is built by its own Makefile, as its copies are.
$(B)/plugins/pbit-template.so: $(wildcard backends/template/*) $(wildcard libhal/include/pbit/*.h) $(B)/libpbit.so
	$(MAKE) --no-print-directory -C backends/template TREE='$(CURDIR)' BUILD='$(abspath $(B))' OUT='$(abspath $(@D))' \
		CC='$(CC)' CFLAGS='$(WARN) $(CFLAGS_$(V)) $(CFLAGS)' LDFLAGS='$(ALLLDFLAGS)'
	touch $@

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) $(KFLAGS) $(INC) -DPBIT_BUILDING -DPBIT_BACKENDDIR='"$(BACKENDDIR)"' -c $< -o $@

# The installed folder of backends is compiled in: another PREFIX compiles that again.
$(B)/backenddir: FORCE
	@mkdir -p $(@D)
	@echo '$(BACKENDDIR)' | cmp -s - $@ || echo '$(BACKENDDIR)' > $@
$(B)/libhal/src/device/registry.o $(B)/libhal/cli/doctor_devices.o: $(B)/backenddir
.PHONY: FORCE

# Loops over images and outputs.
$(B)/backends/software/%.o: KFLAGS := -O3
# Rows of a few outputs: vectors of two would cost more than they save.
$(B)/libhal/src/exec/rows.o $(B)/libhal/src/exec/tally.o: KFLAGS := -fno-tree-vectorize
# Rows of weights added up.
$(B)/libhal/src/lower/sums.o: KFLAGS := -O3
# Kernels for one instruction set each, picked at run time.
AVX512 := -O3 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vpopcntdq -mpopcnt -mprefer-vector-width=512
$(B)/backends/software/boltzmann/%_avx512.o: KFLAGS := $(AVX512)
$(B)/backends/software/boltzmann/%_avx2.o: KFLAGS := -O3 -mavx2 -mpopcnt
K := $(B)/backends/software/kernels
$(K)/portable.o: KFLAGS := -O3
$(K)/avx2.o: KFLAGS := -O3 -mavx2 -mpopcnt
$(K)/avx512.o: KFLAGS := $(AVX512)
$(K)/amx.o: KFLAGS := $(AVX512) -mamx-tile -mamx-int8

$(B)/libpbit.a: $(LIB_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/libpbit.so.$(VERSION): $(LIB_OBJ) libhal/src/libpbit.map
	$(CC) -shared -Wl,-soname,libpbit.so.$(SOVERSION) -Wl,--version-script=libhal/src/libpbit.map -Wl,-z,defs -o $@ $(LIB_OBJ) $(ALLLDFLAGS) $(LIBS)

$(B)/libpbit.so: $(B)/libpbit.so.$(VERSION)
	ln -sf libpbit.so.$(VERSION) $(B)/libpbit.so.$(SOVERSION)
	ln -sf libpbit.so.$(VERSION) $@

$(B)/pbit: $(CLI_OBJ) $(B)/libpbit.so
	$(CC) -o $@ $(CLI_OBJ) -L$(B) -lpbit -Wl,-rpath,'$$ORIGIN' $(ALLLDFLAGS) -lz -lm

# Unit tests: tests/unit/test_*.c, one program each, with cmocka and the static library.
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
TESTLIB_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
unit: $(UNIT)
$(B)/tests/%: $(B)/tests/%.o $(TESTLIB_OBJ) $(B)/libpbit.a
	$(CC) -o $@ $< $(TESTLIB_OBJ) $(B)/libpbit.a $(ALLLDFLAGS) $(LIBS) -lcmocka -lz $(TESTLIBS)
$(B)/tests/%.o: INC += -Itests/lib -Ibackends

-include backends/fpga/card/rules.mk
-include tests/unit/rules.mk tests/unit/rules-model.mk tests/unit/rules-memory.mk tests/unit/rules-fpga.mk tests/bench/rules.mk tests/conformance/rules.mk tests/fuzz/rules.mk

# What a fresh Debian lacks. Asks nothing; touches nothing where everything is there.
PACKAGES := gcc libc6-dev pkg-config libfdt-dev libjansson-dev libpci-dev device-tree-compiler zlib1g-dev dataset-fashion-mnist
TEST_PACKAGES := libcmocka-dev python3 g++ clang libclang-rt-14-dev valgrind
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
define install_packages
	@missing=; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
endef

setup:
	$(call install_packages,$(PACKAGES))
setup-test: setup
	$(call install_packages,$(TEST_PACKAGES))

MODEL ?= examples/models/fashion-mnist-784-512-512-10-w4.pbm
SWEEP ?= 1,2,4,10,32

run: setup
	@$(MAKE) --no-print-directory -j$(JOBS) all
	$(B)/pbit run $(MODEL) --data fashion-mnist --sweep $(SWEEP)

TSAN_TESTS := $(addprefix build/tsan/tests/,unit/test_job unit/test_session unit/test_session_errors unit/test_device unit/test_plugin unit/test_temper unit/test_card_registers unit/test_card_queue unit/test_card_faults conformance/layer_invariance)

test: setup-test
	@$(MAKE) --no-print-directory -j$(JOBS) all unit conformance
	@$(MAKE) --no-print-directory -j$(JOBS) V=asan unit conformance plugins
	@$(MAKE) --no-print-directory -j$(JOBS) V=tsan $(TSAN_TESTS)
	tests/run.sh $(B) build/asan build/tsan

# Beside ONNX Runtime, PyTorch and this machine's limits; those that are missing are left out.
bench: setup
	$(call install_packages,python3 python3-numpy python3-torch $(shell command -v npm >/dev/null || echo nodejs npm))
	@$(MAKE) --no-print-directory -s bench-run

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/pbit $(DESTDIR)$(BACKENDDIR)
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(B)/libpbit.so.$(VERSION) $(DESTDIR)$(LIBDIR)
	ln -sf libpbit.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libpbit.so.$(SOVERSION)
	ln -sf libpbit.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libpbit.so
	install -m 644 $(B)/libpbit.a $(DESTDIR)$(LIBDIR)
	install -m 644 libhal/include/pbit/*.h libhal/include/pbit/*.md $(DESTDIR)$(INCLUDEDIR)/pbit
	install -m 755 $(B)/pbit-card $(DESTDIR)$(BINDIR)
	install -m 644 libhal/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 libhal/man/*.3 $(DESTDIR)$(MANDIR)/man3
	install -m 644 libhal/man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 libhal/completion/pbit $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@BACKENDDIR@|$(BACKENDDIR)|; s|@VERSION@|$(VERSION)|' libhal/libpbit.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libpbit.pc
	$(CC) -o $(DESTDIR)$(BINDIR)/pbit $(CLI_OBJ) -L$(B) -lpbit -Wl,-rpath,'$(LIBDIR)' $(ALLLDFLAGS) -lz -lm
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

train: setup
	$(call install_packages,python3 python3-torch python3-numpy python3-libfdt)
	cd examples/training && /usr/bin/python3 train.py --out ../models

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
.PHONY: all lib cli examples plugins unit conformance setup setup-test run test bench install train clean
.SECONDARY:
