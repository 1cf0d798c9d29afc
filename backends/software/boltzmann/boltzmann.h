/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of the software device. Each function but program and free needs a programmed
 * machine; arguments have been checked by the library.
 */
#ifndef PBIT_SOFTWARE_BOLTZMANN_H
#define PBIT_SOFTWARE_BOLTZMANN_H

#include "engine.h"

/* For struct pbit_caps. */
#define SOFT_BM_ORDERS	 (PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC | PBIT_ORDER_SYNCHRONOUS)
#define SOFT_BM_REPLICAS (1u << 20)

struct soft_bm;

/* Whether there is an engine of that name, and all names for a message. */
bool soft_bm_engine_known(const char *name);
const char *soft_bm_engine_names(void);

/*
 * Copies the machine into the cheapest engine that takes it, or the one named (NULL: any); order 0
 * means sequential. On success *bm is replaced (and what was there freed), on failure it stays
 * as it was. *bm is NULL before the first.
 */
int soft_bm_program(struct soft_bm **bm, const struct soft_bm_request *req, uint64_t first_chain,
		    const char *engine);

/* States of all replicas; clamp: one state for all, or (each) one per replica. */
void soft_bm_clamp(struct soft_bm *bm, const uint64_t *mask, const uint64_t *values, bool each);
void soft_bm_set_state(struct soft_bm *bm, const uint64_t *state);
void soft_bm_read(const struct soft_bm *bm, uint64_t *state);

/* Interrupted by ctl, it leaves every replica behind the last whole sweep that all have made. */
int soft_bm_update(struct soft_bm *bm, const double *beta, bool each, uint64_t sweeps,
		   struct pbit_ctl *ctl);

int soft_bm_seek(struct soft_bm *bm, const struct pbit_stream *stream);
int soft_bm_rebias(struct soft_bm *bm, const struct pbit_bm_view *view);

/* NULL is allowed. */
void soft_bm_free(struct soft_bm *bm);

#endif
