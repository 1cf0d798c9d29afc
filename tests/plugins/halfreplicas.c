/* SPDX-License-Identifier: Apache-2.0 */
/* Replicas that cannot be clamped one by one, nor updated at betas of their own. */
#include "least.h"

static int half_program(void *priv, const struct pbit_bm_view *view,
			const struct pbit_program_opts *opts)
{
	return least_program(priv, view, opts->order, opts->seed);
}

static const struct pbit_backend_ops ops = {LEAST_OPS, .program_replicas = half_program};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("halfreplicas", &ops)};
