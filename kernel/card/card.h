/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the card part: registers, rings, interrupts of one card. */
#ifndef PBIT_CARD_H
#define PBIT_CARD_H

#include <linux/bits.h>
#include <linux/io.h>
#include "../core/pbit.h"

/* More than the core ever has in flight on a queue. */
#define PBIT_RING_LOG2	5u
#define PBIT_RING_SIZE	BIT(PBIT_RING_LOG2)

/* Looks for completions while something runs, so that a lost interrupt costs time only. */
#define PBIT_POLL_MS	100u

struct pbit_card;

struct pbit_card_queue {
	struct pbit_card *card;
	u32 index;
	struct pbit_card_desc *sq;
	struct pbit_card_done *cq;
	dma_addr_t sq_dma, cq_dma;

	struct mutex reap;	/* one at a time takes completions, and tells them in order */
	spinlock_t lock;	/* all below */
	bool live;		/* the card knows the rings */
	u32 tail;		/* descriptors written */
	u32 head;		/* completions taken */
	__le32 cookie[PBIT_RING_SIZE]; /* of what is between head and tail */
};

struct pbit_card_vector {
	struct pbit_card *card;
	u32 mask;		/* of IRQ_STATUS, that this vector may stand for */
	bool sole;		/* mask is one queue's bit: no need to ask which */
	atomic_t cause;
};

struct pbit_card {
	struct device *dev;
	void __iomem *registers;
	struct pbit_card_rom rom;
	u32 n_queues;
	struct pbit_device *pdev;
	void (*cut)(struct device *dev);

	struct mutex lock;	/* enabled; reset */
	bool enabled;
	bool live;		/* interrupts are of use */
	struct delayed_work poll;
	unsigned int poll_ms;
	struct pbit_card_queue queue[PBIT_CARD_MAX_QUEUES];
	struct pbit_card_vector vector[1 + PBIT_CARD_MAX_QUEUES];
};

static inline u32 pbit_card_read(const struct pbit_card *card, u32 offset)
{
	return readl(card->registers + offset);
}

static inline void pbit_card_write(const struct pbit_card *card, u32 offset, u32 value)
{
	writel(value, card->registers + offset);
}

/* irq.c */
void pbit_card_poll_fn(struct work_struct *work);
u32 pbit_card_irq_mask(const struct pbit_card *card);

/* ring.c */
int pbit_ring_alloc(struct pbit_card *card, u32 index);
void pbit_ring_free(struct pbit_card_queue *q);
/* Empty, and known to the card, which has been reset. */
void pbit_ring_open(struct pbit_card_queue *q);
/* When it returns nothing is being told and nothing will be. */
void pbit_ring_close(struct pbit_card_queue *q);
int pbit_ring_start(struct pbit_card_queue *q, const struct pbit_card_desc *desc);
/* How many completions there were. */
u32 pbit_ring_reap(struct pbit_card_queue *q);
bool pbit_ring_busy(struct pbit_card_queue *q);

#endif
