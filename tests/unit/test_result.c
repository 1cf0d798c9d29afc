/* SPDX-License-Identifier: Apache-2.0 */
/* Results: empty, reused, asked through structs of other sizes. */
#include "test_session_mock.h"

static void empty(void **state)
{
	struct pbit_run_stats stats = PBIT_INIT(stats);
	struct pbit_result *result;

	(void)state;
	assert_int_equal(pbit_result_new(NULL), -EINVAL);
	assert_int_equal(pbit_result_new(&result), 0);
	assert_int_equal(pbit_result_images(result), 0);
	assert_int_equal(pbit_result_outputs(result), 0);
	assert_int_equal(pbit_result_stats(result, &stats), 0);
	assert_int_equal(stats.images, 0);
	assert_int_equal(pbit_result_stats(NULL, &stats), -EINVAL);
	assert_int_equal(pbit_result_stats(result, NULL), -EINVAL);
	pbit_result_free(result);
	pbit_result_free(NULL);
}

/* A smaller run after a larger one uses the same memory and leaves nothing of it visible. */
static void reused(void **state)
{
	struct test_model m = {.n_outputs = 4, .activation = PBIT_ACT_LINEAR};
	const double *mean;
	double first;
	struct rig rig;

	(void)state;
	rig_make(&rig, &m, 1, 50);
	assert_int_equal(rig_run(&rig), 0);
	mean = pbit_result_mean(rig.result);
	first = mean[3];
	rig.input.n_images = 7;
	assert_int_equal(rig_run(&rig), 0);
	assert_ptr_equal(pbit_result_mean(rig.result), mean);
	assert_int_equal(pbit_result_images(rig.result), 7);
	assert_true(mean[3] == first);
	rig.input.n_images = 50;
	assert_int_equal(rig_run(&rig), 0);
	assert_ptr_equal(pbit_result_mean(rig.result), mean);
	rig.opts.samples = 0;
	assert_int_equal(rig_run(&rig), -EINVAL);
	assert_int_equal(pbit_result_images(rig.result), 0);
	rig_free(&rig);
}

static void sizes_of_statistics(void **state)
{
	struct test_model m = {.n_outputs = 4, .activation = PBIT_ACT_LINEAR};
	struct {
		struct pbit_run_stats stats;
		unsigned char more[16];
	} room;
	struct rig rig;

	(void)state;
	rig_make(&rig, &m, 1, 5);
	assert_int_equal(rig_run(&rig), 0);
	memset(&room, 0xee, sizeof(room));
	room.stats.struct_size = offsetof(struct pbit_run_stats, samples);
	assert_int_equal(pbit_result_stats(rig.result, &room.stats), 0);
	assert_int_equal(room.stats.struct_size, offsetof(struct pbit_run_stats, samples));
	assert_int_equal(room.stats.images, 5);
	assert_true(room.stats.samples == 0xeeeeeeeeeeeeeeeeull);
	room.stats.struct_size = sizeof(room);
	assert_int_equal(pbit_result_stats(rig.result, &room.stats), 0);
	assert_int_equal(room.stats.samples, 5 * 32);
	for (size_t i = 0; i < sizeof(room.more); i++)
		assert_int_equal(room.more[i], 0);
	room.stats.struct_size = 4;
	assert_int_equal(pbit_result_stats(rig.result, &room.stats), -EINVAL);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(reused),
		cmocka_unit_test(sizes_of_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
