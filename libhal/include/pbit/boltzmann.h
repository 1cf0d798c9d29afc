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
 * A machine of n p-bits (1 ... 2^26) with J = 0 and h = 0, freed by pbit_bm_put(). A bm may be
 * changed by one thread at a time, and is shared read-only once programmed. -EINVAL, -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_bm_new(uint32_t n, struct pbit_bm **bm);

/* One more owner. Returns its argument. Any thread. */
PBIT_API struct pbit_bm *pbit_bm_get(struct pbit_bm *bm);

/* One owner less; the last one frees it. NULL is allowed. Any thread. */
PBIT_API void pbit_bm_put(struct pbit_bm *bm);

/*
 * Adds J_ij = J_ji = value for i != j; a pair may be set once. -EINVAL (NaN, infinite, i == j,
 * out of range), -EEXIST, -ENOMEM, -EBUSY once programmed on a device.
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

/*
 * Adds to J_ij = J_ji, or to h_i where i == j: terms of an energy that meet in one pair are
 * summed. -EINVAL, -ENOMEM, -EBUSY, -EEXIST where a directed coupling joins the two.
 */
PBIT_API PBIT_CHECK int pbit_bm_add_term(struct pbit_bm *bm, uint32_t i, uint32_t j, double value);

/*
 * Adds a coupling that acts on `to` only: I_to gains value * m_from, I_from nothing. The machine is
 * *directed* from then on: it has no energy (pbit_bm_energy() gives NaN) and needs a device with
 * PBIT_FLAG_DIRECTED. Mixing with pbit_bm_add_coupling() is allowed; (from, to) may be set once.
 * -EINVAL, -EEXIST, -ENOMEM, -EBUSY.
 */
PBIT_API PBIT_CHECK int pbit_bm_add_directed(struct pbit_bm *bm, uint32_t from, uint32_t to,
					     double value);

/*
 * Invertible logic (Camsari, Faria, Sutton, Datta: Stochastic p-bits for invertible logic,
 * PRX 7, 031014, 2017): a gate's ground states are the rows of its truth table, +1 is true.
 */
enum pbit_gate {
	PBIT_GATE_COPY = 0,	  /* A, B: B = A */
	PBIT_GATE_NOT = 1,	  /* A, B: B = not A */
	PBIT_GATE_AND = 2,	  /* A, B, C: C = A and B */
	PBIT_GATE_OR = 3,	  /* A, B, C */
	PBIT_GATE_NAND = 4,	  /* A, B, C */
	PBIT_GATE_NOR = 5,	  /* A, B, C */
	PBIT_GATE_XOR = 6,	  /* A, B, C, D: C = A xor B, D = A and B (auxiliary) */
	PBIT_GATE_HALF_ADDER = 7, /* A, B, S, C */
	PBIT_GATE_FULL_ADDER = 8, /* A, B, Ci, S, Co */
};

/* p-bits of a gate, 0 for an unknown one. */
PBIT_API uint32_t pbit_gate_pins(enum pbit_gate gate);

/*
 * Adds a gate's terms, times scale > 0, to the p-bits named by pins (pbit_gate_pins() of them, all
 * different). Gates that share p-bits make a circuit. Errors of pbit_bm_add_term(); on failure
 * the machine is as it was.
 */
PBIT_API PBIT_CHECK int pbit_bm_add_gate(struct pbit_bm *bm, enum pbit_gate gate,
					 const uint32_t *pins, double scale);

/* p-bits, and couplings (pairs), of the machine; 0 for NULL. */
PBIT_API uint32_t pbit_bm_size(const struct pbit_bm *bm);
PBIT_API uint64_t pbit_bm_couplings(const struct pbit_bm *bm);

/* E(m) of a packed state, in binary64, terms in order of (i, j). */
PBIT_API double pbit_bm_energy(const struct pbit_bm *bm, const uint64_t *state);

/*
 * Colours: no two coupled p-bits share one (either direction counts). Greedy in order of the
 * index, each p-bit gets the smallest colour that none of its coupled p-bits below it has: the
 * colouring of the chromatic order (CONTRACT.md). colour has n entries, *colours their number.
 * -EINVAL, -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_bm_colour(struct pbit_bm *bm, uint32_t *colour, uint32_t *colours);

#define PBIT_BM_EXACT	 (1u << 0) /* step * Jq and step * hq are J and h */
#define PBIT_BM_DIRECTED (1u << 1)

/*
 * Read-only view for backends: neighbours of i are col[row[i]] ... col[row[i + 1] - 1],
 * ascending; J[k] acts on i. Jq, hq, step: the same in fixed point, by which I is defined
 * (CONTRACT.md, Fixed-point input): I_i = step * (sum_k Jq[k] m_col[k] + hq[i]), |Jq| + ... +
 * |hq| of a row <= 2^30.
 */
struct pbit_bm_view {
	uint32_t struct_size;
	uint32_t n;
	const uint64_t *row; /* n + 1 */
	const uint32_t *col;
	const double *J;
	const double *h;
	const int32_t *Jq;
	const int32_t *hq;
	double step;
	uint32_t flags; /* PBIT_BM_* */
	uint32_t reserved;
};

/* Fills the view; valid until bm changes or goes. -EINVAL, -ENOMEM. */
PBIT_API PBIT_CHECK int pbit_bm_view(struct pbit_bm *bm, struct pbit_bm_view *view);

/*
 * Loads the machine on the device, which keeps its own reference. The state is set to all -1, no
 * p-bit is clamped, the sweep counter is 0. order: one of PBIT_ORDER_*, 0 for the device's
 * first; -EOPNOTSUPP where the device lacks it. -E2BIG, -ERANGE with the limit named.
 */
PBIT_API PBIT_CHECK int pbit_program(struct pbit_device *dev, struct pbit_bm *bm, uint32_t order,
				     uint64_t seed);

struct pbit_program_opts {
	uint32_t struct_size;
	uint32_t order; /* PBIT_ORDER_*, 0: the device's first */
	uint64_t seed;
	uint32_t replicas;    /* independent chains of the same machine, 0 counts as 1 */
	uint32_t reserved;    /* 0 */
	uint64_t first_chain; /* replica r draws as chain first_chain + r (CONTRACT.md) */
};

/*
 * pbit_program() with replicas. Afterwards states of the device are `replicas` packed states of
 * (n + 63) / 64 words each, one behind the other, in pbit_set_state(), pbit_read() and the
 * samples of pbit_sample(). A device without replicas of its own (caps.replicas) runs them in
 * turn: the library keeps their states. Replica r of a device that draws as CONTRACT.md is bit
 * for bit the same whatever the number of replicas and devices. Errors as pbit_program(),
 * -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_program_with(struct pbit_device *dev, struct pbit_bm *bm,
					  const struct pbit_program_opts *opts);

/* Replicas of the programmed machine, 0 where there is none. */
PBIT_API uint32_t pbit_replicas(struct pbit_device *dev);

/*
 * Clamps p-bits whose bit in mask is set to their bit in value; releases the others. NULL mask:
 * releases all. Both have (n + 63) / 64 words. -ENOTCONN when nothing is programmed.
 */
PBIT_API PBIT_CHECK int pbit_clamp(struct pbit_device *dev, const uint64_t *mask,
				   const uint64_t *value);

/* As pbit_clamp(), with values of their own for each replica: replicas * (n + 63) / 64 words. */
PBIT_API PBIT_CHECK int pbit_clamp_each(struct pbit_device *dev, const uint64_t *mask,
					const uint64_t *values);

/*
 * Sets the state of the free p-bits. Where the device has no such operation but a clamp mask, all
 * are clamped to it and released.
 */
PBIT_API PBIT_CHECK int pbit_set_state(struct pbit_device *dev, const uint64_t *state);

/*
 * Sets the number of the next sweep, which names its random bits: with the state, the seed and
 * this number a run goes on where another ended. -EOPNOTSUPP where the device does not draw as
 * CONTRACT.md.
 */
PBIT_API PBIT_CHECK int pbit_seek(struct pbit_device *dev, uint64_t sweep);

/* Makes `sweeps` sweeps at inverse temperature beta >= 0. Each visits every free p-bit once. */
PBIT_API PBIT_CHECK int pbit_update(struct pbit_device *dev, double beta, uint64_t sweeps);

/* As pbit_update(), with a beta of its own for each replica (parallel tempering). */
PBIT_API PBIT_CHECK int pbit_update_each(struct pbit_device *dev, const double *beta,
					 uint64_t sweeps);

/* Reads the state into (n + 63) / 64 words; bits past n are 0. */
PBIT_API PBIT_CHECK int pbit_read(struct pbit_device *dev, uint64_t *state);

/* Return non-zero to end the stream (the call then returns -ECANCELED). */
typedef int pbit_sample_fn(const uint64_t *state, uint64_t index, void *user); /* all replicas */

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
