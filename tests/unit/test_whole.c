/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results straight from rows against those of a tally, bit for bit: every number of outputs, few
 * and many samples, ties, values up to the largest that it takes and the first that it must refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "exec/rows.h"
#include "exec/tally.h"
#include "exec/whole.h"

#define IMAGES	    7u
#define MOST	    17u
#define FIRST_IMAGE 2u

struct rig {
	float a[MOST], c[MOST];
	struct pbit__readout readout;
	uint32_t n_samples;
	int64_t *raw;
	struct pbit__tally tally;
	struct pbit_result *whole, *tallied;
	uint64_t random;
};

static uint32_t next(struct rig *rig)
{
	rig->random = rig->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rig->random >> 33);
}

static size_t n_raw(const struct rig *rig)
{
	return (size_t)IMAGES * rig->n_samples * rig->readout.n_outputs;
}

/* Values of at most `spread` different sizes around 0; factors of both signs, some zero. */
static void make(struct rig *rig, size_t n_outputs, uint32_t n_samples, uint32_t spread)
{
	*rig = (struct rig){.n_samples = n_samples, .random = n_outputs * 1000 + n_samples};
	rig->readout = (struct pbit__readout){.n_outputs = n_outputs, .a = rig->a, .c = rig->c};
	for (size_t o = 0; o < n_outputs; o++) {
		rig->a[o] = (float)((int)(next(rig) % 9) - 4) / 37.0f;
		rig->c[o] = (float)((int)(next(rig) % 5) - 2) / 8.0f;
	}
	rig->raw = malloc(n_raw(rig) * sizeof(*rig->raw));
	assert_non_null(rig->raw);
	for (size_t i = 0; i < n_raw(rig); i++)
		rig->raw[i] = (int64_t)(next(rig) % spread) - spread / 2;
	assert_int_equal(pbit_result_new(&rig->whole), 0);
	assert_int_equal(pbit_result_new(&rig->tallied), 0);
	assert_int_equal(pbit__result_prepare(rig->whole, FIRST_IMAGE + IMAGES, n_outputs), 0);
	assert_int_equal(pbit__result_prepare(rig->tallied, FIRST_IMAGE + IMAGES, n_outputs), 0);
}

static void destroy(struct rig *rig)
{
	pbit__tally_free(&rig->tally);
	pbit_result_free(rig->whole);
	pbit_result_free(rig->tallied);
	free(rig->raw);
}

static bool run_whole(struct rig *rig)
{
	return pbit__whole_images(&rig->readout, rig->raw, IMAGES, rig->n_samples, rig->whole,
				  FIRST_IMAGE);
}

static void run_tally(struct rig *rig)
{
	const size_t row = rig->n_samples * rig->readout.n_outputs;

	assert_int_equal(
		pbit__tally_start(&rig->tally, IMAGES, rig->readout.n_outputs, true, false), 0);
	for (uint32_t i = 0; i < IMAGES; i++) {
		pbit__tally_samples(&rig->tally, i, &rig->readout, rig->raw + i * row,
				    rig->n_samples);
		pbit__tally_finish(&rig->tally, i, &rig->readout, rig->n_samples, rig->tallied,
				   FIRST_IMAGE + i);
	}
}

static void assert_same(const struct rig *rig)
{
	const struct pbit_result *x = rig->whole, *y = rig->tallied;
	const size_t n = rig->readout.n_outputs, at = FIRST_IMAGE * n;

	assert_memory_equal(x->mean + at, y->mean + at, IMAGES * n * sizeof(double));
	assert_memory_equal(x->standard_error + at, y->standard_error + at,
			    IMAGES * n * sizeof(double));
	assert_memory_equal(x->votes + at, y->votes + at, IMAGES * n * sizeof(uint32_t));
	assert_memory_equal(x->class + FIRST_IMAGE, y->class + FIRST_IMAGE,
			    IMAGES * sizeof(uint32_t));
	assert_memory_equal(x->samples, y->samples, (FIRST_IMAGE + IMAGES) * sizeof(uint32_t));
}

static void same_as_tally(void **state)
{
	static const uint32_t samples[] = {1, 2, 3, 10, 33, 1000};
	static const uint32_t spreads[] = {1, 2, 5, 2000};
	struct rig rig;

	(void)state;
	for (size_t n_outputs = 1; n_outputs <= 16; n_outputs++)
		for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++)
			for (size_t k = 0; k < sizeof(spreads) / sizeof(spreads[0]); k++) {
				make(&rig, n_outputs, samples[s], spreads[k]);
				assert_true(run_whole(&rig));
				run_tally(&rig);
				assert_same(&rig);
				destroy(&rig);
			}
}

/* Everything at the largest size; then one value beyond it, in any lane. */
static void largest_values(void **state)
{
	static const struct {
		uint32_t samples;
		int64_t limit; /* 2^31 over the least power of two beyond the samples */
	} cases[] = {{1, 1 << 30}, {2, 1 << 29}, {3, 1 << 29}, {4, 1 << 28}, {10, 1 << 27}};
	struct rig rig;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		make(&rig, 11, cases[k].samples, 2);
		for (size_t i = 0; i < n_raw(&rig); i++)
			rig.raw[i] = next(&rig) % 3 ? -cases[k].limit : cases[k].limit - 1;
		assert_true(run_whole(&rig));
		run_tally(&rig);
		assert_same(&rig);
		for (size_t o = 0; o < 11; o++) {
			const size_t i = n_raw(&rig) - 11 + o;
			const int64_t kept = rig.raw[i];

			rig.raw[i] = cases[k].limit;
			assert_false(run_whole(&rig));
			rig.raw[i] = -cases[k].limit - 1;
			assert_false(run_whole(&rig));
			rig.raw[i] = INT64_MIN;
			assert_false(run_whole(&rig));
			rig.raw[i] = INT64_MAX;
			assert_false(run_whole(&rig));
			rig.raw[i] = kept;
		}
		destroy(&rig);
	}
}

static void left_to_the_tally(void **state)
{
	static const float odd[] = {NAN, INFINITY, -INFINITY};
	struct rig rig;

	(void)state;
	make(&rig, MOST, 2, 5);
	assert_false(run_whole(&rig));
	destroy(&rig);
	make(&rig, 10, 2, 5);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		const float a = rig.a[9], c = rig.c[9];

		rig.a[9] = odd[i];
		assert_false(run_whole(&rig));
		rig.a[9] = a;
		rig.c[9] = odd[i];
		assert_false(run_whole(&rig));
		rig.c[9] = c;
	}
	assert_true(run_whole(&rig));
	rig.n_samples = 1u << 30;
	assert_false(run_whole(&rig));
	destroy(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_tally),
		cmocka_unit_test(largest_values),
		cmocka_unit_test(left_to_the_tally),
	};

	if (!pbit__rows_wide())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
