/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds and draws in plain C, written so that a compiler turns its loops
 * into vectors of whatever width it was given. Included by the tables that
 * have no code of their own for this.
 */
#ifndef PBIT_SOFTWARE_GENERIC_DRAW_H
#define PBIT_SOFTWARE_GENERIC_DRAW_H

#include <string.h>
#include "exact.h"

/* The 128 draws (bits 8 ... 23 of U) of group `group`: eight blocks of Threefry side by side. */
static inline void generic_draw_group(const struct soft_stream *stream, uint64_t group,
				      uint16_t u[SOFT_GROUP])
{
	static const unsigned int turn[8][2] = {{14, 16}, {52, 57}, {23, 40}, {5, 37},
						{25, 33}, {46, 12}, {58, 22}, {32, 32}};
	const uint64_t k[5] = {stream->seed, PBIT_DOMAIN_LAYER, stream->layer, 0,
			       PBIT__THREEFRY_PARITY ^ stream->seed ^ PBIT_DOMAIN_LAYER ^
				       stream->layer};
	uint64_t x[4][8];

	for (unsigned int l = 0; l < 8; l++) {
		x[0][l] = 8 * group + l + k[0];
		x[1][l] = stream->sample + k[1];
		x[2][l] = stream->image + k[2];
		x[3][l] = k[3];
	}
#pragma GCC unroll 13
	for (unsigned int r = 0; r < 13; r++) {
		const unsigned int p = r % 2 ? 3 : 1, q = r % 2 ? 1 : 3;
		const unsigned int rp = turn[r % 8][0], rq = turn[r % 8][1];

		for (unsigned int l = 0; l < 8; l++) {
			x[0][l] += x[p][l];
			x[p][l] = (x[p][l] << rp | x[p][l] >> (64 - rp)) ^ x[0][l];
		}
		for (unsigned int l = 0; l < 8; l++) {
			x[2][l] += x[q][l];
			x[q][l] = (x[q][l] << rq | x[q][l] >> (64 - rq)) ^ x[2][l];
		}
		if (r % 4 == 3) {
			const unsigned int i = r / 4 + 1;

			for (unsigned int l = 0; l < 8; l++) {
				x[0][l] += k[i % 5];
				x[1][l] += k[(i + 1) % 5];
				x[2][l] += k[(i + 2) % 5];
				x[3][l] += k[(i + 3) % 5] + i;
			}
		}
	}
	memcpy(u, x, sizeof(x));
}

/* 2^16 sigma(z) to within a few units; the exact decision is made elsewhere. */
static void generic_thresholds(const float *z, size_t n, uint16_t *t16)
{
	for (size_t i = 0; i < n; i++) {
		const float magic =
			12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
		float y = z[i] * -1.44269504f;
		float r, f, e, t;
		int32_t m;
		uint32_t bits;

		y = y < 30.0f ? y : 30.0f; /* a NaN becomes 30: never fires */
		y = y > -30.0f ? y : -30.0f;
		r = y + magic;
		f = y - (r - magic);
		e = 1.0f +
		    f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * 0.00961813f)));
		memcpy(&m, &r, 4);
		memcpy(&bits, &e, 4);
		bits += (uint32_t)m << 23;
		memcpy(&e, &bits, 4);
		t = 65535.0f / (1.0f + e);
		t16[i] = (uint16_t)(int32_t)t;
	}
}

static inline uint32_t generic_word(const struct soft_stream *stream, size_t first,
				    const uint16_t *u, const uint16_t *t16, const float *z)
{
	uint8_t flag[32];
	uint64_t any[4];
	uint32_t bits = 0;

	for (unsigned int i = 0; i < 32; i++) {
		const int32_t d = (int32_t)t16[i] - (int32_t)u[i];

		flag[i] =
			(uint8_t)((d > 0) |
				  (d + (int32_t)SOFT_MARGIN >= 0 && d <= (int32_t)SOFT_MARGIN ? 2
											      : 0));
	}
	memcpy(any, flag, sizeof(any));
	for (unsigned int b = 0; b < 4; b++)
		/* Gathers the low bits of eight bytes, first byte lowest. */
		bits |= (uint32_t)(((any[b] & 0x0101010101010101u) * 0x0102040810204080u) >> 56)
			<< (8 * b);
	if (!((any[0] | any[1] | any[2] | any[3]) & 0x0202020202020202u))
		return bits;
	for (unsigned int i = 0; i < 32; i++)
		if (flag[i] & 2)
			bits = (bits & ~(1u << i)) | soft_decide(stream, first + i, z[i], u[i])
							     << i;
	return bits;
}

static void generic_draw(const struct soft_stream *stream, size_t first, size_t n, const float *z,
			 const uint16_t *t16, uint32_t *bits)
{
	for (size_t i = 0; i < n; i += SOFT_GROUP) {
		uint16_t u[SOFT_GROUP];

		generic_draw_group(stream, (first + i) / SOFT_GROUP, u);
		for (unsigned int w = 0; w < SOFT_GROUP / 32; w++)
			bits[i / 32 + w] = generic_word(stream, first + i + 32 * w, u + 32 * w,
							t16 + i + 32 * w, z + i + 32 * w);
	}
}

static void generic_activate(const struct soft_stream *stream, size_t first, size_t n,
			     const int32_t *s, const float *a, const float *c, uint32_t *bits)
{
	for (size_t i = 0; i < n; i += SOFT_GROUP) {
		float z[SOFT_GROUP];
		uint16_t t16[SOFT_GROUP];

		for (size_t j = 0; j < SOFT_GROUP; j++)
			z[j] = (float)s[i + j] * a[i + j] + c[i + j];
		generic_thresholds(z, SOFT_GROUP, t16);
		generic_draw(stream, first + i, SOFT_GROUP, z, t16, bits + i / 32);
	}
}

#endif
