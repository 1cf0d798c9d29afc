/* SPDX-License-Identifier: Apache-2.0 */
/* The numeric contract: thresholds, Threefry, the layout of draws, fixed point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pbit/pbit.h>

#define FULL 16777216u

static float float_of(uint32_t bits)
{
	float z;

	memcpy(&z, &bits, sizeof(z));
	return z;
}

static void test_threshold_values(void **state)
{
	static const struct {
		float z;
		uint32_t t;
	} known[] = {
		{0, 8388608},	   {1, 12265128},    {-1, 4512088},    {0.5f, 10443135},
		{-8, 5626},	   {16, 16777214},   {17.5f, FULL},    {-17.4f, 0},
		{32, FULL},	   {-32, 0},	     {INFINITY, FULL}, {-INFINITY, 0},
		{NAN, 0},	   {-NAN, 0},	     {3.4e38f, FULL},  {-3.4e38f, 0},
		{1e-40f, 8388608}, {-0.0f, 8388608},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(pbit_threshold24(known[i].z), known[i].t);
}

/* The sequence of operations is law: this digest was computed in another language. */
static void test_threshold_digest(void **state)
{
	uint64_t digest = 0xcbf29ce484222325u;

	(void)state;
	for (uint32_t i = 0; i < 200000; i++)
		digest = (digest ^ pbit_threshold24(float_of(i * 0x9E3779B1u + 12345u))) *
			 0x100000001b3u;
	for (int i = -100000; i <= 100000; i++)
		digest = (digest ^ pbit_threshold24((float)(i * 2e-4))) * 0x100000001b3u;
	assert_int_equal(digest, 0xef751429f38bc9dcu);
}

static void test_threshold_is_the_sigmoid(void **state)
{
	uint32_t previous = 0, t, mirrored;

	(void)state;
	for (int i = -66000; i <= 66000; i++) {
		float z = (float)i / 2000.0f;
		long double sigma = 1.0L / (1.0L + expl(-(long double)z));

		t = pbit_threshold24(z);
		assert_true(t <= FULL);
		assert_true(fabsl((long double)t / FULL - sigma) < 1.0L / FULL);
		assert_true(t >= previous);
		previous = t;
		mirrored = FULL - pbit_threshold24(-z);
		assert_true(t == mirrored || t + 1 == mirrored || t == mirrored + 1);
	}
}

static void test_threefry_known_answers(void **state)
{
	static const struct {
		uint64_t counter[4], key[4], out[4];
	} known[] = {
		{{0, 0, 0, 0},
		 {0, 0, 0, 0},
		 {0x4071fabee1dc8e05, 0x02ed3113695c9c62, 0x397311b5b89f9d49, 0xe21292c3258024bc}},
		{{~0ull, ~0ull, ~0ull, ~0ull},
		 {~0ull, ~0ull, ~0ull, ~0ull},
		 {0x7eaed935479722b5, 0x90994358c429f31c, 0x496381083e07a75b, 0x627ed0d746821121}},
		{{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
		 {0x452821e638d01377, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917},
		 {0x4361288ef9c1900c, 0x8717291521782833, 0x0d19db18c20cf47e, 0xa0b41d63ac8581e5}},
	};
	uint64_t out[4];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		pbit_threefry(known[i].key, known[i].counter, out);
		assert_memory_equal(out, known[i].out, sizeof(out));
		/* In place. */
		memcpy(out, known[i].counter, sizeof(out));
		pbit_threefry(known[i].key, out, out);
		assert_memory_equal(out, known[i].out, sizeof(out));
	}
}

/* The table of CONTRACT.md, read literally and field by field. */
static uint32_t draw_by_the_text(const uint64_t key_in[4], const uint64_t counter_in[4], uint64_t i)
{
	uint64_t key[4], counter[4], out[4], low[4];
	uint64_t G = i / 128, r = i % 128, w = r / 32, f = r % 4;

	memcpy(key, key_in, sizeof(key));
	memcpy(counter, counter_in, sizeof(counter));
	counter[0] = 8 * G + (r % 32) / 4;
	pbit_threefry(key, counter, out);
	key[1] += 0x100;
	pbit_threefry(key, counter, low);
	return (uint32_t)((out[w] >> 16 * f & 0xffff) << 8 | (low[w] >> 16 * f & 0xff));
}

static void test_draw_layout(void **state)
{
	static const uint64_t indices[] = {
		0, 1, 3, 4, 31, 32, 33, 127, 128, 129, 4095, 4096, 1ull << 40, (1ull << 60) + 77};
	uint64_t key_layer[4] = {~7ull, 1, 5, 0}, counter_layer[4] = {0, 9, 1ull << 50, 0};
	uint64_t key_bm[4] = {42, 2, 0, 0}, counter_bm[4] = {0, 1ull << 33, 3, 0};

	(void)state;
	for (size_t n = 0; n < sizeof(indices) / sizeof(indices[0]); n++) {
		uint64_t i = indices[n];

		assert_int_equal(pbit_draw_layer(~7ull, 5, 1ull << 50, 9, i),
				 draw_by_the_text(key_layer, counter_layer, i));
		assert_int_equal(pbit_draw_boltzmann(42, 3, 1ull << 33, i),
				 draw_by_the_text(key_bm, counter_bm, i));
	}
}

/* No two p-bits of a group share bits: 8 blocks of 4 words of 4 fields make 128 fields. */
static void test_draws_are_distinct(void **state)
{
	uint8_t used[8][4][4] = {{{0}}};

	(void)state;
	for (unsigned r = 0; r < 128; r++) {
		uint64_t key[4] = {3, PBIT_DOMAIN_LAYER, 2, 0};
		uint32_t high = pbit_draw_layer(3, 2, 0, 0, r) >> 8;
		unsigned hits = 0;

		for (unsigned block = 0; block < 8; block++) {
			uint64_t counter[4] = {block, 0, 0, 0}, out[4];

			pbit_threefry(key, counter, out);
			for (unsigned w = 0; w < 4; w++)
				for (unsigned f = 0; f < 4; f++)
					if ((out[w] >> 16 * f & 0xffff) == high) {
						used[block][w][f]++;
						hits++;
					}
		}
		assert_true(hits >= 1);
	}
	for (unsigned block = 0; block < 8; block++)
		for (unsigned w = 0; w < 4; w++)
			for (unsigned f = 0; f < 4; f++)
				assert_true(used[block][w][f] >= 1);
}

/* Mean and each of 24 bits within 5 standard deviations; fixed seed, so no false alarm. */
static void test_draws_are_uniform(void **state)
{
	enum { N = 40000 };
	double sum = 0;
	unsigned ones[24] = {0};

	(void)state;
	for (uint64_t i = 0; i < N; i++) {
		uint32_t u = pbit_draw_layer(11, 1, i / 500, 4, i % 500);

		assert_true(u < FULL);
		sum += u;
		for (unsigned b = 0; b < 24; b++)
			ones[b] += u >> b & 1;
	}
	assert_true(fabs(sum / N / FULL - 0.5) < 5 * sqrt(1.0 / 12 / N));
	for (unsigned b = 0; b < 24; b++)
		assert_true(fabs((double)ones[b] / N - 0.5) < 5 * 0.5 / sqrt(N));
}

static void test_fixed_point(void **state)
{
	int32_t q = 99;

	(void)state;
	assert_int_equal(pbit_to_fixed(1.5, 3, 4, &q), 0);
	assert_int_equal(q, 24);
	assert_int_equal(pbit_to_fixed(0.5, 3, 0, &q), 0);
	assert_int_equal(q, 0); /* ties to even */
	assert_int_equal(pbit_to_fixed(1.5, 3, 0, &q), 0);
	assert_int_equal(q, 2);
	assert_int_equal(pbit_to_fixed(-2.5, 3, 0, &q), 0);
	assert_int_equal(q, -2);
	assert_int_equal(pbit_to_fixed(-8, 3, 4, &q), 0);
	assert_int_equal(q, -128);
	assert_int_equal(pbit_to_fixed(7.9375, 3, 4, &q), 0);
	assert_int_equal(q, 127);
	q = 99;
	assert_int_equal(pbit_to_fixed(8, 3, 4, &q), -ERANGE);
	assert_int_equal(pbit_to_fixed(7.97, 3, 4, &q), -ERANGE); /* rounds up to 8 */
	assert_int_equal(pbit_to_fixed(-8.1, 3, 4, &q), -ERANGE);
	assert_int_equal(pbit_to_fixed(INFINITY, 3, 4, &q), -ERANGE);
	assert_int_equal(pbit_to_fixed(1e308, 3, 20, &q), -ERANGE);
	assert_int_equal(pbit_to_fixed(NAN, 3, 4, &q), -EINVAL);
	assert_int_equal(pbit_to_fixed(0, 16, 16, &q), -EINVAL);
	assert_int_equal(pbit_to_fixed(0, UINT32_MAX, 2, &q), -EINVAL);
	assert_int_equal(pbit_to_fixed(0, 1, 1, NULL), -EINVAL);
	assert_int_equal(q, 99);
	assert_int_equal(pbit_to_fixed(-2147483648.0, 31, 0, &q), 0);
	assert_int_equal(q, INT32_MIN);
	assert_int_equal(pbit_to_fixed(0, 0, 0, &q), 0);
	assert_int_equal(q, 0);
	assert_true(pbit_from_fixed(-128, 4) == -8.0);
	assert_true(pbit_from_fixed(1, 31) == 0x1p-31);
	assert_true(pbit_from_fixed(1, UINT32_MAX) == 0.0);
	for (int32_t i = -2048; i < 2048; i++) {
		assert_int_equal(pbit_to_fixed(pbit_from_fixed(i, 7), 4, 7, &q), 0);
		assert_int_equal(q, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold_values),
		cmocka_unit_test(test_threshold_digest),
		cmocka_unit_test(test_threshold_is_the_sigmoid),
		cmocka_unit_test(test_threefry_known_answers),
		cmocka_unit_test(test_draw_layout),
		cmocka_unit_test(test_draws_are_distinct),
		cmocka_unit_test(test_draws_are_uniform),
		cmocka_unit_test(test_fixed_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
