/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slice of 16 p-bits in plain C. Included with sum_slice() defined: inputs of a slice, the one part
 * that a compiler does not turn into good vectors.
 */
#ifndef PBIT_SOFTWARE_SPARSE_GENERIC_H
#define PBIT_SOFTWARE_SPARSE_GENERIC_H

#include "sigmoid16.h"
#include "sparse.h"

/* up[l]: fires; near[l]: too close to tell. Returns whether any is. */
static inline uint32_t sparse_look_up(const struct soft_sparse_sweep *s, const int32_t *input,
				      const int32_t *u, uint8_t *up, uint8_t *near)
{
	uint32_t any = 0;

	for (unsigned int l = 0; l < SPARSE_LANES; l++) {
		const int32_t t16 = (int32_t)s->table[input[l] - s->lowest];

		up[l] = u[l] < t16;
		near[l] = u[l] == t16;
		any |= near[l];
	}
	return any;
}

static inline uint32_t sparse_approximate(const struct soft_sparse_sweep *s, const int32_t *input,
					  const int32_t *u, uint8_t *up, uint8_t *near)
{
	int32_t d[SPARSE_LANES];
	uint32_t any = 0;

	for (unsigned int l = 0; l < SPARSE_LANES; l++)
		d[l] = soft_sigmoid16((float)input[l] * s->z_step) - u[l];
	for (unsigned int l = 0; l < SPARSE_LANES; l++) {
		up[l] = d[l] > 0;
		near[l] = d[l] >= -SOFT_SIGMOID_MARGIN && d[l] <= SOFT_SIGMOID_MARGIN;
		any |= near[l];
	}
	return any;
}

static __attribute__((noinline)) void sparse_settle(const struct soft_sparse_sweep *s,
						    uint32_t slice, const int32_t *input,
						    const int32_t *u, const uint8_t *near,
						    uint8_t *up)
{
	for (unsigned int l = 0; l < SPARSE_LANES; l++)
		if (near[l])
			up[l] = soft_chain_fires(s->chain, s->graph->pbit[SPARSE_LANES * slice + l],
						 input[l], (uint32_t)u[l]);
}

static inline void sum_slice(const struct soft_sparse_sweep *s, uint32_t slice, int32_t *input);

static inline __attribute__((always_inline)) void
sparse_slices(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end, bool small_table)
{
	for (uint32_t i = first; i < end; i++) {
		const size_t at = (size_t)i * SPARSE_LANES;
		int32_t input[SPARSE_LANES], u[SPARSE_LANES];
		uint8_t up[SPARSE_LANES], near[SPARSE_LANES];
		uint32_t any;

		sum_slice(s, i, input);
		for (unsigned int l = 0; l < SPARSE_LANES; l++)
			u[l] = s->draws[s->graph->pbit[at + l]];
		any = small_table ? sparse_look_up(s, input, u, up, near)
				  : sparse_approximate(s, input, u, up, near);
		if (any)
			sparse_settle(s, i, input, u, near, up);
		for (unsigned int l = 0; l < SPARSE_LANES; l++)
			s->state[at + l] = (uint8_t)((s->state[at + l] & ~s->free[at + l]) |
						     (up[l] & s->free[at + l]));
	}
}

/* With an infinite or undefined step every lane is decided exactly. */
static __attribute__((noinline)) void sparse_exact(const struct soft_sparse_sweep *s,
						   uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		const size_t at = (size_t)i * SPARSE_LANES;
		int32_t input[SPARSE_LANES];

		sum_slice(s, i, input);
		for (unsigned int l = 0; l < SPARSE_LANES; l++) {
			const uint32_t p = s->graph->pbit[at + l];

			if (s->free[at + l])
				s->state[at + l] =
					soft_chain_fires(s->chain, p, input[l], s->draws[p]);
		}
	}
}

static inline void sparse_run(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	if (s->table)
		sparse_slices(s, first, end, true);
	else if (s->z_step == s->z_step)
		sparse_slices(s, first, end, false);
	else
		sparse_exact(s, first, end);
}

#endif
