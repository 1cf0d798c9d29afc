/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same seed gives the same bits however the work is divided: split by images, by samples, by layers,
 * image by image in another order; with every kernel and number of threads of the software device. The
 * device in PBIT_TEST_URI is split; the kernels are compared where that is not set or is a
 * software device.
 */
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define IMAGES	     37
#define SAMPLES	     11

static struct subject subject;

/* 3 networks: dense with narrow weights, binary32 weights with 16-bit codes, convolutions. */
static struct pbit_model *network(uint32_t kind)
{
	struct random_net net = {.in = {100, 1, 1}, .input_bits = 8, .input_zero = 3};
	struct pbit_model *model = NULL;

	net.input_scale = 0.01f;
	net.n_layers = 3;
	net.layers[0] = random_dense(150, 4, PBIT_BIPOLAR);
	net.layers[1] = random_dense(97, 1, PBIT_BINARY);
	net.layers[2] = random_dense(10, 8, PBIT_BIPOLAR);
	if (kind == 1) {
		net.input_bits = 16;
		net.input_scale = 0.00005f;
		net.layers[0].weight_bits = 32;
		net.layers[1].weight_bits = 32;
		net.layers[1].row_scales = 1;
		net.layers[2].weight_bits = 2;
		net.layers[2].activation = PBIT_ACT_SIGMOID;
	} else if (kind == 2) {
		net.in = (struct pbit_shape){3, 9, 8};
		net.n_layers = 4;
		net.layers[0] = random_conv(33, 3, 1, 1, 8, PBIT_BIPOLAR);
		net.layers[1] = random_pool(2, 2);
		net.layers[2] = random_conv(20, 3, 1, 1, 2, PBIT_BINARY);
		net.layers[3] = random_dense(10, 4, PBIT_BIPOLAR);
		net.layers[3].activation = PBIT_ACT_LINEAR;
	}
	assert_int_equal(random_model(&net, kind + 7, &model), 0);
	return model;
}

static struct trial trial_of(struct pbit_model *model)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct trial trial = {.model = model, .images = IMAGES, .samples = SAMPLES};

	assert_int_equal(pbit_model_info(model, &info), 0);
	trial.n = info.n_layers;
	trial.seed = 0xfeedfacecafebeefu;
	trial.first_image = 1000;
	trial.first_sample = 50;
	trial.input_seed = 5;
	trial.name = "division of the work";
	return trial;
}

/* Runs images i ... i + n - 1, samples s ... s + m - 1 of `whole` into their places of its arrays. */
static void run_part(const struct trial *trial, const struct request *whole, uint32_t i, uint32_t n,
		     uint32_t s, uint32_t m)
{
	size_t outputs = whole->sum / trial->images;
	size_t words = whole->bits / trial->images / trial->samples, k, row;
	struct trial part = *trial;
	struct request request;
	uint32_t a, b;

	part.images = n;
	part.samples = m;
	part.first_image += i;
	part.first_sample += s;
	part.name = "part";
	request_new(&request, &part);
	request.req.codes = (const uint8_t *)whole->req.codes + i * whole->req.code_stride;
	assert_true(subject_run(&subject, &part, &request));
	for (a = 0; a < n; a++) {
		for (k = 0; k < outputs; k++)
			whole->req.out_sum[(i + a) * outputs + k] +=
				request.req.out_sum[a * outputs + k];
		for (b = 0; b < m; b++) {
			row = (size_t)(i + a) * trial->samples + s + b;
			if (request.req.out_raw)
				memcpy(whole->req.out_raw + row * outputs,
				       request.req.out_raw + ((size_t)a * m + b) * outputs,
				       outputs * sizeof(int64_t));
			if (request.req.out_bits)
				memcpy(whole->req.out_bits + row * words,
				       request.req.out_bits + ((size_t)a * m + b) * words,
				       words * sizeof(uint64_t));
		}
	}
	request_free(&request);
}

/* In parts of so many images and samples; the reference is the run in one piece. */
static void check_division(const struct trial *trial, const struct request *expected,
			   uint32_t images, uint32_t samples)
{
	struct request whole;
	uint32_t i, s;

	request_new(&whole, trial);
	memset(whole.req.out_sum, 0, whole.sum * sizeof(int64_t));
	for (i = 0; i < trial->images; i += images)
		for (s = 0; s < trial->samples; s += samples) {
			uint32_t n = images < trial->images - i ? images : trial->images - i;
			uint32_t m = samples < trial->samples - s ? samples : trial->samples - s;

			run_part(trial, &whole, i, n, s, m);
		}
	if (!expected->req.out_raw) {
		free(whole.req.out_raw);
		free(whole.req.out_bits);
		whole.req.out_raw = NULL;
		whole.req.out_bits = NULL;
	}
	request_assert_same(&whole, expected, trial);
	request_free(&whole);
}

static void test_divisions(void **state)
{
	static const uint32_t images[] = {IMAGES, 1, 8, 16, 36};
	static const uint32_t samples[] = {SAMPLES, 1, 4, 10};
	uint32_t kind;
	size_t i, s;

	(void)state;
	if (!subject.contract)
		skip();
	for (kind = 0; kind < 3; kind++) {
		struct trial trial = trial_of(network(kind));
		struct request expected;

		request_new(&expected, &trial);
		if (subject_run(&subject, &trial, &expected))
			for (i = 0; i < COUNT(images); i++)
				for (s = 0; s < COUNT(samples); s++)
					check_division(&trial, &expected, images[i], samples[s]);
		request_free(&expected);
		pbit_model_put(trial.model);
	}
}

/* Layer by layer, each on the bits of the one before, gives what the whole network does. */
static void test_layer_by_layer(void **state)
{
	uint32_t kind, i;

	(void)state;
	if (!subject.contract || !(subject.caps.flags & PBIT_FLAG_REPORTS))
		skip();
	for (kind = 0; kind < 3; kind++) {
		struct trial whole = trial_of(network(kind)), step = whole;
		struct request expected, last = {.input = NULL};

		request_new(&expected, &whole);
		if (!subject_run(&subject, &whole, &expected)) {
			request_free(&expected);
			pbit_model_put(whole.model);
			continue;
		}
		step.n = 1;
		for (i = 0; i < whole.n; i++) {
			struct request now;

			step.first = i;
			request_new(&now, &step);
			if (i) {
				assert_int_equal(now.inputs, last.bits);
				now.req.in_bits = last.req.out_bits;
			}
			assert_true(subject_run(&subject, &step, &now));
			request_free(&last);
			last = now;
		}
		request_assert_same(&last, &expected, &whole);
		request_free(&last);
		request_free(&expected);
		pbit_model_put(whole.model);
	}
}

/* A second run on the same handle, after another model, repeats the first. */
static void test_repeat(void **state)
{
	struct trial a = trial_of(network(0)), b = trial_of(network(2));
	struct request first, other, again;

	(void)state;
	if (!(subject.caps.flags & PBIT_FLAG_SEEDABLE))
		skip();
	request_new(&first, &a);
	request_new(&other, &b);
	request_new(&again, &a);
	if (subject_run(&subject, &a, &first)) {
		(void)subject_run(&subject, &b, &other);
		assert_true(subject_run(&subject, &a, &again));
		request_assert_same(&again, &first, &a);
	}
	request_free(&first);
	request_free(&other);
	request_free(&again);
	pbit_model_put(a.model);
	pbit_model_put(b.model);
}

/* Opens a variant of the software device; false where this processor does not run it. */
static bool open_variant(const char *uri, struct subject *variant)
{
	char text[512];
	int rc;

	memset(variant, 0, sizeof(*variant));
	variant->caps.struct_size = sizeof(variant->caps);
	rc = pbit_open(uri, NULL, &variant->dev);
	if (rc == -EOPNOTSUPP && !strstr(uri, "portable"))
		return false;
	if (rc) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s: %d, %s", uri, rc, text);
	}
	assert_int_equal(pbit_get_caps(variant->dev, &variant->caps), 0);
	assert_true(variant->caps.flags & PBIT_FLAG_CONTRACT);
	variant->contract = true;
	return true;
}

static void compare_variant(struct subject *variant, const struct trial *trial,
			    const struct request *expected)
{
	struct request got;

	request_new(&got, trial);
	assert_true(subject_run(variant, trial, &got));
	request_assert_same(&got, expected, trial);
	request_free(&got);
}

static void test_variants(void **state)
{
	static const char *const uris[] = {
		"software:kernel=portable,threads=1",
		"software:kernel=avx2,threads=1",
		"software:kernel=avx512,threads=1",
		"software:kernel=amx,threads=1",
		"software:kernel=portable,threads=2",
		"software:threads=1",
		"software:threads=2",
		"software:threads=3",
	};
	const char *judged = getenv("PBIT_TEST_URI");
	uint32_t kind, ran = 0;
	size_t u;

	(void)state;
	if (judged && strncmp(judged, "software:", 9))
		skip();
	for (u = 0; u < COUNT(uris); u++) {
		struct subject variant;

		if (!open_variant(uris[u], &variant)) {
			print_message("%s: not on this processor\n", uris[u]);
			continue;
		}
		for (kind = 0; kind < 3; kind++) {
			struct trial trial = trial_of(network(kind));
			struct request expected;

			trial.name = uris[u];
			request_new(&expected, &trial);
			assert_int_equal(
				reference_run_layers(trial.model, 0, trial.n, &expected.req), 0);
			compare_variant(&variant, &trial, &expected);
			request_free(&expected);
			pbit_model_put(trial.model);
		}
		ran++;
		subject_close(&variant);
	}
	print_message("%u of %zu variants of the software device ran\n", ran, COUNT(uris));
	assert_true(ran >= 2);
}

/* One image through layers so large that threads share each product. */
static void test_large(void **state)
{
	static const char *const uris[] = {"software:threads=2", "software:threads=3"};
	const char *judged = getenv("PBIT_TEST_URI");
	struct random_net net = {.in = {1500, 1, 1}, .input_bits = 8, .input_scale = 0.01f};
	struct pbit_model *model = NULL;
	struct subject one;
	struct trial trial;
	struct request expected;
	size_t u;

	(void)state;
	if (judged && strncmp(judged, "software:", 9))
		skip();
	net.n_layers = 3;
	net.layers[0] = random_dense(1500, 8, PBIT_BIPOLAR);
	net.layers[1] = random_dense(1510, 4, PBIT_BINARY);
	net.layers[2] = random_dense(10, 8, PBIT_BIPOLAR);
	assert_int_equal(random_model(&net, 3, &model), 0);
	trial = trial_of(model);
	trial.images = 1;
	trial.samples = 40;
	trial.name = "large layers";
	assert_true(open_variant("software:threads=1", &one));
	request_new(&expected, &trial);
	assert_true(subject_run(&one, &trial, &expected));
	for (u = 0; u < COUNT(uris); u++) {
		struct subject variant;

		assert_true(open_variant(uris[u], &variant));
		compare_variant(&variant, &trial, &expected);
		subject_close(&variant);
	}
	request_free(&expected);
	subject_close(&one);
	pbit_model_put(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_divisions), cmocka_unit_test(test_layer_by_layer),
		cmocka_unit_test(test_repeat),	  cmocka_unit_test(test_variants),
		cmocka_unit_test(test_large),
	};
	int rc = subject_open(&subject, NULL);

	if (rc)
		return rc;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	subject_close(&subject);
	return rc;
}
