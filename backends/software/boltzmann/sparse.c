/* SPDX-License-Identifier: Apache-2.0 */
/* The "sparse" engine: chains of a machine with few couplings per p-bit, one chain at a time. */
#include "sparse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "blocks.h"
#include "levels.h"
#include "sigmoid16.h"
#include "sparse_layout.h"

#define PART	    (1u << 14) /* slices between two looks at the control block */
#define MOST_DEGREE 64u	       /* on average; beyond it others are faster */

/* What one thread works with. */
struct bench {
	uint16_t *draws;
	uint8_t *seen; /* synchronous: the state before the sweep */
	uint32_t *table;
	double factor; /* the table is for; NaN: none */
};

struct sparse {
	struct soft_sparse_graph graph;
	struct soft_blocks blocks;
	soft_draw_group_fn *draw;
	const struct soft_update *update; /* under way */
	soft_sparse_fn *slices;
	enum soft_level level;
	uint32_t n, replicas;
	bool synchronous;
	double step;
	uint64_t largest; /* bound on |input| in steps */
	uint32_t entries; /* of the table, 0: none */
	uint32_t most;	  /* room of the table */
	size_t stride;	  /* bytes of a replica's state */
	uint32_t *place;  /* of each p-bit */
	uint8_t *state, *kept, *free;
	struct bench *benches;
	uint32_t threads;
};

static soft_sparse_fn *kernel(enum soft_level level)
{
#ifdef __x86_64__
	if (level >= SOFT_LEVEL_AVX512)
		return soft_sparse_avx512;
	if (level == SOFT_LEVEL_AVX2)
		return soft_sparse_avx2;
#endif
	(void)level;
	return soft_sparse_portable;
}

/* ns for a slice and for a column of one, by level. */
static double slices_ns(enum soft_level level, uint64_t slices, uint64_t columns)
{
	static const double slice[] = {65.0, 42.0, 9.0}, column[] = {6.0, 3.0, 3.3};

	return (double)slices * slice[level] + (double)columns * column[level];
}

static double sparse_cost(const struct soft_bm_request *req)
{
	const struct pbit_bm_view *view = req->view;
	uint64_t slices, columns;

	if (view->row[view->n] > (uint64_t)view->n * MOST_DEGREE ||
	    soft_sparse_measure(view, req->order, &slices, &columns))
		return 0.0;
	return slices_ns(req->level, slices, columns) / view->n;
}

/* A table pays where it is small, or smaller than a sweep. */
static void choose_table(struct sparse *s)
{
	const uint64_t entries = 2 * s->largest + 1;

	s->entries = entries <= s->most ? (uint32_t)entries : 0;
}

static void sparse_free(void *priv)
{
	struct sparse *s = priv;

	if (!s)
		return;
	for (uint32_t t = 0; s->benches && t < s->threads; t++) {
		free(s->benches[t].draws);
		free(s->benches[t].seen);
		free(s->benches[t].table);
	}
	free(s->benches);
	free(s->free);
	free(s->kept);
	free(s->state);
	free(s->place);
	soft_sparse_layout_free(&s->graph);
	free(s);
}

static int make_benches(struct sparse *s)
{
	s->threads = s->replicas > 1 ? soft_pool_threads(s->blocks.pool) : 1;
	s->benches = calloc(s->threads, sizeof(*s->benches));
	if (!s->benches)
		return -ENOMEM;
	for (uint32_t t = 0; t < s->threads; t++) {
		struct bench *b = &s->benches[t];

		b->draws = calloc(soft_chain_room(s->n) + 2, sizeof(*b->draws));
		b->table = calloc(s->most, sizeof(*b->table));
		b->seen = calloc(s->synchronous ? s->stride : 1, 1);
		b->factor = NAN;
		if (!b->draws || !b->table || !b->seen)
			return -ENOMEM;
	}
	return 0;
}

static void release_all(struct sparse *s)
{
	memset(s->free, 0, s->stride);
	for (uint32_t i = 0; i < s->n; i++)
		s->free[s->place[i]] = 255;
}

static int make_state(struct sparse *s)
{
	const size_t places = (size_t)s->graph.slices * SPARSE_LANES;

	/* A gather reads 3 bytes more; chains do not share lines. */
	s->stride = (places + 3 + 63) / 64 * 64;
	if (s->stride > SIZE_MAX / s->replicas)
		return -ENOMEM;
	s->blocks.bytes = s->stride * s->replicas;
	s->state = calloc(s->blocks.bytes, 1);
	s->kept = calloc(s->blocks.bytes, 1);
	s->free = calloc(s->stride, 1);
	if (!s->state || !s->kept || !s->free)
		return -ENOMEM;
	release_all(s);
	s->blocks.state = s->state;
	s->blocks.copy = s->kept;
	return make_benches(s);
}

static void fill_table(const struct sparse *s, struct bench *b, double factor)
{
	const int32_t lowest = -(int32_t)s->largest;

	for (uint32_t k = 0; k < s->entries; k++)
		b->table[k] = soft_draw_threshold(factor, lowest + (int32_t)k) >> 8;
	b->factor = factor;
}

static bool one_sweep(struct sparse *s, struct bench *b, uint32_t replica,
		      const struct soft_chain *chain, struct soft_stop *stop)
{
	uint8_t *state = s->state + replica * s->stride;
	struct soft_sparse_sweep sweep = {
		.graph = &s->graph,
		.chain = chain,
		.seen = s->synchronous ? b->seen : state,
		.state = state,
		.free = s->free,
		.draws = b->draws,
		.table = s->entries ? b->table : NULL,
		.lowest = -(int32_t)s->largest,
		.entries = s->entries,
		.z_step = soft_sigmoid_step(chain->factor),
	};

	if (s->synchronous)
		memcpy(b->seen, state, s->stride);
	if (s->entries && b->factor != chain->factor)
		fill_table(s, b, chain->factor);
	soft_chain_draws(chain, s->draw, s->n, b->draws);
	for (uint32_t first = 0; first < s->graph.slices; first += PART) {
		const uint32_t left = s->graph.slices - first;

		if (first && soft_stop_now(stop))
			return false;
		s->slices(&sweep, first, first + (left < PART ? left : PART));
	}
	return true;
}

static void sparse_part(void *arg, uint32_t thread, size_t part, uint64_t done, uint64_t count,
			struct soft_stop *stop)
{
	struct sparse *s = arg;

	const uint64_t look = PART / s->graph.slices + 1; /* sweeps between two looks */

	for (uint64_t i = 0; i < count; i++) {
		const struct soft_chain chain = soft_chain_at(s->update, done + i, (uint32_t)part);

		if (i % look == look - 1 && soft_stop_now(stop))
			return;
		if (!one_sweep(s, &s->benches[thread], (uint32_t)part, &chain, stop))
			return;
	}
}

static int sparse_make(const struct soft_bm_request *req, void **priv)
{
	const struct pbit_bm_view *view = req->view;
	struct sparse *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (!s)
		return rc;
	s->n = view->n;
	s->replicas = req->replicas;
	s->level = req->level;
	s->slices = kernel(req->level);
	s->synchronous = req->order == PBIT_ORDER_SYNCHRONOUS;
	s->step = view->step;
	s->place = calloc(s->n, sizeof(*s->place));
	if (!s->place)
		goto fail;
	rc = soft_sparse_layout(view, req->order, &s->graph, s->place);
	if (rc)
		goto fail;
	s->most = s->level < SOFT_LEVEL_AVX512 && s->n > 8 * SPARSE_SMALL ? s->n / 8 : SPARSE_SMALL;
	if (s->most > 4096)
		s->most = 4096;
	s->largest = soft_sparse_largest(view);
	choose_table(s);
	s->draw = soft_draw_group_pick(req->level);
	s->blocks.pool = req->pool;
	s->blocks.parts = req->replicas;
	s->blocks.sweep_ns = req->replicas * slices_ns(req->level, s->graph.slices,
						       s->graph.column[s->graph.slices]);
	s->blocks.part = sparse_part;
	s->blocks.arg = s;
	rc = make_state(s);
	if (rc)
		goto fail;
	*priv = s;
	return 0;
fail:
	sparse_free(s);
	return rc;
}

static void sparse_clamp(void *priv, const uint64_t *mask, const uint64_t *values, bool each)
{
	struct sparse *s = priv;
	const size_t words = soft_words(s->n);

	release_all(s);
	if (!mask)
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		if (!soft_bit(mask, i))
			continue;
		s->free[s->place[i]] = 0;
		for (uint32_t r = 0; r < s->replicas; r++)
			s->state[r * s->stride + s->place[i]] =
				soft_bit(values + (each ? r * words : 0), i);
	}
}

static void sparse_set_state(void *priv, const uint64_t *state)
{
	struct sparse *s = priv;
	const size_t words = soft_words(s->n);

	for (uint32_t r = 0; r < s->replicas; r++)
		for (uint32_t i = 0; i < s->n; i++)
			if (s->free[s->place[i]])
				s->state[r * s->stride + s->place[i]] =
					soft_bit(state + r * words, i);
}

static void sparse_read(void *priv, uint64_t *state)
{
	struct sparse *s = priv;
	const size_t words = soft_words(s->n);

	memset(state, 0, words * s->replicas * sizeof(*state));
	for (uint32_t r = 0; r < s->replicas; r++)
		for (uint32_t i = 0; i < s->n; i++)
			state[r * words + i / 64] |= (uint64_t)s->state[r * s->stride + s->place[i]]
						     << (i % 64);
}

static void sparse_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct sparse *s = priv;

	soft_sparse_base(view, s->place, s->graph.base);
	s->largest = soft_sparse_largest(view);
	choose_table(s);
	for (uint32_t t = 0; t < s->threads; t++)
		s->benches[t].factor = NAN;
}

static int sparse_update(void *priv, const double *beta, bool each,
			 const struct soft_bm_position *at, uint64_t sweeps, struct pbit_ctl *ctl,
			 uint64_t *done)
{
	struct sparse *s = priv;

	const struct soft_update update = {.at = at, .beta = beta, .each = each, .step = s->step};

	s->update = &update;
	return soft_blocks_run(&s->blocks, sweeps, ctl, done);
}

const struct soft_bm_engine soft_engine_sparse = {
	.name = "sparse",
	.cost = sparse_cost,
	.make = sparse_make,
	.free = sparse_free,
	.clamp = sparse_clamp,
	.set_state = sparse_set_state,
	.read = sparse_read,
	.rebias = sparse_rebias,
	.update = sparse_update,
};
