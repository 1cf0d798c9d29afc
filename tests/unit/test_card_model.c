/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine of kernel/model, in integers, against the software device: layers and sweeps bit by
 * bit, and what it must refuse.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pbit/backend.h>
#include "fpga/card/card.h"
#include "../reference/random_model.h"

#define ARENA (8u << 20)

struct bench {
	struct pbit_device *device;
	struct pbit_card_rom rom;
	u8 *arena; /* at address 64, so that 0 is nowhere */
	u64 used;
	void *scratch;
	u32 polls, end_at; /* poll number that ends the work; 0: none */
	u64 random;
};

static void *at(void *user, u64 address, u64 size, bool write)
{
	const struct bench *b = user;

	(void)write;
	if (address < 64 || address - 64 > ARENA || size > ARENA - (address - 64))
		return NULL;
	return b->arena + (address - 64);
}

static int poll_fn(void *user, u32 progress)
{
	struct bench *b = user;

	(void)progress;
	return ++b->polls == b->end_at ? PBIT_DONE_ABORTED : 0;
}

static int make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct card_plan plan;

	assert_non_null(b);
	vcard_engine_init();
	vcard_plan_init(&plan);
	vcard_rom(&plan, &b->rom);
	b->arena = aligned_alloc(64, ARENA);
	b->scratch = aligned_alloc(64, pbit_engine_scratch_bytes(plan.pbits));
	assert_true(b->arena && b->scratch);
	assert_int_equal(pbit_open("software:threads=1", NULL, &b->device), 0);
	b->random = 7;
	*state = b;
	return 0;
}

static int unmake(void **state)
{
	struct bench *b = *state;

	pbit_close(b->device);
	free(b->arena);
	free(b->scratch);
	free(b);
	return 0;
}

/* Puts an array into the arena, 64-byte aligned; data may be NULL. Its address. */
static u64 place(struct bench *b, const void *data, u64 size)
{
	const u64 here = b->used;

	assert_true(size <= ARENA - here);
	if (data)
		memcpy(b->arena + here, data, size);
	else
		memset(b->arena + here, 0xa5, size);
	b->used = (here + size + 63) & ~63ull;
	return here + 64;
}

static struct pbit_engine_result run(struct bench *b, const struct pbit_card_desc *d)
{
	const struct pbit_engine_card card = {
		.rom = &b->rom,
		.at = at,
		.poll = poll_fn,
		.user = b,
		.scratch = b->scratch,
	};
	struct pbit_engine_result r;

	b->polls = 0;
	pbit_engine_run(&card, d, &r);
	return r;
}

/* A layer of the net as a descriptor; output in the arena at *output. */
struct shape {
	u32 n_in, n_out, bits, activation, input_bits;
	bool codes, image_numbers;
	u32 images, samples;
};

static struct pbit_model *net_of(struct bench *b, const struct shape *s)
{
	struct random_net net = {
		.in = {1, 1, s->codes ? s->n_in : 40},
		.input_bits = s->input_bits,
		.input_zero = random_below(&b->random, 5),
		.input_scale = s->input_bits == 8 ? 1.0f / 255 : 1.0f / 65535,
	};
	struct pbit_model *model = NULL;

	if (!s->codes)
		net.layers[net.n_layers++] = random_dense(s->n_in, 4, random_below(&b->random, 2));
	net.layers[net.n_layers] = random_dense(s->n_out, s->bits, random_below(&b->random, 2));
	net.layers[net.n_layers].row_scales = random_below(&b->random, 2);
	net.layers[net.n_layers++].activation = s->activation;
	assert_int_equal(random_model(&net, random_next(&b->random), &model), 0);
	return model;
}

static void fill_layer(struct bench *b, struct pbit_model *model, const struct pbit_layer *l,
		       struct pbit_card_layer *d)
{
	const u32 padded = (l->n_out + 15) / 16 * 16;
	float *factors = calloc(padded, 2 * sizeof(*factors));

	assert_non_null(factors);
	assert_int_equal(pbit_layer_affine(model, l->index, 0, 1, 0, 1, factors, factors + padded),
			 0);
	d->weights = place(b, l->weights, l->weights_size);
	d->factors = place(b, factors, 8ull * padded);
	d->n_inputs = l->fan_in;
	d->n_outputs = l->n_out;
	d->layer = l->index;
	d->weight_bits = (u8)l->weight_bits;
	free(factors);
}

/* Inputs at random: codes, or states as the layer before writes them. */
static void fill_input(struct bench *b, const struct shape *s, struct pbit_layers_req *req,
		       struct pbit_card_layer *d)
{
	const u32 code_bytes = s->input_bits / 8, words = (s->n_in + 63) / 64;
	const u64 rows = s->codes ? s->images : (u64)s->images * s->samples;
	const u64 stride = s->codes ? (u64)s->n_in * code_bytes : 8ull * words;
	u8 *in = malloc(rows * stride);
	u64 i, k;

	assert_non_null(in);
	for (i = 0; i < rows * stride; i++)
		in[i] = random_below(&b->random, 3) ? (u8)random_next(&b->random) : 0;
	for (i = 0; !s->codes && i < rows; i++)
		for (k = s->n_in; k < 64ull * words; k++)
			in[i * stride + k / 8] &= (u8) ~(1u << k % 8);
	d->in_kind = (u8)(s->codes ? code_bytes : PBIT_IN_BITS);
	d->in_stride = (u32)stride;
	d->input = place(b, in, rows * stride);
	req->code_bytes = s->codes ? code_bytes : 0;
	req->codes = s->codes ? in : NULL;
	req->code_stride = s->codes ? stride : 0;
	req->in_bits = s->codes ? NULL : (const uint64_t *)(void *)in;
}

static void key(struct bench *b, const struct shape *s, struct pbit_layers_req *req,
		struct pbit_card_layer *d, u64 *numbers)
{
	u32 i;

	d->seed = req->seed = random_next(&b->random);
	d->first_image = req->first_image = random_next(&b->random) >> 20;
	d->first_sample = req->first_sample = random_below(&b->random, 100000);
	d->n_images = req->n_images = s->images;
	d->n_samples = req->n_samples = s->samples;
	for (i = 0; i < s->images; i++)
		numbers[i] = random_next(&b->random) >> 1;
	if (s->image_numbers) {
		d->image_numbers = place(b, numbers, 8ull * s->images);
		req->image_numbers = numbers;
	}
}

static void check_bits(struct bench *b, struct pbit_card_desc *d, struct pbit_model *model,
		       struct pbit_layers_req *req, u32 index)
{
	const u64 rows = (u64)d->layer.n_images * d->layer.n_samples;
	const u64 size = rows * ((d->layer.n_outputs + 63) / 64) * 8;
	uint64_t *expected = calloc(1, size);
	struct pbit_engine_result r;

	assert_non_null(expected);
	d->layer.out_kind = PBIT_OUT_BITS;
	d->layer.out_stride = (d->layer.n_outputs + 63) / 64 * 8;
	d->layer.output = place(b, NULL, size);
	req->out_bits = expected;
	assert_int_equal(pbit_run_layers(b->device, model, index, 1, req), 0);
	r = run(b, d);
	assert_int_equal(r.status, PBIT_DONE_OK);
	assert_int_equal(r.progress, rows);
	assert_int_equal(r.updates, rows * d->layer.n_outputs);
	assert_memory_equal(b->arena + (d->layer.output - 64), expected, size);
	free(expected);
}

static void check_numbers(struct bench *b, struct pbit_card_desc *d, struct pbit_model *model,
			  struct pbit_layers_req *req, u32 index, u8 kind)
{
	const u64 each = 8ull * d->layer.n_images * d->layer.n_outputs;
	const u64 size = each * d->layer.n_samples;
	int64_t *raw = calloc(1, size), *sum = calloc(1, each);

	assert_true(raw && sum);
	req->out_raw = raw;
	req->out_sum = sum;
	assert_int_equal(pbit_run_layers(b->device, model, index, 1, req), 0);
	d->layer.out_kind = kind;
	d->layer.output = place(b, NULL, size);
	assert_int_equal(run(b, d).status, PBIT_DONE_OK);
	assert_memory_equal(b->arena + (d->layer.output - 64), raw, size);
	d->layer.out_kind = kind | PBIT_OUT_TOTAL;
	d->layer.output = place(b, NULL, each);
	assert_int_equal(run(b, d).status, PBIT_DONE_OK);
	assert_memory_equal(b->arena + (d->layer.output - 64), sum, each);
	free(raw);
	free(sum);
}

static void check_layer(struct bench *b, const struct shape *s)
{
	struct pbit_model *model = net_of(b, s);
	const u32 index = s->codes ? 0 : 1;
	struct pbit_layers_req req = PBIT_INIT(req);
	struct pbit_card_desc d = {.op = PBIT_OP_LAYER};
	u64 numbers[16];

	b->used = 0;
	fill_layer(b, model, pbit_model_layer(model, index), &d.layer);
	fill_input(b, s, &req, &d.layer);
	key(b, s, &req, &d.layer, numbers);
	if (s->activation == PBIT_ACT_PBIT)
		check_bits(b, &d, model, &req, index);
	else
		check_numbers(b, &d, model, &req, index,
			      s->activation == PBIT_ACT_LINEAR ? PBIT_OUT_SUM : PBIT_OUT_LEVEL);
	free((void *)(uintptr_t)(s->codes ? req.codes : req.in_bits));
	pbit_model_put(model);
}

static void test_layers(void **state)
{
	static const u32 activations[] = {PBIT_ACT_PBIT, PBIT_ACT_LINEAR, PBIT_ACT_SIGMOID};
	static const u32 fan_ins[] = {1, 31, 32, 33, 95, 128, 300};
	static const u32 outputs[] = {1, 10, 16, 17, 127, 128, 129, 200};
	struct bench *b = *state;
	u32 i;

	for (i = 0; i < 600; i++) {
		const struct shape s = {
			.n_in = fan_ins[random_below(&b->random, 7)],
			.n_out = outputs[random_below(&b->random, 8)],
			.bits = 1u << i % 4,
			.activation = activations[i / 4 % 3],
			.codes = i / 12 % 2,
			.input_bits = i / 24 % 2 ? 8 : 16,
			.image_numbers = i / 48 % 2,
			.images = 1 + random_below(&b->random, 6),
			.samples = 1 + random_below(&b->random, 6),
		};

		check_layer(b, &s);
	}
}

/* A machine of the library, and the same as arrays in the arena. */
struct twin {
	struct pbit_bm *bm;
	struct pbit_bm_view view;
	struct pbit_card_desc d;
	u32 words;
};

static void couple(struct bench *b, struct twin *t, u32 n, bool directed)
{
	u32 i, j;

	assert_int_equal(pbit_bm_new(n, &t->bm), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(pbit_bm_set_bias(t->bm, i, random_uniform(&b->random) - 0.5), 0);
		for (j = 0; j < i; j++) {
			const double v = random_uniform(&b->random) * 2 - 1;

			if (random_below(&b->random, n) > 6)
				continue;
			if (directed && random_below(&b->random, 3) == 0)
				assert_int_equal(pbit_bm_add_directed(t->bm, i, j, v), 0);
			else
				assert_int_equal(pbit_bm_add_coupling(t->bm, i, j, v), 0);
		}
	}
	t->view = (struct pbit_bm_view)PBIT_INIT(t->view);
	assert_int_equal(pbit_bm_view(t->bm, &t->view), 0);
}

/* By colour, then by index. */
static u64 visits(struct bench *b, const struct twin *t)
{
	const u32 n = t->view.n;
	u32 *colour = calloc(n, sizeof(*colour)), *order = calloc(n, sizeof(*order));
	u32 colours = 0, c, i, v = 0;
	u64 address;

	assert_true(colour && order);
	assert_int_equal(pbit_bm_colour(t->bm, colour, &colours), 0);
	for (c = 0; c < colours; c++)
		for (i = 0; i < n; i++)
			if (colour[i] == c)
				order[v++] = i;
	assert_int_equal(v, n);
	address = place(b, order, 4ull * n);
	free(colour);
	free(order);
	return address;
}

static void arrays(struct bench *b, struct twin *t, u32 order)
{
	const u32 n = t->view.n, entries = (u32)t->view.row[n];
	struct pbit_card_sweep *s = &t->d.sweep;
	u32 *rows = calloc(n + 1, sizeof(*rows)), i;

	assert_non_null(rows);
	for (i = 0; i <= n; i++)
		rows[i] = (u32)t->view.row[i];
	b->used = 0;
	t->words = (n + 63) / 64;
	t->d.op = PBIT_OP_SWEEP;
	*s = (struct pbit_card_sweep){
		.rows = place(b, rows, 4ull * (n + 1)),
		.columns = place(b, t->view.col, 4ull * entries),
		.values = place(b, t->view.Jq, 4ull * entries),
		.bias = place(b, t->view.hq, 4ull * n),
		.domain = PBIT_DOMAIN_BOLTZMANN,
		.n = n,
		.n_values = entries,
		.synchronous = order == PBIT_ORDER_SYNCHRONOUS,
	};
	if (order == PBIT_ORDER_CHROMATIC)
		s->visits = visits(b, t);
	free(rows);
}

static void random_states(struct bench *b, const struct twin *t, u64 *state, u32 count)
{
	u32 w;

	for (w = 0; w < count * t->words; w++) {
		state[w] = random_next(&b->random);
		if (t->view.n % 64 && w % t->words == t->words - 1)
			state[w] &= (1ull << t->view.n % 64) - 1;
	}
}

/* The device's state after each sweep, against the engine's outputs. */
static void follow(struct bench *b, struct twin *t, double beta, u32 sweeps, u32 interval)
{
	struct pbit_card_sweep *s = &t->d.sweep;
	const u64 size = 8ull * t->words * s->replicas;
	const double scale = 2.0 * beta * t->view.step;
	uint64_t *state = calloc(1, size);
	struct pbit_engine_result r;
	u32 k;

	assert_non_null(state);
	memcpy(&s->scale, &scale, sizeof(scale));
	s->sweeps = sweeps;
	s->interval = interval;
	s->output = place(b, NULL, size * (sweeps / interval));
	assert_int_equal(pbit_read(b->device, state), 0);
	s->state = place(b, state, size);
	r = run(b, &t->d);
	assert_int_equal(r.status, PBIT_DONE_OK);
	assert_int_equal(r.progress, sweeps * s->replicas);
	assert_int_equal(r.updates, (u64)sweeps * s->replicas * s->n);
	for (k = 0; k < sweeps / interval; k++) {
		assert_int_equal(pbit_update(b->device, beta, interval), 0);
		assert_int_equal(pbit_read(b->device, state), 0);
		assert_memory_equal(b->arena + (s->output - 64) + k * size, state, size);
	}
	assert_int_equal(pbit_update(b->device, beta, sweeps % interval), 0);
	assert_int_equal(pbit_read(b->device, state), 0);
	assert_memory_equal(b->arena + (s->state - 64), state, size);
	s->first_sweep += sweeps;
	free(state);
}

static void check_machine(struct bench *b, u32 n, u32 order, u32 replicas, bool directed)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	struct twin t = {0};
	u64 state[3 * 8], mask[8];

	couple(b, &t, n, directed);
	arrays(b, &t, order);
	t.d.sweep.replicas = opts.replicas = replicas;
	t.d.sweep.seed = opts.seed = random_next(&b->random);
	t.d.sweep.first_chain = opts.first_chain = random_next(&b->random) >> 8;
	opts.order = order;
	assert_int_equal(pbit_program_with(b->device, t.bm, &opts), 0);
	follow(b, &t, 0.3, 3, 1);
	random_states(b, &t, state, replicas);
	assert_int_equal(pbit_set_state(b->device, state), 0);
	follow(b, &t, 1.7, 5, 2);
	random_states(b, &t, state, 1);
	random_states(b, &t, mask, 1);
	assert_int_equal(pbit_clamp(b->device, mask, state), 0);
	t.d.sweep.clamp = place(b, mask, 8ull * t.words);
	follow(b, &t, 0.8, 4, 2);
	follow(b, &t, 1e6, 2, 1);
	follow(b, &t, 0.0, 2, 1);
	pbit_bm_put(t.bm);
}

static void test_sweeps(void **state)
{
	static const u32 orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
				     PBIT_ORDER_SYNCHRONOUS};
	static const u32 sizes[] = {1, 2, 63, 64, 65, 127, 128, 130, 300, 500};
	struct bench *b = *state;
	u32 i;

	for (i = 0; i < 120; i++)
		check_machine(b, sizes[i % 10], orders[i / 10 % 3], 1 + 2 * (i / 30 % 2),
			      i / 60 % 2);
}

/* Sixteen bits of a draw leave one in 65,536 undecided: enough draws for twenty of those. */
static void test_ties(void **state)
{
	struct bench *b = *state;
	struct twin t = {0};
	u32 i;

	assert_int_equal(pbit_bm_new(65536, &t.bm), 0);
	for (i = 0; i < 65536; i++)
		assert_int_equal(pbit_bm_set_bias(t.bm, i, random_uniform(&b->random) - 0.5), 0);
	t.view = (struct pbit_bm_view)PBIT_INIT(t.view);
	assert_int_equal(pbit_bm_view(t.bm, &t.view), 0);
	arrays(b, &t, PBIT_ORDER_SEQUENTIAL);
	t.d.sweep.replicas = 1;
	t.d.sweep.seed = 99;
	assert_int_equal(pbit_program(b->device, t.bm, PBIT_ORDER_SEQUENTIAL, 99), 0);
	follow(b, &t, 1.0, 20, 1);
	pbit_bm_put(t.bm);
}

/* Whatever an index says, nothing outside the arrays is touched, and nothing runs. */
static void test_bad_indices(void **state)
{
	struct bench *b = *state;
	struct twin t = {0};
	u32 *row, *column, keep, i;

	couple(b, &t, 40, false);
	arrays(b, &t, PBIT_ORDER_CHROMATIC);
	t.d.sweep.replicas = t.d.sweep.sweeps = 1;
	t.d.sweep.state = place(b, NULL, 8);
	row = (u32 *)(void *)(b->arena + (t.d.sweep.rows - 64));
	column = (u32 *)(void *)(b->arena + (t.d.sweep.columns - 64));
	assert_int_equal(run(b, &t.d).status, PBIT_DONE_OK);
	for (i = 0; i < 6; i++) {
		u32 *at_fault[] = {row,
				   row + 20,
				   row + 40,
				   column,
				   column + t.d.sweep.n_values - 1,
				   (u32 *)(void *)(b->arena + (t.d.sweep.visits - 64)) + 7};
		const u32 bad[] = {1, ~0u, t.d.sweep.n_values + 1, 40, ~0u, 40};

		keep = *at_fault[i];
		*at_fault[i] = bad[i];
		assert_int_equal(run(b, &t.d).status, PBIT_DONE_BAD_ADDRESS);
		*at_fault[i] = keep;
	}
	assert_int_equal(run(b, &t.d).status, PBIT_DONE_OK);
	pbit_bm_put(t.bm);
}

static void test_refusals(void **state)
{
	struct bench *b = *state;
	const struct pbit_card_desc right = {
		.op = PBIT_OP_LAYER,
		.layer = {.weights = 64,
			  .factors = 64,
			  .input = 64,
			  .output = 4096,
			  .n_inputs = 32,
			  .n_outputs = 16,
			  .n_images = 2,
			  .n_samples = 2,
			  .in_stride = 4,
			  .out_stride = 8,
			  .weight_bits = 1},
	};
	struct pbit_card_desc d = right;

	memset(b->arena, 0, 65536);
	assert_int_equal(run(b, &d).status, PBIT_DONE_OK);
#define REFUSED(change, how)                              \
	do {                                              \
		d = right;                                \
		change;                                   \
		assert_int_equal(run(b, &d).status, how); \
	} while (0)
	REFUSED(d.op = 5, PBIT_DONE_BAD_OP);
	REFUSED(d.flags = 2, PBIT_DONE_BAD_SIZE);
	REFUSED(d.reserved = 1, PBIT_DONE_BAD_SIZE);
	REFUSED(d.raw[29] = 1, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.reserved[4] = 1, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.n_inputs = 0, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.n_inputs = ~0u, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.n_outputs = 65537, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.n_images = 1u << 31, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.n_samples = 0, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.weight_bits = 3, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.in_stride = 2, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.out_stride = 0, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.first_output = 64, PBIT_DONE_BAD_SIZE);
	REFUSED(d.layer.weights = 65, PBIT_DONE_BAD_ADDRESS);
	REFUSED(d.layer.weights = 1ull << 40, PBIT_DONE_BUS);
	REFUSED(d.layer.weights = PBIT_CARD_LOCAL | 1ull << 40, PBIT_DONE_BAD_ADDRESS);
	REFUSED(d.layer.output = 64 + ARENA - 24, PBIT_DONE_BUS);
	/* An end from outside comes through. */
	b->end_at = 2;
	d = right;
	assert_int_equal(run(b, &d).status, PBIT_DONE_ABORTED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_layers), T(test_sweeps), T(test_ties), T(test_bad_indices), T(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
