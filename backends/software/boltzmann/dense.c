/* SPDX-License-Identifier: Apache-2.0 */
/* The "dense" engine: chains of a machine with many couplings per p-bit, one chain at a time. */
#include "dense.h"

#include <errno.h>
#include <stdlib.h>
#include "blocks.h"
#include "dense_generic.h"
#include "order.h"

#define LINE	   64u
#define MOST	   (1u << 16)	       /* p-bits */
#define MOST_BYTES (UINT64_C(4) << 30) /* of rows */
#define FLIPS	   0.3		       /* of updates, expected */
#define LOOK	   (1u << 16)	       /* updates between two looks at the control block */

/* What one thread works with. */
struct bench {
	uint16_t *high;
	void *rests, *fires;
	uint32_t *flips;
};

struct dense {
	struct soft_blocks blocks;
	soft_dense_fn *sweep;
	soft_draw_group_fn *draw;
	const struct soft_update *update; /* under way */
	enum soft_dense_kind kind;
	uint32_t n, replicas, threads;
	bool synchronous;
	double step;
	size_t stride;
	void *rows;
	int32_t *base;
	uint32_t *pbit;	 /* of each place */
	uint32_t *place; /* of each p-bit */
	uint32_t *free;
	uint8_t *state, *kept;	      /* of each replica: sums, then bits */
	size_t sums_bytes, one_bytes; /* of sums, of a replica */
	struct bench *benches;
};

static soft_dense_fn *kernel(enum soft_level level)
{
#ifdef __x86_64__
	if (level >= SOFT_LEVEL_AVX512)
		return soft_dense_avx512;
	if (level == SOFT_LEVEL_AVX2)
		return soft_dense_avx2;
#endif
	(void)level;
	return soft_dense_portable;
}

static size_t filled(size_t n)
{
	return (n + DENSE_PAD - 1) / DENSE_PAD * DENSE_PAD;
}

static size_t row_size(enum soft_dense_kind kind)
{
	return kind == DENSE_WORDS ? sizeof(int32_t) : sizeof(int8_t);
}

static size_t sum_size(enum soft_dense_kind kind)
{
	return kind == DENSE_SHORT ? sizeof(int16_t) : sizeof(int32_t);
}

/* The narrowest that holds all couplings and their sums. */
static enum soft_dense_kind narrowest(const struct pbit_bm_view *view)
{
	uint64_t largest = 0, most = 0;

	for (uint32_t i = 0; i < view->n; i++) {
		uint64_t sum = 0;

		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++) {
			const uint64_t J = (uint64_t)llabs((long long)view->Jq[k]);

			sum += J;
			largest = J > largest ? J : largest;
		}
		most = sum > most ? sum : most;
	}
	if (largest > INT8_MAX)
		return DENSE_WORDS;
	/* INT16_MAX itself stands for what no sum reaches. */
	return most < INT16_MAX ? DENSE_SHORT : DENSE_BYTES;
}

static uint64_t rows_bytes(const struct pbit_bm_view *view, enum soft_dense_kind kind)
{
	return (uint64_t)view->n * filled(view->n) * row_size(kind);
}

/* ns per update: the comparison, and the share of those that flip. */
static double update_ns(const struct pbit_bm_view *view, enum soft_level level)
{
	/* Per entry of a row of each kind; rows from memory cost as much again. */
	static const double entry[][3] = {
		{0.034, 0.07, 0.041}, {0.022, 0.045, 0.032}, {0.015, 0.03, 0.029}};
	static const double update[] = {9.0, 6.0, 1.5}, flip[] = {8.0, 8.0, 10.0};
	const enum soft_dense_kind kind = narrowest(view);
	const double far = rows_bytes(view, kind) > 2u << 20 ? 2.0 : 1.0;

	return update[level] +
	       FLIPS * (flip[level] + (double)filled(view->n) * entry[level][kind] * far);
}

static double dense_cost(const struct soft_bm_request *req)
{
	if (req->view->n > MOST || rows_bytes(req->view, narrowest(req->view)) > MOST_BYTES)
		return 0.0;
	return update_ns(req->view, req->level);
}

static void dense_free(void *priv)
{
	struct dense *d = priv;

	if (!d)
		return;
	for (uint32_t t = 0; d->benches && t < d->threads; t++) {
		free(d->benches[t].high);
		free(d->benches[t].rests);
		free(d->benches[t].fires);
		free(d->benches[t].flips);
	}
	free(d->benches);
	free(d->rows);
	free(d->base);
	free(d->pbit);
	free(d->place);
	free(d->free);
	free(d->state);
	free(d->kept);
	free(d);
}

/* Cleared, at the start of a line. */
static void *lines(size_t bytes)
{
	const size_t whole = (bytes + LINE - 1) / LINE * LINE;
	void *p = whole < bytes ? NULL : aligned_alloc(LINE, whole ? whole : LINE);

	if (p)
		memset(p, 0, whole);
	return p;
}

static int make_order(struct dense *d, const struct pbit_bm_view *view, uint32_t order)
{
	int rc;

	d->place = calloc(d->n, sizeof(*d->place));
	if (!d->place)
		return -ENOMEM;
	if (order == PBIT_ORDER_CHROMATIC) {
		rc = soft_order_by_colour(view, &d->pbit, NULL, NULL);
		if (rc)
			return rc;
	} else {
		d->pbit = calloc(d->n, sizeof(*d->pbit));
		if (!d->pbit)
			return -ENOMEM;
		for (uint32_t i = 0; i < d->n; i++)
			d->pbit[i] = i;
	}
	for (uint32_t p = 0; p < d->n; p++)
		d->place[d->pbit[p]] = p;
	return 0;
}

/* J[k] acts on i; a row holds what its p-bit does to others. */
static void fill_rows(struct dense *d, const struct pbit_bm_view *view)
{
	for (uint32_t i = 0; i < d->n; i++)
		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++) {
			const size_t at = d->place[view->col[k]] * d->stride + d->place[i];

			if (d->kind == DENSE_WORDS)
				((uint32_t *)d->rows)[at] = 2u * (uint32_t)view->Jq[k];
			else
				((int8_t *)d->rows)[at] = (int8_t)view->Jq[k];
		}
}

/* The input with all neighbours at -1. */
static int32_t base_of(const struct pbit_bm_view *view, uint32_t i)
{
	int32_t sum = view->hq[i];

	for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++)
		sum -= view->Jq[k];
	return sum;
}

static int make_benches(struct dense *d)
{
	const size_t sums = d->stride * sum_size(d->kind);

	d->threads = d->replicas > 1 ? soft_pool_threads(d->blocks.pool) : 1;
	d->benches = calloc(d->threads, sizeof(*d->benches));
	if (!d->benches)
		return -ENOMEM;
	for (uint32_t t = 0; t < d->threads; t++) {
		struct bench *b = &d->benches[t];

		b->high = lines(soft_chain_room(d->n) * sizeof(*b->high));
		b->rests = lines(sums);
		b->fires = lines(sums);
		b->flips = lines(d->stride / 8);
		if (!b->high || !b->rests || !b->fires || !b->flips)
			return -ENOMEM;
	}
	return 0;
}

static void release_all(struct dense *d)
{
	for (uint32_t p = 0; p < d->n; p++)
		d->free[p / 32] |= 1u << p % 32;
}

static uint32_t *state_of(const struct dense *d, uint32_t replica)
{
	return (uint32_t *)(void *)(d->state + replica * d->one_bytes + d->sums_bytes);
}

/* Inputs of words start with the base; sums of bytes leave it out. */
static void add_base(struct dense *d, int32_t sign)
{
	for (uint32_t r = 0; d->kind == DENSE_WORDS && r < d->replicas; r++) {
		uint32_t *sums = (uint32_t *)(void *)(d->state + r * d->one_bytes);

		for (uint32_t p = 0; p < d->n; p++)
			sums[p] += (uint32_t)sign * (uint32_t)d->base[p];
	}
}

static void set_base(struct dense *d, const struct pbit_bm_view *view)
{
	add_base(d, -1);
	for (uint32_t i = 0; i < d->n; i++)
		d->base[d->place[i]] = base_of(view, i);
	add_base(d, 1);
}

static int make_state(struct dense *d)
{
	d->sums_bytes = d->stride * sum_size(d->kind);
	d->one_bytes = (d->sums_bytes + d->stride / 8 + LINE - 1) / LINE * LINE;
	if (d->one_bytes > SIZE_MAX / 2 / d->replicas)
		return -ENOMEM;
	d->blocks.bytes = d->one_bytes * d->replicas;
	d->state = lines(d->blocks.bytes);
	d->kept = lines(d->blocks.bytes);
	d->rows = lines(d->n * d->stride * row_size(d->kind));
	d->base = lines(d->stride * sizeof(*d->base));
	d->free = lines(d->stride / 8);
	if (!d->state || !d->kept || !d->rows || !d->base || !d->free)
		return -ENOMEM;
	d->blocks.state = d->state;
	d->blocks.copy = d->kept;
	return 0;
}

static void dense_part(void *arg, uint32_t thread, size_t part, uint64_t done, uint64_t count,
		       struct soft_stop *stop)
{
	struct dense *d = arg;
	const struct bench *b = &d->benches[thread];
	const uint64_t look = LOOK / d->n + 1; /* sweeps */

	for (uint64_t i = 0; i < count; i++) {
		const struct soft_chain chain = soft_chain_at(d->update, done + i, (uint32_t)part);
		const struct soft_dense_sweep sweep = {
			.chain = &chain,
			.kind = d->kind,
			.n = d->n,
			.stride = d->stride,
			.rows = d->rows,
			.sums = d->state + part * d->one_bytes,
			.rests = b->rests,
			.fires = b->fires,
			.base = d->base,
			.pbit = d->pbit,
			.high = b->high,
			.state = state_of(d, (uint32_t)part),
			.free = d->free,
			.flips = d->synchronous ? b->flips : NULL,
		};

		if (i % look == look - 1 && soft_stop_now(stop))
			return;
		soft_chain_draws(&chain, d->draw, d->n, b->high);
		d->sweep(&sweep);
	}
}

static int dense_make(const struct soft_bm_request *req, void **priv)
{
	const struct pbit_bm_view *view = req->view;
	struct dense *d = calloc(1, sizeof(*d));
	int rc = -ENOMEM;

	if (!d)
		return rc;
	d->n = view->n;
	d->replicas = req->replicas;
	d->sweep = kernel(req->level);
	d->draw = soft_draw_group_pick(req->level);
	d->synchronous = req->order == PBIT_ORDER_SYNCHRONOUS;
	d->step = view->step;
	d->kind = narrowest(view);
	d->stride = filled(view->n);
	d->blocks.pool = req->pool;
	d->blocks.parts = req->replicas;
	d->blocks.sweep_ns = update_ns(view, req->level) * view->n * req->replicas;
	d->blocks.part = dense_part;
	d->blocks.arg = d;
	rc = make_order(d, view, req->order);
	if (!rc)
		rc = make_state(d);
	if (!rc)
		rc = make_benches(d);
	if (rc) {
		dense_free(d);
		return rc;
	}
	fill_rows(d, view);
	set_base(d, view);
	release_all(d);
	*priv = d;
	return 0;
}

/* Sums are whole numbers: what a flip adds is exact however often. */
static void set_bit(struct dense *d, uint32_t replica, uint32_t place, bool up)
{
	const struct soft_dense_sweep s = {
		.kind = d->kind,
		.stride = d->stride,
		.rows = d->rows,
		.sums = d->state + replica * d->one_bytes,
	};
	uint32_t *state = state_of(d, replica);

	if (dense_bit(state, place) == up)
		return;
	state[place / 32] ^= 1u << place % 32;
	dense_flip(&s, place, up);
}

static void dense_clamp(void *priv, const uint64_t *mask, const uint64_t *values, bool each)
{
	struct dense *d = priv;

	release_all(d);
	for (uint32_t i = 0; mask && i < d->n; i++) {
		const uint32_t p = d->place[i];

		if (!soft_bit(mask, i))
			continue;
		d->free[p / 32] &= ~(1u << p % 32);
		for (uint32_t r = 0; r < d->replicas; r++)
			set_bit(d, r, p, soft_bit(values + (each ? r * soft_words(d->n) : 0), i));
	}
}

static void dense_set_state(void *priv, const uint64_t *state)
{
	struct dense *d = priv;

	for (uint32_t r = 0; r < d->replicas; r++)
		for (uint32_t i = 0; i < d->n; i++)
			if (dense_bit(d->free, d->place[i]))
				set_bit(d, r, d->place[i],
					soft_bit(state + r * soft_words(d->n), i));
}

static void dense_read(void *priv, uint64_t *state)
{
	struct dense *d = priv;
	const size_t words = soft_words(d->n);

	memset(state, 0, words * d->replicas * sizeof(*state));
	for (uint32_t r = 0; r < d->replicas; r++)
		for (uint32_t i = 0; i < d->n; i++)
			state[r * words + i / 64] |=
				(uint64_t)dense_bit(state_of(d, r), d->place[i]) << i % 64;
}

static void dense_rebias(void *priv, const struct pbit_bm_view *view)
{
	set_base(priv, view);
}

static int dense_update(void *priv, const double *beta, bool each,
			const struct soft_bm_position *at, uint64_t sweeps, struct pbit_ctl *ctl,
			uint64_t *done)
{
	struct dense *d = priv;
	const struct soft_update update = {.at = at, .beta = beta, .each = each, .step = d->step};

	d->update = &update;
	return soft_blocks_run(&d->blocks, sweeps, ctl, done);
}

const struct soft_bm_engine soft_engine_dense = {
	.name = "dense",
	.cost = dense_cost,
	.make = dense_make,
	.free = dense_free,
	.clamp = dense_clamp,
	.set_state = dense_set_state,
	.read = dense_read,
	.rebias = dense_rebias,
	.update = dense_update,
};
