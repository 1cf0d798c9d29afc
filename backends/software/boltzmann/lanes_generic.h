/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas in the bits of a vector of any width, in plain C: LANES_VECTOR_BYTES says how wide. The draws of 64
 * p-bit fields are transposed into planes, one for each of their bits; an update counts the
 * neighbours, then compares the planes with the threshold of each replica's class from the top down,
 * until no replica is undecided. What is undecided behind the last plane is settled by the low bits.
 */
#ifndef PBIT_SOFTWARE_LANES_GENERIC_H
#define PBIT_SOFTWARE_LANES_GENERIC_H

#include <string.h>
#include "lanes.h"

#define W     (LANES_VECTOR_BYTES / 8u)
#define LANES (64u * W)
#define BITS  16u

typedef uint64_t vec __attribute__((vector_size(LANES_VECTOR_BYTES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vec all(uint64_t x)
{
	return x - (vec){0};
}

INLINE bool any(vec v)
{
	uint64_t o = 0;

	for (unsigned int e = 0; e < W; e++)
		o |= v[e];
	return o != 0;
}

#define MIX(a, b, r)                                          \
	do {                                                  \
		(a) += (b);                                   \
		(b) = ((b) << (r) | (b) >> (64 - (r))) ^ (a); \
	} while (0)
#define PAIR(r0, r1, r2, r3)         \
	do {                         \
		MIX(x[0], x[1], r0); \
		MIX(x[2], x[3], r1); \
		MIX(x[0], x[3], r2); \
		MIX(x[2], x[1], r3); \
	} while (0)

/* One block for W chains. x0, x1 are behind round 1, which leaves x2 and copies it to x3. */
INLINE void draw_block(const uint64_t k[5], uint64_t x0, uint64_t x1, vec x2, vec x[4])
{
	x[0] = all(x0);
	x[1] = all(x1);
	x[2] = x[3] = x2;
	MIX(x[0], x[3], 52);
	MIX(x[2], x[1], 57);
	PAIR(23, 40, 5, 37);
	x[0] += k[1];
	x[1] += k[2];
	x[3] += k[4] + 1;
	PAIR(25, 33, 46, 12);
	PAIR(58, 22, 32, 32);
	x[0] += k[2];
	x[2] += k[4];
	x[3] += k[0] + 2;
	PAIR(14, 16, 52, 57);
	PAIR(23, 40, 5, 37);
	x[1] += k[4];
	x[2] += k[0];
	x[3] += k[1] + 3;
	MIX(x[0], x[1], 25);
	MIX(x[2], x[3], 33);
}

/* Of each word: bit c of a[b] becomes bit b of a[c]. */
INLINE void swap_blocks(vec a[64], const unsigned int j, const uint64_t mask)
{
	for (unsigned int k = 0; k < 64; k += 2 * j) {
		for (unsigned int l = k; l < k + j; l++) {
			const vec t = (a[l] >> j ^ a[l + j]) & mask;

			a[l] ^= t << j;
			a[l + j] ^= t;
		}
	}
}

static void transpose(vec a[64])
{
	swap_blocks(a, 32, 0x00000000ffffffffu);
	swap_blocks(a, 16, 0x0000ffff0000ffffu);
	swap_blocks(a, 8, 0x00ff00ff00ff00ffu);
	swap_blocks(a, 4, 0x0f0f0f0f0f0f0f0fu);
	swap_blocks(a, 2, 0x3333333333333333u);
	swap_blocks(a, 1, 0x5555555555555555u);
}

/* Planes of p-bit i of a group: BITS vectors, bit 0 of the 16 first. */
static size_t draw_bytes(uint32_t classes)
{
	(void)classes;
	return SOFT_DRAW_GROUP * BITS * sizeof(vec);
}

static void draw(const struct lanes_sweep *s, uint32_t group)
{
	vec *planes = (vec *)(void *)(s->draws + group * s->stride);
	const uint32_t left = s->m->n - group * SOFT_DRAW_GROUP;
	const uint32_t blocks = left < 32 ? (left + 3) / 4 : 8;
	const uint32_t words = left < SOFT_DRAW_GROUP ? (left + 31) / 32 : 4;
	vec chain = all(s->chain + s->draw->k[2]);

	for (unsigned int e = 0; e < W; e++)
		chain[e] += 64 * e;
	for (uint32_t b = 0; b < blocks; b++) {
		uint64_t x0 = 8 * (s->draw->first_group + group) + b + s->draw->k[0];
		uint64_t x1 = s->sweep + s->draw->k[1];
		vec x[4][64];

		PBIT__THREEFRY_MIX(x0, x1, 14);
		for (unsigned int c = 0; c < 64; c++) {
			vec y[4];

			draw_block(s->draw->k, x0, x1, chain + (uint64_t)c, y);
			for (unsigned int w = 0; w < 4; w++)
				x[w][c] = y[w];
		}
		for (unsigned int w = 0; w < words; w++) {
			transpose(x[w]);
			memcpy(planes + (32 * w + 4 * b) * BITS, x[w], sizeof(x[w]));
		}
	}
}

/* Adds v to a number in binary. */
INLINE void add_one(vec count[4], vec v)
{
	for (unsigned int b = 0; b < 4; b++) {
		const vec carry = count[b] & v;

		count[b] ^= v;
		v = carry;
	}
}

INLINE void count_up(const struct lanes_sweep *s, uint32_t i, vec count[4])
{
	const struct lanes_edge *edge = s->m->edge + s->m->first[i];
	const struct lanes_edge *end = s->m->edge + s->m->first[i + 1];
	const vec *seen = (const vec *)(const void *)s->seen;

	for (unsigned int b = 0; b < 4; b++)
		count[b] = all(0);
	for (; end - edge >= 2; edge += 2) {
		const vec x = seen[edge[0].j] ^ -(uint64_t)edge[0].negative;
		const vec y = seen[edge[1].j] ^ -(uint64_t)edge[1].negative;
		const vec half = x ^ y;
		vec carry = (x & y) | (count[0] & half), next;

		count[0] ^= half;
		next = count[1] & carry;
		count[1] ^= carry;
		carry = count[2] & next;
		count[2] ^= next;
		count[3] ^= carry;
	}
	if (edge < end)
		add_one(count, seen[edge->j] ^ -(uint64_t)edge->negative);
}

/* One vector for each class: the replicas in it. */
INLINE void split(const vec count[4], uint32_t degree, vec in[LANES_CLASSES])
{
	const vec low[4] = {~count[0] & ~count[1], count[0] & ~count[1], ~count[0] & count[1],
			    count[0] & count[1]};
	const vec high[4] = {~count[2] & ~count[3], count[2] & ~count[3], ~count[2] & count[3],
			     count[2] & count[3]};

	for (uint32_t c = 0; c <= degree; c += 4)
		for (uint32_t l = 0; l < 4; l++)
			in[c + l] = low[l] & high[c / 4];
}

static __attribute__((noinline)) vec settle(const struct lanes_sweep *s, uint32_t i, vec undecided,
					    vec result, const vec count[4])
{
	for (unsigned int w = 0; w < W; w++) {
		for (uint64_t left = undecided[w]; left; left &= left - 1) {
			const unsigned int at = (unsigned int)__builtin_ctzll(left);
			uint32_t class = 0;

			if (64 * w + at >= s->lanes)
				break;
			for (unsigned int b = 0; b < 4; b++)
				class |= (uint32_t)(count[b][w] >> at & 1) << b;
			result[w] |= lanes_settle(s, i, 64 * w + at, class) << at;
		}
	}
	return result;
}

/*
 * Bit b of the thresholds of all classes, as a set of classes: transposed from struct lanes_type.
 */
struct table {
	uint16_t classes[BITS];
};

static void prepare(const struct lanes *m)
{
	struct table *table = m->tables;

	for (uint32_t k = 0; k < m->n_types; k++)
		for (uint32_t b = 0; b < BITS; b++) {
			uint32_t set = 0;

			for (uint32_t c = 0; c <= m->types[k].degree; c++)
				set |= (uint32_t)(m->types[k].high[c] >> b & 1) << c;
			table[k].classes[b] = (uint16_t)set;
		}
}

static void update_one(const struct lanes_sweep *s, uint32_t i)
{
	const struct lanes *m = s->m;
	const struct table *table = (const struct table *)m->tables + m->type[i];
	const vec *plane = (const vec *)(const void *)(s->draws + i / SOFT_DRAW_GROUP * s->stride) +
			   i % SOFT_DRAW_GROUP * BITS;
	vec undecided = all(~0ull), result = all(0), count[4], in[LANES_CLASSES];

	if (m->clamped[i])
		return;
	count_up(s, i, count);
	split(count, m->first[i + 1] - m->first[i], in);
	for (unsigned int b = BITS; b-- > 0 && any(undecided);) {
		vec t = all(0), differs;

		for (uint32_t set = table->classes[b]; set; set &= set - 1)
			t |= in[__builtin_ctz(set)];
		differs = undecided & (t ^ plane[b]);
		result |= differs & t;
		undecided ^= differs;
	}
	if (any(undecided))
		result = settle(s, i, undecided, result, count);
	((vec *)(void *)s->state)[i] = result;
}

static void update(const struct lanes_sweep *s, const uint32_t *visits, uint32_t first,
		   uint32_t count)
{
	for (uint32_t v = 0; v < count; v++)
		update_one(s, visits ? visits[v] : first + v);
}

#define LANES_KERNEL(ns)                                                                           \
	{                                                                                          \
		.lanes = LANES, .update_ns = (ns), .fixed = 1.0,                                   \
		.table_bytes = sizeof(struct table), .draw_bytes = draw_bytes, .prepare = prepare, \
		.draw = draw, .update = update,                                                    \
	}

#endif
