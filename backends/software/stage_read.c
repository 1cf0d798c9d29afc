/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out: read-outs and states, in the integers that CONTRACT.md sums. */
#include <string.h>
#include "exec/raw.h"
#include "products.h"
#include "stages.h"

/* Where one column's values go; NULL: nowhere. */
struct place {
	int64_t *raw;
	int64_t *sum;
};

static struct place place_of(const struct soft_pass *pass, size_t column, size_t n_values)
{
	const struct pbit_layers_req *req = pass->req;
	const size_t image = pass->image + column / pass->n_samples;
	const size_t sample = pass->sample + column % pass->n_samples;

	return (struct place){
		.raw = req->out_raw ? req->out_raw + (image * req->n_samples + sample) * n_values
				    : NULL,
		.sum = req->out_sum ? req->out_sum + image * n_values : NULL,
	};
}

static inline void put(struct place place, size_t i, int64_t raw)
{
	if (place.raw)
		place.raw[i] = raw;
	if (place.sum)
		/* Threads may share an image; sums of integers do not depend on the order. */
		__atomic_fetch_add(&place.sum[i], raw, __ATOMIC_RELAXED);
}

/* One column whose sums begin at `at`. */
static void read_sums(struct soft_pass *pass, uint32_t i, size_t column, size_t at,
		      const int32_t *high)
{
	const struct soft_layer *layer = &pass->net->layers[i];
	const struct pbit_layer *l = layer->info;
	const struct place place = place_of(pass, column, layer->n_values);
	const int32_t *sums = pass->scratch->sums + at;
	const float *f32 = (const float *)(const void *)sums;
	const bool real = l->weight_bits == 32;

	if (l->activation == PBIT_ACT_LINEAR && !real && !high && place.raw && !place.sum) {
		for (size_t p = 0; p < layer->positions; p++)
			for (size_t o = 0; o < l->n_out; o++)
				place.raw[p * l->n_out + o] = sums[p * layer->row + o];
		return;
	}
	for (size_t p = 0; p < layer->positions; p++)
		for (size_t o = 0; o < l->n_out; o++) {
			const size_t k = p * layer->row + o;
			const int64_t sum =
				real ? 0 : sums[k] + (high ? 256 * (int64_t)high[at + k] : 0);

			put(place, p * l->n_out + o,
			    pbit__raw(l, layer->a[k], layer->c[k], sum, real ? f32[k] : 0.0f));
		}
}

void soft_stage_read_bits(struct soft_pass *pass, uint32_t i, unsigned int from)
{
	const struct soft_layer *layer = &pass->net->layers[i];
	struct soft_scratch *s = pass->scratch;
	const size_t columns = pass->n_images * pass->n_samples;

	if (layer->info->type == PBIT_DENSE)
		soft_product_dense(pass, layer, s->bits[from], columns);
	for (size_t n = 0; n < columns; n++) {
		if (layer->info->type == PBIT_CONV2D)
			soft_product_conv(pass, layer, s->bits[from] + n * s->words);
		read_sums(pass, i, n, layer->info->type == PBIT_DENSE ? n * layer->row : 0, NULL);
	}
}

void soft_stage_read_codes(struct soft_pass *pass)
{
	const bool wide = pass->req->code_bytes == 2;

	for (size_t image = 0; image < pass->n_images; image++) {
		soft_product_codes(pass, image);
		for (size_t t = 0; t < pass->n_samples; t++)
			read_sums(pass, 0, image * pass->n_samples + t, 0,
				  wide ? pass->scratch->sums_high : NULL);
	}
}

void soft_stage_out_bits(struct soft_pass *pass, uint32_t i, unsigned int from)
{
	const struct soft_layer *layer = &pass->net->layers[i];
	const struct pbit_layer *l = layer->info;
	const struct pbit_layers_req *req = pass->req;
	const size_t words = pbit_layer_state_words(l);

	for (size_t n = 0; n < pass->n_images * pass->n_samples; n++) {
		const uint32_t *bits = pass->scratch->bits[from] + n * pass->scratch->words;
		const size_t image = pass->image + n / pass->n_samples;
		const size_t sample = pass->sample + n % pass->n_samples;
		struct place place;

		if (req->out_bits) {
			uint64_t *out = req->out_bits + (image * req->n_samples + sample) * words;

			for (size_t w = 0; w < words; w++)
				out[w] = bits[2 * w] | (uint64_t)bits[2 * w + 1] << 32;
		}
		if (!req->out_raw && !req->out_sum)
			continue;
		place = place_of(pass, n, layer->n_values);
		for (size_t v = 0; v < layer->n_values; v++) {
			const size_t k = v / l->out.channels * l->out_stride + v % l->out.channels;

			put(place, v, bits[k / 32] >> (k % 32) & 1);
		}
	}
}
