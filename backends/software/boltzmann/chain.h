/* SPDX-License-Identifier: Apache-2.0 */
/* One sweep of one chain, for the engines that update chain by chain. */
#ifndef PBIT_SOFTWARE_CHAIN_H
#define PBIT_SOFTWARE_CHAIN_H

#include "draws.h"

/* What draws and decisions depend on. */
struct soft_chain {
	struct soft_draw draw;
	uint64_t sweep, chain;
	double factor; /* soft_draw_factor() */
};

/* An engine's call of update(): what all its chains share. */
struct soft_update {
	const struct soft_bm_position *at;
	const double *beta;
	bool each;   /* one beta per replica */
	double step; /* of the machine's fixed point */
};

/* Sweep number `done` of the update in a replica. */
static inline struct soft_chain soft_chain_at(const struct soft_update *u, uint64_t done,
					      uint32_t replica)
{
	return (struct soft_chain){
		.draw = soft_draw_at(u->at),
		.sweep = u->at->sweep + done,
		.chain = u->at->chain + replica,
		.factor = soft_draw_factor(u->beta[u->each ? replica : 0], u->step),
	};
}

/* Entries that soft_chain_draws() writes for n p-bits. */
static inline size_t soft_chain_room(size_t n)
{
	return (n + SOFT_DRAW_GROUP - 1) / SOFT_DRAW_GROUP * SOFT_DRAW_GROUP;
}

/* The high bits of p-bits 0 ... n - 1. */
static inline void soft_chain_draws(const struct soft_chain *c, soft_draw_group_fn *draw,
				    uint32_t n, uint16_t *high)
{
	for (size_t i = 0; i < n; i += SOFT_DRAW_GROUP)
		draw(&c->draw, c->sweep, c->chain, (uint32_t)(i / SOFT_DRAW_GROUP), high + i);
}

/* Whether a p-bit of this input (in steps) fires. */
static inline bool soft_chain_fires(const struct soft_chain *c, uint32_t pbit, int32_t input,
				    uint32_t high)
{
	return soft_draw_fires(&c->draw, c->sweep, c->chain, pbit, high,
			       soft_draw_threshold(c->factor, input));
}

/* Words of a packed state. */
static inline size_t soft_words(uint32_t n)
{
	return ((size_t)n + 63) / 64;
}

static inline bool soft_bit(const uint64_t *words, uint32_t i)
{
	return words[i / 64] >> (i % 64) & 1;
}

#endif
