/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of CONTRACT.md word by word: a dense matrix, one p-bit and one draw at a time,
 * spins as numbers, inputs in fixed point. A device that follows the contract has the same states. It can also be given the
 * faults that tests must notice.
 */
#ifndef PBIT_TESTS_BOLTZMANN_SLOW_H
#define PBIT_TESTS_BOLTZMANN_SLOW_H

#include <stdbool.h>
#include <stdint.h>

struct slow {
	uint32_t n;
	uint32_t order;
	double *J; /* n x n; [i][j] acts on i */
	double *h;
	double *m; /* -1 or +1 */
	bool *clamped;
	uint64_t seed, sweep, chain;
	double step; /* of J and h as they were at the first update */
	/* Faults. */
	bool shared_bits;	/* every p-bit of a sweep gets the draw of p-bit 0 */
	unsigned int draw_bits; /* width of u and p where not 0 */
	bool loose_tie;		/* u <= p */
};

/* n p-bits at -1, J = 0, h = 0. Fails the running test when out of memory. */
struct slow *slow_new(uint32_t n, uint32_t order, uint64_t seed);
void slow_free(struct slow *slow);
void slow_update(struct slow *slow, double beta, uint64_t sweeps);

/* The step by the rules of CONTRACT.md, Fixed-point input. */
double slow_step(const struct slow *slow);

/* Packs the state, (n + 63) / 64 words. */
void slow_read(const struct slow *slow, uint64_t *state);

#endif
