/* SPDX-License-Identifier: Apache-2.0 */
/* The models that benchmarks run, made from a small fixed generator. */
#include "bench_cases.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>

const struct bench_case bench_cases[] = {
	{"mlp-1024", {784, 1024, 1024, 10}},
	{"mlp-4096", {4096, 4096, 4096, 10}},
};

const size_t bench_n_cases = sizeof(bench_cases) / sizeof(bench_cases[0]);

const struct bench_case *bench_case_find(const char *name)
{
	for (size_t i = 0; i < bench_n_cases; i++)
		if (!strcmp(bench_cases[i].name, name))
			return &bench_cases[i];
	return NULL;
}

/* SplitMix64 (Steele, Lea, Flood, 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void bench_fill_inputs(uint8_t *codes, size_t n)
{
	uint64_t state = 1;

	for (size_t i = 0; i < n; i++)
		codes[i] = (uint8_t)(next_random(&state) >> 56);
}

/* Plain weights of one layer. */
struct weights {
	int8_t *integers;
	float *reals;
	float *bias;
	float scale;
};

static void fill_integers(int8_t *weights, size_t n, uint32_t bits, uint64_t *state)
{
	int half = bits == 1 ? 1 : 1 << (bits - 1);

	for (size_t i = 0; i < n; i++) {
		int code = (int)(next_random(state) >> (64 - bits));

		weights[i] = (int8_t)(bits == 1 ? 2 * code - 1 : code - half);
	}
}

static void fill_reals(float *weights, size_t n, float range, uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		weights[i] =
			range * ((float)(next_random(state) >> 40) * (1.0f / (1 << 23)) - 1.0f);
}

/* Root of the mean square of a weight. */
static double weight_size(uint32_t bits)
{
	double codes = ldexp(1, (int)bits);

	if (bits == 1)
		return 1;
	if (bits == 32)
		return sqrt(1.0 / 3);
	/* -2^(b-1) ... 2^(b-1) - 1, equally likely. */
	return sqrt((codes * codes - 1) / 12 + 0.25);
}

static int weights_new(struct weights *weights, uint32_t n_in, uint32_t n_out, uint32_t bits,
		       double mean_square, uint64_t *state)
{
	size_t n = (size_t)n_in * n_out;

	weights->bias = malloc(n_out * sizeof(*weights->bias));
	if (bits == 32)
		weights->reals = malloc(n * sizeof(*weights->reals));
	else
		weights->integers = malloc(n);
	if (!weights->bias || (!weights->reals && !weights->integers))
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot make the model", NULL,
				 "choose a smaller case", "out of memory");
	if (bits == 32)
		fill_reals(weights->reals, n, 1, state);
	else
		fill_integers(weights->integers, n, bits, state);
	fill_reals(weights->bias, n_out, 0.5f, state);
	weights->scale = (float)(1 / (weight_size(bits) * sqrt(n_in * mean_square)));
	return 0;
}

static void weights_free(struct weights *weights)
{
	free(weights->integers);
	free(weights->reals);
	free(weights->bias);
}

static void describe(struct pbit_layer_spec *layer, const struct weights *weights, uint32_t n_out,
		     uint32_t bits, bool is_last)
{
	*layer = (struct pbit_layer_spec)PBIT_INIT(*layer);
	layer->type = PBIT_DENSE;
	layer->activation = is_last ? PBIT_ACT_LINEAR : PBIT_ACT_PBIT;
	layer->encoding = PBIT_BIPOLAR;
	layer->n_out = n_out;
	layer->weight_bits = bits;
	layer->weights = weights->integers;
	layer->weights_f32 = weights->reals;
	layer->scale = &weights->scale;
	layer->n_scale = 1;
	layer->bias = weights->bias;
}

int bench_model_create(const struct bench_case *bench, uint32_t bits, struct pbit_model **model)
{
	struct pbit_layer_spec layers[BENCH_LAYERS];
	struct weights weights[BENCH_LAYERS] = {{NULL, NULL, NULL, 0}};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	uint64_t state = bits;
	char name[64];
	int err = 0;

	for (uint32_t i = 0; i < BENCH_LAYERS && !err; i++) {
		/* Inputs are uniform on 0 ... 1, p-bits -1 or +1. */
		err = weights_new(&weights[i], bench->widths[i], bench->widths[i + 1], bits,
				  i ? 1 : 1.0 / 3, &state);
		describe(&layers[i], &weights[i], bench->widths[i + 1], bits,
			 i + 1 == BENCH_LAYERS);
	}
	if (err)
		goto free_weights;
	snprintf(name, sizeof(name), "%s-w%u", bench->name, bits);
	spec.name = name;
	spec.in = (struct pbit_shape){bench->widths[0], 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 1.0f / 255;
	spec.n_layers = BENCH_LAYERS;
	spec.layers = layers;
	err = pbit_model_create(&spec, model);
free_weights:
	for (uint32_t i = 0; i < BENCH_LAYERS; i++)
		weights_free(&weights[i]);
	return err;
}
