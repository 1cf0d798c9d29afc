/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's memory: regions that the client has mapped for us, those with a descriptor reached directly,
 * the others by messages. A region is only taken back when nobody works in it.
 */
#ifndef PBIT_CARD_DMA_H
#define PBIT_CARD_DMA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "model/engine.h"

struct dma_map {
	u64 iova, size;
	u8 *at; /* NULL: by messages */
	bool read, write;
	bool revoked; /* dma.lock */
	u32 pins;
	void *base; /* of mmap(2) */
	size_t span;
};

struct dma {
	pthread_mutex_t lock;
	pthread_cond_t unpinned;
	struct dma_map **map; /* by iova */
	size_t n, room;
	_Atomic bool master;
	_Atomic u32 revoking; /* not 0: users look whether it is theirs */
	_Atomic u64 direct_bytes, message_bytes;
};

#define DMA_MAPS_MAX 65535u

/* An array that a descriptor reads or writes, until it has ended. */
struct dma_extent {
	struct dma_map *pin; /* or a copy */
	u8 *copy;
	u64 address, size;
	bool write;
};

/* A descriptor has eight arrays at most. */
#define DMA_EXTENTS 12u

struct card_queue;

struct dma_user {
	struct card_queue *queue;
	struct dma_extent extent[DMA_EXTENTS];
	u32 n;
	struct dma_map *moving; /* pinned while bytes are moved */
};

int dma_init(struct dma *dma);
void dma_destroy(struct dma *dma);

/* fd: or -1; stays the caller's. -EINVAL, -EEXIST (overlaps), -ENOSPC, -ENOMEM, or why mmap(2) failed. */
int dma_map(struct dma *dma, u64 iova, u64 size, u32 flags, int fd, u64 offset);
/* All maps within; -EINVAL where one reaches out of it. Waits for those who work there. */
int dma_unmap(struct dma *dma, u64 iova, u64 size, u64 *unmapped);
void dma_unmap_all(struct dma *dma);
/* Is the card let onto the bus? Taken off it, nothing is in use any more when this returns. */
void dma_set_master(struct dma *dma, bool master);

/* The map that holds an address, pinned; NULL: none that allows it. *left: bytes from there to its end. */
struct dma_map *dma_pin(struct dma *dma, u64 address, bool write, u64 *left);
void dma_unpin(struct dma *dma, struct dma_map *map);

/* reach.c */

/* pbit_engine_card.at; user is a struct card_queue. */
void *dma_at(void *user, u64 address, u64 size, bool write);
/* Copies go back, everything is let go. False: the host refused one. */
bool dma_finish(struct dma_user *user, bool write_back);
/* Is a region that is in use here being taken back? */
bool dma_revoked(struct dma_user *user);
/* Moves bytes of a ring. */
bool dma_read(struct dma_user *user, u64 address, void *to, u64 size);
bool dma_write(struct dma_user *user, u64 address, const void *from, u64 size);

#endif
