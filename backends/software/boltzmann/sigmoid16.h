/* SPDX-License-Identifier: Apache-2.0 */
/* 2^16 sigma(z) to a few units, in plain C that a compiler turns into vectors. */
#ifndef PBIT_SOFTWARE_SIGMOID16_H
#define PBIT_SOFTWARE_SIGMOID16_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Bound on the error, and room: draws that lie closer are decided exactly. */
#define SOFT_SIGMOID_MARGIN 8

/*
 * The factor of an input in steps in binary32, bounded: beyond the bound z of any input but 0 is out
 * of reach anyway. NaN: z may be undefined, all is to be decided exactly.
 */
static inline float soft_sigmoid_step(double factor)
{
	if (!isfinite(factor))
		return NAN;
	return (float)(factor < 1e28 ? factor : 1e28);
}

static inline int32_t soft_sigmoid16(float z)
{
	const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
	float y = z * -1.44269504f;
	float r, f, e;
	int32_t m;
	uint32_t bits;

	y = y < 30.0f ? y : 30.0f;
	y = y > -30.0f ? y : -30.0f;
	r = y + magic;
	f = y - (r - magic);
	e = 1.0f + f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * 0.00961813f)));
	memcpy(&m, &r, 4);
	memcpy(&bits, &e, 4);
	bits += (uint32_t)m << 23;
	memcpy(&e, &bits, 4);
	return (int32_t)(65536.0f / (1.0f + e));
}

#endif
