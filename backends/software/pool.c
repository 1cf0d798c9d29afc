/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of threads that share out numbered tasks. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <pbit/backend.h>
#include "pool.h"

struct member {
	struct soft_pool *pool;
	pthread_t thread;
	uint32_t number;
};

struct soft_pool {
	uint32_t threads;
	uint32_t started; /* helpers running */
	struct member *members;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t done;
	atomic_uint round;
	atomic_uint busy; /* helpers that have not finished the round */
	atomic_bool stop;
	atomic_size_t next;
	size_t n;
	void (*task)(void *arg, uint32_t thread, size_t i);
	void *arg;
};

/* Waking a sleeper takes tens of microseconds; the next layer often comes sooner. */
#define SPIN_NS 50000

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void relax(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#endif
}

/* Waits a little until *value is no longer `old` (is: until it is `old`). Returns whether so. */
static bool spin(atomic_uint *value, unsigned int old, bool is)
{
	const int64_t end = now_ns() + SPIN_NS;

	do {
		for (unsigned int i = 0; i < 32; i++) {
			if ((atomic_load_explicit(value, memory_order_acquire) == old) == is)
				return true;
			relax();
		}
	} while (now_ns() < end);
	return false;
}

static void take(struct soft_pool *pool, uint32_t number)
{
	for (;;) {
		const size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);

		if (i >= pool->n)
			return;
		pool->task(pool->arg, number, i);
	}
}

static void *helper(void *arg)
{
	struct member *m = arg;
	struct soft_pool *pool = m->pool;
	unsigned int seen = 0;

	for (;;) {
		if (!spin(&pool->round, seen, false)) {
			pthread_mutex_lock(&pool->lock);
			while (atomic_load(&pool->round) == seen)
				pthread_cond_wait(&pool->work, &pool->lock);
			pthread_mutex_unlock(&pool->lock);
		}
		seen++;
		if (atomic_load(&pool->stop))
			return NULL;
		take(pool, m->number);
		if (atomic_fetch_sub(&pool->busy, 1) == 1) {
			pthread_mutex_lock(&pool->lock);
			pthread_cond_signal(&pool->done);
			pthread_mutex_unlock(&pool->lock);
		}
	}
}

static void begin_round(struct soft_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	atomic_fetch_add(&pool->round, 1);
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

int soft_pool_new(uint32_t threads, struct soft_pool **out)
{
	struct soft_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		goto fail;
	pool->members = calloc(threads, sizeof(*pool->members));
	if (!pool->members)
		goto fail;
	pool->threads = threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->done, NULL);
	*out = pool;
	return 0;
fail:
	free(pool);
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", "software:", NULL,
			 "out of memory");
}

void soft_pool_free(struct soft_pool *pool)
{
	if (!pool)
		return;
	atomic_store(&pool->stop, true);
	begin_round(pool);
	for (uint32_t i = 0; i < pool->started; i++)
		pthread_join(pool->members[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->members);
	free(pool);
}

uint32_t soft_pool_threads(const struct soft_pool *pool)
{
	return pool->threads;
}

/* Helpers leave signals to the program's own threads. Fewer than asked for still do the work. */
static void start(struct soft_pool *pool)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (pool->started + 1 < pool->threads) {
		struct member *m = &pool->members[pool->started];

		m->pool = pool;
		m->number = pool->started + 1;
		if (pthread_create(&m->thread, NULL, helper, m))
			break;
		pool->started++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void soft_pool_run(struct soft_pool *pool, uint32_t threads, size_t n,
		   void (*task)(void *arg, uint32_t thread, size_t i), void *arg)
{
	if (n == 1 || threads == 1 || pool->threads == 1) {
		for (size_t i = 0; i < n; i++)
			task(arg, 0, i);
		return;
	}
	if (!pool->started)
		start(pool);
	pool->task = task;
	pool->arg = arg;
	pool->n = n;
	atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
	atomic_store(&pool->busy, pool->started);
	begin_round(pool);
	take(pool, 0);
	if (spin(&pool->busy, 0, true))
		return;
	pthread_mutex_lock(&pool->lock);
	while (atomic_load(&pool->busy))
		pthread_cond_wait(&pool->done, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}
