/* SPDX-License-Identifier: Apache-2.0 */
/* Which table of kernels this processor runs. */
#include <string.h>
#include "kernels.h"

/* The best first. */
static const struct soft_kernels *const tables[] = {
#ifdef __x86_64__
	&soft_kernels_amx,
	&soft_kernels_avx512,
	&soft_kernels_avx2,
#endif
	&soft_kernels_portable,
};

const struct soft_kernels *soft_kernels_pick(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if ((!name || !strcmp(name, tables[i]->name)) && tables[i]->usable())
			return tables[i];
	return NULL;
}

bool soft_kernels_known(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!strcmp(name, tables[i]->name))
			return true;
	return false;
}

size_t soft_gemm_scratch(size_t chunks, size_t n)
{
	/*
	 * Columns spread to one byte a bit, a whole number of 64-byte steps each, and a ring of
	 * spread weights.
	 */
	const size_t steps = (chunks + 1) / 2;

	return (n + 15) / 16 * 16 * (steps * 64 + 64) + 8 * 1024 + 64;
}
