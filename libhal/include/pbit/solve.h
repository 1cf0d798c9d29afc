/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching and sampling with more than one temperature: annealing schedules, the best state found
 * along them, and parallel tempering over one or more devices. Sampling at one temperature
 * is pbit_sample() in boltzmann.h.
 */
#ifndef PBIT_SOLVE_H
#define PBIT_SOLVE_H

#include <pbit/boltzmann.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pbit_schedule_kind {
	PBIT_SCHEDULE_CONSTANT = 0, /* beta for all sweeps */
	PBIT_SCHEDULE_GEOMETRIC =
		1, /* from beta to beta_end, each a fixed factor times the one before */
	PBIT_SCHEDULE_LIST = 2, /* steps, one after the other */
};

struct pbit_schedule_step {
	double beta;
	uint64_t sweeps; /* at least 1 */
};

/*
 * Inverse temperatures of a run, all finite and above 0. Geometric: with J = ceil(sweeps / hold)
 * values, sweep k has beta^(1 - x) * beta_end^x, x = floor(k / hold) / (J - 1); beta where J is 1.
 */
struct pbit_schedule {
	uint32_t struct_size;
	uint32_t kind;				/* enum pbit_schedule_kind */
	double beta;				/* constant, geometric */
	double beta_end;			/* geometric; may lie below beta */
	uint64_t sweeps;			/* constant, geometric: at least 1 */
	uint64_t hold;				/* geometric: sweeps at each value, 0 counts as 1 */
	const struct pbit_schedule_step *steps; /* list */
	uint32_t n_steps;			/* list: at least 1 */
	uint32_t reserved;
};

/* Checks a schedule; *sweeps (may be NULL) gets its length. -EINVAL names what is wrong. Pure. */
PBIT_API PBIT_CHECK int pbit_schedule_check(const struct pbit_schedule *schedule, uint64_t *sweeps);

/*
 * beta of sweep `sweep` (from 0); *run (may be NULL) gets how many sweeps from there on have that
 * same beta. -EINVAL for a wrong schedule or a sweep past its end. Pure.
 */
PBIT_API PBIT_CHECK int pbit_schedule_beta(const struct pbit_schedule *schedule, uint64_t sweep,
					   double *beta, uint64_t *run);

/* Flags of pbit_solve_opts. */
#define PBIT_SOLVE_TARGET (1u << 0) /* end at the first energy <= target */

/* Why a search ended: struct pbit_solve_result.ended. */
enum pbit_solve_end {
	PBIT_SOLVE_DONE = 0,	 /* all restarts went through their schedule */
	PBIT_SOLVE_REACHED = 1,	 /* the target */
	PBIT_SOLVE_DEADLINE = 2, /* it passed */
	PBIT_SOLVE_STOPPED = 3,	 /* progress asked for it */
};

struct pbit_solve_progress {
	uint32_t struct_size;
	uint32_t restart; /* the one under way, from 0 */
	uint64_t sweeps;  /* made so far by each replica, all restarts together */
	uint64_t total;	  /* to be made if nothing ends it */
	double beta;	  /* of the last sweep */
	double energy;	  /* lowest so far */
	double seconds;
};

/* In the calling thread after each block of sweeps. Non-zero ends the search. */
typedef int pbit_solve_fn(const struct pbit_solve_progress *progress, void *user);

struct pbit_solve_opts {
	uint32_t struct_size;
	uint32_t flags; /* PBIT_SOLVE_* */
	const struct pbit_schedule *schedule;
	uint64_t seed;
	uint32_t order;	   /* PBIT_ORDER_*, 0: the device's first */
	uint32_t replicas; /* 0 counts as 1 */
	/*
	 * Runs through the schedule, 0 counts as 1; replica r of run k is chain k * replicas + r.
	 */
	uint32_t restarts;
	uint32_t reserved;   /* 0 */
	uint64_t block;	     /* sweeps between two looks at all states, 0: a 32nd of the schedule */
	double target;	     /* with PBIT_SOLVE_TARGET */
	int64_t deadline_ns; /* absolute CLOCK_MONOTONIC, 0: none */
	const uint64_t *start; /* replicas packed states to start each run from, NULL: all -1 */
	const uint64_t *mask;  /* clamps as in pbit_clamp(), NULL: none */
	const uint64_t *value;
	pbit_solve_fn *progress; /* may be NULL */
	void *user;
};

struct pbit_solve_result {
	uint32_t struct_size;
	uint32_t ended;	 /* enum pbit_solve_end */
	uint64_t *state; /* set by the caller: (n + 63) / 64 words for the best state, or NULL */
	double energy;	 /* of the best state: pbit_bm_energy() */
	uint32_t restart, replica; /* that found it */
	uint64_t found;		   /* sweeps of that replica, all runs together, when it was seen */
	uint64_t sweeps;	   /* made by each replica, all runs together */
	uint64_t updates;	   /* of free p-bits, all replicas and runs */
	double seconds;		   /* wall clock, programming included */
	double found_seconds;	   /* when the best state was seen */
};

/*
 * Anneals the machine on the device and keeps the best state seen: after the start, and after every
 * block of sweeps in all replicas, ties going to the first. Programs the device, which keeps the
 * machine and the last states. A search that is ended early is no failure: *result tells. The same
 * options give the same result on every device that draws as CONTRACT.md (seconds apart, and unless
 * a deadline or progress ends it). Blocks; any thread, no other call on the device meanwhile
 * (-ESTALE where it is programmed). -EINVAL (also for a directed machine: no energy), -ENOMEM, what
 * pbit_program_with(), pbit_clamp(), pbit_set_state() and pbit_update() return.
 */
PBIT_API PBIT_CHECK int pbit_solve(struct pbit_device *dev, struct pbit_bm *bm,
				   const struct pbit_solve_opts *opts,
				   struct pbit_solve_result *result);

/*
 * Exchange of the states at neighbouring beta' > beta with energies E' and E, D = (beta' - beta)(E'
 * - E): probability min(1, exp(D)), or 1/(1 + exp(-D)). Both keep every temperature's Boltzmann law
 * (Hukushima, Nemoto: J. Phys. Soc. Jpn. 65, 1604, 1996).
 */
enum pbit_exchange {
	PBIT_EXCHANGE_METROPOLIS = 0,
	PBIT_EXCHANGE_HEAT_BATH = 1,
};

struct pbit_temper_opts {
	uint32_t struct_size;
	uint32_t flags; /* must be 0 */
	uint64_t seed;
	const double *betas; /* n_betas of them, rising, finite, above 0 */
	uint32_t n_betas;    /* at least 1 */
	uint32_t ladders;    /* independent copies of the whole ladder, 0 counts as 1 */
	uint32_t order;	     /* PBIT_ORDER_*, 0: the first device's first */
	uint32_t exchange;   /* enum pbit_exchange */
	uint64_t sweeps;     /* of a round, before its exchanges; at least 1 */
	uint64_t burn_in;    /* rounds before the first sample */
	uint64_t samples;    /* rounds that are handed on */
	uint64_t
		first_round; /* to go on where another run ended: how many rounds were made before */
	int64_t deadline_ns;   /* absolute CLOCK_MONOTONIC, 0: none */
	const uint64_t *start; /* packed states of all slots, NULL: all -1 */
	const uint64_t *mask;  /* clamps as in pbit_clamp(), NULL: none */
	const uint64_t *value;
};

/*
 * One round, behind its exchanges. Slot l * n_betas + b holds ladder l at betas[b]: states one
 * behind the other, (n + 63) / 64 words each, and their energies. In the calling thread. Non-zero
 * ends the run, which then returns -ECANCELED.
 */
typedef int pbit_temper_fn(const uint64_t *states, const double *energies, uint64_t index,
			   void *user);

/* Also filled where the run ended early. Pointers are the caller's, each may be NULL. */
struct pbit_temper_result {
	uint32_t struct_size;
	uint32_t reserved;
	uint64_t *tried;    /* n_betas - 1: exchanges of betas[b] and betas[b + 1], all ladders */
	uint64_t *accepted; /* likewise */
	uint64_t *states;   /* last states of all slots, for opts.start and first_round */
	uint64_t *best;	    /* state of the lowest energy seen, (n + 63) / 64 words */
	double energy;	    /* lowest energy seen */
	uint64_t rounds;    /* made, burn-in included */
	uint64_t updates;   /* of free p-bits */
	double seconds;	    /* wall clock, programming included */
};

/*
 * Parallel tempering. Slots are dealt out to the devices in runs of equal length (the first ones
 * one longer where they do not divide); a round updates all devices at the same time, then
 * exchanges b, b + 1 in each ladder, b even in even rounds, odd in odd ones. States move at an
 * exchange: a slot keeps its beta and its chain number, which is the slot's. So the result is bit
 * for bit the same however many devices draw as CONTRACT.md (exchanges by its domain 3). Programs
 * the devices, which must be different ones. Blocks; no other call on the devices meanwhile. fn may
 * be NULL, result may be NULL. -EINVAL, -ENOMEM, -ETIMEDOUT, -ECANCELED, -EOPNOTSUPP (first_round
 * on a device that does not draw as CONTRACT.md), what the devices return.
 */
PBIT_API PBIT_CHECK int pbit_temper(struct pbit_device *const *devs, uint32_t n_devs,
				    struct pbit_bm *bm, const struct pbit_temper_opts *opts,
				    pbit_temper_fn *fn, void *user,
				    struct pbit_temper_result *result);

#ifdef __cplusplus
}
#endif
#endif
