/* SPDX-License-Identifier: Apache-2.0 */
/* The first layer: a product with integer codes, made once for all samples of an image. */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "model/gather.h"
#include "products.h"
#include "split.h"

static size_t taps(const struct pbit_layer *l)
{
	return l->type == PBIT_DENSE ? (size_t)l->in.channels * l->in.height * l->in.width
				     : (size_t)l->kernel_h * l->kernel_w * l->in_stride;
}

/* One column of codes in the order the kernels take: byte 4j + b of a chunk is input 8b + j. */
static void spread(const struct pbit_layer *l, const uint8_t *image, uint32_t bytes,
		   size_t position, uint8_t *low, uint8_t *high)
{
	const size_t n = taps(l);

	for (size_t k0 = 0; k0 < l->k_padded; k0 += 32)
		for (size_t j = 0; j < 8; j++)
			for (size_t b = 0; b < 4; b++) {
				const size_t k = k0 + 8 * b + j;
				const uint32_t v =
					k < n ? pbit__code_input(l, image, bytes, position, k) : 0;

				low[k0 + 4 * j + b] = (uint8_t)v;
				if (high)
					high[k0 + 4 * j + b] = (uint8_t)(v >> 8);
			}
}

/* 32 codes: byte 4j + b is code 8b + j, a transposition of four rows of eight bytes. */
static void spread_chunk(const uint8_t *v, uint8_t *out)
{
#ifdef __SSE2__
	const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)v);
	const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(v + 16));
	const __m128i b01 = _mm_unpacklo_epi8(low, _mm_unpackhi_epi64(low, low));
	const __m128i b23 = _mm_unpacklo_epi8(high, _mm_unpackhi_epi64(high, high));

	_mm_storeu_si128((__m128i *)(void *)out, _mm_unpacklo_epi16(b01, b23));
	_mm_storeu_si128((__m128i *)(void *)(out + 16), _mm_unpackhi_epi16(b01, b23));
#else
	for (size_t j = 0; j < 8; j++)
		for (size_t b = 0; b < 4; b++)
			out[4 * j + b] = v[8 * b + j];
#endif
}

static void spread_dense8(const uint8_t *image, size_t n, uint8_t *out)
{
	uint8_t last[32] = {0};
	size_t k = 0;

	for (; k + 32 <= n; k += 32)
		spread_chunk(image + k, out + k);
	if (k == n)
		return;
	memcpy(last, image + k, n - k);
	spread_chunk(last, out + k);
}

/* Sums of n columns, images (dense) or positions (convolution) from the given ones on. */
static void product(struct soft_pass *pass, size_t n, size_t image, size_t position, size_t at)
{
	const struct soft_net *net = pass->net;
	const struct soft_layer *layer = &net->layers[0];
	const struct pbit_layer *l = layer->info;
	struct soft_scratch *s = pass->scratch;
	const uint32_t bytes = pass->req->code_bytes;
	const size_t stride = soft_round_up(l->k_padded, 64) + 64;
	uint8_t *high = s->codes + (SOFT_IMAGES + 16) * stride;
	const bool dense = l->type == PBIT_DENSE;
	struct soft_gemm g = {
		.w = l->weights,
		.bits = l->weight_bits,
		.tiles = layer->tiles,
		.chunks = l->k_padded / 32,
		.x = s->codes,
		.ldx = stride,
		.n = n,
		.s = s->sums + at,
		.lds = layer->row,
		.scratch = s->gemm,
	};

	for (size_t i = 0; i < n; i++) {
		const uint8_t *codes =
			(const uint8_t *)pass->req->codes +
			(pass->image + image + (dense ? i : 0)) * pass->req->code_stride;

		if (dense && bytes == 1)
			spread_dense8(codes, net->n_inputs, s->codes + i * stride);
		else
			spread(l, codes, bytes, position + (dense ? 0 : i), s->codes + i * stride,
			       bytes == 2 ? high + i * stride : NULL);
	}
	soft_gemm_split(pass, pass->kernels->gemm_codes, &g);
	if (bytes == 2) {
		g.x = high;
		g.s = s->sums_high + at;
		soft_gemm_split(pass, pass->kernels->gemm_codes, &g);
	}
}

/* The same with binary32 weights, one position of one image. */
static void product_f32(struct soft_pass *pass, size_t image, size_t position)
{
	const struct soft_layer *layer = &pass->net->layers[0];
	const struct pbit_layer *l = layer->info;
	struct soft_scratch *s = pass->scratch;
	const uint8_t *codes =
		(const uint8_t *)pass->req->codes + (pass->image + image) * pass->req->code_stride;
	float *x = (float *)(void *)s->codes;
	const struct soft_gemm_f32 g = {
		.w = l->weights,
		.tiles = layer->tiles,
		.k = taps(l),
		.k_padded = l->k_padded,
		.x = x,
		.n = 1,
		.s = (float *)(void *)s->sums + position * layer->row,
		.lds = layer->row,
	};

	for (size_t k = 0; k < g.k; k++)
		x[k] = (float)pbit__code_input(l, codes, pass->req->code_bytes, position, k);
	pass->kernels->gemm_f32_codes(&g);
}

void soft_product_codes(struct soft_pass *pass, size_t image)
{
	const struct soft_layer *layer = &pass->net->layers[0];

	if (layer->info->weight_bits == 32) {
		for (size_t p = 0; p < layer->positions; p++)
			product_f32(pass, image, p);
	} else if (layer->info->type == PBIT_DENSE) {
		product(pass, 1, image, 0, 0);
	} else {
		for (size_t p = 0; p < layer->positions; p += SOFT_POSITIONS) {
			const size_t left = layer->positions - p;

			product(pass, left < SOFT_POSITIONS ? left : SOFT_POSITIONS, image, p,
				p * layer->row);
		}
	}
}

/* Pre-activations of one image from its sums. */
static void finish(struct soft_pass *pass, size_t sums, float *z)
{
	const struct soft_layer *layer = &pass->net->layers[0];
	const int32_t *low = pass->scratch->sums + sums, *high = pass->scratch->sums_high + sums;
	const float *real = (const float *)(const void *)low;

	if (layer->info->weight_bits == 32)
		for (size_t i = 0; i < layer->n_pbits; i++)
			z[i] = real[i] * layer->a[i] + layer->c[i];
	else if (pass->req->code_bytes == 1)
		for (size_t i = 0; i < layer->n_pbits; i++)
			z[i] = (float)low[i] * layer->a[i] + layer->c[i];
	else
		for (size_t i = 0; i < layer->n_pbits; i++)
			z[i] = (float)(256 * (int64_t)high[i] + low[i]) * layer->a[i] + layer->c[i];
	for (size_t i = layer->n_pbits; i < layer->n_padded; i++)
		z[i] = layer->c[i]; /* p-bits that are not there */
}

void soft_stage_codes(struct soft_pass *pass)
{
	const struct soft_layer *layer = &pass->net->layers[0];
	struct soft_scratch *s = pass->scratch;
	const bool together = layer->info->type == PBIT_DENSE && layer->info->weight_bits != 32;

	if (together)
		product(pass, pass->n_images, 0, 0, 0);
	for (size_t i = 0; i < pass->n_images; i++) {
		if (!together)
			soft_product_codes(pass, i);
		finish(pass, together ? i * layer->row : 0, s->z + i * layer->n_padded);
	}
	pass->kernels->thresholds(s->z, pass->n_images * layer->n_padded, s->t16);
}

void soft_stage_draw_codes(struct soft_pass *pass)
{
	const struct soft_layer *layer = &pass->net->layers[0];
	struct soft_scratch *s = pass->scratch;

	for (size_t n = 0; n < pass->n_images * pass->n_samples; n++) {
		const size_t image = pass->image - pass->codes_image + n / pass->n_samples;
		const struct soft_stream stream = soft_pass_stream(pass, 0, n);

		pass->kernels->draw(&stream, 0, layer->n_padded, s->z + image * layer->n_padded,
				    s->t16 + image * layer->n_padded, s->bits[0] + n * s->words);
	}
}
