/* SPDX-License-Identifier: Apache-2.0 */
/* What a run fills: arrays over [image][output] and [image], which only grow. */
#ifndef PBIT_SRC_EXEC_RESULT_H
#define PBIT_SRC_EXEC_RESULT_H

#include <pbit/run.h>
#include "exec/buffer.h"

struct pbit_result {
	uint64_t n_images; /* complete, from the first on */
	uint64_t n_outputs;
	double *mean;
	double *standard_error;
	uint32_t *votes;
	uint32_t *class;
	uint32_t *samples; /* 0: this image is not complete */
	struct pbit__buffer mean_buffer, error_buffer, votes_buffer, class_buffer, samples_buffer;
	struct pbit_run_stats stats;
};

/* No images, cleared statistics. */
void pbit__result_clear(struct pbit_result *result);

/* Room for a run; no image is complete. -ENOMEM. */
int pbit__result_prepare(struct pbit_result *result, uint64_t n_images, uint64_t n_outputs);

#endif
