/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a machine: as many couplings at once as the device holds. Each output needs a p-bit, each
 * kept input one for every `degree` outputs that it acts on (clamped p-bits may hold the same value as
 * often as wanted); directed couplings cost the input nothing.
 */
#include "lower/lower.h"

/* Couplings of one machine: bounds the memory that its rows take. */
#define MACHINE_COUPLINGS (1u << 23)

/* Largest distance of a position's first p-bit from a whole group of the stream. */
static uint32_t largest_lead(const struct pbit__stage *stage)
{
	uint32_t stride = stage->layer->out_stride, unit = PBIT__STREAM_GROUP;

	if (stage->positions == 1)
		return 0;
	while (stride % unit)
		unit /= 2;
	return PBIT__STREAM_GROUP - unit;
}

/* Tiles but the last must be whole groups where `unit` is one. */
static bool choose(const struct pbit__stage *stage, const struct pbit__lower_limits *limits,
		   uint64_t pbits, uint32_t most_kept, uint32_t unit, struct pbit__tile *tile)
{
	uint32_t n = stage->layer->n_out;
	uint64_t best = 0;

	tile->outputs = 0;
	for (uint32_t m = 1; m <= n && m <= pbits; m++) {
		uint64_t copies = 1, room, kept;

		if (m % unit && m != n)
			continue;
		if (!limits->directed && limits->degree)
			copies = (m + limits->degree - 1) / limits->degree;
		room = (pbits - m) / copies;
		kept = room < most_kept ? room : most_kept;
		if (m > 1 && m * kept > MACHINE_COUPLINGS)
			kept = MACHINE_COUPLINGS / m;
		if (m * kept < best)
			continue;
		best = m * kept;
		tile->outputs = m;
		tile->kept = (uint32_t)kept;
		tile->copies = kept ? (uint32_t)copies : 0;
	}
	tile->directed = limits->directed && tile->kept && tile->outputs > limits->degree;
	return tile->outputs > 0;
}

bool pbit__tile_choose(const struct pbit__stage *stage, const struct pbit__lower_limits *limits,
		       uint32_t most_kept, struct pbit__tile *tile)
{
	*tile = (struct pbit__tile){0};
	if (stage->layer->in_encoding == PBIT_CODES || !limits->couples)
		most_kept = 0;
	if (most_kept > stage->taps.n_real)
		most_kept = stage->taps.n_real;
	if (most_kept > limits->degree)
		most_kept = (uint32_t)limits->degree;
	if (limits->contract) {
		tile->lead = largest_lead(stage);
		tile->same_draws = true;
		if (limits->pbits > tile->lead && choose(stage, limits, limits->pbits - tile->lead,
							 most_kept, PBIT__STREAM_GROUP, tile))
			return true;
		*tile = (struct pbit__tile){0};
	}
	return choose(stage, limits, limits->pbits, most_kept, 1, tile);
}
