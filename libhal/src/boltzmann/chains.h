/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chains of the machine programmed on a device: one, replicas of the device's own, or replicas
 * that the library runs in turn. Every function is called under the device's lock, and but for
 * program and forget only where a machine is programmed.
 */
#ifndef PBIT_SRC_BOLTZMANN_CHAINS_H
#define PBIT_SRC_BOLTZMANN_CHAINS_H

#include "boltzmann/ops.h"

struct pbit__chains {
	struct pbit_program_opts opts; /* complete: order chosen, replicas >= 1 */
	size_t words;		       /* of one state */
	double step;		       /* of the fixed-point form on the device */
	struct pbit_stream stream;     /* the next draws */
	uint32_t rounds;	       /* times programmed anew */
	bool in_turn;		       /* the library runs the replicas in turn */
	uint64_t *state;	       /* in turn: states of all replicas */
	uint64_t *next;		       /* in turn: those behind the block of sweeps under way */
	uint64_t *full;		       /* in turn, device without set_state: all p-bits */
	uint64_t *mask;		       /* NULL: none is clamped */
	uint64_t *values;	       /* one state, or one of each replica */
	bool each;
};

/*
 * Makes the books for what opts asks of the device, which is not touched. -EOPNOTSUPP, -ENOMEM with
 * a record.
 */
int pbit__chains_new(struct pbit_device *dev, const struct pbit_bm_view *view,
		     const struct pbit_program_opts *opts, struct pbit__chains **chains);
void pbit__chains_free(struct pbit__chains *chains);

/* Programs the device by chains->opts; the states of replicas in turn are all -1 after it. */
int pbit__chains_load(struct pbit_device *dev, struct pbit__chains *chains,
		      const struct pbit_bm_view *view);

/* The device holds no machine any more, as far as the library is concerned. */
void pbit__chains_forget(struct pbit_device *dev);

/* values: of one state, or of each replica. mask NULL: releases all. */
int pbit__chains_clamp(struct pbit_device *dev, const char *what, const uint64_t *mask,
		       const uint64_t *values, bool each);

/* Clamps, states and draws again after the device was programmed anew. */
int pbit__chains_restore(struct pbit_device *dev, const char *what, const uint64_t *states);

int pbit__chains_set_state(struct pbit_device *dev, const char *what, const uint64_t *states);
int pbit__chains_update(struct pbit_device *dev, const char *what, const double *beta, bool each,
			uint64_t sweeps, struct pbit_ctl *ctl);
int pbit__chains_read(struct pbit_device *dev, uint64_t *states);
int pbit__chains_seek(struct pbit_device *dev, const char *what, const struct pbit_stream *stream);

#endif
