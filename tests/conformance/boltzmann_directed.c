/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directed couplings and replicas: the law after 1, 2 and 5 sweeps from a given start, p0 T^k by exact
 * matrices, of machines of 4 p-bits whose couplings act one way, another way each way, or both ways.
 * Samples are replicas with clamps and states of their own. Skipped without directed couplings.
 * All values are multiples of 1/16, so devices of few bits are judged too.
 *
 * False alarms: LAW_ALPHA = 5e-8 for each test, shared among its cases by Holm's correction. Power: the
 * controls assert theirs, as in boltzmann_stationary.c.
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
#define BETA	      0.75
#define REPLICAS      64u
#define ROUNDS	      313u
#define START	      5u
#define MACHINES      3u

static const uint64_t lengths[] = {1, 2, 5};
static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_SYNCHRONOUS};

#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
#define ORDERS	(sizeof(orders) / sizeof(orders[0]))

/* J[i][j] acts on i. */
static void machines(struct law law[MACHINES])
{
	for (uint32_t m = 0; m < MACHINES; m++)
		law[m] = (struct law){.n = 4, .h = {0.25, -0.5, 0.125, 0.0}};
	law[0].name = "ring one way";
	law[1].name = "ring, other values back";
	law[2].name = "clamped inputs";
	for (uint32_t i = 0; i < 4; i++) {
		law[0].J[i][(i + 1) % 4] = 1.0;
		law[1].J[i][(i + 1) % 4] = 0.9375;
		law[1].J[(i + 1) % 4][i] =
			i % 2 ? -0.625 : 0.9375; /* the last pairs are symmetric */
	}
	law[2].J[2][0] = 1.5;
	law[2].J[2][1] = -0.75;
	law[2].J[3][0] = -0.5;
	law[2].J[3][2] = 1.25;
	law[2].clamped = 3;
	law[2].value = 2;
}

static struct pbit_bm *build(const struct law *law)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(law->n, &bm), 0);
	for (uint32_t i = 0; i < law->n; i++) {
		assert_int_equal(pbit_bm_set_bias(bm, i, law->h[i]), 0);
		for (uint32_t j = 0; j < law->n; j++) {
			double J = law->J[i][j];
			bool both = J == law->J[j][i];

			if (J == 0.0 || (both && j > i))
				continue;
			if (both)
				assert_int_equal(pbit_bm_add_coupling(bm, i, j, J), 0);
			else
				assert_int_equal(pbit_bm_add_directed(bm, j, i, J), 0);
		}
	}
	return bm;
}

/* Counts the states behind so many sweeps, replica by replica, seed by seed. */
static void count(struct pbit_device *dev, const struct law *law, uint64_t sweeps, uint64_t *counts)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	uint64_t mask = law->clamped, value = law->value, states[REPLICAS];
	struct pbit_bm *bm = build(law);

	opts.order = law->order;
	opts.replicas = REPLICAS;
	memset(counts, 0, law_states(law) * sizeof(*counts));
	for (opts.seed = 0; opts.seed < ROUNDS; opts.seed++) {
		assert_int_equal(pbit_program_with(dev, bm, &opts), 0);
		assert_int_equal(pbit_clamp(dev, &mask, &value), 0);
		for (uint32_t r = 0; r < REPLICAS; r++)
			states[r] = START;
		assert_int_equal(pbit_set_state(dev, states), 0);
		assert_int_equal(pbit_update(dev, BETA, sweeps), 0);
		assert_int_equal(pbit_read(dev, states), 0);
		for (uint32_t r = 0; r < REPLICAS; r++)
			counts[states[r]]++;
	}
	pbit_bm_put(bm);
}

static void exact(const struct law *law, uint64_t sweeps, double *p)
{
	memset(p, 0, law_states(law) * sizeof(*p));
	p[(START & ~law->clamped) | (law->value & law->clamped)] = 1.0;
	law_sweep(law, BETA, sweeps, p);
}

static void test_transient(void **state)
{
	struct pbit_device *dev = law_device();
	struct pbit_caps caps = PBIT_INIT(caps);
	double p_values[MACHINES * LENGTHS * ORDERS];
	struct law law[MACHINES];
	size_t n = 0;

	(void)state;
	machines(law);
	assert_int_equal(pbit_get_caps(dev, &caps), 0);
	for (size_t c = 0; c < MACHINES * LENGTHS * ORDERS; c++) {
		struct law *one = &law[c % MACHINES];
		uint64_t sweeps = lengths[c / MACHINES % LENGTHS], counts[LAW_MAX_STATES];
		double p[LAW_MAX_STATES];

		one->order = orders[c / MACHINES / LENGTHS];
		if (!(caps.orders & one->order))
			continue;
		count(dev, one, sweeps, counts);
		exact(one, sweeps, p);
		p_values[n] = stats_chi2_test(counts, p, law_states(one), LEAST_IN_CELL).p;
		if (p_values[n] <= LAW_ALPHA / (MACHINES * LENGTHS * ORDERS))
			print_error("%s, order %u, %u sweeps: p = %g\n", one->name, one->order,
				    (unsigned int)sweeps, p_values[n]);
		n++;
	}
	assert_true(n >= MACHINES * LENGTHS);
	assert_int_equal(stats_holm(p_values, n, LAW_ALPHA, NULL), 0);
	pbit_close(dev);
}

/* The law of `right` against the device's samples of `wrong`. */
static void must_reject(const struct law *right, const struct law *wrong)
{
	struct pbit_device *dev = law_device();
	uint64_t counts[LAW_MAX_STATES];
	double p[LAW_MAX_STATES], q[LAW_MAX_STATES], df = law_states(right) - 1;

	exact(right, 5, p);
	exact(wrong, 5, q);
	assert_true(stats_chi2_power(stats_chi2_quantile(LAW_ALPHA / 2.0, df), df,
				     stats_chi2_noncentrality(p, q, law_states(right),
							      REPLICAS * ROUNDS)) > 0.99);
	count(dev, wrong, 5, counts);
	assert_true(stats_chi2_test(counts, p, law_states(right), LEAST_IN_CELL).p <= LAW_ALPHA);
	pbit_close(dev);
}

static void test_rejects(void **state)
{
	struct pbit_device *dev = law_device();
	struct pbit_caps caps = PBIT_INIT(caps);
	struct law right[MACHINES], wrong[MACHINES];

	(void)state;
	assert_int_equal(pbit_get_caps(dev, &caps), 0);
	pbit_close(dev);
	machines(right);
	machines(wrong);
	for (uint32_t m = 0; m < MACHINES; m++)
		right[m].order = wrong[m].order = caps.orders & PBIT_ORDER_SEQUENTIAL
							  ? PBIT_ORDER_SEQUENTIAL
							  : PBIT_ORDER_SYNCHRONOUS;
	/* The other way round; as if directed were symmetric; one coupling missing. */
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t j = 0; j < 4; j++) {
			wrong[0].J[i][j] = right[0].J[j][i];
			wrong[1].J[i][j] = right[1].J[i > j ? i : j][i > j ? j : i];
		}
	}
	wrong[2].J[3][2] = 0.0;
	for (uint32_t m = 0; m < MACHINES; m++)
		must_reject(&right[m], &wrong[m]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transient),
		cmocka_unit_test(test_rejects),
	};
	struct pbit_device *dev = law_device();
	struct pbit_caps caps = PBIT_INIT(caps);
	bool directed = !pbit_get_caps(dev, &caps) && (caps.flags & PBIT_FLAG_DIRECTED);

	pbit_close(dev);
	if (!directed)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
