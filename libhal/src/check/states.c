/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stationary law of a small machine: all its states by chi-square, and its energy by batch means. Which
 * of the two decides the number of samples depends on the machine.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check/draw.h"
#include "check/power.h"
#include "stats/stats.h"

#define LEAST	   4000u
#define MOST	   400000u
#define GAIN	   0.05
#define SYNC_PBITS 9u
#define SLOWEST	   500u /* sweeps from one independent sample to the next */

struct plan {
	const struct pbit__check_machine *m;
	struct pbit__check_law law;
	double *drop, *coarse; /* laws of the defects */
	double mean, variance, shift;
	uint32_t weakest;
	bool use_coarse, use_energy;
	double alpha;
	size_t n;
};

/* The stationary law of a machine in the device's order. */
static int law_of(const struct pbit__check_machine *m, double beta, uint32_t order, double *p)
{
	struct pbit__check_law law;
	int rc = 0;

	if (order != PBIT_ORDER_SYNCHRONOUS) {
		pbit__check_gibbs(m, beta, p);
		return 0;
	}
	rc = pbit__check_law_make(&law, m, beta, order);
	if (!rc)
		memcpy(p, law.p, law.states * sizeof(*p));
	pbit__check_law_free(&law);
	return rc;
}

/*
 * The missing coupling that changes the law least, and the law without it. Boltzmann's law tells which, also
 * for a synchronous device, whose own law takes long to find.
 */
static int find_weakest(struct plan *plan)
{
	double least = INFINITY, *p = calloc(2 * (size_t)plan->law.states, sizeof(*p));
	struct pbit__check_machine spoilt = *plan->m;
	int rc = 0;

	if (!p)
		return -ENOMEM;
	pbit__check_gibbs(plan->m, plan->m->beta, p);
	for (uint32_t k = 0; k < plan->m->n_edges; k++) {
		double *q = p + plan->law.states, shows;

		spoilt = *plan->m;
		pbit__check_machine_drop(&spoilt, k);
		pbit__check_gibbs(&spoilt, spoilt.beta, q);
		shows = pbit__stats_chi2_noncentrality(p, q, plan->law.states, 1.0);
		/* A coupling that rounds to nothing cannot be missing. */
		if (shows < least && plan->m->edge[k].J != 0.0) {
			least = shows;
			plan->weakest = k;
		}
	}
	free(p);
	spoilt = *plan->m;
	if (spoilt.n_edges) {
		pbit__check_machine_drop(&spoilt, plan->weakest);
		rc = law_of(&spoilt, spoilt.beta, plan->law.order, plan->drop);
	}
	/* Free p-bits have none to miss: p-bit 0 leans instead. */
	for (uint32_t s = 0; !plan->m->n_edges && s < plan->law.states; s++)
		plan->drop[s] = plan->law.p[s] * (s & 1 ? 1.1 : 0.9);
	return rc;
}

static int find_defects(struct plan *plan)
{
	struct pbit__check_machine spoilt = *plan->m;
	double *p, moved = 0.0;
	int rc = find_weakest(plan);

	if (rc)
		return rc;
	pbit__check_machine_requantise(&spoilt, 4);
	rc = law_of(&spoilt, spoilt.beta, plan->law.order, plan->coarse);
	p = calloc(plan->law.states, sizeof(*p));
	if (!p)
		rc = -ENOMEM;
	pbit__check_law_moments(&plan->law, &plan->mean, &plan->variance);
	plan->shift = INFINITY;
	for (int sign = -1; sign <= 1 && !rc; sign += 2) {
		rc = law_of(plan->m, plan->m->beta * (1.0 + sign * GAIN), plan->law.order, p);
		moved = 0.0;
		for (uint32_t s = 0; s < plan->law.states && !rc; s++)
			moved += (p[s] - plan->law.p[s]) * plan->law.energy[s];
		plan->shift = fmin(plan->shift, fabs(moved));
	}
	free(p);
	return rc;
}

static double power_of_states(double n, void *user)
{
	const struct plan *plan = user;

	double power =
		pbit__check_power_states(plan->law.p, plan->drop, plan->law.states, n, plan->alpha);

	if (plan->use_coarse)
		power = fmin(power, pbit__check_power_states(plan->law.p, plan->coarse,
							     plan->law.states, n, plan->alpha));
	return power;
}

static double power_of_energy(double n, void *user)
{
	const struct plan *plan = user;

	return pbit__check_power_mean(plan->shift, sqrt(plan->variance / n), plan->alpha);
}

static void choose_size(const struct pbit__check *c, struct plan *plan)
{
	size_t n = LEAST;
	double shows =
		pbit__stats_chi2_noncentrality(plan->law.p, plan->coarse, plan->law.states, 1.0);

	plan->alpha = c->alpha;
	/* The dense random machine is the one for couplings too coarse, and with the torus for gain. */
	plan->use_coarse = !strcmp(plan->m->name, "sk8") && shows > 1e-4;
	plan->use_energy = !strcmp(plan->m->name, "sk8") || !strcmp(plan->m->name, "torus3x3");
	n = pbit__check_size(power_of_states, plan, n, MOST);
	if (plan->use_energy)
		n = pbit__check_size(power_of_energy, plan, n, MOST);
	plan->n = (size_t)ceil((double)n * c->scale);
}

static void note_draws(struct pbit_check_test *t, const struct pbit__check_draws *d)
{
	t->samples = d->n;
	t->interval = d->interval;
	t->burn_in = d->burn_in;
	t->tau = d->tau;
	t->ess = (double)d->n * fmin(1.0, (double)d->interval / (2.0 * d->tau));
}

static int judge_states(struct pbit__check *c, const struct plan *plan,
			const struct pbit__check_draws *d, const char *defect)
{
	char name[48];
	struct pbit_check_test *t;
	struct pbit__stats_chi2 chi2;
	uint64_t *counts = calloc(plan->law.states, sizeof(*counts));

	snprintf(name, sizeof(name), "%s states", plan->m->name);
	t = pbit__check_add(c, name, defect);
	if (!t || !counts) {
		free(counts);
		return pbit__check_no_memory();
	}
	for (size_t k = 0; k < d->n; k++)
		counts[d->state[k]]++;
	chi2 = pbit__stats_chi2_test(counts, plan->law.p, plan->law.states, PBIT__CHECK_CELL);
	free(counts);
	note_draws(t, d);
	t->p = chi2.p;
	t->statistic = chi2.chi2;
	t->df = chi2.df;
	t->power = power_of_states((double)d->n, (void *)plan);
	return 0;
}

static int judge_energy(struct pbit__check *c, const struct plan *plan,
			const struct pbit__check_draws *d)
{
	double *energy = calloc(d->n, sizeof(*energy));
	struct pbit__stats_mean mean;
	struct pbit_check_test *t;
	char name[48];

	snprintf(name, sizeof(name), "%s energy", plan->m->name);
	t = pbit__check_add(c, name, "a gain 5 % off");
	if (!t || !energy) {
		free(energy);
		return pbit__check_no_memory();
	}
	for (size_t k = 0; k < d->n; k++)
		energy[k] = plan->law.energy[d->state[k]];
	mean = pbit__stats_batch_means(energy, d->n, PBIT__CHECK_BATCHES);
	free(energy);
	note_draws(t, d);
	t->df = mean.df;
	t->statistic = (mean.mean - plan->mean) / mean.standard_error;
	t->p = mean.standard_error > 0.0 ? pbit__stats_student_two_sided(t->statistic, mean.df)
					 : 0.0;
	t->power = power_of_energy((double)d->n, (void *)plan);
	return 0;
}

static int refuse(struct pbit__check *c, const struct plan *plan, const struct pbit__check_draws *d)
{
	struct pbit_check_test *t = pbit__check_add(c, plan->m->name, NULL);

	if (!t)
		return pbit__check_no_memory();
	t->verdict = PBIT_CHECK_REFUSED;
	t->tau = d->tau;
	pbit__check_reason(c,
			   "successive samples are correlated over %.3g sweeps or more, the law "
			   "allows %.3g; fewer than 1000 of these times were seen",
			   d->tau, pbit__check_law_tau(&plan->law));
	return 0;
}

static int run_plan(struct pbit__check *c, struct plan *plan)
{
	struct pbit__check_draws d = {0};
	int rc;

	choose_size(c, plan);
	rc = pbit__check_program_machine(c, plan->m, c->d.order, plan->weakest);
	if (!rc)
		rc = pbit__check_stationary(c, &plan->law, pbit__check_beta(c, plan->m->beta),
					    plan->n, &d);
	if (rc) {
		free(d.state);
		return pbit__check_excuse(c, plan->m->name, rc);
	}
	if (d.refused) {
		rc = refuse(c, plan, &d);
	} else {
		rc = judge_states(c, plan, &d,
				  !plan->m->n_edges  ? "a p-bit with P(+1) = 0.55"
				  : plan->use_coarse ? "a coupling missing, or 4-bit ones"
						     : "one coupling missing");
		if (!rc && plan->use_energy)
			rc = judge_energy(c, plan, &d);
	}
	free(d.state);
	return rc;
}

int pbit__check_states(struct pbit__check *c, const struct pbit__check_machine *given)
{
	struct pbit__check_machine m = *given;
	struct plan plan = {.m = &m};
	int rc;

	if (c->d.order == PBIT_ORDER_SYNCHRONOUS && m.n > SYNC_PBITS)
		return pbit__check_not_applicable(
			c, m.name, "the synchronous chain of %u p-bits is too large to enumerate",
			m.n);
	if (!pbit__check_machine_fit(&m, &c->d.caps))
		return pbit__check_not_applicable(
			c, m.name, "the device's numbers cannot hold it at beta %g", given->beta);
	rc = pbit__check_law_make(&plan.law, &m, m.beta, c->d.order);
	if (!rc)
		rc = pbit__check_law_mix(&plan.law);
	if (!rc && pbit__check_law_sweeps(&plan.law, 0.01) > SLOWEST) {
		rc = pbit__check_not_applicable(
			c, m.name, "in the device's order it takes more than %u sweeps to forget",
			SLOWEST);
		pbit__check_law_free(&plan.law);
		return rc;
	}
	plan.drop = calloc(plan.law.states, sizeof(double));
	plan.coarse = calloc(plan.law.states, sizeof(double));
	if (!rc && (!plan.drop || !plan.coarse))
		rc = -ENOMEM;
	if (!rc)
		rc = find_defects(&plan);
	rc = rc ? pbit__check_no_memory() : run_plan(c, &plan);
	free(plan.coarse);
	free(plan.drop);
	pbit__check_law_free(&plan.law);
	return rc;
}
