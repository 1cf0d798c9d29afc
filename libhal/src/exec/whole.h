/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images whose samples all came in one request: their results straight from the rows, without a
 * tally's memory and its sums of 128 bits. The integers are the tally's and so are the results.
 */
#ifndef PBIT_SRC_EXEC_WHOLE_H
#define PBIT_SRC_EXEC_WHOLE_H

#include "exec/readout.h"
#include "exec/result.h"

/*
 * Writes images first ... of the result from n_images times n_samples rows of raw values. False
 * where this processor, this read-out or one of the values is not fit for it: a tally must do it,
 * and the images that are written are right all the same.
 */
bool pbit__whole_images(const struct pbit__readout *readout, const int64_t *raw, uint32_t n_images,
			uint32_t n_samples, struct pbit_result *result, uint64_t first);

#endif
