/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parallel tempering: the exact law at every temperature right behind the exchanges, the exact rate
 * of exchanges, the same bits for any number of devices and any number of pieces, and what ends a
 * run. The false-alarm rate of all statistical checks together is 1e-6 (Holm); a swap rule of the
 * wrong sign must be rejected by the same checks.
 */
#include "test_boltzmann_mock.h"

#include <pbit/solve.h>
#include "boltzmann/exchange.h"
#include "boltzmann_law.h"
#include "stats.h"

#define BETAS  4u
#define ROUNDS 20000u
#define FAMILY 1e-6

static const double betas[BETAS] = {0.15, 0.4, 0.7, 1.1};

struct count {
	uint64_t states[BETAS][LAW_MAX_STATES];
	bool spoil; /* exchange once more, by a rule of the wrong sign */
	uint64_t random;
};

static int count_states(const uint64_t *states, const double *energies, uint64_t index, void *user)
{
	struct count *c = user;
	uint64_t now[BETAS];

	(void)index;
	memcpy(now, states, sizeof(now));
	for (uint32_t b = 0; c->spoil && b + 1 < BETAS; b += 2) {
		double D = (betas[b + 1] - betas[b]) * (energies[b + 1] - energies[b]);

		if (law_uniform(&c->random) >= 1.0 / (1.0 + exp(D)))
			continue;
		now[b] = states[b + 1];
		now[b + 1] = states[b];
	}
	for (uint32_t b = 0; b < BETAS; b++)
		c->states[b][now[b]]++;
	return 0;
}

/* Probability that slots b and b + 1 exchange when both have their exact laws. */
static double exact_rate(const struct law *law, uint32_t b, uint32_t rule)
{
	double low[LAW_MAX_STATES], high[LAW_MAX_STATES], rate = 0.0;

	law_gibbs(law, betas[b], low);
	law_gibbs(law, betas[b + 1], high);
	for (uint32_t s = 0; s < law_states(law); s++) {
		for (uint32_t t = 0; t < law_states(law); t++) {
			double D = (betas[b + 1] - betas[b]) *
				   (law_energy(law, t) - law_energy(law, s));
			double metropolis = D < 0.0 ? exp(D) : 1.0;

			rate += low[s] * high[t] *
				(rule == PBIT_EXCHANGE_HEAT_BATH ? 1.0 / (1.0 + exp(-D))
								 : metropolis);
		}
	}
	return rate;
}

/* Sweeps of a round that leave nothing of the round before, whatever the temperature. */
static uint64_t enough_sweeps(const struct law *law)
{
	uint64_t most = 0;

	for (uint32_t b = 0; b < BETAS; b++) {
		uint64_t sweeps = law_mixing_sweeps(law, betas[b], 1e-7, 4096);

		most = sweeps > most ? sweeps : most;
	}
	assert_true(most <= 4096);
	return most;
}

/* p-values of the laws at all temperatures. */
static void check_laws(const struct law *law, const struct count *c, double *p)
{
	for (uint32_t b = 0; b < BETAS; b++) {
		double exact[LAW_MAX_STATES];

		law_gibbs(law, betas[b], exact);
		p[b] = stats_chi2_test(c->states[b], exact, law_states(law), 25).p;
	}
}

static void test_law(void **state)
{
	struct mock *m = *state;
	struct pbit_device *devs[1] = {&m->dev};
	struct law law = law_random(4, 11);
	struct pbit_bm *bm = law_machine(&law);
	double p[2 * (BETAS + BETAS - 1)];
	size_t n = 0;

	law.order = PBIT_ORDER_SEQUENTIAL;
	for (uint32_t rule = 0; rule < 2; rule++) {
		struct pbit_temper_opts opts = PBIT_INIT(opts);
		struct pbit_temper_result result = PBIT_INIT(result);
		uint64_t tried[BETAS - 1], accepted[BETAS - 1];
		struct count *c = calloc(1, sizeof(*c));

		assert_non_null(c);
		opts.seed = 21 + rule;
		opts.betas = betas;
		opts.n_betas = BETAS;
		opts.exchange = rule;
		opts.sweeps = enough_sweeps(&law);
		opts.burn_in = 1;
		opts.samples = ROUNDS;
		result.tried = tried;
		result.accepted = accepted;
		assert_int_equal(pbit_temper(devs, 1, bm, &opts, count_states, c, &result), 0);
		check_laws(&law, c, p + n);
		n += BETAS;
		for (uint32_t b = 0; b + 1 < BETAS; b++) {
			assert_in_range(tried[b], ROUNDS / 2, ROUNDS / 2 + 1);
			p[n++] = stats_binomial_test(accepted[b], tried[b],
						     exact_rate(&law, b, rule));
		}
		assert_int_equal(result.rounds, ROUNDS + 1);
		assert_int_equal(result.updates, (ROUNDS + 1) * opts.sweeps * BETAS * 4);
		free(c);
	}
	assert_int_equal(n, sizeof(p) / sizeof(p[0]));
	if (stats_holm(p, n, FAMILY, NULL))
		fail_msg("family p-value %g", stats_family_p(p, n));
	pbit_bm_put(bm);
}

/* The power of these checks: one more exchange by the wrong sign, and rates of the other rule. */
static void test_wrong_sign(void **state)
{
	struct mock *m = *state;
	struct pbit_device *devs[1] = {&m->dev};
	struct law law = law_random(4, 11);
	struct pbit_bm *bm = law_machine(&law);
	struct pbit_temper_opts opts = PBIT_INIT(opts);
	struct pbit_temper_result result = PBIT_INIT(result);
	struct count *c = calloc(1, sizeof(*c));
	uint64_t tried[BETAS - 1], accepted[BETAS - 1];
	double p[BETAS], rate[BETAS - 1];

	assert_non_null(c);
	c->spoil = true;
	c->random = 77;
	law.order = PBIT_ORDER_SEQUENTIAL;
	opts.seed = 21;
	opts.betas = betas;
	opts.n_betas = BETAS;
	opts.sweeps = enough_sweeps(&law);
	opts.burn_in = 1;
	opts.samples = ROUNDS;
	result.tried = tried;
	result.accepted = accepted;
	assert_int_equal(pbit_temper(devs, 1, bm, &opts, count_states, c, &result), 0);
	check_laws(&law, c, p);
	assert_true(stats_holm(p, BETAS, FAMILY, NULL) == BETAS);
	for (uint32_t b = 0; b + 1 < BETAS; b++)
		rate[b] = stats_binomial_test(accepted[b], tried[b],
					      exact_rate(&law, b, PBIT_EXCHANGE_HEAT_BATH));
	assert_true(stats_holm(rate, BETAS - 1, FAMILY, NULL) == BETAS - 1);
	free(c);
	pbit_bm_put(bm);
}

/* exp() within a few units of the last place, and symmetric where it must be. */
static void test_probability(void **state)
{
	(void)state;
	for (double D = -690.0; D < 20.0; D += 0.37) {
		double metropolis = pbit__exchange_probability(PBIT_EXCHANGE_METROPOLIS, D);
		double heat_bath = pbit__exchange_probability(PBIT_EXCHANGE_HEAT_BATH, D);

		assert_true(fabs(metropolis / (D < 0 ? exp(D) : 1.0) - 1.0) < 1e-13);
		assert_true(fabs(heat_bath / (1.0 / (1.0 + exp(-D))) - 1.0) < 1e-13);
	}
	assert_true(pbit__exchange_probability(PBIT_EXCHANGE_METROPOLIS, 0.0) == 1.0);
	assert_true(pbit__exchange_probability(PBIT_EXCHANGE_HEAT_BATH, 0.0) == 0.5);
	assert_true(pbit__exchange_probability(PBIT_EXCHANGE_METROPOLIS, -1e308) < 1e-300);
	assert_true(pbit__exchange_probability(PBIT_EXCHANGE_HEAT_BATH, 1e308) == 1.0);
}

#define PBITS	70u
#define LADDERS 2u
#define LADDER	5u
#define SLOTS	(LADDERS * LADDER)
#define LENGTH	24u

struct trace {
	uint64_t states[LENGTH][SLOTS * 2];
	double energies[LENGTH][SLOTS];
	uint64_t taken, end_at;
};

static int keep(const uint64_t *states, const double *energies, uint64_t index, void *user)
{
	struct trace *t = user;

	assert_true(t->taken < LENGTH);
	(void)index;
	memcpy(t->states[t->taken], states, sizeof(t->states[0]));
	memcpy(t->energies[t->taken++], energies, sizeof(t->energies[0]));
	return t->end_at && t->taken == t->end_at;
}

static struct pbit_bm *glass(void)
{
	struct pbit_bm *bm = ring(PBITS);

	for (uint32_t i = 0; i + 5 < PBITS; i++)
		assert_int_equal(pbit_bm_add_coupling(bm, i, i + 5, i * i % 7 < 3 ? -0.75 : 0.5),
				 0);
	return bm;
}

static const double ladder[LADDER] = {0.3, 0.35, 0.4, 0.45, 0.5};

static struct pbit_temper_opts trace_opts(void)
{
	struct pbit_temper_opts opts = PBIT_INIT(opts);

	opts.seed = 4;
	opts.betas = ladder;
	opts.n_betas = LADDER;
	opts.ladders = LADDERS;
	opts.sweeps = 2;
	opts.samples = LENGTH;
	return opts;
}

/* n mock devices; the odd ones have replicas of their own. */
static void make_devices(struct mock *m[4], struct pbit_device *devs[4], uint32_t n)
{
	for (uint32_t d = 0; d < n; d++) {
		void *made = NULL;

		assert_int_equal(setup(&made), 0);
		m[d] = made;
		m[d]->dev.ops.seek = mock_seek;
		if (d % 2)
			mock_has_replicas(m[d], 1000);
		devs[d] = &m[d]->dev;
	}
}

static void free_devices(struct mock *m[4], uint32_t n)
{
	for (uint32_t d = 0; d < n; d++) {
		void *made = m[d];

		teardown(&made);
	}
}

static void run_trace(uint32_t n, struct trace *t, uint64_t *last, uint64_t *tried,
		      uint64_t *accepted)
{
	struct pbit_temper_opts opts = trace_opts();
	struct pbit_temper_result result = PBIT_INIT(result);
	struct mock *m[4];
	struct pbit_device *devs[4];
	struct pbit_bm *bm = glass();
	uint64_t held[SLOTS * 2], best[2];

	make_devices(m, devs, n);
	result.states = last;
	result.tried = tried;
	result.accepted = accepted;
	result.best = best;
	assert_int_equal(pbit_temper(devs, n, bm, &opts, keep, t, &result), 0);
	assert_true(pbit_bm_energy(bm, best) == result.energy);
	/* The devices hold what is reported, slot after slot. */
	for (uint32_t d = 0, at = 0; d < n; d++) {
		assert_int_equal(pbit_read(devs[d], held), 0);
		assert_memory_equal(held, last + 2 * at, 16 * pbit_replicas(devs[d]));
		at += pbit_replicas(devs[d]);
	}
	free_devices(m, n);
	pbit_bm_put(bm);
}

static void test_devices(void **state)
{
	struct trace *one = calloc(1, sizeof(*one)), *more = calloc(1, sizeof(*more));
	uint64_t last[2][SLOTS * 2], tried[2][LADDER - 1], accepted[2][LADDER - 1], swaps = 0;

	(void)state;
	assert_true(one && more);
	run_trace(1, one, last[0], tried[0], accepted[0]);
	for (uint32_t n = 2; n <= 4; n++) {
		memset(more, 0, sizeof(*more));
		run_trace(n, more, last[1], tried[1], accepted[1]);
		assert_memory_equal(one, more, sizeof(*one));
		assert_memory_equal(last[0], last[1], sizeof(last[0]));
		assert_memory_equal(tried[0], tried[1], sizeof(tried[0]));
		assert_memory_equal(accepted[0], accepted[1], sizeof(accepted[0]));
	}
	/* Both outcomes were there to be told apart, and ladders are not copies of one another. */
	for (uint32_t b = 0; b + 1 < LADDER; b++) {
		assert_int_equal(tried[0][b], LADDERS * LENGTH / 2);
		swaps += accepted[0][b];
	}
	assert_in_range(swaps, 10, LADDERS * LENGTH * (LADDER - 1) / 2 - 10);
	assert_memory_not_equal(one->states[LENGTH - 1], one->states[LENGTH - 1] + 2 * LADDER,
				16 * LADDER);
	free(more);
	free(one);
}

/* Software devices give what the mock ones do, also where both kinds share the slots. */
static void test_software(void **state)
{
	struct trace *right = calloc(1, sizeof(*right)), *got = calloc(1, sizeof(*got));
	struct pbit_temper_opts opts = trace_opts();
	struct mock *m[4];
	struct pbit_device *devs[4], *mixed[3];
	struct pbit_bm *bm = glass();

	(void)state;
	assert_true(right && got);
	make_devices(m, devs, 1);
	assert_int_equal(pbit_temper(devs, 1, bm, &opts, keep, right, NULL), 0);
	assert_int_equal(pbit_open("software:threads=1", NULL, &mixed[0]), 0);
	mixed[1] = devs[0];
	assert_int_equal(pbit_open("software:threads=1", NULL, &mixed[2]), 0);
	for (uint32_t n = 1; n <= 3; n++) {
		memset(got, 0, sizeof(*got));
		assert_int_equal(pbit_temper(mixed, n, bm, &opts, keep, got, NULL), 0);
		assert_memory_equal(right, got, sizeof(*right));
	}
	pbit_close(mixed[0]);
	pbit_close(mixed[2]);
	free_devices(m, 1);
	pbit_bm_put(bm);
	free(got);
	free(right);
}

/* In two pieces, from the states and the round where the first ended. */
static void test_pieces(void **state)
{
	struct trace *whole = calloc(1, sizeof(*whole)), *parts = calloc(1, sizeof(*parts));
	struct pbit_temper_opts opts = trace_opts();
	struct pbit_temper_result result = PBIT_INIT(result);
	uint64_t last[SLOTS * 2];
	struct mock *m[4];
	struct pbit_device *devs[4];
	struct pbit_bm *bm = glass();

	(void)state;
	assert_true(whole && parts);
	make_devices(m, devs, 3);
	assert_int_equal(pbit_temper(devs, 1, bm, &opts, keep, whole, NULL), 0);
	result.states = last;
	opts.samples = 11;
	assert_int_equal(pbit_temper(devs, 2, bm, &opts, keep, parts, &result), 0);
	assert_int_equal(result.rounds, 11);
	opts.start = last;
	opts.first_round = 11;
	opts.samples = LENGTH - 11;
	assert_int_equal(pbit_temper(devs, 3, bm, &opts, keep, parts, &result), 0);
	assert_memory_equal(whole, parts, sizeof(*whole));
	m[0]->dev.ops.seek = NULL;
	assert_error(pbit_temper(devs, 1, bm, &opts, keep, parts, &result), -EOPNOTSUPP,
		     "which random bits");
	free_devices(m, 3);
	pbit_bm_put(bm);
	free(parts);
	free(whole);
}

static void test_ends(void **state)
{
	struct trace *t = calloc(1, sizeof(*t));
	struct pbit_temper_opts opts = trace_opts();
	struct pbit_temper_result result = PBIT_INIT(result);
	uint64_t last[SLOTS * 2];
	struct mock *m[4];
	struct pbit_device *devs[4];
	struct pbit_bm *bm = glass();

	(void)state;
	assert_non_null(t);
	make_devices(m, devs, 2);
	result.states = last;
	t->end_at = 5;
	assert_error(pbit_temper(devs, 2, bm, &opts, keep, t, &result), -ECANCELED, "round 4");
	assert_int_equal(result.rounds, 5);
	assert_memory_equal(last, t->states[4], sizeof(last));
	/* The record of a device that fails in its thread is the caller's. */
	m[1]->fail_after = m[1]->updates + 3;
	memset(t, 0, sizeof(*t));
	assert_error(pbit_temper(devs, 2, bm, &opts, keep, t, &result), -EIO, "on demand");
	assert_int_equal(result.rounds, 3);
	assert_memory_equal(last, t->states[2],
			    sizeof(last)); /* a round counts whole or not at all */
	m[1]->fail_after = 0;
	opts.samples = UINT64_MAX;
	opts.deadline_ns = pbit_deadline_ms(20);
	assert_error(pbit_temper(devs, 2, bm, &opts, NULL, NULL, &result), -ETIMEDOUT, "deadline");
	assert_true(result.seconds < 10.0); /* generous: the machine may be busy */
	free_devices(m, 2);
	pbit_bm_put(bm);
	free(t);
}

static void test_clamped(void **state)
{
	struct trace *t = calloc(1, sizeof(*t));
	struct pbit_temper_opts opts = trace_opts();
	struct pbit_temper_result result = PBIT_INIT(result);
	uint64_t mask[2] = {0xff, 0x20}, value[2] = {0x5a, 0x20};
	struct mock *m[4];
	struct pbit_device *devs[4];
	struct pbit_bm *bm = glass();

	(void)state;
	assert_non_null(t);
	make_devices(m, devs, 2);
	opts.mask = mask;
	opts.value = value;
	assert_int_equal(pbit_temper(devs, 2, bm, &opts, keep, t, &result), 0);
	for (uint32_t k = 0; k < SLOTS * 2; k++)
		assert_int_equal(t->states[LENGTH - 1][k] & mask[k % 2], value[k % 2]);
	assert_int_equal(result.updates, LENGTH * 2 * SLOTS * (PBITS - 9));
	free_devices(m, 2);
	pbit_bm_put(bm);
	free(t);
}

static void test_refuses(void **state)
{
	static const double bad[][2] = {{0.0, 1.0}, {1.0, 1.0}, {2.0, 1.0}, {1.0, NAN}};
	struct pbit_temper_opts opts = trace_opts(), good = trace_opts();
	struct mock *m = *state;
	struct pbit_device *devs[2] = {&m->dev, &m->dev};
	struct pbit_bm *bm = glass(), *directed;

	assert_int_equal(pbit_bm_new(2, &directed), 0);
	assert_int_equal(pbit_bm_add_directed(directed, 0, 1, 1.0), 0);
	assert_error(pbit_temper(NULL, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "devs");
	assert_error(pbit_temper(devs, 0, bm, &opts, NULL, NULL, NULL), -EINVAL, "devs");
	assert_error(pbit_temper(devs, 2, bm, &opts, NULL, NULL, NULL), -EINVAL, "twice");
	assert_error(pbit_temper(devs, 1, NULL, &opts, NULL, NULL, NULL), -EINVAL, "NULL");
	assert_error(pbit_temper(devs, 1, directed, &opts, NULL, NULL, NULL), -EINVAL, "directed");
	assert_error(pbit_temper(devs, 1, bm, NULL, NULL, NULL, NULL), -EINVAL, "NULL");
	opts.n_betas = 2;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		opts.betas = bad[k];
		assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "betas[");
	}
	opts = good;
	opts.n_betas = 0;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "betas");
	opts = good;
	opts.sweeps = 0;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "sweeps");
	opts = good;
	opts.exchange = 2;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "exchange");
	opts = good;
	opts.flags = 1;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "flags");
	opts = good;
	opts.ladders = UINT32_MAX;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "ladders");
	opts = good;
	opts.burn_in = UINT64_MAX;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "2^64");
	opts = good;
	opts.mask = &opts.seed;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EINVAL, "value");
	opts = good;
	opts.order = PBIT_ORDER_ASYNCHRONOUS;
	assert_error(pbit_temper(devs, 1, bm, &opts, NULL, NULL, NULL), -EOPNOTSUPP,
		     "asynchronous");
	assert_int_equal(m->programs, 0);
	pbit_bm_put(directed);
	pbit_bm_put(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_law),
		TEST(test_wrong_sign),
		cmocka_unit_test(test_probability),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_software),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_clamped),
		TEST(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
