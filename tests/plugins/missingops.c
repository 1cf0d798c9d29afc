/* SPDX-License-Identifier: Apache-2.0 */
/* A Boltzmann machine that cannot be read. */
#include "least.h"

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.open = least_open,
	.close = least_close,
	.get_caps = least_get_caps,
	.program = least_program,
	.clamp = least_clamp,
	.update = least_update,
};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("missingops", &ops)};
