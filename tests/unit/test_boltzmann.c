/* SPDX-License-Identifier: Apache-2.0 */
/* The Boltzmann machine: building it, refusing what is wrong, its view, its energy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/pbit.h>
#include "boltzmann/bm.h"

static void assert_error(int rc, int code, const char *fragment)
{
	char text[1024];

	assert_int_equal(rc, code);
	assert_int_equal(pbit_last_error()->code, code);
	pbit_format_error(text, sizeof(text));
	if (!strstr(text, fragment))
		fail_msg("\"%s\" says nothing of \"%s\"", text, fragment);
	pbit_clear_error();
}

static struct pbit_bm *machine(uint32_t n)
{
	struct pbit_bm *bm = NULL;

	assert_int_equal(pbit_bm_new(n, &bm), 0);
	assert_non_null(bm);
	return bm;
}

static void test_new(void **state)
{
	struct pbit_bm *bm = NULL;

	(void)state;
	assert_error(pbit_bm_new(0, &bm), -EINVAL, "0 p-bits");
	assert_error(pbit_bm_new((1u << 26) + 1, &bm), -EINVAL, "67108864");
	assert_error(pbit_bm_new(3, NULL), -EINVAL, "NULL");
	assert_null(bm);
	bm = machine(5);
	assert_int_equal(pbit_bm_size(bm), 5);
	assert_int_equal(pbit_bm_couplings(bm), 0);
	assert_ptr_equal(pbit_bm_get(bm), bm);
	pbit_bm_put(bm);
	assert_int_equal(pbit_bm_size(bm), 5);
	pbit_bm_put(bm);
	pbit_bm_put(NULL);
	assert_null(pbit_bm_get(NULL));
	assert_int_equal(pbit_bm_size(NULL), 0);
	assert_int_equal(pbit_bm_couplings(NULL), 0);
}

static void test_add_refuses(void **state)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY, DBL_MAX, -1.1e300};
	struct pbit_bm *bm = machine(4);

	(void)state;
	assert_error(pbit_bm_add_coupling(NULL, 0, 1, 1.0), -EINVAL, "NULL");
	assert_error(pbit_bm_add_coupling(bm, 2, 2, 1.0), -EINVAL, "itself");
	assert_error(pbit_bm_add_coupling(bm, 4, 1, 1.0), -EINVAL, "p-bit 4");
	assert_error(pbit_bm_add_coupling(bm, 1, UINT32_MAX, 1.0), -EINVAL, "4294967295");
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		assert_error(pbit_bm_add_coupling(bm, 0, 1, bad[k]), -EINVAL, "value");
		assert_error(pbit_bm_set_bias(bm, 0, bad[k]), -EINVAL, "h");
	}
	assert_error(pbit_bm_set_bias(bm, 4, 1.0), -EINVAL, "p-bit 4");
	assert_error(pbit_bm_set_bias(NULL, 0, 1.0), -EINVAL, "NULL");
	assert_int_equal(pbit_bm_couplings(bm), 0);
	/* What was refused left no trace: the pair is still free. */
	assert_int_equal(pbit_bm_add_coupling(bm, 1, 0, 1e300), 0);
	assert_error(pbit_bm_add_coupling(bm, 0, 1, 2.0), -EEXIST, "0 and 1");
	assert_error(pbit_bm_add_coupling(bm, 1, 0, 2.0), -EEXIST, "0 and 1");
	assert_int_equal(pbit_bm_couplings(bm), 1);
	pbit_bm_put(bm);
}

static struct pbit_bm_view view_of(struct pbit_bm *bm)
{
	struct pbit_bm_view view = PBIT_INIT(view);

	assert_int_equal(pbit_bm_view(bm, &view), 0);
	return view;
}

static void test_view(void **state)
{
	static const uint64_t row[] = {0, 2, 3, 3, 6, 8};
	static const uint32_t col[] = {3, 4, 3, 0, 1, 4, 0, 3};
	static const double J[] = {0.5, -1.0, 2.0, 0.5, 2.0, 3.0, -1.0, 3.0};
	struct pbit_bm *bm = machine(5);
	struct pbit_bm_view view;

	(void)state;
	assert_int_equal(pbit_bm_add_coupling(bm, 4, 3, 3.0), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 4, -1.0), 0);
	view = view_of(bm);
	assert_int_equal(view.row[5], 4);
	assert_int_equal(pbit_bm_add_coupling(bm, 3, 1, 2.0), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 3, 0, 0.5), 0);
	assert_int_equal(pbit_bm_set_bias(bm, 2, -0.25), 0);
	view = view_of(bm);
	assert_int_equal(view.n, 5);
	assert_memory_equal(view.row, row, sizeof(row));
	assert_memory_equal(view.col, col, sizeof(col));
	assert_memory_equal(view.J, J, sizeof(J));
	assert_true(view.h[2] == -0.25 && view.h[0] == 0.0);
	view.struct_size = offsetof(struct pbit_bm_view, h);
	assert_error(pbit_bm_view(bm, &view), -EINVAL, "struct_size");
	assert_error(pbit_bm_view(bm, NULL), -EINVAL, "NULL");
	assert_error(pbit_bm_view(NULL, &view), -EINVAL, "NULL");
	pbit_bm_put(bm);
}

static void test_dense_refuses(void **state)
{
	double J[9] = {0, 1, 2, 1, 0, 3, 2, 3, 0};
	struct pbit_bm *bm = machine(3);

	(void)state;
	assert_error(pbit_bm_set_dense(NULL, J), -EINVAL, "NULL");
	assert_error(pbit_bm_set_dense(bm, NULL), -EINVAL, "NULL");
	assert_int_equal(pbit_bm_set_dense(bm, J), 0);
	J[7] = 3.0000000000000004;
	assert_error(pbit_bm_set_dense(bm, J), -EINVAL, "J[2][1]");
	J[7] = 3;
	J[4] = 1e-300;
	assert_error(pbit_bm_set_dense(bm, J), -EINVAL, "J[1][1]");
	J[4] = NAN;
	assert_error(pbit_bm_set_dense(bm, J), -EINVAL, "J[1][1]");
	J[4] = 0;
	J[2] = NAN; /* above the diagonal: not the bits of its mirror image */
	assert_error(pbit_bm_set_dense(bm, J), -EINVAL, "J[2][0]");
	J[6] = NAN;
	assert_error(pbit_bm_set_dense(bm, J), -EINVAL, "J[2][0]");
	J[2] = J[6] = -INFINITY;
	assert_error(pbit_bm_set_dense(bm, J), -EINVAL, "J[2][0]");
	/* Nothing was lost. */
	assert_int_equal(pbit_bm_couplings(bm), 3);
	assert_true(view_of(bm).J[1] == 2.0);
	pbit_bm_put(bm);
}

static void test_dense_replaces(void **state)
{
	double J[9] = {-0.0, 1, 0, 1, 0, 0, 0, 0, 0};
	struct pbit_bm *bm = machine(3);

	(void)state;
	assert_int_equal(pbit_bm_add_coupling(bm, 1, 2, 5.0), 0);
	assert_int_equal(pbit_bm_set_dense(bm, J), 0);
	assert_int_equal(pbit_bm_couplings(bm), 1);
	assert_error(pbit_bm_add_coupling(bm, 0, 1, 1.0), -EEXIST, "0 and 1");
	/* A zero of the matrix is no coupling. */
	assert_int_equal(pbit_bm_add_coupling(bm, 1, 2, 4.0), 0);
	assert_error(pbit_bm_add_coupling(bm, 2, 1, 4.0), -EEXIST, "1 and 2");
	assert_int_equal(view_of(bm).row[3], 4);
	memset(J, 0, sizeof(J));
	assert_int_equal(pbit_bm_set_dense(bm, J), 0);
	assert_int_equal(pbit_bm_couplings(bm), 0);
	assert_int_equal(view_of(bm).row[3], 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 1, 1.0), 0);
	pbit_bm_put(bm);
}

static void test_energy(void **state)
{
	struct pbit_bm *bm = machine(3);
	uint64_t m = 0;

	(void)state;
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 1, 1.0), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 1, 2, -0.5), 0);
	assert_int_equal(pbit_bm_set_bias(bm, 2, 0.25), 0);
	assert_true(pbit_bm_energy(bm, &m) == -(1.0 - 0.5 - 0.25));
	m = 5; /* +1 -1 +1 */
	assert_true(pbit_bm_energy(bm, &m) == -(-1.0 + 0.5 + 0.25));
	m |= ~7ull; /* bits past n count for nothing */
	assert_true(pbit_bm_energy(bm, &m) == -(-1.0 + 0.5 + 0.25));
	assert_true(isnan(pbit_bm_energy(NULL, &m)));
	assert_error(pbit_last_error()->code, -EINVAL, "NULL");
	assert_true(isnan(pbit_bm_energy(bm, NULL)));
	pbit_bm_put(bm);
	bm = machine(1);
	assert_true(pbit_bm_energy(bm, &m) == 0.0 && !signbit(pbit_bm_energy(bm, &m)));
	pbit_bm_put(bm);
}

/* Terms in order of (i, j): another order gives another sum here. */
static void test_energy_order(void **state)
{
	struct pbit_bm *bm = machine(4);
	uint64_t m = 15;

	(void)state;
	assert_int_equal(pbit_bm_add_coupling(bm, 2, 3, 1.0), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 2, -1e20), 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 1, 1e20), 0);
	assert_true(pbit_bm_energy(bm, &m) == -1.0);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 3, 1.0), 0);
	assert_true(pbit_bm_energy(bm, &m) == -2.0);
	pbit_bm_put(bm);
}

#define MANY_PBITS 50000u

/* A large sparse machine, against a set made independently: i is coupled to i + d, d in a fixed list. */
static void test_many(void **state)
{
	static const uint32_t steps[] = {1, 7, 130, 4099, 20000};
	struct pbit_bm *bm = machine(MANY_PBITS);
	struct pbit_bm_view view;
	uint64_t count = 0;

	(void)state;
	for (size_t s = 0; s < 5; s++) {
		for (uint32_t k = 0; k < MANY_PBITS - steps[s]; k++) {
			uint32_t i = MANY_PBITS - steps[s] - 1 - k, j = i + steps[s];

			assert_int_equal(pbit_bm_add_coupling(bm, k % 2 ? i : j, k % 2 ? j : i,
							      i + 1e-6 * j),
					 0);
			count++;
		}
	}
	assert_int_equal(pbit_bm_couplings(bm), count);
	for (uint32_t i = 0; i < MANY_PBITS - 7; i += 997)
		assert_error(pbit_bm_add_coupling(bm, i + 7, i, 1.0), -EEXIST, "coupled already");
	view = view_of(bm);
	assert_int_equal(view.row[MANY_PBITS], 2 * count);
	for (uint32_t i = 0; i < MANY_PBITS; i++) {
		for (uint64_t k = view.row[i]; k < view.row[i + 1]; k++) {
			uint32_t j = view.col[k], low = i < j ? i : j, high = i < j ? j : i;

			assert_true(k == view.row[i] || j > view.col[k - 1]);
			assert_true(view.J[k] == low + 1e-6 * high);
		}
	}
	pbit_bm_put(bm);
}

static void test_frozen(void **state)
{
	double J[4] = {0};
	struct pbit_bm *bm = machine(2);

	(void)state;
	pbit__bm_freeze(bm);
	assert_error(pbit_bm_add_coupling(bm, 0, 1, 1.0), -EBUSY, "programmed");
	assert_error(pbit_bm_set_dense(bm, J), -EBUSY, "programmed");
	assert_error(pbit_bm_set_bias(bm, 0, 1.0), -EBUSY, "programmed");
	pbit_bm_put(bm);
}

static void *view_in_thread(void *bm)
{
	struct pbit_bm_view view = PBIT_INIT(view);

	return pbit_bm_view(bm, &view) ? NULL : (void *)view.row;
}

/* The first view may be asked for by several devices at once. */
static void test_view_threads(void **state)
{
	pthread_t threads[4];
	void *rows[4];

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct pbit_bm *bm = machine(300);

		for (uint32_t i = 0; i + 1 < 300; i++)
			assert_int_equal(pbit_bm_add_coupling(bm, i, i + 1, 1.0), 0);
		for (int k = 0; k < 4; k++)
			assert_int_equal(pthread_create(&threads[k], NULL, view_in_thread, bm), 0);
		for (int k = 0; k < 4; k++)
			assert_int_equal(pthread_join(threads[k], &rows[k]), 0);
		for (int k = 0; k < 4; k++)
			assert_ptr_equal(rows[k], bm->rows.row);
		pbit_bm_put(bm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_add_refuses),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_dense_refuses),
		cmocka_unit_test(test_dense_replaces),
		cmocka_unit_test(test_energy),
		cmocka_unit_test(test_energy_order),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_view_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
