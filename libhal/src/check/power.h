/* SPDX-License-Identifier: Apache-2.0 */
/* Powers and sample sizes of the suite's tests. */
#ifndef PBIT_SRC_CHECK_POWER_H
#define PBIT_SRC_CHECK_POWER_H

#include <stddef.h>
#include <stdint.h>

#define PBIT__CHECK_CELL    25.0 /* least expected count of a cell that stands alone */
#define PBIT__CHECK_BATCHES 64u

/* Power of n samples of law q against law p, chi-square with pooled cells. */
double pbit__check_power_states(const double *p, const double *q, size_t cells, double n,
				double alpha);

/* Power of a batch-means t-test to see a shift, given the standard error of the mean. */
double pbit__check_power_mean(double shift, double error, double alpha);

/* Power of a two-sided normal test. */
double pbit__check_power_normal(double shift, double error, double alpha);

/* The least n from `least` to `most` whose power reaches 0.995; `most` where none does. */
typedef double pbit__check_power_fn(double n, void *user);
size_t pbit__check_size(pbit__check_power_fn *power, void *user, size_t least, size_t most);

#endif
