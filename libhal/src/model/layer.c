/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer@N node into a struct pbit_layer: which properties each type needs, may have and must
 * not have, and their values. Geometry is in geometry.c.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"

enum {
	TYPE,
	NAME,
	OUTPUTS,
	CHANNELS,
	KERNEL,
	STRIDE,
	PADDING,
	ACTIVATION,
	ENCODING,
	BETA,
	WEIGHT_BITS,
	WEIGHTS,
	SCALE,
	BIAS,
	N_PROPERTIES,
};

static const char *const property_names[N_PROPERTIES] = {
	"type",	      "label",	  "outputs", "channels",    "kernel",  "stride", "padding",
	"activation", "encoding", "beta",    "weight-bits", "weights", "scale",	 "bias",
};

static const char *const types[] = {"dense", "conv2d", "maxpool", NULL};
static const char *const activations[] = {"pbit", "linear", "sigmoid", NULL};
static const char *const encodings[] = {"bipolar", "binary", NULL};

#define OF(x) (1u << (x))

/* A property of another kind of layer would be ignored silently; it is refused. */
static int refuse_misplaced(const struct pbit__node *node, const struct pbit__property *properties,
			    const struct pbit_layer *layer)
{
	static const uint32_t allowed[] = {
		[PBIT_DENSE] = ~(OF(CHANNELS) | OF(KERNEL) | OF(STRIDE) | OF(PADDING)),
		[PBIT_CONV2D] = ~OF(OUTPUTS),
		[PBIT_MAXPOOL] = OF(TYPE) | OF(NAME) | OF(KERNEL) | OF(STRIDE),
	};
	uint32_t mask = allowed[layer->type];
	const char *reason = types[layer->type];

	for (uint32_t i = 0; i < N_PROPERTIES; i++) {
		int err = mask & OF(i) ? 0 : pbit__property_refuse(node, &properties[i], reason);

		if (err)
			return err;
	}
	return 0;
}

static int read_pair(const struct pbit__node *node, const struct pbit__property *property,
		     uint32_t *height, uint32_t *width)
{
	uint32_t cells[2];
	int err = pbit__property_cells(node, property, 2, cells);

	if (err)
		return err;
	*height = cells[0];
	*width = cells[1];
	return 0;
}

static int read_window(const struct pbit__node *node, const struct pbit__property *properties,
		       struct pbit_layer *layer)
{
	int err;

	layer->kernel_h = layer->kernel_w = 1;
	layer->stride_h = layer->stride_w = 1;
	if (layer->type == PBIT_DENSE)
		return 0;
	err = read_pair(node, &properties[KERNEL], &layer->kernel_h, &layer->kernel_w);
	if (err)
		return err;
	if (layer->type == PBIT_MAXPOOL) {
		layer->stride_h = layer->kernel_h;
		layer->stride_w = layer->kernel_w;
	}
	if (properties[STRIDE].data)
		err = read_pair(node, &properties[STRIDE], &layer->stride_h, &layer->stride_w);
	if (!err && properties[PADDING].data)
		err = read_pair(node, &properties[PADDING], &layer->pad_h, &layer->pad_w);
	return err;
}

static int read_activation(const struct pbit__node *node, const struct pbit__property *properties,
			   struct pbit_layer *layer)
{
	int err =
		pbit__property_word(node, &properties[ACTIVATION], activations, &layer->activation);

	if (err)
		return err;
	if (layer->activation != PBIT_ACT_PBIT) {
		err = pbit__property_refuse(node, &properties[ENCODING], "a read-out");
		return err ? err : pbit__property_refuse(node, &properties[BETA], "a read-out");
	}
	err = pbit__property_word(node, &properties[ENCODING], encodings, &layer->encoding);
	if (err || !properties[BETA].data)
		return err;
	err = pbit__property_floats(node, &properties[BETA], 1, &layer->beta);
	if (err)
		return err;
	if (!(layer->beta > 0))
		return pbit__model_fail(node->origin, -EINVAL, node->path, "beta",
					"%g, expected more than 0", (double)layer->beta);
	return 0;
}

static int read_neurons(const struct pbit__node *node, const struct pbit__property *properties,
			struct pbit_layer *layer)
{
	const struct pbit__property *outputs =
		&properties[layer->type == PBIT_DENSE ? OUTPUTS : CHANNELS];
	uint32_t bits;
	int err = pbit__property_cells(node, outputs, 1, &layer->n_out);

	if (err)
		return err;
	err = pbit__property_cells(node, &properties[WEIGHT_BITS], 1, &bits);
	if (err)
		return err;
	if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 32)
		return pbit__model_fail(node->origin, -EINVAL, node->path, "weight-bits",
					"%u, expected 1, 2, 4, 8 or 32", bits);
	layer->weight_bits = bits;
	return read_activation(node, properties, layer);
}

static int read_floats(const struct pbit__node *node, const struct pbit__property *property,
		       uint32_t n, float **values)
{
	*values = malloc(n * sizeof(float));
	if (!*values)
		return pbit__model_no_memory(node->origin, n * sizeof(float));
	return pbit__property_floats(node, property, n, *values);
}

/* Both are sized by the file, so what is allocated never exceeds it. */
static int read_affine(const struct pbit__node *node, const struct pbit__property *properties,
		       struct pbit_layer *layer, struct pbit__layer_store *store)
{
	uint64_t full = 4ull * layer->n_out;
	int err;

	if (properties[SCALE].data && properties[SCALE].size != 4 &&
	    (uint64_t)properties[SCALE].size != full)
		return pbit__model_fail(node->origin, -EINVAL, node->path, "scale",
					"%d bytes, expected 4 (one value) or %llu (one per output)",
					properties[SCALE].size, (unsigned long long)full);
	if (properties[BIAS].data && (uint64_t)properties[BIAS].size != full)
		return pbit__model_fail(node->origin, -EINVAL, node->path, "bias",
					"%d bytes, expected %llu (one value per output)",
					properties[BIAS].size, (unsigned long long)full);
	err = pbit__property_need(node, &properties[SCALE]);
	if (!err)
		err = pbit__property_need(node, &properties[BIAS]);
	if (err)
		return err;
	layer->n_scale = (uint32_t)properties[SCALE].size / 4;
	err = read_floats(node, &properties[SCALE], layer->n_scale, &store->scale);
	layer->scale = store->scale;
	if (!err)
		err = read_floats(node, &properties[BIAS], layer->n_out, &store->bias);
	layer->bias = store->bias;
	return err;
}

static uint32_t load_le32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Every stored value, also those never counted: no arithmetic on them may trap or be slow. */
static int check_weights_f32(const struct pbit__node *node, const struct pbit__property *weights)
{
	const unsigned char *data = weights->data;

	for (size_t i = 0; i < (size_t)weights->size; i += 4) {
		uint32_t bits = load_le32(data + i);

		if ((bits & 0x7f800000u) == 0x7f800000u)
			return pbit__model_fail(node->origin, -EINVAL, node->path, "weights",
						"the value at byte %zu is not finite (0x%08x)", i,
						bits);
	}
	return 0;
}

static int read_weights(struct pbit_model *model, const struct pbit__node *node,
			const struct pbit__property *weights, struct pbit_layer *layer,
			struct pbit__layer_store *store)
{
	int err = pbit__property_need(node, weights);

	if (err)
		return err;
	if ((size_t)weights->size != layer->weights_size)
		return pbit__model_fail(node->origin, -EINVAL, node->path, "weights",
					"%d bytes, expected %zu (%u outputs, fan-in %u, %u bits)",
					weights->size, layer->weights_size, layer->n_out,
					layer->fan_in, layer->weight_bits);
	if (layer->weight_bits == 32) {
		err = check_weights_f32(node, weights);
		if (err)
			return err;
	}
	layer->weights = weights->data;
	if ((uintptr_t)weights->data % PBIT__LINE == 0)
		return 0;
	model->aligned = false;
	store->weights = pbit__aligned(layer->weights_size);
	if (!store->weights)
		return pbit__model_no_memory(node->origin, layer->weights_size);
	memcpy(store->weights, weights->data, layer->weights_size);
	layer->weights = store->weights;
	return 0;
}

static void input_of(const struct pbit_model *model, uint32_t i, struct pbit__map *in)
{
	if (i) {
		pbit__layer_output(&model->layers[i - 1], in);
		return;
	}
	in->shape = model->info.in;
	in->encoding = PBIT_CODES;
	in->stride = in->shape.channels;
}

int pbit__layer_read(struct pbit_model *model, const struct pbit__node *node, uint32_t i)
{
	struct pbit__property properties[N_PROPERTIES];
	struct pbit_layer *layer = &model->layers[i];
	struct pbit__map in;
	int err;

	for (uint32_t p = 0; p < N_PROPERTIES; p++)
		properties[p] = (struct pbit__property){.name = property_names[p]};
	*layer = (struct pbit_layer)PBIT_INIT(*layer);
	layer->index = i;
	layer->beta = 1;
	layer->name = "";
	layer->activation = PBIT_ACT_NONE;
	err = pbit__node_read(node, properties, N_PROPERTIES);
	if (!err)
		err = pbit__property_word(node, &properties[TYPE], types, &layer->type);
	if (!err)
		err = refuse_misplaced(node, properties, layer);
	if (!err && properties[NAME].data)
		err = pbit__property_string(node, &properties[NAME], &layer->name);
	if (!err)
		err = read_window(node, properties, layer);
	if (!err && layer->type != PBIT_MAXPOOL)
		err = read_neurons(node, properties, layer);
	if (err)
		return err;
	input_of(model, i, &in);
	err = pbit__layer_derive(node->origin, node->path, layer, &in, i + 1 == model->n_layers);
	if (err || layer->type == PBIT_MAXPOOL)
		return err;
	err = read_affine(node, properties, layer, &model->stores[i]);
	if (err)
		return err;
	return read_weights(model, node, &properties[WEIGHTS], layer, &model->stores[i]);
}
