/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the virtual card, over a socket pair: what QEMU does for a guest, and a host with memory
 * that the card reaches directly, memory that only messages reach, and rings.
 */
#ifndef TEST_CARD_CLIENT_H
#define TEST_CARD_CLIENT_H

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fpga/card/guard.h"
#include "fpga/card/server.h"

#define DIRECT	     0x100000ull /* IOVA of memory with a descriptor */
#define DIRECT_SIZE  (8ull << 20)
#define MESSAGE	     0x40000000ull /* of memory without */
#define MESSAGE_SIZE (4ull << 20)
#define PATIENCE_NS  20000000000ull /* a busy machine, a slow build */

struct client {
	struct card *card;
	struct server server;
	pthread_t thread;
	int fd, server_fd;
	u16 id;
	u8 *direct, *message;
	int direct_fd;
	int vector[IRQ_VECTORS];
	u64 sq, cq; /* rings of queue 0 */
	u32 log2, tail, taken;
	u32 last_error; /* of a refused request */
	u64 served;	/* DMA messages */
	bool deaf;	/* DMA messages get no answer */
};

static inline void *serve_thread(void *data)
{
	struct client *c = data;
	struct pollfd p = {.fd = c->server_fd, .events = POLLIN};

	while (poll(&p, 1, -1) == 1 && !server_step(&c->server))
		;
	server_close(&c->server);
	return NULL;
}

static inline void full_send(struct client *c, const void *data, size_t size, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec piece = {(void *)(uintptr_t)data, size};
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
	struct cmsghdr *h;

	if (fd >= 0) {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(c->fd, &m, MSG_NOSIGNAL), (ssize_t)size);
}

/* A header and its body, a descriptor with it or -1. */
static inline void client_send(struct client *c, const struct wire_header *h, const void *body,
			       size_t size, int fd)
{
	u8 *whole = malloc(sizeof(*h) + size);
	struct wire_header header = *h;

	assert_non_null(whole);
	header.size = (u32)(sizeof(header) + size);
	memcpy(whole, &header, sizeof(header));
	if (size)
		memcpy(whole + sizeof(header), body, size);
	full_send(c, whole, sizeof(header) + size, fd);
	free(whole);
}

static inline bool full_receive(int fd, void *to, size_t size, int *got_fd)
{
	u8 *at = to;

	while (size) {
		char control[CMSG_SPACE(sizeof(int))];
		struct iovec piece = {at, size};
		struct msghdr m = {
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		const ssize_t n = recvmsg(fd, &m, 0);

		if (n <= 0)
			return false;
		if (got_fd && CMSG_FIRSTHDR(&m))
			memcpy(got_fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* A DMA request of the card. */
static inline void answer_dma(struct client *c, struct wire_header *h, u8 *body)
{
	struct wire_dma_access a;
	struct wire_header r = {.id = h->id, .command = h->command, .flags = WIRE_REPLY};
	size_t size = sizeof(a);

	memcpy(&a, body, sizeof(a));
	c->served++;
	if (c->deaf)
		return;
	if (a.address < MESSAGE || a.count > MESSAGE_SIZE ||
	    a.address - MESSAGE > MESSAGE_SIZE - a.count) {
		r.flags |= WIRE_ERROR;
		r.error = EFAULT;
		client_send(c, &r, NULL, 0, -1);
		return;
	}
	if (h->command == WIRE_DMA_WRITE) {
		memcpy(c->message + (a.address - MESSAGE), body + sizeof(a), a.count);
	} else {
		memcpy(body + sizeof(a), c->message + (a.address - MESSAGE), a.count);
		size += a.count;
	}
	client_send(c, &r, body, size, -1);
}

/* One message; true: a reply to `id`, its body in *body (freed by the caller). */
static inline bool client_receive(struct client *c, u16 id, struct wire_header *h, u8 **body,
				  int *fd)
{
	u8 *room;

	if (!full_receive(c->fd, h, sizeof(*h), fd))
		fail_msg("the card hung up");
	room = malloc(WIRE_BODY_MAX);
	assert_non_null(room);
	assert_in_range(h->size, sizeof(*h), sizeof(*h) + WIRE_BODY_MAX);
	if (!full_receive(c->fd, room, h->size - sizeof(*h), NULL))
		fail_msg("the card hung up in a message");
	if ((h->flags & WIRE_TYPE) == WIRE_REPLY) {
		assert_int_equal(h->id, id);
		*body = room;
		return true;
	}
	answer_dma(c, h, room);
	free(room);
	return false;
}

/* Asks; copies up to `room` bytes of the answer. Bytes of it, or -1 where refused (c->last_error). */
static inline int client_ask(struct client *c, u16 command, const void *body, size_t size, int fd,
			     void *answer, size_t room, int *got_fd)
{
	struct wire_header h = {.id = ++c->id, .command = command}, r;
	u8 *got = NULL;
	int n;

	client_send(c, &h, body, size, fd);
	while (!client_receive(c, h.id, &r, &got, got_fd))
		;
	assert_int_equal(r.command, command);
	n = (int)(r.size - sizeof(r));
	if (answer)
		memcpy(answer, got, (size_t)n < room ? (size_t)n : room);
	free(got);
	c->last_error = r.error;
	return r.flags & WIRE_ERROR ? -1 : n;
}

/* Answers what the card asks for a while. */
static inline void client_listen(struct client *c, int ms)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	struct wire_header h;
	u8 *body = NULL;

	if (poll(&p, 1, ms) != 1)
		return;
	if (client_receive(c, 0, &h, &body, NULL))
		fail_msg("an answer to nothing");
}

static inline void region_set(struct client *c, u32 region, u64 offset, const void *data, u32 size)
{
	struct {
		struct wire_region_access a;
		u8 data[64];
	} m = {.a = {offset, region, size}};

	assert_in_range(size, 1, sizeof(m.data));
	memcpy(m.data, data, size);
	assert_int_equal(
		client_ask(c, WIRE_REGION_WRITE, &m, sizeof(m.a) + size, -1, NULL, 0, NULL),
		(int)sizeof(m.a));
}

static inline void region_get(struct client *c, u32 region, u64 offset, void *data, u32 size)
{
	struct wire_region_access a = {offset, region, size};
	u8 answer[sizeof(a) + 4096];

	assert_in_range(size, 1, 4096);
	assert_int_equal(
		client_ask(c, WIRE_REGION_READ, &a, sizeof(a), -1, answer, sizeof(answer), NULL),
		(int)(sizeof(a) + size));
	memcpy(data, answer + sizeof(a), size);
}

static inline u32 get(struct client *c, u32 offset)
{
	u32 v;

	region_get(c, PBIT_BAR_REGISTERS, offset, &v, sizeof(v));
	return v;
}

static inline void set(struct client *c, u32 offset, u32 value)
{
	region_set(c, PBIT_BAR_REGISTERS, offset, &value, sizeof(value));
}

static inline u32 get_config(struct client *c, u32 offset, u32 size)
{
	u32 v = 0;

	region_get(c, VFIO_PCI_CONFIG_REGION_INDEX, offset, &v, size);
	return v;
}

static inline void set_config(struct client *c, u32 offset, u32 value, u32 size)
{
	region_set(c, VFIO_PCI_CONFIG_REGION_INDEX, offset, &value, size);
}

static inline void client_version(struct client *c)
{
	char body[] = "\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":65536}}";

	assert_true(client_ask(c, WIRE_VERSION, body, sizeof(body), -1, NULL, 0, NULL) > 4);
}

static inline int map_memory(struct client *c, u64 iova, u64 size, u32 flags, int fd, u64 offset)
{
	const struct wire_dma_map m = {sizeof(m), flags, offset, iova, size};

	return client_ask(c, WIRE_DMA_MAP, &m, sizeof(m), fd, NULL, 0, NULL);
}

static inline int unmap_memory(struct client *c, u64 iova, u64 size, u32 flags)
{
	const struct wire_dma_unmap m = {sizeof(m), flags, iova, size};

	return client_ask(c, WIRE_DMA_UNMAP, &m, sizeof(m), -1, NULL, 0, NULL);
}

static inline void client_vector(struct client *c, u32 v)
{
	const struct vfio_irq_set s = {
		.argsz = sizeof(s),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.start = v,
		.count = 1,
	};

	c->vector[v] = eventfd(0, EFD_NONBLOCK);
	assert_true(c->vector[v] >= 0);
	assert_int_equal(client_ask(c, WIRE_SET_IRQS, &s, sizeof(s), c->vector[v], NULL, 0, NULL),
			 0);
}

/* Edges since the last look. */
static inline u64 edges(const struct client *c, u32 v)
{
	u64 n = 0;

	return read(c->vector[v], &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static inline bool edge_within(struct client *c, u32 v, int ms)
{
	struct pollfd p = {.fd = c->vector[v], .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static inline void client_connect(struct client *c)
{
	int pair[2];
	u32 v;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	c->fd = pair[0];
	c->server_fd = pair[1];
	for (v = 0; v < IRQ_VECTORS; v++)
		c->vector[v] = -1;
	c->tail = 0;
	c->taken = 0;
	c->deaf = false;
	assert_int_equal(server_open(&c->server, c->card, pair[1]), 0);
	assert_int_equal(pthread_create(&c->thread, NULL, serve_thread, c), 0);
}

static inline void client_disconnect(struct client *c)
{
	u32 v;

	close(c->fd);
	pthread_join(c->thread, NULL);
	close(c->server_fd);
	for (v = 0; v < IRQ_VECTORS; v++)
		if (c->vector[v] >= 0)
			close(c->vector[v]);
}

/* Memory, a bus that lets the card on, vectors. */
static inline void client_settle(struct client *c)
{
	u32 v;

	client_version(c);
	assert_int_equal(map_memory(c, DIRECT, DIRECT_SIZE, 3, c->direct_fd, 0), 0);
	assert_int_equal(map_memory(c, MESSAGE, MESSAGE_SIZE, 3, -1, 0), 0);
	set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	for (v = 0; v < 1 + c->card->plan.queues; v++)
		client_vector(c, v);
}

static inline struct client *client_new(const struct card_plan *plan)
{
	struct client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	assert_int_equal(guard_init(), 0);
	vcard_engine_init();
	assert_int_equal(vcard_create(plan, &c->card), 0);
	c->direct_fd = memfd_create("host", 0);
	assert_int_equal(ftruncate(c->direct_fd, (off_t)DIRECT_SIZE), 0);
	c->direct = mmap(NULL, DIRECT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, c->direct_fd, 0);
	assert_ptr_not_equal(c->direct, MAP_FAILED);
	c->message = calloc(1, MESSAGE_SIZE);
	assert_non_null(c->message);
	client_connect(c);
	client_settle(c);
	return c;
}

static inline void client_free(struct client *c)
{
	client_disconnect(c);
	vcard_destroy(c->card);
	munmap(c->direct, DIRECT_SIZE);
	close(c->direct_fd);
	free(c->message);
	free(c);
}

/* Where an address of the host or the card lies for us. */
static inline u8 *place(struct client *c, u64 address)
{
	if (address & PBIT_CARD_LOCAL)
		return c->card->memory + (address & ~PBIT_CARD_LOCAL);
	return address >= MESSAGE ? c->message + (address - MESSAGE)
				  : c->direct + (address - DIRECT);
}

static inline void soft_reset(struct client *c)
{
	set(c, PBIT_REG_CONTROL, PBIT_CONTROL_RESET);
	while (get(c, PBIT_REG_STATUS) & PBIT_STATUS_RESETTING)
		;
}

static inline u32 reg_q(u32 offset)
{
	return PBIT_REG_QUEUE(0) + offset;
}

/* Queue 0 with rings at an address: descriptors, then completions. */
static inline void client_rings(struct client *c, u64 at, u32 log2)
{
	c->sq = at;
	c->cq = at + (256ull << log2);
	c->log2 = log2;
	c->tail = 0;
	c->taken = 0;
	memset(place(c, c->cq), 0, 32ull << log2);
	set(c, reg_q(PBIT_Q_SQ_BASE_LO), (u32)c->sq);
	set(c, reg_q(PBIT_Q_SQ_BASE_HI), (u32)(c->sq >> 32));
	set(c, reg_q(PBIT_Q_CQ_BASE_LO), (u32)c->cq);
	set(c, reg_q(PBIT_Q_CQ_BASE_HI), (u32)(c->cq >> 32));
	set(c, reg_q(PBIT_Q_SIZE), log2);
	set(c, reg_q(PBIT_Q_CONTROL), PBIT_Q_ENABLE);
	set(c, PBIT_REG_IRQ_ENABLE, ~0u);
}

static inline void client_write(struct client *c, const struct pbit_card_desc *d)
{
	memcpy(place(c, c->sq + 256 * (u64)(c->tail & ((1u << c->log2) - 1))), d, sizeof(*d));
	c->tail++;
}

static inline void client_ring(struct client *c)
{
	set(c, reg_q(PBIT_Q_SQ_TAIL), c->tail);
}

static inline bool client_poll(struct client *c, struct pbit_card_done *done)
{
	const u8 *entry = place(c, c->cq + 32 * (u64)(c->taken & ((1u << c->log2) - 1)));
	const u64 word = __atomic_load_n((const u64 *)(const void *)entry, __ATOMIC_ACQUIRE);

	if ((word >> 48 & 1) != !(c->taken >> c->log2 & 1))
		return false;
	memcpy(done, entry, sizeof(*done));
	c->taken++;
	return true;
}

static inline bool client_wait(struct client *c, struct pbit_card_done *done, u64 ns)
{
	const u64 end = now_ns() + ns;

	while (!client_poll(c, done)) {
		if (now_ns() > end)
			return false;
		client_listen(c, 1);
	}
	set(c, reg_q(PBIT_Q_CQ_HEAD), c->taken);
	return true;
}

/* One descriptor through the ring. */
static inline struct pbit_card_done client_run(struct client *c, struct pbit_card_desc *d)
{
	struct pbit_card_done done;

	d->cookie = 0xc0de0000u + c->tail;
	client_write(c, d);
	client_ring(c);
	if (!client_wait(c, &done, PATIENCE_NS))
		fail_msg("no completion of operation %u", d->op);
	assert_int_equal(done.cookie, d->cookie);
	return done;
}

static inline u64 next_random(u64 *s)
{
	u64 z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline struct pbit_card_desc copy_of(u64 from, u64 to, u64 size)
{
	return (struct pbit_card_desc){
		.op = PBIT_OP_COPY,
		.flags = PBIT_DESC_IRQ,
		.copy = {from, to, size},
	};
}

#endif
