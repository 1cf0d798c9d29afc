// SPDX-License-Identifier: Apache-2.0
/* Messages in and out. A client that stops in mid-message, or stops reading, is given up. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "card.h"
#include "conn.h"

#define PATIENCE_S 10
#define SLICE_NS   5000000

struct conn_request {
	struct conn_request *next;
	u16 id, command;
	u64 address, size;
	u8 *data; /* of a read */
	bool done, ok;
};

int conn_init(struct conn *conn, int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	pthread_condattr_t attr;
	int rc;

	memset(conn, 0, sizeof(*conn));
	conn->fd = fd;
	atomic_store(&conn->data_max, WIRE_DATA_MAX);
	pthread_mutex_init(&conn->send_lock, NULL);
	pthread_mutex_init(&conn->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&conn->answered, &attr);
	pthread_condattr_destroy(&attr);
	if (rc)
		return -rc;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return -errno;
	return 0;
}

void conn_destroy(struct conn *conn)
{
	pthread_cond_destroy(&conn->answered);
	pthread_mutex_destroy(&conn->lock);
	pthread_mutex_destroy(&conn->send_lock);
}

void conn_hang_up(struct conn *conn)
{
	u8 rest[4096];

	pthread_mutex_lock(&conn->lock);
	conn->gone = true;
	pthread_cond_broadcast(&conn->answered);
	pthread_mutex_unlock(&conn->lock);
	/* Whoever is sending stops. */
	shutdown(conn->fd, SHUT_RDWR);
	/* What is left unread would reach the client as an error, which some take badly, not as an end. */
	while (recv(conn->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
}

static void take_fds(struct msghdr *m, struct conn_message *message)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		u32 n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (u32)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		if (n > WIRE_FDS_MAX - message->n_fds)
			n = WIRE_FDS_MAX - message->n_fds;
		memcpy(message->fd + message->n_fds, CMSG_DATA(c), n * sizeof(int));
		message->n_fds += n;
	}
}

void conn_close_fds(struct conn_message *message)
{
	u32 i;

	for (i = 0; i < message->n_fds; i++)
		if (message->fd[i] >= 0)
			close(message->fd[i]);
	message->n_fds = 0;
}

static int receive_some(struct conn *conn, void *to, size_t size, struct conn_message *message)
{
	u8 *at = to;

	while (size) {
		char control[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
		struct iovec piece = {at, size};
		struct msghdr m = {
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		const ssize_t n = recvmsg(conn->fd, &m, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -ECONNRESET;
		take_fds(&m, message);
		if (!n)
			return -ECONNRESET;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int conn_receive(struct conn *conn, u8 *buffer, struct conn_message *message)
{
	struct wire_header *h = &message->header;
	int rc;

	message->n_fds = 0;
	message->body = buffer;
	message->size = 0;
	rc = receive_some(conn, h, sizeof(*h), message);
	if (rc)
		return rc;
	if (h->size < sizeof(*h) || h->size - sizeof(*h) > WIRE_BODY_MAX)
		return -EPROTO;
	message->size = h->size - (u32)sizeof(*h);
	return receive_some(conn, buffer, message->size, message);
}

static void attach(struct msghdr *m, char *control, size_t size, int fd)
{
	struct cmsghdr *c;

	memset(control, 0, size);
	m->msg_control = control;
	m->msg_controllen = size;
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
}

/* What is left of three pieces after n bytes. */
static void advance(struct iovec *piece, size_t n)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		const size_t k = n < piece[i].iov_len ? n : piece[i].iov_len;

		piece[i].iov_base = (u8 *)piece[i].iov_base + k;
		piece[i].iov_len -= k;
		n -= k;
	}
}

static int send_all(struct conn *conn, struct iovec *piece, size_t size, int fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr m = {.msg_iov = piece, .msg_iovlen = 3};

	if (fd >= 0)
		attach(&m, control, sizeof(control), fd);
	while (size) {
		const ssize_t n = sendmsg(conn->fd, &m, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		advance(piece, (size_t)n);
		size -= (size_t)n;
		m.msg_control = NULL;
		m.msg_controllen = 0;
	}
	return 0;
}

int conn_send(struct conn *conn, const struct wire_header *header, const void *a, size_t a_size,
	      const void *b, size_t b_size, int fd)
{
	struct wire_header h = *header;
	static u8 nothing;
	struct iovec piece[3] = {
		{&h, sizeof(h)},
		{a ? (void *)(uintptr_t)a : &nothing, a_size},
		{b ? (void *)(uintptr_t)b : &nothing, b_size},
	};
	int rc;

	h.size = (u32)(sizeof(h) + a_size + b_size);
	pthread_mutex_lock(&conn->send_lock);
	rc = send_all(conn, piece, h.size, fd);
	pthread_mutex_unlock(&conn->send_lock);
	return rc;
}

static bool fits(const struct conn_request *r, const struct conn_message *message)
{
	struct wire_dma_access a;

	if (message->header.flags & WIRE_ERROR || message->header.command != r->command)
		return false;
	if (r->command == WIRE_DMA_WRITE)
		return true;
	if (message->size != sizeof(a) + r->size)
		return false;
	memcpy(&a, message->body, sizeof(a));
	return a.address == r->address && a.count == r->size;
}

/* An answer that nobody waits for (any more) is let fall. */
void conn_answer(struct conn *conn, const struct conn_message *message)
{
	struct conn_request *r;

	pthread_mutex_lock(&conn->lock);
	for (r = conn->waiting; r; r = r->next)
		if (r->id == message->header.id && !r->done)
			break;
	if (r) {
		r->ok = fits(r, message);
		if (r->ok && r->data)
			memcpy(r->data, message->body + sizeof(struct wire_dma_access), r->size);
		r->done = true;
		pthread_cond_broadcast(&conn->answered);
	}
	pthread_mutex_unlock(&conn->lock);
}

static void enter(struct conn *conn, struct conn_request *r)
{
	pthread_mutex_lock(&conn->lock);
	/* Apart from the client's, for whoever reads along. */
	conn->next_id = (u16)((conn->next_id + 1) | 0x8000);
	r->id = conn->next_id;
	r->next = conn->waiting;
	conn->waiting = r;
	pthread_mutex_unlock(&conn->lock);
}

static void leave(struct conn *conn, struct conn_request *r)
{
	struct conn_request **at = &conn->waiting;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
}

/* Is there any sense in waiting on? Rings are reached in an abort too, and after a watchdog. */
static bool given_up(struct dma_user *user)
{
	struct card_queue *q = user->queue;

	return atomic_load(&q->drop) || atomic_load(&q->card->stopping) || vcard_dead(q->card) ||
	       dma_revoked(user);
}

static void wait_slice(struct conn *conn)
{
	const u64 end = now_ns() + SLICE_NS;
	const struct timespec until = {
		.tv_sec = (time_t)(end / 1000000000),
		.tv_nsec = (long)(end % 1000000000),
	};

	pthread_cond_timedwait(&conn->answered, &conn->lock, &until);
}

static bool ask(struct conn *conn, struct dma_user *user, struct conn_request *r, const u8 *data)
{
	const struct wire_dma_access a = {r->address, r->size};
	struct wire_header h = {.command = r->command};
	int rc;

	enter(conn, r);
	h.id = r->id;
	rc = conn_send(conn, &h, &a, sizeof(a), data, data ? r->size : 0, -1);
	pthread_mutex_lock(&conn->lock);
	while (!rc && !r->done && !conn->gone) {
		pthread_mutex_unlock(&conn->lock);
		if (given_up(user))
			rc = -ECANCELED;
		pthread_mutex_lock(&conn->lock);
		if (!rc && !r->done && !conn->gone)
			wait_slice(conn);
	}
	leave(conn, r);
	pthread_mutex_unlock(&conn->lock);
	return r->done && r->ok;
}

bool conn_dma(struct dma_user *user, u64 address, u8 *data, u64 size, bool write)
{
	struct conn *conn = atomic_load(&user->queue->card->conn);
	u64 max;

	if (!conn)
		return false;
	max = atomic_load(&conn->data_max);
	while (size) {
		struct conn_request r = {
			.command = write ? WIRE_DMA_WRITE : WIRE_DMA_READ,
			.address = address,
			.size = size < max ? size : max,
			.data = write ? NULL : data,
		};

		if (!ask(conn, user, &r, write ? data : NULL))
			return false;
		address += r.size;
		data += r.size;
		size -= r.size;
	}
	return true;
}
