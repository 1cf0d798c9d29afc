/* SPDX-License-Identifier: Apache-2.0 */
/* Scanning with one backend. */
#ifndef PBIT_SRC_SCAN_H
#define PBIT_SRC_SCAN_H

#include <pbit/backend.h>

/*
 * Reports one backend's devices to fn, every field filled. *count grows by the number reported.
 * Returns 1 where fn ended it, else 0: a backend that fails reports no more. The
 * caller's record is left alone.
 */
int pbit__scan_backend(const struct pbit_backend *backend, pbit_found_fn *fn, void *user,
		       int *count);

#endif
