/* SPDX-License-Identifier: Apache-2.0 */
/* A run of parallel tempering: its slots, and the devices that hold them. */
#ifndef PBIT_SRC_BOLTZMANN_TEMPER_H
#define PBIT_SRC_BOLTZMANN_TEMPER_H

#include <pthread.h>
#include <pbit/solve.h>
#include "boltzmann/ops.h"
#include "core/error.h"
#include "job/job.h"

struct pbit__temper;

/* A device and the slots it holds. */
struct pbit__share {
	struct pbit__temper *run;
	struct pbit_device *dev;
	uint64_t first, count;
	uint64_t program;
	bool moved; /* states were exchanged since the device had them */
	bool threaded;
	pthread_t thread;
	int rc;
	struct pbit__error_copy record; /* of its thread */
};

struct pbit__temper {
	struct pbit_bm *bm;
	struct pbit_temper_opts opts; /* complete */
	struct pbit_temper_result result;
	struct pbit_ctl ctl;
	size_t words;
	uint64_t slots;
	uint64_t free_pbits;
	struct pbit__share *share;
	uint32_t shares; /* devices that have slots */
	double *beta;	 /* of each slot */
	uint64_t *states;
	double *energy;
	uint64_t *next; /* behind the sweeps under way: a round counts whole or not at all */
	double *next_energy;
};

/* Programs the devices, and gives them clamps, starts and position. */
int pbit__shares_begin(struct pbit__temper *run);

/* One round of sweeps on all of them at once: fills next and next_energy. */
int pbit__shares_advance(struct pbit__temper *run);

/* Gives back the states that were exchanged. */
int pbit__shares_settle(struct pbit__temper *run);

#endif
