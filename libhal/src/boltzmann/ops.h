/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the calls of Boltzmann mode, and what the lowering of layers needs beyond the public
 * ones.
 */
#ifndef PBIT_SRC_BOLTZMANN_OPS_H
#define PBIT_SRC_BOLTZMANN_OPS_H

#include "boltzmann/bm.h"
#include "device/device.h"

#define PBIT__BM_WORDS(n) (((size_t)(n) + 63) / 64)

/* -EINVAL for NULL, -EOPNOTSUPP for a device without Boltzmann mode. */
int pbit__bm_check_device(struct pbit_device *dev, const char *what);

/* Under the lock: -ENOTCONN. */
int pbit__bm_check_programmed(struct pbit_device *dev, const char *what);

/* The bits of the last word that count. */
uint64_t pbit__bm_tail_mask(uint32_t n);

/*
 * New biases (n of them) for the programmed machine; J and clamps stay, and the state and the
 * position in the random bits where the device can be told them. Quick where the device has
 * ops.rebias and the step of the fixed-point form stays; else the machine is programmed anew. The
 * caller's machine is not changed. Takes the device's lock. -ENOTCONN, -EINVAL, -ERANGE, -ENOMEM
 * (all as it was), or what the device returned (not programmed then).
 */
int pbit__bm_rebias(struct pbit_device *dev, const double *h);

/*
 * Names the draws of the updates that follow, for replica 0; replica r draws as chain + r.
 * struct_size is not looked at. Takes the device's lock. -EOPNOTSUPP where the device has no
 * ops.seek.
 */
int pbit__bm_stream(struct pbit_device *dev, const struct pbit_stream *stream);

/*
 * pbit_update() (each == false: one beta) or pbit_update_each() under a control block. Takes the
 * device's lock.
 */
int pbit__bm_update(struct pbit_device *dev, const double *beta, bool each, uint64_t sweeps,
		    struct pbit_ctl *ctl);

/*
 * For calls that go on for long: what they programmed is told by a number, and nothing is done to a
 * machine that another call put in its place (-ESTALE). Each takes the device's lock.
 */
int pbit__bm_program(struct pbit_device *dev, struct pbit_bm *bm, struct pbit_program_opts *opts,
		     uint64_t *program);
int pbit__bm_put_clamps(struct pbit_device *dev, uint64_t program, const char *what,
			const uint64_t *mask, const uint64_t *value);
int pbit__bm_put_states(struct pbit_device *dev, uint64_t program, const char *what,
			const uint64_t *states);

/*
 * Updates as pbit__bm_update(), then reads all states where `states` is not NULL. beta has been
 * checked.
 */
int pbit__bm_advance(struct pbit_device *dev, uint64_t program, const char *what,
		     const double *beta, bool each, uint64_t sweeps, struct pbit_ctl *ctl,
		     uint64_t *states);

#endif
