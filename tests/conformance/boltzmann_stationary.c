/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stationary law of small machines (gates, frustrated triangle, torus, clamped gates run
 * backwards) against enumeration, and what it must reject: a wrong beta, a missing coupling,
 * a stuck p-bit, another update order, shared random bits, a coarse or loose comparison.
 *
 * False alarms: LAW_ALPHA = 5e-8 for each test, shared among its machines by Holm's correction.
 * Long runs are thinned by the number of sweeps after which the state is within 0.0005 (total
 * variation) of the stationary law whatever it was, so successive counts are independent but for 0.1 %.
 * Power: each negative control computes it from the exact law of the faulty machine and the number of
 * samples, and asserts that it is above 0.99, before it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "../data/oracles/gates.h"
#include "boltzmann_law.h"
#include "boltzmann_slow.h"
#include "stats.h"

#define GATES	      (sizeof(oracle_gates) / sizeof(oracle_gates[0]))
#define LEAST_IN_CELL 25.0
#define MAX_CHECKS    64

struct family {
	double p[MAX_CHECKS];
	char name[MAX_CHECKS][64];
	size_t n;
};

static void family_add(struct family *f, const char *name, double beta, double p)
{
	assert_true(f->n < MAX_CHECKS);
	snprintf(f->name[f->n], sizeof(f->name[0]), "%s at beta %g", name, beta);
	f->p[f->n++] = p;
}

static void family_judge(const struct family *f)
{
	bool reject[MAX_CHECKS];

	assert_true(f->n > 0);
	if (!stats_holm(f->p, f->n, LAW_ALPHA, reject))
		return;
	for (size_t k = 0; k < f->n; k++) {
		if (reject[k])
			print_error("%s: p = %g\n", f->name[k], f->p[k]);
	}
	fail_msg("the sampled law is not the exact one");
}

static struct law gate(size_t index)
{
	const struct oracle_gate *g = &oracle_gates[index];
	struct law law = {.name = g->name, .n = g->n, .order = PBIT_ORDER_SEQUENTIAL};

	for (uint32_t i = 0; i < g->n; i++) {
		for (uint32_t j = 0; j < g->n; j++)
			law.J[i][j] = g->J[i][j];
		law.h[i] = g->h[i];
	}
	return law;
}

static size_t gate_index(const char *name)
{
	for (size_t g = 0; g < GATES; g++) {
		if (!strncmp(oracle_gates[g].name, name, strlen(name)))
			return g;
	}
	fail_msg("no gate %s", name);
	return 0;
}

/* The enumeration that everything here leans on, against figures of another program. */
static void test_enumeration(void **state)
{
	(void)state;
	for (size_t g = 0; g < GATES; g++) {
		struct law law = gate(g);

		for (size_t b = 0; b < ORACLE_GATE_BETAS; b++) {
			double p[LAW_MAX_STATES], mass = 0.0;

			law_gibbs(&law, oracle_gate_beta[b], p);
			for (uint32_t s = 0; s < law_states(&law); s++) {
				if (law_energy(&law, s) == oracle_gates[g].ground)
					mass += p[s];
			}
			assert_true(fabs(mass - oracle_gates[g].valid_mass[b]) < 1e-12);
		}
	}
}

/* One long run of `sweeps` sweeps, where that leaves enough samples to say something. */
static void check_long_run(struct pbit_device *dev, struct family *f, const struct law *law,
			   double beta, uint64_t sweeps)
{
	uint64_t counts[LAW_MAX_STATES], interval;
	double p[LAW_MAX_STATES];

	interval = law_mixing_sweeps(law, beta, 0.0005, sweeps / 4000);
	if (interval > sweeps / 4000)
		return;
	law_stationary(law, beta, p);
	law_program(dev, law, 1000 + f->n);
	law_count_stream(dev, law, beta, interval, sweeps / interval, counts);
	family_add(f, law->name, beta,
		   stats_chi2_test(counts, p, law_states(law), LEAST_IN_CELL).p);
}

static void test_long_runs(void **state)
{
	struct pbit_device *dev = law_device();
	struct family f = {0};
	struct law law;

	(void)state;
	for (size_t g = 0; g < GATES; g++) {
		law = gate(g);
		for (size_t b = 0; b < ORACLE_GATE_BETAS; b++)
			check_long_run(dev, &f, &law, oracle_gate_beta[b], 600000);
	}
	/* Each gate but the half adder (whose barriers are three times as high) at 0.8 at the least. */
	assert_true(f.n >= GATES);
	law = law_frustrated_triangle();
	check_long_run(dev, &f, &law, 1.0, 400000);
	law = law_torus3(0.4);
	check_long_run(dev, &f, &law, 1.0, 400000);
	law.order = PBIT_ORDER_CHROMATIC;
	check_long_run(dev, &f, &law, 1.0, 400000);
	law.order = PBIT_ORDER_SYNCHRONOUS;
	check_long_run(dev, &f, &law, 1.0, 400000);
	assert_true(f.n >= GATES + 4);
	family_judge(&f);
	pbit_close(dev);
}

/* Slow machines as well: from starts of the exact law, any number of sweeps must keep it. */
static void test_kept_law(void **state)
{
	struct pbit_device *dev = law_device();
	struct family f = {0};

	(void)state;
	for (size_t g = 0; g < GATES; g++) {
		struct law law = gate(g);

		law_program(dev, &law, 77 + g);
		for (size_t b = 0; b < ORACLE_GATE_BETAS; b++) {
			uint64_t counts[LAW_MAX_STATES];
			double p[LAW_MAX_STATES];

			law_gibbs(&law, oracle_gate_beta[b], p);
			law_count_starts(dev, &law, oracle_gate_beta[b], p, 4, 20000, counts);
			family_add(&f, law.name, oracle_gate_beta[b],
				   stats_chi2_test(counts, p, law_states(&law), LEAST_IN_CELL).p);
		}
	}
	family_judge(&f);
	pbit_close(dev);
}

/* Gates run backwards: outputs clamped, inputs sampled. */
static void test_clamped(void **state)
{
	struct pbit_device *dev = law_device();
	struct family f = {0};
	struct law and = gate(gate_index("AND3")), or = gate(gate_index("OR3"));
	struct law adder = gate(gate_index("FA5"));

	(void)state;
	and.clamped = 1u << 2;
	or.clamped = 1u << 2;
	or.value = 1u << 2;
	for (unsigned int out = 0; out < 2; out++) {
		and.value = out << 2;
		check_long_run(dev, &f, &and, 0.8, 400000);
		check_long_run(dev, &f, &and, 1.5, 400000);
	}
	check_long_run(dev, &f, & or, 0.8, 400000);
	/* S and Cout given: A + B + Cin = 0 ... 3; then an input held as well. */
	adder.clamped = 3u << 3;
	for (unsigned int out = 0; out < 4; out++) {
		adder.value = out << 3;
		check_long_run(dev, &f, &adder, 0.8, 400000);
	}
	adder.clamped = 1u << 4 | 1u;
	adder.value = 1u;
	check_long_run(dev, &f, &adder, 0.8, 400000);
	assert_int_equal(f.n, 10);
	family_judge(&f);
	pbit_close(dev);
}

/* Runs a faulty machine and tells whether the test against the right law notices. */
static void must_reject(const char *fault, const struct law *right, double beta,
			const struct law *wrong, double wrong_beta, uint64_t samples)
{
	struct pbit_device *dev = law_device();
	uint64_t counts[LAW_MAX_STATES], interval;
	double p[LAW_MAX_STATES], q[LAW_MAX_STATES], df = law_states(right) - 1;
	struct stats_chi2 r;

	law_stationary(right, beta, p);
	law_stationary(wrong, wrong_beta, q);
	assert_true(stats_chi2_power(stats_chi2_quantile(LAW_ALPHA / 2.0, df), df,
				     stats_chi2_noncentrality(p, q, law_states(right),
							      (double)samples)) > 0.99);
	interval = law_mixing_sweeps(wrong, wrong_beta, 0.0005, 1000);
	assert_true(interval <= 1000);
	law_program(dev, wrong, 5);
	law_count_stream(dev, wrong, wrong_beta, interval, samples, counts);
	r = stats_chi2_test(counts, p, law_states(right), LEAST_IN_CELL);
	if (r.p > LAW_ALPHA)
		fail_msg("%s goes unnoticed: p = %g", fault, r.p);
	/* The same test has nothing against the faulty machine's own law. */
	r = stats_chi2_test(counts, q, law_states(right), LEAST_IN_CELL);
	assert_true(r.p > LAW_ALPHA);
	pbit_close(dev);
}

static void test_rejects_beta(void **state)
{
	struct law law = law_torus3(0.4);

	(void)state;
	must_reject("beta x 0.95", &law, 1.0, &law, 0.95, 60000);
}

static void test_rejects_dropped_coupling(void **state)
{
	struct law law = gate(gate_index("FA5")), wrong = law;

	(void)state;
	wrong.J[0][1] = wrong.J[1][0] = 0.0;
	must_reject("a missing coupling", &law, 0.8, &wrong, 0.8, 2000);
}

static void test_rejects_stuck(void **state)
{
	struct law law = gate(gate_index("XOR4")), wrong = law;

	(void)state;
	wrong.clamped = 1u << 1;
	wrong.value = 1u << 1;
	must_reject("a stuck p-bit", &law, 0.8, &wrong, 0.8, 2000);
}

static void test_rejects_synchronous(void **state)
{
	struct law law = law_torus3(0.4), wrong = law;

	(void)state;
	wrong.order = PBIT_ORDER_SYNCHRONOUS;
	must_reject("the synchronous order", &law, 1.0, &wrong, 1.0, 2000);
}

#define COARSE_BITS 6

static double coarse_and_loose(double z)
{
	double steps = ldexp(1.0, COARSE_BITS);

	return fmin(1.0, (floor(steps / (1.0 + exp(-z))) + 1.0) / steps);
}

/* Faults that no device offers come from the slow one. */
static double slow_p(const struct law *law, struct slow *slow, double beta, uint64_t samples)
{
	uint64_t counts[LAW_MAX_STATES] = {0}, now;
	double p[LAW_MAX_STATES];
	uint64_t interval = law_mixing_sweeps(law, beta, 0.0005, 1000);

	for (uint32_t i = 0; i < law->n; i++) {
		for (uint32_t j = 0; j < law->n; j++)
			slow->J[i * law->n + j] = law->J[i][j];
		slow->h[i] = law->h[i];
	}
	for (uint64_t k = 0; k < samples; k++) {
		slow_update(slow, beta, interval);
		slow_read(slow, &now);
		counts[now]++;
	}
	law_stationary(law, beta, p);
	return stats_chi2_test(counts, p, law_states(law), LEAST_IN_CELL).p;
}

static void test_rejects_loose_threshold(void **state)
{
	struct law law = law_random(4, 3), wrong = law;
	struct slow *slow = slow_new(law.n, law.order, 9);
	double p[LAW_MAX_STATES], q[LAW_MAX_STATES];

	(void)state;
	wrong.response = coarse_and_loose;
	law_stationary(&law, 0.8, p);
	law_stationary(&wrong, 0.8, q);
	assert_true(stats_chi2_power(stats_chi2_quantile(LAW_ALPHA / 2.0, 15), 15,
				     stats_chi2_noncentrality(p, q, 16, 60000)) > 0.99);
	slow->draw_bits = COARSE_BITS;
	slow->loose_tie = true;
	assert_true(slow_p(&law, slow, 0.8, 60000) <= LAW_ALPHA);
	slow_free(slow);
	/* Without the fault the slow one passes: it is the fault that is noticed. */
	slow = slow_new(law.n, law.order, 9);
	assert_true(slow_p(&law, slow, 0.8, 20000) > LAW_ALPHA);
	slow_free(slow);
}

/* Power: with one draw for all, unlike p-bits agree in nearly every sweep; no need to compute it. */
static void test_rejects_shared_bits(void **state)
{
	struct law law = law_random(4, 3);
	struct slow *slow = slow_new(law.n, law.order, 9);

	(void)state;
	slow->shared_bits = true;
	assert_true(slow_p(&law, slow, 0.8, 10000) <= LAW_ALPHA);
	slow_free(slow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enumeration),
		cmocka_unit_test(test_long_runs),
		cmocka_unit_test(test_kept_law),
		cmocka_unit_test(test_clamped),
		cmocka_unit_test(test_rejects_beta),
		cmocka_unit_test(test_rejects_dropped_coupling),
		cmocka_unit_test(test_rejects_stuck),
		cmocka_unit_test(test_rejects_synchronous),
		cmocka_unit_test(test_rejects_loose_threshold),
		cmocka_unit_test(test_rejects_shared_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
