/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels for AVX-512 with VNNI and VPOPCNTDQ. Products with weights of 1 and 2
 * bits AND and count; wider ones spread the activations to bytes and multiply
 * by vpdpbusd. Registers hold a block of tiles x columns.
 */
#include "avx512_bytes.h"
#include "avx512_count.h"
#include "avx512_draw.h"
#include "generic_f32.h"
#include "parts.h"

static bool avx512_usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq") &&
	       __builtin_cpu_supports("popcnt");
}

INLINE void clear(__m512i s[][10], unsigned int tiles, unsigned int columns)
{
	for (unsigned int t = 0; t < tiles; t++)
		for (unsigned int i = 0; i < columns; i++)
			s[t][i] = _mm512_setzero_si512();
}

INLINE void store(const struct soft_gemm *g, size_t tile, size_t n, unsigned int tiles,
		  unsigned int columns, __m512i s[][10], const int32_t *sums, unsigned int bits)
{
	for (unsigned int t = 0; t < tiles; t++)
		for (unsigned int i = 0; i < columns; i++)
			_mm512_storeu_si512(g->s + (n + i) * g->lds + (tile + t) * SOFT_LANES,
					    finish(s[t][i], bits, sums[i]));
}

/* Keeps a sum in its register: the compiler would run ahead and spill. */
#define KEEP(x) __asm__("" : "+v"(x))

/* tiles x columns of bytes by vpdpbusd. */
INLINE void block_bytes(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile,
			size_t n, unsigned int tiles, unsigned int columns, unsigned int bits,
			const int32_t *sums)
{
	const size_t row = g->chunks * bits * 64;
	const uint8_t *w = (const uint8_t *)g->w + tile * row;
	__m512i s[4][10];

	x += n * ldx;
	clear(s, tiles, columns);
	for (size_t c = 0; c < g->chunks; c++)
#pragma GCC unroll 8
		for (unsigned int j = 0; j < 8; j++) {
			__m512i line[4];

			for (unsigned int t = 0; t < tiles; t++)
				line[t] = step(w + t * row + c * bits * 64, bits, j);
			for (unsigned int i = 0; i < columns; i++) {
				const __m512i v =
					_mm512_set1_epi32(load_word(x + i * ldx + 32 * c + 4 * j));

				for (unsigned int t = 0; t < tiles; t++)
					s[t][i] = _mm512_dpbusd_epi32(s[t][i], v, line[t]);
				for (unsigned int t = 0; t < tiles && columns == 10; t++)
					KEEP(s[t][i]);
			}
		}
	store(g, tile, n, tiles, columns, s, sums, bits);
}

/* tiles x columns of bits by AND and count, weights of 2 bits. */
INLINE void block_count_2(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile,
			  size_t n, unsigned int tiles, unsigned int columns, const int32_t *sums)
{
	const size_t row = g->chunks * 2 * 64;
	const uint8_t *w = (const uint8_t *)g->w + tile * row;
	__m512i s[4][10];

	x += n * ldx;
	clear(s, tiles, columns);
	for (size_t c = 0; c < g->chunks; c++) {
		__m512i low[4], high[4];

		for (unsigned int t = 0; t < tiles; t++) {
			const uint8_t *chunk = w + t * row + c * 2 * 64;

			low[t] = _mm512_loadu_si512(chunk);
			high[t] = _mm512_loadu_si512(chunk + 64);
		}
#pragma GCC unroll 10
		for (unsigned int i = 0; i < columns; i++) {
			const __m512i v = _mm512_set1_epi32(load_word(x + i * ldx + 4 * c));

#pragma GCC unroll 4
			for (unsigned int t = 0; t < tiles; t++) {
				__m512i h;

				s[t][i] = _mm512_add_epi32(
					s[t][i], _mm512_popcnt_epi32(_mm512_and_si512(low[t], v)));
				if (columns == 10)
					KEEP(s[t][i]);
				h = _mm512_popcnt_epi32(_mm512_and_si512(high[t], v));
				s[t][i] = _mm512_add_epi32(s[t][i], _mm512_add_epi32(h, h));
			}
		}
	}
	store(g, tile, n, tiles, columns, s, sums, 2);
}

INLINE void block(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile, size_t n,
		  unsigned int tiles, unsigned int columns, unsigned int bits, bool count,
		  const int32_t *sums)
{
	if (count && bits == 1)
		block_count_1(g, x, ldx, tile, n, tiles, columns, sums);
	else if (count)
		block_count_2(g, x, ldx, tile, n, tiles, columns, sums);
	else
		block_bytes(g, x, ldx, tile, n, tiles, columns, bits, sums);
}

/* All tiles for up to ten columns. */
INLINE void columns(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t n,
		    unsigned int count_columns, unsigned int bits, bool count, const int32_t *sums)
{
	const unsigned int most = count && bits == 1 && count_columns == 10 ? 1 : 2;
	const unsigned int wide = count_columns == 1 ? 4 : most;
	size_t tile = 0;

	for (; tile + wide <= g->tiles; tile += wide)
		block(g, x, ldx, tile, n, wide, count_columns, bits, count, sums);
	for (; tile < g->tiles; tile++)
		block(g, x, ldx, tile, n, 1, count_columns, bits, count, sums);
}

/*
 * One function for each number of columns, or the compiler runs out of registers. Twenty sums at
 * a time hide the latency of each.
 */
typedef void columns_fn(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t n,
			const int32_t *sums);

#define COLUMNS(name, number, bits, count)                                                   \
	static __attribute__((noinline)) void name##_##number(const struct soft_gemm *g,     \
							      const uint8_t *x, size_t ldx,  \
							      size_t n, const int32_t *sums) \
	{                                                                                    \
		columns(g, x, ldx, n, number, bits, count, sums);                            \
	}
#define ALL_COLUMNS(name, bits, count)                                             \
	COLUMNS(name, 1, bits, count)                                              \
	COLUMNS(name, 2, bits, count)                                              \
	COLUMNS(name, 3, bits, count)                                              \
	COLUMNS(name, 4, bits, count)                                              \
	COLUMNS(name, 5, bits, count)                                              \
	COLUMNS(name, 10, bits, count)                                             \
	static columns_fn *const name[] = {NULL,     name##_1, name##_2, name##_3, \
					   name##_4, name##_5, name##_10};

ALL_COLUMNS(count_1, 1, true)
ALL_COLUMNS(count_2, 2, true)
ALL_COLUMNS(bytes_1, 1, false)
ALL_COLUMNS(bytes_2, 2, false)
ALL_COLUMNS(bytes_4, 4, false)
ALL_COLUMNS(bytes_8, 8, false)

static void gemm(const struct soft_gemm *g, const uint8_t *x, size_t ldx, const int32_t *sums,
		 columns_fn *const *columns_of)
{
	size_t n = 0;

	for (; n + 10 <= g->n; n += 10)
		columns_of[6](g, x, ldx, n, sums + n);
	if (n + 5 <= g->n) {
		columns_of[5](g, x, ldx, n, sums + n);
		n += 5;
	}
	if (n < g->n)
		columns_of[g->n - n](g, x, ldx, n, sums + n);
}

static columns_fn *const *bytes_of(unsigned int bits)
{
	return bits == 1 ? bytes_1 : bits == 2 ? bytes_2 : bits == 4 ? bytes_4 : bytes_8;
}

static void bits_part(const struct soft_gemm *g)
{
	const size_t ldx = (g->chunks + 1) / 2 * 64;
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++) {
		const uint32_t *x =
			(const uint32_t *)(const void *)((const uint8_t *)g->x + n * g->ldx);

		sums[n] = sum_bits(x, g->chunks);
		if (g->bits > 2)
			spread(x, g->chunks, _mm256_setzero_si256(), g->scratch + n * ldx);
	}
	if (g->bits == 1)
		gemm(g, g->x, g->ldx, sums, count_1);
	else if (g->bits == 2)
		gemm(g, g->x, g->ldx, sums, count_2);
	else
		gemm(g, g->scratch, ldx, sums, bytes_of(g->bits));
}

static void codes_part(const struct soft_gemm *g)
{
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++)
		sums[n] = sum_bytes((const uint8_t *)g->x + n * g->ldx, g->chunks);
	gemm(g, g->x, g->ldx, sums, bytes_of(g->bits));
}

static void avx512_gemm_bits(const struct soft_gemm *g)
{
	in_parts(g, bits_part);
}

static void avx512_gemm_codes(const struct soft_gemm *g)
{
	in_parts(g, codes_part);
}

const struct soft_kernels soft_kernels_avx512 = {
	.name = "avx512",
	.usable = avx512_usable,
	.gemm_bits = avx512_gemm_bits,
	.gemm_codes = avx512_gemm_codes,
	.gemm_f32_bits = generic_gemm_f32_bits,
	.gemm_f32_codes = generic_gemm_f32_codes,
	.thresholds = avx512_thresholds,
	.draw = avx512_draw,
	.activate = avx512_activate,
};
