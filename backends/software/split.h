/* SPDX-License-Identifier: Apache-2.0 */
/* One product divided by outputs among the threads of a pool: for large layers and few columns. */
#ifndef PBIT_SOFTWARE_SPLIT_H
#define PBIT_SOFTWARE_SPLIT_H

#include "stages.h"

/* Computes g, in this thread alone where the pass has no pool. */
void soft_gemm_split(struct soft_pass *pass, void (*kernel)(const struct soft_gemm *g),
		     const struct soft_gemm *g);

#endif
