/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of columns, (image, sample) pairs, that pass the layers together: images one after
 * another, the samples of each in order.
 */
#ifndef PBIT_SRC_LOWER_PASS_H
#define PBIT_SRC_LOWER_PASS_H

#include "lower/machine.h"
#include "lower/sums.h"

struct pbit__pass {
	struct pbit_device *dev;
	const struct pbit_layers_req *req;
	struct pbit_ctl *ctl;
	uint64_t first; /* column of the request */
	uint32_t n;
	size_t words;	   /* 32-bit words from a state to the next */
	uint32_t *bits[2]; /* states before and behind a layer */
	uint32_t *patch;   /* a field of a convolution */
	int32_t *hq;
	struct pbit__sums sums;
};

static inline size_t pbit__pass_image(const struct pbit__pass *pass, uint32_t column)
{
	return (size_t)((pass->first + column) / pass->req->n_samples);
}

static inline uint64_t pbit__pass_sample(const struct pbit__pass *pass, uint32_t column)
{
	return pass->req->first_sample + (pass->first + column) % pass->req->n_samples;
}

static inline uint64_t pbit__pass_number(const struct pbit__pass *pass, uint32_t column)
{
	const size_t image = pbit__pass_image(pass, column);

	return pass->req->image_numbers ? pass->req->image_numbers[image]
					: pass->req->first_image + image;
}

static inline const uint8_t *pbit__pass_codes(const struct pbit__pass *pass, uint32_t column)
{
	return (const uint8_t *)pass->req->codes +
	       pbit__pass_image(pass, column) * pass->req->code_stride;
}

/* The field of one output position in a state, in order of k; may use pass->patch. */
const uint32_t *pbit__pass_field(struct pbit__pass *pass, const struct pbit__stage *stage,
				 const uint32_t *state, size_t position);

/* A p-bit layer: pass->bits[from] (or codes) to pass->bits[1 - from]. */
int pbit__fire_stage(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from);

/* A max-pool, likewise. */
void pbit__pool_stage(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from);

/* A read-out into the request. */
void pbit__read_stage(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from);

/* The last layer's states, in pass->bits[from], into the request. */
void pbit__deliver_bits(struct pbit__pass *pass, const struct pbit__stage *stage,
			unsigned int from);

#endif
