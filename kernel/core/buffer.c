// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: host memory that a device reads and writes directly and a process maps, or a piece of the
 * device's memory. A descriptor has one address for an array, so host buffers are contiguous.
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "internal.h"

#define MAX_HANDLES 65535
#define MAX_HOST_ORDER 10 /* 4 MiB of pages of 4 KiB */

u64 pbit_max_host_buffer(void)
{
	return PAGE_SIZE << MAX_HOST_ORDER;
}

u64 pbit_pinned_limit(void)
{
	u64 limit = (u64)READ_ONCE(pbit_pinned_mb) << 20;
	u64 locked = rlimit(RLIMIT_MEMLOCK);

	if (locked == RLIM_INFINITY || capable(CAP_IPC_LOCK))
		return limit;
	return min(limit, locked);
}

u64 pbit_buffer_address(const struct pbit_buffer *buffer)
{
	if (buffer->place == PBIT_BUFFER_DEVICE)
		return buffer->card;
	if (buffer->ctx->pdev->bus == PBIT_BUS_SIM)
		return (u64)(uintptr_t)buffer->pages & ~PBIT_CARD_LOCAL;
	return buffer->dma;
}

void pbit_buffer_sync(struct pbit_buffer *buffer, bool for_device)
{
	struct device *dev = buffer->ctx->pdev->parent;

	if (!buffer->mapped || buffer->ctx->pdev->bus == PBIT_BUS_SIM)
		return;
	if (for_device)
		dma_sync_single_for_device(dev, buffer->dma, buffer->size, DMA_BIDIRECTIONAL);
	else
		dma_sync_single_for_cpu(dev, buffer->dma, buffer->size, DMA_BIDIRECTIONAL);
}

static void unmap_host(struct pbit_buffer *buffer)
{
	struct pbit_device *pdev = buffer->ctx->pdev;

	if (!buffer->mapped)
		return;
	if (pdev->bus != PBIT_BUS_SIM)
		dma_unmap_single(pdev->parent, buffer->dma, buffer->size, DMA_BIDIRECTIONAL);
	buffer->mapped = false;
}

static int map_host(struct pbit_buffer *buffer)
{
	struct pbit_device *pdev = buffer->ctx->pdev;

	/* Pages of their own, so that a process's mapping outlives buffer and device. */
	buffer->pages = alloc_pages_exact(buffer->size, GFP_KERNEL_ACCOUNT | __GFP_ZERO |
							__GFP_NOWARN);
	if (!buffer->pages)
		return -ENOMEM;
	if (pdev->bus == PBIT_BUS_SIM)
		goto mapped;
	buffer->dma = dma_map_single(pdev->parent, buffer->pages, buffer->size, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(pdev->parent, buffer->dma)) {
		free_pages_exact(buffer->pages, buffer->size);
		return -ENOMEM;
	}
	if (buffer->dma & PBIT_CARD_LOCAL) {
		dma_unmap_single(pdev->parent, buffer->dma, buffer->size, DMA_BIDIRECTIONAL);
		free_pages_exact(buffer->pages, buffer->size);
		return -ERANGE;
	}
mapped:
	buffer->mapped = true;
	return 0;
}

static void release_device(struct pbit_buffer *buffer)
{
	if (!buffer->held)
		return;
	gen_pool_free(buffer->ctx->pdev->memory, buffer->card & ~PBIT_CARD_LOCAL, buffer->size);
	buffer->held = false;
}

/* In process context: unmapping may sleep, and the lock of the context is taken. */
static void free_fn(struct work_struct *work)
{
	struct pbit_buffer *buffer = container_of(work, struct pbit_buffer, free_work);
	struct pbit_context *ctx = buffer->ctx;

	mutex_lock(&ctx->lock);
	list_del(&buffer->node);
	release_device(buffer);
	if (buffer->place == PBIT_BUFFER_HOST) {
		unmap_host(buffer);
		free_pages_exact(buffer->pages, buffer->size);
		ctx->pinned -= buffer->size;
		atomic64_sub(buffer->size, &ctx->pdev->pinned);
	}
	mutex_unlock(&ctx->lock);
	kfree_rcu(buffer, rcu);
	pbit_context_put(ctx);
}

static void buffer_release(struct kref *refs)
{
	struct pbit_buffer *buffer = container_of(refs, struct pbit_buffer, refs);

	queue_work(pbit_wq, &buffer->free_work);
}

void pbit_buffer_put(struct pbit_buffer *buffer)
{
	kref_put(&buffer->refs, buffer_release);
}

static int take_host(struct pbit_buffer *buffer, struct pbit_why *why)
{
	struct pbit_context *ctx = buffer->ctx;
	const u64 limit = pbit_pinned_limit();
	int rc;

	if (buffer->size > pbit_max_host_buffer())
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RANGE, pbit_max_host_buffer());
	if (ctx->pinned + buffer->size > limit)
		return pbit_refuse(why, -ENOMEM, PBIT_REASON_PINNED, limit);
	rc = map_host(buffer);
	if (rc)
		return pbit_refuse(why, rc, PBIT_REASON_NONE, 0);
	ctx->pinned += buffer->size;
	atomic64_add(buffer->size, &ctx->pdev->pinned);
	return 0;
}

static int take_device(struct pbit_buffer *buffer, struct pbit_why *why)
{
	struct gen_pool *pool = buffer->ctx->pdev->memory;
	const unsigned long at = gen_pool_alloc(pool, buffer->size);

	if (!at)
		return pbit_refuse(why, -ENOSPC, PBIT_REASON_DEVICE_MEMORY, gen_pool_avail(pool));
	buffer->card = at | PBIT_CARD_LOCAL;
	buffer->held = true;
	return 0;
}

int pbit_buffer_create(struct pbit_context *ctx, u32 place, u64 size, struct pbit_why *why,
		       struct pbit_buffer **out)
{
	struct pbit_buffer *buffer;
	int rc;

	if (place > PBIT_BUFFER_DEVICE)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_PLACE, 0);
	if (!size || size > 1ull << 48)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RANGE, 0);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	kref_init(&buffer->refs);
	INIT_WORK(&buffer->free_work, free_fn);
	buffer->ctx = ctx;
	buffer->place = place;
	buffer->size = PAGE_ALIGN(size);
	rc = place == PBIT_BUFFER_HOST ? take_host(buffer, why) : take_device(buffer, why);
	if (rc)
		goto free;
	rc = idr_alloc(&ctx->buffers, buffer, 1, MAX_HANDLES, GFP_KERNEL_ACCOUNT);
	if (rc < 0)
		goto give_back;
	buffer->handle = (u32)rc;
	pbit_context_get(ctx);
	list_add_tail(&buffer->node, &ctx->memory);
	*out = buffer;
	return 0;
give_back:
	release_device(buffer);
	if (place == PBIT_BUFFER_HOST) {
		unmap_host(buffer);
		free_pages_exact(buffer->pages, buffer->size);
		ctx->pinned -= buffer->size;
		atomic64_sub(buffer->size, &ctx->pdev->pinned);
	}
free:
	kfree(buffer);
	return rc;
}

struct pbit_buffer *pbit_buffer_find(struct pbit_context *ctx, u32 handle)
{
	return idr_find(&ctx->buffers, handle);
}

int pbit_buffer_destroy(struct pbit_context *ctx, u32 handle, struct pbit_why *why)
{
	struct pbit_buffer *buffer = handle ? idr_find(&ctx->buffers, handle) : NULL;
	bool busy;

	if (!buffer)
		return pbit_refuse(why, -ENOENT, PBIT_REASON_HANDLE, 0);
	spin_lock_irq(&ctx->pdev->lock);
	busy = buffer->busy;
	spin_unlock_irq(&ctx->pdev->lock);
	if (busy)
		return pbit_refuse(why, -EBUSY, PBIT_REASON_BUSY, 0);
	idr_remove(&ctx->buffers, handle);
	pbit_buffer_put(buffer);
	return 0;
}

static const struct vm_operations_struct vm_ops = {};

int pbit_buffer_mmap(struct pbit_buffer *buffer, struct vm_area_struct *vma)
{
	const unsigned long size = vma->vm_end - vma->vm_start;
	unsigned long at;
	int rc;

	if (buffer->place != PBIT_BUFFER_HOST)
		return -EINVAL;
	if (size > buffer->size)
		return -EINVAL;
	vma->vm_ops = &vm_ops;
	for (at = 0; at < size; at += PAGE_SIZE) {
		rc = vm_insert_page(vma, vma->vm_start + at, virt_to_page(buffer->pages + at));
		if (rc)
			return rc;
	}
	return 0;
}

void pbit_buffers_detach(struct pbit_context *ctx, bool host_too)
{
	struct pbit_buffer *buffer;

	mutex_lock(&ctx->lock);
	list_for_each_entry(buffer, &ctx->memory, node) {
		release_device(buffer);
		if (host_too && buffer->place == PBIT_BUFFER_HOST)
			unmap_host(buffer);
	}
	mutex_unlock(&ctx->lock);
}
