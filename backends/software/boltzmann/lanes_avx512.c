/* SPDX-License-Identifier: Apache-2.0 */
/* Updates of 512 replicas from the masks of their draws: see lanes_avx512.h. */
#ifdef __x86_64__
#include "lanes_avx512.h"

/* Full adder. */
INLINE void add(__m512i a, __m512i b, __m512i c, __m512i *sum, __m512i *carry)
{
	*sum = _mm512_ternarylogic_epi64(a, b, c, 0x96);
	*carry = _mm512_ternarylogic_epi64(a, b, c, 0xe8);
}

/* Adds up `count` planes of equal weight: leaves one sum, and carries in place of the planes. */
INLINE unsigned int add_up(__m512i *plane, unsigned int count, __m512i *sum)
{
	unsigned int carries = 0;
	__m512i total = count ? plane[0] : _mm512_setzero_si512();
	unsigned int i = 1;

#pragma GCC unroll 8
	for (; i + 1 < count; i += 2)
		add(total, plane[i], plane[i + 1], &total, &plane[carries++]);
	if (i < count) {
		const __m512i last = plane[i];

		plane[carries++] = _mm512_and_si512(total, last);
		total = _mm512_xor_si512(total, last);
	}
	*sum = total;
	return carries;
}

/* The number of neighbours that favour +1, in binary. */
INLINE void count_degree(const struct lanes_sweep *s, const struct lanes_edge *edge,
			 unsigned int degree, __m512i count[4])
{
	__m512i plane[LANES_MAX_DEGREE + 1];
	unsigned int left = degree;

#pragma GCC unroll 16
	for (unsigned int k = 0; k < degree; k++)
		plane[k] = _mm512_xor_si512(
			_mm512_load_si512(s->seen + (size_t)edge[k].j * (LANES / 64)),
			_mm512_set1_epi64(-(int64_t)edge[k].negative));
#pragma GCC unroll 4
	for (unsigned int b = 0; b < 4; b++)
		left = add_up(plane, left, &count[b]);
}

#define CASE(d)                                  \
	case d:                                  \
		count_degree(s, edge, d, count); \
		break

static inline void count_any(const struct lanes_sweep *s, const struct lanes_edge *edge,
			     uint32_t degree, __m512i count[4])
{
	switch (degree) {
		CASE(0);
		CASE(1);
		CASE(2);
		CASE(3);
		CASE(4);
		CASE(5);
		CASE(6);
		CASE(7);
		CASE(8);
		CASE(9);
		CASE(10);
		CASE(11);
		CASE(12);
		CASE(13);
		CASE(14);
		CASE(15);
	default:
		__builtin_unreachable();
	}
}

/* The masks of all classes, unfolded. */
INLINE void unfold(const uint8_t *masks, uint32_t classes, uint32_t degree, __m512i *v)
{
	const __m512i upper = _mm512_load_si512(masks);

#pragma GCC unroll 16
	for (unsigned int c = 0; c < classes; c++) {
		if (c > degree) {
			v[c] = _mm512_setzero_si512();
		} else if (2 * c == degree) {
			v[c] = _mm512_ternarylogic_epi64(upper, upper, upper, 0x55);
		} else if (2 * c < degree) {
			v[c] = _mm512_andnot_si512(
				upper, _mm512_load_si512(masks + (tails(degree) - c) * MASK_BYTES));
		} else {
			const __m512i tail =
				_mm512_load_si512(masks + (c - degree / 2) * MASK_BYTES);

			v[c] = _mm512_ternarylogic_epi64(upper, tail, tail, 0x3f); /* not both */
		}
	}
}

/* Each replica's bit from the mask of its class. */
INLINE __m512i choose(const uint8_t *masks, uint32_t classes, bool folded, uint32_t degree,
		      const __m512i count[4])
{
	__m512i v[LANES_CLASSES];
	unsigned int left = classes;

	if (folded) {
		unfold(masks, classes, degree, v);
	} else {
#pragma GCC unroll 16
		for (unsigned int c = 0; c < classes; c++)
			v[c] = _mm512_load_si512(masks + c * MASK_BYTES);
	}
#pragma GCC unroll 4
	for (unsigned int b = 0; b < 4; b++) {
		if (left == 1)
			break;
#pragma GCC unroll 8
		for (unsigned int c = 0; c < left / 2; c++)
			/* count[b] ? v[2c + 1] : v[2c] */
			v[c] = _mm512_ternarylogic_epi64(count[b], v[2 * c + 1], v[2 * c], 0xca);
		if (left % 2)
			v[left / 2] = v[left - 1];
		left = (left + 1) / 2;
	}
	return v[0];
}

INLINE bool mask_bit(const uint8_t *masks, uint32_t at, unsigned int lane)
{
	return masks[at * MASK_BYTES + lane / 8] >> (lane % 8) & 1;
}

/*
 * A draw near some threshold is near that of its class if it is not below that, but below the next higher one. Spares
 * most of the draws that would come anew.
 */
static bool undecided(const struct lanes_type *type, const uint8_t *masks, bool folded,
		      uint32_t class, unsigned int lane)
{
	const uint32_t mirror = type->degree - class;
	uint32_t end = type->degree + 1, next;

	if (folded && class == mirror)
		return false;
	if (folded) {
		end = tails(type->degree);
		class = class < mirror ? class : mirror;
	}
	/* Where the mask of a class is. */
#define AT(c) (folded ? end - (c) : (c))
	if (mask_bit(masks, AT(class), lane))
		return false;
	for (next = class + 1; next < end && type->high[next] == type->high[class];)
		next++;
	return next >= end || mask_bit(masks, AT(next), lane);
#undef AT
}

static __attribute__((noinline)) __m512i settle(const struct lanes_sweep *s, uint32_t i,
						const uint8_t *masks, bool folded, __m512i near,
						__m512i result, const __m512i count[4])
{
	const struct lanes_type *type = &s->m->types[s->m->type[i]];
	/* Where every draw counts as near, masks tell nothing of it. */
	const bool all = ((const struct table *)s->m->tables)[s->m->type[i]].all_near;
	uint64_t lanes[8], bits[8], plane[4][8];

	_mm512_storeu_si512(lanes, near);
	_mm512_storeu_si512(bits, result);
	for (unsigned int b = 0; b < 4; b++)
		_mm512_storeu_si512(plane[b], count[b]);
	for (unsigned int w = 0; w < 8; w++) {
		for (; lanes[w]; lanes[w] &= lanes[w] - 1) {
			const unsigned int at = (unsigned int)__builtin_ctzll(lanes[w]);
			uint32_t class = 0;

			if (64 * w + at >= s->lanes)
				break;
			for (unsigned int b = 0; b < 4; b++)
				class |= (uint32_t)(plane[b][w] >> at & 1) << b;
			if (!all && !undecided(type, masks, folded, class, 64 * w + at))
				continue;
			bits[w] &= ~(1ull << at);
			bits[w] |= lanes_settle(s, i, 64 * w + at, class) << at;
		}
	}
	return _mm512_loadu_si512(bits);
}

INLINE void update_one(const struct lanes_sweep *s, uint32_t i, uint32_t classes, bool folded)
{
	const uint32_t in_all = masks_of(classes, folded);
	const uint8_t *masks = s->draws + i / SOFT_DRAW_GROUP * s->stride +
			       i % SOFT_DRAW_GROUP * in_all * (size_t)MASK_BYTES;
	const uint32_t first = s->m->first[i], degree = s->m->first[i + 1] - first;
	const struct lanes_edge *edge = s->m->edge + first;
	__m512i count[4], near, result;

	if (s->m->clamped[i])
		return;
	/* Most p-bits have the largest degree, which the compiler knows. */
	if (degree == classes - 1) {
		count_degree(s, edge, classes - 1, count);
		result = choose(masks, classes, folded, classes - 1, count);
	} else {
		count_any(s, edge, degree, count);
		result = choose(masks, classes, folded, degree, count);
	}
	near = _mm512_load_si512(masks + (in_all - 1) * MASK_BYTES);
	if (_mm512_test_epi64_mask(near, near))
		result = settle(s, i, masks, folded, near, result, count);
	_mm512_store_si512(s->state + (size_t)i * (LANES / 64), result);
}

INLINE void update_classes(const struct lanes_sweep *s, const uint32_t *visits, uint32_t first,
			   uint32_t count, uint32_t classes, bool folded)
{
	for (uint32_t v = 0; v < count; v++)
		update_one(s, visits ? visits[v] : first + v, classes, folded);
}

static void update(const struct lanes_sweep *s, const uint32_t *visits, uint32_t first,
		   uint32_t count)
{
#define UPDATE(classes, folded) update_classes(s, visits, first, count, classes, folded)
	FOR_CLASSES(s->m, UPDATE);
}

/* Room for masks that are not folded. */
static size_t draw_bytes(uint32_t classes)
{
	return SOFT_DRAW_GROUP * masks_of(round_classes(classes), false) * (size_t)MASK_BYTES;
}

const struct lanes_kernel lanes_kernel_avx512 = {
	.lanes = LANES,
	.update_ns = 0.165,
	.fixed = 0.12,
	.table_bytes = sizeof(struct table),
	.draw_bytes = draw_bytes,
	.prepare = lanes_prepare_avx512,
	.draw = lanes_draw_avx512,
	.update = update,
};
#else
typedef int soft_no_lanes_avx512;
#endif
