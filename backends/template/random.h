/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers of 24 bits, of two kinds: a small generator that gives one after the other, as an
 * FPGA would have it, or those of CONTRACT.md, named by p-bit, sweep and chain. Hardware has its own.
 */
#ifndef TEMPLATE_RANDOM_H
#define TEMPLATE_RANDOM_H

#include <stdbool.h>
#include <pbit/backend.h>

struct random {
	bool contract;
	uint64_t state;		   /* of the small generator, never 0 */
	uint64_t seed;		   /* contract: key 0 */
	struct pbit_stream stream; /* contract: where the next sweep draws */
};

void random_start(struct random *r, bool contract, uint64_t seed);

/* U of p-bit i in this sweep, 0 ... 2^24 - 1. */
uint32_t random_draw(struct random *r, uint32_t i);

void random_next_sweep(struct random *r);

/* -EOPNOTSUPP for the small generator, -EINVAL for a stream that the contract does not know. */
int random_seek(struct random *r, const struct pbit_stream *stream);

#endif
