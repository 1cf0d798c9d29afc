// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses of descriptors made pointers. An array in one region that we have mapped is used where it lies; one
 * that spans regions, or that only messages reach, is copied here and back.
 */
#include <stdlib.h>
#include <string.h>
#include "card.h"
#include "conn.h"

#define COPY_MAX (1ull << 30)

/* The card's own memory. */
static u8 *local(struct card *card, u64 address, u64 size)
{
	const u64 offset = address & ~PBIT_CARD_LOCAL;

	if (offset > card->plan.memory || size > card->plan.memory - offset)
		return NULL;
	return card->memory + offset;
}

static bool may_master(struct card *card)
{
	return atomic_load(&card->dma.master) && !vcard_dead(card);
}

static void let_go(struct dma_user *user)
{
	struct dma_map *m = user->moving;

	user->moving = NULL;
	if (m)
		dma_unpin(&user->queue->card->dma, m);
}

/* As much as one region holds. */
static u64 move_some(struct dma_user *user, u64 address, u8 *data, u64 size, bool write)
{
	struct card *card = user->queue->card;
	u64 left, n;
	bool ok = true;

	user->moving = dma_pin(&card->dma, address, write, &left);
	if (!user->moving)
		return 0;
	n = size < left ? size : left;
	if (user->moving->at) {
		u8 *there = user->moving->at + (address - user->moving->iova);

		memcpy(write ? there : data, write ? data : there, n);
		atomic_fetch_add(&card->dma.direct_bytes, n);
	} else {
		ok = conn_dma(user, address, data, n, write);
		atomic_fetch_add(&card->dma.message_bytes, n);
	}
	let_go(user);
	return ok ? n : 0;
}

static bool move(struct dma_user *user, u64 address, u8 *data, u64 size, bool write)
{
	if (!may_master(user->queue->card) || size - 1 > ~0ull - address)
		return false;
	while (size) {
		const u64 n = move_some(user, address, data, size, write);

		if (!n)
			return false;
		address += n;
		data += n;
		size -= n;
	}
	return true;
}

bool dma_read(struct dma_user *user, u64 address, void *to, u64 size)
{
	const u8 *here;
	bool ok;

	if (!(address & PBIT_CARD_LOCAL)) {
		ok = move(user, address, to, size, false);
		let_go(user);
		return ok;
	}
	here = local(user->queue->card, address, size);
	if (here)
		memcpy(to, here, size);
	return here;
}

/* Eight aligned bytes arrive whole, behind all that was written before. */
static void put(u8 *there, const void *from, u64 size)
{
	u64 word;

	if (size != sizeof(word) || (uintptr_t)there % sizeof(word)) {
		memcpy(there, from, size);
		return;
	}
	memcpy(&word, from, sizeof(word));
	__atomic_store_n((u64 *)(void *)there, word, __ATOMIC_RELEASE);
}

/* False: not in one region that we have mapped. */
static bool write_direct(struct dma_user *user, u64 address, const void *from, u64 size)
{
	struct card *card = user->queue->card;
	bool direct;
	u64 left;

	user->moving = dma_pin(&card->dma, address, true, &left);
	direct = user->moving && user->moving->at && left >= size && may_master(card);
	if (direct) {
		put(user->moving->at + (address - user->moving->iova), from, size);
		atomic_fetch_add(&card->dma.direct_bytes, size);
	}
	let_go(user);
	return direct;
}

bool dma_write(struct dma_user *user, u64 address, const void *from, u64 size)
{
	u8 copy[64];
	u8 *here;

	if (size > sizeof(copy))
		return false;
	if (address & PBIT_CARD_LOCAL) {
		here = local(user->queue->card, address, size);
		if (here)
			put(here, from, size);
		return here;
	}
	if (write_direct(user, address, from, size))
		return true;
	memcpy(copy, from, size);
	return move(user, address, copy, size, true);
}

/* Is every byte in a region that allows it? */
static bool all_there(struct dma *dma, u64 address, u64 size, bool write)
{
	while (size) {
		u64 left;
		struct dma_map *m = dma_pin(dma, address, write, &left);

		if (!m)
			return false;
		dma_unpin(dma, m);
		left = left < size ? left : size;
		address += left;
		size -= left;
	}
	return true;
}

static void *copy_here(struct dma_user *user, struct dma_extent *e)
{
	struct dma *dma = &user->queue->card->dma;

	if (e->size > COPY_MAX || !all_there(dma, e->address, e->size, e->write))
		return NULL;
	e->copy = calloc(1, (size_t)e->size);
	if (!e->copy)
		return NULL;
	user->n++;
	/* What is to be written may be there to be read first: states. */
	if (!move(user, e->address, e->copy, e->size, false) && !e->write)
		return NULL;
	return e->copy;
}

void *dma_at(void *data, u64 address, u64 size, bool write)
{
	struct card_queue *q = data;
	struct dma_user *user = &q->dma;
	struct dma *dma = &q->card->dma;
	struct dma_extent *e = &user->extent[user->n];
	u64 left;

	if (address & PBIT_CARD_LOCAL)
		return local(q->card, address, size);
	if (!may_master(q->card) || user->n == DMA_EXTENTS || size - 1 > ~0ull - address)
		return NULL;
	*e = (struct dma_extent){.address = address, .size = size, .write = write};
	e->pin = dma_pin(dma, address, write, &left);
	if (e->pin && e->pin->at && size <= left && (!write || e->pin->read)) {
		user->n++;
		atomic_fetch_add(&dma->direct_bytes, size);
		return e->pin->at + (address - e->pin->iova);
	}
	if (e->pin)
		dma_unpin(dma, e->pin);
	e->pin = NULL;
	return copy_here(user, e);
}

bool dma_finish(struct dma_user *user, bool write_back)
{
	bool ok = true;
	u32 i;

	let_go(user);
	for (i = 0; i < user->n; i++) {
		struct dma_extent *e = &user->extent[i];

		if (e->copy && e->write && write_back)
			ok = ok && move(user, e->address, e->copy, e->size, true);
		free(e->copy);
		e->copy = NULL;
		if (e->pin)
			dma_unpin(&user->queue->card->dma, e->pin);
		e->pin = NULL;
	}
	user->n = 0;
	return ok;
}

bool dma_revoked(struct dma_user *user)
{
	struct dma *dma = &user->queue->card->dma;
	bool revoked;
	u32 i;

	/* A card that is no longer let onto the bus is in nobody's memory. */
	if (!atomic_load(&dma->master) && (user->n || user->moving))
		return true;
	if (!atomic_load(&dma->revoking))
		return false;
	pthread_mutex_lock(&dma->lock);
	revoked = user->moving && user->moving->revoked;
	for (i = 0; i < user->n; i++)
		revoked |= user->extent[i].pin && user->extent[i].pin->revoked;
	pthread_mutex_unlock(&dma->lock);
	return revoked;
}
