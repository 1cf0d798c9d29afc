// SPDX-License-Identifier: GPL-2.0-only
/* A card with registers and rings, on whatever bus: found, checked, reset, switched on and off. */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/slab.h>
#include "card.h"

/* The specification allows 100 ms. */
#define RESET_TIMEOUT_US 500000
#define RESET_POLL_US	 100

bool pbit_card_gone(struct pbit_card *card)
{
	return pbit_card_read(card, PBIT_REG_ID) == ~0u;
}

static u64 read64(const struct pbit_card *card, u32 low_offset)
{
	u32 high = pbit_card_read(card, low_offset + 4), low, again;
	unsigned int tries;

	for (tries = 0; tries < 4; tries++) {
		low = pbit_card_read(card, low_offset);
		again = pbit_card_read(card, low_offset + 4);
		if (again == high)
			break;
		high = again;
	}
	return (u64)high << 32 | low;
}

/* Back to power-up. A card that does not come back is cut off: it writes to no memory of ours. */
static int soft_reset(struct pbit_card *card)
{
	u32 status;
	int rc;

	pbit_card_write(card, PBIT_REG_CONTROL, PBIT_CONTROL_RESET);
	rc = readl_poll_timeout(card->registers + PBIT_REG_STATUS, status,
				status == ~0u || (status & (PBIT_STATUS_READY |
							    PBIT_STATUS_RESETTING)) ==
							PBIT_STATUS_READY,
				RESET_POLL_US, RESET_TIMEOUT_US);
	if (!rc && status == ~0u)
		rc = -ENODEV;
	if (!rc && status & PBIT_STATUS_FAULT)
		rc = -EIO;
	if (!rc)
		return 0;
	dev_err(card->dev, "reset failed (%d): status %08x, fault %u\n", rc, status,
		status == ~0u ? 0 : pbit_card_read(card, PBIT_REG_FAULT));
	card->cut(card->dev);
	return rc;
}

static void open_rings(struct pbit_card *card)
{
	u32 q;

	for (q = 0; q < card->n_queues; q++)
		pbit_ring_open(&card->queue[q]);
	card->poll_ms = PBIT_POLL_MS;
	WRITE_ONCE(card->live, true);
	pbit_card_write(card, PBIT_REG_IRQ_STATUS, ~0u);
	pbit_card_write(card, PBIT_REG_IRQ_ENABLE, pbit_card_irq_mask(card));
}

static void close_rings(struct pbit_card *card)
{
	u32 q;

	WRITE_ONCE(card->live, false);
	for (q = 0; q < card->n_queues; q++)
		pbit_ring_close(&card->queue[q]);
}

int pbit_card_enable(struct pbit_card *card)
{
	int rc = 0;

	mutex_lock(&card->lock);
	if (!card->enabled) {
		rc = pbit_card_gone(card) ? -ENODEV : soft_reset(card);
		if (!rc) {
			open_rings(card);
			card->enabled = true;
		}
	}
	mutex_unlock(&card->lock);
	return rc;
}

void pbit_card_disable(struct pbit_card *card, bool hw_gone)
{
	mutex_lock(&card->lock);
	close_rings(card);
	if (card->enabled && !hw_gone && !pbit_card_gone(card)) {
		pbit_card_write(card, PBIT_REG_IRQ_ENABLE, 0);
		soft_reset(card);
	}
	card->enabled = false;
	mutex_unlock(&card->lock);
	cancel_delayed_work_sync(&card->poll);
}

/* pbit_hw_ops. */

static int card_start(struct pbit_device *pdev, u32 queue, const struct pbit_card_desc *desc)
{
	struct pbit_card *card = pbit_device_priv(pdev);
	const int rc = pbit_ring_start(&card->queue[queue], desc);

	if (!rc)
		queue_delayed_work(system_wq, &card->poll,
				   msecs_to_jiffies(READ_ONCE(card->poll_ms)));
	return rc;
}

static void card_abort(struct pbit_device *pdev, u32 queue)
{
	struct pbit_card *card = pbit_device_priv(pdev);

	if (READ_ONCE(card->live))
		pbit_card_write(card, PBIT_REG_QUEUE(queue) + PBIT_Q_CONTROL,
				PBIT_Q_ENABLE | PBIT_Q_ABORT);
}

static int card_reset(struct pbit_device *pdev)
{
	struct pbit_card *card = pbit_device_priv(pdev);
	int rc = 0;

	mutex_lock(&card->lock);
	close_rings(card);
	/* Off, for suspend or a reset of the bus: quiet already. */
	if (card->enabled) {
		rc = pbit_card_gone(card) ? -ENODEV : soft_reset(card);
		if (!rc)
			open_rings(card);
		else
			card->enabled = false;
	}
	mutex_unlock(&card->lock);
	return rc;
}

static int card_sensors(struct pbit_device *pdev, struct pbit_sensors *out)
{
	struct pbit_card *card = pbit_device_priv(pdev);
	int rc = -ENODATA;

	mutex_lock(&card->lock);
	if (card->enabled) {
		out->temperature_mc = (s32)pbit_card_read(card, PBIT_REG_TEMPERATURE);
		out->critical_mc = (s32)pbit_card_read(card, PBIT_REG_TEMP_CRITICAL);
		out->power_uw = pbit_card_read(card, PBIT_REG_POWER);
		out->energy_uj = read64(card, PBIT_REG_ENERGY_LO);
		out->updates = read64(card, PBIT_REG_UPDATES_LO);
		rc = pbit_card_gone(card) ? -ENODEV : 0;
	}
	mutex_unlock(&card->lock);
	return rc;
}

static u32 card_progress(struct pbit_device *pdev, u32 queue)
{
	struct pbit_card *card = pbit_device_priv(pdev);
	u32 progress = 0;

	if (READ_ONCE(card->live))
		progress = pbit_card_read(card, PBIT_REG_QUEUE(queue) + PBIT_Q_PROGRESS);
	return progress == ~0u ? 0 : progress;
}

const struct pbit_hw_ops pbit_card_ops = {
	.start = card_start,
	.abort = card_abort,
	.reset = card_reset,
	.sensors = card_sensors,
	.progress = card_progress,
};

static int read_rom(struct pbit_card *card, resource_size_t size)
{
	const u32 id = pbit_card_read(card, PBIT_REG_ID);
	const u32 rom_size = pbit_card_read(card, PBIT_REG_ROM_SIZE);
	__le32 *word = (__le32 *)&card->rom;
	u32 i;
	int rc;

	if (id == ~0u) {
		dev_err(card->dev, "the card does not answer\n");
		return -ENODEV;
	}
	if (id != PBIT_CARD_ID) {
		dev_err(card->dev, "not a p-bit card: register 0 reads %08x\n", id);
		return -EPROTO;
	}
	if (rom_size < sizeof(card->rom) || rom_size > PBIT_REG_QUEUE(0) - PBIT_REG_ROM) {
		dev_err(card->dev, "feature ROM of %u bytes, %zu to %u are possible\n", rom_size,
			sizeof(card->rom), PBIT_REG_QUEUE(0) - PBIT_REG_ROM);
		return -EPROTO;
	}
	for (i = 0; i < sizeof(card->rom) / 4; i++)
		word[i] = cpu_to_le32(pbit_card_read(card, PBIT_REG_ROM + 4 * i));
	rc = pbit_rom_check(card->dev, &card->rom, rom_size);
	if (rc)
		return rc;
	card->n_queues = le32_to_cpu(card->rom.n_queues);
	if (PBIT_REG_QUEUE(card->n_queues) > size) {
		dev_err(card->dev, "%u queues do not fit in %pa bytes of registers\n",
			card->n_queues, &size);
		return -EPROTO;
	}
	return 0;
}

struct pbit_card *pbit_card_create(struct device *dma_dev, void __iomem *registers,
				   resource_size_t size, void (*cut)(struct device *dev))
{
	struct pbit_card *card;
	u32 q;
	int rc;

	if (size < PBIT_REG_QUEUE(1)) {
		dev_err(dma_dev, "%pa bytes of registers, a card has %u at least\n", &size,
			PBIT_REG_QUEUE(1));
		return ERR_PTR(-EPROTO);
	}
	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return ERR_PTR(-ENOMEM);
	card->dev = dma_dev;
	card->registers = registers;
	card->cut = cut;
	mutex_init(&card->lock);
	INIT_DELAYED_WORK(&card->poll, pbit_card_poll_fn);
	rc = read_rom(card, size);
	/* What an earlier kernel left running stops here, before the card is let onto the bus. */
	if (!rc)
		rc = soft_reset(card);
	for (q = 0; !rc && q < card->n_queues; q++)
		rc = pbit_ring_alloc(card, q);
	if (!rc)
		return card;
	pbit_card_destroy(card);
	return ERR_PTR(rc);
}

const struct pbit_card_rom *pbit_card_rom(struct pbit_card *card)
{
	return &card->rom;
}

void pbit_card_attach(struct pbit_card *card, struct pbit_device *pdev)
{
	card->pdev = pdev;
}

void pbit_card_destroy(struct pbit_card *card)
{
	u32 q;

	/* Again: an interrupt may have asked for it since. */
	cancel_delayed_work_sync(&card->poll);
	for (q = 0; q < card->n_queues; q++)
		pbit_ring_free(&card->queue[q]);
	mutex_destroy(&card->lock);
	kfree(card);
}
