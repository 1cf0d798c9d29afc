/* SPDX-License-Identifier: Apache-2.0 */
/* One client of the card: its requests answered one by one. */
#ifndef PBIT_CARD_SERVER_H
#define PBIT_CARD_SERVER_H

#include "card.h"
#include "config.h"
#include "conn.h"

struct server {
	struct card *card;
	struct conn conn;
	struct config config;
	u8 *buffer;
	bool negotiated;
};

/* A card for a new client: reset, its memory new. fd stays the caller's. 0 or a negative errno. */
int server_open(struct server *server, struct card *card, int fd);
/* Answers one message; waits for it. Negative: the client is gone, or cannot be understood. */
int server_step(struct server *server);
void server_close(struct server *server);

/* region.c: BARs and configuration space, -EINVAL outside them. */
int region_read(struct server *server, u32 region, u64 offset, u8 *to, u32 size);
int region_write(struct server *server, u32 region, u64 offset, const u8 *from, u32 size);
u64 region_size(const struct server *server, u32 region);

#endif
