/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Built for an interface of another major version, whose descriptor looks otherwise: nothing
 * behind its version may be read.
 */
#include "least.h"

struct other_backend {
	uint32_t struct_size, abi;
	uintptr_t no_pointers[8];
};

EXPORTED extern const struct other_backend pbit_backend_entry;
const struct other_backend pbit_backend_entry = {
	.struct_size = sizeof(struct other_backend),
	.abi = (PBIT_ABI_MAJOR + 1) << 16 | 3,
	.no_pointers = {8, 8, 8, 8, 8, 8, 8, 8},
};
