/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration space of the card, as a function on PCI Express. */
#ifndef PBIT_CARD_CONFIG_H
#define PBIT_CARD_CONFIG_H

#include <stdbool.h>
#include "model/engine.h"

#define CONFIG_SIZE 4096u

/* Where capabilities lie. */
#define CONFIG_MSIX   0x40
#define CONFIG_PM     0x50
#define CONFIG_EXP    0x60
#define CONFIG_MSI    0xa0
#define CONFIG_SERIAL 0x100

/* BAR 4: MSI-X table and pending bits. */
#define CONFIG_BAR_MSIX	  4
#define CONFIG_MSIX_SIZE  4096u
#define CONFIG_MSIX_TABLE 0u
#define CONFIG_MSIX_PBA	  2048u

struct card;

struct config {
	struct card *card;
	u8 byte[CONFIG_SIZE];
	u8 writable[CONFIG_SIZE]; /* mask */
};

void config_init(struct config *config, struct card *card);
/* The caller has checked the extent. */
void config_read(const struct config *config, u32 offset, void *to, u32 size);
/* Does what comes of it: a reset, the card let onto the bus or off it. */
void config_write(struct config *config, u32 offset, const void *from, u32 size);
/* As after a reset of the function. */
void config_reset(struct config *config);

#endif
