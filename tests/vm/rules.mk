# SPDX-License-Identifier: Apache-2.0
# make vm-tools        kernels and QEMU for the VM tests, into .vm-tools
# make test-vm         the driver in VMs: sim, card, device tree; part of make test
# make test-vm-debug   the same on a kernel with KASAN, lockdep, kmemleak, UBSAN, fault injection
# make vcard-shell     a VM with a virtual card, the driver loaded, pbit inside

VM_TOOLS := .vm-tools
VM_PACKAGES := linux-headers-amd64 busybox-static cpio kmod dwarves sparse gcc-aarch64-linux-gnu libc6-dev-arm64-cross dkms
VM_DEBUG_PACKAGES := flex bison bc libelf-dev libssl-dev xz-utils
VM_TESTS := $(patsubst tests/vm/%.c,$(B)/tests/vm/%,$(wildcard tests/vm/test_*.c tests/vm/bench_*.c))

vm-tests: $(VM_TESTS)
$(B)/tests/vm/%: $(B)/tests/vm/%.o $(B)/tests/vm/guest.o
	$(CC) -o $@ $^ $(ALLLDFLAGS) -lcmocka

setup-vm: setup-test
	$(call install_packages,$(VM_PACKAGES))
vm-tools: setup-vm
	tests/vm/fetch.sh $(VM_TOOLS) kernel qemu arm64

test-vm: vm-tools
	@$(MAKE) --no-print-directory all conformance vm-tests
	tests/vm/run.sh $(B) all
test-vm-debug: vm-tools
	$(call install_packages,$(VM_DEBUG_PACKAGES))
	tests/vm/fetch.sh $(VM_TOOLS) source
	tests/vm/debug_kernel.sh $(VM_TOOLS)
	@$(MAKE) --no-print-directory all conformance vm-tests
	tests/vm/run.sh $(B) debug
vcard-shell: vm-tools
	@$(MAKE) --no-print-directory all
	tests/vm/run.sh $(B) shell

.PHONY: vm-tests setup-vm vm-tools test-vm test-vm-debug vcard-shell
