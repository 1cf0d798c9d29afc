/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit plan`: what becomes of a model's layers on a device that has Boltzmann mode only. */
#include <stdio.h>
#include <string.h>
#include <pbit/pbit.h>
#include "caps_names.h"
#include "command.h"
#include "device_open.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"

struct plan {
	const char *path, *uri;
	uint64_t couplings;
	double max_error;
	bool fold, saturate, want_json;
	struct pbit_device *dev;
	struct pbit_model *model;
	struct pbit_lower_plan *lowered;
	struct pbit_caps caps;
	bool native;
};

static bool parse(struct plan *plan, int argc, char **argv, int *status)
{
	const struct option options[] = {
		{.name = "device",
		 .value = "URI",
		 .help = "device; without it: the best one",
		 .kind = OPTION_TEXT,
		 .target = &plan->uri},
		{.name = "couplings",
		 .value = "N",
		 .kind = OPTION_NUMBER,
		 .help = "inputs of an output kept on the device, at most",
		 .target = &plan->couplings,
		 .min = 1,
		 .max = UINT32_MAX},
		{.name = "fold",
		 .help = "keep none: the host makes every sum",
		 .target = &plan->fold},
		{.name = "max-error",
		 .value = "P",
		 .kind = OPTION_REAL,
		 .help = "largest worst error of a probability that is accepted",
		 .target = &plan->max_error,
		 .real_min = 0,
		 .real_max = 1},
		{.name = "saturate",
		 .help = "allow values out of range to be clipped",
		 .target = &plan->saturate},
		{.name = "json", .help = "print JSON", .target = &plan->want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit plan",
		.operands = "MODEL",
		.summary = "Plans how a model's layers are lowered onto a device's Boltzmann mode.",
		.options = options,
		.min_operands = 1,
		.max_operands = 1,
	};

	return options_parse(&syntax, argc, argv, &plan->path, status) >= 0;
}

static int make(struct plan *plan)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);

	plan->caps = (struct pbit_caps)PBIT_INIT(plan->caps);
	opts.couplings = (uint32_t)plan->couplings;
	opts.max_error = plan->max_error;
	opts.flags =
		(plan->fold ? PBIT_LOWER_FOLD : 0) | (plan->saturate ? PBIT_LOWER_SATURATE : 0);
	if (pbit_model_open(plan->path, &plan->model) || device_open(plan->uri, 0, &plan->dev) ||
	    pbit_get_caps(plan->dev, &plan->caps))
		return report_failure();
	plan->native = plan->caps.flags & PBIT_FLAG_LAYERS;
	if (!(plan->caps.flags & PBIT_FLAG_BOLTZMANN)) {
		report("%s: the device has no Boltzmann mode to lower layers to",
		       pbit_device_uri(plan->dev));
		return STATUS_FAILURE;
	}
	if (pbit_lower_plan(plan->model, &plan->caps, &opts, &plan->lowered))
		return report_failure();
	return STATUS_OK;
}

static void add_machine(struct json *json, const struct pbit_lower_layer *layer)
{
	json_count(json, "machine_pbits", layer->pbits);
	json_count(json, "tile_outputs", layer->outputs);
	json_count(json, "kept_inputs", layer->kept);
	json_count(json, "folded_inputs", layer->folded);
	json_count(json, "copies", layer->copies);
	json_bool(json, "saturates", layer->saturates);
	json_bool(json, "native_draws", layer->same_draws);
	json_count(json, "programs", layer->programs);
	json_number(json, "updates_per_sample", layer->updates);
	json_number(json, "bias_changes_per_sample", layer->biases);
	json_number(json, "beta", layer->beta);
	json_number(json, "coupling_step", layer->coupling_step);
	json_number(json, "bias_step", layer->bias_step);
	json_number(json, "worst_error", layer->worst_error);
	json_number(json, "typical_error", layer->typical_error);
}

static void add_layer(struct json *json, const struct plan *plan,
		      const struct pbit_lower_layer *layer)
{
	const struct pbit_layer *l = pbit_model_layer(plan->model, layer->index);

	json_object(json, NULL);
	json_count(json, "index", layer->index);
	json_string(json, "name", *l->name ? l->name : NULL);
	json_string(json, "type", layer_type_name(l->type));
	json_string(json, "place", layer->place == PBIT_LOWER_ON_HOST ? "host" : "device");
	json_string(json, "verdict", pbit_lower_verdict_name(layer->verdict));
	json_string(json, "limit", *layer->limit ? layer->limit : NULL);
	if (layer->place == PBIT_LOWER_ON_DEVICE && layer->verdict != PBIT_LOWER_IMPOSSIBLE)
		add_machine(json, layer);
	json_end(json);
}

static int print_json(const struct plan *plan)
{
	struct pbit_lower_layer layer = PBIT_INIT(layer);
	struct json json = {0};

	json_begin_document(&json, "plan");
	json_string(&json, "model", plan->path);
	json_string(&json, "device", pbit_device_uri(plan->dev));
	json_bool(&json, "device_runs_layers", plan->native);
	json_string(&json, "verdict",
		    pbit_lower_verdict_name(pbit_lower_plan_verdict(plan->lowered)));
	json_array(&json, "layers");
	for (uint32_t i = 0; i < pbit_lower_plan_layers(plan->lowered); i++) {
		if (pbit_lower_plan_layer(plan->lowered, i, &layer))
			return report_failure();
		add_layer(&json, plan, &layer);
	}
	json_end(&json);
	return json_print(&json);
}

static void add_errors(struct table *table, const struct pbit_lower_layer *layer)
{
	if (layer->verdict == PBIT_LOWER_EXACT) {
		table_cell(table, "0");
		table_cell(table, "0");
		return;
	}
	table_cellf(table, "%.2g", layer->worst_error);
	table_cellf(table, "%.2g", layer->typical_error);
}

static void add_row(struct table *table, const struct pbit_lower_layer *layer)
{
	char number[32];

	table_cellf(table, "%u", layer->index);
	table_cell(table, pbit_lower_verdict_name(layer->verdict));
	if (layer->place == PBIT_LOWER_ON_HOST || layer->verdict == PBIT_LOWER_IMPOSSIBLE) {
		table_cell(table, layer->place == PBIT_LOWER_ON_HOST ? "host" : "");
		for (int i = 0; i < 6; i++)
			table_cell(table, "");
		return;
	}
	table_cellf(table, "%u", layer->outputs);
	table_cellf(table, "%u+%u", layer->kept, layer->folded);
	table_cellf(table, "%.4g", layer->beta);
	add_errors(table, layer);
	table_cell(table, format_count(number, layer->programs));
	table_cellf(table, "%g", layer->updates);
}

static int print_table(const struct plan *plan)
{
	static const char *const heads[] = {"layer", "verdict", "tile",	    "kept+folded", "beta",
					    "worst", "typical", "programs", "updates",	   NULL};
	struct pbit_lower_layer layer = PBIT_INIT(layer);
	struct table table = {.columns = 9};
	int status;

	for (size_t i = 0; heads[i]; i++) {
		table.right[i] = i > 1;
		table_cell(&table, heads[i]);
	}
	for (uint32_t i = 0; i < pbit_lower_plan_layers(plan->lowered); i++) {
		if (pbit_lower_plan_layer(plan->lowered, i, &layer))
			return report_failure();
		add_row(&table, &layer);
	}
	status = table_print(&table);
	for (uint32_t i = 0; i < pbit_lower_plan_layers(plan->lowered); i++)
		if (!pbit_lower_plan_layer(plan->lowered, i, &layer) && *layer.limit)
			printf("layer %u: %s\n", i, layer.limit);
	if (plan->native)
		printf("The device runs layers itself; lowering is not needed there.\n");
	return status;
}

int command_plan(int argc, char **argv)
{
	struct plan plan = {.path = NULL};
	int status;

	if (!parse(&plan, argc, argv, &status))
		return status;
	status = make(&plan);
	if (status == STATUS_OK)
		status = plan.want_json ? print_json(&plan) : print_table(&plan);
	if (status == STATUS_OK && pbit_lower_plan_verdict(plan.lowered) == PBIT_LOWER_IMPOSSIBLE)
		status = STATUS_FAILURE;
	pbit_lower_plan_free(plan.lowered);
	pbit_close(plan.dev);
	pbit_model_put(plan.model);
	return status;
}
