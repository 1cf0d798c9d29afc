/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of couplings with an index of its pairs: finds a pair that is there already in constant
 * time, for machines of millions of couplings.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SLOTS 64u

/* Finaliser of MurmurHash3's kind: every bit of the pair reaches every bit of the slot. */
static uint64_t mix(uint32_t i, uint32_t j)
{
	uint64_t key = (uint64_t)i << 32 | j;

	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdull;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53ull;
	return key ^ (key >> 33);
}

/* The slot of the pair, or the empty one where it belongs. */
static uint64_t find_slot(const struct pbit__coupling_list *list, uint32_t i, uint32_t j)
{
	const struct pbit__pair_index *index = &list->index;
	uint64_t at = mix(i, j) & (index->slots - 1);

	while (index->slot[at]) {
		const struct pbit__coupling *c = &list->entry[index->slot[at] - 1];

		if (c->i == i && c->j == j)
			break;
		at = (at + 1) & (index->slots - 1);
	}
	return at;
}

/* Puts entries into the index up to the last of the list; it has the room. */
static void fill_index(struct pbit__coupling_list *list)
{
	struct pbit__pair_index *index = &list->index;

	while (index->used < list->count) {
		const struct pbit__coupling *c = &list->entry[index->used++];

		index->slot[find_slot(list, c->i, c->j)] = index->used;
	}
}

static int reserve_index(struct pbit__coupling_list *list, uint64_t more)
{
	struct pbit__pair_index *index = &list->index;
	uint64_t slots = index->slots ? index->slots : FIRST_SLOTS;
	uint64_t *slot;

	while (slots / 2 < list->count + more)
		slots *= 2;
	if (slots == index->slots)
		return 0;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(index->slot);
	*index = (struct pbit__pair_index){.slot = slot, .slots = slots};
	return 0;
}

static int reserve_entries(struct pbit__coupling_list *list, uint64_t more)
{
	uint64_t capacity = list->capacity + list->capacity / 2 + more + 16;
	void *entry;

	if (more <= list->capacity - list->count)
		return 0;
	if (capacity > SIZE_MAX / sizeof(*list->entry))
		return -ENOMEM;
	entry = realloc(list->entry, capacity * sizeof(*list->entry));
	if (!entry)
		return -ENOMEM;
	list->entry = entry;
	list->capacity = capacity;
	return 0;
}

int pbit__couplings_prepare(struct pbit__coupling_list *list, uint64_t more)
{
	int rc = reserve_entries(list, more);

	if (!rc)
		rc = reserve_index(list, more);
	if (!rc)
		fill_index(list);
	return rc;
}

uint64_t pbit__couplings_find(const struct pbit__coupling_list *list, uint32_t i, uint32_t j)
{
	uint64_t entry = list->index.slots ? list->index.slot[find_slot(list, i, j)] : 0;

	return entry ? entry - 1 : PBIT__NO_PAIR;
}

void pbit__couplings_append(struct pbit__coupling_list *list, uint32_t i, uint32_t j, double value)
{
	list->entry[list->count++] = (struct pbit__coupling){i, j, value};
	fill_index(list);
}

void pbit__couplings_clear(struct pbit__coupling_list *list)
{
	free(list->entry);
	free(list->index.slot);
	*list = (struct pbit__coupling_list){0};
}
