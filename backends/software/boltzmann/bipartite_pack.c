/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sides are two levels (levels.h): the sides of a machine in chromatic order, and in sequential order where
 * all of one side come before those of the other that they are coupled with.
 */
#include "bipartite_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "levels.h"

#define LINE 64u

/* The lowest digit of J, -128 ... 127. */
static int32_t digit(int32_t J)
{
	return ((J + 128) & 255) - 128;
}

static int32_t next(int32_t J)
{
	return (J - digit(J)) >> 8;
}

static uint32_t count_planes(const struct pbit_bm_view *view)
{
	uint32_t most = 1;

	for (uint64_t k = 0; k < view->row[view->n]; k++) {
		uint32_t planes = 1;

		for (int32_t J = next(view->Jq[k]); J; J = next(J))
			planes++;
		most = planes > most ? planes : most;
	}
	return most;
}

/* The side of each p-bit, 0 sides where there are not two. */
static int find(const struct pbit_bm_view *view, uint32_t order, uint32_t **level, uint32_t n[2])
{
	uint32_t levels = 0;
	int rc;

	n[0] = n[1] = 0;
	*level = calloc(view->n, sizeof(**level));
	if (!*level)
		return -ENOMEM;
	rc = soft_levels(view, order, *level, &levels);
	if (rc)
		return rc;
	for (uint32_t i = 0; levels == 2 && i < view->n; i++)
		n[(*level)[i]]++;
	return 0;
}

int soft_sides_measure(const struct pbit_bm_view *view, uint32_t order, uint32_t n[2],
		       uint32_t *planes)
{
	uint32_t *level;
	int rc = find(view, order, &level, n);

	*planes = rc || !n[1] ? 0 : count_planes(view);
	free(level);
	return rc;
}

static void *lines(size_t bytes)
{
	const size_t whole = (bytes / LINE + 1) * LINE;
	void *p = aligned_alloc(LINE, whole);

	if (p)
		memset(p, 0, whole);
	return p;
}

static int make_side(struct soft_side *side, uint32_t n, uint32_t inputs, uint32_t planes)
{
	const size_t chunks = ((size_t)inputs + 31) / 32;

	side->n = n;
	side->tiles = (n + 15) / 16;
	side->chunks = (n + 31) / 32;
	side->pbit = calloc((size_t)side->tiles * 16, sizeof(*side->pbit));
	side->base = calloc((size_t)side->tiles * 16, sizeof(*side->base));
	if (!side->pbit || !side->base)
		return -ENOMEM;
	for (uint32_t p = 0; p < planes; p++) {
		side->w[p] = lines(side->tiles * chunks * 8 * LINE);
		if (!side->w[p])
			return -ENOMEM;
	}
	return 0;
}

/* Input k of output o: MODEL.md, Packed weights, 8 bits. */
static size_t packed_at(uint32_t o, uint32_t k, uint32_t chunks)
{
	const uint32_t b = k % 32 / 8, j = k % 8;

	return (((size_t)(o / 16) * chunks + k / 32) * 8 + j) * LINE + 4 * (o % 16) + b;
}

static void pack(const struct pbit_bm_view *view, struct soft_sides *s)
{
	for (uint32_t i = 0; i < view->n; i++) {
		const struct soft_side *to = &s->side[s->which[i]];
		const struct soft_side *from = &s->side[!s->which[i]];

		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++) {
			const size_t at =
				packed_at(s->place[i], s->place[view->col[k]], from->chunks);
			int32_t J = view->Jq[k];

			for (uint32_t p = 0; p < s->planes; p++, J = next(J))
				to->w[p][at] = (uint8_t)digit(J);
		}
	}
}

void soft_sides_base(const struct pbit_bm_view *view, struct soft_sides *s)
{
	for (uint32_t i = 0; i < view->n; i++) {
		int32_t sum = view->hq[i];

		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++)
			sum -= view->Jq[k];
		s->side[s->which[i]].base[s->place[i]] = sum;
	}
}

static int fill(const struct pbit_bm_view *view, const uint32_t *level, const uint32_t n[2],
		struct soft_sides *s)
{
	uint32_t next_place[2] = {0, 0};

	s->planes = count_planes(view);
	s->which = calloc(view->n, sizeof(*s->which));
	s->place = calloc(view->n, sizeof(*s->place));
	if (!s->which || !s->place || make_side(&s->side[0], n[0], n[1], s->planes) ||
	    make_side(&s->side[1], n[1], n[0], s->planes))
		return -ENOMEM;
	for (uint32_t i = 0; i < view->n; i++) {
		const uint32_t which = level[i];

		s->which[i] = (uint8_t)which;
		s->place[i] = next_place[which]++;
		s->side[which].pbit[s->place[i]] = i;
	}
	pack(view, s);
	soft_sides_base(view, s);
	return 0;
}

int soft_sides_make(const struct pbit_bm_view *view, uint32_t order, struct soft_sides *sides)
{
	uint32_t *level, n[2];
	int rc = find(view, order, &level, n);

	if (!rc)
		rc = n[1] ? fill(view, level, n, sides) : -EOPNOTSUPP;
	free(level);
	return rc;
}

void soft_sides_free(struct soft_sides *s)
{
	for (unsigned int i = 0; i < 2; i++) {
		free(s->side[i].pbit);
		free(s->side[i].base);
		for (unsigned int p = 0; p < BIPARTITE_PLANES; p++)
			free(s->side[i].w[p]);
	}
	free(s->which);
	free(s->place);
}
