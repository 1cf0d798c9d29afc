/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that products with AVX-512 and AMX share: spreading weights and activations to bytes. */
#ifndef PBIT_SOFTWARE_AVX512_BYTES_H
#define PBIT_SOFTWARE_AVX512_BYTES_H

#include <immintrin.h>
#include <string.h>
#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))

/* Sum of a column, which the offset of the codes multiplies. */
static inline int32_t sum_bits(const uint32_t *x, size_t chunks)
{
	__m512i sum = _mm512_setzero_si512();
	size_t c = 0;

	for (; c + 16 <= chunks; c += 16)
		sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_loadu_si512(x + c)));
	if (c < chunks)
		sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_maskz_loadu_epi32(
						    (__mmask16)((1u << (chunks - c)) - 1), x + c)));
	return _mm512_reduce_add_epi32(sum);
}

static inline int32_t sum_bytes(const uint8_t *x, size_t chunks)
{
	__m256i sum = _mm256_setzero_si256();

	for (size_t c = 0; c < chunks; c++)
		sum = _mm256_dpbusd_epi32(
			sum, _mm256_loadu_si256((const __m256i *)(const void *)(x + 32 * c)),
			_mm256_set1_epi8(1));
	return _mm512_reduce_add_epi32(_mm512_zextsi256_si512(sum));
}

INLINE int32_t load_word(const uint8_t *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Bytes of step j of a chunk as signed codes. */
INLINE __m512i step(const uint8_t *chunk, unsigned int bits, unsigned int j)
{
	const __m512i one = _mm512_set1_epi8(1), low = _mm512_set1_epi8(15);
	__m512i a, b;

	switch (bits) {
	case 1:
		return _mm512_and_si512(_mm512_srli_epi32(_mm512_loadu_si512(chunk), j), one);
	case 2:
		a = _mm512_and_si512(_mm512_srli_epi32(_mm512_loadu_si512(chunk), j), one);
		b = _mm512_and_si512(_mm512_srli_epi32(_mm512_loadu_si512(chunk + 64), j), one);
		return _mm512_add_epi8(a, _mm512_add_epi8(b, b));
	case 4:
		a = _mm512_loadu_si512(chunk + 64 * (j / 2));
		return _mm512_and_si512(j % 2 ? _mm512_srli_epi32(a, 4) : a, low);
	default:
		return _mm512_loadu_si512(chunk + 64 * j);
	}
}

/* w = factor * code - offset */
INLINE __m512i finish(__m512i s, unsigned int bits, int32_t sum)
{
	if (bits == 8)
		return s;
	if (bits == 1)
		return _mm512_sub_epi32(_mm512_add_epi32(s, s), _mm512_set1_epi32(sum));
	return _mm512_sub_epi32(s, _mm512_set1_epi32(sum << (bits - 1)));
}

/* One packed column to bytes: byte 4j + b of a chunk is bit 8b + j, shifted left by turns[j]. */
static inline void spread(const uint32_t *x, size_t chunks, __m256i turns, uint8_t *out)
{
	const __m256i steps = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);

	for (size_t c = 0; c < chunks; c++) {
		const __m256i v =
			_mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi32((int32_t)x[c]), steps),
					 _mm256_set1_epi8(1));

		_mm256_storeu_si256((__m256i *)(void *)(out + 32 * c), _mm256_sllv_epi32(v, turns));
	}
}

#endif
