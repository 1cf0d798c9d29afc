/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of a run: formats, order of values, clipping, what is refused and how it is named. */
#include <limits.h>
#include "test_session_mock.h"

/* Runs one image and compares the codes that the device got. */
static void expect_codes(struct rig *rig, const void *codes, size_t size)
{
	rig->opts.samples = 1;
	assert_int_equal(rig_run(rig), 0);
	assert_memory_equal(rig->mocks[0].first_row, codes, size);
}

static void make(struct rig *rig, uint32_t input_bits, uint32_t zero)
{
	struct test_model m = {.n_outputs = 2,
			       .activation = PBIT_ACT_LINEAR,
			       .input_bits = input_bits,
			       .zero = zero};

	rig_make(rig, &m, 1, 1);
}

static void codes_are_not_copied(void **state)
{
	struct rig rig;
	unsigned char rows[2 * 9];

	(void)state;
	make(&rig, 8, 0);
	memset(rows, 5, sizeof(rows));
	rig.input.data = rows;
	rig.input.n_images = 2;
	rig.input.stride = 9;
	assert_int_equal(rig_run(&rig), 0);
	assert_ptr_equal(rig.mocks[0].last_codes, rows);
	assert_int_equal(rig.mocks[0].last_stride, 9);
	rig_free(&rig);
	make(&rig, 16, 0);
	{
		uint16_t wide[TEST_INPUTS] = {1, 256, 65535, 7};

		rig.input.data = wide;
		rig.input.format = PBIT_INPUT_U16;
		expect_codes(&rig, wide, sizeof(wide));
		assert_ptr_equal(rig.mocks[0].last_codes, wide);
	}
	rig_free(&rig);
}

static void integer_formats(void **state)
{
	static const uint16_t wide[TEST_INPUTS] = {0, 255, 1, 7};
	static const uint8_t narrow[TEST_INPUTS] = {0, 255, 1, 7};
	_Alignas(8) unsigned char apart[1 + sizeof(wide)];
	uint16_t large[TEST_INPUTS] = {0, 255, 256, 7};
	struct rig rig;

	(void)state;
	make(&rig, 8, 0);
	rig.input.data = wide;
	rig.input.format = PBIT_INPUT_U16;
	expect_codes(&rig, narrow, sizeof(narrow));
	rig.input.data = large;
	assert_int_equal(rig_run(&rig), -EDOM);
	assert_non_null(strstr(pbit_last_error()->why, "image 0, value 2"));
	assert_int_equal(pbit_result_images(rig.result), 0);
	rig_free(&rig);

	make(&rig, 16, 0);
	rig.input.data = narrow;
	expect_codes(&rig, wide, sizeof(wide));
	memcpy(apart + 1, wide, sizeof(wide));
	rig.input.data = apart + 1;
	rig.input.format = PBIT_INPUT_U16;
	expect_codes(&rig, wide, sizeof(wide));
	assert_int_equal((uintptr_t)rig.mocks[0].last_codes % 2, 0);
	rig_free(&rig);
}

/* code = rint(x / 0.5 + zero), ties to even. */
static void real_formats(void **state)
{
	static const struct {
		double x[TEST_INPUTS];
		uint8_t codes[TEST_INPUTS];
		uint64_t clipped;
	} cases[] = {
		{{0, 1, 2.5, 3.25}, {10, 12, 15, 16}, 0},	      /* 16.5 goes to 16 */
		{{-5, 0.25, 0.75, 122.5}, {0, 10, 12, 255}, 0},	      /* 10.5 to 10, 11.5 to 12 */
		{{-5.25, -5.3, 122.74, 122.75}, {0, 0, 255, 255}, 2}, /* 255.5 goes to 256 */
		{{-1e30, 1e30, -6, 130}, {0, 255, 0, 255}, 4},
		{{-3e38, 3e38, 1e-40, -1e-40}, {0, 255, 10, 10}, 2},
	};
	struct pbit_run_stats stats = PBIT_INIT(stats);
	struct rig rig;

	(void)state;
	make(&rig, 8, 10);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		float narrow[TEST_INPUTS];

		for (size_t k = 0; k < TEST_INPUTS; k++)
			narrow[k] = (float)cases[i].x[k];
		rig.input.format = PBIT_INPUT_F64;
		rig.input.data = cases[i].x;
		expect_codes(&rig, cases[i].codes, TEST_INPUTS);
		assert_int_equal(pbit_result_stats(rig.result, &stats), 0);
		assert_int_equal(stats.clipped_inputs, cases[i].clipped);
		rig.input.format = PBIT_INPUT_F32;
		rig.input.data = narrow;
		expect_codes(&rig, cases[i].codes, TEST_INPUTS);
		assert_int_equal(pbit_result_stats(rig.result, &stats), 0);
		assert_int_equal(stats.clipped_inputs, cases[i].clipped);
	}
	rig_free(&rig);

	make(&rig, 16, 10);
	{
		static const double x[TEST_INPUTS] = {0, 32762.5, 32763, -1};
		static const uint16_t codes[TEST_INPUTS] = {10, 65535, 65535, 8};

		rig.input.format = PBIT_INPUT_F64;
		rig.input.data = x;
		expect_codes(&rig, codes, sizeof(codes));
		assert_int_equal(pbit_result_stats(rig.result, &stats), 0);
		assert_int_equal(stats.clipped_inputs, 1);
	}
	rig_free(&rig);
}

/* The largest double divided by a scale below 1 is not finite, but the input is. */
static void quotient_may_overflow(void **state)
{
	static const double x[TEST_INPUTS] = {1.7e308, -1.7e308, 0, 0};
	static const uint8_t codes[TEST_INPUTS] = {255, 0, 3, 3};
	struct rig rig;

	(void)state;
	make(&rig, 8, 3);
	rig.input.format = PBIT_INPUT_F64;
	rig.input.data = x;
	expect_codes(&rig, codes, sizeof(codes));
	rig_free(&rig);
}

static void planar_images(void **state)
{
	struct test_model m = {
		.n_outputs = 2, .activation = PBIT_ACT_LINEAR, .chw = 1, .in = {3, 2, 2}};
	static const uint8_t planar[12] = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
	static const uint8_t last[12] = {0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23};
	float real[12];
	struct rig rig;

	(void)state;
	rig_make(&rig, &m, 1, 1);
	rig.input.data = planar;
	rig.input.n_values = 12;
	expect_codes(&rig, last, sizeof(last));
	for (size_t i = 0; i < 12; i++)
		real[i] = 0.5f * planar[i];
	rig.input.format = PBIT_INPUT_F32;
	rig.input.data = real;
	expect_codes(&rig, last, sizeof(last));
	real[7] = NAN; /* named in the caller's order */
	assert_int_equal(rig_run(&rig), -EDOM);
	assert_non_null(strstr(pbit_last_error()->why, "image 0, value 7"));
	rig_free(&rig);
}

static void refused_values(void **state)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY};
	struct test_model m = {.n_outputs = 2, .activation = PBIT_ACT_LINEAR};
	struct rig rig;

	(void)state;
	for (uint32_t devices = 1; devices <= 3; devices++) {
		rig_make(&rig, &m, devices, 30);
		for (size_t i = 0; i < 3; i++) {
			double x[30 * TEST_INPUTS] = {0};
			float narrow[30 * TEST_INPUTS] = {0};
			struct pbit_run_opts opts = rig.opts;

			x[17 * TEST_INPUTS + 2] = x[25 * TEST_INPUTS] = bad[i];
			narrow[17 * TEST_INPUTS + 2] = narrow[25 * TEST_INPUTS] = (float)bad[i];
			rig.opts.batch = 4;
			rig.input.format = PBIT_INPUT_F64;
			rig.input.data = x;
			assert_int_equal(rig_run(&rig), -EDOM);
			assert_non_null(strstr(pbit_last_error()->why, "image 17, value 2"));
			/* What came before is there: four batches of four. */
			assert_int_equal(pbit_result_images(rig.result), 16);
			assert_int_equal(pbit_result_samples(rig.result)[15], 32);
			rig.input.format = PBIT_INPUT_F32;
			rig.input.data = narrow;
			assert_int_equal(rig_run(&rig), -EDOM);
			assert_non_null(strstr(pbit_last_error()->why, "image 17, value 2"));
			rig.opts = opts;
		}
		rig_free(&rig);
	}
}

static void expect_invalid(struct rig *rig, const struct pbit_input *input, const char *word)
{
	pbit_clear_error();
	assert_int_equal(pbit_session_run(rig->session, input, &rig->opts, rig->result), -EINVAL);
	assert_int_equal(pbit_last_error()->code, -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, word));
	assert_int_equal(pbit_result_images(rig->result), 0);
}

static void refused_structs(void **state)
{
	struct pbit_input input;
	struct rig rig;

	(void)state;
	make(&rig, 8, 0);
	expect_invalid(&rig, NULL, "NULL");
	input = rig.input;
	input.struct_size = 16;
	expect_invalid(&rig, &input, "struct_size");
	input = rig.input;
	input.format = 4;
	expect_invalid(&rig, &input, "format");
	input = rig.input;
	input.n_values = TEST_INPUTS + 1;
	expect_invalid(&rig, &input, "5 values");
	input = rig.input;
	input.data = NULL;
	expect_invalid(&rig, &input, "data");
	input = rig.input;
	input.stride = 3;
	expect_invalid(&rig, &input, "stride");
	input = rig.input;
	input.n_images = UINT64_MAX;
	expect_invalid(&rig, &input, "fit");
	input = rig.input;
	input.n_images = 1ull << 61;
	expect_invalid(&rig, &input, "fit");
	/* Without the optional tail it is complete, and a longer one is as good. */
	input = rig.input;
	input.struct_size = offsetof(struct pbit_input, stride);
	input.stride = 1;
	assert_int_equal(pbit_session_run(rig.session, &input, &rig.opts, rig.result), 0);
	input = rig.input;
	input.struct_size = 4096;
	assert_int_equal(pbit_session_run(rig.session, &input, &rig.opts, rig.result), 0);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_not_copied), cmocka_unit_test(integer_formats),
		cmocka_unit_test(real_formats),		cmocka_unit_test(quotient_may_overflow),
		cmocka_unit_test(planar_images),	cmocka_unit_test(refused_values),
		cmocka_unit_test(refused_structs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
