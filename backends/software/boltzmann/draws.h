/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws of Boltzmann mode for all engines (CONTRACT.md, Randomness): the bits 8 ... 23 of U, "high"
 * here, come 128 p-bits at a time; bits 0 ... 7 are drawn only where high equals that of the threshold.
 */
#ifndef PBIT_SOFTWARE_DRAWS_H
#define PBIT_SOFTWARE_DRAWS_H

#include <stdbool.h>
#include <pbit/contract.h>
#include "contract/threefry.h"
#include "contract/threshold.h"
#include "engine.h"

#define SOFT_DRAW_GROUP 128u /* p-bits that share eight Threefry blocks */

/* The five words of the key, and where p-bit 0 draws. */
struct soft_draw {
	uint64_t k[5];
	uint64_t first_group;
};

static inline struct soft_draw soft_draw_at(const struct soft_bm_position *at)
{
	const struct soft_draw d = {
		.k = {at->key[0], at->key[1], at->key[2], 0,
		      PBIT__THREEFRY_PARITY ^ at->key[0] ^ at->key[1] ^ at->key[2]},
		.first_group = at->first_pbit / SOFT_DRAW_GROUP,
	};

	return d;
}

/* The 16 bits of p-bit i in the stream of the key. */
static inline uint32_t soft_draw_field(const struct soft_draw *d, uint64_t domain, uint64_t sweep,
				       uint64_t chain, uint32_t i)
{
	const uint64_t key[4] = {d->k[0], d->k[1] + domain, d->k[2], 0};
	const uint32_t r = i % SOFT_DRAW_GROUP;
	const uint64_t counter[4] = {8 * (d->first_group + i / SOFT_DRAW_GROUP) + (r % 32) / 4,
				     sweep, chain, 0};
	uint64_t out[4];

	pbit__threefry(key, counter, out);
	return (uint32_t)(out[r / 32] >> (16 * (r % 4))) & 0xffff;
}

/* U < t for p-bit i, high being its bits 8 ... 23. */
static inline bool soft_draw_fires(const struct soft_draw *d, uint64_t sweep, uint64_t chain,
				   uint32_t i, uint32_t high, uint32_t t)
{
	if (high != t >> 8)
		return high < t >> 8;
	return (soft_draw_field(d, PBIT_DOMAIN_LOW, sweep, chain, i) & 0xff) < (t & 0xff);
}

/* The high bits of p-bits 128 group ... 128 group + 127. */
typedef void soft_draw_group_fn(const struct soft_draw *d, uint64_t sweep, uint64_t chain,
				uint32_t group, uint16_t high[SOFT_DRAW_GROUP]);

soft_draw_group_fn soft_draw_group_portable;
#ifdef __x86_64__
soft_draw_group_fn soft_draw_group_avx2;
soft_draw_group_fn soft_draw_group_avx512;
#endif

static inline soft_draw_group_fn *soft_draw_group_pick(enum soft_level level)
{
#ifdef __x86_64__
	if (level >= SOFT_LEVEL_AVX512)
		return soft_draw_group_avx512;
	if (level >= SOFT_LEVEL_AVX2)
		return soft_draw_group_avx2;
#endif
	(void)level;
	return soft_draw_group_portable;
}

/*
 * z of CONTRACT.md, Fixed-point input, and its threshold. factor is soft_draw_factor(), sum the
 * integer sum of couplings and bias.
 */
static inline double soft_draw_factor(double beta, double step)
{
	return 2.0 * beta * step;
}

static inline uint32_t soft_draw_threshold(double factor, int32_t sum)
{
	return pbit__threshold24((float)(factor * (double)sum));
}

#endif
