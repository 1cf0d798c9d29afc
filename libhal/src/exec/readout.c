/* SPDX-License-Identifier: Apache-2.0 */
/* Factors of a network's outputs: see readout.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <pbit/backend.h>
#include "exec/readout.h"

/* Sums of 32-bit weights come as llrint(S * 2^20), thresholds on 24 bits. */
#define F32_STEP     0x1p-20f
#define SIGMOID_STEP 0x1p-24f

static void fill(struct pbit__readout *readout, float a, float c)
{
	for (uint64_t o = 0; o < readout->n_outputs; o++) {
		readout->a[o] = a;
		readout->c[o] = c;
	}
}

/* Rows (or columns) of the kernel that lie inside the map at output position `at`. */
static void window(uint32_t at, uint32_t stride, uint32_t pad, uint32_t kernel, uint32_t in,
		   uint32_t *first, uint32_t *end)
{
	uint64_t start = (uint64_t)at * stride;
	uint64_t low = start < pad ? pad - start : 0;
	uint64_t high = (uint64_t)in + pad > start ? (uint64_t)in + pad - start : 0;

	if (high > kernel)
		high = kernel;
	if (low > high)
		low = high;
	*first = (uint32_t)low;
	*end = (uint32_t)high;
}

static int affine_conv(struct pbit__readout *readout, const struct pbit_model *model,
		       const struct pbit_layer *layer)
{
	uint32_t ky0, ky1, kx0, kx1, done[4] = {0, 0, 0, 0};
	size_t channels = layer->n_out, position = 0;
	bool first = true;

	for (uint32_t y = 0; y < layer->out.height; y++) {
		window(y, layer->stride_h, layer->pad_h, layer->kernel_h, layer->in.height, &ky0,
		       &ky1);
		for (uint32_t x = 0; x < layer->out.width; x++, position++) {
			float *a = readout->a + position * channels;
			float *c = readout->c + position * channels;

			window(x, layer->stride_w, layer->pad_w, layer->kernel_w, layer->in.width,
			       &kx0, &kx1);
			if (!first && done[0] == ky0 && done[1] == ky1 && done[2] == kx0 &&
			    done[3] == kx1) {
				/* The position before has the same window. */
				for (size_t o = 0; o < channels; o++) {
					a[o] = a[o - channels];
					c[o] = c[o - channels];
				}
				continue;
			}
			int rc = pbit_layer_affine(model, layer->index, ky0, ky1, kx0, kx1, a, c);

			if (rc)
				return rc;
			first = false;
			done[0] = ky0;
			done[1] = ky1;
			done[2] = kx0;
			done[3] = kx1;
		}
	}
	return 0;
}

static int linear(struct pbit__readout *readout, const struct pbit_model *model,
		  const struct pbit_layer *layer)
{
	int rc;

	if (layer->type == PBIT_CONV2D)
		rc = affine_conv(readout, model, layer);
	else
		rc = pbit_layer_affine(model, layer->index, 0, 1, 0, 1, readout->a, readout->c);
	if (rc || layer->weight_bits != 32)
		return rc;
	for (uint64_t o = 0; o < readout->n_outputs; o++)
		readout->a[o] *= F32_STEP;
	return 0;
}

int pbit__readout_init(struct pbit__readout *readout, const struct pbit_model *model,
		       const struct pbit_model_info *info)
{
	const struct pbit_layer *layer = pbit_model_layer(model, info->n_layers - 1);

	*readout = (struct pbit__readout){.n_outputs = info->n_outputs};
	readout->a = calloc(info->n_outputs, sizeof(float));
	readout->c = calloc(info->n_outputs, sizeof(float));
	if (!layer || !readout->a || !readout->c)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot make a session", NULL, NULL,
				 "no memory for the factors of %llu outputs",
				 (unsigned long long)info->n_outputs);
	switch (layer->activation) {
	case PBIT_ACT_LINEAR:
		return linear(readout, model, layer);
	case PBIT_ACT_SIGMOID:
		fill(readout, SIGMOID_STEP, 0.0f);
		return 0;
	default:
		if (layer->encoding == PBIT_BIPOLAR)
			fill(readout, 2.0f, -1.0f);
		else
			fill(readout, 1.0f, 0.0f);
		return 0;
	}
}

void pbit__readout_free(struct pbit__readout *readout)
{
	free(readout->a);
	free(readout->c);
	readout->a = NULL;
	readout->c = NULL;
}
