#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vm.sh [-a amd64|arm64] [-t SECONDS] [-m MEMORY] [-c "words for the command line"] [-l LOG] [-i] -q QEMU-FOLDER
#	KERNEL INITRAMFS SUITE [QEMU OPTION]...
# Runs a suite in a VM and exits as it did; 99: the guest ended without telling, 124: it took too long. With KVM where it
# can be had, else emulated; PBIT_VM_ACCEL=tcg|kvm decides. -i: console on this terminal.
set -u
arch=amd64 seconds=300 memory=1024M words='' log=/dev/null interactive='' qemu=''
while getopts a:t:m:c:l:q:i o; do
	case $o in
	a) arch=$OPTARG ;;
	t) seconds=$OPTARG ;;
	m) memory=$OPTARG ;;
	c) words=$OPTARG ;;
	l) log=$OPTARG ;;
	q) qemu=$OPTARG ;;
	i) interactive=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kernel=${1:?kernel} initramfs=${2:?initramfs} suite=${3:?suite}
shift 3

# A KVM that is there may still not run a kernel: tried once, and remembered beside QEMU.
kvm_works() {
	local answer=$qemu/kvm.$(hostname) q=$qemu/qemu-system-x86_64
	if [ ! -w /dev/kvm ]; then return 1; fi
	if [ ! -s "$answer" ]; then
		if timeout -k 1 15 "$q" -M q35 -accel kvm -cpu host -m 512M -nographic -no-reboot -nodefaults \
			-serial stdio -kernel "$kernel" -append "console=ttyS0 panic=-1" </dev/null 2>&1 |
			grep -q 'Linux version'; then echo yes; else echo no; fi >"$answer"
	fi
	[ "$(cat "$answer")" = yes ]
}

accel=${PBIT_VM_ACCEL:-}
if [ "$arch" != amd64 ]; then
	accel=tcg
elif [ -z "$accel" ]; then
	if kvm_works; then accel=kvm; else accel=tcg; fi
fi
case $accel in
kvm) how=(-accel kvm -cpu host) ;;
*) how=(-accel tcg,thread=multi -cpu max) ;;
esac
case $arch in
amd64) program=qemu-system-x86_64 machine=q35,memory-backend=ram console=ttyS0
	# A vIOMMU wants its interrupts from the machine's own controller.
	case " $* " in *intel-iommu*) machine=$machine,kernel-irqchip=split ;; esac ;;
arm64) program=qemu-system-aarch64 machine=virt,memory-backend=ram,gic-version=3,highmem=off console=ttyAMA0 ;;
esac

# The card's process reads and writes the guest's memory directly: it has to be shared.
set -- "$qemu/$program" -M "$machine" "${how[@]}" -smp 2 -m "$memory" \
	-object "memory-backend-memfd,id=ram,size=$memory,share=on" -nographic -no-reboot -nodefaults \
	-kernel "$kernel" -initrd "$initramfs" \
	-append "console=$console quiet loglevel=4 panic=-1 oops=panic pbit.suite=$suite $words" "$@"
if [ -n "$interactive" ]; then
	exec "$@" -serial mon:stdio
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
timeout --foreground -k 5 "$seconds" "$@" -serial stdio </dev/null 2>&1 | tr -d '\r' | tee "$out" "$log"
status=${PIPESTATUS[0]}
told=$(sed -n 's/^.*PBIT-GUEST-STATUS=\([0-9]*\)$/\1/p' "$out" | tail -n 1)
[ -z "$told" ] || exit "$told"
[ "$status" -eq 124 ] || [ "$status" -eq 137 ] && exit 124
exit 99
