/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeps, in blocks. A block copies the states to the next place and updates them there, so an
 * interrupted one is undone by going back to the place before. Two blocks are under way at most: the
 * third place is then still that of the last one known to have ended well.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include "machine.h"

/* What an interruption may undo. */
#define BLOCK_FS 20e12

enum {
	TAG_PART,
	TAG_END, /* of a block */
};

struct update {
	struct card *card;
	struct card_machine *m;
	struct card_pipe pipe;
	const double *beta;
	bool each;
	uint32_t group;	       /* most replicas of one command */
	uint64_t sweeps;       /* asked for */
	uint64_t most;	       /* of one block */
	uint64_t begun, ended; /* blocks */
	uint64_t done;	       /* sweeps of ended blocks */
	uint64_t length[2];    /* of the blocks under way */
	uint32_t n;	       /* commands at hand */
};

/* A bound for a command, as the card states it, and for the time of a block. */
static void plan(struct update *u)
{
	const struct pbit_card_rom *rom = &u->card->link->rom;
	const struct card_machine *m = u->m;
	const uint64_t work = (uint64_t)m->n + m->n_values, max = le32toh(rom->max_samples);
	const double fs = ((double)le32toh(rom->update_fs) * m->n +
			   (double)le32toh(rom->mac_fs) * m->n_values) *
			  m->replicas;
	uint64_t group = u->card->link->max_work / work, most;

	group = group < max ? group : max;
	u->group = group < m->replicas ? (uint32_t)group : m->replicas;
	most = u->card->link->max_work / (work * u->group);
	most = most < max / u->group ? most : max / u->group;
	if (fs > 0 && (double)most > BLOCK_FS / fs)
		most = (uint64_t)(BLOCK_FS / fs);
	u->most = most ? most : 1;
}

static int take(struct update *u)
{
	uint32_t tag;
	int rc = card_pipe_take(&u->pipe, &tag);

	if (rc || tag != TAG_END)
		return rc;
	u->done += u->length[u->ended % 2];
	u->ended++;
	return 0;
}

/* Sends what is at hand. */
static int send_commands(struct update *u, uint32_t tag)
{
	int rc = 0;

	while (!rc && card_pipe_full(&u->pipe))
		rc = take(u);
	if (!rc)
		rc = card_pipe_put(&u->pipe, u->card->cmds, u->n, tag);
	u->n = 0;
	return rc;
}

static int add(struct update *u, const struct pbit_cmd *cmd)
{
	int rc = u->n == u->card->link->max_commands ? send_commands(u, TAG_PART) : 0;

	if (!rc)
		u->card->cmds[u->n++] = *cmd;
	return rc;
}

static struct pbit_ref place(const struct card_machine *m, uint64_t block)
{
	return card_ref(&m->states, (m->current + block) % CARD_STATES * m->state_stride);
}

/* The states to where block b updates them. */
static int add_copy(struct update *u, uint64_t b)
{
	const struct card_machine *m = u->m;
	const uint64_t work = u->card->link->max_work;
	const uint64_t step = work > m->state_bytes ? m->state_bytes : 8 * work;
	struct pbit_cmd cmd = {.op = PBIT_OP_COPY};
	int rc = 0;

	cmd.copy.from = b || m->on_card ? place(m, b) : card_ref(&m->mirror, 0);
	cmd.copy.to = place(m, b + 1);
	for (uint64_t left = m->state_bytes; !rc && left; left -= cmd.copy.bytes) {
		cmd.copy.bytes = left < step ? left : step;
		rc = add(u, &cmd);
		cmd.copy.from.offset += cmd.copy.bytes;
		cmd.copy.to.offset += cmd.copy.bytes;
	}
	return rc;
}

static int add_sweep(struct update *u, uint64_t b, uint32_t first, uint32_t replicas,
		     uint64_t begin, uint64_t sweeps)
{
	const struct card_machine *m = u->m;
	const double scale = 2.0 * u->beta[u->each ? first : 0] * m->step;
	const uint64_t offset = 8ull * first * m->words;
	struct pbit_cmd cmd = {.op = PBIT_OP_SWEEP};
	struct pbit_cmd_sweep *s = &cmd.sweep;

	s->rows = card_ref(&m->graph, 0);
	s->columns = card_ref(&m->graph, m->columns);
	s->values = card_ref(&m->graph, m->values);
	s->bias = card_ref(&m->bias, 0);
	if (m->visits)
		s->visits = card_ref(&m->graph, m->visits);
	if (m->clamped)
		s->clamp = card_ref(&m->mask, 0);
	s->state = place(m, b + 1);
	s->state.offset += offset;
	/* The last block leaves what a read will ask for where the host sees it. */
	if (m->mirror.handle && begin + sweeps == u->sweeps) {
		s->output = card_ref(&m->mirror, offset);
		s->interval = (uint32_t)sweeps;
	}
	memcpy(&s->scale, &scale, sizeof(scale));
	s->seed = m->seed;
	s->layer = m->at.layer;
	s->domain = m->at.domain;
	s->first_sweep = m->at.sweep + begin;
	s->first_chain = m->at.chain + first;
	s->first_pbit = m->at.first_pbit;
	s->n_values = m->n_values;
	s->n = m->n;
	s->replicas = replicas;
	s->sweeps = (uint32_t)sweeps;
	s->synchronous = m->order == PBIT_ORDER_SYNCHRONOUS;
	return add(u, &cmd);
}

/* Replicas from `first` that one command takes: those with the same beta. */
static uint32_t group_at(const struct update *u, uint32_t first)
{
	const uint32_t left = u->m->replicas - first;
	const uint32_t most = left < u->group ? left : u->group;
	uint32_t n = 1;

	if (!u->each)
		return most;
	while (n < most && u->beta[first + n] == u->beta[first])
		n++;
	return n;
}

static int run_block(struct update *u, uint64_t begin)
{
	const uint64_t b = u->begun, left = u->sweeps - begin;
	const uint64_t sweeps = left < u->most ? left : u->most;
	uint32_t n;
	int rc = 0;

	while (!rc && u->begun - u->ended >= 2)
		rc = take(u);
	if (!rc) {
		u->length[b % 2] = sweeps;
		u->begun++;
		rc = add_copy(u, b);
	}
	for (uint32_t first = 0; !rc && first < u->m->replicas; first += n) {
		n = group_at(u, first);
		rc = add_sweep(u, b, first, n, begin, sweeps);
	}
	return rc ? rc : send_commands(u, TAG_END);
}

/* The state that the host has goes to the card: by way of the mirror within the first block. */
static int push(struct update *u, const char *what)
{
	struct card_machine *m = u->m;
	int rc;

	if (m->on_card)
		return 0;
	if (m->mirror.handle) {
		memcpy(m->mirror.mem, m->state, m->state_bytes);
		return card_flush(u->card->link, &m->mirror, 0, m->state_bytes);
	}
	rc = card_upload(u->card, what, &m->states, m->current * m->state_stride, m->state,
			 m->state_bytes);
	m->on_card = !rc;
	return rc;
}

/* The state is where the last block that ended well has left it. */
static void settle(struct update *u, bool all)
{
	struct card_machine *m = u->m;

	m->at.sweep += u->done;
	m->in_mirror = all && m->mirror.handle;
	if (!u->ended)
		return;
	m->current = (uint32_t)((m->current + u->ended) % CARD_STATES);
	m->on_card = true;
	m->on_host = false;
}

static int update(struct card *card, const double *beta, bool each, uint64_t sweeps,
		  struct pbit_ctl *ctl)
{
	static const char what[] = "cannot update the machine";
	struct update u = {
		.card = card,
		.m = card->machine,
		.beta = beta,
		.each = each,
		.sweeps = sweeps,
	};
	uint64_t begin = 0;
	int rc;

	if (card->link->dead)
		return card_link_gone(card->link, what, NULL);
	if (!sweeps)
		return 0;
	plan(&u);
	card_pipe_init(&u.pipe, card, what, ctl);
	/* It will be overwritten; before that the card's own state is as good. */
	rc = push(&u, what);
	for (; !rc && begin < sweeps; begin += u.length[(u.begun - 1) % 2])
		rc = run_block(&u, begin);
	while (!rc && u.pipe.n)
		rc = take(&u);
	card_pipe_drop(&u.pipe);
	settle(&u, !rc);
	return rc;
}

int card_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	return update(priv, &beta, false, sweeps, ctl);
}

int card_update_each(void *priv, const double *beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	return update(priv, beta, true, sweeps, ctl);
}
