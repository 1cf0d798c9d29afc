/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed-point form of J and h: CONTRACT.md, Fixed-point input. */
#ifndef PBIT_SRC_BOLTZMANN_FIXED_VIEW_H
#define PBIT_SRC_BOLTZMANN_FIXED_VIEW_H

#include <stdbool.h>
#include <stdint.h>

/* J by rows, and h. */
struct pbit__real {
	uint32_t n;
	const uint64_t *row;
	const double *J;
	const double *h;
};

/* The step of the first rule that applies; *exact tells the first two from the third. */
double pbit__fixed_step(const struct pbit__real *real, bool *exact);

/* q = rint(x / step), the quotient in binary64. */
void pbit__fixed_round(const double *x, uint64_t count, double step, int32_t *q);

#endif
