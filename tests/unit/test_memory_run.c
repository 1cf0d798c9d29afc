/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every single allocation of opening, loading and running: each
 * attempt gives -ENOMEM with a record a person can use, or succeeds; nothing leaks, and the next
 * attempt on the same handles gives the right outcome. The same for threads and descriptors.
 */
#include "test_model_make.h"
#include "test_memory_wrap.h"

#define IMAGES	9u
#define INPUTS	60u
#define OUTPUTS 3u
#define SAMPLES 24u

static struct make rich;
static struct pbit_model *model;
static struct pbit_device *devices[2];
static struct pbit_session *session;
static struct pbit_result *result;
static struct pbit_job *job;
static struct pbit_input input;
static struct pbit_run_opts opts;
static float reals[IMAGES * INPUTS];
static char folder[] = "/tmp/test_memory_XXXXXX";

/* What a run gives when nothing is refused. */
static double right_mean[IMAGES * OUTPUTS];
static uint32_t right_samples[IMAGES];

/* Opening. */

static void no_device(void)
{
	assert_null(devices[0]);
}

static void close_device(void)
{
	pbit_close(devices[0]);
	devices[0] = NULL;
}

static int open_named(void)
{
	return pbit_open("software:threads=1", NULL, &devices[0]);
}

static int open_best(void)
{
	return pbit_open(NULL, NULL, &devices[0]);
}

static void check_device(void)
{
	struct pbit_caps caps = PBIT_INIT(caps);

	assert_int_equal(pbit_get_caps(devices[0], &caps), 0);
	assert_string_equal(caps.name, "software p-bits");
	assert_int_equal(strncmp(pbit_device_uri(devices[0]), "software:", 9), 0);
}

/* The search for a scheme that is not there ends in another error than that of memory. */
static int open_unknown(void)
{
	int rc = pbit_open("nowhere:a=1,b=2", NULL, &devices[0]);

	return rc == -ENOENT ? 0 : rc;
}

static int count_found(const struct pbit_found *found, void *user)
{
	(void)found;
	++*(int *)user;
	return 0;
}

static int count_backend(const struct pbit_backend_info *info, void *user)
{
	(void)info;
	++*(int *)user;
	return 0;
}

static int found, backends;

static int look_around(void)
{
	int rc;

	found = backends = 0;
	rc = pbit_scan(NULL, NULL, count_found, &found);
	if (rc >= 0)
		rc = pbit_list_backends(NULL, count_backend, &backends);
	return rc < 0 ? rc : 0;
}

static void check_found(void)
{
	assert_true(found >= 1);
	assert_true(backends >= 2); /* the software, and the file that is no plugin */
}

static void nothing(void)
{
}

static void test_open(void **state)
{
	(void)state;
	every_failure(&(struct scenario){.act = open_named,
					 .refused = no_device,
					 .check = check_device,
					 .clean = close_device,
					 .at_least = 8});
	every_failure(&(struct scenario){.act = open_best,
					 .refused = no_device,
					 .check = check_device,
					 .clean = close_device,
					 .at_least = 23});
	every_failure(&(struct scenario){
		.act = open_unknown, .check = no_device, .clean = nothing, .at_least = 17});
	every_failure(&(struct scenario){
		.act = look_around, .check = check_found, .clean = nothing, .at_least = 28});
}

/* Sessions and runs. */

static void open_devices(void)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(pbit_open("software:threads=1", NULL, &devices[i]), 0);
}

static void close_devices(void)
{
	for (int i = 0; i < 2; i++) {
		pbit_close(devices[i]);
		devices[i] = NULL;
	}
}

static int load_one(void)
{
	return pbit_session_new(model, devices, 1, &session);
}

static int load_two(void)
{
	return pbit_session_new(model, devices, 2, &session);
}

static void no_session(void)
{
	assert_null(session);
}

static int run(void)
{
	return pbit_session_run(session, &input, &opts, result);
}

static void check_result(void)
{
	assert_int_equal(pbit_result_images(result), IMAGES);
	assert_memory_equal(pbit_result_mean(result), right_mean, sizeof(right_mean));
	assert_memory_equal(pbit_result_samples(result), right_samples, sizeof(right_samples));
}

static void result_and_check(void)
{
	assert_int_equal(pbit_result_new(&result), 0);
	assert_int_equal(run(), 0);
	check_result();
}

static void unload(void)
{
	pbit_result_free(result);
	pbit_session_free(session);
	close_devices();
	result = NULL;
	session = NULL;
}

static void test_session(void **state)
{
	(void)state;
	every_failure(&(struct scenario){.prepare = open_devices,
					 .act = load_one,
					 .refused = no_session,
					 .check = result_and_check,
					 .clean = unload,
					 .at_least = 50});
	every_failure(&(struct scenario){.prepare = open_devices,
					 .act = load_two,
					 .refused = no_session,
					 .check = result_and_check,
					 .clean = unload,
					 .at_least = 100});
}

static int make_result(void)
{
	return pbit_result_new(&result);
}

static void free_result(void)
{
	pbit_result_free(result);
	result = NULL;
}

static void check_empty(void)
{
	assert_int_equal(pbit_result_images(result), 0);
}

static void load_small(void)
{
	open_devices();
	assert_int_equal(load_one(), 0);
	assert_int_equal(pbit_result_new(&result), 0);
}

static void load_pair(void)
{
	open_devices();
	assert_int_equal(load_two(), 0);
	assert_int_equal(pbit_result_new(&result), 0);
}

/* Memory that a smaller run has left is used again, or replaced by larger. */
static void load_used(void)
{
	struct pbit_input one = input;

	load_small();
	one.n_images = 1;
	assert_int_equal(pbit_session_run(session, &one, &opts, result), 0);
	assert_int_equal(pbit_result_images(result), 1);
}

/* What the run before has left may be gone: nothing may point to it. */
static void no_images(void)
{
	assert_int_equal(pbit_result_images(result), 0);
	assert_null(pbit_result_mean(result));
	assert_null(pbit_result_stderr(result));
	assert_null(pbit_result_votes(result));
	assert_null(pbit_result_class(result));
	assert_null(pbit_result_samples(result));
}

/* Once the arrays are there, they stay, with no image complete. */
static void few_images(void)
{
	uint64_t n = pbit_result_images(result);

	assert_true(n < IMAGES);
	if (n)
		assert_memory_equal(pbit_result_mean(result), right_mean,
				    n * OUTPUTS * sizeof(*right_mean));
}

static void grown(void)
{
	if (pbit_result_outputs(result))
		few_images();
	else
		no_images();
}

static void test_run(void **state)
{
	(void)state;
	every_failure(&(struct scenario){
		.act = make_result, .check = check_empty, .clean = free_result, .at_least = 1});
	every_failure(&(struct scenario){.prepare = load_small,
					 .act = run,
					 .refused = grown,
					 .check = check_result,
					 .clean = unload,
					 .at_least = 10});
	every_failure(&(struct scenario){.prepare = load_used,
					 .act = run,
					 .refused = grown,
					 .check = check_result,
					 .clean = unload,
					 .at_least = 6});
	/* Which device takes which batch is open: one alone needs 11. */
	every_failure(&(struct scenario){.prepare = load_pair,
					 .act = run,
					 .refused = grown,
					 .check = check_result,
					 .clean = unload,
					 .at_least = 11});
}

static int submit(void)
{
	int rc = pbit_session_submit(session, &input, &opts, result, &job);

	if (rc) {
		assert_null(job);
		return rc;
	}
	rc = pbit_job_wait(job, PBIT_FOREVER);
	pbit_job_free(job);
	job = NULL;
	return rc;
}

static void test_submit(void **state)
{
	(void)state;
	every_failure(&(struct scenario){.prepare = load_small,
					 .act = submit,
					 .refused = grown,
					 .check = check_result,
					 .clean = unload,
					 .at_least = 12});
}

static uint8_t codes[INPUTS];
static int64_t raw[4 * OUTPUTS], right_raw[4 * OUTPUTS];

static int run_layers(void)
{
	struct pbit_layers_req req = PBIT_INIT(req);

	memset(raw, 0, sizeof(raw));
	req.code_bytes = 1;
	req.codes = codes;
	req.code_stride = INPUTS;
	req.n_images = 1;
	req.n_samples = 4;
	req.seed = 7;
	req.out_raw = raw;
	return pbit_run_layers(devices[0], model, 0, MAKE_LAYERS, &req);
}

static void check_raw(void)
{
	assert_memory_equal(raw, right_raw, sizeof(raw));
}

static void test_layers(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUTS; i++)
		codes[i] = (uint8_t)(37 * i);
	open_devices();
	assert_int_equal(run_layers(), 0);
	close_devices();
	memcpy(right_raw, raw, sizeof(raw));
	every_failure(&(struct scenario){.prepare = open_devices,
					 .act = run_layers,
					 .check = check_raw,
					 .clean = close_devices,
					 .at_least = 45});
}

/* Threads and descriptors. */

/* A job needs them all: the refusal is reported, the next attempt works. */
static void test_job_resources(void **state)
{
	static const int codes_expected[] = {-EMFILE, -EMFILE, -EAGAIN};
	long before = wrap_live;

	(void)state;
	for (long n = 1; n <= 3; n++) {
		int rc;

		load_small();
		pbit_clear_error();
		wrap_resources = 0;
		wrap_resource_fail_at = n;
		rc = submit();
		wrap_resource_fail_at = 0;
		assert_int_equal(rc, codes_expected[n - 1]);
		check_record(rc);
		assert_true(pbit_last_error()->hint[0]);
		assert_int_equal(submit(), 0);
		check_result();
		unload();
		assert_int_equal(wrap_live, before);
	}
}

/* Work goes on with fewer threads, or in the caller's, and gives the same. */
static void test_fewer_threads(void **state)
{
	(void)state;
	for (long n = 1; n <= 3; n++) {
		load_pair();
		wrap_resources = 0;
		wrap_resource_fail_at = n < 3 ? n : 0;
		wrap_no_resources = n == 3;
		assert_int_equal(run(), 0);
		wrap_resource_fail_at = 0;
		wrap_no_resources = false;
		assert_true(wrap_resources >= 1);
		check_result();
		unload();
	}
}

/* Enough work that the software device wants its threads. */
static void test_no_threads(void **state)
{
	double mean[IMAGES * OUTPUTS];
	struct pbit_run_opts usual = opts;

	(void)state;
	opts.confidence = 0;
	opts.batch = 0;
	opts.samples = 4000;
	load_small();
	assert_int_equal(run(), 0);
	memcpy(mean, pbit_result_mean(result), sizeof(mean));
	unload();
	assert_int_equal(pbit_open("software:threads=3", NULL, &devices[0]), 0);
	assert_int_equal(load_one(), 0);
	assert_int_equal(pbit_result_new(&result), 0);
	wrap_resources = 0;
	wrap_no_resources = true;
	assert_int_equal(run(), 0);
	wrap_no_resources = false;
	assert_true(wrap_resources >= 1);
	assert_memory_equal(pbit_result_mean(result), mean, sizeof(mean));
	unload();
	opts = usual;
}

/* A file that is no plugin takes the search through every step of reading a folder. */
static int make_folder(void)
{
	char path[64];
	FILE *file;

	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/pbit-none.so", folder);
	file = fopen(path, "w");
	if (!file)
		return -1;
	fputs("no plugin\n", file);
	fclose(file);
	unsetenv("PBIT_URI");
	return setenv("PBIT_BACKEND_PATH", folder, 1);
}

static int setup(void **state)
{
	(void)state;
	if (make_folder())
		return -1;
	make_rich(&rich);
	model = make_model(&rich);
	for (size_t i = 0; i < IMAGES * INPUTS; i++)
		reals[i] = (float)(make_random(&rich) % 1000) / 999.0f;
	input = (struct pbit_input)PBIT_INIT(input);
	input.format = PBIT_INPUT_F32;
	input.data = reals;
	input.n_images = IMAGES;
	input.n_values = INPUTS;
	opts = (struct pbit_run_opts)PBIT_INIT(opts);
	opts.samples = SAMPLES;
	opts.confidence = 0.9;
	opts.batch = 2;
	load_small();
	assert_int_equal(run(), 0);
	memcpy(right_mean, pbit_result_mean(result), sizeof(right_mean));
	memcpy(right_samples, pbit_result_samples(result), sizeof(right_samples));
	unload();
	return 0;
}

static int teardown(void **state)
{
	char path[64];

	(void)state;
	pbit_model_put(model);
	make_end(&rich);
	snprintf(path, sizeof(path), "%s/pbit-none.so", folder);
	unlink(path);
	rmdir(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),	      cmocka_unit_test(test_session),
		cmocka_unit_test(test_run),	      cmocka_unit_test(test_submit),
		cmocka_unit_test(test_layers),	      cmocka_unit_test(test_job_resources),
		cmocka_unit_test(test_fewer_threads), cmocka_unit_test(test_no_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
