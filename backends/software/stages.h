/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a pass through a network, each for a block of columns. */
#ifndef PBIT_SOFTWARE_STAGES_H
#define PBIT_SOFTWARE_STAGES_H

#include "pool.h"
#include "scratch.h"

/* What a stage needs to know. */
struct soft_pass {
	const struct soft_net *net;
	const struct soft_kernels *kernels;
	struct soft_scratch *scratch;
	struct soft_scratch *scratches; /* of all threads */
	struct soft_pool *pool;		/* divides each product, NULL: this thread alone */
	const struct pbit_layers_req *req;
	size_t codes_image; /* first image whose first layer is kept */
	size_t image;	    /* first image of the block */
	size_t n_images;
	size_t sample;	  /* first sample of the block */
	size_t n_samples; /* columns are image-major */
};

/* Pre-activations (and thresholds) of the first layer from codes, kept for all samples. */
void soft_stage_codes(struct soft_pass *pass);

/* First layer's p-bits drawn from what soft_stage_codes() kept, into bits[0]. */
void soft_stage_draw_codes(struct soft_pass *pass);

/* Layer i (not fed by codes) from bits[from] to bits[1 - from]. */
void soft_stage_bits(struct soft_pass *pass, uint32_t i, unsigned int from);

/* Read-out layer i from bits[from], or from the codes, into the request's out_raw and out_sum. */
void soft_stage_read_bits(struct soft_pass *pass, uint32_t i, unsigned int from);
void soft_stage_read_codes(struct soft_pass *pass);

/* The last layer's bits in bits[from], into out_bits, out_raw, out_sum. */
void soft_stage_out_bits(struct soft_pass *pass, uint32_t i, unsigned int from);

static inline struct soft_stream soft_pass_stream(const struct soft_pass *pass, uint32_t i,
						  size_t column)
{
	const struct pbit_layers_req *req = pass->req;
	const size_t image = pass->image + column / pass->n_samples;

	return (struct soft_stream){
		.seed = req->seed,
		.layer = pass->net->layers[i].info->index,
		.image = req->image_numbers ? req->image_numbers[image] : req->first_image + image,
		.sample = req->first_sample + pass->sample + column % pass->n_samples,
	};
}

#endif
