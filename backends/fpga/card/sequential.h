/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for kernel/model/draw.h where the engine is compiled a second time: draws come from a
 * generator that runs on, xoshiro128++ (Blackman, Vigna: Scrambled linear pseudorandom number
 * generators, ACM TOMS 47, 2021), one for each thread. So a result depends on how work is divided into descriptors.
 */
#ifndef PBIT_MODEL_DRAW_H
#define PBIT_MODEL_DRAW_H

/* Names of the second engine; before its declarations. */
#define pbit_engine_run		  pbit_sequential_run
#define pbit_engine_layer	  pbit_sequential_layer
#define pbit_engine_sweep	  pbit_sequential_sweep
#define pbit_engine_weight_bytes  pbit_sequential_weight_bytes
#define pbit_engine_scratch_bytes pbit_sequential_scratch_bytes
#define pbit_engine_fires	  pbit_sequential_fires
#define pbit_engine_init	  pbit_sequential_init

#include "model/engine.h"

#define PBIT_DRAW_GROUP 128u

struct pbit_draw_stream {
	u64 seed, domain, layer;
	u64 first, second;
};

extern _Thread_local u32 pbit_sequential_state[4];

static inline u32 pbit_sequential_turn(u32 x, unsigned int bits)
{
	return x << bits | x >> (32 - bits);
}

static inline u32 pbit_sequential_next(void)
{
	u32 *s = pbit_sequential_state;
	const u32 out = pbit_sequential_turn(s[0] + s[3], 7) + s[0], t = s[1] << 9;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = pbit_sequential_turn(s[3], 11);
	return out;
}

/* Bits 8 ... 23 of the draws of 128 p-bits, in order of the index: the high half of a number each. */
static inline void pbit_draw_group(const struct pbit_draw_stream *s, u64 group, u16 *draw)
{
	unsigned int i;

	(void)s;
	(void)group;
	for (i = 0; i < PBIT_DRAW_GROUP; i++)
		draw[i] = (u16)(pbit_sequential_next() >> 16);
}

/* Eight more bits only where sixteen do not decide. */
static inline bool pbit_draw_fires(const struct pbit_draw_stream *s, u64 i, u16 high, u32 t)
{
	(void)s;
	(void)i;
	if (high != t >> 8)
		return high < t >> 8;
	return ((u32)high << 8 | pbit_sequential_next() >> 24) < t;
}

#endif
