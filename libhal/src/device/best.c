/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best device that answers: what scans report, by the rank of its backend (hardware, emulators,
 * software), opened one after the other until one does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "device/open.h"
#include "device/registry.h"
#include "device/scan.h"

#define WHAT "cannot open a device"

struct candidate {
	struct candidate *next;
	char uri[];
};

/* Devices of one backend, in the order found, and why others are not among them. */
struct search {
	struct candidate *first, **last;
	char obstacles[512];
	int denied, no_memory;
};

static void note(struct search *search, const char *uri, int status, const char *why)
{
	if (status == -EACCES || status == -EPERM)
		search->denied = 1;
	if (status == -ENOMEM)
		search->no_memory = 1;
	pbit__text_append(search->obstacles, sizeof(search->obstacles), "%s%s: %s",
			  search->obstacles[0] ? "; " : "", uri, why);
	pbit_log(PBIT_LOG_WARN, "passing over %s: %s", uri, why);
}

static int collect(const struct pbit_found *found, void *user)
{
	struct search *search = user;
	struct candidate *candidate;
	size_t size = strlen(found->uri) + 1;

	if (found->status) {
		note(search, found->uri, found->status,
		     *found->reason ? found->reason : "not usable");
		return 0;
	}
	candidate = malloc(sizeof(*candidate) + size);
	if (!candidate) {
		search->no_memory = 1;
		return 1;
	}
	candidate->next = NULL;
	memcpy(candidate->uri, found->uri, size);
	*search->last = candidate;
	search->last = &candidate->next;
	return 0;
}

/* Scans first and opens afterwards: a backend need not expect to be opened inside its own scan. */
static int try_backend(const struct pbit_backend *backend, const struct pbit_open_opts *opts,
		       struct search *search, struct pbit_device **dev)
{
	struct candidate *candidate;
	int rc = -ENODEV, count = 0;

	search->first = NULL;
	search->last = &search->first;
	pbit__scan_backend(backend, collect, search, &count);
	while ((candidate = search->first)) {
		search->first = candidate->next;
		if (rc) {
			rc = pbit__open_uri(candidate->uri, opts, dev);
			if (rc)
				note(search, candidate->uri, rc, pbit_last_error()->why);
		}
		free(candidate);
	}
	return rc;
}

static int by_rank(const void *a, const void *b)
{
	const struct pbit__backend_entry *x = a, *y = b;
	uint32_t rank_x = x->backend ? x->backend->rank : UINT32_MAX;
	uint32_t rank_y = y->backend ? y->backend->rank : UINT32_MAX;

	if (rank_x != rank_y)
		return rank_x < rank_y ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int fail(const struct search *search)
{
	if (search->no_memory)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, NULL, NULL, "out of memory");
	if (search->denied)
		return pbit_fail(-EACCES, PBIT_ERR_PERMISSION, WHAT, NULL,
				 "ask for access to the device, or name another by PBIT_URI",
				 "no device may be used: %s", search->obstacles);
	return pbit_fail(-ENODEV, PBIT_ERR_NO_DEVICE, WHAT, NULL,
			 "connect a device or name one by PBIT_URI", "no device answers%s%s",
			 search->obstacles[0] ? ": " : "", search->obstacles);
}

int pbit__open_best(const struct pbit_open_opts *opts, struct pbit_device **dev)
{
	struct search search = {.denied = 0};
	struct pbit__registry registry;
	struct pbit__error_copy record;
	int rc;
	size_t i;

	rc = pbit__registry_read(&registry, opts->backend_path);
	if (rc)
		return rc;
	pbit__error_save(&record);
	qsort(registry.entries, registry.n, sizeof(*registry.entries), by_rank);
	rc = -ENODEV;
	for (i = 0; rc && i < registry.n; i++) {
		const struct pbit_backend *backend = registry.entries[i].backend;

		if (backend && backend->rank < PBIT_RANK_NEVER)
			rc = try_backend(backend, opts, &search, dev);
	}
	pbit__registry_free(&registry);
	if (rc)
		return fail(&search);
	pbit__error_restore(&record);
	return 0;
}
