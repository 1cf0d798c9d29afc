/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's working memory for a network; columns are (image, sample) pairs. */
#ifndef PBIT_SOFTWARE_SCRATCH_H
#define PBIT_SOFTWARE_SCRATCH_H

#include "net.h"

#define SOFT_COLUMNS   64u /* columns that pass the network together */
#define SOFT_IMAGES    64u /* images whose first layer is computed together */
#define SOFT_POSITIONS 64u /* positions of a convolution computed together */

struct soft_scratch {
	void *base;
	uint8_t *codes; /* first layer: inputs of a block of images or positions, spread */
	uint8_t *patch; /* later convolution: gathered input words */
	int32_t *sums;
	int32_t *sums_high; /* high bytes of 16-bit codes */
	float *z;	    /* first layer, [image][n_padded]; float weights, one column */
	uint16_t *t16;
	uint32_t *bits[2]; /* states of a layer and the next, [column][words] */
	uint8_t *gemm;
	size_t words; /* stride of bits, 32-bit words */
};

int soft_scratch_new(const struct soft_net *net, struct soft_scratch *scratch);
void soft_scratch_free(struct soft_scratch *scratch);

#endif
