/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit list`: the devices that a scan finds, and with --verbose the backends behind them. */
#include <stdio.h>
#include <string.h>
#include <pbit/backend.h>
#include "command.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"

struct listing {
	bool want_json;
	struct json json;
	struct table table;
};

static const char *status_name(int32_t status)
{
	return status ? strerrorname_np(-status) : NULL;
}

static int add_device(const struct pbit_found *found, void *user)
{
	struct listing *listing = user;
	struct json *json = &listing->json;

	if (!listing->want_json) {
		table_cell(&listing->table, found->uri);
		if (found->status)
			table_cellf(&listing->table, "%s; not usable: %s", found->description,
				    *found->reason ? found->reason : strerror(-found->status));
		else
			table_cell(&listing->table, found->description);
		return 0;
	}
	json_object(json, NULL);
	json_string(json, "uri", found->uri);
	json_string(json, "description", found->description);
	json_string(json, "backend", found->backend);
	json_bool(json, "simulated", found->flags & PBIT_FLAG_SIMULATED);
	json_bool(json, "usable", found->status == 0);
	json_string(json, "error", status_name(found->status));
	json_string(json, "reason", found->reason);
	json_end(json);
	return 0;
}

static void add_backend_json(struct json *json, const struct pbit_backend_info *info)
{
	char abi[24];

	snprintf(abi, sizeof(abi), "%u.%u", info->abi >> 16, info->abi & 0xffff);
	json_object(json, NULL);
	json_string(json, "name", info->name);
	json_string(json, "scheme", info->scheme);
	json_string(json, "description", info->description);
	json_string(json, "version", info->version);
	json_string(json, "abi", info->abi ? abi : NULL);
	json_string(json, "path", *info->path ? info->path : NULL);
	json_bool(json, "in_use", info->status == 0);
	json_string(json, "error", status_name(info->status));
	json_string(json, "reason", info->reason);
	json_end(json);
}

static int add_backend(const struct pbit_backend_info *info, void *user)
{
	struct listing *listing = user;
	const char *origin = *info->path ? info->path : "built in";

	if (listing->want_json) {
		add_backend_json(&listing->json, info);
		return 0;
	}
	table_cell(&listing->table, *info->name ? info->name : "?");
	table_cell(&listing->table, info->version);
	if (info->status)
		table_cellf(&listing->table, "refused: %s (%s)",
			    *info->reason ? info->reason : strerror(-info->status), origin);
	else
		table_cellf(&listing->table, "%s (%s: addresses, %s)", info->description,
			    info->scheme, origin);
	return 0;
}

static int list_devices(struct listing *listing, const char *scheme)
{
	int n;

	listing->table = (struct table){.columns = 2};
	if (listing->want_json)
		json_array(&listing->json, "devices");
	n = pbit_scan(scheme, NULL, add_device, listing);
	if (listing->want_json)
		json_end(&listing->json);
	else if (table_print(&listing->table))
		return STATUS_FAILURE;
	if (n < 0)
		return report_failure();
	if (n == 0)
		report("no device found; pbit doctor explains why");
	return STATUS_OK;
}

static int list_backends(struct listing *listing)
{
	int n;

	listing->table = (struct table){.columns = 3};
	if (listing->want_json)
		json_array(&listing->json, "backends");
	else
		puts("\nBackends:");
	n = pbit_list_backends(NULL, add_backend, listing);
	if (listing->want_json)
		json_end(&listing->json);
	else if (table_print(&listing->table))
		return STATUS_FAILURE;
	return n < 0 ? report_failure() : STATUS_OK;
}

int command_list(int argc, char **argv)
{
	struct listing listing = {.want_json = false};
	const char *scheme = NULL;
	bool verbose = false;
	const struct option options[] = {
		{.name = "json", .help = "print JSON", .target = &listing.want_json},
		{.name = "verbose",
		 .help = "list backends too, and plugins that were refused",
		 .target = &verbose},
		{.name = "scheme",
		 .value = "SCHEME",
		 .help = "only devices with this scheme, such as software",
		 .kind = OPTION_TEXT,
		 .target = &scheme},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit list",
		.operands = "",
		.summary = "Lists the devices found, each with the address that opens it.",
		.options = options,
	};
	int status;

	if (options_parse(&syntax, argc, argv, NULL, &status) < 0)
		return status;
	if (listing.want_json)
		json_begin_document(&listing.json, "list");
	status = list_devices(&listing, scheme);
	if (status == STATUS_OK && verbose)
		status = list_backends(&listing);
	if (!listing.want_json)
		return status;
	if (status == STATUS_OK)
		return json_print(&listing.json);
	json_free(&listing.json);
	return status;
}
