/* SPDX-License-Identifier: Apache-2.0 */
/* Boltzmann machines through fpga: against the software device, bit for bit. */
#include "test_fpga_fake.h"

#define N_MAX 400u

static struct pbit_bm *make_machine(uint64_t *s, uint32_t n, bool directed)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(n, &bm), 0);
	for (uint32_t i = 0; i < n; i++) {
		if (pbit_bm_set_bias(bm, i, (double)(int)(fake_random(s) % 21 - 10) / 8))
			fail();
		for (uint32_t d = 0; d < 3; d++) {
			const uint32_t j = (uint32_t)(fake_random(s) % n);
			const double v = (double)(int)(fake_random(s) % 31 - 15) / 16;

			if (j == i)
				continue;
			/* A pair that is there already is refused, which is fine. */
			if (directed && d == 2 ? pbit_bm_add_directed(bm, i, j, v)
					       : pbit_bm_add_coupling(bm, i, j, v))
				assert_int_equal(pbit_last_error()->code, -EEXIST);
		}
	}
	return bm;
}

struct pair {
	struct pbit_device *dev[2]; /* fpga:, software: */
	uint32_t n, words, replicas;
	uint64_t *state[2];
};

static void both_read(struct pair *p)
{
	for (int d = 0; d < 2; d++)
		assert_int_equal(pbit_read(p->dev[d], p->state[d]), 0);
	assert_memory_equal(p->state[0], p->state[1], 8 * p->words * p->replicas);
}

static void random_states(struct pair *p, uint64_t *s)
{
	for (uint32_t w = 0; w < p->words * p->replicas; w++)
		p->state[0][w] = fake_random(s);
}

static void step(struct pair *p, struct pbit_bm *bm, uint64_t *s)
{
	double beta[16];
	const uint64_t sweeps = fake_random(s) % 40;
	const uint64_t at = fake_random(s);
	uint64_t mask[N_MAX / 64 + 1];

	(void)bm;
	for (uint32_t r = 0; r < 16; r++)
		beta[r] = (double)(fake_random(s) % 3) / 2;
	for (uint32_t w = 0; w < p->words; w++)
		mask[w] = fake_random(s) & fake_random(s);
	random_states(p, s);
	switch (fake_random(s) % 7) {
	case 0:
		for (int d = 0; d < 2; d++)
			assert_int_equal(pbit_clamp(p->dev[d], mask, p->state[0]), 0);
		break;
	case 1:
		for (int d = 0; d < 2; d++)
			assert_int_equal(pbit_clamp_each(p->dev[d], mask, p->state[0]), 0);
		break;
	case 2:
		for (int d = 0; d < 2; d++)
			assert_int_equal(pbit_clamp(p->dev[d], NULL, NULL), 0);
		break;
	case 3:
		for (int d = 0; d < 2; d++)
			assert_int_equal(pbit_set_state(p->dev[d], p->state[0]), 0);
		break;
	case 4:
		for (int d = 0; d < 2; d++)
			assert_int_equal(pbit_seek(p->dev[d], at), 0);
		break;
	case 5:
		for (int d = 0; d < 2; d++)
			if (pbit_update_each(p->dev[d], beta, sweeps))
				fail_msg("%s", pbit_last_error()->why);
		break;
	default:
		for (int d = 0; d < 2; d++)
			if (pbit_update(p->dev[d], 0.75, sweeps))
				fail_msg("%s", pbit_last_error()->why);
		/* Twice: what is not read must be right too. */
		if (at % 2)
			for (int d = 0; d < 2; d++)
				assert_int_equal(pbit_update(p->dev[d], 0.25, 1), 0);
	}
	both_read(p);
}

static void compare_many(uint64_t seed, uint32_t machines, uint32_t n_min, uint32_t steps)
{
	static const uint32_t orders[] = {0, PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	struct pair p = {.dev = {fake_open_device(), fake_software()}};

	for (uint32_t i = 0; i < machines; i++) {
		struct pbit_program_opts opts = PBIT_INIT(opts);
		struct pbit_bm *bm;

		p.n = n_min + (uint32_t)(fake_random(&seed) % (N_MAX - n_min));
		p.words = (p.n + 63) / 64;
		p.replicas = 1 + (uint32_t)(fake_random(&seed) % 9);
		bm = make_machine(&seed, p.n, i % 3 == 0);
		opts.order = orders[fake_random(&seed) % 4];
		opts.seed = fake_random(&seed);
		opts.replicas = p.replicas;
		opts.first_chain = fake_random(&seed) % 3 ? fake_random(&seed) : 0;
		for (int d = 0; d < 2; d++) {
			p.state[d] = calloc(p.words * p.replicas, 8);
			if (pbit_program_with(p.dev[d], bm, &opts))
				fail_msg("%s", pbit_last_error()->why);
		}
		both_read(&p);
		for (uint32_t k = 0; k < steps; k++)
			step(&p, bm, &seed);
		free(p.state[0]);
		free(p.state[1]);
		pbit_bm_put(bm);
	}
	pbit_close(p.dev[0]);
	pbit_close(p.dev[1]);
	assert_int_equal(fake.pinned, 0);
}

static void test_same_bits(void **state)
{
	(void)state;
	fake_defaults();
	compare_many(1, 25, 1, 25);
}

/* By each limit; and states too large to come back with the update. */
static void test_split(void **state)
{
	(void)state;
	fake_defaults();
	fake.rom.max_samples = 5;
	compare_many(100, 8, 1, 20);
	assert_true(fake.most_jobs > 1);
	fake_defaults();
	fake.rom.max_work = fake.max_work = 9 * N_MAX;
	compare_many(200, 8, 1, 20);
	fake_defaults();
	fake.max_commands = 2;
	compare_many(300, 8, 1, 20);
	fake_defaults();
	fake.rom.update_fs = fake.rom.mac_fs = 4000000000u; /* blocks of few sweeps */
	compare_many(400, 8, 1, 20);
}

/* Too large for the mirror, and for one step on the way. */
static void test_large_states(void **state)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	struct pbit_device *dev[2];
	const uint32_t n = 8000, words = n / 64, replicas = 300;
	uint64_t *states[2], seed = 5, mask[125];
	struct pbit_bm *bm;

	(void)state;
	fake_defaults();
	fake.rom.max_samples = 700;
	dev[0] = fake_open_device();
	dev[1] = fake_software();
	assert_int_equal(pbit_bm_new(n, &bm), 0);
	for (uint32_t i = 0; i + 1 < n; i++)
		assert_int_equal(pbit_bm_add_coupling(bm, i, i + 1, i % 3 ? 1 : -1), 0);
	opts.replicas = replicas;
	opts.seed = 9;
	memset(mask, 0x11, sizeof(mask));
	states[0] = malloc(8 * words * replicas);
	for (uint32_t w = 0; w < words * replicas; w++)
		states[0][w] = fake_random(&seed);
	for (int d = 0; d < 2; d++) {
		if (pbit_program_with(dev[d], bm, &opts))
			fail_msg("%s", pbit_last_error()->why);
		assert_int_equal(pbit_set_state(dev[d], states[0]), 0);
		assert_int_equal(pbit_update(dev[d], 0.5, 3), 0);
		assert_int_equal(pbit_clamp(dev[d], mask, states[0]), 0);
		assert_int_equal(pbit_update(dev[d], 0.5, 2), 0);
	}
	states[1] = malloc(8 * words * replicas);
	for (int d = 0; d < 2; d++)
		assert_int_equal(pbit_read(dev[d], states[d]), 0);
	assert_memory_equal(states[0], states[1], 8 * words * replicas);
	free(states[0]);
	free(states[1]);
	pbit_bm_put(bm);
	pbit_close(dev[0]);
	pbit_close(dev[1]);
}

/* Layers by program, clamp, update, read: the library's lowering, with biases replaced. */
static void test_lowered(void **state)
{
	struct pbit_lower_opts lower = PBIT_INIT(lower);
	struct pbit_layer_spec layer = PBIT_INIT(layer);
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_layers_req req = PBIT_INIT(req);
	struct pbit_device *dev[2];
	struct pbit_model *model;
	static int8_t weights[70 * 90];
	static uint64_t bits[2][6 * 5 * 2];
	static uint8_t codes[6 * 70];
	static float scale = 0.001f;
	uint64_t seed = 3;

	(void)state;
	fake_defaults();
	for (size_t k = 0; k < sizeof(weights); k++)
		weights[k] = (int8_t)(fake_random(&seed) % 16 - 8);
	for (size_t k = 0; k < sizeof(codes); k++)
		codes[k] = (uint8_t)fake_random(&seed);
	layer.type = PBIT_DENSE;
	layer.activation = PBIT_ACT_PBIT;
	layer.encoding = PBIT_BINARY;
	layer.n_out = 90;
	layer.weight_bits = 4;
	layer.n_scale = 1;
	layer.weights = weights;
	layer.scale = &scale;
	spec.n_layers = 1;
	spec.layers = &layer;
	spec.in = (struct pbit_shape){70, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 1;
	if (pbit_model_create(&spec, &model))
		fail_msg("%s", pbit_last_error()->why);
	dev[0] = fake_open_device();
	dev[1] = fake_software();
	lower.flags = PBIT_LOWER_ALWAYS;
	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = 70;
	req.n_images = 6;
	req.n_samples = 5;
	req.seed = 8;
	for (int d = 0; d < 2; d++) {
		if (pbit_lower_device(dev[d], &lower))
			fail_msg("%s", pbit_last_error()->why);
		req.out_bits = bits[d];
		if (pbit_run_layers(dev[d], model, 0, 1, &req))
			fail_msg("%s", pbit_last_error()->why);
		pbit_close(dev[d]);
	}
	assert_memory_equal(bits[0], bits[1], sizeof(bits[0]));
	pbit_model_put(model);
}

/* An interrupted update leaves whole sweeps, and goes on as if nothing had been. */
static void test_interrupted(void **state)
{
	struct pbit_device *dev[2];
	uint64_t seed = 11, got[2][8];
	struct pbit_bm *bm = make_machine(&seed, 400, false);
	uint64_t sweep = 0;
	uint32_t found = 0;

	(void)state;
	fake_defaults();
	fake.rom.max_samples = 10; /* sweeps of a block */
	dev[0] = fake_open_device();
	dev[1] = fake_software();
	for (int d = 0; d < 2; d++)
		assert_int_equal(pbit_program(dev[d], bm, PBIT_ORDER_CHROMATIC, 3), 0);
	fake.error_at = fake.commands + 8; /* a sweep of the fourth block */
	fake.error_status = PBIT_DONE_MEMORY;
	assert_int_equal(pbit_update(dev[0], 0.5, 95), -EIO);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_DEVICE);
	assert_int_equal(pbit_last_error()->native, PBIT_DONE_MEMORY);
	assert_int_equal(pbit_read(dev[0], got[0]), 0);
	while (!found && sweep < 95) {
		assert_int_equal(pbit_read(dev[1], got[1]), 0);
		found = !memcmp(got[0], got[1], 56);
		if (!found) {
			assert_int_equal(pbit_update(dev[1], 0.5, 1), 0);
			sweep++;
		}
	}
	assert_true(found);
	/* Of the three blocks that ended, two or three are known to have. */
	assert_true(sweep >= 10 && sweep <= 30 && sweep % 10 == 0);
	for (int d = 0; d < 2; d++) {
		assert_int_equal(pbit_seek(dev[d], 1000), 0);
		assert_int_equal(pbit_update(dev[d], 0.5, 33), 0);
		assert_int_equal(pbit_read(dev[d], got[d]), 0);
		pbit_close(dev[d]);
	}
	assert_memory_equal(got[0], got[1], 56);
	pbit_bm_put(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bits),    cmocka_unit_test(test_split),
		cmocka_unit_test(test_large_states), cmocka_unit_test(test_lowered),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, fake_setup, fake_teardown);
}
