/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threefry-4x64 with 13 rounds, inline for kernels: the counter-based generator of CONTRACT.md,
 * Randomness, after Salmon, Moraes, Dror, Shaw (SC 2011).
 */
#ifndef PBIT_SRC_THREEFRY_H
#define PBIT_SRC_THREEFRY_H

#include <stdint.h>

#define PBIT__THREEFRY_PARITY 0x1BD11BDAA9FC1A22u

static inline uint64_t pbit__rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* One mix of two words: the unit of a round. */
#define PBIT__THREEFRY_MIX(a, b, bits)                      \
	do {                                                \
		(a) += (b);                                 \
		(b) = pbit__rotate_left((b), (bits)) ^ (a); \
	} while (0)

/* Two rounds: words (0,1) (2,3), then (0,3) (2,1). */
#define PBIT__THREEFRY_PAIR(x, r0, r1, r2, r3)          \
	do {                                            \
		PBIT__THREEFRY_MIX((x)[0], (x)[1], r0); \
		PBIT__THREEFRY_MIX((x)[2], (x)[3], r1); \
		PBIT__THREEFRY_MIX((x)[0], (x)[3], r2); \
		PBIT__THREEFRY_MIX((x)[2], (x)[1], r3); \
	} while (0)

/* Injection number n of the key, k its five words. */
#define PBIT__THREEFRY_INJECT(x, k, n)              \
	do {                                        \
		(x)[0] += (k)[(n) % 5];             \
		(x)[1] += (k)[((n) + 1) % 5];       \
		(x)[2] += (k)[((n) + 2) % 5];       \
		(x)[3] += (k)[((n) + 3) % 5] + (n); \
	} while (0)

static inline void pbit__threefry(const uint64_t key[4], const uint64_t counter[4], uint64_t out[4])
{
	uint64_t k[5] = {key[0], key[1], key[2], key[3],
			 PBIT__THREEFRY_PARITY ^ key[0] ^ key[1] ^ key[2] ^ key[3]};
	uint64_t x[4] = {counter[0], counter[1], counter[2], counter[3]};

	PBIT__THREEFRY_INJECT(x, k, 0);
	PBIT__THREEFRY_PAIR(x, 14, 16, 52, 57);
	PBIT__THREEFRY_PAIR(x, 23, 40, 5, 37);
	PBIT__THREEFRY_INJECT(x, k, 1);
	PBIT__THREEFRY_PAIR(x, 25, 33, 46, 12);
	PBIT__THREEFRY_PAIR(x, 58, 22, 32, 32);
	PBIT__THREEFRY_INJECT(x, k, 2);
	PBIT__THREEFRY_PAIR(x, 14, 16, 52, 57);
	PBIT__THREEFRY_PAIR(x, 23, 40, 5, 37);
	PBIT__THREEFRY_INJECT(x, k, 3);
	PBIT__THREEFRY_MIX(x[0], x[1], 25); /* round 13 */
	PBIT__THREEFRY_MIX(x[2], x[3], 33);
	out[0] = x[0];
	out[1] = x[1];
	out[2] = x[2];
	out[3] = x[3];
}

#endif
