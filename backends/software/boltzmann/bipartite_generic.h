/* SPDX-License-Identifier: Apache-2.0 */
/* Draws of a side in plain C. */
#ifndef PBIT_SOFTWARE_BIPARTITE_GENERIC_H
#define PBIT_SOFTWARE_BIPARTITE_GENERIC_H

#include "bipartite.h"
#include "sigmoid16.h"

/* All of a tile are decided exactly. */
static inline uint32_t bipartite_exact(const struct soft_bipartite_side *s, uint32_t t)
{
	uint32_t up = 0;

	for (uint32_t l = 0; l < BIPARTITE_LANES; l++)
		up |= soft_bipartite_decide(s, t * BIPARTITE_LANES + l) << l;
	return up;
}

static inline uint32_t bipartite_tile(const struct soft_bipartite_side *s, uint32_t t)
{
	const uint32_t at = t * BIPARTITE_LANES;
	int32_t u[BIPARTITE_LANES], d[BIPARTITE_LANES];
	uint8_t near[BIPARTITE_LANES];
	uint32_t up = 0, any = 0;

	for (uint32_t l = 0; l < BIPARTITE_LANES; l++)
		u[l] = s->high[s->pbit[at + l]];
	for (uint32_t l = 0; l < BIPARTITE_LANES; l++)
		d[l] = soft_sigmoid16((float)soft_bipartite_input(s, at + l) * s->z_step) - u[l];
	for (uint32_t l = 0; l < BIPARTITE_LANES; l++) {
		near[l] = d[l] >= -SOFT_SIGMOID_MARGIN && d[l] <= SOFT_SIGMOID_MARGIN;
		any |= near[l];
		up |= (uint32_t)(d[l] > 0) << l;
	}
	for (uint32_t l = 0; any && l < BIPARTITE_LANES; l++)
		if (near[l])
			up = (up & ~(1u << l)) | soft_bipartite_decide(s, at + l) << l;
	return up;
}

static inline void bipartite_run(const struct soft_bipartite_side *s)
{
	for (uint32_t t = 0; t < s->tiles; t++)
		soft_bipartite_put(s, t,
				   s->z_step == s->z_step ? bipartite_tile(s, t)
							  : bipartite_exact(s, t));
}

#endif
