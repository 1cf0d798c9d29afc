/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts: causes, who is told by an edge, and edges that wait for somebody to tell. */
#ifndef PBIT_CARD_IRQ_H
#define PBIT_CARD_IRQ_H

#include <stdbool.h>
#include "model/engine.h"
#include "uapi/pbit_card.h"

#define IRQ_VECTORS (1u + PBIT_CARD_MAX_QUEUES)

struct card;

/* card.lock holds all. */
struct card_irq {
	u32 status, enable;
	int msix[IRQ_VECTORS]; /* eventfd, -1: none */
	int msi;
	u32 pending; /* vectors that had no eventfd */
	u64 told;    /* edges */
};

void irq_init(struct card_irq *irq);
void irq_clear(struct card_irq *irq);  /* registers only */
void irq_forget(struct card_irq *irq); /* and the eventfds */

/* lock held, all of them */
void irq_event(struct card *card, u32 bits);
void irq_acknowledge(struct card *card, u32 bits);
void irq_enable(struct card *card, u32 bits);
/* Takes the descriptor, also where it fails. -1 lets one go. */
void irq_assign(struct card *card, bool msix, u32 vector, int fd);

#endif
