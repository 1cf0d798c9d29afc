/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds and draws with AVX-512. */
#ifndef PBIT_SOFTWARE_AVX512_DRAW_H
#define PBIT_SOFTWARE_AVX512_DRAW_H

#include <immintrin.h>
#include "exact.h"

#define MIX(a, b, r)                                                     \
	do {                                                             \
		(a) = _mm512_add_epi64((a), (b));                        \
		(b) = _mm512_xor_si512(_mm512_rol_epi64((b), (r)), (a)); \
	} while (0)
#define ROUND_ODD(r0, r1)        \
	do {                     \
		MIX(x0, x1, r0); \
		MIX(x2, x3, r1); \
	} while (0)
#define ROUND_EVEN(r0, r1)       \
	do {                     \
		MIX(x0, x3, r0); \
		MIX(x2, x1, r1); \
	} while (0)

/* The 128 draws of a group: eight blocks of Threefry in the lanes of four registers. */
static inline void draw_group(const struct soft_stream *s, uint64_t group, __m512i u[4])
{
	const uint64_t parity = PBIT__THREEFRY_PARITY ^ s->seed ^ PBIT_DOMAIN_LAYER ^ s->layer;
	const __m512i k0 = _mm512_set1_epi64((int64_t)s->seed);
	const __m512i k1 = _mm512_set1_epi64(PBIT_DOMAIN_LAYER);
	const __m512i k2 = _mm512_set1_epi64((int64_t)s->layer);
	const __m512i k4 = _mm512_set1_epi64((int64_t)parity);
	const __m512i lane = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
	__m512i x0 = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(8 * group + s->seed)), lane);
	__m512i x1 = _mm512_set1_epi64((int64_t)(s->sample + PBIT_DOMAIN_LAYER));
	__m512i x2 = _mm512_set1_epi64((int64_t)(s->image + s->layer));
	__m512i x3 = _mm512_setzero_si512();

	ROUND_ODD(14, 16);
	ROUND_EVEN(52, 57);
	ROUND_ODD(23, 40);
	ROUND_EVEN(5, 37);
	x0 = _mm512_add_epi64(x0, k1);
	x1 = _mm512_add_epi64(x1, k2);
	x3 = _mm512_add_epi64(x3, _mm512_add_epi64(k4, _mm512_set1_epi64(1)));
	ROUND_ODD(25, 33);
	ROUND_EVEN(46, 12);
	ROUND_ODD(58, 22);
	ROUND_EVEN(32, 32);
	x0 = _mm512_add_epi64(x0, k2);
	x2 = _mm512_add_epi64(x2, k4);
	x3 = _mm512_add_epi64(x3, _mm512_add_epi64(k0, _mm512_set1_epi64(2)));
	ROUND_ODD(14, 16);
	ROUND_EVEN(52, 57);
	ROUND_ODD(23, 40);
	ROUND_EVEN(5, 37);
	x1 = _mm512_add_epi64(x1, k4);
	x2 = _mm512_add_epi64(x2, k0);
	x3 = _mm512_add_epi64(x3, _mm512_add_epi64(k1, _mm512_set1_epi64(3)));
	ROUND_ODD(25, 33);
	u[0] = x0;
	u[1] = x1;
	u[2] = x2;
	u[3] = x3;
}

/*
 * 2^16 sigma(z) as integers, good to a few units: exp by a cubic, the reciprocal to 14 bits. A NaN
 * gives 0 after packing.
 */
static inline __m512i threshold16(__m512 z)
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

static inline __m512i pack16(__m512i low, __m512i high)
{
	const __m512i order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0);

	return _mm512_permutexvar_epi64(order, _mm512_packus_epi32(low, high));
}

/* 32 p-bits, and how far their draws are beyond what is surely below the threshold. */
static inline uint32_t compare(__m512i u, __m512i t16, __m512i *beyond)
{
	const __m512i low = _mm512_subs_epu16(t16, _mm512_set1_epi16(SOFT_MARGIN));

	*beyond = _mm512_sub_epi16(u, low);
	return _mm512_cmplt_epu16_mask(u, low);
}

/* Those of 32 p-bits that must be decided exactly. */
static inline uint32_t unsure(__m512i beyond)
{
	return _mm512_cmple_epu16_mask(beyond, _mm512_set1_epi16(2 * SOFT_MARGIN));
}

static inline bool any_unsure(const __m512i beyond[4])
{
	return unsure(_mm512_min_epu16(_mm512_min_epu16(beyond[0], beyond[1]),
				       _mm512_min_epu16(beyond[2], beyond[3])));
}

static inline uint32_t settle(const struct soft_stream *stream, size_t first, __m512i u,
			      uint32_t bits, uint32_t near, const float *z)
{
	uint16_t draw[32];

	_mm512_storeu_si512(draw, u);
	for (; near; near &= near - 1) {
		const unsigned int i = (unsigned int)__builtin_ctz(near);

		bits |= soft_decide(stream, first + i, z[i], draw[i]) << i;
	}
	return bits;
}

static void avx512_thresholds(const float *z, size_t n, uint16_t *t16)
{
	for (size_t i = 0; i < n; i += 32)
		_mm512_storeu_si512(t16 + i, pack16(threshold16(_mm512_loadu_ps(z + i)),
						    threshold16(_mm512_loadu_ps(z + i + 16))));
}

static inline __attribute__((always_inline)) void draw_words(const struct soft_stream *stream,
							     size_t first, const __m512i u[4],
							     const float *z, const uint16_t *t16,
							     uint32_t *bits)
{
	__m512i beyond[4];

#pragma GCC unroll 4
	for (unsigned int w = 0; w < 4; w++)
		bits[w] = compare(u[w], _mm512_loadu_si512(t16 + 32 * w), &beyond[w]);
	if (any_unsure(beyond))
		for (unsigned int w = 0; w < 4; w++)
			bits[w] = settle(stream, first + 32 * w, u[w], bits[w], unsure(beyond[w]),
					 z + 32 * w);
}

static void avx512_draw(const struct soft_stream *stream, size_t first, size_t n, const float *z,
			const uint16_t *t16, uint32_t *bits)
{
	size_t i = 0;

	/* Two groups at a time: each alone waits for its own rounds. */
	for (; i + 2 * SOFT_GROUP <= n; i += 2 * SOFT_GROUP) {
		__m512i u[4], v[4];

		draw_group(stream, (first + i) / SOFT_GROUP, u);
		draw_group(stream, (first + i) / SOFT_GROUP + 1, v);
		draw_words(stream, first + i, u, z + i, t16 + i, bits + i / 32);
		draw_words(stream, first + i + SOFT_GROUP, v, z + i + SOFT_GROUP,
			   t16 + i + SOFT_GROUP, bits + i / 32 + 4);
	}
	for (; i < n; i += SOFT_GROUP) {
		__m512i u[4];

		draw_group(stream, (first + i) / SOFT_GROUP, u);
		draw_words(stream, first + i, u, z + i, t16 + i, bits + i / 32);
	}
}

static inline __m512 pre_activation(const int32_t *s, const float *a, const float *c)
{
	return _mm512_add_ps(
		_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(s)), _mm512_loadu_ps(a)),
		_mm512_loadu_ps(c));
}

static __attribute__((noinline)) void settle_group(const struct soft_stream *stream, size_t first,
						   const __m512i u[4], const __m512i beyond[4],
						   const int32_t *s, const float *a, const float *c,
						   uint32_t *bits)
{
	for (unsigned int w = 0; w < 4; w++) {
		const size_t at = 32 * w;
		float z[32];

		if (!unsure(beyond[w]))
			continue;
		_mm512_storeu_ps(z, pre_activation(s + at, a + at, c + at));
		_mm512_storeu_ps(z + 16, pre_activation(s + at + 16, a + at + 16, c + at + 16));
		bits[w] = settle(stream, first + at, u[w], bits[w], unsure(beyond[w]), z);
	}
}

static inline __attribute__((always_inline)) void activate_group(const struct soft_stream *stream,
								 size_t first, const __m512i u[4],
								 const int32_t *s, const float *a,
								 const float *c, uint32_t *bits)
{
	__m512i beyond[4];

#pragma GCC unroll 4
	for (unsigned int w = 0; w < 4; w++) {
		const size_t at = 32 * w;
		const __m512i low = threshold16(pre_activation(s + at, a + at, c + at));
		const __m512i high =
			threshold16(pre_activation(s + at + 16, a + at + 16, c + at + 16));

		bits[w] = compare(u[w], pack16(low, high), &beyond[w]);
	}
	if (any_unsure(beyond))
		settle_group(stream, first, u, beyond, s, a, c, bits);
}

static void avx512_activate(const struct soft_stream *stream, size_t first, size_t n,
			    const int32_t *s, const float *a, const float *c, uint32_t *bits)
{
	size_t i = 0;

	/* Two groups at a time, as above. */
	for (; i + 2 * SOFT_GROUP <= n; i += 2 * SOFT_GROUP) {
		const size_t j = i + SOFT_GROUP;
		__m512i u[4], v[4];

		draw_group(stream, (first + i) / SOFT_GROUP, u);
		draw_group(stream, (first + j) / SOFT_GROUP, v);
		activate_group(stream, first + i, u, s + i, a + i, c + i, bits + i / 32);
		activate_group(stream, first + j, v, s + j, a + j, c + j, bits + j / 32);
	}
	for (; i < n; i += SOFT_GROUP) {
		__m512i u[4];

		draw_group(stream, (first + i) / SOFT_GROUP, u);
		activate_group(stream, first + i, u, s + i, a + i, c + i, bits + i / 32);
	}
}

#undef MIX
#undef ROUND_ODD
#undef ROUND_EVEN

#endif
