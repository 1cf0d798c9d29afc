/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invertible logic: gates whose ground states are their truth tables. Tables of J (upper triangle)
 * and h in small whole numbers; AND and OR are those of Camsari, Faria, Sutton, Datta (PRX 7,
 * 031014, 2017), the full adder has no bias, for it is its own mirror image under inversion of all
 * pins.
 */
#include <errno.h>
#include <math.h>
#include <pbit/backend.h>
#include "boltzmann/bm.h"

#define MAX_PINS  5
#define MAX_TERMS (MAX_PINS + MAX_PINS * (MAX_PINS - 1) / 2)

struct gate {
	uint32_t pins;
	int8_t h[MAX_PINS];
	int8_t J[MAX_PINS][MAX_PINS]; /* J[a][b], a < b */
};

static const struct gate gates[] = {
	[PBIT_GATE_COPY] = {2, {0}, {{0, 1}}},
	[PBIT_GATE_NOT] = {2, {0}, {{0, -1}}},
	[PBIT_GATE_AND] = {3, {1, 1, -2}, {{0, -1, 2}, {0, 0, 2}}},
	[PBIT_GATE_OR] = {3, {-1, -1, 2}, {{0, -1, 2}, {0, 0, 2}}},
	[PBIT_GATE_NAND] = {3, {1, 1, 2}, {{0, -1, -2}, {0, 0, -2}}},
	[PBIT_GATE_NOR] = {3, {-1, -1, -2}, {{0, -1, -2}, {0, 0, -2}}},
	[PBIT_GATE_XOR] = {4, {1, 1, -1, -2}, {{0, -1, 1, 2}, {0, 0, 1, 2}, {0, 0, 0, -2}}},
	[PBIT_GATE_HALF_ADDER] = {4, {3, 3, -2, -6}, {{0, -3, 2, 6}, {0, 0, 2, 6}, {0, 0, 0, -4}}},
	[PBIT_GATE_FULL_ADDER] =
		{5, {0}, {{0, -1, -1, 1, 2}, {0, 0, -1, 1, 2}, {0, 0, 0, 1, 2}, {0, 0, 0, 0, -2}}},
};

static const struct gate *find_gate(enum pbit_gate gate)
{
	size_t k = (size_t)gate;

	return k < sizeof(gates) / sizeof(gates[0]) ? &gates[k] : NULL;
}

uint32_t pbit_gate_pins(enum pbit_gate gate)
{
	const struct gate *g = find_gate(gate);

	return g ? g->pins : 0;
}

static int check_pins(const struct pbit_bm *bm, const char *what, const struct gate *g,
		      const uint32_t *pins)
{
	for (uint32_t a = 0; a < g->pins; a++) {
		int rc = pbit__bm_check_index(bm, what, "pins", pins[a]);

		if (rc)
			return rc;
		for (uint32_t b = 0; b < a; b++) {
			if (pins[a] == pins[b])
				return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "pins",
						 "couple two p-bits by PBIT_GATE_COPY instead",
						 "pins %u and %u are both p-bit %u", b, a, pins[a]);
		}
	}
	return 0;
}

int pbit_bm_add_gate(struct pbit_bm *bm, enum pbit_gate gate, const uint32_t *pins, double scale)
{
	static const char what[] = "cannot add the gate";
	const struct gate *g = find_gate(gate);
	struct pbit__coupling terms[MAX_TERMS];
	uint32_t n = 0;
	int rc;

	rc = pbit__bm_check_changeable(bm, what);
	if (rc)
		return rc;
	if (!g)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "gate", NULL, "%u is not a gate",
				 (unsigned int)gate);
	if (!pins)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "pins", NULL,
				 "the pointer is NULL");
	if (!(scale > 0.0) || !isfinite(scale))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "scale", NULL,
				 "it is %g, it must be a finite number above 0", scale);
	rc = check_pins(bm, what, g, pins);
	if (rc)
		return rc;
	for (uint32_t a = 0; a < g->pins; a++) {
		if (g->h[a])
			terms[n++] = (struct pbit__coupling){pins[a], pins[a], scale * g->h[a]};
		for (uint32_t b = a + 1; b < g->pins; b++)
			terms[n++] = (struct pbit__coupling){pins[a], pins[b], scale * g->J[a][b]};
	}
	return pbit__bm_add_terms(bm, what, terms, n);
}
