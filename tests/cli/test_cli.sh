#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Black-box tests of the command. usage: test_cli.sh PATH-OF-PBIT
#
# Every test runs the built command and looks at its exit status, output and messages. The last
# line is "N passed, N failed"; 77 is returned where a needed tool is missing.

set -u
PBIT=$(realpath "${1:?usage: $0 PATH-OF-PBIT}")
HERE=$(dirname "$(realpath "$0")")
for tool in python3 dtc timeout; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP no $tool"; exit 77; }
done
unset PBIT_URI PBIT_BACKEND_PATH PBIT_LOG PBIT_DATA_DIR
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1

passed=0 failed=0 number=0

ok()
{
	number=$((number + 1))
	passed=$((passed + 1))
	echo "ok $number - $1"
}

not_ok()
{
	number=$((number + 1))
	failed=$((failed + 1))
	echo "not ok $number - $1"
	sed 's/^/# status: /' <<<"$status"
	sed 's/^/# out: /' out | head -20
	sed 's/^/# err: /' err | head -20
}

# check NAME CONDITION...: the condition is a command.
check()
{
	local name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

run()
{
	timeout 60 "$PBIT" "$@" >out 2>err </dev/null
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

is_json()
{
	python3 -m json.tool <out >/dev/null 2>&1
}

# json EXPRESSION: of the document d, in Python.
json()
{
	python3 - "$1" 2>/dev/null <<-'END'
		import json, math, sys
		def constant(name):
		    raise ValueError(name)
		d = json.load(open("out"), parse_constant=constant)
		sys.exit(0 if eval(sys.argv[1]) else 1)
	END
}

narrow()
{
	! grep -qE '^.{81}' out
}

make_files()
{
	python3 - <<-'END'
		import gzip, random, struct
		random.seed(7)
		def model(name, n_in, n_out, scale="0x3e000000"):
		    padded = (n_in + 31) // 32 * 32
		    size = (n_out + 15) // 16 * padded // 32 * 64
		    weights = " ".join("%02x" % random.randrange(256) for _ in range(size))
		    open(name, "w").write("""/dts-v1/;
		    / { compatible = "pbit,model"; version = <1 0>; model = "test"; provenance { made-by = "a test"; };
		      input { shape = <%d>; bits = <8>; scale = <0x3b808081>; zero = <0>; };
		      layers { layer@0 { type = "dense"; label = "hidden"; outputs = <%d>; activation = "pbit";
		        encoding = "bipolar"; weight-bits = <1>; weights = [%s]; scale = <%s>; bias = <%s>; };
		        layer@1 { type = "dense"; outputs = <10>; activation = "linear"; weight-bits = <1>;
		        weights = [%s]; scale = <0x3d800000>; bias = <%s>; }; }; };
		""" % (n_in, n_out, weights, scale, "0 " * n_out,
		       " ".join("%02x" % random.randrange(256) for _ in range(n_out // 32 * 64)), "0 " * 10))
		model("good.dts", 784, 64)
		model("nan.dts", 784, 64, "0x7fc00000")
		open("syntax.dts", "w").write("/dts-v1/;\n/ { broken\n")
		def idx(name, dims, data, opener=open):
		    f = opener(name, "wb")
		    f.write(bytes([0, 0, 8, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + data)
		    f.close()
		pixels = bytes(random.randrange(256) for _ in range(60 * 784))
		labels = bytes(random.randrange(10) for _ in range(60))
		idx("images.idx", [60, 28, 28], pixels)
		idx("images.idx.gz", [60, 28, 28], pixels, gzip.open)
		idx("many.idx", [2000, 28, 28], pixels[:784] * 2000)
		idx("labels.idx", [60], labels)
		idx("labels59.idx", [59], labels[:59])
		idx("labels10.idx", [60], bytes([10] * 60))
		idx("small.idx", [60, 5], pixels[:300])
		open("cut.idx", "wb").write(open("images.idx", "rb").read()[:-1])
		def npy(name, descr, shape, data, fortran=False):
		    head = ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)).encode()
		    head += b" " * (118 - len(head) - 1) + b"\n"
		    open(name, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data)
		reals = [p / 255 for p in pixels]
		npy("images.npy", "|u1", (60, 28, 28), pixels)
		npy("fortran.npy", "|u1", (60, 784), pixels, True)
		npy("reals.npy", "<f4", (60, 784), struct.pack("<47040f", *reals))
		npy("labels.npy", "<i8", (60,), struct.pack("<60q", *labels))
		npy("nan.npy", "<f8", (1, 784), struct.pack("<784d", *([0.0] * 783 + [float("nan")])))
		npy("clipped.npy", "<f8", (1, 784), struct.pack("<784d", *([0.0] * 782 + [9.0, -9.0])))
	END
}

test_general()
{
	run
	check "no command: usage, status 2" refused 2 "usage: pbit"
	run --version
	check "version" succeeded
	check "version names both" grep -q "^libpbit 0" out
	run --help
	check "help" succeeded
	run lits
	check "misspelt command" refused 2 "did you mean 'list'"
	run qqqqq
	check "unknown command" refused 2 "unknown command"
	for c in list info doctor run bench "model show" "model pack" "model unpack"; do
		run help $c
		check "help $c" succeeded
		check "help $c fits 80 columns" narrow
		cp out help.out
		run $c --help
		check "$c --help is the same" cmp -s out help.out
		run $c --no-such-option
		check "$c: unknown option" refused 2 "unknown option"
	done
	run run good.pbm --sampels 3
	check "misspelt option" refused 2 "did you mean '--samples'"
	run list --scheme
	check "missing value" refused 2 "needs a value"
	run list --json=yes
	check "value for a flag" refused 2 "takes no value"
	run list extra
	check "unexpected operand" refused 2 "unexpected argument"
	run run
	check "missing operand" refused 2 "missing argument"
}

test_devices()
{
	run list
	check "list" succeeded
	check "list finds the software device" grep -q "^software:" out
	run list --verbose
	check "list --verbose" grep -q "built in" out
	check "list fits 80 columns" narrow
	run list --json --verbose
	check "list --json" is_json
	check "list --json content" json 'd["schema"] == 1 and d["command"] == "list" and any(x["uri"].startswith("software:") and x["usable"] for x in d["devices"]) and d["backends"][0]["abi"]'
	run list --scheme=software --json
	check "list --scheme" json 'all(x["uri"].startswith("software:") for x in d["devices"]) and d["devices"]'
	mkdir -p plugins && echo nonsense >plugins/pbit-broken.so
	PBIT_BACKEND_PATH=$WORK/plugins run list --verbose --json
	check "a refused plugin is listed" json 'any(not b["in_use"] and b["reason"] and "broken" in b["path"] for b in d["backends"])'
	run info software:
	check "info" succeeded
	check "info fits 80 columns" narrow
	run info software: --json
	check "info --json" json 'd["schema"] == 1 and d["uri"].startswith("software:") and "simulated" in d["flags"] and "calibrated" in d and d["cost_update_pj"] is None'
	run info nosuch:
	check "unknown scheme" refused 1 "nosuch"
	run info "not an address"
	check "malformed address" refused 1 "pbit info: "
	run doctor
	check "doctor" succeeded
	check "doctor fits 80 columns" narrow
	check "doctor finds a device" grep -q "usable\.$" out
	run doctor --json
	check "doctor --json" json 'd["schema"] == 1 and d["usable_devices"] >= 1 and all(c["verdict"] in ("ok", "warning", "problem") for c in d["checks"])'
	PBIT_URI=nosuch: PBIT_BACKEND_PATH=/nonexistent PBIT_LGO=x run doctor --json
	check "doctor sees a bad PBIT_URI" json 'any(c["verdict"] == "problem" and "PBIT_URI" in c["detail"] and c["advice"] for c in d["checks"])'
	check "doctor sees a missing folder" json 'any(c["verdict"] == "warning" and "missing" in c["detail"] for c in d["checks"])'
	check "doctor sees a misspelt variable" json 'any("PBIT_LGO" in c["detail"] and "PBIT_LOG" in c["detail"] for c in d["checks"])'
	PBIT_BACKEND_PATH=$WORK/plugins run doctor --json
	check "doctor sees a refused plugin" json 'any(c["name"] == "backend" and c["verdict"] == "problem" and "broken" in c["detail"] for c in d["checks"])'
	PATH=/nonexistent PBIT_DATA_DIR=/nonexistent "$PBIT" doctor --json >out 2>err
	check "doctor: what to install" json 'sum("apt install" in (c["advice"] or "") for c in d["checks"]) == 2'
}

test_model()
{
	run model
	check "model: usage" refused 2 "usage: pbit model"
	run model shwo
	check "model: misspelt" refused 2 "did you mean 'show'"
	run model pack good.dts good.pbm
	check "pack" succeeded
	run model show good.pbm
	check "show" succeeded
	check "show fits 80 columns" narrow
	run model show good.pbm --json
	check "show --json" json 'd["schema"] == 1 and d["name"] == "test" and d["outputs"] == 10 and d["macs"] == 784*64 + 640 and [l["weight_bits"] for l in d["layers"]] == [1, 1] and d["provenance"] == [{"key": "made-by", "value": "a test"}] and d["layers"][0]["name"] == "hidden" and d["input"]["shape"] == [784, 1, 1]'
	run model unpack good.pbm good2.dts
	check "unpack" succeeded
	run model pack good2.dts good2.pbm
	run model show good2.pbm --json
	check "pack of what was unpacked" json 'd["macs"] == 784*64 + 640'
	run model unpack good.pbm -
	check "unpack to standard output" cmp -s out good2.dts
	echo keep >kept.pbm
	run model pack nan.dts kept.pbm
	check "pack: NaN" refused 1 "scale"
	check "pack: an old file stays" grep -q keep kept.pbm
	run model pack syntax.dts kept.pbm
	check "pack: syntax error" refused 1 "syntax.dts"
	check "pack: an old file stays" grep -q keep kept.pbm
	run model pack missing.dts x.pbm
	check "pack: missing source" refused 1 "missing.dts"
	run model pack good.dts /nonexistent/x.pbm
	check "pack: unwritable" refused 1 "/nonexistent/"
	run model unpack good.pbm /nonexistent/x.dts
	check "unpack: unwritable" refused 1 "/nonexistent/"
	run model unpack good.pbm /dev/full
	check "unpack: disk full" refused 1 "No space left"
	"$PBIT" model unpack good.pbm - >/dev/full 2>err
	status=$?
	check "unpack to standard output: disk full" test "$status" = 1
	check "unpack to standard output: says so" grep -q "No space left" err
	cp good.dts spared.dts
	run model pack spared.dts ./spared.dts
	check "pack: onto its own source" refused 1 "spared.dts, which is kept"
	check "pack: the source stays" cmp -s good.dts spared.dts
	cp good.pbm spared.pbm
	ln -s spared.pbm spared-link.pbm
	run model unpack spared.pbm spared-link.pbm
	check "unpack: onto its own source" refused 1 "spared.pbm, which is kept"
	check "unpack: the source stays" cmp -s good.pbm spared.pbm
	head -c 1000 good.pbm >corrupt.pbm
	run model show corrupt.pbm
	check "show: corrupt" refused 1 "corrupt.pbm"
	run model unpack corrupt.pbm x.dts
	check "unpack: corrupt" refused 1 "corrupt.pbm"
	check "unpack: nothing written" test ! -e x.dts
	run model show missing.pbm
	check "show: missing" refused 1 "missing.pbm: .*No such file"
	mkdir -p empty
	PATH=$WORK/empty "$PBIT" model pack good.dts x.pbm >out 2>err
	status=$?
	check "pack: no dtc" refused 1 "apt install device-tree-compiler"
	PATH=$WORK/empty "$PBIT" model unpack good.pbm unmade.dts >out 2>err
	status=$?
	check "unpack: no dtc" refused 1 "apt install device-tree-compiler"
	check "unpack: no dtc, nothing written" test -z "$(find . -name '*unmade*')"
}

# accuracy_of ARGUMENT...: what a run reports.
outcome_of()
{
	run run good.pbm "$@" --json
	python3 -c 'import json; d = json.load(open("out")); print(d["accuracy"], d["mean_samples"], d["images"])' 2>&1 | tail -1
}

test_run()
{
	local a b
	run run good.pbm --data images.idx --labels labels.idx
	check "run" succeeded
	check "run fits 80 columns" narrow
	run run good.pbm --data images.idx --labels labels.idx --json --out a.npy
	check "run --json" json 'd["schema"] == 1 and d["command"] == "run" and d["images"] == 60 and d["samples"] == 10 and d["seed"] == 1 and 0 <= d["accuracy"] <= 1 and d["complete"] is True and d["device"] == d["devices"][0]["uri"] and d["mean_samples"] == 10 and d["clipped_inputs"] == 0 and abs(d["accuracy_standard_error"] - math.sqrt(d["accuracy"] * (1 - d["accuracy"]) / 60)) < 1e-12 and d["images_per_second"] > 0'
	a=$(outcome_of --data images.idx --labels labels.idx)
	b=$(outcome_of --data images.npy --labels labels.npy)
	check "idx and .npy give the same" test "$a" = "$b"
	b=$(outcome_of --data images.idx.gz --labels labels.idx --batch 7 --sample-block 3 --threads 2)
	check "gzip, batch, block and threads give the same" test "$a" = "$b"
	check "--threads is in the address" json 'd["threads"] == 2 and "threads=2" in d["device"]'
	b=$(outcome_of --data reals.npy --labels labels.idx)
	check "real inputs give the same" test "$a" = "$b"
	b=$(outcome_of --data images.idx --labels labels.idx --device software: --device software:threads=2)
	check "two devices give the same" test "$a" = "$b"
	check "two devices are named" json 'len(d["devices"]) == 2'
	run run good.pbm --data images.idx --out b.npy --json
	check "no labels: accuracy is null" json 'd["accuracy"] is None and d["accuracy_standard_error"] is None'
	check "--out is reproducible" cmp -s a.npy b.npy
	check "--out has the right size" test "$(stat -c %s b.npy)" = $((128 + 60 * 10 * 8))
	run run good.pbm --data images.idx --seed 2 --out c.npy
	check "another seed gives another output" test "$(cmp -s a.npy c.npy; echo $?)" = 1
	run run good.pbm --data images.idx --limit 7 --json
	check "--limit" json 'd["images"] == 7'
	run run good.pbm --data images.idx --labels labels.idx --sweep 1,3 --json
	check "--sweep" json '[x["samples"] for x in d["sweep"]] == [1, 3] and d["samples"] == 3 and d["accuracy"] == d["sweep"][1]["accuracy"]'
	run run good.pbm --data images.idx --labels labels.idx --table
	check "--table" grep -q "^ *32 .*%" out
	check "--table fits 80 columns" narrow
	run run good.pbm --data images.idx --samples 400 --sample-block 8 --confidence 0.9 --min-samples 4 --json
	check "--confidence stops early" json '4 <= d["mean_samples"] < 400 and d["confidence"] == 0.9'
	run run good.pbm --data clipped.npy --json
	check "clipped inputs are counted" json 'd["clipped_inputs"] == 2'
	PBIT_URI=software:threads=2 run run good.pbm --data images.idx --json
	check "PBIT_URI is used" json 'd["threads"] == 2'
}

test_run_refused()
{
	run run good.pbm
	check "no --data" refused 2 "--data is missing"
	for bad in 0 -1 1.5 x 2147483648 ""; do
		run run good.pbm --data images.idx --samples "$bad"
		check "--samples '$bad'" refused 2 "from 1 to 2147483647"
	done
	for bad in 0.5 1 nan 2; do
		run run good.pbm --data images.idx --confidence "$bad"
		check "--confidence $bad" refused 2 "between 0.5 and 1"
	done
	run run good.pbm --data images.idx --sweep 1,,2
	check "--sweep with a gap" refused 2 "from 1 to"
	run run good.pbm --data images.idx --sweep 1,2 --samples 3
	check "--sweep and --samples" refused 2 "only one of"
	run run good.pbm --data images.idx --min-samples 3
	check "--min-samples alone" refused 2 "--confidence"
	run run good.pbm --data missing.idx
	check "missing data" refused 1 "missing.idx: .*No such file"
	run run good.pbm --data cut.idx
	check "cut data" refused 1 "cut.idx: .*more than it holds"
	run run good.pbm --data good.dts
	check "data of another format" refused 1 "neither an idx nor a .npy"
	run run good.pbm --data fortran.npy
	check "Fortran order" refused 1 "ascontiguousarray"
	run run good.pbm --data small.idx
	check "wrong size" refused 1 "has 5 values.*takes 784"
	run run good.pbm --data images.idx --labels labels59.idx
	check "too few labels" refused 1 "59 labels for 60 images"
	run run good.pbm --data images.idx --labels labels10.idx
	check "label out of range" refused 1 "label 10 of image 0"
	run run good.pbm --data images.idx --labels images.idx
	check "images as labels" refused 1 "one label per image"
	run run good.pbm --data nan.npy
	check "NaN input" refused 1 "[Nn]a[Nn]"
	run run missing.pbm --data images.idx
	check "missing model" refused 1 "missing.pbm"
	run run corrupt.pbm --data images.idx --json
	check "corrupt model" refused 1 "corrupt.pbm"
	run run good.pbm --data images.idx --device nosuch:
	check "unknown device" refused 1 "nosuch"
	run run good.pbm --data images.idx --device software:nosuch=1
	check "unknown parameter" refused 1 "nosuch"
	PBIT_URI=nosuch: run run good.pbm --data images.idx --threads 2
	check "--threads for another device" refused 1 "only the software device has threads"
	run run good.pbm --data images.idx --out /nonexistent/x.npy
	check "unwritable --out" refused 1 "/nonexistent/x.npy"
	cp good.pbm spared.pbm
	cp labels.idx spared.idx
	cp images.idx spared-images.idx
	for input in spared.pbm spared.idx spared-images.idx; do
		run run spared.pbm --data spared-images.idx --labels spared.idx --out $input
		check "--out is an input: $input" refused 1 "the input $input, which is kept"
	done
	check "--out is an input: all stay" \
		sh -c 'cmp good.pbm spared.pbm && cmp labels.idx spared.idx && cmp images.idx spared-images.idx'
	run run good.pbm --data images.idx --out "$WORK"
	check "--out is a folder" refused 1 "directory"
	echo keep >kept.npy
	run run good.pbm --data nan.npy --out kept.npy
	check "--out of a failed run: the old file stays" grep -q keep kept.npy
	check "no temporary files are left" test -z "$(find . -name '*.tmp')"
	PBIT_DATA_DIR=/nonexistent run run good.pbm --data fashion-mnist
	check "no data set" refused 1 "/nonexistent: .*PBIT_DATA_DIR"
}

test_bench()
{
	run bench software: --seconds 0.01 --bits 1,4 --samples 1 --batch 1,2 --threads 1 --json
	check "bench --json" json 'len(d) == 4 and all(r["case"] == "mlp-1024" and r["us_per_image"] > 0 and r["macs_per_second"] > 0 and r["threads"] == 1 for r in d) and [(r["bits"], r["batch"]) for r in d] == [(1, 1), (1, 2), (4, 1), (4, 2)]'
	run bench software: --seconds 0.01 --bits 8 --samples 1 --batch 1
	check "bench" succeeded
	check "bench fits 80 columns" narrow
	run bench software: --bits 3
	check "bench: impossible bits" refused 2 "1, 2, 4, 8 or 32"
	run bench software: --case nosuch
	check "bench: unknown case" refused 2 "mlp-4096"
	run bench nosuch:
	check "bench: unknown device" refused 1 "nosuch"
	run bench software: --seconds 0
	check "bench: no time" refused 2 "between 0 and 3600"
}

# Ctrl-C in the middle of work that would take hours.
test_interrupt()
{
	echo keep >kept.npy
	timeout --foreground --preserve-status -s INT 2 "$PBIT" run good.pbm --data many.idx --batch 1 \
		--samples 20000 --sample-block 64 --threads 1 --json --out kept.npy >out 2>err
	status=$?
	check "Ctrl-C: status 130" test $status = 130
	check "Ctrl-C: partial result" json 'd["complete"] is False and 0 < d["images"] < 2000'
	check "Ctrl-C: is said" grep -q "pbit run: interrupted" err
	check "Ctrl-C: --out stays as it was" grep -q keep kept.npy
	check "Ctrl-C: no temporary file" test -z "$(find . -name '*.tmp')"
	timeout --foreground --preserve-status -s INT 2 "$PBIT" run good.pbm --data many.idx \
		--samples 2000000000 --threads 1 >out 2>err
	status=$?
	check "Ctrl-C before the first image" refused 130 "no image was completed"
	timeout --foreground --preserve-status -s INT 2 "$PBIT" bench software: --seconds 1.5 --bits 1 \
		--json >out 2>err
	status=$?
	check "Ctrl-C in bench: status 130" test $status = 130
	check "Ctrl-C in bench: partial result" json '1 <= len(d) < 4'
	timeout --foreground --preserve-status -s TERM 2 "$PBIT" run good.pbm --data many.idx --batch 1 \
		--samples 20000 --sample-block 64 --threads 1 --json >out 2>err
	status=$?
	check "SIGTERM: status 143" test $status = 143
	check "SIGTERM: partial result" json 'd["complete"] is False'
}

# closed ARGUMENT...: the reader of standard output has gone.
closed()
{
	("$PBIT" "$@" 2>err; echo $? >status) | true
	status=$(cat status)
	: >out
}

test_pipe()
{
	closed info software: --json
	check "closed pipe: info" test "$status$(cat err)" = 0
	closed model show good.pbm
	check "closed pipe: show" test "$status$(cat err)" = 0
	closed model unpack good.pbm -
	check "closed pipe: unpack" test "$status$(cat err)" = 0
	closed run good.pbm --data images.idx --out piped.npy
	check "closed pipe: run" test "$status$(cat err)" = 0
	check "closed pipe: --out is written" test -s piped.npy
	"$PBIT" info software: >/dev/full 2>err
	status=$?
	: >out
	check "full disk" refused 1 "No space left"
	check "no progress in a pipe" test -z "$("$PBIT" run good.pbm --data images.idx 2>&1 >/dev/null)"
}

# reply WORD...: what bash would offer for the last word.
reply()
{
	PATH=$(dirname "$PBIT"):$PATH bash --norc -c '
		source "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		_pbit 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " "
	' bash "$HERE/../../libhal/completion/pbit" "$@"
}

offers()
{
	local expected=$1 got
	shift
	got=$(reply "$@")
	[[ $got == "$expected" ]] && return
	echo "# got: $got"
	return 1
}

test_completion()
{
	: >out
	: >err
	status=
	mkdir -p sub
	check "completion: commands" offers "doctor " pbit do
	check "completion: options" offers "--sample-block --samples " pbit run x.pbm --sam
	check "completion: subcommands" offers "pack show unpack " pbit model ""
	check "completion: models and folders" offers "good.pbm good2.pbm " pbit run goo
	check "completion: folders" offers "sub " pbit run su
	check "completion: data sets" offers "fashion-mnist " pbit run x.pbm --data fash
	check "completion: schemes" offers "software: " pbit info sof
	check "completion: devices" offers "software: " pbit run x.pbm --device sof
	check "completion: cases" offers "mlp-1024 mlp-4096 " pbit bench --case ""
	check "completion: with an equals sign" offers "mlp-1024 mlp-4096 " pbit bench --case=ml
	check "completion: numbers have none" offers " " pbit run x.pbm --samples ""
	# Every option that --help names is offered.
	for c in list info doctor run bench; do
		run $c --help
		check "completion: options of $c" offers \
			"$(grep -oE '^  --[a-z-]+' out | tr -d ' ' | sort | tr '\n' ' ')" pbit $c --
	done
}

test_manual()
{
	command -v man >/dev/null || return
	for page in "$HERE"/../../libhal/man/*.[1-9]; do
		: >out
		man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>err >/dev/null
		status=$?
		check "man page $(basename "$page")" succeeded
	done
	# Every option that --help names is in the page.
	for c in list info doctor run bench; do
		run $c --help
		for option in $(grep -oE '^  --[a-z-]+' out); do
			check "pbit-$c.1 has $option" grep -qF -- "${option//-/\\-}" \
				"$HERE/../../libhal/man/pbit-$c.1"
		done
	done
}

test_fashion_mnist()
{
	[[ -e /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz ]] || return
	run run good.pbm --data fashion-mnist --limit 200 --samples 2 --json
	check "Fashion-MNIST" json 'd["images"] == 200 and 0 <= d["accuracy"] < 0.6'
}

make_files || exit 1
test_general
test_devices
test_model
test_run
test_run_refused
test_bench
test_interrupt
test_pipe
test_completion
test_manual
test_fashion_mnist
echo "1..$number"
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
