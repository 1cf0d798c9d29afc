/* SPDX-License-Identifier: Apache-2.0 */
/* Built for a newer minor version than the library's: it may count on what is not there. */
#include "least.h"

static const struct pbit_backend_ops ops = {LEAST_OPS};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {
	.struct_size = sizeof(struct pbit_backend),
	.abi = PBIT_ABI + 1,
	.name = "newerminor",
	.scheme = "newerminor",
	.ops = &ops,
};
