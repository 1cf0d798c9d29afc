/* SPDX-License-Identifier: Apache-2.0 */
/* The device: a machine that has been programmed, its state, its updates. */
#ifndef TEMPLATE_MACHINE_H
#define TEMPLATE_MACHINE_H

#include "limits.h"
#include "random.h"

/* All cleared but `limits`: nothing is programmed. */
struct machine {
	const struct limits *limits;
	uint32_t n;
	uint32_t order;	 /* PBIT_ORDER_* */
	size_t words;	 /* of a packed state */
	uint64_t *row;	 /* couplings of i: row[i] ... row[i + 1] - 1 */
	uint32_t *col;	 /* with whom */
	int32_t *weight; /* registers: J and h in units of step */
	int32_t *bias;
	double step;
	uint32_t *visit; /* p-bits in the order of their updates */
	uint64_t *state;
	uint64_t *before;  /* the state at the start of the sweep */
	uint64_t *clamped; /* mask */
	uint64_t work;	   /* since the caller was last asked whether to go on */
	struct random random;
};

/* The operations of backend.h. */
int machine_program(struct machine *m, const struct pbit_bm_view *view, uint32_t order,
		    uint64_t seed);
int machine_clamp(struct machine *m, const uint64_t *mask, const uint64_t *value);
int machine_update(struct machine *m, double beta, uint64_t sweeps, struct pbit_ctl *ctl);
int machine_read(const struct machine *m, uint64_t *state);

/* Frees what program has made. */
void machine_clear(struct machine *m);

#endif
