/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integer sums over the samples of a batch of images, one slot each. Being integers they are the
 * same however the samples are split. With `paired` the products of every two outputs are summed
 * too: what a paired test between outputs needs, in memory that does not grow with the samples.
 */
#ifndef PBIT_SRC_EXEC_TALLY_H
#define PBIT_SRC_EXEC_TALLY_H

#include <stdbool.h>
#include "exec/buffer.h"
#include "exec/readout.h"
#include "exec/result.h"

__extension__ typedef __int128 pbit__wide;
__extension__ typedef unsigned __int128 pbit__uwide;

/* Beyond |raw| = 2^47 products are not summed: 2^31 of them could exceed 128 bits. */
#define PBIT__RAW_BITS 47

struct pbit__tally {
	size_t n_outputs;
	size_t n_products; /* per slot: n_outputs squares, or a triangle of products */
	bool paired;
	bool reports; /* samples are known, not only their sums */
	pbit__wide *sum;
	pbit__wide *product; /* paired: (i, j <= i) at i (i + 1) / 2 + j; else squares */
	uint32_t *votes;
	uint8_t *too_wide; /* a raw value beyond PBIT__RAW_BITS was seen */
	uint64_t *block_sum, *block_square;
	struct pbit__buffer buffer;
};

/* Clears n_slots slots. -ENOMEM. */
int pbit__tally_start(struct pbit__tally *tally, size_t n_slots, size_t n_outputs, bool reports,
		      bool paired);
void pbit__tally_free(struct pbit__tally *tally);

/* Adds n_samples rows of raw values to a slot. */
void pbit__tally_samples(struct pbit__tally *tally, size_t slot,
			 const struct pbit__readout *readout, const int64_t *raw,
			 uint32_t n_samples);

/* Adds sums over samples to a slot of a tally without reports. */
void pbit__tally_sums(struct pbit__tally *tally, size_t slot, const int64_t *sum);

/* Mean of an output over n samples, by the contract. */
double pbit__tally_mean(const struct pbit__tally *tally, size_t slot,
			const struct pbit__readout *readout, size_t output, uint32_t n);

/*
 * Sum of the squared deviations of output i from its mean times n, or of two outputs the
 * same of their products (paired tallies only).
 */
long double pbit__tally_deviation(const struct pbit__tally *tally, size_t slot, size_t i, size_t j,
				  uint32_t n);

/* Writes image `image` of the result from a slot that holds n samples. */
void pbit__tally_finish(const struct pbit__tally *tally, size_t slot,
			const struct pbit__readout *readout, uint32_t n, struct pbit_result *result,
			uint64_t image);

#endif
