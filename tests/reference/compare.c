/* SPDX-License-Identifier: Apache-2.0 */
/* A device against the reference: see compare.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "random_model.h"
#include "reference.h"

/* Behind each output, filled alike on both sides: what is written there shows. */
#define GUARD 16
#define UNSET 0xa5

int subject_open(struct subject *subject, const char *uri)
{
	char text[512];

	memset(subject, 0, sizeof(*subject));
	if (!uri)
		uri = getenv("PBIT_TEST_URI");
	subject->caps.struct_size = sizeof(subject->caps);
	if (pbit_open(uri ? uri : "software:threads=1", NULL, &subject->dev) ||
	    pbit_get_caps(subject->dev, &subject->caps)) {
		pbit_format_error(text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		pbit_close(subject->dev);
		return 1;
	}
	subject->contract = subject->caps.flags & PBIT_FLAG_CONTRACT;
	if (subject->caps.flags & PBIT_FLAG_LAYERS)
		return 0;
	fprintf(stderr, "%s has no layer mode: skipped\n", pbit_device_uri(subject->dev));
	pbit_close(subject->dev);
	return 77;
}

void subject_close(struct subject *subject)
{
	pbit_close(subject->dev);
	subject->dev = NULL;
}

static void *guarded(size_t elements)
{
	size_t bytes = (elements + GUARD) * sizeof(uint64_t);
	void *array = malloc(bytes);

	assert_non_null(array);
	memset(array, UNSET, bytes);
	return array;
}

static void random_bits(uint64_t *bits, const struct pbit_layer *layer, size_t states,
			uint64_t *random)
{
	uint32_t stride = reference_channel_stride(&layer->in, 1);
	size_t positions = (size_t)layer->in.height * layer->in.width;
	size_t words = reference_in_words(layer), s, p;
	uint32_t c;

	memset(bits, 0, states * words * sizeof(*bits));
	for (s = 0; s < states; s++) {
		/* From nearly empty to nearly full. */
		uint32_t density = 1 + random_below(random, 15);

		for (p = 0; p < positions; p++)
			for (c = 0; c < layer->in.channels; c++) {
				size_t at = p * stride + c;
				uint64_t bit = random_below(random, 16) < density;

				bits[s * words + at / 64] |= bit << at % 64;
			}
	}
}

static void random_codes(void *codes, uint32_t bytes, size_t n, uint64_t *random)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t code = random_below(random, 8) ? random_below(random, 1u << 8 * bytes)
							: random_below(random, 2) * 0xffff;

		if (bytes == 1)
			((uint8_t *)codes)[i] = (uint8_t)code;
		else
			((uint16_t *)codes)[i] = (uint16_t)code;
	}
}

static void new_input(struct request *request, const struct trial *trial,
		      const struct pbit_layer *layer)
{
	struct pbit_model_info info = PBIT_INIT(info);
	size_t states = (size_t)trial->images * trial->samples;
	uint64_t random = trial->input_seed;
	size_t n_inputs;

	assert_int_equal(pbit_model_info(trial->model, &info), 0);
	if (trial->first) {
		request->inputs = states * reference_in_words(layer);
		request->input = malloc(request->inputs * sizeof(uint64_t));
		assert_non_null(request->input);
		random_bits(request->input, layer, states, &random);
		request->req.in_bits = request->input;
		return;
	}
	n_inputs = info.n_inputs;
	request->req.code_bytes = info.input_bits / 8;
	request->inputs = n_inputs * trial->images;
	request->input = malloc(request->inputs * request->req.code_bytes);
	assert_non_null(request->input);
	random_codes(request->input, request->req.code_bytes, request->inputs, &random);
	request->req.codes = request->input;
	request->req.code_stride = n_inputs * request->req.code_bytes;
}

void request_new(struct request *request, const struct trial *trial)
{
	const struct pbit_layer *first = pbit_model_layer(trial->model, trial->first);
	const struct pbit_layer *last = pbit_model_layer(trial->model, trial->first + trial->n - 1);
	size_t states = (size_t)trial->images * trial->samples;

	assert_non_null(first);
	assert_non_null(last);
	memset(request, 0, sizeof(*request));
	request->req.struct_size = sizeof(request->req);
	new_input(request, trial, first);
	request->req.n_images = trial->images;
	request->req.n_samples = trial->samples;
	request->req.seed = trial->seed;
	request->req.first_image = trial->first_image;
	request->req.first_sample = trial->first_sample;
	request->req.image_numbers = trial->image_numbers;
	request->raw = states * reference_outputs(last);
	request->sum = trial->images * reference_outputs(last);
	request->req.out_raw = guarded(request->raw);
	request->req.out_sum = guarded(request->sum);
	if (last->type == PBIT_MAXPOOL || last->activation == PBIT_ACT_PBIT) {
		request->bits = states * reference_out_words(last);
		request->req.out_bits = guarded(request->bits);
	}
}

void request_free(struct request *request)
{
	free(request->input);
	free(request->req.out_raw);
	free(request->req.out_sum);
	free(request->req.out_bits);
}

/* Does the device say that it lacks a part of this? */
static bool outside_caps(const struct pbit_caps *caps, const struct trial *trial)
{
	uint32_t i;

	if ((caps->stated & PBIT_CAP_BATCH) && trial->images > caps->batch)
		return true;
	for (i = trial->first; i < trial->first + trial->n; i++) {
		const struct pbit_layer *layer = pbit_model_layer(trial->model, i);
		bool pool = layer->type == PBIT_MAXPOOL;

		if (caps->layer_types && !(caps->layer_types >> layer->type & 1))
			return true;
		if (!pool && caps->activations && !(caps->activations >> layer->activation & 1))
			return true;
		if (!pool && (caps->stated & PBIT_CAP_WEIGHT_BITS) &&
		    !(caps->weight_bits >> (layer->weight_bits - 1) & 1))
			return true;
		if (!pool && (caps->stated & PBIT_CAP_FAN_IN) && layer->fan_in > caps->fan_in)
			return true;
		if ((caps->stated & PBIT_CAP_PBITS) && reference_outputs(layer) > caps->pbits)
			return true;
		if ((caps->stated & PBIT_CAP_MEMORY) && layer->weights_size > caps->memory)
			return true;
	}
	return false;
}

bool subject_run(struct subject *subject, const struct trial *trial, struct request *request)
{
	char text[512];
	int rc;

	if (!(subject->caps.flags & PBIT_FLAG_REPORTS)) {
		free(request->req.out_bits);
		free(request->req.out_raw);
		request->req.out_bits = NULL;
		request->req.out_raw = NULL;
	}
	rc = pbit_run_layers(subject->dev, trial->model, trial->first, trial->n, &request->req);
	if ((rc == -EOPNOTSUPP || rc == -E2BIG) && outside_caps(&subject->caps, trial)) {
		subject->refused++;
		return false;
	}
	if (rc) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s: %d, %s", trial->name, rc, text);
	}
	return true;
}

static void assert_same(const char *what, const void *got, const void *expected, size_t n,
			const struct trial *trial)
{
	const uint64_t *a = got, *b = expected;
	size_t i;

	if (!a)
		return;
	for (i = 0; i < n + GUARD; i++)
		if (a[i] != b[i])
			fail_msg(
				"%s: layers %u+%u, %u images, %u samples: %s[%zu] of %zu is %#llx, "
				"expected %#llx%s",
				trial->name, trial->first, trial->n, trial->images, trial->samples,
				what, i, n, (unsigned long long)a[i], (unsigned long long)b[i],
				i < n ? "" : " (written past the end)");
}

void request_assert_same(const struct request *got, const struct request *expected,
			 const struct trial *trial)
{
	assert_same("out_bits", got->req.out_bits, expected->req.out_bits, got->bits, trial);
	assert_same("out_raw", got->req.out_raw, expected->req.out_raw, got->raw, trial);
	assert_same("out_sum", got->req.out_sum, expected->req.out_sum, got->sum, trial);
}

/* The sums are those of the samples, whatever their law. */
static void assert_consistent(const struct request *request, const struct trial *trial)
{
	size_t outputs = request->sum / trial->images, i, s, o;

	for (i = 0; request->req.out_raw && i < trial->images; i++)
		for (o = 0; o < outputs; o++) {
			int64_t sum = 0;

			for (s = 0; s < trial->samples; s++)
				sum += request->req.out_raw[(i * trial->samples + s) * outputs + o];
			if (sum != request->req.out_sum[i * outputs + o])
				fail_msg("%s: image %zu, output %zu: samples sum to %lld, out_sum "
					 "is %lld",
					 trial->name, i, o, (long long)sum,
					 (long long)request->req.out_sum[i * outputs + o]);
		}
}

void subject_compare(struct subject *subject, const struct trial *trial)
{
	struct request got, expected;

	request_new(&got, trial);
	request_new(&expected, trial);
	if (subject_run(subject, trial, &got)) {
		subject->runs++;
		assert_consistent(&got, trial);
		if (subject->contract) {
			assert_int_equal(reference_run_layers(trial->model, trial->first, trial->n,
							      &expected.req),
					 0);
			request_assert_same(&got, &expected, trial);
		}
	}
	request_free(&got);
	request_free(&expected);
}
