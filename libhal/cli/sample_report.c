/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what came of `pbit sample`, as JSON or for people. */
#include <math.h>
#include <stdio.h>
#include "command.h"
#include "sample.h"
#include "table.h"

/* Means of p-bits that a person is shown. */
#define SHOWN_PBITS 32u

struct report {
	const struct sample_request *request;
	const struct machine *machine;
	const struct pbit_device *dev;
	const struct sample_tally *tally;
	const struct sample_outcome *outcome;
};

static double mean_of(const struct report *r, uint32_t i)
{
	double count = (double)r->tally->samples * (double)r->request->replicas;

	return 2.0 * (double)r->tally->up[i] / count - 1;
}

static uint64_t updates_of(const struct report *r)
{
	return r->outcome->sweeps * (r->machine->n - r->machine->n_clamped) * r->request->replicas;
}

static void add_energy(struct json *json, const struct report *r)
{
	struct series_result e;

	series_result(&r->tally->energy, &e);
	json_object(json, "energy");
	json_number(json, "mean", e.mean);
	json_number(json, "min", e.least);
	json_number(json, "standard_error", e.error);
	json_number(json, "autocorrelation_time", e.tau);
	json_number(json, "autocorrelation_sweeps", e.tau * (double)r->request->interval);
	json_number(json, "effective_samples", (double)e.count / (e.tau > 1 ? e.tau : 1));
	json_bool(json, "reliable", e.is_reliable);
	json_end(json);
}

static void add_magnetisation(struct json *json, const struct report *r)
{
	struct series_result m, a;

	series_result(&r->tally->magnetisation, &m);
	series_result(&r->tally->absolute, &a);
	json_object(json, "magnetisation");
	json_number(json, "mean", m.mean);
	json_number(json, "standard_error", m.error);
	json_number(json, "mean_absolute", a.mean);
	json_number(json, "mean_absolute_standard_error", a.error);
	json_end(json);
}

static void add_means(struct json *json, const struct report *r)
{
	json_array(json, "means");
	for (uint32_t i = 0; i < r->machine->n; i++)
		json_number(json, NULL, mean_of(r, i));
	json_end(json);
	if (!r->machine->info.labels)
		return;
	json_array(json, "labels");
	for (uint32_t i = 0; i < r->machine->n; i++)
		json_string(json, NULL, r->machine->info.labels[i]);
	json_end(json);
}

/* p-bit 0 first, '+' and '-'. */
static const char *show_state(const struct report *r, uint64_t state, char *text)
{
	for (uint32_t i = 0; i < r->machine->n; i++)
		text[i] = state_bit(&state, i) > 0 ? '+' : '-';
	text[r->machine->n] = '\0';
	return text;
}

static void add_states(struct json *json, const struct report *r)
{
	char text[SAMPLE_COUNT_PBITS + 1];

	if (!r->tally->states)
		return;
	json_array(json, "states");
	for (uint64_t s = 0; s < UINT64_C(1) << r->machine->n; s++) {
		if (!r->tally->states[s])
			continue;
		json_object(json, NULL);
		json_string(json, "state", show_state(r, s, text));
		json_number(json, "energy", machine_energy(r->machine, &s));
		json_count(json, "count", r->tally->states[s]);
		json_end(json);
	}
	json_end(json);
}

static int print_json(const struct report *r)
{
	const struct sample_request *request = r->request;
	struct json json = {0};

	json_begin_document(&json, "sample");
	json_string(&json, "device", pbit_device_uri(r->dev));
	machine_json(&json, r->machine);
	json_number(&json, "beta", request->beta);
	json_string(&json, "order", order_name(r->dev, request->order));
	json_count(&json, "replicas", request->replicas);
	json_count(&json, "seed", request->seed);
	json_count(&json, "burn", request->burn);
	json_count(&json, "interval", request->interval);
	json_count(&json, "first_sweep", r->outcome->first_sweep);
	json_count(&json, "sweeps", r->outcome->sweeps);
	json_count(&json, "samples", r->tally->samples);
	json_bool(&json, "complete", r->outcome->is_complete);
	json_number(&json, "seconds", r->outcome->seconds);
	json_count(&json, "updates", updates_of(r));
	add_energy(&json, r);
	add_magnetisation(&json, r);
	add_means(&json, r);
	add_states(&json, r);
	return json_print(&json);
}

static void add_value(struct table *table, const char *name, const struct series_result *v)
{
	table_cell(table, name);
	if (isnan(v->error))
		table_cellf(table, "%.6g", v->mean);
	else
		table_cellf(table, "%.6g +- %.2g%s", v->mean, v->error,
			    v->is_reliable ? "" : " (too few samples to be sure of the error)");
}

static int print_facts(const struct report *r)
{
	struct series_result e, m, a;
	struct table table = {.columns = 2};
	char text[32], more[32];

	series_result(&r->tally->energy, &e);
	series_result(&r->tally->magnetisation, &m);
	series_result(&r->tally->absolute, &a);
	table_cell(&table, "machine");
	table_cellf(&table, "%s (%s)", r->machine->path,
		    pbit_bm_format_name(r->machine->info.format));
	table_cell(&table, "device");
	table_cell(&table, pbit_device_uri(r->dev));
	table_cell(&table, "p-bits");
	table_cellf(&table, "%s, %s couplings", format_count(text, r->machine->n),
		    format_count(more, pbit_bm_couplings(r->machine->bm)));
	table_cell(&table, "beta");
	table_cellf(&table, "%g", r->request->beta);
	table_cell(&table, "samples");
	table_cellf(&table, "%s in each of %llu replicas%s", format_count(text, r->tally->samples),
		    (unsigned long long)r->request->replicas,
		    r->outcome->is_complete ? "" : ", incomplete");
	add_value(&table, "energy", &e);
	table_cell(&table, "lowest energy");
	table_cellf(&table, "%.10g", e.least);
	table_cell(&table, "autocorrelation");
	table_cellf(&table, "%.3g sweeps, %.3g effective samples",
		    e.tau * (double)r->request->interval,
		    (double)e.count / (e.tau > 1 ? e.tau : 1));
	add_value(&table, "magnetisation", &m);
	add_value(&table, "absolute", &a);
	table_cell(&table, "time");
	table_cellf(&table, "%.3f s, %.3g updates/s", r->outcome->seconds,
		    (double)updates_of(r) / r->outcome->seconds);
	return table_print(&table);
}

static int print_means(const struct report *r)
{
	struct table table = {.columns = 2, .right = {false, true}};
	char buf[16];

	if (r->machine->n > SHOWN_PBITS)
		return STATUS_OK;
	putchar('\n');
	table_cell(&table, "p-bit");
	table_cell(&table, "mean");
	for (uint32_t i = 0; i < r->machine->n; i++) {
		table_cell(&table, machine_label(r->machine, i, buf));
		table_cellf(&table, "%+.4f", mean_of(r, i));
	}
	return table_print(&table);
}

int sample_report(const struct sample_request *request, const struct machine *machine,
		  const struct pbit_device *dev, const struct sample_tally *tally,
		  const struct sample_outcome *outcome)
{
	const struct report r = {request, machine, dev, tally, outcome};
	int status;

	if (request->want_json)
		return print_json(&r);
	status = print_facts(&r);
	return status == STATUS_OK ? print_means(&r) : status;
}
