/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Early stop: Student's quantiles, the rate of wrong decisions where classes are as good as equal,
 * a rule without the correction that fails the same check, what is drawn and what is not.
 */
#include "stats/student.h"
#include "test_session_mock.h"

/* Tail by Simpson's rule on u = 1 / (1 + x), independent of the incomplete beta function. */
static double tail_by_integration(double t, double df)
{
	const int n = 200000;
	double norm = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * M_PI);
	double end = 1 / (1 + t), sum = 0;

	for (int i = 1; i <= n; i++) {
		double u = end * i / n, x = 1 / u - 1;
		double value = pow(1 + x * x / df, -(df + 1) / 2) / (u * u);

		sum += value * (i == n ? 1 : i % 2 ? 4 : 2);
	}
	/* At u = 0 the integrand is norm for df = 1 (as x^2 f(x)), else 0. */
	if (df == 1)
		sum += 1;
	return norm * sum * end / n / 3;
}

static void quantiles_of_tables(void **state)
{
	static const struct {
		double alpha, df, t;
	} table[] = {
		{0.025, 1, 12.706204736432095},
		{0.05, 3, 2.3533634348018264},
		{0.001, 10, 4.143700494046590},
		{0.025, 30, 2.0422724563012373},
		{0.25, 1, 1.0},
		{0.005, 5, 4.032142983557536},
		{0.025, 1e9, 1.959963986899},
		{0.001, 1e7, 3.0902330},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double t = pbit__student_upper(table[i].alpha, table[i].df);

		assert_true(fabs(t - table[i].t) < 1e-6 * table[i].t);
	}
}

static void quantiles_far_out(void **state)
{
	static const double levels[] = {0.2, 1e-2, 1e-5, 1e-9};
	static const double freedom[] = {1, 2, 3, 7, 31, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		for (size_t j = 0; j < sizeof(freedom) / sizeof(freedom[0]); j++) {
			double t = pbit__student_upper(levels[i], freedom[j]);
			double tail = tail_by_integration(t, freedom[j]);

			assert_true(fabs(tail / levels[i] - 1) < 1e-6);
		}
	/* The expansion continues the exact tail. */
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		double below = pbit__student_upper(levels[i], 10000);
		double above = pbit__student_upper(levels[i], 10001);

		assert_true(below > above && below - above < 1e-6 * below);
	}
	assert_true(isfinite(pbit__student_upper(1e-40, 1)));
	assert_true(isfinite(pbit__student_upper(1e-40, 3000)));
}

/* Standard normal, scaled; the mean in units of the step is given by the codes. */
#define STEP 4096.0

static double normal(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output)
{
	uint64_t bits = mock_random(seed, image, sample, output);
	double u = ((double)(bits >> 32) + 0.5) / 4294967296.0;
	double v = ((double)(bits & 0xffffffffu) + 0.5) / 4294967296.0;

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static int64_t raw_normal(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			  const unsigned char *codes, size_t code_bytes)
{
	double mean = output < TEST_INPUTS ? codes[output * code_bytes] / 10.0 : 0;

	return llrint(STEP * (mean + normal(seed, image, sample, output)));
}

/* All outputs have the same a here: z is their own noise around a common mean. */
static void make(struct rig *rig, uint32_t n_outputs, uint32_t n_devices, uint64_t n_images)
{
	struct test_model m = {.n_outputs = n_outputs, .activation = PBIT_ACT_SIGMOID};

	rig_make(rig, &m, n_devices, n_images);
	memset(rig->codes, 0, n_images * TEST_INPUTS);
	for (unsigned int i = 0; i < 3; i++)
		rig->mocks[i].raw = raw_normal;
}

/* The rule without its correction: one Student quantile of level 1 - C at every look. */
static bool uncorrected_stops_wrong(const struct rig *rig, uint64_t image, double confidence)
{
	static const unsigned char zero[TEST_INPUTS];
	double sum = 0, square = 0;

	for (uint32_t s = 0; s + 1 < rig->opts.samples; s++) {
		double d = (double)raw_normal(rig->opts.seed, image, s, 0, zero, 1) -
			   (double)raw_normal(rig->opts.seed, image, s, 1, zero, 1);
		double n = s + 1;

		sum += d;
		square += d * d;
		if ((s + 1) % 4 == 0) {
			double error = sqrt((square - sum * sum / n) / (n * (n - 1)));

			if (fabs(sum / n) > pbit__student_upper(1 - confidence, n - 1) * error)
				return sum > 0; /* for output 0 */
		}
	}
	return false;
}

/*
 * Two outputs of the same mean, as if output 1 were ahead by nothing: a decision for
 * output 0 is wrong. 4,000 images; 10 % allowed, so 5 sigma are 2.4 points.
 */
static void wrong_decisions(void **state)
{
	const uint64_t n = 4000;
	const double confidence = 0.9;
	uint64_t wrong = 0, decided = 0, control = 0;
	struct rig rig;

	(void)state;
	make(&rig, 2, 1, n);
	rig.opts.samples = 200;
	rig.opts.confidence = confidence;
	assert_int_equal(rig_run(&rig), 0);
	for (uint64_t i = 0; i < n; i++) {
		if (pbit_result_samples(rig.result)[i] == rig.opts.samples)
			continue;
		decided++;
		wrong += pbit_result_class(rig.result)[i] == 0;
	}
	for (uint64_t i = 0; i < n; i++)
		control += uncorrected_stops_wrong(&rig, i, confidence);
	assert_true(wrong > 0 && decided > wrong);
	assert_true((double)wrong <= (1 - confidence) * (double)n);
	assert_true((double)control > (1 - confidence) * (double)n + 5 * sqrt(0.09 * (double)n));
	rig_free(&rig);
}

/* Against several equal rivals the bound holds for all of them together. */
static void wrong_decisions_many(void **state)
{
	const uint64_t n = 2000;
	uint64_t wrong = 0;
	struct rig rig;

	(void)state;
	make(&rig, 3, 1, n);
	rig.opts.samples = 100;
	rig.opts.confidence = 0.7;
	assert_int_equal(rig_run(&rig), 0);
	for (uint64_t i = 0; i < n; i++)
		wrong += pbit_result_samples(rig.result)[i] < rig.opts.samples &&
			 pbit_result_class(rig.result)[i] != 0;
	assert_true(wrong > 0 && (double)wrong <= 0.3 * (double)n);
	rig_free(&rig);
}

/* Clear images stop early, and right; the statistics count what was drawn. */
static void clear_images_stop(void **state)
{
	const uint64_t n = 400;
	struct pbit_run_stats stats = PBIT_INIT(stats);
	uint64_t drawn = 0, right = 0;
	struct rig rig;

	(void)state;
	make(&rig, 4, 1, n);
	for (uint64_t i = 0; i < n; i++)
		rig.codes[i * TEST_INPUTS + i % 4] = 30; /* 3 standard deviations */
	rig.opts.samples = 256;
	rig.opts.confidence = 0.99;
	assert_int_equal(rig_run(&rig), 0);
	for (uint64_t i = 0; i < n; i++) {
		drawn += pbit_result_samples(rig.result)[i];
		right += pbit_result_class(rig.result)[i] == i % 4;
		assert_int_equal(pbit_result_samples(rig.result)[i] % 4, 0);
	}
	assert_true(drawn < n * 256 / 8);
	assert_true(right >= n * 99 / 100);
	assert_int_equal(pbit_result_stats(rig.result, &stats), 0);
	assert_int_equal(stats.samples, drawn);

	rig.opts.min_samples = 33;
	assert_int_equal(rig_run(&rig), 0);
	for (uint64_t i = 0; i < n; i++)
		assert_in_range(pbit_result_samples(rig.result)[i], 36, 256);
	rig_free(&rig);
}

/* Means over the samples that an image drew, whatever left the batch before it. */
static void leaves_and_stays(void **state)
{
	const uint64_t n = 200;
	struct rig rig;

	(void)state;
	make(&rig, 4, 1, n);
	for (uint64_t i = 0; i < n * TEST_INPUTS; i++)
		rig.codes[i] = (unsigned char)(mock_hash(i) % 12);
	rig.opts.samples = 120;
	rig.opts.confidence = 0.9;
	rig.opts.first_image = 1000;
	assert_int_equal(rig_run(&rig), 0);
	assert_true(rig.mocks[0].scattered > 0);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t drawn = pbit_result_samples(rig.result)[i];

		for (uint32_t o = 0; o < 4; o++) {
			size_t at = i * 4 + o;
			int64_t sum = 0;
			long double square = 0, mean;

			for (uint32_t s = 0; s < drawn; s++)
				sum += raw_normal(11, 1000 + i, s, o, rig.codes + i * 4, 1);
			mean = (long double)sum / drawn;
			for (uint32_t s = 0; s < drawn; s++) {
				long double d = (long double)raw_normal(11, 1000 + i, s, o,
									rig.codes + i * 4, 1) -
						mean;
				square += d * d;
			}
			assert_true(pbit_result_mean(rig.result)[at] ==
				    (double)sum / drawn * 0x1p-24);
			square = 0x1p-24L * sqrtl(square / (drawn - 1.0L) / drawn);
			assert_true(fabsl(square - (long double)pbit_result_stderr(
							   rig.result)[at]) < 1e-12L * square);
		}
	}
	rig_free(&rig);
}

static void division_does_not_matter(void **state)
{
	static const uint32_t batches[] = {0, 1, 9, 64};
	const uint64_t n = 150;
	uint32_t samples[150], class[150];
	double mean[150 * 4];

	(void)state;
	for (uint32_t devices = 1; devices <= 3; devices++) {
		struct rig rig;

		make(&rig, 4, devices, n);
		for (uint64_t i = 0; i < n * TEST_INPUTS; i++)
			rig.codes[i] = (unsigned char)(mock_hash(i) % 12);
		rig.opts.samples = 90; /* not a multiple of the block */
		rig.opts.confidence = 0.95;
		for (size_t b = 0; b < 4; b++) {
			rig.opts.batch = batches[b];
			assert_int_equal(rig_run(&rig), 0);
			if (devices == 1 && b == 0) {
				memcpy(samples, pbit_result_samples(rig.result), sizeof(samples));
				memcpy(class, pbit_result_class(rig.result), sizeof(class));
				memcpy(mean, pbit_result_mean(rig.result), sizeof(mean));
			}
			assert_memory_equal(samples, pbit_result_samples(rig.result),
					    sizeof(samples));
			assert_memory_equal(class, pbit_result_class(rig.result), sizeof(class));
			assert_memory_equal(mean, pbit_result_mean(rig.result), sizeof(mean));
		}
		rig_free(&rig);
	}
	/* The run must have had both kinds to say anything. */
	uint32_t all = 0;

	for (uint64_t i = 0; i < n; i++)
		all += samples[i] == 90;
	assert_in_range(all, 1, n - 1);
}

static int64_t raw_constant(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			    const unsigned char *codes, size_t code_bytes)
{
	/* The outputs move together: each difference is constant. */
	(void)codes;
	(void)code_bytes;
	return (int64_t)(mock_random(seed, image, sample, 0) % 1000) + 5 * (output == 2);
}

static void constant_differences(void **state)
{
	struct rig rig;

	(void)state;
	make(&rig, 3, 1, 10);
	rig.mocks[0].raw = raw_constant;
	rig.opts.samples = 100;
	rig.opts.confidence = 0.9;
	rig.opts.sample_block = 1;
	assert_int_equal(rig_run(&rig), 0);
	for (uint64_t i = 0; i < 10; i++) {
		assert_int_equal(pbit_result_samples(rig.result)[i], 8);
		assert_int_equal(pbit_result_class(rig.result)[i], 2);
		assert_int_equal(pbit_result_votes(rig.result)[i * 3 + 2], 8);
	}
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_of_tables),	    cmocka_unit_test(quantiles_far_out),
		cmocka_unit_test(wrong_decisions),	    cmocka_unit_test(wrong_decisions_many),
		cmocka_unit_test(clear_images_stop),	    cmocka_unit_test(leaves_and_stays),
		cmocka_unit_test(division_does_not_matter), cmocka_unit_test(constant_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
