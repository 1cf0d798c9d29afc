/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of CONTRACT.md, slowly, from a view: replicas, clamps, any stream of random bits.
 * It serves a mock device as what a device does on its own, without a line of the software device.
 */
#ifndef TEST_BOLTZMANN_MACHINE_H
#define TEST_BOLTZMANN_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "boltzmann/colour.h"

struct machine {
	uint32_t n, order, replicas, colours;
	size_t words;
	uint64_t *row;
	uint32_t *col, *colour;
	int32_t *Jq, *hq;
	double step;
	uint64_t *state, *before, *clamped;
	uint64_t seed;
	struct pbit_stream stream;
};

static inline void *machine_copy(const void *from, size_t count, size_t size)
{
	void *to = calloc(count + 1, size);

	assert_non_null(to);
	memcpy(to, from, count * size);
	return to;
}

static inline void machine_free(struct machine *m)
{
	if (!m)
		return;
	free(m->row);
	free(m->col);
	free(m->colour);
	free(m->Jq);
	free(m->hq);
	free(m->state);
	free(m->before);
	free(m->clamped);
	free(m);
}

static inline struct machine *machine_new(const struct pbit_bm_view *v,
					  const struct pbit_program_opts *opts)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->n = v->n;
	m->order = opts->order;
	m->replicas = opts->replicas;
	m->words = ((size_t)v->n + 63) / 64;
	m->row = machine_copy(v->row, (size_t)v->n + 1, sizeof(*v->row));
	m->col = machine_copy(v->col, v->row[v->n], sizeof(*v->col));
	m->Jq = machine_copy(v->Jq, v->row[v->n], sizeof(*v->Jq));
	m->hq = machine_copy(v->hq, v->n, sizeof(*v->hq));
	m->step = v->step;
	m->colour = calloc(v->n, sizeof(*m->colour));
	m->state = calloc(m->replicas, m->words * sizeof(*m->state));
	m->before = calloc(m->words, sizeof(*m->before));
	m->clamped = calloc(m->words, sizeof(*m->clamped));
	assert_true(m->colour && m->state && m->before && m->clamped);
	m->colours = 1;
	if (m->order == PBIT_ORDER_CHROMATIC)
		assert_int_equal(pbit__bm_colour_view(v, m->colour, &m->colours), 0);
	m->seed = opts->seed;
	m->stream.domain = PBIT_DOMAIN_BOLTZMANN;
	m->stream.chain = opts->first_chain;
	return m;
}

static inline void machine_clamp(struct machine *m, const uint64_t *mask, const uint64_t *values,
				 bool each)
{
	for (size_t w = 0; w < m->words; w++)
		m->clamped[w] = mask ? mask[w] : 0;
	for (size_t k = 0; mask && k < m->replicas * m->words; k++) {
		uint64_t held = mask[k % m->words];

		m->state[k] = (m->state[k] & ~held) | (values[each ? k : k % m->words] & held);
	}
}

static inline void machine_set_state(struct machine *m, const uint64_t *states)
{
	for (size_t k = 0; k < m->replicas * m->words; k++) {
		uint64_t held = m->clamped[k % m->words];

		m->state[k] = (m->state[k] & held) | (states[k] & ~held);
	}
}

static inline uint32_t machine_draw(const struct machine *m, uint32_t r, uint32_t i)
{
	const struct pbit_stream *s = &m->stream;

	if (s->domain == PBIT_DOMAIN_BOLTZMANN)
		return pbit_draw_boltzmann(m->seed, s->chain + r, s->sweep, s->first_pbit + i);
	return pbit_draw_layer(m->seed, (uint32_t)s->layer, s->chain + r, s->sweep,
			       s->first_pbit + i);
}

static inline bool machine_bit(const uint64_t *state, uint32_t i)
{
	return state[i / 64] >> (i % 64) & 1;
}

static inline void machine_update_one(struct machine *m, uint32_t r, uint32_t i, double beta)
{
	uint64_t *state = m->state + r * m->words, bit = 1ull << (i % 64);
	const uint64_t *seen = m->order == PBIT_ORDER_SYNCHRONOUS ? m->before : state;
	int64_t sum = m->hq[i];

	if (m->clamped[i / 64] & bit)
		return;
	for (uint64_t k = m->row[i]; k < m->row[i + 1]; k++)
		sum += machine_bit(seen, m->col[k]) ? m->Jq[k] : -(int64_t)m->Jq[k];
	if (machine_draw(m, r, i) < pbit_threshold24((float)(2.0 * beta * m->step * (double)sum)))
		state[i / 64] |= bit;
	else
		state[i / 64] &= ~bit;
}

static inline int machine_update(struct machine *m, const double *beta, bool each, uint64_t sweeps,
				 struct pbit_ctl *ctl)
{
	for (uint64_t s = 0; s < sweeps; s++) {
		int rc = pbit_ctl_check(ctl);

		if (rc)
			return pbit_fail(rc, PBIT_ERR_CANCELLED, "mock", NULL, NULL, "interrupted");
		for (uint32_t r = 0; r < m->replicas; r++) {
			memcpy(m->before, m->state + r * m->words, m->words * sizeof(*m->before));
			for (uint32_t c = 0; c < m->colours; c++) {
				for (uint32_t i = 0; i < m->n; i++) {
					if (m->colour[i] == c)
						machine_update_one(m, r, i, beta[each ? r : 0]);
				}
			}
		}
		m->stream.sweep++;
	}
	return 0;
}

#endif
