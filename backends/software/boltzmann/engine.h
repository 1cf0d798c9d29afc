/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine updates one programmed machine. Several are there, for shapes of machines and for
 * instruction sets; program() takes the fastest that fits. All draw and decide as CONTRACT.md
 * says, so which one runs shows in the time only.
 */
#ifndef PBIT_SOFTWARE_ENGINE_H
#define PBIT_SOFTWARE_ENGINE_H

#include <stdbool.h>
#include <pbit/backend.h>
#include "pool.h"

/* Instruction sets, in order. */
enum soft_level {
	SOFT_LEVEL_PORTABLE = 0,
	SOFT_LEVEL_AVX2 = 1,
	SOFT_LEVEL_AVX512 = 2, /* F, BW, DQ, VL, VNNI, VPOPCNTDQ */
};

/* What an engine is made for. The view is valid during make() only. */
struct soft_bm_request {
	const struct pbit_bm_view *view;
	uint32_t order; /* one PBIT_ORDER_* */
	uint32_t replicas;
	uint64_t seed;
	enum soft_level level;
	struct soft_pool *pool;
};

/* Counters of the next draws: see struct pbit_stream. */
struct soft_bm_position {
	uint64_t key[3]; /* seed, domain, layer */
	uint64_t sweep, chain, first_pbit;
};

struct soft_bm_engine {
	const char *
		name; /* of the kind of machine: "general", "lanes", "sparse", "dense", "bipartite" */

	/* Expected ns per update of one p-bit of one replica, 0 where it does not fit. */
	double (*cost)(const struct soft_bm_request *req);

	/* 0, -ENOMEM (no record). All p-bits -1, none clamped. */
	int (*make)(const struct soft_bm_request *req, void **priv);
	void (*free)(void *priv);

	/*
	 * Packed states, `replicas` of them. clamp: mask of n bits, values of one state for all
	 * replicas (each == false) or of one per replica; NULL mask releases all.
	 */
	void (*clamp)(void *priv, const uint64_t *mask, const uint64_t *values, bool each);
	void (*set_state)(void *priv, const uint64_t *state); /* free p-bits only */
	void (*read)(void *priv, uint64_t *state);

	/* New biases in the same step. */
	void (*rebias)(void *priv, const struct pbit_bm_view *view);

	/*
	 * `sweeps` sweeps from position at. beta: one for each replica, or one for all (each ==
	 * false). Returns 0, -ECANCELED, -ETIMEDOUT: then *done whole sweeps were made, in every
	 * replica, and the state is that behind the last of them.
	 */
	int (*update)(void *priv, const double *beta, bool each, const struct soft_bm_position *at,
		      uint64_t sweeps, struct pbit_ctl *ctl, uint64_t *done);

	/*
	 * update() takes equal betas only: where replicas get different ones, another engine takes
	 * over (machine.c).
	 */
	bool one_beta;
};

#endif
