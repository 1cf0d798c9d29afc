/* SPDX-License-Identifier: Apache-2.0 */
/* The chromatic order of CONTRACT.md. */
#ifndef PBIT_SOFTWARE_ORDER_H
#define PBIT_SOFTWARE_ORDER_H

#include <pbit/backend.h>

/*
 * *visits: the p-bits colour by colour, by index in a colour. *start: where each colour begins in it,
 * *colours + 1 entries. start and colours may be NULL; the caller frees the others. -ENOMEM without a
 * record.
 */
int soft_order_by_colour(const struct pbit_bm_view *view, uint32_t **visits, uint32_t **start,
			 uint32_t *colours);

#endif
