/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the core. */
#ifndef PBIT_CORE_INTERNAL_H
#define PBIT_CORE_INTERNAL_H

#include "pbit.h"

/* Descriptors on one hardware queue: enough to hide its latency, few enough to be fair. */
#define PBIT_DEPTH		4u
#define PBIT_MAX_COMMANDS	256u
#define PBIT_REFS_PER_COMMAND	8u
/*
 * A device that did not keep to a descriptor's watchdog gets this long, then as long again to
 * abort.
 */
#define PBIT_GRACE_MS		500u

struct pbit_context;
struct pbit_job;

struct pbit_queue {
	struct pbit_run {
		struct pbit_job *job;
		u32 index;	/* of the command */
		u32 cookie;
	} run[PBIT_DEPTH];	/* in flight, in order: first, first + 1 ... */
	u32 first, count;
	u64 head_since;		/* ns: the first is the running one since */
	bool aborting;		/* until it is empty nothing is started */
	u64 abort_since;
};

struct pbit_device {
	struct device dev;
	struct cdev cdev;
	struct device *parent;	/* DMA is mapped for it */
	enum pbit_bus bus;
	struct pbit_card_rom rom;
	const struct pbit_hw_ops *ops;
	void *priv;
	int index;
	u32 n_queues;
	bool registered;

	struct rw_semaphore gate;
	bool detached;		/* under gate */
	bool hw_gone;

	spinlock_t lock;	/* all below */
	u64 generation;
	bool stopped;		/* nothing is started: detached, being reset, paused */
	bool paused;
	u32 next_cookie;
	u64 virtual_now;	/* of the context that was served last */
	u32 round;		/* of the walk over contexts under way */
	struct list_head contexts;
	struct pbit_queue queue[PBIT_CARD_MAX_QUEUES];
	wait_queue_head_t idle;	/* a queue became empty */
	u64 jobs_ended, jobs_failed, resets;
	u64 cycles;

	struct gen_pool *memory;
	atomic64_t pinned;
	struct delayed_work timer;	/* watchdogs and deadlines */
	u64 timer_at;			/* ns; 0: not armed */
	struct work_struct fault_work;
	u32 fault;
	char fault_why[64];
	struct device *hwmon;
	struct dentry *debugfs;
};

struct pbit_buffer {
	struct kref refs;	/* the handle, and each use by an unfinished job */
	struct list_head node;	/* ctx->memory */
	struct pbit_context *ctx;
	u32 handle;
	u32 place;
	u64 size;
	u32 busy;		/* uses by unfinished jobs; under pdev->lock */
	/* Host. */
	void *pages;
	dma_addr_t dma;
	bool mapped;
	/* Device. */
	u64 card;		/* offset in the card's memory, plus PBIT_CARD_LOCAL */
	bool held;		/* of the pool */
	struct work_struct free_work;
	struct rcu_head rcu;	/* mmap finds it without a lock */
};

struct pbit_context {
	struct kref refs;	/* the file, each unfinished job and each buffer */
	struct pbit_device *pdev;
	struct list_head node;	/* pdev->contexts */
	u64 generation;
	u32 round;
	bool closed;
	pid_t pid;
	char comm[TASK_COMM_LEN];

	struct mutex lock;	/* buffers */
	struct idr buffers;	/* by handle */
	struct list_head memory;	/* all that are not freed yet */
	u64 pinned;

	/* Under pdev->lock. */
	struct list_head jobs;	/* unfinished, in order */
	struct list_head done;	/* finished, their events not read */
	u32 n_jobs;		/* in both */
	u64 next_job;
	u64 virtual_time;
	int queue;		/* that its descriptors in flight are on, -1: none */
	u32 in_flight;
	u64 cycles;
	wait_queue_head_t wait;
	struct work_struct free_work;
};

struct pbit_job {
	struct list_head node;	/* ctx->jobs or ctx->done */
	struct pbit_context *ctx;
	u64 deadline;
	u32 priority;
	u32 n_commands;
	u32 started, ended, in_flight;
	int status;		/* of the job so far: the first failure */
	bool failed;		/* starts no more commands */
	bool internal;		/* ends without an event */
	struct completion *completion; /* internal */
	struct pbit_card_desc *desc;
	struct pbit_buffer **buffer;
	u32 n_buffers;
	struct pbit_event event;
};

/* Why a request failed, on its way to the caller. */
struct pbit_why {
	u32 reason;
	u32 command;
	u64 arg;
};

static inline int pbit_refuse(struct pbit_why *why, int code, u32 reason, u64 arg)
{
	why->reason = reason;
	why->arg = arg;
	return code;
}

extern unsigned int pbit_max_jobs;
extern unsigned int pbit_pinned_mb;
extern unsigned int pbit_watchdog_ms;
extern struct workqueue_struct *pbit_wq;
extern struct class pbit_class;
extern const struct file_operations pbit_fops;
extern const struct attribute_group *pbit_groups[];

int pbit_chrdev_init(void);
void pbit_chrdev_exit(void);
dev_t pbit_devt(int index);

/* device.c */
u64 pbit_max_work(const struct pbit_device *pdev);
/* -ENODEV where the file is older than the device. Takes the gate. */
int pbit_device_reset(struct pbit_device *pdev, struct pbit_context *ctx);
/* Under the gate (read): 0, -ENODEV with the reason. */
int pbit_check_alive(struct pbit_context *ctx, struct pbit_why *why);

/* context.c */
struct pbit_context *pbit_context_new(struct pbit_device *pdev);
void pbit_context_close(struct pbit_context *ctx);
void pbit_context_put(struct pbit_context *ctx);
/* Any context: the last reference may go under a spinlock. */
static inline struct pbit_context *pbit_context_get(struct pbit_context *ctx)
{
	kref_get(&ctx->refs);
	return ctx;
}

/* buffer.c; ctx->lock held but for put, sync and detach. */
int pbit_buffer_create(struct pbit_context *ctx, u32 place, u64 size, struct pbit_why *why,
		       struct pbit_buffer **out);
int pbit_buffer_destroy(struct pbit_context *ctx, u32 handle, struct pbit_why *why);
struct pbit_buffer *pbit_buffer_find(struct pbit_context *ctx, u32 handle);
int pbit_buffer_mmap(struct pbit_buffer *buffer, struct vm_area_struct *vma);
void pbit_buffer_put(struct pbit_buffer *buffer);
u64 pbit_buffer_address(const struct pbit_buffer *buffer);
void pbit_buffer_sync(struct pbit_buffer *buffer, bool for_device);
/*
 * The device goes, or forgets: unmaps host buffers, gives up device memory. The gate is held for
 * writing.
 */
void pbit_buffers_detach(struct pbit_context *ctx, bool host_too);
u64 pbit_max_host_buffer(void);
u64 pbit_pinned_limit(void);

/* validate.c: fills job->desc[i] and job->buffer from a user's command. ctx->lock held. */
int pbit_validate(struct pbit_context *ctx, const struct pbit_cmd *cmd, struct pbit_job *job,
		  u32 index, struct pbit_why *why);

/* job.c */
/* Takes the gate itself, once the commands are copied. */
int pbit_job_submit(struct pbit_context *ctx, struct pbit_ioc_submit *req, struct pbit_why *why);
/*
 * Queues the clearing of device memory; the caller then waits for and frees *job, without the
 * gate. ctx->lock held, so that no command of this file gets in before it.
 */
int pbit_job_clear(struct pbit_context *ctx, u64 address, u64 size, struct completion *done,
		   struct pbit_job **job);
/* job 0: all. */
int pbit_job_cancel(struct pbit_context *ctx, u64 id, struct pbit_why *why);
int pbit_job_wait(struct pbit_context *ctx, struct pbit_ioc_wait *req, struct pbit_why *why);
void pbit_job_free(struct pbit_job *job);
/* Takes the oldest event; NULL where there is none. The caller frees the job. pdev->lock held. */
struct pbit_job *pbit_job_take(struct pbit_context *ctx);
bool pbit_context_dead(struct pbit_context *ctx);

/* sched.c; pdev->lock held. */
void pbit_sched_kick(struct pbit_device *pdev);
/* Ends a job as far as it can be: what is in flight ends later, or is aborted. */
void pbit_job_stop(struct pbit_job *job, int status);
void pbit_job_finish(struct pbit_job *job);
/* After a reset: what was in flight will not be told. */
void pbit_sched_drop(struct pbit_device *pdev, int status);
void pbit_timer_fn(struct work_struct *work);
void pbit_timer_arm(struct pbit_device *pdev, u64 at_ns);

/* hwmon.c, debugfs.c */
int pbit_hwmon_add(struct pbit_device *pdev);
void pbit_hwmon_remove(struct pbit_device *pdev);
void pbit_debugfs_init(void);
void pbit_debugfs_exit(void);
void pbit_debugfs_add(struct pbit_device *pdev);
void pbit_debugfs_remove(struct pbit_device *pdev);

#endif
