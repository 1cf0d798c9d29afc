/* SPDX-License-Identifier: Apache-2.0 */
/* Workers and jobs: order, waiting, cancelling, deadlines, lifetimes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/clock.h"
#include "job/job.h"

/* What a job does and what became of it. */
struct task {
	atomic_int ran, released;
	sem_t started, go;
	int result;
	int order; /* value of the common counter when it ran */
	int fd;
	struct pbit_job *free_inside;
	struct pbit_worker *free_worker;
};

static atomic_int counter;

static void task_init(struct task *task, int result)
{
	memset(task, 0, sizeof(*task));
	task->result = result;
	sem_init(&task->started, 0, 0);
	sem_init(&task->go, 0, 0);
}

static void task_release(void *arg)
{
	struct task *task = arg;

	atomic_fetch_add(&task->released, 1);
}

static int run_quick(void *arg, struct pbit_ctl *ctl)
{
	struct task *task = arg;

	(void)ctl;
	task->order = atomic_fetch_add(&counter, 1);
	atomic_fetch_add(&task->ran, 1);
	if (task->result == -EIO)
		return pbit_fail(-EIO, PBIT_ERR_DEVICE, "job's what", "job's where", NULL, "why %d",
				 3);
	return task->result;
}

/* Runs until told: by go, or by the control block. */
static int run_until_told(void *arg, struct pbit_ctl *ctl)
{
	struct task *task = arg;
	int rc = 0;

	task->order = atomic_fetch_add(&counter, 1);
	atomic_fetch_add(&task->ran, 1);
	sem_post(&task->started);
	while (sem_trywait(&task->go) && !(rc = pbit_ctl_check(ctl)))
		usleep(500);
	return rc;
}

/* Sleeps on the descriptor only. */
static int run_polling(void *arg, struct pbit_ctl *ctl)
{
	struct task *task = arg;
	struct pollfd poller = {.fd = pbit_ctl_fd(ctl), .events = POLLIN};

	if (poll(&poller, 1, 0) != 0)
		task->fd = -1; /* left readable by the job before */
	sem_post(&task->started);
	if (poll(&poller, 1, 10000) != 1)
		return 0;
	return pbit_ctl_check(ctl);
}

static int run_freeing_itself(void *arg, struct pbit_ctl *ctl)
{
	struct task *task = arg;

	sem_wait(&task->go);
	if (task->free_worker)
		pbit_worker_free(task->free_worker);
	else if (pbit_job_wait(task->free_inside, PBIT_FOREVER) != -EDEADLK)
		return 0;
	pbit_job_free(task->free_inside);
	atomic_fetch_add(&task->ran, 1);
	return pbit_ctl_check(ctl);
}

static struct pbit_job *submit(struct pbit_worker *worker, int (*run)(void *, struct pbit_ctl *),
			       struct task *task, int64_t deadline)
{
	struct pbit_job *job = NULL;

	assert_int_equal(pbit_worker_submit(worker, run, task_release, task, deadline, &job), 0);
	assert_non_null(job);
	return job;
}

static struct pbit_worker *new_worker(void)
{
	struct pbit_worker *worker = NULL;

	assert_int_equal(pbit_worker_new(&worker), 0);
	return worker;
}

static int readable(const struct pbit_job *job)
{
	struct pollfd poller = {.fd = pbit_job_fd(job), .events = POLLIN};

	return poll(&poller, 1, 0);
}

static void test_order_and_outcome(void **state)
{
	enum { N = 50 };
	struct pbit_worker *worker = new_worker();
	static struct task tasks[N];
	struct pbit_job *jobs[N];

	(void)state;
	atomic_store(&counter, 0);
	for (int i = 0; i < N; i++) {
		task_init(&tasks[i], i % 5 ? 0 : -EIO);
		jobs[i] = submit(worker, run_quick, &tasks[i], PBIT_FOREVER);
	}
	for (int i = N - 1; i >= 0; i--) {
		pbit_clear_error();
		assert_int_equal(pbit_job_wait(jobs[i], PBIT_FOREVER), tasks[i].result);
		assert_int_equal(pbit_job_wait(jobs[i], PBIT_NOW), tasks[i].result);
		assert_int_equal(pbit_last_error()->code, tasks[i].result);
		assert_string_equal(pbit_last_error()->why, i % 5 ? "" : "why 3");
		assert_int_equal(pbit_job_state(jobs[i]), PBIT_JOB_DONE);
		assert_int_equal(readable(jobs[i]), 1);
		assert_int_equal(tasks[i].order, i);
		assert_int_equal(atomic_load(&tasks[i].released), 1);
		pbit_job_cancel(jobs[i]); /* too late: nothing happens */
		assert_int_equal(pbit_job_wait(jobs[i], PBIT_NOW), tasks[i].result);
		pbit_job_free(jobs[i]);
	}
	pbit_worker_free(worker);
}

static void test_failure_without_record(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task task;
	struct pbit_job *job;

	(void)state;
	task_init(&task, -ERANGE);
	job = submit(worker, run_quick, &task, PBIT_FOREVER);
	assert_int_equal(pbit_job_wait(job, PBIT_FOREVER), -ERANGE);
	assert_int_equal(pbit_last_error()->code, -ERANGE);
	pbit_job_free(job);
	pbit_worker_free(worker);
}

static void test_wait_times_out_and_job_goes_on(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task task;
	struct pbit_job *job;
	int64_t before;

	(void)state;
	task_init(&task, 0);
	job = submit(worker, run_until_told, &task, PBIT_FOREVER);
	sem_wait(&task.started);
	assert_int_equal(pbit_job_state(job), PBIT_JOB_RUNNING);
	assert_int_equal(readable(job), 0);
	assert_int_equal(pbit_job_wait(job, PBIT_NOW), -ETIMEDOUT);
	assert_int_equal(pbit_job_wait(job, 0), -ETIMEDOUT);
	before = pbit__now_ns();
	assert_int_equal(pbit_job_wait(job, pbit_deadline_ms(30)), -ETIMEDOUT);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_TIMEOUT);
	assert_true(pbit__now_ns() - before >= 30000000);
	assert_int_equal(pbit_job_state(job), PBIT_JOB_RUNNING);
	sem_post(&task.go);
	assert_int_equal(pbit_job_wait(job, PBIT_FOREVER), 0);
	pbit_job_free(job);
	pbit_worker_free(worker);
}

static void test_cancel(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task running, queued, polling, after;
	struct pbit_job *a, *b, *c, *d;

	(void)state;
	task_init(&running, 0);
	task_init(&queued, 0);
	task_init(&polling, 0);
	task_init(&after, 0);
	a = submit(worker, run_until_told, &running, PBIT_FOREVER);
	b = submit(worker, run_quick, &queued, PBIT_FOREVER);
	c = submit(worker, run_polling, &polling, PBIT_FOREVER);
	d = submit(worker, run_polling, &after, PBIT_FOREVER);
	sem_wait(&running.started);
	assert_int_equal(pbit_job_state(b), PBIT_JOB_QUEUED);
	pbit_job_cancel(b);
	/* Ends at once though the one before it still runs. */
	assert_int_equal(pbit_job_wait(b, PBIT_NOW), -ECANCELED);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_CANCELLED);
	assert_int_equal(atomic_load(&queued.ran), 0);
	assert_int_equal(atomic_load(&queued.released), 1);
	pbit_job_cancel(a);
	pbit_job_cancel(a);
	assert_int_equal(pbit_job_wait(a, PBIT_FOREVER), -ECANCELED);
	sem_wait(&polling.started);
	pbit_job_cancel(c);
	assert_int_equal(pbit_job_wait(c, PBIT_FOREVER), -ECANCELED);
	/* The descriptor of the next job does not begin readable. */
	sem_wait(&after.started);
	assert_int_equal(after.fd, 0);
	pbit_job_cancel(d);
	assert_int_equal(pbit_job_wait(d, PBIT_FOREVER), -ECANCELED);
	pbit_job_free(a);
	pbit_job_free(b);
	pbit_job_free(c);
	pbit_job_free(d);
	pbit_worker_free(worker);
}

static void test_deadlines(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task running, late;
	struct pbit_job *a, *b;

	(void)state;
	task_init(&running, 0);
	task_init(&late, 0);
	a = submit(worker, run_until_told, &running, pbit_deadline_ms(40));
	b = submit(worker, run_quick, &late, pbit_deadline_ms(5));
	assert_int_equal(pbit_job_wait(a, PBIT_FOREVER), -ETIMEDOUT);
	assert_int_equal(pbit_job_wait(b, PBIT_FOREVER), -ETIMEDOUT);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_TIMEOUT);
	assert_non_null(strstr(pbit_last_error()->why, "before its turn"));
	assert_int_equal(atomic_load(&late.ran), 0);
	assert_int_equal(atomic_load(&late.released), 1);
	pbit_job_free(a);
	pbit_job_free(b);
	pbit_worker_free(worker);
	assert_int_equal(pbit_deadline_ms(UINT64_MAX), PBIT_FOREVER);
	assert_true(pbit_deadline_ms(1000) - pbit__now_ns() > 900000000);
}

static void test_free_while_running_and_queued(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task running, queued;
	struct pbit_job *a, *b;

	(void)state;
	task_init(&running, 0);
	task_init(&queued, 0);
	a = submit(worker, run_until_told, &running, PBIT_FOREVER);
	b = submit(worker, run_quick, &queued, PBIT_FOREVER);
	sem_wait(&running.started);
	pbit_job_free(b);
	assert_int_equal(atomic_load(&queued.released), 1);
	pbit_job_free(a);
	assert_int_equal(atomic_load(&running.released), 1);
	assert_int_equal(atomic_load(&queued.ran), 0);
	pbit_job_free(NULL);
	pbit_worker_free(worker);
}

static void test_worker_goes_first(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task tasks[4];
	struct pbit_job *jobs[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		task_init(&tasks[i], 0);
		jobs[i] = submit(worker, run_until_told, &tasks[i], PBIT_FOREVER);
	}
	sem_wait(&tasks[0].started);
	pbit_worker_free(worker);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pbit_job_state(jobs[i]), PBIT_JOB_DONE);
		assert_int_equal(readable(jobs[i]), 1);
		assert_int_equal(pbit_job_wait(jobs[i], PBIT_FOREVER), -ECANCELED);
		assert_int_equal(atomic_load(&tasks[i].released), 1);
		pbit_job_cancel(jobs[i]);
		pbit_job_free(jobs[i]);
	}
	pbit_worker_free(NULL);
	pbit_worker_free(new_worker()); /* no thread was ever started */
}

static void wait_released(struct task *task)
{
	for (int i = 0; i < 5000 && !atomic_load(&task->released); i++)
		usleep(1000);
	assert_int_equal(atomic_load(&task->released), 1);
	assert_int_equal(atomic_load(&task->ran), 1);
}

/* From inside its own run nothing deadlocks: as from a progress callback. */
static void test_free_from_inside(void **state)
{
	struct pbit_worker *worker = new_worker();
	static struct task task, last; /* the thread may still be ending when this returns */
	struct pbit_job *job;

	(void)state;
	task_init(&task, 0);
	task.free_inside = submit(worker, run_freeing_itself, &task, PBIT_FOREVER);
	sem_post(&task.go);
	wait_released(&task);
	task_init(&last, 0);
	last.free_worker = worker;
	job = submit(worker, run_freeing_itself, &last, PBIT_FOREVER);
	sem_post(&last.go);
	assert_int_equal(pbit_job_wait(job, PBIT_FOREVER), -ECANCELED);
	wait_released(&last);
	pbit_job_free(job);
}

static void *waiter(void *arg)
{
	return (void *)(intptr_t)pbit_job_wait(arg, PBIT_FOREVER);
}

static void *canceller(void *arg)
{
	pbit_job_cancel(arg);
	return NULL;
}

static void test_many_waiters(void **state)
{
	struct pbit_worker *worker = new_worker();
	struct task task;
	struct pbit_job *job;
	pthread_t threads[4], cancels[2];
	void *result;

	(void)state;
	for (int round = 0; round < 20; round++) {
		task_init(&task, 0);
		job = submit(worker, run_until_told, &task, PBIT_FOREVER);
		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, waiter, job);
		for (int i = 0; i < 2; i++)
			pthread_create(&cancels[i], NULL, canceller, job);
		for (int i = 0; i < 4; i++) {
			pthread_join(threads[i], &result);
			assert_int_equal((intptr_t)result, -ECANCELED);
		}
		for (int i = 0; i < 2; i++)
			pthread_join(cancels[i], NULL);
		pbit_job_free(job);
		assert_int_equal(atomic_load(&task.released), 1);
	}
	pbit_worker_free(worker);
}

/* What a thread returns where something was wrong. */
static void *complain(const char *text)
{
	return (void *)(uintptr_t)text;
}

struct storm {
	struct pbit_worker *worker;
	unsigned seed;
	struct task tasks[60];
};

static void *storm_thread(void *arg)
{
	struct storm *storm = arg;
	struct pbit_job *job;

	for (int i = 0; i < 60; i++) {
		struct task *task = &storm->tasks[i];

		task_init(task, 0);
		sem_post(&task->go);
		if (pbit_worker_submit(storm->worker, run_until_told, task_release, task,
				       PBIT_FOREVER, &job))
			return complain("submit failed");
		if (rand_r(&storm->seed) % 2)
			pbit_job_cancel(job);
		if (rand_r(&storm->seed) % 2) {
			int rc = pbit_job_wait(job, PBIT_FOREVER);

			if (rc && rc != -ECANCELED)
				return complain("unexpected outcome");
		}
		pbit_job_free(job);
		if (atomic_load(&task->released) != 1)
			return complain("not released once");
	}
	return NULL;
}

static void test_storm(void **state)
{
	static struct storm storms[4];
	struct pbit_worker *worker = new_worker();
	pthread_t threads[4];
	void *complaint;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		storms[i].worker = worker;
		storms[i].seed = i + 1;
		pthread_create(&threads[i], NULL, storm_thread, &storms[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &complaint);
		assert_null(complaint);
	}
	pbit_worker_free(worker);
}

static void test_control_block(void **state)
{
	struct pbit_ctl none = PBIT_CTL_INIT(PBIT_FOREVER), late = PBIT_CTL_INIT(PBIT_NOW);

	(void)state;
	assert_int_equal(pbit_ctl_check(NULL), 0);
	assert_int_equal(pbit_ctl_fd(NULL), -1);
	assert_int_equal(pbit_ctl_deadline(NULL), PBIT_FOREVER);
	assert_int_equal(pbit_ctl_check(&none), 0);
	assert_int_equal(pbit_ctl_fd(&none), -1);
	assert_int_equal(pbit_ctl_check(&late), -ETIMEDOUT);
	assert_int_equal(pbit_ctl_deadline(&late), PBIT_NOW);
	atomic_store(&none.cancelled, 1);
	assert_int_equal(pbit_ctl_check(&none), -ECANCELED);
	assert_int_equal(pbit_job_wait(NULL, PBIT_FOREVER), -EINVAL);
	assert_int_equal(pbit_job_fd(NULL), -1);
	pbit_job_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_outcome),
		cmocka_unit_test(test_failure_without_record),
		cmocka_unit_test(test_wait_times_out_and_job_goes_on),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_free_while_running_and_queued),
		cmocka_unit_test(test_worker_goes_first),
		cmocka_unit_test(test_free_from_inside),
		cmocka_unit_test(test_many_waiters),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_control_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
