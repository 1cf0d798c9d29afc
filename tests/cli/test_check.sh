#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Black-box tests of pbit check. usage: test_check.sh PATH-OF-PBIT
#
# The suite's own false alarm is 1e-6 a run, seeds are fixed; wrong rules are its negative controls. The
# last line is "N passed, N failed"; 77: a tool is missing.

set -u
PBIT=$(realpath "${1:?usage: $0 PATH-OF-PBIT}")
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
	timeout 120 "$PBIT" check "$@" >out 2>err </dev/null
	status=$?
}

# json STATUS EXPRESSION: of the document d, in Python.
json()
{
	[[ $status == "$1" && ! -s err ]] && python3 - "$2" 2>/dev/null <<-'END'
		import json, sys
		def constant(name):
		    raise ValueError(name)
		d = json.load(open("out"), parse_constant=constant)
		sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)
	END
}

refused()
{
	[[ $status == "$1" && ! -s out ]] && grep -q -- "$2" err
}

narrow()
{
	! grep -qE '^.{81}' out
}

picture()
{
	python3 - <<-'END'
		import struct, xml.dom.minidom, zlib
		svg = xml.dom.minidom.parse("page.svg")
		assert len(svg.getElementsByTagName("circle")) >= 17 * 64
		assert any("sk8 states" in t.firstChild.data for t in svg.getElementsByTagName("text"))
		data = open("page.png", "rb").read()
		assert data[:8] == b"\x89PNG\r\n\x1a\n"
		at, chunks = 8, {}
		while at < len(data):
		    size, kind = struct.unpack(">I4s", data[at:at + 8])
		    body = data[at + 8:at + 8 + size]
		    assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
		    chunks[kind] = body
		    at += 12 + size
		width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
		pixels = zlib.decompress(chunks[b"IDAT"])
		assert (depth, colour) == (8, 2) and len(pixels) == height * (1 + 3 * width)
		# Something is drawn, and most of the page is white.
		white = pixels.count(b"\xff") / len(pixels)
		assert 0.8 < white < 0.99 and b"IEND" in chunks
	END
}

test_verdicts()
{
	run software: --json --certificate page.svg
	check "software passes" json 0 'd["schema"] == 1 and d["verdict"] == "pass" and
	d["false_alarm"] <= 1e-6 and d["seconds"] < 60 and d["against"] is None and
	all(t["verdict"] == "pass" and t["power"] >= 0.99 for t in d["tests"]) and
	len(d["tests"]) >= 25 and len(d["fits"]) == 64'
	check "six controls are rejected" json 0 'len(d["controls"]) == 6 and
	all(c["rejected"] and c["p"] < 1e-6 for c in d["controls"])'
	run software: --certificate page.png
	check "a table of 80 columns" narrow
	check "the verdict is on it" grep -q '^pass$' out
	check "certificates as pictures" picture
	run rules:heat-bath --certificate page.txt --tests sigmoid,pair
	check "a certificate as text" grep -q '^verdict  pass$' page.txt
	check "the same seed gives the same" bash -c \
		"'$PBIT' check rules:heat-bath --tests pair --json --seed 7 | grep -v seconds >a;
		'$PBIT' check rules:heat-bath --tests pair --json --seed 7 | grep -v seconds >b; cmp a b"
	for rule in metropolis-sequential metropolis-random synchronous heat-bath,stuck=2 \
		heat-bath,shared=1 heat-bath,hold=0.1; do
		run "rules:$rule" --quick --json
		check "rules:$rule fails" json 1 'd["verdict"] == "fail" and d["reason"] and
		any(t["verdict"] == "fail" for t in d["tests"])'
	done
	run rules:heat-bath,pbits=2 --tests sk8 --json
	check "a device that nothing applies to fails" json 1 'd["verdict"] == "fail" and
	"no test applies" in d["reason"] and d["tests"][0]["verdict"] == "not applicable" and
	d["tests"][0]["p"] is None and "8 p-bits" in d["tests"][0]["reason"]'
	run rules:heat-bath,physical=1,drop=1 --tests pair --json
	check "physical noise has a second chance" json 1 'd["tests"][0]["p_repeat"] is not None and
	d["tests"][0]["verdict"] == "fail"'
}

test_against()
{
	run software: --against rules:heat-bath --json
	check "--against: alike" json 0 'd["verdict"] == "pass" and d["against"] == "rules:heat-bath" and
	len(d["controls"]) == 1 and d["controls"][0]["rejected"]'
	run software: --against rules:heat-bath,gain=1.05
	check "--against: not alike" grep -q '^fail: ' out
	check "--against: exit status 1" [ $status = 1 ]
}

test_usage()
{
	run --tests nonsense software:
	check "unknown test" refused 1 'no group of tests "nonsense"'
	run software: --certificate page.pdf
	check "unknown kind of certificate" refused 2 'page.pdf'
	run software: --certificate nowhere/page.txt
	check "certificate that cannot be written" refused 1 'nowhere'
	run software: --tests pair --against software:
	check "--tests with --against" refused 2 'cannot be given together'
	run nothing: --json
	check "unknown device" refused 1 'nothing'
	run rules:heat-bath,gain=fast
	check "bad parameter" refused 1 'gain=fast'
	run software: --certificate kept.txt --tests pair
	cp kept.txt before
	run rules:heat-bath,pbits=2 --tests nonsense --certificate kept.txt
	check "a failure leaves the old certificate" cmp -s kept.txt before
	run --help
	check "--help" grep -q -- '--certificate FILE' out
}

test_interrupt()
{
	"$PBIT" check rules:asynchronous,dt=0.001 --certificate cut.txt >out 2>err &
	local pid=$!
	sleep 0.5
	kill -INT $pid
	wait $pid
	status=$?
	check "Ctrl-C ends it" [ $status = 130 ]
	check "Ctrl-C leaves no page" [ ! -e cut.txt ]
	check "Ctrl-C is told" grep -q 'interrupted' err
}

test_verdicts
test_against
test_usage
test_interrupt
echo "1..$number"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
