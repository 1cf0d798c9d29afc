#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test and closes with one line of counts: all programs as built for release and with
# ASan and UBSan, those with threads under TSan, a choice under valgrind, the command, the headers
# alone in C and C++, the fuzzer of the model loader for a bounded time. Exit 77 of a program means
# skipped; a run that passed nothing has failed.
set -u
release=${1:?usage: tests/run.sh RELEASE-FOLDER ASAN-FOLDER TSAN-FOLDER}
asan=${2:?} tsan=${3:?}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run() {
	local name=$1 status
	shift
	timeout 600 "$@" >"$log" 2>&1
	status=$?
	case $status in
	0) passed=$((passed + 1)); echo "ok       $name" ;;
	77) skipped=$((skipped + 1)); echo "SKIPPED  $name" ;;
	*) failed=$((failed + 1)); echo "FAILED   $name (status $status)"
	   grep -E -A8 '^not ok' "$log"; tail -n 60 "$log" ;;
	esac
}

programs() {
	find "$1/tests/unit" "$1/tests/conformance" -maxdepth 1 -type f -perm -u+x ! -name '*.*' | sort
}

for program in $(programs "$release"); do
	run "${program#"$release"/tests/}" "$program"
done
for kernel in portable avx2 avx512 amx; do
	# Not every processor has all of them.
	"$release/pbit" info "software:kernel=$kernel" >/dev/null 2>&1 || continue
	PBIT_TEST_URI=software:kernel=$kernel \
		run "reference against the $kernel kernels" "$release/tests/conformance/layer_exact"
done
run "command line" bash tests/cli/test_cli.sh "$release/pbit"
run "commands for machines" bash tests/cli/test_machines.sh "$release/pbit"
run "judging devices" bash tests/cli/test_check.sh "$release/pbit"
run "commands of the README" bash tests/readme.sh "$release"
# The template for authors of backends, as several kinds of small hardware.
template() {
	local folder=$1 name=$2 uri=$3
	PBIT_BACKEND_PATH=$folder/plugins PBIT_TEST_URI=$uri \
		run "${folder##*/} $uri, $name" "$folder/tests/conformance/$name"
}
for uri in template: template:coupling=real,bias=real,order=any; do
	for name in boltzmann_{stationary,transient,large}; do
		template "$release" $name $uri
	done
done
for name in boltzmann_{bits,stationary,transient}; do
	template "$release" $name template:pbits=400,coupling=real,bias=real,order=any,generator=contract
done
for uri in template:directed=1,coupling=3.4,bias=3.4,beta=1.2 \
	template:directed=1,order=synchronous,generator=contract; do
	template "$release" boltzmann_directed $uri
done
for uri in template:pbits=256,fan_in=64,coupling=3.4,bias=3.4,generator=contract \
	template:coupling=real,bias=real,generator=contract \
	template:pbits=100,fan_in=20,coupling=real,bias=real,directed=1,generator=contract \
	template:pbits=40,fan_in=9,topology=bipartite,order=chromatic; do
	template "$release" layer_lowered $uri
done
template "$release" boltzmann_transient template:pbits=5,fan_in=4,coupling=real,bias=real,order=any
run "steps of the page for authors of backends" bash tests/cli/test_template.sh "$release"
for header in libhal/include/pbit/*.h; do
	run "${header##*/} alone in C" gcc -std=c17 -Wall -Wextra -Wpedantic -Werror -Ilibhal/include \
		-fsyntax-only -x c "$header"
	run "${header##*/} alone in C++" g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror \
		-Ilibhal/include -fsyntax-only -x c++ "$header"
done
for program in $(programs "$asan"); do
	run "ASan ${program#"$asan"/tests/}" "$program"
done
template "$asan" boltzmann_transient template:coupling=real,bias=real,order=any
template "$asan" boltzmann_bits template:pbits=400,coupling=real,bias=real,order=any,generator=contract
template "$asan" boltzmann_directed template:directed=1,coupling=3.4,bias=3.4,beta=1.2
for name in unit/test_{job,session,session_errors,device,plugin} unit/test_temper conformance/layer_invariance; do
	run "TSan $name" "$tsan/tests/$name"
done
for name in unit/test_{contract,uri,session,boltzmann,model_affine,model_pack,cli_data} \
	conformance/layer_edges; do
	run "valgrind $name" valgrind -q --error-exitcode=9 --leak-check=full \
		"$release/tests/$name"
done
run "fuzz the model loader" make --no-print-directory fuzz FUZZ_SECONDS=20
run "fuzz the importers of machines" make --no-print-directory fuzz-machine FUZZ_SECONDS=20

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
