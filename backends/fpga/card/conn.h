/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line to a client: one thread reads it, all may write. Requests of ours (DMA by message) wait for
 * their answers here.
 */
#ifndef PBIT_CARD_CONN_H
#define PBIT_CARD_CONN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "model/engine.h"
#include "wire.h"

struct conn_request;
struct dma_user;
struct card;

struct conn {
	int fd;
	pthread_mutex_t send_lock;
	pthread_mutex_t lock; /* requests */
	pthread_cond_t answered;
	struct conn_request *waiting;
	u16 next_id;
	bool gone;
	_Atomic u32 data_max; /* that the client takes in one message */
};

/* A message, its descriptors still ours to close. */
struct conn_message {
	struct wire_header header;
	u8 *body;
	u32 size; /* of the body */
	int fd[WIRE_FDS_MAX];
	u32 n_fds;
};

/* fd stays the caller's. */
int conn_init(struct conn *conn, int fd);
void conn_destroy(struct conn *conn);
/* All who wait are told that no answer comes. */
void conn_hang_up(struct conn *conn);

/* One message, body in a buffer of WIRE_BODY_MAX bytes. 0, or -ECONNRESET, -EPROTO, -ETIMEDOUT. */
int conn_receive(struct conn *conn, u8 *buffer, struct conn_message *message);
void conn_close_fds(struct conn_message *message);

/* Two pieces of a body, either may be empty; fd: or -1. 0 or a negative errno. */
int conn_send(struct conn *conn, const struct wire_header *header, const void *a, size_t a_size,
	      const void *b, size_t b_size, int fd);

/* An answer to a request of ours. */
void conn_answer(struct conn *conn, const struct conn_message *message);

/* Any queue's thread: bytes of the host by messages. */
bool conn_dma(struct dma_user *user, u64 address, u8 *data, u64 size, bool write);

#endif
