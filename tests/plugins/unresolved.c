/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a function that is nowhere: the loader must refuse it at once, not at the first call. */
#include "least.h"

extern int pbit_function_that_is_nowhere(void);

static int scan_nowhere(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	(void)self;
	(void)fn;
	(void)user;
	return pbit_function_that_is_nowhere();
}

static const struct pbit_backend_ops ops = {LEAST_OPS, .scan = scan_nowhere};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("unresolved", &ops)};
