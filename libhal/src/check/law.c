/* SPDX-License-Identifier: Apache-2.0 */
/* Exact laws of small machines: see law.h. */
#include "check/law.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double spin(uint32_t state, uint32_t i)
{
	return state >> i & 1 ? 1.0 : -1.0;
}

double pbit__check_energy(const struct pbit__check_machine *m, uint32_t state)
{
	double e = 0.0;

	for (uint32_t k = 0; k < m->n_edges; k++)
		e -= m->edge[k].J * spin(state, m->edge[k].i) * spin(state, m->edge[k].j);
	for (uint32_t i = 0; i < m->n; i++)
		e -= m->h[i] * spin(state, i);
	return e;
}

void pbit__check_gibbs(const struct pbit__check_machine *m, double beta, double *p)
{
	uint32_t states = 1u << m->n;
	double least = INFINITY, sum = 0.0;

	for (uint32_t s = 0; s < states; s++) {
		p[s] = pbit__check_energy(m, s);
		least = fmin(least, p[s]);
	}
	for (uint32_t s = 0; s < states; s++) {
		p[s] = exp(-beta * (p[s] - least));
		sum += p[s];
	}
	for (uint32_t s = 0; s < states; s++)
		p[s] /= sum;
}

static void fill_chances(struct pbit__check_law *law, double beta)
{
	for (uint32_t i = 0; i < law->n; i++) {
		for (uint32_t s = 0; s < law->states; s++) {
			uint32_t high = s | 1u << i, low = high ^ 1u << i;
			double rise = law->energy[high] - law->energy[low];

			law->up[(size_t)i * law->states + s] = 1.0 / (1.0 + exp(beta * rise));
		}
	}
}

/* Greedy colours in order of the index (CONTRACT.md). */
static void order_by_colour(struct pbit__check_law *law, const struct pbit__check_machine *m)
{
	uint32_t colour[PBIT__CHECK_PBITS], at = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		uint32_t taken = 0;

		for (uint32_t k = 0; k < m->n_edges; k++) {
			const struct pbit__check_edge *e = &m->edge[k];
			uint32_t other = e->i == i ? e->j : e->i;

			if ((e->i == i || e->j == i) && other < i && e->J != 0.0)
				taken |= 1u << colour[other];
		}
		for (colour[i] = 0; taken >> colour[i] & 1;)
			colour[i]++;
	}
	for (uint32_t c = 0; c < m->n; c++) {
		for (uint32_t i = 0; i < m->n; i++) {
			if (colour[i] == c)
				law->visit[at++] = i;
		}
	}
}

/* The mass of each pair of states that differ in one p-bit is shared out anew. */
static void sweep_in_turn(const struct pbit__check_law *law, double *p)
{
	for (uint32_t v = 0; v < law->n; v++) {
		uint32_t bit = 1u << law->visit[v];
		const double *up = law->up + (size_t)law->visit[v] * law->states;

		for (uint32_t s = 0; s < law->states; s++) {
			double mass;

			if (s & bit)
				continue;
			mass = p[s] + p[s | bit];
			p[s | bit] = mass * up[s];
			p[s] = mass * (1.0 - up[s]);
		}
	}
}

static void sweep_together(const struct pbit__check_law *law, double *p)
{
	double *next = law->work, *row = law->work + law->states;

	memset(next, 0, law->states * sizeof(*next));
	for (uint32_t s = 0; s < law->states; s++) {
		if (p[s] == 0.0)
			continue;
		row[0] = p[s];
		for (uint32_t i = 0; i < law->n; i++) {
			double up = law->up[(size_t)i * law->states + s];

			for (uint32_t t = 0; t < 1u << i; t++) {
				row[t | 1u << i] = row[t] * up;
				row[t] *= 1.0 - up;
			}
		}
		for (uint32_t t = 0; t < law->states; t++)
			next[t] += row[t];
	}
	memcpy(p, next, law->states * sizeof(*p));
}

void pbit__check_law_sweep(const struct pbit__check_law *law, uint64_t sweeps, double *p)
{
	while (sweeps--) {
		if (law->order == PBIT_ORDER_SYNCHRONOUS)
			sweep_together(law, p);
		else
			sweep_in_turn(law, p);
	}
}

/* All sweeps of a synchronous chain together have another law than Boltzmann's. */
static void settle(struct pbit__check_law *law, double *before)
{
	for (uint32_t round = 0; round < 2000; round++) {
		double moved = 0.0;

		memcpy(before, law->p, law->states * sizeof(*before));
		sweep_together(law, law->p);
		for (uint32_t s = 0; s < law->states; s++)
			moved += fabs(law->p[s] - before[s]);
		if (moved < 1e-14)
			return;
	}
}

/*
 * Power iteration on a deviation from the stationary law. The eigenvalue may be one of a complex pair, so
 * its size is the mean rate of decay over many sweeps and not that of one.
 */
static double second_eigenvalue(const struct pbit__check_law *law, double *d)
{
	const uint32_t warm = 60, rounds = 180;
	double rate = 0.0;
	uint32_t x = 1;

	for (uint32_t s = 0; s < law->states; s++) {
		x = x * 1664525u + 1013904223u;
		d[s] = (double)(x >> 8) / 0x1p24;
	}
	for (uint32_t k = 0; k < warm + rounds; k++) {
		double sum = 0.0, size = 0.0;

		pbit__check_law_sweep(law, 1, d);
		for (uint32_t s = 0; s < law->states; s++)
			sum += d[s];
		for (uint32_t s = 0; s < law->states; s++) {
			d[s] -= sum * law->p[s];
			size += fabs(d[s]);
		}
		if (size < 1e-9)
			return 1e-9; /* forgotten at once; what remains is rounding */
		if (k >= warm)
			rate += log(size) / rounds;
		for (uint32_t s = 0; s < law->states; s++)
			d[s] /= size;
	}
	return fmin(exp(rate), 1.0 - 1e-12);
}

int pbit__check_law_make(struct pbit__check_law *law, const struct pbit__check_machine *m,
			 double beta, uint32_t order)
{
	double *d;

	*law = (struct pbit__check_law){.n = m->n, .states = 1u << m->n, .order = order};
	law->energy = calloc(law->states, sizeof(double));
	law->up = calloc((size_t)law->states * m->n, sizeof(double));
	law->p = calloc(law->states, sizeof(double));
	law->work = calloc((size_t)law->states * 2, sizeof(double));
	d = calloc(law->states, sizeof(double));
	if (!law->energy || !law->up || !law->p || !law->work || !d) {
		free(d);
		return -ENOMEM;
	}
	for (uint32_t s = 0; s < law->states; s++)
		law->energy[s] = pbit__check_energy(m, s);
	for (uint32_t i = 0; i < m->n; i++)
		law->visit[i] = i;
	if (order == PBIT_ORDER_CHROMATIC)
		order_by_colour(law, m);
	fill_chances(law, beta);
	pbit__check_gibbs(m, beta, law->p);
	if (order == PBIT_ORDER_SYNCHRONOUS)
		settle(law, d);
	free(d);
	return 0;
}

int pbit__check_law_mix(struct pbit__check_law *law)
{
	double *d = calloc(law->states, sizeof(*d));

	if (!d)
		return -ENOMEM;
	law->lambda = second_eigenvalue(law, d);
	free(d);
	return 0;
}

void pbit__check_law_free(struct pbit__check_law *law)
{
	free(law->energy);
	free(law->up);
	free(law->p);
	free(law->work);
	*law = (struct pbit__check_law){0};
}

void pbit__check_law_moments(const struct pbit__check_law *law, double *mean, double *variance)
{
	*mean = *variance = 0.0;
	for (uint32_t s = 0; s < law->states; s++)
		*mean += law->p[s] * law->energy[s];
	for (uint32_t s = 0; s < law->states; s++)
		*variance += law->p[s] * (law->energy[s] - *mean) * (law->energy[s] - *mean);
}

uint64_t pbit__check_law_sweeps(const struct pbit__check_law *law, double part)
{
	double sweeps = ceil(log(part) / log(law->lambda));

	return sweeps < 1.0 ? 1 : sweeps > 1e9 ? 1000000000u : (uint64_t)sweeps;
}

double pbit__check_law_tau(const struct pbit__check_law *law)
{
	return 0.5 * (1.0 + law->lambda) / (1.0 - law->lambda);
}
