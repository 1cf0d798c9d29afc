/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The few operations of IEEE 754 binary64 and binary32 that CONTRACT.md needs, in integers,
 * rounded to nearest, ties to even: what a kernel may not do with floating point. Numbers are
 * their bits. Subnormal binary64 numbers count as zero: nothing of the contract tells them
 * apart, since a binary32 made of one is zero. Subnormal binary32 numbers are right.
 */
#ifndef PBIT_MODEL_FLOAT64_H
#define PBIT_MODEL_FLOAT64_H

#include "engine.h"

#define F64_SIGN (1ull << 63)
#define F64_INF	 0x7ff0000000000000ull
#define F64_NAN	 0x7ff8000000000000ull
#define F64_HIDE (1ull << 52)
#define F32_INF	 0x7f800000u
#define F32_NAN	 0x7fc00000u

static inline u32 f64_exp(u64 x)
{
	return (u32)(x >> 52) & 0x7ff;
}

static inline bool f64_is_nan(u64 x)
{
	return (x & ~F64_SIGN) > F64_INF;
}

/* Leading zeros of x, which is not 0. */
static inline unsigned int pbit_clz64(u64 x)
{
	return (unsigned int)__builtin_clzll(x);
}

/* x >> n with the bits that fall out gathered in the last one. */
static inline u64 pbit_shift_sticky(u64 x, unsigned int n)
{
	if (!n)
		return x;
	if (n > 63)
		return x != 0;
	return x >> n | ((x << (64 - n)) != 0);
}

/*
 * The number (-1)^sign * m * 2^(e - 1023 - 62) rounded, m with its leading bit at 62 or below,
 * its last bit sticky.
 */
static inline u64 f64_round(u64 sign, s32 e, u64 m)
{
	unsigned int up;

	if (!m)
		return sign;
	up = pbit_clz64(m);
	if (!up) {
		m = pbit_shift_sticky(m, 1);
		e++;
	} else {
		m <<= up - 1;
		e -= (s32)up - 1;
	}
	/* 53 bits stay, 10 go. */
	m += 0x1ff + (m >> 10 & 1);
	if (m >> 63) {
		m >>= 1;
		e++;
	}
	m >>= 10;
	if (e <= 0)
		return sign;
	if (e >= 0x7ff)
		return sign | F64_INF;
	return sign | (u64)e << 52 | (m & (F64_HIDE - 1));
}

static inline u64 f64_add(u64 a, u64 b)
{
	u64 ma, mb, sign, t;
	s32 ea, eb;

	if ((a & ~F64_SIGN) < (b & ~F64_SIGN)) {
		t = a;
		a = b;
		b = t;
	}
	ea = (s32)f64_exp(a);
	eb = (s32)f64_exp(b);
	if (ea == 0x7ff) {
		if (f64_is_nan(a) || (eb == 0x7ff && a != b))
			return F64_NAN;
		return a;
	}
	if (!eb)
		return ea ? a : a & b & F64_SIGN;
	sign = a & F64_SIGN;
	ma = ((a & (F64_HIDE - 1)) | F64_HIDE) << 9;
	mb = pbit_shift_sticky(((b & (F64_HIDE - 1)) | F64_HIDE) << 9, (unsigned int)(ea - eb));
	if ((a ^ b) & F64_SIGN) {
		if (ma == mb)
			return 0;
		ma -= mb;
	} else {
		ma += mb;
	}
	return f64_round(sign, ea + 1, ma);
}

/* High and low half of a * b. */
static inline u64 pbit_mul_high(u64 a, u64 b, u64 *low)
{
	const u64 half = 0xffffffffull;
	u64 al = a & half, ah = a >> 32, bl = b & half, bh = b >> 32;
	u64 ll = al * bl, lh = al * bh, hl = ah * bl;
	u64 mid = (ll >> 32) + (lh & half) + (hl & half);

	*low = mid << 32 | (ll & half);
	return ah * bh + (lh >> 32) + (hl >> 32) + (mid >> 32);
}

static inline u64 f64_mul(u64 a, u64 b)
{
	u64 sign = (a ^ b) & F64_SIGN, high, low;
	s32 ea = (s32)f64_exp(a), eb = (s32)f64_exp(b);

	if (ea == 0x7ff || eb == 0x7ff) {
		if (f64_is_nan(a) || f64_is_nan(b) || !ea || !eb)
			return F64_NAN;
		return sign | F64_INF;
	}
	if (!ea || !eb)
		return sign;
	/*
	 * 1.x * 2^62 times 1.y * 2^62: the product's leading bit is 124 or 125, 61 or 60 of
	 * `high`.
	 */
	high = pbit_mul_high(((a & (F64_HIDE - 1)) | F64_HIDE) << 10,
			     ((b & (F64_HIDE - 1)) | F64_HIDE) << 10, &low);
	return f64_round(sign, ea + eb - 1023 + 2, high | (low != 0));
}

/* 1 / b for a finite b that is not zero. */
static inline u64 f64_reciprocal(u64 b)
{
	u64 divisor = (b & (F64_HIDE - 1)) | F64_HIDE, rest = F64_HIDE, q = 0;
	unsigned int i;

	/* Bits 62 ... 0 of the quotient, 2^62 / 1.b. */
	for (i = 0; i < 63; i++) {
		q <<= 1;
		if (rest >= divisor) {
			rest -= divisor;
			q |= 1;
		}
		rest <<= 1;
	}
	return f64_round(b & F64_SIGN, 1023 + 1023 - (s32)f64_exp(b), q | (rest != 0));
}

static inline u64 f64_from_s64(s64 v)
{
	u64 sign = v < 0 ? F64_SIGN : 0, m = v < 0 ? 0 - (u64)v : (u64)v;

	/* m * 2^0, and 62 is where the unit of f64_round() lies. */
	return f64_round(sign, 1023 + 62, m);
}

static inline u64 f64_from_f32(u32 x)
{
	u64 sign = (u64)(x >> 31) << 63, m = x & 0x7fffff;
	s32 e = (s32)(x >> 23 & 0xff);

	if (e == 0xff)
		return m ? F64_NAN : sign | F64_INF;
	if (!e)
		return f64_round(sign, 1023 + 62 - 149, m);
	return sign | (u64)(e - 127 + 1023) << 52 | m << 29;
}

static inline u32 f32_from_f64(u64 x)
{
	u32 sign = (u32)(x >> 32) & 0x80000000u;
	s32 e = (s32)f64_exp(x) - 1023 + 127;
	u64 m = (x & (F64_HIDE - 1)) | F64_HIDE;
	u32 r;

	if (f64_exp(x) == 0x7ff)
		return f64_is_nan(x) ? F32_NAN : sign | F32_INF;
	if (!f64_exp(x))
		return sign;
	if (e <= 0) {
		/* Subnormal: the unit is 2^-149 whatever the exponent. */
		m = pbit_shift_sticky(m, (unsigned int)(1 - e));
		e = 0;
	} else {
		m &= F64_HIDE - 1;
	}
	/* 29 bits go; a carry runs into the exponent as it should. */
	r = (u32)((m + 0x0fffffff + (m >> 29 & 1)) >> 29);
	r += (u32)(e > 255 ? 255 : e) << 23;
	return sign | (r >= F32_INF ? F32_INF : r);
}

#endif
