/* SPDX-License-Identifier: Apache-2.0 */
/* Powers and sample sizes: the same critical values that the tests use. */
#include "check/power.h"

#include <math.h>
#include "stats/stats.h"
#include "stats/student.h"

#define WANTED 0.995 /* a margin above the 99 % that is promised */

double pbit__check_power_states(const double *p, const double *q, size_t cells, double n,
				double alpha)
{
	double lambda = 0.0, pool_p = 0.0, pool_q = 0.0, df = -1.0;

	for (size_t i = 0; i < cells; i++) {
		if (n * p[i] < PBIT__CHECK_CELL) {
			pool_p += p[i];
			pool_q += q[i];
			continue;
		}
		lambda += n * (q[i] - p[i]) * (q[i] - p[i]) / p[i];
		df += 1.0;
	}
	if (pool_p > 0.0 && n * pool_p >= PBIT__CHECK_CELL) {
		lambda += n * (pool_q - pool_p) * (pool_q - pool_p) / pool_p;
		df += 1.0;
	}
	if (df < 1.0)
		return alpha;
	/* Half of alpha: the pool is tested apart. */
	return pbit__stats_chi2_power(pbit__stats_chi2_quantile(0.5 * alpha, df), df, lambda);
}

double pbit__check_power_mean(double shift, double error, double alpha)
{
	double df = PBIT__CHECK_BATCHES - 1.0, t = pbit__student_upper(0.5 * alpha, df);
	double delta = fabs(shift) / error;

	/* Johnson and Welch's approximation to the non-central t. */
	return pbit__stats_normal_sf((t * (1.0 - 1.0 / (4.0 * df)) - delta) /
				     sqrt(1.0 + t * t / (2.0 * df)));
}

static double normal_upper(double alpha)
{
	double low = 0.0, high = 40.0;

	for (int k = 0; k < 80; k++) {
		double mid = 0.5 * (low + high);

		if (pbit__stats_normal_sf(mid) > alpha)
			low = mid;
		else
			high = mid;
	}
	return high;
}

double pbit__check_power_normal(double shift, double error, double alpha)
{
	return pbit__stats_normal_sf(normal_upper(0.5 * alpha) - fabs(shift) / error);
}

size_t pbit__check_size(pbit__check_power_fn *power, void *user, size_t least, size_t most)
{
	double low = (double)least, high = (double)least;

	if (power(low, user) >= WANTED)
		return least;
	while (high < (double)most && power(high, user) < WANTED) {
		low = high;
		high *= 2.0;
	}
	if (high >= (double)most && power((double)most, user) < WANTED)
		return most;
	high = fmin(high, (double)most);
	while (high > 1.02 * low) {
		double mid = sqrt(low * high);

		if (power(mid, user) < WANTED)
			low = mid;
		else
			high = mid;
	}
	return (size_t)ceil(high);
}
