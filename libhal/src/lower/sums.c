/* SPDX-License-Identifier: Apache-2.0 */
/* Whole rows of weights are added up, input by input: see sums.h. */
#include <stdlib.h>
#include <string.h>
#include "lower/sums.h"
#include "model/gather.h"

int pbit__sums_new(uint32_t n, struct pbit__sums *sums)
{
	*sums = (struct pbit__sums){
		.acc = calloc(n, sizeof(*sums->acc)),
		.s = calloc(n, sizeof(*sums->s)),
		.f = calloc(n, sizeof(*sums->f)),
	};
	if (sums->acc && sums->s && sums->f)
		return 0;
	pbit__sums_free(sums);
	return pbit__lower_no_memory("cannot run a lowered layer");
}

void pbit__sums_free(struct pbit__sums *sums)
{
	free(sums->acc);
	free(sums->s);
	free(sums->f);
	*sums = (struct pbit__sums){0};
}

static void add_row(const int8_t *restrict w, uint32_t n, int32_t *restrict acc)
{
	for (uint32_t o = 0; o < n; o++)
		acc[o] += w[o];
}

static void add_row_f32(const float *restrict w, uint32_t n, float *restrict acc)
{
	for (uint32_t o = 0; o < n; o++)
		acc[o] += w[o];
}

static void add_times(const int8_t *restrict w, int32_t code, uint32_t n, int32_t *restrict acc)
{
	for (uint32_t o = 0; o < n; o++)
		acc[o] += w[o] * code;
}

static void add_times_wide(const int8_t *restrict w, int64_t code, uint32_t n,
			   int64_t *restrict acc)
{
	for (uint32_t o = 0; o < n; o++)
		acc[o] += w[o] * code;
}

static void add_times_f32(const float *restrict w, float code, uint32_t n, float *restrict acc)
{
	for (uint32_t o = 0; o < n; o++)
		acc[o] += w[o] * code;
}

static void begin(const struct pbit__part *part, const struct pbit__sums *sums)
{
	memset(sums->acc, 0, part->n * sizeof(*sums->acc));
	memset(sums->s, 0, part->n * sizeof(*sums->s));
	memset(sums->f, 0, part->n * sizeof(*sums->f));
}

static void widen(const struct pbit__part *part, const struct pbit__sums *sums)
{
	for (uint32_t o = 0; o < part->n; o++)
		sums->s[o] += sums->acc[o];
}

void pbit__sum_bits(const struct pbit__stage *stage, const struct pbit__part *part,
		    const uint32_t *field, const struct pbit__sums *sums)
{
	const struct pbit__taps *taps = &stage->taps;

	begin(part, sums);
	for (uint32_t i = part->input; i < taps->n_real; i++) {
		const uint32_t k = taps->real[i];
		const size_t row = (size_t)k * taps->n_out + part->first;

		if (!(field[k / 32] >> (k % 32) & 1))
			continue;
		if (taps->w8)
			add_row(taps->w8 + row, part->n, sums->acc);
		else
			add_row_f32(taps->w32 + row, part->n, sums->f);
	}
	widen(part, sums);
}

void pbit__sum_codes(const struct pbit__stage *stage, const struct pbit__part *part,
		     const uint8_t *image, uint32_t code_bytes, size_t position,
		     const struct pbit__sums *sums)
{
	const struct pbit__taps *taps = &stage->taps;

	begin(part, sums);
	for (uint32_t i = part->input; i < taps->n_real; i++) {
		const uint32_t k = taps->real[i];
		const size_t row = (size_t)k * taps->n_out + part->first;
		const uint32_t code =
			pbit__code_input(stage->layer, image, code_bytes, position, k);

		if (!code)
			continue;
		if (taps->w32)
			add_times_f32(taps->w32 + row, (float)code, part->n, sums->f);
		else if (code_bytes == 1) /* 2^16 inputs of 8 bits times 8: within 32 bits */
			add_times(taps->w8 + row, (int32_t)code, part->n, sums->acc);
		else
			add_times_wide(taps->w8 + row, code, part->n, sums->s);
	}
	widen(part, sums);
}
