/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New biases for a programmed machine, and draws named by their stream: the device's own operation
 * and programming anew must be told apart by nothing but the calls that reach the device.
 */
#include "test_boltzmann_mock.h"

#define PBITS 12u

static void program(struct mock *m, struct pbit_bm *bm, uint32_t replicas)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);

	opts.seed = 5;
	opts.replicas = replicas;
	opts.first_chain = 3;
	assert_int_equal(pbit_program_with(&m->dev, bm, &opts), 0);
}

static void biases(double *h, unsigned int kind)
{
	for (uint32_t i = 0; i < PBITS; i++)
		h[i] = kind == 0   ? 0.25 * (i % 3)	    /* the step of the ring, 1/4 */
		       : kind == 1 ? 0.125 * (i % 4) - 0.25 /* a finer one */
				   : 0.1 * i;		    /* no such step at all */
}

/* Clamps, sweeps, new biases of each kind, more sweeps. */
static void story(struct mock *m, struct pbit_bm *bm, uint32_t replicas, uint64_t *out)
{
	static const uint64_t mask = 0x21, value = 0x20;
	double h[PBITS];

	program(m, bm, replicas);
	assert_int_equal(pbit_clamp(&m->dev, &mask, &value), 0);
	for (unsigned int k = 0; k < 6; k++) {
		biases(h, k % 3);
		assert_int_equal(pbit_update(&m->dev, 0.8, 3), 0);
		assert_int_equal(pbit__bm_rebias(&m->dev, h), 0);
		assert_int_equal(pbit_update(&m->dev, 0.8, 2), 0);
		assert_int_equal(pbit_read(&m->dev, out + k * replicas), 0);
	}
}

static void test_same(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = ring(PBITS);
	uint64_t quick[6 * 4], slow[6 * 4], turns[6 * 4];

	m->dev.ops.seek = mock_seek;
	mock_has_replicas(m, 4);
	m->dev.ops.rebias = mock_rebias;
	story(m, bm, 4, quick);
	/* Kind 0 keeps the step only where the one before had it: the first of the six. */
	assert_int_equal(m->rebiases, 1);
	assert_int_equal(m->programs, 6);
	m->dev.ops.rebias = NULL;
	story(m, bm, 4, slow);
	assert_memory_equal(quick, slow, sizeof(quick));
	m->dev.ops.program_replicas = NULL;
	story(m, bm, 4, turns);
	assert_memory_equal(quick, turns, sizeof(quick));
	m->dev.ops.rebias = mock_rebias;
	story(m, bm, 4, turns);
	assert_memory_equal(quick, turns, sizeof(quick));
	/* The caller's machine is as it was. */
	assert_true(pbit_bm_energy(bm, &(uint64_t){0}) == -(0.5 * PBITS - 0.25 * PBITS));
	pbit_bm_put(bm);
}

/* The law is that of the machine with those biases: a machine built with them has the same bits. */
static void test_law(void **state)
{
	struct mock *m = *state;

	m->dev.ops.seek = mock_seek;
	m->dev.ops.rebias = mock_rebias;
	for (unsigned int kind = 0; kind < 3; kind++) {
		struct pbit_bm *bm = ring(PBITS), *built = ring(PBITS);
		uint64_t got, want, plain;
		double h[PBITS];

		biases(h, kind);
		for (uint32_t i = 0; i < PBITS; i++)
			assert_int_equal(pbit_bm_set_bias(built, i, h[i]), 0);
		program(m, built, 1);
		assert_int_equal(pbit_update(&m->dev, 0.8, 20), 0);
		assert_int_equal(pbit_read(&m->dev, &want), 0);
		program(m, bm, 1);
		assert_int_equal(pbit__bm_rebias(&m->dev, h), 0);
		assert_int_equal(pbit_update(&m->dev, 0.8, 20), 0);
		assert_int_equal(pbit_read(&m->dev, &got), 0);
		assert_int_equal(got, want);
		program(m, bm, 1);
		assert_int_equal(pbit_update(&m->dev, 0.8, 20), 0);
		assert_int_equal(pbit_read(&m->dev, &plain), 0);
		assert_int_not_equal(got, plain);
		pbit_bm_put(built);
		pbit_bm_put(bm);
	}
}

/* Programmed anew without seek, the random bits must not come again. */
static void test_fresh_seeds(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = ring(PBITS);
	double h[PBITS];
	uint64_t seeds[3];

	biases(h, 0);
	assert_int_equal(pbit_program(&m->dev, bm, 0, 5), 0);
	seeds[0] = m->seed;
	for (int k = 1; k < 3; k++) {
		assert_int_equal(pbit__bm_rebias(&m->dev, h), 0);
		seeds[k] = m->seed;
	}
	assert_true(seeds[0] == 5 && seeds[1] != 5 && seeds[2] != 5 && seeds[1] != seeds[2]);
	pbit_bm_put(bm);
}

static void test_refuses(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = ring(PBITS);
	double h[PBITS] = {0};

	assert_error(pbit__bm_rebias(&m->dev, h), -ENOTCONN, "pbit_program()");
	program(m, bm, 1);
	h[7] = NAN;
	assert_error(pbit__bm_rebias(&m->dev, h), -EINVAL, "nan");
	h[7] = 9.0;
	m->dev.caps.stated |= PBIT_CAP_BIAS;
	m->dev.caps.bias = (struct pbit_format){.integer_bits = 3, .fraction_bits = 2};
	assert_error(pbit__bm_rebias(&m->dev, h), -ERANGE, "bias 7 is 9");
	assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
	h[7] = 2.0;
	m->fail = -EIO;
	assert_error(pbit__bm_rebias(&m->dev, h), -EIO, "on demand");
	assert_error(pbit_update(&m->dev, 1.0, 1), -ENOTCONN, "pbit_program()");
	pbit_bm_put(bm);
}

/* Draws of a layer in place of the machine's own. */
static void test_stream(void **state)
{
	struct mock *m = *state;
	struct pbit_stream stream = {.domain = PBIT_DOMAIN_LAYER,
				     .layer = 4,
				     .sweep = 70,
				     .chain = 9,
				     .first_pbit = 256};
	struct pbit_bm *bm;
	double beta = 1.0;

	assert_int_equal(pbit_bm_new(PBITS, &bm), 0); /* free spins: the bit is that of the draw */
	assert_int_equal(pbit_program(&m->dev, bm, 0, 5), 0);
	assert_error(pbit__bm_stream(&m->dev, &stream), -EOPNOTSUPP, "which random bits");
	m->dev.ops.seek = mock_seek;
	for (uint32_t replicas = 1; replicas <= 3; replicas += 2) {
		uint64_t got[3];

		program(m, bm, replicas);
		assert_int_equal(pbit__bm_stream(&m->dev, &stream), 0);
		assert_int_equal(pbit__bm_update(&m->dev, &beta, false, 2, NULL), 0);
		assert_int_equal(pbit_read(&m->dev, got), 0);
		for (uint32_t k = 0; k < replicas * PBITS; k++) {
			uint32_t U = pbit_draw_layer(5, 4, 9 + k / PBITS, 71, 256 + k % PBITS);

			assert_int_equal(got[k / PBITS] >> (k % PBITS) & 1, U < 1u << 23);
		}
	}
	pbit_bm_put(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same),    TEST(test_law),    TEST(test_fresh_seeds),
		TEST(test_refuses), TEST(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
