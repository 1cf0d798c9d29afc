/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and the control block of a running call. */
#ifndef PBIT_SRC_JOB_H
#define PBIT_SRC_JOB_H

#include <stdatomic.h>
#include <pbit/backend.h>

/* deadline is absolute CLOCK_MONOTONIC ns or PBIT_FOREVER; 0 is a time long past, not "none". */
struct pbit_ctl {
	atomic_int cancelled;
	int fd; /* eventfd, -1 for none */
	int64_t deadline;
};

#define PBIT_CTL_INIT(deadline_ns)                  \
	{                                           \
		.fd = -1, .deadline = (deadline_ns) \
	}

/* A queue with one thread of its own, started by the first job. */
struct pbit_worker;

int pbit_worker_new(struct pbit_worker **worker);

/* Cancels what is queued or running, waits for it, ends the thread. NULL is allowed. */
void pbit_worker_free(struct pbit_worker *worker);

/*
 * Queues run(arg, ctl). On success the job takes over arg: release(arg) is called once, after run()
 * has returned or in its place where the job was cancelled or its deadline passed before its turn
 * (it then ends with -ECANCELED or -ETIMEDOUT), and before the job counts as ended; possibly in
 * the thread that cancels. On failure arg stays the caller's. The error record that
 * run() leaves is kept in the job and handed to whoever waits. release may be NULL.
 */
int pbit_worker_submit(struct pbit_worker *worker, int (*run)(void *arg, struct pbit_ctl *ctl),
		       void (*release)(void *arg), void *arg, int64_t deadline_ns,
		       struct pbit_job **job);

#endif
