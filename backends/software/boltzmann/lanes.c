/* SPDX-License-Identifier: Apache-2.0 */
/* The engine of multi-spin coded replicas: see lanes.h. */
#include "lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "blocks.h"
#include "lanes_state.h"
#include "order.h"

/* Group draws between two looks at the control block. */
#define GROUPS_PER_LOOK 8u

static const struct lanes_kernel *pick(enum soft_level level)
{
#ifdef __x86_64__
	if (level >= SOFT_LEVEL_AVX512)
		return &lanes_kernel_avx512;
	if (level >= SOFT_LEVEL_AVX2)
		return &lanes_kernel_avx2;
#endif
	(void)level;
	return &lanes_kernel_portable;
}

/* |Jq| of all couplings, 0 where they differ or a p-bit has too many. Without couplings: 1. */
static int32_t common_coupling(const struct pbit_bm_view *v)
{
	int32_t J = 0;

	for (uint32_t i = 0; i < v->n; i++)
		if (v->row[i + 1] - v->row[i] > LANES_MAX_DEGREE)
			return 0;
	for (uint64_t k = 0; k < v->row[v->n]; k++) {
		const int32_t size = v->Jq[k] < 0 ? -v->Jq[k] : v->Jq[k];

		if (!size || (J && size != J))
			return 0;
		J = size;
	}
	return J ? J : 1;
}

/* Sorts p-bits into types. Returns how many, 0 where there are too many; type may be NULL. */
static uint32_t sort_types(const struct pbit_bm_view *v, struct lanes_type *types, uint8_t *type)
{
	uint32_t count = 0, last = 0;

	for (uint32_t i = 0; i < v->n; i++) {
		const uint32_t degree = (uint32_t)(v->row[i + 1] - v->row[i]);

		if (!count || types[last].degree != degree || types[last].bias != v->hq[i])
			for (last = 0; last < count; last++)
				if (types[last].degree == degree && types[last].bias == v->hq[i])
					break;
		if (last == count) {
			if (count == LANES_MAX_TYPES)
				return 0;
			types[count++] = (struct lanes_type){.degree = degree, .bias = v->hq[i]};
		}
		if (type)
			type[i] = (uint8_t)last;
	}
	return count;
}

/* Parts as wide as vectors, narrower where threads would be idle. */
static void divide(const struct soft_bm_request *req, const struct lanes_kernel *kernel,
		   uint32_t *part_lanes, uint32_t *parts)
{
	const uint32_t threads = soft_pool_threads(req->pool);
	const uint32_t share = (req->replicas + threads - 1) / threads;
	const uint32_t lanes = (share + 31) / 32 * 32;

	*part_lanes = lanes < kernel->lanes ? lanes : kernel->lanes;
	*parts = (req->replicas + *part_lanes - 1) / *part_lanes;
}

/* ns for one p-bit of all replicas, in one thread. */
static double row_ns(const struct lanes_kernel *kernel, uint32_t part_lanes, uint32_t parts)
{
	return kernel->update_ns * parts *
	       ((1.0 - kernel->fixed) * part_lanes + kernel->fixed * kernel->lanes);
}

static double lanes_cost(const struct soft_bm_request *req)
{
	const struct lanes_kernel *kernel = pick(req->level);
	struct lanes_type types[LANES_MAX_TYPES];
	uint32_t part_lanes, parts;

	if (!common_coupling(req->view) || !sort_types(req->view, types, NULL))
		return 0.0;
	divide(req, kernel, &part_lanes, &parts);
	return row_ns(kernel, part_lanes, parts) / req->replicas;
}

static void lanes_free(void *priv)
{
	struct lanes *m = priv;

	if (!m)
		return;
	for (uint32_t t = 0; m->scratch && t < soft_pool_threads(m->pool); t++) {
		free(m->scratch[t].draws);
		free(m->scratch[t].before);
	}
	free(m->scratch);
	free(m->first);
	free(m->edge);
	free(m->type);
	free(m->clamped);
	free(m->visits);
	free(m->types);
	free(m->tables);
	free(m->state);
	free(m->copy);
	free(m);
}

/* Vectors are loaded from it: cleared, at a multiple of 64. */
static void *clear_lines(size_t count, size_t size)
{
	size_t bytes;
	void *to;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 128)
		return NULL;
	bytes = (bytes + 63) / 64 * 64;
	to = aligned_alloc(64, bytes ? bytes : 64);
	if (to)
		memset(to, 0, bytes);
	return to;
}

static int make_scratch(struct lanes *m)
{
	const uint32_t threads = soft_pool_threads(m->pool);
	const size_t groups =
		m->visits ? ((size_t)m->n + SOFT_DRAW_GROUP - 1) / SOFT_DRAW_GROUP : 1;
	const bool before = m->order == PBIT_ORDER_SYNCHRONOUS;

	m->scratch = calloc(threads, sizeof(*m->scratch));
	if (!m->scratch)
		return -ENOMEM;
	for (uint32_t t = 0; t < threads && t < m->parts; t++) {
		m->scratch[t].draws = clear_lines(groups, m->kernel->draw_bytes(m->classes));
		m->scratch[t].before =
			clear_lines(before ? m->n : 0, m->row_words * sizeof(uint64_t));
		if (!m->scratch[t].draws || !m->scratch[t].before)
			return -ENOMEM;
	}
	return 0;
}

static void fill_edges(struct lanes *m, const struct pbit_bm_view *v)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < v->n; i++) {
		m->first[i] = at;
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++)
			m->edge[at++] = (struct lanes_edge){v->col[k], v->Jq[k] < 0};
		if (v->row[i + 1] - v->row[i] + 1 > m->classes)
			m->classes = (uint32_t)(v->row[i + 1] - v->row[i]) + 1;
	}
	m->first[v->n] = at;
}

static int fill(struct lanes *m, const struct pbit_bm_view *v)
{
	const uint64_t entries = v->row[v->n];
	size_t rows;

	if (__builtin_mul_overflow((size_t)m->parts, (size_t)m->n, &rows))
		return -ENOMEM;
	m->first = calloc((size_t)m->n + 1, sizeof(*m->first));
	m->edge = calloc(entries ? entries : 1, sizeof(*m->edge));
	m->type = calloc(m->n, sizeof(*m->type));
	m->clamped = calloc(m->n, sizeof(*m->clamped));
	m->types = calloc(LANES_MAX_TYPES, sizeof(*m->types));
	m->tables = clear_lines(LANES_MAX_TYPES, m->kernel->table_bytes);
	m->state = clear_lines(rows, m->row_words * sizeof(*m->state));
	m->copy = clear_lines(rows, m->row_words * sizeof(*m->copy));
	if (!m->first || !m->edge || !m->type || !m->clamped || !m->types || !m->tables ||
	    !m->state || !m->copy)
		return -ENOMEM;
	fill_edges(m, v);
	m->n_types = sort_types(v, m->types, m->type);
	if (m->order == PBIT_ORDER_CHROMATIC && soft_order_by_colour(v, &m->visits, NULL, NULL))
		return -ENOMEM;
	return make_scratch(m);
}

static int lanes_make(const struct soft_bm_request *req, void **priv)
{
	struct lanes *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->n = req->view->n;
	m->order = req->order;
	m->replicas = req->replicas;
	m->step = req->view->step;
	m->J = common_coupling(req->view);
	m->classes = 1;
	m->pool = req->pool;
	m->kernel = pick(req->level);
	divide(req, m->kernel, &m->part_lanes, &m->parts);
	m->row_words = m->kernel->lanes / 64;
	if (fill(m, req->view)) {
		lanes_free(m);
		return -ENOMEM;
	}
	*priv = m;
	return 0;
}

static void lanes_clamp(void *priv, const uint64_t *mask, const uint64_t *values, bool each)
{
	struct lanes *m = priv;

	for (uint32_t i = 0; i < m->n; i++)
		m->clamped[i] = mask && (mask[i / 64] >> (i % 64) & 1);
	if (mask)
		lanes_put(m, values, each, true);
}

static void lanes_set_state(void *priv, const uint64_t *state)
{
	lanes_put(priv, state, true, false);
}

static void lanes_read(void *priv, uint64_t *state)
{
	lanes_get(priv, state);
}

/* cost() of the new view was asked: the types do not become too many. */
static void lanes_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct lanes *m = priv;

	m->n_types = sort_types(view, m->types, m->type);
}

static void set_thresholds(struct lanes *m, double beta)
{
	const double factor = soft_draw_factor(beta, m->step);

	for (uint32_t k = 0; k < m->n_types; k++) {
		struct lanes_type *type = &m->types[k];

		for (uint32_t c = 0; c < LANES_CLASSES; c++) {
			/* Classes beyond the degree do not occur. */
			const int32_t up = (int32_t)(c < type->degree ? c : type->degree);
			const int32_t sum = m->J * (2 * up - (int32_t)type->degree) + type->bias;

			type->t[c] = soft_draw_threshold(factor, sum);
			type->high[c] =
				(uint16_t)(type->t[c] >> 8 < 65535 ? type->t[c] >> 8 : 65535);
		}
	}
	m->kernel->prepare(m);
}

/* An update under way. */
struct run {
	struct lanes *m;
	const struct soft_bm_position *at;
	struct soft_draw draw;
};

/* Asks every few groups, over sweeps of any length. */
static bool look(struct soft_stop *stop, uint32_t *groups)
{
	if (++*groups < GROUPS_PER_LOOK)
		return false;
	*groups = 0;
	return soft_stop_now(stop);
}

static bool sweep_by_index(const struct lanes_sweep *s, struct soft_stop *stop, uint32_t *groups)
{
	const struct lanes *m = s->m;

	for (uint32_t first = 0; first < m->n; first += SOFT_DRAW_GROUP) {
		const uint32_t left = m->n - first;

		m->kernel->draw(s, first / SOFT_DRAW_GROUP);
		m->kernel->update(s, NULL, first, left < SOFT_DRAW_GROUP ? left : SOFT_DRAW_GROUP);
		if (look(stop, groups))
			return false;
	}
	return true;
}

static bool sweep_by_colour(const struct lanes_sweep *s, struct soft_stop *stop, uint32_t *groups)
{
	const struct lanes *m = s->m;
	const uint32_t step = GROUPS_PER_LOOK * SOFT_DRAW_GROUP;

	for (uint32_t first = 0; first < m->n; first += SOFT_DRAW_GROUP) {
		m->kernel->draw(s, first / SOFT_DRAW_GROUP);
		if (look(stop, groups))
			return false;
	}
	for (uint32_t v = 0; v < m->n; v += step) {
		m->kernel->update(s, m->visits + v, 0, m->n - v < step ? m->n - v : step);
		if (look(stop, groups))
			return false;
	}
	return true;
}

static void run_part(void *arg, uint32_t thread, size_t part, uint64_t done, uint64_t count,
		     struct soft_stop *stop)
{
	const struct run *run = arg;
	struct lanes *m = run->m;
	const size_t words = m->n * m->row_words;
	const uint32_t first = (uint32_t)part * m->part_lanes;
	uint32_t groups = 0;
	struct lanes_sweep s = {
		.m = m,
		.draw = &run->draw,
		.chain = run->at->chain + first,
		.lanes = m->replicas - first < m->part_lanes ? m->replicas - first : m->part_lanes,
		.state = m->state + part * words,
		.draws = m->scratch[thread].draws,
		.stride = m->visits ? m->kernel->draw_bytes(m->classes) : 0,
	};

	s.seen = m->order == PBIT_ORDER_SYNCHRONOUS ? m->scratch[thread].before : s.state;
	for (uint64_t k = 0; k < count; k++) {
		s.sweep = run->at->sweep + done + k;
		if (s.seen != s.state)
			memcpy(m->scratch[thread].before, s.state, words * sizeof(*s.state));
		if (!(m->visits ? sweep_by_colour(&s, stop, &groups)
				: sweep_by_index(&s, stop, &groups)))
			return;
	}
}

static int lanes_update(void *priv, const double *beta, bool each,
			const struct soft_bm_position *at, uint64_t sweeps, struct pbit_ctl *ctl,
			uint64_t *done)
{
	struct lanes *m = priv;
	struct run run = {.m = m, .at = at, .draw = soft_draw_at(at)};
	const struct soft_blocks blocks = {
		.pool = m->pool,
		.parts = m->parts,
		.sweep_ns = row_ns(m->kernel, m->part_lanes, m->parts) * m->n,
		.state = m->state,
		.copy = m->copy,
		.bytes = m->parts * m->n * m->row_words * sizeof(*m->state),
		.part = run_part,
		.arg = &run,
	};

	(void)each; /* they are equal: one_beta */
	set_thresholds(m, beta[0]);
	return soft_blocks_run(&blocks, sweeps, ctl, done);
}

const struct soft_bm_engine soft_engine_lanes = {
	.name = "lanes",
	.cost = lanes_cost,
	.make = lanes_make,
	.free = lanes_free,
	.clamp = lanes_clamp,
	.set_state = lanes_set_state,
	.read = lanes_read,
	.rebias = lanes_rebias,
	.update = lanes_update,
	.one_beta = true,
};
