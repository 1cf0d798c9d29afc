/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mean of a correlated series with its standard error, as it comes, in memory that grows with the logarithm
 * of its length: averages of blocks of 2^k samples (Flyvbjerg, Petersen: J. Chem. Phys. 91, 461, 1989).
 */
#ifndef PBIT_CLI_SERIES_H
#define PBIT_CLI_SERIES_H

#include <stdbool.h>
#include <stdint.h>

struct series_level {
	double sum, squares; /* of block averages, less the reference */
	uint64_t blocks;
};

struct series {
	uint32_t chains, levels;
	struct series_level *level;
	double *pending;  /* half a block: [chain][level] */
	uint64_t *length; /* of each chain */
	double reference; /* the first value: sums stay small */
	bool has_reference;
	double least;
};

struct series_result {
	uint64_t count;
	double mean, least;
	double error;	  /* standard error of the mean */
	double tau;	  /* integrated autocorrelation time, 1 + 2 sum rho, in samples */
	bool is_reliable; /* the blocks were long enough */
};

/* For chains of at most `length` samples. -ENOMEM with a record. */
int series_open(struct series *series, uint32_t chains, uint64_t length);
void series_add(struct series *series, uint32_t chain, double value);
void series_close(struct series *series);

/*
 * The size B of the blocks is the smallest with B^3 > 2 N tau_B^2, N all samples (Wallerberger:
 * arXiv 1810.05079); without one the largest is taken and the result is not reliable.
 * NaN where there are less than two samples.
 */
void series_result(const struct series *series, struct series_result *result);

#endif
