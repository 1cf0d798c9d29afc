/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: sums, errors and votes against an evaluation sample by sample, the same result for any
 * division of the work, every kind of read-out, devices that return sums only.
 */
#include "test_session_mock.h"

#define IMAGES 150

/* Image and output by the contract's text: votes on fl32 values, mean through exact sums. */
struct expected {
	double mean, error;
	uint32_t votes;
};

static void expect_image(const struct rig *rig, uint64_t image, uint32_t n_outputs, const float *a,
			 const float *c, struct expected *expected)
{
	uint64_t number = rig->opts.first_image + image;
	const unsigned char *codes = rig->codes + image * TEST_INPUTS;
	uint32_t T = rig->opts.samples;

	for (uint32_t o = 0; o < n_outputs; o++) {
		int64_t sum = 0;
		long double mean, square = 0;

		for (uint32_t s = 0; s < T; s++)
			sum += rig->mocks[0].raw(rig->opts.seed, number, rig->opts.first_sample + s,
						 o, codes, 1);
		mean = (long double)sum / T;
		for (uint32_t s = 0; s < T; s++) {
			long double d = (long double)rig->mocks[0].raw(rig->opts.seed, number,
								       rig->opts.first_sample + s,
								       o, codes, 1) -
					mean;
			square += d * d;
		}
		expected[o].mean = (double)sum / T * (double)a[o] + (double)c[o];
		expected[o].error =
			T > 1 ? (double)(fabsl((long double)a[o]) * sqrtl(square / (T - 1)) /
					 sqrtl((long double)T))
			      : 0;
		expected[o].votes = 0;
	}
	for (uint32_t s = 0; s < T; s++) {
		uint32_t winner = 0;
		float best = 0;

		for (uint32_t o = 0; o < n_outputs; o++) {
			volatile float product =
				(float)rig->mocks[0].raw(rig->opts.seed, number,
							 rig->opts.first_sample + s, o, codes, 1) *
				a[o];
			float value = product + c[o];

			if (o == 0 || value > best) {
				best = value;
				winner = o;
			}
		}
		expected[winner].votes++;
	}
}

static void check_result(const struct rig *rig, uint32_t n_outputs, const float *a, const float *c)
{
	struct expected expected[64];
	uint64_t n = rig->input.n_images;

	assert_int_equal(pbit_result_images(rig->result), n);
	assert_int_equal(pbit_result_outputs(rig->result), n_outputs);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t class = 0;

		expect_image(rig, i, n_outputs, a, c, expected);
		for (uint32_t o = 0; o < n_outputs; o++) {
			size_t at = i * n_outputs + o;
			double error = pbit_result_stderr(rig->result)[at];

			/* Bit by bit: the contract fixes the operations. */
			assert_true(pbit_result_mean(rig->result)[at] == expected[o].mean);
			assert_true(fabs(error - expected[o].error) <=
				    1e-12 * (1e-300 + expected[o].error));
			assert_int_equal(pbit_result_votes(rig->result)[at], expected[o].votes);
			if (expected[o].mean > expected[class].mean)
				class = o;
		}
		assert_int_equal(pbit_result_class(rig->result)[i], class);
		assert_int_equal(pbit_result_samples(rig->result)[i], rig->opts.samples);
	}
}

/* CONTRACT.md's table for codes with zero 0 or not, g = 1. */
static void dense_factors(const struct test_model *m, float *a, float *c)
{
	for (uint32_t o = 0; o < m->n_outputs; o++) {
		double scale = (double)(0.01f * (float)(1 + o % 3));
		double bias = (double)(0.5f - 0.25f * (float)(o % 5));
		double R = 0;

		for (uint32_t k = 0; k < TEST_INPUTS; k++)
			R += (double)((int)((o + k) % 7) - 3);
		a[o] = (float)(1.0 * scale * 0.5);
		c[o] = (float)(1.0 * (bias - scale * 0.5 * m->zero * R));
	}
}

static void linear_matches(void **state)
{
	struct test_model m = {.n_outputs = 10, .activation = PBIT_ACT_LINEAR, .zero = 3};
	float a[10], c[10];
	struct rig rig;

	(void)state;
	dense_factors(&m, a, c);
	rig_make(&rig, &m, 1, IMAGES);
	assert_int_equal(rig_run(&rig), 0);
	check_result(&rig, 10, a, c);
	rig.opts.samples = 1;
	rig.opts.first_image = 1ull << 40;
	rig.opts.first_sample = 1000;
	assert_int_equal(rig_run(&rig), 0);
	check_result(&rig, 10, a, c);
	rig.input.n_images = 0;
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(pbit_result_images(rig.result), 0);
	rig_free(&rig);
	assert_int_equal(rig.mocks[0].loads, 1);
	assert_int_equal(rig.mocks[0].unloads, 1);
}

static int64_t raw_threshold(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			     const unsigned char *codes, size_t code_bytes)
{
	(void)codes;
	(void)code_bytes;
	return (int64_t)(mock_random(seed, image, sample, output) % ((1u << 24) + 1));
}

static int64_t raw_bit(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
		       const unsigned char *codes, size_t code_bytes)
{
	return raw_threshold(seed, image, sample, output, codes, code_bytes) & 1;
}

/* Up to 2^46: sums and squares leave 64 bits. */
static int64_t raw_large(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			 const unsigned char *codes, size_t code_bytes)
{
	(void)codes;
	(void)code_bytes;
	return (int64_t)(mock_random(seed, image, sample, output) >> 17) - (1ll << 46);
}

static void every_readout(void **state)
{
	static const struct {
		uint32_t activation, encoding, weight_bits;
		mock_raw_fn *raw;
		double a, c;
	} cases[] = {
		{PBIT_ACT_SIGMOID, 0, 8, raw_threshold, 0x1p-24, 0},
		{PBIT_ACT_SIGMOID, 0, 32, raw_threshold, 0x1p-24, 0},
		{PBIT_ACT_PBIT, PBIT_BINARY, 8, raw_bit, 1, 0},
		{PBIT_ACT_PBIT, PBIT_BIPOLAR, 8, raw_bit, 2, -1},
		{PBIT_ACT_LINEAR, 0, 32, raw_large, 0, 0},
		{PBIT_ACT_LINEAR, 0, 8, raw_large, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test_model m = {.n_outputs = 5,
				       .activation = cases[i].activation,
				       .encoding = cases[i].encoding,
				       .weight_bits = cases[i].weight_bits};
		float a[5], c[5];
		struct rig rig;

		dense_factors(&m, a, c);
		for (uint32_t o = 0; o < 5; o++) {
			if (cases[i].activation != PBIT_ACT_LINEAR) {
				a[o] = (float)cases[i].a;
				c[o] = (float)cases[i].c;
			} else if (cases[i].weight_bits == 32) {
				a[o] *= 0x1p-20f;
			}
		}
		rig_make(&rig, &m, 1, 20);
		rig.mocks[0].raw = cases[i].raw;
		rig.opts.samples = 64;
		assert_int_equal(rig_run(&rig), 0);
		check_result(&rig, 5, a, c);
		rig_free(&rig);
	}
}

static int64_t raw_huge(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			const unsigned char *codes, size_t code_bytes)
{
	return raw_large(seed, image, sample, output, codes, code_bytes) * (1 << 16);
}

/* Values of nearly 63 bits: sums stay right, the error is not known rather than wrong. */
static void beyond_squares(void **state)
{
	struct test_model m = {.n_outputs = 3, .activation = PBIT_ACT_SIGMOID};
	struct rig rig;

	(void)state;
	rig_make(&rig, &m, 1, 4);
	rig.mocks[0].raw = raw_huge;
	rig.opts.samples = 500;
	assert_int_equal(rig_run(&rig), 0);
	for (uint32_t at = 0; at < 12; at++) {
		__extension__ __int128 sum = 0;

		for (uint32_t s = 0; s < 500; s++)
			sum += raw_huge(11, at / 3, s, at % 3, NULL, 1);
		assert_true(pbit_result_mean(rig.result)[at] == (double)sum / 500 * 0x1p-24);
		assert_true(isnan(pbit_result_stderr(rig.result)[at]));
	}
	rig.opts.confidence = 0.9;
	assert_int_equal(rig_run(&rig), -ERANGE);
	rig_free(&rig);
}

struct copy {
	double *mean, *error;
	uint32_t *votes, *class, *samples;
};

static void *copied(const void *from, size_t size)
{
	void *to = malloc(size);

	assert_non_null(to);
	memcpy(to, from, size);
	return to;
}

static void division_does_not_matter(void **state)
{
	static const uint32_t batches[] = {0, 1, 7, 64, 1000};
	static const uint32_t blocks[] = {0, 1, 5, 32, 1000};
	struct test_model m = {.n_outputs = 10, .activation = PBIT_ACT_LINEAR, .zero = 3};
	const size_t n = IMAGES, values = n * 10;
	struct copy first = {0};

	(void)state;
	for (uint32_t devices = 1; devices <= 3; devices++) {
		struct rig rig;

		rig_make(&rig, &m, devices, n);
		for (size_t v = 0; v < 25; v++) {
			rig.opts.batch = batches[v % 5];
			rig.opts.sample_block = blocks[v / 5];
			assert_int_equal(rig_run(&rig), 0);
			assert_int_equal(pbit_result_images(rig.result), n);
			if (!first.mean) {
				first.mean = copied(pbit_result_mean(rig.result), values * 8);
				first.error = copied(pbit_result_stderr(rig.result), values * 8);
				first.votes = copied(pbit_result_votes(rig.result), values * 4);
				first.class = copied(pbit_result_class(rig.result), n * 4);
				first.samples = copied(pbit_result_samples(rig.result), n * 4);
			}
			assert_memory_equal(first.mean, pbit_result_mean(rig.result), values * 8);
			assert_memory_equal(first.error, pbit_result_stderr(rig.result),
					    values * 8);
			assert_memory_equal(first.votes, pbit_result_votes(rig.result), values * 4);
			assert_memory_equal(first.class, pbit_result_class(rig.result), n * 4);
			assert_memory_equal(first.samples, pbit_result_samples(rig.result), n * 4);
		}
		/* Slow enough that no device is done before the last has begun, all take part. */
		rig.opts.batch = 1;
		for (uint32_t i = 0; i < devices; i++) {
			rig.mocks[i].requests = 0;
			rig.mocks[i].delay_ns = 500000;
		}
		assert_int_equal(rig_run(&rig), 0);
		assert_memory_equal(first.mean, pbit_result_mean(rig.result), values * 8);
		for (uint32_t i = 0; i < devices; i++)
			assert_true(rig.mocks[i].requests > 0);
		rig_free(&rig);
	}
	free(first.mean);
	free(first.error);
	free(first.votes);
	free(first.class);
	free(first.samples);
}

/* A slow device takes less, and the fast ones the rest. */
static void shares_follow_speed(void **state)
{
	struct test_model m = {.n_outputs = 2, .activation = PBIT_ACT_LINEAR};
	struct rig rig;

	(void)state;
	rig_make(&rig, &m, 2, 40);
	rig.mocks[0].delay_ns = 40000000;
	rig.mocks[1].delay_ns = 1000000;
	rig.opts.batch = 1;
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(rig.mocks[0].requests + rig.mocks[1].requests, 40);
	assert_true(rig.mocks[1].requests > 2 * rig.mocks[0].requests);
	rig_free(&rig);
}

static void sums_only(void **state)
{
	struct test_model m = {.n_outputs = 10, .activation = PBIT_ACT_LINEAR};
	float a[10], c[10];
	struct expected expected[10];
	struct rig rig;

	(void)state;
	dense_factors(&m, a, c);
	for (uint32_t devices = 1; devices <= 2; devices++) {
		rig_make(&rig, &m, devices, IMAGES);
		pbit_session_free(rig.session);
		rig.mocks[0].dev.caps.flags &= ~(uint32_t)PBIT_FLAG_REPORTS;
		rig_open(&rig);
		rig.opts.sample_block = 5;
		rig.opts.batch = 16;
		assert_int_equal(rig_run(&rig), 0);
		for (uint64_t i = 0; i < IMAGES; i++) {
			expect_image(&rig, i, 10, a, c, expected);
			for (uint32_t o = 0; o < 10; o++) {
				size_t at = i * 10 + o;

				assert_true(pbit_result_mean(rig.result)[at] == expected[o].mean);
				assert_true(isnan(pbit_result_stderr(rig.result)[at]));
				assert_int_equal(pbit_result_votes(rig.result)[at], 0);
			}
		}
		rig.opts.confidence = 0.95;
		assert_int_equal(rig_run(&rig), -EOPNOTSUPP);
		assert_string_equal(pbit_last_error()->where, "mock:0");
		rig_free(&rig);
	}
}

static void device_limits(void **state)
{
	struct test_model m = {.n_outputs = 3, .activation = PBIT_ACT_LINEAR};
	float a[3], c[3];
	struct rig rig;

	(void)state;
	dense_factors(&m, a, c);
	rig_make(&rig, &m, 1, 50);
	pbit_session_free(rig.session);
	rig.mocks[0].dev.caps.stated |= PBIT_CAP_BATCH | PBIT_CAP_SAMPLE_MEMORY;
	rig.mocks[0].dev.caps.batch = 6;
	rig.mocks[0].dev.caps.sample_memory = 20;
	rig_open(&rig);
	rig.opts.batch = 40;
	assert_int_equal(rig_run(&rig), 0);
	check_result(&rig, 3, a, c);
	assert_int_equal(rig.mocks[0].most_images, 6);
	assert_in_range(rig.mocks[0].most_samples, 7, 20);
	pbit_session_free(rig.session);
	rig.mocks[0].dev.caps.sample_memory = 4;
	rig.mocks[0].most_images = 0;
	rig.mocks[0].most_samples = 0;
	rig_open(&rig);
	assert_int_equal(rig_run(&rig), 0);
	check_result(&rig, 3, a, c);
	assert_int_equal(rig.mocks[0].most_images, 4);
	assert_int_equal(rig.mocks[0].most_samples, 4);
	rig_free(&rig);
}

/* Raw outputs of a request stay within a few MiB however large it is asked to be. */
static void memory_is_bounded(void **state)
{
	struct test_model m = {.n_outputs = 40, .activation = PBIT_ACT_LINEAR};
	float a[40], c[40];
	struct rig rig;

	(void)state;
	dense_factors(&m, a, c);
	rig_make(&rig, &m, 1, 10);
	rig.opts.samples = 5000;
	rig.opts.batch = 1000;
	rig.opts.sample_block = 5000;
	assert_int_equal(rig_run(&rig), 0);
	assert_in_range(rig.mocks[0].most_samples * 40 * 8, 1, 4 << 20);
	check_result(&rig, 40, a, c);
	rig_free(&rig);
}

/* 3x3 convolution over a 3x3 map as read-out: at the border, fewer weights carry the zero. */
static void border_of_a_convolution(void **state)
{
	static const int8_t weights[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	const float scale = 0.25f, bias = 1.5f;
	struct pbit_layer_spec layer = PBIT_INIT(layer);
	struct pbit_model_spec spec = PBIT_INIT(spec);
	float a[9], c[9];
	struct rig rig;

	(void)state;
	layer.type = PBIT_CONV2D;
	layer.activation = PBIT_ACT_LINEAR;
	layer.n_out = 1;
	layer.kernel_h = layer.kernel_w = 3;
	layer.stride_h = layer.stride_w = 1;
	layer.pad_h = layer.pad_w = 1;
	layer.weight_bits = 8;
	layer.n_scale = 1;
	layer.weights = weights;
	layer.scale = &scale;
	layer.bias = &bias;
	spec.n_layers = 1;
	spec.in = (struct pbit_shape){1, 3, 3};
	spec.input_bits = 8;
	spec.input_zero = 10;
	spec.input_scale = 0.5f;
	spec.layers = &layer;
	for (int y = 0; y < 3; y++)
		for (int x = 0; x < 3; x++) {
			double R = 0;

			for (int ky = 0; ky < 3; ky++)
				for (int kx = 0; kx < 3; kx++)
					if (y + ky >= 1 && y + ky <= 3 && x + kx >= 1 &&
					    x + kx <= 3)
						R += weights[ky * 3 + kx];
			a[y * 3 + x] = 0.125f;
			c[y * 3 + x] = (float)(1.5 - 0.125 * 10 * R);
		}
	assert_true(c[0] != c[4] && c[1] != c[7]);
	memset(&rig, 0, sizeof(rig));
	assert_int_equal(pbit_model_create(&spec, &rig.model), 0);
	for (unsigned int i = 0; i < 3; i++)
		mock_init(&rig.mocks[i], i, 9);
	rig.mocks[0].raw = raw_threshold;
	rig.n_devices = 1;
	rig_open(&rig);
	assert_int_equal(pbit_result_new(&rig.result), 0);
	rig.codes = calloc(5, 9);
	rig.input = (struct pbit_input)PBIT_INIT(rig.input);
	rig.input.data = rig.codes;
	rig.input.n_images = 5;
	rig.input.n_values = 9;
	rig.opts = (struct pbit_run_opts)PBIT_INIT(rig.opts);
	rig.opts.samples = 7;
	assert_int_equal(rig_run(&rig), 0);
	check_result(&rig, 9, a, c);
	rig_free(&rig);
}

static void statistics(void **state)
{
	struct test_model m = {.n_outputs = 10, .activation = PBIT_ACT_PBIT};
	struct pbit_run_stats stats = PBIT_INIT(stats);
	struct rig rig;

	(void)state;
	rig_make(&rig, &m, 3, IMAGES);
	for (uint32_t i = 0; i < 3; i++)
		rig.mocks[i].raw = raw_bit;
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(pbit_result_stats(rig.result, &stats), 0);
	assert_int_equal(stats.n_devices, 3);
	assert_int_equal(stats.images, IMAGES);
	assert_int_equal(stats.samples, IMAGES * 32);
	assert_int_equal(stats.pbit_updates, IMAGES * 32 * 10);
	assert_int_equal(stats.clipped_inputs, 0);
	assert_true(stats.seconds > 0 && stats.seconds < 60);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_matches),
		cmocka_unit_test(every_readout),
		cmocka_unit_test(beyond_squares),
		cmocka_unit_test(division_does_not_matter),
		cmocka_unit_test(shares_follow_speed),
		cmocka_unit_test(sums_only),
		cmocka_unit_test(device_limits),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(border_of_a_convolution),
		cmocka_unit_test(statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
