/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Planted ground states: the share of samples in the ground state by the exact law, and no energy
 * below the planted one, which would mean a corrupted state.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "check/draw.h"
#include "check/power.h"
#include "stats/stats.h"

#define LEAST 4000u
#define MOST  400000u

struct plan {
	double share, other, alpha;
};

static double power_of_share(double n, void *user)
{
	const struct plan *p = user;

	return pbit__check_power_normal(p->other - p->share, sqrt(p->share * (1.0 - p->share) / n),
					p->alpha);
}

static double ground_share(const struct pbit__check_law *law, const double *p, double ground)
{
	double share = 0.0;

	for (uint32_t s = 0; s < law->states; s++) {
		if (law->energy[s] < ground + 1e-9 * fabs(ground))
			share += p[s];
	}
	return share;
}

static int judge(struct pbit__check *c, const struct pbit__check_machine *m, double ground,
		 const struct pbit__check_draws *d, const struct plan *plan)
{
	struct pbit_check_test *t = pbit__check_add(c, "planted ground state", "a gain 5 % off");
	uint64_t hits = 0, below = 0;

	if (!t)
		return pbit__check_no_memory();
	for (size_t k = 0; k < d->n; k++) {
		double e = pbit__check_energy(m, d->state[k]);

		hits += e < ground + 1e-9 * fabs(ground);
		below += e < ground - 1e-9 * fabs(ground);
	}
	t->p = below ? 0.0 : pbit__stats_binomial_test(hits, d->n, plan->share);
	t->statistic = (double)hits / (double)d->n;
	t->power = power_of_share((double)d->n, (void *)plan);
	t->samples = d->n;
	t->interval = d->interval;
	t->burn_in = d->burn_in;
	t->tau = d->tau;
	t->ess = (double)d->n * fmin(1.0, (double)d->interval / (2.0 * d->tau));
	if (d->refused) {
		t->verdict = PBIT_CHECK_REFUSED;
		pbit__check_reason(c, "successive samples are too correlated to be judged");
	}
	return 0;
}

static int run(struct pbit__check *c, const struct pbit__check_machine *m,
	       const struct pbit__check_law *law, double ground, double *p)
{
	struct plan plan = {.alpha = c->alpha};
	struct pbit__check_draws d = {0};
	size_t n;
	int rc;

	plan.share = ground_share(law, law->p, ground);
	pbit__check_gibbs(m, 0.95 * m->beta, p);
	plan.other = ground_share(law, p, ground);
	n = pbit__check_size(power_of_share, &plan, LEAST, MOST);
	rc = pbit__check_program_machine(c, m, c->d.order, 0);
	if (!rc)
		rc = pbit__check_stationary(c, law, pbit__check_beta(c, m->beta),
					    (size_t)ceil((double)n * c->scale), &d);
	rc = rc ? pbit__check_excuse(c, m->name, rc) : judge(c, m, ground, &d, &plan);
	free(d.state);
	return rc;
}

int pbit__check_planted(struct pbit__check *c)
{
	struct pbit__check_machine m;
	struct pbit__check_law law;
	double ground, least = INFINITY, *p;
	int rc;

	pbit__check_machine_planted(&m, &ground);
	if (c->d.order == PBIT_ORDER_SYNCHRONOUS)
		return pbit__check_not_applicable(
			c, m.name, "a synchronous device does not sample Boltzmann's law");
	if (!pbit__check_machine_fit(&m, &c->d.caps))
		return pbit__check_not_applicable(c, m.name, "the device's numbers cannot hold it");
	rc = pbit__check_law_make(&law, &m, m.beta, c->d.order);
	if (!rc)
		rc = pbit__check_law_mix(&law);
	p = calloc(law.states, sizeof(*p));
	if (!rc && p) {
		/* Rounding scales J, so that the planted energy is that of the machine as it is held. */
		for (uint32_t s = 0; s < law.states; s++)
			least = fmin(least, law.energy[s]);
		rc = run(c, &m, &law, least, p);
	} else {
		rc = pbit__check_no_memory();
	}
	free(p);
	pbit__check_law_free(&law);
	return rc;
}
