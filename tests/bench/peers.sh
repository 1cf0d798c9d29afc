#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Gets the peers into a folder: onnxruntime-node by npm, and OpenBLAS for Debian's
# PyTorch, which comes with the slow reference BLAS. Nothing outside the folder is changed. What
# cannot be had is said on standard error, and is no failure.
# usage: peers.sh FOLDER

folder=$1
onnxruntime=1.30.0

note() {
	echo "bench: $*" >&2
}

get_onnxruntime() {
	[ -d "$folder/node_modules/onnxruntime-node" ] && return
	if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
		note "no node or npm here: ONNX Runtime is left out (apt-get install nodejs npm)"
		return
	fi
	(cd "$folder" && npm install --ignore-scripts --no-audit --no-fund --no-save --prefix . \
		"onnxruntime-node@$onnxruntime" >npm.log 2>&1) ||
		note "npm cannot install onnxruntime-node, see $folder/npm.log: ONNX Runtime is left out"
}

get_openblas() {
	[ -e "$folder/openblas/ready" ] && return
	/usr/bin/python3 -c 'import torch' 2>/dev/null || return
	mkdir -p "$folder/openblas"
	(cd "$folder/openblas" && apt-get download libopenblas0-openmp && dpkg -x ./*.deb . &&
		touch ready) >"$folder/openblas.log" 2>&1 ||
		note "cannot get OpenBLAS, see $folder/openblas.log: PyTorch runs with the BLAS it finds"
}

get_onnxruntime
get_openblas
exit 0
