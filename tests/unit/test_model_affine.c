/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Factors a and c of every layer and window against the table of CONTRACT.md, evaluated one weight
 * at a time. The positions that packing adds are filled with ones first: they must not count.
 */
#include "test_model_make.h"
#include "model/model.h"

/* R over a window, weight by weight, k ascending. */
static double slow_sum(const struct pbit_layer *layer, uint32_t o, const uint32_t window[4])
{
	bool conv = layer->type == PBIT_CONV2D;
	uint32_t height = conv ? layer->kernel_h : layer->in.height;
	uint32_t width = conv ? layer->kernel_w : layer->in.width;
	double sum = 0;

	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			if (conv &&
			    (y < window[0] || y >= window[1] || x < window[2] || x >= window[3]))
				continue;
			for (uint32_t c = 0; c < layer->in.channels; c++)
				sum += pbit_layer_weight(layer, o,
							 (y * width + x) * layer->in_stride + c);
		}
	}
	return sum;
}

static void slow_factors(const struct pbit_model_info *info, const struct pbit_layer *layer,
			 uint32_t o, double R, float *a, float *c)
{
	double g = layer->activation != PBIT_ACT_PBIT ? 1
		   : layer->encoding == PBIT_BIPOLAR  ? 2.0 * (double)layer->beta
						      : (double)layer->beta;
	double scale = (double)layer->scale[layer->n_scale == 1 ? 0 : o];
	double bias = (double)layer->bias[o], t;

	if (layer->in_encoding == PBIT_BIPOLAR) {
		t = g * 2;
		*a = (float)(t * scale);
		t = scale * R;
		*c = (float)(g * (bias - t));
	} else if (layer->in_encoding == PBIT_BINARY) {
		*a = (float)(g * scale);
		*c = (float)(g * bias);
	} else {
		t = g * scale;
		*a = (float)(t * (double)info->input_scale);
		t = scale * (double)info->input_scale;
		t = t * info->input_zero;
		t = t * R;
		*c = (float)(g * (bias - t));
	}
}

static void check_window(struct pbit_model *model, uint32_t i, const uint32_t window[4])
{
	const struct pbit_layer *layer = pbit_model_layer(model, i);
	struct pbit_model_info info = PBIT_INIT(info);
	float *a = malloc(2 * layer->n_out * sizeof(float)), *c = a + layer->n_out;

	assert_non_null(a);
	assert_int_equal(pbit_model_info(model, &info), 0);
	assert_int_equal(
		pbit_layer_affine(model, i, window[0], window[1], window[2], window[3], a, c), 0);
	for (uint32_t o = 0; o < layer->n_out; o++) {
		float want_a, want_c;

		slow_factors(&info, layer, o, slow_sum(layer, o, window), &want_a, &want_c);
		assert_memory_equal(&a[o], &want_a, sizeof(float));
		assert_memory_equal(&c[o], &want_c, sizeof(float));
	}
	free(a);
}

static void check_layer(struct pbit_model *model, uint32_t i)
{
	const struct pbit_layer *layer = pbit_model_layer(model, i);
	uint32_t w[4];

	for (w[0] = 0; w[0] < layer->kernel_h; w[0]++) {
		for (w[1] = w[0]; w[1] <= layer->kernel_h; w[1]++) {
			for (w[2] = 0; w[2] < layer->kernel_w; w[2]++) {
				for (w[3] = w[2]; w[3] <= layer->kernel_w; w[3]++)
					check_window(model, i, w);
			}
		}
	}
}

/* Sets every bit of the weights that is not one of a real weight. */
static void soil(const struct pbit_layer *layer)
{
	unsigned char *packed = (unsigned char *)(uintptr_t)layer->weights;
	uint32_t outputs = (layer->n_out + 15) / 16 * 16, bits = layer->weight_bits;
	uint32_t sites = layer->fan_in / layer->in.channels;

	for (uint32_t o = 0; o < outputs; o++) {
		for (uint32_t k = 0; k < layer->k_padded; k++) {
			size_t chunk = (size_t)(o / 16) * (layer->k_padded / 32) + k / 32;
			unsigned char *line = packed + chunk * bits * 64 + o % 16 * 4;
			uint32_t j = k % 8, b = k % 32 / 8;

			if (o < layer->n_out && k / layer->in_stride < sites &&
			    k % layer->in_stride < layer->in.channels)
				continue;
			if (bits <= 2)
				line[b] |= (unsigned char)(1 << j);
			if (bits == 2)
				line[64 + b] |= (unsigned char)(1 << j);
			if (bits == 4)
				line[j / 2 * 64 + b] |= (unsigned char)(15 << 4 * (j % 2));
			if (bits == 8)
				line[j * 64 + b] = 127;
			if (bits == 32)
				memcpy(line + k % 32 * 64, (float[]){1e30f}, 4);
		}
	}
}

static void test_all_encodings(void **state)
{
	static const uint32_t widths[] = {1, 2, 4, 8, 32};

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		uint32_t bits = widths[i % 5];
		struct pbit_model *model;
		struct make make;

		make_begin(&make);
		make.spec.in = (struct pbit_shape){3, 5, 4};
		make.spec.input_bits = i & 1 ? 16 : 8;
		make.spec.input_zero = i & 2 ? 128 : 0;
		make_conv(&make, 5, bits, i % 2 ? PBIT_BINARY : PBIT_BIPOLAR, 3, 2, 3)->beta = 0.3f;
		make_conv(&make, 40, bits, i % 3 ? PBIT_BIPOLAR : PBIT_BINARY, 3, 1, 5);
		make_dense(&make, 21, bits, i % 4 ? PBIT_ACT_PBIT : PBIT_ACT_SIGMOID, PBIT_BIPOLAR,
			   40 * 7 * 6);
		model = make_model(&make);
		for (uint32_t l = 0; l < 3; l++)
			soil(pbit_model_layer(model, l));
		for (uint32_t l = 0; l < 3; l++)
			check_layer(model, l);
		pbit_model_put(model);
		make_end(&make);
	}
}

/* Fan-in at the limit with the largest weights: many blocks, sums of more than 16 bits. */
static void test_extremes(void **state)
{
	static const struct {
		uint32_t bits;
		int8_t weight;
	} runs[] = {{1, 1}, {1, -1}, {2, -2}, {4, -8}, {4, 7}, {8, -128}, {8, 127}};

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		struct pbit_layer_spec *layer;
		struct pbit_model *model;
		struct make make;
		int8_t *weights;
		int64_t R[2];

		make_begin(&make);
		make.spec.in = (struct pbit_shape){256, 256, 1};
		layer = make_dense(&make, 2, runs[i].bits, PBIT_ACT_LINEAR, 0, 65536);
		weights = make_room(&make, 2 * 65536);
		memset(weights, runs[i].weight, 2 * 65536);
		weights[65536] = runs[i].bits == 1 ? (int8_t)-runs[i].weight : 1;
		layer->weights = weights;
		model = make_model(&make);
		assert_int_equal(pbit__layer_row_sums(pbit_model_layer(model, 0), 0, 0, 0, 0, R),
				 0);
		assert_true(R[0] == 65536 * (int64_t)runs[i].weight);
		assert_true(R[1] == R[0] - runs[i].weight + weights[65536]);
		pbit_model_put(model);
		make_end(&make);
	}
}

static void test_arguments(void **state)
{
	struct pbit_model *model;
	struct make make;
	float a[32], c[32];
	double R[32];
	int64_t exact[32];

	(void)state;
	make_rich(&make);
	model = make_model(&make);
	assert_int_equal(pbit_layer_affine(NULL, 0, 0, 1, 0, 1, a, c), -EINVAL);
	assert_int_equal(pbit_layer_affine(model, 0, 0, 1, 0, 1, NULL, c), -EINVAL);
	assert_int_equal(pbit_layer_affine(model, 0, 0, 1, 0, 1, a, NULL), -EINVAL);
	assert_int_equal(pbit_layer_affine(model, 6, 0, 1, 0, 1, a, c), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "past the end"));
	assert_int_equal(pbit_layer_affine(model, 1, 0, 1, 0, 1, a, c), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "max-pool"));
	assert_int_equal(pbit_layer_affine(model, 0, 0, 4, 0, 1, a, c), -EINVAL);
	assert_int_equal(pbit_layer_affine(model, 0, 2, 1, 0, 1, a, c), -EINVAL);
	assert_int_equal(pbit_layer_affine(model, 0, 0, 1, 2, 4, a, c), -EINVAL);
	assert_string_equal(pbit_last_error()->where, "window");
	assert_int_equal(pbit_layer_affine(model, 3, 9, 9, 9, 9, a, c), 0);
	assert_int_equal(pbit__layer_row_sums(pbit_model_layer(model, 5), 0, 1, 0, 1, exact),
			 -EINVAL);
	assert_int_equal(pbit__layer_row_sums_f32(pbit_model_layer(model, 0), 0, 1, 0, 1, R),
			 -EINVAL);
	assert_int_equal(pbit_layer_state_words(NULL), 0);
	assert_int_equal(pbit_layer_state_words(pbit_model_layer(model, 0)), 6 * 5 * 32 / 64);
	assert_int_equal(pbit_layer_state_words(pbit_model_layer(model, 1)), 3 * 2 * 32 / 64);
	pbit_model_put(model);
	make_end(&make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_encodings),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
