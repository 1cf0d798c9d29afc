// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * PBIT_OP_SWEEP: heat-bath sweeps of a sparse Boltzmann machine, p-bit by p-bit. The draws of a sweep
 * are made first, so that any order of updates finds its own.
 */
#include "bytes.h"
#include "threshold.h"
#include "../uapi/pbit_card.h"

#define POLL_PBITS 256u

struct machine {
	const struct pbit_engine_sweep *s;
	struct pbit_draw_stream stream;
	u8 *state;	  /* of this replica */
	const u8 *seen;	  /* the state that inputs are read from */
	u8 *before;	  /* synchronous: the state at the start of the sweep */
	u16 *draw;
	u32 words;
};

static u64 word_count(u32 n)
{
	return ((u64)n + 63) / 64;
}

static u64 group_count(u32 n)
{
	return ((u64)n + PBIT_DRAW_GROUP - 1) / PBIT_DRAW_GROUP;
}

u64 pbit_engine_scratch_bytes(u32 n)
{
	return 8 * word_count(n) + 2 * PBIT_DRAW_GROUP * group_count(n);
}

/* Little-endian words: bit i lies in byte i / 8 at position i % 8. */
static u32 bit_of(const u8 *state, u32 i)
{
	return state[i / 8] >> (i % 8) & 1;
}

/* Rows ascend and end at n_values, columns are p-bits, each visit too: else nothing is run. */
static bool indices_ok(const struct pbit_engine_sweep *s)
{
	u32 i, last = pbit_get32(s->rows);

	if (last)
		return false;
	for (i = 1; i <= s->n; i++) {
		const u32 next = pbit_get32(s->rows + i);

		if (next < last)
			return false;
		last = next;
	}
	if (last != s->n_values)
		return false;
	for (i = 0; i < s->n_values; i++)
		if (pbit_get32(s->columns + i) >= s->n)
			return false;
	for (i = 0; s->visits && i < s->n; i++)
		if (pbit_get32(s->visits + i) >= s->n)
			return false;
	return true;
}

/*
 * Memory may be the host's, and change while we look: every index is held below its bound again where it
 * is used.
 */
static s64 input(const struct machine *m, u32 i)
{
	const struct pbit_engine_sweep *s = m->s;
	u32 k = pbit_get32(s->rows + i), end = pbit_get32(s->rows + i + 1);
	s64 sum = (s32)pbit_get32(s->bias + i);

	if (end > s->n_values)
		end = s->n_values;
	for (; k < end; k++) {
		const s64 value = (s32)pbit_get32(s->values + k);
		const u32 j = pbit_get32(s->columns + k);

		if (j < s->n)
			sum += bit_of(m->seen, j) ? value : -value;
	}
	return sum;
}

static void update(const struct machine *m, u32 i)
{
	const struct pbit_engine_sweep *s = m->s;
	u8 bit = (u8)(1u << (i % 8));
	u32 z;

	if (s->clamp && bit_of((const u8 *)s->clamp, i))
		return;
	z = pbit_engine_z_sweep(input(m, i), s->scale);
	if (pbit_engine_fires(&m->stream, s->first_pbit + i, m->draw[i], z))
		m->state[i / 8] |= bit;
	else
		m->state[i / 8] &= (u8)~bit;
}

static int sweep(struct machine *m, pbit_engine_poll_fn *poll, void *user, u32 progress)
{
	const struct pbit_engine_sweep *s = m->s;
	u32 g, v;
	int status;

	for (g = 0; g < group_count(s->n); g++)
		pbit_draw_group(&m->stream, s->first_pbit / PBIT_DRAW_GROUP + g,
				m->draw + (u64)PBIT_DRAW_GROUP * g);
	if (s->synchronous)
		for (v = 0; v < 8 * m->words; v++)
			m->before[v] = m->state[v];
	for (v = 0; v < s->n; v++) {
		const u32 i = s->visits ? pbit_get32(s->visits + v) : v;

		if (v % POLL_PBITS == 0 && poll) {
			status = poll(user, progress);
			if (status)
				return status;
		}
		if (i < s->n)
			update(m, i);
	}
	return PBIT_DONE_OK;
}

static void report(const struct machine *m, u32 k, u32 replica)
{
	const struct pbit_engine_sweep *s = m->s;
	u8 *out = (u8 *)s->output + 8 * ((u64)k * s->replicas + replica) * m->words;
	u32 i;

	for (i = 0; i < 8 * m->words; i++)
		out[i] = m->state[i];
}

int pbit_engine_sweep(const struct pbit_engine_sweep *s, pbit_engine_poll_fn *poll, void *user,
		      u32 *progress)
{
	struct machine m = { .s = s };
	u32 replica, k;
	int status;

	*progress = 0;
	if (!indices_ok(s))
		return PBIT_DONE_BAD_ADDRESS;
	m.words = (u32)word_count(s->n);
	m.before = s->scratch;
	m.draw = (u16 *)(void *)(m.before + 8 * (u64)m.words);
	m.stream.seed = s->seed;
	m.stream.domain = s->domain;
	m.stream.layer = s->layer;
	for (replica = 0; replica < s->replicas; replica++) {
		m.state = (u8 *)s->state + 8 * (u64)replica * m.words;
		m.seen = s->synchronous ? m.before : m.state;
		m.stream.second = s->first_chain + replica;
		for (k = 0; k < s->sweeps; k++) {
			m.stream.first = s->first_sweep + k;
			status = sweep(&m, poll, user, *progress);
			if (status)
				return status;
			++*progress;
			if (s->output && (k + 1) % s->interval == 0)
				report(&m, (k + 1) / s->interval - 1, replica);
		}
	}
	return PBIT_DONE_OK;
}
