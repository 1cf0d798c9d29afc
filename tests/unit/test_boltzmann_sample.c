/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of samples: what comes when, how they end, what is refused. */
#include "test_boltzmann_mock.h"

struct take {
	struct mock *m;
	uint64_t taken, states[64];
	uint64_t end_at;
	struct pbit_bm *program; /* at sample 3 */
};

static int take(const uint64_t *state, uint64_t index, void *user)
{
	struct take *t = user;
	uint64_t now;

	assert_int_equal(index, t->taken);
	/* The device is free for other calls meanwhile. */
	assert_int_equal(pbit_read(&t->m->dev, &now), 0);
	assert_int_equal(now, *state);
	if (t->program && index == 3)
		assert_int_equal(pbit_program(&t->m->dev, t->program, 0, 1), 0);
	t->states[t->taken++] = *state;
	return t->end_at && index == t->end_at;
}

static void test_sample(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(20);
	struct take t = {.m = m};
	uint64_t got;

	opts.burn_in = 5;
	opts.interval = 3;
	program_ring(m, 40);
	assert_int_equal(pbit_sample(&m->dev, &opts, take, &t), 0);
	assert_int_equal(t.taken, 20);
	/* The same, by hand. */
	program_ring(m, 40);
	for (unsigned int k = 0; k < 20; k++) {
		assert_int_equal(pbit_update(&m->dev, 1.0, k ? 3 : 5), 0);
		assert_int_equal(pbit_read(&m->dev, &got), 0);
		assert_int_equal(got, t.states[k]);
	}
	/* Without burn-in the first sample is the state as it is. */
	opts.burn_in = 0;
	opts.samples = 1;
	t.taken = 0;
	assert_int_equal(pbit_sample(&m->dev, &opts, take, &t), 0);
	assert_int_equal(t.states[0], got);
	/* No samples: the burn-in alone. */
	m->updates = 0;
	opts.burn_in = 2;
	opts.samples = 0;
	assert_int_equal(pbit_sample(&m->dev, &opts, take_none, NULL), 0);
	assert_int_equal(m->updates, 1);
}

static void test_sample_ends(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(60);
	struct take t = {.m = m, .end_at = 7};

	program_ring(m, 40);
	assert_error(pbit_sample(&m->dev, &opts, take, &t), -ECANCELED, "sample 7");
	assert_int_equal(t.taken, 8);
	/* The device stays usable. */
	t = (struct take){.m = m, .program = ring(40)};
	assert_error(pbit_sample(&m->dev, &opts, take, &t), -ESTALE, "during the call");
	assert_int_equal(t.taken, 4);
	pbit_bm_put(t.program);
	m->fail = -EIO;
	opts.burn_in = 1;
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EIO, "on demand");
}

static void test_sample_refuses(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(1);
	struct take t = {.m = m};

	program_ring(m, 3);
	opts.interval = 0;
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EINVAL, "interval");
	opts = sample_opts(1);
	opts.flags = 2;
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EINVAL, "0x2");
	opts = sample_opts(1);
	opts.struct_size = offsetof(struct pbit_sample_opts, interval);
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EINVAL, "struct_size");
	/* Without room for a deadline there is none, whatever lies there. */
	opts = sample_opts(1);
	opts.struct_size = offsetof(struct pbit_sample_opts, deadline_ns);
	opts.deadline_ns = 1;
	assert_int_equal(pbit_sample(&m->dev, &opts, take, &t), 0);
	opts.struct_size = sizeof(opts);
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -ETIMEDOUT, "0 samples");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A deadline far ahead of the end of the work ends it soon, in the middle of a sweep if need be. */
static void test_deadline(void **state)
{
	struct mock *m = *state;
	struct pbit_sample_opts opts = sample_opts(1);
	double start;

	program_ring(m, 20000);
	opts.burn_in = UINT64_MAX;
	opts.deadline_ns = pbit_deadline_ms(20);
	start = seconds();
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -ETIMEDOUT, "deadline");
	assert_true(seconds() - start < 5.0); /* generous: the machine may be busy */
	assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sample),
		TEST(test_sample_ends),
		TEST(test_sample_refuses),
		TEST(test_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
