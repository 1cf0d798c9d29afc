#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Walks through backends/template/README.md as a newcomer: runs the commands of the page, in order, in
# a copy of the tree with a home folder of its own, then breaks the copy of the template in one
# place and sees that the judge notices. usage: test_template.sh BUILD-FOLDER
set -u
build=$(realpath "${1:?usage: test_template.sh BUILD-FOLDER}")
command -v pkg-config >/dev/null || { echo "1..0 # SKIP no pkg-config"; exit 77; }
unset PBIT_URI PBIT_BACKEND_PATH PKG_CONFIG_PATH TREE BUILD OUT DESTDIR PREFIX B V CFLAGS LDFLAGS
unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
page=backends/template/README.md
passed=0 failed=0

check() {
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		passed=$((passed + 1)); echo "ok $((passed + failed)) - $name"
	else
		failed=$((failed + 1)); echo "not ok $((passed + failed)) - $name"
		tail -n 30 "$work/log" | sed 's/^/# /'
	fi
}

refused() {
	local why=$1
	shift
	! "$@" >"$work/out" 2>&1 && grep -q -- "$why" "$work/out"
}

# What the library was built from and its objects: only what holds the folder's name is compiled again.
mkdir -p "$work/tree/build/release" "$work/home"
cp -a Makefile libhal backends examples "$work/tree"
for part in libhal backends examples plugins backenddir pbit libpbit.a libpbit.so{,.0,.0.1.0}; do
	[ -e "$build/$part" ] && cp -a "$build/$part" "$work/tree/build/release"
done

# The page's commands, one by one in one shell, which stops at the first that fails.
grep '^    ' "$page" | sed 's/^    //' >"$work/commands"
{
	echo "cd '$work/tree'; step() { echo \"step \$1\" >>'$work/steps'; }"
	n=0
	while IFS= read -r line; do
		n=$((n + 1))
		printf '%s || { echo "failed: %s"; exit 1; }\nstep %d\n' "$line" \
			"${line//[\"\$\`]/}" $n
	done <"$work/commands"
} >"$work/walk"
: >"$work/steps"
HOME=$work/home check "the $(wc -l <"$work/commands") commands of the page" bash "$work/walk"
check "all of them ran, and there are some" \
	test "$(wc -l <"$work/steps")" -ge 10 -a "$(wc -l <"$work/steps")" = "$(wc -l <"$work/commands")"

mine=$work/home/pbit-mine
pbit=$work/home/.local/bin/pbit
check "nothing of the old name is left in its code" bash -c "! grep -rn template '$mine' --include='*.[ch]'"
check "the certificate has content" test -s "$mine/mine.txt"
check "it is listed from where it was built" bash -c \
	"PBIT_BACKEND_PATH='$mine/build' '$pbit' list --verbose | grep -q '$mine/build/pbit-mine.so'"
check "it is listed from where it was installed" bash -c \
	"'$pbit' list --verbose | grep -q '$work/home/.local/lib/pbit/pbit-mine.so'"

# A port that forgets the factor 2: found by the judge, and by it alone.
sed -i 's/2\.0 \* beta \* m->step/beta * m->step/' "$mine/machine.c"
check "a wrong gain builds" make -C "$mine" TREE="$work/tree"
check "a wrong gain is judged wrong" bash -c \
	"PBIT_BACKEND_PATH='$mine/build' '$pbit' check mine: >'$work/out' 2>&1; test \$? = 1"

check "without libpbit make says what to set" \
	refused "PKG_CONFIG_PATH" env PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR="$work" make -C "$mine" OUT="$work/o"

export PBIT_BACKEND_PATH=$build/plugins
info() { "$build/pbit" info "template:$1"; }
check "the device with every parameter" \
	info pbits=64,fan_in=8,topology=bipartite,coupling=3.4,bias=real,beta=2.6,order=any,clamp=0,seed=7
check "a directed one" info directed=1,order=synchronous
for bad in pbits=0 pbits=1048577 fan_in=-1 topology=grid order=random clamp=2 generator=physical \
	coupling=3 coupling=3. coupling=.4 coupling=8.8 coupling=3.4x coupling=123.1 bias= beta=real1; do
	check "refused: $bad" refused "parameter ${bad%%=*} is '${bad#*=}'" info "$bad"
done
check "refused: an unknown parameter" refused "known parameters: pbits" info pbit=5
check "refused: directed and chromatic" refused "no colours" info directed=1,order=any
check "refused: contract and a seed" refused "no seed" info generator=contract,seed=1
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
