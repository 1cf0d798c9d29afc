// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which command runs next. Contexts share a device by the time their commands took, weighted by
 * priority: no priority starves another for ever. Commands of a file run in order, on one hardware queue
 * at a time; few are in flight, so that a newcomer waits for few.
 */
#include <linux/ktime.h>
#include "internal.h"
#include "trace.h"

#define WEIGHT_HIGH 64u

static u64 charge(u32 priority, u64 ns)
{
	static const u32 weight[] = { 1, 8, WEIGHT_HIGH };

	return ns * (WEIGHT_HIGH / weight[priority]);
}

/* The job whose next command may start: earlier ones are all in flight or done. */
static struct pbit_job *startable(struct pbit_context *ctx)
{
	struct pbit_job *job;

	list_for_each_entry(job, &ctx->jobs, node) {
		if (job->failed)
			continue;
		if (job->started < job->n_commands)
			return job;
	}
	return NULL;
}

static struct pbit_job *pick(struct pbit_device *pdev, u32 q)
{
	struct pbit_job *best = NULL;
	struct pbit_context *ctx;

	list_for_each_entry(ctx, &pdev->contexts, node) {
		struct pbit_job *job;

		if (ctx->queue >= 0 && ctx->queue != (int)q)
			continue;
		if (best && (s64)(ctx->virtual_time - best->ctx->virtual_time) >= 0)
			continue;
		job = startable(ctx);
		if (job)
			best = job;
	}
	return best;
}

static int start_one(struct pbit_device *pdev, u32 q, struct pbit_job *job)
{
	struct pbit_queue *queue = &pdev->queue[q];
	struct pbit_run *run = &queue->run[(queue->first + queue->count) % PBIT_DEPTH];
	struct pbit_card_desc *desc = &job->desc[job->started];
	const u64 now = ktime_get_ns();
	int rc;

	run->job = job;
	run->index = job->started;
	run->cookie = ++pdev->next_cookie;
	desc->cookie = cpu_to_le32(run->cookie);
	rc = pdev->ops->start(pdev, q, desc);
	if (rc)
		return rc;
	if (!queue->count++)
		queue->head_since = now;
	job->started++;
	job->in_flight++;
	job->ctx->in_flight++;
	job->ctx->queue = (int)q;
	if (!job->event.started_ns)
		job->event.started_ns = now;
	pdev->virtual_now = job->ctx->virtual_time;
	trace_pbit_start(pdev, job->event.job, run->index, q);
	pbit_timer_arm(pdev, queue->head_since + (u64)NSEC_PER_MSEC *
				     (READ_ONCE(pbit_watchdog_ms) + PBIT_GRACE_MS));
	return 0;
}

void pbit_sched_kick(struct pbit_device *pdev)
{
	bool more = true;
	u32 q;

	/* A descriptor to each queue in turn, so that contexts spread over them. */
	while (more && !pdev->stopped) {
		more = false;
		for (q = 0; q < pdev->n_queues; q++) {
			struct pbit_queue *queue = &pdev->queue[q];
			struct pbit_job *job;

			if (queue->aborting || queue->count == PBIT_DEPTH)
				continue;
			job = pick(pdev, q);
			if (!job || start_one(pdev, q, job))
				continue;
			more = true;
		}
	}
}

static void abort_queue(struct pbit_device *pdev, u32 q)
{
	struct pbit_queue *queue = &pdev->queue[q];

	if (queue->aborting || !queue->count || pdev->hw_gone)
		return;
	queue->aborting = true;
	queue->abort_since = ktime_get_ns();
	pdev->ops->abort(pdev, q);
	pbit_timer_arm(pdev, queue->abort_since + (u64)NSEC_PER_MSEC * PBIT_GRACE_MS);
}

void pbit_job_finish(struct pbit_job *job)
{
	struct pbit_context *ctx = job->ctx;
	struct pbit_device *pdev = ctx->pdev;
	u32 i;

	list_del(&job->node);
	job->event.status = job->status;
	job->event.ended_ns = ktime_get_ns();
	if (!job->status)
		job->event.command = job->n_commands;
	pdev->jobs_ended++;
	pdev->jobs_failed += job->status != 0;
	for (i = 0; i < job->n_buffers; i++) {
		job->buffer[i]->busy--;
		pbit_buffer_sync(job->buffer[i], false);
		pbit_buffer_put(job->buffer[i]);
	}
	trace_pbit_end(pdev, job->event.job, job->status);
	if (job->internal) {
		complete(job->completion);
	} else {
		list_add_tail(&job->node, &ctx->done);
		wake_up_all(&ctx->wait);
	}
	pbit_context_put(ctx);
}

void pbit_job_stop(struct pbit_job *job, int status)
{
	struct pbit_device *pdev = job->ctx->pdev;
	const int q = job->ctx->queue;

	if (!job->failed) {
		job->failed = true;
		job->status = status;
		job->event.command = job->ended;
	}
	if (!job->in_flight) {
		pbit_job_finish(job);
		return;
	}
	/* The running descriptor only: one behind another's takes its turn and ends. */
	if (q >= 0 && pdev->queue[q].run[pdev->queue[q].first].job == job)
		abort_queue(pdev, (u32)q);
}

/* One descriptor is out of the hardware, in whatever way. */
static void retire(struct pbit_device *pdev, struct pbit_queue *queue)
{
	struct pbit_job *job = queue->run[queue->first].job;

	queue->first = (queue->first + 1) % PBIT_DEPTH;
	queue->count--;
	queue->head_since = ktime_get_ns();
	job->in_flight--;
	if (!--job->ctx->in_flight)
		job->ctx->queue = -1;
	if (!queue->count) {
		queue->aborting = false;
		wake_up_all(&pdev->idle);
	}
}

static int errno_of(u32 status)
{
	switch (status) {
	case PBIT_DONE_OK:
		return 0;
	case PBIT_DONE_WATCHDOG:
		return -ETIME;
	case PBIT_DONE_ABORTED:
		return -ECANCELED;
	case PBIT_DONE_BAD_OP:
	case PBIT_DONE_BAD_SIZE:
	case PBIT_DONE_BAD_ADDRESS:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static void account(struct pbit_device *pdev, struct pbit_queue *queue, struct pbit_run *run,
		    const struct pbit_card_done *done)
{
	struct pbit_job *job = run->job;
	const u64 ns = ktime_get_ns() - queue->head_since;
	const u64 cycles = le64_to_cpu(done->cycles);

	job->ctx->virtual_time += charge(job->priority, ns);
	job->ctx->cycles += cycles;
	job->event.cycles += cycles;
	job->event.energy_pj += le64_to_cpu(done->energy_pj);
	pdev->cycles += cycles;
}

static void end_of_run(struct pbit_device *pdev, struct pbit_queue *queue,
		       const struct pbit_card_done *done)
{
	struct pbit_run run = queue->run[queue->first];
	const u32 status = le16_to_cpu(done->status);
	struct pbit_job *job = run.job;

	account(pdev, queue, &run, done);
	retire(pdev, queue);
	trace_pbit_done(pdev, job->event.job, run.index, status);
	if (status == PBIT_DONE_ABORTED && !done->cycles && !job->failed) {
		/* It was behind another's: it starts again when the queue is empty. */
		if (job->started > run.index)
			job->started = run.index;
		return;
	}
	if (status == PBIT_DONE_OK) {
		job->ended++;
	} else if (!job->failed) {
		job->failed = true;
		job->status = errno_of(status);
		job->event.card_status = status;
		job->event.command = run.index;
	}
	if (job->failed && run.index == job->event.command) {
		job->event.card_status = status;
		job->event.progress = le32_to_cpu(done->progress);
	}
	if (!job->in_flight && (job->failed || job->ended == job->n_commands))
		pbit_job_finish(job);
}

void pbit_device_done(struct pbit_device *pdev, u32 q, const struct pbit_card_done *done)
{
	const char *lie = NULL;
	struct pbit_queue *queue;
	unsigned long flags;

	spin_lock_irqsave(&pdev->lock, flags);
	if (q >= pdev->n_queues)
		lie = "completion of a queue that is not there";
	else if (!pdev->queue[q].count)
		lie = "completion that nobody waits for";
	if (lie)
		goto out;
	queue = &pdev->queue[q];
	if (queue->run[queue->first].cookie != le32_to_cpu(done->cookie)) {
		lie = "completion out of order";
		goto out;
	}
	if (le16_to_cpu(done->status) > PBIT_DONE_RANDOM) {
		lie = "completion with an unknown status";
		goto out;
	}
	end_of_run(pdev, queue, done);
	/* Given up while it was behind another: now it is its turn to be aborted. */
	if (queue->count && queue->run[queue->first].job->failed)
		abort_queue(pdev, q);
	pbit_sched_kick(pdev);
out:
	spin_unlock_irqrestore(&pdev->lock, flags);
	if (lie)
		pbit_device_fault(pdev, PBIT_FAULT_BUS, lie);
}

void pbit_sched_drop(struct pbit_device *pdev, int status)
{
	u32 q;

	for (q = 0; q < pdev->n_queues; q++) {
		struct pbit_queue *queue = &pdev->queue[q];

		while (queue->count) {
			struct pbit_job *job = queue->run[queue->first].job;

			retire(pdev, queue);
			if (!job->failed) {
				job->failed = true;
				job->status = status;
				job->event.command = job->ended;
			}
			if (!job->in_flight)
				pbit_job_finish(job);
		}
		queue->first = 0;
		queue->aborting = false;
	}
}

void pbit_timer_arm(struct pbit_device *pdev, u64 at)
{
	const u64 now = ktime_get_ns();

	if (pdev->detached || (pdev->timer_at && pdev->timer_at <= at))
		return;
	pdev->timer_at = at;
	mod_delayed_work(pbit_wq, &pdev->timer,
			 at > now ? nsecs_to_jiffies(at - now) + 1 : 0);
}

static void watch_queue(struct pbit_device *pdev, u32 q, u64 now, const char **why, u64 *next)
{
	struct pbit_queue *queue = &pdev->queue[q];
	const u64 grace = (u64)NSEC_PER_MSEC * PBIT_GRACE_MS;
	u64 limit;

	if (!queue->count)
		return;
	if (queue->aborting) {
		limit = queue->abort_since + grace;
		if (now >= limit)
			*why = "does not abort";
	} else {
		limit = queue->head_since + (u64)NSEC_PER_MSEC * READ_ONCE(pbit_watchdog_ms) +
			grace;
		if (now >= limit) {
			pbit_job_stop(queue->run[queue->first].job, -ETIME);
			limit = now + grace;
		}
	}
	*next = min(*next, limit);
}

static void watch_deadlines(struct pbit_device *pdev, u64 now, u64 *next)
{
	struct pbit_context *ctx;
	struct pbit_job *job, *n;

	list_for_each_entry(ctx, &pdev->contexts, node) {
		list_for_each_entry_safe(job, n, &ctx->jobs, node) {
			if (!job->deadline || job->failed)
				continue;
			if (now >= job->deadline)
				pbit_job_stop(job, -ETIMEDOUT);
			else
				*next = min(*next, job->deadline);
		}
	}
}

void pbit_timer_fn(struct work_struct *work)
{
	struct pbit_device *pdev = container_of(to_delayed_work(work), struct pbit_device, timer);
	const char *why = NULL;
	u64 next = U64_MAX, now;
	unsigned long flags;
	u32 q;

	spin_lock_irqsave(&pdev->lock, flags);
	now = ktime_get_ns();
	pdev->timer_at = 0;
	for (q = 0; q < pdev->n_queues && !why; q++)
		watch_queue(pdev, q, now, &why, &next);
	watch_deadlines(pdev, now, &next);
	pbit_sched_kick(pdev);
	if (!why && next != U64_MAX)
		pbit_timer_arm(pdev, next);
	spin_unlock_irqrestore(&pdev->lock, flags);
	if (why)
		pbit_device_fault(pdev, PBIT_FAULT_CLOCK, why);
}
