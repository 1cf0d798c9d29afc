/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random models for tests: the shape is given, weights, scales and biases are drawn so that z spreads
 * over the part of the sigmoid where bits are uncertain. The same seed makes the same model.
 */
#ifndef RANDOM_MODEL_H
#define RANDOM_MODEL_H

#include <pbit/pbit.h>

#define RANDOM_MAX_LAYERS 8

struct random_layer {
	uint32_t type, activation, encoding;
	uint32_t n_out;
	uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
	uint32_t weight_bits;
	uint32_t row_scales; /* 1: a scale per output */
	float beta;
	float spread; /* standard deviation of z, roughly; 0: 2 */
};

struct random_net {
	struct pbit_shape in;
	uint32_t input_bits, input_zero;
	float input_scale;
	uint32_t n_layers;
	struct random_layer layers[RANDOM_MAX_LAYERS];
};

/* Short forms of a layer. */
struct random_layer random_dense(uint32_t n_out, uint32_t weight_bits, uint32_t encoding);
struct random_layer random_conv(uint32_t channels, uint32_t kernel, uint32_t stride, uint32_t pad,
				uint32_t weight_bits, uint32_t encoding);
struct random_layer random_pool(uint32_t kernel, uint32_t stride);

/* As pbit_model_create(). */
int random_model(const struct random_net *net, uint64_t seed, struct pbit_model **model);

/* A generator of its own (splitmix64). */
uint64_t random_next(uint64_t *state);
double random_uniform(uint64_t *state); /* in [0, 1) */
uint32_t random_below(uint64_t *state, uint32_t n);

/* Weight (o, k) in a packed array as a code: what MODEL.md's table stores, not the weight. */
void random_pack(void *packed, uint32_t weight_bits, uint32_t k_padded, uint32_t o, uint32_t k,
		 uint32_t code);

#endif
