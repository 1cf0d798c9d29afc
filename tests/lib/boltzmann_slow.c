/* SPDX-License-Identifier: Apache-2.0 */
/* Boltzmann mode of CONTRACT.md word by word: see boltzmann_slow.h. */
#include "boltzmann_slow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pbit/pbit.h>

struct slow *slow_new(uint32_t n, uint32_t order, uint64_t seed)
{
	struct slow *slow = calloc(1, sizeof(*slow));

	assert_non_null(slow);
	slow->n = n;
	slow->order = order;
	slow->seed = seed;
	slow->J = calloc((size_t)n * n, sizeof(*slow->J));
	slow->h = calloc(n, sizeof(*slow->h));
	slow->m = calloc(n, sizeof(*slow->m));
	slow->clamped = calloc(n, sizeof(*slow->clamped));
	assert_true(slow->J && slow->h && slow->m && slow->clamped);
	for (uint32_t i = 0; i < n; i++)
		slow->m[i] = -1.0;
	return slow;
}

void slow_free(struct slow *slow)
{
	free(slow->J);
	free(slow->h);
	free(slow->m);
	free(slow->clamped);
	free(slow);
}

static double update_of(const struct slow *s, const double *m, double beta, uint32_t i)
{
	uint32_t U = pbit_draw_boltzmann(s->seed, 0, s->sweep, s->shared_bits ? 0 : i), t;
	double I = 0.0;

	for (uint32_t j = 0; j < s->n; j++) {
		/* A pair without a coupling has no term. */
		if (s->J[(size_t)i * s->n + j] != 0.0)
			I += s->J[(size_t)i * s->n + j] * m[j];
	}
	I += s->h[i];
	t = pbit_threshold24((float)(2.0 * beta * I));
	if (s->draw_bits) {
		U >>= 24 - s->draw_bits;
		t >>= 24 - s->draw_bits;
	}
	return (s->loose_tie ? U <= t : U < t) ? 1.0 : -1.0;
}

/* Smallest colour of no earlier neighbour, for each p-bit in turn. */
static void colour(const struct slow *s, uint32_t *colours)
{
	for (uint32_t i = 0; i < s->n; i++) {
		bool clash = true;

		for (colours[i] = 0; clash; colours[i] += clash) {
			clash = false;
			for (uint32_t j = 0; j < i; j++)
				clash |= s->J[(size_t)i * s->n + j] != 0.0 &&
					 colours[j] == colours[i];
		}
	}
}

static void sweep_once(struct slow *s, double beta, const uint32_t *colours, double *old)
{
	memcpy(old, s->m, s->n * sizeof(*old));
	for (uint32_t c = 0; c < s->n; c++) {
		for (uint32_t i = 0; i < s->n; i++) {
			if (colours[i] != c || s->clamped[i])
				continue;
			s->m[i] = update_of(s, s->order == PBIT_ORDER_SYNCHRONOUS ? old : s->m,
					    beta, i);
		}
	}
	s->sweep++;
}

void slow_update(struct slow *slow, double beta, uint64_t sweeps)
{
	uint32_t *colours = calloc(slow->n, sizeof(*colours));
	double *old = calloc(slow->n, sizeof(*old));

	assert_true(colours && old);
	if (slow->order == PBIT_ORDER_CHROMATIC)
		colour(slow, colours);
	while (sweeps--)
		sweep_once(slow, beta, colours, old);
	free(old);
	free(colours);
}

void slow_read(const struct slow *slow, uint64_t *state)
{
	memset(state, 0, ((size_t)slow->n + 63) / 64 * sizeof(*state));
	for (uint32_t i = 0; i < slow->n; i++)
		state[i / 64] |= (uint64_t)(slow->m[i] > 0.0) << (i % 64);
}
