/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two devices, the same programs: do their samples have one law? Chi-square of homogeneity on states, Welch's
 * test on energies, the fitted response of every p-bit. What law it is does not matter here, so that
 * two devices that are wrong in the same way are alike.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "check/draw.h"
#include "check/power.h"
#include "check/suite.h"
#include "core/clock.h"
#include "stats/stats.h"

#define SAMPLES 60000u
#define TESTS	30.0

static const char what[] = "cannot compare the devices";

/* A machine that both can hold as it is. */
static bool fit_both(struct pbit__check_machine *m, const struct pbit_caps *a,
		     const struct pbit_caps *b)
{
	struct pbit__check_machine other;

	for (int round = 0; round < 3; round++) {
		if (!pbit__check_machine_fit(m, a))
			return false;
		other = *m;
		if (!pbit__check_machine_fit(&other, b))
			return false;
		if (!memcmp(other.h, m->h, sizeof(m->h)) && other.beta == m->beta &&
		    !memcmp(other.edge, m->edge, m->n_edges * sizeof(m->edge[0])))
			return true;
		*m = other;
	}
	return false;
}

struct pair {
	struct pbit__check *c;
	struct pbit__check_device d[2];
	const struct pbit__check_machine *m;
	struct pbit__check_law law[2];
	struct pbit__check_draws draws[2];
};

static int draw_both(struct pair *p)
{
	int rc = 0;

	for (int k = 0; k < 2 && !rc; k++) {
		p->c->d = p->d[k];
		rc = pbit__check_program_machine(p->c, p->m, p->d[k].order, 0);
		if (!rc)
			rc = pbit__check_stationary(p->c, &p->law[k],
						    pbit__check_beta(p->c, p->m->beta),
						    (size_t)(SAMPLES * p->c->scale), &p->draws[k]);
	}
	return rc;
}

static void note(struct pbit_check_test *t, const struct pair *p)
{
	t->samples = p->draws[0].n + p->draws[1].n;
	t->interval = p->draws[1].interval;
	t->burn_in = p->draws[1].burn_in;
	t->tau = fmax(p->draws[0].tau, p->draws[1].tau);
	t->ess = (double)t->samples;
}

static int judge_states(struct pair *p)
{
	struct pbit__check_machine hot = *p->m;
	uint32_t states = p->law[0].states;
	uint64_t *counts = calloc(2 * (size_t)states, sizeof(*counts));
	double *q = calloc(states, sizeof(*q));
	struct pbit_check_test *t;
	struct pbit__stats_chi2 chi2;
	bool telling;
	char name[48];

	snprintf(name, sizeof(name), "%s states", p->m->name);
	/* The machines that show a change of beta best have their power stated. */
	telling = !strcmp(p->m->name, "torus3x3") || !strcmp(p->m->name, "sk8");
	t = pbit__check_add(p->c, name, telling ? "beta 5 % lower on one device" : NULL);
	if (!t || !counts || !q) {
		free(q);
		free(counts);
		return pbit__check_no_memory();
	}
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < p->draws[k].n; i++)
			counts[(size_t)k * states + p->draws[k].state[i]]++;
	}
	chi2 = pbit__stats_chi2_two_sample(counts, counts + states, states, PBIT__CHECK_CELL);
	pbit__check_gibbs(&hot, 0.95 * hot.beta, q);
	note(t, p);
	t->p = chi2.p;
	t->statistic = chi2.chi2;
	t->df = chi2.df;
	/* Two samples of n tell as much as one of n/2 against a known law. */
	if (telling)
		t->power = pbit__check_power_states(p->law[0].p, q, states,
						    0.5 * (double)p->draws[0].n, p->c->alpha);
	free(q);
	free(counts);
	return 0;
}

static struct pbit__stats_mean energy_of(const struct pair *p, int k)
{
	double *x = calloc(p->draws[k].n, sizeof(*x));
	struct pbit__stats_mean mean = {.mean = NAN, .standard_error = NAN};

	for (size_t i = 0; x && i < p->draws[k].n; i++)
		x[i] = p->law[k].energy[p->draws[k].state[i]];
	if (x)
		mean = pbit__stats_batch_means(x, p->draws[k].n, PBIT__CHECK_BATCHES);
	free(x);
	return mean;
}

static int judge_energy(struct pair *p)
{
	struct pbit__stats_mean a = energy_of(p, 0), b = energy_of(p, 1);
	double va = a.standard_error * a.standard_error, vb = b.standard_error * b.standard_error;
	struct pbit_check_test *t;
	char name[48];

	snprintf(name, sizeof(name), "%s energy", p->m->name);
	t = pbit__check_add(p->c, name, NULL);
	if (!t)
		return pbit__check_no_memory();
	note(t, p);
	t->statistic = (a.mean - b.mean) / sqrt(va + vb);
	t->df = (va + vb) * (va + vb) / (va * va / a.df + vb * vb / b.df);
	t->p = va + vb > 0.0 ? pbit__stats_student_two_sided(t->statistic, t->df)
			     : pbit__stats_z_test(a.mean, b.mean, 0.0);
	return 0;
}

static int refuse(struct pair *p)
{
	struct pbit_check_test *t = pbit__check_add(p->c, p->m->name, NULL);

	if (!t)
		return pbit__check_no_memory();
	t->verdict = PBIT_CHECK_REFUSED;
	pbit__check_reason(p->c, "successive samples of the %s device are too correlated",
			   p->draws[0].refused ? "first" : "second");
	return 0;
}

static int compare_machine(struct pair *p, struct pbit__check_machine *m)
{
	int rc = 0;

	p->m = m;
	p->c->progress.name = m->name;
	if (!fit_both(m, &p->d[0].caps, &p->d[1].caps))
		return pbit__check_not_applicable(p->c, m->name,
						  "the two devices cannot hold one machine");
	for (int k = 0; k < 2 && !rc; k++) {
		p->draws[k] = (struct pbit__check_draws){0};
		/* Their orders may differ; burn-in and thinning are sequential enough for both. */
		rc = pbit__check_law_make(&p->law[k], m, m->beta, p->d[k].order);
		if (!rc)
			rc = pbit__check_law_mix(&p->law[k]);
		if (rc)
			rc = pbit__check_no_memory();
	}
	if (!rc) {
		rc = draw_both(p);
		if (rc)
			rc = pbit__check_excuse(p->c, m->name, rc);
		else if (p->draws[0].refused || p->draws[1].refused)
			rc = refuse(p);
		else if (!(rc = judge_states(p)) && m->n_edges)
			rc = judge_energy(p);
	}
	for (int k = 0; k < 2; k++) {
		free(p->draws[k].state);
		pbit__check_law_free(&p->law[k]);
	}
	return rc;
}

static bool is_synchronous(const struct pair *p)
{
	return p->d[0].order == PBIT_ORDER_SYNCHRONOUS || p->d[1].order == PBIT_ORDER_SYNCHRONOUS;
}

static int compare_machines(struct pair *p)
{
	struct pbit__check_machine m;
	int rc;

	pbit__check_machine_free_spins(&m, 4);
	rc = compare_machine(p, &m);
	for (uint32_t k = 0; !rc && pbit__check_machine_get(k, &m); k++) {
		if (m.n > 9 && is_synchronous(p))
			continue;
		rc = compare_machine(p, &m);
		p->c->progress.done++;
	}
	return rc;
}

/* The responses fitted on one device; results of the fit itself are not kept. */
static int fits_of(struct pair *p, int k, struct pbit_check_fit **fits, uint32_t *n)
{
	struct pbit__check own = *p->c;
	int rc;

	own.d = p->d[k];
	own.results = (struct pbit__check_results){0};
	own.fits = NULL;
	own.n_fits = 0;
	own.keep_fits = true;
	rc = pbit__check_sigmoid(&own);
	p->c->salt = own.salt;
	free(own.results.list);
	*fits = own.fits;
	*n = own.n_fits;
	return rc;
}

static int judge_fits(struct pair *p, const struct pbit_check_fit *a,
		      const struct pbit_check_fit *b, uint32_t n)
{
	double worst[2] = {2.0, 2.0};
	uint32_t at[2] = {0};

	for (uint32_t i = 0; i < n; i++) {
		double q[2] = {
			pbit__stats_z_test(a[i].gain, b[i].gain,
					   hypot(a[i].gain_error, b[i].gain_error)),
			pbit__stats_z_test(a[i].offset, b[i].offset,
					   hypot(a[i].offset_error, b[i].offset_error)),
		};

		for (int k = 0; k < 2; k++) {
			/* No fit on one of them is a difference; on both it is none. */
			if (isnan(q[k]))
				q[k] = 0.0;
			if (isnan(a[i].gain) && isnan(b[i].gain))
				q[k] = 1.0;
			if (q[k] < worst[k]) {
				worst[k] = q[k];
				at[k] = i;
			}
		}
	}
	for (int k = 0; k < 2; k++) {
		struct pbit_check_test *t =
			pbit__check_add(p->c, k ? "sigmoid offset" : "sigmoid gain", NULL);

		if (!t)
			return pbit__check_no_memory();
		t->p = fmin(1.0, worst[k] * n);
		t->samples = (a[0].draws + b[0].draws) * PBIT_CHECK_POINTS;
		t->interval = 1;
		if (t->p <= p->c->alpha)
			pbit__check_reason(p->c, "p-bit %u is the worst", at[k]);
	}
	return 0;
}

static int compare_sigmoids(struct pair *p)
{
	struct pbit_check_fit *fits[2] = {NULL, NULL};
	uint32_t n[2] = {0, 0};
	int rc = fits_of(p, 0, &fits[0], &n[0]);

	if (!rc)
		rc = fits_of(p, 1, &fits[1], &n[1]);
	if (!rc) {
		uint32_t both = n[0] < n[1] ? n[0] : n[1];

		rc = both ? judge_fits(p, fits[0], fits[1], both)
			  : pbit__check_not_applicable(p->c, "sigmoid",
						       "one of the devices has no fit");
	}
	free(fits[1]);
	free(fits[0]);
	return rc;
}

/* The first device at another beta must not look like itself. */
static int run_control(struct pair *p, struct pbit_check_report *report)
{
	static const char *const names[] = {"torus3x3", "sk8", "pair"};
	struct pbit__check_control *out = &report->control[0];
	struct pbit__check_results kept = p->c->results;
	struct pbit__check_machine m;
	double scale = p->c->scale;
	int rc = 0;

	out->control.struct_size = sizeof(out->control);
	out->control.name = "the first device at beta 5 % low";
	out->control.device = "";
	out->control.p = NAN;
	p->d[1] = p->d[0];
	p->d[1].seed = ~p->d[0].seed;
	p->d[1].fault.beta = 0.95;
	p->c->scale = 1.0;
	for (int k = 0; k < 3 && !rc && isnan(out->control.p); k++) {
		uint32_t at = 0;

		while (pbit__check_machine_get(at, &m) && strcmp(m.name, names[k]))
			at++;
		p->c->results = (struct pbit__check_results){0};
		rc = compare_machine(p, &m);
		for (uint32_t i = 0; !rc && i < p->c->results.n; i++) {
			const struct pbit__check_result *r = &p->c->results.list[i];

			if (!isnan(r->test.p) && !(out->control.p <= r->test.p)) {
				out->control.p = r->test.p;
				snprintf(out->test, sizeof(out->test), "%s", r->name);
			}
		}
		free(p->c->results.list);
	}
	p->c->results = kept;
	p->c->scale = scale;
	out->control.rejected = out->control.p <= p->c->alpha;
	report->summary.n_controls = 1;
	return rc;
}

static int check_two(struct pbit_device *dev, struct pbit_device *other)
{
	if (dev && other && dev != other)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "other",
			 "open the second device, even at the same address",
			 dev && other ? "both are the same handle" : "the pointer is NULL");
}

int pbit_check_against(struct pbit_device *dev, struct pbit_device *other,
		       const struct pbit_check_opts *given, struct pbit_check_report **out)
{
	struct pbit_check_report *report;
	struct pbit__check c;
	struct pair p = {.c = &c};
	bool controls;
	int rc;

	if (!out)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "report", NULL,
				 "the pointer is NULL");
	rc = check_two(dev, other);
	if (!rc)
		rc = pbit__check_begin(&c, dev, given, what);
	if (rc)
		return rc;
	c.alpha = PBIT__CHECK_FAMILY / TESTS;
	c.keep_fits = false;
	c.progress.total = 11;
	p.d[0] = c.d;
	/* The same seed would make two software devices one. */
	rc = pbit__check_device_init(&p.d[1], other, ~c.opts.seed);
	if (rc)
		return rc;
	report = pbit__check_report_new(dev, other);
	if (!report)
		return pbit__check_no_memory();
	controls = !(c.opts.flags & PBIT_CHECK_NO_CONTROLS);
	rc = compare_machines(&p);
	if (!rc)
		rc = compare_sigmoids(&p);
	if (!rc)
		pbit__check_judge(&c.results, PBIT__CHECK_FAMILY);
	if (!rc && controls)
		rc = run_control(&p, report);
	report->results = c.results;
	report->summary.n_tests = c.results.n;
	report->summary.alpha = c.alpha;
	report->summary.seed = c.opts.seed;
	report->summary.seconds = 1e-9 * (double)(pbit__now_ns() - c.begun_ns);
	if (rc) {
		pbit_check_report_free(report);
		return rc;
	}
	pbit__check_conclude(report, controls);
	*out = report;
	return 0;
}
