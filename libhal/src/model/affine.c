/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The factors a and c of CONTRACT.md's z = S*a + c: products in binary64 from left to right as its
 * table has them, rounded once to binary32.
 */
#include <errno.h>
#include <stdlib.h>
#include "model.h"

static const char what[] = "cannot compute the factors of a layer";

static double gain_of(const struct pbit_layer *layer)
{
	if (layer->activation != PBIT_ACT_PBIT)
		return 1;
	if (layer->encoding == PBIT_BIPOLAR)
		return 2 * (double)layer->beta;
	return (double)layer->beta;
}

static void factors(const struct pbit_model *model, const struct pbit_layer *layer, uint32_t o,
		    double R, float *a, float *c)
{
	double g = gain_of(layer);
	double scale = (double)layer->scale[layer->n_scale == 1 ? 0 : o];
	double bias = (double)layer->bias[o];
	double scale_in = (double)model->info.input_scale;
	double zero = (double)model->info.input_zero;

	switch (layer->in_encoding) {
	case PBIT_BIPOLAR:
		*a = (float)(g * 2 * scale);
		*c = (float)(g * (bias - scale * R));
		break;
	case PBIT_BINARY:
		*a = (float)(g * scale);
		*c = (float)(g * bias);
		break;
	default:
		*a = (float)(g * scale * scale_in);
		*c = (float)(g * (bias - scale * scale_in * zero * R));
		break;
	}
}

static int row_sums(const struct pbit_layer *layer, uint32_t ky0, uint32_t ky1, uint32_t kx0,
		    uint32_t kx1, double *R)
{
	int64_t *exact;
	int err;

	if (layer->weight_bits == 32)
		return pbit__layer_row_sums_f32(layer, ky0, ky1, kx0, kx1, R);
	exact = malloc(layer->n_out * sizeof(*exact));
	if (!exact)
		return -ENOMEM;
	err = pbit__layer_row_sums(layer, ky0, ky1, kx0, kx1, exact);
	for (uint32_t o = 0; o < layer->n_out && !err; o++)
		R[o] = (double)exact[o];
	free(exact);
	return err;
}

static int check_window(const struct pbit_layer *layer, uint32_t ky0, uint32_t ky1, uint32_t kx0,
			uint32_t kx1)
{
	if (layer->type == PBIT_DENSE ||
	    (ky0 <= ky1 && ky1 <= layer->kernel_h && kx0 <= kx1 && kx1 <= layer->kernel_w))
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "window",
			 "pass the part of the kernel that lies inside the input map",
			 "rows %u ... %u and columns %u ... %u (ends excluded) are not a window of "
			 "the kernel <%u %u>",
			 ky0, ky1, kx0, kx1, layer->kernel_h, layer->kernel_w);
}

int pbit_layer_affine(const struct pbit_model *model, uint32_t i, uint32_t ky0, uint32_t ky1,
		      uint32_t kx0, uint32_t kx1, float *a, float *c)
{
	const struct pbit_layer *layer = pbit_model_layer(model, i);
	double *R;
	int err;

	if (!model || !a || !c)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, NULL,
				 "pass a model and places for a and c", "NULL argument");
	if (!layer || layer->type == PBIT_MAXPOOL)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "layer",
				 "ask for a dense or conv2d layer", "layer %u of %u %s", i,
				 model->n_layers, layer ? "is a max-pool" : "is past the end");
	err = check_window(layer, ky0, ky1, kx0, kx1);
	if (err)
		return err;
	R = calloc(layer->n_out, sizeof(*R));
	err = R ? 0 : -ENOMEM;
	if (!err && layer->in_encoding != PBIT_BINARY)
		err = row_sums(layer, ky0, ky1, kx0, kx1, R);
	for (uint32_t o = 0; o < layer->n_out && !err; o++)
		factors(model, layer, o, R[o], &a[o], &c[o]);
	free(R);
	if (err)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, NULL, "free memory",
				 "out of memory for %zu bytes", layer->n_out * sizeof(*R));
	return 0;
}
