/* SPDX-License-Identifier: Apache-2.0 */
/* Cards that no driver has: found by libpci, reached through the files that sysfs gives them. */
#ifndef PBIT_PCI_BARE_H
#define PBIT_PCI_BARE_H

#include "fpga/card.h"

/* Where sysfs shows the bus; a test has its own. */
extern const char *pbit__pci_sysfs;

struct bare_address {
	int domain;
	unsigned int bus, device, function;
};

/* "0000:03:00.0". */
#define BARE_NAME_SIZE 32
void bare_address_text(const struct bare_address *address, char text[BARE_NAME_SIZE]);
bool bare_address_read(const char *text, struct bare_address *address);

/* Calls fn for every p-bit card on the bus, until it returns non-zero, and returns that; negative
 * errno with a record where the bus cannot be looked at. */
int bare_find(int (*fn)(const struct bare_address *address, void *user), void *user);

/* The driver that has the card, "" for none. */
void bare_driver(const char *name, char *driver, size_t size);

/* A file of the card's in sysfs. */
void bare_path(const char *name, const char *file, char *path, size_t size);

/* What a card's memory is mapped as, until it is unmapped: registers and memory. */
struct bare_bars {
	int fd;	      /* of the registers, locked: one process at a time */
	bool enabled; /* by us */
	char name[BARE_NAME_SIZE];
	volatile uint32_t *registers;
	volatile uint8_t *memory;
	size_t registers_size, memory_size;
};

int bare_bars_map(const char *name, const char *where, struct bare_bars *bars);
void bare_bars_unmap(struct bare_bars *bars);

/* A link over the bars, which it takes over, also on failure. */
int bare_link_new(struct bare_bars *bars, const char *where, struct card_link **link);

#endif
