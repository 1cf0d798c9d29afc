/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device: what your hardware does instead. Inputs are sums of integers, as a small FPGA makes
 * them; a p-bit becomes +1 where a random number of 24 bits is below the threshold of its input.
 * The library has checked sizes, ranges, formats and the order against the capabilities.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"

/* Couplings between two looks at the control block, a p-bit counting as 32: a small part of 1 ms. */
#define WORK_PER_LOOK (1u << 16)

void machine_clear(struct machine *m)
{
	free(m->row);
	free(m->col);
	free(m->weight);
	free(m->bias);
	free(m->visit);
	free(m->state);
	free(m->before);
	free(m->clamped);
	*m = (struct machine){.limits = m->limits};
}

static int allocate(struct machine *m, uint64_t couplings)
{
	m->row = calloc((size_t)m->n + 1, sizeof(*m->row));
	m->col = calloc(couplings + 1, sizeof(*m->col));
	m->weight = calloc(couplings + 1, sizeof(*m->weight));
	m->bias = calloc(m->n, sizeof(*m->bias));
	m->visit = calloc(m->n, sizeof(*m->visit));
	m->state = calloc(m->words, sizeof(*m->state));
	m->before = calloc(m->words, sizeof(*m->before));
	m->clamped = calloc(m->words, sizeof(*m->clamped));
	return m->row && m->col && m->weight && m->bias && m->visit && m->state && m->before &&
			       m->clamped
		       ? 0
		       : -ENOMEM;
}

/*
 * PORT 2a: write these integers to your weight memory. Here couplings and biases meet in one sum, so
 * they share the finer of the two steps. Where nothing is rounded (real), and where bits must be
 * those of the contract, the library's own integers are taken.
 */
static int load_registers(struct machine *m, const struct pbit_bm_view *view)
{
	const struct pbit_format *J = &m->limits->coupling, *h = &m->limits->bias;
	const uint64_t couplings = view->row[view->n];
	const unsigned fraction =
		J->fraction_bits > h->fraction_bits ? J->fraction_bits : h->fraction_bits;
	int rc = 0;

	memcpy(m->row, view->row, ((size_t)m->n + 1) * sizeof(*m->row));
	memcpy(m->col, view->col, couplings * sizeof(*m->col));
	if (m->limits->contract || J->integer_bits == REAL || h->integer_bits == REAL) {
		m->step = view->step;
		memcpy(m->weight, view->Jq, couplings * sizeof(*m->weight));
		memcpy(m->bias, view->hq, m->n * sizeof(*m->bias));
		return 0;
	}
	m->step = pbit_from_fixed(1, fraction);
	for (uint64_t k = 0; k < couplings && !rc; k++)
		rc = pbit_to_fixed(view->J[k], J->integer_bits, fraction, &m->weight[k]);
	for (uint32_t i = 0; i < m->n && !rc; i++)
		rc = pbit_to_fixed(view->h[i], h->integer_bits, fraction, &m->bias[i]);
	return rc;
}

/* Afterwards all p-bits are -1 and free. */
int machine_program(struct machine *m, const struct pbit_bm_view *view, uint32_t order,
		    uint64_t seed)
{
	int rc;

	machine_clear(m);
	m->n = view->n;
	m->order = order;
	m->words = ((size_t)view->n + 63) / 64;
	rc = allocate(m, view->row[view->n]);
	if (!rc)
		rc = order_visits(view, order, m->visit);
	if (rc) {
		machine_clear(m);
		return pbit_fail(rc, PBIT_ERR_RESOURCE, "cannot program the machine",
				 "template:", NULL, "no memory for %u p-bits", view->n);
	}
	random_start(&m->random, m->limits->contract, seed + m->limits->seed);
	return load_registers(m, view);
}

/* PORT 2b: your clamp mask. Clamped p-bits take their values at once; the others keep theirs. */
int machine_clamp(struct machine *m, const uint64_t *mask, const uint64_t *value)
{
	for (size_t w = 0; w < m->words; w++) {
		m->clamped[w] = mask ? mask[w] : 0;
		if (mask)
			m->state[w] = (m->state[w] & ~mask[w]) | (value[w] & mask[w]);
	}
	return 0;
}

/* PORT 2d: read the state from your device. */
int machine_read(const struct machine *m, uint64_t *state)
{
	memcpy(state, m->state, m->words * sizeof(*state));
	return 0;
}

static bool up(const uint64_t *state, uint32_t i)
{
	return state[i / 64] >> (i % 64) & 1;
}

/* One p-bit: its input from the state `seen`, its probability, its draw. */
static void update_one(struct machine *m, double twice_beta_step, const uint64_t *seen, uint32_t i)
{
	const uint64_t bit = 1ull << (i % 64);
	int64_t input = m->bias[i];

	for (uint64_t k = m->row[i]; k < m->row[i + 1]; k++)
		input += up(seen, m->col[k]) ? m->weight[k] : -(int64_t)m->weight[k];
	if (random_draw(&m->random, i) < pbit_threshold24((float)(twice_beta_step * (double)input)))
		m->state[i / 64] |= bit;
	else
		m->state[i / 64] &= ~bit;
	m->work += 32 + m->row[i + 1] - m->row[i];
}

/* Has the caller lost interest? Asking costs a little, so not after every p-bit. */
static int look(struct machine *m, struct pbit_ctl *ctl)
{
	if (m->work < WORK_PER_LOOK)
		return 0;
	m->work = 0;
	return pbit_ctl_check(ctl);
}

/* Every free p-bit once. */
static int sweep(struct machine *m, double twice_beta_step, struct pbit_ctl *ctl)
{
	const uint64_t *seen = m->order == PBIT_ORDER_SYNCHRONOUS ? m->before : m->state;
	int rc = 0;

	memcpy(m->before, m->state, m->words * sizeof(*m->before));
	for (uint32_t v = 0; v < m->n && !rc; v++) {
		if (up(m->clamped, m->visit[v]))
			continue;
		update_one(m, twice_beta_step, seen, m->visit[v]);
		rc = look(m, ctl);
	}
	if (rc)
		memcpy(m->state, m->before, m->words * sizeof(*m->state));
	else
		random_next_sweep(&m->random);
	return rc;
}

/*
 * PORT 2c: start your device, then wait for it: on its interrupt and pbit_ctl_fd() together, or with
 * pbit_ctl_check() every few milliseconds. Leave it usable where the caller gives up.
 */
int machine_update(struct machine *m, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	const double twice_beta_step = 2.0 * beta * m->step;

	for (uint64_t done = 0; done < sweeps; done++) {
		const int rc = sweep(m, twice_beta_step, ctl);

		if (rc)
			return pbit_fail(
				rc, rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
				"cannot update the machine",
				"template:", "the state behind the last whole sweep is kept",
				"%s after %llu of %llu sweeps",
				rc == -ETIMEDOUT ? "the deadline passed" : "cancelled",
				(unsigned long long)done, (unsigned long long)sweeps);
	}
	return 0;
}
