// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a process's command to a descriptor. Whatever the device will read or write is checked to lie
 * in buffers of this file, so that no command reaches another's memory.
 */
#include <linux/overflow.h>
#include "internal.h"

struct check {
	struct pbit_context *ctx;
	const struct pbit_cmd *cmd;
	struct pbit_job *job;
	struct pbit_why *why;
};

#define AT(field) offsetof(struct pbit_cmd, field)

#define ANYWHERE 2u

static int refuse(const struct check *c, u32 reason, u64 arg)
{
	return pbit_refuse(c->why, -EINVAL, reason, arg);
}

/* A place of `size` bytes; address 0 for handle 0 where that is allowed. */
static int take(struct check *c, const struct pbit_ref *ref, u64 at, u64 size, u32 align, u32 place,
		__le64 *address)
{
	struct pbit_buffer *buffer;
	u64 end;

	if (ref->reserved)
		return refuse(c, PBIT_REASON_RESERVED, at);
	buffer = ref->handle ? pbit_buffer_find(c->ctx, ref->handle) : NULL;
	if (!buffer)
		return pbit_refuse(c->why, -ENOENT, PBIT_REASON_HANDLE, at);
	if (place != ANYWHERE && buffer->place != place)
		return refuse(c, PBIT_REASON_PLACE, at);
	if (ref->offset % align)
		return refuse(c, PBIT_REASON_ALIGN, at);
	if (check_add_overflow(ref->offset, size, &end) || end > buffer->size)
		return refuse(c, PBIT_REASON_EXTENT, at);
	/* Given up by a reset that this file made. */
	if (buffer->place == PBIT_BUFFER_DEVICE && !buffer->held)
		return pbit_refuse(c->why, -ENODEV, PBIT_REASON_RESET, at);
	*address = cpu_to_le64(pbit_buffer_address(buffer) + ref->offset);
	kref_get(&buffer->refs);
	c->job->buffer[c->job->n_buffers++] = buffer;
	return 0;
}

static int take_optional(struct check *c, const struct pbit_ref *ref, u64 at, u64 size, u32 align,
			 u32 place, __le64 *address)
{
	if (ref->handle)
		return take(c, ref, at, size, align, place, address);
	if (ref->reserved || ref->offset)
		return refuse(c, PBIT_REASON_RESERVED, at);
	*address = 0;
	return 0;
}

static int check_tail(const struct check *c, size_t used)
{
	const u8 *bytes = (const u8 *)c->cmd;

	if (!memchr_inv(bytes + used, 0, sizeof(*c->cmd) - used))
		return 0;
	return refuse(c, PBIT_REASON_RESERVED, used);
}

static int check_copy(struct check *c, struct pbit_card_desc *desc)
{
	const struct pbit_cmd_copy *copy = &c->cmd->copy;
	u64 work = copy->bytes / 8;
	int rc;

	if (!(le32_to_cpu(c->ctx->pdev->rom.flags) & PBIT_CARD_COPY))
		return pbit_refuse(c->why, -EOPNOTSUPP, PBIT_REASON_OP, 0);
	if (!copy->bytes)
		return refuse(c, PBIT_REASON_RANGE, AT(copy.bytes));
	if (work > pbit_max_work(c->ctx->pdev))
		return pbit_refuse(c->why, -E2BIG, PBIT_REASON_WORK, pbit_max_work(c->ctx->pdev));
	rc = check_tail(c, AT(copy) + sizeof(*copy));
	if (!rc)
		rc = take(c, &copy->from, AT(copy.from), copy->bytes, 1, ANYWHERE,
			  &desc->copy.from);
	if (!rc)
		rc = take(c, &copy->to, AT(copy.to), copy->bytes, 1, ANYWHERE, &desc->copy.to);
	if (rc)
		return rc;
	if (copy->from.handle == copy->to.handle &&
	    copy->from.offset < copy->to.offset + copy->bytes &&
	    copy->to.offset < copy->from.offset + copy->bytes)
		return refuse(c, PBIT_REASON_EXTENT, AT(copy.to));
	desc->copy.size = cpu_to_le64(copy->bytes);
	return 0;
}

static int layer_numbers(const struct check *c)
{
	const struct pbit_cmd_layer *l = &c->cmd->layer;
	const struct pbit_card_rom *rom = &c->ctx->pdev->rom;
	const u32 kind = l->out_kind & ~PBIT_OUT_TOTAL;
	u32 code_bits = l->in_kind == PBIT_IN_CODE8 ? 8 : 16;
	u64 work;

	if (!(le32_to_cpu(rom->flags) & PBIT_CARD_LAYER))
		return pbit_refuse(c->why, -EOPNOTSUPP, PBIT_REASON_OP, 0);
	if (memchr_inv(l->reserved, 0, sizeof(l->reserved)))
		return refuse(c, PBIT_REASON_RESERVED, AT(layer.reserved));
	if (!l->n_inputs || l->n_inputs > le32_to_cpu(rom->max_inputs))
		return refuse(c, PBIT_REASON_RANGE, AT(layer.n_inputs));
	if (!l->n_outputs || l->n_outputs > le32_to_cpu(rom->max_outputs))
		return refuse(c, PBIT_REASON_RANGE, AT(layer.n_outputs));
	if (!l->n_images)
		return refuse(c, PBIT_REASON_RANGE, AT(layer.n_images));
	if (!l->n_samples || (u64)l->n_images * l->n_samples > le32_to_cpu(rom->max_samples))
		return refuse(c, PBIT_REASON_RANGE, AT(layer.n_samples));
	if (!l->weight_bits || l->weight_bits > 8 || (l->weight_bits & (l->weight_bits - 1)) ||
	    !(le32_to_cpu(rom->weight_bits) & 1u << (l->weight_bits - 1)))
		return refuse(c, PBIT_REASON_RANGE, AT(layer.weight_bits));
	if (l->in_kind > PBIT_IN_CODE16 ||
	    (l->in_kind && !(le32_to_cpu(rom->code_bits) & 1u << (code_bits - 1))))
		return refuse(c, PBIT_REASON_RANGE, AT(layer.in_kind));
	if (kind > PBIT_OUT_LEVEL || l->out_kind == (PBIT_OUT_BITS | PBIT_OUT_TOTAL))
		return refuse(c, PBIT_REASON_RANGE, AT(layer.out_kind));
	if (l->first_output % 128)
		return refuse(c, PBIT_REASON_ALIGN, AT(layer.first_output));
	work = (u64)round_up(l->n_inputs, 32) * round_up(l->n_outputs, 16);
	if (check_mul_overflow(work, (u64)l->n_images * l->n_samples, &work) ||
	    work > pbit_max_work(c->ctx->pdev))
		return pbit_refuse(c->why, -E2BIG, PBIT_REASON_WORK, pbit_max_work(c->ctx->pdev));
	return 0;
}

static int layer_strides(const struct check *c)
{
	const struct pbit_cmd_layer *l = &c->cmd->layer;
	u32 need = l->in_kind == PBIT_IN_BITS ? DIV_ROUND_UP(l->n_inputs, 8) :
						l->n_inputs * l->in_kind;

	if (l->in_stride < need)
		return refuse(c, PBIT_REASON_EXTENT, AT(layer.in_stride));
	if (l->in_stride % (l->in_kind == PBIT_IN_BITS ? 4 : l->in_kind))
		return refuse(c, PBIT_REASON_ALIGN, AT(layer.in_stride));
	if (l->out_kind != PBIT_OUT_BITS)
		return l->out_stride ? refuse(c, PBIT_REASON_RESERVED, AT(layer.out_stride)) : 0;
	if (l->out_stride < round_up(l->n_outputs, 16) / 8)
		return refuse(c, PBIT_REASON_EXTENT, AT(layer.out_stride));
	if (l->out_stride % 4)
		return refuse(c, PBIT_REASON_ALIGN, AT(layer.out_stride));
	return 0;
}

static void layer_copy(const struct pbit_cmd_layer *l, struct pbit_card_layer *out)
{
	out->seed = cpu_to_le64(l->seed);
	out->first_image = cpu_to_le64(l->first_image);
	out->first_sample = cpu_to_le64(l->first_sample);
	out->n_inputs = cpu_to_le32(l->n_inputs);
	out->n_outputs = cpu_to_le32(l->n_outputs);
	out->n_images = cpu_to_le32(l->n_images);
	out->n_samples = cpu_to_le32(l->n_samples);
	out->in_stride = cpu_to_le32(l->in_stride);
	out->out_stride = cpu_to_le32(l->out_stride);
	out->layer = cpu_to_le32(l->layer);
	out->first_output = cpu_to_le32(l->first_output);
	out->weight_bits = l->weight_bits;
	out->in_kind = l->in_kind;
	out->out_kind = l->out_kind;
}

static int check_layer(struct check *c, struct pbit_card_desc *desc)
{
	const struct pbit_cmd_layer *l = &c->cmd->layer;
	const u64 rows = (u64)l->n_images * l->n_samples;
	u64 weights, in, out;
	int rc = layer_numbers(c);

	if (!rc)
		rc = layer_strides(c);
	if (!rc)
		rc = check_tail(c, AT(layer) + sizeof(*l));
	if (rc)
		return rc;
	weights = (u64)round_up(l->n_inputs, 32) * round_up(l->n_outputs, 16) / 8 * l->weight_bits;
	in = (l->in_kind == PBIT_IN_BITS ? rows : l->n_images) * l->in_stride;
	if (l->out_kind == PBIT_OUT_BITS)
		out = rows * l->out_stride;
	else
		out = (l->out_kind & PBIT_OUT_TOTAL ? l->n_images : rows) * 8 * l->n_outputs;
	rc = take(c, &l->weights, AT(layer.weights), weights, 64, PBIT_BUFFER_DEVICE,
		  &desc->layer.weights);
	if (!rc && (l->out_kind & ~PBIT_OUT_TOTAL) == PBIT_OUT_SUM)
		rc = take_optional(c, &l->factors, AT(layer.factors), 0, 4, PBIT_BUFFER_DEVICE,
				   &desc->layer.factors);
	else if (!rc)
		rc = take(c, &l->factors, AT(layer.factors), 8ull * round_up(l->n_outputs, 16), 4,
			  PBIT_BUFFER_DEVICE, &desc->layer.factors);
	if (!rc)
		rc = take(c, &l->input, AT(layer.input), in, 8, ANYWHERE, &desc->layer.input);
	if (!rc)
		rc = take(c, &l->output, AT(layer.output), out, 8, ANYWHERE, &desc->layer.output);
	if (!rc)
		rc = take_optional(c, &l->image_numbers, AT(layer.image_numbers),
				   8ull * l->n_images, 8, ANYWHERE, &desc->layer.image_numbers);
	if (!rc)
		layer_copy(l, &desc->layer);
	return rc;
}

static int sweep_numbers(const struct check *c)
{
	const struct pbit_cmd_sweep *s = &c->cmd->sweep;
	const struct pbit_card_rom *rom = &c->ctx->pdev->rom;
	const u32 orders = le32_to_cpu(rom->orders);
	u64 work;

	if (!(le32_to_cpu(rom->flags) & PBIT_CARD_BOLTZMANN))
		return pbit_refuse(c->why, -EOPNOTSUPP, PBIT_REASON_OP, 0);
	if (memchr_inv(s->reserved, 0, sizeof(s->reserved)))
		return refuse(c, PBIT_REASON_RESERVED, AT(sweep.reserved));
	if (!s->n || s->n > le32_to_cpu(rom->max_pbits))
		return refuse(c, PBIT_REASON_RANGE, AT(sweep.n));
	if (s->n_values > (u64)s->n * le32_to_cpu(rom->max_degree))
		return refuse(c, PBIT_REASON_RANGE, AT(sweep.n_values));
	if (!s->replicas)
		return refuse(c, PBIT_REASON_RANGE, AT(sweep.replicas));
	if (!s->sweeps || (u64)s->replicas * s->sweeps > le32_to_cpu(rom->max_samples))
		return refuse(c, PBIT_REASON_RANGE, AT(sweep.sweeps));
	if (s->synchronous > 1 || !(orders & (s->synchronous ? 4 : s->visits.handle ? 2 : 1)))
		return refuse(c, PBIT_REASON_RANGE, AT(sweep.synchronous));
	if (s->output.handle ? !s->interval || s->interval > s->sweeps : s->interval)
		return refuse(c, PBIT_REASON_RANGE, AT(sweep.interval));
	if (s->first_pbit % 128)
		return refuse(c, PBIT_REASON_ALIGN, AT(sweep.first_pbit));
	if (check_mul_overflow((u64)s->n + s->n_values, (u64)s->replicas * s->sweeps, &work) ||
	    work > pbit_max_work(c->ctx->pdev))
		return pbit_refuse(c->why, -E2BIG, PBIT_REASON_WORK, pbit_max_work(c->ctx->pdev));
	return 0;
}

static int sweep_machine(struct check *c, struct pbit_card_sweep *out)
{
	const struct pbit_cmd_sweep *s = &c->cmd->sweep;
	int rc;

	rc = take(c, &s->rows, AT(sweep.rows), 4 * ((u64)s->n + 1), 4, PBIT_BUFFER_DEVICE,
		  &out->rows);
	if (!rc)
		rc = take(c, &s->columns, AT(sweep.columns), 4ull * s->n_values, 4,
			  PBIT_BUFFER_DEVICE, &out->columns);
	if (!rc)
		rc = take(c, &s->values, AT(sweep.values), 4ull * s->n_values, 4,
			  PBIT_BUFFER_DEVICE, &out->values);
	if (!rc)
		rc = take(c, &s->bias, AT(sweep.bias), 4ull * s->n, 4, ANYWHERE, &out->bias);
	if (!rc)
		rc = take_optional(c, &s->visits, AT(sweep.visits), 4ull * s->n, 4,
				   PBIT_BUFFER_DEVICE, &out->visits);
	return rc;
}

static int sweep_states(struct check *c, struct pbit_card_sweep *out)
{
	const struct pbit_cmd_sweep *s = &c->cmd->sweep;
	const u64 state = 8 * DIV_ROUND_UP_ULL(s->n, 64);
	const u64 outputs = s->interval ? s->sweeps / s->interval : 0;
	u64 all;
	int rc;

	if (check_mul_overflow(state * s->replicas, outputs, &all))
		return refuse(c, PBIT_REASON_EXTENT, AT(sweep.output));
	rc = take_optional(c, &s->clamp, AT(sweep.clamp), state, 8, ANYWHERE, &out->clamp);
	if (!rc)
		rc = take(c, &s->state, AT(sweep.state), state * s->replicas, 8, ANYWHERE,
			  &out->state);
	if (!rc)
		rc = take_optional(c, &s->output, AT(sweep.output), all, 8, ANYWHERE,
				   &out->output);
	return rc;
}

static int check_sweep(struct check *c, struct pbit_card_desc *desc)
{
	const struct pbit_cmd_sweep *s = &c->cmd->sweep;
	struct pbit_card_sweep *out = &desc->sweep;
	int rc = sweep_numbers(c);

	if (!rc)
		rc = check_tail(c, AT(sweep) + sizeof(*s));
	if (!rc)
		rc = sweep_machine(c, out);
	if (!rc)
		rc = sweep_states(c, out);
	if (rc)
		return rc;
	out->scale = cpu_to_le64(s->scale);
	out->seed = cpu_to_le64(s->seed);
	out->layer = cpu_to_le64(s->layer);
	out->first_sweep = cpu_to_le64(s->first_sweep);
	out->first_chain = cpu_to_le64(s->first_chain);
	out->first_pbit = cpu_to_le64(s->first_pbit);
	out->n_values = cpu_to_le32(s->n_values);
	out->n = cpu_to_le32(s->n);
	out->replicas = cpu_to_le32(s->replicas);
	out->sweeps = cpu_to_le32(s->sweeps);
	out->interval = cpu_to_le32(s->interval);
	out->domain = cpu_to_le32(s->domain);
	out->synchronous = s->synchronous;
	return 0;
}

int pbit_validate(struct pbit_context *ctx, const struct pbit_cmd *cmd, struct pbit_job *job,
		  u32 index, struct pbit_why *why)
{
	struct check c = { .ctx = ctx, .cmd = cmd, .job = job, .why = why };
	struct pbit_card_desc *desc = &job->desc[index];

	why->command = index;
	if (cmd->flags)
		return refuse(&c, PBIT_REASON_RESERVED, AT(flags));
	desc->op = cpu_to_le16((u16)cmd->op);
	desc->flags = cpu_to_le16(PBIT_DESC_IRQ);
	desc->watchdog_us = cpu_to_le32(min(READ_ONCE(pbit_watchdog_ms), 4000000u) * 1000u);
	switch (cmd->op) {
	case PBIT_OP_NOP:
		return check_tail(&c, AT(raw));
	case PBIT_OP_COPY:
		return check_copy(&c, desc);
	case PBIT_OP_LAYER:
		return check_layer(&c, desc);
	case PBIT_OP_SWEEP:
		return check_sweep(&c, desc);
	default:
		return pbit_refuse(why, -EOPNOTSUPP, PBIT_REASON_OP, 0);
	}
}
