// SPDX-License-Identifier: Apache-2.0
/* The state of a sequential generator at the start of a descriptor. */
#include <endian.h>
#include "card.h"

/* Its own table is behind the quick decisions. */
void pbit_sequential_init(void);

extern _Thread_local u32 pbit_sequential_state[4];
_Thread_local u32 pbit_sequential_state[4];

/* SplitMix64's finaliser. */
static u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static u64 add(u64 state, u64 value)
{
	return mix((state + 0x9e3779b97f4a7c15ull) ^ mix(value));
}

/* Descriptors that share a seed but begin elsewhere share no draws. */
void vcard_sequential_seed(const struct pbit_card_desc *desc)
{
	const struct pbit_card_layer *l = &desc->layer;
	const struct pbit_card_sweep *w = &desc->sweep;
	u64 h = le16toh(desc->op), low, high;

	if (h == PBIT_OP_LAYER) {
		h = add(h, le64toh(l->seed));
		h = add(h, le32toh(l->layer));
		h = add(h, le64toh(l->first_image));
		h = add(h, le64toh(l->first_sample));
		h = add(h, le32toh(l->first_output));
	} else if (h == PBIT_OP_SWEEP) {
		h = add(h, le64toh(w->seed));
		h = add(h, le64toh(w->layer));
		h = add(h, le64toh(w->first_sweep));
		h = add(h, le64toh(w->first_chain));
		h = add(h, le64toh(w->first_pbit));
	}
	low = add(h, 1);
	high = add(h, 2);
	pbit_sequential_state[0] = (u32)low | 1; /* never all zero */
	pbit_sequential_state[1] = (u32)(low >> 32);
	pbit_sequential_state[2] = (u32)high;
	pbit_sequential_state[3] = (u32)(high >> 32);
}

void vcard_engine_init(void)
{
	pbit_engine_init();
	pbit_sequential_init();
}
