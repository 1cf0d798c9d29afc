/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels for AVX-512 with VNNI and VPOPCNTDQ. Products with weights of 1 and 2
 * bits AND and count; wider ones spread the activations to bytes and multiply
 * by vpdpbusd. Registers hold a block of tiles x columns.
 */
#include "avx512_bytes.h"
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

INLINE void store(const struct soft_gemm *g, size_t tile, size_t n, unsigned int tiles,
		  unsigned int columns, __m512i s[][6], const int32_t *sums, unsigned int bits)
{
	for (unsigned int t = 0; t < tiles; t++)
		for (unsigned int i = 0; i < columns; i++)
			_mm512_storeu_si512(g->s + (n + i) * g->lds + (tile + t) * SOFT_LANES,
					    finish(s[t][i], bits, sums[i]));
}

/* tiles x columns of bytes by vpdpbusd. */
INLINE void block_bytes(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile,
			size_t n, unsigned int tiles, unsigned int columns, unsigned int bits,
			const int32_t *sums)
{
	const size_t row = g->chunks * bits * 64;
	const uint8_t *w = (const uint8_t *)g->w + tile * row;
	__m512i s[4][6];

	x += n * ldx;
	for (unsigned int t = 0; t < tiles; t++)
		for (unsigned int i = 0; i < columns; i++)
			s[t][i] = _mm512_setzero_si512();
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
			}
		}
	store(g, tile, n, tiles, columns, s, sums, bits);
}

/* tiles x columns of bits by AND and count. */
INLINE void block_count(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile,
			size_t n, unsigned int tiles, unsigned int columns, unsigned int bits,
			const int32_t *sums)
{
	const size_t row = g->chunks * bits * 64;
	const uint8_t *w = (const uint8_t *)g->w + tile * row;
	__m512i s[4][6];

	x += n * ldx;
	for (unsigned int t = 0; t < tiles; t++)
		for (unsigned int i = 0; i < columns; i++)
			s[t][i] = _mm512_setzero_si512();
	for (size_t c = 0; c < g->chunks; c++)
		for (unsigned int t = 0; t < tiles; t++) {
			const uint8_t *chunk = w + t * row + c * bits * 64;
			const __m512i low = _mm512_loadu_si512(chunk);
			const __m512i high =
				bits == 2 ? _mm512_loadu_si512(chunk + 64) : _mm512_setzero_si512();

			for (unsigned int i = 0; i < columns; i++) {
				const __m512i v = _mm512_set1_epi32(load_word(x + i * ldx + 4 * c));
				__m512i h;

				s[t][i] = _mm512_add_epi32(
					s[t][i], _mm512_popcnt_epi32(_mm512_and_si512(low, v)));
				if (bits == 1)
					continue;
				h = _mm512_popcnt_epi32(_mm512_and_si512(high, v));
				s[t][i] = _mm512_add_epi32(s[t][i], _mm512_add_epi32(h, h));
			}
		}
	store(g, tile, n, tiles, columns, s, sums, bits);
}

INLINE void block(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile, size_t n,
		  unsigned int tiles, unsigned int columns, unsigned int bits, bool count,
		  const int32_t *sums)
{
	if (count)
		block_count(g, x, ldx, tile, n, tiles, columns, bits, sums);
	else
		block_bytes(g, x, ldx, tile, n, tiles, columns, bits, sums);
}

/* All tiles for up to six columns. */
INLINE void columns(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t n,
		    unsigned int count_columns, unsigned int bits, bool count, const int32_t *sums)
{
	const unsigned int wide = count_columns == 1 ? 4 : 2;
	size_t tile = 0;

	for (; tile + wide <= g->tiles; tile += wide)
		block(g, x, ldx, tile, n, wide, count_columns, bits, count, sums);
	for (; tile < g->tiles; tile++)
		block(g, x, ldx, tile, n, 1, count_columns, bits, count, sums);
}

INLINE void gemm(const struct soft_gemm *g, const uint8_t *x, size_t ldx, const int32_t *sums,
		 unsigned int bits, bool count)
{
	size_t n = 0;

	for (; n + 6 <= g->n; n += 6)
		columns(g, x, ldx, n, 6, bits, count, sums + n);
	switch (g->n - n) {
	case 5:
		columns(g, x, ldx, n, 5, bits, count, sums + n);
		break;
	case 4:
		columns(g, x, ldx, n, 4, bits, count, sums + n);
		break;
	case 3:
		columns(g, x, ldx, n, 3, bits, count, sums + n);
		break;
	case 2:
		columns(g, x, ldx, n, 2, bits, count, sums + n);
		break;
	case 1:
		columns(g, x, ldx, n, 1, bits, count, sums + n);
		break;
	default:
		break;
	}
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
			spread(x, g->chunks, g->scratch + n * ldx);
	}
	switch (g->bits) {
	case 1:
		gemm(g, g->x, g->ldx, sums, 1, true);
		break;
	case 2:
		gemm(g, g->x, g->ldx, sums, 2, true);
		break;
	case 4:
		gemm(g, g->scratch, ldx, sums, 4, false);
		break;
	default:
		gemm(g, g->scratch, ldx, sums, 8, false);
	}
}

static void codes_part(const struct soft_gemm *g)
{
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++)
		sums[n] = sum_bytes((const uint8_t *)g->x + n * g->ldx, g->chunks);
	switch (g->bits) {
	case 1:
		gemm(g, g->x, g->ldx, sums, 1, false);
		break;
	case 2:
		gemm(g, g->x, g->ldx, sums, 2, false);
		break;
	case 4:
		gemm(g, g->x, g->ldx, sums, 4, false);
		break;
	default:
		gemm(g, g->x, g->ldx, sums, 8, false);
	}
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
	.detail = "AVX-512 with VNNI and VPOPCNTDQ",
	.usable = avx512_usable,
	.gemm_bits = avx512_gemm_bits,
	.gemm_codes = avx512_gemm_codes,
	.gemm_f32_bits = generic_gemm_f32_bits,
	.gemm_f32_codes = generic_gemm_f32_codes,
	.thresholds = avx512_thresholds,
	.draw = avx512_draw,
	.activate = avx512_activate,
};
