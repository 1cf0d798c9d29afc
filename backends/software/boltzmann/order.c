/* SPDX-License-Identifier: Apache-2.0 */
/* P-bits sorted by the colours that the library gives them. */
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include "boltzmann/colour.h"

int soft_order_by_colour(const struct pbit_bm_view *v, uint32_t **visits, uint32_t **start,
			 uint32_t *colours)
{
	uint32_t *colour = calloc(v->n, sizeof(*colour));
	uint32_t *first = calloc((size_t)v->n + 1, sizeof(*first));
	uint32_t *order = calloc(v->n, sizeof(*order));
	uint32_t count;
	int rc = -ENOMEM;

	if (!colour || !first || !order || pbit__bm_colour_view(v, colour, &count))
		goto out;
	for (uint32_t i = 0; i < v->n; i++)
		first[colour[i] + 1]++;
	for (uint32_t c = 0; c < count; c++)
		first[c + 1] += first[c];
	for (uint32_t i = 0; i < v->n; i++)
		order[first[colour[i]]++] = i;
	/* Each start has moved to its end, where the next one was. */
	for (uint32_t c = count; c > 0; c--)
		first[c] = first[c - 1];
	first[0] = 0;
	*visits = order;
	order = NULL;
	if (colours)
		*colours = count;
	if (start) {
		*start = first;
		first = NULL;
	}
	rc = 0;
out:
	free(colour);
	free(first);
	free(order);
	return rc;
}
