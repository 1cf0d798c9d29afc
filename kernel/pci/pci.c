// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards on PCI Express: bound, unbound, pulled out, reset, slept. Nothing here is managed memory:
 * an open file outlives the binding, and the order of undoing matters.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include "../core/pbit.h"

#define REGISTERS_BAR_MIN PBIT_REG_QUEUE(1)

struct pbit_pci {
	struct pci_dev *pci;
	struct pbit_card *card;
	struct pbit_device *pdev;
	void __iomem *registers;
	unsigned int n_vectors, n_irqs;
};

static void cut(struct device *dev)
{
	pci_clear_master(to_pci_dev(dev));
}

static bool is_gone(struct pbit_pci *p)
{
	return pci_channel_offline(p->pci) || !pci_device_is_present(p->pci) ||
	       pbit_card_gone(p->card);
}

static int check_bars(struct pci_dev *pci)
{
	const resource_size_t size = pci_resource_len(pci, PBIT_BAR_REGISTERS);

	if (!(pci_resource_flags(pci, PBIT_BAR_REGISTERS) & IORESOURCE_MEM)) {
		dev_err(&pci->dev, "BAR %d is not memory\n", PBIT_BAR_REGISTERS);
		return -EPROTO;
	}
	if (size < REGISTERS_BAR_MIN) {
		dev_err(&pci->dev, "BAR %d has %pa bytes, %u at least are needed\n",
			PBIT_BAR_REGISTERS, &size, REGISTERS_BAR_MIN);
		return -EPROTO;
	}
	return 0;
}

/* Bit 63 of an address means the card's memory, so the host's have to do without. */
static int set_dma(struct pci_dev *pci)
{
	int rc = dma_set_mask_and_coherent(&pci->dev, DMA_BIT_MASK(63));

	if (rc)
		rc = dma_set_mask_and_coherent(&pci->dev, DMA_BIT_MASK(32));
	if (rc)
		dev_err(&pci->dev, "no DMA with 63 nor 32 bits of address (%d)\n", rc);
	/* A buffer is one piece. */
	dma_set_max_seg_size(&pci->dev, UINT_MAX);
	return rc;
}

static int map_registers(struct pbit_pci *p)
{
	struct pci_dev *pci = p->pci;
	int rc = pci_enable_device_mem(pci);

	if (rc)
		return rc;
	rc = check_bars(pci);
	if (!rc)
		rc = pci_request_mem_regions(pci, "pbit");
	if (rc)
		goto disable;
	p->registers = pci_ioremap_bar(pci, PBIT_BAR_REGISTERS);
	if (p->registers)
		return 0;
	rc = -ENOMEM;
	pci_release_mem_regions(pci);
disable:
	pci_disable_device(pci);
	return rc;
}

static void unmap_registers(struct pbit_pci *p)
{
	iounmap(p->registers);
	pci_release_mem_regions(p->pci);
	/* Recovery from an error may have left it so. */
	if (pci_is_enabled(p->pci))
		pci_disable_device(p->pci);
}

/* A vector for each queue, or one for all: a card cannot know which part of a table is in use. */
static int get_vectors(struct pbit_pci *p)
{
	const unsigned int all = 1 + le32_to_cpu(pbit_card_rom(p->card)->n_queues);
	int rc = pci_alloc_irq_vectors(p->pci, all, all, PCI_IRQ_MSIX);

	if (rc < 0)
		rc = pci_alloc_irq_vectors(p->pci, 1, 1, PCI_IRQ_ALL_TYPES & ~PCI_IRQ_MSIX);
	if (rc < 0) {
		dev_err(&p->pci->dev, "no interrupt vector (%d)\n", rc);
		return rc;
	}
	p->n_vectors = (unsigned int)rc;
	return 0;
}

static void free_irqs(struct pbit_pci *p)
{
	while (p->n_irqs) {
		p->n_irqs--;
		free_irq((unsigned int)pci_irq_vector(p->pci, p->n_irqs),
			 pbit_card_vector(p->card, p->n_irqs, p->n_vectors));
	}
	pci_free_irq_vectors(p->pci);
}

static int get_irqs(struct pbit_pci *p)
{
	int rc = get_vectors(p);

	while (!rc && p->n_irqs < p->n_vectors) {
		rc = request_threaded_irq((unsigned int)pci_irq_vector(p->pci, p->n_irqs),
					  pbit_card_interrupt, pbit_card_thread, IRQF_SHARED,
					  "pbit",
					  pbit_card_vector(p->card, p->n_irqs, p->n_vectors));
		if (!rc)
			p->n_irqs++;
	}
	if (rc && p->n_vectors)
		free_irqs(p);
	return rc;
}

static int publish(struct pbit_pci *p)
{
	int rc;

	p->pdev = pbit_device_alloc(&p->pci->dev, PBIT_BUS_PCI, pbit_card_rom(p->card),
				    &pbit_card_ops, p->card);
	if (IS_ERR(p->pdev))
		return PTR_ERR(p->pdev);
	pbit_card_attach(p->card, p->pdev);
	rc = pbit_card_enable(p->card);
	if (!rc)
		rc = pbit_device_register(p->pdev);
	if (!rc)
		return 0;
	/* Whatever a late interrupt reported is waited for. */
	pbit_device_detach(p->pdev, false);
	pbit_card_disable(p->card, false);
	return rc;
}

static int probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct pbit_pci *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int rc;

	if (!p)
		return -ENOMEM;
	p->pci = pci;
	rc = map_registers(p);
	if (rc)
		goto free;
	rc = set_dma(pci);
	if (rc)
		goto unmap;
	p->card = pbit_card_create(&pci->dev, p->registers,
				   pci_resource_len(pci, PBIT_BAR_REGISTERS), cut);
	if (IS_ERR(p->card)) {
		rc = PTR_ERR(p->card);
		goto unmap;
	}
	pci_set_master(pci);
	rc = get_irqs(p);
	if (rc)
		goto destroy;
	rc = publish(p);
	if (rc)
		goto irqs;
	pci_set_drvdata(pci, p);
	/* For the recovery of an error, which finds nothing else. */
	pci_save_state(pci);
	return 0;
irqs:
	free_irqs(p);
destroy:
	pci_clear_master(pci);
	pbit_card_destroy(p->card);
	if (!IS_ERR_OR_NULL(p->pdev))
		pbit_device_put(p->pdev);
unmap:
	unmap_registers(p);
free:
	kfree(p);
	return rc;
}

static void remove(struct pci_dev *pci)
{
	struct pbit_pci *p = pci_get_drvdata(pci);
	const bool gone = is_gone(p);

	pbit_device_detach(p->pdev, gone);
	pbit_card_disable(p->card, gone);
	/* No more writes to the rings that are freed next. */
	pci_clear_master(pci);
	free_irqs(p);
	pbit_card_destroy(p->card);
	unmap_registers(p);
	pci_set_drvdata(pci, NULL);
	pbit_device_put(p->pdev);
	kfree(p);
}

/* kexec, power-off: the next kernel must not find the card writing to its memory. */
static void shutdown(struct pci_dev *pci)
{
	struct pbit_pci *p = pci_get_drvdata(pci);

	pbit_device_pause(p->pdev, true);
	pbit_card_disable(p->card, is_gone(p));
	pci_clear_master(pci);
}

static void sleep(struct pbit_pci *p)
{
	pbit_device_pause(p->pdev, false);
	pbit_card_disable(p->card, is_gone(p));
}

/* A card that does not come back is given up, not waited for. */
static int wake(struct pbit_pci *p)
{
	int rc;

	pci_set_master(p->pci);
	rc = pbit_card_enable(p->card);
	if (rc) {
		dev_err(&p->pci->dev, "the card did not come back (%d)\n", rc);
		pbit_device_detach(p->pdev, true);
		return rc;
	}
	pbit_device_resume(p->pdev);
	return 0;
}

static int __maybe_unused suspend(struct device *dev)
{
	sleep(dev_get_drvdata(dev));
	return 0;
}

static int __maybe_unused resume(struct device *dev)
{
	return wake(dev_get_drvdata(dev));
}

static SIMPLE_DEV_PM_OPS(pm_ops, suspend, resume);

/* A reset of the function, asked for through sysfs or VFIO. */
static void reset_prepare(struct pci_dev *pci)
{
	sleep(pci_get_drvdata(pci));
}

static void reset_done(struct pci_dev *pci)
{
	wake(pci_get_drvdata(pci));
}

static pci_ers_result_t error_detected(struct pci_dev *pci, pci_channel_state_t state)
{
	struct pbit_pci *p = pci_get_drvdata(pci);

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	pbit_card_disable(p->card, true);
	if (state == pci_channel_io_perm_failure) {
		pbit_device_detach(p->pdev, true);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	pbit_device_pause(p->pdev, true);
	pci_disable_device(pci);
	return PCI_ERS_RESULT_NEED_RESET;
}

/* The link works on: nothing was lost but a transfer, which its descriptor's completion tells. */
static pci_ers_result_t mmio_enabled(struct pci_dev *pci)
{
	struct pbit_pci *p = pci_get_drvdata(pci);

	return is_gone(p) ? PCI_ERS_RESULT_NEED_RESET : PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t slot_reset(struct pci_dev *pci)
{
	struct pbit_pci *p = pci_get_drvdata(pci);
	int rc = pci_enable_device_mem(pci);

	if (!rc) {
		pci_restore_state(pci);
		pci_save_state(pci);
		pci_set_master(pci);
		rc = pbit_card_enable(p->card);
	}
	if (!rc)
		return PCI_ERS_RESULT_RECOVERED;
	dev_err(&pci->dev, "the card did not come back from a reset of its slot (%d)\n", rc);
	pbit_device_detach(p->pdev, true);
	return PCI_ERS_RESULT_DISCONNECT;
}

static void error_resume(struct pci_dev *pci)
{
	struct pbit_pci *p = pci_get_drvdata(pci);

	pbit_device_resume(p->pdev);
}

static const struct pci_error_handlers error_handlers = {
	.error_detected = error_detected,
	.mmio_enabled = mmio_enabled,
	.slot_reset = slot_reset,
	.resume = error_resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(PBIT_PCI_VENDOR_ID, PBIT_PCI_DEVICE_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = {
	.name = "pbit",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.shutdown = shutdown,
	.err_handler = &error_handlers,
	.driver.pm = pm_ptr(&pm_ops),
};

int pbit_pci_init(void)
{
	return pci_register_driver(&driver);
}

void pbit_pci_exit(void)
{
	pci_unregister_driver(&driver);
}
