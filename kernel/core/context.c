// SPDX-License-Identifier: GPL-2.0-only
/* What belongs to an open file. It outlives the file while the hardware still works for it. */
#include <linux/sched.h>
#include <linux/slab.h>
#include "internal.h"

static void free_fn(struct work_struct *work)
{
	struct pbit_context *ctx = container_of(work, struct pbit_context, free_work);
	struct pbit_job *job, *next;

	spin_lock_irq(&ctx->pdev->lock);
	list_del(&ctx->node);
	spin_unlock_irq(&ctx->pdev->lock);
	list_for_each_entry_safe(job, next, &ctx->done, node)
		pbit_job_free(job);
	idr_destroy(&ctx->buffers);
	mutex_destroy(&ctx->lock);
	put_device(&ctx->pdev->dev);
	kfree(ctx);
}

struct pbit_context *pbit_context_new(struct pbit_device *pdev)
{
	struct pbit_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);

	if (!ctx)
		return NULL;
	kref_init(&ctx->refs);
	get_device(&pdev->dev);
	ctx->pdev = pdev;
	ctx->pid = task_tgid_nr(current);
	get_task_comm(ctx->comm, current);
	mutex_init(&ctx->lock);
	idr_init_base(&ctx->buffers, 1);
	INIT_LIST_HEAD(&ctx->memory);
	INIT_LIST_HEAD(&ctx->jobs);
	INIT_LIST_HEAD(&ctx->done);
	init_waitqueue_head(&ctx->wait);
	INIT_WORK(&ctx->free_work, free_fn);
	ctx->queue = -1;
	ctx->next_job = 1;
	spin_lock_irq(&pdev->lock);
	ctx->generation = pdev->generation;
	ctx->virtual_time = pdev->virtual_now;
	list_add_tail(&ctx->node, &pdev->contexts);
	spin_unlock_irq(&pdev->lock);
	return ctx;
}

static void context_release(struct kref *refs)
{
	struct pbit_context *ctx = container_of(refs, struct pbit_context, refs);

	queue_work(pbit_wq, &ctx->free_work);
}

void pbit_context_put(struct pbit_context *ctx)
{
	kref_put(&ctx->refs, context_release);
}

/* The file is closed, maybe by a kill: nothing more is started, what runs is aborted. */
void pbit_context_close(struct pbit_context *ctx)
{
	struct pbit_device *pdev = ctx->pdev;
	struct pbit_job *job, *next;
	struct pbit_buffer *buffer;
	int handle;

	spin_lock_irq(&pdev->lock);
	ctx->closed = true;
	list_for_each_entry_safe(job, next, &ctx->jobs, node)
		pbit_job_stop(job, -ECANCELED);
	pbit_sched_kick(pdev);
	spin_unlock_irq(&pdev->lock);
	down_read(&pdev->gate);
	mutex_lock(&ctx->lock);
	idr_for_each_entry(&ctx->buffers, buffer, handle) {
		idr_remove(&ctx->buffers, handle);
		pbit_buffer_put(buffer);
	}
	mutex_unlock(&ctx->lock);
	up_read(&pdev->gate);
	pbit_context_put(ctx);
}
