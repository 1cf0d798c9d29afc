/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bit by bit: layers of every kind and many sizes on the device in PBIT_TEST_URI against the reference.
 * Whole networks and parts of them, from codes and from bits. Nothing here is left to chance: a
 * device that follows the contract never fails. One that does not draw as CONTRACT.md says is run
 * through the same requests, and its sums are checked against its samples.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "random_model.h"
#include "reference.h"

/* Multiply-accumulates of one run, at most: the reference does some hundred million per second. */
#define BUDGET 10000000u

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct subject subject;

static const uint32_t widths[] = {1, 2, 4, 8, 32};
static const uint32_t sample_counts[] = {1, 2, 3, 10, 17};
static const uint32_t image_counts[] = {1, 2, 5, 33};
static const float betas[] = {1, 0.5f, 2, 1.37f};

/* The choices that a grid does not enumerate come from here, a new one each time. */
static uint64_t choice;

static uint32_t choose(uint32_t n)
{
	return random_below(&choice, n);
}

static uint64_t work_of(const struct pbit_model *model, uint32_t first, uint32_t n)
{
	uint64_t work = 1;
	uint32_t i;

	for (i = first; i < first + n; i++) {
		const struct pbit_layer *layer = pbit_model_layer(model, i);
		uint64_t fan_in = layer->type == PBIT_MAXPOOL ? layer->kernel_h * layer->kernel_w
							      : layer->k_padded;

		/* A draw costs the reference as much as 64 inputs. */
		work += reference_outputs(layer) * (fan_in + 64);
	}
	return work;
}

/* Compares layers first ... first + n - 1 on random inputs, numbers of images and samples. */
static void compare(struct pbit_model *model, uint32_t first, uint32_t n, const char *name)
{
	struct trial trial = {.model = model, .first = first, .n = n, .name = name};
	uint64_t most = BUDGET / work_of(model, first, n);

	trial.samples = sample_counts[choose(COUNT(sample_counts))];
	trial.images = image_counts[choose(COUNT(image_counts))];
	while ((uint64_t)trial.images * trial.samples > most && trial.images * trial.samples > 2)
		if (trial.images > trial.samples)
			trial.images = trial.images / 2;
		else
			trial.samples = trial.samples / 2 + (trial.samples == 3);
	trial.seed = random_next(&choice);
	trial.first_image = choose(4) ? choose(1000) : random_next(&choice) >> 1;
	trial.first_sample = choose(4) ? choose(1000) : random_next(&choice) >> 1;
	trial.input_seed = random_next(&choice);
	subject_compare(&subject, &trial);
}

static struct random_net net_of_codes(struct pbit_shape in)
{
	struct random_net net = {.in = in, .n_layers = 1};

	net.input_bits = choose(3) ? 8 : 16;
	net.input_zero = choose(2) ? choose(1u << net.input_bits) : 0;
	net.input_scale = net.input_bits == 8 ? 0.0117f : 0.0000431f;
	return net;
}

/* What the grids leave open. */
static void vary(struct random_layer *layer)
{
	layer->encoding = choose(2);
	layer->row_scales = choose(2);
	layer->beta = betas[choose(COUNT(betas))];
}

static struct pbit_model *new_model(const struct random_net *net, const char *name)
{
	struct pbit_model *model = NULL;
	char text[512];

	if (random_model(net, random_next(&choice), &model)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s: %s", name, text);
	}
	return model;
}

static void run_model(const struct random_net *net, uint32_t first, uint32_t n, const char *name)
{
	struct pbit_model *model = new_model(net, name);

	compare(model, first, n, name);
	pbit_model_put(model);
}

/* fan_in x outputs on codes, and on the bits of a layer before. */
static void dense_pair(uint32_t fan_in, uint32_t outputs, uint32_t width)
{
	struct random_net net = net_of_codes((struct pbit_shape){fan_in, 1, 1});
	char name[96];

	snprintf(name, sizeof(name), "dense %u x %u, %u-bit weights", fan_in, outputs, width);
	net.layers[0] = random_dense(outputs, width, PBIT_BIPOLAR);
	vary(&net.layers[0]);
	run_model(&net, 0, 1, name);

	net.in.channels = 3;
	net.n_layers = 2;
	net.layers[1] = net.layers[0];
	vary(&net.layers[1]);
	net.layers[0] = random_dense(fan_in, 8, choose(2));
	run_model(&net, 1, 1, name);
}

static void test_dense(void **state)
{
	static const uint32_t fan_ins[] = {1, 31, 32, 33, 100, 784};
	static const uint32_t outputs[] = {1, 10, 15, 16, 17, 33, 128, 200};
	size_t f, o, w;

	(void)state;
	for (f = 0; f < COUNT(fan_ins); f++)
		for (o = 0; o < COUNT(outputs); o++)
			for (w = 0; w < COUNT(widths); w++)
				dense_pair(fan_ins[f], outputs[o], widths[w]);
}

/* Every pair of encodings at every width, on bits. */
static void test_encodings(void **state)
{
	uint32_t in, out, w, row_scales;

	(void)state;
	for (in = 0; in < 2; in++)
		for (out = 0; out < 2; out++)
			for (w = 0; w < COUNT(widths); w++)
				for (row_scales = 0; row_scales < 2; row_scales++) {
					struct random_net net =
						net_of_codes((struct pbit_shape){20, 1, 1});

					net.n_layers = 2;
					net.layers[0] = random_dense(75, 4, in);
					net.layers[1] = random_dense(40, widths[w], out);
					net.layers[1].row_scales = row_scales;
					net.layers[1].beta = betas[choose(COUNT(betas))];
					run_model(&net, 0, 2, "pair of encodings");
				}
}

/* A map of bits comes from a 1 x 1 convolution before. */
static void conv_pair(uint32_t kernel, uint32_t stride, uint32_t pad, uint32_t channels,
		      uint32_t width)
{
	static const uint32_t outs[] = {1, 5, 16, 17, 33};
	struct random_net net = net_of_codes((struct pbit_shape){channels, 7, 6});
	char name[96];

	snprintf(name, sizeof(name), "conv %ux%u, stride %u, padding %u, %u channels, %u-bit",
		 kernel, kernel, stride, pad, channels, width);
	net.layers[0] = random_conv(outs[choose(COUNT(outs))], kernel, stride, pad, width, 0);
	vary(&net.layers[0]);
	run_model(&net, 0, 1, name);

	net.in.channels = 2;
	net.n_layers = 2;
	net.layers[1] = net.layers[0];
	vary(&net.layers[1]);
	net.layers[0] = random_conv(channels, 1, 1, 0, 8, choose(2));
	run_model(&net, 1, 1, name);
}

static void test_conv(void **state)
{
	static const uint32_t kernels[] = {1, 3, 5};
	static const uint32_t channels[] = {1, 3, 31, 32, 33, 64};
	uint32_t k, stride, pad, c, w = 0;

	(void)state;
	for (k = 0; k < COUNT(kernels); k++)
		for (stride = 1; stride <= 2; stride++)
			for (pad = 0; pad <= 2; pad++)
				for (c = 0; c < COUNT(channels); c++)
					conv_pair(kernels[k], stride, pad, channels[c],
						  widths[w++ % COUNT(widths)]);
}

/* Kernels, strides and padding that differ between rows and columns. */
static void test_conv_oblong(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 40; i++) {
		struct random_net net = net_of_codes((struct pbit_shape){1 + choose(40), 4, 9});
		struct random_layer *layer;

		net.n_layers = 1 + i % 2;
		net.layers[0] = random_conv(1 + choose(40), 1, 1, 0, 8, choose(2));
		layer = &net.layers[i % 2];
		*layer = random_conv(1 + choose(20), 1, 1, 0, widths[i % COUNT(widths)], 0);
		vary(layer);
		layer->kernel_h = 1 + choose(4);
		layer->kernel_w = 1 + choose(6);
		layer->stride_h = 1 + choose(3);
		layer->stride_w = 1 + choose(3);
		layer->pad_h = choose(3);
		layer->pad_w = choose(3);
		run_model(&net, i % 2, 1, "oblong conv");
	}
}

static void test_pool(void **state)
{
	static const uint32_t channels[] = {1, 3, 31, 32, 33, 64};
	uint32_t c, kernel, stride;

	(void)state;
	for (c = 0; c < COUNT(channels); c++)
		for (kernel = 1; kernel <= 3; kernel++)
			for (stride = 1; stride <= 3; stride++) {
				struct random_net net = net_of_codes((struct pbit_shape){2, 7, 6});

				net.n_layers = 2;
				net.layers[0] = random_conv(channels[c], 3, 1, 1, 4, 0);
				vary(&net.layers[0]);
				net.layers[1] = random_pool(kernel, stride);
				run_model(&net, 1, 1, "max-pool alone");
				run_model(&net, 0, 2, "max-pool behind conv");
			}
}

/* The last layer gives numbers: dense and conv2d, on codes and on bits, every width. */
static void test_readouts(void **state)
{
	uint32_t activation, w, kind, on_bits;

	(void)state;
	for (activation = PBIT_ACT_PBIT; activation <= PBIT_ACT_SIGMOID; activation++)
		for (w = 0; w < COUNT(widths); w++)
			for (kind = 0; kind < 2; kind++)
				for (on_bits = 0; on_bits < 2; on_bits++) {
					struct random_net net =
						net_of_codes((struct pbit_shape){3, 5, 6});
					struct random_layer *last = &net.layers[on_bits];

					net.n_layers = 1 + on_bits;
					net.layers[0] = random_conv(35, 3, 1, 1, 4, choose(2));
					*last = kind ? random_conv(19, 3, 2, 1, widths[w], 0)
						     : random_dense(10, widths[w], 0);
					vary(last);
					last->activation = activation;
					run_model(&net, 0, net.n_layers, "read-out");
				}
}

/* Every range of layers of a deep network. */
static void compare_ranges(const struct random_net *net, const char *name)
{
	struct pbit_model *model = new_model(net, name);
	uint32_t first, n;

	for (first = 0; first < net->n_layers; first++)
		for (n = 1; n <= net->n_layers - first; n++)
			compare(model, first, n, name);
	pbit_model_put(model);
}

static void test_dense_stacks(void **state)
{
	static const uint32_t sizes[] = {1, 15, 33, 64, 100, 129};
	uint32_t i, depth;

	(void)state;
	for (depth = 2; depth <= 4; depth++) {
		struct random_net net = net_of_codes((struct pbit_shape){50, 1, 1});

		net.n_layers = depth;
		for (i = 0; i < depth; i++) {
			net.layers[i] = random_dense(sizes[choose(COUNT(sizes))],
						     widths[choose(COUNT(widths))], 0);
			vary(&net.layers[i]);
		}
		net.layers[depth - 1].activation = depth % 3;
		compare_ranges(&net, "dense stack");
	}
}

static void test_conv_stacks(void **state)
{
	uint32_t i, activation;

	(void)state;
	for (activation = PBIT_ACT_PBIT; activation <= PBIT_ACT_SIGMOID; activation++) {
		struct random_net net = net_of_codes((struct pbit_shape){3, 12, 11});

		net.n_layers = 7;
		net.layers[0] = random_conv(20, 3, 1, 1, 8, 0);
		net.layers[1] = random_pool(2, 2);
		net.layers[2] = random_conv(33, 3, 1, 1, 1, 0);
		net.layers[3] = random_pool(3, 1);
		net.layers[4] = random_conv(40, 3, 2, 1, 2, 0);
		net.layers[5] = random_dense(50, 4, 0);
		net.layers[6] = random_dense(10, 8, 0);
		for (i = 0; i < net.n_layers; i++)
			if (net.layers[i].type != PBIT_MAXPOOL)
				vary(&net.layers[i]);
		net.layers[6].activation = activation;
		compare_ranges(&net, "conv stack");
	}
}

/* A map of one position has no rounded channels, whatever layer it came from. */
static void test_single_position(void **state)
{
	struct random_net net = net_of_codes((struct pbit_shape){3, 4, 4});

	(void)state;
	net.n_layers = 5;
	net.layers[0] = random_conv(33, 4, 1, 0, 4, PBIT_BINARY);
	net.layers[1] = random_conv(35, 1, 1, 0, 2, PBIT_BIPOLAR);
	net.layers[2] = random_conv(7, 3, 1, 1, 8, PBIT_BIPOLAR);
	net.layers[3] = random_pool(1, 1);
	net.layers[4] = random_dense(10, 1, PBIT_BINARY);
	compare_ranges(&net, "single position");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_conv),
		cmocka_unit_test(test_conv_oblong),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_readouts),
		cmocka_unit_test(test_dense_stacks),
		cmocka_unit_test(test_conv_stacks),
		cmocka_unit_test(test_single_position),
	};
	int rc = subject_open(&subject, NULL);

	if (rc)
		return rc;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	print_message("%llu runs compared%s, %llu refused\n", (unsigned long long)subject.runs,
		      subject.contract ? " bit by bit" : "", (unsigned long long)subject.refused);
	if (!subject.runs && !rc)
		rc = 77;
	subject_close(&subject);
	return rc;
}
