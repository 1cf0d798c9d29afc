/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed-point form of a machine: each rule of the contract by cases worked out by hand, at the
 * edges of binary64, and on random machines against a search through all powers of two.
 */
#include "test_boltzmann_mock.h"

#include <float.h>

/* A star: p-bit 0 is coupled to each other one by the values, h of p-bit 0 is h. */
static struct pbit_bm *star(const double *J, uint32_t n, double h)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(n + 1, &bm), 0);
	assert_int_equal(pbit_bm_set_bias(bm, 0, h), 0);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(pbit_bm_add_coupling(bm, 0, i + 1, J[i]), 0);
	return bm;
}

static struct pbit_bm_view view_of(struct pbit_bm *bm)
{
	struct pbit_bm_view view = PBIT_INIT(view);

	assert_int_equal(pbit_bm_view(bm, &view), 0);
	return view;
}

struct star_case {
	double J[3];
	uint32_t n;
	double h;
	double step;
	bool exact;
	int32_t Jq[3];
	int32_t hq;
};

static const struct star_case cases[] = {
	/* The largest power of two of which all are multiples. */
	{{1, -1}, 2, 0, 1, true, {1, -1}, 0},
	{{-0.5, 1.5}, 2, 0, 0.5, true, {-1, 3}, 0},
	{{12, 20}, 2, -8, 4, true, {3, 5}, -2},
	{{1}, 1, 0x1p-20, 0x1p-20, true, {1 << 20}, 1},
	{{0x1p-1074}, 1, 0, 0x1p-1074, true, {1}, 0},
	{{0x3p-1074}, 1, -0x5p-1070, 0x1p-1074, true, {3}, -80},
	{{0x1.8p990}, 1, 0, 0x1p989, true, {3}, 0},
	/* The bound itself holds, one more does not: no divisor, so steps of 2, ties to even. */
	{{0x1p29, 0x1p29 - 1}, 2, 1, 1, true, {1 << 29, (1 << 29) - 1}, 1},
	{{0x1p29, 0x1p29 - 1}, 2, 2, 2, false, {1 << 28, 1 << 28}, 1},
	{{0x1p29 + 1, 0x1p29 + 3}, 2, 5, 2, false, {1 << 28, (1 << 28) + 2}, 2},
	/* A value that is no binary fraction, and whole parts of it. */
	{{0.1, -0.1, 0.1}, 3, 0, 0.1, true, {1, -1, 1}, 0},
	{{0.1, 0.25}, 2, 0, 0.05, true, {2, 5}, 0},
	{{0.3, -0.7}, 2, 0, 0.3 / 3, true, {3, -7}, 0},
	{{1.6, -0.9}, 2, 0, 0.9 / 9, true, {16, -9}, 0},
	{{0.1}, 1, 0.1 * 17 / 16, 0.1 / 16, true, {16}, 17},
};

static void test_by_hand(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct pbit_bm *bm = star(cases[c].J, cases[c].n, cases[c].h);
		struct pbit_bm_view v = view_of(bm);

		if (v.step != cases[c].step)
			fail_msg("case %zu: the step is %a, not %a", c, v.step, cases[c].step);
		assert_int_equal(!!(v.flags & PBIT_BM_EXACT), cases[c].exact);
		assert_int_equal(v.hq[0], cases[c].hq);
		for (uint32_t k = 0; k < cases[c].n; k++)
			assert_int_equal(v.Jq[k], cases[c].Jq[k]);
		assert_false(v.flags & PBIT_BM_DIRECTED);
		pbit_bm_put(bm);
	}
}

static void test_zero(void **state)
{
	static const double none[2] = {0.0, -0.0};
	struct pbit_bm *bm = star(none, 2, -0.0);
	struct pbit_bm_view v = view_of(bm);

	(void)state;
	assert_true(v.step == 1.0 && (v.flags & PBIT_BM_EXACT));
	assert_int_equal(v.row[3], 0); /* a coupling of 0 is none */
	assert_int_equal(v.hq[0], 0);
	assert_int_equal(pbit_bm_couplings(bm), 2);
	pbit_bm_put(bm);
}

/* A bias that comes later changes the step: nothing old is shown. */
static void test_stale(void **state)
{
	static const double one[1] = {1.0};
	struct pbit_bm *bm = star(one, 1, 0.0);

	(void)state;
	assert_true(view_of(bm).step == 1.0);
	assert_int_equal(pbit_bm_set_bias(bm, 1, 0.25), 0);
	assert_true(view_of(bm).step == 0.25);
	assert_int_equal(view_of(bm).hq[1], 1);
	assert_int_equal(view_of(bm).Jq[0], 4);
	assert_int_equal(pbit_bm_add_term(bm, 0, 1, 0.125), 0);
	assert_true(view_of(bm).step == 0.125);
	pbit_bm_put(bm);
}

/* Sum of |rint(x / 2^e)| of a row, by a way of its own: halves are cut off and looked at. */
static long double row_steps(const struct pbit_bm_view *v, uint32_t i, int e)
{
	long double sum = 0;

	for (uint64_t k = v->row[i]; k <= v->row[i + 1]; k++) {
		double x = fabs(k < v->row[i + 1] ? v->J[k] : v->h[i]);
		long double whole, part = modfl(scalbnl((long double)x, -e), &whole);

		sum += whole;
		if (part > 0.5L || (part == 0.5L && fmodl(whole, 2) == 1))
			sum += 1;
	}
	return sum;
}

static bool holds(const struct pbit_bm_view *v, int e)
{
	for (uint32_t i = 0; i < v->n; i++) {
		if (row_steps(v, i, e) > 0x1p30L)
			return false;
	}
	return true;
}

/* The least power of two that holds, from far above downwards. */
static int least_exponent(const struct pbit_bm_view *v)
{
	int e = 1024;

	while (e > -1074 && holds(v, e - 1))
		e--;
	return e;
}

static void check_rounded(const struct pbit_bm_view *v)
{
	double largest = 0.0;

	for (uint32_t i = 0; i < v->n; i++) {
		double sum = fabs(v->h[i]), error = fabs(v->hq[i] * v->step - v->h[i]);

		assert_true(error <= v->step / 2);
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++) {
			assert_true(fabs(v->Jq[k] * v->step - v->J[k]) <= v->step / 2);
			sum += fabs(v->J[k]);
		}
		largest = sum > largest ? sum : largest;
	}
	/* "At most 2^-31 of the largest row sum off", and a little for the rounding of the sum. */
	assert_true(v->step / 2 <= 0x1.0001p-30 * largest);
}

static void test_random(void **state)
{
	static const int spans[] = {0, 3, 40, 600};
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 120; round++) {
		int span = spans[round % 4];
		double J[6];
		struct pbit_bm *bm;
		struct pbit_bm_view v;

		for (int k = 0; k < 6; k++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			J[k] = scalbn((double)(int64_t)random, -63) *
			       (span ? scalbn(1.0, (int)(random >> 3 & 1023) % span - span / 2)
				     : 1);
		}
		bm = star(J, 5, J[5]);
		v = view_of(bm);
		assert_false(v.flags & PBIT_BM_EXACT);
		assert_true(v.step == scalbn(1.0, least_exponent(&v)));
		check_rounded(&v);
		pbit_bm_put(bm);
	}
}

/* Both ends of binary64 in one machine. */
static void test_extremes(void **state)
{
	static const double J[3] = {1e300, -1e-300, 0x1p-1074};
	struct pbit_bm *bm = star(J, 3, 1e300);
	struct pbit_bm_view v = view_of(bm);

	(void)state;
	assert_false(v.flags & PBIT_BM_EXACT);
	assert_true(v.step == scalbn(1.0, least_exponent(&v)));
	assert_int_equal(v.Jq[1], 0);
	assert_int_equal(v.Jq[2], 0);
	assert_true(v.Jq[0] > 1 << 28);
	pbit_bm_put(bm);
}

/* Inputs are multiples of 2 beta step: that must be a number. */
static void test_overflow(void **state)
{
	static const double J[1] = {0x1p900};
	struct mock *m = *state;
	struct pbit_bm *bm = star(J, 1, 0.0);
	struct pbit_sample_opts opts = sample_opts(1);

	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_int_equal(pbit_update(&m->dev, 0x1p122, 1), 0);
	assert_error(pbit_update(&m->dev, 0x1p123, 1), -EINVAL, "overflows");
	opts.beta = 0x1p200;
	assert_error(pbit_update_each(&m->dev, &opts.beta, 1), -EINVAL, "overflows");
	opts.burn_in = 1;
	assert_error(pbit_sample(&m->dev, &opts, take_none, NULL), -EINVAL, "overflows");
	assert_int_equal(m->updates, 1);
	pbit_bm_put(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),	 cmocka_unit_test(test_zero),
		cmocka_unit_test(test_stale),	 cmocka_unit_test(test_random),
		cmocka_unit_test(test_extremes), TEST(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
