// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue of a sim device: a thread that does what a card's engine does, with the faults that the
 * knobs ask for. Host memory is reached through its kernel mapping (pbit_sim_pointer()).
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "sim.h"

static bool aborted(const struct pbit_sim_queue *q)
{
	return (s32)(READ_ONCE(q->abort_to) - READ_ONCE(q->head)) > 0;
}

/* 0, or how the running descriptor has to end. */
static int must_end(struct pbit_sim_queue *q)
{
	if (READ_ONCE(q->quiet) || kthread_should_stop())
		return PBIT_DONE_ABORTED;
	if (READ_ONCE(q->sim->knobs->stall) >= PBIT_SIM_STALL_ABORT)
		return PBIT_DONE_OK;
	if (aborted(q))
		return PBIT_DONE_ABORTED;
	if (q->watchdog_ns && ktime_get_ns() - q->started_ns >= q->watchdog_ns)
		return PBIT_DONE_WATCHDOG;
	return PBIT_DONE_OK;
}

static int poll(void *user, u32 progress)
{
	struct pbit_sim_queue *q = user;

	WRITE_ONCE(q->progress, progress);
	cond_resched();
	return must_end(q);
}

static void *at(void *user, u64 address, u64 size, bool write)
{
	const struct pbit_sim_queue *q = user;
	const u64 offset = address & ~PBIT_CARD_LOCAL;

	/* The core has checked that the host's lies in a buffer of the command's file. */
	if (!(address & PBIT_CARD_LOCAL))
		return address ? pbit_sim_pointer(address) : NULL;
	if (offset > q->sim->memory_size || size > q->sim->memory_size - offset)
		return NULL;
	return q->sim->memory + offset;
}

/* Does nothing for so long, unless the descriptor has to end. */
static int idle(struct pbit_sim_queue *q, u64 ns)
{
	const u64 since = ktime_get_ns();
	u64 left = ns;
	int status;

	for (;;) {
		status = must_end(q);
		if (status || ktime_get_ns() - since >= ns)
			return status;
		left = ns - (ktime_get_ns() - since);
		/* The watchdog is looked at now and then. */
		wait_event_hrtimeout(q->wake, must_end(q),
				     ns_to_ktime(min_t(u64, left, 10 * NSEC_PER_MSEC)));
	}
}

static int stall(struct pbit_sim_queue *q)
{
	int status = 0;

	while (!status && READ_ONCE(q->sim->knobs->stall))
		status = idle(q, 10 * NSEC_PER_MSEC);
	return status;
}

/* The key of the draws is as good as noise if nobody knows it. */
static void forget_seed(struct pbit_card_desc *desc)
{
	const u64 noise = get_random_u64();

	if (desc->op == cpu_to_le16(PBIT_OP_LAYER))
		desc->layer.seed = cpu_to_le64(noise);
	else if (desc->op == cpu_to_le16(PBIT_OP_SWEEP))
		desc->sweep.seed = cpu_to_le64(noise);
}

/* Is it the turn of this descriptor to go wrong? */
static bool every(u32 n, atomic_t *count)
{
	return n && (u32)atomic_inc_return(count) % n == 0;
}

static void work(struct pbit_sim_queue *q, struct pbit_card_desc *desc,
		 struct pbit_engine_result *out)
{
	const struct pbit_sim_knobs *knobs = q->sim->knobs;
	const struct pbit_engine_card card = {
		.rom = &q->sim->rom,
		.at = at,
		.poll = poll,
		.user = q,
		.scratch = q->scratch,
	};

	*out = (struct pbit_engine_result){};
	out->status = (u32)idle(q, (u64)READ_ONCE(knobs->latency_us) * NSEC_PER_USEC);
	if (!out->status)
		out->status = (u32)stall(q);
	if (!out->status && every(READ_ONCE(knobs->error_every), &q->sim->errors))
		out->status = READ_ONCE(knobs->error_status);
	if (out->status)
		return;
	if (q->sim->physical)
		forget_seed(desc);
	pbit_engine_run(&card, desc, out);
	if (!out->status && out->output && every(READ_ONCE(knobs->bit_error), &q->sim->flips))
		out->output[0] ^= 1;
}

/* As the ROM states it. */
static u64 energy_pj(const struct pbit_card_rom *rom, const struct pbit_engine_result *out)
{
	const u64 aj = out->updates * le32_to_cpu(rom->update_aj) +
		       out->macs * le32_to_cpu(rom->mac_aj) +
		       8 * out->bytes * le32_to_cpu(rom->transfer_aj);

	return div_u64(aj, 1000000);
}

/* Runs a descriptor; false: it was dropped by a reset. */
static bool run_one(struct pbit_sim_queue *q, struct pbit_card_desc *desc,
		    struct pbit_card_done *done)
{
	const u64 late_ns = (u64)READ_ONCE(q->sim->knobs->late_us) * NSEC_PER_USEC;
	struct pbit_engine_result out = { .status = PBIT_DONE_ABORTED };
	u64 cycles = 0, pj;

	q->started_ns = ktime_get_ns();
	q->watchdog_ns = (u64)le32_to_cpu(desc->watchdog_us) * NSEC_PER_USEC;
	WRITE_ONCE(q->progress, 0);
	/* Cycles of 0 say that it had not begun. */
	if (!must_end(q)) {
		work(q, desc, &out);
		cycles = max(ktime_get_ns() - q->started_ns, 1ull);
	}
	q->watchdog_ns = 0;
	if (late_ns)
		idle(q, late_ns);
	pj = energy_pj(&q->sim->rom, &out);
	atomic64_add((s64)pj, &q->sim->energy_pj);
	atomic64_add((s64)out.updates, &q->sim->updates);
	*done = (struct pbit_card_done){
		.cookie = desc->cookie,
		.status = cpu_to_le16((u16)out.status),
		.progress = cpu_to_le32(out.progress),
		.cycles = cpu_to_le64(cycles),
		.energy_pj = cpu_to_le64(pj),
	};
	return !READ_ONCE(q->quiet);
}

static void tell(struct pbit_sim_queue *q, struct pbit_card_done *done)
{
	const u32 lie = xchg(&q->sim->owner->knobs.bad_done, PBIT_SIM_LIE_NONE);

	if (lie == PBIT_SIM_LIE_COOKIE)
		done->cookie ^= cpu_to_le32(0x80000000u);
	if (lie == PBIT_SIM_LIE_STATUS)
		done->status = cpu_to_le16(PBIT_DONE_RANDOM + 1);
	pbit_device_done(q->sim->pdev, q->index, done);
	if (lie == PBIT_SIM_LIE_TWICE)
		pbit_device_done(q->sim->pdev, q->index, done);
}

static bool take(struct pbit_sim_queue *q, struct pbit_card_desc *desc)
{
	bool got;

	spin_lock_irq(&q->lock);
	got = !q->quiet && q->head != q->tail;
	if (got) {
		*desc = q->ring[q->head % PBIT_SIM_RING];
		q->running = true;
	}
	spin_unlock_irq(&q->lock);
	return got;
}

/* The descriptor leaves the ring before its end is told, so that the core may start the next. */
static void leave(struct pbit_sim_queue *q)
{
	spin_lock_irq(&q->lock);
	if (!q->quiet)
		WRITE_ONCE(q->head, q->head + 1);
	spin_unlock_irq(&q->lock);
}

static void rest(struct pbit_sim_queue *q)
{
	spin_lock_irq(&q->lock);
	q->running = false;
	spin_unlock_irq(&q->lock);
	wake_up_all(&q->wake);
}

static bool has_work(struct pbit_sim_queue *q)
{
	return kthread_should_stop() || (!READ_ONCE(q->quiet) &&
					 READ_ONCE(q->head) != READ_ONCE(q->tail));
}

static int thread_fn(void *data)
{
	struct pbit_sim_queue *q = data;
	struct pbit_card_desc desc;
	struct pbit_card_done done;

	while (!kthread_should_stop()) {
		wait_event_idle(q->wake, has_work(q));
		if (!take(q, &desc))
			continue;
		if (run_one(q, &desc, &done)) {
			leave(q);
			tell(q, &done);
		}
		rest(q);
	}
	return 0;
}

int pbit_sim_queue_push(struct pbit_sim_queue *q, const struct pbit_card_desc *desc)
{
	unsigned long flags;
	int rc = -EAGAIN;

	spin_lock_irqsave(&q->lock, flags);
	if (q->tail - q->head < PBIT_SIM_RING) {
		q->ring[q->tail % PBIT_SIM_RING] = *desc;
		WRITE_ONCE(q->tail, q->tail + 1);
		rc = 0;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	wake_up_all(&q->wake);
	return rc;
}

void pbit_sim_queue_abort(struct pbit_sim_queue *q)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	WRITE_ONCE(q->abort_to, q->tail);
	spin_unlock_irqrestore(&q->lock, flags);
	wake_up_all(&q->wake);
}

void pbit_sim_queue_quiet(struct pbit_sim_queue *q)
{
	spin_lock_irq(&q->lock);
	WRITE_ONCE(q->quiet, true);
	spin_unlock_irq(&q->lock);
	wake_up_all(&q->wake);
	wait_event(q->wake, !READ_ONCE(q->running));
}

void pbit_sim_queue_open(struct pbit_sim_queue *q)
{
	spin_lock_irq(&q->lock);
	q->tail = 0;
	q->head = 0;
	q->abort_to = 0;
	WRITE_ONCE(q->quiet, false);
	spin_unlock_irq(&q->lock);
}

int pbit_sim_queue_start(struct pbit_sim_device *sim, u32 index)
{
	struct pbit_sim_queue *q = &sim->queue[index];
	struct task_struct *thread;
	u64 scratch;

	q->sim = sim;
	q->index = index;
	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->wake);
	scratch = pbit_engine_scratch_bytes(le32_to_cpu(sim->rom.max_pbits));
	q->scratch = vzalloc((unsigned long)scratch);
	if (!q->scratch)
		return -ENOMEM;
	thread = kthread_run(thread_fn, q, "pbit-%.7s/%u",
			     config_item_name(&sim->owner->group.cg_item), index);
	if (IS_ERR(thread)) {
		vfree(q->scratch);
		return PTR_ERR(thread);
	}
	/* Work for a device that is not there is nobody's first concern. */
	set_user_nice(thread, 5);
	q->thread = thread;
	return 0;
}

void pbit_sim_queue_stop(struct pbit_sim_queue *q)
{
	if (!q->thread)
		return;
	kthread_stop(q->thread);
	vfree(q->scratch);
	q->thread = NULL;
}
