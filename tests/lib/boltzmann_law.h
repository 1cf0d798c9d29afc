/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact laws of small Boltzmann machines by enumeration: the stationary law, and what a number of
 * sweeps makes of any law. States are numbers: bit i is p-bit i. Shares no code with the library.
 */
#ifndef PBIT_TESTS_BOLTZMANN_LAW_H
#define PBIT_TESTS_BOLTZMANN_LAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pbit/pbit.h>

#define LAW_MAX_PBITS  9
#define LAW_MAX_STATES (1u << LAW_MAX_PBITS)

/*
 * False-alarm rate of one statistical test. The Boltzmann programs make fewer than twenty, those that
 * the negative controls make of themselves included, so all of them together raise a false alarm
 * with probability below 1e-6. (Seeds are fixed: it is the rate that another seed would face.)
 */
#define LAW_ALPHA 5e-8

/* Probability of +1 given z = 2 beta I. */
typedef double law_response_fn(double z);

struct law {
	const char *name;
	uint32_t n;
	double J[LAW_MAX_PBITS][LAW_MAX_PBITS];
	double h[LAW_MAX_PBITS];
	uint32_t clamped, value;   /* clamp mask and values */
	uint32_t order;		   /* PBIT_ORDER_SEQUENTIAL, _CHROMATIC or _SYNCHRONOUS */
	law_response_fn *response; /* NULL: heat bath */
};

uint32_t law_states(const struct law *law);
double law_energy(const struct law *law, uint32_t state);

/* P ~ exp(-beta E) over the states that agree with the clamps. */
void law_gibbs(const struct law *law, double beta, double *p);

/* p becomes the law after so many sweeps. */
void law_sweep(const struct law *law, double beta, uint64_t sweeps, double *p);

/* The law that sweeps lead to; differs from law_gibbs() for the synchronous order. */
void law_stationary(const struct law *law, double beta, double *p);

/*
 * The first power of two of sweeps after which the state is within `distance` (total variation) of the
 * stationary law whatever it was before; above `most` where `most` is not enough.
 */
uint64_t law_mixing_sweeps(const struct law *law, double beta, double distance, uint64_t most);

/*
 * The device under test: the address in PBIT_TEST_URI, else the software device. Fails the running test
 * where it does not open.
 */
struct pbit_device *law_device(void);

/* A new machine with these couplings. Fails the running test on an error. */
struct pbit_bm *law_machine(const struct law *law);

/* Programs; a test that asks for more than the device states to have is skipped. */
void law_program_or_skip(struct pbit_device *dev, struct pbit_bm *bm, uint32_t order,
			 uint64_t seed);

/* Programs it, clamps included. */
void law_program(struct pbit_device *dev, const struct law *law, uint64_t seed);

/*
 * Counts the states of a stream that starts with burn-in of `interval` sweeps, or those behind
 * `sweeps` sweeps from each of `samples` starts drawn from p.
 */
void law_count_stream(struct pbit_device *dev, const struct law *law, double beta,
		      uint64_t interval, uint64_t samples, uint64_t *counts);
void law_count_starts(struct pbit_device *dev, const struct law *law, double beta, const double *p,
		      uint64_t sweeps, uint64_t samples, uint64_t *counts);

/* Machines of the tests that are no gates. */
struct law law_torus3(double J); /* 3 x 3, periodic */
struct law law_frustrated_triangle(void);
struct law law_random(uint32_t n, uint64_t seed); /* all couplings and biases differ */

/* Another generator than the one under test: xorshift64*; uniform on [0, 1). */
double law_uniform(uint64_t *state);

/* A state drawn from p. */
uint32_t law_draw(const double *p, uint32_t states, uint64_t *random);

#endif
