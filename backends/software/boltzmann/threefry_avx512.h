/* SPDX-License-Identifier: Apache-2.0 */
/* Threefry-4x64-13 on eight counters in the lanes of AVX-512 registers. */
#ifndef PBIT_SOFTWARE_THREEFRY_AVX512_H
#define PBIT_SOFTWARE_THREEFRY_AVX512_H

#include <immintrin.h>
#include <stdint.h>

/* Key words, each in all lanes; k3 is 0. */
struct soft_key512 {
	__m512i k0, k1, k2, k4;
	__m512i k4_1, k0_2, k1_3; /* with the number of the injection added */
};

static inline struct soft_key512 soft_key512(const uint64_t k[5])
{
	return (struct soft_key512){
		_mm512_set1_epi64((int64_t)k[0]),	_mm512_set1_epi64((int64_t)k[1]),
		_mm512_set1_epi64((int64_t)k[2]),	_mm512_set1_epi64((int64_t)k[4]),
		_mm512_set1_epi64((int64_t)(k[4] + 1)), _mm512_set1_epi64((int64_t)(k[0] + 2)),
		_mm512_set1_epi64((int64_t)(k[1] + 3)),
	};
}

#define SOFT_MIX512(a, b, r)                                             \
	do {                                                             \
		(a) = _mm512_add_epi64((a), (b));                        \
		(b) = _mm512_xor_si512(_mm512_rol_epi64((b), (r)), (a)); \
	} while (0)
#define SOFT_PAIR512(r0, r1, r2, r3)     \
	do {                             \
		SOFT_MIX512(x0, x1, r0); \
		SOFT_MIX512(x2, x3, r1); \
		SOFT_MIX512(x0, x3, r2); \
		SOFT_MIX512(x2, x1, r3); \
	} while (0)

/* What follows the first round: x0 ... x3 with injection 0 and round 1 done. */
static inline __attribute__((always_inline)) void soft_threefry512_rest(const struct soft_key512 *k,
									__m512i x0, __m512i x1,
									__m512i x2, __m512i x3,
									__m512i out[4])
{
	SOFT_MIX512(x0, x3, 52);
	SOFT_MIX512(x2, x1, 57);
	SOFT_PAIR512(23, 40, 5, 37);
	x0 = _mm512_add_epi64(x0, k->k1);
	x1 = _mm512_add_epi64(x1, k->k2);
	x3 = _mm512_add_epi64(x3, k->k4_1);
	SOFT_PAIR512(25, 33, 46, 12);
	SOFT_PAIR512(58, 22, 32, 32);
	x0 = _mm512_add_epi64(x0, k->k2);
	x2 = _mm512_add_epi64(x2, k->k4);
	x3 = _mm512_add_epi64(x3, k->k0_2);
	SOFT_PAIR512(14, 16, 52, 57);
	SOFT_PAIR512(23, 40, 5, 37);
	x1 = _mm512_add_epi64(x1, k->k4);
	x2 = _mm512_add_epi64(x2, k->k0);
	x3 = _mm512_add_epi64(x3, k->k1_3);
	SOFT_MIX512(x0, x1, 25);
	SOFT_MIX512(x2, x3, 33);
	out[0] = x0;
	out[1] = x1;
	out[2] = x2;
	out[3] = x3;
}

/* Counter word 3 is 0, as everywhere in CONTRACT.md: round 1 leaves x2 and copies it to x3. */
static inline __attribute__((always_inline)) void
soft_threefry512(const struct soft_key512 *k, __m512i c0, __m512i c1, __m512i c2, __m512i out[4])
{
	__m512i x0 = _mm512_add_epi64(c0, k->k0);
	__m512i x1 = _mm512_add_epi64(c1, k->k1);
	const __m512i x2 = _mm512_add_epi64(c2, k->k2);

	SOFT_MIX512(x0, x1, 14);
	soft_threefry512_rest(k, x0, x1, x2, x2, out);
}

#endif
