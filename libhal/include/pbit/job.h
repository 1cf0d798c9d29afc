/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: work under way. Jobs of one session or device run in the order of
 * submission. All calls are safe from any thread.
 */
#ifndef PBIT_JOB_H
#define PBIT_JOB_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pbit_job_state {
	PBIT_JOB_QUEUED = 0,
	PBIT_JOB_RUNNING = 1,
	PBIT_JOB_DONE = 2, /* terminal, whatever the outcome */
};

/* Deadlines: absolute CLOCK_MONOTONIC nanoseconds, or one of these. */
#define PBIT_FOREVER INT64_MAX
#define PBIT_NOW     INT64_MIN

/* Absolute deadline ms milliseconds from now, for callers who think in timeouts. */
PBIT_API int64_t pbit_deadline_ms(uint64_t ms);

/*
 * A descriptor that polls readable (POLLIN) once the job has ended and stays
 * so. Owned by the job; do not read or close it.
 */
PBIT_API int pbit_job_fd(const struct pbit_job *job);

/* One of enum pbit_job_state, as of now. */
PBIT_API int pbit_job_state(const struct pbit_job *job);

/*
 * Waits until the job has ended and returns its outcome: 0 or its negative errno, and then
 * sets the calling thread's error record. -ETIMEDOUT past the deadline with
 * the job going on (pbit_job_state() tells a job that itself ended in a time-out: it is DONE).
 */
PBIT_API PBIT_CHECK int pbit_job_wait(struct pbit_job *job, int64_t deadline_ns);

/*
 * Asks the job to end early, with -ECANCELED unless it has ended already. Returns at once.
 * Idempotent; the session and the device stay usable.
 */
PBIT_API void pbit_job_cancel(struct pbit_job *job);

/* Cancels if need be, waits for the end, frees. NULL is allowed. */
PBIT_API void pbit_job_free(struct pbit_job *job);

#ifdef __cplusplus
}
#endif
#endif
