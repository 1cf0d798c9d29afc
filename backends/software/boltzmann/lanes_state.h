/* SPDX-License-Identifier: Apache-2.0 */
/* Packed states, one replica behind the other, from and to the bits of lanes. */
#ifndef PBIT_SOFTWARE_LANES_STATE_H
#define PBIT_SOFTWARE_LANES_STATE_H

#include "lanes.h"

/*
 * Sets the clamped p-bits, or the free ones, from one state for all replicas or (each) from one
 * for each.
 */
void lanes_put(struct lanes *m, const uint64_t *state, bool each, bool clamped);

void lanes_get(const struct lanes *m, uint64_t *state);

#endif
