/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edges of layer mode: p-bits that are certain, the one draw of 2^24 where u = p, extreme seeds and
 * numbers of images and samples, numbers of images given one by one, and weights whose padding holds
 * garbage. Needs a device that draws as CONTRACT.md says, except where bits are certain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "random_model.h"
#include "reference.h"

static struct subject subject;

#define NEURONS 70

/* One layer of NEURONS p-bits without inputs that matter: z = bias * 2 beta, or * beta. */
static struct pbit_model *bias_model(const float *bias, uint32_t encoding)
{
	int8_t weights[NEURONS];
	float scale = 0;
	struct pbit_layer_spec layer = PBIT_INIT(layer);
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_model *model = NULL;

	memset(weights, 1, sizeof(weights));
	layer.type = PBIT_DENSE;
	layer.activation = PBIT_ACT_PBIT;
	layer.encoding = encoding;
	layer.n_out = NEURONS;
	layer.weight_bits = 8;
	layer.weights = weights;
	layer.n_scale = 1;
	layer.scale = &scale;
	layer.bias = bias;
	layer.beta = 1;
	spec.name = "biases";
	spec.in = (struct pbit_shape){1, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 1;
	spec.n_layers = 1;
	spec.layers = &layer;
	assert_int_equal(pbit_model_create(&spec, &model), 0);
	return model;
}

/* Bits beyond the range where t(z) changes are certain on any device. */
static void test_saturated(void **state)
{
	static const float huge[] = {40, 1e3f, 1e30f, 3e38f};
	struct trial trial = {.n = 1, .images = 2, .samples = 50, .name = "saturated"};
	uint32_t encoding, i;

	(void)state;
	for (encoding = 0; encoding < 2; encoding++) {
		float bias[NEURONS];
		struct request request;
		size_t k;

		for (i = 0; i < NEURONS; i++)
			bias[i] = (i % 3 ? 1.0f : -1.0f) * huge[i % 4];
		trial.model = bias_model(bias, encoding);
		request_new(&request, &trial);
		if (subject_run(&subject, &trial, &request))
			for (k = 0; k < request.sum; k++)
				assert_int_equal(request.req.out_sum[k],
						 k % NEURONS % 3 ? trial.samples : 0);
		request_free(&request);
		subject_compare(&subject, &trial);
		pbit_model_put(trial.model);
	}
}

/* A z with exactly this threshold, by bisection; t(z) never falls. */
static float z_of_threshold(uint32_t t)
{
	float low = -20, high = 20;
	int i;

	for (i = 0; i < 200; i++) {
		float middle = low + (high - low) / 2;

		if (reference_threshold24(middle) < t)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/*
 * Each neuron's threshold is its draw in sample 0 (u = p: the bit is 0), one above (1) or one below (0). A
 * device that compares with <=, or drops the low bits of U, is found by each of them.
 */
static void test_ties(void **state)
{
	struct trial trial = {.n = 1, .images = 1, .samples = 1, .name = "tie"};
	uint32_t round, i, ties = 0;

	(void)state;
	if (!subject.contract)
		skip();
	for (round = 0; round < 60; round++) {
		float bias[NEURONS];
		bool one[NEURONS], exact[NEURONS];
		struct request request;

		trial.seed = round;
		for (i = 0; i < NEURONS; i++) {
			uint32_t t = reference_draw_layer(round, 0, 0, 0, i) + (i + round) % 3 - 1;

			bias[i] = z_of_threshold(t);
			one[i] = (i + round) % 3 == 2;
			exact[i] = reference_threshold24(bias[i]) == t;
			ties += exact[i] && (i + round) % 3 == 1;
		}
		trial.model = bias_model(bias, PBIT_BINARY);
		request_new(&request, &trial);
		if (subject_run(&subject, &trial, &request))
			for (i = 0; i < NEURONS; i++)
				if (exact[i])
					assert_int_equal(request.req.out_sum[i], one[i]);
		request_free(&request);
		subject_compare(&subject, &trial);
		pbit_model_put(trial.model);
	}
	print_message("%u ties u = p\n", ties);
	/* Most thresholds exist: near 1/2 a step of z is finer than one of t. */
	assert_true(ties > 300);
}

static struct pbit_model *small_model(uint64_t seed)
{
	struct random_net net = {.in = {40, 1, 1}, .input_bits = 8, .input_zero = 100};
	struct pbit_model *model = NULL;

	net.input_scale = 0.01f;
	net.n_layers = 3;
	net.layers[0] = random_dense(130, 4, PBIT_BIPOLAR);
	net.layers[1] = random_dense(70, 1, PBIT_BINARY);
	net.layers[2] = random_dense(10, 8, PBIT_BIPOLAR);
	net.layers[2].activation = PBIT_ACT_SIGMOID;
	assert_int_equal(random_model(&net, seed, &model), 0);
	return model;
}

static void test_extreme_numbers(void **state)
{
	static const uint64_t numbers[] = {
		0, 1, 0xffffffffu, 0x100000000u, 0x123456789abcdef0u, UINT64_MAX - 4};
	static const uint64_t seeds[] = {0, 1, 0x100000000u, UINT64_MAX};
	struct trial trial = {.n = 3, .images = 3, .samples = 5, .name = "extreme numbers"};
	size_t image, sample, seed;

	(void)state;
	trial.model = small_model(1);
	for (seed = 0; seed < 4; seed++)
		for (image = 0; image < 6; image++)
			for (sample = 0; sample < 6; sample++) {
				trial.seed = seeds[seed];
				trial.first_image = numbers[image];
				trial.first_sample = numbers[sample];
				subject_compare(&subject, &trial);
			}
	pbit_model_put(trial.model);
}

/* Numbers of images in any order, with repetition; first_image is then of no effect. */
static void test_image_numbers(void **state)
{
	static const uint64_t numbers[] = {7, 3, 3, UINT64_MAX, 0, 0x500000001u, 8};
	struct trial trial = {.n = 2, .images = 7, .samples = 4, .name = "numbers of images"};

	(void)state;
	trial.model = small_model(2);
	trial.image_numbers = numbers;
	subject_compare(&subject, &trial);
	trial.first_image = UINT64_MAX;
	subject_compare(&subject, &trial);
	trial.first = 1;
	subject_compare(&subject, &trial);
	pbit_model_put(trial.model);
}

/* The whole of a file. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long length;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	length = ftell(file);
	assert_true(length > 0);
	rewind(file);
	data = malloc((size_t)length);
	assert_non_null(data);
	*size = (size_t)length;
	assert_int_equal(fread(data, 1, *size, file), *size);
	fclose(file);
	return data;
}

/* Is weight (o, k) one that counts? */
static bool is_padding(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	uint32_t positions = layer->type == PBIT_DENSE ? layer->in.height * layer->in.width
						       : layer->kernel_h * layer->kernel_w;

	return o >= layer->n_out || k >= positions * layer->in_stride ||
	       k % layer->in_stride >= layer->in.channels;
}

/* Fills what never counts with garbage, in a copy of the packed weights. */
static uint32_t spoil(uint8_t *packed, const struct pbit_layer *layer, uint64_t *random)
{
	uint32_t o, k, spoilt = 0;

	for (o = 0; o < (layer->n_out + 15) / 16 * 16; o++)
		for (k = 0; k < layer->k_padded; k++)
			if (is_padding(layer, o, k)) {
				/* 10^30 spoils any sum that it enters. */
				uint32_t code = layer->weight_bits == 32
							? 0x7149f2ca
							: (uint32_t)random_next(random);

				random_pack(packed, layer->weight_bits, layer->k_padded, o, k,
					    code);
				spoilt++;
			}
	return spoilt;
}

/* The same model with spoilt padding, by way of its file. */
static struct pbit_model *spoilt_model(const struct pbit_model *model)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit_model *spoilt = NULL;
	char path[] = "/tmp/pbit-layer-edges-XXXXXX";
	uint64_t random = 99;
	uint32_t i, count = 0;
	uint8_t *data;
	size_t size;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pbit_model_save(model, path), 0);
	data = read_file(path, &size);
	unlink(path);
	assert_int_equal(pbit_model_info(model, &info), 0);
	for (i = 0; i < info.n_layers; i++) {
		const struct pbit_layer *layer = pbit_model_layer(model, i);
		uint8_t *packed = memmem(data, size, layer->weights, layer->weights_size);

		assert_non_null(packed);
		count += spoil(packed, layer, &random);
	}
	assert_true(count > 1000);
	assert_int_equal(pbit_model_from_memory(data, size, &spoilt), 0);
	free(data);
	return spoilt;
}

static void test_padding_garbage(void **state)
{
	static const uint32_t widths[] = {1, 2, 4, 8, 32};
	size_t w;

	(void)state;
	for (w = 0; w < 5; w++) {
		struct random_net net = {.in = {3, 6, 5}, .input_bits = 8, .input_zero = 128};
		struct pbit_model *plain = NULL, *spoilt;
		struct trial trial = {.images = 3, .samples = 4, .name = "garbage in the padding"};
		struct request a, b;

		net.input_scale = 0.01f;
		net.n_layers = 3;
		net.layers[0] = random_conv(19, 3, 1, 1, widths[w], PBIT_BIPOLAR);
		net.layers[1] = random_conv(33, 3, 1, 1, widths[w], (uint32_t)w % 2);
		net.layers[2] = random_dense(21, widths[w], PBIT_BIPOLAR);
		assert_int_equal(random_model(&net, w, &plain), 0);
		spoilt = spoilt_model(plain);
		trial.n = 3;
		trial.model = plain;
		request_new(&a, &trial);
		request_new(&b, &trial);
		if (subject.contract && subject_run(&subject, &trial, &a)) {
			trial.model = spoilt;
			assert_true(subject_run(&subject, &trial, &b));
			request_assert_same(&b, &a, &trial);
		}
		request_free(&a);
		request_free(&b);
		trial.model = spoilt;
		for (trial.first = 0, trial.n = 1; trial.first < 3; trial.first++)
			subject_compare(&subject, &trial);
		pbit_model_put(plain);
		pbit_model_put(spoilt);
	}
}

/* Largest sums: all weights and codes at their limits, S beyond 32 bits with codes of 16. */
static void test_largest_sums(void **state)
{
	static const uint32_t input_bits[] = {8, 16};
	enum { FAN_IN = 4000, OUTPUTS = 20 };
	size_t i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		int8_t *weights = malloc(FAN_IN * OUTPUTS);
		uint8_t *codes = malloc(FAN_IN * 2);
		int64_t raw[OUTPUTS], got[OUTPUTS], largest = (1 << input_bits[i]) - 1;
		float scale = 0.001f;
		struct pbit_layer_spec layer = PBIT_INIT(layer);
		struct pbit_model_spec spec = PBIT_INIT(spec);
		struct pbit_layers_req req = PBIT_INIT(req);
		struct pbit_model *model = NULL;

		assert_non_null(weights);
		assert_non_null(codes);
		for (k = 0; k < FAN_IN * OUTPUTS; k++)
			weights[k] = k / FAN_IN % 2 ? 127 : -128;
		memset(codes, 0xff, FAN_IN * 2);
		layer.activation = PBIT_ACT_LINEAR;
		layer.n_out = OUTPUTS;
		layer.weight_bits = 8;
		layer.weights = weights;
		layer.n_scale = 1;
		layer.scale = &scale;
		spec.name = "largest sums";
		spec.in = (struct pbit_shape){FAN_IN, 1, 1};
		spec.input_bits = input_bits[i];
		spec.input_scale = 1;
		spec.n_layers = 1;
		spec.layers = &layer;
		assert_int_equal(pbit_model_create(&spec, &model), 0);
		req.codes = codes;
		req.code_bytes = input_bits[i] / 8;
		req.code_stride = FAN_IN * 2;
		req.n_images = req.n_samples = 1;
		req.out_raw = subject.caps.flags & PBIT_FLAG_REPORTS ? raw : NULL;
		req.out_sum = got;
		if (subject.contract && !pbit_run_layers(subject.dev, model, 0, 1, &req))
			for (k = 0; k < OUTPUTS; k++) {
				int64_t expected = largest * FAN_IN * (k % 2 ? 127 : -128);

				if (got[k] != expected)
					fail_msg(
						"%u-bit codes, output %zu: sum %lld, expected %lld",
						input_bits[i], k, (long long)got[k],
						(long long)expected);
			}
		pbit_model_put(model);
		free(weights);
		free(codes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saturated),	cmocka_unit_test(test_ties),
		cmocka_unit_test(test_extreme_numbers), cmocka_unit_test(test_image_numbers),
		cmocka_unit_test(test_padding_garbage), cmocka_unit_test(test_largest_sums),
	};
	int rc = subject_open(&subject, NULL);

	if (rc)
		return rc;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	subject_close(&subject);
	return rc;
}
