// SPDX-License-Identifier: Apache-2.0
// Writes the peers' models: a multilayer perceptron with tanh between its layers and random
// weights, as ONNX, in one of these kinds:
//   fp32          Gemm, Tanh
//   int8-dynamic  dynamic quantisation: DynamicQuantizeLinear, MatMulInteger, Tanh in fp32
//   int8-tanh     static quantisation: QGemm to fp32, Tanh in fp32, QuantizeLinear
//   int8-table    static quantisation: QGemm to 8 bits, tanh as a table of 256 (QLinearSigmoid)
//   first10       no network at all: the first 10 values of each input, the cost of a call
//   first10-u8    the same for inputs of 8 bits
// usage: node onnx_write.js KIND WIDTH,WIDTH,... FILE
'use strict';

const fs = require('fs');
const { integer, float, bytes, string, message } = require('./protobuf.js');

const FLOAT = 1, UINT8 = 2, INT8 = 3, INT32 = 6, INT64 = 7;

// mulberry32-like generator: small, seeded, the same on every machine.
function generator(seed) {
	let state = seed >>> 0;

	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let z = Math.imul(state ^ (state >>> 15), state | 1);
		z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
		return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
	};
}

class Graph {
	constructor() {
		this.parts = [];
		this.count = 0;
	}

	tensor(name, type, dims, array) {
		const data = Buffer.from(array.buffer, array.byteOffset, array.byteLength);

		this.parts.push(message(5, [
			...dims.map((dim) => integer(1, dim)),
			integer(2, type),
			string(8, name),
			bytes(9, data),
		]));
		return name;
	}

	scalar(name, type, value) {
		const Kind = { [FLOAT]: Float32Array, [UINT8]: Uint8Array, [INT8]: Int8Array }[type];

		return this.tensor(name, type, [], Kind.of(value));
	}

	// Attributes: integers as numbers, reals as { float: value }.
	node(type, inputs, outputs, { domain = '', attributes = {} } = {}) {
		this.parts.push(message(1, [
			...inputs.map((name) => string(1, name)),
			...outputs.map((name) => string(2, name)),
			string(3, `${type}_${this.count++}`),
			string(4, type),
			...Object.entries(attributes).map(([name, value]) => message(5, [
				string(1, name),
				typeof value === 'number' ? integer(3, value) : float(2, value.float),
				integer(20, typeof value === 'number' ? 2 : 1),
			])),
			string(7, domain),
		]));
		return outputs[0];
	}

	// A matrix of one row per image; the number of images is free.
	port(field, name, type, width) {
		const shape = message(2, [
			message(1, [string(2, 'images')]),
			message(1, [integer(1, width)]),
		]);

		this.parts.push(message(field, [
			string(1, name),
			message(2, [message(1, [integer(1, type), shape])]),
		]));
		return name;
	}

	save(path) {
		const model = Buffer.concat([
			integer(1, 8),
			string(2, 'pbit benchmark'),
			message(7, [string(2, 'mlp'), ...this.parts]),
			message(8, [string(1, ''), integer(2, 17)]),
			message(8, [string(1, 'com.microsoft'), integer(2, 1)]),
		]);

		fs.writeFileSync(`${path}.part`, model);
		fs.renameSync(`${path}.part`, path);
	}
}

// Pre-activations have a standard deviation near 1 where inputs have one near 1 / sqrt(3).
function realWeights(random, nIn, nOut) {
	const weights = new Float32Array(nIn * nOut);
	const size = 3 / Math.sqrt(nIn);

	for (let i = 0; i < weights.length; i++)
		weights[i] = size * (2 * random() - 1);
	return weights;
}

function wholeWeights(random, nIn, nOut) {
	const weights = new Int8Array(nIn * nOut);

	for (let i = 0; i < weights.length; i++)
		weights[i] = Math.floor(255 * random()) - 127;
	return weights;
}

const weightScale = (nIn) => 3 / Math.sqrt(nIn) / 127;

function realBias(random, n) {
	return Float32Array.from({ length: n }, () => random() - 0.5);
}

function fp32Layer(graph, random, i, x, nIn, nOut, isLast) {
	const w = graph.tensor(`w${i}`, FLOAT, [nIn, nOut], realWeights(random, nIn, nOut));
	const b = graph.tensor(`b${i}`, FLOAT, [nOut], realBias(random, nOut));
	const z = graph.node('Gemm', [x, w, b], [isLast ? 'y' : `z${i}`]);

	return isLast ? z : graph.node('Tanh', [z], [`a${i}`]);
}

function dynamicLayer(graph, random, i, x, nIn, nOut, isLast) {
	const w = graph.tensor(`w${i}`, INT8, [nIn, nOut], wholeWeights(random, nIn, nOut));
	const wScale = graph.scalar(`ws${i}`, FLOAT, weightScale(nIn));
	const wZero = graph.scalar(`wz${i}`, INT8, 0);
	const b = graph.tensor(`b${i}`, FLOAT, [nOut], realBias(random, nOut));

	graph.node('DynamicQuantizeLinear', [x], [`q${i}`, `s${i}`, `o${i}`]);
	graph.node('MatMulInteger', [`q${i}`, w, `o${i}`, wZero], [`m${i}`]);
	graph.node('Cast', [`m${i}`], [`f${i}`], { attributes: { to: FLOAT } });
	graph.node('Mul', [`s${i}`, wScale], [`t${i}`]);
	graph.node('Mul', [`f${i}`, `t${i}`], [`p${i}`]);
	const z = graph.node('Add', [`p${i}`, b], [isLast ? 'y' : `z${i}`]);

	return isLast ? z : graph.node('Tanh', [z], [`a${i}`]);
}

// x is { name, scale, zero } in 8 bits. Activations are (code - 128) / 128.
function staticLayer(graph, random, i, x, nIn, nOut, isLast, asTable) {
	const microsoft = { domain: 'com.microsoft' };
	const w = graph.tensor(`w${i}`, INT8, [nIn, nOut], wholeWeights(random, nIn, nOut));
	const wScale = weightScale(nIn);
	const bias = Int32Array.from(realBias(random, nOut), (b) => Math.round(b / (x.scale * wScale)));
	const inputs = [
		x.name, graph.scalar(`xs${i}`, FLOAT, x.scale), graph.scalar(`xz${i}`, UINT8, x.zero),
		w, graph.scalar(`ws${i}`, FLOAT, wScale), graph.scalar(`wz${i}`, INT8, 0),
		graph.tensor(`b${i}`, INT32, [nOut], bias),
	];

	if (isLast)
		return graph.node('QGemm', inputs, ['y'], microsoft);
	if (asTable) {
		const range = 8 / 255;

		inputs.push(graph.scalar(`zs${i}`, FLOAT, range), graph.scalar(`zz${i}`, UINT8, 128));
		graph.node('QGemm', inputs, [`z${i}`], microsoft);
		// tanh(z) = 2 sigmoid(2 z) - 1: the factors are in the scales.
		graph.node('QLinearSigmoid', [
			`z${i}`, graph.scalar(`gs${i}`, FLOAT, 2 * range), `zz${i}`,
			graph.scalar(`as${i}`, FLOAT, 1 / 256), graph.scalar(`az${i}`, UINT8, 0),
		], [`a${i}`], microsoft);
	} else {
		graph.node('QGemm', inputs, [`z${i}`], microsoft);
		graph.node('Tanh', [`z${i}`], [`h${i}`]);
		graph.node('QuantizeLinear', [
			`h${i}`, graph.scalar(`as${i}`, FLOAT, 1 / 128), graph.scalar(`az${i}`, UINT8, 128),
		], [`a${i}`]);
	}
	return { name: `a${i}`, scale: 1 / 128, zero: 128 };
}

function firstTen(graph) {
	const range = [['starts', 0], ['ends', 10], ['axes', 1]];
	const names = range.map(([name, value]) =>
		graph.tensor(name, INT64, [1], BigInt64Array.of(BigInt(value))));

	graph.node('Slice', ['x', ...names], ['y']);
}

function write(kind, widths, path) {
	const graph = new Graph();
	const random = generator(1);
	const isStatic = kind === 'int8-tanh' || kind === 'int8-table';
	const inputType = isStatic || kind === 'first10-u8' ? UINT8 : FLOAT;
	let x = isStatic ? { name: 'x', scale: 1 / 255, zero: 0 } : 'x';

	graph.port(11, 'x', inputType, widths[0]);
	graph.port(12, 'y', kind === 'first10-u8' ? UINT8 : FLOAT, widths[widths.length - 1]);
	if (kind.startsWith('first10')) {
		firstTen(graph);
		graph.save(path);
		return;
	}
	for (let i = 0; i + 1 < widths.length; i++) {
		const layer = [graph, random, i, x, widths[i], widths[i + 1], i + 2 === widths.length];

		if (isStatic)
			x = staticLayer(...layer, kind === 'int8-table');
		else
			x = kind === 'fp32' ? fp32Layer(...layer) : dynamicLayer(...layer);
	}
	graph.save(path);
}

const KINDS = ['fp32', 'int8-dynamic', 'int8-tanh', 'int8-table', 'first10', 'first10-u8'];

if (require.main === module) {
	const [kind, list, path] = process.argv.slice(2);
	const widths = (list || '').split(',').map(Number);

	if (!KINDS.includes(kind) || widths.length < 2 || !widths.every(Number.isInteger) || !path) {
		console.error('usage: node onnx_write.js %s WIDTH,WIDTH,... FILE', KINDS.join('|'));
		process.exit(2);
	}
	write(kind, widths, path);
}

module.exports = { write, KINDS };
