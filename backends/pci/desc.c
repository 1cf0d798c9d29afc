/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, field by field. */
#include <endian.h>
#include <stdint.h>
#include "desc.h"

static __le64 address(const struct pbit_ref *ref)
{
	if (!ref->handle)
		return 0;
	return htole64(PBIT_CARD_LOCAL | ((ref->handle - 1) * BARE_UNIT + ref->offset));
}

static void fill_copy(const struct pbit_cmd_copy *c, struct pbit_card_copy *d)
{
	d->from = address(&c->from);
	d->to = address(&c->to);
	d->size = htole64(c->bytes);
}

static void fill_layer(const struct pbit_cmd_layer *l, struct pbit_card_layer *d)
{
	d->weights = address(&l->weights);
	d->factors = address(&l->factors);
	d->input = address(&l->input);
	d->output = address(&l->output);
	d->image_numbers = address(&l->image_numbers);
	d->seed = htole64(l->seed);
	d->first_image = htole64(l->first_image);
	d->first_sample = htole64(l->first_sample);
	d->n_inputs = htole32(l->n_inputs);
	d->n_outputs = htole32(l->n_outputs);
	d->n_images = htole32(l->n_images);
	d->n_samples = htole32(l->n_samples);
	d->in_stride = htole32(l->in_stride);
	d->out_stride = htole32(l->out_stride);
	d->layer = htole32(l->layer);
	d->first_output = htole32(l->first_output);
	d->weight_bits = l->weight_bits;
	d->in_kind = l->in_kind;
	d->out_kind = l->out_kind;
}

static void fill_sweep(const struct pbit_cmd_sweep *s, struct pbit_card_sweep *d)
{
	d->rows = address(&s->rows);
	d->columns = address(&s->columns);
	d->values = address(&s->values);
	d->bias = address(&s->bias);
	d->visits = address(&s->visits);
	d->clamp = address(&s->clamp);
	d->state = address(&s->state);
	d->output = address(&s->output);
	d->scale = htole64(s->scale);
	d->seed = htole64(s->seed);
	d->layer = htole64(s->layer);
	d->first_sweep = htole64(s->first_sweep);
	d->first_chain = htole64(s->first_chain);
	d->first_pbit = htole64(s->first_pbit);
	d->n_values = htole32(s->n_values);
	d->n = htole32(s->n);
	d->replicas = htole32(s->replicas);
	d->sweeps = htole32(s->sweeps);
	d->interval = htole32(s->interval);
	d->domain = htole32(s->domain);
	d->synchronous = s->synchronous;
}

void bare_desc_fill(const struct pbit_cmd *cmd, uint32_t cookie, uint32_t watchdog_us,
		    struct pbit_card_desc *desc)
{
	*desc = (struct pbit_card_desc){
		.op = htole16((uint16_t)cmd->op),
		.cookie = htole32(cookie),
		.watchdog_us = htole32(watchdog_us),
	};
	if (cmd->op == PBIT_OP_COPY)
		fill_copy(&cmd->copy, &desc->copy);
	else if (cmd->op == PBIT_OP_LAYER)
		fill_layer(&cmd->layer, &desc->layer);
	else if (cmd->op == PBIT_OP_SWEEP)
		fill_sweep(&cmd->sweep, &desc->sweep);
}
