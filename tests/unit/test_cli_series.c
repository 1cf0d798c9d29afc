/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard error of a correlated mean, on series whose law is known: x' = a x + noise has the
 * autocorrelation time (1 + a)/(1 - a). Bounds at 5 standard errors of the estimate, so that with a generator of good
 * quality an alarm is false in 6e-7 of seeds; the seed is fixed. Control: plain errors must miss the truth.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pbit/contract.h>
#include "../../libhal/cli/series.c"

/* Normal noise from the library's own generator, by Box and Muller. */
static double normal(uint64_t k)
{
	const uint64_t key[4] = {7, 99, 0, 0}, counter[4] = {k, 0, 0, 0};
	uint64_t out[4];

	pbit_threefry(key, counter, out);
	return sqrt(-2 * log(((double)(out[0] >> 11) + 1) * 0x1p-53)) *
	       cos(6.283185307179586 * (double)(out[1] >> 11) * 0x1p-53);
}

static void run(double a, uint32_t chains, uint64_t length, struct series_result *result)
{
	struct series series;

	assert_int_equal(series_open(&series, chains, length), 0);
	for (uint32_t c = 0; c < chains; c++) {
		double x = normal((uint64_t)c << 40) / sqrt(1 - a * a);

		for (uint64_t t = 1; t <= length; t++) {
			series_add(&series, c, 1e9 + x);
			x = a * x + normal(((uint64_t)c << 40) + t);
		}
	}
	series_result(&series, result);
	series_close(&series);
}

static void check_law(double a, uint32_t chains, uint64_t length)
{
	double tau = (1 + a) / (1 - a), n = (double)chains * (double)length;
	double error = sqrt(tau / (1 - a * a) / n);
	/* Blocks of B = (2 N)^(1/3) tau^(2/3) to twice that: their number gives the error of the variance. */
	double blocks = n / (2 * cbrt(2 * n * tau * tau));
	struct series_result r;

	run(a, chains, length, &r);
	assert_true(r.is_reliable);
	assert_int_equal(r.count, chains * length);
	/* The blocks see tau less tau^2/(2 B) at most. */
	assert_true(fabs(r.tau / tau - 1) < 5 * sqrt(2 / blocks) + 0.5 * tau / cbrt(2 * n));
	assert_true(fabs(r.error / error - 1) < 2.5 * sqrt(2 / blocks) + 0.3 * tau / cbrt(2 * n));
	assert_true(fabs(r.mean - 1e9) < 5 * error + 1e-6);
	assert_true(r.least < 1e9);
}

static void test_law(void **state)
{
	(void)state;
	check_law(0, 1, 100000);
	check_law(0.5, 1, 100000);
	check_law(0.9, 4, 50000);
}

/* Without blocks the error of the third case would be four times too small: the bounds see that. */
static void test_control(void **state)
{
	struct series_result r;
	double plain;

	(void)state;
	run(0.9, 4, 50000, &r);
	plain = r.error / sqrt(r.tau);
	assert_true(plain / sqrt(19 / (1 - 0.81) / 200000) < 0.3);
}

static void test_few(void **state)
{
	struct series_result r;
	struct series series;

	(void)state;
	run(0, 1, 1, &r);
	assert_true(isnan(r.error) && isnan(r.tau) && !r.is_reliable && !isnan(r.mean));
	/* Far shorter than its autocorrelation time: said to be unreliable. */
	run(0.999, 1, 100, &r);
	assert_false(r.is_reliable);
	assert_int_equal(series_open(&series, 2, 0), 0);
	series_result(&series, &r);
	assert_true(isnan(r.mean) && r.count == 0);
	series_add(&series, 1, 4);
	series_add(&series, 1, 4);
	series_result(&series, &r);
	assert_true(r.mean == 4 && r.error == 0 && r.tau == 1);
	series_close(&series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_law),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
