// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* t(z) of CONTRACT.md by its own sequence of binary64 operations, in integers. */
#include "engine.h"
#include "float64.h"
#include "threshold.h"

#define LOG2E	  0x3ff71547652b82feull
#define LN2	  0x3fe62e42fefa39efull
#define MAGIC	  0x4338000000000000ull /* 1.5 * 2^52 */
#define THIRTYTWO 0x4040000000000000ull
#define ONE	  0x3ff0000000000000ull
#define HALF	  0x3fe0000000000000ull

/* 1/n! for n = 12 ... 0, after 1/13!. */
static const u64 inverse_factorial[13] = {
	0x3e21eed8eff8d898ull, 0x3e5ae64567f544e4ull, 0x3e927e4fb7789f5cull, 0x3ec71de3a556c734ull,
	0x3efa01a01a01a01aull, 0x3f2a01a01a01a01aull, 0x3f56c16c16c16c17ull, 0x3f81111111111111ull,
	0x3fa5555555555555ull, 0x3fc5555555555555ull, HALF,		     ONE,
	ONE,
};

static u64 exp_taylor(u64 f)
{
	u64 q = 0x3de6124613a86d09ull; /* 1/13! */
	unsigned int i;

	for (i = 0; i < 13; i++)
		q = f64_add(f64_mul(q, f), inverse_factorial[i]);
	return q;
}

static u64 clamp32(u64 x)
{
	if (f64_is_nan(x))
		return THIRTYTWO | F64_SIGN;
	if ((x & ~F64_SIGN) > THIRTYTWO)
		return THIRTYTWO | (x & F64_SIGN);
	return x;
}

u32 pbit_engine_threshold(u32 z)
{
	u64 x = clamp32(f64_from_f32(z));
	u64 y = f64_mul(x ^ F64_SIGN, LOG2E);
	u64 shifted = f64_add(y, MAGIC);
	u64 k = f64_add(shifted, MAGIC | F64_SIGN);
	u64 f = f64_mul(f64_add(y, k ^ F64_SIGN), LN2);
	u64 e, p;
	unsigned int shift;

	/* The low bits of `shifted` are k; the shift leaves k + 1023 in the exponent field. */
	e = f64_mul(exp_taylor(f), (shifted + 1023) << 52);
	p = f64_reciprocal(f64_add(e, ONE));
	/* p * 2^24 + 1/2, then its integer part; p is 2^-47 at least. */
	p = f64_add(p + (24ull << 52), HALF);
	if (f64_exp(p) < 1023)
		return 0;
	shift = 52 - (f64_exp(p) - 1023);
	return (u32)(((p & (F64_HIDE - 1)) | F64_HIDE) >> shift);
}

u32 pbit_engine_z_layer(s64 s, u32 a, u32 c)
{
	u32 product = f32_from_f64(f64_mul(f64_from_f32(f32_from_f64(f64_from_s64(s))),
					   f64_from_f32(a)));

	/* A binary64 sum of two binary32 numbers, rounded again, is their binary32 sum. */
	return f32_from_f64(f64_add(f64_from_f32(product), f64_from_f32(c)));
}

u32 pbit_engine_z_sweep(s64 k, u64 scale)
{
	return f32_from_f64(f64_mul(scale, f64_from_s64(k)));
}

u32 pbit_engine_threshold_layer(s64 s, u32 a, u32 c)
{
	return pbit_engine_threshold(pbit_engine_z_layer(s, a, c));
}

u32 pbit_engine_threshold_sweep(s64 k, u64 scale)
{
	return pbit_engine_threshold(pbit_engine_z_sweep(k, scale));
}
