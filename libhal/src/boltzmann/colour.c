/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Greedy colouring in order of the index. A p-bit's coupled p-bits are those that act on it, its
 * row, and those that it acts on: in a symmetric machine the same, in a directed one the transposed
 * rows.
 */
#include "boltzmann/colour.h"

#include <errno.h>
#include <stdlib.h>
#include <pbit/backend.h>

struct targets {
	uint64_t *row;
	uint32_t *col;
};

static void free_targets(struct targets *t)
{
	free(t->row);
	free(t->col);
}

/* The p-bits that each p-bit acts on, as far as their index is lower than its own. */
static int make_targets(const struct pbit_bm_view *v, struct targets *t)
{
	uint64_t sum = 0;

	t->row = calloc((size_t)v->n + 1, sizeof(*t->row));
	t->col = calloc(v->row[v->n] ? v->row[v->n] : 1, sizeof(*t->col));
	if (!t->row || !t->col)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->n; i++) {
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++)
			t->row[v->col[k] + 1] += v->col[k] > i;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		uint64_t count = t->row[i + 1];

		t->row[i + 1] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++) {
			if (v->col[k] > i)
				t->col[t->row[v->col[k] + 1]++] = i;
		}
	}
	return 0;
}

/* Smallest colour of none of those before i; taken[c] is i + 1 where one of them has colour c. */
static uint32_t pick(const struct pbit_bm_view *v, const struct targets *t, uint32_t i,
		     const uint32_t *colour, uint32_t *taken)
{
	uint32_t c = 0;

	for (uint64_t k = v->row[i]; k < v->row[i + 1] && v->col[k] < i; k++)
		taken[colour[v->col[k]]] = i + 1;
	for (uint64_t k = t->row ? t->row[i] : 0; t->row && k < t->row[i + 1]; k++)
		taken[colour[t->col[k]]] = i + 1;
	while (taken[c] == i + 1)
		c++;
	return c;
}

int pbit__bm_colour_view(const struct pbit_bm_view *v, uint32_t *colour, uint32_t *colours)
{
	struct targets t = {0};
	uint32_t *taken = calloc(v->n, sizeof(*taken)), most = 0;
	int rc = taken ? 0 : -ENOMEM;

	if (!rc && (v->flags & PBIT_BM_DIRECTED))
		rc = make_targets(v, &t);
	for (uint32_t i = 0; !rc && i < v->n; i++) {
		colour[i] = pick(v, &t, i, colour, taken);
		most = colour[i] > most ? colour[i] : most;
	}
	if (!rc)
		*colours = most + 1;
	free_targets(&t);
	free(taken);
	return rc;
}

int pbit_bm_colour(struct pbit_bm *bm, uint32_t *colour, uint32_t *colours)
{
	static const char what[] = "cannot colour the machine";
	struct pbit_bm_view view = PBIT_INIT(view);
	int rc;

	if (!bm || !colour || !colours)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what,
				 !bm	   ? "bm"
				 : !colour ? "colour"
					   : "colours",
				 NULL, "the pointer is NULL");
	rc = pbit_bm_view(bm, &view);
	if (rc)
		return rc;
	rc = pbit__bm_colour_view(&view, colour, colours);
	return rc ? pbit_fail(rc, PBIT_ERR_RESOURCE, what, NULL, NULL,
			      "no memory to colour %u p-bits", view.n)
		  : 0;
}
