// SPDX-License-Identifier: Apache-2.0
// Measures ONNX Runtime: one JSON request a line on standard input,
//   {"kind": "fp32", "widths": [784, 1024, 1024, 10], "batch": 1, "threads": 1, "seconds": 0.3}
// one JSON answer a line on standard output, microseconds per image. Models are made in the folder
// given as the only argument. The time of a call as such (a model that returns 10 of the same
// inputs, in the same process) is measured beside it: raw_us holds it, us does not.
// onnxruntime-node is found through NODE_PATH.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require('onnxruntime-node');
const { write } = require('./onnx_write.js');

const folder = process.argv[2];
const sessions = new Map();
const CALLS_LEAST = 3;
const WARM_UP_PART = 0.15;
const OVERHEAD_PART = 0.15;

function isBytes(kind) {
	return ['int8-tanh', 'int8-table', 'first10-u8'].includes(kind);
}

async function session(kind, widths, threads) {
	const file = path.join(folder, `${kind}-${widths.join('-')}.onnx`);
	const name = `${file} ${threads}`;

	if (!fs.existsSync(file))
		write(kind, widths, file);
	if (!sessions.has(name))
		sessions.set(name, await ort.InferenceSession.create(file, {
			intraOpNumThreads: threads,
			interOpNumThreads: 1,
			executionMode: 'sequential',
			graphOptimizationLevel: 'all',
			executionProviders: ['cpu'],
		}));
	return sessions.get(name);
}

function inputs(kind, batch, width) {
	const n = batch * width;
	const code = (i) => (Math.imul(i + 1, 2654435761) >>> 24);

	return {
		x: isBytes(kind)
			? new ort.Tensor('uint8', Uint8Array.from({ length: n }, (_, i) => code(i)),
				[batch, width])
			: new ort.Tensor('float32', Float32Array.from({ length: n }, (_, i) => code(i) / 255),
				[batch, width]),
	};
}

function median(values) {
	const sorted = Float64Array.from(values).sort();
	const middle = sorted.length >> 1;

	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Median microseconds of a call.
async function time(running, feeds, seconds) {
	const end = performance.now() + seconds * 1000;
	const times = [];

	while (times.length < CALLS_LEAST || performance.now() < end) {
		const start = process.hrtime.bigint();

		await running.run(feeds);
		times.push(Number(process.hrtime.bigint() - start) / 1000);
	}
	return { median: median(times), calls: times.length };
}

async function measure({ kind, widths, batch, threads, seconds }) {
	const emptyKind = isBytes(kind) ? 'first10-u8' : 'first10';
	const running = await session(kind, widths, threads);
	const empty = await session(emptyKind, widths, 1);
	const feeds = inputs(kind, batch, widths[0]);
	const warmUpEnd = performance.now() + seconds * WARM_UP_PART * 1000;

	do {
		await empty.run(feeds);
		await running.run(feeds);
	} while (performance.now() < warmUpEnd);
	const overhead = await time(empty, feeds, seconds * OVERHEAD_PART);
	const whole = await time(running, feeds, seconds);

	return {
		us: (whole.median - overhead.median) / batch,
		raw_us: whole.median / batch,
		call_us: overhead.median / batch,
		calls: whole.calls,
	};
}

async function main() {
	fs.mkdirSync(folder, { recursive: true });
	for await (const line of readline.createInterface({ input: process.stdin })) {
		let answer;

		try {
			answer = await measure(JSON.parse(line));
		} catch (error) {
			answer = { error: String(error.message || error) };
		}
		process.stdout.write(`${JSON.stringify(answer)}\n`);
	}
}

main();
