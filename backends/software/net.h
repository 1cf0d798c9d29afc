/* SPDX-License-Identifier: Apache-2.0 */
/* A range of layers made ready for the software device. */
#ifndef PBIT_SOFTWARE_NET_H
#define PBIT_SOFTWARE_NET_H

#include <pbit/backend.h>
#include "kernels/kernels.h"

struct soft_layer {
	const struct pbit_layer *info;
	size_t positions; /* of the output map; 1 for a dense layer */
	size_t n_pbits;	  /* size of the output state in bits, stride of channels counted */
	size_t n_padded;  /* the same rounded up to whole groups of 128 */
	size_t words;	  /* 32-bit words of a packed output state in memory */
	size_t in_words;  /* of the input state */
	size_t row;	  /* ints from one position's sums to the next */
	size_t tiles;
	size_t n_values; /* read-out: values of one output */
	float *a, *c;	 /* n_padded factors of z = S*a + c; unused p-bits never fire */
};

struct soft_net {
	const struct pbit_model *model;
	uint32_t n_layers;
	bool code_input;
	uint32_t code_bytes; /* of an input code */
	size_t n_inputs;
	struct soft_layer *layers;
};

int soft_net_load(const struct pbit_model *model, uint32_t first, uint32_t n,
		  struct soft_net **net);
void soft_net_free(struct soft_net *net);

static inline size_t soft_round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

#endif
