/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: made, read, freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "check/suite.h"
#include "core/args.h"

static const char what[] = "cannot read the report";

const char *pbit_check_verdict_name(uint32_t verdict)
{
	static const char *const names[] = {"pass", "fail", "not applicable", "refused",
					    "incomplete"};

	return verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "unknown";
}

struct pbit_check_report *pbit__check_report_new(struct pbit_device *dev, struct pbit_device *other)
{
	struct pbit_check_report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->device = strdup(pbit_device_uri(dev));
	r->against = strdup(other ? pbit_device_uri(other) : "");
	if (!r->device || !r->against) {
		pbit_check_report_free(r);
		return NULL;
	}
	r->summary.struct_size = sizeof(r->summary);
	r->summary.false_alarm = PBIT__CHECK_FAMILY;
	return r;
}

void pbit_check_report_free(struct pbit_check_report *report)
{
	if (!report)
		return;
	free(report->results.list);
	free(report->fits);
	free(report->device);
	free(report->against);
	free(report);
}

static int fail_null(void)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "report", NULL, "the pointer is NULL");
}

static int fail_end(const char *where, uint32_t i, uint32_t n)
{
	return pbit_fail(-ENOENT, PBIT_ERR_ARGUMENT, what, where, NULL,
			 "number %u is asked for, there are %u", i, n);
}

int pbit_check_report_summary(const struct pbit_check_report *report,
			      struct pbit_check_summary *summary)
{
	struct pbit_check_summary own;

	if (!report)
		return fail_null();
	own = report->summary;
	own.device = report->device;
	own.against = report->against;
	own.reason = report->reason;
	return pbit__args_write(summary, &own, sizeof(own), sizeof(uint32_t), what, "summary");
}

int pbit_check_report_test(const struct pbit_check_report *report, uint32_t i,
			   struct pbit_check_test *test)
{
	const struct pbit__check_result *r;
	struct pbit_check_test own;

	if (!report)
		return fail_null();
	if (i >= report->results.n)
		return fail_end("test", i, report->results.n);
	r = &report->results.list[i];
	own = r->test;
	own.name = r->name;
	own.defect = r->defect;
	own.reason = r->reason;
	return pbit__args_write(test, &own, sizeof(own), sizeof(uint32_t), what, "test");
}

int pbit_check_report_control(const struct pbit_check_report *report, uint32_t i,
			      struct pbit_check_control *control)
{
	struct pbit_check_control own;

	if (!report)
		return fail_null();
	if (i >= report->summary.n_controls)
		return fail_end("control", i, report->summary.n_controls);
	own = report->control[i].control;
	own.test = report->control[i].test;
	own.reason = report->control[i].reason;
	return pbit__args_write(control, &own, sizeof(own), sizeof(uint32_t), what, "control");
}

int pbit_check_report_fit(const struct pbit_check_report *report, uint32_t i,
			  struct pbit_check_fit *fit)
{
	if (!report)
		return fail_null();
	if (i >= report->summary.n_fits)
		return fail_end("fit", i, report->summary.n_fits);
	return pbit__args_write(fit, &report->fits[i], sizeof(report->fits[i]), sizeof(uint32_t),
				what, "fit");
}
