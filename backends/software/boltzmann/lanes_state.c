/* SPDX-License-Identifier: Apache-2.0 */
/* Squares of 64 replicas by 64 p-bits change between the two forms by transposition. */
#include "lanes_state.h"

#include "bits64.h"

/* Up to 64 replicas of a part that share a word. */
struct band {
	uint64_t *word; /* of p-bit 0 */
	size_t replica; /* the first */
	uint32_t count;
};

/* Band b of a part; count is 0 behind the last. */
static struct band band_of(const struct lanes *m, uint32_t part, uint32_t b)
{
	const uint32_t first = part * m->part_lanes;
	uint32_t lanes = m->replicas - first < m->part_lanes ? m->replicas - first : m->part_lanes;

	lanes = lanes > 64 * b ? lanes - 64 * b : 0;
	return (struct band){
		.word = m->state + (size_t)part * m->n * m->row_words + b,
		.replica = (size_t)first + 64 * b,
		.count = lanes < 64 ? lanes : 64,
	};
}

static void put_square(struct lanes *m, const struct band *band, const uint64_t *state, bool each,
		       bool clamped, uint32_t first)
{
	const size_t words = ((size_t)m->n + 63) / 64;
	const uint32_t count = m->n - first < 64 ? m->n - first : 64;
	uint64_t a[64] = {0};

	for (uint32_t r = 0; r < band->count; r++)
		a[r] = state[(each ? (band->replica + r) * words : 0) + first / 64];
	soft_transpose64(a);
	for (uint32_t i = 0; i < count; i++)
		if (m->clamped[first + i] == clamped)
			band->word[(first + i) * m->row_words] = a[i];
}

static void get_square(const struct lanes *m, const struct band *band, uint64_t *state,
		       uint32_t first)
{
	const size_t words = ((size_t)m->n + 63) / 64;
	const uint32_t count = m->n - first < 64 ? m->n - first : 64;
	uint64_t a[64] = {0};

	for (uint32_t i = 0; i < count; i++)
		a[i] = band->word[(first + i) * m->row_words];
	soft_transpose64(a);
	for (uint32_t r = 0; r < band->count; r++)
		state[(band->replica + r) * words + first / 64] = a[r];
}

void lanes_put(struct lanes *m, const uint64_t *state, bool each, bool clamped)
{
	for (uint32_t part = 0; part < m->parts; part++) {
		for (uint32_t b = 0; b < m->row_words; b++) {
			const struct band band = band_of(m, part, b);

			for (uint32_t i = 0; band.count && i < m->n; i += 64)
				put_square(m, &band, state, each, clamped, i);
		}
	}
}

void lanes_get(const struct lanes *m, uint64_t *state)
{
	for (uint32_t part = 0; part < m->parts; part++) {
		for (uint32_t b = 0; b < m->row_words; b++) {
			const struct band band = band_of(m, part, b);

			for (uint32_t i = 0; band.count && i < m->n; i += 64)
				get_square(m, &band, state, i);
		}
	}
}
