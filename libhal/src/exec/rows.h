/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding up rows of raw values, one for each sample: sums, squares and the winner of each. A faster
 * form for rows of at most 16 outputs on processors that have AVX-512; the results are the same.
 */
#ifndef PBIT_SRC_EXEC_ROWS_H
#define PBIT_SRC_EXEC_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pbit__rows {
	const int64_t *raw; /* n_samples rows of n_outputs */
	size_t n_outputs;
	uint32_t n_samples;
	const float *a, *c;	/* value of an output: raw * a + c */
	uint64_t *sum, *square; /* replaced, modulo 2^64 */
	uint32_t *votes;	/* added to: the first of the largest values of each row */
	uint64_t magnitude;	/* out: the bits of all |raw|, or'ed (of -1 - raw where negative) */
};

void pbit__add_rows(struct pbit__rows *rows);

/* Has this processor the AVX-512 that the faster forms take? */
bool pbit__rows_wide(void);

#endif
