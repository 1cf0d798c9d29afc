/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of p-bits that may be updated together, and p-bits sorted by them. */
#include "levels.h"

#include <errno.h>
#include <stdlib.h>
#include "boltzmann/colour.h"

#define DEGREES 256u /* larger ones are sorted as one */

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/*
 * A p-bit comes after those it reads that have a smaller index, and before those it
 * reads that have a larger one: level[j] is raised from below before its turn.
 */
static void fronts(const struct pbit_bm_view *view, uint32_t *level)
{
	for (uint32_t i = 0; i < view->n; i++)
		level[i] = 0;
	for (uint32_t i = 0; i < view->n; i++) {
		uint64_t k = view->row[i];

		for (; k < view->row[i + 1] && view->col[k] < i; k++)
			level[i] = max_u32(level[i], level[view->col[k]] + 1);
		for (; k < view->row[i + 1]; k++)
			level[view->col[k]] = max_u32(level[view->col[k]], level[i] + 1);
	}
}

int soft_levels(const struct pbit_bm_view *view, uint32_t order, uint32_t *level, uint32_t *levels)
{
	*levels = 0;
	if (order == PBIT_ORDER_CHROMATIC)
		return pbit__bm_colour_view(view, level, levels);
	if (order == PBIT_ORDER_SEQUENTIAL)
		fronts(view, level);
	else
		for (uint32_t i = 0; i < view->n; i++)
			level[i] = 0;
	for (uint32_t i = 0; i < view->n; i++)
		*levels = max_u32(*levels, level[i] + 1);
	return 0;
}

/* Where larger degrees come first. */
static uint32_t degree_class(const struct pbit_bm_view *view, uint32_t i)
{
	const uint64_t degree = view->row[i + 1] - view->row[i];

	return degree < DEGREES ? DEGREES - 1 - (uint32_t)degree : 0;
}

/* A stable counting sort by degree, then one by level. */
int soft_levels_sort(const struct pbit_bm_view *view, const uint32_t *level, uint32_t levels,
		     bool by_degree, uint32_t *pbit, uint32_t *start)
{
	uint32_t *first = calloc(view->n, sizeof(*first));
	uint32_t *next = calloc((size_t)levels + 1, sizeof(*next));
	uint32_t place[DEGREES + 1] = {0};
	int rc = -ENOMEM;

	if (!first || !next)
		goto out;
	for (uint32_t i = 0; i < view->n; i++)
		place[(by_degree ? degree_class(view, i) : 0) + 1]++;
	for (uint32_t d = 0; d < DEGREES; d++)
		place[d + 1] += place[d];
	for (uint32_t i = 0; i < view->n; i++)
		first[place[by_degree ? degree_class(view, i) : 0]++] = i;
	for (uint32_t i = 0; i < view->n; i++)
		next[level[i] + 1]++;
	for (uint32_t l = 0; l < levels; l++)
		next[l + 1] += next[l];
	for (uint32_t l = 0; l <= levels; l++)
		start[l] = next[l];
	for (uint32_t i = 0; i < view->n; i++)
		pbit[next[level[first[i]]]++] = first[i];
	rc = 0;
out:
	free(next);
	free(first);
	return rc;
}
