/* SPDX-License-Identifier: Apache-2.0 */
/* The report of `pbit check` as a table and as JSON. */
#include "check_report.h"

#include <math.h>
#include <stdio.h>
#include "certificate.h"
#include "command.h"
#include "json.h"
#include "report.h"
#include "table.h"

static void add_row(struct table *table, const struct pbit_check_test *t)
{
	char p[24], again[24];

	table_cell(table, t->name);
	table_cell(table, pbit_check_verdict_name(t->verdict));
	if (t->verdict == PBIT_CHECK_NOT_APPLICABLE) {
		for (int k = 0; k < 3; k++)
			table_cell(table, "");
		table_cell(table, t->reason);
		return;
	}
	if (isnan(t->p_repeat))
		table_cell(table, certificate_p(p, sizeof(p), t->p));
	else
		table_cellf(table, "%s, %s", certificate_p(p, sizeof(p), t->p),
			    certificate_p(again, sizeof(again), t->p_repeat));
	table_cellf(table, "%llu", (unsigned long long)t->samples);
	if (isnan(t->power))
		table_cell(table, "");
	else
		table_cellf(table, "%.1f%%", 100.0 * t->power);
	table_cell(table, *t->reason ? t->reason : t->defect);
}

static int print_tests(const struct pbit_check_report *report, uint32_t n)
{
	static const char *const head[] = {"test", "verdict", "p", "samples", "power", "against"};
	struct table table = {.columns = 6, .right = {false, false, true, true, true, false}};

	for (size_t k = 0; k < table.columns; k++)
		table_cell(&table, head[k]);
	for (uint32_t i = 0; i < n; i++) {
		struct pbit_check_test t = PBIT_INIT(t);

		if (!pbit_check_report_test(report, i, &t))
			add_row(&table, &t);
	}
	return table_print(&table);
}

static int print_controls(const struct pbit_check_report *report, uint32_t n)
{
	static const char *const head[] = {"control", "verdict", "p", "test"};
	struct table table = {.columns = 4, .right = {false, false, true, false}};

	for (size_t k = 0; k < table.columns; k++)
		table_cell(&table, head[k]);
	for (uint32_t i = 0; i < n; i++) {
		struct pbit_check_control c = PBIT_INIT(c);
		char p[24];

		if (pbit_check_report_control(report, i, &c))
			continue;
		table_cell(&table, c.name);
		table_cell(&table, c.rejected ? "rejected" : "NOT REJECTED");
		table_cell(&table, certificate_p(p, sizeof(p), c.p));
		table_cell(&table, *c.reason ? c.reason : c.test);
	}
	return table_print(&table);
}

int check_report_table(const struct pbit_check_report *report_)
{
	struct pbit_check_summary s = PBIT_INIT(s);
	int status;

	if (pbit_check_report_summary(report_, &s))
		return report_failure();
	printf("device %s\n", s.device);
	if (*s.against)
		printf("against %s\n", s.against);
	putchar('\n');
	status = print_tests(report_, s.n_tests);
	if (status == STATUS_OK && s.n_controls) {
		putchar('\n');
		status = print_controls(report_, s.n_controls);
	}
	printf("\n%s%s%s\n", pbit_check_verdict_name(s.verdict), *s.reason ? ": " : "", s.reason);
	printf("A right device fails with a probability below %g; %.1f s.\n", s.false_alarm,
	       s.seconds);
	return status;
}

static void add_test(struct json *json, const struct pbit_check_test *t)
{
	json_object(json, NULL);
	json_string(json, "name", t->name);
	json_string(json, "verdict", pbit_check_verdict_name(t->verdict));
	json_string(json, "reason", *t->reason ? t->reason : NULL);
	json_number(json, "p", t->p);
	json_number(json, "p_repeat", t->p_repeat);
	json_number(json, "power", t->power);
	json_string(json, "defect", *t->defect ? t->defect : NULL);
	json_count(json, "samples", t->samples);
	json_count(json, "interval", t->interval);
	json_count(json, "burn_in", t->burn_in);
	json_number(json, "tau", t->tau);
	json_number(json, "ess", t->ess);
	json_number(json, "statistic", t->statistic);
	json_number(json, "df", t->df);
	json_end(json);
}

static void add_control(struct json *json, const struct pbit_check_control *c)
{
	json_object(json, NULL);
	json_string(json, "name", c->name);
	json_bool(json, "rejected", c->rejected);
	json_number(json, "p", c->p);
	json_string(json, "test", *c->test ? c->test : NULL);
	json_string(json, "device", *c->device ? c->device : NULL);
	json_string(json, "reason", *c->reason ? c->reason : NULL);
	json_end(json);
}

static void add_fit(struct json *json, const struct pbit_check_fit *f)
{
	json_object(json, NULL);
	json_count(json, "pbit", f->pbit);
	json_number(json, "gain", f->gain);
	json_number(json, "gain_error", f->gain_error);
	json_number(json, "offset", f->offset);
	json_number(json, "offset_error", f->offset_error);
	json_number(json, "shape_p", f->shape_p);
	json_end(json);
}

static void add_lists(struct json *json, const struct pbit_check_report *report,
		      const struct pbit_check_summary *s)
{
	json_array(json, "tests");
	for (uint32_t i = 0; i < s->n_tests; i++) {
		struct pbit_check_test t = PBIT_INIT(t);

		if (!pbit_check_report_test(report, i, &t))
			add_test(json, &t);
	}
	json_end(json);
	json_array(json, "controls");
	for (uint32_t i = 0; i < s->n_controls; i++) {
		struct pbit_check_control c = PBIT_INIT(c);

		if (!pbit_check_report_control(report, i, &c))
			add_control(json, &c);
	}
	json_end(json);
	json_array(json, "fits");
	for (uint32_t i = 0; i < s->n_fits; i++) {
		struct pbit_check_fit f = PBIT_INIT(f);

		if (!pbit_check_report_fit(report, i, &f))
			add_fit(json, &f);
	}
	json_end(json);
}

int check_report_json(const struct pbit_check_report *report)
{
	struct pbit_check_summary s = PBIT_INIT(s);
	struct json json = {0};

	if (pbit_check_report_summary(report, &s))
		return report_failure();
	json_begin_document(&json, "check");
	json_string(&json, "device", s.device);
	json_string(&json, "against", *s.against ? s.against : NULL);
	json_string(&json, "verdict", pbit_check_verdict_name(s.verdict));
	json_string(&json, "reason", *s.reason ? s.reason : NULL);
	json_number(&json, "false_alarm", s.false_alarm);
	json_number(&json, "alpha", s.alpha);
	json_count(&json, "seed", s.seed);
	json_number(&json, "seconds", s.seconds);
	add_lists(&json, report, &s);
	return json_print(&json);
}
