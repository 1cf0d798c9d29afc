/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes 64 x 64 bits: bit c of a[b] becomes bit b of a[c]. */
#ifndef PBIT_SOFTWARE_BITS64_H
#define PBIT_SOFTWARE_BITS64_H

#include <stdint.h>

static inline void soft_transpose64(uint64_t a[64])
{
	uint64_t mask = 0x00000000ffffffffu;

	/* Swaps off-diagonal blocks of 32, 16, ... 1. */
	for (unsigned int j = 32; j; j >>= 1, mask ^= mask << j) {
		for (unsigned int k = 0; k < 64; k = ((k | j) + 1) & ~j) {
			const uint64_t t = (a[k] >> j ^ a[k + j]) & mask;

			a[k] ^= t << j;
			a[k + j] ^= t;
		}
	}
}

#endif
