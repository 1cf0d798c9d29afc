/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers loaded on a card, and the buffers that their runs reuse. */
#ifndef PBIT_FPGA_NET_H
#define PBIT_FPGA_NET_H

#include "pipe.h"

/* Blocks under way: one is filled or emptied here, one runs, one waits. */
#define CARD_SLOTS 3u

struct card_layer {
	const struct pbit_layer *info;
	struct card_buffer memory; /* weights, then factors */
	uint64_t factors;	   /* offset */
	uint64_t macs;		   /* of one sample, as the card counts them */
	uint32_t n_inputs;	   /* padding inside a map counts */
	uint32_t out_stride;	   /* bytes of a state */
};

struct card_net {
	uint32_t n;
	bool codes; /* the input is codes, not bits */
	uint32_t code_bytes;
	uint32_t in_stride; /* bytes of an image's codes, or of a sample's bits */
	uint64_t max_rows;  /* samples of one command, for every layer */
	struct card_buffer
		state[2]; /* between layers; jobs run in order, so all blocks share them */
	struct card_buffer slot[CARD_SLOTS];
	struct card_layer layer[];
};

static inline const struct card_layer *card_net_last(const struct card_net *net)
{
	return &net->layer[net->n - 1];
}

#endif
