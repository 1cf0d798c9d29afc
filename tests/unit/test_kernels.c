/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of kernels promise each other: approximate thresholds close enough that whatever
 * lies farther off is decided right, and products equal to a plain loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "contract/threshold.h"
#include "software/kernels/kernels.h"

static const char *const names[] = {"portable", "avx2", "avx512", "amx"};

/* Compares with the law's own t(z), 24 bits; the tables keep one unit in hand. */
static void test_thresholds(void **state)
{
	unsigned int ran = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const struct soft_kernels *kernels = soft_kernels_pick(names[k]);
		float z[SOFT_GROUP];
		uint16_t t16[SOFT_GROUP];

		if (!kernels)
			continue;
		for (double from = -40.0; from < 40.0; from += 0.0007) {
			for (size_t i = 0; i < SOFT_GROUP; i++)
				z[i] = (float)(from + (double)i * 5.3e-6);
			kernels->thresholds(z, SOFT_GROUP, t16);
			for (size_t i = 0; i < SOFT_GROUP; i++) {
				const double t = pbit__threshold24(z[i]) / 256.0;

				assert_true(fabs(t16[i] - t) <= SOFT_MARGIN - 1);
			}
		}
		ran++;
	}
	assert_true(ran > 0);
}

/* Extreme inputs: certain bits, and NaN, which never fires. */
static void test_extremes(void **state)
{
	static const float extremes[] = {-INFINITY, -1e30f, -100.0f, 100.0f, 1e30f, INFINITY, NAN};
	const struct soft_stream stream = {.seed = 1, .layer = 2, .image = 3, .sample = 4};

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const struct soft_kernels *kernels = soft_kernels_pick(names[k]);

		if (!kernels)
			continue;
		for (size_t e = 0; e < sizeof(extremes) / sizeof(extremes[0]); e++) {
			float z[SOFT_GROUP];
			uint16_t t16[SOFT_GROUP];
			uint32_t bits[SOFT_GROUP / 32];

			for (size_t i = 0; i < SOFT_GROUP; i++)
				z[i] = extremes[e];
			kernels->thresholds(z, SOFT_GROUP, t16);
			kernels->draw(&stream, 0, SOFT_GROUP, z, t16, bits);
			for (size_t w = 0; w < SOFT_GROUP / 32; w++)
				assert_int_equal(bits[w], extremes[e] > 0 ? UINT32_MAX : 0);
		}
	}
}

static int32_t weight_at(const uint8_t *w, unsigned int bits, size_t chunks, size_t o, size_t k)
{
	const uint8_t *chunk = w + (o / 16 * chunks + k / 32) * bits * 64;
	const size_t byte = 4 * (o % 16) + k % 32 / 8, j = k % 8;

	switch (bits) {
	case 1:
		return chunk[byte] >> j & 1 ? 1 : -1;
	case 2:
		return (chunk[byte] >> j & 1) + 2 * (chunk[64 + byte] >> j & 1) - 2;
	case 4:
		return (chunk[64 * (j / 2) + byte] >> 4 * (j % 2) & 15) - 8;
	default:
		return (int8_t)chunk[64 * j + byte];
	}
}

static void fill(uint8_t *p, size_t n, uint32_t *seed)
{
	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		p[i] = (uint8_t)(*seed >> 24);
	}
}

static void *allocate(size_t bytes)
{
	return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void check_product(const struct soft_kernels *kernels, unsigned int bits, size_t tiles,
			  size_t chunks, size_t n, bool codes)
{
	const size_t ldx = 32 * (chunks + 3), lds = 16 * tiles + 16;
	uint8_t *w = allocate(tiles * chunks * bits * 64);
	uint8_t *x = allocate((n + 16) * ldx);
	int32_t *s = allocate((n + 16) * lds * sizeof(*s));
	struct soft_gemm g = {
		.w = w,
		.bits = bits,
		.tiles = tiles,
		.chunks = chunks,
		.x = x,
		.ldx = ldx,
		.n = n,
		.s = s,
		.lds = lds,
	};
	uint32_t seed = 7 * bits + (uint32_t)(n + chunks);

	g.scratch = allocate(soft_gemm_scratch(chunks, n));
	assert_true(w && x && s && g.scratch);
	fill(w, tiles * chunks * bits * 64, &seed);
	memset(x, 0, (n + 16) * ldx);
	for (size_t i = 0; i < n; i++)
		fill(x + i * ldx, (codes ? 32 : 4) * chunks, &seed);
	if (codes)
		kernels->gemm_codes(&g);
	else
		kernels->gemm_bits(&g);
	for (size_t i = 0; i < n; i++)
		for (size_t o = 0; o < 16 * tiles; o++) {
			int32_t sum = 0;

			for (size_t k = 0; k < 32 * chunks; k++) {
				const size_t c = k / 32, b = k % 32 / 8, j = k % 8;
				const uint8_t *column = x + i * ldx;
				const int32_t v = codes ? column[32 * c + 4 * j + b]
							: column[4 * c + b] >> j & 1;

				sum += v * weight_at(w, bits, chunks, o, k);
			}
			assert_int_equal(s[i * lds + o], sum);
		}
	free(g.scratch);
	free(s);
	free(x);
	free(w);
}

static void test_products(void **state)
{
	static const size_t columns[] = {1,  2,	 3,  4,	 5,  6,	 9,  10, 13,
					 15, 16, 17, 31, 32, 33, 70, 131};
	static const size_t chunks[] = {1, 2, 3, 7, 8};
	static const size_t tiles[] = {1, 2, 3, 5};

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const struct soft_kernels *kernels = soft_kernels_pick(names[k]);

		for (unsigned int bits = 1; kernels && bits <= 8; bits *= 2)
			for (size_t n = 0; n < sizeof(columns) / sizeof(columns[0]); n++) {
				const size_t c = chunks[n % 5], t = tiles[(n + bits) % 4];

				check_product(kernels, bits, t, c, columns[n], false);
				check_product(kernels, bits, t, c, columns[n], true);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_products),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
