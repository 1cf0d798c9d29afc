/* SPDX-License-Identifier: Apache-2.0 */
/* The sums S of a layer, left in scratch->sums. */
#ifndef PBIT_SOFTWARE_PRODUCTS_H
#define PBIT_SOFTWARE_PRODUCTS_H

#include "stages.h"

/* n columns of a dense layer from packed states, `row` ints a column. */
void soft_product_dense(struct soft_pass *pass, const struct soft_layer *layer, const uint32_t *in,
			size_t n);

/* All positions of a convolution for one packed state, `row` ints a position. */
void soft_product_conv(struct soft_pass *pass, const struct soft_layer *layer, const uint32_t *in);

/* All positions of the first layer for one image of the block; high bytes in sums_high. */
void soft_product_codes(struct soft_pass *pass, size_t image);

#endif
