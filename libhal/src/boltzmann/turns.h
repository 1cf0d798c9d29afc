/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas on a device that holds one chain: the library keeps their states and runs them in turn.
 */
#ifndef PBIT_SRC_BOLTZMANN_TURNS_H
#define PBIT_SRC_BOLTZMANN_TURNS_H

#include "boltzmann/chains.h"

/* -ENOMEM without a record, -EOPNOTSUPP where the device takes no state. */
int pbit__turns_new(const struct pbit_device *dev, struct pbit__chains *chains);

/* The states take on new clamps. */
void pbit__turns_clamp(struct pbit__chains *chains);

/*
 * A number of sweeps in every replica. Interrupted, all are behind the same sweep, at most a block
 * of them short of where the device came.
 */
int pbit__turns_update(struct pbit_device *dev, const double *beta, bool each, uint64_t sweeps,
		       struct pbit_ctl *ctl);

#endif
