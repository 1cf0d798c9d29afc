/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error records inside the library: a copy that can be kept and carried to another thread. Calls
 * that succeed leave the caller's record alone, so code that tries several things restores it.
 */
#ifndef PBIT_SRC_ERROR_H
#define PBIT_SRC_ERROR_H

#include <stdint.h>
#include <pbit/error.h>

struct pbit__error_copy {
	int32_t code;
	uint32_t error_class;
	int32_t native;
	char what[160];
	char where[448];
	char why[640];
	char hint[384];
};

/* The calling thread's record out of and back into its place. */
void pbit__error_save(struct pbit__error_copy *copy);
void pbit__error_restore(const struct pbit__error_copy *copy);

#endif
