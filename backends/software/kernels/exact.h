/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciding one p-bit exactly: U < t(z) on 24 bits. The vector kernels come here
 * for the few draws that lie too close to their approximate threshold.
 */
#ifndef PBIT_SOFTWARE_EXACT_H
#define PBIT_SOFTWARE_EXACT_H

#include <pbit/contract.h>
#include "contract/threefry.h"
#include "contract/threshold.h"
#include "kernels.h"

/* Bits 0 ... 7 of U for p-bit i (CONTRACT.md, Randomness). */
static inline uint32_t soft_low_bits(const struct soft_stream *stream, size_t i)
{
	const size_t r = i % SOFT_GROUP;
	const uint64_t key[4] = {stream->seed, PBIT_DOMAIN_LAYER + PBIT_DOMAIN_LOW, stream->layer,
				 0};
	const uint64_t counter[4] = {8 * (i / SOFT_GROUP) + (r % 32) / 4, stream->sample,
				     stream->image, 0};
	uint64_t out[4];

	pbit__threefry(key, counter, out);
	return (uint32_t)(out[r / 32] >> (16 * (r % 4))) & 0xff;
}

/* u16 are bits 8 ... 23 of U. */
static inline uint32_t soft_decide(const struct soft_stream *stream, size_t i, float z,
				   uint32_t u16)
{
	const uint32_t t = pbit__threshold24(z);

	if (u16 != t >> 8)
		return u16 < t >> 8;
	return soft_low_bits(stream, i) < (t & 0xff);
}

#endif
