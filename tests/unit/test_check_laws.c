/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact answers of the conformance suite: Kaufman's energies, gates, chain, ring, planted plaquettes,
 * laws of sweeps, fits, number formats. No sampling here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../data/oracles/gates.h"
#include "../data/oracles/kaufman_torus.h"
#include "check/kaufman.h"
#include "check/law.h"
#include "check/logistic.h"
#include "check/power.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_near(double got, double expected, double error)
{
	if (!(fabs(got - expected) <= error))
		fail_msg("%.15g, expected %.15g", got, expected);
}

static void find(const char *name, struct pbit__check_machine *m)
{
	for (uint32_t k = 0; pbit__check_machine_get(k, m); k++) {
		if (!strcmp(m->name, name))
			return;
	}
	fail_msg("no machine %s", name);
}

static void make_law(struct pbit__check_law *law, const struct pbit__check_machine *m,
		     uint32_t order)
{
	assert_int_equal(pbit__check_law_make(law, m, m->beta, order), 0);
	assert_int_equal(pbit__check_law_mix(law), 0);
}

static void test_kaufman(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(oracle_torus8); k++)
		assert_near(pbit__check_kaufman(8, oracle_torus8[k].beta), oracle_torus8[k].energy,
			    1e-9);
	/* Other sizes, from the same independent program. */
	assert_near(pbit__check_kaufman(4, 0.2), -0.4561353695435194, 1e-9);
	assert_near(pbit__check_kaufman(32, 0.4), -1.1072916609786088, 1e-9);
	assert_near(pbit__check_kaufman(16, 0.44068679350977147), -1.4530648528149352, 1e-9);
}

static double valid_mass(const struct pbit__check_machine *m, double beta, double ground)
{
	double p[PBIT__CHECK_STATES], mass = 0.0;

	pbit__check_gibbs(m, beta, p);
	for (uint32_t s = 0; s < 1u << m->n; s++)
		mass += pbit__check_energy(m, s) < ground + 1e-9 ? p[s] : 0.0;
	return mass;
}

static void test_gates(void **state)
{
	static const struct {
		const char *machine, *oracle;
	} pairs[] = {{"gate-and", "AND3"},
		     {"gate-or", "OR3"},
		     {"gate-xor", "XOR"},
		     {"gate-adder", "FA"}};

	(void)state;
	for (size_t k = 0; k < COUNT(pairs); k++) {
		struct pbit__check_machine m;
		const struct oracle_gate *gate = NULL;

		find(pairs[k].machine, &m);
		for (size_t g = 0; g < COUNT(oracle_gates) && !gate; g++) {
			if (!strncmp(oracle_gates[g].name, pairs[k].oracle,
				     strlen(pairs[k].oracle)) &&
			    oracle_gates[g].n == m.n)
				gate = &oracle_gates[g];
		}
		if (!gate)
			fail_msg("no oracle for %s", pairs[k].machine);
		for (int b = 0; b < ORACLE_GATE_BETAS; b++)
			assert_near(valid_mass(&m, oracle_gate_beta[b], gate->ground),
				    gate->valid_mass[b], 1e-12);
	}
}

static double correlation(const struct pbit__check_machine *m, uint32_t i, uint32_t j)
{
	double p[PBIT__CHECK_STATES], sum = 0.0;

	pbit__check_gibbs(m, m->beta, p);
	for (uint32_t s = 0; s < 1u << m->n; s++)
		sum += (s >> i & 1) == (s >> j & 1) ? p[s] : -p[s];
	return sum;
}

/* <m_i m_j> = tanh(beta J)^|i - j| on the chain; (t^d + t^(N - d)) / (1 + t^N) on the ring. */
static void test_chain_and_ring(void **state)
{
	struct pbit__check_machine m;
	double t;

	(void)state;
	find("chain", &m);
	t = tanh(m.beta * m.edge[0].J);
	for (uint32_t j = 1; j < m.n; j++)
		assert_near(correlation(&m, 0, j), pow(t, j), 1e-12);
	find("ring", &m);
	t = tanh(m.beta * m.edge[0].J);
	for (uint32_t j = 1; j < m.n; j++)
		assert_near(correlation(&m, 0, j),
			    (pow(t, j) + pow(t, m.n - j)) / (1.0 + pow(t, m.n)), 1e-12);
}

static void test_planted(void **state)
{
	struct pbit__check_machine m;
	double ground, least = INFINITY;

	(void)state;
	pbit__check_machine_planted(&m, &ground);
	for (uint32_t s = 0; s < 1u << m.n; s++)
		least = fmin(least, pbit__check_energy(&m, s));
	assert_near(least, ground, 1e-12);
	assert_true(ground < -10.0);
}

/* Boltzmann's law stays as it is under updates in turn, and does not under those all at once. */
static void test_stationary(void **state)
{
	static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	struct pbit__check_machine m;

	(void)state;
	pbit__check_machine_random(&m, 6, 77);
	for (size_t k = 0; k < COUNT(orders); k++) {
		double p[64], gibbs[64], moved = 0.0, off = 0.0;
		struct pbit__check_law law;

		make_law(&law, &m, orders[k]);
		pbit__check_gibbs(&m, m.beta, gibbs);
		memcpy(p, law.p, sizeof(p));
		pbit__check_law_sweep(&law, 3, p);
		for (int s = 0; s < 64; s++) {
			moved += fabs(p[s] - law.p[s]);
			off += fabs(law.p[s] - gibbs[s]);
		}
		assert_near(moved, 0.0, 1e-11);
		assert_true((off > 0.01) == (orders[k] == PBIT_ORDER_SYNCHRONOUS));
		pbit__check_law_free(&law);
	}
}

/* Total variation from a fixed start falls by lambda a sweep; a free machine forgets at once. */
static void test_eigenvalue(void **state)
{
	double p[512] = {0}, far[2] = {0};
	struct pbit__check_machine m;
	struct pbit__check_law law;

	(void)state;
	find("torus3x3", &m);
	make_law(&law, &m, PBIT_ORDER_SEQUENTIAL);
	p[0] = 1.0;
	for (int k = 0; k < 2; k++) {
		pbit__check_law_sweep(&law, k ? 40 : 120, p);
		for (int s = 0; s < 512; s++)
			far[k] += 0.5 * fabs(p[s] - law.p[s]);
	}
	assert_near(pow(far[1] / far[0], 1.0 / 40.0), law.lambda, 1e-4);
	assert_true(law.lambda > 0.8 && law.lambda < 0.99);
	pbit__check_law_free(&law);
	pbit__check_machine_free_spins(&m, 4);
	make_law(&law, &m, PBIT_ORDER_SEQUENTIAL);
	assert_int_equal(pbit__check_law_sweeps(&law, 1e-3), 1);
	assert_near(pbit__check_law_tau(&law), 0.5, 1e-6);
	pbit__check_law_free(&law);
}

/* On expected counts the fit returns what made them; nothing is fitted to a p-bit that never moves. */
static void test_logistic(void **state)
{
	double x[17], k[17], none[17] = {0};
	struct pbit__logistic fit;

	(void)state;
	for (int i = 0; i < 17; i++) {
		x[i] = 0.375 * (i - 8);
		k[i] = 5000.0 / (1.0 + exp(-(0.13 + 0.8 * x[i])));
	}
	assert_true(pbit__logistic_fit(x, k, 5000.0, 17, &fit));
	assert_near(fit.a, 0.13, 1e-9);
	assert_near(fit.b, 0.8, 1e-9);
	assert_near(fit.deviance, 0.0, 1e-6);
	assert_true(fit.var_a > 0.0 && fit.var_b > 0.0);
	assert_false(pbit__logistic_fit(x, none, 5000.0, 17, &fit));
	for (int i = 0; i < 17; i++)
		none[i] = 5000.0;
	assert_false(pbit__logistic_fit(x, none, 5000.0, 17, &fit));
	/* A wide gap to the start of the iteration. */
	for (int i = 0; i < 17; i++)
		k[i] = 5000.0 / (1.0 + exp(-(2.0 - 3.0 * x[i])));
	assert_true(pbit__logistic_fit(x, k, 5000.0, 17, &fit));
	assert_near(fit.b, -3.0, 1e-6);
}

/* s{2}{3} and beta in steps of 1/4: what comes out is on the grids, in range, and not all zero. */
static void test_formats(void **state)
{
	struct pbit_caps caps = PBIT_INIT(caps);
	struct pbit__check_machine m;

	(void)state;
	caps.stated = PBIT_CAP_COUPLING | PBIT_CAP_BIAS | PBIT_CAP_BETA;
	caps.coupling.integer_bits = caps.bias.integer_bits = 2;
	caps.coupling.fraction_bits = caps.bias.fraction_bits = 3;
	caps.beta.integer_bits = 2;
	caps.beta.fraction_bits = 2;
	for (uint32_t k = 0; pbit__check_machine_get(k, &m); k++) {
		bool some = false;

		assert_true(pbit__check_machine_fit(&m, &caps));
		assert_true(m.beta > 0.0 && m.beta < 4.0 && rint(4.0 * m.beta) == 4.0 * m.beta);
		for (uint32_t e = 0; e < m.n_edges; e++) {
			assert_true(rint(8.0 * m.edge[e].J) == 8.0 * m.edge[e].J);
			assert_true(m.edge[e].J >= -4.0 && m.edge[e].J <= 3.875);
			some = some || m.edge[e].J != 0.0;
		}
		assert_true(some);
	}
	/* A device of whole-number betas from 8 up cannot hold a pair at beta 1 and J of 1/2. */
	caps.beta.fraction_bits = 0;
	caps.beta.integer_bits = 6;
	caps.beta.min = 32.0;
	caps.beta.max = 63.0;
	find("gate-and", &m);
	assert_false(pbit__check_machine_fit(&m, &caps));
}

static double power_of(double n, void *user)
{
	return pbit__check_power_normal(0.01, *(const double *)user / sqrt(n), 1e-6);
}

static void test_power(void **state)
{
	double sd = 1.0;
	size_t n;

	(void)state;
	/* z of 5e-7 is 4.89164, of 0.995 is 2.57583: n = ((4.89164 + 2.57583) / 0.01)^2 */
	n = pbit__check_size(power_of, &sd, 100, 10000000);
	assert_true(n >= 557631 && (double)n < 557631 * 1.03);
	assert_int_equal(pbit__check_size(power_of, &sd, 100, 5000), 5000);
	/* Nothing to see is seen at the rate of false alarms. */
	assert_near(pbit__check_power_normal(0.0, 1.0, 1e-6), 5e-7, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kaufman),	       cmocka_unit_test(test_gates),
		cmocka_unit_test(test_chain_and_ring), cmocka_unit_test(test_planted),
		cmocka_unit_test(test_stationary),     cmocka_unit_test(test_eigenvalue),
		cmocka_unit_test(test_logistic),       cmocka_unit_test(test_formats),
		cmocka_unit_test(test_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
