/* SPDX-License-Identifier: Apache-2.0 */
/* A machine taken apart into two sides, couplings packed for the kernels of layer mode. */
#ifndef PBIT_SOFTWARE_BIPARTITE_PACK_H
#define PBIT_SOFTWARE_BIPARTITE_PACK_H

#include <pbit/backend.h>

#define BIPARTITE_PLANES 4u /* digits of 8 bits that a coupling may have */

struct soft_side {
	uint32_t n;
	uint32_t tiles;	 /* of 16, as outputs */
	uint32_t chunks; /* of 32, as inputs */
	uint32_t *pbit;	 /* [tiles * 16] */
	int32_t *base;	 /* [tiles * 16] */
	/* For each digit of J, lowest first: tiles x chunks of the other side, as MODEL.md's 8 bits. */
	uint8_t *w[BIPARTITE_PLANES];
};

struct soft_sides {
	struct soft_side side[2]; /* in order of their updates */
	uint32_t planes;
	uint8_t *which;	 /* side of each p-bit */
	uint32_t *place; /* in its side */
};

/* p-bits of the sides, and digits of the largest coupling; all 0 where there are not two. -ENOMEM. */
int soft_sides_measure(const struct pbit_bm_view *view, uint32_t order, uint32_t n[2],
		       uint32_t *planes);

/* Fills sides, to be freed also after a failure. -ENOMEM, -EOPNOTSUPP. */
int soft_sides_make(const struct pbit_bm_view *view, uint32_t order, struct soft_sides *sides);

void soft_sides_free(struct soft_sides *sides);

/* base for the biases of view. */
void soft_sides_base(const struct pbit_bm_view *view, struct soft_sides *sides);

#endif
