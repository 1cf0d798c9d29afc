/* SPDX-License-Identifier: Apache-2.0 */
/* The factors of pbit_layer_affine() for a whole output map: they differ at its borders. */
#ifndef PBIT_SRC_MODEL_AFFINE_MAP_H
#define PBIT_SRC_MODEL_AFFINE_MAP_H

#include <pbit/backend.h>

/*
 * a and c of channel o at output position p of a conv2d layer go to p * row + o, row >= n_out;
 * what lies between is left as it is. Errors as pbit_layer_affine().
 */
int pbit__layer_affine_map(const struct pbit_model *model, const struct pbit_layer *layer,
			   size_t row, float *a, float *c);

#endif
