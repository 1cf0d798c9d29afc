/* SPDX-License-Identifier: Apache-2.0 */
/* Early stop by a paired Student test, corrected for the looks and the rivals: see early.h. */
#include <math.h>
#include "exec/early.h"
#include "stats/student.h"

/* A difference that never varied is taken as certain from this many samples on. */
#define CONSTANT_SAMPLES 8

/* Below this part of its terms, a variance of a difference is rounding. */
#define ROUNDING 0x1p-44L

void pbit__early_start(struct pbit__early *early, double confidence, uint32_t min_samples,
		       uint32_t block, uint32_t n_outputs)
{
	uint64_t least = min_samples < 2 ? 2 : min_samples;
	uint64_t first = (least + block - 1) / block * block;

	if (first > UINT32_MAX)
		first = UINT32_MAX;
	if (early->confidence == confidence && early->first == first && early->step == block &&
	    early->rivals == n_outputs - 1)
		return;
	*early = (struct pbit__early){
		.confidence = confidence,
		.first = (uint32_t)first,
		.step = block,
		.rivals = n_outputs - 1,
	};
}

uint64_t pbit__early_next(const struct pbit__early *early, uint32_t taken)
{
	if (taken < early->first)
		return early->first;
	return (uint64_t)taken + early->step - (taken - early->first) % early->step;
}

double pbit__early_quantile(struct pbit__early *early, uint32_t n)
{
	double look = (double)((n - early->first) / early->step) + 1;
	double level = (1 - early->confidence) / (look * (look + 1) * early->rivals);
	double *kept = look <= PBIT__EARLY_LOOKS ? &early->quantile[(size_t)look] : NULL;
	double quantile;

	if (kept && *kept > 0)
		return *kept;
	quantile = pbit__student_upper(level, (double)n - 1);
	if (kept)
		*kept = quantile;
	return quantile;
}

/* n^2 (n - 1) times the squared standard error of the mean difference of outputs i and j. */
static long double difference_spread(const struct pbit__tally *tally, size_t slot,
				     const struct pbit__readout *readout, size_t i, size_t j,
				     uint32_t n)
{
	long double ii = pbit__tally_deviation(tally, slot, i, i, n);
	long double ij = pbit__tally_deviation(tally, slot, i, j, n);
	long double jj = pbit__tally_deviation(tally, slot, j, j, n);
	long double ai = readout->a[i], aj = readout->a[j];
	long double terms = ai * ai * ii + aj * aj * jj;
	long double spread = terms - 2 * ai * aj * ij;

	return spread > terms * ROUNDING ? spread : 0;
}

bool pbit__early_decided(const struct pbit__tally *tally, size_t slot,
			 const struct pbit__readout *readout, uint32_t n, double quantile)
{
	size_t leader = 0;
	double lead = pbit__tally_mean(tally, slot, readout, 0, n);
	long double scale = (long double)n * n * ((long double)n - 1);

	for (size_t o = 1; o < tally->n_outputs; o++) {
		double mean = pbit__tally_mean(tally, slot, readout, o, n);

		if (mean > lead) {
			lead = mean;
			leader = o;
		}
	}
	for (size_t o = 0; o < tally->n_outputs; o++) {
		double ahead;
		long double spread;

		if (o == leader)
			continue;
		ahead = lead - pbit__tally_mean(tally, slot, readout, o, n);
		spread = difference_spread(tally, slot, readout, leader, o, n);
		if (spread == 0 && n >= CONSTANT_SAMPLES)
			continue;
		if (spread == 0 || !(ahead > quantile * sqrt((double)(spread / scale))))
			return false;
	}
	return true;
}
