/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of the software device. Each function but program and free needs a programmed
 * machine; arguments have been checked by the library.
 */
#ifndef PBIT_SOFTWARE_BOLTZMANN_H
#define PBIT_SOFTWARE_BOLTZMANN_H

#include <pbit/backend.h>

/* For struct pbit_caps.orders. */
#define PBIT__SOFTWARE_BM_ORDERS \
	(PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC | PBIT_ORDER_SYNCHRONOUS)

struct pbit__software_bm;

/*
 * Copies the machine; order 0 means sequential. On success *bm is replaced (and what was there
 * freed), on failure it stays as it was. *bm is NULL before the first.
 */
int pbit__software_bm_program(struct pbit__software_bm **bm, const struct pbit_bm_view *view,
			      uint32_t order, uint64_t seed);

int pbit__software_bm_clamp(struct pbit__software_bm *bm, const uint64_t *mask,
			    const uint64_t *value);

int pbit__software_bm_set_state(struct pbit__software_bm *bm, const uint64_t *state);

/* Interrupted by ctl, it leaves the state behind the last whole sweep. */
int pbit__software_bm_update(struct pbit__software_bm *bm, double beta, uint64_t sweeps,
			     struct pbit_ctl *ctl);

int pbit__software_bm_read(const struct pbit__software_bm *bm, uint64_t *state);

/* NULL is allowed. */
void pbit__software_bm_free(struct pbit__software_bm *bm);

#endif
