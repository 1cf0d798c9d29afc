/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains of a machine with many couplings per p-bit, updated one p-bit after another: the inputs of all
 * are kept, and a p-bit that flips adds its row of couplings to them. A sweep's draws are turned into
 * critical inputs first: a p-bit whose input is at least `fires` fires, one whose input is below `rests`
 * does not, and the few between are decided exactly. So most updates are one comparison, many at once.
 */
#ifndef PBIT_SOFTWARE_DENSE_H
#define PBIT_SOFTWARE_DENSE_H

#include "chain.h"

/*
 * How couplings and inputs are held. Inputs of bytes are kept as the sum of J over the neighbours
 * that are up, (input - base) / 2; those of words as they are, and rows then hold 2 J modulo 2^32.
 */
enum soft_dense_kind {
	DENSE_SHORT, /* int8 rows, int16 sums */
	DENSE_BYTES, /* int8 rows, int32 sums */
	DENSE_WORDS, /* int32 rows, int32 inputs */
};

#define DENSE_PAD 64u /* rows and sums are filled up to a multiple of this */

/* One sweep of one chain; p-bits in order of their visits. */
struct soft_dense_sweep {
	const struct soft_chain *chain;
	enum soft_dense_kind kind;
	uint32_t n;
	size_t stride;	  /* n filled up */
	const void *rows; /* rows[i]: what p-bit i adds to others */
	void *sums;
	void *rests, *fires;  /* critical values of sums, same type */
	const int32_t *base;  /* input with all neighbours at -1 */
	const uint32_t *pbit; /* index of each */
	const uint16_t *high; /* draws by index */
	uint32_t *state;      /* bits */
	const uint32_t *free; /* bits */
	uint32_t *flips;      /* bits; synchronous: all are found before one is made. Else NULL */
};

typedef void soft_dense_fn(const struct soft_dense_sweep *s);

soft_dense_fn soft_dense_portable;
#ifdef __x86_64__
soft_dense_fn soft_dense_avx2;
soft_dense_fn soft_dense_avx512;
#endif

/* Input in steps of a p-bit. */
static inline int32_t soft_dense_input(const struct soft_dense_sweep *s, uint32_t i)
{
	if (s->kind == DENSE_SHORT)
		return 2 * ((const int16_t *)s->sums)[i] + s->base[i];
	if (s->kind == DENSE_BYTES)
		return 2 * ((const int32_t *)s->sums)[i] + s->base[i];
	return ((const int32_t *)s->sums)[i];
}

static inline bool soft_dense_decide(const struct soft_dense_sweep *s, uint32_t i)
{
	return soft_chain_fires(s->chain, s->pbit[i], soft_dense_input(s, i), s->high[s->pbit[i]]);
}

extern const struct soft_bm_engine soft_engine_dense;

#endif
