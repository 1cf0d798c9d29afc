/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link over the card's own registers: rings and buffers lie in the card's memory, so nothing needs DMA
 * or a driver. Completions are polled. Queue 0 is the one that every card has.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "core/clock.h"
#include "desc.h"
#include "memory.h"
#include "bare.h"

#define RING_LOG2     8u
#define RING	      (1u << RING_LOG2)
#define SQ_BYTES      (RING * sizeof(struct pbit_card_desc))
#define RING_BYTES    (SQ_BYTES + RING * sizeof(struct pbit_card_done))
#define RESET_NS      500000000 /* the specification allows 100 ms */
#define WATCHDOG_US   10000000u
#define STUCK_NS      15000000000
#define BUFFER_BYTES  (4u << 20)
#define SPIN_NS	      20000
#define MOST_SLEEP_NS 500000

struct job {
	uint32_t begin, n; /* descriptors */
	struct pbit_event event;
};

struct pci {
	struct card_link link;
	struct bare_bars bars;
	struct bare_memory memory;
	uint64_t rings;	     /* place */
	uint32_t tail, head; /* descriptors written, completions taken */
	uint64_t next_job;
	struct job job[2 * CARD_DEPTH]; /* by number */
	int64_t heard;			/* when the card last ended something */
};

static struct pci *pci_of(struct card_link *link)
{
	return (struct pci *)link; /* its first member */
}

static uint32_t reg_read(const struct pci *p, uint32_t offset)
{
	return le32toh(p->bars.registers[offset / 4]);
}

static void reg_write(const struct pci *p, uint32_t offset, uint32_t value)
{
	/* What was written to memory before is there before. */
	__sync_synchronize();
	p->bars.registers[offset / 4] = htole32(value);
}

/* Device memory takes whole words at their own addresses only, and no copying that is clever. */
static void memory_write(const struct pci *p, uint64_t at, const void *from, uint64_t bytes)
{
	volatile uint8_t *to = p->bars.memory + at;
	const uint8_t *f = from;
	uint64_t word;

	for (; bytes && at % 8; bytes--, at++)
		*to++ = *f++;
	for (; bytes >= 8; bytes -= 8, to += 8, f += 8) {
		memcpy(&word, f, 8);
		*(volatile uint64_t *)(volatile void *)to = word;
	}
	while (bytes--)
		*to++ = *f++;
}

static void memory_read(const struct pci *p, uint64_t at, void *to, uint64_t bytes)
{
	const volatile uint8_t *from = p->bars.memory + at;
	uint8_t *t = to;
	uint64_t word;

	for (; bytes && at % 8; bytes--, at++)
		*t++ = *from++;
	for (; bytes >= 8; bytes -= 8, from += 8, t += 8) {
		word = *(const volatile uint64_t *)(const volatile void *)from;
		memcpy(t, &word, 8);
	}
	while (bytes--)
		*t++ = *from++;
}

static uint64_t place_of(const struct card_buffer *buffer)
{
	return (buffer->handle - 1) * BARE_UNIT;
}

/* All ones: nobody is there. */
static int alive(struct pci *p, const char *what)
{
	uint32_t status;

	if (reg_read(p, PBIT_REG_ID) != PBIT_CARD_ID)
		return card_link_gone(&p->link, what, "the card does not answer any more");
	status = reg_read(p, PBIT_REG_STATUS);
	if (!(status & PBIT_STATUS_FAULT))
		return 0;
	p->link.dead = true;
	return pbit_fail(-EIO, PBIT_ERR_DEVICE, what, p->link.where,
			 "close this handle and open the card again, which resets it",
			 "the card reports fault %u", reg_read(p, PBIT_REG_FAULT));
}

static int pci_buffer_new(struct card_link *link, const char *what, uint32_t place, uint64_t bytes,
			  struct card_buffer *buffer)
{
	struct pci *p = pci_of(link);
	uint64_t at;
	int rc;

	bytes = card_round_up(bytes ? bytes : 1, BARE_UNIT);
	rc = bare_memory_take(&p->memory, bytes, &at);
	if (rc == -ENOSPC)
		return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, what, link->where,
				 "use a smaller model or a larger card",
				 "the card's memory is full: %llu bytes are free",
				 (unsigned long long)bare_memory_left(&p->memory));
	*buffer = (struct card_buffer){.place = place, .bytes = bytes};
	if (!rc && place == PBIT_BUFFER_HOST) {
		buffer->mem = calloc(1, bytes);
		if (!buffer->mem) {
			bare_memory_give(&p->memory, at);
			rc = -ENOMEM;
		}
	}
	if (rc)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, link->where, NULL,
				 "out of memory");
	buffer->handle = (uint32_t)(at / BARE_UNIT) + 1;
	return 0;
}

static void pci_buffer_free(struct card_link *link, struct card_buffer *buffer)
{
	bare_memory_give(&pci_of(link)->memory, place_of(buffer));
	free(buffer->mem);
	*buffer = (struct card_buffer){0};
}

static int pci_poke(struct card_link *link, const struct card_buffer *to, uint64_t at,
		    const void *data, uint64_t bytes)
{
	memory_write(pci_of(link), place_of(to) + at, data, bytes);
	return alive(pci_of(link), "cannot write the card's memory");
}

static int pci_peek(struct card_link *link, const struct card_buffer *from, uint64_t at, void *data,
		    uint64_t bytes)
{
	memory_read(pci_of(link), place_of(from) + at, data, bytes);
	return alive(pci_of(link), "cannot read the card's memory");
}

static int pci_flush(struct card_link *link, const struct card_buffer *buffer, uint64_t at,
		     uint64_t bytes)
{
	return pci_poke(link, buffer, at, (const uint8_t *)buffer->mem + at, bytes);
}

static int pci_fetch(struct card_link *link, const struct card_buffer *buffer, uint64_t at,
		     uint64_t bytes)
{
	return pci_peek(link, buffer, at, (uint8_t *)buffer->mem + at, bytes);
}

static int pci_submit(struct card_link *link, const char *what, const struct pbit_cmd *cmds,
		      uint32_t n, int64_t deadline, uint64_t *number)
{
	struct pci *p = pci_of(link);
	struct pbit_card_desc desc;
	struct job *job;
	int rc = alive(p, what);

	(void)deadline; /* the caller looks at it while it waits */
	if (rc)
		return rc;
	if (n > RING - (p->tail - p->head))
		return pbit_fail(-EAGAIN, PBIT_ERR_INTERNAL, what, link->where, NULL,
				 "the ring is full");
	job = &p->job[p->next_job % (2 * CARD_DEPTH)];
	*job = (struct job){.begin = p->tail, .n = n};
	job->event.job = *number = p->next_job++;
	job->event.command = n;
	if (p->tail == p->head)
		p->heard = pbit__now_ns();
	for (uint32_t i = 0; i < n; i++, p->tail++) {
		bare_desc_fill(&cmds[i], p->tail, WATCHDOG_US, &desc);
		memory_write(p, p->rings + p->tail % RING * sizeof(desc), &desc, sizeof(desc));
	}
	reg_write(p, PBIT_REG_QUEUE(0) + PBIT_Q_SQ_TAIL, p->tail);
	return 0;
}

static int errno_of(uint32_t status)
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

/* The first failure of a job is the job's. */
static void account(struct pci *p, uint32_t seq, const struct pbit_card_done *done)
{
	for (uint32_t i = 0; i < 2 * CARD_DEPTH; i++) {
		struct job *job = &p->job[i];
		const int status = errno_of(le16toh(done->status));

		if (!job->n || seq - job->begin >= job->n)
			continue;
		job->event.cycles += le64toh(done->cycles);
		job->event.energy_pj += le64toh(done->energy_pj);
		if (!status || job->event.status)
			return;
		job->event.status = status;
		job->event.card_status = le16toh(done->status);
		job->event.command = seq - job->begin;
		job->event.progress = le32toh(done->progress);
		return;
	}
}

/* Takes what has ended; 1 where something has. */
static int reap(struct pci *p, const char *what)
{
	struct pbit_card_done done;
	int got = 0;

	while (p->head != p->tail) {
		const uint32_t slot = p->head % RING;
		const uint64_t at = p->rings + SQ_BYTES + slot * sizeof(done);
		const uint16_t lap = !(p->head >> RING_LOG2 & 1);

		memory_read(p, at, &done, sizeof(done));
		if (le16toh(done.phase) != lap)
			return got;
		/* Again: the rest may have been read before it was written. */
		__sync_synchronize();
		memory_read(p, at, &done, sizeof(done));
		if (le32toh(done.cookie) != p->head || le16toh(done.status) > PBIT_DONE_RANDOM) {
			const int rc = alive(p, what);

			p->link.dead = true;
			return rc ? rc
				  : pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, p->link.where,
					      "reload the card's firmware",
					      "the card tells of a job that it was not given");
		}
		account(p, p->head, &done);
		p->head++;
		reg_write(p, PBIT_REG_QUEUE(0) + PBIT_Q_CQ_HEAD, p->head);
		p->heard = pbit__now_ns();
		got = 1;
	}
	return got;
}

static void nap(int64_t ns)
{
	const struct timespec t = {.tv_nsec = (long)ns};

	nanosleep(&t, NULL);
}

static int stuck(struct pci *p, const char *what)
{
	p->link.dead = true;
	return pbit_fail(-ETIME, PBIT_ERR_DEVICE, what, p->link.where,
			 "close this handle and open the card again, which resets it",
			 "the card does not end its jobs, its watchdog neither");
}

static int pci_wait(struct card_link *link, const char *what, uint64_t number, struct pbit_ctl *ctl,
		    int64_t give_up, struct pbit_event *event)
{
	struct pci *p = pci_of(link);
	struct job *job = &p->job[number % (2 * CARD_DEPTH)];
	const int64_t begin = pbit__now_ns();
	int64_t pause = 1000;

	for (;;) {
		int rc = reap(p, what);
		int64_t now;

		if (rc < 0)
			return rc;
		if ((int32_t)(p->head - (job->begin + job->n)) >= 0) {
			*event = job->event;
			job->n = 0;
			return 0;
		}
		if (!rc)
			rc = alive(p, what);
		if (rc < 0)
			return rc;
		rc = pbit_ctl_check(ctl);
		if (rc)
			return rc;
		now = pbit__now_ns();
		if (now >= give_up || now - p->heard > STUCK_NS)
			return stuck(p, what);
		if (now - begin < SPIN_NS)
			continue;
		nap(pause);
		pause = 2 * pause < MOST_SLEEP_NS ? 2 * pause : MOST_SLEEP_NS;
	}
}

static void pci_cancel(struct card_link *link)
{
	reg_write(pci_of(link), PBIT_REG_QUEUE(0) + PBIT_Q_CONTROL, PBIT_Q_ENABLE | PBIT_Q_ABORT);
}

static int reset(struct pci *p)
{
	static const char what[] = "cannot reset the card";
	const int64_t end = pbit__now_ns() + RESET_NS;
	const uint32_t bits = PBIT_STATUS_READY | PBIT_STATUS_RESETTING;
	uint32_t status;

	reg_write(p, PBIT_REG_CONTROL, PBIT_CONTROL_RESET);
	do {
		nap(100000);
		status = reg_read(p, PBIT_REG_STATUS);
		if (status == ~0u)
			return card_link_gone(&p->link, what, "the card does not answer");
		/* A card whose registers are memory that somebody looks at takes a while to begin. */
		if (reg_read(p, PBIT_REG_CONTROL) & PBIT_CONTROL_RESET)
			status = PBIT_STATUS_RESETTING;
	} while ((status & bits) != PBIT_STATUS_READY && pbit__now_ns() < end);
	if ((status & bits) == PBIT_STATUS_READY && !(status & PBIT_STATUS_FAULT))
		return 0;
	return pbit_fail(-EIO, PBIT_ERR_DEVICE, what, p->link.where, "switch it off and on",
			 "it is not ready after %d ms: status 0x%x, fault %u", RESET_NS / 1000000,
			 status, reg_read(p, PBIT_REG_FAULT));
}

static void pci_close(struct card_link *link)
{
	struct pci *p = pci_of(link);

	/* Quiet, whatever it was at. */
	if (reg_read(p, PBIT_REG_ID) == PBIT_CARD_ID) {
		reg_write(p, PBIT_REG_QUEUE(0) + PBIT_Q_CONTROL, 0);
		if (reset(p))
			pbit_log(PBIT_LOG_WARN, "%s: left in doubt: %s", link->where,
				 pbit_last_error()->why);
	}
	bare_bars_unmap(&p->bars);
	free(p->memory.part);
	free(p);
}

static const struct card_link_ops pci_ops = {
	.buffer_new = pci_buffer_new,
	.buffer_free = pci_buffer_free,
	.flush = pci_flush,
	.fetch = pci_fetch,
	.poke = pci_poke,
	.peek = pci_peek,
	.submit = pci_submit,
	.wait = pci_wait,
	.cancel = pci_cancel,
	.close = pci_close,
};

static int read_rom(struct pci *p, const char *where)
{
	static const char what[] = "cannot open device";
	uint8_t *rom = (uint8_t *)&p->link.rom;
	uint32_t size, word;

	if (p->bars.registers_size < PBIT_REG_QUEUE(1))
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, where, NULL,
				 "%zu bytes of registers, a card has more", p->bars.registers_size);
	if (reg_read(p, PBIT_REG_ID) != PBIT_CARD_ID)
		return pbit_fail(-ENODEV, PBIT_ERR_DEVICE, what, where,
				 "check that the card is powered and its firmware loaded",
				 "register 0 reads %08x: no p-bit card answers",
				 reg_read(p, PBIT_REG_ID));
	size = reg_read(p, PBIT_REG_ROM_SIZE);
	if (size < sizeof(p->link.rom) || size > PBIT_REG_QUEUE(0) - PBIT_REG_ROM)
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, where, NULL,
				 "a feature ROM of %u bytes, %zu are expected", size,
				 sizeof(p->link.rom));
	for (size_t i = 0; i < sizeof(p->link.rom); i += 4) {
		word = htole32(reg_read(p, (uint32_t)(PBIT_REG_ROM + i)));
		memcpy(rom + i, &word, 4);
	}
	return card_rom_check(&p->link.rom, true, where);
}

static int open_rings(struct pci *p, const char *where)
{
	static const uint8_t zero[RING * sizeof(struct pbit_card_done)];
	const uint32_t q = PBIT_REG_QUEUE(0);
	uint64_t base;
	int rc = bare_memory_take(&p->memory, RING_BYTES, &p->rings);

	if (rc)
		return pbit_fail(rc == -ENOMEM ? rc : -E2BIG, PBIT_ERR_RESOURCE,
				 "cannot open device", where, NULL,
				 "no memory for the rings of descriptors");
	/* Phase 0 everywhere: the first lap's is 1. */
	memory_write(p, p->rings + SQ_BYTES, zero, sizeof(zero));
	base = PBIT_CARD_LOCAL | p->rings;
	reg_write(p, q + PBIT_Q_SQ_BASE_LO, (uint32_t)base);
	reg_write(p, q + PBIT_Q_SQ_BASE_HI, (uint32_t)(base >> 32));
	base += SQ_BYTES;
	reg_write(p, q + PBIT_Q_CQ_BASE_LO, (uint32_t)base);
	reg_write(p, q + PBIT_Q_CQ_BASE_HI, (uint32_t)(base >> 32));
	reg_write(p, q + PBIT_Q_SIZE, RING_LOG2);
	reg_write(p, q + PBIT_Q_SQ_TAIL, 0);
	reg_write(p, q + PBIT_Q_CQ_HEAD, 0);
	reg_write(p, q + PBIT_Q_CONTROL, PBIT_Q_ENABLE);
	return 0;
}

static void state_limits(struct pci *p)
{
	struct card_link *link = &p->link;
	const uint64_t memory = le64toh(link->rom.memory_size);
	const uint32_t version = le32toh(link->rom.version);

	p->memory.size = memory < p->bars.memory_size ? memory : p->bars.memory_size;
	/* Handles are 32-bit numbers of pages. */
	if (p->memory.size > UINT32_MAX * BARE_UNIT)
		p->memory.size = UINT32_MAX * BARE_UNIT;
	p->memory.size = p->memory.size / BARE_UNIT * BARE_UNIT;
	link->device_memory = p->memory.size;
	link->max_host_buffer = BUFFER_BYTES;
	link->max_work = le64toh(link->rom.max_work);
	link->max_commands = RING / CARD_DEPTH;
	link->max_jobs = CARD_DEPTH;
	snprintf(link->version, sizeof(link->version), "card %u.%u, no driver", version >> 16,
		 version & 0xffff);
}

int bare_link_new(struct bare_bars *bars, const char *where, struct card_link **link)
{
	struct pci *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		bare_bars_unmap(bars);
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", where, NULL,
				 "out of memory");
	}
	p->bars = *bars;
	p->link.ops = &pci_ops;
	snprintf(p->link.where, sizeof(p->link.where), "pci:%s", bars->name);
	rc = read_rom(p, where);
	if (!rc)
		rc = reset(p);
	if (!rc) {
		state_limits(p);
		rc = open_rings(p, where);
	}
	if (rc) {
		bare_bars_unmap(&p->bars);
		free(p->memory.part);
		free(p);
		return rc;
	}
	*link = &p->link;
	return 0;
}
