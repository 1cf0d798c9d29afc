/* SPDX-License-Identifier: Apache-2.0 */
/* pci: finding cards on a bus of files, refusing those that a driver has, and running one that none has. */
#include "test_pci_card.h"

#define SLOT "0000:03:00.0"

struct seen {
	uint32_t n;
	char uri[4][64], reason[4][512];
	int status[4];
};

static int see(const struct pbit_found *found, void *user)
{
	struct seen *s = user;

	assert_true(s->n < 4);
	snprintf(s->uri[s->n], sizeof(s->uri[0]), "%s", found->uri);
	snprintf(s->reason[s->n], sizeof(s->reason[0]), "%s", found->reason);
	s->status[s->n++] = found->status;
	return 0;
}

static void refused(const char *uri, int code, uint32_t class, const char *words)
{
	struct pbit_device *dev = NULL;

	assert_int_equal(pbit_open(uri, NULL, &dev), code);
	assert_null(dev);
	if (pbit_last_error()->error_class != class ||
	    (!strstr(pbit_last_error()->why, words) && !strstr(pbit_last_error()->hint, words)))
		fail_msg("%u %s (%s), not: %s", pbit_last_error()->error_class,
			 pbit_last_error()->why, pbit_last_error()->hint, words);
}

static void test_no_card(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_int_equal(pbit_scan("pci", NULL, see, &s), 0);
	refused("pci:", -ENODEV, PBIT_ERR_NO_DEVICE, "no p-bit card");
	bus_add("0000:00:1f.2", "0x8086\n", "0x2922\n");
	assert_int_equal(pbit_scan("pci", NULL, see, &s), 0);
	refused("pci:0000:00:1f.2", -ENODEV, PBIT_ERR_NO_DEVICE, "no p-bit card at 0000:00:1f.2");
	refused("pci:03:00.0", -EINVAL, PBIT_ERR_URI, "0000:03:00.0");
	refused("pci:0000:03:00.9", -EINVAL, PBIT_ERR_URI, "0000:03:00.0");
	refused("pci:0000:03:00.0x", -EINVAL, PBIT_ERR_URI, "0000:03:00.0");
	refused("pci:0000:03:00.0,x=1", -EINVAL, PBIT_ERR_URI, "x");
	pbit__pci_sysfs = "/nowhere";
	assert_int_equal(pbit_scan("pci", NULL, see, &s), 0);
	pbit__pci_sysfs = card.folder;
}

static void test_bound(void **state)
{
	struct seen s = {0};
	char path[256];

	(void)state;
	bus_add("0000:04:00.0", "0x1d6b\n", "0x7062\n");
	bus_bind("0000:04:00.0", "pbit");
	snprintf(path, sizeof(path), "%s/devices/0000:04:00.0/pbit", card.folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/devices/0000:04:00.0/pbit/pbit7", card.folder);
	mkdir(path, 0700);
	refused("pci:", -EBUSY, PBIT_ERR_RESOURCE, "fpga:pbit7");
	bus_add("0000:05:00.0", "0x1d6b\n", "0x7062\n");
	bus_bind("0000:05:00.0", "vfio-pci");
	refused("pci:0000:05:00.0", -EBUSY, PBIT_ERR_RESOURCE, "vfio-pci");
	refused("pci:0000:05:00.0", -EBUSY, PBIT_ERR_RESOURCE, "/drivers/vfio-pci/unbind");
	/* Its own driver's card is found as fpga:. */
	assert_int_equal(pbit_scan("pci", NULL, see, &s), 1);
	assert_string_equal(s.uri[0], "pci:0000:05:00.0");
	assert_int_equal(s.status[0], -EBUSY);
	assert_non_null(strstr(s.reason[0], "vfio-pci"));
	bus_add("0000:06:00.0", "0x1d6b\n", "0x7062\n");
	refused("pci:", -ENODEV, PBIT_ERR_NO_DEVICE, "resource0");
}

static struct pbit_device *open_card(const char *uri)
{
	struct pbit_device *dev;

	if (pbit_open(uri, NULL, &dev))
		fail_msg("%s: %s", pbit_last_error()->where, pbit_last_error()->why);
	return dev;
}

static uint64_t run_machine(struct pbit_device *dev)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	static const double beta[2] = {0.5, 0.25};
	uint64_t state[2 * 4], sum = 0, mask[4] = {0xf0};
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(200, &bm), 0);
	for (uint32_t i = 0; i + 1 < 200; i++)
		assert_int_equal(pbit_bm_add_coupling(bm, i, (i + 1) % 200, 0.5), 0);
	opts.replicas = 2;
	opts.seed = 5;
	opts.order = PBIT_ORDER_CHROMATIC;
	assert_int_equal(pbit_program_with(dev, bm, &opts), 0);
	assert_int_equal(pbit_clamp(dev, mask, mask), 0);
	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(pbit_update_each(dev, beta, i % 7), 0);
		assert_int_equal(pbit_read(dev, state), 0);
		for (int w = 0; w < 8; w++)
			sum = sum * 31 + state[w];
	}
	pbit_bm_put(bm);
	return sum;
}

#define N_IN  70u
#define N_OUT 130u

static struct pbit_model *make_model(void)
{
	static int8_t weights[N_OUT * N_OUT];
	static float scale = 0.004f;
	struct pbit_layer_spec layer[2] = {PBIT_INIT(layer[0]), PBIT_INIT(layer[1])};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_model *model;

	for (uint32_t k = 0; k < sizeof(weights); k++)
		weights[k] = (int8_t)(k * k % 15) - 7;
	for (int i = 0; i < 2; i++) {
		layer[i].activation = i ? PBIT_ACT_LINEAR : PBIT_ACT_PBIT;
		layer[i].n_out = i ? 10 : N_OUT;
		layer[i].weight_bits = 8;
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

static int run_layers(struct pbit_device *dev, struct pbit_model *model, int64_t *raw)
{
	static uint8_t codes[40 * N_IN];
	struct pbit_layers_req req = PBIT_INIT(req);

	for (uint32_t k = 0; k < sizeof(codes); k++)
		codes[k] = (uint8_t)(k * 7);
	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = N_IN;
	req.n_images = 40;
	req.n_samples = 20;
	req.seed = 3;
	req.out_raw = raw;
	return pbit_run_layers(dev, model, 0, 2, &req);
}

static void test_same_bits(void **state)
{
	static int64_t raw[2][40 * 20 * 10];
	struct pbit_model *model = make_model();
	struct pbit_device *dev, *soft;
	struct seen s = {0};
	char path[256], on = 0;
	int fd;

	(void)state;
	card_plug(SLOT);
	assert_int_equal(pbit_scan("pci", NULL, see, &s), 3);
	assert_string_equal(s.uri[0], "pci:" SLOT);
	assert_int_equal(s.status[0], 0);
	dev = open_card("pci:");
	soft = open_card("software:threads=1");
	assert_string_equal(pbit_device_uri(dev), "pci:");
	/* Switched on, and of one program only. */
	snprintf(path, sizeof(path), "%s/devices/" SLOT "/enable", card.folder);
	fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, &on, 1, 0), 1);
	assert_int_equal(on, '1');
	refused("pci:" SLOT, -EBUSY, PBIT_ERR_RESOURCE, "another program");
	assert_int_equal(run_layers(dev, model, raw[0]), 0);
	assert_int_equal(run_layers(soft, model, raw[1]), 0);
	assert_memory_equal(raw[0], raw[1], sizeof(raw[0]));
	assert_true(run_machine(dev) == run_machine(soft));
	pbit_close(dev);
	pbit_close(soft);
	assert_int_equal(pread(fd, &on, 1, 0), 1);
	assert_int_equal(on, '0');
	close(fd);
	pbit_model_put(model);
}

static void *cancel_soon(void *job)
{
	usleep(20000);
	pbit_job_cancel(job);
	return NULL;
}

static void test_trouble(void **state)
{
	static int64_t raw[40 * 20 * 10];
	static const uint8_t codes[2 * N_IN] = {1};
	struct pbit_model *model = make_model();
	struct pbit_device *dev = open_card("pci:" SLOT);
	struct pbit_input input = PBIT_INIT(input);
	struct pbit_run_opts opts = PBIT_INIT(opts);
	struct pbit_session *session;
	struct pbit_result *result;
	struct pbit_job *job;
	pthread_t thread;

	(void)state;
	/* A card that hangs: cancelled, then past its deadline, then well again. */
	input.data = codes;
	input.n_images = 2;
	input.n_values = N_IN;
	opts.samples = 3;
	assert_int_equal(pbit_session_new(model, &dev, 1, &session), 0);
	assert_int_equal(pbit_result_new(&result), 0);
	card.hang = true;
	assert_int_equal(pbit_session_submit(session, &input, &opts, result, &job), 0);
	pthread_create(&thread, NULL, cancel_soon, job);
	assert_int_equal(pbit_job_wait(job, PBIT_FOREVER), -ECANCELED);
	pthread_join(thread, NULL);
	pbit_job_free(job);
	opts.deadline_ns = pbit_deadline_ms(20);
	assert_int_equal(pbit_session_run(session, &input, &opts, result), -ETIMEDOUT);
	card.hang = false;
	opts.deadline_ns = 0;
	assert_int_equal(pbit_session_run(session, &input, &opts, result), 0);
	pbit_session_free(session);
	pbit_result_free(result);

	/* One that lies. */
	card.lie = true;
	assert_int_equal(run_layers(dev, model, raw), -EPROTO);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_DEVICE);
	card.lie = false;
	assert_int_equal(run_layers(dev, model, raw), -ENODEV);
	pbit_close(dev);
	dev = open_card("pci:" SLOT);
	assert_int_equal(run_layers(dev, model, raw), 0);

	/* One that faults. */
	card.reg[PBIT_REG_FAULT / 4] = PBIT_FAULT_MEMORY;
	card.reg[PBIT_REG_STATUS / 4] = PBIT_STATUS_READY | PBIT_STATUS_FAULT;
	assert_int_equal(run_layers(dev, model, raw), -EIO);
	pbit_close(dev);
	dev = open_card("pci:" SLOT);

	/* And one that goes. */
	card.gone = true;
	while (card.reg[0] != ~0u)
		usleep(100);
	assert_int_equal(run_layers(dev, model, raw), -ENODEV);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_GONE);
	pbit_close(dev);
	refused("pci:" SLOT, -ENODEV, PBIT_ERR_DEVICE, "register 0 reads ffffffff");
	card.gone = false;
	usleep(2000);
	card_power_up();
	pbit_model_put(model);
}

static void test_bad_rom(void **state)
{
	(void)state;
	card.reg[(PBIT_REG_ROM + 60) / 4] ^= 1;
	refused("pci:" SLOT, -EPROTO, PBIT_ERR_DEVICE, "CRC");
	card_power_up();
	card.reg[PBIT_REG_ROM_SIZE / 4] = 8;
	refused("pci:" SLOT, -EPROTO, PBIT_ERR_DEVICE, "ROM of 8 bytes");
	card_power_up();
	pbit_close(open_card("pci:" SLOT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_card),	  cmocka_unit_test(test_bound),
		cmocka_unit_test(test_same_bits), cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_bad_rom),
	};

#ifndef PBIT_HAVE_LIBPCI
	return 77;
#endif
	return cmocka_run_group_tests(tests, bus_setup, bus_teardown);
}
