/* SPDX-License-Identifier: Apache-2.0 */
/* Claims a descriptor larger than what it exports. */
#include "least.h"

static const struct pbit_backend_ops ops = {LEAST_OPS};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {
	.struct_size = 2 * sizeof(struct pbit_backend),
	.abi = PBIT_ABI,
	.name = "hugesize",
	.scheme = "hugesize",
	.ops = &ops,
};
