// SPDX-License-Identifier: Apache-2.0
/*
 * Causes and edges. A bit that becomes a cause makes an edge on its vector; so does each bit that
 * is still a cause after an acknowledgement, so that none is lost between the two.
 */
#include <fcntl.h>
#include <unistd.h>
#include "card.h"

#define GLOBAL_BITS (PBIT_IRQ_FAULT | PBIT_IRQ_HOT)

static u32 valid_bits(const struct card *card)
{
	return GLOBAL_BITS | ((1u << card->plan.queues) - 1);
}

void irq_init(struct card_irq *irq)
{
	u32 v;

	*irq = (struct card_irq){.msi = -1};
	for (v = 0; v < IRQ_VECTORS; v++)
		irq->msix[v] = -1;
}

void irq_clear(struct card_irq *irq)
{
	irq->status = 0;
	irq->enable = 0;
	irq->pending = 0;
}

static void let_go(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void irq_forget(struct card_irq *irq)
{
	u32 v;

	for (v = 0; v < IRQ_VECTORS; v++)
		let_go(&irq->msix[v]);
	let_go(&irq->msi);
	irq->pending = 0;
}

static void tell(struct card_irq *irq, int fd)
{
	const u64 one = 1;

	/* A full counter has an edge in it already. */
	if (write(fd, &one, sizeof(one)) == sizeof(one))
		irq->told++;
}

static void vector(struct card *card, u32 v)
{
	struct card_irq *irq = &card->irq;

	if (vcard_dead(card))
		return;
	if (irq->msix[v] >= 0)
		tell(irq, irq->msix[v]);
	else if (irq->msi >= 0)
		tell(irq, irq->msi);
	else
		irq->pending |= 1u << v;
}

static void edges(struct card *card, u32 causes)
{
	u32 q;

	if (causes & GLOBAL_BITS)
		vector(card, 0);
	for (q = 0; q < card->plan.queues; q++)
		if (causes & 1u << q)
			vector(card, 1 + q);
}

static u32 causes(const struct card *card)
{
	return card->irq.status & card->irq.enable;
}

void irq_event(struct card *card, u32 bits)
{
	const u32 before = causes(card);

	card->irq.status |= bits & valid_bits(card);
	edges(card, causes(card) & ~before);
}

void irq_acknowledge(struct card *card, u32 bits)
{
	card->irq.status &= ~bits;
	edges(card, causes(card));
}

void irq_enable(struct card *card, u32 bits)
{
	const u32 before = causes(card);

	card->irq.enable = bits & valid_bits(card);
	edges(card, causes(card) & ~before);
}

void irq_assign(struct card *card, bool msix, u32 v, int fd)
{
	struct card_irq *irq = &card->irq;
	int *slot = msix ? &irq->msix[v] : &irq->msi;

	let_go(slot);
	*slot = fd;
	if (fd < 0)
		return;
	/* Whatever the client gave us, we do not wait for it. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (msix && irq->pending & 1u << v)
		tell(irq, fd);
	else if (!msix && irq->pending)
		tell(irq, fd);
	irq->pending &= msix ? ~(1u << v) : 0;
}
