/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The draws of CONTRACT.md: Threefry-4x64 with 13 rounds, and where a p-bit's 24 bits lie. */
#ifndef PBIT_MODEL_DRAW_H
#define PBIT_MODEL_DRAW_H

#include "engine.h"

#define PBIT_DRAW_PARITY 0x1BD11BDAA9FC1A22ull
#define PBIT_DRAW_LOW	 0x100u /* added to the domain for bits 0 ... 7 */
#define PBIT_DRAW_GROUP	 128u	/* p-bits that share eight blocks */

/* Key words 0 ... 2, counter words 1 and 2. */
struct pbit_draw_stream {
	u64 seed, domain, layer;
	u64 first, second;
};

static inline u64 pbit_draw_rotate(u64 x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void pbit_draw_block(const struct pbit_draw_stream *s, u64 domain, u64 block,
				   u64 out[4])
{
	static const u8 turn[8][2] = { { 14, 16 }, { 52, 57 }, { 23, 40 }, { 5, 37 },
				       { 25, 33 }, { 46, 12 }, { 58, 22 }, { 32, 32 } };
	const u64 k[5] = { s->seed, domain, s->layer, 0,
			   PBIT_DRAW_PARITY ^ s->seed ^ domain ^ s->layer };
	u64 x0 = block + k[0], x1 = s->first + k[1], x2 = s->second + k[2], x3 = k[3];
	unsigned int r;

	for (r = 0; r < 13; r++) {
		const u8 *t = turn[r % 8];

		if (r % 2 == 0) {
			x0 += x1;
			x1 = pbit_draw_rotate(x1, t[0]) ^ x0;
			x2 += x3;
			x3 = pbit_draw_rotate(x3, t[1]) ^ x2;
		} else {
			x0 += x3;
			x3 = pbit_draw_rotate(x3, t[0]) ^ x0;
			x2 += x1;
			x1 = pbit_draw_rotate(x1, t[1]) ^ x2;
		}
		if (r % 4 == 3) {
			const unsigned int n = r / 4 + 1;

			x0 += k[n % 5];
			x1 += k[(n + 1) % 5];
			x2 += k[(n + 2) % 5];
			x3 += k[(n + 3) % 5] + n;
		}
	}
	out[0] = x0;
	out[1] = x1;
	out[2] = x2;
	out[3] = x3;
}

/* Bits 8 ... 23 of the draws of the 128 p-bits of group g. */
static inline void pbit_draw_group(const struct pbit_draw_stream *s, u64 group, u16 *draw)
{
	unsigned int b, w, f;
	u64 out[4];

	for (b = 0; b < 8; b++) {
		pbit_draw_block(s, s->domain, 8 * group + b, out);
		for (w = 0; w < 4; w++)
			for (f = 0; f < 4; f++)
				draw[32 * w + 4 * b + f] = (u16)(out[w] >> (16 * f));
	}
}

/* Bits 0 ... 7 of the draw of p-bit i. */
static inline u32 pbit_draw_low(const struct pbit_draw_stream *s, u64 i)
{
	const unsigned int r = (unsigned int)(i % PBIT_DRAW_GROUP);
	u64 out[4];

	pbit_draw_block(s, s->domain + PBIT_DRAW_LOW, 8 * (i / PBIT_DRAW_GROUP) + r % 32 / 4, out);
	return (u32)(out[r / 32] >> (16 * (r % 4))) & 0xff;
}

/* U < t: the high 16 of 24 bits decide nearly always. */
static inline bool pbit_draw_fires(const struct pbit_draw_stream *s, u64 i, u16 high, u32 t)
{
	if (high != t >> 8)
		return high < t >> 8;
	return ((u32)high << 8 | pbit_draw_low(s, i)) < t;
}

#endif
