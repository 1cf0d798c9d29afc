/* SPDX-License-Identifier: Apache-2.0 */
/* The engines there are; machine.c lists them. */
#ifndef PBIT_SOFTWARE_ENGINES_H
#define PBIT_SOFTWARE_ENGINES_H

#include "engine.h"

extern const struct soft_bm_engine soft_engine_general;
extern const struct soft_bm_engine soft_engine_lanes;
extern const struct soft_bm_engine soft_engine_sparse;
extern const struct soft_bm_engine soft_engine_dense;
extern const struct soft_bm_engine soft_engine_bipartite;

#endif
