/* SPDX-License-Identifier: Apache-2.0 */
/* A Boltzmann machine on a card. */
#ifndef PBIT_FPGA_MACHINE_H
#define PBIT_FPGA_MACHINE_H

#include "pipe.h"

/* States go from one place to the next, so that the one before an interrupted block is there. */
#define CARD_STATES 3u

struct card_machine {
	uint32_t n, n_values, order, replicas;
	size_t words;	       /* of one state */
	uint64_t state_bytes;  /* of all replicas */
	uint64_t state_stride; /* from one place to the next */
	double step;
	uint64_t seed;
	struct pbit_stream at; /* the next draws */
	struct card_buffer graph;
	uint64_t columns, values, visits; /* offsets in it; visits 0: by index */
	struct card_buffer bias, mask;
	bool clamped;
	struct card_buffer states; /* CARD_STATES places */
	struct card_buffer mirror; /* host: what the last sweep left; none where states are large */
	uint32_t current;	   /* place of the state on the card */
	bool on_card, on_host, in_mirror; /* where the state is up to date */
	uint64_t *state;		  /* on_host */
};

bool card_has_boltzmann(const struct card *card);

/* NULL is allowed. */
void card_machine_free(struct card *card, struct card_machine *m);

/* Makes the state on the host up to date. */
int card_machine_bring(struct card *card, const char *what, struct card_machine *m);

#endif
