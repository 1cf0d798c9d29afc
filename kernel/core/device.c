// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a device: published when it is complete, detached in an order that leaves no way in, freed
 * with its last open file.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "internal.h"
#include "trace.h"

#define MAX_DEVICES 64

static dev_t first_devt;
static DEFINE_IDA(indices);

struct class pbit_class = {
	.name = "pbit",
	.dev_groups = pbit_groups,
};

int pbit_chrdev_init(void)
{
	return alloc_chrdev_region(&first_devt, 0, MAX_DEVICES, "pbit");
}

void pbit_chrdev_exit(void)
{
	unregister_chrdev_region(first_devt, MAX_DEVICES);
}

dev_t pbit_devt(int index)
{
	return MKDEV(MAJOR(first_devt), MINOR(first_devt) + (unsigned int)index);
}

u64 pbit_max_work(const struct pbit_device *pdev)
{
	return le64_to_cpu(pdev->rom.max_work);
}

void *pbit_device_priv(struct pbit_device *pdev)
{
	return pdev->priv;
}

const char *pbit_device_name(struct pbit_device *pdev)
{
	return dev_name(&pdev->dev);
}

static void reset_locked(struct pbit_device *pdev, int status);

static void fault_fn(struct work_struct *work)
{
	struct pbit_device *pdev = container_of(work, struct pbit_device, fault_work);

	down_write(&pdev->gate);
	if (!pdev->detached) {
		dev_err(pdev->parent, "%s: fault %u (%s): resetting\n", dev_name(&pdev->dev),
			pdev->fault, pdev->fault_why);
		reset_locked(pdev, -EIO);
	}
	up_write(&pdev->gate);
	put_device(&pdev->dev);
}

static void device_release(struct device *dev)
{
	struct pbit_device *pdev = container_of(dev, struct pbit_device, dev);

	if (pdev->memory)
		gen_pool_destroy(pdev->memory);
	if (pdev->index >= 0)
		ida_free(&indices, pdev->index);
	put_device(pdev->parent);
	kfree(pdev);
}

/* Page 0 of the card's memory is never given out: address 0 means none. */
static int make_pool(struct pbit_device *pdev)
{
	const u64 size = le64_to_cpu(pdev->rom.memory_size);

	pdev->memory = gen_pool_create(8, -1);
	if (!pdev->memory)
		return -ENOMEM;
	if (size <= PAGE_SIZE)
		return 0;
	return gen_pool_add(pdev->memory, PAGE_SIZE, size - PAGE_SIZE, -1);
}

struct pbit_device *pbit_device_alloc(struct device *parent, enum pbit_bus bus,
				      const struct pbit_card_rom *rom,
				      const struct pbit_hw_ops *ops, void *priv)
{
	struct pbit_device *pdev = kzalloc(sizeof(*pdev), GFP_KERNEL);
	int rc;

	if (!pdev)
		return ERR_PTR(-ENOMEM);
	pdev->parent = get_device(parent);
	pdev->bus = bus;
	pdev->rom = *rom;
	pdev->ops = ops;
	pdev->priv = priv;
	pdev->n_queues = le32_to_cpu(rom->n_queues);
	pdev->index = -1;
	init_rwsem(&pdev->gate);
	spin_lock_init(&pdev->lock);
	INIT_LIST_HEAD(&pdev->contexts);
	init_waitqueue_head(&pdev->idle);
	INIT_DELAYED_WORK(&pdev->timer, pbit_timer_fn);
	INIT_WORK(&pdev->fault_work, fault_fn);
	device_initialize(&pdev->dev);
	pdev->dev.class = &pbit_class;
	pdev->dev.parent = parent;
	pdev->dev.release = device_release;
	dev_set_drvdata(&pdev->dev, pdev);
	rc = make_pool(pdev);
	if (rc)
		goto put;
	rc = ida_alloc_max(&indices, MAX_DEVICES - 1, GFP_KERNEL);
	if (rc < 0)
		goto put;
	pdev->index = rc;
	pdev->dev.devt = pbit_devt(rc);
	rc = dev_set_name(&pdev->dev, "pbit%d", pdev->index);
	if (rc)
		goto put;
	return pdev;
put:
	put_device(&pdev->dev);
	return ERR_PTR(rc);
}

int pbit_device_register(struct pbit_device *pdev)
{
	int rc;

	/* Everything that an open file can reach is there before the file can be opened. */
	rc = pbit_hwmon_add(pdev);
	if (rc)
		return rc;
	cdev_init(&pdev->cdev, &pbit_fops);
	pdev->cdev.owner = THIS_MODULE;
	rc = cdev_device_add(&pdev->cdev, &pdev->dev);
	if (rc) {
		pbit_hwmon_remove(pdev);
		return rc;
	}
	pdev->registered = true;
	pbit_debugfs_add(pdev);
	dev_info(pdev->parent, "%s: %.32s, %u queue%s, %llu KiB\n", dev_name(&pdev->dev),
		 pdev->rom.name, pdev->n_queues, pdev->n_queues == 1 ? "" : "s",
		 le64_to_cpu(pdev->rom.memory_size) >> 10);
	return 0;
}

void pbit_device_put(struct pbit_device *pdev)
{
	put_device(&pdev->dev);
}

static bool queues_empty(struct pbit_device *pdev)
{
	u32 q;

	for (q = 0; q < pdev->n_queues; q++)
		if (READ_ONCE(pdev->queue[q].count))
			return false;
	return true;
}

static void stop_all(struct pbit_device *pdev)
{
	unsigned long flags;

	spin_lock_irqsave(&pdev->lock, flags);
	pdev->stopped = true;
	spin_unlock_irqrestore(&pdev->lock, flags);
}

/* Every job of every context ends with status; nothing is in flight any more. */
static void end_all(struct pbit_device *pdev, int status)
{
	struct pbit_context *ctx;
	unsigned long flags;

	spin_lock_irqsave(&pdev->lock, flags);
	pbit_sched_drop(pdev, status);
	list_for_each_entry(ctx, &pdev->contexts, node) {
		struct pbit_job *job, *next;

		list_for_each_entry_safe(job, next, &ctx->jobs, node)
			pbit_job_stop(job, status);
	}
	spin_unlock_irqrestore(&pdev->lock, flags);
}

static void wake_contexts(struct pbit_device *pdev)
{
	struct pbit_context *ctx;
	unsigned long flags;

	spin_lock_irqsave(&pdev->lock, flags);
	list_for_each_entry(ctx, &pdev->contexts, node)
		wake_up_all(&ctx->wait);
	spin_unlock_irqrestore(&pdev->lock, flags);
}

static void detach_buffers(struct pbit_device *pdev, bool host_too)
{
	struct pbit_context *ctx;

	/* The lock cannot be kept over an unmapping: each context is marked and the walk begins anew. */
	spin_lock_irq(&pdev->lock);
	pdev->round++;
restart:
	list_for_each_entry(ctx, &pdev->contexts, node) {
		if (ctx->round == pdev->round)
			continue;
		ctx->round = pdev->round;
		if (!kref_get_unless_zero(&ctx->refs))
			continue;
		spin_unlock_irq(&pdev->lock);
		pbit_buffers_detach(ctx, host_too);
		pbit_context_put(ctx);
		spin_lock_irq(&pdev->lock);
		goto restart;
	}
	spin_unlock_irq(&pdev->lock);
}

/* The gate is held for writing: no entry point is inside. */
static void reset_locked(struct pbit_device *pdev, int status)
{
	int rc;

	stop_all(pdev);
	rc = pdev->ops->reset(pdev);
	trace_pbit_reset(pdev, rc);
	end_all(pdev, status);
	detach_buffers(pdev, false);
	spin_lock_irq(&pdev->lock);
	pdev->generation++;
	pdev->resets++;
	pdev->stopped = rc || pdev->paused;
	spin_unlock_irq(&pdev->lock);
	wake_contexts(pdev);
	if (!rc)
		return;
	dev_err(pdev->parent, "%s: reset failed (%d): the device is given up\n",
		dev_name(&pdev->dev), rc);
	pdev->detached = true;
	pdev->hw_gone = true;
	wake_contexts(pdev);
}

/* Called by the reset request: its own context stays usable, without its device buffers. */
int pbit_device_reset(struct pbit_device *pdev, struct pbit_context *ctx)
{
	int rc = 0;

	down_write(&pdev->gate);
	if (pdev->detached || ctx->generation != pdev->generation) {
		rc = -ENODEV;
	} else {
		reset_locked(pdev, -ENODEV);
		if (pdev->detached)
			rc = -EIO;
		else
			ctx->generation = pdev->generation;
	}
	up_write(&pdev->gate);
	return rc;
}

void pbit_device_fault(struct pbit_device *pdev, u32 fault, const char *why)
{
	unsigned long flags;

	spin_lock_irqsave(&pdev->lock, flags);
	if (!pdev->stopped) {
		pdev->stopped = true;
		pdev->fault = fault;
		strscpy(pdev->fault_why, why, sizeof(pdev->fault_why));
		get_device(&pdev->dev);
		if (!queue_work(pbit_wq, &pdev->fault_work))
			put_device(&pdev->dev);
	}
	spin_unlock_irqrestore(&pdev->lock, flags);
}

void pbit_device_detach(struct pbit_device *pdev, bool hw_gone)
{
	if (pdev->registered)
		pbit_hwmon_remove(pdev);
	pbit_debugfs_remove(pdev);
	stop_all(pdev);
	down_write(&pdev->gate);
	if (pdev->detached && !pdev->registered) {
		up_write(&pdev->gate);
		return;
	}
	pdev->detached = true;
	pdev->hw_gone |= hw_gone;
	if (!pdev->hw_gone)
		pdev->ops->reset(pdev);
	end_all(pdev, -ENODEV);
	detach_buffers(pdev, true);
	wake_contexts(pdev);
	up_write(&pdev->gate);
	if (pdev->registered)
		cdev_device_del(&pdev->cdev, &pdev->dev);
	pdev->registered = false;
	cancel_delayed_work_sync(&pdev->timer);
	if (cancel_work_sync(&pdev->fault_work))
		put_device(&pdev->dev);
}

void pbit_device_pause(struct pbit_device *pdev, bool now)
{
	spin_lock_irq(&pdev->lock);
	pdev->paused = true;
	pdev->stopped = true;
	spin_unlock_irq(&pdev->lock);
	/* A fault that was told before resets now, not while the bus does; none is taken any more. */
	flush_work(&pdev->fault_work);
	/* The timer keeps watch: what does not end in time is aborted. */
	if (!now)
		wait_event_timeout(pdev->idle, queues_empty(pdev),
				   msecs_to_jiffies(pbit_watchdog_ms + 2 * PBIT_GRACE_MS));
	down_write(&pdev->gate);
	if (!pdev->detached && !queues_empty(pdev))
		reset_locked(pdev, -EIO);
	up_write(&pdev->gate);
}

void pbit_device_resume(struct pbit_device *pdev)
{
	down_write(&pdev->gate);
	if (!pdev->detached) {
		end_all(pdev, -ENODEV);
		detach_buffers(pdev, false);
	}
	spin_lock_irq(&pdev->lock);
	pdev->paused = false;
	pdev->stopped = pdev->detached;
	pdev->generation++;
	spin_unlock_irq(&pdev->lock);
	wake_contexts(pdev);
	up_write(&pdev->gate);
}

int pbit_check_alive(struct pbit_context *ctx, struct pbit_why *why)
{
	struct pbit_device *pdev = ctx->pdev;

	if (pdev->detached)
		return pbit_refuse(why, -ENODEV, PBIT_REASON_DETACHED, 0);
	if (ctx->generation != pdev->generation)
		return pbit_refuse(why, -ENODEV, PBIT_REASON_RESET, 0);
	return 0;
}

bool pbit_context_dead(struct pbit_context *ctx)
{
	return READ_ONCE(ctx->pdev->detached) ||
	       READ_ONCE(ctx->generation) != READ_ONCE(ctx->pdev->generation);
}
