/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs under way: the card has the next one at hand when one ends. */
#ifndef PBIT_FPGA_PIPE_H
#define PBIT_FPGA_PIPE_H

#include "card.h"

struct card_pipe {
	struct card *card;
	struct pbit_ctl *ctl;
	const char *what;
	uint64_t job[CARD_DEPTH];
	uint32_t tag[CARD_DEPTH];
	uint32_t first, n;
	uint32_t depth;
};

void card_pipe_init(struct card_pipe *pipe, struct card *card, const char *what,
		    struct pbit_ctl *ctl);

static inline bool card_pipe_full(const struct card_pipe *pipe)
{
	return pipe->n >= pipe->depth;
}

/* Submits; the pipe is not full. */
int card_pipe_put(struct card_pipe *pipe, const struct pbit_cmd *cmds, uint32_t n, uint32_t tag);

/* Waits for the oldest. Its failure, or that of the call, with a record. */
int card_pipe_take(struct card_pipe *pipe, uint32_t *tag);

/* Cancels what is under way and waits until nothing of it runs; keeps the record there is. */
void card_pipe_drop(struct card_pipe *pipe);

/* One job from end to end. */
int card_run(struct card *card, const char *what, const struct pbit_cmd *cmds, uint32_t n,
	     struct pbit_ctl *ctl);

#endif
