/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What engines compare draws with is approximate; draws next to the exact threshold must be decided
 * as the exact one decides. Random runs come there seldom, so all of it is walked through here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "software/boltzmann/bipartite.h"
#include "software/boltzmann/dense_critical.h"
#include "software/boltzmann/sigmoid16.h"
#include "software/kernels/kernels.h"

static struct soft_chain chain_of(double factor)
{
	return (struct soft_chain){.draw = {.k = {1, 2, 3, 4, 5}}, .factor = factor};
}

#define LANES 16u

/* Sixteen p-bits of one input, with draws around its threshold. */
static void around(soft_bipartite_fn *fn, const struct soft_chain *chain, int32_t input,
		   int32_t offset)
{
	const int32_t t16 = (int32_t)(soft_draw_threshold(chain->factor, input) >> 8);
	const int32_t zero[LANES] = {0};
	uint32_t pbit[LANES];
	int32_t base[LANES];
	uint16_t high[LANES + 1] = {0}, free = 0xffff, state = 0;
	struct soft_bipartite_side s = {
		.chain = chain,
		.tiles = 1,
		.sums = zero,
		.base = base,
		.pbit = pbit,
		.high = high,
		.free = &free,
		.state = &state,
		.z_step = soft_sigmoid_step(chain->factor),
	};

	for (uint32_t l = 0; l < LANES; l++) {
		const int32_t u = t16 + offset + (int32_t)l;

		pbit[l] = l;
		base[l] = input;
		high[l] = (uint16_t)(u < 0 ? 0 : u > 65535 ? 65535 : u);
	}
	fn(&s);
	for (uint32_t l = 0; l < LANES; l++)
		if ((state >> l & 1) != soft_chain_fires(chain, l, input, high[l]))
			fail_msg("input %d, factor %g, draw %u, threshold %d", input, chain->factor,
				 high[l], t16);
}

static void walk(soft_bipartite_fn *fn)
{
	static const double factors[] = {1.0 / 1024, 0.37, 1e-9, 1e300, 0.0};

	for (unsigned int f = 0; f < 5; f++) {
		const struct soft_chain chain = chain_of(factors[f]);
		const int32_t step = f == 2 ? 100003 : f ? 1 : 3;

		for (int32_t k = -8000; k <= 8000; k++)
			for (int32_t offset = -32; offset < 32; offset += 16)
				around(fn, &chain, k * step, offset);
	}
}

static void test_sigmoid(void **state)
{
	(void)state;
	walk(soft_bipartite_portable);
#ifdef __x86_64__
	if (soft_kernels_avx2.usable())
		walk(soft_bipartite_avx2);
	if (soft_kernels_avx512.usable())
		walk(soft_bipartite_avx512);
#endif
}

/* An input that fires for sure, or rests for sure, does so for all draws of these high bits. */
static void test_critical(void **state)
{
	static const double factors[] = {0.0, 1e-300, 1e-9, 1e-3, 0.0625, 0.5, 3.0, 1e20, 1e300};

	(void)state;
	for (unsigned int f = 0; f < 9; f++) {
		const struct soft_chain chain = chain_of(factors[f]);

		for (uint32_t first = 0; first < 65536; first += DENSE_BATCH) {
			int32_t rests[DENSE_BATCH], fires[DENSE_BATCH];
			uint16_t u[DENSE_BATCH];

			for (uint32_t i = 0; i < DENSE_BATCH; i++)
				u[i] = (uint16_t)(first + i);
			dense_intervals(&chain, u, rests, fires);
			for (uint32_t i = 0; i < DENSE_BATCH; i++) {
				const uint32_t low = (first + i) << 8, high = low | 255;

				assert_true(rests[i] <= fires[i]);
				if (fires[i] <= 1 << 30)
					assert_true(high <
						    soft_draw_threshold(chain.factor, fires[i]));
				if (rests[i] > -(1 << 30))
					assert_true(low >= soft_draw_threshold(chain.factor,
									       rests[i] - 1));
			}
		}
	}
}

/* The interval is narrow: what is left to the exact decision is a few draws in 65,536. */
static void test_narrow(void **state)
{
	const struct soft_chain chain = chain_of(1.0 / 4096);
	uint64_t open = 0;

	(void)state;
	for (uint32_t first = 0; first < 65536; first += DENSE_BATCH) {
		int32_t rests[DENSE_BATCH], fires[DENSE_BATCH];
		uint16_t u[DENSE_BATCH];

		for (uint32_t i = 0; i < DENSE_BATCH; i++)
			u[i] = (uint16_t)(first + i);
		dense_intervals(&chain, u, rests, fires);
		for (uint32_t i = 0; i < DENSE_BATCH; i++)
			open += rests[i] <= 1000 && fires[i] > 1000;
	}
	assert_in_range(open, 1, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sigmoid),
		cmocka_unit_test(test_critical),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
