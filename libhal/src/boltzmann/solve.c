/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated annealing on a device: replicas go through a schedule, once or several times, and the
 * best state that is seen on the way is kept.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/fit.h"
#include "boltzmann/ops.h"
#include "boltzmann/schedule.h"
#include "core/args.h"
#include "core/clock.h"
#include "job/job.h"

static const char what[] = "cannot solve";

/* The part of the schedule between two looks at the states where the caller names none. */
#define LOOKS 32u

struct search {
	struct pbit_device *dev;
	struct pbit_bm *bm;
	struct pbit_solve_opts opts;
	struct pbit_schedule schedule;
	struct pbit_solve_result result;
	struct pbit_ctl ctl;
	uint64_t length; /* of the schedule */
	uint64_t block;
	uint64_t free_pbits;
	uint64_t program;
	uint64_t *states; /* of all replicas */
	uint64_t *best;
	int64_t began;
	double beta;
	bool over;
};

static int check_opts(struct search *s, const struct pbit_solve_opts *given)
{
	struct pbit_solve_opts *o = &s->opts;
	int rc = pbit__args_read(o, sizeof(*o), given, PBIT__SIZE_TO(struct pbit_solve_opts, seed),
				 what, "opts");

	if (!rc)
		rc = pbit__schedule_read(what, o->schedule, &s->schedule, &s->length);
	if (rc)
		return rc;
	if (o->flags & ~PBIT_SOLVE_TARGET || o->reserved)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.flags", NULL,
				 "0x%x has unknown flags, or reserved is not 0", o->flags);
	if ((o->flags & PBIT_SOLVE_TARGET) && isnan(o->target))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.target", NULL,
				 "it is not a number");
	if (o->mask && !o->value)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.value", NULL,
				 "the pointer is NULL");
	o->replicas = o->replicas ? o->replicas : 1;
	o->restarts = o->restarts ? o->restarts : 1;
	s->block = o->block ? o->block : (s->length - 1) / LOOKS + 1;
	if (o->deadline_ns)
		s->ctl.deadline = o->deadline_ns;
	return 0;
}

static double seconds(const struct search *s)
{
	return 1e-9 * (double)(pbit__now_ns() - s->began);
}

static void end(struct search *s, uint32_t why)
{
	s->over = true;
	s->result.ended = why;
}

/* Keeps the best of all states; the first look always finds one. */
static void look(struct search *s, uint32_t restart)
{
	size_t words = PBIT__BM_WORDS(s->bm->n);
	struct pbit_solve_result *best = &s->result;

	for (uint32_t r = 0; r < s->opts.replicas; r++) {
		const uint64_t *state = s->states + r * words;
		double energy = pbit_bm_energy(s->bm, state);

		if (!(energy < best->energy))
			continue;
		best->energy = energy;
		best->restart = restart;
		best->replica = r;
		best->found = best->sweeps;
		best->found_seconds = seconds(s);
		memcpy(s->best, state, words * sizeof(*state));
	}
	if ((s->opts.flags & PBIT_SOLVE_TARGET) && best->energy <= s->opts.target)
		end(s, PBIT_SOLVE_REACHED);
}

static void tell(struct search *s, uint32_t restart)
{
	struct pbit_solve_progress p = PBIT_INIT(p);

	if (!s->opts.progress)
		return;
	p.restart = restart;
	p.sweeps = s->result.sweeps;
	p.total = s->length > UINT64_MAX / s->opts.restarts ? UINT64_MAX
							    : s->length * s->opts.restarts;
	p.beta = s->beta;
	p.energy = s->result.energy;
	p.seconds = seconds(s);
	if (s->opts.progress(&p, s->opts.user) && !s->over)
		end(s, PBIT_SOLVE_STOPPED);
}

/* The deadline is no failure: what was found before it counts. */
static int forgive(struct search *s, int rc)
{
	if (rc != -ETIMEDOUT || pbit_ctl_check(&s->ctl) != -ETIMEDOUT)
		return rc;
	end(s, PBIT_SOLVE_DEADLINE);
	return 0;
}

/* Up to the next look at the states, or to the next beta if that comes first. */
static int advance(struct search *s, uint32_t restart, uint64_t *at)
{
	uint64_t run, left = s->block - *at % s->block, now;
	bool stop;
	int rc;

	s->beta = pbit__schedule_at(&s->schedule, *at, &run);
	now = run < left ? run : left;
	stop = now == left || *at + now == s->length;
	rc = pbit__bm_check_beta(s->dev, what, s->beta);
	if (!rc)
		rc = pbit_ctl_check(&s->ctl);
	if (!rc)
		rc = pbit__bm_advance(s->dev, s->program, what, &s->beta, false, now, &s->ctl,
				      stop ? s->states : NULL);
	if (rc)
		return forgive(s, rc);
	*at += now;
	s->result.sweeps += now;
	s->result.updates += now * s->free_pbits * s->opts.replicas;
	if (stop) {
		look(s, restart);
		tell(s, restart);
	}
	return 0;
}

static int begin(struct search *s, uint32_t restart)
{
	const double any = 1.0;
	struct pbit_program_opts opts = PBIT_INIT(opts);
	int rc;

	opts.order = s->opts.order;
	opts.seed = s->opts.seed;
	opts.replicas = s->opts.replicas;
	opts.first_chain = (uint64_t)restart * s->opts.replicas;
	rc = pbit__bm_program(s->dev, s->bm, &opts, &s->program);
	if (!rc && s->opts.mask)
		rc = pbit__bm_put_clamps(s->dev, s->program, what, s->opts.mask, s->opts.value);
	if (!rc && s->opts.start)
		rc = pbit__bm_put_states(s->dev, s->program, what, s->opts.start);
	if (!rc)
		rc = pbit__bm_advance(s->dev, s->program, what, &any, false, 0, &s->ctl, s->states);
	if (!rc)
		look(s, restart);
	return rc;
}

static int search(struct search *s)
{
	int rc = 0;

	for (uint32_t k = 0; !rc && !s->over && k < s->opts.restarts; k++) {
		uint64_t at = 0;

		rc = begin(s, k);
		while (!rc && !s->over && at < s->length)
			rc = advance(s, k, &at);
	}
	return rc;
}

static uint64_t count_free(const struct pbit_bm *bm, const uint64_t *mask)
{
	uint64_t count = bm->n;

	for (uint32_t i = 0; mask && i < bm->n; i++)
		count -= mask[i / 64] >> (i % 64) & 1;
	return count;
}

static int check_machine(const struct pbit_bm *bm)
{
	if (!bm)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "bm", NULL,
				 "the pointer is NULL");
	if (bm->arcs.count)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "bm", NULL,
				 "the machine is directed: it has no energy to lower");
	return 0;
}

static int give(struct search *s, struct pbit_solve_result *result)
{
	size_t bytes = PBIT__BM_WORDS(s->bm->n) * sizeof(*s->best);

	s->result.seconds = seconds(s);
	if (s->result.state)
		memcpy(s->result.state, s->best, bytes);
	return pbit__args_write(result, &s->result, sizeof(s->result),
				PBIT__SIZE_TO(struct pbit_solve_result, energy), what, "result");
}

int pbit_solve(struct pbit_device *dev, struct pbit_bm *bm, const struct pbit_solve_opts *opts,
	       struct pbit_solve_result *result)
{
	struct search s = {
		.dev = dev, .bm = bm, .ctl = PBIT_CTL_INIT(PBIT_FOREVER), .began = pbit__now_ns()};
	size_t words;
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (!rc)
		rc = check_machine(bm);
	if (!rc)
		rc = check_opts(&s, opts);
	if (!rc)
		rc = pbit__args_read(&s.result, sizeof(s.result), result,
				     PBIT__SIZE_TO(struct pbit_solve_result, energy), what,
				     "result");
	if (rc)
		return rc;
	s.result = (struct pbit_solve_result){
		.struct_size = sizeof(s.result), .state = s.result.state, .energy = INFINITY};
	words = PBIT__BM_WORDS(bm->n);
	s.free_pbits = count_free(bm, s.opts.mask);
	s.states = calloc(s.opts.replicas, words * sizeof(*s.states));
	s.best = calloc(words, sizeof(*s.best));
	if (s.states && s.best)
		rc = search(&s);
	else
		rc = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, dev->uri, "ask for fewer replicas",
			       "no memory for %u states of %u p-bits", s.opts.replicas, bm->n);
	if (!rc)
		rc = give(&s, result);
	free(s.best);
	free(s.states);
	return rc;
}
