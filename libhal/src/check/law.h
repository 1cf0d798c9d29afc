/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact laws of small machines by enumeration: the stationary law, what sweeps make of any law in each
 * declared update order, how fast a chain forgets. A state is a number, bit i its p-bit i.
 */
#ifndef PBIT_SRC_CHECK_LAW_H
#define PBIT_SRC_CHECK_LAW_H

#include "check/machine.h"

struct pbit__check_law {
	uint32_t n, states;
	uint32_t order;
	uint32_t visit[PBIT__CHECK_PBITS];
	double *energy; /* states */
	double *up;	/* [n][states]: P(+1) of p-bit i given the state */
	double *p;	/* stationary law */
	double *work;	/* 2 x states */
	double lambda;	/* size of the second eigenvalue of a sweep, by pbit__check_law_mix() */
};

/*
 * order: PBIT_ORDER_*; asynchronous counts as sequential. beta: of the law, usually m->beta. 0, -ENOMEM (no
 * record). Freed by pbit__check_law_free(), also after a failure.
 */
int pbit__check_law_make(struct pbit__check_law *law, const struct pbit__check_machine *m,
			 double beta, uint32_t order);
void pbit__check_law_free(struct pbit__check_law *law);

/* Finds lambda. 0, -ENOMEM (no record). */
int pbit__check_law_mix(struct pbit__check_law *law);

/* The stationary law only, P ~ exp(-beta E), into p (2^n). */
void pbit__check_gibbs(const struct pbit__check_machine *m, double beta, double *p);
double pbit__check_energy(const struct pbit__check_machine *m, uint32_t state);

/* p becomes the law after `sweeps` sweeps. */
void pbit__check_law_sweep(const struct pbit__check_law *law, uint64_t sweeps, double *p);

/* Mean and variance of the energy. */
void pbit__check_law_moments(const struct pbit__check_law *law, double *mean, double *variance);

/* Sweeps after which every deviation has shrunk to `part`. */
uint64_t pbit__check_law_sweeps(const struct pbit__check_law *law, double part);

/* The largest integrated autocorrelation time that a chain with this eigenvalue can have. */
double pbit__check_law_tau(const struct pbit__check_law *law);

#endif
