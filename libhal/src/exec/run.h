/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a session: its images are divided into batches, which the devices take one
 * after another, and the samples of a batch into requests.
 */
#ifndef PBIT_SRC_EXEC_RUN_H
#define PBIT_SRC_EXEC_RUN_H

#include <stdatomic.h>
#include "core/error.h"
#include "exec/input.h"
#include "exec/result.h"
#include "exec/session.h"

struct pbit__run {
	struct pbit_session *session;
	struct pbit_result *result;
	struct pbit_ctl *ctl;
	struct pbit__input input;
	struct pbit_run_opts opts;
	bool early;

	/* How the work is divided. */
	uint32_t batch;	  /* images */
	uint32_t block;	  /* samples between looks of an early stop */
	uint32_t request; /* samples of a request at most */
	uint64_t n_batches;

	/* Written by every thread of the run. */
	_Atomic uint64_t next_batch;
	_Atomic uint64_t images_done;
	_Atomic uint64_t samples_done;
	_Atomic uint64_t clipped;
	atomic_bool stop; /* take no further batch */

	/* Of the calling thread. */
	bool direct; /* the calling thread drives the only device */
	int64_t started, reported;

	/* Failure of the earliest batch that failed, under lock. */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	uint32_t threads_left;
	uint64_t failed_batch;
	struct pbit__error_copy failure; /* code 0: none */
};

/*
 * pbit_session_run() in a session that is the caller's alone, its structs copied whole, ctl holding
 * the deadline.
 */
int pbit__run(struct pbit_session *session, const struct pbit_input *input,
	      const struct pbit_run_opts *opts, struct pbit_result *result, struct pbit_ctl *ctl);

/* Runs images first ... first + n - 1 of the input on a device, to their end. */
int pbit__run_batch(struct pbit__run *run, struct pbit__runner *runner, uint64_t first, uint32_t n);

/*
 * Calls the run's progress callback if it is time to, or in any case. Only in the calling
 * thread. A callback that asks for it cancels the run.
 */
void pbit__run_progress(struct pbit__run *run, bool always);

#endif
