/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas: on a device that has them, in turn on one that has not, and each alone as a chain of
 * its own, bit for bit the same; clamps and betas of their own; what a device that lacks operations
 * of 1.1 is asked instead, and what is refused.
 */
#include "test_boltzmann_mock.h"

#define PBITS	 70u
#define REPLICAS 5u
#define WORDS	 2u

/* A ring with chords, no two p-bits alike. */
static struct pbit_bm *chords(void)
{
	struct pbit_bm *bm = ring(PBITS);

	for (uint32_t i = 0; i + 9 < PBITS; i += 2) {
		assert_int_equal(pbit_bm_add_coupling(bm, i, i + 9, 0.0625 * (i % 7) - 0.1875), 0);
		assert_int_equal(pbit_bm_set_bias(bm, i, 0.125 * (i % 5) - 0.25), 0);
	}
	return bm;
}

static void program(struct pbit_device *dev, uint32_t order, uint32_t replicas,
		    uint64_t first_chain)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	struct pbit_bm *bm = chords();

	opts.order = order;
	opts.seed = 99;
	opts.replicas = replicas;
	opts.first_chain = first_chain;
	assert_int_equal(pbit_program_with(dev, bm, &opts), 0);
	assert_int_equal(pbit_replicas(dev), replicas);
	pbit_bm_put(bm);
}

static const uint64_t mask[WORDS] = {0xf0f0, 1};

/*
 * What is done to every kind of replicas: starts, clamps, betas, sweeps of several blocks. r: first
 * replica.
 */
static void story(struct pbit_device *dev, uint32_t first, uint32_t count, uint64_t *out)
{
	uint64_t starts[REPLICAS * WORDS], values[REPLICAS * WORDS];
	double betas[REPLICAS];

	for (uint32_t k = 0; k < REPLICAS * WORDS; k++) {
		starts[k] = 0x9e3779b97f4a7c15u * (k + 1 + WORDS * first);
		values[k] = 0xbf58476d1ce4e5b9u * (k + 3 + WORDS * first);
	}
	for (uint32_t r = 0; r < REPLICAS; r++)
		betas[r] = 0.2 + 0.15 * (first + r);
	assert_int_equal(pbit_set_state(dev, starts), 0);
	assert_int_equal(pbit_update(dev, 0.5, 3), 0);
	assert_int_equal(pbit_read(dev, out), 0);
	out += count * WORDS;
	assert_int_equal(pbit_clamp_each(dev, mask, values), 0);
	assert_int_equal(pbit_read(dev, out), 0);
	for (uint32_t k = 0; k < count * WORDS; k++)
		assert_int_equal((out[k] ^ values[k]) & mask[k % WORDS], 0);
	out += count * WORDS;
	assert_int_equal(pbit_update_each(dev, betas, 300), 0);
	assert_int_equal(pbit_read(dev, out), 0);
	out += count * WORDS;
	assert_int_equal(pbit_clamp(dev, mask, mask), 0);
	assert_int_equal(pbit_set_state(dev, values), 0);
	assert_int_equal(pbit_update(dev, 0.7, 2), 0);
	assert_int_equal(pbit_clamp(dev, NULL, NULL), 0);
	assert_int_equal(pbit_update(dev, 0.7, 1), 0);
	assert_int_equal(pbit_seek(dev, 1000000007), 0);
	assert_int_equal(pbit_update(dev, 0.7, 1), 0);
	assert_int_equal(pbit_read(dev, out), 0);
}

#define PARTS 4u

/* Native, in turn, in turn by clamps alone, and one by one. */
static void test_same(void **state)
{
	static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	struct mock *m = *state;

	m->dev.ops.seek = mock_seek;
	for (size_t o = 0; o < 3; o++) {
		uint64_t turns[PARTS * REPLICAS * WORDS], other[PARTS * REPLICAS * WORDS],
			alone[PARTS * WORDS];

		program(&m->dev, orders[o], REPLICAS, 40);
		story(&m->dev, 0, REPLICAS, turns);
		m->dev.ops.set_state = NULL;
		program(&m->dev, orders[o], REPLICAS, 40);
		story(&m->dev, 0, REPLICAS, other);
		m->dev.ops.set_state = mock_set_state;
		assert_memory_equal(turns, other, sizeof(turns));
		mock_has_replicas(m, REPLICAS);
		program(&m->dev, orders[o], REPLICAS, 40);
		assert_int_equal(m->machine->replicas, REPLICAS);
		story(&m->dev, 0, REPLICAS, other);
		assert_memory_equal(turns, other, sizeof(turns));
		m->dev.ops.set_state = NULL; /* native, by clamps of each */
		program(&m->dev, orders[o], REPLICAS, 40);
		story(&m->dev, 0, REPLICAS, other);
		m->dev.ops.set_state = mock_set_state;
		assert_memory_equal(turns, other, sizeof(turns));
		m->dev.caps.replicas = 1;
		for (uint32_t r = 0; r < REPLICAS; r++) {
			program(&m->dev, orders[o], 1, 40 + r);
			story(&m->dev, r, 1, alone);
			for (uint32_t k = 0; k < PARTS; k++)
				assert_memory_equal(alone + k * WORDS,
						    turns + (k * REPLICAS + r) * WORDS,
						    WORDS * sizeof(*alone));
		}
		m->dev.ops.program_replicas = NULL;
	}
}

/*
 * The software device against the mock, which is the contract's text: all orders, engines as it
 * picks them.
 */
static void test_software(void **state)
{
	static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	struct mock *m = *state;
	struct pbit_device *dev;

	m->dev.ops.seek = mock_seek;
	assert_int_equal(pbit_open("software:threads=1", NULL, &dev), 0);
	for (size_t o = 0; o < 3; o++) {
		uint64_t right[PARTS * REPLICAS * WORDS], got[PARTS * REPLICAS * WORDS];

		program(&m->dev, orders[o], REPLICAS, 1000);
		story(&m->dev, 0, REPLICAS, right);
		program(dev, orders[o], REPLICAS, 1000);
		story(dev, 0, REPLICAS, got);
		assert_memory_equal(right, got, sizeof(right));
	}
	pbit_close(dev);
}

/* Chains differ from one another: what shares random bits would not. */
static void test_independent(void **state)
{
	struct mock *m = *state;
	uint64_t states[REPLICAS * WORDS];

	for (int seek = 0; seek < 2; seek++) {
		m->dev.ops.seek = seek ? mock_seek : NULL;
		program(&m->dev, 0, REPLICAS, 0);
		assert_int_equal(pbit_update(&m->dev, 0.1, 1), 0);
		assert_int_equal(pbit_read(&m->dev, states), 0);
		for (uint32_t r = 0; r < REPLICAS; r++) {
			for (uint32_t q = 0; q < r; q++)
				assert_memory_not_equal(states + r * WORDS, states + q * WORDS,
							WORDS * sizeof(*states));
		}
	}
}

/* A device that cannot be told its chain gets a seed of its own for each. */
static void test_own_seeds(void **state)
{
	struct mock *m = *state;
	uint64_t seeds[3];

	for (uint64_t k = 0; k < 3; k++) {
		program(&m->dev, 0, 1, k);
		seeds[k] = m->seed;
	}
	assert_int_equal(seeds[0], 99);
	assert_true(seeds[1] != 99 && seeds[2] != 99 && seeds[1] != seeds[2]);
	program(&m->dev, 0, 1, 2);
	assert_int_equal(m->seed, seeds[2]);
	m->dev.ops.seek = mock_seek;
	program(&m->dev, 0, 1, 2);
	assert_int_equal(m->seed, 99);
	assert_int_equal(m->machine->stream.chain, 2);
	m->dev.ops.seek = NULL;
	assert_error(pbit_seek(&m->dev, 3), -EOPNOTSUPP, "which random bits");
}

static void test_refuses(void **state)
{
	struct mock *m = *state;
	struct pbit_program_opts opts = PBIT_INIT(opts);
	struct pbit_bm *bm = chords();
	double betas[2] = {1.0, -1.0};
	uint64_t word = 0;

	assert_error(pbit_program_with(&m->dev, bm, NULL), -EINVAL, "NULL");
	assert_error(pbit_program_with(NULL, bm, &opts), -EINVAL, "NULL");
	assert_error(pbit_program_with(&m->dev, NULL, &opts), -EINVAL, "NULL");
	opts.reserved = 1;
	assert_error(pbit_program_with(&m->dev, bm, &opts), -EINVAL, "reserved");
	opts = (struct pbit_program_opts)PBIT_INIT(opts);
	opts.order = 3;
	assert_error(pbit_program_with(&m->dev, bm, &opts), -EINVAL, "0x3");
	assert_int_equal(pbit_replicas(&m->dev), 0);
	assert_int_equal(pbit_replicas(NULL), 0);
	assert_error(pbit_clamp_each(&m->dev, &word, &word), -ENOTCONN, "pbit_program()");
	assert_error(pbit_update_each(&m->dev, betas, 1), -ENOTCONN, "pbit_program()");
	assert_error(pbit_seek(&m->dev, 1), -ENOTCONN, "pbit_program()");
	opts.order = 0;
	opts.replicas = 0; /* counts as 1 */
	assert_int_equal(pbit_program_with(&m->dev, bm, &opts), 0);
	assert_int_equal(pbit_replicas(&m->dev), 1);
	opts.replicas = 2;
	m->dev.ops.set_state = NULL;
	m->dev.caps.flags &= ~PBIT_FLAG_CLAMP;
	assert_error(pbit_program_with(&m->dev, bm, &opts), -EOPNOTSUPP, "in turn");
	assert_int_equal(pbit_replicas(&m->dev), 1); /* nothing was lost */
	assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
	m->dev.ops.set_state = mock_set_state;
	assert_int_equal(pbit_program_with(&m->dev, bm, &opts), 0);
	assert_error(pbit_update_each(&m->dev, betas, 1), -EINVAL, "beta");
	assert_error(pbit_update_each(&m->dev, NULL, 1), -EINVAL, "NULL");
	assert_error(pbit_clamp_each(&m->dev, mask, NULL), -EINVAL, "values");
	assert_error(pbit_clamp_each(&m->dev, mask, mask), -EOPNOTSUPP, "no clamp mask");
	m->fail = -EIO;
	assert_error(pbit_program_with(&m->dev, bm, &opts), -EIO, "on demand");
	assert_int_equal(pbit_replicas(&m->dev), 0);
	pbit_bm_put(bm);
}

/* An update that fails half-way through the replicas leaves all of them where they were. */
static void test_fails_in_turn(void **state)
{
	struct mock *m = *state;
	uint64_t before[REPLICAS * WORDS], after[REPLICAS * WORDS], right[REPLICAS * WORDS];

	m->dev.ops.seek = mock_seek;
	program(&m->dev, 0, REPLICAS, 0);
	assert_int_equal(pbit_update(&m->dev, 0.5, 4), 0);
	assert_int_equal(pbit_read(&m->dev, before), 0);
	m->fail_after = m->updates + 3;
	assert_error(pbit_update(&m->dev, 0.5, 2), -EIO, "on demand");
	m->fail_after = 0;
	assert_int_equal(pbit_read(&m->dev, after), 0);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(pbit_update(&m->dev, 0.5, 2), 0);
	assert_int_equal(pbit_read(&m->dev, after), 0);
	program(&m->dev, 0, REPLICAS, 0);
	assert_int_equal(pbit_update(&m->dev, 0.5, 6), 0);
	assert_int_equal(pbit_read(&m->dev, right), 0);
	assert_memory_equal(right, after, sizeof(right));
}

struct seen {
	struct mock *m;
	uint64_t states[8][REPLICAS * WORDS];
	unsigned int taken;
	bool program;
};

static int see(const uint64_t *states, uint64_t index, void *user)
{
	struct seen *seen = user;

	assert_int_equal(index, seen->taken);
	memcpy(seen->states[seen->taken++], states, sizeof(seen->states[0]));
	if (seen->program)
		program(&seen->m->dev, 0, 2 * REPLICAS, 0); /* the same machine, larger states */
	return 0;
}

/* Samples are the states of all replicas. */
static void test_sample(void **state)
{
	struct mock *m = *state;
	struct seen *seen = calloc(1, sizeof(*seen));
	struct pbit_sample_opts opts = sample_opts(8);

	assert_non_null(seen);
	seen->m = m;
	m->dev.ops.seek = mock_seek;
	opts.interval = 2;
	opts.burn_in = 3;
	program(&m->dev, 0, REPLICAS, 7);
	assert_int_equal(pbit_sample(&m->dev, &opts, see, seen), 0);
	assert_int_equal(seen->taken, 8);
	program(&m->dev, 0, REPLICAS, 7);
	for (unsigned int k = 0; k < 8; k++) {
		uint64_t states[REPLICAS * WORDS];

		assert_int_equal(pbit_update(&m->dev, 1.0, k ? 2 : 3), 0);
		assert_int_equal(pbit_read(&m->dev, states), 0);
		assert_memory_equal(states, seen->states[k], sizeof(states));
	}
	seen->taken = 0;
	seen->program = true;
	assert_error(pbit_sample(&m->dev, &opts, see, seen), -ESTALE, "another machine");
	assert_int_equal(seen->taken, 1);
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same),      TEST(test_software), TEST(test_independent),
		TEST(test_own_seeds), TEST(test_refuses),  TEST(test_fails_in_turn),
		TEST(test_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
