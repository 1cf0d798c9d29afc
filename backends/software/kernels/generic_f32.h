/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products with binary32 weights. The order of additions is fixed (k ascending),
 * so that every instruction set gives the same bits: lanes are outputs, and a
 * sum is never split.
 */
#ifndef PBIT_SOFTWARE_GENERIC_F32_H
#define PBIT_SOFTWARE_GENERIC_F32_H

#include <string.h>
#include "kernels.h"

typedef float generic_lanes __attribute__((vector_size(64), aligned(4), may_alias));

static void generic_gemm_f32_bits(const struct soft_gemm_f32 *g)
{
	const size_t words = (g->k + 31) / 32;

	for (size_t t = 0; t < g->tiles; t++) {
		const float *w = g->w + t * g->k_padded * SOFT_LANES;

		for (size_t n = 0; n < g->n; n++) {
			const uint8_t *x = (const uint8_t *)g->x + n * g->ldx;
			generic_lanes s = {0};

			for (size_t c = 0; c < words; c++) {
				const float *line = w + c * 32 * SOFT_LANES;
				uint32_t bits;

				memcpy(&bits, x + 4 * c, 4);
				for (; bits; bits &= bits - 1)
					s += *(const generic_lanes *)(line +
								      (unsigned int)__builtin_ctz(
									      bits) *
									      SOFT_LANES);
			}
			memcpy(g->s + n * g->lds + t * SOFT_LANES, &s, sizeof(s));
		}
	}
}

static void generic_gemm_f32_codes(const struct soft_gemm_f32 *g)
{
	for (size_t t = 0; t < g->tiles; t++) {
		const float *w = g->w + t * g->k_padded * SOFT_LANES;

		for (size_t n = 0; n < g->n; n++) {
			const float *x = (const float *)((const uint8_t *)g->x + n * g->ldx);
			generic_lanes s = {0};

			for (size_t k = 0; k < g->k; k++)
				s += *(const generic_lanes *)(w + k * SOFT_LANES) * x[k];
			memcpy(g->s + n * g->lds + t * SOFT_LANES, &s, sizeof(s));
		}
	}
}

#endif
