/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what came of `pbit run`, as JSON or for people. */
#include <math.h>
#include <stdio.h>
#include "command.h"
#include "device_open.h"
#include "json.h"
#include "run_request.h"
#include "table.h"

static double images_per_second(const struct run_outcome *outcome)
{
	return outcome->seconds > 0 ? (double)outcome->images / outcome->seconds : NAN;
}

static void add_outcome(struct json *json, const struct run_outcome *outcome)
{
	json_count(json, "samples", outcome->samples);
	json_bool(json, "complete", outcome->is_complete);
	json_number(json, "accuracy", outcome->accuracy);
	json_number(json, "accuracy_standard_error", outcome->accuracy_error);
	json_number(json, "mean_samples", outcome->mean_samples);
	json_count(json, "images", outcome->images);
	json_number(json, "seconds", outcome->seconds);
	json_number(json, "images_per_second", images_per_second(outcome));
	json_count(json, "clipped_inputs", outcome->clipped_inputs);
}

static void add_devices(struct json *json, const struct run_report *report)
{
	const char *first = pbit_device_uri(report->devices[0]);
	uint64_t threads = device_uri_threads(first);

	json_string(json, "device", first);
	json_array(json, "devices");
	for (uint32_t i = 0; i < report->n_devices; i++) {
		json_object(json, NULL);
		json_string(json, "uri", pbit_device_uri(report->devices[i]));
		json_end(json);
	}
	json_end(json);
	if (threads)
		json_count(json, "threads", threads);
	else
		json_null(json, "threads");
}

static int print_json(const struct run_report *report, const struct pbit_model_info *info)
{
	const struct run_request *request = report->request;
	struct json json = {0};

	json_begin_document(&json, "run");
	json_string(&json, "model", info->name);
	json_string(&json, "model_path", request->model);
	json_string(&json, "data", request->data);
	add_outcome(&json, &report->outcomes[report->n_outcomes - 1]);
	json_count(&json, "seed", request->seed);
	if (request->confidence > 0)
		json_number(&json, "confidence", request->confidence);
	else
		json_null(&json, "confidence");
	add_devices(&json, report);
	if (request->is_sweep) {
		json_array(&json, "sweep");
		for (uint32_t i = 0; i < report->n_outcomes; i++) {
			json_object(&json, NULL);
			add_outcome(&json, &report->outcomes[i]);
			json_end(&json);
		}
		json_end(&json);
	}
	return json_print(&json);
}

static int print_facts(const struct run_report *report, const struct pbit_model_info *info,
		       const struct run_outcome *outcome)
{
	struct table table = {.columns = 2};
	char text[32], total[32];

	table_cell(&table, "model");
	table_cell(&table, *info->name ? info->name : report->request->model);
	table_cell(&table, "data");
	table_cell(&table, report->request->data);
	for (uint32_t i = 0; i < report->n_devices; i++) {
		table_cell(&table, i ? "" : "device");
		table_cell(&table, pbit_device_uri(report->devices[i]));
	}
	table_cell(&table, "images");
	if (outcome->is_complete)
		table_cell(&table, format_count(text, outcome->images));
	else
		table_cellf(&table, "%s of %s, incomplete", format_count(text, outcome->images),
			    format_count(total, report->n_images));
	if (outcome->clipped_inputs) {
		table_cell(&table, "clipped inputs");
		table_cell(&table, format_count(text, outcome->clipped_inputs));
	}
	return table_print(&table);
}

static int print_single(const struct run_outcome *outcome)
{
	struct table table = {.columns = 2};

	table_cell(&table, "samples");
	if (outcome->mean_samples < outcome->samples)
		table_cellf(&table, "%u at most, %.2f on average", outcome->samples,
			    outcome->mean_samples);
	else
		table_cellf(&table, "%u", outcome->samples);
	table_cell(&table, "accuracy");
	if (isnan(outcome->accuracy))
		table_cell(&table, "unknown without labels");
	else
		table_cellf(&table, "%.2f %% +- %.2f", outcome->accuracy * 100,
			    outcome->accuracy_error * 100);
	table_cell(&table, "time");
	table_cellf(&table, "%.3f s, %.0f images/s", outcome->seconds, images_per_second(outcome));
	return table_print(&table);
}

static int print_sweep(const struct run_report *report)
{
	static const char *const head[] = {"samples", "accuracy", "+-",	     "mean samples",
					   "images",  "seconds",  "images/s"};
	struct table table = {
		.columns = 7,
		.right = {true, true, true, true, true, true, true},
	};
	char text[32];

	for (size_t i = 0; i < table.columns; i++)
		table_cell(&table, head[i]);
	for (uint32_t i = 0; i < report->n_outcomes; i++) {
		const struct run_outcome *outcome = &report->outcomes[i];

		table_cellf(&table, "%u", outcome->samples);
		if (isnan(outcome->accuracy)) {
			table_cell(&table, "unknown");
			table_cell(&table, "");
		} else {
			table_cellf(&table, "%.2f %%", outcome->accuracy * 100);
			table_cellf(&table, "%.2f", outcome->accuracy_error * 100);
		}
		table_cellf(&table, "%.2f", outcome->mean_samples);
		table_cell(&table, format_count(text, outcome->images));
		table_cellf(&table, "%.3f", outcome->seconds);
		table_cellf(&table, "%.0f", images_per_second(outcome));
	}
	putchar('\n');
	return table_print(&table);
}

int run_report_print(const struct run_report *report)
{
	const struct run_outcome *last = &report->outcomes[report->n_outcomes - 1];
	struct pbit_model_info info = PBIT_INIT(info);
	int status;

	if (pbit_model_info(report->model, &info))
		return STATUS_FAILURE;
	if (report->request->want_json)
		return print_json(report, &info);
	status = print_facts(report, &info, last);
	if (status != STATUS_OK)
		return status;
	return report->request->is_sweep ? print_sweep(report) : print_single(last);
}
