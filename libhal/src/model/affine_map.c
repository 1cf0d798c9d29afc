/* SPDX-License-Identifier: Apache-2.0 */
/* The factors of a convolution at every output position. */
#include <string.h>
#include "model/affine_map.h"

/* The part of the kernel inside the map: rows begin_y ... end_y - 1, columns likewise. */
struct window {
	uint32_t begin_y, end_y, begin_x, end_x;
};

/* Along one side, at output position `at`. */
static void side(uint32_t at, uint32_t stride, uint32_t pad, uint32_t kernel, uint32_t size,
		 uint32_t *begin, uint32_t *end)
{
	const uint64_t start = (uint64_t)at * stride;
	const uint64_t low = start < pad ? pad - start : 0;
	uint64_t high = (uint64_t)size + pad > start ? (uint64_t)size + pad - start : 0;

	if (high > kernel)
		high = kernel;
	*begin = (uint32_t)(low < high ? low : high);
	*end = (uint32_t)high;
}

int pbit__layer_affine_map(const struct pbit_model *model, const struct pbit_layer *l, size_t row,
			   float *a, float *c)
{
	struct window before = {0}, now;

	for (uint32_t y = 0; y < l->out.height; y++) {
		side(y, l->stride_h, l->pad_h, l->kernel_h, l->in.height, &now.begin_y, &now.end_y);
		for (uint32_t x = 0; x < l->out.width; x++, a += row, c += row) {
			int rc;

			side(x, l->stride_w, l->pad_w, l->kernel_w, l->in.width, &now.begin_x,
			     &now.end_x);
			if ((x || y) && !memcmp(&now, &before, sizeof(now))) {
				memcpy(a, a - row, l->n_out * sizeof(*a));
				memcpy(c, c - row, l->n_out * sizeof(*c));
				continue;
			}
			rc = pbit_layer_affine(model, l->index, now.begin_y, now.end_y, now.begin_x,
					       now.end_x, a, c);
			if (rc)
				return rc;
			before = now;
		}
	}
	return 0;
}
