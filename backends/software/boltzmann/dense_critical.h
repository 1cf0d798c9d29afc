/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Critical inputs of a sweep, in plain C that a compiler turns into vectors. p-bit i fires where its
 * input exceeds logit(U / 2^24) / factor. With the high 16 bits of U alone, and a margin for the
 * arithmetic below, that is an interval; inside it the draw is decided exactly.
 */
#ifndef PBIT_SOFTWARE_DENSE_CRITICAL_H
#define PBIT_SOFTWARE_DENSE_CRITICAL_H

#include <math.h>
#include "dense.h"

/*
 * In units of 2^-16 of probability, on each side. One unit is 6e-5 in z or more; binary32 makes z wrong
 * by 2e-6 here.
 */
#define DENSE_MARGIN 1
#define DENSE_BEYOND \
	1073741952 /* 2^30, the largest input there is, and the step of binary32 there */

/* ln(x), 2^-17 <= x <= 2^17, to 1e-6: x = m 2^k, ln(m) by atanh. */
static inline float dense_log(float x)
{
	uint32_t bits, k;
	float m, s, t;

	memcpy(&bits, &x, 4);
	/* m in [0.70, 1.41) */
	k = (bits - 0x3f350000u) & 0xff800000u;
	bits -= k;
	memcpy(&m, &bits, 4);
	s = (m - 1.0f) / (m + 1.0f);
	t = s * s;
	return (float)((int32_t)k >> 23) * 0.69314718f +
	       2.0f * s * (1.0f + t * (0.33333333f + t * (0.2f + t * 0.14285714f)));
}

/* Input at which the probability is a / 2^16, 0 < a < 2^16. */
static inline float dense_input_at(int32_t a, float inverse)
{
	float v = dense_log((float)a / (float)(65536 - a)) * inverse;

	v = v > (float)-DENSE_BEYOND ? v : (float)-DENSE_BEYOND;
	return v < (float)DENSE_BEYOND ? v : (float)DENSE_BEYOND;
}

/* Smallest whole number not below v. */
static inline int32_t dense_ceil(float v)
{
	const int32_t k = (int32_t)v;

	return k + ((float)k < v);
}

#define DENSE_BATCH 64u

/* Critical inputs of a batch of p-bits with draws u. */
static inline void dense_intervals(const struct soft_chain *c, const uint16_t *u, int32_t *rests,
				   int32_t *fires)
{
	const bool sure = isfinite(c->factor);
	float below[DENSE_BATCH], above[DENSE_BATCH];
	/*
	 * A tiny factor makes z of every input 0 to within the margin: any large inverse will do. A
	 * huge one leaves only the sign of the input to matter, which an inverse of 0 would lose.
	 */
	const double factor = c->factor > 1e-30 ? (c->factor < 1e20 ? c->factor : 1e20) : 1e-30;
	const float inverse = (float)(1.0 / factor);

	/* Loops of their own, or the compiler makes branches of the bounds. */
	for (uint32_t i = 0; i < DENSE_BATCH; i++) {
		const int32_t low = (int32_t)u[i] - DENSE_MARGIN;
		const int32_t high = (int32_t)u[i] + 1 + DENSE_MARGIN;

		below[i] = dense_input_at(low > 1 ? low : 1, inverse);
		above[i] = dense_input_at(high < 65535 ? high : 65535, inverse);
	}
	for (uint32_t i = 0; i < DENSE_BATCH; i++) {
		rests[i] = dense_ceil(below[i]);
		fires[i] = dense_ceil(above[i]);
	}
	/* No input is sure to rest or to fire at the ends; at all where z may be undefined. */
	for (uint32_t i = 0; i < DENSE_BATCH; i++)
		rests[i] = u[i] > DENSE_MARGIN && sure ? rests[i] : -DENSE_BEYOND;
	for (uint32_t i = 0; i < DENSE_BATCH; i++)
		fires[i] = u[i] + 1 + DENSE_MARGIN < 65536 && sure ? fires[i] : DENSE_BEYOND;
}

/* (v - base) / 2 rounded up, for sums of bytes; the difference itself may not fit. */
static inline int32_t dense_sum_at(int32_t v, int32_t base)
{
	return (v >> 1) - (base >> 1) + (v & ~base & 1);
}

static inline int16_t dense_saturate(int32_t v)
{
	return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static inline void dense_store(const struct soft_dense_sweep *s, uint32_t first, uint32_t count,
			       const int32_t *rests, const int32_t *fires)
{
	const int32_t *base = s->base + first;

	if (s->kind == DENSE_SHORT) {
		int16_t *r = (int16_t *)s->rests + first, *f = (int16_t *)s->fires + first;

		for (uint32_t i = 0; i < count; i++) {
			r[i] = dense_saturate(dense_sum_at(rests[i], base[i]));
			f[i] = dense_saturate(dense_sum_at(fires[i], base[i]));
		}
		return;
	}
	memcpy((int32_t *)s->rests + first, rests, count * sizeof(*rests));
	memcpy((int32_t *)s->fires + first, fires, count * sizeof(*fires));
	for (uint32_t i = 0; s->kind == DENSE_BYTES && i < count; i++) {
		((int32_t *)s->rests)[first + i] = dense_sum_at(rests[i], base[i]);
		((int32_t *)s->fires)[first + i] = dense_sum_at(fires[i], base[i]);
	}
}

/* For all p-bits of the sweep. */
static inline void dense_critical(const struct soft_dense_sweep *s)
{
	for (uint32_t first = 0; first < s->n; first += DENSE_BATCH) {
		const uint32_t left = s->n - first, count = left < DENSE_BATCH ? left : DENSE_BATCH;
		uint16_t u[DENSE_BATCH] = {0};
		int32_t rests[DENSE_BATCH], fires[DENSE_BATCH];

		for (uint32_t i = 0; i < count; i++)
			u[i] = s->high[s->pbit[first + i]];
		dense_intervals(s->chain, u, rests, fires);
		dense_store(s, first, count, rests, fires);
	}
}

#endif
