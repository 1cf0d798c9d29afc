/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit info`: a device's capability record. What a device leaves unstated is said to be so. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <pbit/pbit.h>
#include "caps_names.h"
#include "command.h"
#include "device_open.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"

/* One row of the record, for both kinds of output. */
struct view {
	bool want_json;
	const struct pbit_caps *caps;
	struct json json;
	struct table table;
};

static bool is_stated(const struct view *view, uint64_t bit)
{
	return view->caps->stated & bit;
}

static void show_unstated(struct view *view, const char *key, const char *label)
{
	if (view->want_json) {
		json_null(&view->json, key);
		return;
	}
	table_cell(&view->table, label);
	table_cell(&view->table, "unstated");
}

static void show_text(struct view *view, const char *key, const char *label, const char *value)
{
	if (view->want_json) {
		json_string(&view->json, key, *value ? value : NULL);
		return;
	}
	table_cell(&view->table, label);
	table_cell(&view->table, *value ? value : "none");
}

static void show_count(struct view *view, uint64_t bit, const char *key, const char *label,
		       uint64_t value)
{
	char text[32];

	if (!is_stated(view, bit)) {
		show_unstated(view, key, label);
	} else if (view->want_json) {
		json_count(&view->json, key, value);
	} else {
		table_cell(&view->table, label);
		table_cell(&view->table, format_count(text, value));
	}
}

static void show_real(struct view *view, uint64_t bit, const char *key, const char *label,
		      double value, const char *unit)
{
	if (!is_stated(view, bit)) {
		show_unstated(view, key, label);
	} else if (view->want_json) {
		json_number(&view->json, key, value);
	} else {
		table_cell(&view->table, label);
		table_cellf(&view->table, "%g %s", value, unit);
	}
}

static void show_name(struct view *view, uint64_t bit, const char *key, const char *label,
		      const char *value)
{
	if (is_stated(view, bit))
		show_text(view, key, label, value);
	else
		show_unstated(view, key, label);
}

static void show_format(struct view *view, uint64_t bit, const char *key, const char *label,
			const struct pbit_format *format)
{
	struct json *json = &view->json;
	bool is_float = format->integer_bits == 255;
	char name[24];

	if (!is_stated(view, bit)) {
		show_unstated(view, key, label);
		return;
	}
	format_name(format, name);
	if (!view->want_json) {
		table_cell(&view->table, label);
		table_cellf(&view->table, "%s, from %g to %g", name, format->min, format->max);
		return;
	}
	json_object(json, key);
	json_string(json, "format", name);
	if (is_float) {
		json_null(json, "integer_bits");
		json_null(json, "fraction_bits");
	} else {
		json_count(json, "integer_bits", format->integer_bits);
		json_count(json, "fraction_bits", format->fraction_bits);
	}
	json_number(json, "min", format->min);
	json_number(json, "max", format->max);
	json_end(json);
}

static void append(char *text, size_t size, const char *name)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

static void show_bits(struct view *view, const char *key, const char *label, uint32_t mask,
		      const struct bit_name *names)
{
	char text[256] = "";

	if (view->want_json) {
		json_array(&view->json, key);
		for (; names->name; names++)
			if (mask & names->bit)
				json_string(&view->json, NULL, names->name);
		json_end(&view->json);
		return;
	}
	for (; names->name; names++)
		if (mask & names->bit)
			append(text, sizeof(text), names->name);
	show_text(view, key, label, text);
}

static void show_weight_bits(struct view *view)
{
	uint32_t mask = view->caps->weight_bits;
	char text[128] = "", number[8];

	if (!is_stated(view, PBIT_CAP_WEIGHT_BITS)) {
		show_unstated(view, "weight_bits", "weight bits");
		return;
	}
	if (view->want_json)
		json_array(&view->json, "weight_bits");
	for (uint32_t bits = 1; bits <= 32; bits++) {
		if (!(mask >> (bits - 1) & 1))
			continue;
		snprintf(number, sizeof(number), "%u", bits);
		append(text, sizeof(text), number);
		if (view->want_json)
			json_count(&view->json, NULL, bits);
	}
	if (view->want_json)
		json_end(&view->json);
	else
		show_text(view, "weight_bits", "weight bits", text);
}

static void show_layer_mode(struct view *view)
{
	static const struct bit_name types[] = {
		{1u << PBIT_DENSE, "dense"},
		{1u << PBIT_CONV2D, "conv2d"},
		{1u << PBIT_MAXPOOL, "maxpool"},
		{0, NULL},
	};
	static const struct bit_name activations[] = {
		{1u << PBIT_ACT_PBIT, "pbit"},
		{1u << PBIT_ACT_LINEAR, "linear"},
		{1u << PBIT_ACT_SIGMOID, "sigmoid"},
		{0, NULL},
	};

	show_weight_bits(view);
	show_bits(view, "layer_types", "layer types", view->caps->layer_types, types);
	show_bits(view, "activations", "activations", view->caps->activations, activations);
	show_count(view, PBIT_CAP_MEMORY, "memory_bytes", "weight memory, bytes",
		   view->caps->memory);
	show_count(view, PBIT_CAP_BATCH, "batch", "largest batch", view->caps->batch);
}

static void show_machine(struct view *view)
{
	const struct pbit_caps *caps = view->caps;

	show_count(view, PBIT_CAP_PBITS, "pbits", "p-bits", caps->pbits);
	show_count(view, PBIT_CAP_FAN_IN, "fan_in", "fan-in", caps->fan_in);
	show_name(view, PBIT_CAP_TOPOLOGY, "topology", "topology", topology_name(caps->topology));
	show_format(view, PBIT_CAP_COUPLING, "coupling", "coupling", &caps->coupling);
	show_format(view, PBIT_CAP_BIAS, "bias", "bias", &caps->bias);
	show_format(view, PBIT_CAP_BETA, "beta", "beta", &caps->beta);
	if (is_stated(view, PBIT_CAP_ORDERS))
		show_bits(view, "orders", "update orders", caps->orders, order_names);
	else
		show_unstated(view, "orders", "update orders");
	if (is_stated(view, PBIT_CAP_COLOURS) && caps->colours == 0 && !view->want_json)
		show_text(view, "colours", "colours", "as many as the graph needs");
	else
		show_count(view, PBIT_CAP_COLOURS, "colours", "colours", caps->colours);
}

static void show_sampling(struct view *view)
{
	const struct pbit_caps *caps = view->caps;

	show_count(view, PBIT_CAP_RANDOM_BITS, "random_bits", "random bits", caps->random_bits);
	show_name(view, PBIT_CAP_RANDOM_SOURCE, "random_source", "random source",
		  random_source_name(caps->random_source));
	show_count(view, PBIT_CAP_SAMPLE_MEMORY, "sample_memory", "sample memory",
		   caps->sample_memory);
	show_real(view, PBIT_CAP_SAMPLE_INTERVAL, "sample_interval_ns", "sample interval",
		  caps->sample_interval_ns, "ns");
	show_real(view, PBIT_CAP_CORRELATION_TIME, "correlation_time_ns", "correlation time",
		  caps->correlation_time_ns, "ns");
}

static void show_costs(struct view *view)
{
	const struct pbit_caps *caps = view->caps;

	show_real(view, PBIT_CAP_COST_UPDATE_NS, "cost_update_ns", "time per update",
		  caps->cost_update_ns, "ns");
	show_real(view, PBIT_CAP_COST_UPDATE_PJ, "cost_update_pj", "energy per update",
		  caps->cost_update_pj, "pJ");
	show_real(view, PBIT_CAP_COST_READ_NS, "cost_read_ns", "time per bit read",
		  caps->cost_read_ns, "ns");
	show_real(view, PBIT_CAP_COST_READ_PJ, "cost_read_pj", "energy per bit read",
		  caps->cost_read_pj, "pJ");
	show_real(view, PBIT_CAP_COST_WRITE_NS, "cost_write_ns", "time per weight bit",
		  caps->cost_write_ns, "ns");
	show_real(view, PBIT_CAP_COST_WRITE_PJ, "cost_write_pj", "energy per weight bit",
		  caps->cost_write_pj, "pJ");
}

static void show_calibration(struct view *view)
{
	time_t seconds = (time_t)view->caps->calibrated;
	struct tm tm;
	char text[40];

	if (is_stated(view, PBIT_CAP_CALIBRATED) && gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		show_text(view, "calibrated", "calibrated", text);
	else
		show_unstated(view, "calibrated", "calibrated");
}

static int show(struct view *view, const char *uri)
{
	if (view->want_json)
		json_begin_document(&view->json, "info");
	show_text(view, "uri", "address", uri);
	show_text(view, "name", "name", view->caps->name);
	show_text(view, "serial", "serial", view->caps->serial);
	show_text(view, "version", "version", view->caps->version);
	show_bits(view, "flags", "flags", view->caps->flags, flag_names);
	show_machine(view);
	show_layer_mode(view);
	show_sampling(view);
	show_costs(view);
	show_calibration(view);
	return view->want_json ? json_print(&view->json) : table_print(&view->table);
}

int command_info(int argc, char **argv)
{
	struct view view = {.table.columns = 2};
	struct pbit_caps caps = PBIT_INIT(caps);
	struct pbit_device *dev;
	const char *uri = NULL;
	const struct option options[] = {
		{.name = "json", .help = "print JSON", .target = &view.want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit info",
		.operands = "[URI]",
		.summary = "Shows what a device can do. Without URI: the best device.",
		.options = options,
		.max_operands = 1,
	};
	int status;

	if (options_parse(&syntax, argc, argv, &uri, &status) < 0)
		return status;
	if (device_open(uri, 0, &dev))
		return report_failure();
	view.caps = &caps;
	if (pbit_get_caps(dev, &caps))
		status = report_failure();
	else
		status = show(&view, pbit_device_uri(dev));
	pbit_close(dev);
	return status;
}
