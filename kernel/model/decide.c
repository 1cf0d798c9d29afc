// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * U < t(z) without t: z lies between two neighbours of a grid, so t lies between theirs. Only a draw
 * in that gap, one in 256 at most, needs the exact number.
 */
#include "threshold.h"

#define STEPS	 64 /* of the grid, to a unit of z */
#define LIMIT	 16
#define ENTRIES	 (2 * LIMIT * STEPS + 1)
#define T_ONE	 (1u << 24)
#define SLACK	 2 /* t(z) is monotone to its last unit */

static u32 level[ENTRIES];

static u32 grid_bits(s32 k)
{
	/* k / 64 as binary32: k * 2^-6, exact. */
	u32 sign = k < 0 ? 0x80000000u : 0, m = k < 0 ? (u32)-k : (u32)k;
	unsigned int top;

	if (!m)
		return 0;
	top = 31 - (unsigned int)__builtin_clz(m);
	return sign | (127 - 6 + top) << 23 | ((m << (23 - top)) & 0x7fffff);
}

void pbit_engine_init(void)
{
	s32 k;

	for (k = 0; k < ENTRIES; k++)
		level[k] = pbit_engine_threshold(grid_bits(k - LIMIT * STEPS));
}

/* floor(64 z) for |z| < 16 as bits of binary32. */
static s32 grid_index(u32 z)
{
	const u32 e = z >> 23 & 0xff, m = (z & 0x7fffff) | 0x800000;
	const u32 shift = 127 + 23 - 6 - e; /* at least 14 */
	u32 whole = shift < 32 ? m >> shift : 0;

	if (!(z >> 31))
		return (s32)whole;
	return shift < 32 && !(m & ((1u << shift) - 1)) && e ? -(s32)whole : -(s32)whole - 1;
}

bool pbit_engine_fires(const struct pbit_draw_stream *s, u64 i, u16 high, u32 z)
{
	const u32 e = z >> 23 & 0xff, u = (u32)high << 8;
	u32 low, up;
	s32 k;

	if (e == 0xff)
		goto exact;
	if (e >= 127 + 4) {
		low = z >> 31 ? 0 : level[ENTRIES - 1] - SLACK;
		up = z >> 31 ? level[0] + SLACK : T_ONE;
	} else {
		k = grid_index(z) + LIMIT * STEPS;
		low = level[k];
		low = low > SLACK ? low - SLACK : 0;
		up = level[k + 1] + SLACK;
	}
	if ((u | 0xff) < low)
		return true;
	if (u >= up)
		return false;
exact:
	return pbit_draw_fires(s, i, high, pbit_engine_threshold(z));
}
