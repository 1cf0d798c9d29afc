/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Laying a machine out in slices: p-bits level by level, in a level by falling degree so that those
 * of a slice have about as many couplings.
 */
#include "sparse_layout.h"

#include <errno.h>
#include <stdlib.h>
#include "levels.h"

/* p-bits in the order of the layout. */
struct sorted {
	uint32_t *pbit;
	uint32_t *start; /* of each level */
	uint32_t levels;
};

static void sorted_free(struct sorted *sorted)
{
	free(sorted->pbit);
	free(sorted->start);
}

static int sort(const struct pbit_bm_view *view, uint32_t order, struct sorted *sorted)
{
	uint32_t *level = calloc(view->n, sizeof(*level));
	int rc = -ENOMEM;

	sorted->pbit = calloc(view->n, sizeof(*sorted->pbit));
	if (!level || !sorted->pbit)
		goto out;
	rc = soft_levels(view, order, level, &sorted->levels);
	if (rc)
		goto out;
	sorted->start = calloc((size_t)sorted->levels + 1, sizeof(*sorted->start));
	rc = sorted->start ? soft_levels_sort(view, level, sorted->levels, true, sorted->pbit,
					      sorted->start)
			   : -ENOMEM;
out:
	free(level);
	return rc;
}

static uint64_t degree(const struct pbit_bm_view *view, uint32_t i)
{
	return view->row[i + 1] - view->row[i];
}

/* The largest of the p-bits first ... end - 1 of the sorted. */
static uint64_t widest(const struct pbit_bm_view *view, const struct sorted *sorted, uint32_t first,
		       uint32_t end)
{
	uint64_t most = 0;

	for (uint32_t k = first; k < end; k++)
		if (degree(view, sorted->pbit[k]) > most)
			most = degree(view, sorted->pbit[k]);
	return most;
}

/* Calls slice() for each. */
static void each_slice(const struct pbit_bm_view *view, const struct sorted *sorted,
		       void (*slice)(void *arg, const struct pbit_bm_view *view,
				     const struct sorted *sorted, uint32_t first, uint32_t end),
		       void *arg)
{
	for (uint32_t l = 0; l < sorted->levels; l++) {
		const uint32_t stop = sorted->start[l + 1];

		for (uint32_t first = sorted->start[l]; first < stop; first += SPARSE_LANES)
			slice(arg, view, sorted, first,
			      stop - first < SPARSE_LANES ? stop : first + SPARSE_LANES);
	}
}

struct size {
	uint64_t slices, columns;
};

static void count_slice(void *arg, const struct pbit_bm_view *view, const struct sorted *sorted,
			uint32_t first, uint32_t end)
{
	struct size *size = arg;

	size->slices++;
	size->columns += widest(view, sorted, first, end);
}

int soft_sparse_measure(const struct pbit_bm_view *view, uint32_t order, uint64_t *slices,
			uint64_t *columns)
{
	struct sorted sorted = {0};
	struct size size = {0};
	int rc = sort(view, order, &sorted);

	if (!rc)
		each_slice(view, &sorted, count_slice, &size);
	*slices = size.slices;
	*columns = size.columns;
	sorted_free(&sorted);
	return rc;
}

struct placing {
	struct soft_sparse_graph *graph;
	uint32_t *place;
};

/* Couplings come when all places are known. */
static void place_slice(void *arg, const struct pbit_bm_view *view, const struct sorted *sorted,
			uint32_t first, uint32_t end)
{
	const struct placing *p = arg;
	struct soft_sparse_graph *g = p->graph;
	const uint32_t at = g->slices * SPARSE_LANES;

	for (uint32_t k = first; k < end; k++) {
		g->pbit[at + k - first] = sorted->pbit[k];
		p->place[sorted->pbit[k]] = at + k - first;
	}
	g->column[g->slices + 1] = g->column[g->slices] + widest(view, sorted, first, end);
	g->slices++;
}

static void add_couplings(const struct pbit_bm_view *view, struct soft_sparse_graph *g, uint32_t i,
			  const uint32_t *place)
{
	const uint32_t slice = place[i] / SPARSE_LANES, lane = place[i] % SPARSE_LANES;
	uint64_t to = g->column[slice] * SPARSE_LANES + lane;

	for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++) {
		g->from[to] = place[view->col[k]];
		/* 2^31 wraps, as do the sums it takes part in. */
		g->twice_J[to] = (int32_t)((uint32_t)view->Jq[k] * 2u);
		to += SPARSE_LANES;
	}
}

void soft_sparse_base(const struct pbit_bm_view *view, const uint32_t *place, int32_t *base)
{
	for (uint32_t i = 0; i < view->n; i++) {
		int32_t sum = view->hq[i];

		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++)
			sum -= view->Jq[k];
		base[place[i]] = sum;
	}
}

static int fill(const struct pbit_bm_view *view, const struct sorted *sorted,
		struct soft_sparse_graph *g, uint32_t *place)
{
	struct placing placing = {.graph = g, .place = place};
	struct size size = {0};

	each_slice(view, sorted, count_slice, &size);
	/* Places are counted in 32 bits, gathers reach 2^31 bytes. */
	if (size.slices > INT32_MAX / (2 * SPARSE_LANES))
		return -ENOMEM;
	g->column = calloc(size.slices + 1, sizeof(*g->column));
	g->pbit = calloc(size.slices * SPARSE_LANES, sizeof(*g->pbit));
	g->base = calloc(size.slices * SPARSE_LANES, sizeof(*g->base));
	/* One column at least: calloc() of nothing may give NULL. */
	g->from = calloc((size.columns + 1) * SPARSE_LANES, sizeof(*g->from));
	g->twice_J = calloc((size.columns + 1) * SPARSE_LANES, sizeof(*g->twice_J));
	if (!g->column || !g->pbit || !g->base || !g->from || !g->twice_J)
		return -ENOMEM;
	each_slice(view, sorted, place_slice, &placing);
	for (uint32_t i = 0; i < view->n; i++)
		add_couplings(view, g, i, place);
	soft_sparse_base(view, place, g->base);
	return 0;
}

int soft_sparse_layout(const struct pbit_bm_view *view, uint32_t order,
		       struct soft_sparse_graph *graph, uint32_t *place)
{
	struct sorted sorted = {0};
	int rc = sort(view, order, &sorted);

	if (!rc)
		rc = fill(view, &sorted, graph, place);
	sorted_free(&sorted);
	return rc;
}

void soft_sparse_layout_free(struct soft_sparse_graph *graph)
{
	free(graph->column);
	free(graph->pbit);
	free(graph->base);
	free(graph->from);
	free(graph->twice_J);
}

uint64_t soft_sparse_largest(const struct pbit_bm_view *view)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < view->n; i++) {
		uint64_t sum = (uint64_t)llabs((long long)view->hq[i]);

		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++)
			sum += (uint64_t)llabs((long long)view->Jq[k]);
		if (sum > most)
			most = sum;
	}
	return most;
}
