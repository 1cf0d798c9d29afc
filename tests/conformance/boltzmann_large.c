/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines too large to enumerate whose laws are known: free p-bits (independent, exact binomials),
 * the open chain (correlations tanh(beta J)^|i-j|), the 8 x 8 torus (Kaufman's energies).
 *
 * False alarms: LAW_ALPHA = 5e-8 for each test, shared among its cases by Holm's correction.
 * Power for free p-bits: 20,300 cases put the bound of one at 7.0 standard errors, which are 0.0056 for
 * 8000 samples; a p-bit of P = 1/2 that is off by 0.05, or a pair correlated by 0.1, is 8.9 standard
 * errors off and is noticed with probability 0.97. Chain and torus: stated at their controls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../data/oracles/kaufman_torus.h"
#include "boltzmann_law.h"
#include "boltzmann_slow.h"
#include "stats.h"

static bool up(const uint64_t *state, uint32_t i)
{
	return state[i / 64] >> (i % 64) & 1;
}

/* --- free p-bits --- */

#define FREE	     200u
#define FREE_WORDS   4u
#define FREE_SAMPLES 8000u
#define FREE_PAIRS   (FREE * (FREE - 1) / 2)

static double free_bias(uint32_t i)
{
	return i < FREE / 2 ? 0.0 : 0.03 * (i - 0.75 * FREE);
}

/* Agreements of two columns of samples. */
static uint64_t agreements(const uint64_t *a, const uint64_t *b)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < FREE_SAMPLES / 64; w++)
		sum += (uint64_t)__builtin_popcountll(~(a[w] ^ b[w]));
	return sum;
}

/* By Holm: is any p-bit off, any pair correlated, any p-bit correlated with itself a sweep later? */
static size_t judge_free(const uint64_t (*column)[FREE_SAMPLES / 64])
{
	static double p[FREE_PAIRS + 2 * FREE];
	size_t n = 0;

	for (uint32_t i = 0; i < FREE; i++) {
		double up_i = 1.0 / (1.0 + exp(-2.0 * free_bias(i)));
		uint64_t ups = 0, repeats = 0;

		for (uint32_t k = 0; k < FREE_SAMPLES; k++) {
			ups += up(column[i], k);
			/* Disjoint pairs, so that agreements are independent. */
			repeats += k % 2 && up(column[i], k) == up(column[i], k - 1);
		}
		p[n++] = stats_binomial_test(ups, FREE_SAMPLES, up_i);
		p[n++] = stats_binomial_test(repeats, FREE_SAMPLES / 2,
					     up_i * up_i + (1.0 - up_i) * (1.0 - up_i));
		for (uint32_t j = 0; j < i; j++) {
			double up_j = 1.0 / (1.0 + exp(-2.0 * free_bias(j)));

			p[n++] = stats_binomial_test(agreements(column[i], column[j]), FREE_SAMPLES,
						     up_i * up_j + (1.0 - up_i) * (1.0 - up_j));
		}
	}
	return stats_holm(p, n, LAW_ALPHA, NULL);
}

static void put_sample(uint64_t (*column)[FREE_SAMPLES / 64], const uint64_t *state, uint64_t k)
{
	for (uint32_t i = 0; i < FREE; i++)
		column[i][k / 64] |= (uint64_t)up(state, i) << (k % 64);
}

static int put_sample_of_stream(const uint64_t *state, uint64_t index, void *user)
{
	put_sample(user, state, index);
	return 0;
}

static void test_free_pbits(void **state)
{
	static uint64_t column[FREE][FREE_SAMPLES / 64];
	struct pbit_device *dev = law_device();
	struct pbit_sample_opts opts = PBIT_INIT(opts);
	uint64_t start[FREE_WORDS];
	struct pbit_bm *bm;

	(void)state;
	opts.beta = 1.0;
	opts.burn_in = 1;
	opts.interval = 1;
	opts.samples = FREE_SAMPLES;
	memset(start, 0xff, sizeof(start));
	assert_int_equal(pbit_bm_new(FREE, &bm), 0);
	for (uint32_t i = 0; i < FREE; i++)
		assert_int_equal(pbit_bm_set_bias(bm, i, free_bias(i)), 0);
	law_program_or_skip(dev, bm, PBIT_ORDER_SEQUENTIAL, 21);
	assert_int_equal(pbit_set_state(dev, start), 0);
	assert_int_equal(pbit_sample(dev, &opts, put_sample_of_stream, column), 0);
	assert_int_equal(judge_free((const uint64_t(*)[FREE_SAMPLES / 64]) column), 0);
	pbit_bm_put(bm);
	pbit_close(dev);
}

/* The same judge refuses random bits shared by all p-bits, and bits that come twice. */
static void judge_fault(bool shared, bool twice)
{
	static uint64_t column[FREE][FREE_SAMPLES / 64];
	struct slow *slow = slow_new(FREE, PBIT_ORDER_SEQUENTIAL, 22);
	uint64_t now[FREE_WORDS];

	memset(column, 0, sizeof(column));
	slow->shared_bits = shared;
	for (uint32_t i = 0; i < FREE; i++)
		slow->h[i] = free_bias(i);
	for (uint64_t k = 0; k < FREE_SAMPLES; k++) {
		slow->sweep = twice ? k / 2 : k;
		slow_update(slow, 1.0, 1);
		slow_read(slow, now);
		put_sample(column, now, k);
	}
	assert_int_equal(judge_free((const uint64_t(*)[FREE_SAMPLES / 64]) column) > 0,
			 shared || twice);
	slow_free(slow);
}

static void test_free_pbits_reject(void **state)
{
	(void)state;
	judge_fault(false, false);
	judge_fault(true, false);
	judge_fault(false, true);
}

/* --- open chain --- */

#define CHAIN	      64u
#define CHAIN_BETA    0.5
#define CHAIN_SAMPLES 4000u

/*
 * Sweeps between samples: correlations of the chain decay by 1 - tanh(2 beta J) = 0.24 or faster per
 * sweep, to below 0.001 here, so samples count as independent.
 */
#define CHAIN_INTERVAL 32u

#define CHAIN_DISTANCES 6u

/* Samples in which the ends of a pair agree; pairs of a distance start at 7, 7 + 12, ... */
struct chain_counts {
	uint64_t agree[CHAIN_DISTANCES][4];
	uint64_t up[CHAIN];
};

static const uint32_t chain_distance[CHAIN_DISTANCES] = {1, 2, 3, 4, 6, 9};

static int count_chain(const uint64_t *state, uint64_t index, void *user)
{
	struct chain_counts *c = user;

	(void)index;
	for (uint32_t i = 0; i < CHAIN; i++)
		c->up[i] += up(state, i);
	for (uint32_t d = 0; d < CHAIN_DISTANCES; d++) {
		for (uint32_t k = 0; k < 4; k++) {
			uint32_t i = 7 + 12 * k;

			c->agree[d][k] += up(state, i) == up(state, i + chain_distance[d]);
		}
	}
	return 0;
}

static size_t judge_chain(struct pbit_device *dev, double beta, uint32_t missing, uint32_t order)
{
	struct chain_counts c = {0};
	double p[CHAIN + 4 * CHAIN_DISTANCES];
	struct pbit_sample_opts opts = PBIT_INIT(opts);
	struct pbit_bm *bm;
	size_t n = 0;

	assert_int_equal(pbit_bm_new(CHAIN, &bm), 0);
	for (uint32_t i = 0; i + 1 < CHAIN; i++) {
		if (i != missing)
			assert_int_equal(pbit_bm_add_coupling(bm, i, i + 1, 1.0), 0);
	}
	opts.beta = beta;
	opts.burn_in = opts.interval = CHAIN_INTERVAL;
	opts.samples = CHAIN_SAMPLES;
	law_program_or_skip(dev, bm, order, 31);
	assert_int_equal(pbit_sample(dev, &opts, count_chain, &c), 0);
	pbit_bm_put(bm);
	for (uint32_t i = 0; i < CHAIN; i++)
		p[n++] = stats_binomial_test(c.up[i], CHAIN_SAMPLES, 0.5);
	for (uint32_t d = 0; d < CHAIN_DISTANCES; d++) {
		double r = pow(tanh(CHAIN_BETA), chain_distance[d]);

		for (uint32_t k = 0; k < 4; k++)
			p[n++] = stats_binomial_test(c.agree[d][k], CHAIN_SAMPLES, 0.5 + 0.5 * r);
	}
	return stats_holm(p, n, LAW_ALPHA, NULL);
}

/*
 * Power of the controls: beta x 0.7 moves P(agree) of neighbours by 0.063, nine standard errors, at four
 * places; without coupling 20, p-bits 19 and 21 agree by chance only, 0.107 or 14 standard errors less.
 */
static void test_chain(void **state)
{
	struct pbit_device *dev = law_device();

	(void)state;
	assert_int_equal(judge_chain(dev, CHAIN_BETA, CHAIN, PBIT_ORDER_SEQUENTIAL), 0);
	assert_int_equal(judge_chain(dev, CHAIN_BETA, CHAIN, PBIT_ORDER_CHROMATIC), 0);
	assert_true(judge_chain(dev, 0.7 * CHAIN_BETA, CHAIN, PBIT_ORDER_SEQUENTIAL) > 0);
	assert_true(judge_chain(dev, CHAIN_BETA, 20, PBIT_ORDER_SEQUENTIAL) > 0);
	pbit_close(dev);
}

/* --- torus --- */

#define SIDE	     8u
#define SPINS	     (SIDE * SIDE)
#define TORUS_SWEEPS 30000u
#define TORUS_BATCHES \
	50u /* of 600 sweeps: above 20 autocorrelation times of the energy at beta_c */
#define TORUS_TABLE (sizeof(oracle_torus8) / sizeof(oracle_torus8[0]))

struct torus_run {
	const struct pbit_bm *bm;
	double *energy;
};

static int note_energy(const uint64_t *state, uint64_t index, void *user)
{
	struct torus_run *run = user;

	run->energy[index] = pbit_bm_energy(run->bm, state) / SPINS;
	return 0;
}

static struct pbit_bm *torus(void)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(SPINS, &bm), 0);
	for (uint32_t i = 0; i < SPINS; i++) {
		uint32_t right = i / SIDE * SIDE + (i + 1) % SIDE, below = (i + SIDE) % SPINS;

		assert_int_equal(pbit_bm_add_coupling(bm, i, right, 1.0), 0);
		assert_int_equal(pbit_bm_add_coupling(bm, i, below, 1.0), 0);
	}
	return bm;
}

/* Starts at all -1, a ground state: quick to equilibrium at every beta. */
static double torus_p(struct pbit_device *dev, uint32_t order, double beta, double expected)
{
	struct torus_run run = {.bm = torus()};
	struct pbit_sample_opts opts = PBIT_INIT(opts);
	struct stats_mean m;

	run.energy = calloc(TORUS_SWEEPS, sizeof(*run.energy));
	assert_non_null(run.energy);
	opts.beta = beta;
	opts.burn_in = 1000;
	opts.interval = 1;
	opts.samples = TORUS_SWEEPS;
	law_program_or_skip(dev, (struct pbit_bm *)run.bm, order, 41);
	assert_int_equal(pbit_sample(dev, &opts, note_energy, &run), 0);
	m = stats_batch_means(run.energy, TORUS_SWEEPS, TORUS_BATCHES);
	free(run.energy);
	pbit_bm_put((struct pbit_bm *)run.bm);
	assert_true(m.standard_error > 0.0);
	assert_true(fabs(m.batch_correlation) < 0.6);
	return stats_student_two_sided((m.mean - expected) / m.standard_error, m.df);
}

static void test_torus(void **state)
{
	struct pbit_device *dev = law_device();
	double p[2 * TORUS_TABLE];

	(void)state;
	for (size_t k = 0; k < TORUS_TABLE; k++) {
		p[2 * k] = torus_p(dev, PBIT_ORDER_SEQUENTIAL, oracle_torus8[k].beta,
				   oracle_torus8[k].energy);
		p[2 * k + 1] = torus_p(dev, PBIT_ORDER_CHROMATIC, oracle_torus8[k].beta,
				       oracle_torus8[k].energy);
	}
	assert_int_equal(stats_holm(p, 2 * TORUS_TABLE, LAW_ALPHA, NULL), 0);
	pbit_close(dev);
}

/*
 * Power: at beta 0.3 the energy moves by 0.05 for beta x 0.95, some 40 standard errors; the
 * synchronous order decouples the two halves of the torus, and neighbours are as good as independent.
 */
static void test_torus_rejects(void **state)
{
	struct pbit_device *dev = law_device();

	(void)state;
	for (size_t k = 1; k < 3; k++) {
		double beta = oracle_torus8[k].beta, energy = oracle_torus8[k].energy;

		assert_true(torus_p(dev, PBIT_ORDER_SEQUENTIAL, 0.95 * beta, energy) < LAW_ALPHA);
		assert_true(torus_p(dev, PBIT_ORDER_SYNCHRONOUS, beta, energy) < LAW_ALPHA);
	}
	pbit_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_pbits),    cmocka_unit_test(test_free_pbits_reject),
		cmocka_unit_test(test_chain),	      cmocka_unit_test(test_torus),
		cmocka_unit_test(test_torus_rejects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
