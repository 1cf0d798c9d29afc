/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels for AVX2. Bytes are multiplied by vpmaddubsw, whose 16-bit sums must
 * not saturate: bits times any weight, and codes times four bits, never do, so weights of
 * 8 bits times codes go in two halves of four.
 */
#include <immintrin.h>
#include "generic_draw.h"
#include "generic_f32.h"
#include "parts.h"

#define INLINE static inline __attribute__((always_inline))

static bool avx2_usable(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

INLINE __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

INLINE int32_t load_word(const uint8_t *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static int32_t sum_bits(const uint8_t *x, size_t chunks)
{
	int32_t sum = 0;

	for (size_t c = 0; c < chunks; c++)
		sum += __builtin_popcount((unsigned int)load_word(x + 4 * c));
	return sum;
}

static int32_t sum_bytes(const uint8_t *x, size_t chunks)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 32 * chunks; i++)
		sum += x[i];
	return (int32_t)sum;
}

/* Half h (8 lanes) of the bytes of step j of a chunk. */
INLINE __m256i step(const uint8_t *chunk, unsigned int bits, unsigned int j, unsigned int h)
{
	const __m256i one = _mm256_set1_epi8(1);
	__m256i a, b;

	chunk += 32 * h;
	switch (bits) {
	case 1:
		return _mm256_and_si256(_mm256_srli_epi32(load(chunk), (int)j), one);
	case 2:
		a = _mm256_and_si256(_mm256_srli_epi32(load(chunk), (int)j), one);
		b = _mm256_and_si256(_mm256_srli_epi32(load(chunk + 64), (int)j), one);
		return _mm256_add_epi8(a, _mm256_add_epi8(b, b));
	case 4:
		a = load(chunk + 64 * (j / 2));
		return _mm256_and_si256(j % 2 ? _mm256_srli_epi32(a, 4) : a, _mm256_set1_epi8(15));
	default:
		return load(chunk + 64 * j);
	}
}

INLINE __m256i add_dot(__m256i s, __m256i x, __m256i w)
{
	return _mm256_add_epi32(
		s, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), _mm256_set1_epi16(1)));
}

/* Four unsigned codes times four signed weights of 8 bits, exactly. */
INLINE __m256i add_dot_wide(__m256i s, __m256i x, __m256i w)
{
	const __m256i low = _mm256_and_si256(w, _mm256_set1_epi8(15));
	const __m256i high = _mm256_sub_epi8(
		_mm256_xor_si256(_mm256_and_si256(_mm256_srli_epi16(w, 4), _mm256_set1_epi8(15)),
				 _mm256_set1_epi8(8)),
		_mm256_set1_epi8(8));
	const __m256i ones = _mm256_set1_epi16(1);
	const __m256i h = _mm256_madd_epi16(_mm256_maddubs_epi16(x, high), ones);

	return _mm256_add_epi32(
		s, _mm256_add_epi32(_mm256_madd_epi16(_mm256_maddubs_epi16(x, low), ones),
				    _mm256_slli_epi32(h, 4)));
}

/* Ones in each 32-bit lane. */
INLINE __m256i count(__m256i v)
{
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1,
					       1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low = _mm256_set1_epi8(15);
	const __m256i n = _mm256_add_epi8(
		_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
		_mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));

	return _mm256_madd_epi16(_mm256_maddubs_epi16(n, _mm256_set1_epi8(1)),
				 _mm256_set1_epi16(1));
}

INLINE __m256i finish(__m256i s, unsigned int bits, int32_t sum)
{
	if (bits == 8)
		return s;
	if (bits == 1)
		return _mm256_sub_epi32(_mm256_add_epi32(s, s), _mm256_set1_epi32(sum));
	return _mm256_sub_epi32(s, _mm256_set1_epi32(sum << (bits - 1)));
}

/* One tile for up to four columns; `spread` columns are bytes. */
INLINE void block(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile, size_t n,
		  unsigned int columns, unsigned int bits, bool bytes, bool wide,
		  const int32_t *sums)
{
	const uint8_t *w = (const uint8_t *)g->w + tile * g->chunks * bits * 64;
	__m256i s[2][4];

	x += n * ldx;
	for (unsigned int h = 0; h < 2; h++)
		for (unsigned int i = 0; i < columns; i++)
			s[h][i] = _mm256_setzero_si256();
	for (size_t c = 0; c < g->chunks; c++) {
		const uint8_t *chunk = w + c * bits * 64;

		if (!bytes) {
			for (unsigned int p = 0; p < bits; p++)
				for (unsigned int i = 0; i < columns; i++) {
					const __m256i v =
						_mm256_set1_epi32(load_word(x + i * ldx + 4 * c));

					for (unsigned int h = 0; h < 2; h++)
						s[h][i] = _mm256_add_epi32(
							s[h][i],
							_mm256_slli_epi32(
								count(_mm256_and_si256(load(chunk +
											    64 * p +
											    32 * h),
										       v)),
								(int)p));
				}
			continue;
		}
		for (unsigned int j = 0; j < 8; j++) {
			const __m256i line[2] = {step(chunk, bits, j, 0), step(chunk, bits, j, 1)};

			for (unsigned int i = 0; i < columns; i++) {
				const __m256i v =
					_mm256_set1_epi32(load_word(x + i * ldx + 32 * c + 4 * j));

				for (unsigned int h = 0; h < 2; h++)
					s[h][i] = wide ? add_dot_wide(s[h][i], v, line[h])
						       : add_dot(s[h][i], v, line[h]);
			}
		}
	}
	for (unsigned int h = 0; h < 2; h++)
		for (unsigned int i = 0; i < columns; i++)
			_mm256_storeu_si256((__m256i *)(void *)(g->s + (n + i) * g->lds +
								tile * SOFT_LANES + 8 * h),
					    finish(s[h][i], bits, sums[i]));
}

INLINE void gemm(const struct soft_gemm *g, const uint8_t *x, size_t ldx, const int32_t *sums,
		 unsigned int bits, bool bytes, bool wide)
{
	for (size_t tile = 0; tile < g->tiles; tile++) {
		size_t n = 0;

		for (; n + 4 <= g->n; n += 4)
			block(g, x, ldx, tile, n, 4, bits, bytes, wide, sums + n);
		for (; n < g->n; n++)
			block(g, x, ldx, tile, n, 1, bits, bytes, wide, sums + n);
	}
}

static void spread(const uint8_t *x, size_t chunks, uint8_t *out)
{
	const __m256i turns = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);

	for (size_t c = 0; c < chunks; c++)
		_mm256_storeu_si256(
			(__m256i *)(void *)(out + 32 * c),
			_mm256_and_si256(
				_mm256_srlv_epi32(_mm256_set1_epi32(load_word(x + 4 * c)), turns),
				_mm256_set1_epi8(1)));
}

static void bits_part(const struct soft_gemm *g)
{
	const size_t ldx = (g->chunks + 1) / 2 * 64;
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++) {
		const uint8_t *x = (const uint8_t *)g->x + n * g->ldx;

		sums[n] = sum_bits(x, g->chunks);
		if (g->bits > 2)
			spread(x, g->chunks, g->scratch + n * ldx);
	}
	switch (g->bits) {
	case 1:
		gemm(g, g->x, g->ldx, sums, 1, false, false);
		break;
	case 2:
		gemm(g, g->x, g->ldx, sums, 2, false, false);
		break;
	case 4:
		gemm(g, g->scratch, ldx, sums, 4, true, false);
		break;
	default:
		gemm(g, g->scratch, ldx, sums, 8, true, false);
	}
}

static void codes_part(const struct soft_gemm *g)
{
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++)
		sums[n] = sum_bytes((const uint8_t *)g->x + n * g->ldx, g->chunks);
	switch (g->bits) {
	case 1:
		gemm(g, g->x, g->ldx, sums, 1, true, false);
		break;
	case 2:
		gemm(g, g->x, g->ldx, sums, 2, true, false);
		break;
	case 4:
		gemm(g, g->x, g->ldx, sums, 4, true, false);
		break;
	default:
		gemm(g, g->x, g->ldx, sums, 8, true, true);
	}
}

static void avx2_gemm_bits(const struct soft_gemm *g)
{
	in_parts(g, bits_part);
}

static void avx2_gemm_codes(const struct soft_gemm *g)
{
	in_parts(g, codes_part);
}

const struct soft_kernels soft_kernels_avx2 = {
	.name = "avx2",
	.usable = avx2_usable,
	.gemm_bits = avx2_gemm_bits,
	.gemm_codes = avx2_gemm_codes,
	.gemm_f32_bits = generic_gemm_f32_bits,
	.gemm_f32_codes = generic_gemm_f32_codes,
	.thresholds = generic_thresholds,
	.draw = generic_draw,
	.activate = generic_activate,
};
