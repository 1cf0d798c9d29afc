/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of jobs, and the lifetime of the state that they share with their worker. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "job/queue.h"

void pbit__cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

void pbit__queue_put(struct pbit__queue *queue)
{
	bool last;

	pthread_mutex_lock(&queue->lock);
	last = --queue->refs == 0;
	pthread_mutex_unlock(&queue->lock);
	if (!last)
		return;
	pthread_cond_destroy(&queue->work);
	pthread_cond_destroy(&queue->idle);
	pthread_mutex_destroy(&queue->lock);
	if (queue->cancel_fd >= 0)
		close(queue->cancel_fd);
	free(queue);
}

void pbit__job_end(struct pbit_job *job, int result)
{
	struct pbit__queue *queue = job->queue;

	job->result = result;
	job->state = PBIT_JOB_DONE;
	eventfd_write(job->done_fd, 1);
	pthread_cond_broadcast(&job->ended);
	queue->active--;
	pthread_cond_broadcast(&queue->idle);
}

static void unlink_job(struct pbit__queue *queue, struct pbit_job *job)
{
	struct pbit_job **link = &queue->first;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	if (queue->last == &job->next)
		queue->last = link;
}

static void record_of(struct pbit_job *job, int result, const char *why)
{
	struct pbit__error_copy mine;

	pbit__error_save(&mine);
	pbit_fail(result, result == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
		  "job did not run", NULL, NULL, "%s", why);
	pbit__error_save(&job->record);
	pbit__error_restore(&mine);
}

void pbit__queue_drop(struct pbit_job *job, int result, const char *why)
{
	struct pbit__queue *queue = job->queue;

	unlink_job(queue, job);
	job->state = PBIT_JOB_RUNNING; /* on its way out: no longer in the queue */
	pthread_mutex_unlock(&queue->lock);
	record_of(job, result, why);
	if (job->release)
		job->release(job->arg);
	pthread_mutex_lock(&queue->lock);
	pbit__job_end(job, result);
}

void pbit__job_destroy(struct pbit_job *job)
{
	struct pbit__queue *queue = job->queue;

	close(job->done_fd);
	pthread_cond_destroy(&job->ended);
	free(job);
	pbit__queue_put(queue);
}
