/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupted updates of the software device's engines: whatever the moment, the number of sweeps in the
 * record is what every replica has made, and the run goes on from there. Compared with the same
 * machine that was not interrupted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pbit/pbit.h>
#include "job/job.h"
#include "software/boltzmann/boltzmann.h"
#include "software/kernels/kernels.h"

#define SIDE  8u
#define N     (SIDE * SIDE * SIDE)
#define WORDS (N / 64)

/* A few milliseconds where the machine is free; a run that is not interrupted takes for ever. */
#define SOON_NS 60000000000

static const char *const engines[] = {"general", "lanes", "sparse",
				      "dense"}; /* all that take a lattice */

static int64_t in_ns(int64_t ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec + ns;
}

static struct pbit_bm *cube(void)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(N, &bm), 0);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t stride = 1;

		for (int d = 0; d < 3; d++, stride *= SIDE) {
			const uint32_t x = i / stride % SIDE;

			assert_int_equal(pbit_bm_add_coupling(
						 bm, i, i - x * stride + (x + 1) % SIDE * stride,
						 i * 2654435761u >> (7 + d) & 1 ? 1.0 : -1.0),
					 0);
		}
	}
	return bm;
}

static enum soft_level level(void)
{
#ifdef __x86_64__
	if (soft_kernels_avx512.usable())
		return SOFT_LEVEL_AVX512;
	if (soft_kernels_avx2.usable())
		return SOFT_LEVEL_AVX2;
#endif
	return SOFT_LEVEL_PORTABLE;
}

struct pair {
	struct soft_pool *pool;
	struct pbit_bm *bm;
	struct soft_bm *cut, *whole;
	uint32_t replicas;
	uint64_t *a, *b;
};

static void pair_new(struct pair *p, const char *engine, uint32_t replicas, uint32_t order)
{
	struct pbit_bm_view view = PBIT_INIT(view);
	struct soft_bm_request req = {.order = order, .replicas = replicas, .seed = 6};

	*p = (struct pair){.replicas = replicas, .bm = cube()};
	assert_int_equal(soft_pool_new(2, &p->pool), 0);
	assert_int_equal(pbit_bm_view(p->bm, &view), 0);
	req.view = &view;
	req.level = level();
	req.pool = p->pool;
	assert_int_equal(soft_bm_program(&p->cut, &req, 0, engine), 0);
	assert_int_equal(soft_bm_program(&p->whole, &req, 0, engine), 0);
	p->a = calloc((size_t)replicas * WORDS, sizeof(*p->a));
	p->b = calloc((size_t)replicas * WORDS, sizeof(*p->b));
	assert_true(p->a && p->b);
}

static void pair_free(struct pair *p)
{
	soft_bm_free(p->cut);
	soft_bm_free(p->whole);
	soft_pool_free(p->pool);
	pbit_bm_put(p->bm);
	free(p->a);
	free(p->b);
}

static void same(struct pair *p)
{
	soft_bm_read(p->cut, p->a);
	soft_bm_read(p->whole, p->b);
	assert_memory_equal(p->a, p->b, (size_t)p->replicas * WORDS * sizeof(*p->a));
}

/* Sweeps made, by the record. */
static uint64_t made(void)
{
	const char *after = strstr(pbit_last_error()->why, "after ");
	unsigned long long sweeps;

	assert_non_null(after);
	assert_int_equal(sscanf(after, "after %llu of", &sweeps), 1);
	return sweeps;
}

static void cut_once(struct pair *p, double beta, int64_t ns)
{
	struct pbit_ctl ctl = PBIT_CTL_INIT(in_ns(ns));

	assert_int_equal(soft_bm_update(p->cut, &beta, false, 1ull << 40, &ctl), -ETIMEDOUT);
	assert_true(in_ns(0) - ctl.deadline < SOON_NS);
	assert_int_equal(soft_bm_update(p->whole, &beta, false, made(), NULL), 0);
	same(p);
	assert_int_equal(soft_bm_update(p->cut, &beta, false, 2, NULL), 0);
	assert_int_equal(soft_bm_update(p->whole, &beta, false, 2, NULL), 0);
	same(p);
}

static void cut(const char *engine, uint32_t replicas, uint32_t order)
{
	struct pair p;

	pair_new(&p, engine, replicas, order);
	cut_once(&p, 0.3, -1); /* before it begins */
	cut_once(&p, 0.3, 300000);
	cut_once(&p, 0.5, 4000000);
	cut_once(&p, 0.3, 11000000);
	pair_free(&p);
}

static void test_deadlines(void **state)
{
	(void)state;
	for (size_t e = 0; e < sizeof(engines) / sizeof(engines[0]); e++) {
		cut(engines[e], 1, PBIT_ORDER_SEQUENTIAL);
		cut(engines[e], 5, PBIT_ORDER_CHROMATIC);
		cut(engines[e], 70, PBIT_ORDER_SYNCHRONOUS);
	}
}

static void *cancel_soon(void *arg)
{
	struct pbit_ctl *ctl = arg;
	const struct timespec wait = {.tv_nsec = 3000000};

	nanosleep(&wait, NULL);
	atomic_store(&ctl->cancelled, 1);
	return NULL;
}

static void test_cancel(void **state)
{
	(void)state;
	for (size_t e = 0; e < sizeof(engines) / sizeof(engines[0]); e++) {
		struct pbit_ctl ctl = PBIT_CTL_INIT(PBIT_FOREVER);
		const double beta = 0.4;
		pthread_t thread;
		struct pair p;

		pair_new(&p, engines[e], 40, PBIT_ORDER_SEQUENTIAL);
		assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &ctl), 0);
		assert_int_equal(soft_bm_update(p.cut, &beta, false, 1ull << 40, &ctl), -ECANCELED);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(soft_bm_update(p.whole, &beta, false, made(), NULL), 0);
		same(&p);
		/* Does the comparison notice a sweep more? */
		assert_int_equal(soft_bm_update(p.whole, &beta, false, 1, NULL), 0);
		soft_bm_read(p.whole, p.b);
		soft_bm_read(p.cut, p.a);
		assert_memory_not_equal(p.a, p.b, (size_t)p.replicas * WORDS * sizeof(*p.a));
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
