/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual card: what pbit_card.h describes, in a process of its own. One mutex (card.lock) holds registers,
 * interrupts and the state of the queues; each queue has a thread that works without it. Nobody waits
 * for the client while holding it.
 */
#ifndef PBIT_CARD_CARD_H
#define PBIT_CARD_CARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "dma.h"
#include "faults.h"
#include "irq.h"
#include "model/desc.h"

/* What the command line asks for. */
struct card_plan {
	u64 memory; /* bytes, a multiple of 4096 */
	u32 queues, pbits, degree, inputs, outputs, samples;
	u32 weight_bits; /* mask, as in the ROM */
	u64 work;
	u32 clock_khz;
	double speed; /* times the modelled speed; 0: as fast as this machine can */
	bool sequential;
	char name[32], serial[32];
	u32 rom_offset, rom_value; /* a word of the ROM that is another; offset ~0: none */
};

void vcard_plan_init(struct card_plan *plan);

struct card;
struct conn;

struct card_queue {
	struct card *card;
	u32 index;
	pthread_t thread;
	bool started;
	pthread_cond_t wake;

	/* card.lock; bases and size do not change while the queue is enabled */
	u64 sq_base, cq_base;
	u32 log2, coalesce;
	bool enabled, halted, running, aborting;
	u32 tail, head, cq_tail, cq_head, abort_to;
	u32 untold; /* completions since the last interrupt */
	u64 due_ns; /* of the interrupt that waits, 0: none */

	/* Looked at in mid-work, without the lock. */
	_Atomic bool drop;  /* the running descriptor is dropped without completion */
	_Atomic bool abort; /* it ends with a completion */
	_Atomic u32 progress;

	/* The thread's own. */
	u64 started_ns, watchdog_ns, unit_fs;
	void *scratch;
	struct dma_user dma;
};

struct card {
	struct card_plan plan;
	struct card_faults faults;
	struct pbit_card_rom rom;    /* as shown */
	struct pbit_card_rom limits; /* as meant */
	int memory_fd;
	u8 *memory;
	u64 memory_span; /* of the BAR: a power of two */
	u64 born_ns;

	pthread_mutex_t lock;
	pthread_cond_t idle; /* a reset has ended, or a queue has come to rest */
	bool resetting;
	u32 fault, scratch_register;
	struct card_irq irq;
	u64 energy_pj, updates, descriptors;
	u64 power_at_ns, power_at_pj;
	u32 power_uw;
	_Atomic bool stopping;
	_Atomic bool hung;
	bool was_dead, was_hot;
	u64 noise; /* of bit errors */

	struct dma dma;
	_Atomic(struct conn *) conn;

	pthread_t timer;
	bool timer_started;
	pthread_cond_t timer_wake;
	struct card_queue queue[PBIT_CARD_MAX_QUEUES];
};

u64 now_ns(void);

/* 0 or a negative errno. Threads run from here on. */
int vcard_create(const struct card_plan *plan, struct card **card);
void vcard_destroy(struct card *card);

/* As after power-up, card memory zeroed and new where `memory`. Waits until no queue works. */
int vcard_reset(struct card *card, bool memory);

/* lock held: the same, to be ended by the last queue that comes to rest. */
void vcard_reset_begin(struct card *card);
void vcard_reset_step(struct card *card);

/* lock held. Halts the queues. */
void vcard_fault(struct card *card, u32 fault);

/* After a fault was set or taken away. */
void vcard_faults_apply(struct card *card);

/* timer.c: the interrupts that wait. */
int vcard_timer_start(struct card *card);
void vcard_timer_stop(struct card *card);

/* Is the link dead? Registers then read all ones. */
bool vcard_dead(struct card *card);

/* rom.c */
void vcard_rom(const struct card_plan *plan, struct pbit_card_rom *rom);

/* registers.c: aligned 32-bit accesses to BAR 0. */
u32 vcard_read(struct card *card, u32 offset);
void vcard_write(struct card *card, u32 offset, u32 value);

/* queue.c */
int vcard_queue_start(struct card *card, u32 index);
void vcard_queue_stop(struct card_queue *q);
/* lock held */
void vcard_queue_enable(struct card_queue *q, bool on);
void vcard_queue_abort(struct card_queue *q);
void vcard_queue_clear(struct card_queue *q);
bool vcard_queue_busy(const struct card_queue *q);
void vcard_queue_interrupt(struct card_queue *q);
/* Without it: sleeps until then, or woken, or 5 ms. */
void vcard_queue_nap(struct card_queue *q, u64 until_ns);

/* work.c: runs a descriptor; 0 cycles where it had not begun. */
struct card_outcome {
	struct pbit_engine_result result;
	u64 cycles, energy_pj;
};
void vcard_work(struct card_queue *q, struct pbit_card_desc *desc, struct card_outcome *out);
/* 0, or how the running descriptor has to end. */
int vcard_must_end(struct card_queue *q);

/* sequential.c: once, before any card. */
void vcard_engine_init(void);
/* The same engine with a generator that runs on; seeds this thread's from a descriptor. */
void vcard_sequential_seed(const struct pbit_card_desc *desc);
void pbit_sequential_run(const struct pbit_engine_card *card, const struct pbit_card_desc *desc,
			 struct pbit_engine_result *out);

#endif
