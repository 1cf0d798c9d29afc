/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of inverse temperatures: checking one, and the beta of a sweep. */
#include "boltzmann/schedule.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <pbit/backend.h>
#include "core/args.h"

static int fail(const char *what, const char *where, const char *why)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL, "%s", why);
}

static int check_beta(const char *what, const char *where, double beta)
{
	if (beta > 0.0 && isfinite(2.0 * beta))
		return 0;
	return pbit_fail(
		-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL,
		"it is %g, an inverse temperature of a schedule is a finite number above 0", beta);
}

static int check_list(const char *what, const struct pbit_schedule *s, uint64_t *sweeps)
{
	*sweeps = 0;
	if (!s->steps || !s->n_steps)
		return fail(what, "schedule.steps", "a list has no steps");
	for (uint32_t k = 0; k < s->n_steps; k++) {
		char where[48];
		int rc;

		snprintf(where, sizeof(where), "schedule.steps[%u]", k);
		rc = check_beta(what, where, s->steps[k].beta);
		if (rc)
			return rc;
		if (!s->steps[k].sweeps)
			return fail(what, where, "it has no sweeps");
		if (s->steps[k].sweeps > UINT64_MAX - *sweeps)
			return fail(what, where, "the sweeps of the list add up to more than 2^64");
		*sweeps += s->steps[k].sweeps;
	}
	return 0;
}

int pbit__schedule_read(const char *what, const struct pbit_schedule *given,
			struct pbit_schedule *own, uint64_t *sweeps)
{
	int rc = pbit__args_read(own, sizeof(*own), given,
				 PBIT__SIZE_TO(struct pbit_schedule, sweeps), what, "schedule");

	if (rc)
		return rc;
	if (own->kind == PBIT_SCHEDULE_LIST)
		return check_list(what, own, sweeps);
	if (own->kind != PBIT_SCHEDULE_CONSTANT && own->kind != PBIT_SCHEDULE_GEOMETRIC)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "schedule.kind", NULL,
				 "%u is no kind of schedule", own->kind);
	rc = check_beta(what, "schedule.beta", own->beta);
	if (!rc && own->kind == PBIT_SCHEDULE_GEOMETRIC)
		rc = check_beta(what, "schedule.beta_end", own->beta_end);
	if (!rc && !own->sweeps)
		rc = fail(what, "schedule.sweeps", "it is 0");
	*sweeps = own->sweeps;
	return rc;
}

/*
 * The exponent runs from 0 to 1. pow() of a quotient that over- or underflows would not come back.
 */
static double geometric(const struct pbit_schedule *s, uint64_t at, uint64_t values)
{
	double part = values > 1 ? (double)at / (double)(values - 1) : 0.0;

	if (!at)
		return s->beta;
	if (at == values - 1)
		return s->beta_end;
	return exp((1.0 - part) * log(s->beta) + part * log(s->beta_end));
}

double pbit__schedule_at(const struct pbit_schedule *s, uint64_t sweep, uint64_t *run)
{
	uint64_t hold = s->hold ? s->hold : 1, at, left;

	if (s->kind == PBIT_SCHEDULE_LIST) {
		uint32_t k = 0;

		for (; sweep >= s->steps[k].sweeps; k++)
			sweep -= s->steps[k].sweeps;
		*run = s->steps[k].sweeps - sweep;
		return s->steps[k].beta;
	}
	left = s->sweeps - sweep;
	if (s->kind == PBIT_SCHEDULE_CONSTANT) {
		*run = left;
		return s->beta;
	}
	at = sweep / hold;
	*run = hold - sweep % hold < left ? hold - sweep % hold : left;
	return geometric(s, at, (s->sweeps - 1) / hold + 1);
}

int pbit_schedule_check(const struct pbit_schedule *schedule, uint64_t *sweeps)
{
	struct pbit_schedule own;
	uint64_t total = 0;
	int rc = pbit__schedule_read("cannot use the schedule", schedule, &own, &total);

	if (!rc && sweeps)
		*sweeps = total;
	return rc;
}

int pbit_schedule_beta(const struct pbit_schedule *schedule, uint64_t sweep, double *beta,
		       uint64_t *run)
{
	static const char what[] = "cannot tell beta";
	struct pbit_schedule own;
	uint64_t total = 0, same;
	int rc = pbit__schedule_read(what, schedule, &own, &total);

	if (rc)
		return rc;
	if (!beta)
		return fail(what, "beta", "the pointer is NULL");
	if (sweep >= total)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "sweep", "sweeps count from 0",
				 "it is %llu, the schedule has %llu sweeps",
				 (unsigned long long)sweep, (unsigned long long)total);
	*beta = pbit__schedule_at(&own, sweep, &same);
	if (run)
		*run = same;
	return 0;
}
