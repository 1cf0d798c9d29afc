/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: beta of every sweep, runs of the same beta, what is refused. */
#include "test_boltzmann_mock.h"

#include <float.h>

static double beta_of(const struct pbit_schedule *s, uint64_t sweep, uint64_t *run)
{
	double beta = NAN;

	assert_int_equal(pbit_schedule_beta(s, sweep, &beta, run), 0);
	return beta;
}

static void test_constant(void **state)
{
	struct pbit_schedule s = PBIT_INIT(s);
	uint64_t length = 0, run;

	(void)state;
	s.beta = 0.7;
	s.sweeps = 10;
	assert_int_equal(pbit_schedule_check(&s, &length), 0);
	assert_int_equal(length, 10);
	assert_true(beta_of(&s, 3, &run) == 0.7);
	assert_int_equal(run, 7);
	assert_error(pbit_schedule_beta(&s, 10, &(double){0}, NULL), -EINVAL, "10 sweeps");
	assert_error(pbit_schedule_beta(&s, 1, NULL, NULL), -EINVAL, "NULL");
	s.sweeps = UINT64_MAX;
	assert_true(beta_of(&s, UINT64_MAX - 1, &run) == 0.7);
	assert_int_equal(run, 1);
}

static void test_geometric(void **state)
{
	struct pbit_schedule s = PBIT_INIT(s);
	uint64_t run;

	(void)state;
	s.kind = PBIT_SCHEDULE_GEOMETRIC;
	s.beta = 0.1;
	s.beta_end = 3.2;
	s.sweeps = 6;
	for (uint64_t k = 0; k < 6; k++) {
		assert_true(fabs(beta_of(&s, k, &run) / (0.1 * (1u << k)) - 1.0) < 1e-14);
		assert_int_equal(run, 1);
	}
	/* The ends are what they were given to be. */
	assert_true(beta_of(&s, 0, NULL) == 0.1 && beta_of(&s, 5, NULL) == 3.2);
	s.hold = 4; /* 23 sweeps: six values, the last for three sweeps */
	s.sweeps = 23;
	for (uint64_t k = 0; k < 23; k++) {
		assert_true(fabs(beta_of(&s, k, &run) / (0.1 * (1u << k / 4)) - 1.0) < 1e-14);
		assert_int_equal(run, (k < 20 ? 4 : 3) - k % 4);
	}
	s.sweeps = 1;
	assert_true(beta_of(&s, 0, &run) == 0.1);
	assert_int_equal(run, 1);
	s.sweeps = 3; /* no overflow on the way */
	s.hold = 0;
	s.beta = 1e-300;
	s.beta_end = 1e300;
	assert_true(fabs(beta_of(&s, 1, NULL) - 1.0) < 1e-12);
	s.beta = DBL_TRUE_MIN;
	s.beta_end = DBL_TRUE_MIN;
	assert_true(beta_of(&s, 1, NULL) > 0.0);
}

static void test_list(void **state)
{
	static const struct pbit_schedule_step steps[] = {{0.5, 2}, {2.0, 1}, {1.0, 4}};
	static const double right[] = {0.5, 0.5, 2, 1, 1, 1, 1};
	static const uint64_t runs[] = {2, 1, 1, 4, 3, 2, 1};
	struct pbit_schedule s = PBIT_INIT(s);
	uint64_t length = 0, run;

	(void)state;
	s.kind = PBIT_SCHEDULE_LIST;
	s.steps = steps;
	s.n_steps = 3;
	assert_int_equal(pbit_schedule_check(&s, &length), 0);
	assert_int_equal(length, 7);
	for (uint64_t k = 0; k < 7; k++) {
		assert_true(beta_of(&s, k, &run) == right[k]);
		assert_int_equal(run, runs[k]);
	}
}

static void test_refuses(void **state)
{
	static const double bad[] = {0.0, -1.0, NAN, INFINITY, DBL_MAX};
	struct pbit_schedule_step steps[] = {{1.0, 1}, {1.0, UINT64_MAX}};
	struct pbit_schedule s = PBIT_INIT(s);

	(void)state;
	assert_error(pbit_schedule_check(NULL, NULL), -EINVAL, "NULL");
	s.beta = 1.0;
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "sweeps");
	s.sweeps = 1;
	s.beta_end = 1.0;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		s.kind = PBIT_SCHEDULE_CONSTANT;
		s.beta = bad[k];
		assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "schedule.beta");
		s.beta = 1.0;
		s.kind = PBIT_SCHEDULE_GEOMETRIC;
		s.beta_end = bad[k];
		assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "beta_end");
	}
	s.kind = 3;
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "3 is no kind");
	s.kind = PBIT_SCHEDULE_LIST;
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "no steps");
	s.steps = steps;
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "no steps");
	s.n_steps = 2;
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "2^64");
	steps[1].sweeps = 0;
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "steps[1]");
	steps[1] = (struct pbit_schedule_step){-2.0, 1};
	assert_error(pbit_schedule_check(&s, NULL), -EINVAL, "steps[1]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_geometric),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
