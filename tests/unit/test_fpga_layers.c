/* SPDX-License-Identifier: Apache-2.0 */
/* Layers through fpga: against the software device, bit for bit, however they are split. */
#include "test_fpga_fake.h"

#define MAX_LAYERS 4u

struct net {
	struct pbit_model *model;
	uint32_t n, code_bytes;
	uint32_t width[MAX_LAYERS + 1];
};

static struct net make_net(uint64_t seed, bool read_out)
{
	static const uint32_t widths[] = {1, 2, 4, 8};
	struct pbit_layer_spec layer[MAX_LAYERS];
	struct pbit_model_spec spec = PBIT_INIT(spec);
	int8_t *weights[MAX_LAYERS];
	float *values[MAX_LAYERS];
	struct net net = {0};

	net.n = 1 + (uint32_t)(fake_random(&seed) % MAX_LAYERS);
	net.code_bytes = 1 + (uint32_t)(fake_random(&seed) % 2);
	net.width[0] = 1 + (uint32_t)(fake_random(&seed) % 150);
	for (uint32_t i = 0; i < net.n; i++) {
		const uint32_t bits = widths[fake_random(&seed) % 4];
		const uint32_t n_in = net.width[i];
		const uint32_t n_out = 1 + (uint32_t)(fake_random(&seed) % 200);

		net.width[i + 1] = n_out;
		layer[i] = (struct pbit_layer_spec)PBIT_INIT(layer[i]);
		layer[i].type = PBIT_DENSE;
		layer[i].activation = PBIT_ACT_PBIT;
		if (read_out && i + 1 == net.n)
			layer[i].activation =
				fake_random(&seed) % 2 ? PBIT_ACT_LINEAR : PBIT_ACT_SIGMOID;
		layer[i].encoding = fake_random(&seed) % 2 ? PBIT_BIPOLAR : PBIT_BINARY;
		layer[i].n_out = n_out;
		layer[i].weight_bits = bits;
		layer[i].n_scale = fake_random(&seed) % 2 ? n_out : 1;
		weights[i] = malloc((size_t)n_in * n_out);
		values[i] = malloc(2 * n_out * sizeof(float));
		for (size_t k = 0; k < (size_t)n_in * n_out; k++) {
			const int64_t r = (int64_t)(fake_random(&seed) % (1u << bits));

			weights[i][k] = (int8_t)(bits == 1 ? 2 * r - 1 : r - (1 << (bits - 1)));
		}
		for (uint32_t o = 0; o < 2 * n_out; o++)
			values[i][o] = (float)(1 + fake_random(&seed) % 100) /
				       (300.0f * (float)(1 << (bits - 1)));
		layer[i].weights = weights[i];
		layer[i].scale = values[i];
		layer[i].bias = values[i] + n_out;
	}
	spec.n_layers = net.n;
	spec.layers = layer;
	spec.in = (struct pbit_shape){net.width[0], 1, 1};
	spec.input_bits = 8 * net.code_bytes;
	spec.input_scale = net.code_bytes == 1 ? 1.0f / 255 : 1.0f / 65535;
	spec.input_zero = 3;
	if (pbit_model_create(&spec, &net.model))
		fail_msg("%s", pbit_last_error()->why);
	for (uint32_t i = 0; i < net.n; i++) {
		free(weights[i]);
		free(values[i]);
	}
	return net;
}

struct output {
	uint64_t *bits;
	int64_t *raw, *sum;
	size_t bits_size, raw_size, sum_size;
};

static struct output new_output(uint64_t images, uint64_t samples, uint32_t n)
{
	struct output o = {
		.bits_size = images * samples * ((n + 63) / 64) * 8,
		.raw_size = images * samples * n * 8,
		.sum_size = images * n * 8,
	};

	o.bits = malloc(o.bits_size);
	o.raw = malloc(o.raw_size);
	o.sum = malloc(o.sum_size);
	memset(o.bits, 0x5a, o.bits_size);
	memset(o.raw, 0x5a, o.raw_size);
	memset(o.sum, 0x5a, o.sum_size);
	return o;
}

static void free_output(struct output *o)
{
	free(o->bits);
	free(o->raw);
	free(o->sum);
}

static void run(struct pbit_device *dev, const struct net *net, uint32_t first, uint32_t n,
		struct pbit_layers_req *req, struct output *o, bool bits, bool raw, bool sum)
{
	req->out_bits = bits ? o->bits : NULL;
	req->out_raw = raw ? o->raw : NULL;
	req->out_sum = sum ? o->sum : NULL;
	if (pbit_run_layers(dev, net->model, first, n, req))
		fail_msg("%s: %s: %s", pbit_last_error()->what, pbit_last_error()->where,
			 pbit_last_error()->why);
}

static void compare(struct pbit_device *card, struct pbit_device *soft, const struct net *net,
		    uint64_t seed)
{
	const uint32_t first = (uint32_t)(fake_random(&seed) % net->n);
	const uint32_t n = 1 + (uint32_t)(fake_random(&seed) % (net->n - first));
	const uint32_t in = net->width[first], out = net->width[first + n];
	const bool read_out =
		pbit_model_layer(net->model, first + n - 1)->activation != PBIT_ACT_PBIT;
	const uint32_t what = 1 + (uint32_t)(fake_random(&seed) % 7);
	bool bits = !read_out && what & 1, raw = what & 2, sum = what & 4;
	struct pbit_layers_req req = PBIT_INIT(req);
	struct output a, b;
	uint8_t *input;
	size_t size;

	if (!bits && !raw && !sum)
		sum = true;
	req.n_images = 1 + (uint32_t)(fake_random(&seed) % 7);
	req.n_samples = 1 + (uint32_t)(fake_random(&seed) % 9);
	req.seed = fake_random(&seed);
	req.first_image = fake_random(&seed) >> 8;
	req.first_sample = fake_random(&seed) >> 8;
	req.code_bytes = net->code_bytes;
	req.code_stride = in * net->code_bytes + 6;
	size = first ? (size_t)req.n_images * req.n_samples * ((in + 63) / 64) * 8
		     : req.n_images * req.code_stride;
	input = calloc(1, size);
	for (size_t i = 0; i < size; i++)
		input[i] = (uint8_t)fake_random(&seed);
	if (first) {
		uint64_t *state = (void *)input;

		for (size_t w = 0; in % 64 && w < size / 8; w++)
			if (w % ((in + 63) / 64) == in / 64)
				state[w] &= (1ull << in % 64) - 1;
		req.in_bits = state;
	} else {
		req.codes = input;
	}
	uint64_t numbers[8];

	for (uint32_t i = 0; i < 8; i++)
		numbers[i] = fake_random(&seed);
	if (fake_random(&seed) % 2)
		req.image_numbers = numbers;
	a = new_output(req.n_images, req.n_samples, out);
	b = new_output(req.n_images, req.n_samples, out);
	run(card, net, first, n, &req, &a, bits, raw, sum);
	run(soft, net, first, n, &req, &b, bits, raw, sum);
	assert_memory_equal(a.bits, b.bits, a.bits_size);
	assert_memory_equal(a.raw, b.raw, a.raw_size);
	assert_memory_equal(a.sum, b.sum, a.sum_size);
	free_output(&a);
	free_output(&b);
	free(input);
}

static void compare_many(uint64_t seed, uint32_t n)
{
	struct pbit_device *card = fake_open_device(), *soft = fake_software();

	for (uint32_t i = 0; i < n; i++) {
		struct net net = make_net(seed + i, i % 2);

		compare(card, soft, &net, seed + 1000 + i);
		pbit_model_put(net.model);
	}
	pbit_close(card);
	pbit_close(soft);
	assert_int_equal(fake.pinned, 0);
}

static void test_same_bits(void **state)
{
	(void)state;
	fake_defaults();
	compare_many(1, 150);
}

/* Blocks of a sample or two, by each limit there is. */
static void test_split(void **state)
{
	(void)state;
	fake_defaults();
	fake.rom.max_samples = 3;
	compare_many(5000, 60);
	assert_true(fake.most_jobs > 1);
	fake_defaults();
	fake.rom.max_work = fake.max_work = 224 * 208 * 2;
	compare_many(6000, 60);
	fake_defaults();
	fake.max_host = FAKE_PAGE;
	compare_many(7000, 60);
	fake_defaults();
	fake.max_commands = 4;
	compare_many(8000, 30);
}

/* What a sample costs in copies by the host's processor is seen from outside: none through COPY. */
static void test_no_copies(void **state)
{
	struct pbit_device *card;
	struct net net = make_net(77, true);
	uint64_t before;

	(void)state;
	fake_defaults();
	card = fake_open_device();
	before = fake.copied;
	{
		struct pbit_layers_req req = PBIT_INIT(req);
		struct output o = new_output(4, 50, net.width[net.n]);
		uint8_t *codes = calloc(4, net.width[0] * net.code_bytes);
		uint64_t loaded = 0;

		for (uint32_t i = 0; i < net.n; i++)
			loaded += pbit_model_layer(net.model, i)->weights_size +
				  8 * ((net.width[i + 1] + 15) / 16 * 16);
		req.codes = codes;
		req.code_bytes = net.code_bytes;
		req.code_stride = net.width[0] * net.code_bytes;
		req.n_images = 4;
		req.n_samples = 50;
		run(card, &net, 0, net.n, &req, &o, false, false, true);
		assert_int_equal(fake.copied - before, loaded);
		free(codes);
		free_output(&o);
	}
	pbit_model_put(net.model);
	pbit_close(card);
}

static void test_session(void **state)
{
	struct net net;
	struct pbit_device *dev[2];
	double *mean[2];
	uint8_t *image;

	(void)state;
	fake_defaults();
	for (uint64_t s = 0;; s++) {
		net = make_net(900 + s, true);
		if (net.code_bytes == 1 && net.n > 1)
			break;
		pbit_model_put(net.model);
	}
	image = calloc(20, net.width[0]);
	for (uint32_t i = 0; i < 20 * net.width[0]; i++)
		image[i] = (uint8_t)(i * 37);
	dev[0] = fake_open_device();
	dev[1] = fake_software();
	for (int d = 0; d < 2; d++) {
		struct pbit_input input = PBIT_INIT(input);
		struct pbit_run_opts opts = PBIT_INIT(opts);
		struct pbit_session *session;
		struct pbit_result *result;

		input.data = image;
		input.n_images = 20;
		input.n_values = net.width[0];
		opts.samples = 30;
		opts.seed = 4;
		opts.confidence = 0.95;
		assert_int_equal(pbit_session_new(net.model, &dev[d], 1, &session), 0);
		assert_int_equal(pbit_result_new(&result), 0);
		assert_int_equal(pbit_session_run(session, &input, &opts, result), 0);
		mean[d] = malloc(sizeof(double) * 20 * net.width[net.n]);
		memcpy(mean[d], pbit_result_mean(result), sizeof(double) * 20 * net.width[net.n]);
		pbit_result_free(result);
		pbit_session_free(session);
	}
	assert_memory_equal(mean[0], mean[1], sizeof(double) * 20 * net.width[net.n]);
	free(mean[0]);
	free(mean[1]);
	free(image);
	pbit_close(dev[0]);
	pbit_close(dev[1]);
	pbit_model_put(net.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_no_copies),
		cmocka_unit_test(test_session),
	};

	return cmocka_run_group_tests(tests, fake_setup, fake_teardown);
}
