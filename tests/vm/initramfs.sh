#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# initramfs.sh OUT [-b BUSYBOX] [-m KERNEL-FOLDER MODULE]... [FILE[=PATH-IN-GUEST]]...
# Packs what a guest runs: busybox, guest/init, modules in the order of their dependencies, files with the shared
# libraries that they need. A .ko among the files has its dependencies packed too (-m gives the tree).
set -eu
here=$(dirname "$(realpath "$0")")
out=$(realpath -m "$1")
shift
busybox=/bin/busybox tree='' release='' modules=()
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
mkdir -p "$w"/{bin,dev,proc,sys,run,tmp,root,etc,t,modules}

# Libraries of a program for this machine.
libraries() {
	ldd "$1" 2>/dev/null | grep -oE '/[^ )]+' | while read -r lib; do
		[ ! -e "$w$lib" ] || continue
		mkdir -p "$w$(dirname "$lib")"
		cp -L "$lib" "$w$lib"
	done
}

add() {
	local from=${1%%=*} to=${1#*=}
	[ "$to" != "$1" ] || to=/t/$(basename "$from")
	mkdir -p "$w$(dirname "$to")"
	cp -rL "$from" "$w$to"
	case $from in
	*.ko)
		local d
		for d in $(modinfo -F depends "$from" | tr ',' ' '); do modules+=("$d"); done ;;
	esac
	[ -d "$from" ] || libraries "$from"
}

files=()
while [ $# -gt 0 ]; do
	case $1 in
	-b) busybox=$2; shift 2 ;;
	-m) tree=$2 release=$(cat "$2/release"); [ -z "$3" ] || modules+=("$3"); shift 3 ;;
	*) files+=("$1"); shift ;;
	esac
done
cp "$busybox" "$w/bin/busybox"
for name in $(busybox --list); do [ -e "$w/bin/$name" ] || ln -s busybox "$w/bin/$name"; done
for f in "${files[@]}"; do add "$f"; done
if [ -n "$tree" ]; then
	for m in "${modules[@]}"; do
		modprobe -d "$tree" -S "$release" --show-depends "$m" | awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++' | while read -r ko; do
		cp "$ko" "$w/modules/"
		basename "$ko" >>"$w/modules/order"
	done
fi
cp "$here/guest/init" "$w/init"
cp "$here"/guest/*.sh "$w/t/"
printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >"$w/etc/passwd"
printf 'root:x:0:\nuser:x:1000:\n' >"$w/etc/group"
(cd "$w" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$out"
