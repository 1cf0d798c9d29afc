/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, opening and asking devices; requests for layers checked before a backend sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pbit/backend.h>
#include "../plugins/folder.h"

static struct pbit_open_opts opts;

static struct pbit_device *open_device(const char *uri)
{
	struct pbit_device *dev;

	if (pbit_open(uri, &opts, &dev))
		fail_msg("%s: %s: %s", uri, pbit_last_error()->what, pbit_last_error()->why);
	return dev;
}

/* A 6-5-3 network: p-bits, then a linear read-out, 4-bit weights. */
static struct pbit_model *new_model(uint32_t input_bits)
{
	static const int8_t weights[5 * 6] = {1, -2, 3, 4, -5, 6, 7};
	static const float one = 1;
	struct pbit_layer_spec layers[2] = {PBIT_INIT(layers[0]), PBIT_INIT(layers[1])};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	struct pbit_model *model = NULL;

	for (int i = 0; i < 2; i++) {
		layers[i].type = PBIT_DENSE;
		layers[i].activation = i ? PBIT_ACT_LINEAR : PBIT_ACT_PBIT;
		layers[i].encoding = PBIT_BIPOLAR;
		layers[i].n_out = i ? 3 : 5;
		layers[i].weight_bits = 4;
		layers[i].n_scale = 1;
		layers[i].scale = &one;
		layers[i].weights = weights;
	}
	layers[1].name = "read-out";
	spec.n_layers = 2;
	spec.name = "small";
	spec.in = (struct pbit_shape){6, 1, 1};
	spec.input_bits = input_bits;
	spec.input_scale = 1;
	spec.layers = layers;
	if (pbit_model_create(&spec, &model))
		fail_msg("%s: %s", pbit_last_error()->what, pbit_last_error()->why);
	return model;
}

struct found_list {
	char uri[32][128];
	int32_t status[32];
	int n, stop_after;
};

static int keep_found(const struct pbit_found *found, void *user)
{
	struct found_list *list = user;

	assert_true(list->n < 32);
	assert_int_equal(found->struct_size, sizeof(*found));
	assert_non_null(found->description);
	assert_true(found->backend && *found->backend);
	assert_int_equal(!found->status, !*found->reason);
	snprintf(list->uri[list->n], sizeof(list->uri[0]), "%s", found->uri);
	list->status[list->n++] = found->status;
	return list->n == list->stop_after;
}

static void test_scan(void **state)
{
	struct found_list list = {.n = 0};
	struct pbit_device *dev;
	int n;

	(void)state;
	pbit_clear_error();
	/* The stand-in reports two devices, then fails: the two stay, nothing else is disturbed. */
	assert_int_equal(pbit_scan("good", &opts, keep_found, &list), 2);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.uri[0], "good:b");
	assert_int_equal(list.status[0], -EACCES);
	assert_string_equal(list.uri[1], "good:a");
	assert_int_equal(pbit_last_error()->code, 0);
	dev = open_device(list.uri[1]);
	pbit_close(dev);
	/* It cannot scan: no device, no failure. */
	assert_int_equal(pbit_scan("oldtable", &opts, keep_found, &list), 0);

	list = (struct found_list){.n = 0};
	n = pbit_scan(NULL, &opts, keep_found, &list);
	assert_int_equal(n, list.n);
	assert_true(list.n >= 3);
	for (int i = 0; i < list.n; i++)
		if (!list.status[i])
			pbit_close(open_device(list.uri[i]));
	list = (struct found_list){.stop_after = 1};
	assert_int_equal(pbit_scan(NULL, &opts, keep_found, &list), 1);
	assert_int_equal(list.n, 1);
	list = (struct found_list){.stop_after = 1};
	assert_int_equal(pbit_scan("good", &opts, keep_found, &list), 1);

	assert_int_equal(pbit_scan("nowhere", &opts, keep_found, &list), -ENOENT);
	assert_int_equal(pbit_scan("newerminor", &opts, keep_found, &list), -EPROTO);
	assert_int_equal(pbit_scan("good:", &opts, keep_found, &list), -EINVAL);
	assert_int_equal(pbit_scan("", &opts, keep_found, &list), -EINVAL);
	assert_int_equal(pbit_scan(NULL, &opts, NULL, NULL), -EINVAL);
}

static void test_best_device(void **state)
{
	struct pbit_open_opts builtin_only = PBIT_INIT(builtin_only);
	struct pbit_device *dev;

	(void)state;
	unsetenv("PBIT_URI");
	/* An emulator's rank comes before software's; its first device is denied, its second answers. */
	pbit_clear_error();
	dev = open_device(NULL);
	assert_string_equal(pbit_device_uri(dev), "good:a");
	assert_int_equal(pbit_last_error()->code, 0);
	pbit_close(dev);
	builtin_only.backend_path = "";
	assert_int_equal(pbit_open(NULL, &builtin_only, &dev), 0);
	assert_memory_equal(pbit_device_uri(dev), "software:", 9);
	pbit_close(dev);
	setenv("PBIT_URI", "good:named", 1);
	dev = open_device(NULL);
	assert_string_equal(pbit_device_uri(dev), "good:named");
	pbit_close(dev);
	setenv("PBIT_URI", "nonsense", 1);
	assert_int_equal(pbit_open(NULL, &opts, &dev), -EINVAL);
	assert_string_equal(pbit_last_error()->where, "nonsense");
	setenv("PBIT_URI", "", 1);
	dev = open_device(NULL);
	assert_string_equal(pbit_device_uri(dev), "good:a");
	pbit_close(dev);
	unsetenv("PBIT_URI");
}

static void test_caps_sizes(void **state)
{
	struct pbit_device *dev = open_device("good:pbits=77");
	struct {
		struct pbit_caps caps;
		uint64_t beyond;
	} big;
	struct pbit_caps caps;

	(void)state;
	memset(&caps, 0xff, sizeof(caps));
	caps.struct_size = offsetof(struct pbit_caps, name);
	assert_int_equal(pbit_get_caps(dev, &caps), 0);
	assert_int_equal(caps.stated, PBIT_CAP_PBITS);
	assert_int_equal((unsigned char)caps.name[0], 0xff);
	caps.struct_size = 12;
	assert_int_equal(pbit_get_caps(dev, &caps), -EINVAL);
	memset(&big, 0xff, sizeof(big));
	big.caps.struct_size = sizeof(big);
	assert_int_equal(pbit_get_caps(dev, &big.caps), 0);
	assert_int_equal(big.caps.pbits, 77);
	assert_int_equal(big.caps.struct_size, sizeof(big));
	assert_int_equal(big.beyond, 0);
	assert_int_equal(pbit_get_caps(dev, NULL), -EINVAL);
	assert_int_equal(pbit_get_caps(NULL, &caps), -EINVAL);
	pbit_close(dev);
}

/* A request that is right for the whole model; tests then make it wrong. */
static struct pbit_layers_req whole_request(const unsigned char *codes, int64_t *raw, int64_t *sum)
{
	struct pbit_layers_req req = PBIT_INIT(req);

	req.code_bytes = 1;
	req.codes = codes;
	req.code_stride = 6;
	req.n_images = 2;
	req.n_samples = 3;
	req.seed = 4;
	req.first_image = 10;
	req.first_sample = 20;
	req.out_raw = raw;
	req.out_sum = sum;
	return req;
}

static void test_run_reaches_the_backend(void **state)
{
	static const unsigned char codes[12] = {1, 0, 0, 0, 0, 0, 2};
	int64_t raw[2 * 3 * 3], sum[2 * 3];
	struct pbit_device *dev = open_device("good:");
	struct pbit_model *model = new_model(8);
	struct pbit_layers_req req = whole_request(codes, raw, sum);

	(void)state;
	for (int round = 0; round < 2; round++) {
		memset(raw, 0, sizeof(raw));
		assert_int_equal(pbit_run_layers(dev, model, 0, 2, &req), 0);
		for (int image = 0; image < 2; image++)
			for (int o = 0; o < 3; o++) {
				int64_t total = 0;

				for (int s = 0; s < 3; s++) {
					int64_t value = 1000 * (10 + image) + 100 * (20 + s) +
							10 * o + codes[6 * image] + 4;

					assert_int_equal(raw[(image * 3 + s) * 3 + o], value);
					total += value;
				}
				assert_int_equal(sum[image * 3 + o], total);
			}
	}
	/* The older, shorter request. */
	req.struct_size = offsetof(struct pbit_layers_req, out_sum) + sizeof(req.out_sum);
	req.image_numbers = (const uint64_t *)8;
	assert_int_equal(pbit_run_layers(dev, model, 0, 2, &req), 0);
	pbit_close(dev);

	/* After a failure the model is unloaded and the device stays usable. */
	dev = open_device("good:run-error=5");
	req = whole_request(codes, raw, sum);
	assert_int_equal(pbit_run_layers(dev, model, 0, 2, &req), -EIO);
	assert_int_equal(pbit_run_layers(dev, model, 0, 2, &req), -EIO);
	pbit_close(dev);
	pbit_model_put(model);
}

static void test_wrong_requests(void **state)
{
	static const uint16_t codes[12] = {1};
	int64_t raw[18], sum[6];
	uint64_t bits[6] = {31, 31, 31, 31, 31, 31};
	struct pbit_device *dev = open_device("good:");
	struct pbit_model *model = new_model(8), *wide = new_model(16);
	const struct pbit_layers_req right = whole_request((const unsigned char *)codes, raw, sum);
	struct pbit_layers_req req = right;

#define REFUSED(mod, first, n, expected)                                               \
	do {                                                                           \
		assert_int_equal(pbit_run_layers(dev, mod, first, n, &req), expected); \
		assert_int_equal(pbit_last_error()->code, expected);                   \
		req = right;                                                           \
	} while (0)
#define WRONG(member, value)                   \
	do {                                   \
		req.member = value;            \
		REFUSED(model, 0, 2, -EINVAL); \
	} while (0)

	(void)state;
	WRONG(struct_size, 8);
	WRONG(n_images, 0);
	WRONG(n_samples, 0);
	WRONG(codes, NULL);
	WRONG(code_bytes, 2);
	WRONG(code_bytes, 0);
	WRONG(code_stride, 5);
	WRONG(code_stride, 0);
	WRONG(code_stride, SIZE_MAX / 2 + 2);
	WRONG(in_bits, bits);
	WRONG(out_bits, bits); /* the range ends in a read-out */
	WRONG(first_image, UINT64_MAX);
	WRONG(first_sample, UINT64_MAX - 1);
	REFUSED(NULL, 0, 2, -EINVAL);
	REFUSED(model, 0, 0, -EINVAL);
	REFUSED(model, 0, 3, -EINVAL);
	REFUSED(model, 2, 1, -EINVAL);
	REFUSED(model, 1, UINT32_MAX, -EINVAL);
	assert_int_equal(pbit_run_layers(NULL, model, 0, 2, &req), -EINVAL);
	assert_int_equal(pbit_run_layers(dev, model, 0, 2, NULL), -EINVAL);

	/* 3 images of 2^32 - 1 samples and 3 outputs exceed no 64 bits, 2^32 images of them do. */
	req.n_images = UINT32_MAX;
	req.n_samples = UINT32_MAX;
	REFUSED(model, 0, 2, -EINVAL);

	/* Codes of 16 bits: their width and place. */
	REFUSED(wide, 0, 2, -EINVAL);
	req.code_bytes = 2;
	req.code_stride = 12;
	req.codes = (const char *)codes + 1;
	REFUSED(wide, 0, 2, -EINVAL);
	req.code_bytes = 2;
	req.code_stride = 13;
	REFUSED(wide, 0, 2, -EINVAL);
	req.code_bytes = 2;
	req.code_stride = 12;
	assert_int_equal(pbit_run_layers(dev, wide, 0, 2, &req), 0);
	/* The numbers given one by one need not follow each other. */
	req = right;
	req.first_image = UINT64_MAX;
	req.image_numbers = (const uint64_t[]){5, 1};
	assert_int_equal(pbit_run_layers(dev, model, 0, 2, &req), 0);

	/* Behind layer 0: bits, and none past the state of 5. */
	req = right;
	REFUSED(model, 1, 1, -EINVAL);
	req.codes = NULL;
	REFUSED(model, 1, 1, -EINVAL);
	req.codes = NULL;
	req.in_bits = bits;
	assert_int_equal(pbit_run_layers(dev, model, 1, 1, &req), 0);
	bits[5] |= 32;
	assert_int_equal(pbit_run_layers(dev, model, 1, 1, &req), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "image 1, sample 2"));
	/* A range that ends in p-bits has bits. */
	req = right;
	req.out_raw = req.out_sum = NULL;
	req.out_bits = bits;
	assert_int_equal(pbit_run_layers(dev, model, 0, 1, &req), 0);
	pbit_close(dev);
	pbit_model_put(model);
	pbit_model_put(wide);
#undef WRONG
#undef REFUSED
}

static void test_stated_limits(void **state)
{
	static const struct {
		const char *uri;
		int code;
		const char *words;
	} cases[] = {
		{"good:fan-in=6,pbits=5,batch=2,weight-bits=8,types=1,activations=3", 0, ""},
		{"good:flags=0x81,fan-in=5", -E2BIG,
		 "layer 0 has a fan-in of 6, device states at most 5"},
		{"good:flags=0x81,pbits=4", -E2BIG, "layer 0 has a number of outputs of 5"},
		{"good:batch=1", -E2BIG, "2 images, device states a batch of at most 1"},
		{"good:flags=0x81,memory=1", -E2BIG, "device states a memory of 1"},
		{"good:flags=0x81,weight-bits=0x83", -EOPNOTSUPP,
		 "weights of 4 bits, device states 1, 2, 8"},
		{"good:flags=0x81,types=2", -EOPNOTSUPP, "layer 0 is of type dense"},
		{"good:flags=0x81,activations=1", -EOPNOTSUPP,
		 "layer 1 (read-out) has the activation linear"},
		{"good:flags=0", -EOPNOTSUPP, "does not run the layers"},
		{"good:flags=1", -EOPNOTSUPP, "sums over samples, not each sample"},
		{"good:fan-in=5", 0, ""}, /* its layers do not do, its Boltzmann mode does */
		{"good:flags=2", 0, ""},  /* a Boltzmann machine: the layers are lowered */
		{"oldtable:", 0, ""},
	};
	static const unsigned char codes[12] = {0};
	int64_t raw[18], sum[6];
	struct pbit_model *model = new_model(8);
	struct pbit_layers_req req = whole_request(codes, raw, sum);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pbit_device *dev = open_device(cases[i].uri);
		int rc;

		pbit_clear_error();
		rc = pbit_run_layers(dev, model, 0, 2, &req);
		if (rc != cases[i].code || !strstr(pbit_last_error()->why, cases[i].words))
			fail_msg("%s: %d, \"%s\"", cases[i].uri, rc, pbit_last_error()->why);
		if (rc) {
			assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_LIMIT);
			assert_string_equal(pbit_last_error()->where, pbit_device_uri(dev));
		}
		pbit_close(dev);
	}
	pbit_model_put(model);
}

/* What a thread returns where something was wrong. */
static void *complain(const char *text)
{
	return (void *)(uintptr_t)text;
}

struct shared {
	struct pbit_device *dev;
	struct pbit_model *model;
};

static void *run_and_ask(void *arg)
{
	static const unsigned char codes[12] = {0};
	struct shared *shared = arg;
	struct pbit_caps caps = PBIT_INIT(caps);
	int64_t raw[18], sum[6];
	struct pbit_layers_req req = whole_request(codes, raw, sum);

	for (int i = 0; i < 50; i++) {
		/* The stand-in refuses a second model before the first is unloaded. */
		if (pbit_run_layers(shared->dev, shared->model, 0, 2, &req))
			return complain("run failed");
		if (pbit_get_caps(shared->dev, &caps) || caps.serial[0] != '0')
			return complain("capabilities failed");
	}
	return NULL;
}

static void test_calls_are_serialised(void **state)
{
	struct shared shared = {open_device("good:"), new_model(8)};
	pthread_t threads[4];
	void *complaint;

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, run_and_ask, &shared);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &complaint);
		assert_null(complaint);
	}
	pbit_close(shared.dev);
	pbit_model_put(shared.model);
}

/* Closing gives back the machine that was programmed: valgrind and the address sanitizer see it. */
static void test_close_programmed(void **state)
{
	struct pbit_device *dev = open_device("oldtable:");
	struct pbit_bm *bm;
	uint64_t word = 0, mask = 4, value = 4;

	(void)state;
	assert_int_equal(pbit_bm_new(8, &bm), 0);
	assert_int_equal(pbit_bm_set_bias(bm, 1, 0.5), 0);
	assert_int_equal(pbit_program(dev, bm, 0, 1), 0);
	pbit_bm_put(bm);
	assert_int_equal(pbit_clamp(dev, &mask, &value), 0);
	assert_int_equal(pbit_update(dev, 1, 1), 0);
	assert_int_equal(pbit_read(dev, &word), 0);
	assert_int_equal(word, 6);
	pbit_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_best_device),
		cmocka_unit_test(test_caps_sizes),
		cmocka_unit_test(test_run_reaches_the_backend),
		cmocka_unit_test(test_wrong_requests),
		cmocka_unit_test(test_stated_limits),
		cmocka_unit_test(test_calls_are_serialised),
		cmocka_unit_test(test_close_programmed),
	};

	opts = (struct pbit_open_opts)PBIT_INIT(opts);
	opts.backend_path = plugin_folder();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
