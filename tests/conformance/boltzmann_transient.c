/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The law after 1, 2 and 5 sweeps from a given start, p0 T^k by exact matrices, for machines of
 * up to 5 p-bits in every update order: notices what leaves the stationary law alone (a
 * wrong order, a repeated or skipped update, random bits that repeat from sweep to sweep or
 * seed to seed).
 *
 * False alarms: LAW_ALPHA = 5e-8 for each test, shared among its cases by Holm's correction; one seed
 * gives one state, so counts are independent. Power: the controls assert theirs, as in
 * boltzmann_stationary.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "boltzmann_law.h"
#include "stats.h"

#define LEAST_IN_CELL 25.0
#define BETA	      0.7
#define SEEDS	      20000

static const uint64_t lengths[] = {1, 2, 5};
static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
				  PBIT_ORDER_SYNCHRONOUS};

#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
#define ORDERS	(sizeof(orders) / sizeof(orders[0]))

/* A ring of five: chromatic order visits it in another order than the index. */
static struct law ring5(void)
{
	struct law law = {.name = "ring of 5", .n = 5};

	for (uint32_t i = 0; i < 5; i++) {
		uint32_t j = (i + 1) % 5;

		law.J[i][j] = law.J[j][i] = i % 2 ? 0.9 : -0.6;
		law.h[i] = 0.1 * i - 0.2;
	}
	return law;
}

static void machines(struct law law[4])
{
	law[0] = law_frustrated_triangle();
	law[1] = law_random(5, 11);
	law[2] = ring5();
	law[3] = law_random(5, 12);
	law[3].clamped = 1u << 2 | 1u << 4;
	law[3].value = 1u << 4;
}

/* Counts the state behind `sweeps` sweeps from `start`, seed by seed. */
static void count_seeds(struct pbit_device *dev, const struct law *law, double beta, uint64_t start,
			uint64_t sweeps, uint64_t *counts)
{
	struct pbit_bm *bm = law_machine(law);
	uint64_t mask = law->clamped, value = law->value;

	memset(counts, 0, law_states(law) * sizeof(*counts));
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t state = start;

		law_program_or_skip(dev, bm, law->order, seed);
		assert_int_equal(pbit_clamp(dev, &mask, &value), 0);
		assert_int_equal(pbit_set_state(dev, &state), 0);
		assert_int_equal(pbit_update(dev, beta, sweeps), 0);
		assert_int_equal(pbit_read(dev, &state), 0);
		counts[state]++;
	}
	pbit_bm_put(bm);
}

static void exact(const struct law *law, double beta, uint32_t start, uint64_t sweeps, double *p)
{
	memset(p, 0, law_states(law) * sizeof(*p));
	p[(start & ~law->clamped) | (law->value & law->clamped)] = 1.0;
	law_sweep(law, beta, sweeps, p);
}

static void test_transient(void **state)
{
	struct pbit_device *dev = law_device();
	double p_values[4 * LENGTHS * ORDERS];
	size_t n = 0;
	struct law law[4];

	(void)state;
	machines(law);
	for (size_t m = 0; m < 4; m++) {
		for (size_t o = 0; o < ORDERS; o++) {
			for (size_t k = 0; k < LENGTHS; k++) {
				uint64_t counts[LAW_MAX_STATES];
				double p[LAW_MAX_STATES];

				law[m].order = orders[o];
				count_seeds(dev, &law[m], BETA, 5, lengths[k], counts);
				exact(&law[m], BETA, 5, lengths[k], p);
				p_values[n] = stats_chi2_test(counts, p, law_states(&law[m]),
							      LEAST_IN_CELL)
						      .p;
				if (p_values[n] <= LAW_ALPHA / (4 * LENGTHS * ORDERS))
					print_error("%s, order %u, %u sweeps: p = %g\n",
						    law[m].name, orders[o], (unsigned)lengths[k],
						    p_values[n]);
				n++;
			}
		}
	}
	assert_int_equal(stats_holm(p_values, n, LAW_ALPHA, NULL), 0);
	pbit_close(dev);
}

static void must_reject(const struct law *right, double beta, uint64_t sweeps,
			const struct law *wrong, double wrong_beta, uint64_t wrong_sweeps)
{
	struct pbit_device *dev = law_device();
	uint64_t counts[LAW_MAX_STATES];
	double p[LAW_MAX_STATES], q[LAW_MAX_STATES], df = law_states(right) - 1;
	struct stats_chi2 r;

	exact(right, beta, 5, sweeps, p);
	exact(wrong, wrong_beta, 5, wrong_sweeps, q);
	assert_true(stats_chi2_power(stats_chi2_quantile(LAW_ALPHA / 2.0, df), df,
				     stats_chi2_noncentrality(p, q, law_states(right), SEEDS)) >
		    0.99);
	count_seeds(dev, wrong, wrong_beta, 5, wrong_sweeps, counts);
	r = stats_chi2_test(counts, p, law_states(right), LEAST_IN_CELL);
	assert_true(r.p <= LAW_ALPHA);
	pbit_close(dev);
}

static void test_rejects_other_orders(void **state)
{
	struct law sequential = ring5(), chromatic = ring5(), synchronous = ring5();

	(void)state;
	sequential.order = PBIT_ORDER_SEQUENTIAL;
	chromatic.order = PBIT_ORDER_CHROMATIC;
	synchronous.order = PBIT_ORDER_SYNCHRONOUS;
	must_reject(&sequential, BETA, 1, &chromatic, BETA, 1);
	must_reject(&sequential, BETA, 1, &synchronous, BETA, 1);
	must_reject(&chromatic, BETA, 1, &synchronous, BETA, 1);
}

static void test_rejects_faults(void **state)
{
	struct law right = ring5(), wrong;

	(void)state;
	right.order = PBIT_ORDER_SEQUENTIAL;
	must_reject(&right, BETA, 1, &right, BETA, 2); /* a sweep too many */
	wrong = right;
	wrong.clamped = 1u << 3;
	must_reject(&right, BETA, 2, &wrong, BETA, 2); /* a stuck p-bit */
	wrong = right;
	wrong.J[1][2] = wrong.J[2][1] = 0.0;
	must_reject(&right, BETA, 2, &wrong, BETA, 2); /* a missing coupling */
	must_reject(&right, BETA, 2, &right, 0.9 * BETA, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transient),
		cmocka_unit_test(test_rejects_other_orders),
		cmocka_unit_test(test_rejects_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
