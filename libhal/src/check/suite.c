/* SPDX-License-Identifier: Apache-2.0 */
/* The suite: groups of tests in turn, repetitions on physical noise, controls, the verdict. */
#include "check/suite.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "core/args.h"
#include "core/clock.h"
#include "core/text.h"
#include "stats/stats.h"

/* Tests of a run at most; alpha of one test is the family's over it. */
#define TESTS	     40.0
#define REPLICAS     64u
#define REPEAT_SCALE 10.0

int pbit__check_device_init(struct pbit__check_device *d, struct pbit_device *dev, uint64_t seed)
{
	int rc;

	*d = (struct pbit__check_device){.dev = dev, .seed = seed, .replicas = 1};
	d->caps = (struct pbit_caps)PBIT_INIT(d->caps);
	rc = pbit_get_caps(dev, &d->caps);
	if (rc)
		return rc;
	while ((d->caps.stated & PBIT_CAP_REPLICAS) && d->replicas < REPLICAS &&
	       2ull * d->replicas <= d->caps.replicas)
		d->replicas *= 2;
	if (d->caps.stated & PBIT_CAP_ORDERS)
		d->order = d->caps.orders & (~d->caps.orders + 1u);
	return 0;
}

static int check_tests(const char *tests, const char *what)
{
	const char *name = tests;

	while (name && *name) {
		size_t length = strcspn(name, ",");

		if (pbit__check_group_find(name, length) < 0)
			return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "tests",
					 "start, free, bits, sigmoid, transient, planted, torus, "
					 "layers, pair, "
					 "gate-and, gate-or, gate-xor, gate-adder, sk8, torus3x3, "
					 "chain and ring "
					 "are there",
					 "there is no group of tests \"%.*s\"", (int)length, name);
		name += length;
		name += *name == ',';
	}
	return 0;
}

bool pbit__check_chosen(const struct pbit__check *c, uint32_t group)
{
	const char *name = c->opts.tests;

	if (!name || !*name)
		return true;
	while (*name) {
		size_t length = strcspn(name, ",");

		if (pbit__check_group_find(name, length) == (int)group)
			return true;
		name += length;
		name += *name == ',';
	}
	return false;
}

int pbit__check_begin(struct pbit__check *c, struct pbit_device *dev,
		      const struct pbit_check_opts *given, const char *what)
{
	int rc = 0;

	*c = (struct pbit__check){.alpha = PBIT__CHECK_FAMILY / TESTS, .scale = 1.0};
	if (!dev)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "dev", NULL,
				 "the pointer is NULL");
	if (given)
		rc = pbit__args_read(&c->opts, sizeof(c->opts), given,
				     PBIT__SIZE_TO(struct pbit_check_opts, seed), what, "opts");
	if (rc)
		return rc;
	if (c->opts.flags & ~(PBIT_CHECK_QUICK | PBIT_CHECK_NO_CONTROLS))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.flags", NULL,
				 "0x%x has unknown flags", c->opts.flags);
	rc = check_tests(c->opts.tests, what);
	if (rc)
		return rc;
	if (c->opts.flags & PBIT_CHECK_QUICK)
		c->scale = 0.1;
	c->progress.struct_size = sizeof(c->progress);
	c->progress.name = "";
	for (uint32_t g = 0; pbit_check_group(g); g++)
		c->progress.total += pbit__check_chosen(c, g);
	c->begun_ns = pbit__now_ns();
	c->keep_fits = true;
	return pbit__check_device_init(&c->d, dev, c->opts.seed);
}

static double final_p(const struct pbit_check_test *t)
{
	return isnan(t->p_repeat) ? t->p : t->p_repeat;
}

uint32_t pbit__check_judge(struct pbit__check_results *results, double family)
{
	double *p = calloc(results->n + 1, sizeof(*p));
	bool *reject = calloc(results->n + 1, sizeof(*reject));
	uint32_t *of = calloc(results->n + 1, sizeof(*of));
	uint32_t n = 0, failed = 0;

	for (uint32_t i = 0; p && reject && of && i < results->n; i++) {
		uint32_t verdict = results->list[i].test.verdict;

		if (verdict == PBIT_CHECK_PASS || verdict == PBIT_CHECK_FAIL) {
			p[n] = final_p(&results->list[i].test);
			of[n++] = i;
		}
	}
	if (n)
		pbit__stats_holm(p, n, family, reject);
	for (uint32_t k = 0; k < n; k++) {
		results->list[of[k]].test.verdict = reject[k] ? PBIT_CHECK_FAIL : PBIT_CHECK_PASS;
		failed += reject[k];
	}
	/* Without memory nothing was judged, and nothing may pass. */
	if (!p || !reject || !of)
		failed = UINT32_MAX;
	free(of);
	free(reject);
	free(p);
	return failed;
}

static bool noise_is_physical(const struct pbit_caps *caps)
{
	return !(caps->flags & PBIT_FLAG_SEEDABLE) || ((caps->stated & PBIT_CAP_RANDOM_SOURCE) &&
						       caps->random_source == PBIT_RANDOM_PHYSICAL);
}

static bool has_failed(const struct pbit__check_results *results, uint32_t group)
{
	for (uint32_t i = 0; i < results->n; i++) {
		if (results->list[i].group == group &&
		    results->list[i].test.verdict == PBIT_CHECK_FAIL)
			return true;
	}
	return false;
}

static void take_repeat(struct pbit__check_results *results,
			const struct pbit__check_results *again)
{
	for (uint32_t i = 0; i < results->n; i++) {
		struct pbit__check_result *r = &results->list[i];

		for (uint32_t k = 0; r->test.verdict == PBIT_CHECK_FAIL && k < again->n; k++) {
			if (!strcmp(again->list[k].name, r->name))
				r->test.p_repeat = again->list[k].test.p;
		}
	}
}

/* Once, with fresh noise at ten times the samples. */
static int repeat_failed(struct pbit__check *c)
{
	struct pbit__check_results first = c->results;
	bool keep = c->keep_fits;
	int rc = 0;

	c->scale *= REPEAT_SCALE;
	c->keep_fits = false;
	for (uint32_t g = 0; pbit_check_group(g) && !rc; g++) {
		if (!has_failed(&first, g))
			continue;
		c->results = (struct pbit__check_results){0};
		rc = pbit__check_group_run(c, g);
		take_repeat(&first, &c->results);
		free(c->results.list);
	}
	c->results = first;
	c->scale /= REPEAT_SCALE;
	c->keep_fits = keep;
	return rc;
}

static int run_groups(struct pbit__check *c)
{
	int rc = 0;

	for (uint32_t g = 0; pbit_check_group(g) && !rc; g++) {
		if (!pbit__check_chosen(c, g))
			continue;
		rc = pbit__check_group_run(c, g);
		c->progress.done++;
	}
	if (rc)
		return rc;
	if (!pbit__check_judge(&c->results, PBIT__CHECK_FAMILY) || !noise_is_physical(&c->d.caps))
		return 0;
	rc = repeat_failed(c);
	if (!rc)
		pbit__check_judge(&c->results, PBIT__CHECK_FAMILY);
	return rc;
}

static void fail_reason(struct pbit_check_report *report, const char *fmt, const char *name)
{
	size_t used = strlen(report->reason);

	snprintf(report->reason + used, sizeof(report->reason) - used, "%s", used ? "; " : "");
	pbit__text_append(report->reason, sizeof(report->reason), fmt, name);
}

void pbit__check_conclude(struct pbit_check_report *report, bool with_controls)
{
	struct pbit_check_summary *s = &report->summary;
	bool failed = false;

	s->n_applicable = 0;
	for (uint32_t i = 0; i < report->results.n; i++) {
		struct pbit__check_result *r = &report->results.list[i];

		s->n_applicable += r->test.verdict != PBIT_CHECK_NOT_APPLICABLE;
		if (r->test.verdict == PBIT_CHECK_FAIL || r->test.verdict == PBIT_CHECK_REFUSED) {
			if (!failed)
				fail_reason(report, "\"%s\" failed", r->name);
			failed = true;
		}
	}
	if (!s->n_applicable) {
		failed = true;
		fail_reason(report, "no test applies to the device%s", "");
	}
	for (uint32_t k = 0; k < s->n_controls; k++) {
		if (report->control[k].control.rejected)
			continue;
		failed = true;
		fail_reason(report, "the control \"%s\" was not rejected",
			    report->control[k].control.name);
	}
	s->verdict = failed	     ? PBIT_CHECK_FAIL
		     : with_controls ? PBIT_CHECK_PASS
				     : PBIT_CHECK_INCOMPLETE;
}

int pbit_check_run(struct pbit_device *dev, const struct pbit_check_opts *given,
		   struct pbit_check_report **out)
{
	static const char what[] = "cannot check the device";
	struct pbit_check_report *report;
	struct pbit__check c;
	bool controls;
	int rc;

	if (!out)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "report", NULL,
				 "the pointer is NULL");
	rc = pbit__check_begin(&c, dev, given, what);
	if (rc)
		return rc;
	controls = !(c.opts.flags & PBIT_CHECK_NO_CONTROLS);
	c.progress.total += controls ? PBIT__CHECK_CONTROLS : 0;
	report = pbit__check_report_new(dev, NULL);
	if (!report)
		return pbit__check_no_memory();
	rc = run_groups(&c);
	if (!rc && controls)
		rc = pbit__check_controls(&c, report);
	report->results = c.results;
	report->fits = c.fits;
	report->summary.n_fits = c.n_fits;
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
