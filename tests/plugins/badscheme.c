/* SPDX-License-Identifier: Apache-2.0 */
/* Its scheme could not be written in an address. */
#include "least.h"

static const struct pbit_backend_ops ops = {LEAST_OPS};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {
	.struct_size = sizeof(struct pbit_backend),
	.abi = PBIT_ABI,
	.name = "badscheme",
	.scheme = "Bad:",
	.ops = &ops,
};
