/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models for the tests of the model loader: one that has every kind of layer, width of weights and
 * encoding, and small ones of a single layer. Weights come from a fixed generator.
 */
#ifndef PBIT_TEST_MODEL_MAKE_H
#define PBIT_TEST_MODEL_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <pbit/backend.h>

#define MAKE_LAYERS 6u

struct make {
	uint64_t state;
	struct pbit_model_spec spec;
	struct pbit_layer_spec layers[MAKE_LAYERS];
	void *owned[64];
	size_t n_owned;
};

static inline uint32_t make_random(struct make *make)
{
	make->state = make->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(make->state >> 33);
}

static inline void *make_room(struct make *make, size_t size)
{
	void *p = malloc(size ? size : 1);

	assert_non_null(p);
	assert_true(make->n_owned < 64);
	make->owned[make->n_owned++] = p;
	return p;
}

static inline int8_t make_weight(struct make *make, uint32_t bits)
{
	int code = (int)(make_random(make) & ((1u << bits) - 1));

	return (int8_t)(bits == 1 ? 2 * code - 1 : code - (1 << (bits - 1)));
}

/* Gives layer i weights, scales and biases for a fan-in. */
static inline void make_fill(struct make *make, struct pbit_layer_spec *layer, size_t fan_in)
{
	size_t n = layer->n_out * fan_in;
	float *scale = make_room(make, layer->n_scale * sizeof(float));
	float *bias = make_room(make, layer->n_out * sizeof(float));

	for (uint32_t i = 0; i < layer->n_scale; i++)
		scale[i] = ((float)(make_random(make) % 2001) - 1000) / 777.0f;
	for (uint32_t i = 0; i < layer->n_out; i++)
		bias[i] = ((float)(make_random(make) % 2001) - 1000) / 333.0f;
	layer->scale = scale;
	layer->bias = bias;
	if (layer->weight_bits == 32) {
		float *weights = make_room(make, n * sizeof(float));

		for (size_t i = 0; i < n; i++)
			weights[i] = ((float)(make_random(make) % 20001) - 10000) / 999.0f;
		layer->weights_f32 = weights;
	} else {
		int8_t *weights = make_room(make, n);

		for (size_t i = 0; i < n; i++)
			weights[i] = make_weight(make, layer->weight_bits);
		layer->weights = weights;
	}
}

static inline void make_begin(struct make *make)
{
	memset(make, 0, sizeof(*make));
	make->state = 20260101;
	make->spec = (struct pbit_model_spec)PBIT_INIT(make->spec);
	make->spec.layers = make->layers;
	make->spec.input_bits = 8;
	make->spec.input_scale = 1.0f / 255;
	make->spec.name = "test";
	for (uint32_t i = 0; i < MAKE_LAYERS; i++)
		make->layers[i] = (struct pbit_layer_spec)PBIT_INIT(make->layers[i]);
}

static inline void make_end(struct make *make)
{
	for (size_t i = 0; i < make->n_owned; i++)
		free(make->owned[i]);
	make->n_owned = 0;
}

static inline struct pbit_layer_spec *make_dense(struct make *make, uint32_t n_out, uint32_t bits,
						 uint32_t activation, uint32_t encoding,
						 size_t fan_in)
{
	struct pbit_layer_spec *layer = &make->layers[make->spec.n_layers++];

	layer->type = PBIT_DENSE;
	layer->n_out = n_out;
	layer->weight_bits = bits;
	layer->activation = activation;
	layer->encoding = encoding;
	layer->n_scale = 1;
	make_fill(make, layer, fan_in);
	return layer;
}

static inline struct pbit_layer_spec *make_conv(struct make *make, uint32_t n_out, uint32_t bits,
						uint32_t encoding, uint32_t size, uint32_t padding,
						size_t channels)
{
	struct pbit_layer_spec *layer = &make->layers[make->spec.n_layers++];

	layer->type = PBIT_CONV2D;
	layer->n_out = n_out;
	layer->weight_bits = bits;
	layer->encoding = encoding;
	layer->kernel_h = layer->kernel_w = size;
	layer->pad_h = layer->pad_w = padding;
	layer->n_scale = n_out;
	make_fill(make, layer, size * size * channels);
	return layer;
}

/*
 * 2x6x5 codes, conv to 5x6x5 bipolar, max-pool to 5x3x2, conv to 7x2x1 binary, dense 19 bipolar,
 * dense 17 binary, dense 3 linear with names.
 */
static inline void make_rich(struct make *make)
{
	static const char *const classes[] = {"shirt", "", "ankle boot"};
	static const char *const provenance[] = {"tool", "unit test", "data,set", "none"};
	struct pbit_layer_spec *layer;

	make_begin(make);
	make->spec.name = "rich";
	make->spec.description = "every kind of layer";
	make->spec.in = (struct pbit_shape){2, 6, 5};
	make->spec.input_zero = 3;
	make->spec.input_chw = 1;
	make->spec.classes = classes;
	make->spec.n_classes = 3;
	make->spec.provenance = provenance;
	make->spec.n_provenance = 2;
	layer = make_conv(make, 5, 4, PBIT_BIPOLAR, 3, 1, 2);
	layer->beta = 0.5f;
	layer->name = "first";
	layer = &make->layers[make->spec.n_layers++];
	layer->type = PBIT_MAXPOOL;
	layer->kernel_h = layer->kernel_w = 2;
	make_conv(make, 7, 8, PBIT_BINARY, 2, 0, 5);
	make_dense(make, 19, 2, PBIT_ACT_PBIT, PBIT_BIPOLAR, 14);
	make_dense(make, 17, 1, PBIT_ACT_PBIT, PBIT_BINARY, 19);
	make_dense(make, 3, 32, PBIT_ACT_LINEAR, 0, 17);
}

static inline struct pbit_model *make_model(struct make *make)
{
	struct pbit_model *model = NULL;
	char text[1024];

	if (pbit_model_create(&make->spec, &model)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s", text);
	}
	return model;
}

/* The bytes that the model is saved as; freed by free(). */
static inline unsigned char *make_bytes(struct make *make, size_t *size)
{
	char path[] = "/tmp/test_model_XXXXXX";
	struct pbit_model *model = make_model(make);
	unsigned char *bytes;
	struct stat status;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pbit_model_save(model, path), 0);
	pbit_model_put(model);
	assert_int_equal(stat(path, &status), 0);
	*size = (size_t)status.st_size;
	bytes = malloc(*size);
	assert_non_null(bytes);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	fclose(file);
	unlink(path);
	return bytes;
}

#endif
