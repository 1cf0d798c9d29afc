/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit model show`: layers, shapes, bits, sizes and provenance of a model file. */
#include <stdio.h>
#include <stdlib.h>
#include <pbit/model.h>
#include "caps_names.h"
#include "command.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"

#define CLASSES_SHOWN 20u

static uint64_t count_weights(const struct pbit_layer *layer)
{
	return layer->weight_bits ? (uint64_t)layer->n_out * layer->fan_in : 0;
}

static void add_shape(struct json *json, const char *name, const struct pbit_shape *shape)
{
	json_array(json, name);
	json_count(json, NULL, shape->channels);
	json_count(json, NULL, shape->height);
	json_count(json, NULL, shape->width);
	json_end(json);
}

static void add_pair(struct json *json, const char *name, uint32_t height, uint32_t width)
{
	json_array(json, name);
	json_count(json, NULL, height);
	json_count(json, NULL, width);
	json_end(json);
}

static void add_layer(struct json *json, const struct pbit_layer *layer)
{
	json_object(json, NULL);
	json_count(json, "index", layer->index);
	json_string(json, "type", layer_type_name(layer->type));
	json_string(json, "name", *layer->name ? layer->name : NULL);
	add_shape(json, "in", &layer->in);
	add_shape(json, "out", &layer->out);
	json_string(json, "activation", activation_name(layer->activation));
	json_string(json, "in_encoding", encoding_name(layer->in_encoding));
	if (layer->activation == PBIT_ACT_PBIT || layer->type == PBIT_MAXPOOL)
		json_string(json, "encoding", encoding_name(layer->encoding));
	else
		json_null(json, "encoding");
	if (layer->type != PBIT_DENSE) {
		add_pair(json, "kernel", layer->kernel_h, layer->kernel_w);
		add_pair(json, "stride", layer->stride_h, layer->stride_w);
		add_pair(json, "padding", layer->pad_h, layer->pad_w);
	}
	if (layer->type != PBIT_MAXPOOL) {
		json_number(json, "beta", (double)layer->beta);
		json_count(json, "weight_bits", layer->weight_bits);
		json_count(json, "fan_in", layer->fan_in);
		json_count(json, "weights", count_weights(layer));
		json_count(json, "weight_bytes", layer->weights_size);
		json_count(json, "scales", layer->n_scale);
	}
	json_end(json);
}

static void add_input(struct json *json, const struct pbit_model_info *info)
{
	json_object(json, "input");
	add_shape(json, "shape", &info->in);
	json_count(json, "values", info->n_inputs);
	json_count(json, "bits", info->input_bits);
	json_number(json, "scale", (double)info->input_scale);
	json_count(json, "zero", info->input_zero);
	json_string(json, "order", info->input_chw ? "chw" : "hwc");
	json_end(json);
}

static void add_lists(struct json *json, const struct pbit_model *model,
		      const struct pbit_model_info *info)
{
	const char *key, *value;

	json_array(json, "classes");
	for (uint32_t i = 0; i < info->n_classes; i++)
		json_string(json, NULL, pbit_model_class(model, i));
	json_end(json);
	/* Pairs, since a file may hold the same key twice. */
	json_array(json, "provenance");
	for (uint32_t i = 0; !pbit_model_provenance(model, i, &key, &value); i++) {
		json_object(json, NULL);
		json_string(json, "key", key);
		json_string(json, "value", value);
		json_end(json);
	}
	json_end(json);
	json_array(json, "layers");
	for (uint32_t i = 0; i < info->n_layers; i++)
		add_layer(json, pbit_model_layer(model, i));
	json_end(json);
}

static int print_json(const struct pbit_model *model, const struct pbit_model_info *info)
{
	struct json json = {0};

	json_begin_document(&json, "model show");
	json_string(&json, "path", info->path);
	json_string(&json, "name", info->name);
	json_string(&json, "description", *info->description ? info->description : NULL);
	add_input(&json, info);
	json_count(&json, "outputs", info->n_outputs);
	json_count(&json, "pbits", info->n_pbits);
	json_count(&json, "weights", info->n_weights);
	json_count(&json, "macs", info->n_macs);
	json_count(&json, "weight_bytes", info->weight_bytes);
	add_lists(&json, model, info);
	return json_print(&json);
}

static void shape_cell(struct table *table, const struct pbit_shape *shape)
{
	if (shape->height == 1 && shape->width == 1)
		table_cellf(table, "%u", shape->channels);
	else
		table_cellf(table, "%ux%ux%u", shape->channels, shape->height, shape->width);
}

static void fact(struct table *table, const char *label, const char *value)
{
	table_cell(table, label);
	table_cell(table, value);
}

/* The names, as many as a screen bears. */
static void classes_fact(struct table *table, const struct pbit_model *model, uint32_t n)
{
	uint32_t shown = n < CLASSES_SHOWN ? n : CLASSES_SHOWN;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream) {
		table->failed = true;
		return;
	}
	for (uint32_t i = 0; i < shown; i++)
		fprintf(stream, "%s%s", i ? ", " : "", pbit_model_class(model, i));
	if (shown < n)
		fprintf(stream, ", and %u more", n - shown);
	if (fclose(stream))
		table->failed = true;
	else
		fact(table, "classes", text);
	free(text);
}

static int print_facts(const struct pbit_model *model, const struct pbit_model_info *info)
{
	struct table table = {.columns = 2};
	const char *key, *value;
	char text[32];

	fact(&table, "model", info->name);
	if (*info->description)
		fact(&table, "description", info->description);
	table_cell(&table, "input");
	table_cellf(&table, "%s values of %u bits, %g * (code - %u)%s",
		    format_count(text, info->n_inputs), info->input_bits, (double)info->input_scale,
		    info->input_zero, info->input_chw ? ", channels first" : "");
	fact(&table, "outputs", format_count(text, info->n_outputs));
	fact(&table, "p-bits", format_count(text, info->n_pbits));
	fact(&table, "weights", format_count(text, info->n_weights));
	fact(&table, "multiply-adds", format_count(text, info->n_macs));
	fact(&table, "weights packed", format_bytes(text, info->weight_bytes));
	if (info->n_classes)
		classes_fact(&table, model, info->n_classes);
	for (uint32_t i = 0; !pbit_model_provenance(model, i, &key, &value); i++)
		fact(&table, key, value);
	return table_print(&table);
}

static void layer_row(struct table *table, const struct pbit_layer *layer)
{
	char text[32];

	table_cellf(table, "%u", layer->index);
	table_cell(table, layer_type_name(layer->type));
	shape_cell(table, &layer->in);
	shape_cell(table, &layer->out);
	if (layer->activation == PBIT_ACT_PBIT)
		table_cellf(table, "%s", encoding_name(layer->encoding));
	else
		table_cell(table, activation_name(layer->activation));
	if (layer->type == PBIT_MAXPOOL) {
		table_cell(table, "");
		table_cell(table, "");
		table_cell(table, "");
		return;
	}
	table_cellf(table, "%u", layer->weight_bits);
	table_cell(table, format_count(text, layer->fan_in));
	table_cell(table, format_bytes(text, layer->weights_size));
}

static int print_layers(const struct pbit_model *model, const struct pbit_model_info *info)
{
	static const char *const head[] = {"#",	     "type", "in",     "out",
					   "output", "bits", "fan-in", "size"};
	struct table table = {
		.columns = 8,
		.right = {true, false, true, true, false, true, true, true},
	};

	for (size_t i = 0; i < table.columns; i++)
		table_cell(&table, head[i]);
	for (uint32_t i = 0; i < info->n_layers; i++)
		layer_row(&table, pbit_model_layer(model, i));
	putchar('\n');
	return table_print(&table);
}

static int show(const struct pbit_model *model, bool want_json)
{
	struct pbit_model_info info = PBIT_INIT(info);
	int status;

	if (pbit_model_info(model, &info))
		return report_failure();
	if (want_json)
		return print_json(model, &info);
	status = print_facts(model, &info);
	return status == STATUS_OK ? print_layers(model, &info) : status;
}

int model_show(int argc, char **argv)
{
	struct pbit_model *model;
	bool want_json = false;
	const char *path;
	const struct option options[] = {
		{.name = "json", .help = "print JSON", .target = &want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit model show",
		.operands = "FILE",
		.summary = "Shows what a model file holds.",
		.options = options,
		.min_operands = 1,
		.max_operands = 1,
	};
	int status;

	if (options_parse(&syntax, argc, argv, &path, &status) < 0)
		return status;
	if (pbit_model_open(path, &model))
		return report_failure();
	status = show(model, want_json);
	pbit_model_put(model);
	return status;
}
