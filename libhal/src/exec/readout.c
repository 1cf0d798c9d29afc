/* SPDX-License-Identifier: Apache-2.0 */
/* Factors of a network's outputs: see readout.h. */
#include <errno.h>
#include <stdlib.h>
#include <pbit/backend.h>
#include "exec/readout.h"
#include "model/affine_map.h"

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

static int linear(struct pbit__readout *readout, const struct pbit_model *model,
		  const struct pbit_layer *layer)
{
	int rc;

	if (layer->type == PBIT_CONV2D)
		rc = pbit__layer_affine_map(model, layer, layer->n_out, readout->a, readout->c);
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
