/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the driver know of each other.
 *
 *	pci, platform, sim	make a struct pbit_device, give it a struct pbit_hw_ops
 *	card			such operations for a card with registers and rings (pci, platform)
 *	core			character device, contexts, buffers, jobs, scheduler, sysfs, hwmon
 *
 * Life of a device: pbit_device_alloc(), fill in, pbit_device_register() ...
 * pbit_device_detach() (removal: new calls get ENODEV, those inside are drained, mappings
 * zapped, waiters woken, every job ended), pbit_device_put(). The struct device owns the memory,
 * so an open file keeps it.
 *
 * Locks, outermost first: pbit_device.gate (rwsem: read in every entry point, write to detach
 * and to reset), pbit_context.lock (mutex: handles), pbit_device.lock (spinlock: queues, job
 * states).
 */
#ifndef PBIT_CORE_H
#define PBIT_CORE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/genalloc.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "../uapi/pbit.h"
#include "../uapi/pbit_card.h"

struct pbit_device;

enum pbit_bus {
	PBIT_BUS_PCI = 0,
	PBIT_BUS_PLATFORM = 1,
	PBIT_BUS_SIM = 2,
};

struct pbit_sensors {
	s32 temperature_mc;
	s32 critical_mc;
	u32 power_uw;
	u64 energy_uj;
	u64 updates;
};

/**
 * struct pbit_hw_ops - what the core asks of a device
 * @start: queues a descriptor on a hardware queue; -EAGAIN where its ring is full. Called under the
 *	   device's spinlock, must not sleep. Its end is told by pbit_device_done().
 * @abort: ends all descriptors of a queue; each is told by pbit_device_done(). Must not sleep.
 * @reset: back to the state after power-up: nothing runs, nothing will be told. May sleep. The core has
 *	   made sure that no @start runs. Negative errno: the device is beyond help.
 * @sensors: may sleep; -ENODATA where there are none
 * @progress: samples or sweeps of the running descriptor; must not sleep
 *
 * A host buffer has its DMA address from the parent in a descriptor, on PBIT_BUS_SIM its kernel address without bit
 * 63 (pbit_sim_pointer()); addresses of the device's memory have PBIT_CARD_LOCAL set.
 */
struct pbit_hw_ops {
	int (*start)(struct pbit_device *pdev, u32 queue, const struct pbit_card_desc *desc);
	void (*abort)(struct pbit_device *pdev, u32 queue);
	int (*reset)(struct pbit_device *pdev);
	int (*sensors)(struct pbit_device *pdev, struct pbit_sensors *out);
	u32 (*progress)(struct pbit_device *pdev, u32 queue);
};

/* For the bus parts. */

/*
 * parent: the PCI, platform or sim device, also the one that DMA is mapped for. rom has been
 * checked by pbit_rom_check(). priv is theirs. Returns ERR_PTR.
 */
struct pbit_device *pbit_device_alloc(struct device *parent, enum pbit_bus bus,
				      const struct pbit_card_rom *rom,
				      const struct pbit_hw_ops *ops, void *priv);
/*
 * Publishes /dev/pbitN, sysfs, hwmon, debugfs; complete when it returns. On failure the caller
 * puts.
 */
int pbit_device_register(struct pbit_device *pdev);
/*
 * The device is going or gone. hw_gone: it does not answer any more, do not touch it. When this
 * returns no operation of pbit_hw_ops runs or will be called. Idempotent.
 */
void pbit_device_detach(struct pbit_device *pdev, bool hw_gone);
void pbit_device_put(struct pbit_device *pdev);
void *pbit_device_priv(struct pbit_device *pdev);
const char *pbit_device_name(struct pbit_device *pdev);

/* A descriptor ended (any context but hard interrupt with the device's lock held). */
void pbit_device_done(struct pbit_device *pdev, u32 queue, const struct pbit_card_done *done);
/*
 * The device reports a fault, does not answer or lies: the core resets it, ends all jobs. Any
 * context.
 */
void pbit_device_fault(struct pbit_device *pdev, u32 fault, const char *why);
/*
 * Suspend, reset of the bus: no descriptor is started after this returns and none runs (waits,
 * then resets). now: does not wait, the hardware has stopped already.
 */
void pbit_device_pause(struct pbit_device *pdev, bool now);
/*
 * Resume: the hardware was reset; jobs that had not started go on, device buffers are lost
 * (generation + 1).
 */
void pbit_device_resume(struct pbit_device *pdev);

/* PBIT_BUS_SIM: the host memory that a descriptor's address means. */
static inline void *pbit_sim_pointer(u64 address)
{
	if (IS_ENABLED(CONFIG_64BIT))
		address |= PBIT_CARD_LOCAL;
	return (void *)(uintptr_t)address;
}

/*
 * Checks a ROM as read: identity, version, size, CRC, every limit sane. -EPROTO with a line in
 * the log.
 */
int pbit_rom_check(struct device *dev, const struct pbit_card_rom *rom, size_t size);

/* The buses' entry points, called by the module's init and exit. */
int pbit_pci_init(void);
void pbit_pci_exit(void);
int pbit_platform_init(void);
void pbit_platform_exit(void);
#if IS_REACHABLE(CONFIG_CONFIGFS_FS)
int pbit_sim_init(void);
void pbit_sim_exit(void);
#else
static inline int pbit_sim_init(void)
{
	return 0;
}

static inline void pbit_sim_exit(void)
{
}
#endif

/*
 * card: registers and rings at `registers`, dma_dev for the rings. The card has been reset when
 * it is returned. cut keeps a card that fails its reset from writing to memory. Interrupts are
 * wired to pbit_card_interrupt and pbit_card_thread with pbit_card_vector() as their cookie.
 */
struct pbit_card;
extern const struct pbit_hw_ops pbit_card_ops; /* priv of the pbit_device is the struct pbit_card */

struct pbit_card *pbit_card_create(struct device *dma_dev, void __iomem *registers,
				   resource_size_t size, void (*cut)(struct device *dev));
const struct pbit_card_rom *pbit_card_rom(struct pbit_card *card);
void pbit_card_attach(struct pbit_card *card, struct pbit_device *pdev);
int pbit_card_enable(struct pbit_card *card);	/* queues and interrupts on */
/* Off and quiet; hw_gone: without touching it. A reset is no operation from now on. */
void pbit_card_disable(struct pbit_card *card, bool hw_gone);
/* n_vectors: 1, or 1 + the number of queues. */
void *pbit_card_vector(struct pbit_card *card, unsigned int vector, unsigned int n_vectors);
/* Primary handler: takes the cause; returns IRQ_NONE, IRQ_WAKE_THREAD. Then the thread. */
irqreturn_t pbit_card_interrupt(int irq, void *vector);
irqreturn_t pbit_card_thread(int irq, void *vector);
bool pbit_card_gone(struct pbit_card *card);	/* registers read as all ones */
void pbit_card_destroy(struct pbit_card *card);

#endif
