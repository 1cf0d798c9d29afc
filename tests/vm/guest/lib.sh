# SPDX-License-Identifier: Apache-2.0
# What the suites share: run NAME COMMAND..., counts, a look at the kernel's log.
passed=0 failed=0 skipped=0
tests=/t/tests
sims=/sys/kernel/config/pbit

# run NAME COMMAND...: 0 passed, 77 skipped; what a failed one said is shown.
run() {
	local name="$1" status
	shift
	case $(type "$1") in
	*function*) "$@" >/tmp/log 2>&1 ;;
	*) timeout "${limit:-300}" "$@" >/tmp/log 2>&1 ;;
	esac
	status=$?
	case $status in
	0) passed=$((passed + 1)); echo "ok       $name" ;;
	77) skipped=$((skipped + 1)); echo "SKIPPED  $name" ;;
	*) failed=$((failed + 1)); echo "FAILED   $name (status $status)"
	   grep -v '\[ *\(RUN\|OK\) *\]' /tmp/log | tail -n 40 ;;
	esac
}

# make_sim NAME [ATTRIBUTE=VALUE]...: live; prints its node.
make_sim() {
	local name=$1 w
	shift
	mkdir "$sims/$name" || return 1
	for w; do echo "${w#*=}" >"$sims/$name/${w%%=*}" || return 1; done
	echo 1 >"$sims/$name/live" || return 1
	echo "/dev/$(cat "$sims/$name/device")"
}
drop_sim() { rmdir "$sims/$1"; }

trouble='BUG:|WARNING:|Oops|KASAN|UBSAN|KFENCE|possible circular|INFO: task|possible recursive|suspicious RCU|sleeping function|DMA-API:|unreferenced|refcount_t|general protection|BUG kmalloc|stack guard|held lock'

clean_log() {
	! dmesg | grep -E "$trouble"
}

no_leaks() {
	[ -w /sys/kernel/debug/kmemleak ] || return 77
	# What was freed a moment ago is still pointed to from a register: two looks.
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	! grep -A12 -E 'unreferenced' /sys/kernel/debug/kmemleak
}

finish() {
	run "kernel's log" clean_log
	run "kernel's memory" no_leaks
	echo "lines of the kernel's log: $(dmesg | wc -l), of trouble: $(dmesg | grep -cE "$trouble")"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed -eq 0 ] && [ $passed -gt 0 ]
}
