/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The randomness of the contract for the reference: Threefry-4x64-13 written out from the paper
 * (Salmon et al., SC 2011, section 4.2 and table 2), the draw of one p-bit, and the threshold that it is
 * compared with.
 */
#include <math.h>

#include "reference.h"

#define ROUNDS 13

static uint64_t rotate_left(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

void reference_threefry(const uint64_t key[4], const uint64_t counter[4], uint64_t out[4])
{
	static const unsigned rotation[8][2] = {
		{14, 16}, {52, 57}, {23, 40}, {5, 37}, {25, 33}, {46, 12}, {58, 22}, {32, 32},
	};
	uint64_t schedule[5], x[4];
	unsigned i, round;

	schedule[4] = 0x1bd11bdaa9fc1a22u;
	for (i = 0; i < 4; i++) {
		schedule[i] = key[i];
		schedule[4] ^= key[i];
		x[i] = counter[i] + key[i];
	}
	for (round = 0; round < ROUNDS; round++) {
		/* Words 1 and 3 change places from round to round. */
		unsigned first = round % 2 == 0 ? 1 : 3;
		unsigned second = round % 2 == 0 ? 3 : 1;

		x[0] += x[first];
		x[first] = rotate_left(x[first], rotation[round % 8][0]) ^ x[0];
		x[2] += x[second];
		x[second] = rotate_left(x[second], rotation[round % 8][1]) ^ x[2];
		if (round % 4 == 3) {
			unsigned s = round / 4 + 1;

			for (i = 0; i < 4; i++)
				x[i] += schedule[(s + i) % 5];
			x[3] += s;
		}
	}
	for (i = 0; i < 4; i++)
		out[i] = x[i];
}

/* The 16 bits of p-bit `index` in one domain. */
static uint32_t field16(uint64_t seed, uint64_t domain, uint64_t key2, const uint64_t at[3],
			uint64_t index)
{
	uint64_t group = index / 128, r = index % 128;
	uint64_t key[4] = {seed, domain, key2, 0};
	uint64_t counter[4] = {8 * group + (r % 32) / 4, at[0], at[1], at[2]};
	uint64_t words[4];

	reference_threefry(key, counter, words);
	return (uint32_t)(words[r / 32] >> 16 * (r % 4)) & 0xffff;
}

uint32_t reference_draw_layer(uint64_t seed, uint32_t layer, uint64_t image, uint64_t sample,
			      uint64_t index)
{
	const uint64_t at[3] = {sample, image, 0};
	uint32_t high = field16(seed, 1, layer, at, index);
	uint32_t low = field16(seed, 1 + 0x100, layer, at, index);

	return high << 8 | (low & 0xff);
}

/*
 * t(z), by the eight steps that the contract fixes. volatile: each operation is rounded to binary64
 * by itself, whatever the compiler is told.
 */
uint32_t reference_threshold24(float z)
{
	volatile double y, whole, f, e, p, t;
	double x = (double)z, factorial = 1;
	int n;

	if (isnan(z) || x < -32)
		x = -32;
	if (x > 32)
		x = 32;
	y = -x * 0x1.71547652b82fep+0; /* log2(e) */
	whole = nearbyint(y);
	f = y - whole;
	f = f * 0x1.62e42fefa39efp-1; /* ln 2 */
	for (n = 2; n <= 13; n++)
		factorial *= n;
	e = 1 / factorial;
	for (n = 12; n >= 0; n--) {
		factorial /= n + 1; /* exact */
		e = e * f;
		e = e + 1 / factorial;
	}
	e = ldexp(e, (int)whole);
	p = 1 + e;
	p = 1 / p;
	t = p * 16777216;
	t = t + 0.5;
	return (uint32_t)t;
}
