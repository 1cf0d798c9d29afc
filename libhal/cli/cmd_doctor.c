/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit doctor`: explains why a device is or is not usable. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "doctor.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"

static const char *const verdict_names[] = {"ok", "warning", "problem"};

void doctor_add(struct doctor *doctor, enum verdict verdict, const char *name, const char *advice,
		const char *fmt, ...)
{
	struct check check = {.verdict = verdict, .name = name, .advice = advice};
	va_list args;

	if (doctor->n == doctor->size) {
		size_t size = doctor->size ? doctor->size * 2 : 32;
		struct check *bigger = realloc(doctor->checks, size * sizeof(*bigger));

		if (!bigger) {
			doctor->failed = true;
			return;
		}
		doctor->checks = bigger;
		doctor->size = size;
	}
	va_start(args, fmt);
	if (vasprintf(&check.detail, fmt, args) < 0) {
		doctor->failed = true;
		check.detail = NULL;
	}
	va_end(args);
	if (check.detail)
		doctor->checks[doctor->n++] = check;
}

static int print_json(const struct doctor *doctor)
{
	struct json json = {0};

	json_begin_document(&json, "doctor");
	json_count(&json, "usable_devices", doctor->usable);
	json_array(&json, "checks");
	for (size_t i = 0; i < doctor->n; i++) {
		const struct check *check = &doctor->checks[i];

		json_object(&json, NULL);
		json_string(&json, "name", check->name);
		json_string(&json, "verdict", verdict_names[check->verdict]);
		json_string(&json, "detail", check->detail);
		json_string(&json, "advice", *check->advice ? check->advice : NULL);
		json_end(&json);
	}
	json_end(&json);
	return json_print(&json);
}

static int print_table(const struct doctor *doctor)
{
	struct table table = {.columns = 3};
	int status;

	for (size_t i = 0; i < doctor->n; i++) {
		const struct check *check = &doctor->checks[i];

		table_cell(&table, verdict_names[check->verdict]);
		table_cell(&table, check->name);
		table_cell(&table, check->detail);
		if (!*check->advice)
			continue;
		table_cell(&table, "");
		table_cell(&table, "");
		table_cellf(&table, "-> %s", check->advice);
	}
	status = table_print(&table);
	if (doctor->usable == 1)
		puts("\n1 device is usable.");
	else if (doctor->usable)
		printf("\n%u devices are usable.\n", doctor->usable);
	else
		puts("\nNo device is usable.");
	return status;
}

static void run_checks(struct doctor *doctor)
{
	check_library(doctor);
	check_backends(doctor);
	check_environment(doctor);
	check_cards(doctor);
	check_devices(doctor);
	check_kernels(doctor);
	check_data_set(doctor);
	check_compiler(doctor);
	check_memory_lock(doctor);
}

int command_doctor(int argc, char **argv)
{
	struct doctor doctor = {0};
	bool want_json = false;
	const struct option options[] = {
		{.name = "json", .help = "print JSON", .target = &want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit doctor",
		.operands = "",
		.summary = "Explains why a device is or is not usable, and what to do.",
		.details = "Succeeds when at least one device is usable.",
		.options = options,
	};
	int status;

	if (options_parse(&syntax, argc, argv, NULL, &status) < 0)
		return status;
	run_checks(&doctor);
	if (doctor.failed) {
		report("out of memory");
		status = STATUS_FAILURE;
	} else {
		status = want_json ? print_json(&doctor) : print_table(&doctor);
	}
	for (size_t i = 0; i < doctor.n; i++)
		free(doctor.checks[i].detail);
	free(doctor.checks);
	return status == STATUS_OK && doctor.usable == 0 ? STATUS_FAILURE : status;
}
