// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device: open, requests, events, mappings. Every entry point passes the gate, so
 * that removal and reset find nobody inside.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "internal.h"

static int pbit_open(struct inode *inode, struct file *file)
{
	struct pbit_device *pdev = container_of(inode->i_cdev, struct pbit_device, cdev);
	struct pbit_context *ctx;
	int rc = 0;

	if (down_read_interruptible(&pdev->gate))
		return -ERESTARTSYS;
	if (pdev->detached) {
		rc = -ENODEV;
		goto up;
	}
	ctx = pbit_context_new(pdev);
	if (!ctx) {
		rc = -ENOMEM;
		goto up;
	}
	file->private_data = ctx;
	rc = stream_open(inode, file);
up:
	up_read(&pdev->gate);
	return rc;
}

static int pbit_release(struct inode *inode, struct file *file)
{
	pbit_context_close(file->private_data);
	return 0;
}

static bool has_events(struct pbit_context *ctx)
{
	return !list_empty_careful(&ctx->done);
}

static struct pbit_job *next_event(struct pbit_context *ctx)
{
	struct pbit_job *job;

	spin_lock_irq(&ctx->pdev->lock);
	job = pbit_job_take(ctx);
	spin_unlock_irq(&ctx->pdev->lock);
	return job;
}

/* Puts back what could not be handed over. */
static void untake(struct pbit_context *ctx, struct pbit_job *job)
{
	spin_lock_irq(&ctx->pdev->lock);
	list_add(&job->node, &ctx->done);
	ctx->n_jobs++;
	spin_unlock_irq(&ctx->pdev->lock);
}

static ssize_t pbit_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	struct pbit_context *ctx = file->private_data;
	size_t done = 0;
	int rc;

	if (size < sizeof(struct pbit_event))
		return -EINVAL;
	while (size - done >= sizeof(struct pbit_event)) {
		struct pbit_job *job = next_event(ctx);

		if (job) {
			if (copy_to_user(to + done, &job->event, sizeof(job->event))) {
				untake(ctx, job);
				return done ? done : -EFAULT;
			}
			pbit_job_free(job);
			done += sizeof(struct pbit_event);
			continue;
		}
		if (done)
			break;
		/* What ended before the device went can still be read. */
		if (pbit_context_dead(ctx))
			return -ENODEV;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		rc = wait_event_interruptible(ctx->wait,
					      has_events(ctx) || pbit_context_dead(ctx));
		if (rc)
			return rc;
	}
	return done;
}

static __poll_t pbit_poll(struct file *file, poll_table *table)
{
	struct pbit_context *ctx = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &ctx->wait, table);
	if (has_events(ctx))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (pbit_context_dead(ctx))
		mask |= EPOLLHUP | EPOLLERR;
	return mask;
}

static int pbit_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct pbit_context *ctx = file->private_data;
	struct pbit_buffer *buffer;
	/* map_offset of a buffer is its handle times 4 GiB. */
	const u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	int rc;

	/* What the device writes would not be seen in a private copy. */
	if ((u32)offset || offset >> 32 > U16_MAX || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (pbit_context_dead(ctx))
		return -ENODEV;
	/* Under mmap_lock, which a fault takes inside of gate and ctx->lock: neither of them here. */
	rcu_read_lock();
	buffer = pbit_buffer_find(ctx, (u32)(offset >> 32));
	if (buffer && !kref_get_unless_zero(&buffer->refs))
		buffer = NULL;
	rcu_read_unlock();
	if (!buffer)
		return -ENOENT;
	rc = pbit_buffer_mmap(buffer, vma);
	pbit_buffer_put(buffer);
	return rc;
}

union request {
	__u32 size;
	struct pbit_ioc_info info;
	struct pbit_ioc_buffer_create create;
	struct pbit_ioc_buffer_destroy destroy;
	struct pbit_ioc_submit submit;
	struct pbit_ioc_wait wait;
	struct pbit_ioc_cancel cancel;
	struct pbit_ioc_reset reset;
};

static int do_info(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	struct pbit_device *pdev = ctx->pdev;
	struct pbit_ioc_info *info = &r->info;
	const u32 room = info->rom_size;
	const u64 rom = info->rom;

	if (info->flags)
		return -EINVAL;
	/* Nothing here goes with the device, and the caller's memory may fault for long: no gate. */
	if (pbit_context_dead(ctx))
		return pbit_refuse(why, -ENODEV, PBIT_REASON_DETACHED, 0);
	if (rom && copy_to_user(u64_to_user_ptr(rom), &pdev->rom,
				min_t(size_t, room, sizeof(pdev->rom))))
		return -EFAULT;
	info->uapi_major = PBIT_UAPI_MAJOR;
	info->uapi_level = PBIT_UAPI_LEVEL;
	info->generation = READ_ONCE(pdev->generation);
	info->rom_size = sizeof(pdev->rom);
	info->bus = pdev->bus;
	info->device_memory = gen_pool_size(pdev->memory);
	info->device_memory_free = gen_pool_avail(pdev->memory);
	info->pinned_limit = pbit_pinned_limit();
	info->pinned = READ_ONCE(ctx->pinned);
	info->max_jobs = READ_ONCE(pbit_max_jobs);
	info->max_commands = PBIT_MAX_COMMANDS;
	info->max_work = pbit_max_work(pdev);
	info->max_host_buffer = pbit_max_host_buffer();
	memset(info->name, 0, sizeof(info->name));
	strscpy(info->name, dev_name(&pdev->dev), sizeof(info->name));
	return 0;
}

static void drop_handle(struct pbit_context *ctx, u32 handle)
{
	struct pbit_why ignored = {};

	mutex_lock(&ctx->lock);
	pbit_buffer_destroy(ctx, handle, &ignored);
	mutex_unlock(&ctx->lock);
}

/* Called with the gate held, which it gives up while the device clears its memory. */
static int do_create(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	DECLARE_COMPLETION_ONSTACK(cleared);
	struct pbit_ioc_buffer_create *create = &r->create;
	struct pbit_buffer *buffer;
	struct pbit_job *job = NULL;
	int rc;

	mutex_lock(&ctx->lock);
	rc = pbit_buffer_create(ctx, create->place, create->bytes, why, &buffer);
	if (!rc) {
		create->handle = buffer->handle;
		create->map_offset = create->place == PBIT_BUFFER_HOST ?
					     (u64)buffer->handle << 32 : 0;
		/* Nobody sees what another left behind. */
		if (create->place == PBIT_BUFFER_DEVICE)
			rc = pbit_job_clear(ctx, buffer->card, buffer->size, &cleared, &job);
	}
	mutex_unlock(&ctx->lock);
	if (rc || !job) {
		if (rc && create->handle)
			drop_handle(ctx, create->handle);
		return rc;
	}
	up_read(&ctx->pdev->gate);
	wait_for_completion(&cleared);
	rc = job->status;
	pbit_job_free(job);
	down_read(&ctx->pdev->gate);
	if (rc) {
		drop_handle(ctx, create->handle);
		create->handle = 0;
		rc = pbit_context_dead(ctx) ? -ENODEV : -EIO;
	}
	return rc;
}

static int do_destroy(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	int rc;

	if (r->destroy.reserved)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED, 0);
	mutex_lock(&ctx->lock);
	rc = pbit_buffer_destroy(ctx, r->destroy.handle, why);
	mutex_unlock(&ctx->lock);
	return rc;
}

static int do_submit(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	return pbit_job_submit(ctx, &r->submit, why);
}

static int do_wait(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	return pbit_job_wait(ctx, &r->wait, why);
}

static int do_cancel(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	if (r->cancel.flags || r->cancel.reserved)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED, 0);
	return pbit_job_cancel(ctx, r->cancel.job, why);
}

static int do_reset(struct pbit_context *ctx, union request *r, struct pbit_why *why)
{
	int rc;

	if (r->reset.flags || r->reset.reserved)
		return pbit_refuse(why, -EINVAL, PBIT_REASON_RESERVED, 0);
	if (!capable(CAP_SYS_ADMIN))
		return pbit_refuse(why, -EPERM, PBIT_REASON_PRIVILEGE, 0);
	rc = pbit_device_reset(ctx->pdev, ctx);
	return rc == -ENODEV ? pbit_refuse(why, rc, PBIT_REASON_RESET, 0) : rc;
}

/* Where a request puts why it failed; 0: it has no such field. */
struct request_kind {
	int (*fn)(struct pbit_context *ctx, union request *r, struct pbit_why *why);
	u32 size, first_size;
	u16 reason, reason_arg, reason_command;
	bool needs_device;
	bool takes_gate;	/* itself, for writing or not at all */
};

#define KIND(_fn, _member, _reason, ...)                                             \
	{                                                                            \
		.fn = _fn, .size = sizeof(((union request *)NULL)->_member),         \
		.first_size = sizeof(((union request *)NULL)->_member),              \
		.reason = _reason, __VA_ARGS__                                       \
	}

static const struct request_kind kinds[] = {
	KIND(do_info, info, 0, .takes_gate = true),
	KIND(do_create, create, offsetof(struct pbit_ioc_buffer_create, reason),
	     .reason_arg = offsetof(struct pbit_ioc_buffer_create, reason_arg),
	     .needs_device = true),
	KIND(do_destroy, destroy, offsetof(struct pbit_ioc_buffer_destroy, reason),
	     .needs_device = true),
	KIND(do_submit, submit, offsetof(struct pbit_ioc_submit, reason),
	     .reason_arg = offsetof(struct pbit_ioc_submit, reason_arg),
	     .reason_command = offsetof(struct pbit_ioc_submit, reason_command),
	     .takes_gate = true),
	/* An event that is there is given, also of a device that is not. */
	KIND(do_wait, wait, offsetof(struct pbit_ioc_wait, reason), .takes_gate = true),
	KIND(do_cancel, cancel, offsetof(struct pbit_ioc_cancel, reason), .needs_device = true),
	KIND(do_reset, reset, offsetof(struct pbit_ioc_reset, reason), .takes_gate = true),
};

static void put_why(const struct request_kind *kind, union request *r, const struct pbit_why *why)
{
	u8 *bytes = (u8 *)r;

	if (kind->reason)
		*(__u32 *)(bytes + kind->reason) = why->reason;
	if (kind->reason_arg)
		*(__u64 *)(bytes + kind->reason_arg) = why->arg;
	if (kind->reason_command)
		*(__u32 *)(bytes + kind->reason_command) = why->command;
}

static int gated(struct pbit_context *ctx, const struct request_kind *kind, union request *r,
		 struct pbit_why *why)
{
	int rc;

	if (kind->takes_gate)
		return kind->fn(ctx, r, why);
	if (down_read_interruptible(&ctx->pdev->gate))
		return -ERESTARTSYS;
	rc = kind->needs_device ? pbit_check_alive(ctx, why) : 0;
	if (!rc)
		rc = kind->fn(ctx, r, why);
	up_read(&ctx->pdev->gate);
	return rc;
}

static long pbit_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pbit_context *ctx = file->private_data;
	void __user *user = (void __user *)arg;
	const struct request_kind *kind;
	struct pbit_why why = {};
	union request r = {};
	u32 size;
	int rc;

	/* The size in the number is the caller's sizeof, which may be another version's. */
	if (_IOC_TYPE(cmd) != PBIT_IOC_MAGIC || _IOC_NR(cmd) >= ARRAY_SIZE(kinds) ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	kind = &kinds[_IOC_NR(cmd)];
	if (get_user(size, (__u32 __user *)user))
		return -EFAULT;
	if (size < kind->first_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	rc = copy_struct_from_user(&r, kind->size, user, size);
	if (rc)
		return rc;
	r.size = size;
	/* An answer that cannot be given is found out before anything is done: no event, no handle is lost. */
	if (copy_to_user(user, &r, min_t(u32, size, kind->size)))
		return -EFAULT;
	rc = gated(ctx, kind, &r, &why);
	if (rc == -ERESTARTSYS)
		return rc;
	put_why(kind, &r, &why);
	if (copy_to_user(user, &r, min_t(u32, size, kind->size)))
		return rc ? rc : -EFAULT;
	return rc;
}

const struct file_operations pbit_fops = {
	.owner = THIS_MODULE,
	.open = pbit_open,
	.release = pbit_release,
	.read = pbit_read,
	.poll = pbit_poll,
	.mmap = pbit_mmap,
	.unlocked_ioctl = pbit_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
