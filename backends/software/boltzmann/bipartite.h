/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines of two sides with couplings between them only, most of them there, as restricted
 * Boltzmann machines. A side is updated in all replicas of a batch at once: one product of its
 * couplings with the states of the other side by the kernels of layer mode, then draws.
 */
#ifndef PBIT_SOFTWARE_BIPARTITE_H
#define PBIT_SOFTWARE_BIPARTITE_H

#include "chain.h"

#define BIPARTITE_LANES 16u

/* One side of one chain in one sweep; places are filled up to whole tiles of 16. */
struct soft_bipartite_side {
	const struct soft_chain *chain;
	uint32_t tiles;
	const int32_t *sums;  /* of J over the neighbours that are up */
	const int32_t *base;  /* input with all neighbours at -1 */
	const uint32_t *pbit; /* index; 0 at places added */
	const uint16_t *high; /* draws by index, readable one entry beyond */
	const uint16_t *free; /* bits, one entry a tile */
	uint16_t *state;      /* bits */
	float z_step;	      /* soft_sigmoid_step() */
};

typedef void soft_bipartite_fn(const struct soft_bipartite_side *s);

soft_bipartite_fn soft_bipartite_portable;
#ifdef __x86_64__
soft_bipartite_fn soft_bipartite_avx2;
soft_bipartite_fn soft_bipartite_avx512;
#endif

/* Modulo 2^32 on the way; the input itself fits. */
static inline int32_t soft_bipartite_input(const struct soft_bipartite_side *s, uint32_t place)
{
	return (int32_t)((uint32_t)s->base[place] + 2u * (uint32_t)s->sums[place]);
}

static inline uint32_t soft_bipartite_decide(const struct soft_bipartite_side *s, uint32_t place)
{
	return soft_chain_fires(s->chain, s->pbit[place], soft_bipartite_input(s, place),
				s->high[s->pbit[place]]);
}

/* Tile t's p-bits become those of up that are free. */
static inline void soft_bipartite_put(const struct soft_bipartite_side *s, uint32_t t, uint32_t up)
{
	s->state[t] = (uint16_t)((s->state[t] & ~s->free[t]) | (up & s->free[t]));
}

extern const struct soft_bm_engine soft_engine_bipartite;

#endif
