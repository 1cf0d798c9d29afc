/* SPDX-License-Identifier: Apache-2.0 */
/* Divides the columns of a product into parts whose sums fit on the stack. */
#ifndef PBIT_SOFTWARE_PARTS_H
#define PBIT_SOFTWARE_PARTS_H

#include "kernels.h"

#define PART_COLUMNS 128

static void in_parts(const struct soft_gemm *g, void (*part)(const struct soft_gemm *))
{
	for (size_t n = 0; n < g->n; n += PART_COLUMNS) {
		struct soft_gemm p = *g;

		p.x = (const uint8_t *)g->x + n * g->ldx;
		p.s = g->s + n * g->lds;
		p.n = g->n - n < PART_COLUMNS ? g->n - n : PART_COLUMNS;
		part(&p);
	}
}

#endif
