// SPDX-License-Identifier: Apache-2.0
/*
 * One descriptor: worked on by the engine, at the pace and the cost of the modelled card, with the faults that
 * are asked for.
 */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include "card.h"
#include "guard.h"

struct job {
	struct card_queue *q;
	struct pbit_card_desc *desc;
	struct pbit_engine_result result;
	bool reached; /* all that was written has arrived */
};

int vcard_must_end(struct card_queue *q)
{
	if (atomic_load(&q->drop) || atomic_load(&q->card->stopping) || vcard_dead(q->card))
		return PBIT_DONE_ABORTED;
	if (dma_revoked(&q->dma))
		return PBIT_DONE_BUS;
	if (atomic_load(&q->abort))
		return PBIT_DONE_ABORTED;
	if (q->watchdog_ns && now_ns() - q->started_ns >= q->watchdog_ns)
		return PBIT_DONE_WATCHDOG;
	return PBIT_DONE_OK;
}

/* Not before the modelled card would have done so much. */
static int pace(struct card_queue *q, double fs)
{
	const double ns = q->card->plan.speed > 0 ? fs / 1e6 / q->card->plan.speed : 0;
	const u64 end = q->started_ns + (ns < 1e18 ? (u64)ns : (u64)1e18);
	int status = vcard_must_end(q);

	while (!status && now_ns() < end) {
		vcard_queue_nap(q, end);
		status = vcard_must_end(q);
	}
	return status;
}

static int poll_fn(void *user, u32 progress)
{
	struct card_queue *q = user;

	atomic_store(&q->progress, progress);
	return pace(q, (double)progress * (double)q->unit_fs);
}

/* Of a sample, or a sweep of one replica. */
static u64 unit_fs(const struct card_queue *q, const struct pbit_card_desc *desc)
{
	const struct pbit_card_rom *rom = &q->card->limits;
	const u64 mac = le32toh(rom->mac_fs), update = le32toh(rom->update_fs);
	u64 in, out;

	switch (le16toh(desc->op)) {
	case PBIT_OP_LAYER:
		in = le32toh(desc->layer.n_inputs);
		out = le32toh(desc->layer.n_outputs);
		if (in > q->card->plan.inputs || out > q->card->plan.outputs)
			return 0;
		return in * out * mac + (desc->layer.out_kind == PBIT_OUT_BITS ? out * update : 0);
	case PBIT_OP_SWEEP:
		return le32toh(desc->sweep.n_values) * mac + le32toh(desc->sweep.n) * update;
	default:
		return 0;
	}
}

static double modelled_fs(const struct card *card, const struct pbit_engine_result *r)
{
	return (double)r->updates * le32toh(card->limits.update_fs) +
	       (double)r->macs * le32toh(card->limits.mac_fs) +
	       8.0 * (double)r->bytes * le32toh(card->limits.transfer_fs);
}

static u64 energy_pj(const struct card *card, const struct pbit_engine_result *r)
{
	const double aj = (double)r->updates * le32toh(card->limits.update_aj) +
			  (double)r->macs * le32toh(card->limits.mac_aj) +
			  8.0 * (double)r->bytes * le32toh(card->limits.transfer_aj);

	return (u64)(aj / 1e6);
}

/* Uniform on 32 bits: SplitMix64. */
static u64 noise(struct card *card)
{
	u64 x;

	pthread_mutex_lock(&card->lock);
	x = card->noise += 0x9e3779b97f4a7c15ull;
	pthread_mutex_unlock(&card->lock);
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x >> 32;
}

static void engine(void *data)
{
	struct job *job = data;
	struct card_queue *q = job->q;
	struct card *card = q->card;
	const struct pbit_engine_card with = {
		.rom = &card->limits,
		.at = dma_at,
		.poll = poll_fn,
		.user = q,
		.scratch = q->scratch,
	};

	if (card->plan.sequential) {
		vcard_sequential_seed(job->desc);
		pbit_sequential_run(&with, job->desc, &job->result);
	} else {
		pbit_engine_run(&with, job->desc, &job->result);
	}
	if (!job->result.status && job->result.output &&
	    noise(card) < atomic_load(&card->faults.bit_error))
		job->result.output[0] ^= 1;
}

static void write_back(void *data)
{
	struct job *job = data;

	job->reached = dma_finish(&job->q->dma, true);
}

static void run(struct card_queue *q, struct pbit_card_desc *desc, struct pbit_engine_result *out)
{
	struct job job = {.q = q, .desc = desc};
	const bool ok = guard_run(engine, &job) && guard_run(write_back, &job) && job.reached;

	*out = job.result;
	if (!ok) {
		dma_finish(&q->dma, false);
		out->status = PBIT_DONE_BUS;
	}
}

/* Is it this one that hangs? Each before it takes one off. */
static bool is_due(_Atomic s64 *left)
{
	s64 n = atomic_load(left);

	while (n > 0 && !atomic_compare_exchange_weak(left, &n, n - 1))
		;
	return !n;
}

/* Only a reset ends this: neither abort nor watchdog. */
static void hang(struct card_queue *q)
{
	atomic_store(&q->card->hung, true);
	while (!atomic_load(&q->drop) && !atomic_load(&q->card->stopping) && !vcard_dead(q->card))
		vcard_queue_nap(q, ~0ull);
}

static int stall(struct card_queue *q)
{
	int status = vcard_must_end(q);

	while (!status && atomic_load(&q->card->faults.stall)) {
		vcard_queue_nap(q, ~0ull);
		status = vcard_must_end(q);
	}
	return status;
}

static void begin(struct card_queue *q, const struct pbit_card_desc *desc)
{
	q->started_ns = now_ns();
	q->watchdog_ns = le32toh(desc->watchdog_us) * 1000ull;
	q->unit_fs = unit_fs(q, desc);
	atomic_store(&q->progress, 0);
}

void vcard_work(struct card_queue *q, struct pbit_card_desc *desc, struct card_outcome *out)
{
	struct pbit_engine_result *r = &out->result;
	double fs;
	int status;

	*out = (struct card_outcome){0};
	begin(q, desc);
	r->status = (u32)vcard_must_end(q);
	if (r->status)
		return;
	if (is_due(&q->card->faults.hang_after))
		hang(q);
	r->status = (u32)stall(q);
	if (!r->status)
		run(q, desc, r);
	fs = modelled_fs(q->card, r);
	if (!r->status) {
		/* The modelled card is still at it. */
		status = pace(q, fs);
		if (status == PBIT_DONE_ABORTED || status == PBIT_DONE_WATCHDOG)
			r->status = (u32)status;
	}
	/* No cycles at all would say that it had not begun. */
	out->cycles = (u64)(fs * q->card->plan.clock_khz / 1e12) + 1;
	out->energy_pj = energy_pj(q->card, r);
}
