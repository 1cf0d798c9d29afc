. /t/lib.sh
insmod /t/pbit.ko
for i in $(seq 1 28); do for f in 1 2 3; do :; done & run "reset $i" $tests/test_reset; rmdir $sims/*; done 2>/dev/null
finish
