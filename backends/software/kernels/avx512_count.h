/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products with weights of 1 bit: AND and count. Two ANDs and the bit left over before them are
 * added as one full adder, whose three operations take in the ANDs; only its carry is counted, so
 * that two chunks cost five operations where counting each would cost six.
 */
#ifndef PBIT_SOFTWARE_AVX512_COUNT_H
#define PBIT_SOFTWARE_AVX512_COUNT_H

#include "avx512_bytes.h"

/* Truth tables of vpternlog. */
#define T_A    0xf0
#define T_B    0xcc
#define T_C    0xaa
#define T_ADD  (T_A ^ (T_B & T_C))			   /* a + bc, without the carry */
#define T_PICK ((T_B & ~T_C & 0xff) | (T_A & ~T_B & 0xff)) /* b ? not c : a */

/* Sums of blocks of at most ten pairs of a tile and a column. */
struct counts {
	__m512i carries[10]; /* counted, each worth two */
	__m512i ones[10];    /* bits not counted yet */
};

/* Chunks with weights w0, w1 and bits x0, x1 join pair i. */
INLINE void count_two(struct counts *s, unsigned int i, __m512i w0, __m512i x0, __m512i w1,
		      __m512i x1)
{
	const __m512i half = _mm512_ternarylogic_epi32(s->ones[i], w0, x0, T_ADD);
	const __m512i sum = _mm512_ternarylogic_epi32(half, w1, x1, T_ADD);
	/* Where half is set, the last AND decided: it was not set where the sum is. */
	const __m512i carry = _mm512_ternarylogic_epi32(s->ones[i], half, sum, T_PICK);

	s->carries[i] = _mm512_add_epi32(s->carries[i], _mm512_popcnt_epi32(carry));
	s->ones[i] = sum;
}

/* Two chunks from c on for all pairs, or one where `n` is 1. */
INLINE void count_chunks(struct counts *s, const uint8_t *w, size_t row, const uint8_t *x,
			 size_t ldx, unsigned int tiles, unsigned int columns, size_t c,
			 unsigned int n, bool back)
{
	__m512i w0[4], w1[4];

	for (unsigned int t = 0; t < tiles; t++) {
		w0[t] = _mm512_loadu_si512(w + t * row + c * 64);
		w1[t] = n == 2 ? _mm512_loadu_si512(w + t * row + (c + 1) * 64)
			       : _mm512_setzero_si512();
	}
#pragma GCC unroll 10
	for (unsigned int k = 0; k < columns; k++) {
		const unsigned int i = back ? columns - 1 - k : k;
		const uint8_t *at = x + i * ldx + 4 * c;
		const __m512i x0 = _mm512_set1_epi32(load_word(at));
		const __m512i x1 = n == 2 ? _mm512_set1_epi32(load_word(at + 4)) : x0;

#pragma GCC unroll 4
		for (unsigned int t = 0; t < tiles; t++)
			count_two(s, t * columns + i, w0[t], x0, w1[t], x1);
	}
}

INLINE void block_count_1(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t tile,
			  size_t n, unsigned int tiles, unsigned int columns, const int32_t *sums)
{
	const size_t row = g->chunks * 64;
	const uint8_t *w = (const uint8_t *)g->w + tile * row;
	struct counts s;
	size_t c = 0;

	x += n * ldx;
	for (unsigned int i = 0; i < tiles * columns; i++)
		s.carries[i] = s.ones[i] = _mm512_setzero_si512();
	/* Forth and back: each sum takes the register that its neighbour left. */
	for (; c + 4 <= g->chunks; c += 4) {
		count_chunks(&s, w, row, x, ldx, tiles, columns, c, 2, false);
		count_chunks(&s, w, row, x, ldx, tiles, columns, c + 2, 2, true);
	}
	if (c + 2 <= g->chunks) {
		count_chunks(&s, w, row, x, ldx, tiles, columns, c, 2, false);
		c += 2;
	}
	if (c < g->chunks)
		count_chunks(&s, w, row, x, ldx, tiles, columns, c, 1, false);
	for (unsigned int t = 0; t < tiles; t++)
		for (unsigned int i = 0; i < columns; i++) {
			const __m512i carries = s.carries[t * columns + i];
			const __m512i sum =
				_mm512_add_epi32(_mm512_add_epi32(carries, carries),
						 _mm512_popcnt_epi32(s.ones[t * columns + i]));

			_mm512_storeu_si512(g->s + (n + i) * g->lds + (tile + t) * SOFT_LANES,
					    finish(sum, 1, sums[i]));
		}
}

#undef T_A
#undef T_B
#undef T_C
#undef T_ADD
#undef T_PICK

#endif
