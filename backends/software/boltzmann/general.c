/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine for any machine: replica by replica, p-bit by p-bit, as CONTRACT.md has it. The
 * random bits depend on key, sweep, chain and p-bit only, so they come 128 p-bits at a time
 * whatever the order of the updates.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "blocks.h"
#include "draws.h"
#include "engines.h"
#include "order.h"

/*
 * Units of work (about 1 ns: one coupling; a p-bit costs PBIT_WORK more) between two looks at
 * the control block: below a millisecond.
 */
#define PBIT_WORK     12u
#define WORK_PER_LOOK (1u << 19)

/* Of one thread. */
struct scratch {
	uint16_t *draws;  /* for a whole number of groups */
	uint64_t *before; /* the state at the start of a synchronous sweep */
};

struct general {
	uint32_t n;
	uint32_t order;
	uint32_t replicas;
	size_t words;
	double step;
	uint64_t *row;
	uint32_t *col;
	int32_t *J;
	int32_t *h;
	uint64_t *state;   /* replicas * words */
	uint64_t *copy;	   /* as much */
	uint64_t *clamped; /* mask */
	uint32_t *visits;  /* chromatic: p-bits colour by colour, else NULL */
	soft_draw_group_fn *draw;
	struct soft_pool *pool;
	struct scratch *scratch; /* of each thread */
};

/* An update under way. */
struct run {
	struct general *g;
	const double *beta;
	bool each;
	const struct soft_bm_position *at;
	struct soft_draw draw;
};

/* One replica's part of it. */
struct chain {
	const struct general *g;
	const struct soft_draw *draw;
	struct scratch *scratch;
	uint64_t *state;
	const uint64_t *seen; /* the state that neighbours are read from */
	uint64_t sweep, chain;
	double factor;
	uint64_t work; /* since the last look at the control block */
	struct soft_stop *stop;
};

static void general_free(void *priv)
{
	struct general *g = priv;

	if (!g)
		return;
	for (uint32_t t = 0; g->scratch && t < soft_pool_threads(g->pool); t++) {
		free(g->scratch[t].draws);
		free(g->scratch[t].before);
	}
	free(g->scratch);
	free(g->row);
	free(g->col);
	free(g->J);
	free(g->h);
	free(g->state);
	free(g->copy);
	free(g->clamped);
	free(g->visits);
	free(g);
}

static void *copy_of(const void *from, size_t count, size_t size)
{
	void *to = calloc(count ? count : 1, size);

	if (to && count)
		memcpy(to, from, count * size);
	return to;
}

static int make_scratch(struct general *g)
{
	const uint32_t threads = soft_pool_threads(g->pool);
	const size_t draws = ((size_t)g->n + SOFT_DRAW_GROUP - 1) / SOFT_DRAW_GROUP;

	g->scratch = calloc(threads, sizeof(*g->scratch));
	if (!g->scratch)
		return -ENOMEM;
	for (uint32_t t = 0; t < threads; t++) {
		g->scratch[t].draws = calloc(draws * SOFT_DRAW_GROUP, sizeof(*g->scratch[t].draws));
		g->scratch[t].before = calloc(g->words, sizeof(*g->scratch[t].before));
		if (!g->scratch[t].draws || !g->scratch[t].before)
			return -ENOMEM;
	}
	return 0;
}

static int fill(struct general *g, const struct pbit_bm_view *view)
{
	const uint64_t entries = view->row[view->n];
	const size_t states = g->words * g->replicas;

	g->row = copy_of(view->row, (size_t)view->n + 1, sizeof(*g->row));
	g->col = copy_of(view->col, entries, sizeof(*g->col));
	g->J = copy_of(view->Jq, entries, sizeof(*g->J));
	g->h = copy_of(view->hq, view->n, sizeof(*g->h));
	g->state = calloc(states, sizeof(*g->state));
	g->copy = calloc(states, sizeof(*g->copy));
	g->clamped = calloc(g->words, sizeof(*g->clamped));
	if (!g->row || !g->col || !g->J || !g->h || !g->state || !g->copy || !g->clamped ||
	    make_scratch(g))
		return -ENOMEM;
	return g->order == PBIT_ORDER_CHROMATIC ? soft_order_by_colour(view, &g->visits, NULL, NULL)
						: 0;
}

static double general_cost(const struct soft_bm_request *req)
{
	return 8.0 + 1.5 * (double)req->view->row[req->view->n] / req->view->n;
}

static int general_make(const struct soft_bm_request *req, void **priv)
{
	struct general *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->n = req->view->n;
	g->order = req->order;
	g->replicas = req->replicas;
	g->words = ((size_t)g->n + 63) / 64;
	g->step = req->view->step;
	g->draw = soft_draw_group_pick(req->level);
	g->pool = req->pool;
	if (fill(g, req->view)) {
		general_free(g);
		return -ENOMEM;
	}
	*priv = g;
	return 0;
}

static void general_clamp(void *priv, const uint64_t *mask, const uint64_t *values, bool each)
{
	struct general *g = priv;

	if (!mask) {
		memset(g->clamped, 0, g->words * sizeof(*g->clamped));
		return;
	}
	memcpy(g->clamped, mask, g->words * sizeof(*g->clamped));
	for (uint32_t r = 0; r < g->replicas; r++) {
		const uint64_t *value = values + (each ? r * g->words : 0);
		uint64_t *state = g->state + r * g->words;

		for (size_t w = 0; w < g->words; w++)
			state[w] = (state[w] & ~mask[w]) | (value[w] & mask[w]);
	}
}

static void general_set_state(void *priv, const uint64_t *from)
{
	struct general *g = priv;

	for (uint32_t r = 0; r < g->replicas; r++) {
		uint64_t *state = g->state + r * g->words;

		for (size_t w = 0; w < g->words; w++)
			state[w] = (state[w] & g->clamped[w]) |
				   (from[r * g->words + w] & ~g->clamped[w]);
	}
}

static void general_read(void *priv, uint64_t *state)
{
	const struct general *g = priv;

	memcpy(state, g->state, g->words * g->replicas * sizeof(*state));
}

static void general_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct general *g = priv;

	memcpy(g->h, view->hq, g->n * sizeof(*g->h));
}

/* |sum| <= 2^30 by the choice of the step. */
static int32_t input(const struct general *g, const uint64_t *seen, uint32_t i)
{
	int32_t sum = g->h[i];

	for (uint64_t k = g->row[i]; k < g->row[i + 1]; k++) {
		const uint32_t j = g->col[k];
		const int32_t down = (int32_t)(seen[j / 64] >> (j % 64) & 1) - 1;

		/* J or -J, without a branch on a random bit. */
		sum += (g->J[k] ^ down) - down;
	}
	return sum;
}

static void update_one(struct chain *c, uint32_t i)
{
	const struct general *g = c->g;
	const uint64_t bit = 1ull << (i % 64);
	uint32_t t;

	if (g->clamped[i / 64] & bit)
		return;
	t = soft_draw_threshold(c->factor, input(g, c->seen, i));
	if (soft_draw_fires(c->draw, c->sweep, c->chain, i, c->scratch->draws[i], t))
		c->state[i / 64] |= bit;
	else
		c->state[i / 64] &= ~bit;
	c->work += PBIT_WORK + (g->row[i + 1] - g->row[i]);
}

static bool look(struct chain *c)
{
	if (c->work < WORK_PER_LOOK)
		return false;
	c->work = 0;
	return soft_stop_now(c->stop);
}

static void draw(struct chain *c, uint32_t group)
{
	c->g->draw(c->draw, c->sweep, c->chain, group,
		   c->scratch->draws + (size_t)group * SOFT_DRAW_GROUP);
	c->work += SOFT_DRAW_GROUP;
}

static bool sweep_by_index(struct chain *c)
{
	const uint32_t n = c->g->n;

	for (uint32_t first = 0; first < n; first += SOFT_DRAW_GROUP) {
		const uint32_t end = n - first < SOFT_DRAW_GROUP ? n : first + SOFT_DRAW_GROUP;

		draw(c, first / SOFT_DRAW_GROUP);
		for (uint32_t i = first; i < end; i++) {
			update_one(c, i);
			if (look(c))
				return false;
		}
	}
	return true;
}

static bool sweep_by_colour(struct chain *c)
{
	const uint32_t n = c->g->n;

	for (uint32_t first = 0; first < n; first += SOFT_DRAW_GROUP) {
		draw(c, first / SOFT_DRAW_GROUP);
		if (look(c))
			return false;
	}
	for (uint32_t v = 0; v < n; v++) {
		update_one(c, c->g->visits[v]);
		if (look(c))
			return false;
	}
	return true;
}

static void run_chain(void *arg, uint32_t thread, size_t replica, uint64_t done, uint64_t count,
		      struct soft_stop *stop)
{
	const struct run *run = arg;
	struct general *g = run->g;
	struct chain c = {
		.g = g,
		.draw = &run->draw,
		.scratch = &g->scratch[thread],
		.state = g->state + replica * g->words,
		.chain = run->at->chain + replica,
		.factor = soft_draw_factor(run->beta[run->each ? replica : 0], g->step),
		.stop = stop,
	};

	c.seen = g->order == PBIT_ORDER_SYNCHRONOUS ? c.scratch->before : c.state;
	for (uint64_t s = 0; s < count; s++) {
		c.sweep = run->at->sweep + done + s;
		if (c.seen != c.state)
			memcpy(c.scratch->before, c.state, g->words * sizeof(*c.state));
		if (!(g->visits ? sweep_by_colour(&c) : sweep_by_index(&c)))
			return;
	}
}

static int general_update(void *priv, const double *beta, bool each,
			  const struct soft_bm_position *at, uint64_t sweeps, struct pbit_ctl *ctl,
			  uint64_t *done)
{
	struct general *g = priv;
	struct run run = {.g = g, .beta = beta, .each = each, .at = at, .draw = soft_draw_at(at)};
	const struct soft_blocks blocks = {
		.pool = g->pool,
		.parts = g->replicas,
		.sweep_ns = ((double)PBIT_WORK * g->n + (double)g->row[g->n]) * g->replicas,
		.state = g->state,
		.copy = g->copy,
		.bytes = g->words * g->replicas * sizeof(*g->state),
		.part = run_chain,
		.arg = &run,
	};

	return soft_blocks_run(&blocks, sweeps, ctl, done);
}

const struct soft_bm_engine soft_engine_general = {
	.name = "general",
	.cost = general_cost,
	.make = general_make,
	.free = general_free,
	.clamp = general_clamp,
	.set_state = general_set_state,
	.read = general_read,
	.rebias = general_rebias,
	.update = general_update,
};
