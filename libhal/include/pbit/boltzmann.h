/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode: J, h, beta, clamps, sweeps, a stream of samples. The law is
 * in CONTRACT.md.
 */
#ifndef PBIT_BOLTZMANN_H
#define PBIT_BOLTZMANN_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A machine of n p-bits (1 ... 2^26) with J = 0 and h = 0, freed by pbit_bm_put(). A bm may be changed by
 * one thread at a time, and is shared read-only once programmed. -EINVAL, -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_bm_new(uint32_t n, struct pbit_bm **bm);

/* One more owner. Returns its argument. Any thread. */
PBIT_API struct pbit_bm *pbit_bm_get(struct pbit_bm *bm);

/* One owner less; the last one frees it. NULL is allowed. Any thread. */
PBIT_API void pbit_bm_put(struct pbit_bm *bm);

/*
 * Adds J_ij = J_ji = value for i != j; a pair may be set once. -EINVAL (NaN, infinite, i == j, out of
 * range), -EEXIST, -ENOMEM, -EBUSY once programmed on a device.
 */
PBIT_API PBIT_CHECK int pbit_bm_add_coupling(struct pbit_bm *bm, uint32_t i, uint32_t j,
					     double value);

/*
 * Sets every coupling from a dense row-major n x n matrix, which must be symmetric bit by bit
 * with a zero diagonal (-EINVAL names the first entry that is not). Replaces what was there.
 */
PBIT_API PBIT_CHECK int pbit_bm_set_dense(struct pbit_bm *bm, const double *J);

/* Sets h_i. -EINVAL. */
PBIT_API PBIT_CHECK int pbit_bm_set_bias(struct pbit_bm *bm, uint32_t i, double h);

/* p-bits, and couplings (pairs), of the machine; 0 for NULL. */
PBIT_API uint32_t pbit_bm_size(const struct pbit_bm *bm);
PBIT_API uint64_t pbit_bm_couplings(const struct pbit_bm *bm);

/* E(m) of a packed state, in binary64, terms in order of (i, j). */
PBIT_API double pbit_bm_energy(const struct pbit_bm *bm, const uint64_t *state);

/* Read-only view for backends: neighbours of i are col[row[i]] ... col[row[i + 1] - 1], ascending. */
struct pbit_bm_view {
	uint32_t struct_size;
	uint32_t n;
	const uint64_t *row; /* n + 1 */
	const uint32_t *col;
	const double *J;
	const double *h;
};

/* Fills the view; valid until bm changes or goes. -EINVAL, -ENOMEM. */
PBIT_API PBIT_CHECK int pbit_bm_view(struct pbit_bm *bm, struct pbit_bm_view *view);

/*
 * Loads the machine on the device, which keeps its own reference. The state is set to
 * all -1, no p-bit is clamped, the sweep counter is 0. order: one of PBIT_ORDER_*, 0 for the device's first;
 * -EOPNOTSUPP where the device lacks it. -E2BIG, -ERANGE with the limit named.
 */
PBIT_API PBIT_CHECK int pbit_program(struct pbit_device *dev, struct pbit_bm *bm, uint32_t order,
				     uint64_t seed);

/*
 * Clamps p-bits whose bit in mask is set to their bit in value; releases the others. NULL mask: releases all. Both have
 * (n + 63) / 64 words. -ENOTCONN when nothing is programmed.
 */
PBIT_API PBIT_CHECK int pbit_clamp(struct pbit_device *dev, const uint64_t *mask,
				   const uint64_t *value);

/* Sets the state of the free p-bits. */
PBIT_API PBIT_CHECK int pbit_set_state(struct pbit_device *dev, const uint64_t *state);

/* Makes `sweeps` sweeps at inverse temperature beta >= 0. Each visits every free p-bit once. */
PBIT_API PBIT_CHECK int pbit_update(struct pbit_device *dev, double beta, uint64_t sweeps);

/* Reads the state into (n + 63) / 64 words; bits past n are 0. */
PBIT_API PBIT_CHECK int pbit_read(struct pbit_device *dev, uint64_t *state);

/* Return non-zero to end the stream (the call then returns -ECANCELED). */
typedef int pbit_sample_fn(const uint64_t *state, uint64_t index, void *user);

struct pbit_sample_opts {
	uint32_t struct_size;
	uint32_t flags; /* must be 0 */
	double beta;
	uint64_t burn_in; /* sweeps before the first sample */
	uint64_t samples;
	uint64_t interval;   /* sweeps before each further sample, at least 1 */
	int64_t deadline_ns; /* absolute CLOCK_MONOTONIC, 0: none */
};

/* Streams samples to fn in the calling thread. */
PBIT_API PBIT_CHECK int pbit_sample(struct pbit_device *dev, const struct pbit_sample_opts *opts,
				    pbit_sample_fn *fn, void *user);

#ifdef __cplusplus
}
#endif
#endif
