/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of coupled pairs of a Boltzmann machine: tells a pair that is set twice when it is
 * set, in constant time, for machines of millions of couplings.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SLOTS 64u

/* Finaliser of MurmurHash3's kind: every bit of the pair reaches every bit of the slot. */
static uint64_t mix(uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdull;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53ull;
	return key ^ (key >> 33);
}

/* The slot of the key, or the empty one where it belongs. */
static uint64_t find(const uint64_t *slot, uint64_t slots, uint64_t key)
{
	uint64_t at = mix(key) & (slots - 1);

	while (slot[at] && slot[at] != key)
		at = (at + 1) & (slots - 1);
	return at;
}

static int grow(struct pbit__pair_set *set)
{
	uint64_t slots = set->slots ? set->slots * 2 : FIRST_SLOTS;
	uint64_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (uint64_t k = 0; k < set->slots; k++) {
		if (set->slot[k])
			slot[find(slot, slots, set->slot[k])] = set->slot[k];
	}
	free(set->slot);
	set->slot = slot;
	set->slots = slots;
	return 0;
}

int pbit__pair_set_add(struct pbit__pair_set *set, uint32_t i, uint32_t j)
{
	uint64_t key = (uint64_t)i << 32 | j; /* i < j, so never 0 */
	uint64_t at;
	int rc;

	if (set->used * 2 >= set->slots) {
		rc = grow(set);
		if (rc)
			return rc;
	}
	at = find(set->slot, set->slots, key);
	if (set->slot[at])
		return 0;
	set->slot[at] = key;
	set->used++;
	return 1;
}

void pbit__pair_set_clear(struct pbit__pair_set *set)
{
	free(set->slot);
	*set = (struct pbit__pair_set){0};
}
