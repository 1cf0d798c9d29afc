/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a device under test, with the faults of a negative control where one is asked for. */
#ifndef PBIT_SRC_CHECK_DRAW_H
#define PBIT_SRC_CHECK_DRAW_H

#include "check/run.h"

/* Loads a machine in `replicas` chains, with the fault's clamp. */
int pbit__check_program(struct pbit__check *c, struct pbit_bm *bm, uint32_t order);

/* Loads a small machine, with the fault's missing coupling (`weakest`). */
int pbit__check_program_machine(struct pbit__check *c, const struct pbit__check_machine *m,
				uint32_t order, uint32_t weakest);

/* beta with the fault's factor, as the device can hold it. */
double pbit__check_beta(const struct pbit__check *c, double beta);

/* Called with all replicas' states, `words` words each. */
typedef int pbit__check_draw_fn(const uint64_t *states, size_t words, void *user);

/* `rounds` times `interval` sweeps and one look; the first after burn_in more. Polls. */
int pbit__check_stream(struct pbit__check *c, size_t words, double beta, uint64_t burn_in,
		       uint64_t rounds, uint64_t interval, pbit__check_draw_fn *fn, void *user);

/* States of a small machine. */
struct pbit__check_draws {
	uint32_t *state;
	size_t n;
	uint64_t interval, burn_in;
	double tau;   /* worst, in sweeps */
	bool refused; /* tau could not be measured in 1000 of itself */
};

/*
 * Stationary samples of a programmed machine, thinned so that they count as independent: the
 * interval is the larger of twice the worst measured tau and of what the law's second eigenvalue needs for one
 * part in a hundred. Freed by free(draws->state).
 */
int pbit__check_stationary(struct pbit__check *c, const struct pbit__check_law *law, double beta,
			   size_t samples, struct pbit__check_draws *draws);

#endif
