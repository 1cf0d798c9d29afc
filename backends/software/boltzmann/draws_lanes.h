/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group's draws in plain C, eight blocks of Threefry side by side: a compiler makes vectors of
 * whatever width it was given out of the loops.
 */
#ifndef PBIT_SOFTWARE_DRAWS_LANES_H
#define PBIT_SOFTWARE_DRAWS_LANES_H

#include <string.h>
#include "draws.h"

static inline void soft_draw_lanes(const struct soft_draw *d, uint64_t sweep, uint64_t chain,
				   uint32_t group, uint16_t high[SOFT_DRAW_GROUP])
{
	static const unsigned int turn[8][2] = {{14, 16}, {52, 57}, {23, 40}, {5, 37},
						{25, 33}, {46, 12}, {58, 22}, {32, 32}};
	uint64_t x[4][8];

	for (unsigned int l = 0; l < 8; l++) {
		x[0][l] = 8 * (d->first_group + group) + l + d->k[0];
		x[1][l] = sweep + d->k[1];
		x[2][l] = chain + d->k[2];
		x[3][l] = d->k[3];
	}
#pragma GCC unroll 13
	for (unsigned int r = 0; r < 13; r++) {
		const unsigned int p = r % 2 ? 3 : 1, q = r % 2 ? 1 : 3;
		const unsigned int rp = turn[r % 8][0], rq = turn[r % 8][1];

		for (unsigned int l = 0; l < 8; l++) {
			x[0][l] += x[p][l];
			x[p][l] = pbit__rotate_left(x[p][l], rp) ^ x[0][l];
		}
		for (unsigned int l = 0; l < 8; l++) {
			x[2][l] += x[q][l];
			x[q][l] = pbit__rotate_left(x[q][l], rq) ^ x[2][l];
		}
		if (r % 4 == 3) {
			const unsigned int i = r / 4 + 1;

			for (unsigned int l = 0; l < 8; l++) {
				x[0][l] += d->k[i % 5];
				x[1][l] += d->k[(i + 1) % 5];
				x[2][l] += d->k[(i + 2) % 5];
				x[3][l] += d->k[(i + 3) % 5] + i;
			}
		}
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(high, x, sizeof(x));
#else
	for (unsigned int i = 0; i < SOFT_DRAW_GROUP; i++)
		high[i] = (uint16_t)(x[i / 32][i % 32 / 4] >> (16 * (i % 4)));
#endif
}

#endif
