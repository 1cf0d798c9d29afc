/* SPDX-License-Identifier: Apache-2.0 */
/* Draws of 512 replicas, left as masks: see lanes_avx512.h. */
#ifdef __x86_64__
#include <string.h>
#include "lanes_avx512.h"
#include "threefry_avx512.h"

/*
 * Comparisons all go to one port of the processor, rounds of Threefry to two: those of 32 replicas stand between
 * the rounds of the next 32, in this order of sixteen p-bits (4w + f).
 */
struct pending {
	const struct table *table[16];
	uint32_t *mask[16]; /* of the p-bits of one block, class 0 */
	__m512i draws[16];
	unsigned int reg; /* which 32 replicas */
};

/* A draw of the upper half is its complement. */
INLINE __m512i fold(__m512i y)
{
	return _mm512_xor_si512(y, _mm512_srai_epi16(y, 15));
}

INLINE void compare(const struct pending *p, unsigned int j, uint32_t classes, bool folded)
{
	const struct table *t = p->table[j];
	const uint32_t last = masks_of(classes, folded) - 1;
	uint32_t *mask = p->mask[j] + p->reg;
	__m512i y = p->draws[j];
	unsigned int at = 0;

	/* Operands in memory: compilers would rather keep all tables in registers, and spill them. */
	__asm__ volatile("" : "+r"(t));
	if (folded) {
		mask[at++ * REGISTERS] = _mm512_movepi16_mask(y);
		y = fold(y);
	}
#pragma GCC unroll 16
	for (unsigned int c = 0; at < last; at++, c++)
		mask[at * REGISTERS] = _mm512_cmplt_epu16_mask(y, t->high[c]);
	mask[last * REGISTERS] = _mm512_cmpeq_epu16_mask(
		y, _mm512_permutexvar_epi16(y, _mm512_loadu_si512(t->near)));
}

/* The last mask again, of types whose table wants the hash of a draw. */
static __attribute__((noinline)) void compare_hashed(const struct pending *p, uint32_t classes,
						     bool folded)
{
	const uint32_t last = masks_of(classes, folded) - 1;

	for (unsigned int j = 0; j < 16; j++) {
		const struct table *t = p->table[j];
		const __m512i y = folded ? fold(p->draws[j]) : p->draws[j];
		const __m512i slot = _mm512_srli_epi16(
			_mm512_mullo_epi16(y, _mm512_set1_epi16((short)t->factor)), 11);
		const uint32_t near = _mm512_cmpeq_epu16_mask(
			y, _mm512_permutexvar_epi16(slot, _mm512_loadu_si512(t->near)));

		if (t->factor)
			p->mask[j][last * REGISTERS + p->reg] = t->all_near ? ~0u : near;
	}
}

#define EACH for (unsigned int s = 0; s < 4; s++)
#define MIX4(a, b, r)                                                                      \
	do {                                                                               \
		_Pragma("GCC unroll 4") EACH x[s][a] = _mm512_add_epi64(x[s][a], x[s][b]); \
		_Pragma("GCC unroll 4") EACH x[s][b] =                                     \
			_mm512_xor_si512(_mm512_rol_epi64(x[s][b], r), x[s][a]);           \
	} while (0)
#define INJECT4(i, k)                                                                \
	do {                                                                         \
		_Pragma("GCC unroll 4") EACH x[s][i] = _mm512_add_epi64(x[s][i], k); \
	} while (0)
#define COMPARE(j) compare(p, j, classes, folded)

/* Word w of the blocks in x, fields of four p-bits, to 32 draws of each: element 4c + s of y[f]. */
INLINE void gather(__m512i x[4][4], unsigned int w, __m512i y[4])
{
	const __mmask16 odd32 = 0xaaaa, even32 = 0x5555;
	const __mmask64 odd16 = 0xccccccccccccccccu, even16 = 0x3333333333333333u;
	const __m512i swap = _mm512_set4_epi32(0x0d0c0f0e, 0x09080b0a, 0x05040706, 0x01000302);
	const __m512i a = _mm512_mask_shuffle_epi32(x[0][w], odd32, x[2][w], 0xb1);
	const __m512i b = _mm512_mask_shuffle_epi32(x[1][w], odd32, x[3][w], 0xb1);
	const __m512i c = _mm512_mask_shuffle_epi32(x[2][w], even32, x[0][w], 0xb1);
	const __m512i d = _mm512_mask_shuffle_epi32(x[3][w], even32, x[1][w], 0xb1);

	y[0] = _mm512_mask_shuffle_epi8(a, odd16, b, swap);
	y[1] = _mm512_mask_shuffle_epi8(b, even16, a, swap);
	y[2] = _mm512_mask_shuffle_epi8(c, odd16, d, swap);
	y[3] = _mm512_mask_shuffle_epi8(d, even16, c, swap);
}

/*
 * Compares what is pending and draws one block for 32 chains in its place: four registers at a time
 * hide the latency of the rounds. x0, x1 are behind round 1, which leaves x2 and copies it to x3.
 */
INLINE void step(const struct soft_key512 *k, uint64_t x0, uint64_t x1, __m512i x2,
		 struct pending *p, uint32_t classes, bool folded, bool hashed)
{
	__m512i x[4][4];

#pragma GCC unroll 4
	EACH
	{
		x[s][0] = _mm512_set1_epi64((int64_t)x0);
		x[s][1] = _mm512_set1_epi64((int64_t)x1);
		x[s][2] = x[s][3] = _mm512_add_epi64(x2, _mm512_set1_epi64((int64_t)s));
	}
	MIX4(0, 3, 52);
	COMPARE(0);
	MIX4(2, 1, 57);
	MIX4(0, 1, 23);
	COMPARE(1);
	MIX4(2, 3, 40);
	MIX4(0, 3, 5);
	COMPARE(2);
	MIX4(2, 1, 37);
	COMPARE(3);
	INJECT4(0, k->k1);
	INJECT4(1, k->k2);
	INJECT4(3, k->k4_1);
	MIX4(0, 1, 25);
	COMPARE(4);
	MIX4(2, 3, 33);
	MIX4(0, 3, 46);
	COMPARE(5);
	MIX4(2, 1, 12);
	COMPARE(6);
	MIX4(0, 1, 58);
	COMPARE(7);
	MIX4(2, 3, 22);
	MIX4(0, 3, 32);
	COMPARE(8);
	MIX4(2, 1, 32);
	COMPARE(9);
	INJECT4(0, k->k2);
	INJECT4(2, k->k4);
	INJECT4(3, k->k0_2);
	MIX4(0, 1, 14);
	COMPARE(10);
	MIX4(2, 3, 16);
	MIX4(0, 3, 52);
	COMPARE(11);
	MIX4(2, 1, 57);
	COMPARE(12);
	MIX4(0, 1, 23);
	COMPARE(13);
	MIX4(2, 3, 40);
	COMPARE(14);
	MIX4(0, 3, 5);
	MIX4(2, 1, 37);
	COMPARE(15);
	INJECT4(1, k->k4);
	INJECT4(2, k->k0);
	INJECT4(3, k->k1_3);
	MIX4(0, 1, 25);
	MIX4(2, 3, 33);
	if (__builtin_expect(hashed, 0))
		compare_hashed(p, classes, folded);
#pragma GCC unroll 4
	for (unsigned int w = 0; w < 4; w++)
		gather(x, w, p->draws + 4 * w);
}

/* The p-bits of block b. Past the last p-bit any type and the group's own memory will do. */
static void point(struct pending *p, const struct lanes_sweep *s, uint32_t group, uint32_t b,
		  size_t bytes)
{
	const struct table *tables = s->m->tables;
	uint8_t *area = s->draws + group * s->stride;

	for (unsigned int j = 0; j < 16; j++) {
		const uint32_t i = 32 * (j / 4) + 4 * b + j % 4;
		const uint32_t pbit = group * SOFT_DRAW_GROUP + i;

		p->table[j] = tables + (pbit < s->m->n ? s->m->type[pbit] : 0);
		p->mask[j] = (uint32_t *)(void *)(area + i * bytes);
	}
}

INLINE void draw_classes(const struct lanes_sweep *s, uint32_t group, uint32_t classes, bool folded)
{
	const struct soft_key512 k = soft_key512(s->draw->k);
	const size_t bytes = masks_of(classes, folded) * (size_t)MASK_BYTES;
	const uint32_t left = s->m->n - group * SOFT_DRAW_GROUP;
	const uint32_t blocks = left < 32 ? (left + 3) / 4 : 8;
	const unsigned int registers = (s->lanes + 31) / 32;
	const __m512i fours = _mm512_set_epi64(28, 24, 20, 16, 12, 8, 4, 0);
	const __m512i base = _mm512_add_epi64(
		_mm512_add_epi64(_mm512_set1_epi64((int64_t)s->chain), k.k2), fours);
	const bool hashed = ((const struct table *)s->m->tables)->any_factor;
	struct pending p;

	/* Nothing is pending yet: masks of no meaning, written again below. */
	point(&p, s, group, 0, bytes);
	memset(p.draws, 0, sizeof(p.draws));
	p.reg = 0;
	for (uint32_t b = 0; b < blocks; b++) {
		uint64_t x0 = 8 * (s->draw->first_group + group) + b + s->draw->k[0];
		uint64_t x1 = s->sweep + s->draw->k[1];

		PBIT__THREEFRY_MIX(x0, x1, 14);
		for (unsigned int reg = 0; reg < registers; reg++) {
			step(&k, x0, x1, _mm512_add_epi64(base, _mm512_set1_epi64(32 * (int)reg)),
			     &p, classes, folded, hashed);
			if (!reg)
				point(&p, s, group, b, bytes);
			p.reg = reg;
		}
	}
#pragma GCC unroll 16
	for (unsigned int j = 0; j < 16; j++)
		compare(&p, j, classes, folded);
	if (hashed)
		compare_hashed(&p, classes, folded);
}

void lanes_draw_avx512(const struct lanes_sweep *s, uint32_t group)
{
#define DRAW(classes, folded) draw_classes(s, group, classes, folded)
	FOR_CLASSES(s->m, DRAW);
}
#else
typedef int soft_no_lanes_draw_avx512;
#endif
