/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a scheme to its backend; where there is none, an error that says what there is: a plugin
 * that was refused and why, a name that was nearly right, the schemes that are known.
 */
#include <errno.h>
#include <string.h>

#include "core/text.h"
#include "device/address.h"
#include "device/builtin.h"
#include "device/registry.h"

const struct pbit_backend *pbit__builtin_find(const char *scheme)
{
	const struct pbit_backend *const *list;

	for (list = pbit__builtin_backends; *list; list++)
		if (!strcmp((*list)->scheme, scheme))
			return *list;
	return NULL;
}

/* Edits (insert, remove, replace a character) from one scheme to the other. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[PBIT__SCHEME_MAX + 1], i, j, n = (unsigned)strlen(b);

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static const char *near_miss(const struct pbit__registry *registry, const char *scheme)
{
	unsigned best = strlen(scheme) > 4 ? 3 : 2; /* edits, exclusive */
	const char *found = NULL;
	size_t i;

	for (i = 0; i < registry->n; i++) {
		const struct pbit__backend_entry *entry = &registry->entries[i];
		unsigned edits;

		if (!entry->backend)
			continue;
		edits = distance(scheme, entry->scheme);
		if (edits < best || (!found && strlen(scheme) >= 2 &&
				     !strncmp(entry->scheme, scheme, strlen(scheme)))) {
			best = edits < best ? edits : best;
			found = entry->scheme;
		}
	}
	return found;
}

/* A refused plugin that the scheme may have meant. */
static const struct pbit__backend_entry *refused(const struct pbit__registry *registry,
						 const char *scheme)
{
	size_t i;

	for (i = 0; i < registry->n; i++) {
		const struct pbit__backend_entry *entry = &registry->entries[i];

		if (!entry->backend &&
		    (!strcmp(entry->scheme, scheme) || !strcmp(entry->name, scheme)))
			return entry;
	}
	return NULL;
}

static int fail_refused(const struct pbit__backend_entry *entry, const char *what,
			const char *where)
{
	int version = entry->status == -EPROTO;

	if (entry->status == -ENOMEM)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, where, NULL,
				 "no memory to load the plugin %s", entry->path);
	return pbit_fail(version ? -EPROTO : -ENOENT,
			 version ? PBIT_ERR_VERSION : PBIT_ERR_NO_DRIVER, what, where,
			 version ? "install a plugin and a library of matching versions"
				 : "repair or reinstall the plugin",
			 "the plugin %s was refused: %s", entry->path, entry->reason);
}

static int fail_unknown(const struct pbit__registry *registry, const char *scheme, const char *what,
			const char *where)
{
	const char *near = near_miss(registry, scheme);
	char known[256] = "", hint[320] = "";
	size_t i;

	for (i = 0; i < registry->n; i++)
		if (registry->entries[i].backend)
			pbit__text_append(known, sizeof(known), "%s%s:", *known ? ", " : "",
					  registry->entries[i].scheme);
	if (near)
		pbit__text_append(hint, sizeof(hint), "did you mean '%s:'? ", near);
	pbit__text_append(hint, sizeof(hint), "plugins were searched for in %s",
			  *registry->folders ? registry->folders : "no folder");
	return pbit_fail(-ENOENT, PBIT_ERR_URI, what, where, hint,
			 "no backend has the scheme '%s'; known are %s", scheme, known);
}

int pbit__backend_find(const char *scheme, const char *backend_path, const char *what,
		       const char *where, const struct pbit_backend **backend)
{
	const struct pbit__backend_entry *entry;
	struct pbit__registry registry;
	size_t i;
	int rc;

	*backend = pbit__builtin_find(scheme);
	if (*backend)
		return 0;
	rc = pbit__registry_read(&registry, backend_path);
	if (rc)
		return rc;
	for (i = 0; i < registry.n && !*backend; i++)
		if (registry.entries[i].backend && !strcmp(registry.entries[i].scheme, scheme))
			*backend = registry.entries[i].backend;
	if (!*backend) {
		entry = refused(&registry, scheme);
		rc = entry ? fail_refused(entry, what, where)
			   : fail_unknown(&registry, scheme, what, where);
	}
	pbit__registry_free(&registry);
	return rc;
}
