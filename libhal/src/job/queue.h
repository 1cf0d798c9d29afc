/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state that a worker and its jobs share. One lock for all of it. Each job holds a reference,
 * so that a job may outlive its worker.
 */
#ifndef PBIT_SRC_QUEUE_H
#define PBIT_SRC_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#include "core/error.h"
#include "job/job.h"

struct pbit__queue {
	pthread_mutex_t lock;
	pthread_cond_t work; /* a job was queued, or stop */
	pthread_cond_t idle; /* active fell */
	struct pbit_job *first, **last;
	struct pbit_job *running;
	unsigned active; /* jobs that have not ended */
	unsigned refs;
	bool stop;
	bool started;
	pthread_t thread;
	int cancel_fd; /* the running job's ctl.fd */
};

struct pbit_job {
	struct pbit__queue *queue; /* what follows is under its lock */
	struct pbit_job *next;
	int state;
	int result;
	unsigned waiting; /* threads inside pbit_job_wait() */
	bool orphan;	  /* freed from inside its own run: the worker frees it */
	struct pbit_ctl ctl;
	int done_fd;
	pthread_cond_t ended;
	int (*run)(void *arg, struct pbit_ctl *ctl);
	void (*release)(void *arg);
	void *arg;
	struct pbit__error_copy record;
};

void pbit__queue_put(struct pbit__queue *queue); /* lock not held */

/*
 * Takes a queued job out and ends it without running it. The lock is held, and is
 * dropped while the job's argument is released. The job must not be touched afterwards.
 */
void pbit__queue_drop(struct pbit_job *job, int result, const char *why);

/* Ends a job, lock held; its record is set. Not to be touched afterwards. */
void pbit__job_end(struct pbit_job *job, int result);

/* Frees an ended job and its reference; lock not held. */
void pbit__job_destroy(struct pbit_job *job);

void pbit__cond_init(pthread_cond_t *cond); /* waits by CLOCK_MONOTONIC */

#endif
