// SPDX-License-Identifier: Apache-2.0
// The part of protobuf's wire format that an ONNX file needs: variable-length integers,
// 32-bit floats, and length-delimited bytes, strings and messages. A message is an array of
// Buffers.
'use strict';

function varint(value) {
	const bytes = [];
	let rest = BigInt(value);

	while (rest > 127n) {
		bytes.push(Number(rest & 127n) | 128);
		rest >>= 7n;
	}
	bytes.push(Number(rest));
	return Buffer.from(bytes);
}

function key(field, wireType) {
	return varint((field << 3) | wireType);
}

function integer(field, value) {
	return Buffer.concat([key(field, 0), varint(value)]);
}

function float(field, value) {
	const bytes = Buffer.alloc(4);

	bytes.writeFloatLE(value);
	return Buffer.concat([key(field, 5), bytes]);
}

function bytes(field, data) {
	return Buffer.concat([key(field, 2), varint(data.length), data]);
}

function string(field, text) {
	return bytes(field, Buffer.from(text));
}

function message(field, parts) {
	return bytes(field, Buffer.concat(parts));
}

module.exports = { integer, float, bytes, string, message };
