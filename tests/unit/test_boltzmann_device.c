/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of a device: what is refused and why, order of calls, masks, beta, what an
 * interrupted update leaves.
 */
#include "test_boltzmann_mock.h"

static void test_not_boltzmann(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(1);
	struct pbit_bm *bm = ring(3);
	uint64_t word = 0;

	for (int round = 0; round < 2; round++) {
		if (round)
			m->dev.ops.read = NULL;
		else
			m->dev.caps.flags = 0;
		assert_error(pbit_program(&m->dev, bm, 0, 1), -EOPNOTSUPP, "no Boltzmann mode");
		assert_error(pbit_clamp(&m->dev, &word, &word), -EOPNOTSUPP, "no Boltzmann mode");
		assert_error(pbit_set_state(&m->dev, &word), -EOPNOTSUPP, "no Boltzmann mode");
		assert_error(pbit_update(&m->dev, 1.0, 1), -EOPNOTSUPP, "no Boltzmann mode");
		assert_error(pbit_read(&m->dev, &word), -EOPNOTSUPP, "no Boltzmann mode");
		assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EOPNOTSUPP,
			     "no Boltzmann mode");
		m->dev.caps.flags = PBIT_FLAG_BOLTZMANN;
	}
	pbit_bm_put(bm);
}

static void test_not_programmed(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(1);
	uint64_t word = 0;

	assert_error(pbit_clamp(&m->dev, &word, &word), -ENOTCONN, "pbit_program()");
	assert_error(pbit_clamp(&m->dev, NULL, NULL), -ENOTCONN, "pbit_program()");
	assert_error(pbit_set_state(&m->dev, &word), -ENOTCONN, "pbit_program()");
	assert_error(pbit_update(&m->dev, 1.0, 1), -ENOTCONN, "pbit_program()");
	assert_error(pbit_update(&m->dev, 1.0, 0), -ENOTCONN, "pbit_program()");
	assert_error(pbit_read(&m->dev, &word), -ENOTCONN, "pbit_program()");
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -ENOTCONN, "pbit_program()");
}

static void test_null(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(1);
	struct pbit_bm *bm = ring(3);
	uint64_t word = 0;

	assert_error(pbit_program(NULL, bm, 0, 1), -EINVAL, "NULL");
	assert_error(pbit_program(&m->dev, NULL, 0, 1), -EINVAL, "NULL");
	assert_error(pbit_clamp(NULL, &word, &word), -EINVAL, "NULL");
	assert_error(pbit_set_state(NULL, &word), -EINVAL, "NULL");
	assert_error(pbit_update(NULL, 1.0, 1), -EINVAL, "NULL");
	assert_error(pbit_read(NULL, &word), -EINVAL, "NULL");
	assert_error(pbit_sample(NULL, &opts, take_none, NULL), -EINVAL, "NULL");
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_error(pbit_clamp(&m->dev, &word, NULL), -EINVAL, "value");
	assert_error(pbit_set_state(&m->dev, NULL), -EINVAL, "state");
	assert_error(pbit_read(&m->dev, NULL), -EINVAL, "state");
	assert_error(pbit_sample(&m->dev, NULL, take_none, NULL), -EINVAL, "NULL");
	assert_error(pbit_sample(&m->dev, &opts, NULL, NULL), -EINVAL, "fn");
	pbit_bm_put(bm);
}

static void test_orders(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = ring(4);

	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_int_equal(m->order, PBIT_ORDER_SEQUENTIAL);
	assert_error(pbit_program(&m->dev, bm, PBIT_ORDER_ASYNCHRONOUS, 1), -EOPNOTSUPP,
		     "asynchronous");
	assert_error(pbit_program(&m->dev, bm, 3, 1), -EINVAL, "0x3");
	assert_error(pbit_program(&m->dev, bm, 1u << 9, 1), -EINVAL, "0x200");
	m->dev.caps.orders = PBIT_ORDER_SYNCHRONOUS | PBIT_ORDER_CHROMATIC;
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_int_equal(m->order, PBIT_ORDER_CHROMATIC);
	assert_error(pbit_program(&m->dev, bm, PBIT_ORDER_SEQUENTIAL, 1), -EOPNOTSUPP,
		     "sequential");
	assert_int_equal(pbit_program(&m->dev, bm, PBIT_ORDER_SYNCHRONOUS, 1), 0);
	/* Unstated promises nothing, and leaves the choice to the device. */
	m->dev.caps.stated = 0;
	assert_error(pbit_program(&m->dev, bm, PBIT_ORDER_CHROMATIC, 1), -EOPNOTSUPP, "chromatic");
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_int_equal(m->order, 0);
	pbit_bm_put(bm);
}

static void test_size_limits(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *five = ring(5), *four = ring(4);

	m->dev.caps.stated |= PBIT_CAP_PBITS | PBIT_CAP_FAN_IN;
	m->dev.caps.pbits = 4;
	m->dev.caps.fan_in = 2;
	assert_error(pbit_program(&m->dev, five, 0, 1), -E2BIG, "5 p-bits, the device 4");
	/* Refused before the device was asked: it can still be changed. */
	assert_int_equal(pbit_bm_set_bias(five, 0, 1.0), 0);
	assert_int_equal(pbit_program(&m->dev, four, 0, 1), 0);
	m->dev.caps.fan_in = 1;
	assert_error(pbit_program(&m->dev, four, 0, 1), -E2BIG, "fan-in is 1");
	/* The refusal left the machine in place. */
	assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
	m->dev.caps.stated = PBIT_CAP_ORDERS;
	assert_int_equal(pbit_program(&m->dev, five, 0, 1), 0);
	pbit_bm_put(four);
	pbit_bm_put(five);
}

static void test_formats(void **state)
{
	struct mock *m = *state;
	struct pbit_format s12 = {.integer_bits = 1, .fraction_bits = 2, .min = -2, .max = 1.75};
	struct pbit_bm *bm = ring(3);

	m->dev.caps.stated |= PBIT_CAP_COUPLING | PBIT_CAP_BIAS | PBIT_CAP_BETA;
	m->dev.caps.coupling = m->dev.caps.bias = m->dev.caps.beta = s12;
	m->dev.caps.coupling.fraction_bits = 1;
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_int_equal(pbit_update(&m->dev, 1.75, 1), 0);
	assert_error(pbit_update(&m->dev, 2.0, 1), -ERANGE, "-2 to 1.75");
	assert_error(pbit_update(&m->dev, 0.3, 1), -ERANGE, "s{1}{2}");
	m->dev.caps.bias.fraction_bits = 1;
	assert_error(pbit_program(&m->dev, bm, 0, 1), -ERANGE, "bias 0 is 0.25");
	m->dev.caps.bias = s12;
	m->dev.caps.coupling.fraction_bits = 0;
	assert_error(pbit_program(&m->dev, bm, 0, 1), -ERANGE, "coupling (0, 1) is 0.5");
	/* The range of s{0}{1} is [-1, 0.5], whatever the device adds to it. */
	m->dev.caps.coupling = (struct pbit_format){.integer_bits = 0, .fraction_bits = 1};
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	m->dev.caps.coupling = (struct pbit_format){
		.integer_bits = 0, .fraction_bits = 4, .min = -0.25, .max = 0.4375};
	assert_error(pbit_program(&m->dev, bm, 0, 1), -ERANGE, "-0.25 to 0.4375");
	/* The top of s{0}{1} is 0.5, even where the device states a wider range. */
	m->dev.caps.coupling = (struct pbit_format){
		.integer_bits = 0, .fraction_bits = 1, .min = -4.0, .max = 4.0};
	m->dev.caps.stated &= ~PBIT_CAP_BIAS;
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	pbit_bm_put(bm);
	assert_int_equal(pbit_bm_new(2, &bm), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 1, 1.0), 0);
	assert_error(pbit_program(&m->dev, bm, 0, 1), -ERANGE, "-1 to 0.5");
	m->dev.caps.stated |= PBIT_CAP_BIAS;
	/* binary32: the range counts, the last bit does not. */
	m->dev.caps.coupling = (struct pbit_format){.integer_bits = 255, .min = -3e38, .max = 3e38};
	m->dev.caps.bias = m->dev.caps.coupling;
	pbit_bm_put(bm);
	bm = NULL;
	assert_int_equal(pbit_bm_new(2, &bm), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 1, 0.1), 0);
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	pbit_bm_put(bm);
	assert_int_equal(pbit_bm_new(2, &bm), 0);
	assert_int_equal(pbit_bm_set_bias(bm, 1, -1e39), 0);
	assert_error(pbit_program(&m->dev, bm, 0, 1), -ERANGE, "bias 1");
	pbit_bm_put(bm);
}

static void test_topology(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *even = ring(6), *odd = ring(7);

	m->dev.caps.stated |= PBIT_CAP_TOPOLOGY;
	m->dev.caps.topology = PBIT_TOPOLOGY_BIPARTITE;
	assert_int_equal(pbit_program(&m->dev, even, 0, 1), 0);
	assert_error(pbit_program(&m->dev, odd, 0, 1), -EOPNOTSUPP, "two sides");
	m->dev.caps.topology = PBIT_TOPOLOGY_ALL;
	assert_int_equal(pbit_program(&m->dev, odd, 0, 1), 0);
	m->dev.caps.stated |= PBIT_CAP_COLOURS;
	m->dev.caps.colours = 2;
	assert_error(pbit_program(&m->dev, odd, PBIT_ORDER_CHROMATIC, 1), -EOPNOTSUPP,
		     "two colours");
	assert_int_equal(pbit_program(&m->dev, even, PBIT_ORDER_CHROMATIC, 1), 0);
	assert_int_equal(pbit_program(&m->dev, odd, PBIT_ORDER_SEQUENTIAL, 1), 0);
	pbit_bm_put(odd);
	pbit_bm_put(even);
}

static void test_program_fails(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = ring(3);

	program_ring(m, 4);
	m->fail = -EIO;
	assert_error(pbit_program(&m->dev, bm, 0, 1), -EIO, "on demand");
	/* What the device holds now is unknown; the machine is not fixed. */
	assert_error(pbit_update(&m->dev, 1.0, 1), -ENOTCONN, "pbit_program()");
	assert_int_equal(pbit_bm_set_bias(bm, 0, 1.0), 0);
	m->fail = 0;
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_error(pbit_bm_set_bias(bm, 0, 1.0), -EBUSY, "programmed");
	/* The device has its own reference. */
	pbit_bm_put(bm);
	assert_int_equal(pbit_bm_size(m->dev.bm), 3);
	assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
}

static void test_beta(void **state)
{
	static const double bad[] = {-0.1, NAN, INFINITY, -INFINITY, 1e308};
	struct mock *m = *state;

	program_ring(m, 3);
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		struct pbit_sample_opts opts = sample_opts(1);

		opts.beta = bad[k];
		assert_error(pbit_update(&m->dev, bad[k], 1), -EINVAL, "beta");
		assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EINVAL, "beta");
	}
	assert_int_equal(m->updates, 0);
	assert_int_equal(pbit_update(&m->dev, 0.0, 1), 0);
	assert_int_equal(pbit_update(&m->dev, -0.0, 1), 0);
	assert_int_equal(pbit_update(&m->dev, 8e307, 1), 0);
}

static void test_masks(void **state)
{
	struct mock *m = *state;
	uint64_t mask[2] = {2, ~0ull}, value[2] = {~0ull, 1ull << 63 | 1}, got[2];

	program_ring(m, 66);
	assert_int_equal(pbit_clamp(&m->dev, mask, value), 0);
	assert_int_equal(m->mask[0], 2);
	assert_int_equal(m->mask[1], 3);  /* nothing past n */
	assert_int_equal(m->value[0], 2); /* nothing but what is clamped */
	assert_int_equal(m->value[1], 1);
	m->dirty = true;
	assert_int_equal(pbit_read(&m->dev, got), 0);
	assert_int_equal(got[0], 2);
	assert_int_equal(got[1], 1);
	value[0] = value[1] = ~0ull;
	assert_int_equal(pbit_set_state(&m->dev, value), 0);
	assert_int_equal(pbit_read(&m->dev, got), 0);
	assert_int_equal(got[0], ~0ull);
	assert_int_equal(got[1], 1);
	/* A mask of nothing but bits past n is no mask. */
	mask[0] = 0;
	mask[1] = ~3ull;
	assert_int_equal(pbit_clamp(&m->dev, mask, value), 0);
	assert_true(m->no_mask);
	m->dev.caps.flags &= ~PBIT_FLAG_CLAMP;
	assert_int_equal(pbit_clamp(&m->dev, mask, value), 0);
	assert_int_equal(pbit_clamp(&m->dev, NULL, NULL), 0);
	mask[0] = 1;
	assert_error(pbit_clamp(&m->dev, mask, value), -EOPNOTSUPP, "no clamp mask");
	m->dev.ops.set_state = NULL;
	assert_error(pbit_set_state(&m->dev, value), -EOPNOTSUPP, "given no state");
}

/* Clamped p-bits keep their value through updates; set_state leaves them; released ones move on from there. */
static void test_clamp_holds(void **state)
{
	struct mock *m = *state;
	uint64_t mask = 0xf0, value = 0x50, got, other = ~value, moved = 0;

	program_ring(m, 12);
	assert_int_equal(pbit_clamp(&m->dev, &mask, &value), 0);
	for (int k = 0; k < 200; k++) {
		assert_int_equal(pbit_update(&m->dev, 0.1, 1), 0);
		assert_int_equal(pbit_read(&m->dev, &got), 0);
		assert_int_equal(got & mask, 0x50);
		moved |= got;
	}
	assert_int_equal(moved, 0xf5f | 0x50);
	assert_int_equal(pbit_set_state(&m->dev, &other), 0);
	assert_int_equal(pbit_read(&m->dev, &got), 0);
	assert_int_equal(got, (other & 0xf0f) | 0x50);
	assert_int_equal(pbit_clamp(&m->dev, NULL, NULL), 0);
	assert_int_equal(pbit_read(&m->dev, &got), 0);
	assert_int_equal(got & mask, 0x50);
	for (int k = 0; k < 200; k++) {
		assert_int_equal(pbit_update(&m->dev, 0.1, 1), 0);
		assert_int_equal(pbit_read(&m->dev, &got), 0);
		moved |= got;
	}
	assert_int_equal(moved, 0xfff);
}

/* Interrupted within a sweep: the state behind the last whole one, and on from there as if nothing had been. */
static void test_interrupted(void **state)
{
	static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	uint32_t n = 300000; /* several looks at the control block in a sweep */
	size_t bytes = (n + 63) / 64 * 8;
	uint64_t *before = malloc(bytes), *after = malloc(bytes);
	struct pbit_device *dev;

	(void)state;
	assert_true(before && after);
	assert_int_equal(pbit_open("software:threads=1", NULL, &dev), 0);
	for (size_t o = 0; o < 3; o++) {
		struct pbit_ctl cancelled = PBIT_CTL_INIT(PBIT_FOREVER);
		struct pbit_bm *bm = ring(n);
		double beta = 0.5;

		atomic_store(&cancelled.cancelled, 1);
		assert_int_equal(pbit_program(dev, bm, orders[o], 6), 0);
		assert_int_equal(pbit_update(dev, 0.5, 2), 0);
		assert_int_equal(pbit_read(dev, before), 0);
		assert_error(pbit__bm_update(dev, &beta, false, 4, &cancelled), -ECANCELED,
			     "sweeps");
		assert_int_equal(pbit_read(dev, after), 0);
		assert_memory_equal(before, after, bytes);
		assert_int_equal(pbit_update(dev, 0.5, 1), 0);
		assert_int_equal(pbit_read(dev, after), 0);
		assert_int_equal(pbit_program(dev, bm, orders[o], 6), 0);
		assert_int_equal(pbit_update(dev, 0.5, 3), 0);
		assert_int_equal(pbit_read(dev, before), 0);
		assert_memory_equal(before, after, bytes);
		pbit_bm_put(bm);
	}
	pbit_close(dev);
	free(after);
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_not_boltzmann), TEST(test_not_programmed), TEST(test_null),
		TEST(test_orders),	  TEST(test_size_limits),    TEST(test_formats),
		TEST(test_topology),	  TEST(test_program_fails),  TEST(test_beta),
		TEST(test_masks),	  TEST(test_clamp_holds),    TEST(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
