/* SPDX-License-Identifier: Apache-2.0 */
/* Moving packed bits of maps. A map of one position may have a stride that is no whole word. */
#include "model/gather.h"

static uint32_t bit_at(const uint32_t *bits, size_t i)
{
	return bits[i / 32] >> (i % 32) & 1;
}

static void set_bit(uint32_t *bits, size_t i)
{
	bits[i / 32] |= 1u << (i % 32);
}

/* Bit by bit, for strides that are no whole word. */
static void copy_bits(const uint32_t *in, size_t from, uint32_t *out, size_t to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bit_at(in, from + i))
			set_bit(out, to + i);
}

void pbit__gather(const struct pbit_layer *l, const uint32_t *in, size_t position, uint32_t *out)
{
	const size_t y0 = position / l->out.width * l->stride_h;
	const size_t x0 = position % l->out.width * l->stride_w;

	memset(out, 0, l->k_padded / 8);
	for (size_t ky = 0; ky < l->kernel_h; ky++)
		for (size_t kx = 0; kx < l->kernel_w; kx++) {
			const size_t y = y0 + ky - l->pad_h, x = x0 + kx - l->pad_w;
			const size_t from = (y * l->in.width + x) * l->in_stride;
			const size_t to = (ky * l->kernel_w + kx) * l->in_stride;

			if (y >= l->in.height || x >= l->in.width) /* negative ones have wrapped */
				continue;
			if (l->in_stride % 32 == 0)
				memcpy(out + to / 32, in + from / 32, l->in_stride / 8);
			else
				copy_bits(in, from, out, to, l->in_stride);
		}
}

void pbit__max_pool(const struct pbit_layer *l, const uint32_t *in, uint32_t *out, size_t words)
{
	memset(out, 0, 4 * words);
	for (size_t p = 0; p < (size_t)l->out.height * l->out.width; p++)
		for (size_t k = 0; k < (size_t)l->kernel_h * l->kernel_w; k++) {
			const size_t y = p / l->out.width * l->stride_h + k / l->kernel_w;
			const size_t x = p % l->out.width * l->stride_w + k % l->kernel_w;
			const size_t from = (y * l->in.width + x) * l->in_stride;

			if (l->in_stride % 32 || l->out_stride % 32) {
				copy_bits(in, from, out, p * l->out_stride, l->out.channels);
				continue;
			}
			for (size_t w = 0; w < l->in_stride / 32; w++)
				out[p * l->out_stride / 32 + w] |= in[from / 32 + w];
		}
}
