// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a card: the primary handler takes the causes, the thread takes completions. Beside
 * them a slow look at the rings while something runs, for the interrupt that never comes.
 */
#include <linux/ratelimit.h>
#include "card.h"

#define GLOBAL_BITS (PBIT_IRQ_FAULT | PBIT_IRQ_HOT)

static u32 queue_bits(const struct pbit_card *card)
{
	return GENMASK(card->n_queues - 1, 0);
}

u32 pbit_card_irq_mask(const struct pbit_card *card)
{
	return GLOBAL_BITS | queue_bits(card);
}

void *pbit_card_vector(struct pbit_card *card, unsigned int vector, unsigned int n_vectors)
{
	struct pbit_card_vector *v = &card->vector[vector];

	v->card = card;
	v->sole = vector > 0;
	if (n_vectors == 1)
		v->mask = pbit_card_irq_mask(card);
	else
		v->mask = v->sole ? BIT(vector - 1) : GLOBAL_BITS;
	return v;
}

irqreturn_t pbit_card_interrupt(int irq, void *vector)
{
	struct pbit_card_vector *v = vector;
	struct pbit_card *card = v->card;
	u32 cause = v->mask;

	/* A line may be shared with another's device while ours sleeps. */
	if (!READ_ONCE(card->live))
		return IRQ_NONE;
	if (!v->sole) {
		cause = pbit_card_read(card, PBIT_REG_IRQ_STATUS);
		if (cause == ~0u) {
			/* Gone, or about to be reset: the poll finds out which. */
			mod_delayed_work(system_wq, &card->poll, 0);
			return IRQ_NONE;
		}
		cause &= v->mask;
	}
	if (!cause)
		return IRQ_NONE;
	/* Taken here, so that a level falls, and before the ring is read, so that none is lost. */
	pbit_card_write(card, PBIT_REG_IRQ_STATUS, cause);
	atomic_or((int)cause, &v->cause);
	return IRQ_WAKE_THREAD;
}

static void report_fault(struct pbit_card *card)
{
	const u32 fault = pbit_card_read(card, PBIT_REG_FAULT);

	if (fault == ~0u)
		pbit_device_fault(card->pdev, PBIT_FAULT_BUS, "does not answer");
	else if (fault != PBIT_FAULT_NONE)
		pbit_device_fault(card->pdev, fault, "reported by the card");
}

irqreturn_t pbit_card_thread(int irq, void *vector)
{
	struct pbit_card_vector *v = vector;
	struct pbit_card *card = v->card;
	const u32 cause = (u32)atomic_xchg(&v->cause, 0);
	u32 q, n = 0;

	if (!READ_ONCE(card->live))
		return IRQ_HANDLED;
	/*
	 * The write that cleared the cause reaches the card before this read is answered: a
	 * completion that is not in the ring by then interrupts again.
	 */
	if (pbit_card_read(card, PBIT_REG_IRQ_STATUS) == ~0u)
		mod_delayed_work(system_wq, &card->poll, 0);
	for (q = 0; q < card->n_queues; q++)
		if (cause & BIT(q))
			n += pbit_ring_reap(&card->queue[q]);
	if (n)
		WRITE_ONCE(card->poll_ms, PBIT_POLL_MS);
	if (cause & PBIT_IRQ_FAULT)
		report_fault(card);
	if (cause & PBIT_IRQ_HOT)
		dev_warn_ratelimited(card->dev, "the card is too hot: it will slow down\n");
	return IRQ_HANDLED;
}

static bool halted(struct pbit_card *card, u32 q)
{
	const u32 status = pbit_card_read(card, PBIT_REG_QUEUE(q) + PBIT_Q_STATUS);

	return status != ~0u && status & PBIT_Q_STATUS_HALTED;
}

void pbit_card_poll_fn(struct work_struct *work)
{
	struct pbit_card *card = container_of(to_delayed_work(work), struct pbit_card, poll);
	bool busy = false;
	u32 q, n = 0;

	if (!READ_ONCE(card->live))
		return;
	if (pbit_card_gone(card)) {
		pbit_device_fault(card->pdev, PBIT_FAULT_BUS, "does not answer");
		return;
	}
	if (pbit_card_read(card, PBIT_REG_STATUS) & PBIT_STATUS_FAULT)
		report_fault(card);
	for (q = 0; q < card->n_queues; q++) {
		if (!pbit_ring_busy(&card->queue[q]))
			continue;
		n += pbit_ring_reap(&card->queue[q]);
		if (halted(card, q))
			pbit_device_fault(card->pdev, PBIT_FAULT_BUS,
					  "halted: a ring cannot be reached");
		busy |= pbit_ring_busy(&card->queue[q]);
	}
	/* Without interrupts the card is still of use: looked at more and more often. */
	if (n) {
		WRITE_ONCE(card->poll_ms, max(card->poll_ms / 2, 1u));
		/* Once may be a race that the interrupt lost; three times running is not. */
		if (card->poll_ms < PBIT_POLL_MS / 4)
			dev_notice_once(card->dev, "completions without interrupts: polling\n");
	}
	if (busy)
		queue_delayed_work(system_wq, &card->poll, msecs_to_jiffies(card->poll_ms));
}
