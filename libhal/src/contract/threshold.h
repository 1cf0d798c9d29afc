/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t(z) of CONTRACT.md, inline for kernels. Every kernel must give the same integers, so the
 * operations below, in this order, each rounded to binary64 (nearest, ties to even), are the law:
 *
 *   1. x = z clamped to [-32, 32]; a NaN becomes -32 (t = 0)
 *   2. y = -x * log2(e), log2(e) = 0x1.71547652b82fep+0
 *   3. k = (y + 1.5*2^52) - 1.5*2^52: the integer nearest to y
 *   4. f = (y - k) * ln(2), ln(2) = 0x1.62e42fefa39efp-1; |f| <= 0.347
 *   5. q = 1/13!; then q = q*f + 1/n! for n = 12, 11, ... 0, product and sum rounded separately
 *      (no fused multiply-add); each 1/n! is the nearest binary64
 *   6. e = q * 2^k, 2^k made by its exponent bits (exact)
 *   7. p = 1 / (1 + e)
 *   8. t = integer part of (p * 2^24 + 0.5)
 *
 * No step branches: with -fno-trapping-math, which changes no value, the compiler vectorises a loop
 * of it. Compile with -ffp-contract=off.
 */
#ifndef PBIT_SRC_THRESHOLD_H
#define PBIT_SRC_THRESHOLD_H

#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "the sequence of operations is fixed: do not compile this with -ffast-math"
#endif

#define PBIT__ROUND_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */

/* exp(f) for |f| <= ln(2)/2: step 5. */
static inline double pbit__exp_taylor(double f)
{
	double q = 1.0 / 6227020800.0;

	q = q * f + 1.0 / 479001600.0;
	q = q * f + 1.0 / 39916800.0;
	q = q * f + 1.0 / 3628800.0;
	q = q * f + 1.0 / 362880.0;
	q = q * f + 1.0 / 40320.0;
	q = q * f + 1.0 / 5040.0;
	q = q * f + 1.0 / 720.0;
	q = q * f + 1.0 / 120.0;
	q = q * f + 1.0 / 24.0;
	q = q * f + 1.0 / 6.0;
	q = q * f + 0.5;
	q = q * f + 1.0;
	q = q * f + 1.0;
	return q;
}

static inline uint32_t pbit__threshold24(float z)
{
	double x = (double)z, y, shifted, k, scale, e, p;
	uint64_t bits;

	x = x >= -32.0 ? x : -32.0; /* false for a NaN */
	x = x <= 32.0 ? x : 32.0;
	y = -x * 0x1.71547652b82fep+0;
	shifted = y + PBIT__ROUND_MAGIC;
	k = shifted - PBIT__ROUND_MAGIC;
	/* The low bits of `shifted` are k; the shift leaves k + 1023 in the exponent field. */
	memcpy(&bits, &shifted, sizeof(bits));
	bits = (bits + 1023) << 52;
	memcpy(&scale, &bits, sizeof(scale));
	e = pbit__exp_taylor((y - k) * 0x1.62e42fefa39efp-1) * scale;
	p = 1.0 / (1.0 + e);
	return (uint32_t)(int32_t)(p * 16777216.0 + 0.5);
}

#endif
