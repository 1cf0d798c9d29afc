/* SPDX-License-Identifier: Apache-2.0 */
/* Later layers: products with packed bits, p-bits drawn from them, max-pooling. */
#include <string.h>
#include "model/gather.h"
#include "products.h"
#include "split.h"

static float *float_sums(struct soft_scratch *s)
{
	return (float *)(void *)s->sums;
}

/* Sums of n columns of packed bits `x`, `ldx` bytes apart, at s->sums + at. */
static void product(struct soft_pass *pass, const struct soft_layer *layer, const void *x,
		    size_t ldx, size_t n, size_t at)
{
	const struct pbit_layer *l = layer->info;
	const struct soft_gemm g = {
		.w = l->weights,
		.bits = l->weight_bits,
		.tiles = layer->tiles,
		.chunks = l->k_padded / 32,
		.x = x,
		.ldx = ldx,
		.n = n,
		.s = pass->scratch->sums + at,
		.lds = layer->row,
		.scratch = pass->scratch->gemm,
	};
	const struct soft_gemm_f32 f = {
		.w = l->weights,
		.tiles = layer->tiles,
		.k = l->k_padded,
		.k_padded = l->k_padded,
		.x = x,
		.ldx = ldx,
		.n = n,
		.s = float_sums(pass->scratch) + at,
		.lds = layer->row,
	};

	if (l->weight_bits == 32)
		pass->kernels->gemm_f32_bits(&f);
	else
		soft_gemm_split(pass, pass->kernels->gemm_bits, &g);
}

void soft_product_conv(struct soft_pass *pass, const struct soft_layer *layer, const uint32_t *in)
{
	struct soft_scratch *s = pass->scratch;
	const size_t ldx = layer->info->k_padded / 8;

	for (size_t p = 0; p < layer->positions; p += SOFT_POSITIONS) {
		const size_t left = layer->positions - p;
		const size_t n = left < SOFT_POSITIONS ? left : SOFT_POSITIONS;

		for (size_t i = 0; i < n; i++)
			pbit__gather(layer->info, in, p + i,
				     (uint32_t *)(void *)(s->patch + i * ldx));
		product(pass, layer, s->patch, ldx, n, p * layer->row);
	}
}

void soft_product_dense(struct soft_pass *pass, const struct soft_layer *layer, const uint32_t *in,
			size_t n)
{
	product(pass, layer, in, pass->scratch->words * 4, n, 0);
}

/* p-bits of column n from its sums, which begin at `sums`. */
static void fire(struct soft_pass *pass, uint32_t i, size_t n, size_t sums, uint32_t *out)
{
	const struct soft_layer *layer = &pass->net->layers[i];
	const struct soft_stream stream = soft_pass_stream(pass, i, n);
	struct soft_scratch *s = pass->scratch;

	if (layer->info->weight_bits != 32) {
		pass->kernels->activate(&stream, 0, layer->n_padded, s->sums + sums, layer->a,
					layer->c, out);
		return;
	}
	for (size_t p = 0; p < layer->n_padded; p++)
		s->z[p] = float_sums(s)[sums + p] * layer->a[p] + layer->c[p];
	pass->kernels->thresholds(s->z, layer->n_padded, s->t16);
	pass->kernels->draw(&stream, 0, layer->n_padded, s->z, s->t16, out);
}

void soft_stage_bits(struct soft_pass *pass, uint32_t i, unsigned int from)
{
	const struct soft_layer *layer = &pass->net->layers[i];
	struct soft_scratch *s = pass->scratch;
	const size_t columns = pass->n_images * pass->n_samples;
	const uint32_t *in = s->bits[from];
	uint32_t *out = s->bits[1 - from];

	if (layer->info->type == PBIT_DENSE)
		soft_product_dense(pass, layer, in, columns);
	for (size_t n = 0; n < columns; n++) {
		switch (layer->info->type) {
		case PBIT_MAXPOOL:
			pbit__max_pool(layer->info, in + n * s->words, out + n * s->words,
				       layer->words);
			break;
		case PBIT_CONV2D:
			soft_product_conv(pass, layer, in + n * s->words);
			fire(pass, i, n, 0, out + n * s->words);
			break;
		default:
			fire(pass, i, n, n * layer->row, out + n * s->words);
		}
	}
}
