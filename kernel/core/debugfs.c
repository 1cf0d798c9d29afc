// SPDX-License-Identifier: GPL-2.0-only
/* State of a device for people who debug it. The text may change: do not parse. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "internal.h"

static struct dentry *root;

static void show_queue(struct seq_file *file, struct pbit_device *pdev, u32 q)
{
	const struct pbit_queue *queue = &pdev->queue[q];
	u32 i;

	seq_printf(file, "queue %u: %u in flight, progress %u%s\n", q, queue->count,
		   pdev->hw_gone || pdev->stopped ? 0 : pdev->ops->progress(pdev, q),
		   queue->aborting ? ", aborting" : "");
	for (i = 0; i < queue->count; i++) {
		const struct pbit_run *run = &queue->run[(queue->first + i) % PBIT_DEPTH];

		seq_printf(file, "  cookie %u: pid %d job %llu command %u of %u\n", run->cookie,
			   run->job->ctx->pid, run->job->event.job, run->index,
			   run->job->n_commands);
	}
}

static void show_context(struct seq_file *file, const struct pbit_context *ctx)
{
	const struct pbit_job *job;

	seq_printf(file, "pid %d (%s)%s: generation %llu, queue %d, time %llu\n", ctx->pid,
		   ctx->comm, ctx->closed ? " closed" : "", ctx->generation, ctx->queue,
		   ctx->virtual_time);
	list_for_each_entry(job, &ctx->jobs, node)
		seq_printf(file, "  job %llu: %u started, %u ended of %u, status %d\n",
			   job->event.job, job->started, job->ended, job->n_commands, job->status);
}

static int state_show(struct seq_file *file, void *data)
{
	struct pbit_device *pdev = file->private;
	struct pbit_context *ctx;
	u32 q;

	seq_puts(file, "do not parse\n");
	spin_lock_irq(&pdev->lock);
	seq_printf(file, "generation %llu, resets %llu, jobs %llu, failed %llu, cycles %llu%s%s\n",
		   pdev->generation, pdev->resets, pdev->jobs_ended, pdev->jobs_failed,
		   pdev->cycles, pdev->stopped ? ", stopped" : "", pdev->paused ? ", paused" : "");
	for (q = 0; q < pdev->n_queues; q++)
		show_queue(file, pdev, q);
	list_for_each_entry(ctx, &pdev->contexts, node)
		show_context(file, ctx);
	spin_unlock_irq(&pdev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

void pbit_debugfs_init(void)
{
	root = debugfs_create_dir("pbit", NULL);
}

void pbit_debugfs_exit(void)
{
	debugfs_remove(root);
}

void pbit_debugfs_add(struct pbit_device *pdev)
{
	pdev->debugfs = debugfs_create_dir(dev_name(&pdev->dev), root);
	debugfs_create_file("state", 0400, pdev->debugfs, pdev, &state_fops);
}

void pbit_debugfs_remove(struct pbit_device *pdev)
{
	debugfs_remove(pdev->debugfs);
	pdev->debugfs = NULL;
}
