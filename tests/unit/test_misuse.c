/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misuse of the interface by an application: NULL where there must be something, values out of
 * range, calls in the wrong order. Each is refused with a record that says what is wrong, and leaves
 * the handles usable.
 */
#include <float.h>
#include "test_misuse.h"

/* NULL. */

static void test_null_model(void **state)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit_model *made = NULL;
	const char *text;
	float a[64], c[64];

	(void)state;
	REFUSED(pbit_model_open(NULL, &made), "NULL");
	REFUSED(pbit_model_open("x.pbm", NULL), "NULL");
	REFUSED(pbit_model_from_memory(NULL, 100, &made), "NULL");
	REFUSED(pbit_model_from_memory(codes, sizeof(codes), NULL), "NULL");
	REFUSED(pbit_model_create(NULL, &made), "NULL");
	REFUSED(pbit_model_create(&rich.spec, NULL), "NULL");
	REFUSED(pbit_model_info(NULL, &info), "NULL");
	REFUSED(pbit_model_info(model, NULL), "NULL");
	REFUSED(pbit_model_save(NULL, "/tmp/unwritten.pbm"), "NULL");
	REFUSED(pbit_model_save(model, NULL), "NULL");
	REFUSED(pbit_model_provenance(NULL, 0, &text, &text), "NULL");
	REFUSED(pbit_model_provenance(model, 0, NULL, &text), "NULL");
	REFUSED(pbit_layer_affine(NULL, 0, 0, 1, 0, 1, a, c), "NULL");
	REFUSED(pbit_layer_affine(model, 0, 0, 1, 0, 1, NULL, c), "NULL");
	assert_null(made);
	assert_null(pbit_model_layer(NULL, 0));
	assert_null(pbit_model_layer(model, MAKE_LAYERS));
	assert_null(pbit_model_class(model, OUTPUTS));
	assert_null(pbit_model_get(NULL));
	assert_true(pbit_layer_weight(pbit_model_layer(model, 0), 5, 0) == 0);
	assert_true(pbit_layer_weight(pbit_model_layer(model, 0), 0, UINT32_MAX) == 0);
	pbit_model_put(NULL);
}

static void test_null_device(void **state)
{
	struct pbit_caps caps = PBIT_INIT(caps);

	(void)state;
	REFUSED(pbit_open("software:", NULL, NULL), "NULL");
	REFUSED(pbit_get_caps(NULL, &caps), "NULL");
	REFUSED(pbit_get_caps(device, NULL), "NULL");
	REFUSED(pbit_scan(NULL, NULL, NULL, NULL), "NULL");
	REFUSED(pbit_list_backends(NULL, NULL, NULL), "NULL");
	assert_string_equal(pbit_device_uri(NULL), "");
	pbit_close(NULL);
}

static void test_null_run(void **state)
{
	struct pbit_device *none[2] = {device, NULL};
	struct pbit_run_stats stats = PBIT_INIT(stats);
	struct pbit_layers_req req = PBIT_INIT(req);
	struct pbit_session *made = NULL;
	struct pbit_job *job = (struct pbit_job *)&job;

	(void)state;
	fresh();
	REFUSED(pbit_session_new(NULL, &device, 1, &made), "model");
	REFUSED(pbit_session_new(model, NULL, 1, &made), "devices");
	REFUSED(pbit_session_new(model, &device, 0, &made), "n_devices");
	REFUSED(pbit_session_new(model, none, 2, &made), "device 1");
	REFUSED(pbit_session_new(model, &device, 1, NULL), "session");
	assert_null(made);
	REFUSED(pbit_session_run(NULL, &input, &opts, result), "session");
	REFUSED(pbit_session_run(session, NULL, &opts, result), "input");
	REFUSED(pbit_session_run(session, &input, NULL, result), "opts");
	REFUSED(pbit_session_run(session, &input, &opts, NULL), "result");
	REFUSED(pbit_session_submit(session, &input, &opts, result, NULL), "job");
	REFUSED(pbit_session_submit(NULL, &input, &opts, result, &job), "session");
	assert_null(job);
	REFUSED(pbit_session_submit(session, NULL, &opts, result, &job), "input");
	REFUSED(pbit_session_submit(session, &input, &opts, NULL, &job), "result");
	REFUSED(pbit_job_wait(NULL, PBIT_NOW), "NULL");
	REFUSED(pbit_result_new(NULL), "NULL");
	REFUSED(pbit_result_stats(NULL, &stats), "NULL");
	REFUSED(pbit_result_stats(result, NULL), "NULL");
	REFUSED(pbit_run_layers(NULL, model, 0, 1, &req), "dev");
	REFUSED(pbit_run_layers(device, NULL, 0, 1, &req), "model");
	REFUSED(pbit_run_layers(device, model, 0, 1, NULL), "req");
	assert_int_equal(pbit_result_images(NULL) + pbit_result_outputs(NULL), 0);
	assert_null(pbit_result_mean(NULL));
	assert_null(pbit_result_class(NULL));
	assert_int_equal(pbit_job_state(NULL), PBIT_JOB_DONE);
	assert_int_equal(pbit_job_fd(NULL), -1);
	pbit_job_cancel(NULL);
	pbit_job_free(NULL);
	pbit_session_free(NULL);
	pbit_result_free(NULL);
	still_works();
}

static void test_null_boltzmann(void **state)
{
	struct pbit_sample_opts stream = PBIT_INIT(stream);
	struct pbit_bm_view view = PBIT_INIT(view);
	uint64_t bits = 0;

	(void)state;
	stream.interval = stream.samples = 1;
	REFUSED(pbit_bm_new(3, NULL), "NULL");
	REFUSED(pbit_bm_add_coupling(NULL, 0, 1, 1), "NULL");
	REFUSED(pbit_bm_set_dense(NULL, &(double){0}), "NULL");
	REFUSED(pbit_bm_set_bias(NULL, 0, 1), "NULL");
	REFUSED(pbit_bm_view(NULL, &view), "NULL");
	REFUSED(pbit_bm_view(bm, NULL), "NULL");
	REFUSED(pbit_program(NULL, bm, 0, 1), "NULL");
	REFUSED(pbit_program(device, NULL, 0, 1), "NULL");
	assert_true(isnan(pbit_bm_energy(NULL, &bits)));
	assert_true(isnan(pbit_bm_energy(bm, NULL)));
	assert_int_equal(pbit_bm_size(NULL), 0);
	assert_int_equal(pbit_bm_couplings(NULL), 0);
	pbit_bm_put(NULL);
	refused(pbit_update(device, 1, 1), -ENOTCONN, PBIT_ERR_ARGUMENT, "pbit_program");
	assert_int_equal(pbit_program(device, bm, 0, 1), 0);
	REFUSED(pbit_clamp(NULL, NULL, NULL), "NULL");
	REFUSED(pbit_clamp(device, &bits, NULL), "NULL");
	REFUSED(pbit_set_state(device, NULL), "NULL");
	REFUSED(pbit_update(NULL, 1, 1), "NULL");
	REFUSED(pbit_read(device, NULL), "NULL");
	REFUSED(pbit_sample(device, NULL, ignore_sample, NULL), "NULL");
	REFUSED(pbit_sample(device, &stream, NULL, NULL), "NULL");
	refused(pbit_bm_set_bias(bm, 0, 1), -EBUSY, PBIT_ERR_ARGUMENT, "programmed");
	assert_int_equal(pbit_read(device, &bits), 0);
}

/* Values. */

static void test_options(void **state)
{
	static const double confidences[] = {NAN, INFINITY, -0.9, 0.5, 1.0};
	struct pbit_open_opts odd = PBIT_INIT(odd);
	struct pbit_sample_opts stream = PBIT_INIT(stream);
	struct pbit_device *opened = device;

	(void)state;
	fresh();
	opts.samples = 0;
	REFUSED(run(), "samples is 0");
	opts.samples = UINT32_MAX;
	REFUSED(run(), "samples is 4294967295");
	fresh();
	opts.flags = 1ull << 40;
	REFUSED(run(), "flags");
	fresh();
	for (size_t i = 0; i < sizeof(confidences) / sizeof(confidences[0]); i++) {
		opts.confidence = confidences[i];
		REFUSED(run(), "confidence");
	}
	fresh();
	opts.first_image = UINT64_MAX;
	REFUSED(run(), "first_image");
	odd.flags = 2;
	REFUSED(pbit_open("software:", &odd, &opened), "flags");
	assert_null(opened);
	stream.flags = 4;
	stream.interval = 1;
	REFUSED(pbit_sample(device, &stream, ignore_sample, NULL), "flags");
	stream.flags = 0;
	stream.interval = 0;
	REFUSED(pbit_sample(device, &stream, ignore_sample, NULL), "interval");
	still_works();
}

static void test_input(void **state)
{
	static const uint64_t sizes[] = {0, 1, INPUTS - 1, INPUTS + 1, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fresh();
		input.n_values = sizes[i];
		REFUSED(run(), "the model takes 60 (2 x 6 x 5)");
		assert_int_equal(pbit_result_images(result), 0);
	}
	fresh();
	input.format = PBIT_INPUT_F64 + 1;
	REFUSED(run(), "format is 4");
	input.format = UINT32_MAX;
	REFUSED(run(), "format");
	fresh();
	input.stride = INPUTS - 1;
	REFUSED(run(), "stride is 59");
	fresh();
	input.data = NULL;
	REFUSED(run(), "data is NULL");
	fresh();
	input.n_images = UINT64_MAX / INPUTS;
	REFUSED(run(), "n_images");
	/* No images are no mistake, and no data is needed for them. */
	fresh();
	input.n_images = 0;
	input.data = NULL;
	assert_int_equal(run(), 0);
	assert_int_equal(pbit_result_images(result), 0);
	still_works();
}

/* The record tells which image and value; nothing of a batch with such a value is complete. */
static void refuse_real(double bad, const char *name)
{
	float f32[IMAGES * INPUTS] = {0};
	double f64[IMAGES * INPUTS] = {0};
	char where[64];

	f32[2 * INPUTS + 17] = (float)bad;
	f64[3 * INPUTS + 59] = bad;
	fresh();
	input.format = PBIT_INPUT_F32;
	input.data = f32;
	snprintf(where, sizeof(where), "image 2, value 17 (f32) is %s", name);
	refused(run(), -EDOM, PBIT_ERR_ARGUMENT, where);
	assert_int_equal(pbit_result_images(result), 0);
	input.format = PBIT_INPUT_F64;
	input.data = f64;
	opts.batch = 3;
	snprintf(where, sizeof(where), "image 3, value 59 (f64) is %s", name);
	refused(run(), -EDOM, PBIT_ERR_ARGUMENT, where);
	assert_int_equal(pbit_result_images(result), 3);
}

static void test_not_a_number(void **state)
{
	float huge[IMAGES * INPUTS] = {[5] = FLT_MAX, [6] = -FLT_MAX};
	struct pbit_run_stats stats = PBIT_INIT(stats);

	(void)state;
	refuse_real(NAN, "NaN");
	refuse_real(INFINITY, "infinite");
	refuse_real(-INFINITY, "infinite");
	/* What is only out of range is clipped and counted. */
	fresh();
	input.format = PBIT_INPUT_F32;
	input.data = huge;
	assert_int_equal(run(), 0);
	assert_int_equal(pbit_result_stats(result, &stats), 0);
	assert_int_equal(stats.clipped_inputs, 2);
	still_works();
}

/* A layer of the spec with one member out of its list. */
static void refuse_layer(size_t member, uint32_t value, const char *words)
{
	struct pbit_layer_spec layers[MAKE_LAYERS];
	struct pbit_model_spec spec = rich.spec;
	struct pbit_model *made = NULL;

	memcpy(layers, rich.layers, sizeof(layers));
	memcpy((char *)&layers[3] + member, &value, sizeof(value));
	spec.layers = layers;
	REFUSED(pbit_model_create(&spec, &made), words);
	assert_null(made);
}

static void test_unknown_values(void **state)
{
	struct pbit_model_spec spec = rich.spec;
	struct pbit_model *made = NULL;

	(void)state;
	refuse_layer(offsetof(struct pbit_layer_spec, type), 3, "type");
	refuse_layer(offsetof(struct pbit_layer_spec, type), UINT32_MAX, "type");
	refuse_layer(offsetof(struct pbit_layer_spec, activation), 4, "activation");
	refuse_layer(offsetof(struct pbit_layer_spec, activation), PBIT_ACT_NONE, "activation");
	refuse_layer(offsetof(struct pbit_layer_spec, encoding), PBIT_CODES, "encoding");
	refuse_layer(offsetof(struct pbit_layer_spec, encoding), 77, "encoding");
	refuse_layer(offsetof(struct pbit_layer_spec, weight_bits), 3, "weight-bits");
	refuse_layer(offsetof(struct pbit_layer_spec, weight_bits), 0, "weight-bits");
	refuse_layer(offsetof(struct pbit_layer_spec, n_out), 0, "outputs");
	spec.input_bits = 12;
	REFUSED(pbit_model_create(&spec, &made), "bits");
	spec = rich.spec;
	spec.n_layers = 0;
	REFUSED(pbit_model_create(&spec, &made), "0 layers");
	spec.n_layers = PBIT_MAX_LAYERS + 1;
	REFUSED(pbit_model_create(&spec, &made), "1025 layers");
	REFUSED(pbit_program(device, bm, PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC, 0), "order");
	REFUSED(pbit_program(device, bm, 1u << 4, 0), "order");
	assert_string_equal(pbit_error_class_name(PBIT_ERR_INTERNAL + 1), "unknown");
	assert_string_equal(pbit_error_class_name(UINT32_MAX), "unknown");
}

static void test_boltzmann_values(void **state)
{
	static const double betas[] = {NAN, INFINITY, -1.0, DBL_MAX};
	struct pbit_bm *made = NULL;

	(void)state;
	REFUSED(pbit_bm_new(0, &made), "p-bits");
	REFUSED(pbit_bm_new((1u << 26) + 1, &made), "p-bits");
	assert_int_equal(pbit_bm_new(3, &made), 0);
	REFUSED(pbit_bm_add_coupling(made, 0, 0, 1), "itself");
	REFUSED(pbit_bm_add_coupling(made, 0, 3, 1), "p-bit 3");
	REFUSED(pbit_bm_add_coupling(made, 0, 1, NAN), "nan");
	REFUSED(pbit_bm_add_coupling(made, 0, 1, INFINITY), "inf");
	REFUSED(pbit_bm_set_bias(made, 3, 0), "p-bit 3");
	REFUSED(pbit_bm_set_bias(made, 0, NAN), "nan");
	assert_int_equal(pbit_bm_couplings(made), 0);
	pbit_bm_put(made);
	for (size_t i = 0; i < sizeof(betas) / sizeof(betas[0]); i++)
		REFUSED(pbit_update(device, betas[i], 1), "beta");
}

static int call_layers(const struct pbit_layers_req *req)
{
	return pbit_run_layers(device, model, 0, MAKE_LAYERS, req);
}

static void test_layers(void **state)
{
	static const uint32_t ranges[][2] = {{0, 0},	       {0, MAKE_LAYERS + 1},
					     {MAKE_LAYERS, 1}, {5, 2},
					     {1, UINT32_MAX},  {UINT32_MAX, UINT32_MAX}};
	static const uint32_t widths[] = {0, 2, 3, UINT32_MAX};
	struct pbit_layers_req req = PBIT_INIT(req), good;
	int64_t sums[OUTPUTS];
	uint64_t bits[16] = {0};

	(void)state;
	req.code_bytes = 1;
	req.codes = codes;
	req.n_images = req.n_samples = 1;
	req.out_sum = sums;
	good = req;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		REFUSED(pbit_run_layers(device, model, ranges[i][0], ranges[i][1], &req),
			"the model has 6 layers");
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		req.code_bytes = widths[i];
		REFUSED(call_layers(&req), "code_bytes");
	}
	req = good;
	req.n_images = 0;
	REFUSED(call_layers(&req), "n_images");
	req = good;
	req.n_samples = 0;
	REFUSED(call_layers(&req), "n_samples");
	req = good;
	req.n_images = 2; /* without a stride */
	REFUSED(call_layers(&req), "code_stride");
	req = good;
	req.codes = NULL;
	REFUSED(call_layers(&req), "codes");
	req.in_bits = bits;
	REFUSED(call_layers(&req), "in_bits");
	req = good;
	REFUSED(pbit_run_layers(device, model, 1, 5, &req), "bits");
	req.out_bits = bits;
	REFUSED(call_layers(&req), "out_bits");
	assert_int_equal(call_layers(&good), 0);
}

static void test_same_device_twice(void **state)
{
	struct pbit_device *twice[2] = {device, device};
	struct pbit_session *made = NULL;

	(void)state;
	REFUSED(pbit_session_new(model, twice, 2, &made), "same");
	assert_null(made);
	still_works();
}

/* Order of calls. */

/* Enough samples that a job is under way while the test goes on. */
static void submit_long(struct pbit_session *to, struct pbit_result *into, struct pbit_job **job)
{
	fresh();
	opts.samples = 1u << 24;
	assert_int_equal(pbit_session_submit(to, &input, &opts, into, job), 0);
}

static void test_cancel_twice(void **state)
{
	struct pbit_result *second;
	struct pbit_job *running, *queued;

	(void)state;
	assert_int_equal(pbit_result_new(&second), 0);
	submit_long(session, result, &running);
	submit_long(session, second, &queued);
	refused(pbit_job_wait(running, PBIT_NOW), -ETIMEDOUT, PBIT_ERR_TIMEOUT, "goes on");
	for (int i = 0; i < 2; i++) {
		pbit_job_cancel(queued);
		pbit_job_cancel(running);
	}
	/* The outcome stays, however often it is asked for. */
	for (int i = 0; i < 2; i++) {
		refused(pbit_job_wait(queued, PBIT_FOREVER), -ECANCELED, PBIT_ERR_CANCELLED,
			"cancelled");
		refused(pbit_job_wait(running, PBIT_FOREVER), -ECANCELED, PBIT_ERR_CANCELLED,
			"cancelled");
		pbit_job_cancel(running);
	}
	pbit_job_free(running);
	pbit_job_free(queued);
	pbit_result_free(second);
	still_works();
}

/* A job that is freed before its turn never runs; one that was wrong says so when waited for. */
static void test_free_queued(void **state)
{
	struct pbit_result *second;
	struct pbit_job *running, *queued, *wrong;

	(void)state;
	assert_int_equal(pbit_result_new(&second), 0);
	submit_long(session, result, &running);
	submit_long(session, second, &queued);
	pbit_job_free(queued);
	pbit_job_free(running);
	assert_int_equal(pbit_result_images(second), 0);
	fresh();
	opts.samples = 0;
	assert_int_equal(pbit_session_submit(session, &input, &opts, second, &wrong), 0);
	REFUSED(pbit_job_wait(wrong, PBIT_FOREVER), "samples is 0");
	pbit_job_free(wrong);
	pbit_result_free(second);
	still_works();
}

/* A session that is freed with jobs waiting ends them first; their handles outlive it. */
static void test_free_session(void **state)
{
	struct pbit_session *brief;
	struct pbit_result *results[3];
	struct pbit_job *jobs[3];

	(void)state;
	assert_int_equal(pbit_session_new(model, &device, 1, &brief), 0);
	fresh();
	opts.samples = 200;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pbit_result_new(&results[i]), 0);
		assert_int_equal(pbit_session_submit(brief, &input, &opts, results[i], &jobs[i]),
				 0);
	}
	pbit_job_cancel(jobs[2]);
	pbit_session_free(brief);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pbit_job_state(jobs[i]), PBIT_JOB_DONE);
		assert_int_equal(pbit_job_wait(jobs[i], PBIT_NOW), i < 2 ? 0 : -ECANCELED);
		assert_int_equal(pbit_result_images(results[i]), i < 2 ? IMAGES : 0);
		pbit_job_cancel(jobs[i]);
		pbit_job_free(jobs[i]);
		pbit_result_free(results[i]);
	}
	still_works();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null_model),	  cmocka_unit_test(test_null_device),
		cmocka_unit_test(test_null_run),	  cmocka_unit_test(test_null_boltzmann),
		cmocka_unit_test(test_options),		  cmocka_unit_test(test_input),
		cmocka_unit_test(test_not_a_number),	  cmocka_unit_test(test_unknown_values),
		cmocka_unit_test(test_boltzmann_values),  cmocka_unit_test(test_layers),
		cmocka_unit_test(test_same_device_twice), cmocka_unit_test(test_cancel_twice),
		cmocka_unit_test(test_free_queued),	  cmocka_unit_test(test_free_session),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
