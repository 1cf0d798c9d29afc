/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request for layers, block by block. A block is images times samples; its input goes into a buffer
 * that the card reads, the card writes what comes out into another part of it. While one block runs the
 * next one is filled and the one before is emptied.
 */
#include <errno.h>
#include <string.h>
#include "net.h"

#define WHAT "cannot run layers"

/* Of a block's host buffer and of the states between layers, where one row is not larger. */
#define BLOCK_BYTES (1u << 20)
#define STATE_BYTES (4u << 20)

/* What a block brings back. */
enum form {
	FORM_BITS,
	FORM_ROWS,   /* a number for each sample */
	FORM_TOTALS, /* summed over the samples by the card */
};

struct block {
	uint32_t image, n_images;
	uint32_t sample, n_samples;
};

struct run {
	struct card *card;
	struct card_net *net;
	const struct pbit_layers_req *req;
	enum form form;
	uint32_t n_images, n_samples; /* of a full block */
	uint64_t numbers, output;     /* offsets in a slot */
	struct block block[CARD_SLOTS];
	uint32_t image, sample; /* where the next block begins */
};

static bool reads_out(const struct pbit_layer *l)
{
	return l->activation == PBIT_ACT_LINEAR || l->activation == PBIT_ACT_SIGMOID;
}

static uint64_t rows_of(const struct block *b)
{
	return (uint64_t)b->n_images * b->n_samples;
}

static uint64_t image_bytes(const struct run *run)
{
	uint64_t bytes = run->net->codes ? run->net->in_stride : 0;

	if (run->req->image_numbers)
		bytes += 8;
	if (run->form == FORM_TOTALS)
		bytes += 8ull * card_net_last(run->net)->info->n_out;
	return bytes;
}

static uint64_t row_bytes(const struct run *run)
{
	const struct card_layer *last = card_net_last(run->net);
	uint64_t bytes = run->net->codes ? 0 : run->net->in_stride;

	if (run->form == FORM_BITS)
		bytes += last->out_stride;
	if (run->form == FORM_ROWS)
		bytes += 8ull * last->info->n_out;
	return bytes;
}

/* Three parts, each at a whole multiple of 64 bytes. */
static uint64_t slot_bytes(struct run *run, uint64_t images, uint64_t samples)
{
	const struct card_layer *last = card_net_last(run->net);
	const uint64_t rows = images * samples, n = last->info->n_out;
	const uint64_t in = (run->net->codes ? images : rows) * run->net->in_stride;

	run->numbers = card_round_up(in, 64);
	run->output = run->numbers;
	if (run->req->image_numbers)
		run->output += card_round_up(8 * images, 64);
	if (run->form == FORM_BITS)
		return run->output + rows * last->out_stride;
	return run->output + 8 * n * (run->form == FORM_ROWS ? rows : images);
}

static uint64_t widest_state(const struct card_net *net)
{
	uint64_t widest = 1;

	for (uint32_t i = 0; i + 1 < net->n; i++)
		if (net->layer[i].out_stride > widest)
			widest = net->layer[i].out_stride;
	return widest;
}

/* The largest block within `room` bytes; false where not even one sample fits. */
static bool shape_within(struct run *run, uint64_t room)
{
	const struct pbit_layers_req *req = run->req;
	const uint64_t image = image_bytes(run), row = row_bytes(run);
	uint64_t rows = STATE_BYTES / widest_state(run->net), images, samples;

	if (room < 3 * 64 + image + row)
		return false;
	room -= 3 * 64;
	rows = rows < 1 ? 1 : rows;
	rows = rows < run->net->max_rows ? rows : run->net->max_rows;
	if (req->n_samples <= rows && image + row * req->n_samples <= room) {
		samples = req->n_samples;
		images = rows / samples;
		if (room / (image + row * samples) < images)
			images = room / (image + row * samples);
		images = images < req->n_images ? images : req->n_images;
	} else {
		images = 1;
		samples = rows;
		if (row && (room - image) / row < samples)
			samples = (room - image) / row;
		samples = samples < req->n_samples ? samples : req->n_samples;
	}
	run->n_images = (uint32_t)images;
	run->n_samples = (uint32_t)samples;
	return true;
}

static int shape(struct run *run)
{
	const uint64_t most = run->card->link->max_host_buffer;

	if (shape_within(run, most < BLOCK_BYTES ? most : BLOCK_BYTES) || shape_within(run, most))
		return 0;
	return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, WHAT, run->card->link->where,
			 "use a smaller model",
			 "one sample takes more than the %llu bytes of a host buffer",
			 (unsigned long long)most);
}

static int grow(struct card *card, uint32_t place, uint64_t bytes, struct card_buffer *buffer)
{
	if (buffer->handle && buffer->bytes >= bytes)
		return 0;
	card_buffer_free(card, buffer);
	return card_buffer_new(card, WHAT, place, bytes, buffer);
}

static int make_buffers(struct run *run)
{
	struct card_net *net = run->net;
	const uint64_t rows = (uint64_t)run->n_images * run->n_samples;
	const uint64_t bytes = slot_bytes(run, run->n_images, run->n_samples);
	const uint64_t blocks =
		(((uint64_t)run->req->n_images + run->n_images - 1) / run->n_images) *
		(((uint64_t)run->req->n_samples + run->n_samples - 1) / run->n_samples);
	int rc = 0;

	for (uint32_t i = 0; !rc && i < CARD_SLOTS && i < blocks; i++)
		rc = grow(run->card, PBIT_BUFFER_HOST, bytes, &net->slot[i]);
	for (uint32_t i = 0; !rc && i < 2 && i + 1 < net->n; i++)
		rc = grow(run->card, PBIT_BUFFER_DEVICE, rows * widest_state(net), &net->state[i]);
	return rc;
}

static uint8_t *slot_memory(const struct run *run, uint32_t slot, uint64_t offset)
{
	return (uint8_t *)run->net->slot[slot].mem + offset;
}

/* Rows of a block lie together in the request: it has all samples of its images, or one image. */
static uint64_t first_row(const struct run *run, const struct block *b)
{
	return (uint64_t)b->image * run->req->n_samples + b->sample;
}

static int fill(struct run *run, uint32_t slot)
{
	const struct pbit_layers_req *req = run->req;
	const struct card_net *net = run->net;
	const struct block *b = &run->block[slot];
	uint8_t *to = slot_memory(run, slot, 0);
	const uint64_t row = net->in_stride;

	if (net->codes)
		for (uint32_t i = 0; i < b->n_images; i++)
			memcpy(to + i * row,
			       (const uint8_t *)req->codes + (b->image + i) * req->code_stride,
			       (size_t)net->layer[0].n_inputs * net->code_bytes);
	else
		memcpy(to, (const uint8_t *)req->in_bits + first_row(run, b) * row,
		       rows_of(b) * row);
	if (req->image_numbers)
		memcpy(slot_memory(run, slot, run->numbers), req->image_numbers + b->image,
		       8ull * b->n_images);
	return card_flush(run->card->link, &net->slot[slot], 0, run->output);
}

static void command(const struct run *run, uint32_t slot, uint32_t i, struct pbit_cmd *cmd)
{
	const struct pbit_layers_req *req = run->req;
	const struct card_net *net = run->net;
	const struct card_layer *layer = &net->layer[i];
	const struct block *b = &run->block[slot];
	struct pbit_cmd_layer *l = &cmd->layer;
	const bool last = i + 1 == net->n;

	*cmd = (struct pbit_cmd){.op = PBIT_OP_LAYER};
	l->weights = card_ref(&layer->memory, 0);
	l->factors = card_ref(&layer->memory, layer->factors);
	l->input = card_ref(i ? &net->state[(i - 1) & 1] : &net->slot[slot], 0);
	l->output =
		last ? card_ref(&net->slot[slot], run->output) : card_ref(&net->state[i & 1], 0);
	if (req->image_numbers)
		l->image_numbers = card_ref(&net->slot[slot], run->numbers);
	else
		l->first_image = req->first_image + b->image;
	l->seed = req->seed;
	l->first_sample = req->first_sample + b->sample;
	l->n_inputs = layer->n_inputs;
	l->n_outputs = layer->info->n_out;
	l->n_images = b->n_images;
	l->n_samples = b->n_samples;
	l->in_stride = i ? net->layer[i - 1].out_stride : net->in_stride;
	l->layer = layer->info->index;
	l->weight_bits = (uint8_t)layer->info->weight_bits;
	l->in_kind = PBIT_IN_BITS;
	if (!i && net->codes)
		l->in_kind = net->code_bytes == 1 ? PBIT_IN_CODE8 : PBIT_IN_CODE16;
	if (!last || run->form == FORM_BITS) {
		l->out_stride = layer->out_stride;
		return;
	}
	l->out_kind = layer->info->activation == PBIT_ACT_LINEAR ? PBIT_OUT_SUM : PBIT_OUT_LEVEL;
	if (run->form == FORM_TOTALS)
		l->out_kind |= PBIT_OUT_TOTAL;
}

/* Sums wrap as the card's do: a card that lies is not to trip us. */
static void add(int64_t *sum, int64_t value)
{
	*sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
}

static void take_bits(const struct run *run, const struct block *b, const uint64_t *from)
{
	const struct pbit_layers_req *req = run->req;
	const uint32_t n = card_net_last(run->net)->info->n_out;
	const uint64_t words = card_round_up(n, 64) / 64, first = first_row(run, b);
	const uint64_t tail = n % 64 ? ~0ull >> (64 - n % 64) : ~0ull;

	for (uint64_t r = 0; r < rows_of(b); r++, from += words) {
		const uint64_t image = (first + r) / req->n_samples;

		if (req->out_bits) {
			uint64_t *to = req->out_bits + (first + r) * words;

			memcpy(to, from, 8 * words);
			to[words - 1] &= tail;
		}
		for (uint32_t o = 0; (req->out_raw || req->out_sum) && o < n; o++) {
			const int64_t bit = (int64_t)(from[o / 64] >> (o % 64) & 1);

			if (req->out_raw)
				req->out_raw[(first + r) * n + o] = bit;
			if (req->out_sum)
				add(&req->out_sum[image * n + o], bit);
		}
	}
}

static void take_numbers(const struct run *run, const struct block *b, const int64_t *from)
{
	const struct pbit_layers_req *req = run->req;
	const uint32_t n = card_net_last(run->net)->info->n_out;
	const uint64_t first = first_row(run, b);
	const bool totals = run->form == FORM_TOTALS;
	const uint64_t rows = totals ? b->n_images : rows_of(b);

	if (!totals)
		memcpy(req->out_raw + first * n, from, 8 * n * rows);
	for (uint64_t r = 0; req->out_sum && r < rows; r++) {
		const uint64_t image = totals ? b->image + r : (first + r) / req->n_samples;

		for (uint32_t o = 0; o < n; o++)
			add(&req->out_sum[image * n + o], from[r * n + o]);
	}
}

static int empty(const struct run *run, uint32_t slot)
{
	const struct card_buffer *buffer = &run->net->slot[slot];
	const struct block *b = &run->block[slot];
	const struct card_layer *last = card_net_last(run->net);
	const void *from = slot_memory(run, slot, run->output);
	uint64_t bytes = rows_of(b) * last->out_stride;
	int rc;

	if (run->form != FORM_BITS)
		bytes = 8ull * last->info->n_out *
			(run->form == FORM_ROWS ? rows_of(b) : b->n_images);
	rc = card_fetch(run->card->link, buffer, run->output, bytes);
	if (rc)
		return rc;
	if (run->form == FORM_BITS)
		take_bits(run, b, from);
	else
		take_numbers(run, b, from);
	return 0;
}

/* The next block; false where there is none. */
static bool next_block(struct run *run, struct block *b)
{
	const struct pbit_layers_req *req = run->req;

	if (run->image >= req->n_images)
		return false;
	b->image = run->image;
	b->sample = run->sample;
	b->n_images = req->n_images - run->image;
	b->n_samples = req->n_samples - run->sample;
	b->n_images = b->n_images < run->n_images ? b->n_images : run->n_images;
	b->n_samples = b->n_samples < run->n_samples ? b->n_samples : run->n_samples;
	run->sample += b->n_samples;
	if (run->sample == req->n_samples) {
		run->sample = 0;
		run->image += b->n_images;
	}
	return true;
}

static int run_blocks(struct run *run, struct card_pipe *pipe)
{
	uint32_t free_slots = CARD_SLOTS, slot = 0, done;
	bool more = true;
	int rc = 0;

	while (!rc) {
		const bool room = free_slots && !card_pipe_full(pipe);

		if (room && more)
			more = next_block(run, &run->block[slot]);
		if (room && more) {
			rc = fill(run, slot);
			for (uint32_t i = 0; !rc && i < run->net->n; i++)
				command(run, slot, i, &run->card->cmds[i]);
			if (!rc)
				rc = card_pipe_put(pipe, run->card->cmds, run->net->n, slot);
			slot = (slot + 1) % CARD_SLOTS;
			free_slots--;
			continue;
		}
		if (!pipe->n)
			break;
		rc = card_pipe_take(pipe, &done);
		if (!rc)
			rc = empty(run, done);
		free_slots++;
	}
	return rc;
}

int card_net_run(void *priv, void *loaded, const struct pbit_layers_req *req, struct pbit_ctl *ctl)
{
	struct card_net *net = loaded;
	struct run run = {.card = priv, .net = net, .req = req};
	const struct pbit_layer *last = card_net_last(net)->info;
	struct card_pipe pipe;
	int rc;

	if (run.card->link->dead)
		return card_link_gone(run.card->link, WHAT, NULL);
	if (!req->out_bits && !req->out_raw && !req->out_sum)
		return 0;
	if (reads_out(last))
		run.form = req->out_raw ? FORM_ROWS : FORM_TOTALS;
	if (req->out_sum)
		memset(req->out_sum, 0, sizeof(*req->out_sum) * req->n_images * last->n_out);
	rc = shape(&run);
	if (!rc)
		rc = make_buffers(&run);
	if (rc)
		return rc;
	card_pipe_init(&pipe, run.card, WHAT, ctl);
	rc = run_blocks(&run, &pipe);
	card_pipe_drop(&pipe);
	return rc;
}
