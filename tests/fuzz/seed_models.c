/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of fuzz_model into a folder: small models that together have every type of
 * layer, width of weights, encoding and optional property.
 */
#include <stdio.h>
#include <stdlib.h>
#include <pbit/pbit.h>

#define MOST 4096

static int8_t ones[MOST];
static float reals[MOST];

static struct pbit_layer_spec neurons(uint32_t type, uint32_t n_out, uint32_t bits,
				      uint32_t activation, uint32_t encoding)
{
	struct pbit_layer_spec layer = PBIT_INIT(layer);

	layer.type = type;
	layer.n_out = n_out;
	layer.weight_bits = bits;
	layer.activation = activation;
	layer.encoding = encoding;
	layer.n_scale = 1;
	layer.weights = ones;
	layer.weights_f32 = reals;
	layer.scale = reals;
	layer.bias = reals;
	return layer;
}

static int write_model(const struct pbit_model_spec *spec, const char *folder, unsigned int number)
{
	struct pbit_model *model;
	char path[512], text[1024];
	int err = pbit_model_create(spec, &model);

	if (!err) {
		snprintf(path, sizeof(path), "%s/seed-%u.pbm", folder, number);
		err = pbit_model_save(model, path);
		pbit_model_put(model);
	}
	if (err) {
		pbit_format_error(text, sizeof(text));
		fprintf(stderr, "seed_models: %s\n", text);
	}
	return err;
}

/* One layer behind codes, one behind bits. */
static int write_dense(const char *folder, unsigned int number, uint32_t bits)
{
	static const char *const classes[] = {"zero", "one"};
	static const char *const provenance[] = {"tool", "seed_models"};
	struct pbit_layer_spec layers[2] = {
		neurons(PBIT_DENSE, 17, bits, PBIT_ACT_PBIT, number / 2 % 2),
		neurons(PBIT_DENSE, 2, bits, number / 2 % 2 ? PBIT_ACT_LINEAR : PBIT_ACT_SIGMOID,
			0),
	};
	struct pbit_model_spec spec = PBIT_INIT(spec);

	layers[0].name = "hidden";
	layers[0].beta = 0.5f;
	spec.name = "dense";
	spec.description = "two dense layers";
	spec.in = (struct pbit_shape){5, 1, 1};
	spec.input_bits = number / 2 % 2 ? 16 : 8;
	spec.input_zero = 3;
	spec.input_scale = 0.25f;
	spec.n_layers = 2;
	spec.layers = layers;
	spec.classes = classes;
	spec.n_classes = 2;
	spec.provenance = provenance;
	spec.n_provenance = 1;
	return write_model(&spec, folder, number);
}

static int write_map(const char *folder, unsigned int number, uint32_t bits)
{
	struct pbit_layer_spec layers[3] = {
		neurons(PBIT_CONV2D, 3, bits, PBIT_ACT_PBIT, number / 2 % 2),
		PBIT_INIT(layers[1]),
		neurons(PBIT_CONV2D, 2, bits, PBIT_ACT_PBIT, number / 2 % 2),
	};
	struct pbit_model_spec spec = PBIT_INIT(spec);

	layers[0].kernel_h = layers[0].kernel_w = 2;
	layers[0].pad_h = 1;
	layers[1].type = PBIT_MAXPOOL;
	layers[1].kernel_h = layers[1].kernel_w = 2;
	layers[1].stride_h = layers[1].stride_w = 1;
	layers[2].kernel_h = layers[2].kernel_w = 1;
	layers[2].stride_h = 2;
	spec.in = (struct pbit_shape){2, 4, 4};
	spec.input_bits = 8;
	spec.input_scale = 1;
	spec.input_chw = 1;
	spec.n_layers = 3;
	spec.layers = layers;
	return write_model(&spec, folder, number);
}

int main(int argc, char **argv)
{
	static const uint32_t widths[] = {1, 2, 4, 8, 32};

	if (argc != 2) {
		fprintf(stderr, "usage: seed_models FOLDER\n");
		return 2;
	}
	for (size_t i = 0; i < MOST; i++) {
		ones[i] = i % 3 ? 1 : -1;
		reals[i] = (float)(i % 7) - 2.5f;
	}
	for (unsigned int i = 0; i < 5; i++) {
		if (write_dense(argv[1], 2 * i, widths[i]) ||
		    write_map(argv[1], 2 * i + 1, widths[i]))
			return 1;
	}
	return 0;
}
