/* SPDX-License-Identifier: Apache-2.0 */
/* Moving activations of maps: patches of a convolution, max-pooling, codes of a first layer. */
#ifndef PBIT_SRC_MODEL_GATHER_H
#define PBIT_SRC_MODEL_GATHER_H

#include <string.h>
#include <pbit/model.h>

/* The fan-in of one output position, in order of k; 0 outside the map. */
void pbit__gather(const struct pbit_layer *l, const uint32_t *in, size_t position, uint32_t *out);

/* Max-pool of a whole map; `words` words of out, those past the map are cleared. */
void pbit__max_pool(const struct pbit_layer *l, const uint32_t *in, uint32_t *out, size_t words);

static inline uint32_t pbit__code_at(const uint8_t *image, size_t i, uint32_t bytes)
{
	uint16_t wide;

	if (bytes == 1)
		return image[i];
	memcpy(&wide, image + 2 * i, 2);
	return wide;
}

/* Code of input k of the neuron at one position; 0 outside the map. */
static inline uint32_t pbit__code_input(const struct pbit_layer *l, const uint8_t *image,
					uint32_t bytes, size_t position, size_t k)
{
	const size_t c = k % l->in_stride, tap = k / l->in_stride;
	size_t y, x;

	if (l->type == PBIT_DENSE)
		return pbit__code_at(image, k, bytes);
	y = position / l->out.width * l->stride_h + tap / l->kernel_w - l->pad_h;
	x = position % l->out.width * l->stride_w + tap % l->kernel_w - l->pad_w;
	if (y >= l->in.height || x >= l->in.width) /* negative ones have wrapped */
		return 0; /* the real value 0: what takes out the zero does not count it either */
	return pbit__code_at(image, (y * l->in.width + x) * l->in_stride + c, bytes);
}

#endif
