/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights of a layer unpacked once, input by input: a sum over the inputs that are 1 then adds whole
 * rows, and for binary32 in the order that CONTRACT.md asks for.
 */
#include <errno.h>
#include <stdlib.h>
#include "lower/lower.h"

static const char what[] = "cannot lower the model";

int pbit__lower_no_memory(const char *doing)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, doing, NULL,
			 "close other programs or use a smaller model", "out of memory");
}

void pbit__taps_free(struct pbit__taps *taps)
{
	free(taps->real);
	free(taps->w8);
	free(taps->w32);
	*taps = (struct pbit__taps){0};
}

static bool is_real(const struct pbit_layer *layer, uint32_t k)
{
	return k % layer->in_stride < layer->in.channels;
}

static void unpack(const struct pbit_layer *layer, struct pbit__taps *taps)
{
	for (uint32_t k = 0; k < taps->n; k++) {
		size_t row = (size_t)k * taps->n_out;

		if (!is_real(layer, k))
			continue; /* weights of padding channels are not counted */
		taps->real[taps->n_real++] = k;
		for (uint32_t o = 0; o < taps->n_out; o++) {
			double w = pbit_layer_weight(layer, o, k);

			if (taps->w8)
				taps->w8[row + o] = (int8_t)w;
			else
				taps->w32[row + o] = (float)w;
		}
	}
}

int pbit__taps_read(const struct pbit_layer *layer, struct pbit__taps *taps)
{
	uint64_t field = layer->type == PBIT_CONV2D ? (uint64_t)layer->kernel_h * layer->kernel_w
						    : (uint64_t)layer->in.height * layer->in.width;
	size_t n;

	*taps = (struct pbit__taps){.n_out = layer->n_out};
	taps->n = (uint32_t)(field * layer->in_stride);
	taps->real = calloc(taps->n, sizeof(*taps->real));
	n = (size_t)taps->n * taps->n_out;
	if (layer->weight_bits == 32)
		taps->w32 = calloc(n, sizeof(*taps->w32));
	else
		taps->w8 = calloc(n, sizeof(*taps->w8));
	if (!taps->real || (!taps->w8 && !taps->w32)) {
		pbit__taps_free(taps);
		return pbit__lower_no_memory(what);
	}
	unpack(layer, taps);
	return 0;
}
