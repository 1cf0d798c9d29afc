/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas bit by bit, for a device that follows the contract's randomness: each replica against the
 * slow implementation with its chain number, through the same random series of calls: updates at one
 * beta and at one for each, clamps alike and apart, states, seeks, interruptions. Machines of every form
 * that the software device has an engine for, in every order. Nothing is left to chance: no false
 * alarms. Skipped for a device that does not draw as CONTRACT.md says.
 *
 * PBIT_TEST_URI names the device; without it, software devices of every kernel, engine and some
 * numbers of threads are taken in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann_law.h"
#include "boltzmann_slow.h"

static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
				  PBIT_ORDER_SYNCHRONOUS};

#define ORDERS (sizeof(orders) / sizeof(orders[0]))

static const char *const engines[] = {"",
				      ",engine=general",
				      ",engine=lanes",
				      ",engine=sparse",
				      ",engine=dense",
				      ",engine=bipartite"};

#define ENGINES (sizeof(engines) / sizeof(engines[0]))

/* Machines. */
enum form {
	RING_PM,   /* +-J, ring with chords, some bias: few classes */
	GRAPH_PM,  /* +-J, random graph of degree up to 15 */
	CUBE_PM,   /* +-J/3, cubic torus */
	REAL,	   /* random real couplings */
	DENSE_PM,  /* every pair, +-1/sqrt(n) */
	TWO_SIDES, /* restricted Boltzmann machine */
	DIRECTED,
	FORMS
};

static const char *const form_names[FORMS] = {"ring",  "graph",	    "cube",    "real",
					      "dense", "two sides", "directed"};

/* The same machine on both sides, R replicas. */
struct twin {
	struct pbit_device *dev;
	struct pbit_bm *bm;
	uint32_t n, replicas;
	size_t words;
	uint64_t random;
	uint64_t *states; /* replicas * words, scratch */
	uint64_t *mask;
	double *beta;
	struct slow **slow;
	char name[200];
};

static double sign(uint64_t *random)
{
	return law_uniform(random) < 0.5 ? -1.0 : 1.0;
}

static uint32_t degree(const struct slow *s, uint32_t i)
{
	uint32_t d = 0;

	for (uint32_t j = 0; j < s->n; j++)
		d += s->J[(size_t)i * s->n + j] != 0.0;
	return d;
}

static void couple(struct slow *s, uint32_t i, uint32_t j, double J)
{
	if (i != j && s->J[(size_t)i * s->n + j] == 0.0)
		s->J[(size_t)i * s->n + j] = s->J[(size_t)j * s->n + i] = J;
}

static void fill_cube(struct slow *s, uint64_t *random)
{
	const uint32_t side = 5;

	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t stride = 1;

		for (int d = 0; d < 3; d++, stride *= side) {
			const uint32_t x = i / stride % side;
			const uint32_t j = i - x * stride + (x + 1) % side * stride;

			if (j < s->n)
				couple(s, i, j, sign(random) / 3.0);
		}
	}
}

static void fill(struct slow *s, enum form form, uint64_t *random)
{
	const uint32_t n = s->n;

	for (uint32_t i = 0; i < n; i++) {
		switch (form) {
		case RING_PM:
			couple(s, i, (i + 1) % n, sign(random));
			if (i % 3 == 0)
				couple(s, i, (i + n / 2) % n, sign(random));
			s->h[i] = i % 5 ? 0.0 : sign(random);
			break;
		case GRAPH_PM:
			for (uint32_t k = 0; k < i % 12; k++) {
				const uint32_t j = (uint32_t)(law_uniform(random) * n);

				if (degree(s, i) < 15 && degree(s, j) < 15)
					couple(s, i, j, 0.25 * sign(random));
			}
			s->h[i] = 0.25 * floor(5.0 * law_uniform(random));
			break;
		case REAL:
			for (uint32_t k = 0; k < 3; k++)
				couple(s, i, (uint32_t)(law_uniform(random) * n),
				       2.0 * law_uniform(random) - 1.0);
			s->h[i] = law_uniform(random) - 0.5;
			break;
		case DENSE_PM:
			for (uint32_t j = 0; j < i; j++)
				couple(s, i, j, sign(random) / sqrt(n));
			break;
		case TWO_SIDES:
			for (uint32_t j = n / 2; i < n / 2 && j < n; j++)
				couple(s, i, j, rint(40.0 * law_uniform(random) - 20.0) / 64.0);
			s->h[i] = rint(40.0 * law_uniform(random) - 20.0) / 64.0;
			break;
		case DIRECTED:
			for (uint32_t j = 0; j < n; j++)
				if (i != j && law_uniform(random) * n < 5.0)
					s->J[(size_t)i * n + j] = sign(random) * 0.5;
			break;
		default:
			break;
		}
	}
	if (form == CUBE_PM)
		fill_cube(s, random);
}

static void build(struct twin *t, bool directed)
{
	const struct slow *s = t->slow[0];

	assert_int_equal(pbit_bm_new(t->n, &t->bm), 0);
	for (uint32_t i = 0; i < t->n; i++) {
		assert_int_equal(pbit_bm_set_bias(t->bm, i, s->h[i]), 0);
		for (uint32_t j = 0; j < t->n; j++) {
			const double J = s->J[(size_t)i * t->n + j];

			if (J == 0.0 || (!directed && j > i))
				continue;
			assert_int_equal(directed ? pbit_bm_add_directed(t->bm, j, i, J)
						  : pbit_bm_add_coupling(t->bm, i, j, J),
					 0);
		}
	}
}

static void twin_free(struct twin *t)
{
	for (uint32_t r = 0; r < t->replicas; r++)
		slow_free(t->slow[r]);
	free(t->slow);
	free(t->states);
	free(t->mask);
	free(t->beta);
	pbit_bm_put(t->bm);
	pbit_close(t->dev);
}

/* False where the device refuses by a limit it names. */
static bool twin_new(struct twin *t, const char *uri, enum form form, uint32_t n, uint32_t replicas,
		     uint32_t order, uint64_t seed)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	int rc;

	*t = (struct twin){.n = n, .replicas = replicas, .random = seed + 77};
	t->words = (n + 63) / 64;
	snprintf(t->name, sizeof(t->name), "%s %s n %u R %u order %u", uri, form_names[form], n,
		 replicas, order);
	assert_int_equal(pbit_open(uri, NULL, &t->dev), 0);
	t->slow = calloc(replicas, sizeof(*t->slow));
	t->states = calloc(replicas * t->words, sizeof(*t->states));
	t->mask = calloc(t->words, sizeof(*t->mask));
	t->beta = calloc(replicas, sizeof(*t->beta));
	assert_true(t->slow && t->states && t->mask && t->beta);
	opts.order = order;
	opts.seed = seed;
	opts.replicas = replicas;
	opts.first_chain = 3;
	for (uint32_t r = 0; r < replicas; r++) {
		uint64_t random = seed;

		t->slow[r] = slow_new(n, order, seed);
		t->slow[r]->chain = 3 + r;
		fill(t->slow[r], form, &random);
	}
	build(t, form == DIRECTED);
	rc = pbit_program_with(t->dev, t->bm, &opts);
	if (!rc)
		return true;
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_LIMIT);
	twin_free(t);
	return false;
}

/* The first replica that differs from its reference, or `replicas`. */
static uint32_t first_difference(struct twin *t)
{
	uint64_t expected[8];

	memset(t->states, 0x5a, t->replicas * t->words * sizeof(*t->states));
	assert_int_equal(pbit_read(t->dev, t->states), 0);
	for (uint32_t r = 0; r < t->replicas; r++) {
		slow_read(t->slow[r], expected);
		if (memcmp(expected, t->states + r * t->words, t->words * sizeof(*expected)))
			return r;
	}
	return t->replicas;
}

static void same(struct twin *t, const char *after)
{
	const uint32_t r = first_difference(t);

	if (r < t->replicas)
		fail_msg("%s: replica %u differs after %s", t->name, r, after);
}

static void random_states(struct twin *t)
{
	for (size_t w = 0; w < t->replicas * t->words; w++)
		t->states[w] = (uint64_t)(law_uniform(&t->random) * 0x1p32) << 32 |
			       (uint64_t)(law_uniform(&t->random) * 0x1p32);
}

static bool bit(const uint64_t *words, uint32_t i)
{
	return words[i / 64] >> (i % 64) & 1;
}

static void do_set(struct twin *t)
{
	random_states(t);
	for (uint32_t r = 0; r < t->replicas; r++)
		for (uint32_t i = 0; i < t->n; i++)
			if (!t->slow[r]->clamped[i])
				t->slow[r]->m[i] = bit(t->states + r * t->words, i) ? 1.0 : -1.0;
	assert_int_equal(pbit_set_state(t->dev, t->states), 0);
	same(t, "set_state");
}

static void do_clamp(struct twin *t, bool each)
{
	random_states(t);
	memset(t->mask, 0, t->words * sizeof(*t->mask));
	for (uint32_t i = 0; i < t->n; i++)
		t->mask[i / 64] |= (uint64_t)(law_uniform(&t->random) < 0.25) << (i % 64);
	for (uint32_t r = 0; r < t->replicas; r++)
		for (uint32_t i = 0; i < t->n; i++) {
			t->slow[r]->clamped[i] = bit(t->mask, i);
			if (bit(t->mask, i))
				t->slow[r]->m[i] =
					bit(t->states + (each ? r : 0) * t->words, i) ? 1.0 : -1.0;
		}
	assert_int_equal(each ? pbit_clamp_each(t->dev, t->mask, t->states)
			      : pbit_clamp(t->dev, t->mask, t->states),
			 0);
	same(t, "clamp");
}

static void do_release(struct twin *t)
{
	for (uint32_t r = 0; r < t->replicas; r++)
		memset(t->slow[r]->clamped, 0, t->n * sizeof(*t->slow[r]->clamped));
	assert_int_equal(pbit_clamp(t->dev, NULL, NULL), 0);
	same(t, "release");
}

static void do_update(struct twin *t, double beta, uint64_t sweeps)
{
	for (uint32_t r = 0; r < t->replicas; r++)
		slow_update(t->slow[r], beta, sweeps);
	assert_int_equal(pbit_update(t->dev, beta, sweeps), 0);
	same(t, "update");
}

static void do_update_each(struct twin *t, bool equal)
{
	for (uint32_t r = 0; r < t->replicas; r++) {
		t->beta[r] = equal ? 0.8 : 0.1 * (r % 23);
		slow_update(t->slow[r], t->beta[r], 2);
	}
	assert_int_equal(pbit_update_each(t->dev, t->beta, 2), 0);
	same(t, "update_each");
}

static void do_seek(struct twin *t, uint64_t sweep)
{
	for (uint32_t r = 0; r < t->replicas; r++)
		t->slow[r]->sweep = sweep;
	assert_int_equal(pbit_seek(t->dev, sweep), 0);
}

static void drive(const char *uri, enum form form, uint32_t n, uint32_t replicas, uint32_t order)
{
	struct twin t;

	if (!twin_new(&t, uri, form, n, replicas, order, 100 * n + replicas + form))
		return;
	same(&t, "program");
	do_update(&t, 0.6, 2);
	do_update(&t, 0.0, 1);
	do_set(&t);
	do_update(&t, 1e30, 1);
	do_clamp(&t, false);
	do_update(&t, 0.4, 2);
	do_clamp(&t, true);
	do_set(&t);
	do_update(&t, 1.0, 1);
	do_seek(&t, 0xfffffffffffffull);
	do_update(&t, 0.9, 1);
	do_release(&t);
	do_update_each(&t, true);
	do_update_each(&t, false);
	do_update(&t, 0.5, 2);
	twin_free(&t);
}

/* Every form and order, a few sizes; large enough for a whole vector only where it is cheap. */
static void drive_all(const char *uri)
{
	for (size_t o = 0; o < ORDERS; o++) {
		for (enum form f = 0; f < FORMS; f++) {
			drive(uri, f, 61, 3, orders[o]);
			drive(uri, f, 150, 9, orders[o]);
		}
		drive(uri, CUBE_PM, 125, 70, orders[o]);
		drive(uri, GRAPH_PM, 40, 131, orders[o]);
		drive(uri, RING_PM, 20, 600, orders[o]);
		drive(uri, RING_PM, 1, 1, orders[o]);
		drive(uri, REAL, 8, 100, orders[o]);
	}
}

static void test_replicas(void **state)
{
	static const char *const kernels[] = {"portable", "avx2", "avx512"};
	const char *given = getenv("PBIT_TEST_URI");
	struct pbit_device *dev;
	char uri[128];

	(void)state;
	if (given) {
		drive_all(given);
		return;
	}
	for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++) {
		for (size_t e = 0; e < ENGINES; e++) {
			snprintf(uri, sizeof(uri), "software:threads=%zu,kernel=%s%s", 1 + e % 3,
				 kernels[k], engines[e]);
			if (pbit_open(uri, NULL, &dev)) {
				/* This processor has not got them. */
				assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_LIMIT);
				continue;
			}
			pbit_close(dev);
			drive_all(uri);
		}
	}
}

/* Does the comparison notice one wrong chain number, beta or sweep? */
static void test_notices(void **state)
{
	const char *given = getenv("PBIT_TEST_URI");

	(void)state;
	for (int fault = 0; fault < 3; fault++) {
		struct twin t;

		if (!twin_new(&t, given ? given : "software:", CUBE_PM, 125, 20,
			      PBIT_ORDER_SEQUENTIAL, 5))
			skip();
		if (fault == 0)
			t.slow[17]->chain++;
		if (fault == 1)
			t.slow[17]->sweep++;
		for (uint32_t r = 0; r < t.replicas; r++)
			slow_update(t.slow[r], fault == 2 && r == 17 ? 0.9 : 0.7, 3);
		assert_int_equal(pbit_update(t.dev, 0.7, 3), 0);
		assert_int_equal(first_difference(&t), 17);
		twin_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replicas),
		cmocka_unit_test(test_notices),
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
