/* SPDX-License-Identifier: Apache-2.0 */
/* The integer that CONTRACT.md sums for one read-out value. */
#ifndef PBIT_SRC_EXEC_RAW_H
#define PBIT_SRC_EXEC_RAW_H

#include <math.h>
#include <stdbool.h>
#include <pbit/model.h>
#include "contract/threshold.h"

#define PBIT__RAW_F32_UNIT 1048576.0 /* 2^20 */

/* S is in sum for weights of 1 ... 8 bits, in sum_f32 for those of 32. */
static inline int64_t pbit__raw(const struct pbit_layer *layer, float a, float c, int64_t sum,
				float sum_f32)
{
	const bool real = layer->weight_bits == 32;
	const float s = real ? sum_f32 : (float)sum;
	double scaled;

	if (layer->activation == PBIT_ACT_SIGMOID)
		return pbit__threshold24(s * a + c);
	if (!real)
		return sum;
	scaled = (double)s * PBIT__RAW_F32_UNIT;
	if (!(scaled > -9.2e18))
		scaled = -9.2e18;
	return llrint(scaled < 9.2e18 ? scaled : 9.2e18);
}

#endif
