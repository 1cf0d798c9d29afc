/* SPDX-License-Identifier: Apache-2.0 */
/* An old, shorter table of operations; what lies behind it is no operation of its. */
#include "least.h"

static const struct pbit_backend_ops ops = {
	.struct_size = offsetof(struct pbit_backend_ops, net_load),
	.open = least_open,
	.close = least_close,
	.get_caps = least_get_caps,
	.program = least_program,
	.clamp = least_clamp,
	.update = least_update,
	.read = least_read,
	.net_load = (int (*)(void *, const struct pbit_model *, uint32_t, uint32_t, void **))8,
};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("oldtable", &ops)};
