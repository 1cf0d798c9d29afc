/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dense machines with AVX-512: 32 p-bits are compared at a time, and the first of them that flips
 * or is not sure ends the comparison; the rest is compared again after it.
 */
#ifdef __x86_64__
#include <immintrin.h>
#include "dense_generic.h"

/* Bits of p-bits 32 w ... that fire for sure, and that are not sure. */
struct verdict {
	uint32_t fires, unsure;
};

static inline struct verdict judge_short(const struct soft_dense_sweep *s, uint32_t w)
{
	const size_t at = 32 * (size_t)w;
	const __m512i sum = _mm512_loadu_si512((const int16_t *)s->sums + at);
	const uint32_t fires =
		_mm512_cmpge_epi16_mask(sum, _mm512_loadu_si512((const int16_t *)s->fires + at));
	const uint32_t may =
		_mm512_cmpge_epi16_mask(sum, _mm512_loadu_si512((const int16_t *)s->rests + at));

	return (struct verdict){.fires = fires, .unsure = may & ~fires};
}

static inline struct verdict judge_words(const struct soft_dense_sweep *s, uint32_t w)
{
	uint32_t fires = 0, may = 0;

	for (unsigned int half = 0; half < 2; half++) {
		const size_t at = 32 * (size_t)w + 16 * half;
		const __m512i sum = _mm512_loadu_si512((const int32_t *)s->sums + at);

		fires |= (uint32_t)_mm512_cmpge_epi32_mask(
				 sum, _mm512_loadu_si512((const int32_t *)s->fires + at))
			 << 16 * half;
		may |= (uint32_t)_mm512_cmpge_epi32_mask(
			       sum, _mm512_loadu_si512((const int32_t *)s->rests + at))
		       << 16 * half;
	}
	return (struct verdict){.fires = fires, .unsure = may & ~fires};
}

static inline struct verdict judge(const struct soft_dense_sweep *s, uint32_t w, bool narrow)
{
	return narrow ? judge_short(s, w) : judge_words(s, w);
}

/* The bits after bit i. */
static inline uint32_t after(uint32_t i)
{
	return ~1u << i;
}

static inline void update_word(const struct soft_dense_sweep *s, uint32_t w, bool narrow)
{
	uint32_t todo = s->free[w], state = s->state[w];

	while (todo) {
		const struct verdict v = judge(s, w, narrow);
		const uint32_t stop = ((v.fires ^ state) | v.unsure) & todo;
		uint32_t i;

		if (!stop)
			break;
		i = (uint32_t)__builtin_ctz(stop);
		todo &= after(i);
		if (v.unsure >> i & 1 && soft_dense_decide(s, 32 * w + i) == (state >> i & 1))
			continue;
		state ^= 1u << i;
		dense_flip(s, 32 * w + i, state >> i & 1);
	}
	s->state[w] = state;
}

static inline void find_flips(const struct soft_dense_sweep *s, uint32_t w, bool narrow)
{
	struct verdict v = judge(s, w, narrow);

	for (uint32_t left = v.unsure & s->free[w]; left; left &= left - 1) {
		const uint32_t i = (uint32_t)__builtin_ctz(left);

		v.fires |= (uint32_t)soft_dense_decide(s, 32 * w + i) << i;
	}
	s->flips[w] = (v.fires ^ s->state[w]) & s->free[w];
}

void soft_dense_avx512(const struct soft_dense_sweep *s)
{
	const uint32_t words = (s->n + 31) / 32;

	dense_critical(s);
	if (s->flips) {
		for (uint32_t w = 0; w < words; w++)
			find_flips(s, w, s->kind == DENSE_SHORT);
		dense_make_flips(s);
	} else if (s->kind == DENSE_SHORT) {
		for (uint32_t w = 0; w < words; w++)
			update_word(s, w, true);
	} else {
		for (uint32_t w = 0; w < words; w++)
			update_word(s, w, false);
	}
}
#else
typedef int soft_no_avx512;
#endif
