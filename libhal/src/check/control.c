/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negative controls: a suite that rejects nothing proves nothing, so each run shows that it rejects
 * six known faults, three of them made on the device under test itself.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check/suite.h"
#include "core/text.h"

/*
 * A control that is missed fails the device, so that it must be missed less often than a right device
 * fails: twice the samples take a power of 99.5 % there.
 */
#define CONTROL_SCALE 2.0

struct plan {
	const char *name;
	const char *uri;       /* NULL: the device under test */
	const char *groups[5]; /* the first that applies */
	struct pbit__check_fault fault;
};

static const struct plan plans[PBIT__CHECK_CONTROLS] = {
	{"beta 5 % low", NULL, {"torus3x3", "sk8", "torus", "sigmoid"}, {.beta = 0.95}},
	{"a coupling dropped", NULL, {"sk8", "torus3x3", "ring", "pair"}, {.drop = true}},
	{"a stuck p-bit", NULL, {"free"}, {.stuck = true}},
	{"random bits shared between p-bits", "rules:heat-bath,shared=1", {"bits"}, {.beta = 1.0}},
	{"synchronous passed off as sequential", "rules:synchronous", {"transient"}, {.beta = 1.0}},
	{"Metropolis in fixed order", "rules:metropolis-sequential", {"start"}, {.beta = 1.0}},
};

/* What the results say: the smallest p-value of those that ran. */
static bool read_results(const struct pbit__check *c, struct pbit__check_control *out)
{
	bool ran = false;

	for (uint32_t i = 0; i < c->results.n; i++) {
		const struct pbit__check_result *r = &c->results.list[i];

		if (r->test.verdict == PBIT_CHECK_NOT_APPLICABLE) {
			pbit__text_copy(out->reason, sizeof(out->reason), r->reason);
			continue;
		}
		ran = true;
		if (r->test.verdict == PBIT_CHECK_REFUSED)
			out->control.rejected = 1;
		if (isnan(out->control.p) || r->test.p < out->control.p) {
			out->control.p = r->test.p;
			pbit__text_copy(out->test, sizeof(out->test), r->name);
		}
	}
	if (ran)
		out->reason[0] = '\0';
	if (out->control.p <= c->alpha)
		out->control.rejected = 1;
	return ran;
}

static int run_groups(struct pbit__check *c, const struct plan *plan,
		      struct pbit__check_control *out)
{
	for (int k = 0; k < 5 && plan->groups[k]; k++) {
		int group = pbit__check_group_find(plan->groups[k], strlen(plan->groups[k]));
		int rc;

		c->results.n = 0;
		rc = pbit__check_group_run(c, (uint32_t)group);
		if (rc || read_results(c, out))
			return rc;
	}
	return 0;
}

static int run_control(struct pbit__check *main, const struct plan *plan,
		       struct pbit__check_control *out)
{
	struct pbit__check c = *main;
	struct pbit_device *own = NULL;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->control.struct_size = sizeof(out->control);
	out->control.name = plan->name;
	out->control.device = plan->uri ? plan->uri : "";
	out->control.p = NAN;
	c.results = (struct pbit__check_results){0};
	c.keep_fits = false;
	c.scale = CONTROL_SCALE;
	if (plan->uri) {
		rc = pbit_open(plan->uri, NULL, &own);
		if (!rc)
			rc = pbit__check_device_init(&c.d, own, main->d.seed);
	}
	c.d.fault = plan->fault;
	c.progress.name = plan->name;
	if (!rc)
		rc = run_groups(&c, plan, out);
	main->salt = c.salt;
	main->shown_ns = c.shown_ns;
	free(c.results.list);
	pbit_close(own);
	return rc;
}

int pbit__check_controls(struct pbit__check *c, struct pbit_check_report *report)
{
	for (uint32_t k = 0; k < PBIT__CHECK_CONTROLS; k++) {
		int rc = run_control(c, &plans[k], &report->control[k]);

		if (rc)
			return rc;
		report->summary.n_controls = k + 1;
		c->progress.done++;
	}
	return 0;
}
