/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p-bits that may be updated together: an order of updates in which only coupled p-bits must keep
 * their turns falls into levels, and one level after another gives what one p-bit after another gives.
 */
#ifndef PBIT_SOFTWARE_LEVELS_H
#define PBIT_SOFTWARE_LEVELS_H

#include <stdbool.h>
#include <pbit/backend.h>

/*
 * level[i] for an order (CONTRACT.md), *levels their number: the colour in chromatic
 * order, the front in sequential order, 0 in synchronous order. -ENOMEM
 * without a record.
 */
int soft_levels(const struct pbit_bm_view *view, uint32_t order, uint32_t *level, uint32_t *levels);

/*
 * The p-bits level by level, those of a level by falling degree (0 where !by_degree), then by
 * index; start[l] is where level l begins (levels + 1 entries). -ENOMEM.
 */
int soft_levels_sort(const struct pbit_bm_view *view, const uint32_t *level, uint32_t levels,
		     bool by_degree, uint32_t *pbit, uint32_t *start);

#endif
