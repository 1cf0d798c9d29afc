/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference: layer mode of CONTRACT.md and MODEL.md, one neuron, one input
 * and one sample at a time, written from those texts and sharing no code with
 * the library. Slow on purpose. A device that follows the contract gives the
 * same bits and the same integers.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <pbit/pbit.h>

/* A network given by its layers, without a model around it. */
struct reference_net {
	const struct pbit_layer *const *layers;
	uint32_t n_layers;
	uint32_t input_zero;
	float input_scale;
};

/* What pbit_run_layers() does, same request, same outputs. 0, -EINVAL, -ENOMEM. */
int reference_run_layers(const struct pbit_model *model, uint32_t first, uint32_t n,
			 const struct pbit_layers_req *req);
int reference_run_net(const struct reference_net *net, uint32_t first, uint32_t n,
		      const struct pbit_layers_req *req);

/*
 * z (for a read-out: y) of every neuron of layer `index` for one input: codes for layer 0, else packed
 * bits. z is [height][width][channels] of the output. 0, -EINVAL, -ENOMEM.
 */
int reference_z(const struct pbit_model *model, uint32_t index, const void *codes,
		uint32_t code_bytes, const uint64_t *in_bits, float *z);
int reference_net_z(const struct reference_net *net, uint32_t index, const void *codes,
		    uint32_t code_bytes, const uint64_t *in_bits, float *z);

/* Numbers of a layer. */
size_t reference_in_words(const struct pbit_layer *layer);
size_t reference_out_words(const struct pbit_layer *layer);
size_t reference_outputs(const struct pbit_layer *layer);
uint32_t reference_channel_stride(const struct pbit_shape *shape, int bits);

/* Weight (o, k), k in the order of MODEL.md. */
double reference_weight(const struct pbit_layer *layer, uint32_t o, uint32_t k);

/* The factors of z = S*a + c for R = sum of the weights that count. */
void reference_affine(const struct pbit_layer *layer, uint32_t o, double R, float input_scale,
		      uint32_t input_zero, float *a, float *c);

/* Randomness (random.c) */
void reference_threefry(const uint64_t key[4], const uint64_t counter[4], uint64_t out[4]);
uint32_t reference_draw_layer(uint64_t seed, uint32_t layer, uint64_t image, uint64_t sample,
			      uint64_t index);
uint32_t reference_threshold24(float z);

#endif
