/* SPDX-License-Identifier: Apache-2.0 */
/* The colouring of the chromatic order, for the library and for backends built into it. */
#ifndef PBIT_SRC_BOLTZMANN_COLOUR_H
#define PBIT_SRC_BOLTZMANN_COLOUR_H

#include <pbit/boltzmann.h>

/* pbit_bm_colour() of a view, directed or not. 0 or -ENOMEM without a record. */
int pbit__bm_colour_view(const struct pbit_bm_view *view, uint32_t *colour, uint32_t *colours);

#endif
