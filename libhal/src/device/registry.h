/* SPDX-License-Identifier: Apache-2.0 */
/* The backends known at one moment: built-in ones, then those of the plugin folders. */
#ifndef PBIT_SRC_REGISTRY_H
#define PBIT_SRC_REGISTRY_H

#include <pbit/backend.h>

struct pbit__backend_entry {
	const struct pbit_backend *backend; /* NULL where it is not in use */
	char *name;			    /* of the backend or of the file */
	char *path;			    /* "" where built in */
	char *scheme;			    /* "" where unknown */
	uint32_t abi;
	int status;
	char *reason; /* "" where in use */
};

struct pbit__registry {
	struct pbit__backend_entry *entries;
	size_t n, capacity;
	char *folders; /* the searched path, for messages; "" where none was */
};

/*
 * Collects the backends. backend_path as in struct pbit_open_opts. What is wrong with a plugin
 * is in its entry; fails for want of memory only (record made). Leaves the caller's record alone
 * otherwise.
 */
int pbit__registry_read(struct pbit__registry *registry, const char *backend_path);
void pbit__registry_free(struct pbit__registry *registry);

/* The built-in backend of a scheme, NULL where there is none. */
const struct pbit_backend *pbit__builtin_find(const char *scheme);

/*
 * The backend of a scheme in *backend, looking into plugin folders only where it is not
 * built in. Fails with a record for a person: `what` failed, `where` the address.
 */
int pbit__backend_find(const char *scheme, const char *backend_path, const char *what,
		       const char *where, const struct pbit_backend **backend);

#endif
