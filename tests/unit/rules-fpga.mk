# SPDX-License-Identifier: Apache-2.0
# Tests of the backends for cards: the card's work by kernel/model, and the driver in the tests' own
# process, in place of system calls.
CARD_MODEL_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard kernel/model/*.c))
FPGA_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_fpga_*.c))
PCI_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_pci_*.c))
$(FPGA_TESTS): TESTLIBS += $(CARD_MODEL_OBJ) -Wl,--wrap=open,--wrap=ioctl,--wrap=read,--wrap=mmap,--wrap=close
$(PCI_TESTS): TESTLIBS += $(CARD_MODEL_OBJ)
$(FPGA_TESTS) $(PCI_TESTS): $(CARD_MODEL_OBJ)
$(B)/tests/unit/test_fpga_errors: TESTLIBS += -Wl,--wrap=calloc
$(B)/tests/unit/test_pci_%.o: KFLAGS := $(if $(PCI_LIBS),-DPBIT_HAVE_LIBPCI)
