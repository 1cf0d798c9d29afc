/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread that runs jobs in the order of submission. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "job/queue.h"

#define WHAT "cannot submit job"

struct pbit_worker {
	struct pbit__queue *queue;
};

int pbit_worker_new(struct pbit_worker **worker)
{
	struct pbit_worker *made = malloc(sizeof(*made));
	struct pbit__queue *queue = calloc(1, sizeof(*queue));

	if (!made || !queue) {
		free(made);
		free(queue);
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot make a worker", NULL, NULL,
				 "out of memory");
	}
	pthread_mutex_init(&queue->lock, NULL);
	pbit__cond_init(&queue->work);
	pbit__cond_init(&queue->idle);
	queue->last = &queue->first;
	queue->refs = 1;
	queue->cancel_fd = -1;
	made->queue = queue;
	*worker = made;
	return 0;
}

/* Runs the job outside the lock; returns its outcome with the record saved in the job. */
static int run_job(struct pbit_job *job)
{
	int rc;

	pbit_clear_error();
	rc = job->run(job->arg, &job->ctl);
	if (rc < 0 && pbit_last_error()->code != rc)
		pbit_fail(rc,
			  rc == -ECANCELED   ? PBIT_ERR_CANCELLED
			  : rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT
					     : PBIT_ERR_INTERNAL,
			  "job failed", NULL, NULL, "%s",
			  rc == -ECANCELED   ? "it was cancelled"
			  : rc == -ETIMEDOUT ? "its deadline passed"
					     : "no reason was given");
	pbit__error_save(&job->record);
	if (job->release)
		job->release(job->arg);
	return rc;
}

/* Lock held, dropped meanwhile. */
static void take_turn(struct pbit__queue *queue, struct pbit_job *job)
{
	eventfd_t count;
	bool orphan;
	int rc;

	if (pbit_ctl_check(&job->ctl) == -ETIMEDOUT) {
		pbit__queue_drop(job, -ETIMEDOUT, "its deadline passed before its turn");
		return;
	}
	queue->first = job->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->running = job;
	job->state = PBIT_JOB_RUNNING;
	job->ctl.fd = queue->cancel_fd;
	pthread_mutex_unlock(&queue->lock);
	rc = run_job(job);
	pthread_mutex_lock(&queue->lock);
	queue->running = NULL;
	if (atomic_load(&job->ctl.cancelled))
		eventfd_read(queue->cancel_fd, &count);
	orphan = job->orphan;
	pbit__job_end(job, rc);
	if (orphan) {
		pthread_mutex_unlock(&queue->lock);
		pbit__job_destroy(job);
		pthread_mutex_lock(&queue->lock);
	}
}

static void *worker_main(void *arg)
{
	struct pbit__queue *queue = arg;

	pthread_mutex_lock(&queue->lock);
	while (!queue->stop) {
		if (queue->first)
			take_turn(queue, queue->first);
		else
			pthread_cond_wait(&queue->work, &queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	pbit__queue_put(queue);
	return NULL;
}

/* Lock held. */
static int start_thread(struct pbit__queue *queue)
{
	sigset_t all, before;
	char text[128];
	int rc;

	if (queue->started)
		return 0;
	if (queue->cancel_fd < 0)
		queue->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->cancel_fd < 0)
		return pbit_fail(-errno, PBIT_ERR_RESOURCE, WHAT, NULL,
				 "close files or raise the limit (ulimit -n)", "%m");
	/* The application's signals are not for this thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&queue->thread, NULL, worker_main, queue);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return pbit_fail(-rc, PBIT_ERR_RESOURCE, WHAT, NULL,
				 "end other threads or raise the limit (ulimit -u)",
				 "no thread can be started: %s",
				 strerror_r(rc, text, sizeof(text)));
	queue->started = true;
	queue->refs++;
	return 0;
}

/* Not yet part of a queue. */
static int new_job(struct pbit_job **out)
{
	struct pbit_job *job = calloc(1, sizeof(*job));

	if (!job)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, NULL, NULL, "out of memory");
	job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (job->done_fd < 0) {
		free(job);
		return pbit_fail(-errno, PBIT_ERR_RESOURCE, WHAT, NULL,
				 "free ended jobs, close files or raise the limit (ulimit -n)",
				 "%m");
	}
	pbit__cond_init(&job->ended);
	*out = job;
	return 0;
}

static void append(struct pbit__queue *queue, struct pbit_job *job)
{
	job->queue = queue;
	queue->refs++;
	queue->active++;
	*queue->last = job;
	queue->last = &job->next;
	pthread_cond_signal(&queue->work);
}

int pbit_worker_submit(struct pbit_worker *worker, int (*run)(void *arg, struct pbit_ctl *ctl),
		       void (*release)(void *arg), void *arg, int64_t deadline_ns,
		       struct pbit_job **out)
{
	struct pbit__queue *queue = worker->queue;
	struct pbit_job *job = NULL;
	int rc = new_job(&job);

	if (rc)
		return rc;
	job->run = run;
	job->release = release;
	job->arg = arg;
	job->ctl.fd = -1;
	job->ctl.deadline = deadline_ns;
	pthread_mutex_lock(&queue->lock);
	rc = start_thread(queue);
	if (!rc) {
		append(queue, job);
		*out = job;
	}
	pthread_mutex_unlock(&queue->lock);
	if (rc) {
		close(job->done_fd);
		pthread_cond_destroy(&job->ended);
		free(job);
	}
	return rc;
}

/* Lock held: nothing runs after this but what runs already, and that has been told to end. */
static void cancel_all(struct pbit__queue *queue)
{
	queue->stop = true;
	pthread_cond_signal(&queue->work);
	if (queue->running && !atomic_exchange(&queue->running->ctl.cancelled, 1))
		eventfd_write(queue->cancel_fd, 1);
	while (queue->first)
		pbit__queue_drop(queue->first, -ECANCELED, "what it was to run on was closed");
}

void pbit_worker_free(struct pbit_worker *worker)
{
	struct pbit__queue *queue;
	bool started, inside;

	if (!worker)
		return;
	queue = worker->queue;
	pthread_mutex_lock(&queue->lock);
	cancel_all(queue);
	started = queue->started;
	inside = started && pthread_equal(queue->thread, pthread_self());
	/* From inside one of its own jobs there is no end to wait for. */
	while (!inside && queue->active)
		pthread_cond_wait(&queue->idle, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
	if (inside)
		pthread_detach(queue->thread);
	else if (started)
		pthread_join(queue->thread, NULL);
	pbit__queue_put(queue);
	free(worker);
}
