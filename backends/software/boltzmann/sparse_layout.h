/* SPDX-License-Identifier: Apache-2.0 */
/* Laying a machine out in slices. */
#ifndef PBIT_SOFTWARE_SPARSE_LAYOUT_H
#define PBIT_SOFTWARE_SPARSE_LAYOUT_H

#include "sparse.h"

/* Slices and columns that the layout would have. -ENOMEM. */
int soft_sparse_measure(const struct pbit_bm_view *view, uint32_t order, uint64_t *slices,
			uint64_t *columns);

/* Fills graph, to be freed also after a failure, and place[i] of each p-bit. -ENOMEM. */
int soft_sparse_layout(const struct pbit_bm_view *view, uint32_t order,
		       struct soft_sparse_graph *graph, uint32_t *place);

void soft_sparse_layout_free(struct soft_sparse_graph *graph);

/* base for the biases of view. */
void soft_sparse_base(const struct pbit_bm_view *view, const uint32_t *place, int32_t *base);

/* The largest input in steps that a p-bit can have. */
uint64_t soft_sparse_largest(const struct pbit_bm_view *view);

#endif
