/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tile of a stage as a machine on a device: p-bits lead ... lead + n_out - 1 are its outputs and free, those
 * behind them hold its inputs and are clamped, and so are the `lead` ones before. The device is locked by
 * the caller all the while.
 */
#ifndef PBIT_SRC_LOWER_MACHINE_H
#define PBIT_SRC_LOWER_MACHINE_H

#include "device/device.h"
#include "lower/lower.h"

/* Names what an update draws: the first of the columns that go together. */
struct pbit__draw {
	uint64_t seed;
	uint64_t image, sample; /* numbers in the random stream's key */
	uint64_t first;		/* p-bit of the layer that the tile begins with */
};

struct pbit__machine {
	struct pbit_device *dev;
	const struct pbit__stage *stage;
	struct pbit_bm_view view;
	uint64_t *row;
	uint32_t *col;
	double *J, *h;
	int32_t *Jq, *hq;
	uint64_t *mask;	  /* one state */
	uint64_t *values; /* one state per replica */
	uint64_t *states; /* likewise, as read */
	size_t words;	  /* of one state */
	uint32_t replicas;
	uint32_t order;
	uint32_t output, n_out; /* the tile: outputs of one position */
	uint32_t lead;
	bool seeks;		      /* draws as asked for */
	bool clamps;		      /* some p-bit is clamped */
	bool loaded, biased, clamped; /* the device has: couplings, these biases, these values */
};

/* With so many replicas: 1, or as many as the device has. -ENOMEM; free it also then. */
int pbit__machine_new(struct pbit_device *dev, const struct pbit__stage *stage, uint32_t replicas,
		      struct pbit__machine *machine);
void pbit__machine_free(struct pbit__machine *machine);

/* Turns to a tile. */
void pbit__machine_tile(struct pbit__machine *machine, uint32_t output, uint32_t n_out,
			uint32_t lead);

/* Biases of the outputs, in units of the stage's step. */
void pbit__machine_bias(struct pbit__machine *machine, const int32_t *hq);

/* Kept inputs of one replica from its field's bits (order of k). */
void pbit__machine_inputs(struct pbit__machine *machine, uint32_t replica, const uint32_t *field);

/* One sweep of all replicas; what is not on the device yet goes there first. */
int pbit__machine_fire(struct pbit__machine *machine, const struct pbit__draw *draw,
		       struct pbit_ctl *ctl);

/* Adds a replica's outputs to a packed state, the first at bit `at`. */
void pbit__machine_outputs(const struct pbit__machine *machine, uint32_t replica, uint32_t *bits,
			   size_t at);

#endif
