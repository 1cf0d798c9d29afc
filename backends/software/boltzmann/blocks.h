/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the sweeps of an engine's independent parts (replicas, or vectors of them) over the threads
 * of a pool, and ends an interrupted run behind a whole sweep of all of them: sweeps go in blocks
 * of some milliseconds, each started with a copy of the states.
 */
#ifndef PBIT_SOFTWARE_BLOCKS_H
#define PBIT_SOFTWARE_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <pbit/backend.h>
#include "pool.h"

struct soft_stop {
	struct pbit_ctl *ctl;
	atomic_int rc; /* 0, or why to stop */
};

/* Whether to give up; each part asks every millisecond or so. */
static inline bool soft_stop_now(struct soft_stop *stop)
{
	int rc = atomic_load_explicit(&stop->rc, memory_order_relaxed);

	if (rc)
		return true;
	rc = pbit_ctl_check(stop->ctl);
	if (rc)
		atomic_store_explicit(&stop->rc, rc, memory_order_relaxed);
	return rc != 0;
}

struct soft_blocks {
	struct soft_pool *pool;
	size_t parts;
	double sweep_ns; /* of all parts in one thread, roughly */
	void *state;	 /* of all parts, `bytes` long */
	void *copy;	 /* room for as much */
	size_t bytes;

	/* Makes sweeps done ... done + count - 1 of a part; may return at once when soft_stop_now(). */
	void (*part)(void *arg, uint32_t thread, size_t part, uint64_t done, uint64_t count,
		     struct soft_stop *stop);
	void *arg;
};

/* 0, or -ECANCELED, -ETIMEDOUT with *done whole sweeps made and the state behind them. */
int soft_blocks_run(const struct soft_blocks *b, uint64_t sweeps, struct pbit_ctl *ctl,
		    uint64_t *done);

#endif
