/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The models that benchmarks run: multilayer perceptrons with random weights,
 * made in memory, the same on every machine.
 */
#ifndef PBIT_CLI_BENCH_CASES_H
#define PBIT_CLI_BENCH_CASES_H

#include <stddef.h>
#include <stdint.h>
#include <pbit/model.h>

#define BENCH_LAYERS 3u

struct bench_case {
	const char *name;
	uint32_t widths[BENCH_LAYERS + 1]; /* inputs, hidden layers, outputs */
};

extern const struct bench_case bench_cases[];
extern const size_t bench_n_cases;

/* Case by name, NULL where there is none. */
const struct bench_case *bench_case_find(const char *name);

/*
 * Makes the model of a case with weights of 1, 2, 4, 8 or 32 bits: bipolar p-bits in the
 * hidden layers, a linear read-out. Scales are such that pre-activations have a
 * standard deviation near 1. 0 or a negative errno with a record.
 */
int bench_model_create(const struct bench_case *bench, uint32_t bits, struct pbit_model **model);

/* n random 8-bit input codes. */
void bench_fill_inputs(uint8_t *codes, size_t n);

#endif
