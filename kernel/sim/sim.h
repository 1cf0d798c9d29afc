/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the sim part: a device in software, made through configfs. */
#ifndef PBIT_SIM_H
#define PBIT_SIM_H

#include <linux/configfs.h>
#include <linux/kthread.h>
#include "../core/pbit.h"
#include "../model/desc.h"

#define PBIT_SIM_RING 32u

/* What makes the device, settled while it is not live. */
struct pbit_sim_plan {
	u32 pbits, degree, inputs, outputs, samples, queues;
	u32 rom_offset, rom_value;	/* a word of the ROM to lie in; offset ~0: none */
	u64 memory, work;
	bool physical;			/* draws that nobody can repeat */
};

/* What can be turned while it runs; read with READ_ONCE. */
struct pbit_sim_knobs {
	u32 latency_us;		/* before the work of a descriptor */
	u32 late_us;		/* from the end of the work to its being told */
	u32 stall;		/* PBIT_SIM_STALL_* */
	u32 error_every, error_status;
	u32 bit_error;		/* each n-th descriptor has a bit of its output wrong */
	u32 bad_done;		/* PBIT_SIM_LIE_* for the next completion */
	u32 power_uw;
	s32 temperature_mc;
};

enum {
	PBIT_SIM_STALL_NONE,
	PBIT_SIM_STALL_WORK,	/* nothing ends; watchdog and abort work */
	PBIT_SIM_STALL_ABORT,	/* those neither: only a reset helps */
	PBIT_SIM_STALL_RESET,	/* nor does a reset */
	PBIT_SIM_STALL_END,
};

enum {
	PBIT_SIM_LIE_NONE,
	PBIT_SIM_LIE_COOKIE,
	PBIT_SIM_LIE_STATUS,
	PBIT_SIM_LIE_TWICE,
	PBIT_SIM_LIE_END,
};

struct pbit_sim;

struct pbit_sim_queue {
	struct pbit_sim_device *sim;
	u32 index;
	struct task_struct *thread;
	wait_queue_head_t wake;
	void *scratch;

	spinlock_t lock;	/* to running */
	struct pbit_card_desc ring[PBIT_SIM_RING];
	u32 tail, head;		/* written; taken out by the thread when they have ended */
	u32 abort_to;		/* those before it are to end */
	bool quiet;		/* being reset: nothing runs, nothing is told */
	bool running;		/* the thread is at a descriptor, or tells its end */

	u32 progress;
	/* Of the running descriptor; the thread's own. */
	u64 started_ns, watchdog_ns;
};

/* Lives from live = 1 to 0. */
struct pbit_sim_device {
	struct pbit_sim *owner;
	struct device *parent;
	struct pbit_device *pdev;
	struct pbit_card_rom rom;
	u8 *memory;
	u64 memory_size;
	u32 n_queues;
	bool physical;
	struct mutex state;	/* of resets, and: */
	bool pulled;
	const struct pbit_sim_knobs *knobs;
	atomic64_t energy_pj, updates;
	atomic_t errors, flips;	/* descriptors counted by the knobs */
	struct pbit_sim_queue queue[];
};

/* A folder of configfs. */
struct pbit_sim {
	struct config_group group;
	struct mutex lock;	/* plan, device */
	struct pbit_sim_plan plan;
	struct pbit_sim_knobs knobs;
	struct pbit_sim_device *device;
};

static inline struct pbit_sim *to_sim(struct config_item *item)
{
	return container_of(to_config_group(item), struct pbit_sim, group);
}

/* attributes.c */
extern struct configfs_attribute *pbit_sim_attributes[];
void pbit_sim_defaults(struct pbit_sim *sim);

/* device.c; sim->lock is held. */
int pbit_sim_up(struct pbit_sim *sim);
/* pulled: as if it had been pulled out. */
void pbit_sim_down(struct pbit_sim *sim, bool pulled);

/* rom.c */
void pbit_sim_rom(const struct pbit_sim_plan *plan, const char *serial, struct pbit_card_rom *rom);

/* queue.c */
int pbit_sim_queue_start(struct pbit_sim_device *sim, u32 index);
void pbit_sim_queue_stop(struct pbit_sim_queue *q);
/* When it returns nothing runs and nothing will be told, until it is opened again. */
void pbit_sim_queue_quiet(struct pbit_sim_queue *q);
void pbit_sim_queue_open(struct pbit_sim_queue *q);
int pbit_sim_queue_push(struct pbit_sim_queue *q, const struct pbit_card_desc *desc);
void pbit_sim_queue_abort(struct pbit_sim_queue *q);

#endif
