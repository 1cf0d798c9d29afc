/* SPDX-License-Identifier: Apache-2.0 */
/* What `pbit solve` is asked for, does and tells. */
#ifndef PBIT_CLI_SOLVE_H
#define PBIT_CLI_SOLVE_H

#include <pbit/device.h>
#include <pbit/solve.h>
#include "machine.h"

struct solve_request {
	const char *machine, *format;
	struct text_list devices, clamps;
	uint64_t threads;
	double beta0, beta1;
	const char *schedule, *state;
	uint64_t sweeps, replicas, restarts, seed;
	uint64_t temperatures, round; /* of parallel tempering */
	uint32_t order;
	double target, cut, seconds;
	bool has_sweeps, has_beta0, has_beta1, has_restarts, has_target, has_cut, has_seconds;
	bool has_temperatures, has_round;
	bool temper, want_json;
};

/* False: *status is the exit status. */
bool solve_request_parse(struct solve_request *request, int argc, char **argv, int *status);

/* A schedule and the memory of its steps. */
struct plan {
	struct pbit_schedule schedule;
	struct pbit_schedule_step *steps;
	uint64_t sweeps; /* its length */
	const char *source;
};

/*
 * From --schedule, the options for a geometric one, the machine's own stages, or the machine's J and h: in this
 * order. 0 or a negative errno with a record; then plan_free().
 */
int plan_make(struct plan *plan, const struct solve_request *request,
	      const struct machine *machine);
void plan_free(struct plan *plan);

/* Hot and cold ends for a machine: flips of every p-bit are common, or rare. */
int plan_range(const struct machine *machine, double *hot, double *cold);

struct solve_outcome {
	uint64_t *state;
	double energy; /* of the machine, without the offset */
	uint64_t sweeps, updates;
	double seconds, found_seconds;
	uint32_t restart, replica;  /* annealing */
	uint64_t *tried, *accepted; /* tempering: per pair of temperatures */
	const double *betas;
	bool is_complete, has_reached;
};

/* JSON or a table; returns an exit status. */
int solve_report(const struct solve_request *request, const struct machine *machine,
		 struct pbit_device *const *devs, uint32_t n_devs, const struct plan *plan,
		 const struct solve_outcome *outcome);

#endif
