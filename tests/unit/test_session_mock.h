/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device whose raw outputs are a known function of image, sample and output, and models to
 * run on it: what the tests of sessions compare against. It fails, waits and refuses on demand.
 */
#ifndef TEST_SESSION_MOCK_H
#define TEST_SESSION_MOCK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "device/device.h"

struct mock;
typedef int64_t mock_raw_fn(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			    const unsigned char *codes, size_t code_bytes);

struct mock {
	struct pbit_device dev;
	struct pbit_backend backend;
	char uri[32];
	uint32_t n_outputs;
	mock_raw_fn *raw;
	bool silent_failure;  /* fail without a record */
	unsigned int fail_at; /* request that fails, from 1; 0: none */
	int fail_code;
	int64_t delay_ns; /* of each request, during which ctl is polled */
	atomic_uint requests;
	atomic_uint loads, unloads;
	atomic_uint scattered; /* requests with image_numbers */
	uint32_t most_images;  /* in any request */
	uint64_t most_samples; /* images x samples in any request */
	const void *last_codes;
	size_t last_stride;
	unsigned char first_row[256]; /* codes of the last request's first image */
};

static inline uint64_t mock_hash(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static inline uint64_t mock_random(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output)
{
	return mock_hash(mock_hash(mock_hash(mock_hash(seed) ^ image) ^ sample) ^ output);
}

/* Depends on the codes too, so that a row given for the wrong image shows. */
static inline int64_t mock_raw(uint64_t seed, uint64_t image, uint64_t sample, uint32_t output,
			       const unsigned char *codes, size_t code_bytes)
{
	int64_t noise = (int64_t)(mock_random(seed, image, sample, output) % 4001) - 2000;

	return noise + 8 * codes[(output % 4) * code_bytes] + codes[0];
}

static inline int64_t mock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int mock_load(void *priv, const struct pbit_model *model, uint32_t first, uint32_t n,
			    void **net)
{
	struct mock *mock = priv;

	(void)model;
	if (first != 0 || n == 0)
		return pbit_fail(-EINVAL, PBIT_ERR_INTERNAL, "load", NULL, NULL, "not all layers");
	atomic_fetch_add(&mock->loads, 1);
	*net = mock;
	return 0;
}

static inline void mock_unload(void *priv, void *net)
{
	struct mock *mock = priv;

	if (net == mock)
		atomic_fetch_add(&mock->unloads, 1);
}

static inline int mock_wait(const struct mock *mock, struct pbit_ctl *ctl)
{
	int64_t end = mock_now() + mock->delay_ns;
	struct timespec nap = {.tv_nsec = 200000};
	int rc = 0;

	while (!(rc = pbit_ctl_check(ctl)) && mock_now() < end)
		nanosleep(&nap, NULL);
	return rc;
}

static inline void mock_fill(struct mock *mock, const struct pbit_layers_req *req, uint32_t i)
{
	uint64_t number = req->image_numbers ? req->image_numbers[i] : req->first_image + i;
	const unsigned char *codes = (const unsigned char *)req->codes + i * req->code_stride;
	size_t n_outputs = mock->n_outputs;

	for (uint32_t o = 0; req->out_sum && o < n_outputs; o++)
		req->out_sum[i * n_outputs + o] = 0;
	for (uint32_t s = 0; s < req->n_samples; s++)
		for (uint32_t o = 0; o < n_outputs; o++) {
			int64_t raw = mock->raw(req->seed, number, req->first_sample + s, o, codes,
						req->code_bytes);

			if (req->out_raw)
				req->out_raw[((size_t)i * req->n_samples + s) * n_outputs + o] =
					raw;
			if (req->out_sum)
				req->out_sum[i * n_outputs + o] += raw;
		}
}

static inline int mock_run(void *priv, void *net, const struct pbit_layers_req *req,
			   struct pbit_ctl *ctl)
{
	struct mock *mock = priv;
	unsigned int turn = atomic_fetch_add(&mock->requests, 1) + 1;
	uint64_t samples = (uint64_t)req->n_images * req->n_samples;
	int rc;

	if (net != mock || !req->n_images || !req->n_samples)
		return pbit_fail(-EINVAL, PBIT_ERR_INTERNAL, "run", NULL, NULL, "bad request");
	if (req->n_images > mock->most_images)
		mock->most_images = req->n_images;
	if (samples > mock->most_samples)
		mock->most_samples = samples;
	if (req->image_numbers)
		atomic_fetch_add(&mock->scattered, 1);
	mock->last_codes = req->codes;
	mock->last_stride = req->code_stride;
	memcpy(mock->first_row, req->codes,
	       req->code_stride < sizeof(mock->first_row) ? req->code_stride
							  : sizeof(mock->first_row));
	rc = mock->delay_ns ? mock_wait(mock, ctl) : 0;
	if (rc)
		return rc;
	if (mock->fail_at == turn) {
		if (mock->silent_failure)
			return mock->fail_code;
		pbit_fail(mock->fail_code, PBIT_ERR_GONE, "mock device lost", mock->uri,
			  "plug it in again", "request %u was one too many", turn);
		pbit_fail_native(77);
		return mock->fail_code;
	}
	for (uint32_t i = 0; i < req->n_images; i++)
		mock_fill(mock, req, i);
	return 0;
}

static inline void mock_init(struct mock *mock, unsigned int number, uint32_t n_outputs)
{
	memset(mock, 0, sizeof(*mock));
	snprintf(mock->uri, sizeof(mock->uri), "mock:%u", number);
	mock->n_outputs = n_outputs;
	mock->raw = mock_raw;
	mock->backend.struct_size = sizeof(mock->backend);
	mock->backend.abi = PBIT_ABI;
	mock->backend.name = mock->backend.scheme = "mock";
	mock->backend.description = mock->backend.version = "";
	mock->backend.ops = &mock->dev.ops;
	mock->dev.backend = &mock->backend;
	mock->dev.ops.struct_size = sizeof(mock->dev.ops);
	mock->dev.ops.net_load = mock_load;
	mock->dev.ops.net_unload = mock_unload;
	mock->dev.ops.net_run = mock_run;
	mock->dev.priv = mock;
	mock->dev.uri = mock->uri;
	pthread_mutex_init(&mock->dev.lock, NULL);
	mock->dev.caps.struct_size = sizeof(mock->dev.caps);
	mock->dev.caps.flags =
		PBIT_FLAG_LAYERS | PBIT_FLAG_SEEDABLE | PBIT_FLAG_REPORTS | PBIT_FLAG_SIMULATED;
	mock->dev.caps.stated = PBIT_CAP_WEIGHT_BITS;
	mock->dev.caps.weight_bits = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 7 | 1u << 31;
	mock->dev.caps.layer_types = 1u << PBIT_DENSE | 1u << PBIT_CONV2D | 1u << PBIT_MAXPOOL;
	mock->dev.caps.activations = 1u << PBIT_ACT_PBIT | 1u << PBIT_ACT_LINEAR |
				     1u << PBIT_ACT_SIGMOID | 1u << PBIT_ACT_NONE;
}

static inline void mock_destroy(struct mock *mock)
{
	pthread_mutex_destroy(&mock->dev.lock);
}

#define TEST_INPUTS 4u

/* One dense layer over TEST_INPUTS codes with a scale and a bias of its own for each output. */
struct test_model {
	uint32_t n_outputs, activation, encoding, weight_bits, input_bits, zero, chw;
	struct pbit_shape in;
};

static inline struct pbit_model *test_model_make(const struct test_model *wanted)
{
	uint32_t n = wanted->n_outputs;
	struct pbit_shape in =
		wanted->in.channels ? wanted->in : (struct pbit_shape){TEST_INPUTS, 1, 1};
	size_t n_inputs = (size_t)in.channels * in.height * in.width;
	int8_t *weights = calloc(n * n_inputs, 1);
	float *wide = calloc(n * n_inputs, sizeof(float));
	float *scale = calloc(n, sizeof(float)), *bias = calloc(n, sizeof(float));
	struct pbit_layer_spec layer = PBIT_INIT(layer);
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_model *model = NULL;

	assert_true(weights && wide && scale && bias);
	for (uint32_t o = 0; o < n; o++) {
		scale[o] = 0.01f * (float)(1 + o % 3);
		bias[o] = 0.5f - 0.25f * (float)(o % 5);
		for (size_t k = 0; k < n_inputs; k++) {
			weights[o * n_inputs + k] = (int8_t)((o + k) % 7) - 3;
			wide[o * n_inputs + k] = (float)weights[o * n_inputs + k];
		}
	}
	layer.type = PBIT_DENSE;
	layer.activation = wanted->activation;
	layer.encoding = wanted->encoding;
	layer.n_out = n;
	layer.weight_bits = wanted->weight_bits ? wanted->weight_bits : 8;
	layer.n_scale = n;
	layer.weights = weights;
	layer.weights_f32 = wide;
	layer.scale = scale;
	layer.bias = bias;
	spec.n_layers = 1;
	spec.name = "test";
	spec.in = in;
	spec.input_bits = wanted->input_bits ? wanted->input_bits : 8;
	spec.input_zero = wanted->zero;
	spec.input_scale = 0.5f;
	spec.input_chw = wanted->chw;
	spec.layers = &layer;
	assert_int_equal(pbit_model_create(&spec, &model), 0);
	free(weights);
	free(wide);
	free(scale);
	free(bias);
	return model;
}

/* A model, up to 3 devices, a session on them, a result, and images of TEST_INPUTS codes. */
struct rig {
	struct pbit_model *model;
	struct mock mocks[3];
	struct pbit_session *session;
	struct pbit_result *result;
	unsigned char *codes;
	struct pbit_input input;
	struct pbit_run_opts opts;
	uint32_t n_devices;
};

static inline void rig_open(struct rig *rig)
{
	struct pbit_device *devices[3] = {&rig->mocks[0].dev, &rig->mocks[1].dev,
					  &rig->mocks[2].dev};

	assert_int_equal(pbit_session_new(rig->model, devices, rig->n_devices, &rig->session), 0);
}

static inline void rig_make(struct rig *rig, const struct test_model *wanted, uint32_t n_devices,
			    uint64_t n_images)
{
	memset(rig, 0, sizeof(*rig));
	rig->model = test_model_make(wanted);
	rig->n_devices = n_devices;
	for (unsigned int i = 0; i < 3; i++)
		mock_init(&rig->mocks[i], i, wanted->n_outputs);
	rig_open(rig);
	assert_int_equal(pbit_result_new(&rig->result), 0);
	rig->codes = malloc(n_images * TEST_INPUTS + 1);
	assert_non_null(rig->codes);
	for (size_t i = 0; i < n_images * TEST_INPUTS; i++)
		rig->codes[i] = (unsigned char)mock_hash(i);
	rig->input = (struct pbit_input)PBIT_INIT(rig->input);
	rig->input.format = PBIT_INPUT_U8;
	rig->input.data = rig->codes;
	rig->input.n_images = n_images;
	rig->input.n_values = TEST_INPUTS;
	rig->opts = (struct pbit_run_opts)PBIT_INIT(rig->opts);
	rig->opts.samples = 32;
	rig->opts.seed = 11;
}

static inline void rig_free(struct rig *rig)
{
	pbit_session_free(rig->session);
	pbit_result_free(rig->result);
	pbit_model_put(rig->model);
	free(rig->codes);
	for (unsigned int i = 0; i < 3; i++)
		mock_destroy(&rig->mocks[i]);
}

static inline int rig_run(struct rig *rig)
{
	return pbit_session_run(rig->session, &rig->input, &rig->opts, rig->result);
}

#endif
