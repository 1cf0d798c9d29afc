/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which part of a card's memory. */
#ifndef PBIT_PCI_MEMORY_H
#define PBIT_PCI_MEMORY_H

#include <stdint.h>

struct bare_part {
	uint64_t at, bytes;
};

struct bare_memory {
	struct bare_part *part; /* in order of their places */
	uint32_t n, room;
	uint64_t size;
};

/* First fit, at whole multiples of 4096. -ENOMEM of the process, -ENOSPC of the card; no record. */
int bare_memory_take(struct bare_memory *m, uint64_t bytes, uint64_t *at);
void bare_memory_give(struct bare_memory *m, uint64_t at);
uint64_t bare_memory_left(const struct bare_memory *m);

#endif
