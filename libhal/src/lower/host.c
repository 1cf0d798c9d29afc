/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does by itself: max-pools, read-outs, states and sums handed over. */
#include <string.h>
#include "exec/raw.h"
#include "lower/pass.h"
#include "model/gather.h"

void pbit__pool_stage(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from)
{
	for (uint32_t column = 0; column < pass->n; column++)
		pbit__max_pool(stage->layer, pass->bits[from] + column * pass->words,
			       pass->bits[1 - from] + column * pass->words, stage->words);
}

static void put(struct pbit__pass *pass, const struct pbit__stage *stage, uint32_t column,
		size_t value, int64_t raw)
{
	const struct pbit_layers_req *req = pass->req;

	if (req->out_raw)
		req->out_raw[(pass->first + column) * stage->n_values + value] = raw;
	if (req->out_sum)
		req->out_sum[pbit__pass_image(pass, column) * stage->n_values + value] += raw;
}

void pbit__read_stage(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from)
{
	const struct pbit_layer *l = stage->layer;
	const struct pbit__part part = {.n = l->n_out};
	const struct pbit__sums *sums = &pass->sums;

	for (uint32_t column = 0; column < pass->n; column++)
		for (size_t p = 0; p < stage->positions; p++) {
			const uint32_t *state = pass->bits[from] + column * pass->words;

			if (l->in_encoding == PBIT_CODES)
				pbit__sum_codes(stage, &part, pbit__pass_codes(pass, column),
						pass->req->code_bytes, p, sums);
			else
				pbit__sum_bits(stage, &part,
					       pbit__pass_field(pass, stage, state, p), sums);
			for (uint32_t o = 0; o < l->n_out; o++)
				put(pass, stage, column, p * l->n_out + o,
				    pbit__raw(l, stage->a[o], stage->c[p * l->n_out + o],
					      sums->s[o], sums->f[o]));
		}
}

void pbit__deliver_bits(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from)
{
	const struct pbit_layers_req *req = pass->req;
	const struct pbit_layer *l = stage->layer;
	const size_t words = stage->words / 2;

	for (uint32_t column = 0; column < pass->n; column++) {
		const uint32_t *bits = pass->bits[from] + column * pass->words;

		for (size_t w = 0; req->out_bits && w < words; w++)
			req->out_bits[(pass->first + column) * words + w] =
				bits[2 * w] | (uint64_t)bits[2 * w + 1] << 32;
		for (size_t v = 0; (req->out_raw || req->out_sum) && v < stage->n_values; v++) {
			const size_t k = v / l->out.channels * l->out_stride + v % l->out.channels;

			put(pass, stage, column, v, bits[k / 32] >> (k % 32) & 1);
		}
	}
}
