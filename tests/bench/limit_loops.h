/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops that limit.c times: for each instruction set of this processor, multiply and
 * accumulate with all operands in registers.
 */
#ifndef PBIT_BENCH_LIMIT_LOOPS_H
#define PBIT_BENCH_LIMIT_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum limit_kind {
	LIMIT_BITS,  /* AND of two bits, added up */
	LIMIT_BYTES, /* product of two bytes, added up in 32 bits */
};

struct limit_loop {
	enum limit_kind kind;
	const char *name;
	double per_step; /* products of one step */
	bool (*usable)(void);
	void (*prepare)(void); /* in each thread, before run() */
	void (*run)(uint64_t steps);
};

extern const struct limit_loop limit_loops[];
extern const size_t limit_n_loops;

/* Reads bytes (a multiple of 4096) with the widest loads there are. */
void limit_read(const uint64_t *memory, size_t bytes);

#endif
