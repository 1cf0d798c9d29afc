/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit solve`: the lowest energy that annealing or parallel tempering finds. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pbit/backend.h>
#include "command.h"
#include "device_open.h"
#include "progress.h"
#include "report.h"
#include "signals.h"
#include "solve.h"
#include "state_file.h"

/* Updates between two looks at the states, at most, so that a search can be ended. */
#define BLOCK_UPDATES UINT64_C(200000000)

struct solving {
	struct solve_request request;
	struct machine machine;
	struct plan plan;
	struct pbit_device *devs[LIST_MAX];
	uint32_t n_devs;
	struct state_file start;
	struct solve_outcome outcome;
	double target; /* energy of the machine, -INFINITY: none */
	int64_t began_ns, deadline_ns;
	double *betas;
	double least; /* so far, of tempering */
	uint64_t rounds;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int set_target(struct solving *s)
{
	const struct solve_request *request = &s->request;

	s->target = -INFINITY;
	if (request->has_cut && !s->machine.info.is_cut)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot use --target-cut",
				 s->machine.path, "use --target, an energy",
				 "the machine is not a max-cut graph");
	if (request->has_cut)
		s->target = s->machine.info.total_weight - 2 * request->cut;
	if (request->has_target)
		s->target = request->target - s->machine.info.offset;
	return 0;
}

static int open_devices(struct solving *s)
{
	const struct text_list *list = &s->request.devices;
	int err;

	do {
		err = device_open(list->n ? list->text[s->n_devs] : NULL, s->request.threads,
				  &s->devs[s->n_devs]);
		if (err)
			return err;
		s->n_devs++;
	} while (s->n_devs < list->n);
	return 0;
}

static int make_ladder(struct solving *s)
{
	uint64_t T = s->request.temperatures;
	double hot = s->plan.schedule.beta, cold = s->plan.schedule.beta_end;

	s->betas = calloc(T, sizeof(*s->betas));
	s->outcome.tried = calloc(T, sizeof(*s->outcome.tried));
	s->outcome.accepted = calloc(T, sizeof(*s->outcome.accepted));
	if (!s->betas || !s->outcome.tried || !s->outcome.accepted)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot solve", NULL, NULL,
				 "out of memory");
	if (!(hot < cold) && T > 1)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot temper", NULL,
				 "the first inverse temperature is the smallest",
				 "beta0 is %g, beta1 is %g", hot, cold);
	for (uint64_t b = 0; b < T; b++)
		s->betas[b] = T > 1 ? hot * pow(cold / hot, (double)b / (double)(T - 1)) : cold;
	s->outcome.betas = s->betas;
	return 0;
}

static int prepare(struct solving *s)
{
	const struct solve_request *request = &s->request;
	uint32_t starts = (uint32_t)(request->temper ? request->replicas * request->temperatures
						     : request->replicas);
	int err = machine_open(&s->machine, request->machine, request->format);

	if (!err)
		err = machine_clamp(&s->machine, &request->clamps);
	if (!err)
		err = set_target(s);
	if (!err)
		err = plan_make(&s->plan, request, &s->machine);
	if (!err && request->state)
		err = state_file_read(&s->start, request->state, s->machine.n, starts);
	if (!err && request->temper)
		err = make_ladder(s);
	if (!err)
		err = open_devices(s);
	if (!err)
		err = signals_catch();
	if (err)
		return err;
	s->outcome.state = calloc(s->machine.words, sizeof(*s->outcome.state));
	if (!s->outcome.state)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot solve", NULL, NULL,
				 "out of memory");
	s->began_ns = now_ns();
	if (request->has_seconds)
		s->deadline_ns = s->began_ns + (int64_t)(request->seconds * 1e9);
	return 0;
}

static void release(struct solving *s)
{
	for (uint32_t i = 0; i < s->n_devs; i++)
		pbit_close(s->devs[i]);
	free(s->outcome.state);
	free(s->outcome.tried);
	free(s->outcome.accepted);
	free(s->betas);
	state_file_free(&s->start);
	plan_free(&s->plan);
	machine_close(&s->machine);
}

static int show_annealing(const struct pbit_solve_progress *progress, void *user)
{
	(void)user;
	progress_show("solve", progress->sweeps, progress->total, progress->seconds);
	return signals_caught() != 0;
}

/* A 32nd of the schedule, or less where that would take long. */
static uint64_t block_of(const struct solving *s)
{
	uint64_t most = BLOCK_UPDATES / ((uint64_t)s->machine.n * s->request.replicas);
	uint64_t block = (s->plan.sweeps + 31) / 32;

	if (block > most)
		block = most;
	return block ? block : 1;
}

static int anneal(struct solving *s)
{
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result result = PBIT_INIT(result);
	struct solve_outcome *outcome = &s->outcome;
	int err;

	opts.schedule = &s->plan.schedule;
	opts.seed = s->request.seed;
	opts.order = s->request.order;
	opts.replicas = (uint32_t)s->request.replicas;
	opts.restarts = (uint32_t)s->request.restarts;
	opts.block = block_of(s);
	if (isfinite(s->target)) {
		opts.flags = PBIT_SOLVE_TARGET;
		opts.target = s->target;
	}
	opts.deadline_ns = s->deadline_ns;
	opts.start = s->start.states;
	opts.mask = s->machine.mask;
	opts.value = s->machine.value;
	opts.progress = show_annealing;
	result.state = outcome->state;
	err = pbit_solve(s->devs[0], s->machine.bm, &opts, &result);
	if (err)
		return err;
	outcome->energy = result.energy;
	outcome->sweeps = result.sweeps;
	outcome->updates = result.updates;
	outcome->seconds = result.seconds;
	outcome->found_seconds = result.found_seconds;
	outcome->restart = result.restart;
	outcome->replica = result.replica;
	outcome->has_reached = result.energy <= s->target;
	outcome->is_complete = result.ended == PBIT_SOLVE_DONE || outcome->has_reached;
	return 0;
}

static int show_tempering(const uint64_t *states, const double *energies, uint64_t index,
			  void *user)
{
	struct solving *s = user;
	uint64_t slots = s->request.temperatures * s->request.replicas;
	double seconds = 1e-9 * (double)(now_ns() - s->began_ns);

	(void)states;
	for (uint64_t k = 0; k < slots; k++) {
		if (energies[k] < s->least) {
			s->least = energies[k];
			s->outcome.found_seconds = seconds;
		}
	}
	progress_show("solve", index + 1, s->rounds, seconds);
	return signals_caught() != 0 || s->least <= s->target;
}

static int temper(struct solving *s)
{
	struct pbit_temper_opts opts = PBIT_INIT(opts);
	struct pbit_temper_result result = PBIT_INIT(result);
	struct solve_outcome *outcome = &s->outcome;
	int err;

	opts.seed = s->request.seed;
	opts.betas = s->betas;
	opts.n_betas = (uint32_t)s->request.temperatures;
	opts.ladders = (uint32_t)s->request.replicas;
	opts.order = s->request.order;
	opts.sweeps = s->request.round;
	/* With --time and no number of sweeps: until the time is over. */
	s->rounds = s->request.has_seconds && !s->request.has_sweeps
			    ? UINT64_C(1) << 40
			    : (s->plan.sweeps + opts.sweeps - 1) / opts.sweeps;
	opts.samples = s->rounds;
	opts.deadline_ns = s->deadline_ns;
	opts.start = s->start.states;
	opts.mask = s->machine.mask;
	opts.value = s->machine.value;
	result.tried = outcome->tried;
	result.accepted = outcome->accepted;
	result.best = outcome->state;
	s->least = INFINITY;
	err = pbit_temper(s->devs, s->n_devs, s->machine.bm, &opts, show_tempering, s, &result);
	outcome->energy = result.energy;
	outcome->sweeps = result.rounds * opts.sweeps;
	outcome->updates = result.updates;
	outcome->seconds = result.seconds;
	outcome->has_reached = result.energy <= s->target;
	outcome->is_complete = !err || outcome->has_reached;
	/* Ended by the target, a signal or the time: what was found counts. */
	if ((err == -ECANCELED || err == -ETIMEDOUT) && result.rounds)
		return 0;
	return err;
}

int command_solve(int argc, char **argv)
{
	struct solving s = {.n_devs = 0};
	int status, printed, err;

	if (!solve_request_parse(&s.request, argc, argv, &status))
		return status;
	err = prepare(&s);
	if (!err)
		err = s.request.temper ? temper(&s) : anneal(&s);
	progress_clear();
	if (err) {
		status = report_failure();
	} else {
		if (signals_caught()) {
			report("interrupted");
			status = signals_status();
		}
		printed =
			solve_report(&s.request, &s.machine, s.devs, s.n_devs, &s.plan, &s.outcome);
		status = status == STATUS_OK ? printed : status;
	}
	release(&s);
	return status;
}
