/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bit by bit: the states of a device that follows the contract's randomness, against the slow
 * implementation, for every update order, odd sizes, clamps; splitting of updates; the strict
 * comparison at the one draw in 2^24 where it matters. Nothing here is left to chance: no false alarms.
 * Skipped for a device that does not draw as CONTRACT.md says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "boltzmann_law.h"
#include "boltzmann_slow.h"

#define MAX_WORDS 8

static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
				  PBIT_ORDER_SYNCHRONOUS};

#define ORDERS (sizeof(orders) / sizeof(orders[0]))

/* A random machine, each pair coupled with the given probability, on both sides of the comparison. */
struct twin {
	struct pbit_device *dev;
	struct pbit_bm *bm;
	struct slow *slow;
};

static struct twin twin_new(uint32_t n, double density, uint32_t order, uint64_t seed)
{
	struct twin t = {.dev = law_device(), .slow = slow_new(n, order, seed)};
	uint64_t random = seed + 1;

	assert_int_equal(pbit_bm_new(n, &t.bm), 0);
	for (uint32_t i = 0; i < n; i++) {
		t.slow->h[i] = 2.0 * law_uniform(&random) - 1.0;
		assert_int_equal(pbit_bm_set_bias(t.bm, i, t.slow->h[i]), 0);
	}
	/* Added from the last pair to the first: the sum over neighbours must not follow that. */
	for (uint32_t i = n; i-- > 0;) {
		for (uint32_t j = i; j-- > 0;) {
			double J = 2.0 * law_uniform(&random) - 1.0;

			if (law_uniform(&random) >= density)
				continue;
			t.slow->J[(size_t)i * n + j] = t.slow->J[(size_t)j * n + i] = J;
			assert_int_equal(pbit_bm_add_coupling(t.bm, i, j, J), 0);
		}
	}
	law_program_or_skip(t.dev, t.bm, order, seed);
	return t;
}

static void twin_free(struct twin *t)
{
	pbit_bm_put(t->bm);
	pbit_close(t->dev);
	slow_free(t->slow);
}

static void assert_same_state(const struct twin *t)
{
	uint64_t got[MAX_WORDS], expected[MAX_WORDS];

	assert_int_equal(pbit_read(t->dev, got), 0);
	slow_read(t->slow, expected);
	assert_memory_equal(got, expected, (t->slow->n + 63) / 64 * sizeof(*got));
}

static void update_both(const struct twin *t, double beta, uint64_t sweeps)
{
	slow_update(t->slow, beta, sweeps);
	assert_int_equal(pbit_update(t->dev, beta, sweeps), 0);
	assert_same_state(t);
}

static void clamp_both(const struct twin *t, uint64_t *random)
{
	uint64_t mask[MAX_WORDS] = {0}, value[MAX_WORDS] = {0};

	for (uint32_t i = 0; i < t->slow->n; i++) {
		bool clamped = law_uniform(random) < 0.3, one = law_uniform(random) < 0.5;

		mask[i / 64] |= (uint64_t)clamped << (i % 64);
		value[i / 64] |= (uint64_t)one
				 << (i % 64); /* of free p-bits too: it has no effect */
		t->slow->clamped[i] = clamped;
		if (clamped)
			t->slow->m[i] = one ? 1.0 : -1.0;
	}
	assert_int_equal(pbit_clamp(t->dev, mask, value), 0);
	assert_same_state(t);
}

static void set_both(const struct twin *t, uint64_t *random)
{
	uint64_t state[MAX_WORDS] = {0};

	for (uint32_t i = 0; i < t->slow->n; i++) {
		bool one = law_uniform(random) < 0.5;

		state[i / 64] |= (uint64_t)one << (i % 64);
		if (!t->slow->clamped[i])
			t->slow->m[i] = one ? 1.0 : -1.0;
	}
	assert_int_equal(pbit_set_state(t->dev, state), 0);
	assert_same_state(t);
}

static void compare(uint32_t n, double density, uint32_t order)
{
	static const double betas[] = {0.0, 0.1, 0.5, 1.0, 2.5, 40.0, 1e30};
	struct twin t = twin_new(n, density, order, 1000ull * n + order);
	uint64_t random = n;

	assert_same_state(&t);
	for (size_t b = 0; b < sizeof(betas) / sizeof(betas[0]); b++) {
		update_both(&t, betas[b], 1);
		update_both(&t, betas[b], 3);
	}
	set_both(&t, &random);
	update_both(&t, 0.4, 2);
	clamp_both(&t, &random);
	update_both(&t, 0.4, 3);
	set_both(&t, &random);
	update_both(&t, 0.4, 1);
	clamp_both(&t, &random);
	update_both(&t, 0.4, 3);
	memset(t.slow->clamped, 0, n * sizeof(*t.slow->clamped));
	assert_int_equal(pbit_clamp(t.dev, NULL, NULL), 0);
	assert_same_state(&t);
	update_both(&t, 0.4, 3);
	twin_free(&t);
}

static void test_sizes(void **state)
{
	static const uint32_t sizes[] = {1,  2,	 3,  4,	  5,   31,  32,	 33,
					 63, 64, 65, 127, 128, 129, 257, 300};

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t o = 0; o < ORDERS; o++)
			compare(sizes[s], 6.0 / sizes[s], orders[o]);
	}
}

static void test_dense(void **state)
{
	(void)state;
	for (size_t o = 0; o < ORDERS; o++)
		compare(100, 1.0, orders[o]);
}

/* Does the comparison notice anything? */
static void test_notices(void **state)
{
	struct twin t = twin_new(130, 0.05, PBIT_ORDER_SEQUENTIAL, 3);
	uint64_t got[MAX_WORDS], expected[MAX_WORDS];

	(void)state;
	t.slow->seed++;
	slow_update(t.slow, 0.5, 1);
	assert_int_equal(pbit_update(t.dev, 0.5, 1), 0);
	assert_int_equal(pbit_read(t.dev, got), 0);
	slow_read(t.slow, expected);
	assert_memory_not_equal(got, expected, 3 * sizeof(*got));
	twin_free(&t);
}

/* However sweeps are split, and whatever was read between: the same states. */
static void test_splits(void **state)
{
	(void)state;
	for (size_t o = 0; o < ORDERS; o++) {
		struct twin a = twin_new(150, 0.04, orders[o], 8);
		struct twin b = twin_new(150, 0.04, orders[o], 8);
		uint64_t one[MAX_WORDS], two[MAX_WORDS];

		assert_int_equal(pbit_update(a.dev, 0.7, 10), 0);
		assert_int_equal(pbit_update(b.dev, 0.7, 5), 0);
		assert_int_equal(pbit_read(b.dev, two), 0);
		assert_int_equal(pbit_update(b.dev, 0.7, 0), 0);
		assert_int_equal(pbit_update(b.dev, 0.7, 5), 0);
		assert_int_equal(pbit_read(a.dev, one), 0);
		assert_int_equal(pbit_read(b.dev, two), 0);
		assert_memory_equal(one, two, 3 * sizeof(*one));
		/* Programmed again: from the start, the same once more. */
		law_program_or_skip(b.dev, b.bm, orders[o], 8);
		assert_int_equal(pbit_update(b.dev, 0.7, 10), 0);
		assert_int_equal(pbit_read(b.dev, two), 0);
		assert_memory_equal(one, two, 3 * sizeof(*one));
		/* Another seed is another run. */
		law_program_or_skip(b.dev, b.bm, orders[o], 9);
		assert_int_equal(pbit_update(b.dev, 0.7, 10), 0);
		assert_int_equal(pbit_read(b.dev, two), 0);
		assert_memory_not_equal(one, two, 3 * sizeof(*one));
		twin_free(&a);
		twin_free(&b);
	}
}

/*
 * Inputs are sums of whole steps: exact where the step divides all, and what is small beside the rest
 * of a row is rounded away where it does not. P-bit 0 is free, the others are held at +1. Counts its
 * +1 in 64 sweeps.
 */
static unsigned int count_up(const double J[3], double h)
{
	struct pbit_device *dev = law_device();
	uint64_t mask = 14, got;
	struct pbit_bm *bm;
	unsigned int ups = 0;

	assert_int_equal(pbit_bm_new(4, &bm), 0);
	for (uint32_t j = 3; j > 0; j--)
		assert_int_equal(pbit_bm_add_coupling(bm, 0, j, J[j - 1]), 0);
	assert_int_equal(pbit_bm_set_bias(bm, 0, h), 0);
	law_program_or_skip(dev, bm, PBIT_ORDER_SEQUENTIAL, 1);
	assert_int_equal(pbit_clamp(dev, &mask, &mask), 0);
	for (int k = 0; k < 64; k++) {
		assert_int_equal(pbit_update(dev, 20.0, 1), 0);
		assert_int_equal(pbit_read(dev, &got), 0);
		ups += got & 1;
	}
	pbit_bm_put(bm);
	pbit_close(dev);
	return ups;
}

static void test_fixed_point(void **state)
{
	static const double exact[3] = {0x1p25, -0x1p25, 0.5};
	static const double rounded[3] = {1e20, -1e20, 2.0}; /* 2 is less than half a step */
	static const double divided[3] = {1.0 / 3, -2.0 / 3, 5.0 / 3};

	(void)state;
	assert_int_equal(count_up(exact, 0.0), 64);
	assert_int_equal(count_up(exact, -1.0), 0);
	assert_in_range(count_up(rounded, 0.0), 8, 56);
	assert_in_range(count_up(rounded, -4.0), 8, 56);
	assert_int_equal(count_up(divided, -1.0), 64);
	assert_in_range(count_up(divided, -4.0 / 3), 8, 56);
}

#define TIE_PBITS 128u

/* The first sweep in which one of 128 p-bits draws U, and which. */
static uint64_t find_draw(uint64_t seed, uint32_t U, uint32_t *pbit)
{
	for (uint64_t sweep = 0;; sweep++) {
		for (uint32_t block = 0; block < 8; block++) {
			const uint64_t key[4] = {seed, PBIT_DOMAIN_BOLTZMANN, 0, 0};
			const uint64_t counter[4] = {block, sweep, 0, 0};
			uint64_t out[4];

			pbit_threefry(key, counter, out);
			for (uint32_t f = 0; f < 16; f++) {
				if ((out[f / 4] >> 16 * (f % 4) & 0xffff) != U >> 8)
					continue;
				*pbit = 32 * (f / 4) + 4 * block + f % 4;
				if (pbit_draw_boltzmann(seed, 0, sweep, *pbit) == U)
					return sweep;
			}
		}
	}
}

/*
 * P = 1/2, t = 2^23: the draw U = t must give -1 and U = t - 1 must give +1. Each comes once in 2^24
 * draws, so look for where it comes, then bring the device there.
 */
static void test_strict_tie(void **state)
{
	(void)state;
	for (uint32_t below = 0; below < 2; below++) {
		struct pbit_device *dev = law_device();
		uint64_t got[TIE_PBITS / 64], sweep, seed = 4;
		struct pbit_bm *bm;
		uint32_t pbit;

		sweep = find_draw(seed, (1u << 23) - below, &pbit);
		assert_int_equal(pbit_bm_new(TIE_PBITS, &bm), 0);
		law_program_or_skip(dev, bm, PBIT_ORDER_SEQUENTIAL, seed);
		assert_int_equal(pbit_update(dev, 1.0, sweep + 1), 0);
		assert_int_equal(pbit_read(dev, got), 0);
		assert_int_equal(got[pbit / 64] >> (pbit % 64) & 1, below);
		pbit_bm_put(bm);
		pbit_close(dev);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	cmocka_unit_test(test_dense),
		cmocka_unit_test(test_splits),	cmocka_unit_test(test_strict_tie),
		cmocka_unit_test(test_notices), cmocka_unit_test(test_fixed_point),
	};
	struct pbit_device *dev = law_device();
	struct pbit_caps caps = PBIT_INIT(caps);
	bool follows;

	follows = !pbit_get_caps(dev, &caps) && (caps.flags & PBIT_FLAG_CONTRACT);
	pbit_close(dev);
	if (!follows)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
