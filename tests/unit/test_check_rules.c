/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge judged: the right rule passes the whole suite, every wrong rule and every defect of the size that the
 * suite promises to see fails it, and p-values of the right rule are not small more often than they may be.
 * A right rule fails here with probability below 1e-6 a run of the suite, by another seed that is: seeds are
 * fixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <pbit/check.h>
#include <pbit/pbit.h>
#include "stats.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct pbit_check_report *run(const char *uri, const char *tests, uint32_t flags,
				     uint64_t seed)
{
	struct pbit_check_opts opts = PBIT_INIT(opts);
	struct pbit_check_report *report = NULL;
	struct pbit_device *dev;
	char text[512];

	opts.tests = tests;
	opts.flags = flags;
	opts.seed = seed;
	if (pbit_open(uri, NULL, &dev) || pbit_check_run(dev, &opts, &report)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s: %s", uri, text);
	}
	pbit_close(dev);
	return report;
}

static struct pbit_check_summary summary_of(const struct pbit_check_report *report)
{
	struct pbit_check_summary s = PBIT_INIT(s);

	assert_int_equal(pbit_check_report_summary(report, &s), 0);
	return s;
}

/* Verdict of the test whose name begins so; fails where there is none. */
static struct pbit_check_test test_of(const struct pbit_check_report *report, const char *name)
{
	struct pbit_check_test t = PBIT_INIT(t);

	for (uint32_t i = 0; !pbit_check_report_test(report, i, &t); i++) {
		if (!strncmp(t.name, name, strlen(name)))
			return t;
	}
	fail_msg("no test %s", name);
	return t;
}

static void test_right_rule(void **state)
{
	struct pbit_check_report *report = run("rules:heat-bath", NULL, 0, 1);
	struct pbit_check_summary s = summary_of(report);
	struct pbit_check_control c = PBIT_INIT(c);

	(void)state;
	if (s.verdict != PBIT_CHECK_PASS)
		fail_msg("%s", s.reason);
	assert_int_equal(s.n_controls, 6);
	for (uint32_t i = 0; i < s.n_controls; i++) {
		assert_int_equal(pbit_check_report_control(report, i, &c), 0);
		assert_true(c.rejected && c.p <= s.alpha);
	}
	assert_int_equal(s.n_fits, 64);
	assert_int_equal(s.n_applicable, s.n_tests);
	for (uint32_t i = 0; i < s.n_tests; i++) {
		struct pbit_check_test t = PBIT_INIT(t);

		assert_int_equal(pbit_check_report_test(report, i, &t), 0);
		/* What is promised. */
		if (!(t.power >= 0.99))
			fail_msg("%s has a power of %g", t.name, t.power);
	}
	pbit_check_report_free(report);
}

/* Each defect, and a test that must see it. */
static const struct {
	const char *uri, *groups, *test;
} wrong[] = {
	{"rules:heat-bath,gain=1.05", "sigmoid", "sigmoid gain"},
	{"rules:heat-bath,gain=0.95", "sk8", "sk8 energy"},
	{"rules:heat-bath,gain=0.95", "torus3x3", "torus3x3 energy"},
	{"rules:heat-bath,gain=1.05", "planted", "planted ground state"},
	{"rules:heat-bath,gain=1.05", "torus", "32 x 32 torus energy, K=0.3"},
	{"rules:heat-bath,gain=1.05", "layers", "layer, one"},
	{"rules:heat-bath,offset=0.02", "sigmoid", "sigmoid offset"},
	{"rules:heat-bath,offset=-0.02", "sigmoid", "sigmoid offset"},
	{"rules:heat-bath,bits=4", "sk8", "sk8 states"},
	{"rules:heat-bath,drop=1", "sk8", "sk8 states"},
	{"rules:heat-bath,drop=1", "pair", "pair states"},
	{"rules:heat-bath,drop=1", "torus3x3", "torus3x3 states"},
	{"rules:heat-bath,stuck=3", "free", "free states"},
	{"rules:heat-bath,stuck=60", "bits", "free p-bits, fair"},
	{"rules:heat-bath,shared=1", "bits", "free p-bits, independent"},
	{"rules:heat-bath,hold=0.1", "bits", "free p-bits, no memory"},
	{"rules:heat-bath,hold=0.1", "start", "free p-bits, fixed start"},
	{"rules:heat-bath,hold=0.1", "transient", "transient sequential, 1 sweep"},
	{"rules:metropolis-sequential", "start", "free p-bits, fixed start"},
	{"rules:metropolis-sequential", "transient", "transient sequential, 1 sweep"},
	{"rules:metropolis-random", "start", "free p-bits, fixed start"},
	{"rules:synchronous", "transient", "transient sequential, 1 sweep"},
	{"rules:synchronous", "sk8", "sk8 states"},
	{"rules:synchronous", "pair", "pair states"},
	{"rules:asynchronous", "gate-and", "gate-and states"},
	{"rules:asynchronous", "sk8", "sk8 states"},
};

static void test_wrong_rules(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(wrong); k++) {
		struct pbit_check_report *report =
			run(wrong[k].uri, wrong[k].groups, PBIT_CHECK_NO_CONTROLS, k);
		struct pbit_check_test t = test_of(report, wrong[k].test);

		if (t.verdict != PBIT_CHECK_FAIL)
			fail_msg("%s passes \"%s\" with p = %g", wrong[k].uri, wrong[k].test, t.p);
		assert_int_equal(summary_of(report).verdict, PBIT_CHECK_FAIL);
		pbit_check_report_free(report);
	}
}

/* The same groups let the right rule pass: what was rejected above was the defect. */
static void test_right_rule_alike(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(wrong); k++) {
		struct pbit_check_report *report =
			run("rules:heat-bath", wrong[k].groups, PBIT_CHECK_NO_CONTROLS, 100 + k);
		struct pbit_check_summary s = summary_of(report);

		if (s.verdict != PBIT_CHECK_INCOMPLETE)
			fail_msg("%s", s.reason);
		pbit_check_report_free(report);
	}
}

/*
 * P-values below 0.02 among those of a right device: no more than chance allows (false alarm
 * 1e-6; tests of one run share no samples but for pairs of them, which one standard error more covers).
 */
static void test_calibration(void **state)
{
	static const char tests[] = "start,free,bits,transient,pair,gate-xor,gate-adder,sk8,chain,"
				    "ring,sigmoid";
	uint64_t small = 0, all = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 15; seed++) {
		struct pbit_check_report *report =
			run("rules:heat-bath", tests, PBIT_CHECK_QUICK | PBIT_CHECK_NO_CONTROLS,
			    1000 + seed);
		struct pbit_check_test t = PBIT_INIT(t);

		for (uint32_t i = 0; i < summary_of(report).n_tests; i++) {
			assert_int_equal(pbit_check_report_test(report, i, &t), 0);
			small += t.p < 0.02;
			all++;
		}
		pbit_check_report_free(report);
	}
	assert_true(all > 250);
	if (stats_binomial_sf(small, all, 0.03) < 1e-6)
		fail_msg("%u of %u p-values are below 0.02", (unsigned int)small,
			 (unsigned int)all);
}

/* Physical noise gets a second chance, with both p-values kept; a defect stays a defect. */
static void test_repeat(void **state)
{
	struct pbit_check_report *report =
		run("rules:heat-bath,physical=1,gain=1.05", "sk8", PBIT_CHECK_NO_CONTROLS, 3);
	struct pbit_check_test t = test_of(report, "sk8 energy");

	(void)state;
	assert_int_equal(t.verdict, PBIT_CHECK_FAIL);
	assert_true(t.p < 1e-6 && t.p_repeat < t.p);
	pbit_check_report_free(report);
	report = run("rules:heat-bath,gain=1.05", "sk8", PBIT_CHECK_NO_CONTROLS, 3);
	t = test_of(report, "sk8 energy");
	assert_true(t.verdict == PBIT_CHECK_FAIL && isnan(t.p_repeat));
	pbit_check_report_free(report);
}

/* What does not fit is said to be so; a device on which nothing runs fails. */
static void test_small_devices(void **state)
{
	struct pbit_check_report *report =
		run("rules:heat-bath,pbits=8,degree=3,integer=1,fraction=2", NULL, 0, 5);
	struct pbit_check_summary s = summary_of(report);
	struct pbit_check_test t;

	(void)state;
	if (s.verdict != PBIT_CHECK_PASS)
		fail_msg("%s", s.reason);
	t = test_of(report, "sk8");
	assert_int_equal(t.verdict, PBIT_CHECK_NOT_APPLICABLE);
	assert_non_null(strstr(t.reason, "fan-in is 3"));
	assert_true(isnan(t.p));
	assert_int_equal(test_of(report, "ring states").verdict, PBIT_CHECK_PASS);
	pbit_check_report_free(report);
	report = run("rules:heat-bath,pbits=2", "sk8,torus3x3", PBIT_CHECK_NO_CONTROLS, 5);
	s = summary_of(report);
	assert_int_equal(s.verdict, PBIT_CHECK_FAIL);
	assert_int_equal(s.n_applicable, 0);
	assert_non_null(strstr(s.reason, "no test applies"));
	pbit_check_report_free(report);
}

static uint32_t against(const char *a, const char *b, uint64_t seed)
{
	struct pbit_check_opts opts = PBIT_INIT(opts);
	struct pbit_device *first, *second;
	struct pbit_check_report *report;
	struct pbit_check_control c = PBIT_INIT(c);
	uint32_t verdict;

	opts.seed = seed;
	assert_int_equal(pbit_open(a, NULL, &first), 0);
	assert_int_equal(pbit_open(b, NULL, &second), 0);
	assert_int_equal(pbit_check_against(first, second, &opts, &report), 0);
	assert_int_equal(pbit_check_report_control(report, 0, &c), 0);
	assert_true(c.rejected);
	verdict = summary_of(report).verdict;
	pbit_check_report_free(report);
	pbit_close(second);
	pbit_close(first);
	return verdict;
}

static void test_against(void **state)
{
	(void)state;
	assert_int_equal(against("software:", "rules:heat-bath", 1), PBIT_CHECK_PASS);
	assert_int_equal(against("rules:heat-bath", "rules:heat-bath,gain=1.05", 2),
			 PBIT_CHECK_FAIL);
	assert_int_equal(against("rules:heat-bath", "rules:heat-bath,bits=4", 3), PBIT_CHECK_FAIL);
	/* Wrong in the same way is alike. */
	assert_int_equal(against("rules:heat-bath,gain=1.05", "rules:heat-bath,gain=1.05", 4),
			 PBIT_CHECK_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_rule),	 cmocka_unit_test(test_wrong_rules),
		cmocka_unit_test(test_right_rule_alike), cmocka_unit_test(test_calibration),
		cmocka_unit_test(test_repeat),		 cmocka_unit_test(test_small_devices),
		cmocka_unit_test(test_against),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
