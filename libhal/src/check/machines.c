/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: a pair, invertible logic gates (all verified by enumeration in the tests), a dense
 * random machine with fields, the 3 x 3 torus, a chain, a ring, planted plaquettes. Fixed numbers, so
 * that every certificate is about the same machines.
 */
#include "check/machine.h"

#include <math.h>
#include <stddef.h>

static void start(struct pbit__check_machine *m, const char *name, uint32_t n, double beta)
{
	*m = (struct pbit__check_machine){.name = name, .n = n, .beta = beta};
}

static void make_pair(struct pbit__check_machine *m)
{
	start(m, "pair", 2, 1.0);
	pbit__check_machine_couple(m, 0, 1, 0.5);
}

static void set_fields(struct pbit__check_machine *m, const double *h)
{
	for (uint32_t i = 0; i < m->n; i++)
		m->h[i] = h[i];
}

/* A, B, C = A and B. */
static void make_and(struct pbit__check_machine *m)
{
	static const double h[] = {1, 1, -2};

	start(m, "gate-and", 3, 0.8);
	pbit__check_machine_couple(m, 0, 1, -1);
	pbit__check_machine_couple(m, 0, 2, 2);
	pbit__check_machine_couple(m, 1, 2, 2);
	set_fields(m, h);
}

static void make_or(struct pbit__check_machine *m)
{
	make_and(m);
	m->name = "gate-or";
	for (uint32_t i = 0; i < m->n; i++)
		m->h[i] = -m->h[i];
}

/* A, B, C = A xor B, D = A and B. */
static void make_xor(struct pbit__check_machine *m)
{
	static const double h[] = {1, 1, -1, -2};

	start(m, "gate-xor", 4, 0.6);
	pbit__check_machine_couple(m, 0, 1, -1);
	pbit__check_machine_couple(m, 0, 2, 1);
	pbit__check_machine_couple(m, 1, 2, 1);
	pbit__check_machine_couple(m, 0, 3, 2);
	pbit__check_machine_couple(m, 1, 3, 2);
	pbit__check_machine_couple(m, 2, 3, -2);
	set_fields(m, h);
}

/* A, B, carry in, sum, carry out. */
static void make_adder(struct pbit__check_machine *m)
{
	start(m, "gate-adder", 5, 0.6);
	pbit__check_machine_couple(m, 0, 1, -1);
	pbit__check_machine_couple(m, 0, 2, -1);
	pbit__check_machine_couple(m, 1, 2, -1);
	for (uint32_t i = 0; i < 3; i++) {
		pbit__check_machine_couple(m, i, 3, 1);
		pbit__check_machine_couple(m, i, 4, 2);
	}
	pbit__check_machine_couple(m, 3, 4, -2);
}

/* SplitMix64's finaliser on a counter (Steele, Lea, Flood: OOPSLA 2014); uniform on (-1, 1). */
static double number(uint64_t *counter)
{
	uint64_t x = *counter += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return 2.0 * (double)((x ^ x >> 31) >> 11) * 0x1p-53 - 1.0;
}

void pbit__check_machine_random(struct pbit__check_machine *m, uint32_t n, uint64_t seed)
{
	start(m, "sk8", n, 1.0);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = i + 1; j < n; j++) {
			double u = number(&seed);

			/* None so weak that nobody would miss it. */
			u = copysign(0.3 + 0.7 * fabs(u), u);
			pbit__check_machine_couple(m, i, j, sqrt(2.0 / n) * u);
		}
		m->h[i] = 0.5 * number(&seed);
	}
}

static void make_random(struct pbit__check_machine *m)
{
	pbit__check_machine_random(m, 8, 8);
}

/* A flip that costs nothing moves this chain from state to state. */
static void make_torus(struct pbit__check_machine *m)
{
	start(m, "torus3x3", 9, 1.0);
	for (uint32_t i = 0; i < 9; i++) {
		pbit__check_machine_couple(m, i, i / 3 * 3 + (i + 1) % 3, 0.4);
		pbit__check_machine_couple(m, i, (i + 3) % 9, 0.4);
	}
}

static void make_chain(struct pbit__check_machine *m)
{
	start(m, "chain", 8, 1.0);
	for (uint32_t i = 0; i + 1 < 8; i++)
		pbit__check_machine_couple(m, i, i + 1, 0.5);
}

static void make_ring(struct pbit__check_machine *m)
{
	start(m, "ring", 8, 1.0);
	for (uint32_t i = 0; i < 8; i++)
		pbit__check_machine_couple(m, i, (i + 1) % 8, -0.5);
}

bool pbit__check_machine_get(uint32_t k, struct pbit__check_machine *m)
{
	static void (*const makers[])(struct pbit__check_machine *) = {
		make_pair,   make_and,	 make_or,    make_xor,	make_adder,
		make_random, make_torus, make_chain, make_ring,
	};

	if (k >= sizeof(makers) / sizeof(makers[0]))
		return false;
	makers[k](m);
	return true;
}

void pbit__check_machine_free_spins(struct pbit__check_machine *m, uint32_t n)
{
	start(m, "free", n, 1.0);
}

/* Adds to a coupling that may be there already. */
static void add(struct pbit__check_machine *m, uint32_t i, uint32_t j, double J)
{
	for (uint32_t k = 0; k < m->n_edges; k++) {
		struct pbit__check_edge *e = &m->edge[k];

		if ((e->i == i && e->j == j) || (e->i == j && e->j == i)) {
			e->J += J;
			return;
		}
	}
	pbit__check_machine_couple(m, i, j, J);
}

/*
 * Each plaquette is a loop with three couplings that the planted state satisfies and one that it
 * does not: its own least energy is -2 and the planted state reaches it, so that the sum's least energy is
 * -2 for each (Hen and others: Probing for quantum speedup in spin-glass problems, PRA 92, 042325, 2015).
 */
void pbit__check_machine_planted(struct pbit__check_machine *m, double *ground)
{
	static const uint8_t up[12] = {1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0};
	uint64_t seed = 34;

	start(m, "planted", 12, 0.7);
	*ground = 0.0;
	for (uint32_t p = 0; p < 12; p++) {
		uint32_t y = p / 4, x = p % 4, y1 = (y + 1) % 3, x1 = (x + 1) % 4;
		uint32_t loop[5] = {y * 4 + x, y * 4 + x1, y1 * 4 + x1, y1 * 4 + x, y * 4 + x};
		uint32_t odd = (uint32_t)(2.0 * (number(&seed) + 1.0)) % 4;

		if (number(&seed) < -0.2)
			continue;
		for (uint32_t k = 0; k < 4; k++) {
			double J = up[loop[k]] == up[loop[k + 1]] ? 1.0 : -1.0;

			add(m, loop[k], loop[k + 1], k == odd ? -J : J);
		}
		*ground -= 2.0;
	}
	for (uint32_t k = m->n_edges; k--;) {
		if (m->edge[k].J == 0.0)
			pbit__check_machine_drop(m, k);
	}
}
