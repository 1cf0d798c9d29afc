/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of updates in a sweep: by index, or colour by colour and by index in each. Colours are
 * given greedily in order of the index, so that they are the same on every device.
 *
 * PORT 3b: a device that updates by itself needs none of this.
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>

/* The smallest colour that no coupled p-bit below i has. taken[c] is i + 1 where one has c. */
static uint32_t free_colour(const struct pbit_bm_view *view, uint32_t i, const uint32_t *colour,
			    uint32_t *taken)
{
	uint32_t c = 0;

	for (uint64_t k = view->row[i]; k < view->row[i + 1] && view->col[k] < i; k++)
		taken[colour[view->col[k]]] = i + 1;
	while (taken[c] == i + 1)
		c++;
	return c;
}

/* Counting sort: start[c] is where colour c begins. */
static int by_colour(const struct pbit_bm_view *view, uint32_t *visit)
{
	uint32_t *colour = calloc(view->n, sizeof(*colour));
	uint32_t *taken = calloc(view->n, sizeof(*taken));
	uint32_t *start = calloc((size_t)view->n + 1, sizeof(*start));
	int rc = -ENOMEM;

	if (!colour || !taken || !start)
		goto out;
	for (uint32_t i = 0; i < view->n; i++) {
		colour[i] = free_colour(view, i, colour, taken);
		start[colour[i] + 1]++;
	}
	for (uint32_t c = 0; c < view->n; c++)
		start[c + 1] += start[c];
	for (uint32_t i = 0; i < view->n; i++)
		visit[start[colour[i]]++] = i;
	rc = 0;
out:
	free(start);
	free(taken);
	free(colour);
	return rc;
}

int order_visits(const struct pbit_bm_view *view, uint32_t order, uint32_t *visit)
{
	if (order == PBIT_ORDER_CHROMATIC)
		return by_colour(view, visit);
	for (uint32_t i = 0; i < view->n; i++)
		visit[i] = i;
	return 0;
}
