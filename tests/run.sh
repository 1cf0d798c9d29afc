#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test program of a build folder and closes with one line of counts. 77 means skipped.
set -u
build=${1:?usage: tests/run.sh BUILD-FOLDER}
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
	*) failed=$((failed + 1)); echo "FAILED   $name (status $status)"; grep -E -A8 '^not ok' "$log"; tail -n 40 "$log" ;;
	esac
}

for program in "$build"/tests/unit/test_* "$build"/tests/conformance/*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	case $program in *.o | *.d | *.so) continue ;; esac
	run "${program#"$build"/tests/}" "$program"
done
run cli bash tests/cli/test_cli.sh "$build/pbit"
for f in libhal/include/pbit/*.h; do
	run "header ${f##*/} (C)" gcc -std=c17 -Wall -Wextra -Werror -Ilibhal/include -fsyntax-only -x c "$f"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
