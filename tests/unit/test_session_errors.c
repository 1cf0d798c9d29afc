/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that do not end well: refused options, a device that fails in the middle, cancellation from a
 * callback and from another thread, deadlines; what is complete stays, and the session stays usable.
 */
#include "test_session_mock.h"

static const struct test_model three = {.n_outputs = 3, .activation = PBIT_ACT_LINEAR};

static void expect_refused(struct rig *rig, const struct pbit_run_opts *opts, int code,
			   const char *word)
{
	pbit_clear_error();
	assert_int_equal(pbit_session_run(rig->session, &rig->input, opts, rig->result), code);
	assert_int_equal(pbit_last_error()->code, code);
	assert_non_null(strstr(pbit_last_error()->why, word));
	assert_int_equal(pbit_result_images(rig->result), 0);
	assert_int_equal(rig->mocks[0].requests, 0);
}

static void refused_options(void **state)
{
	static const double confidences[] = {0.5, 1, -0.9, 1.5, NAN, INFINITY};
	struct pbit_run_opts opts;
	struct rig rig;

	(void)state;
	rig_make(&rig, &three, 1, 10);
	expect_refused(&rig, NULL, -EINVAL, "NULL");
	opts = rig.opts;
	opts.struct_size = 4;
	expect_refused(&rig, &opts, -EINVAL, "struct_size");
	opts = rig.opts;
	opts.samples = 0;
	expect_refused(&rig, &opts, -EINVAL, "samples is 0");
	opts.samples = 1u << 31;
	expect_refused(&rig, &opts, -EINVAL, "samples");
	opts = rig.opts;
	opts.flags = 1;
	expect_refused(&rig, &opts, -EINVAL, "flags");
	opts = rig.opts;
	opts.first_image = UINT64_MAX - 9;
	expect_refused(&rig, &opts, -EINVAL, "2^64");
	for (size_t i = 0; i < sizeof(confidences) / sizeof(confidences[0]); i++) {
		opts = rig.opts;
		opts.confidence = confidences[i];
		expect_refused(&rig, &opts, -EINVAL, "confidence");
	}
	/* The least struct is T alone. */
	opts = rig.opts;
	opts.struct_size = 8;
	opts.flags = 1;
	assert_int_equal(pbit_session_run(rig.session, &rig.input, &opts, rig.result), 0);
	assert_int_equal(pbit_session_run(NULL, &rig.input, &opts, rig.result), -EINVAL);
	assert_int_equal(pbit_session_run(rig.session, &rig.input, &opts, NULL), -EINVAL);
	rig_free(&rig);
}

static void refused_early_stop(void **state)
{
	struct test_model one = {.n_outputs = 1, .activation = PBIT_ACT_SIGMOID};
	struct test_model many = {.n_outputs = 2049, .activation = PBIT_ACT_LINEAR};
	struct rig rig;

	(void)state;
	rig_make(&rig, &one, 1, 2);
	rig.opts.confidence = 0.9;
	expect_refused(&rig, &rig.opts, -EINVAL, "one");
	rig_free(&rig);
	rig_make(&rig, &many, 1, 2);
	rig.opts.confidence = 0.9;
	expect_refused(&rig, &rig.opts, -E2BIG, "2049");
	rig_free(&rig);
}

static void refused_sessions(void **state)
{
	struct pbit_device *devices[3];
	struct pbit_session *session = (struct pbit_session *)&devices;
	struct rig rig;

	(void)state;
	rig_make(&rig, &three, 1, 1);
	devices[0] = &rig.mocks[1].dev;
	devices[1] = &rig.mocks[2].dev;
	devices[2] = &rig.mocks[1].dev;
	assert_int_equal(pbit_session_new(NULL, devices, 1, &session), -EINVAL);
	assert_null(session);
	assert_int_equal(pbit_session_new(rig.model, NULL, 1, &session), -EINVAL);
	assert_int_equal(pbit_session_new(rig.model, devices, 0, &session), -EINVAL);
	assert_int_equal(pbit_session_new(rig.model, devices, 1, NULL), -EINVAL);
	/* Loaded on two when the third turns out to be the first: unloaded again. */
	assert_int_equal(pbit_session_new(rig.model, devices, 3, &session), -EINVAL);
	assert_string_equal(pbit_last_error()->where, "mock:1");
	assert_null(session);
	assert_int_equal(rig.mocks[1].loads, 1);
	assert_int_equal(rig.mocks[1].unloads, 1);
	assert_int_equal(rig.mocks[2].unloads, 1);
	devices[1] = NULL;
	assert_int_equal(pbit_session_new(rig.model, devices, 2, &session), -EINVAL);
	rig.mocks[2].dev.ops.net_load = NULL;
	rig.mocks[2].dev.caps.flags &= ~(uint32_t)PBIT_FLAG_LAYERS;
	devices[1] = &rig.mocks[2].dev;
	assert_int_equal(pbit_session_new(rig.model, devices, 2, &session), -EOPNOTSUPP);
	assert_string_equal(pbit_last_error()->where, "mock:2");
	rig_free(&rig);
	pbit_session_free(NULL);
}

static void device_fails_midway(void **state)
{
	struct rig rig;

	(void)state;
	rig_make(&rig, &three, 1, 40);
	rig.opts.batch = 8;
	rig.opts.sample_block = 16; /* two requests to a batch */
	for (unsigned int at = 1; at <= 10; at++) {
		rig.mocks[0].requests = 0;
		rig.mocks[0].fail_at = at;
		rig.mocks[0].fail_code = -ENODEV;
		assert_int_equal(rig_run(&rig), -ENODEV);
		assert_int_equal(pbit_result_images(rig.result), (at - 1) / 2 * 8);
		assert_string_equal(pbit_last_error()->what, "mock device lost");
		assert_string_equal(pbit_last_error()->hint, "plug it in again");
		assert_int_equal(pbit_last_error()->native, 77);
	}
	rig.mocks[0].requests = 0;
	rig.mocks[0].fail_at = 4;
	rig.mocks[0].fail_code = -EPROTO;
	rig.mocks[0].silent_failure = true;
	assert_int_equal(rig_run(&rig), -EPROTO);
	assert_int_equal(pbit_last_error()->code, -EPROTO);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_DEVICE);
	assert_string_equal(pbit_last_error()->where, "mock:0");
	rig.mocks[0].fail_at = 0;
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(pbit_result_images(rig.result), 40);
	rig_free(&rig);
}

/* Of three devices one fails; the record comes over from its thread, the prefix is whole. */
static void one_of_three_fails(void **state)
{
	struct pbit_result *whole = NULL;
	struct rig rig;
	uint64_t n;

	(void)state;
	rig_make(&rig, &three, 3, 60);
	rig.opts.batch = 4;
	assert_int_equal(rig_run(&rig), 0);
	whole = rig.result;
	assert_int_equal(pbit_result_new(&rig.result), 0);
	for (unsigned int i = 0; i < 3; i++) {
		rig.mocks[i].requests = 0;
		rig.mocks[i].delay_ns = 1000000;
	}
	rig.mocks[1].fail_at = 3;
	rig.mocks[1].fail_code = -ENODEV;
	assert_int_equal(rig_run(&rig), -ENODEV);
	assert_string_equal(pbit_last_error()->where, "mock:1");
	assert_string_equal(pbit_last_error()->why, "request 3 was one too many");
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_GONE);
	assert_int_equal(pbit_last_error()->native, 77);
	n = pbit_result_images(rig.result);
	assert_in_range(n, 8, 59);
	assert_int_equal(n % 4, 0);
	assert_memory_equal(pbit_result_mean(rig.result), pbit_result_mean(whole), n * 3 * 8);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(pbit_result_samples(rig.result)[i], 32);
	pbit_result_free(whole);
	rig_free(&rig);
}

struct watch {
	unsigned int calls, stop_at;
	uint64_t last_done, last_samples;
	bool ordered;
	pthread_t thread;
};

static int watch_progress(const struct pbit_progress *progress, void *user)
{
	struct watch *watch = user;

	if (progress->struct_size != sizeof(*progress) ||
	    progress->images_done < watch->last_done ||
	    progress->samples_done < watch->last_samples || progress->seconds < 0 ||
	    !pthread_equal(watch->thread, pthread_self()))
		watch->ordered = false;
	watch->last_done = progress->images_done;
	watch->last_samples = progress->samples_done;
	return ++watch->calls == watch->stop_at;
}

static void progress_and_interrupt(void **state)
{
	(void)state;
	for (uint32_t devices = 1; devices <= 3; devices += 2) {
		struct watch watch = {.ordered = true, .thread = pthread_self()};
		struct rig rig;

		rig_make(&rig, &three, devices, 60);
		for (unsigned int i = 0; i < 3; i++)
			rig.mocks[i].delay_ns = 5000000;
		rig.opts.batch = 1;
		rig.opts.progress = watch_progress;
		rig.opts.user = &watch;
		assert_int_equal(rig_run(&rig), 0);
		assert_true(watch.ordered);
		assert_int_equal(watch.last_done, 60);
		assert_int_equal(watch.last_samples, 60 * 32);
		/* At least 100 ms at work, a report each 50 ms at most, and the last. */
		assert_in_range(watch.calls, 2, 60);

		watch = (struct watch){.ordered = true, .thread = pthread_self(), .stop_at = 1};
		assert_int_equal(rig_run(&rig), -ECANCELED);
		assert_int_equal(watch.calls, 1);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_CANCELLED);
		assert_in_range(pbit_result_images(rig.result), 1, 59);

		/* A run too short for a report on the way has the last one all the same. */
		for (unsigned int i = 0; i < 3; i++)
			rig.mocks[i].delay_ns = 0;
		rig.opts.batch = 0;
		watch = (struct watch){.ordered = true, .thread = pthread_self()};
		assert_int_equal(rig_run(&rig), 0);
		assert_int_equal(watch.calls, 1);
		assert_int_equal(watch.last_done, 60);
		rig_free(&rig);
	}
}

static void deadlines(void **state)
{
	(void)state;
	for (uint32_t devices = 1; devices <= 3; devices += 2) {
		struct rig rig;
		int64_t begun;

		rig_make(&rig, &three, devices, 4000);
		for (unsigned int i = 0; i < 3; i++)
			rig.mocks[i].delay_ns = 3000000;
		rig.opts.batch = 1;
		begun = mock_now();
		rig.opts.deadline_ns = begun + 60000000;
		assert_int_equal(rig_run(&rig), -ETIMEDOUT);
		assert_in_range(mock_now() - begun, 50000000, 5000000000);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_TIMEOUT);
		assert_in_range(pbit_result_images(rig.result), 1, 3999);
		rig.opts.deadline_ns = PBIT_NOW;
		assert_int_equal(rig_run(&rig), -ETIMEDOUT);
		assert_int_equal(pbit_result_images(rig.result), 0);
		rig.opts.deadline_ns = PBIT_FOREVER;
		rig.input.n_images = 3;
		assert_int_equal(rig_run(&rig), 0);
		rig_free(&rig);
	}
}

static void jobs(void **state)
{
	struct pbit_result *results[4];
	struct pbit_job *job[4];
	struct rig rig;

	(void)state;
	rig_make(&rig, &three, 3, 100);
	assert_int_equal(rig_run(&rig), 0);
	for (size_t i = 0; i < 4; i++) {
		/* Copies: what the caller does to its structs does not matter. */
		struct pbit_input input = rig.input;
		struct pbit_run_opts opts = rig.opts;

		assert_int_equal(pbit_result_new(&results[i]), 0);
		opts.batch = (uint32_t)i;
		assert_int_equal(
			pbit_session_submit(rig.session, &input, &opts, results[i], &job[i]), 0);
		memset(&input, 0xff, sizeof(input));
		memset(&opts, 0xff, sizeof(opts));
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pbit_job_wait(job[i], PBIT_FOREVER), 0);
		assert_int_equal(pbit_result_images(results[i]), 100);
		assert_memory_equal(pbit_result_mean(results[i]), pbit_result_mean(rig.result),
				    100 * 3 * 8);
		pbit_job_free(job[i]);
		pbit_result_free(results[i]);
	}
	assert_int_equal(pbit_session_submit(rig.session, NULL, &rig.opts, rig.result, job),
			 -EINVAL);
	assert_int_equal(pbit_session_submit(rig.session, &rig.input, NULL, rig.result, job),
			 -EINVAL);
	assert_int_equal(pbit_session_submit(rig.session, &rig.input, &rig.opts, NULL, job),
			 -EINVAL);
	assert_int_equal(pbit_session_submit(rig.session, &rig.input, &rig.opts, rig.result, NULL),
			 -EINVAL);
	rig.opts.samples = 0;
	assert_int_equal(pbit_session_submit(rig.session, &rig.input, &rig.opts, rig.result, job),
			 0);
	assert_int_equal(pbit_job_wait(job[0], PBIT_FOREVER), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "samples is 0"));
	pbit_job_free(job[0]);
	rig_free(&rig);
}

static void cancelled_job(void **state)
{
	(void)state;
	for (uint32_t devices = 1; devices <= 3; devices += 2) {
		struct timespec nap = {.tv_nsec = 1000000};
		struct pbit_job *job;
		struct rig rig;

		rig_make(&rig, &three, devices, 4000);
		for (unsigned int i = 0; i < 3; i++)
			rig.mocks[i].delay_ns = 5000000;
		rig.opts.batch = 1;
		assert_int_equal(
			pbit_session_submit(rig.session, &rig.input, &rig.opts, rig.result, &job),
			0);
		while (rig.mocks[0].requests < 3)
			nanosleep(&nap, NULL);
		pbit_job_cancel(job);
		assert_int_equal(pbit_job_wait(job, PBIT_FOREVER), -ECANCELED);
		assert_in_range(pbit_result_images(rig.result), 1, 3999);
		pbit_job_free(job);
		for (unsigned int i = 0; i < 3; i++)
			rig.mocks[i].delay_ns = 0;
		assert_int_equal(rig_run(&rig), 0);
		assert_int_equal(pbit_result_images(rig.result), 4000);
		rig_free(&rig);
	}
}

/* While one run is under way, another waits, no longer than its deadline. */
static void turns(void **state)
{
	struct timespec nap = {.tv_nsec = 1000000};
	struct pbit_result *other;
	struct pbit_job *job;
	struct rig rig;

	(void)state;
	rig_make(&rig, &three, 1, 40);
	assert_int_equal(pbit_result_new(&other), 0);
	rig.mocks[0].delay_ns = 5000000;
	rig.opts.batch = 1;
	assert_int_equal(pbit_session_submit(rig.session, &rig.input, &rig.opts, rig.result, &job),
			 0);
	while (rig.mocks[0].requests < 1)
		nanosleep(&nap, NULL);
	rig.opts.deadline_ns = mock_now() + 20000000;
	assert_int_equal(pbit_session_run(rig.session, &rig.input, &rig.opts, other), -ETIMEDOUT);
	assert_int_equal(pbit_result_images(other), 0);
	rig.opts.deadline_ns = 0;
	rig.input.n_images = 2;
	assert_int_equal(pbit_session_run(rig.session, &rig.input, &rig.opts, other), 0);
	assert_int_equal(pbit_job_wait(job, PBIT_NOW), 0);
	assert_int_equal(pbit_result_images(rig.result), 40);
	assert_int_equal(pbit_result_images(other), 2);
	pbit_job_free(job);
	pbit_result_free(other);
	rig_free(&rig);
}

static void free_waits(void **state)
{
	struct pbit_job *job;
	struct rig rig;

	(void)state;
	rig_make(&rig, &three, 3, 30);
	for (unsigned int i = 0; i < 3; i++)
		rig.mocks[i].delay_ns = 2000000;
	rig.opts.batch = 1;
	assert_int_equal(pbit_session_submit(rig.session, &rig.input, &rig.opts, rig.result, &job),
			 0);
	pbit_session_free(rig.session);
	rig.session = NULL;
	assert_int_equal(pbit_job_state(job), PBIT_JOB_DONE);
	assert_int_equal(pbit_job_wait(job, PBIT_NOW), 0);
	assert_int_equal(pbit_result_images(rig.result), 30);
	pbit_job_free(job);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_options),    cmocka_unit_test(refused_early_stop),
		cmocka_unit_test(refused_sessions),   cmocka_unit_test(device_fails_midway),
		cmocka_unit_test(one_of_three_fails), cmocka_unit_test(progress_and_interrupt),
		cmocka_unit_test(deadlines),	      cmocka_unit_test(jobs),
		cmocka_unit_test(cancelled_job),      cmocka_unit_test(turns),
		cmocka_unit_test(free_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
