/* SPDX-License-Identifier: Apache-2.0 */
/* A tile on a device: couplings laid out, biases and inputs changed, one sweep, outputs read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/fit.h"
#include "boltzmann/ops.h"
#include "lower/machine.h"

static const char what[] = "cannot run a lowered layer";

static size_t entries_of(const struct pbit__tile *tile)
{
	return (size_t)tile->outputs * tile->kept * (tile->directed ? 1 : 2) + 1;
}

int pbit__machine_new(struct pbit_device *dev, const struct pbit__stage *stage, uint32_t replicas,
		      struct pbit__machine *m)
{
	const struct pbit__tile *tile = &stage->tile;
	const uint32_t n = stage->plan.pbits;
	const size_t entries = entries_of(tile);

	*m = (struct pbit__machine){
		.dev = dev,
		.stage = stage,
		.words = PBIT__BM_WORDS(n),
		.replicas = replicas,
		.seeks = tile->same_draws && dev->ops.seek,
	};
	m->row = calloc((size_t)n + 1, sizeof(*m->row));
	m->col = calloc(entries, sizeof(*m->col));
	m->J = calloc(entries, sizeof(*m->J));
	m->Jq = calloc(entries, sizeof(*m->Jq));
	m->h = calloc(n, sizeof(*m->h));
	m->hq = calloc(n, sizeof(*m->hq));
	m->mask = calloc(m->words, sizeof(*m->mask));
	m->values = calloc(m->words * replicas, sizeof(*m->values));
	m->states = calloc(m->words * replicas, sizeof(*m->states));
	if (m->row && m->col && m->J && m->Jq && m->h && m->hq && m->mask && m->values && m->states)
		return pbit__bm_choose_order(dev, &m->order);
	return pbit__lower_no_memory(what);
}

void pbit__machine_free(struct pbit__machine *m)
{
	free(m->row);
	free(m->col);
	free(m->J);
	free(m->Jq);
	free(m->h);
	free(m->hq);
	free(m->mask);
	free(m->values);
	free(m->states);
	*m = (struct pbit__machine){0};
}

/* Clamped p-bit that acts on an output of the tile for kept input i. */
static uint32_t input_at(const struct pbit__machine *m, uint32_t i, uint32_t o)
{
	const struct pbit__tile *tile = &m->stage->tile;
	const uint32_t each = (tile->outputs + tile->copies - 1) / tile->copies;

	return m->lead + m->n_out + i * tile->copies + o / each;
}

static int32_t coupling(const struct pbit__machine *m, uint32_t i, uint32_t o)
{
	return m->stage->J[(size_t)i * m->stage->layer->n_out + m->output + o];
}

static void add(struct pbit__machine *m, uint64_t *k, uint32_t to, int32_t value)
{
	if (!value)
		return; /* no coupling at all: it would only use up the degree */
	m->col[*k] = to;
	m->Jq[*k] = value;
	m->J[*k] = value * m->stage->step;
	(*k)++;
}

/* Rows of the inputs: the same couplings seen from the other side. */
static void add_input_rows(struct pbit__machine *m, uint64_t *k)
{
	const struct pbit__tile *tile = &m->stage->tile;
	uint32_t p = m->lead + m->n_out;

	for (uint32_t i = 0; i < tile->kept; i++)
		for (uint32_t copy = 0; copy < tile->copies; copy++, p++) {
			for (uint32_t o = 0; !tile->directed && o < m->n_out; o++)
				if (input_at(m, i, o) == p)
					add(m, k, m->lead + o, coupling(m, i, o));
			m->row[p + 1] = *k;
		}
}

static void set_mask(struct pbit__machine *m)
{
	memset(m->mask, 0, m->words * sizeof(*m->mask));
	m->clamps = (m->dev->caps.flags & PBIT_FLAG_CLAMP) && m->view.n > m->n_out;
	for (uint32_t p = 0; p < m->view.n; p++)
		if (p < m->lead || p >= m->lead + m->n_out)
			m->mask[p / 64] |= 1ull << p % 64;
}

void pbit__machine_tile(struct pbit__machine *m, uint32_t output, uint32_t n_out, uint32_t lead)
{
	const struct pbit__tile *tile = &m->stage->tile;
	uint64_t k = 0;

	m->output = output;
	m->n_out = n_out;
	m->lead = lead;
	m->loaded = m->biased = m->clamped = false;
	m->view = (struct pbit_bm_view){
		.struct_size = sizeof(m->view),
		.n = lead + n_out + tile->kept * tile->copies,
		.row = m->row,
		.col = m->col,
		.J = m->J,
		.h = m->h,
		.Jq = m->Jq,
		.hq = m->hq,
		.step = m->stage->step,
		.flags = PBIT_BM_EXACT | (tile->directed ? PBIT_BM_DIRECTED : 0),
	};
	m->words = PBIT__BM_WORDS(m->view.n);
	memset(m->h, 0, m->view.n * sizeof(*m->h));
	memset(m->hq, 0, m->view.n * sizeof(*m->hq));
	for (uint32_t p = 0; p < lead; p++)
		m->row[p + 1] = 0;
	for (uint32_t o = 0; o < n_out; o++) {
		for (uint32_t i = 0; i < tile->kept; i++)
			add(m, &k, input_at(m, i, o), coupling(m, i, o));
		m->row[lead + o + 1] = k;
	}
	add_input_rows(m, &k);
	set_mask(m);
}

void pbit__machine_bias(struct pbit__machine *m, const int32_t *hq)
{
	int32_t *held = m->hq + m->lead;

	if (m->loaded && !memcmp(held, hq, m->n_out * sizeof(*hq)))
		return;
	memcpy(held, hq, m->n_out * sizeof(*hq));
	for (uint32_t o = 0; o < m->n_out; o++)
		m->h[m->lead + o] = hq[o] * m->stage->step;
	m->biased = false;
}

void pbit__machine_inputs(struct pbit__machine *m, uint32_t replica, const uint32_t *field)
{
	const struct pbit__stage *stage = m->stage;
	uint64_t *values = m->values + replica * m->words;
	uint32_t p = m->lead + m->n_out;

	if (!stage->tile.kept)
		return;
	memset(values, 0, m->words * sizeof(*values));
	for (uint32_t i = 0; i < stage->tile.kept; i++) {
		const uint32_t k = stage->taps.real[i];
		const uint64_t bit = field[k / 32] >> (k % 32) & 1;

		for (uint32_t copy = 0; copy < stage->tile.copies; copy++, p++)
			values[p / 64] |= bit << p % 64;
	}
	m->clamped = false;
}

/*
 * A device that numbers its draws itself begins anew with each program: every one gets a seed of
 * its own, or p-bits of different tiles and samples would draw the same.
 */
static uint64_t seed_of(const struct pbit__machine *m, const struct pbit__draw *draw)
{
	const uint64_t key[4] = {draw->seed, PBIT_DOMAIN_LOWERED, m->stage->layer->index,
				 draw->first};
	const uint64_t counter[4] = {draw->image, draw->sample, 0, 0};
	uint64_t out[4];

	if (m->seeks)
		return draw->seed;
	pbit_threefry(key, counter, out);
	return out[0];
}

static int program(struct pbit__machine *m, const struct pbit__draw *draw)
{
	struct pbit_device *dev = m->dev;
	const struct pbit_program_opts opts = {
		.struct_size = sizeof(opts),
		.order = m->order,
		.seed = seed_of(m, draw),
		.replicas = m->replicas,
	};
	int rc = pbit__bm_check_fit(dev, &m->view, m->order);

	if (rc)
		return rc;
	if (m->replicas > 1)
		rc = dev->ops.program_replicas(dev->priv, &m->view, &opts);
	else
		rc = dev->ops.program(dev->priv, &m->view, opts.order, opts.seed);
	m->loaded = m->biased = !rc;
	m->clamped = false;
	return rc;
}

static int load(struct pbit__machine *m, const struct pbit__draw *draw)
{
	struct pbit_device *dev = m->dev;
	int rc;

	if (!m->loaded || (!m->biased && !dev->ops.rebias))
		return program(m, draw);
	if (m->biased)
		return 0;
	rc = pbit__bm_check_biases(dev, m->h, m->view.n);
	if (!rc)
		rc = dev->ops.rebias(dev->priv, &m->view);
	m->biased = !rc;
	return rc;
}

static int clamp(struct pbit__machine *m)
{
	struct pbit_device *dev = m->dev;
	int rc;

	if (m->clamped || !m->clamps)
		return 0;
	if (m->replicas > 1 && m->stage->tile.kept)
		rc = dev->ops.clamp_each(dev->priv, m->mask, m->values);
	else
		rc = dev->ops.clamp(dev->priv, m->mask, m->values);
	m->clamped = !rc;
	return rc;
}

int pbit__machine_fire(struct pbit__machine *m, const struct pbit__draw *draw, struct pbit_ctl *ctl)
{
	struct pbit_device *dev = m->dev;
	const struct pbit_stream stream = {
		.struct_size = sizeof(stream),
		.domain = PBIT_DOMAIN_LAYER,
		.layer = m->stage->layer->index,
		.sweep = draw->sample,
		.chain = draw->image,
		.first_pbit = draw->first - m->lead,
	};
	int rc = pbit_ctl_check(ctl);

	if (!rc)
		rc = load(m, draw);
	if (!rc)
		rc = clamp(m);
	if (!rc && m->seeks)
		rc = dev->ops.seek(dev->priv, &stream);
	if (!rc)
		rc = dev->ops.update(dev->priv, m->stage->beta, m->stage->plan.sweeps, ctl);
	return rc ? rc : dev->ops.read(dev->priv, m->states);
}

void pbit__machine_outputs(const struct pbit__machine *m, uint32_t replica, uint32_t *bits,
			   size_t at)
{
	const uint64_t *state = m->states + replica * m->words;

	for (uint32_t o = 0; o < m->n_out; o++) {
		const uint32_t p = m->lead + o;
		const uint32_t bit = state[p / 64] >> (p % 64) & 1;

		bits[(at + o) / 32] |= bit << ((at + o) % 32);
	}
}
