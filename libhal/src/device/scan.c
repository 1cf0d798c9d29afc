/* SPDX-License-Identifier: Apache-2.0 */
/* Scanning for devices, and the list of backends. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/args.h"
#include "core/error.h"
#include "device/backend_check.h"
#include "device/open.h"
#include "device/registry.h"
#include "device/scan.h"

/* Mandatory members of what a backend's scan reports. */
#define FOUND_LEAST PBIT__SIZE_TO(struct pbit_found, uri)

struct pass {
	const struct pbit_backend *backend;
	pbit_found_fn *fn;
	void *user;
	int *count;
	int ended;
};

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* Stands between a backend and the caller. */
static int pass_on(const struct pbit_found *found, void *user)
{
	struct pass *pass = user;
	struct pbit_found own;
	uint32_t size;

	if (pass->ended)
		return 1;
	memset(&own, 0, sizeof(own));
	memcpy(&size, found, sizeof(size));
	if (size < FOUND_LEAST) {
		pbit_log(PBIT_LOG_WARN, "backend %s reports a malformed device",
			 pass->backend->name);
		return 0;
	}
	memcpy(&own, found, size < sizeof(own) ? size : sizeof(own));
	own.struct_size = sizeof(own);
	if (!own.uri) {
		pbit_log(PBIT_LOG_WARN, "backend %s reports a device without an address",
			 pass->backend->name);
		return 0;
	}
	own.description = text_or_empty(own.description);
	own.backend = pass->backend->name;
	own.reason = text_or_empty(own.reason);
	if (own.status > 0)
		own.status = -own.status;
	++*pass->count;
	pass->ended = pass->fn(&own, pass->user) != 0 || *pass->count == INT_MAX;
	return pass->ended;
}

int pbit__scan_backend(const struct pbit_backend *backend, pbit_found_fn *fn, void *user,
		       int *count)
{
	struct pass pass = {backend, fn, user, count, 0};
	struct pbit__error_copy record;
	struct pbit_backend_ops ops;
	int rc;

	pbit__backend_ops(backend, &ops);
	if (!ops.scan)
		return 0;
	pbit__error_save(&record);
	rc = ops.scan(backend, pass_on, &pass);
	if (rc < 0 && !pass.ended)
		pbit_log(PBIT_LOG_WARN, "backend %s cannot scan (%d): %s", backend->name, rc,
			 pbit_last_error()->why);
	pbit__error_restore(&record);
	return pass.ended;
}

static int scan_all(const char *backend_path, pbit_found_fn *fn, void *user)
{
	struct pbit__registry registry;
	int count = 0, rc;
	size_t i;

	rc = pbit__registry_read(&registry, backend_path);
	if (rc)
		return rc;
	for (i = 0; i < registry.n; i++)
		if (registry.entries[i].backend &&
		    pbit__scan_backend(registry.entries[i].backend, fn, user, &count))
			break;
	pbit__registry_free(&registry);
	return count;
}

int pbit_scan(const char *scheme, const struct pbit_open_opts *opts, pbit_found_fn *fn, void *user)
{
	static const char what[] = "cannot scan for devices";
	const struct pbit_backend *backend;
	struct pbit_open_opts own;
	int count = 0, rc;

	if (!fn)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, NULL, NULL, "fn is NULL");
	rc = pbit__open_opts_read(opts, &own, what);
	if (rc)
		return rc;
	if (!scheme)
		return scan_all(own.backend_path, fn, user);
	if (!pbit__scheme_valid(scheme))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, what, scheme,
				 "give the scheme alone, without ':'", "'%s' is not a scheme",
				 scheme);
	rc = pbit__backend_find(scheme, own.backend_path, what, scheme, &backend);
	if (rc)
		return rc;
	pbit__scan_backend(backend, fn, user, &count);
	return count;
}

static void describe(const struct pbit__backend_entry *entry, struct pbit_backend_info *info)
{
	const struct pbit_backend *backend = entry->backend;

	*info = (struct pbit_backend_info){
		.struct_size = sizeof(*info),
		.abi = entry->abi,
		.name = entry->name,
		.scheme = entry->scheme,
		.description = backend ? text_or_empty(backend->description) : "",
		.version = backend ? text_or_empty(backend->version) : "",
		.path = entry->path,
		.status = entry->status,
		.reason = entry->reason,
	};
}

int pbit_list_backends(const struct pbit_open_opts *opts, pbit_backend_fn *fn, void *user)
{
	static const char what[] = "cannot list backends";
	struct pbit__registry registry;
	struct pbit_backend_info info;
	struct pbit_open_opts own;
	int count = 0, rc;
	size_t i;

	if (!fn)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, NULL, NULL, "fn is NULL");
	rc = pbit__open_opts_read(opts, &own, what);
	if (!rc)
		rc = pbit__registry_read(&registry, own.backend_path);
	if (rc)
		return rc;
	for (i = 0; i < registry.n; i++) {
		describe(&registry.entries[i], &info);
		count++;
		if (fn(&info, user))
			break;
	}
	pbit__registry_free(&registry);
	return count;
}
