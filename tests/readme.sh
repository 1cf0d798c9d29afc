#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the commands that README.md shows, with the names of files it leaves open put in.
# Those that set up, build and test are what called this.
set -u
build=${1:?usage: tests/readme.sh BUILD-FOLDER}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
model=examples/models/fashion-mnist-784-512-512-10-w4.pbm
data=${PBIT_DATA_DIR:-/usr/share/datasets/fashion-mnist}
gunzip -c "$data/t10k-images-idx3-ubyte.gz" >"$folder/images.idx" || exit 1
gunzip -c "$data/t10k-labels-idx1-ubyte.gz" >"$folder/labels.idx" || exit 1
failed=0 ran=0

while IFS= read -r line; do
	command=${line//MODEL.pbm/$model}
	command=${command//IMAGES.idx/$folder/images.idx}
	command=${command//LABELS.idx/$folder/labels.idx}
	command=${command//build\/release/$build}
	ran=$((ran + 1))
	if ! bash -c "$command" >"$folder/out" 2>&1; then
		echo "not ok $ran - $line"
		cat "$folder/out"
		failed=$((failed + 1))
	fi
done < <(grep -E '^    ([A-Z_]+=[^ ]+ )*build/release/' README.md)
echo "$((ran - failed)) passed, $failed failed"
[ $failed -eq 0 ] && [ $ran -gt 0 ]
