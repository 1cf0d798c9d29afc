/* SPDX-License-Identifier: Apache-2.0 */
/* Which p-bit is updated when: CONTRACT.md, Update orders. Hardware has its own; then this goes. */
#ifndef TEMPLATE_ORDER_H
#define TEMPLATE_ORDER_H

#include <pbit/backend.h>

/* The n p-bits in the order of their updates. 0 or -ENOMEM without a record. */
int order_visits(const struct pbit_bm_view *view, uint32_t order, uint32_t *visit);

#endif
