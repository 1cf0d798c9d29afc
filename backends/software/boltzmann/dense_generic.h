/* SPDX-License-Identifier: Apache-2.0 */
/* A sweep of a dense machine in plain C, for each type of rows and sums. */
#ifndef PBIT_SOFTWARE_DENSE_GENERIC_H
#define PBIT_SOFTWARE_DENSE_GENERIC_H

#include "dense_critical.h"

/*
 * p-bit i flips: its row is added where it rises, else taken away. Sums of words wrap on the
 * way, which their own values do not.
 */
#define DENSE_FLIP(name, row_type, sum_type)                                              \
	static inline void name(const struct soft_dense_sweep *s, uint32_t i, bool up)    \
	{                                                                                 \
		const row_type *restrict row = (const row_type *)s->rows + i * s->stride; \
		sum_type *restrict sums = s->sums;                                        \
                                                                                          \
		if (up)                                                                   \
			for (size_t j = 0; j < s->stride; j++)                            \
				sums[j] = (sum_type)(sums[j] + (sum_type)row[j]);         \
		else                                                                      \
			for (size_t j = 0; j < s->stride; j++)                            \
				sums[j] = (sum_type)(sums[j] - (sum_type)row[j]);         \
	}

DENSE_FLIP(dense_flip_short, int8_t, int16_t)
DENSE_FLIP(dense_flip_bytes, int8_t, int32_t)
DENSE_FLIP(dense_flip_words, uint32_t, uint32_t)

static inline void dense_flip(const struct soft_dense_sweep *s, uint32_t i, bool up)
{
	if (s->kind == DENSE_SHORT)
		dense_flip_short(s, i, up);
	else if (s->kind == DENSE_BYTES)
		dense_flip_bytes(s, i, up);
	else
		dense_flip_words(s, i, up);
}

static inline bool dense_bit(const uint32_t *bits, uint32_t i)
{
	return bits[i / 32] >> (i % 32) & 1;
}

/* Synchronous: flips all that were found. */
static inline void dense_make_flips(const struct soft_dense_sweep *s)
{
	for (uint32_t w = 0; w < (s->n + 31) / 32; w++) {
		s->state[w] ^= s->flips[w];
		for (uint32_t left = s->flips[w]; left; left &= left - 1) {
			const uint32_t i = 32 * w + (uint32_t)__builtin_ctz(left);

			dense_flip(s, i, dense_bit(s->state, i));
		}
	}
}

#define DENSE_UPDATE(name, type)                                                      \
	static inline bool name(const struct soft_dense_sweep *s, uint32_t i)         \
	{                                                                             \
		const type sum = ((const type *)s->sums)[i];                          \
                                                                                      \
		if (sum >= ((const type *)s->fires)[i])                               \
			return true;                                                  \
		return sum >= ((const type *)s->rests)[i] && soft_dense_decide(s, i); \
	}

DENSE_UPDATE(dense_fires_short, int16_t)
DENSE_UPDATE(dense_fires_words, int32_t)

static inline void dense_run(const struct soft_dense_sweep *s)
{
	dense_critical(s);
	for (uint32_t i = 0; i < s->n; i++) {
		const bool up =
			s->kind == DENSE_SHORT ? dense_fires_short(s, i) : dense_fires_words(s, i);
		const bool flip = dense_bit(s->free, i) && up != dense_bit(s->state, i);

		if (s->flips) {
			s->flips[i / 32] &= ~(1u << i % 32);
			s->flips[i / 32] |= (uint32_t)flip << i % 32;
		} else if (flip) {
			s->state[i / 32] ^= 1u << i % 32;
			dense_flip(s, i, up);
		}
	}
	if (s->flips)
		dense_make_flips(s);
}

#endif
