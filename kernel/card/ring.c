// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue's two rings. What the card writes is read once, into our memory, and believed only where
 * it is what was asked for.
 */
#include <linux/dma-mapping.h>
#include "card.h"

static u32 reg(const struct pbit_card_queue *q, u32 offset)
{
	return PBIT_REG_QUEUE(q->index) + offset;
}

int pbit_ring_alloc(struct pbit_card *card, u32 index)
{
	struct pbit_card_queue *q = &card->queue[index];

	q->card = card;
	q->index = index;
	mutex_init(&q->reap);
	spin_lock_init(&q->lock);
	q->sq = dma_alloc_coherent(card->dev, PBIT_RING_SIZE * sizeof(*q->sq), &q->sq_dma,
				   GFP_KERNEL);
	if (!q->sq)
		return -ENOMEM;
	q->cq = dma_alloc_coherent(card->dev, PBIT_RING_SIZE * sizeof(*q->cq), &q->cq_dma,
				   GFP_KERNEL);
	return q->cq ? 0 : -ENOMEM;
}

void pbit_ring_free(struct pbit_card_queue *q)
{
	if (q->cq)
		dma_free_coherent(q->card->dev, PBIT_RING_SIZE * sizeof(*q->cq), q->cq, q->cq_dma);
	if (q->sq)
		dma_free_coherent(q->card->dev, PBIT_RING_SIZE * sizeof(*q->sq), q->sq, q->sq_dma);
	q->cq = NULL;
	q->sq = NULL;
}

void pbit_ring_open(struct pbit_card_queue *q)
{
	struct pbit_card *card = q->card;

	/* Phase 0 everywhere: the first lap's is 1. */
	memset(q->cq, 0, PBIT_RING_SIZE * sizeof(*q->cq));
	memset(q->sq, 0, PBIT_RING_SIZE * sizeof(*q->sq));
	pbit_card_write(card, reg(q, PBIT_Q_SQ_BASE_LO), lower_32_bits(q->sq_dma));
	pbit_card_write(card, reg(q, PBIT_Q_SQ_BASE_HI), upper_32_bits(q->sq_dma));
	pbit_card_write(card, reg(q, PBIT_Q_CQ_BASE_LO), lower_32_bits(q->cq_dma));
	pbit_card_write(card, reg(q, PBIT_Q_CQ_BASE_HI), upper_32_bits(q->cq_dma));
	pbit_card_write(card, reg(q, PBIT_Q_SIZE), PBIT_RING_LOG2);
	pbit_card_write(card, reg(q, PBIT_Q_SQ_TAIL), 0);
	pbit_card_write(card, reg(q, PBIT_Q_CQ_HEAD), 0);
	pbit_card_write(card, reg(q, PBIT_Q_COALESCE), 0);
	pbit_card_write(card, reg(q, PBIT_Q_CONTROL), PBIT_Q_ENABLE);
	spin_lock_irq(&q->lock);
	q->tail = 0;
	q->head = 0;
	q->live = true;
	spin_unlock_irq(&q->lock);
}

void pbit_ring_close(struct pbit_card_queue *q)
{
	mutex_lock(&q->reap);
	spin_lock_irq(&q->lock);
	q->live = false;
	spin_unlock_irq(&q->lock);
	mutex_unlock(&q->reap);
}

int pbit_ring_start(struct pbit_card_queue *q, const struct pbit_card_desc *desc)
{
	unsigned long flags;
	int rc = -EAGAIN;

	spin_lock_irqsave(&q->lock, flags);
	if (!q->live || q->tail - q->head == PBIT_RING_SIZE)
		goto unlock;
	q->sq[q->tail % PBIT_RING_SIZE] = *desc;
	q->cookie[q->tail % PBIT_RING_SIZE] = desc->cookie;
	q->tail++;
	/* writel() orders the descriptor before the doorbell. */
	pbit_card_write(q->card, reg(q, PBIT_Q_SQ_TAIL), q->tail);
	rc = 0;
unlock:
	spin_unlock_irqrestore(&q->lock, flags);
	return rc;
}

bool pbit_ring_busy(struct pbit_card_queue *q)
{
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&q->lock, flags);
	busy = q->live && q->tail != q->head;
	spin_unlock_irqrestore(&q->lock, flags);
	return busy;
}

/* The next completion, if there is one; *lie where the card cannot mean it. Both locks held. */
static bool next_done(struct pbit_card_queue *q, struct pbit_card_done *done, const char **lie)
{
	const u32 slot = q->head % PBIT_RING_SIZE;
	const u16 lap = !(q->head >> PBIT_RING_LOG2 & 1);
	const u16 phase = le16_to_cpu(READ_ONCE(q->cq[slot].phase));

	if (phase > 1) {
		*lie = "completion with neither phase";
		return false;
	}
	if (phase != lap)
		return false;
	/* Nothing of the entry, nor of the data before it, is read ahead of its phase. */
	dma_rmb();
	*done = q->cq[slot];
	if (q->head == q->tail)
		*lie = "completion of nothing";
	else if (done->cookie != q->cookie[slot])
		*lie = "completion with a strange cookie";
	else if (le16_to_cpu(done->status) > PBIT_DONE_RANDOM)
		*lie = "completion with an unknown status";
	return !*lie;
}

/* One completion, told to the core without our lock: it starts what is next. */
static bool reap_one(struct pbit_card_queue *q)
{
	struct pbit_card_done done;
	const char *lie = NULL;
	bool got = false;

	spin_lock_irq(&q->lock);
	if (q->live) {
		got = next_done(q, &done, &lie);
		if (got)
			pbit_card_write(q->card, reg(q, PBIT_Q_CQ_HEAD), ++q->head);
		/* A liar's queue is of no use until the core has reset the card. */
		q->live = !lie;
	}
	spin_unlock_irq(&q->lock);
	if (lie)
		pbit_device_fault(q->card->pdev, PBIT_FAULT_BUS, lie);
	if (got)
		pbit_device_done(q->card->pdev, q->index, &done);
	return got;
}

u32 pbit_ring_reap(struct pbit_card_queue *q)
{
	u32 n = 0;

	mutex_lock(&q->reap);
	while (reap_one(q))
		n++;
	mutex_unlock(&q->reap);
	return n;
}
