/* SPDX-License-Identifier: Apache-2.0 */
/* Is a backend's descriptor one that this library can work with? */
#ifndef PBIT_SRC_BACKEND_CHECK_H
#define PBIT_SRC_BACKEND_CHECK_H

#include <pbit/backend.h>

/*
 * 0, or a negative errno with the reason in words in `reason`. file_name: NAME of the plugin's
 * file, NULL for a built-in. symbol_size: bytes of the exported object, 0 where unknown. The
 * descriptor comes from outside, so nothing of it is used before it has been checked.
 */
int pbit__backend_check(const struct pbit_backend *backend, size_t symbol_size,
			const char *file_name, char *reason, size_t reason_size);

/* A full table of operations: those the backend's table lacks are NULL. */
void pbit__backend_ops(const struct pbit_backend *backend, struct pbit_backend_ops *ops);

#endif
