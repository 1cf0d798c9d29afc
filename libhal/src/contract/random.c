/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds and draws of the contract as functions: the plain statement that faster kernels are
 * compared with.
 */
#include <pbit/contract.h>
#include "contract/threefry.h"
#include "contract/threshold.h"

uint32_t pbit_threshold24(float z)
{
	return pbit__threshold24(z);
}

void pbit_threefry(const uint64_t key[4], const uint64_t counter[4], uint64_t out[4])
{
	pbit__threefry(key, counter, out);
}

/* The 16 bits of p-bit `index` drawn with a key; counter[0] is filled here. */
static uint32_t draw_field(const uint64_t key[4], uint64_t counter[4], uint64_t index)
{
	uint64_t group = index / 128, r = index % 128, out[4];

	counter[0] = 8 * group + (r % 32) / 4;
	pbit__threefry(key, counter, out);
	return (uint32_t)(out[r / 32] >> (16 * (r % 4))) & 0xffff;
}

static uint32_t draw24(uint64_t key[4], uint64_t counter[4], uint64_t index)
{
	uint32_t high = draw_field(key, counter, index);

	key[1] += PBIT_DOMAIN_LOW;
	return high << 8 | (draw_field(key, counter, index) & 0xff);
}

uint32_t pbit_draw_layer(uint64_t seed, uint32_t layer, uint64_t image, uint64_t sample,
			 uint64_t index)
{
	uint64_t key[4] = {seed, PBIT_DOMAIN_LAYER, layer, 0};
	uint64_t counter[4] = {0, sample, image, 0};

	return draw24(key, counter, index);
}

uint32_t pbit_draw_boltzmann(uint64_t seed, uint64_t chain, uint64_t sweep, uint64_t index)
{
	uint64_t key[4] = {seed, PBIT_DOMAIN_BOLTZMANN, 0, 0};
	uint64_t counter[4] = {0, sweep, chain, 0};

	return draw24(key, counter, index);
}
