/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed weights: every width and shape goes in row-major and is found again by the rule that
 * MODEL.md gives in words, which is written out here a second time.
 */
#include "test_model_make.h"

static uint32_t word_at(const struct pbit_layer *layer, size_t line, uint32_t lane)
{
	const unsigned char *p = (const unsigned char *)layer->weights + line * 64 + 4 * lane;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Code of (o, k): step j gives inputs j, 8 + j, 16 + j, 24 + j in bytes 0 ... 3. */
static uint32_t code_at(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	uint32_t bits = layer->weight_bits, j = k % 8, b = k % 32 / 8, lane = o % 16;
	size_t line = ((size_t)(o / 16) * (layer->k_padded / 32) + k / 32) * bits;
	uint32_t four;

	switch (bits) {
	case 1:
		four = word_at(layer, line, lane) >> j & 0x01010101;
		break;
	case 2:
		four = (word_at(layer, line, lane) >> j & 0x01010101) |
		       (word_at(layer, line + 1, lane) >> j & 0x01010101) << 1;
		break;
	case 4:
		four = word_at(layer, line + j / 2, lane) >> 4 * (j % 2) & 0x0f0f0f0f;
		break;
	case 8:
		four = word_at(layer, line + j, lane);
		break;
	default:
		return word_at(layer, line + k % 32, lane);
	}
	return four >> 8 * b & 255;
}

static double value_of(uint32_t code, uint32_t bits)
{
	float value;

	switch (bits) {
	case 1:
		return 2 * (double)code - 1;
	case 2:
		return (double)code - 2;
	case 4:
		return (double)code - 8;
	case 8:
		return (int8_t)code;
	default:
		memcpy(&value, &code, sizeof(value));
		return (double)value;
	}
}

/* Every stored position, real or added, against the row-major array. */
static void check_layer(const struct pbit_layer *layer, const struct pbit_layer_spec *spec)
{
	uint32_t channels = layer->in.channels, sites = layer->fan_in / channels;
	uint32_t outputs = (layer->n_out + 15) / 16 * 16;

	assert_int_equal((uintptr_t)layer->weights % 64, 0);
	assert_int_equal(layer->k_padded, (sites * layer->in_stride + 31) / 32 * 32);
	assert_int_equal(layer->weights_size,
			 (size_t)outputs * layer->k_padded * layer->weight_bits / 8);
	for (uint32_t o = 0; o < outputs; o++) {
		for (uint32_t k = 0; k < layer->k_padded; k++) {
			uint32_t site = k / layer->in_stride, c = k % layer->in_stride;
			uint32_t code = code_at(layer, o, k);
			size_t at = ((size_t)o * sites + site) * channels + c;
			double want;

			if (o >= layer->n_out || site >= sites || c >= channels) {
				assert_int_equal(code, 0);
				assert_true(pbit_layer_weight(layer, o, k) == 0);
				continue;
			}
			want = spec->weight_bits == 32 ? (double)spec->weights_f32[at]
						       : (double)spec->weights[at];
			assert_true(value_of(code, layer->weight_bits) == want);
			assert_true(pbit_layer_weight(layer, o, k) == want);
		}
	}
	assert_true(pbit_layer_weight(layer, 0, layer->k_padded) == 0);
	assert_true(pbit_layer_weight(layer, UINT32_MAX, UINT32_MAX) == 0);
}

static const uint32_t widths[] = {1, 2, 4, 8, 32};

static void test_dense_codes(void **state)
{
	static const uint32_t sizes[][2] = {{1, 1}, {7, 5}, {32, 16}, {33, 17}, {100, 31}};

	(void)state;
	for (size_t i = 0; i < 5 * 5; i++) {
		struct make make;
		struct pbit_model *model;

		make_begin(&make);
		make.spec.in = (struct pbit_shape){sizes[i / 5][0], 1, 1};
		make_dense(&make, sizes[i / 5][1], widths[i % 5], PBIT_ACT_SIGMOID, 0,
			   sizes[i / 5][0]);
		model = make_model(&make);
		check_layer(pbit_model_layer(model, 0), &make.layers[0]);
		pbit_model_put(model);
		make_end(&make);
	}
}

/* A map of 5 channels of bits has a stride of 32: room is left between positions. */
static void test_behind_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const struct pbit_layer *layer;
		struct make make;
		struct pbit_model *model;

		make_begin(&make);
		make.spec.in = (struct pbit_shape){3, 7, 6};
		make_conv(&make, 5, widths[i], PBIT_BINARY, 3, 1, 3);
		make_conv(&make, 33, widths[i], PBIT_BIPOLAR, 2, 0, 5);
		make_dense(&make, 18, widths[i], PBIT_ACT_PBIT, PBIT_BIPOLAR, 33 * 6 * 5);
		model = make_model(&make);
		for (uint32_t l = 0; l < 3; l++)
			check_layer(pbit_model_layer(model, l), &make.layers[l]);
		layer = pbit_model_layer(model, 1);
		assert_int_equal(layer->in_stride, 32);
		assert_int_equal(layer->k_padded, 4 * 32);
		assert_int_equal(layer->out_stride, 64);
		assert_int_equal(pbit_layer_state_words(layer), 6 * 5);
		layer = pbit_model_layer(model, 2);
		assert_int_equal(layer->k_padded, 30 * 64);
		assert_int_equal(layer->fan_in, 33 * 30);
		assert_int_equal(layer->out_stride, 18);
		assert_int_equal(pbit_layer_state_words(layer), 1);
		pbit_model_put(model);
		make_end(&make);
	}
}

static void test_rich(void **state)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit_model *model;
	const struct pbit_layer *layer;
	struct make make;

	(void)state;
	make_rich(&make);
	model = make_model(&make);
	for (uint32_t i = 0; i < MAKE_LAYERS; i++) {
		layer = pbit_model_layer(model, i);
		assert_int_equal(layer->index, i);
		assert_int_equal(layer->type, make.layers[i].type);
		if (layer->type != PBIT_MAXPOOL)
			check_layer(layer, &make.layers[i]);
	}
	assert_null(pbit_model_layer(model, MAKE_LAYERS));
	layer = pbit_model_layer(model, 0);
	assert_true(layer->beta == 0.5f);
	assert_string_equal(layer->name, "first");
	assert_int_equal(layer->in_encoding, PBIT_CODES);
	assert_int_equal(layer->out_stride, 32);
	layer = pbit_model_layer(model, 1);
	assert_int_equal(layer->activation, PBIT_ACT_NONE);
	assert_int_equal(layer->encoding, PBIT_BIPOLAR);
	assert_int_equal(layer->stride_h, 2);
	assert_int_equal(layer->out.channels, 5);
	assert_int_equal(layer->out.height, 3);
	assert_int_equal(layer->out.width, 2);
	assert_null(layer->weights);
	layer = pbit_model_layer(model, 2);
	assert_int_equal(layer->in_encoding, PBIT_BIPOLAR);
	assert_int_equal(layer->out.height, 2);
	assert_int_equal(layer->out.width, 1);
	assert_true(layer->beta == 1);
	assert_int_equal(pbit_model_info(model, &info), 0);
	assert_int_equal(info.n_layers, MAKE_LAYERS);
	assert_int_equal(info.n_inputs, 60);
	assert_int_equal(info.n_outputs, 3);
	assert_int_equal(info.n_pbits, 150 + 14 + 19 + 17);
	assert_int_equal(info.n_weights, 5 * 18 + 7 * 20 + 19 * 14 + 17 * 19 + 3 * 17);
	assert_int_equal(info.n_macs, 150 * 18 + 14 * 20 + 19 * 14 + 17 * 19 + 3 * 17);
	assert_int_equal(info.input_chw, 1);
	assert_int_equal(info.input_zero, 3);
	assert_int_equal(info.n_classes, 3);
	assert_string_equal(info.path, "");
	pbit_model_put(model);
	make_end(&make);
}

/* A weight one step outside its range, at the last place of the last row. */
static void test_range(void **state)
{
	static const struct {
		uint32_t bits;
		int8_t weight;
	} wrong[] = {{1, 0}, {1, 2}, {1, -2}, {2, 2}, {2, -3}, {4, 8}, {4, -9}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct pbit_model *model = NULL;
		struct make make;
		int8_t *weights;

		make_begin(&make);
		make.spec.in = (struct pbit_shape){7, 1, 1};
		make_dense(&make, 5, wrong[i].bits, PBIT_ACT_LINEAR, 0, 7);
		weights = make_room(&make, 35);
		memcpy(weights, make.layers[0].weights, 35);
		weights[34] = wrong[i].weight;
		make.layers[0].weights = weights;
		assert_int_equal(pbit_model_create(&make.spec, &model), -ERANGE);
		assert_null(model);
		assert_string_equal(pbit_last_error()->where, "model:/layers/layer@0/weights");
		assert_non_null(strstr(pbit_last_error()->why, "output 4, input 6"));
		make_end(&make);
	}
}

/* Structs of an older caller (shorter) and of a newer one (longer) are respected. */
static void test_struct_sizes(void **state)
{
	struct {
		struct pbit_model_info info;
		unsigned char guard[64];
	} got;
	struct pbit_model *model;
	struct make make;

	(void)state;
	make_rich(&make);
	model = make_model(&make);
	memset(&got, 0xa5, sizeof(got));
	got.info.struct_size = offsetof(struct pbit_model_info, n_inputs);
	assert_int_equal(pbit_model_info(model, &got.info), 0);
	assert_int_equal(got.info.n_layers, MAKE_LAYERS);
	assert_true(got.info.n_inputs == 0xa5a5a5a5a5a5a5a5ull);
	assert_int_equal(got.info.struct_size, offsetof(struct pbit_model_info, n_inputs));
	got.info.struct_size = sizeof(got.info) + 16;
	assert_int_equal(pbit_model_info(model, &got.info), 0);
	assert_int_equal(got.guard[0], 0);
	assert_int_equal(got.guard[15], 0);
	assert_int_equal(got.guard[16], 0xa5);
	got.info.struct_size = 4;
	assert_int_equal(pbit_model_info(model, &got.info), -EINVAL);
	assert_int_equal(pbit_model_info(NULL, &got.info), -EINVAL);
	pbit_model_put(model);
	model = NULL;
	make.spec.struct_size = 8;
	assert_int_equal(pbit_model_create(&make.spec, &model), -EINVAL);
	make.spec.struct_size = sizeof(make.spec);
	make.layers[0].struct_size = 40;
	assert_int_equal(pbit_model_create(&make.spec, &model), -EINVAL);
	assert_null(model);
	/* Without the tail: no classes, no provenance, no name and bias of layers. */
	make.layers[0].struct_size = sizeof(make.layers[0]);
	make.spec.struct_size = offsetof(struct pbit_model_spec, classes);
	assert_int_equal(pbit_model_create(&make.spec, &model), 0);
	assert_null(pbit_model_class(model, 0));
	pbit_model_put(model);
	make_end(&make);
}

static void test_owners(void **state)
{
	struct pbit_model *model;
	struct make make;

	(void)state;
	make_rich(&make);
	model = make_model(&make);
	assert_ptr_equal(pbit_model_get(model), model);
	pbit_model_put(model);
	assert_non_null(pbit_model_layer(model, 0));
	pbit_model_put(model);
	pbit_model_put(NULL);
	assert_null(pbit_model_get(NULL));
	make_end(&make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense_codes),  cmocka_unit_test(test_behind_bits),
		cmocka_unit_test(test_rich),	     cmocka_unit_test(test_range),
		cmocka_unit_test(test_struct_sizes), cmocka_unit_test(test_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
