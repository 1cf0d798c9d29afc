/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse machines in plain C. */
#include "sparse_generic.h"

static inline void sum_slice(const struct soft_sparse_sweep *s, uint32_t slice, int32_t *input)
{
	const struct soft_sparse_graph *g = s->graph;
	uint32_t sum[SPARSE_LANES];

	memcpy(sum, g->base + (size_t)slice * SPARSE_LANES, sizeof(sum));
	for (uint64_t c = g->column[slice]; c < g->column[slice + 1]; c++) {
		const uint32_t *from = g->from + c * SPARSE_LANES;
		const int32_t *J = g->twice_J + c * SPARSE_LANES;

		/* Modulo 2^32 on the way; the sum itself fits. */
		for (unsigned int l = 0; l < SPARSE_LANES; l++)
			sum[l] += (uint32_t)J[l] & (0u - s->seen[from[l]]);
	}
	memcpy(input, sum, sizeof(sum));
}

void soft_sparse_portable(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	sparse_run(s, first, end);
}
