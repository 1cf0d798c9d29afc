/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects backends. Earlier ones win: built-in before plugins, folders in their order, files by
 * name; of two with one scheme or one name, the later is refused and says which stands before it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "device/builtin.h"
#include "device/plugin.h"
#include "device/registry.h"

#ifndef PBIT_BACKENDDIR
#define PBIT_BACKENDDIR "/usr/local/lib/pbit"
#endif

#define PREFIX "pbit-"
#define SUFFIX ".so"

static int no_memory(void)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot list backends", NULL, NULL,
			 "out of memory");
}

static struct pbit__backend_entry *next_entry(struct pbit__registry *registry)
{
	struct pbit__backend_entry *grown;
	size_t capacity;

	if (registry->n == registry->capacity) {
		capacity = registry->capacity ? 2 * registry->capacity : 8;
		grown = realloc(registry->entries, capacity * sizeof(*grown));
		if (!grown)
			return NULL;
		registry->entries = grown;
		registry->capacity = capacity;
	}
	return &registry->entries[registry->n];
}

static void free_entry(struct pbit__backend_entry *entry)
{
	free(entry->name);
	free(entry->path);
	free(entry->scheme);
	free(entry->reason);
}

static int add_entry(struct pbit__registry *registry, const char *name, const char *path,
		     const char *scheme, const struct pbit__plugin_result *result)
{
	struct pbit__backend_entry *entry = next_entry(registry);

	if (!entry)
		return no_memory();
	*entry = (struct pbit__backend_entry){
		.backend = result->status ? NULL : result->backend,
		.name = strdup(name),
		.path = strdup(path),
		.scheme = strdup(scheme),
		.abi = result->abi,
		.status = result->status,
		.reason = strdup(result->reason),
	};
	if (!entry->name || !entry->path || !entry->scheme || !entry->reason) {
		free_entry(entry);
		return no_memory();
	}
	registry->n++;
	return 0;
}

static int add_builtin(struct pbit__registry *registry)
{
	const struct pbit_backend *const *list;
	int rc = 0;

	for (list = pbit__builtin_backends; *list && !rc; list++) {
		struct pbit__plugin_result result = {.backend = *list, .abi = (*list)->abi};

		rc = add_entry(registry, (*list)->name, "", (*list)->scheme, &result);
	}
	return rc;
}

/* Refuses what an earlier backend in use stands in the way of. */
static void check_taken(const struct pbit__registry *registry, struct pbit__plugin_result *result)
{
	const struct pbit_backend *mine = result->backend, *other;
	size_t i;

	for (i = 0; i < registry->n; i++) {
		const struct pbit__backend_entry *entry = &registry->entries[i];
		int same_scheme;

		other = entry->backend;
		if (!other)
			continue;
		same_scheme = !strcmp(other->scheme, mine->scheme);
		if (!same_scheme && strcmp(other->name, mine->name))
			continue;
		result->status = -EEXIST;
		snprintf(result->reason, sizeof(result->reason), "its %s '%s' is taken by %s%s%s",
			 same_scheme ? "scheme" : "name", same_scheme ? mine->scheme : mine->name,
			 *entry->path ? entry->path : "the built-in backend '",
			 *entry->path ? "" : other->name, *entry->path ? "" : "'");
		return;
	}
}

static int add_plugin(struct pbit__registry *registry, const char *folder, const char *file)
{
	size_t length = strlen(file) - strlen(PREFIX) - strlen(SUFFIX);
	struct pbit__plugin_result result;
	char *path = NULL, *name = strndup(file + strlen(PREFIX), length);
	int rc;

	if (!name || asprintf(&path, "%s/%s", folder, file) < 0) {
		free(name);
		return no_memory();
	}
	pbit__plugin_load(path, name, &result);
	rc = 0;
	if (result.backend) {
		const char *scheme = result.backend->scheme;

		check_taken(registry, &result);
		rc = add_entry(registry, name, path, scheme, &result);
	} else {
		rc = add_entry(registry, name, path, "", &result);
	}
	if (result.status)
		pbit_log(PBIT_LOG_INFO, "plugin %s is not used: %s", path, result.reason);
	free(path);
	free(name);
	return rc;
}

static int is_plugin_name(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > strlen(PREFIX) + strlen(SUFFIX) &&
	       !strncmp(entry->d_name, PREFIX, strlen(PREFIX)) &&
	       !strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct pbit__registry *registry, const char *folder)
{
	struct dirent **files;
	int i, n, rc = 0;

	n = scandir(folder, &files, is_plugin_name, by_name);
	if (n < 0 && errno == ENOMEM)
		return no_memory();
	if (n < 0) {
		pbit_log(errno == ENOENT ? PBIT_LOG_DEBUG : PBIT_LOG_WARN,
			 "cannot search %s for backends: %m", folder);
		return 0;
	}
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = add_plugin(registry, folder, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return rc;
}

static int add_folders(struct pbit__registry *registry, const char *backend_path)
{
	char *copy, *rest, *folder;
	int rc = 0;

	if (!backend_path)
		backend_path = secure_getenv("PBIT_BACKEND_PATH");
	if (!backend_path)
		backend_path = PBIT_BACKENDDIR;
	registry->folders = strdup(backend_path);
	rest = copy = strdup(backend_path);
	if (!registry->folders || !copy) {
		free(copy);
		return no_memory();
	}
	while (!rc && (folder = strsep(&rest, ":")))
		if (*folder)
			rc = add_folder(registry, folder);
	free(copy);
	return rc;
}

int pbit__registry_read(struct pbit__registry *registry, const char *backend_path)
{
	struct pbit__error_copy record;
	int rc;

	pbit__error_save(&record);
	*registry = (struct pbit__registry){.n = 0};
	rc = add_builtin(registry);
	if (!rc)
		rc = add_folders(registry, backend_path);
	if (rc)
		pbit__registry_free(registry);
	else
		pbit__error_restore(&record);
	return rc;
}

void pbit__registry_free(struct pbit__registry *registry)
{
	while (registry->n)
		free_entry(&registry->entries[--registry->n]);
	free(registry->entries);
	free(registry->folders);
	*registry = (struct pbit__registry){.n = 0};
}
