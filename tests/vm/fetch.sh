#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fetch.sh FOLDER kernel|qemu|arm64|source ...: brings what the VM tests need into FOLDER/NAME, once.
# kernel: Debian's image for the installed linux-headers-amd64. qemu: one with vfio-user-pci (10.1 or
# later) from trixie-backports. arm64: a kernel, its headers and a busybox. source: linux-source-6.1. Packages
# are unpacked, not installed; the machine's own apt configuration is read, never changed.
set -eu
here=$(dirname "$(realpath "$0")")
root=$(realpath -m "$1")
shift
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

say() { echo "vm-tools: $*"; }
die() { echo "vm-tools: $*" >&2; exit 1; }

# The mirror that this machine takes a suite from.
mirror() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | awk -v s="$1" '$2 == s { print $1; exit }'
}

# private_apt ARCHITECTURE SUITE...: an apt of our own in $work, of these suites, whose signatures it checks.
private_apt() {
	local arch=$1 suite url
	shift
	mkdir -p "$work"/apt/{state/lists/partial,cache/archives/partial}
	: >"$work/apt/state/status"
	for suite; do
		case $suite in *-security) url=$(mirror bookworm-security) ;; *) url=$(mirror bookworm) ;; esac
		case $suite in *-security) : "${url:=http://deb.debian.org/debian-security}" ;;
		*) : "${url:=http://deb.debian.org/debian}" ;; esac
		echo "deb [arch=$arch signed-by=$keyring] $url $suite main"
	done >"$work/apt/sources.list"
	cat >"$work/apt/apt.conf" <<-X
		Dir::State "$work/apt/state";
		Dir::State::status "$work/apt/state/status";
		Dir::Cache "$work/apt/cache";
		Dir::Etc::sourcelist "$work/apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Architecture "$arch";
		APT::Architectures "$arch";
		APT::Sandbox::User "root";
		APT::Get::AllowUnauthenticated "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
	X
	export APT_CONFIG=$work/apt/apt.conf
	apt-get -qq update
}

# check COMPONENT DEB: the sum of a pinned version; another version is told.
check() {
	local package version sum pin
	package=$(dpkg-deb -f "$2" Package) version=$(dpkg-deb -f "$2" Version)
	sum=$(sha256sum "$2" | cut -d' ' -f1)
	echo "$1 $package $version $sum" >>"$work/versions"
	# The name of a kernel package holds its ABI number.
	pin=$(awk -v c="$1" -v p="$package" '$1 == c && $2 == p' "$here/pinned")
	[ -n "$pin" ] || pin=$(awk -v c="$1" -v p="${package%%[0-9]*}" \
		'$1 == c && index($2, p) == 1 && $2 ~ /[0-9]\.[0-9]/' "$here/pinned" | head -n 1)
	[ -n "$pin" ] || return 0
	read -r _ name tested known <<<"$pin"
	if [ "$version" = "$tested" ] && [ "$package" = "$name" ]; then
		[ "$sum" = "$known" ] || die "$package $version has sha256 $sum, tested was $known"
		return 0
	fi
	[ -z "${PBIT_VM_PINNED:-}" ] || die "$package is $version, pinned is $tested"
	dpkg --compare-versions "$version" ge "$tested" ||
		die "$package $version is older than $tested that was tested"
	say "$package $version, signed by Debian; tested was $name $tested"
}

unpack() {
	local component=$1 deb
	shift
	for deb; do
		check "$component" "$deb"
		dpkg-deb -x "$deb" "$work/out"
		rm -f "$deb"
	done
}

fetch_kernel() {
	local v
	v=$(dpkg-query -W -f='${Depends}' linux-headers-amd64 2>/dev/null | grep -o 'linux-headers-[^ ,]*' | head -n 1) || true
	v=${v#linux-headers-}
	[ -n "$v" ] || die "linux-headers-amd64 is not installed"
	(cd "$work" && apt-get -o APT::Sandbox::User=root -qq download "linux-image-$v") ||
		die "no linux-image-$v: apt-get update, then apt-get install linux-headers-amd64"
	unpack kernel "$work"/linux-image-*.deb
	depmod -b "$work/out" "$v"
	echo "$v" >"$work/out/release"
}

fetch_qemu() {
	private_apt amd64 trixie trixie-security trixie-backports
	apt-get -qq -y --no-install-recommends -t trixie-backports --download-only install \
		qemu-system-x86 qemu-system-arm >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; return 1; }
	unpack qemu "$work"/apt/cache/archives/*.deb
	rm -rf "$work"/out/usr/share/{doc,man,locale}
	local name
	for name in qemu-system-x86_64 qemu-system-aarch64; do
		# With its own C library and modules: a host's are of another version.
		cat >"$work/out/$name" <<-X
			#!/bin/sh
			R=\$(dirname "\$(realpath "\$0")")
			export QEMU_MODULE_DIR=\$R/usr/lib/x86_64-linux-gnu/qemu
			exec \$R/usr/lib64/ld-linux-x86-64.so.2 --library-path \$R/usr/lib/x86_64-linux-gnu \$R/usr/bin/$name \\
				-L \$R/usr/share/qemu -L \$R/usr/share/seabios -L \$R/usr/lib/ipxe/qemu "\$@"
		X
		chmod +x "$work/out/$name"
	done
	"$work/out/qemu-system-x86_64" -device vfio-user-pci,help >/dev/null ||
		die "this QEMU has no vfio-user-pci"
}

fetch_arm64() {
	local v
	private_apt arm64 bookworm bookworm-security
	v=$(apt-cache depends linux-image-arm64 | awk '/Depends: linux-image/ { print $2; exit }')
	v=${v#linux-image-}
	(cd "$work" && apt-get -qq download "linux-image-$v" "linux-headers-$v" \
		"linux-headers-${v%-arm64}-common" busybox-static)
	unpack arm64 "$work"/*.deb
	depmod -b "$work/out" "$v" 2>/dev/null || true
	echo "$v" >"$work/out/release"
	# Debian's headers name their other half by absolute paths; the tools in kbuild are this machine's.
	sed -i "s|/usr/src/|$root/arm64/usr/src/|" "$work/out/usr/src/linux-headers-$v/Makefile"
	rm -rf "$work/out/usr/src/linux-headers-${v%-arm64}-common/"{scripts,tools}
	ln -s /usr/lib/linux-kbuild-6.1/scripts /usr/lib/linux-kbuild-6.1/tools \
		"$work/out/usr/src/linux-headers-${v%-arm64}-common/"
}

fetch_source() {
	(cd "$work" && apt-get -o APT::Sandbox::User=root -qq download linux-source-6.1)
	unpack source "$work"/linux-source-6.1*.deb
	tar -xJf "$work/out/usr/src/linux-source-6.1.tar.xz" -C "$work/out"
	rm -rf "$work/out/usr"
}

mkdir -p "$root"
for component; do
	stamp=$root/$component/fetched
	want=$component
	# Another kernel's headers were installed since: another image is wanted.
	[ "$component" != kernel ] || want="kernel $(dpkg-query -W -f='${Version}' linux-headers-amd64 2>/dev/null || true)"
	[ "$(head -n 1 "$stamp" 2>/dev/null)" != "$want" ] || continue
	say "fetching $component"
	work=$(mktemp -d "$root/fetch.XXXXXX")
	mkdir "$work/out"
	case $component in
	kernel | qemu | arm64 | source) (set -e; "fetch_$component") ;;
	*) die "what is $component?" ;;
	esac
	{ echo "$want"; cat "$work/versions"; } >"$work/out/fetched"
	rm -rf "${root:?}/$component"
	mv "$work/out" "$root/$component"
	rm -rf "$work"
	work=
done
