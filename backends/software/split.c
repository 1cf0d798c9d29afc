/* SPDX-License-Identifier: Apache-2.0 */
/* One product divided by outputs among the threads of a pool. */
#include "split.h"

#define UNIT 4u /* tiles that kernels like to take together */

struct split {
	const struct soft_pass *pass;
	void (*kernel)(const struct soft_gemm *g);
	const struct soft_gemm *whole;
	size_t tiles; /* of a part */
};

static void part(void *arg, uint32_t thread, size_t i)
{
	const struct split *split = arg;
	const size_t first = i * split->tiles;
	struct soft_gemm g = *split->whole;

	g.w = (const uint8_t *)g.w + first * g.chunks * g.bits * 64;
	g.s += first * SOFT_LANES;
	g.tiles = g.tiles - first < split->tiles ? g.tiles - first : split->tiles;
	g.scratch = split->pass->scratches[thread].gemm;
	split->kernel(&g);
}

void soft_gemm_split(struct soft_pass *pass, void (*kernel)(const struct soft_gemm *g),
		     const struct soft_gemm *g)
{
	struct split split = {.pass = pass, .kernel = kernel, .whole = g};
	uint32_t threads;

	if (!pass->pool || g->tiles < 2 * UNIT) {
		kernel(g);
		return;
	}
	threads = soft_pool_threads(pass->pool);
	split.tiles = soft_round_up((g->tiles + threads - 1) / threads, UNIT);
	soft_pool_run(pass->pool, threads, (g->tiles + split.tiles - 1) / split.tiles, part,
		      &split);
}
