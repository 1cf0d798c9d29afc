/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests' own statistics: tails against figures from 40-digit arithmetic, identities, and the
 * rate at which the tests built on them reject what is true (and what is not).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include "stats.h"

static void assert_near(double got, double expected, double relative)
{
	if (!(fabs(got - expected) <= relative * fabs(expected)))
		fail_msg("%.15g, expected %.15g", got, expected);
}

static void test_tails(void **state)
{
	(void)state;
	assert_near(stats_gamma_q(0.5, 12.0), 9.63357008643095e-7, 1e-13);
	assert_near(stats_gamma_q(15.5, 60.0), 2.07949054603659e-12, 1e-12);
	assert_near(stats_gamma_q(5e5, 503600.0), 1.89242445818445e-7, 1e-11);
	assert_near(stats_gamma_p(5e5, 496000.0), 7.07604911362211e-9, 1e-11);
	assert_near(stats_binomial_sf(600, 1000, 0.5), 1.36423207803301e-10, 1e-12);
	assert_near(stats_binomial_cdf(498000, 1000000, 0.5), 3.18046687504124e-5, 1e-11);
	assert_near(stats_binomial_sf(70, 1000000, 3e-5), 3.35985345268135e-10, 1e-11);
	assert_near(stats_binomial_cdf(10, 1000000, 3e-5), 2.23442079929975e-5, 1e-10);
	assert_near(stats_student_two_sided(7.5, 19.0), 4.31163386254331e-7, 1e-12);
	assert_near(stats_binomial_sf(3, 5, 0.25), 0.103515625, 1e-14);
	assert_near(stats_binomial_cdf(0, 3, 0.1), 0.729, 1e-14);
	assert_near(stats_normal_sf(5.0), 2.866515718791939e-7, 1e-12);
	/* chi-square of 2 degrees is exponential; Student of 1 is Cauchy */
	assert_near(stats_chi2_sf(40.0, 2.0), exp(-20.0), 1e-13);
	assert_near(stats_student_two_sided(1.0, 1.0), 0.5, 1e-13);
	assert_near(stats_chi2_sf(stats_chi2_quantile(1e-8, 7.0), 7.0), 1e-8, 1e-9);
}

static void test_edges(void **state)
{
	(void)state;
	assert_true(stats_binomial_test(0, 100, 0.0) == 1.0);
	assert_true(stats_binomial_test(1, 100, 0.0) == 0.0);
	assert_true(stats_binomial_test(100, 100, 1.0) == 1.0);
	assert_true(stats_binomial_test(99, 100, 1.0) == 0.0);
	assert_true(stats_binomial_test(50, 100, 0.5) == 1.0);
	assert_near(stats_binomial_test(0, 20, 0.5), 2.0 * ldexp(1.0, -20), 1e-13);
	assert_true(stats_binomial_sf(0, 10, 0.3) == 1.0);
	assert_true(stats_binomial_cdf(10, 10, 0.3) == 1.0);
	assert_true(stats_z_test(1.0, 1.0, 0.0) == 1.0);
	assert_true(stats_z_test(1.0, 2.0, 0.0) == 0.0);
	assert_near(stats_z_test(7.0, 2.0, 1.0), stats_normal_two_sided(5.0), 1e-15);
}

/* Exact distribution sums: P(X <= k) + P(X >= k + 1) = 1, for small and lop-sided p. */
static void test_binomial_sums(void **state)
{
	static const double chances[] = {1e-9, 1e-3, 0.3, 0.5, 0.999};

	(void)state;
	for (size_t c = 0; c < sizeof(chances) / sizeof(chances[0]); c++) {
		for (uint64_t n = 1; n < 3000; n = n * 3 + 1) {
			for (uint64_t k = 0; k < n; k += 1 + n / 7)
				assert_near(stats_binomial_cdf(k, n, chances[c]) +
						    stats_binomial_sf(k + 1, n, chances[c]),
					    1.0, 1e-12);
		}
	}
}

static void test_chi2(void **state)
{
	static const double p[4] = {0.5, 0.25, 0.25, 0.0};
	uint64_t good[4] = {500, 260, 240, 0}, bad[4] = {600, 200, 200, 0};
	uint64_t impossible[4] = {500, 250, 249, 1};
	static const double rare[3] = {0.6, 0.3995, 0.0005};
	uint64_t rare_good[3] = {6000, 3995, 5}, rare_bad[3] = {5980, 3980, 40};
	struct stats_chi2 r = stats_chi2_test(good, p, 4, 5.0);

	(void)state;
	assert_near(r.chi2, 0.8, 1e-12);
	assert_near(r.df, 2.0, 0.0);
	assert_near(r.p, exp(-0.4), 1e-12);
	assert_true(stats_chi2_test(bad, p, 4, 5.0).p < 1e-8);
	assert_true(stats_chi2_test(impossible, p, 4, 5.0).p == 0.0);
	assert_true(stats_chi2_test(rare_good, rare, 3, 25.0).p > 0.5);
	assert_true(stats_chi2_test(rare_bad, rare, 3, 25.0).p < 1e-10);
	assert_true(stats_chi2_two_sample(good, good, 4, 5.0).p > 0.999);
	assert_true(stats_chi2_two_sample(good, bad, 4, 5.0).p < 1e-3);
}

static void test_holm(void **state)
{
	double p[5] = {0.011, 0.02, 0.9, 0.012, 0.013}, q[3] = {0.04, 0.02, 0.03};
	double with_nan[2] = {NAN, 0.9};
	bool reject[5];

	(void)state;
	/* 0.011 > 0.05/5 */
	assert_int_equal(stats_holm(p, 5, 0.05, reject), 0);
	p[0] = 0.01;
	assert_int_equal(stats_holm(p, 5, 0.05, reject), 4);
	assert_true(reject[0] && reject[1] && !reject[2] && reject[3] && reject[4]);
	assert_int_equal(stats_holm(q, 3, 0.05, NULL), 0);
	q[1] = 0.016;
	assert_int_equal(stats_holm(q, 3, 0.05, reject), 1);
	assert_true(reject[1] && !reject[0] && !reject[2]);
	assert_int_equal(stats_holm(with_nan, 2, 0.05, reject), 1);
	assert_true(reject[0]);
	assert_near(stats_family_p(p, 5), 0.05, 1e-12);
	assert_true(stats_family_p(with_nan, 2) == 0.0);
}

static double uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(*state >> 11) * 0x1p-53;
}

/* An AR(1) series: its autocorrelation time is (1 + a) / (2 (1 - a)), its mean 0. */
static void test_series(void **state)
{
	static double x[200000];
	uint64_t random = 1;
	struct stats_mean m;

	(void)state;
	for (size_t i = 1; i < 200000; i++)
		x[i] = 0.8 * x[i - 1] + uniform(&random) - 0.5;
	assert_near(stats_autocorrelation_time(x, 200000), 4.5, 0.1);
	m = stats_batch_means(x, 200000, 100);
	/* the standard error of the mean of n values: sigma sqrt(2 tau / n), sigma^2 = (1/12)/(1 - a^2) */
	assert_near(m.standard_error, sqrt(1.0 / 12 / 0.36 * 9.0 / 200000), 0.3);
	assert_true(fabs(m.mean) < 6.0 * m.standard_error);
	assert_true(fabs(m.batch_correlation) < 0.4);
	memset(x, 0, sizeof(x));
	assert_true(stats_autocorrelation_time(x, 1000) == 0.5);
	assert_true(isnan(stats_batch_means(x, 1, 2).mean));
}

/*
 * Rates: at a nominal 1 %, 4000 chi-square tests of a fair die may reject 40; the bounds leave six standard
 * deviations. A loaded die is rejected as often as the power formula says.
 */
static void test_rates(void **state)
{
	static const double fair[6] = {1, 1, 1, 1, 1, 1};
	static const double sixth[6] = {1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6};
	static const double loaded[6] = {0.2, 0.16, 0.16, 0.16, 0.16, 0.16};
	unsigned int alarms = 0, found = 0;
	uint64_t random = 7;
	double power;

	(void)state;
	for (unsigned int round = 0; round < 4000; round++) {
		uint64_t a[6] = {0}, b[6] = {0};

		for (unsigned int k = 0; k < 1000; k++) {
			double u = uniform(&random);

			a[(int)(6.0 * uniform(&random))]++;
			b[u < 0.2 ? 0 : 1 + (int)((u - 0.2) / 0.16000000001)]++;
		}
		alarms += stats_chi2_test(a, fair, 6, 5.0).p <= 0.01;
		found += stats_chi2_test(b, fair, 6, 5.0).p <= 0.01;
	}
	assert_in_range(alarms, 5, 78);
	power = stats_chi2_power(stats_chi2_quantile(0.01, 5.0), 5.0,
				 stats_chi2_noncentrality(sixth, loaded, 6, 1000.0));
	assert_true(fabs(found / 4000.0 - power) < 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tails),	      cmocka_unit_test(test_edges),
		cmocka_unit_test(test_binomial_sums), cmocka_unit_test(test_chi2),
		cmocka_unit_test(test_holm),	      cmocka_unit_test(test_series),
		cmocka_unit_test(test_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
