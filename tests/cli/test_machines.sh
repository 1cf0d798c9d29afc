#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Black-box tests of pbit sample and pbit solve. usage: test_machines.sh PATH-OF-PBIT
#
# Statistical tests compare with exact laws at 5 standard errors (false alarm 6e-7 each); each has a negative
# control, which must fail. The last line is "N passed, N failed"; 77: a tool is missing.

set -u
PBIT=$(realpath "${1:?usage: $0 PATH-OF-PBIT}")
HERE=$(dirname "$(realpath "$0")")
MACHINES=$(realpath "$HERE/../../examples/machines")
ORACLES=$(realpath "$HERE/../data/oracles")
for tool in python3 timeout; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP no $tool"; exit 77; }
done
unset PBIT_URI PBIT_BACKEND_PATH PBIT_LOG
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1

passed=0 failed=0 number=0

check()
{
	local name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		passed=$((passed + 1))
		echo "ok $number - $name"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $number - $name"
	echo "# status: $status"
	sed 's/^/# out: /' out | head -20
	sed 's/^/# err: /' err | head -20
}

run()
{
	timeout 120 "$PBIT" "$@" >out 2>err </dev/null
	status=$?
}

# Status, a pattern in the messages, nothing on standard output.
refused()
{
	[[ $status == "$1" && ! -s out ]] && grep -q -- "$2" err
}

succeeded()
{
	[[ $status == 0 && ! -s err ]]
}

# json EXPRESSION: of the document d, in Python. npy(NAME) gives shape and values.
json()
{
	python3 - "$1" 2>/dev/null <<-'END'
		import ast, json, math, sys
		def constant(name):
		    raise ValueError(name)
		def npy(name):
		    data = open(name, "rb").read()
		    assert data[:8] == b"\x93NUMPY\x01\x00"
		    size = data[8] + 256 * data[9]
		    assert (10 + size) % 64 == 0
		    head = ast.literal_eval(data[10:10 + size].decode())
		    assert head["descr"] == "|i1" and not head["fortran_order"]
		    body = [b - 256 if b > 127 else b for b in data[10 + size:]]
		    assert len(body) == math.prod(head["shape"])
		    return head["shape"], body
		def law(beta):
		    # The AND gate by enumeration: mean energy and the probability of each state.
		    J, h = {(0, 1): -1, (0, 2): 2, (1, 2): 2}, (1, 1, -2)
		    E = {}
		    for s in range(8):
		        m = [1 if s >> i & 1 else -1 for i in range(3)]
		        name = "".join("+" if x > 0 else "-" for x in m)
		        E[name] = -(sum(v * m[i] * m[j] for (i, j), v in J.items())
		                    + sum(a * x for a, x in zip(h, m)))
		    Z = sum(math.exp(-beta * e) for e in E.values())
		    return sum(e * math.exp(-beta * e) for e in E.values()) / Z
		def near(d, beta):
		    e = d["energy"]
		    return abs(e["mean"] - law(beta)) < 5 * e["standard_error"]
		d = json.load(open("out"), parse_constant=constant) if open("out").read(1) else None
		sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)
	END
}

test_sample()
{
	local gate=$MACHINES/and-gate.ising
	run sample "$gate" --device software: --beta 0.8 --sweeps 20000 --burn 50 --replicas 2 --seed 3 --json
	check "sample: JSON" succeeded
	check "sample: members" json 'd["n"] == 3 and d["couplings"] == 3 and d["samples"] == 20000
	and d["sweeps"] == 20050 and d["updates"] == 20050 * 3 * 2 and d["complete"]
	and d["beta"] == 0.8 and d["format"] == "ising" and len(d["means"]) == 3'
	check "sample: mean energy is the exact one" json 'd["energy"]["reliable"] and near(d, 0.8)'
	check "sample: control, another beta is told apart" json 'not near(d, 0.7)'
	check "sample: counts of states add up" json 'sum(s["count"] for s in d["states"]) == 40000'
	check "sample: means from counts" json 'all(abs(d["means"][i] - sum(s["count"] *
	(1 if s["state"][i] == "+" else -1) for s in d["states"]) / 40000) < 1e-12 for i in range(3))'
	run sample "$gate" --beta 1 --sweeps 500 --clamp 2=+1 --clamp 2=1 --json
	check "sample: a clamped p-bit stays" json 'd["means"][2] == 1 and d["clamped"] == {"2": 1}'
	run sample "$MACHINES/one-of-three.json" --beta 2 --sweeps 500 --clamp b=-1 --json
	check "sample: clamp by label" json 'd["means"][1] == -1 and d["labels"] == ["a", "b", "c"]'
	run sample "$gate" --beta 1 --sweeps 200
	check "sample: a table" succeeded
	check "sample: a table has the energy" grep -q '^energy  *-' out
}

test_sample_files()
{
	local gate=$MACHINES/and-gate.ising
	run sample "$gate" --beta 1 --sweeps 90 --interval 9 --burn 4 --replicas 3 --out a.npy --json
	check "sample --out: shape and values" json 'npy("a.npy")[0] == (10, 3, 3)
	and set(npy("a.npy")[1]) == {-1, 1} and d["samples"] == 10'
	check "sample --out: means are those of the file" json 'all(abs(d["means"][i] -
	sum(npy("a.npy")[1][i::3]) / 30) < 1e-12 for i in range(3))'
	# One run of 60 sweeps against 25 and 35 of them.
	run sample "$gate" --beta 1 --burn 10 --sweeps 50 --replicas 2 --seed 9 --out whole.npy
	run sample "$gate" --beta 1 --burn 10 --sweeps 20 --replicas 2 --seed 9 --out one.npy --resume at.txt
	check "sample --resume: starts without a file" succeeded
	run sample "$gate" --beta 1 --sweeps 30 --replicas 2 --out two.npy --resume at.txt --json
	check "sample --resume: goes on bit for bit" json 'npy("one.npy")[1] + npy("two.npy")[1] ==
	npy("whole.npy")[1] and d["first_sweep"] == 30 and d["seed"] == 9'
	check "sample --resume: control, not by chance" json 'npy("one.npy")[1] != npy("two.npy")[1][:120]'
	run sample "$gate" --beta 1 --replicas 2 --seed 8 --resume at.txt
	check "sample --resume: another seed" refused 1 'has seed 9'
	run sample "$gate" --beta 1 --replicas 3 --resume at.txt
	check "sample --resume: another number of replicas" refused 1 '2 states, but 3 replicas'
	run sample "$MACHINES/one-of-three.json" --beta 1 --replicas 2 --resume at.txt
	check "sample --resume: another machine" refused 1 'another machine'
	printf -- '+-+\n' >start.txt
	run sample "$gate" --beta 1 --replicas 2 --resume start.txt
	check "sample --resume: states alone" refused 1 'where its run ended'
	run sample "$gate" --beta 1 --sweeps 5 --replicas 2 --state start.txt --json
	check "sample --state" succeeded
	printf -- '+-\n' >short.txt
	run sample "$gate" --beta 1 --state short.txt
	check "sample --state: too short a line" refused 1 'short.txt:1: the line has not one'
	cp "$gate" keep
	run sample keep --beta 1 --out keep
	check "sample: never over its input" refused 1 'which is kept'
	check "sample: the input is whole" cmp -s "$gate" keep
	run sample "$gate" --beta 1 --out nowhere/x.npy
	check "sample: no such folder" refused 1 'nowhere/x.npy'
}

test_interrupt()
{
	"$PBIT" sample "$MACHINES/torus-20x20.gset" --beta 0.4 --sweeps 100000000 --out i.npy --json \
		--resume i.txt >out 2>err </dev/null &
	local pid=$!
	# Until samples are being written.
	for _ in $(seq 200); do
		[ -n "$(find . -name '.i.npy.*.tmp' -size +8k)" ] && break
		sleep 0.1
	done
	kill -INT "$pid"
	wait "$pid"
	status=$?
	check "sample: Ctrl-C ends it with 130" [ $status = 130 ]
	check "sample: what was sampled is reported and in the file" json 'not d["complete"]
	and d["samples"] > 0 and npy("i.npy")[0] == (d["samples"], 1, 400)'
	check "sample: it can be resumed" grep -q '^sweep [1-9]' i.txt
	check "sample: nothing temporary is left" [ -z "$(ls -A | grep '\.tmp$')" ]
	"$PBIT" solve "$MACHINES/torus-20x20.gset" --sweeps 100000000 --json >out 2>err </dev/null &
	pid=$!
	sleep 2
	kill -INT "$pid"
	wait "$pid"
	status=$?
	check "solve: Ctrl-C ends it with 130" [ $status = 130 ]
	check "solve: the best so far is reported" json 'not d["complete"] and d["energy"] < 0'
}

test_usage()
{
	local gate=$MACHINES/and-gate.ising
	run sample "$gate"
	check "sample: no beta" refused 2 '--beta is missing'
	run sample "$gate" --beta 0
	check "sample: beta 0" refused 2 'not above 0'
	run sample "$gate" --beta -1
	check "sample: beta below 0" refused 2 'not above 0'
	run sample "$gate" --beta nan
	check "sample: beta NaN" refused 2 'nan'
	run sample "$gate" --beta 1 --order backwards
	check "sample: unknown order" refused 2 "'backwards'"
	run sample "$gate" --beta 1 --clamp 0=+1 --clamp 0=-1
	check "sample: clamps in conflict" refused 1 'clamped to +1 and to -1'
	run sample "$gate" --beta 1 --clamp 3=+1
	check "sample: clamp out of range" refused 1 'no such p-bit'
	run sample "$gate" --beta 1 --clamp 1=0
	check "sample: clamp to 0" refused 1 '+1 or -1'
	run sample "$gate" --beta 1 --clamp 1
	check "sample: clamp to nothing" refused 1 'of the form'
	run sample "$MACHINES/one-of-three.json" --beta 1 --clamp d=+1
	check "sample: clamp of an unknown label" refused 1 'labels of the file'
	run sample "$gate" --beta 1 --sweeps 5 --interval 6
	check "sample: no sample" refused 2 'no sample in 5 sweeps'
	run sample missing.txt --beta 1
	check "sample: no such file" refused 1 'missing.txt: No such file'
	printf '2 1\n1 2 nan\n' >bad.txt
	run sample bad.txt --beta 1
	check "sample: a bad machine is told by line and column" refused 1 'bad.txt:2:5: .*"nan"'
	run sample "$gate" --beta 1 --format lp
	check "sample: unknown format" refused 1 'no known format'
	run solve "$gate" --beta0 0
	check "solve: beta0 0" refused 2 'not above 0'
	run solve "$gate" --target-cut 5
	check "solve: a cut of what is none" refused 1 'not a max-cut graph'
	run solve "$gate" --schedule 1:0
	check "solve: a step of no sweeps" refused 1 "sweeps: '0'"
	run solve "$gate" --schedule 0:5
	check "solve: a step of beta 0" refused 1 "beta above 0: '0'"
	run solve "$gate" --schedule none.txt
	check "solve: no such schedule" refused 1 'none.txt'
	run solve "$gate" --schedule 1:5 --sweeps 5
	check "solve: schedule and sweeps" refused 2 'takes the place'
	run solve "$gate" --temperatures 4
	check "solve: a ladder without --temper" refused 2 'need --temper'
	run solve "$gate" --temper --beta0 2 --beta1 1
	check "solve: a falling ladder" refused 1 'beta0 is 2'
	for command in sample solve; do
		run $command --help
		check "$command --help" grep -q '^usage: pbit' out
	done
}

test_solve()
{
	local name best
	run solve "$MACHINES/torus-20x20.gset" --sweeps 1000 --replicas 4 --seed 2 --json
	check "solve: all edges of a bipartite torus" json 'd["cut"] == 800 and d["energy"] == -800'
	check "solve: the state is a chessboard" json 'len(d["state"]) == 400 and all(d["state"][20 * y + x]
	== -d["state"][20 * y + (x + 1) % 20] for y in range(20) for x in range(20))'
	check "solve: members" json 'd["updates"] == d["sweeps"] * 4 * 400 and d["seconds"] > 0
	and d["complete"] and d["method"] == "annealing"'
	while read -r name best; do
		run solve "$ORACLES/$name.txt" --sweeps 1000 --replicas 8 --restarts 2 --json
		check "solve: exact ground energy of $name" json "d['energy'] == $best"
	done <<-'END'
		maxcut_3reg_n12 -14
		maxcut_3reg_n16 -18
		maxcut_3reg_n20 -24
		sk_pm1_n12 -28
		sk_pm1_n16 -48
		sk_pm1_n20 -58
		wishart_n20_a0.75 -7210
	END
	run solve "$MACHINES/planted-64.ising" --temper --replicas 2 --sweeps 400 --json
	check "solve --temper: planted state" json 'd["energy"] == -120 and d["method"] == "tempering"
	and len(d["temperatures"]) == 16 and all(t["exchanges_tried"] > 0 for t in d["temperatures"][:-1])'
	cp out first
	run solve "$MACHINES/planted-64.ising" --temper --replicas 2 --sweeps 400 --json \
		--device software:threads=1 --device software:threads=2
	check "solve --temper: two devices find the same" json 'd["state"] ==
	json.load(open("first"))["state"] and len(d["devices"]) == 2'
	run solve "$MACHINES/partition-6.qubo" --replicas 4 --json
	check "solve: QUBO, variables 0 and 1" json 'd["energy"] == -2304 and sum(a * d["assignment"][str(i)]
	for i, a in enumerate([7, 11, 5, 13, 4, 8])) == 24'
	for name in one-of-three one-of-three-bytes one-of-three-plain; do
		run solve "$MACHINES/$name.json" --json
		check "solve: $name" json 'd["energy"] == 0 and sum(d["assignment"].values()) == 1
		and set(d["assignment"]) == {"a", "b", "c"}'
	done
	run solve "$MACHINES/odd-ring.ftp" --restarts 4 --json
	check "solve: the schedule of a program" json 'd["energy"] == -5 and d["name"] == "odd-ring"
	and d["schedule"]["kind"] == "list" and [s["sweeps"] for s in d["schedule"]["steps"]] == [20] * 3'
	run solve "$MACHINES/torus-20x20.gset" --target-cut 700 --time 60 --json
	check "solve: ends at the target" json 'd["reached"] and d["cut"] >= 700 and d["seconds"] < 60'
	run solve "$MACHINES/random-200.gset" --time 0.5 --json
	check "solve: ends in time" json 'd["seconds"] < 5 and not d["complete"]'
	printf '# hot, then cold\n0.2 100\n0.5 100\n\n2 300\n' >steps.txt
	run solve "$MACHINES/planted-64.ising" --schedule steps.txt --replicas 4 --json
	check "solve: a schedule from a file" json 'd["sweeps"] == 500 and d["energy"] < -110'
	run solve "$MACHINES/planted-64.ising" --schedule 0.2:100,2:100 --clamp 0=+1 --clamp 1=-1 --json
	check "solve: a list, and clamps" json 'd["sweeps"] == 200 and d["state"][0] == 1 and
	d["state"][1] == -1 and d["updates"] == 200 * 62'
	run solve "$MACHINES/planted-64.ising"
	check "solve: a table" succeeded
	check "solve: a table has energy and state" grep -qE '^[+-]{64}$' out
}

test_sample
test_sample_files
test_interrupt
test_usage
test_solve
echo "1..$number"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
