// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * A descriptor checked against the ROM's limits and run. The host's driver has checked it too; a
 * card trusts nobody.
 */
#include "bytes.h"
#include "desc.h"
#ifdef __KERNEL__
#include <linux/string.h>
#endif

#define COPY_STEP 65536u

struct run {
	const struct pbit_engine_card *card;
	struct pbit_engine_result *out;
};

static bool fail(struct run *r, u32 status)
{
	r->out->status = status;
	return false;
}

/* An array; *place is not read where it is empty. */
static bool take(struct run *r, const void *field, u64 size, u32 align, bool write,
		 const void **place)
{
	const u64 address = pbit_get64(field);

	*place = r->card->rom;
	if (!size)
		return true;
	if (address & (align - 1))
		return fail(r, PBIT_DONE_BAD_ADDRESS);
	*place = r->card->at(r->card->user, address, size, write);
	if (*place)
		return true;
	return fail(r, address & PBIT_CARD_LOCAL ? PBIT_DONE_BAD_ADDRESS : PBIT_DONE_BUS);
}

/* An array that may be left out, with address 0. */
static bool take_optional(struct run *r, const void *field, u64 size, u32 align, bool write,
			  const void **place)
{
	*place = NULL;
	return !pbit_get64(field) || take(r, field, size, align, write, place);
}

static bool has(const struct run *r, u32 flag)
{
	return pbit_get32(&r->card->rom->flags) & flag;
}

static bool zero(const u8 *bytes, u32 n)
{
	while (n && !*bytes) {
		bytes++;
		n--;
	}
	return !n;
}

static int poll(const struct run *r, u32 progress)
{
	return r->card->poll ? r->card->poll(r->card->user, progress) : 0;
}

static void run_copy(struct run *r, const struct pbit_card_copy *copy, bool clear)
{
	const u64 size = pbit_get64(&copy->size);
	const void *from = NULL, *to;
	u64 at = 0;
	int status;

	if (!size || size > 1ull << 48 || (!clear && !has(r, PBIT_CARD_COPY)) ||
	    (clear && pbit_get64(&copy->from))) {
		fail(r, PBIT_DONE_BAD_SIZE);
		return;
	}
	if (clear && !(pbit_get64(&copy->to) & PBIT_CARD_LOCAL)) {
		fail(r, PBIT_DONE_BAD_ADDRESS);
		return;
	}
	if (!take(r, &copy->to, size, 1, true, &to) ||
	    (!clear && !take(r, &copy->from, size, 1, false, &from)))
		return;
	while (at < size) {
		const size_t step = size - at < COPY_STEP ? (size_t)(size - at) : COPY_STEP;

		status = poll(r, 0);
		if (status) {
			fail(r, (u32)status);
			return;
		}
		if (clear)
			memset((u8 *)to + at, 0, step);
		else
			memmove((u8 *)to + at, (const u8 *)from + at, step);
		at += step;
	}
	r->out->bytes = size;
	r->out->output = (u8 *)to;
}

static void layer_read(const struct pbit_card_layer *from, struct pbit_engine_layer *l)
{
	l->seed = pbit_get64(&from->seed);
	l->first_image = pbit_get64(&from->first_image);
	l->first_sample = pbit_get64(&from->first_sample);
	l->n_inputs = pbit_get32(&from->n_inputs);
	l->n_outputs = pbit_get32(&from->n_outputs);
	l->n_images = pbit_get32(&from->n_images);
	l->n_samples = pbit_get32(&from->n_samples);
	l->in_stride = pbit_get32(&from->in_stride);
	l->out_stride = pbit_get32(&from->out_stride);
	l->layer = pbit_get32(&from->layer);
	l->first_output = pbit_get32(&from->first_output);
	l->weight_bits = from->weight_bits;
	l->in_kind = from->in_kind;
	l->out_kind = from->out_kind;
}

static u64 padded_macs(u32 n_inputs, u32 n_outputs)
{
	return ((u64)n_inputs + 31) / 32 * 32 * (((u64)n_outputs + 15) / 16 * 16);
}

/* a * b <= limit. */
static bool product_within(u64 a, u64 b, u64 limit)
{
	u64 product;

	return !__builtin_mul_overflow(a, b, &product) && product <= limit;
}

static bool layer_kinds_ok(const struct run *r, const struct pbit_engine_layer *l)
{
	const u32 codes = pbit_get32(&r->card->rom->code_bits);

	if (l->weight_bits < 1 || l->weight_bits > 8 ||
	    !(pbit_get32(&r->card->rom->weight_bits) >> (l->weight_bits - 1) & 1))
		return false;
	if (l->in_kind > PBIT_IN_CODE16 || (l->in_kind == PBIT_IN_CODE8 && !(codes >> 7 & 1)) ||
	    (l->in_kind == PBIT_IN_CODE16 && !(codes >> 15 & 1)))
		return false;
	return l->out_kind == PBIT_OUT_BITS || (l->out_kind & ~PBIT_OUT_TOTAL) == PBIT_OUT_SUM ||
	       (l->out_kind & ~PBIT_OUT_TOTAL) == PBIT_OUT_LEVEL;
}

static bool layer_strides_ok(const struct pbit_engine_layer *l)
{
	const u64 in = l->in_kind == PBIT_IN_BITS ? ((u64)l->n_inputs + 7) / 8
						  : (u64)l->n_inputs * l->in_kind;

	if (l->in_stride < in || l->in_stride % (l->in_kind == PBIT_IN_BITS ? 4 : l->in_kind))
		return false;
	if (l->out_kind != PBIT_OUT_BITS)
		return !l->out_stride;
	return l->out_stride % 4 == 0 && l->out_stride >= ((u64)l->n_outputs + 15) / 16 * 2;
}

static bool layer_ok(struct run *r, const struct pbit_card_layer *d,
		     const struct pbit_engine_layer *l)
{
	const struct pbit_card_rom *rom = r->card->rom;
	const u64 rows = (u64)l->n_images * l->n_samples;

	if (!has(r, PBIT_CARD_LAYER))
		return fail(r, PBIT_DONE_BAD_OP);
	if (!zero(d->reserved, sizeof(d->reserved)) || !l->n_inputs || !l->n_outputs || !rows ||
	    l->n_inputs > pbit_get32(&rom->max_inputs) ||
	    l->n_outputs > pbit_get32(&rom->max_outputs) || rows > pbit_get32(&rom->max_samples) ||
	    l->first_output % 128 || !layer_kinds_ok(r, l) || !layer_strides_ok(l) ||
	    !product_within(padded_macs(l->n_inputs, l->n_outputs), rows,
			    pbit_get64(&rom->max_work)))
		return fail(r, PBIT_DONE_BAD_SIZE);
	return true;
}

static bool layer_arrays(struct run *r, const struct pbit_card_layer *d,
			 struct pbit_engine_layer *l, u64 *out_size)
{
	const u64 rows = (u64)l->n_images * l->n_samples;
	const u64 in = (l->in_kind == PBIT_IN_BITS ? rows : l->n_images) * l->in_stride;
	const u64 padded = ((u64)l->n_outputs + 15) / 16 * 16;
	const bool sum = (l->out_kind & ~PBIT_OUT_TOTAL) == PBIT_OUT_SUM;
	const void *numbers, *output;

	if (l->out_kind == PBIT_OUT_BITS)
		*out_size = rows * l->out_stride;
	else
		*out_size = (l->out_kind & PBIT_OUT_TOTAL ? l->n_images : rows) * 8 * l->n_outputs;
	if (!take(r, &d->weights,
		  pbit_engine_weight_bytes(l->n_inputs, l->n_outputs, l->weight_bits), 64, false,
		  &l->weights) ||
	    !take(r, &d->factors, sum ? 0 : 8 * padded, 4, false, &l->factors) ||
	    !take(r, &d->input, in, 8, false, &l->input) ||
	    !take(r, &d->output, *out_size, 8, true, &output) ||
	    !take_optional(r, &d->image_numbers, 8ull * l->n_images, 8, false, &numbers))
		return false;
	l->image_numbers = numbers;
	l->output = (void *)output;
	return true;
}

static void run_layer(struct run *r, const struct pbit_card_layer *d)
{
	struct pbit_engine_result *out = r->out;
	struct pbit_engine_layer l = {0};
	u64 out_size;

	layer_read(d, &l);
	if (!layer_ok(r, d, &l) || !layer_arrays(r, d, &l, &out_size))
		return;
	out->status = (u32)pbit_engine_layer(&l, r->card->poll, r->card->user, &out->progress);
	out->macs = padded_macs(l.n_inputs, l.n_outputs) * out->progress;
	if (l.out_kind == PBIT_OUT_BITS)
		out->updates = (u64)l.n_outputs * out->progress;
	out->output = l.output;
}

static void sweep_read(const struct pbit_card_sweep *from, struct pbit_engine_sweep *s)
{
	s->scale = pbit_get64(&from->scale);
	s->seed = pbit_get64(&from->seed);
	s->layer = pbit_get64(&from->layer);
	s->first_sweep = pbit_get64(&from->first_sweep);
	s->first_chain = pbit_get64(&from->first_chain);
	s->first_pbit = pbit_get64(&from->first_pbit);
	s->n_values = pbit_get32(&from->n_values);
	s->n = pbit_get32(&from->n);
	s->replicas = pbit_get32(&from->replicas);
	s->sweeps = pbit_get32(&from->sweeps);
	s->interval = pbit_get32(&from->interval);
	s->domain = pbit_get32(&from->domain);
	s->synchronous = from->synchronous;
}

static bool sweep_ok(struct run *r, const struct pbit_card_sweep *d,
		     const struct pbit_engine_sweep *s)
{
	const struct pbit_card_rom *rom = r->card->rom;
	const u64 rounds = (u64)s->replicas * s->sweeps;
	const u32 order = s->synchronous ? 4 : pbit_get64(&d->visits) ? 2 : 1;

	if (!has(r, PBIT_CARD_BOLTZMANN))
		return fail(r, PBIT_DONE_BAD_OP);
	if (!zero(d->reserved, sizeof(d->reserved)) || d->synchronous > 1 || !s->n || !rounds ||
	    s->n > pbit_get32(&rom->max_pbits) ||
	    s->n_values > (u64)s->n * pbit_get32(&rom->max_degree) ||
	    rounds > pbit_get32(&rom->max_samples) || !(pbit_get32(&rom->orders) & order) ||
	    s->first_pbit % 128 ||
	    !product_within((u64)s->n + s->n_values, rounds, pbit_get64(&rom->max_work)))
		return fail(r, PBIT_DONE_BAD_SIZE);
	if (pbit_get64(&d->output) ? !s->interval || s->interval > s->sweeps : s->interval)
		return fail(r, PBIT_DONE_BAD_SIZE);
	return true;
}

static bool sweep_arrays(struct run *r, const struct pbit_card_sweep *d,
			 struct pbit_engine_sweep *s)
{
	const u64 state = ((u64)s->n + 63) / 64 * 8;
	const u64 outputs = s->interval ? s->sweeps / s->interval : 0;
	const void *rows, *columns, *values, *bias, *visits, *clamp, *chains, *output;

	if (!take(r, &d->rows, 4 * ((u64)s->n + 1), 4, false, &rows) ||
	    !take(r, &d->columns, 4ull * s->n_values, 4, false, &columns) ||
	    !take(r, &d->values, 4ull * s->n_values, 4, false, &values) ||
	    !take(r, &d->bias, 4ull * s->n, 4, false, &bias) ||
	    !take_optional(r, &d->visits, 4ull * s->n, 4, false, &visits) ||
	    !take_optional(r, &d->clamp, state, 8, false, &clamp) ||
	    !take(r, &d->state, state * s->replicas, 8, true, &chains) ||
	    !take_optional(r, &d->output, state * s->replicas * outputs, 8, true, &output))
		return false;
	s->rows = rows;
	s->columns = columns;
	s->values = values;
	s->bias = bias;
	s->visits = visits;
	s->clamp = clamp;
	s->state = (u64 *)chains;
	s->output = (u64 *)output;
	s->scratch = r->card->scratch;
	return true;
}

static void run_sweep(struct run *r, const struct pbit_card_sweep *d)
{
	struct pbit_engine_result *out = r->out;
	struct pbit_engine_sweep s = {0};

	sweep_read(d, &s);
	if (!sweep_ok(r, d, &s) || !sweep_arrays(r, d, &s))
		return;
	out->status = (u32)pbit_engine_sweep(&s, r->card->poll, r->card->user, &out->progress);
	out->updates = (u64)s.n * out->progress;
	out->macs = (u64)s.n_values * out->progress;
	out->output = (u8 *)s.state;
}

/* What an operation does not use must be 0. */
static bool header_ok(const struct pbit_card_desc *desc, u32 used)
{
	const u8 *rest = (const u8 *)desc->raw + used;

	return !(pbit_get16(&desc->flags) & ~PBIT_DESC_IRQ) && !pbit_get32(&desc->reserved) &&
	       zero(rest, (u32)sizeof(desc->raw) - used);
}

void pbit_engine_run(const struct pbit_engine_card *card, const struct pbit_card_desc *desc,
		     struct pbit_engine_result *out)
{
	struct run r = {card, out};
	const u32 op = pbit_get16(&desc->op);
	u32 used = 0;

	*out = (struct pbit_engine_result){.status = PBIT_DONE_OK};
	if (op == PBIT_OP_COPY || op == PBIT_OP_CLEAR)
		used = sizeof(desc->copy);
	else if (op == PBIT_OP_LAYER)
		used = sizeof(desc->layer);
	else if (op == PBIT_OP_SWEEP)
		used = sizeof(desc->sweep);
	else if (op != PBIT_OP_NOP)
		fail(&r, PBIT_DONE_BAD_OP);
	if (!out->status && !header_ok(desc, used))
		fail(&r, PBIT_DONE_BAD_SIZE);
	if (out->status)
		return;
	if (op == PBIT_OP_COPY || op == PBIT_OP_CLEAR)
		run_copy(&r, &desc->copy, op == PBIT_OP_CLEAR);
	else if (op == PBIT_OP_LAYER)
		run_layer(&r, &desc->layer);
	else if (op == PBIT_OP_SWEEP)
		run_sweep(&r, &desc->sweep);
}
