/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as their owner sees them: wait, poll, cancel, free. */
#include <errno.h>
#include <sys/eventfd.h>

#include "core/clock.h"
#include "job/queue.h"

#define WHAT_WAIT "cannot wait for job"

int64_t pbit_deadline_ms(uint64_t ms)
{
	int64_t now = pbit__now_ns();

	if (ms > (uint64_t)(PBIT_FOREVER - now) / 1000000)
		return PBIT_FOREVER;
	return now + (int64_t)(ms * 1000000);
}

int pbit_job_fd(const struct pbit_job *job)
{
	return job ? job->done_fd : -1;
}

int pbit_job_state(const struct pbit_job *job)
{
	int state;

	if (!job)
		return PBIT_JOB_DONE;
	pthread_mutex_lock(&job->queue->lock);
	state = job->state;
	pthread_mutex_unlock(&job->queue->lock);
	return state;
}

/* Is this the worker's own thread, which cannot wait for what it has to do itself? Lock held. */
static bool inside_worker(const struct pbit_job *job)
{
	return job->queue->started && pthread_equal(job->queue->thread, pthread_self());
}

/* Lock held. 0 once it has ended, -ETIMEDOUT. */
static int wait_end(struct pbit_job *job, int64_t deadline_ns)
{
	struct timespec until = {.tv_sec = 0};
	int rc = 0;

	if (deadline_ns > 0) {
		until.tv_sec = (time_t)(deadline_ns / 1000000000);
		until.tv_nsec = (long)(deadline_ns % 1000000000);
	}
	job->waiting++;
	while (job->state != PBIT_JOB_DONE && !rc)
		rc = deadline_ns == PBIT_FOREVER
			     ? pthread_cond_wait(&job->ended, &job->queue->lock)
			     : pthread_cond_timedwait(&job->ended, &job->queue->lock, &until);
	job->waiting--;
	/* Wakes a pbit_job_free() that waits for the last waiter to leave. */
	if (!job->waiting)
		pthread_cond_broadcast(&job->ended);
	return job->state == PBIT_JOB_DONE ? 0 : -ETIMEDOUT;
}

int pbit_job_wait(struct pbit_job *job, int64_t deadline_ns)
{
	struct pbit__queue *queue;
	int rc, result = 0;
	bool inside;

	if (!job)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT_WAIT, NULL, NULL, "job is NULL");
	queue = job->queue;
	pthread_mutex_lock(&queue->lock);
	inside = job->state != PBIT_JOB_DONE && inside_worker(job);
	rc = inside ? -EDEADLK : wait_end(job, deadline_ns);
	if (!rc) {
		result = job->result;
		if (result < 0)
			pbit__error_restore(&job->record);
	}
	pthread_mutex_unlock(&queue->lock);
	if (inside)
		return pbit_fail(rc, PBIT_ERR_ARGUMENT, WHAT_WAIT, NULL,
				 "wait in a thread of the application",
				 "a job cannot wait for itself or for one queued behind it");
	if (rc)
		return pbit_fail(rc, PBIT_ERR_TIMEOUT, WHAT_WAIT, NULL,
				 "wait again or cancel the job",
				 "the deadline passed, the job goes on");
	return result;
}

/* Lock held; may be dropped meanwhile. */
static void cancel_locked(struct pbit_job *job)
{
	struct pbit__queue *queue = job->queue;

	if (job->state == PBIT_JOB_QUEUED) {
		pbit__queue_drop(job, -ECANCELED, "it was cancelled before its turn");
	} else if (queue->running == job && !atomic_exchange(&job->ctl.cancelled, 1)) {
		eventfd_write(queue->cancel_fd, 1);
	}
}

void pbit_job_cancel(struct pbit_job *job)
{
	struct pbit__queue *queue;

	if (!job)
		return;
	queue = job->queue;
	pthread_mutex_lock(&queue->lock);
	cancel_locked(job);
	pthread_mutex_unlock(&queue->lock);
}

void pbit_job_free(struct pbit_job *job)
{
	struct pbit__queue *queue;
	bool orphan;

	if (!job)
		return;
	queue = job->queue;
	pthread_mutex_lock(&queue->lock);
	cancel_locked(job);
	orphan = queue->running == job && inside_worker(job);
	job->orphan = orphan;
	while (!orphan && (job->state != PBIT_JOB_DONE || job->waiting))
		pthread_cond_wait(&job->ended, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
	if (!orphan)
		pbit__job_destroy(job);
}
