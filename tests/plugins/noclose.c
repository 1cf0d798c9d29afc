/* SPDX-License-Identifier: Apache-2.0 */
/* Lacks a mandatory operation. */
#include "least.h"

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.open = least_open,
	.get_caps = least_get_caps,
	.program = least_program,
	.clamp = least_clamp,
	.update = least_update,
	.read = least_read,
};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("noclose", &ops)};
