/* SPDX-License-Identifier: Apache-2.0 */
/* Random models: see random_model.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random_model.h"

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

double random_uniform(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((random_next(state) >> 32) * n >> 32);
}

struct random_layer random_dense(uint32_t n_out, uint32_t weight_bits, uint32_t encoding)
{
	return (struct random_layer){.type = PBIT_DENSE,
				     .activation = PBIT_ACT_PBIT,
				     .encoding = encoding,
				     .n_out = n_out,
				     .weight_bits = weight_bits,
				     .beta = 1};
}

struct random_layer random_conv(uint32_t channels, uint32_t kernel, uint32_t stride, uint32_t pad,
				uint32_t weight_bits, uint32_t encoding)
{
	struct random_layer layer = random_dense(channels, weight_bits, encoding);

	layer.type = PBIT_CONV2D;
	layer.kernel_h = layer.kernel_w = kernel;
	layer.stride_h = layer.stride_w = stride;
	layer.pad_h = layer.pad_w = pad;
	return layer;
}

struct random_layer random_pool(uint32_t kernel, uint32_t stride)
{
	return (struct random_layer){.type = PBIT_MAXPOOL,
				     .activation = PBIT_ACT_NONE,
				     .kernel_h = kernel,
				     .kernel_w = kernel,
				     .stride_h = stride,
				     .stride_w = stride};
}

void random_pack(void *packed, uint32_t weight_bits, uint32_t k_padded, uint32_t o, uint32_t k,
		 uint32_t code)
{
	size_t chunk = (size_t)(o / 16) * (k_padded / 32) + k / 32;
	uint8_t *lane = (uint8_t *)packed + chunk * weight_bits * 64 + o % 16 * 4;
	uint32_t b = k % 32 / 8, j = k % 8, i;

	switch (weight_bits) {
	case 1:
	case 2:
		for (i = 0; i < weight_bits; i++) {
			lane[64 * i + b] &= (uint8_t) ~(1u << j);
			lane[64 * i + b] |= (uint8_t)((code >> i & 1) << j);
		}
		break;
	case 4:
		lane[64 * (j / 2) + b] &= (uint8_t)(j % 2 ? 0x0f : 0xf0);
		lane[64 * (j / 2) + b] |= (uint8_t)((code & 15) << 4 * (j % 2));
		break;
	case 8:
		lane[64 * j + b] = (uint8_t)code;
		break;
	default:
		for (i = 0; i < 4; i++)
			lane[64 * (k % 32) + i] = (uint8_t)(code >> 8 * i);
	}
}

/* Arrays of one layer's description. */
struct arrays {
	int8_t *weights;
	float *weights_f32, *scale, *bias;
};

static void arrays_free(struct arrays *arrays)
{
	free(arrays->weights);
	free(arrays->weights_f32);
	free(arrays->scale);
	free(arrays->bias);
}

static int8_t random_weight(uint32_t bits, uint64_t *random)
{
	if (bits == 1)
		return random_below(random, 2) ? 1 : -1;
	return (int8_t)((int)random_below(random, 1u << bits) - (1 << (bits - 1)));
}

/* Root mean square of such weights. */
static double weight_size(uint32_t bits)
{
	if (bits == 1)
		return 1;
	return bits == 32 ? 0.58 : ldexp(0.58, (int)bits - 1) + 0.4;
}

static int fill_layer(const struct random_layer *layer, size_t fan_in, double input_size,
		      uint64_t *random, struct arrays *arrays, struct pbit_layer_spec *spec)
{
	size_t n = layer->n_out, i;
	double spread = layer->spread > 0 ? (double)layer->spread : 2.0;
	double gain =
		spread / (weight_size(layer->weight_bits) * input_size * sqrt((double)fan_in));

	if (layer->activation == PBIT_ACT_PBIT && layer->encoding == PBIT_BIPOLAR)
		gain /= 2;
	spec->n_scale = layer->row_scales ? layer->n_out : 1;
	arrays->scale = malloc(spec->n_scale * sizeof(float));
	arrays->bias = malloc(n * sizeof(float));
	if (layer->weight_bits == 32)
		arrays->weights_f32 = malloc(n * fan_in * sizeof(float));
	else
		arrays->weights = malloc(n * fan_in);
	if (!arrays->scale || !arrays->bias || (!arrays->weights && !arrays->weights_f32))
		return -ENOMEM;
	for (i = 0; i < n * fan_in; i++)
		if (arrays->weights_f32)
			arrays->weights_f32[i] = (float)(2 * random_uniform(random) - 1);
		else
			arrays->weights[i] = random_weight(layer->weight_bits, random);
	for (i = 0; i < spec->n_scale; i++)
		arrays->scale[i] = (float)(gain * (0.5 + random_uniform(random)));
	for (i = 0; i < n; i++)
		arrays->bias[i] = (float)(spread * (random_uniform(random) - 0.5));
	spec->weights = arrays->weights;
	spec->weights_f32 = arrays->weights_f32;
	spec->scale = arrays->scale;
	spec->bias = arrays->bias;
	return 0;
}

/* The shape behind a convolution or a max-pool. */
static struct pbit_shape shape_behind(const struct random_layer *layer, struct pbit_shape in)
{
	struct pbit_shape out = {layer->n_out, 1, 1};

	if (layer->type == PBIT_DENSE)
		return out;
	if (layer->type == PBIT_MAXPOOL)
		out.channels = in.channels;
	out.height = (in.height + 2 * layer->pad_h - layer->kernel_h) / layer->stride_h + 1;
	out.width = (in.width + 2 * layer->pad_w - layer->kernel_w) / layer->stride_w + 1;
	return out;
}

static struct pbit_layer_spec spec_of(const struct random_layer *layer)
{
	struct pbit_layer_spec spec = PBIT_INIT(spec);

	spec.type = layer->type;
	spec.activation = layer->activation;
	spec.encoding = layer->encoding;
	spec.n_out = layer->n_out;
	spec.kernel_h = layer->kernel_h;
	spec.kernel_w = layer->kernel_w;
	spec.stride_h = layer->stride_h;
	spec.stride_w = layer->stride_w;
	spec.pad_h = layer->pad_h;
	spec.pad_w = layer->pad_w;
	spec.weight_bits = layer->weight_bits;
	spec.beta = layer->activation == PBIT_ACT_PBIT ? layer->beta : 0; /* a read-out has none */
	return spec;
}

int random_model(const struct random_net *net, uint64_t seed, struct pbit_model **model)
{
	struct pbit_layer_spec layers[RANDOM_MAX_LAYERS];
	struct arrays arrays[RANDOM_MAX_LAYERS] = {{NULL, NULL, NULL, NULL}};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_shape shape = net->in;
	double input_size = ldexp((double)net->input_scale, (int)net->input_bits) * 0.35;
	uint64_t random = seed;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < net->n_layers && !rc; i++) {
		const struct random_layer *layer = &net->layers[i];
		size_t window = layer->type == PBIT_DENSE ? (size_t)shape.height * shape.width
							  : layer->kernel_h * layer->kernel_w;

		layers[i] = spec_of(layer);
		if (layer->type != PBIT_MAXPOOL)
			rc = fill_layer(layer, window * shape.channels, input_size, &random,
					&arrays[i], &layers[i]);
		shape = shape_behind(layer, shape);
		if (layer->type != PBIT_MAXPOOL)
			input_size = layer->encoding == PBIT_BIPOLAR ? 1 : 0.7;
	}
	spec.name = "random";
	spec.in = net->in;
	spec.input_bits = net->input_bits;
	spec.input_zero = net->input_zero;
	spec.input_scale = net->input_scale;
	spec.n_layers = net->n_layers;
	spec.layers = layers;
	if (!rc)
		rc = pbit_model_create(&spec, model);
	for (i = 0; i < net->n_layers; i++)
		arrays_free(&arrays[i]);
	return rc;
}
