/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A descriptor checked against the ROM's limits and run, as every card in software does it. */
#ifndef PBIT_MODEL_DESC_H
#define PBIT_MODEL_DESC_H

#include "engine.h"
#include "../uapi/pbit_card.h"

struct pbit_engine_card {
	const struct pbit_card_rom *rom;
	/* `size` bytes (1 or more) at an address of a descriptor; NULL: not all are there. */
	void *(*at)(void *user, u64 address, u64 size, bool write);
	pbit_engine_poll_fn *poll;
	void *user;    /* of at and poll */
	void *scratch; /* pbit_engine_scratch_bytes(max_pbits), 8-byte aligned */
};

struct pbit_engine_result {
	u32 status; /* PBIT_DONE_* */
	u32 progress;
	u64 updates; /* p-bits drawn */
	u64 macs;    /* multiply-accumulates */
	u64 bytes;   /* copied */
	u8 *output;  /* what was written last, or NULL */
};

void pbit_engine_run(const struct pbit_engine_card *card, const struct pbit_card_desc *desc,
		     struct pbit_engine_result *out);

#endif
