// SPDX-License-Identifier: GPL-2.0-only
/* Jobs as a file sees them: submitted, waited for, cancelled, their events taken. */
#include <linux/capability.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "internal.h"
#include "trace.h"

static struct pbit_job *job_new(struct pbit_context *ctx, u32 n_commands)
{
	struct pbit_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return NULL;
	INIT_LIST_HEAD(&job->node);
	job->ctx = ctx;
	job->n_commands = n_commands;
	job->desc = kvcalloc(n_commands, sizeof(*job->desc), GFP_KERNEL_ACCOUNT);
	job->buffer = kvcalloc(n_commands, PBIT_REFS_PER_COMMAND * sizeof(*job->buffer),
			       GFP_KERNEL_ACCOUNT);
	if (job->desc && job->buffer)
		return job;
	pbit_job_free(job);
	return NULL;
}

void pbit_job_free(struct pbit_job *job)
{
	kvfree(job->desc);
	kvfree(job->buffer);
	kfree(job);
}

/* Of a job that was never queued. */
static void job_abandon(struct pbit_job *job)
{
	u32 i;

	for (i = 0; i < job->n_buffers; i++)
		pbit_buffer_put(job->buffer[i]);
	pbit_job_free(job);
}

static void job_queue(struct pbit_job *job)
{
	struct pbit_context *ctx = job->ctx;
	struct pbit_device *pdev = ctx->pdev;
	u32 i;

	for (i = 0; i < job->n_buffers; i++)
		pbit_buffer_sync(job->buffer[i], true);
	job->event.queued_ns = ktime_get_ns();
	spin_lock_irq(&pdev->lock);
	for (i = 0; i < job->n_buffers; i++)
		job->buffer[i]->busy++;
	pbit_context_get(ctx);
	if (list_empty(&ctx->jobs) && (s64)(pdev->virtual_now - ctx->virtual_time) > 0)
		ctx->virtual_time = pdev->virtual_now; /* idle time is not saved up */
	list_add_tail(&job->node, &ctx->jobs);
	trace_pbit_submit(pdev, job->event.job, job->n_commands, job->priority);
	if (job->deadline)
		pbit_timer_arm(pdev, job->deadline);
	pbit_sched_kick(pdev);
	spin_unlock_irq(&pdev->lock);
}

static int check_request(struct pbit_context *ctx, const struct pbit_ioc_submit *req,
			 struct pbit_why *why)
{
	if (req->flags)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED,
				   offsetof(struct pbit_ioc_submit, flags));
	if (req->reserved)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED,
				   offsetof(struct pbit_ioc_submit, reserved));
	if (!req->n_commands || req->n_commands > PBIT_MAX_COMMANDS)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RANGE,
				   offsetof(struct pbit_ioc_submit, n_commands));
	if (req->command_size < sizeof(struct pbit_cmd) || req->command_size > PAGE_SIZE)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_SIZE,
				   offsetof(struct pbit_ioc_submit, command_size));
	if (req->priority > PBIT_PRIORITY_HIGH)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RANGE,
				   offsetof(struct pbit_ioc_submit, priority));
	if (req->priority == PBIT_PRIORITY_HIGH && !capable(CAP_SYS_NICE))
		return pbit_refuse(why, -EPERM, PBIT_REASON_PRIVILEGE, 0);
	if (req->deadline_ns && req->deadline_ns <= ktime_get_ns())
		return pbit_refuse(why, -ETIMEDOUT, PBIT_REASON_DEADLINE, 0);
	return 0;
}

/*
 * Without gate and lock: a fault of the caller's memory may take as long as the caller likes.
 */
static int read_commands(const struct pbit_ioc_submit *req, struct pbit_cmd *cmd,
			 struct pbit_why *why)
{
	const u8 __user *from = u64_to_user_ptr(req->commands);
	u32 i;
	int rc;

	for (i = 0; i < req->n_commands; i++) {
		why->command = i;
		rc = copy_struct_from_user(&cmd[i], sizeof(*cmd),
					   from + (size_t)i * req->command_size,
					   req->command_size);
		if (rc == -E2BIG)
			return pbit_refuse(why, rc, PBIT_REASON_RESERVED, sizeof(*cmd));
		if (rc)
			return rc;
	}
	return 0;
}

static int validate_all(struct pbit_context *ctx, const struct pbit_cmd *cmd, struct pbit_job *job,
			struct pbit_why *why)
{
	u32 i;
	int rc = 0;

	for (i = 0; i < job->n_commands && !rc; i++)
		rc = pbit_validate(ctx, &cmd[i], job, i, why);
	return rc;
}

/* A place among the unfinished jobs and unread events, and a number. */
static int take_place(struct pbit_context *ctx, struct pbit_job *job, struct pbit_why *why)
{
	const u32 limit = READ_ONCE(pbit_max_jobs);
	int rc = 0;

	spin_lock_irq(&ctx->pdev->lock);
	if (ctx->n_jobs >= limit) {
		rc = pbit_refuse(why, -EAGAIN, PBIT_REASON_JOBS, limit);
	} else {
		ctx->n_jobs++;
		job->event.job = ctx->next_job++;
	}
	spin_unlock_irq(&ctx->pdev->lock);
	return rc;
}

static int submit(struct pbit_context *ctx, struct pbit_ioc_submit *req,
		  const struct pbit_cmd *cmd, struct pbit_why *why)
{
	struct pbit_job *job = job_new(ctx, req->n_commands);
	int rc;

	if (!job)
		return -ENOMEM;
	job->deadline = req->deadline_ns;
	job->priority = req->priority;
	job->event.user = req->user;
	mutex_lock(&ctx->lock);
	rc = validate_all(ctx, cmd, job, why);
	if (!rc)
		rc = take_place(ctx, job, why);
	if (!rc) {
		req->job = job->event.job;
		job_queue(job);
	}
	mutex_unlock(&ctx->lock);
	if (rc)
		job_abandon(job);
	return rc;
}

int pbit_job_submit(struct pbit_context *ctx, struct pbit_ioc_submit *req, struct pbit_why *why)
{
	struct pbit_cmd *cmd;
	int rc = check_request(ctx, req, why);

	if (rc)
		return rc;
	cmd = kvcalloc(req->n_commands, sizeof(*cmd), GFP_KERNEL_ACCOUNT);
	if (!cmd)
		return -ENOMEM;
	rc = read_commands(req, cmd, why);
	if (rc)
		goto free;
	if (down_read_interruptible(&ctx->pdev->gate)) {
		rc = -ERESTARTSYS;
		goto free;
	}
	rc = pbit_check_alive(ctx, why);
	if (!rc)
		rc = submit(ctx, req, cmd, why);
	up_read(&ctx->pdev->gate);
free:
	kvfree(cmd);
	return rc;
}

int pbit_job_clear(struct pbit_context *ctx, u64 address, u64 size, struct completion *done,
		   struct pbit_job **out)
{
	struct pbit_job *job = job_new(ctx, 1);

	if (!job)
		return -ENOMEM;
	job->internal = true;
	job->completion = done;
	job->priority = PBIT_PRIORITY_NORMAL;
	job->desc->op = cpu_to_le16(PBIT_OP_CLEAR);
	job->desc->flags = cpu_to_le16(PBIT_DESC_IRQ);
	job->desc->watchdog_us = cpu_to_le32(min(READ_ONCE(pbit_watchdog_ms), 4000000u) * 1000u);
	job->desc->copy.to = cpu_to_le64(address);
	job->desc->copy.size = cpu_to_le64(size);
	*out = job;
	job_queue(job);
	return 0;
}

static struct pbit_job *find_job(struct list_head *list, u64 id)
{
	struct pbit_job *job;

	list_for_each_entry(job, list, node)
		if (!job->internal && job->event.job == id)
			return job;
	return NULL;
}

int pbit_job_cancel(struct pbit_context *ctx, u64 id, struct pbit_why *why)
{
	struct pbit_device *pdev = ctx->pdev;
	struct pbit_job *job, *next;
	int rc = 0;

	spin_lock_irq(&pdev->lock);
	if (!id) {
		list_for_each_entry_safe(job, next, &ctx->jobs, node)
			if (!job->internal)
				pbit_job_stop(job, -ECANCELED);
	} else {
		job = find_job(&ctx->jobs, id);
		if (job)
			pbit_job_stop(job, -ECANCELED);
		else if (!find_job(&ctx->done, id))
			rc = pbit_refuse(why, -ENOENT, PBIT_REASON_JOB, 0);
	}
	pbit_sched_kick(pdev);
	spin_unlock_irq(&pdev->lock);
	return rc;
}

struct pbit_job *pbit_job_take(struct pbit_context *ctx)
{
	struct pbit_job *job = list_first_entry_or_null(&ctx->done, struct pbit_job, node);

	if (job) {
		list_del(&job->node);
		ctx->n_jobs--;
	}
	return job;
}

enum found { FOUND_NONE, FOUND_UNFINISHED, FOUND_DONE };

/* Takes the job where it has ended. */
static enum found take_done(struct pbit_context *ctx, u64 id, struct pbit_job **out)
{
	enum found found = FOUND_NONE;
	struct pbit_job *job;

	spin_lock_irq(&ctx->pdev->lock);
	job = find_job(&ctx->done, id);
	if (job) {
		list_del(&job->node);
		ctx->n_jobs--;
		*out = job;
		found = FOUND_DONE;
	} else if (find_job(&ctx->jobs, id)) {
		found = FOUND_UNFINISHED;
	}
	spin_unlock_irq(&ctx->pdev->lock);
	return found;
}

static int wait_for_it(struct pbit_context *ctx, const struct pbit_ioc_wait *req,
		       enum found *found, struct pbit_job **job)
{
	s64 left;

	if (req->deadline_ns == U64_MAX)
		return wait_event_interruptible(ctx->wait,
						(*found = take_done(ctx, req->job, job)) !=
							FOUND_UNFINISHED);
	left = (s64)(min_t(u64, req->deadline_ns, S64_MAX) - ktime_get_ns());
	if (left <= 0)
		return -ETIME;
	return wait_event_interruptible_hrtimeout(ctx->wait,
						  (*found = take_done(ctx, req->job, job)) !=
							  FOUND_UNFINISHED,
						  ns_to_ktime(left));
}

int pbit_job_wait(struct pbit_context *ctx, struct pbit_ioc_wait *req, struct pbit_why *why)
{
	struct pbit_job *job = NULL;
	enum found found;
	int rc = 0;

	if (req->flags)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED,
				   offsetof(struct pbit_ioc_wait, flags));
	if (req->reserved)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED,
				   offsetof(struct pbit_ioc_wait, reserved));
	found = take_done(ctx, req->job, &job);
	if (found == FOUND_UNFINISHED)
		rc = wait_for_it(ctx, req, &found, &job);
	if (found == FOUND_NONE)
		return pbit_refuse(why, -ENOENT, PBIT_REASON_JOB, 0);
	if (found == FOUND_DONE) {
		req->event = job->event;
		pbit_job_free(job);
		return 0;
	}
	if (rc == -ETIME)
		return pbit_refuse(why, -ETIMEDOUT, PBIT_REASON_DEADLINE, 0);
	return rc;
}
