/* SPDX-License-Identifier: Apache-2.0 */
/* Random machines in fixed point, and the loop of CONTRACT.md written out for them. */
#ifndef TEST_ENGINE_MACHINE_H
#define TEST_ENGINE_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "software/boltzmann/engine.h"

enum shape {
	SHAPE_SPARSE,	 /* random graph of uneven degrees, some p-bits alone */
	SHAPE_GRID,	 /* periodic lattice of rows of 8 */
	SHAPE_DENSE,	 /* complete */
	SHAPE_BIPARTITE, /* complete between the first 5/8 and the others */
	SHAPE_SHUFFLED,	 /* between even and odd, one coupling in eight missing */
};

struct machine {
	struct pbit_bm_view view;
	uint64_t *row;
	uint32_t *col;
	int32_t *Jq, *hq;
	int32_t *K; /* n x n, K[i * n + j] acts on i */
	bool *coupled;
};

static inline uint64_t next_random(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline void *checked(void *p)
{
	if (!p)
		fail_msg("no memory");
	return p;
}

static inline int32_t random_value(uint64_t *s, int32_t largest)
{
	const int32_t v = (int32_t)(next_random(s) % (uint64_t)largest) + 1;

	return next_random(s) & 1u << 20 ? v : -v;
}

static inline bool shape_has(enum shape shape, uint32_t n, uint32_t i, uint32_t j, uint64_t *s)
{
	const uint32_t d = j - i; /* i < j */

	switch (shape) {
	case SHAPE_SPARSE:
		return i % 11 && j % 11 && next_random(s) % n < 2 + i % 7;
	case SHAPE_GRID:
		return (d == 1 && i % 8 != 7) || (d == 7 && i % 8 == 0) || d == 8 ||
		       (n % 8 == 0 && n > 16 && d == n - 8);
	case SHAPE_DENSE:
		return true;
	case SHAPE_BIPARTITE:
		return i < n * 5 / 8 && j >= n * 5 / 8;
	default:
		return d % 2 && next_random(s) % 8;
	}
}

static inline void machine_free(struct machine *m)
{
	free(m->row);
	free(m->col);
	free(m->Jq);
	free(m->hq);
	free(m->K);
	free(m->coupled);
	free(m);
}

static inline void machine_rebias(struct machine *m, int32_t largest, uint64_t seed)
{
	for (uint32_t i = 0; i < m->view.n; i++)
		m->hq[i] = next_random(&seed) % 4 ? random_value(&seed, largest) : 0;
}

static inline void machine_fill(struct machine *m, enum shape shape, int32_t largest, bool directed,
				uint64_t *s)
{
	const uint32_t n = m->view.n;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = i + 1; j < n; j++) {
			const uint64_t ways = directed ? next_random(s) % 3 : 0;

			if (!shape_has(shape, n, i, j, s))
				continue;
			m->coupled[i * n + j] = ways != 1;
			m->coupled[j * n + i] = ways != 2;
			m->K[i * n + j] = m->K[j * n + i] = random_value(s, largest);
		}
}

static inline struct machine *machine_new(enum shape shape, uint32_t n, int32_t largest,
					  double step, uint64_t seed, bool directed)
{
	struct machine *m = checked(calloc(1, sizeof(*m)));
	uint64_t entries = 0;

	m->view.struct_size = sizeof(m->view);
	m->view.n = n;
	m->view.step = step;
	m->view.flags = PBIT_BM_EXACT | (directed ? PBIT_BM_DIRECTED : 0);
	m->K = checked(calloc((size_t)n * n, sizeof(*m->K)));
	m->coupled = checked(calloc((size_t)n * n, sizeof(*m->coupled)));
	machine_fill(m, shape, largest, directed, &seed);
	for (size_t k = 0; k < (size_t)n * n; k++) {
		entries += m->coupled[k];
		m->K[k] = m->coupled[k] ? m->K[k] : 0;
	}
	m->row = checked(calloc((size_t)n + 1, sizeof(*m->row)));
	m->col = checked(calloc(entries + 1, sizeof(*m->col)));
	m->Jq = checked(calloc(entries + 1, sizeof(*m->Jq)));
	m->hq = checked(calloc(n, sizeof(*m->hq)));
	entries = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < n; j++)
			if (m->coupled[i * n + j]) {
				m->col[entries] = j;
				m->Jq[entries++] = m->K[i * n + j];
			}
		m->row[i + 1] = entries;
	}
	m->view.row = m->row;
	m->view.col = m->col;
	m->view.Jq = m->Jq;
	m->view.hq = m->hq;
	machine_rebias(m, largest, seed);
	return m;
}

/* Order of visits: CONTRACT.md, Update orders. */
static inline void machine_visits(const struct machine *m, uint32_t order, uint32_t *visit)
{
	const uint32_t n = m->view.n;
	uint32_t *colour = checked(calloc(n, sizeof(*colour)));
	uint32_t v = 0;

	for (uint32_t i = 0; order == PBIT_ORDER_CHROMATIC && i < n; i++)
		for (uint32_t j = 0; j < i; j++)
			if ((m->coupled[i * n + j] || m->coupled[j * n + i]) &&
			    colour[j] == colour[i]) {
				colour[i]++;
				j = UINT32_MAX; /* look at all again */
			}
	for (uint32_t c = 0; c < n; c++)
		for (uint32_t i = 0; i < n; i++)
			if (colour[i] == c)
				visit[v++] = i;
	free(colour);
}

/* U on 24 bits by the table of CONTRACT.md, Randomness. */
static inline uint32_t slow_draw(const struct soft_bm_position *at, uint64_t sweep, uint64_t chain,
				 uint64_t pbit)
{
	const uint64_t i = at->first_pbit + pbit, r = i % 128;
	const uint64_t counter[4] = {8 * (i / 128) + r % 32 / 4, sweep, chain, 0};
	uint64_t key[4] = {at->key[0], at->key[1], at->key[2], 0}, high[4], low[4];

	pbit_threefry(key, counter, high);
	key[1] += 0x100;
	pbit_threefry(key, counter, low);
	return (uint32_t)(high[r / 32] >> 16 * (r % 4) & 0xffff) << 8 |
	       (uint32_t)(low[r / 32] >> 16 * (r % 4) & 0xff);
}

/* One sweep of one chain; state is n values of 0 and 1. */
static inline void slow_sweep(const struct machine *m, uint32_t order, const uint32_t *visit,
			      const bool *clamped, double beta, const struct soft_bm_position *at,
			      uint64_t sweep, uint64_t chain, uint8_t *state)
{
	const uint32_t n = m->view.n;
	uint8_t *before = checked(malloc(n));
	const uint8_t *seen = order == PBIT_ORDER_SYNCHRONOUS ? before : state;

	memcpy(before, state, n);
	for (uint32_t v = 0; v < n; v++) {
		const uint32_t i = visit[v];
		int64_t K = m->hq[i];

		if (clamped[i])
			continue;
		for (uint32_t j = 0; j < n; j++)
			K += seen[j] ? m->K[i * n + j] : -(int64_t)m->K[i * n + j];
		state[i] = slow_draw(at, sweep, chain, i) <
			   pbit_threshold24((float)(2.0 * beta * m->view.step * (double)K));
	}
	free(before);
}

#endif
