/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's own functions of the contract against the reference: random numbers, thresholds, weights,
 * state sizes, affine factors. A backend builds on these.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include <pbit/backend.h>
#include "random_model.h"
#include "reference.h"

static void test_threefry(void **state)
{
	uint64_t random = 1, key[4], counter[4], got[4], expected[4];
	int n, i;

	(void)state;
	for (n = 0; n < 10000; n++) {
		for (i = 0; i < 4; i++) {
			key[i] = random_next(&random);
			counter[i] = random_next(&random);
		}
		pbit_threefry(key, counter, got);
		reference_threefry(key, counter, expected);
		assert_memory_equal(got, expected, sizeof(got));
	}
}

static void test_draws(void **state)
{
	uint64_t random = 2;
	int n;

	(void)state;
	for (n = 0; n < 10000; n++) {
		uint64_t seed = random_next(&random), image = random_next(&random);
		uint64_t sample = random_next(&random), index = random_next(&random) >> n % 60;
		uint32_t layer = random_below(&random, 1024);

		assert_int_equal(pbit_draw_layer(seed, layer, image, sample, index),
				 reference_draw_layer(seed, layer, image, sample, index));
	}
}

/* Every 1,000th binary32 number, NaN and infinities among them. */
static void test_thresholds(void **state)
{
	uint64_t pattern;

	(void)state;
	for (pattern = 0; pattern <= UINT32_MAX; pattern += 997) {
		uint32_t bits = (uint32_t)pattern;
		float z;

		memcpy(&z, &bits, sizeof(z));
		assert_int_equal(pbit_threshold24(z), reference_threshold24(z));
	}
}

/* Positions that the packing added have no weight. */
static void check_weights(const struct pbit_layer *layer)
{
	uint32_t positions = layer->type == PBIT_CONV2D ? layer->kernel_h * layer->kernel_w
							: layer->in.height * layer->in.width;
	uint32_t o, k;

	for (o = 0; o <= layer->n_out; o++)
		for (k = 0; k <= layer->k_padded; k++) {
			bool counts = o < layer->n_out && k < positions * layer->in_stride &&
				      k % layer->in_stride < layer->in.channels;

			assert_true(pbit_layer_weight(layer, o, k) ==
				    (counts ? reference_weight(layer, o, k) : 0));
		}
}

/* Sum of the weights that count in a window of the kernel, k ascending. */
static double window_sum(const struct pbit_layer *layer, uint32_t o, const uint32_t window[4])
{
	uint32_t kernel_w = layer->type == PBIT_DENSE ? layer->in.width : layer->kernel_w;
	double R = 0;
	uint32_t ky, kx, c;

	for (ky = window[0]; ky < window[1]; ky++)
		for (kx = window[2]; kx < window[3]; kx++)
			for (c = 0; c < layer->in.channels; c++)
				R += reference_weight(layer, o,
						      (ky * kernel_w + kx) * layer->in_stride + c);
	return R;
}

static void check_affine(const struct pbit_model *model, uint32_t index,
			 const struct random_net *net)
{
	const struct pbit_layer *layer = pbit_model_layer(model, index);
	bool conv = layer->type == PBIT_CONV2D;
	uint32_t height = conv ? layer->kernel_h : layer->in.height;
	uint32_t width = conv ? layer->kernel_w : layer->in.width;
	float a[64], c[64], expected_a, expected_c;
	uint32_t w[4], o;

	assert_true(layer->n_out <= 64);
	for (w[0] = 0; w[0] <= (conv ? height - 1 : 0); w[0]++)
		for (w[1] = conv ? w[0] + 1 : height; w[1] <= height; w[1]++)
			for (w[2] = 0; w[2] <= (conv ? width - 1 : 0); w[2]++)
				for (w[3] = conv ? w[2] + 1 : width; w[3] <= width; w[3]++) {
					assert_int_equal(pbit_layer_affine(model, index, w[0], w[1],
									   w[2], w[3], a, c),
							 0);
					for (o = 0; o < layer->n_out; o++) {
						reference_affine(layer, o, window_sum(layer, o, w),
								 net->input_scale, net->input_zero,
								 &expected_a, &expected_c);
						assert_memory_equal(&a[o], &expected_a,
								    sizeof(float));
						assert_memory_equal(&c[o], &expected_c,
								    sizeof(float));
					}
				}
}

static void test_layers(void **state)
{
	static const uint32_t widths[] = {1, 2, 4, 8, 32};
	uint32_t w, encoding, i;

	(void)state;
	for (w = 0; w < 5; w++)
		for (encoding = 0; encoding < 2; encoding++) {
			struct random_net net = {.in = {3, 7, 6}, .input_bits = 16};
			struct pbit_model *model = NULL;

			net.input_zero = 1234 * encoding;
			net.input_scale = 0.00005f;
			net.n_layers = 4;
			net.layers[0] = random_conv(33, 3, 1, 1, widths[w], encoding);
			net.layers[1] = random_pool(2, 2);
			net.layers[2] = random_conv(20, 3, 1, 2, widths[w], 1 - encoding);
			net.layers[3] = random_dense(10, widths[w], encoding);
			net.layers[0].beta = 1.7f;
			net.layers[2].beta = 0.37f;
			net.layers[3].beta = 1.37f;
			net.layers[2].row_scales = 1;
			net.layers[3].activation =
				encoding ? (uint32_t)PBIT_ACT_LINEAR : (uint32_t)PBIT_ACT_PBIT;
			assert_int_equal(random_model(&net, w, &model), 0);
			for (i = 0; i < 4; i++) {
				const struct pbit_layer *layer = pbit_model_layer(model, i);

				assert_int_equal(pbit_layer_state_words(layer),
						 reference_out_words(layer));
				if (layer->type == PBIT_MAXPOOL)
					continue;
				check_weights(layer);
				check_affine(model, i, &net);
			}
			pbit_model_put(model);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threefry),
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
