/* SPDX-License-Identifier: Apache-2.0 */
/* 2^16 sigma(z) with AVX-512, and the comparison of 16 draws with it. */
#ifndef PBIT_SOFTWARE_SIGMOID16_AVX512_H
#define PBIT_SOFTWARE_SIGMOID16_AVX512_H

#include <immintrin.h>
#include "sigmoid16.h"

/* 2^16 sigma(z): exp by a cubic, the reciprocal to 14 bits. */
static inline __m512i soft_sigmoid16_avx512(__m512 z)
{
	const __m512 unit = _mm512_set1_ps(1.0f / 65536.0f);
	const __m512 y = _mm512_mul_ps(z, _mm512_set1_ps(-1.44269504f));
	const __m512 f = _mm512_reduce_ps(y, 1); /* y - floor(y) */
	__m512 e = _mm512_set1_ps(0.07909f / 65536.0f);

	e = _mm512_fmadd_ps(e, f, _mm512_set1_ps(0.22440f / 65536.0f));
	e = _mm512_fmadd_ps(e, f, _mm512_set1_ps(0.69651f / 65536.0f));
	e = _mm512_fmadd_ps(e, f, unit);
	e = _mm512_add_ps(_mm512_scalef_ps(e, y), unit);
	return _mm512_cvttps_epi32(_mm512_rcp14_ps(e));
}

/* Of 16 p-bits with inputs in steps and draws u: those that fire; *near are too close to tell. */
static inline __mmask16 soft_sigmoid_compare(__m512i input, __m512i u, __m512 z_step,
					     __mmask16 *near)
{
	const __m512i t16 = soft_sigmoid16_avx512(_mm512_mul_ps(_mm512_cvtepi32_ps(input), z_step));
	const __m512i margin = _mm512_set1_epi32(SOFT_SIGMOID_MARGIN);
	const __m512i d = _mm512_sub_epi32(u, _mm512_sub_epi32(t16, margin));

	*near = _mm512_cmple_epu32_mask(d, _mm512_add_epi32(margin, margin));
	return _mm512_movepi32_mask(d);
}

#endif
