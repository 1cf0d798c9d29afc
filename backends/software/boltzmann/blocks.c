/* SPDX-License-Identifier: Apache-2.0 */
/* Sweeps in blocks that are kept whole or undone: see blocks.h. */
#include "blocks.h"

#include <string.h>

/* What an interruption may undo, in one thread. */
#define BLOCK_NS 5e6

struct block {
	const struct soft_blocks *b;
	uint64_t done, count;
	struct soft_stop stop;
};

static void run_part(void *arg, uint32_t thread, size_t part)
{
	struct block *block = arg;

	/* Asked here too, for parts too short to ask. */
	if (!soft_stop_now(&block->stop))
		block->b->part(block->b->arg, thread, part, block->done, block->count,
			       &block->stop);
}

int soft_blocks_run(const struct soft_blocks *b, uint64_t sweeps, struct pbit_ctl *ctl,
		    uint64_t *done)
{
	const double fit = b->sweep_ns > 0.0 ? BLOCK_NS / b->sweep_ns : 1.0;
	const uint64_t most = fit < 1.0 ? 1 : fit < 1e6 ? (uint64_t)fit : 1000000;
	struct block block = {.b = b, .stop = {.ctl = ctl}};

	while (block.done < sweeps) {
		block.count = sweeps - block.done < most ? sweeps - block.done : most;
		memcpy(b->copy, b->state, b->bytes);
		soft_pool_run(b->pool, soft_pool_threads(b->pool), b->parts, run_part, &block);
		if (atomic_load(&block.stop.rc)) {
			memcpy(b->state, b->copy, b->bytes);
			break;
		}
		block.done += block.count;
	}
	*done = block.done;
	return atomic_load(&block.stop.rc);
}
