/* SPDX-License-Identifier: Apache-2.0 */
/* Programs a Boltzmann machine, its clamps, biases and states. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/contract.h>
#include "boltzmann/colour.h"
#include "machine.h"

/* States up to here come back with each update. */
#define MIRROR_BYTES (256u << 10)

static const char cannot_program[] = "cannot program the machine";

void card_machine_free(struct card *card, struct card_machine *m)
{
	if (!m)
		return;
	card_buffer_free(card, &m->graph);
	card_buffer_free(card, &m->bias);
	card_buffer_free(card, &m->mask);
	card_buffer_free(card, &m->states);
	card_buffer_free(card, &m->mirror);
	free(m->state);
	free(m);
}

static int beyond(const struct card *card, const char *quantity, uint64_t found, uint64_t limit)
{
	return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, cannot_program, card->link->where,
			 "use a smaller machine or a larger card",
			 "the machine has %s of %llu, the card takes %llu", quantity,
			 (unsigned long long)found, (unsigned long long)limit);
}

static int check_integers(const struct card *card, const char *what, const char *name,
			  const int32_t *value, uint64_t n)
{
	const uint32_t bits = le32toh(card->link->rom.coupling_bits);
	const int64_t bound = (int64_t)1 << (bits - 1);

	for (uint64_t i = 0; i < n; i++)
		if (value[i] < -bound || value[i] >= bound)
			return pbit_fail(-ERANGE, PBIT_ERR_LIMIT, what, card->link->where,
					 "round J and h to multiples of a larger step",
					 "%s is %d steps, the card holds %u bits", name, value[i],
					 bits);
	return 0;
}

static int check_view(const struct card *card, const struct pbit_bm_view *v, uint32_t order)
{
	const struct pbit_card_rom *rom = &card->link->rom;
	const uint64_t entries = v->row[v->n];
	int rc;

	if (!card_has_boltzmann(card))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, cannot_program, card->link->where,
				 NULL, "the card has no Boltzmann mode, or copies no states");
	if ((order & (order - 1)) || !(order & le32toh(rom->orders)))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, cannot_program, card->link->where,
				 NULL, "the card does not have update order 0x%x", order);
	if (v->n > le32toh(rom->max_pbits))
		return beyond(card, "a number of p-bits", v->n, le32toh(rom->max_pbits));
	for (uint32_t i = 0; i < v->n; i++)
		if (v->row[i + 1] - v->row[i] > le32toh(rom->max_degree))
			return beyond(card, "a p-bit with a number of couplings",
				      v->row[i + 1] - v->row[i], le32toh(rom->max_degree));
	if (entries > UINT32_MAX)
		return beyond(card, "a number of couplings", entries, UINT32_MAX);
	if (v->n + entries > card->link->max_work)
		return beyond(card, "work in a sweep", v->n + entries, card->link->max_work);
	rc = check_integers(card, cannot_program, "a coupling", v->Jq, entries);
	return rc ? rc : check_integers(card, cannot_program, "a bias", v->hq, v->n);
}

static int upload_rows(struct card *card, const struct card_machine *m,
		       const struct pbit_bm_view *v)
{
	uint32_t *row = calloc((size_t)v->n + 1, sizeof(*row));
	int rc;

	if (!row)
		return card_no_memory(card, cannot_program);
	for (uint32_t i = 0; i <= v->n; i++)
		row[i] = (uint32_t)v->row[i];
	rc = card_upload(card, cannot_program, &m->graph, 0, row,
			 ((uint64_t)v->n + 1) * sizeof(*row));
	free(row);
	return rc;
}

/* P-bits colour by colour, by index in a colour. */
static uint32_t *by_colour(const struct pbit_bm_view *v)
{
	uint32_t *colour = calloc(v->n, sizeof(*colour));
	uint32_t *start = calloc((size_t)v->n + 1, sizeof(*start));
	uint32_t *visits = calloc(v->n, sizeof(*visits));
	uint32_t colours;

	if (!colour || !start || !visits || pbit__bm_colour_view(v, colour, &colours)) {
		free(visits);
		visits = NULL;
		goto out;
	}
	for (uint32_t i = 0; i < v->n; i++)
		start[colour[i] + 1]++;
	for (uint32_t c = 0; c < colours; c++)
		start[c + 1] += start[c];
	for (uint32_t i = 0; i < v->n; i++)
		visits[start[colour[i]]++] = i;
out:
	free(colour);
	free(start);
	return visits;
}

static int upload_visits(struct card *card, const struct card_machine *m,
			 const struct pbit_bm_view *v)
{
	uint32_t *visits = by_colour(v);
	int rc;

	if (!visits)
		return card_no_memory(card, cannot_program);
	rc = card_upload(card, cannot_program, &m->graph, m->visits, visits,
			 (uint64_t)v->n * sizeof(*visits));
	free(visits);
	return rc;
}

static int upload_graph(struct card *card, struct card_machine *m, const struct pbit_bm_view *v)
{
	const uint64_t entries = v->row[v->n];
	uint64_t end;
	int rc;

	m->n_values = (uint32_t)entries;
	m->columns = card_round_up(4 * ((uint64_t)v->n + 1), 64);
	m->values = m->columns + card_round_up(4 * entries, 64);
	end = m->values + card_round_up(4 * entries, 64);
	if (m->order == PBIT_ORDER_CHROMATIC) {
		m->visits = end;
		end += 4ull * v->n;
	}
	rc = card_buffer_new(card, cannot_program, PBIT_BUFFER_DEVICE, end, &m->graph);
	if (!rc)
		rc = upload_rows(card, m, v);
	if (!rc && entries)
		rc = card_upload(card, cannot_program, &m->graph, m->columns, v->col, 4 * entries);
	if (!rc && entries)
		rc = card_upload(card, cannot_program, &m->graph, m->values, v->Jq, 4 * entries);
	if (!rc && m->visits)
		rc = upload_visits(card, m, v);
	return rc;
}

static int make_states(struct card *card, struct card_machine *m)
{
	const uint64_t mask_bytes = 8 * m->words;
	int rc;

	m->state = calloc((size_t)m->replicas * m->words, sizeof(*m->state));
	if (!m->state)
		return card_no_memory(card, cannot_program);
	m->on_host = true;
	rc = card_array_new(card, cannot_program, mask_bytes, &m->mask);
	if (!rc)
		rc = card_buffer_new(card, cannot_program, PBIT_BUFFER_DEVICE,
				     CARD_STATES * m->state_stride, &m->states);
	if (!rc && m->state_bytes <= MIRROR_BYTES && m->state_bytes <= card->link->max_host_buffer)
		rc = card_buffer_new(card, cannot_program, PBIT_BUFFER_HOST, m->state_bytes,
				     &m->mirror);
	return rc;
}

static int program(struct card *card, const struct pbit_bm_view *v,
		   const struct pbit_program_opts *opts)
{
	const uint32_t order = opts->order ? opts->order : PBIT_ORDER_SEQUENTIAL;
	struct card_machine *m;
	int rc = check_view(card, v, order);

	/* The card's memory may not hold two machines. */
	card_machine_free(card, card->machine);
	card->machine = NULL;
	if (rc)
		return rc;
	m = calloc(1, sizeof(*m));
	if (!m)
		return card_no_memory(card, cannot_program);
	m->n = v->n;
	m->order = order;
	m->replicas = opts->replicas;
	m->words = ((size_t)v->n + 63) / 64;
	m->state_bytes = 8ull * m->words * m->replicas;
	m->state_stride = card_round_up(m->state_bytes, 64);
	m->step = v->step;
	m->seed = opts->seed;
	m->at = (struct pbit_stream){
		.struct_size = sizeof(m->at),
		.domain = PBIT_DOMAIN_BOLTZMANN,
		.chain = opts->first_chain,
	};
	rc = upload_graph(card, m, v);
	if (!rc)
		rc = card_array_new(card, cannot_program, 4ull * v->n, &m->bias);
	if (!rc)
		rc = card_array_set(card, cannot_program, &m->bias, v->hq, 4ull * v->n);
	if (!rc)
		rc = make_states(card, m);
	if (rc) {
		card_machine_free(card, m);
		return rc;
	}
	card->machine = m;
	return 0;
}

int card_program(void *priv, const struct pbit_bm_view *view, uint32_t order, uint64_t seed)
{
	const struct pbit_program_opts opts = {.order = order, .seed = seed, .replicas = 1};

	return program(priv, view, &opts);
}

int card_program_replicas(void *priv, const struct pbit_bm_view *view,
			  const struct pbit_program_opts *opts)
{
	return program(priv, view, opts);
}

int card_machine_bring(struct card *card, const char *what, struct card_machine *m)
{
	int rc;

	if (m->on_host)
		return 0;
	if (card->link->dead)
		return card_link_gone(card->link, what, NULL);
	if (m->in_mirror) {
		rc = card_fetch(card->link, &m->mirror, 0, m->state_bytes);
		if (!rc)
			memcpy(m->state, m->mirror.mem, m->state_bytes);
	} else {
		rc = card_download(card, what, &m->states, m->current * m->state_stride, m->state,
				   m->state_bytes);
	}
	m->on_host = !rc;
	return rc;
}

/* The host's state is another from now on. */
static void changed(struct card_machine *m)
{
	m->on_card = m->in_mirror = false;
}

static int clamp(struct card *card, const uint64_t *mask, const uint64_t *values, bool each)
{
	static const char what[] = "cannot clamp p-bits";
	struct card_machine *m = card->machine;
	int rc;

	if (!mask) {
		m->clamped = false;
		return 0;
	}
	rc = card_machine_bring(card, what, m);
	if (!rc)
		rc = card_array_set(card, what, &m->mask, mask, 8 * m->words);
	if (rc)
		return rc;
	m->clamped = true;
	for (uint32_t r = 0; r < m->replicas; r++) {
		const uint64_t *value = values + (each ? r * m->words : 0);
		uint64_t *state = m->state + r * m->words;

		for (size_t w = 0; w < m->words; w++)
			state[w] = (state[w] & ~mask[w]) | (value[w] & mask[w]);
	}
	changed(m);
	return 0;
}

int card_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	return clamp(priv, mask, value, false);
}

int card_clamp_each(void *priv, const uint64_t *mask, const uint64_t *values)
{
	return clamp(priv, mask, values, true);
}

/* Clamped p-bits have their values in it: the library sees to that. */
int card_set_state(void *priv, const uint64_t *state)
{
	struct card_machine *m = ((struct card *)priv)->machine;

	memcpy(m->state, state, m->state_bytes);
	m->on_host = true;
	changed(m);
	return 0;
}

int card_read(void *priv, uint64_t *state)
{
	struct card *card = priv;
	struct card_machine *m = card->machine;
	int rc = card_machine_bring(card, "cannot read the state", m);

	if (!rc)
		memcpy(state, m->state, m->state_bytes);
	return rc;
}

int card_seek(void *priv, const struct pbit_stream *stream)
{
	struct card *card = priv;

	if (stream->first_pbit % 128)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot place the draws",
				 "stream.first_pbit", NULL, "%llu is not a multiple of 128",
				 (unsigned long long)stream->first_pbit);
	card->machine->at = *stream;
	return 0;
}

int card_rebias(void *priv, const struct pbit_bm_view *view)
{
	static const char what[] = "cannot change the biases";
	struct card *card = priv;
	int rc;

	if (card->link->dead)
		return card_link_gone(card->link, what, NULL);
	rc = check_integers(card, what, "a bias", view->hq, view->n);
	return rc ? rc : card_array_set(card, what, &card->machine->bias, view->hq, 4ull * view->n);
}
