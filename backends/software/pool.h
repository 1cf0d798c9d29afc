/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of threads that share out numbered tasks. */
#ifndef PBIT_SOFTWARE_POOL_H
#define PBIT_SOFTWARE_POOL_H

#include <stdint.h>
#include <stddef.h>

struct soft_pool;

/* `threads` counts the caller's; the others start with the first work that needs them. */
int soft_pool_new(uint32_t threads, struct soft_pool **pool);
void soft_pool_free(struct soft_pool *pool);
uint32_t soft_pool_threads(const struct soft_pool *pool);

/*
 * Calls task(arg, thread, i) for every i below n, each once, thread being below
 * soft_pool_threads() and distinct for those that run at the same time. Returns when all are done.
 * One caller at a time; with threads = 1 it does everything itself.
 */
void soft_pool_run(struct soft_pool *pool, uint32_t threads, size_t n,
		   void (*task)(void *arg, uint32_t thread, size_t i), void *arg);

#endif
