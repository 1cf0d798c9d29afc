// SPDX-License-Identifier: Apache-2.0
/*
 * A queue: its thread takes descriptors from the host's ring, has them worked on, and tells how they
 * ended: data first, then the completion, then the interrupt.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "card.h"
#include "guard.h"

#define NAP_NS 5000000ull

struct turn {
	struct card_queue *q;
	struct pbit_card_desc desc;
	struct pbit_card_done done;
	u64 from, to; /* addresses in the rings */
	bool ok;
};

void vcard_queue_nap(struct card_queue *q, u64 until_ns)
{
	const u64 latest = now_ns() + NAP_NS, end = until_ns < latest ? until_ns : latest;
	const struct timespec until = {
		.tv_sec = (time_t)(end / 1000000000),
		.tv_nsec = (long)(end % 1000000000),
	};

	pthread_mutex_lock(&q->card->lock);
	pthread_cond_timedwait(&q->wake, &q->card->lock, &until);
	pthread_mutex_unlock(&q->card->lock);
}

bool vcard_queue_busy(const struct card_queue *q)
{
	return q->running || (q->enabled && q->head != q->tail);
}

static void rings_to_zero(struct card_queue *q)
{
	q->tail = 0;
	q->head = 0;
	q->cq_tail = 0;
	q->cq_head = 0;
	q->aborting = false;
	q->untold = 0;
	q->due_ns = 0;
	atomic_store(&q->abort, false);
	atomic_store(&q->progress, 0);
}

void vcard_queue_clear(struct card_queue *q)
{
	rings_to_zero(q);
	q->enabled = false;
	q->halted = false;
	q->sq_base = 0;
	q->cq_base = 0;
	q->log2 = 1;
	q->coalesce = 0;
	atomic_store(&q->drop, false);
}

void vcard_queue_enable(struct card_queue *q, bool on)
{
	/* What was dropped has to be gone before the queue can start anew. */
	if (on == q->enabled || (on && q->running))
		return;
	rings_to_zero(q);
	q->enabled = on;
	if (q->running)
		atomic_store(&q->drop, true);
	pthread_cond_broadcast(&q->wake);
}

void vcard_queue_abort(struct card_queue *q)
{
	if (!q->enabled || !vcard_queue_busy(q))
		return;
	q->abort_to = q->tail;
	q->aborting = true;
	atomic_store(&q->abort, true);
	pthread_cond_broadcast(&q->wake);
}

void vcard_queue_interrupt(struct card_queue *q)
{
	q->untold = 0;
	q->due_ns = 0;
	irq_event(q->card, 1u << q->index);
}

static void tell_later(struct card_queue *q, u64 ns)
{
	const u64 due = now_ns() + ns;

	if (q->due_ns && q->due_ns <= due)
		return;
	q->due_ns = due;
	pthread_cond_broadcast(&q->card->timer_wake);
}

static void told(struct card_queue *q, bool wanted)
{
	const u32 late_ms = atomic_load(&q->card->faults.late_ms);
	const u32 count = q->coalesce & 0xff, us = q->coalesce >> 8;

	if (q->aborting && (s32)(q->head - q->abort_to) >= 0) {
		q->aborting = false;
		atomic_store(&q->abort, false);
	}
	if (!wanted)
		return;
	q->untold++;
	if (late_ms)
		tell_later(q, late_ms * 1000000ull);
	else if (!q->coalesce || (count && q->untold >= count))
		vcard_queue_interrupt(q);
	else if (us)
		tell_later(q, us * 1000ull);
}

static void halt(struct card_queue *q)
{
	q->halted = true;
	if (!vcard_dead(q->card))
		vcard_fault(q->card, PBIT_FAULT_BUS);
}

static void fetch(void *data)
{
	struct turn *t = data;

	t->ok = dma_read(&t->q->dma, t->from, &t->desc, sizeof(t->desc));
}

/*
 * The phase goes last where the host's memory is ours to write: it tells the host that all before it
 * is there.
 */
static void put(void *data)
{
	struct turn *t = data;
	const u8 *done = (const u8 *)&t->done;

	t->ok = dma_write(&t->q->dma, t->to + 8, done + 8, sizeof(t->done) - 8) &&
		dma_write(&t->q->dma, t->to, done, 8);
}

static void lie(struct card_queue *q, struct pbit_card_done *done)
{
	switch (atomic_load(&q->card->faults.lie)) {
	case LIE_COOKIE:
		done->cookie ^= htole32(0x80000000u);
		break;
	case LIE_PHASE:
		done->phase = htole16(2);
		break;
	case LIE_PROGRESS:
		done->progress = htole32(~0u);
		break;
	case LIE_STATUS:
		done->status = htole16(PBIT_DONE_RANDOM + 1);
		break;
	}
}

/* lock held. The next entry of the ring of completions; it is ours from here on. */
static void claim(struct turn *t)
{
	struct card_queue *q = t->q;
	const u32 slot = q->cq_tail & ((1u << q->log2) - 1);

	t->to = q->cq_base + (u64)slot * sizeof(t->done);
	t->done.phase = htole16(!(q->cq_tail >> q->log2 & 1));
	q->cq_tail++;
}

static bool complete(struct turn *t)
{
	lie(t->q, &t->done);
	return guard_run(put, t) && t->ok;
}

/* A second completion of the same descriptor, where the fault asks for it. */
static void twice(struct turn *t)
{
	struct card_queue *q = t->q;

	if (atomic_load(&q->card->faults.lie) != LIE_TWICE)
		return;
	pthread_mutex_lock(&q->card->lock);
	claim(t);
	pthread_mutex_unlock(&q->card->lock);
	(void)complete(t);
}

static void account(struct card *card, const struct card_outcome *out)
{
	card->energy_pj += out->energy_pj;
	card->updates += out->result.updates;
	card->descriptors++;
}

/* The link dies after so many. */
static void count_to_death(struct card *card)
{
	s64 left = atomic_load(&card->faults.dead_after);

	while (left > 0 && !atomic_compare_exchange_weak(&card->faults.dead_after, &left, left - 1))
		;
	card->was_dead = vcard_dead(card);
}

/* lock held. False: dropped. */
static bool leave_ring(struct turn *t, const struct card_outcome *out)
{
	struct card_queue *q = t->q;

	if (atomic_load(&q->drop) || !q->enabled || vcard_dead(q->card))
		return false;
	account(q->card, out);
	t->done = (struct pbit_card_done){
		.cookie = t->desc.cookie,
		.status = htole16((u16)out->result.status),
		.progress = htole32(out->result.progress),
		.cycles = htole64(out->cycles),
		.energy_pj = htole64(out->energy_pj),
	};
	/* The host may fill the slot again as soon as it sees the completion. */
	q->head++;
	claim(t);
	return true;
}

static void turn(struct card_queue *q)
{
	struct card *card = q->card;
	struct turn t = {.q = q};
	struct card_outcome out;
	bool ok;

	t.from = q->sq_base + (u64)(q->head & ((1u << q->log2) - 1)) * sizeof(t.desc);
	pthread_mutex_unlock(&card->lock);
	ok = guard_run(fetch, &t) && t.ok;
	if (ok)
		vcard_work(q, &t.desc, &out);
	pthread_mutex_lock(&card->lock);
	if (ok && !leave_ring(&t, &out))
		return;
	if (ok) {
		pthread_mutex_unlock(&card->lock);
		ok = complete(&t);
		if (ok)
			twice(&t);
		pthread_mutex_lock(&card->lock);
	}
	if (ok) {
		told(q, le16toh(t.desc.flags) & PBIT_DESC_IRQ);
		count_to_death(card);
	} else if (!atomic_load(&q->drop)) {
		halt(q);
	}
}

/* A full ring of completions stops the queue until the host has taken some. */
static bool has_work(const struct card_queue *q)
{
	const u32 size = 1u << q->log2;

	return q->enabled && !q->halted && !q->card->fault && !q->card->resetting &&
	       !vcard_dead(q->card) && q->head != q->tail && q->cq_tail - q->cq_head < size;
}

static void *thread_fn(void *data)
{
	struct card_queue *q = data;
	struct card *card = q->card;

	pthread_mutex_lock(&card->lock);
	while (!atomic_load(&card->stopping)) {
		if (!has_work(q)) {
			pthread_cond_wait(&q->wake, &card->lock);
			continue;
		}
		q->running = true;
		turn(q);
		q->running = false;
		if (!q->enabled)
			atomic_store(&q->drop, false);
		vcard_reset_step(card);
		pthread_cond_broadcast(&card->idle);
	}
	pthread_mutex_unlock(&card->lock);
	return NULL;
}

int vcard_queue_start(struct card *card, u32 index)
{
	struct card_queue *q = &card->queue[index];
	int rc;

	q->card = card;
	q->index = index;
	q->dma.queue = q;
	pthread_mutex_lock(&card->lock);
	vcard_queue_clear(q);
	pthread_mutex_unlock(&card->lock);
	q->scratch =
		aligned_alloc(64, (pbit_engine_scratch_bytes(card->plan.pbits) + 63) / 64 * 64);
	if (!q->scratch)
		return -ENOMEM;
	rc = pthread_create(&q->thread, NULL, thread_fn, q);
	q->started = !rc;
	return -rc;
}

void vcard_queue_stop(struct card_queue *q)
{
	if (q->started) {
		pthread_mutex_lock(&q->card->lock);
		atomic_store(&q->drop, true);
		pthread_cond_broadcast(&q->wake);
		pthread_mutex_unlock(&q->card->lock);
		pthread_join(q->thread, NULL);
	}
	free(q->scratch);
}
