/* SPDX-License-Identifier: Apache-2.0 */
/* From a command of the driver's interface to a descriptor of the card. */
#ifndef PBIT_PCI_DESC_H
#define PBIT_PCI_DESC_H

#include "uapi/pbit.h"
#include "uapi/pbit_card.h"

/* A handle names a place in the card's memory, in units of this, counted from 1. */
#define BARE_UNIT 4096ull

void bare_desc_fill(const struct pbit_cmd *cmd, uint32_t cookie, uint32_t watchdog_us,
		    struct pbit_card_desc *desc);

#endif
