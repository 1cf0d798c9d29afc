/* SPDX-License-Identifier: Apache-2.0 */
/* Early stop: is the leading class of an image decided? The rule is at pbit_session_run(). */
#ifndef PBIT_SRC_EXEC_EARLY_H
#define PBIT_SRC_EXEC_EARLY_H

#include <stdbool.h>
#include "exec/tally.h"

/* Products of all pairs are kept: 2^11 outputs take 32 MiB for each image. */
#define PBIT__EARLY_MAX_OUTPUTS 2048u

#define PBIT__EARLY_LOOKS 256

struct pbit__early {
	double confidence; /* 0: no early stop */
	uint32_t first;	   /* samples at the first look, at least 2 */
	uint32_t step;	   /* from a look to the next */
	uint32_t rivals;
	double quantile[PBIT__EARLY_LOOKS + 1]; /* of look k, 0: not computed yet */
};

/*
 * Looks after each block of samples, never before min_samples nor 2. What has been
 * computed for the same rule before is kept.
 */
void pbit__early_start(struct pbit__early *early, double confidence, uint32_t min_samples,
		       uint32_t block, uint32_t n_outputs);

/* Samples at the next look after `taken`; beyond 2^32 where the rule never looks again. */
uint64_t pbit__early_next(const struct pbit__early *early, uint32_t taken);

/* The bound of the look that happens at n samples. */
double pbit__early_quantile(struct pbit__early *early, uint32_t n);

/* Is the leader of this slot, n samples in, ahead of every rival by more than the bound? */
bool pbit__early_decided(const struct pbit__tally *tally, size_t slot,
			 const struct pbit__readout *readout, uint32_t n, double quantile);

#endif
