/* SPDX-License-Identifier: Apache-2.0 */
/* The programmed machine, with the defects that lie in its couplings and biases. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "rules.h"

static void *copy(const void *from, size_t count, size_t size)
{
	void *to = calloc(count ? count : 1, size);

	if (to && count)
		memcpy(to, from, count * size);
	return to;
}

/* To whole multiples of the largest magnitude over 2^(bits - 1) - 1. */
static void quantise(double *values, uint64_t count, double largest, uint64_t bits)
{
	double step = largest / (double)((1u << (bits - 1)) - 1);

	for (uint64_t k = 0; k < count && step > 0.0; k++)
		values[k] = step * rint(values[k] / step);
}

static double largest_of(const double *values, uint64_t count)
{
	double largest = 0.0;

	for (uint64_t k = 0; k < count; k++)
		largest = fmax(largest, fabs(values[k]));
	return largest;
}

/* Both directions of the coupling whose later p-bit comes last. */
static void drop_coupling(struct rules_machine *m)
{
	uint64_t entries = m->row[m->n];
	uint32_t i = m->n - 1, j;

	if (!entries)
		return;
	while (m->row[i] == m->row[i + 1])
		i--;
	j = m->col[m->row[i + 1] - 1];
	m->J[m->row[i + 1] - 1] = 0.0;
	for (uint64_t k = m->row[j]; k < m->row[j + 1]; k++) {
		if (m->col[k] == i)
			m->J[k] = 0.0;
	}
}

struct rules_machine *rules_machine_new(const struct rules_config *config,
					const struct pbit_bm_view *view, uint64_t seed)
{
	struct rules_machine *m = calloc(1, sizeof(*m));
	uint64_t entries = view->row[view->n];
	double largest;

	if (!m)
		return NULL;
	m->n = view->n;
	m->random = seed;
	m->row = copy(view->row, (size_t)view->n + 1, sizeof(*m->row));
	m->col = copy(view->col, entries, sizeof(*m->col));
	m->J = copy(view->J, entries, sizeof(*m->J));
	m->h = copy(view->h, view->n, sizeof(*m->h));
	m->up = calloc(view->n, 1);
	m->before = calloc(view->n, 1);
	m->clamped = calloc(view->n, 1);
	if (!m->row || !m->col || !m->J || !m->h || !m->up || !m->before || !m->clamped) {
		rules_machine_free(m);
		return NULL;
	}
	if (config->bits) {
		largest = fmax(largest_of(m->J, entries), largest_of(m->h, m->n));
		quantise(m->J, entries, largest, config->bits);
		quantise(m->h, m->n, largest, config->bits);
	}
	if (config->drop)
		drop_coupling(m);
	if (config->stuck < m->n)
		m->up[config->stuck] = 1;
	return m;
}

void rules_machine_free(struct rules_machine *m)
{
	if (!m)
		return;
	free(m->row);
	free(m->col);
	free(m->J);
	free(m->h);
	free(m->up);
	free(m->before);
	free(m->clamped);
	free(m);
}
