/* SPDX-License-Identifier: Apache-2.0 */
/* Trouble on the way to a card: every system call and allocation refused, removal, lies, hanging jobs. */
#include "test_fpga_fake.h"

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long callocs, calloc_fail_at;

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fail_at && ++callocs == calloc_fail_at) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(n, size);
}

#define N_IN  40u
#define N_OUT 30u

static struct pbit_model *make_model(void)
{
	static int8_t weights[N_OUT * N_IN];
	static float scale = 0.01f;
	struct pbit_layer_spec layer[2] = {PBIT_INIT(layer[0]), PBIT_INIT(layer[1])};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_model *model;

	for (uint32_t k = 0; k < sizeof(weights); k++)
		weights[k] = (int8_t)(k % 15) - 7;
	layer[0].activation = PBIT_ACT_PBIT;
	layer[0].n_out = N_OUT;
	layer[1].activation = PBIT_ACT_LINEAR;
	layer[1].n_out = 10;
	for (int i = 0; i < 2; i++) {
		layer[i].weight_bits = 4;
		layer[i].n_scale = 1;
		layer[i].weights = weights;
		layer[i].scale = &scale;
	}
	spec.n_layers = 2;
	spec.layers = layer;
	spec.in = (struct pbit_shape){N_IN, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 1.0f / 255;
	assert_int_equal(pbit_model_create(&spec, &model), 0);
	return model;
}

static struct pbit_bm *make_machine(void)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(200, &bm), 0);
	for (uint32_t i = 0; i + 1 < 200; i++)
		assert_int_equal(pbit_bm_add_coupling(bm, i, i + 1, 0.5), 0);
	return bm;
}

static struct pbit_model *model;
static struct pbit_bm *bm;

static int setup(void **state)
{
	const int rc = fake_setup(state);

	model = make_model();
	bm = make_machine();
	return rc;
}

static int teardown(void **state)
{
	pbit_model_put(model);
	pbit_bm_put(bm);
	return fake_teardown(state);
}

static int run_net(struct pbit_device *dev)
{
	static const uint8_t codes[12 * N_IN] = {1, 2, 3};
	static int64_t sum[12 * 10], raw[12 * 20 * 10];
	struct pbit_layers_req req = PBIT_INIT(req);

	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = N_IN;
	req.n_images = 12;
	req.n_samples = 20;
	req.out_sum = sum;
	req.out_raw = raw;
	return pbit_run_layers(dev, model, 0, 2, &req);
}

static int run_machine(struct pbit_device *dev)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	static uint64_t states[3 * 4], mask[4] = {5};
	static const double beta[3] = {0.1, 0.2, 0.3};
	int rc;

	opts.replicas = 3;
	opts.order = PBIT_ORDER_CHROMATIC;
	rc = pbit_program_with(dev, bm, &opts);
	if (!rc)
		rc = pbit_clamp(dev, mask, mask);
	if (!rc)
		rc = pbit_update_each(dev, beta, 30);
	if (!rc)
		rc = pbit_set_state(dev, states);
	if (!rc)
		rc = pbit_update(dev, 1, 3);
	return rc ? rc : pbit_read(dev, states);
}

/* Open, layers, a machine, close: the first failure, or 0. */
static int everything(void)
{
	struct pbit_device *dev;
	int rc = pbit_open("fpga:", NULL, &dev);

	if (rc)
		return rc;
	rc = run_net(dev);
	if (!rc)
		rc = run_machine(dev);
	pbit_close(dev);
	return rc;
}

static void check_record(int rc)
{
	const struct pbit_error *e = pbit_last_error();

	assert_int_equal(e->code, rc);
	assert_true(e->error_class != PBIT_ERR_NONE && e->error_class != PBIT_ERR_INTERNAL);
	assert_true(*e->what && *e->why);
}

/* The n-th system call fails, for every n; afterwards all is well again. */
static void fail_each_call(int code, long least)
{
	long failures = 0;

	fake_defaults();
	fake.rom.max_samples = 60;
	for (long n = 1;; n++) {
		int rc;

		fake.calls = 0;
		fake.fail_at = n;
		fake.fail_errno = code;
		pbit_clear_error();
		rc = everything();
		assert_false(fake.open);
		assert_int_equal(fake.pinned, 0);
		if (fake.calls < n) {
			assert_int_equal(rc, 0);
			break;
		}
		/* Of those that give back or are tried again the caller hears nothing. */
		if (rc) {
			check_record(rc);
			failures++;
		}
	}
	assert_true(failures >= least);
	fake.fail_at = 0;
	assert_int_equal(everything(), 0);
}

static void test_each_call(void **state)
{
	(void)state;
	fail_each_call(EIO, 20);
	fail_each_call(ENOMEM, 20);
	fail_each_call(ENODEV, 20);
	fail_each_call(EAGAIN, 10);
	fail_each_call(EINTR, 1);
}

static void test_each_allocation(void **state)
{
	long failures = 0;

	(void)state;
	fake_defaults();
	fake.rom.max_samples = 60;
	for (calloc_fail_at = 1;; calloc_fail_at++) {
		int rc;

		callocs = 0;
		rc = everything();
		if (callocs < calloc_fail_at)
			break;
		if (rc) {
			assert_int_equal(rc, -ENOMEM);
			check_record(rc);
			failures++;
		}
		assert_false(fake.open);
	}
	calloc_fail_at = 0;
	assert_true(failures > 8);
	assert_int_equal(everything(), 0);
}

/* Removal at every command: a clear error, then nothing but that error, and a close that works. */
static void test_removal(void **state)
{
	long last;

	(void)state;
	fake_defaults();
	fake.rom.max_samples = 60;
	assert_int_equal(everything(), 0);
	last = fake.commands;
	assert_true(last > 15);
	for (long n = 1; n <= last; n++) {
		struct pbit_caps caps = PBIT_INIT(caps);
		struct pbit_device *dev;
		int rc;

		fake_defaults();
		fake.rom.max_samples = 60;
		dev = fake_open_device();
		fake.gone_at = n;
		rc = run_net(dev);
		if (!rc)
			rc = run_machine(dev);
		assert_int_equal(rc, -ENODEV);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_GONE);
		assert_true(*pbit_last_error()->hint);
		assert_int_equal(run_net(dev), -ENODEV);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_GONE);
		assert_int_equal(run_machine(dev), -ENODEV);
		assert_int_equal(pbit_get_caps(dev, &caps), 0);
		pbit_close(dev);
		assert_int_equal(fake.pinned, 0);
	}
	fake_defaults();
	assert_int_equal(everything(), 0);
}

static void test_command_fails(void **state)
{
	(void)state;
	fake_defaults();
	for (uint32_t status = PBIT_DONE_BAD_OP; status <= PBIT_DONE_RANDOM; status++) {
		struct pbit_device *dev = fake_open_device();

		if (status == PBIT_DONE_ABORTED) {
			pbit_close(dev);
			continue;
		}
		fake.error_at = fake.commands + 6;
		fake.error_status = status;
		assert_true(run_net(dev) < 0);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_DEVICE);
		assert_int_equal(pbit_last_error()->native, status);
		/* The device is as good as before. */
		assert_int_equal(run_net(dev), 0);
		assert_int_equal(run_machine(dev), 0);
		pbit_close(dev);
	}
}

static void test_short_event(void **state)
{
	struct pbit_device *dev;

	(void)state;
	fake_defaults();
	dev = fake_open_device();
	fake.short_event = true;
	assert_int_equal(run_net(dev), -EPROTO);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_DEVICE);
	fake.short_event = false;
	assert_int_equal(run_net(dev), -ENODEV);
	pbit_close(dev);
}

static int session_run(struct pbit_device *dev, int64_t deadline, bool cancel)
{
	static const uint8_t codes[50 * N_IN] = {9};
	struct pbit_input input = PBIT_INIT(input);
	struct pbit_run_opts opts = PBIT_INIT(opts);
	struct pbit_session *session;
	struct pbit_result *result;
	struct pbit_job *job;
	int rc;

	input.data = codes;
	input.n_images = 50;
	input.n_values = N_IN;
	opts.samples = 50;
	opts.deadline_ns = deadline;
	if (pbit_session_new(model, &dev, 1, &session))
		fail_msg("%s", pbit_last_error()->why);
	assert_int_equal(pbit_result_new(&result), 0);
	fake_stall(cancel || deadline);
	assert_int_equal(pbit_session_submit(session, &input, &opts, result, &job), 0);
	if (cancel) {
		while (!fake_waiting())
			usleep(1000);
		pbit_job_cancel(job);
	}
	rc = pbit_job_wait(job, PBIT_FOREVER);
	pbit_job_free(job);
	fake_stall(false);
	pbit_session_free(session);
	pbit_result_free(result);
	return rc;
}

static void test_cancel_and_deadline(void **state)
{
	struct pbit_device *dev;

	(void)state;
	fake_defaults();
	dev = fake_open_device();
	assert_int_equal(session_run(dev, 0, true), -ECANCELED);
	assert_int_equal(session_run(dev, 0, false), 0);
	assert_int_equal(session_run(dev, pbit_deadline_ms(30), false), -ETIMEDOUT);
	assert_int_equal(session_run(dev, 0, false), 0);
	pbit_close(dev);
}

static void test_limits(void **state)
{
	struct pbit_device *dev;

	(void)state;
	fake_defaults();
	fake.pinned_limit = FAKE_PAGE;
	dev = fake_open_device();
	assert_int_equal(run_net(dev), -ENOMEM);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_RESOURCE);
	assert_non_null(strstr(pbit_last_error()->hint, "ulimit -l"));
	assert_int_equal(pbit_last_error()->native, PBIT_REASON_PINNED);
	pbit_close(dev);

	fake_defaults();
	fake.rom.max_inputs = N_IN - 1;
	dev = fake_open_device();
	assert_int_equal(run_net(dev), -E2BIG);
	pbit_close(dev);

	fake_defaults();
	fake.rom.coupling_bits = 2; /* -2 ... 1 */
	dev = fake_open_device();
	assert_int_equal(pbit_program(dev, bm, 0, 1), -ERANGE);
	pbit_close(dev);

	fake_defaults();
	fake.rom.flags &= ~PBIT_CARD_COPY;
	assert_int_equal(pbit_open("fpga:pbit0", NULL, &dev), -EOPNOTSUPP);
}

static void refuse_rom(int code, uint32_t class)
{
	struct pbit_device *dev;

	assert_int_equal(pbit_open("fpga:pbit0", NULL, &dev), code);
	assert_int_equal(pbit_last_error()->error_class, class);
	assert_false(fake.open);
	fake_defaults();
}

static void test_bad_device(void **state)
{
	(void)state;
	fake_defaults();
	fake.level = 0;
	refuse_rom(-EPROTO, PBIT_ERR_VERSION);
	fake.major = 2;
	refuse_rom(-EPROTO, PBIT_ERR_VERSION);
	fake.rom.version = 2u << 16;
	refuse_rom(-EPROTO, PBIT_ERR_VERSION);
	fake.rom.id = 5;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.rom.n_queues = 0;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.rom.max_samples = 0;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.rom.coupling_bits = 33;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.rom.flags = PBIT_CARD_COPY;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.max_host = 0;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.max_commands = 0;
	refuse_rom(-EPROTO, PBIT_ERR_DEVICE);
	fake.level = 9; /* a newer driver of the same major */
	assert_int_equal(everything(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call),   cmocka_unit_test(test_each_allocation),
		cmocka_unit_test(test_removal),	    cmocka_unit_test(test_command_fails),
		cmocka_unit_test(test_short_event), cmocka_unit_test(test_cancel_and_deadline),
		cmocka_unit_test(test_limits),	    cmocka_unit_test(test_bad_device),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
