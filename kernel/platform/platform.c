// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards in a device tree (pbit.yaml), such as logic beside the processors of an FPGA. One window of
 * registers, one interrupt.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/reset.h>
#include <linux/slab.h>
#include "../core/pbit.h"

struct pbit_platform {
	struct device *dev;
	struct pbit_card *card;
	struct pbit_device *pdev;
	struct resource *window;
	void __iomem *registers;
	struct reset_control *reset;
	int irq;
};

/* Nothing but its reset line stops logic that writes to memory. */
static void cut(struct device *dev)
{
	struct pbit_platform *p = dev_get_drvdata(dev);

	reset_control_assert(p->reset);
}

static int map_registers(struct pbit_platform *p, struct platform_device *platform)
{
	struct resource *reg = platform_get_resource(platform, IORESOURCE_MEM, 0);

	if (!reg)
		return dev_err_probe(p->dev, -EINVAL, "no reg\n");
	p->window = request_mem_region(reg->start, resource_size(reg), dev_name(p->dev));
	if (!p->window)
		return dev_err_probe(p->dev, -EBUSY, "registers %pR are in use\n", reg);
	p->registers = ioremap(reg->start, resource_size(reg));
	if (p->registers)
		return 0;
	release_mem_region(reg->start, resource_size(reg));
	return -ENOMEM;
}

static void unmap_registers(struct pbit_platform *p)
{
	iounmap(p->registers);
	release_mem_region(p->window->start, resource_size(p->window));
}

/* Bit 63 of an address means the card's memory. dma-ranges narrow it further. */
static int set_dma(struct device *dev)
{
	int rc = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(63));

	if (rc)
		rc = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	return rc ? dev_err_probe(dev, rc, "no DMA with 63 nor 32 bits of address\n") : 0;
}

static int publish(struct pbit_platform *p)
{
	int rc;

	p->pdev = pbit_device_alloc(p->dev, PBIT_BUS_PLATFORM, pbit_card_rom(p->card),
				    &pbit_card_ops, p->card);
	if (IS_ERR(p->pdev))
		return PTR_ERR(p->pdev);
	pbit_card_attach(p->card, p->pdev);
	rc = pbit_card_enable(p->card);
	if (!rc)
		rc = pbit_device_register(p->pdev);
	if (!rc)
		return 0;
	pbit_device_detach(p->pdev, false);
	pbit_card_disable(p->card, false);
	return rc;
}

static int get_resources(struct pbit_platform *p, struct platform_device *platform)
{
	p->irq = platform_get_irq(platform, 0);
	if (p->irq < 0)
		return p->irq;
	p->reset = reset_control_get_optional_exclusive(p->dev, NULL);
	if (IS_ERR(p->reset))
		return dev_err_probe(p->dev, PTR_ERR(p->reset), "reset line\n");
	return 0;
}

static int probe(struct platform_device *platform)
{
	struct pbit_platform *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int rc;

	if (!p)
		return -ENOMEM;
	p->dev = &platform->dev;
	platform_set_drvdata(platform, p);
	rc = get_resources(p, platform);
	if (rc)
		goto free;
	rc = reset_control_deassert(p->reset);
	if (rc)
		goto put_reset;
	rc = set_dma(p->dev);
	if (!rc)
		rc = map_registers(p, platform);
	if (rc)
		goto assert;
	p->card = pbit_card_create(p->dev, p->registers, resource_size(p->window), cut);
	if (IS_ERR(p->card)) {
		rc = PTR_ERR(p->card);
		goto unmap;
	}
	rc = request_threaded_irq((unsigned int)p->irq, pbit_card_interrupt, pbit_card_thread, 0,
				  dev_name(p->dev), pbit_card_vector(p->card, 0, 1));
	if (rc)
		goto destroy;
	rc = publish(p);
	if (!rc)
		return 0;
	free_irq((unsigned int)p->irq, pbit_card_vector(p->card, 0, 1));
destroy:
	pbit_card_destroy(p->card);
	if (!IS_ERR_OR_NULL(p->pdev))
		pbit_device_put(p->pdev);
unmap:
	unmap_registers(p);
assert:
	reset_control_assert(p->reset);
put_reset:
	reset_control_put(p->reset);
free:
	kfree(p);
	return rc;
}

/* Its type has changed from int to void: taken from the kernel that this is built for. */
#define REMOVE_RESULT typeof(((struct platform_driver *)NULL)->remove(NULL))

static REMOVE_RESULT remove(struct platform_device *platform)
{
	struct pbit_platform *p = platform_get_drvdata(platform);
	const bool gone = pbit_card_gone(p->card);

	pbit_device_detach(p->pdev, gone);
	pbit_card_disable(p->card, gone);
	free_irq((unsigned int)p->irq, pbit_card_vector(p->card, 0, 1));
	reset_control_assert(p->reset);
	reset_control_put(p->reset);
	pbit_card_destroy(p->card);
	unmap_registers(p);
	pbit_device_put(p->pdev);
	kfree(p);
	return (REMOVE_RESULT)0;
}

static void shutdown(struct platform_device *platform)
{
	struct pbit_platform *p = platform_get_drvdata(platform);

	pbit_device_pause(p->pdev, true);
	pbit_card_disable(p->card, pbit_card_gone(p->card));
}

static int __maybe_unused suspend(struct device *dev)
{
	struct pbit_platform *p = dev_get_drvdata(dev);

	pbit_device_pause(p->pdev, false);
	pbit_card_disable(p->card, pbit_card_gone(p->card));
	return 0;
}

static int __maybe_unused resume(struct device *dev)
{
	struct pbit_platform *p = dev_get_drvdata(dev);
	int rc = pbit_card_enable(p->card);

	if (rc) {
		dev_err(dev, "the card did not come back (%d)\n", rc);
		pbit_device_detach(p->pdev, true);
		return rc;
	}
	pbit_device_resume(p->pdev);
	return 0;
}

static SIMPLE_DEV_PM_OPS(pm_ops, suspend, resume);

static const struct of_device_id matches[] = {
	{ .compatible = "pbit,card-1" },
	{}
};
MODULE_DEVICE_TABLE(of, matches);

static struct platform_driver driver = {
	.probe = probe,
	.remove = remove,
	.shutdown = shutdown,
	.driver = {
		.name = "pbit",
		.of_match_table = matches,
		.pm = pm_ptr(&pm_ops),
	},
};

int pbit_platform_init(void)
{
	return platform_driver_register(&driver);
}

void pbit_platform_exit(void)
{
	platform_driver_unregister(&driver);
}
