/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a correlated series: each value goes up the levels, as carries do in a counter. */
#include "series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <pbit/backend.h>

int series_open(struct series *series, uint32_t chains, uint64_t length)
{
	uint32_t levels = length > 1 ? 64 - (uint32_t)__builtin_clzll(length) : 1;

	*series = (struct series){.chains = chains, .levels = levels, .least = INFINITY};
	series->level = calloc(levels, sizeof(*series->level));
	series->pending = calloc((size_t)chains * levels, sizeof(*series->pending));
	series->length = calloc(chains, sizeof(*series->length));
	if (series->level && series->pending && series->length)
		return 0;
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot keep statistics", NULL, NULL,
			 "out of memory");
}

void series_close(struct series *series)
{
	free(series->level);
	free(series->pending);
	free(series->length);
	*series = (struct series){.chains = 0};
}

void series_add(struct series *series, uint32_t chain, double value)
{
	double *pending = series->pending + (size_t)chain * series->levels;
	uint64_t index = series->length[chain]++;

	if (value < series->least)
		series->least = value;
	if (!series->has_reference) {
		series->reference = value;
		series->has_reference = true;
	}
	value -= series->reference;
	for (uint32_t l = 0; l < series->levels; l++) {
		struct series_level *level = &series->level[l];

		level->sum += value;
		level->squares += value * value;
		level->blocks++;
		if (!(index >> l & 1)) {
			pending[l] = value;
			return;
		}
		value = (pending[l] + value) / 2;
	}
}

static double variance(const struct series_level *level)
{
	double n = (double)level->blocks;
	double mean = level->sum / n;
	double v = (level->squares - n * mean * mean) / (n - 1);

	return v > 0 ? v : 0;
}

void series_result(const struct series *series, struct series_result *result)
{
	const struct series_level *level = series->level;
	double n = (double)level->blocks, v0;

	*result = (struct series_result){.count = level->blocks,
					 .mean = NAN,
					 .least = series->least,
					 .error = NAN,
					 .tau = NAN};
	if (level->blocks)
		result->mean = series->reference + level->sum / n;
	if (level->blocks < 2)
		return;
	v0 = variance(level);
	for (uint32_t l = 0; l < series->levels && level[l].blocks >= 2; l++) {
		double size = ldexp(1, (int)l), v = variance(&level[l]);

		result->tau = v0 > 0 ? size * v / v0 : 1;
		result->error = sqrt(v / (double)level[l].blocks);
		result->is_reliable = size * size * size > 2 * n * result->tau * result->tau;
		if (result->is_reliable || v0 == 0)
			return;
	}
}
