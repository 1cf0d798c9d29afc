/* SPDX-License-Identifier: Apache-2.0 */
/* Runs requests on a network made ready. */
#ifndef PBIT_SOFTWARE_RUN_H
#define PBIT_SOFTWARE_RUN_H

#include "net.h"
#include "pool.h"

struct soft_runner;

/* Takes over net on success. The pool stays the caller's. */
int soft_runner_new(struct soft_net *net, const struct soft_kernels *kernels,
		    struct soft_pool *pool, struct soft_runner **runner);
void soft_runner_free(struct soft_runner *runner);
int soft_runner_run(struct soft_runner *runner, const struct pbit_layers_req *req,
		    struct pbit_ctl *ctl);

#endif
