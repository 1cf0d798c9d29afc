/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the integers that a device sums to the values of a network's output: every kind of
 * read-out is raw * a + c (CONTRACT.md, Read-out).
 */
#ifndef PBIT_SRC_EXEC_READOUT_H
#define PBIT_SRC_EXEC_READOUT_H

#include <pbit/model.h>

struct pbit__readout {
	uint64_t n_outputs;
	float *a;
	float *c;
};

/* Freed by pbit__readout_free(), also after a failure. -ENOMEM. */
int pbit__readout_init(struct pbit__readout *readout, const struct pbit_model *model,
		       const struct pbit_model_info *info);
void pbit__readout_free(struct pbit__readout *readout);

#endif
