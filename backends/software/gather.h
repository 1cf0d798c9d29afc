/* SPDX-License-Identifier: Apache-2.0 */
/* Moving packed bits of maps: patches of a convolution, max-pooling. */
#ifndef PBIT_SOFTWARE_GATHER_H
#define PBIT_SOFTWARE_GATHER_H

#include <pbit/model.h>

/* The fan-in of one output position, in order of k; 0 outside the map. */
void soft_gather(const struct pbit_layer *l, const uint32_t *in, size_t position, uint32_t *out);

/* Max-pool of a whole map; `words` words of out, those past the map are cleared. */
void soft_max_pool(const struct pbit_layer *l, const uint32_t *in, uint32_t *out, size_t words);

#endif
