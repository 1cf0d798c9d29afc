/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a card: buffers, jobs, events. fpga: goes through the driver, pci: through the card's own
 * registers; what runs on a card knows neither. Places in memory are handles and offsets, commands those of
 * the driver's interface.
 *
 * Each operation that fails has called pbit_fail(). `what` is what the caller was about to do.
 */
#ifndef PBIT_FPGA_LINK_H
#define PBIT_FPGA_LINK_H

#include <stdbool.h>
#include <pbit/backend.h>
#include "uapi/pbit.h"
#include "uapi/pbit_card.h"

/* handle 0: there is none. */
struct card_buffer {
	uint32_t handle;
	uint32_t place; /* PBIT_BUFFER_* */
	uint64_t bytes;
	void *mem; /* of a host buffer: where this process sees it */
};

struct card_link;

struct card_link_ops {
	int (*buffer_new)(struct card_link *link, const char *what, uint32_t place, uint64_t bytes,
			  struct card_buffer *buffer);
	void (*buffer_free)(struct card_link *link, struct card_buffer *buffer);

	/* Both NULL where the card works in mem itself: mem to the card, and back. */
	int (*flush)(struct card_link *link, const struct card_buffer *buffer, uint64_t at,
		     uint64_t bytes);
	int (*fetch)(struct card_link *link, const struct card_buffer *buffer, uint64_t at,
		     uint64_t bytes);

	/* Both NULL where only commands reach the card's memory. */
	int (*poke)(struct card_link *link, const struct card_buffer *to, uint64_t at,
		    const void *data, uint64_t bytes);
	int (*peek)(struct card_link *link, const struct card_buffer *from, uint64_t at, void *data,
		    uint64_t bytes);

	/* Jobs run in order. At most CARD_DEPTH are unfinished, of at most max_commands each. */
	int (*submit)(struct card_link *link, const char *what, const struct pbit_cmd *cmds,
		      uint32_t n, int64_t deadline, uint64_t *job);
	/*
	 * 0: the job has ended, in whatever way. What pbit_ctl_check() says, without a record, where it
	 * goes on but the caller does not. ctl NULL: waits till give_up, then the link is dead.
	 */
	int (*wait)(struct card_link *link, const char *what, uint64_t job, struct pbit_ctl *ctl,
		    int64_t give_up, struct pbit_event *event);
	void (*cancel)(struct card_link *link); /* all jobs */
	void (*close)(struct card_link *link);
};

#define CARD_DEPTH 4u

struct card_link {
	const struct card_link_ops *ops;
	char where[80]; /* its address */
	char version[64];
	bool dead; /* removed, reset, or lost: nothing will answer any more */
	struct pbit_card_rom rom;
	uint64_t device_memory;
	uint64_t max_host_buffer;
	uint64_t max_work;
	uint32_t max_commands;
	uint32_t max_jobs;
};

/* -ENODEV: the device is gone, and the handle with it. */
int card_link_gone(struct card_link *link, const char *what, const char *why);

static inline int card_flush(struct card_link *link, const struct card_buffer *buffer, uint64_t at,
			     uint64_t bytes)
{
	return link->ops->flush ? link->ops->flush(link, buffer, at, bytes) : 0;
}

static inline int card_fetch(struct card_link *link, const struct card_buffer *buffer, uint64_t at,
			     uint64_t bytes)
{
	return link->ops->fetch ? link->ops->fetch(link, buffer, at, bytes) : 0;
}

#endif
