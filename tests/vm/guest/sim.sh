# SPDX-License-Identifier: Apache-2.0
# The driver with devices in software: requests, jobs, sharing, removal, unloading.
. /t/lib.sh
insmod /t/pbit.ko || exit 1

for program in "$tests"/test_*; do
	run "sim: ${program##*/}" "$program"
	# What a test that was cut off has left would hold the module.
	rmdir "$sims"/* 2>/dev/null
done

unload_refused() {
	local node
	node=$(make_sim held) || return 1
	sleep 100 <"$node" &
	sleep 0.2
	! rmmod pbit 2>/dev/null || return 1
	# Open although its device has gone: the file keeps the module.
	drop_sim held
	! rmmod pbit 2>/dev/null || return 1
	kill $!
	wait $! 2>/dev/null
	sleep 0.2
	rmmod pbit && insmod /t/pbit.ko
}
run "unload refused while open" unload_refused

load_unload() {
	local n=0 node
	rmmod pbit || return 1
	while [ $n -lt "${LOADS:-100}" ]; do
		insmod /t/pbit.ko || return 1
		if [ $((n % 10)) -eq 0 ]; then
			node=$(make_sim x) && [ -c "$node" ] && drop_sim x || return 1
		fi
		rmmod pbit || return 1
		n=$((n + 1))
	done
	[ ! -e /dev/pbit0 ] && [ ! -d /sys/class/pbit ] && insmod /t/pbit.ko
}
run "loaded and unloaded ${LOADS:-100} times" load_unload
# The figures are told.
"$tests/bench_uapi" || failed=$((failed + 1))
rmmod pbit || failed=$((failed + 1))
finish
