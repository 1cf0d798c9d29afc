/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference against first principles: published random numbers, the sigmoid in extended precision,
 * packed bytes and layers whose results were worked out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random_model.h"
#include "reference.h"

static void test_threefry(void **state)
{
	/* Random123's known answers for threefry4x64 with 13 rounds. */
	static const uint64_t zero[4] = {0, 0, 0, 0};
	static const uint64_t expected[4] = {0x4071fabee1dc8e05u, 0x02ed3113695c9c62u,
					     0x397311b5b89f9d49u, 0xe21292c3258024bcu};
	uint64_t out[4];

	(void)state;
	reference_threefry(zero, zero, out);
	assert_memory_equal(out, expected, sizeof(out));
}

/* Where each p-bit finds its bits: numbers read off the text for some indices. */
static void test_draw_places(void **state)
{
	static const struct {
		uint64_t index, block;
		unsigned word, field;
	} places[] = {
		{0, 0, 0, 0},  {3, 0, 0, 3},   {4, 1, 0, 0},   {31, 7, 0, 3},	{32, 0, 1, 0},
		{37, 1, 1, 1}, {127, 7, 3, 3}, {128, 8, 0, 0}, {200, 10, 2, 0}, {1000, 58, 3, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint64_t key[4] = {77, 1, 5, 0};
		uint64_t counter[4] = {places[i].block, 9, 1ull << 40, 0};
		uint64_t high[4], low[4];
		unsigned shift = 16 * places[i].field;
		uint32_t u;

		reference_threefry(key, counter, high);
		key[1] = 0x101;
		reference_threefry(key, counter, low);
		u = (uint32_t)(high[places[i].word] >> shift & 0xffff) * 256 +
		    (uint32_t)(low[places[i].word] >> shift & 0xff);
		assert_int_equal(reference_draw_layer(77, 5, 1ull << 40, 9, places[i].index), u);
	}
}

static long double sigmoid(float z)
{
	return 1 / (1 + expl(-(long double)z));
}

static void test_threshold(void **state)
{
	uint32_t before = 0;
	int i;

	(void)state;
	assert_int_equal(reference_threshold24(0), 1 << 23);
	assert_int_equal(reference_threshold24(NAN), 0);
	assert_int_equal(reference_threshold24(-INFINITY), 0);
	assert_int_equal(reference_threshold24(INFINITY), 1 << 24);
	assert_int_equal(reference_threshold24(-32), 0);
	assert_int_equal(reference_threshold24(32), 1 << 24);
	for (i = -400000; i <= 400000; i++) {
		float z = (float)i * 1e-4f;
		uint32_t t = reference_threshold24(z);
		long double off = (long double)t - 0x1p24L * sigmoid(z);

		/* Half a step from rounding, and next to nothing from binary64. */
		assert_true(fabsl(off) < 0.5L + 1e-7L);
		assert_true(t >= before);
		before = t;
	}
}

/* Weight (17, 45) of 32 x 64: tile 1, chunk 1, lane 1, b = 1, j = 5. Offsets worked out by hand. */
static void test_unpack(void **state)
{
	static const struct {
		uint32_t bits;
		size_t size, at;
		uint8_t bytes[2]; /* at `at`, and 64 bytes on */
		double weight;
	} cases[] = {
		{1, 256, 197, {0x20, 0}, 1},	  {2, 512, 389, {0x20, 0}, -1},
		{2, 512, 389, {0, 0x20}, 0},	  {2, 512, 389, {0x20, 0x20}, 1},
		{4, 1024, 901, {0x30, 0}, -5},	  {4, 1024, 901, {0xf0, 0}, 7},
		{8, 2048, 1861, {0x85, 0}, -123}, {8, 2048, 1861, {0x7f, 0}, 127},
	};
	/* All codes 0. */
	static const double background[] = {[1] = -1, [2] = -2, [4] = -8, [8] = 0};
	struct pbit_layer layer = PBIT_INIT(layer);
	static const uint8_t minus_1_5[4] = {0, 0, 0xc0, 0xbf};
	uint8_t packed[8192];
	uint32_t o, k;
	size_t i;

	(void)state;
	layer.k_padded = 64;
	layer.weights = packed;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(packed, 0, sizeof(packed));
		packed[cases[i].at] = cases[i].bytes[0];
		if (cases[i].at + 64 < cases[i].size)
			packed[cases[i].at + 64] = cases[i].bytes[1];
		layer.weight_bits = cases[i].bits;
		for (o = 0; o < 32; o++)
			for (k = 0; k < 64; k++)
				assert_true(reference_weight(&layer, o, k) ==
					    (o == 17 && k == 45 ? cases[i].weight
								: background[cases[i].bits]));
	}
	memset(packed, 0, sizeof(packed));
	memcpy(packed + 6980, minus_1_5, 4);
	layer.weight_bits = 32;
	for (o = 0; o < 32; o++)
		for (k = 0; k < 64; k++)
			assert_true(reference_weight(&layer, o, k) ==
				    (o == 17 && k == 45 ? -1.5 : 0));
}

/* A layer with room for its weights. */
struct hand {
	struct pbit_layer layer;
	uint8_t packed[16384];
	float scale[1], bias[4];
};

/* An 8-bit layer of these weights, [n_out][positions][channels], where the stride is `stride`. */
static void hand_new(struct hand *hand, const int8_t *weights, uint32_t n_out, struct pbit_shape in,
		     uint32_t positions, uint32_t stride)
{
	struct pbit_layer *layer = &hand->layer;
	uint32_t o, p, c;

	memset(hand, 0, sizeof(*hand));
	layer->struct_size = sizeof(*layer);
	layer->in = in;
	layer->out = (struct pbit_shape){n_out, 1, 1};
	layer->weight_bits = 8;
	layer->n_out = n_out;
	layer->in_stride = stride;
	layer->fan_in = positions * in.channels;
	layer->k_padded = (positions * stride + 31) / 32 * 32;
	layer->n_scale = 1;
	layer->beta = 1;
	layer->weights = hand->packed;
	layer->scale = hand->scale;
	layer->bias = hand->bias;
	/* What is not counted holds 99. */
	memset(hand->packed, 99, sizeof(hand->packed));
	for (o = 0; o < n_out; o++)
		for (p = 0; p < positions; p++)
			for (c = 0; c < in.channels; c++)
				random_pack(hand->packed, 8, layer->k_padded, o, p * stride + c,
					    (uint8_t)*weights++);
}

static struct reference_net net_of(const struct pbit_layer *const *layers, uint32_t n)
{
	return (struct reference_net){layers, n, 0, 1};
}

/* y = 0.25 * sum w * 0.5 * (code - 5) + bias. */
static void test_dense_codes(void **state)
{
	static const int8_t weights[] = {1, -2, 3, 4, 5, -6};
	static const uint8_t codes[] = {10, 0, 255};
	static const uint16_t codes16[] = {10, 0, 65535};
	const struct pbit_layer *layers[1];
	struct pbit_layers_req req = PBIT_INIT(req);
	struct reference_net net;
	struct hand hand;
	int64_t raw[4], sum[2];
	float y[2];

	(void)state;
	hand_new(&hand, weights, 2, (struct pbit_shape){3, 1, 1}, 1, 3);
	hand.layer.activation = PBIT_ACT_LINEAR;
	hand.layer.in_encoding = PBIT_CODES;
	hand.scale[0] = 0.25f;
	hand.bias[0] = 1;
	hand.bias[1] = -1;
	layers[0] = &hand.layer;
	net = net_of(layers, 1);
	net.input_zero = 5;
	net.input_scale = 0.5f;
	assert_int_equal(reference_net_z(&net, 0, codes, 1, NULL, y), 0);
	assert_true(y[0] == 96.625f && y[1] == -189.125f);
	assert_int_equal(reference_net_z(&net, 0, codes16, 2, NULL, y), 0);
	assert_true(y[0] == 24576.625f && y[1] == -49149.125f);
	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = 3;
	req.n_images = 1;
	req.n_samples = 2;
	req.out_raw = raw;
	req.out_sum = sum;
	assert_int_equal(reference_run_net(&net, 0, 1, &req), 0);
	assert_true(raw[0] == 775 && raw[1] == -1490 && raw[2] == 775 && raw[3] == -1490);
	assert_true(sum[0] == 1550 && sum[1] == -2980);
}

/* w = 1 -2 3, x = 1 0 1: sum w v is 6 of bipolar, 4 of binary inputs. */
static void test_dense_bits(void **state)
{
	static const int8_t weights[] = {1, -2, 3};
	static const uint64_t x[] = {5};
	static const float expected[2][2] = {{13, 6.5f}, {9, 4.5f}}; /* [input][output] */
	const struct pbit_layer *layers[1];
	struct reference_net net;
	struct hand hand;
	uint32_t in, out;
	float z;

	(void)state;
	hand_new(&hand, weights, 1, (struct pbit_shape){3, 1, 1}, 1, 3);
	layers[0] = &hand.layer;
	net = net_of(layers, 1);
	hand.scale[0] = 0.5f;
	hand.bias[0] = 0.25f;
	hand.layer.beta = 2;
	for (in = 0; in < 2; in++)
		for (out = 0; out < 2; out++) {
			hand.layer.in_encoding = in;
			hand.layer.encoding = out;
			assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &z), 0);
			assert_true(z == expected[in][out]);
		}
	/* beta has no effect on a read-out */
	hand.layer.activation = PBIT_ACT_LINEAR;
	hand.layer.in_encoding = PBIT_BIPOLAR;
	assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &z), 0);
	assert_true(z == 3.25f);
}

/* Ones over 1 ... 9, padded: sums of neighbours; a padded input is real 0, not code 0. */
static void test_conv_codes(void **state)
{
	static const int8_t weights[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const uint8_t codes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const float sums[] = {12, 21, 16, 27, 45, 33, 24, 39, 28};
	static const float counts[] = {4, 6, 4, 6, 9, 6, 4, 6, 4};
	const struct pbit_layer *layers[1];
	struct reference_net net;
	struct hand hand;
	float y[9];
	int i;

	(void)state;
	hand_new(&hand, weights, 1, (struct pbit_shape){1, 3, 3}, 9, 1);
	hand.layer.type = PBIT_CONV2D;
	hand.layer.activation = PBIT_ACT_LINEAR;
	hand.layer.in_encoding = PBIT_CODES;
	hand.layer.kernel_h = hand.layer.kernel_w = 3;
	hand.layer.stride_h = hand.layer.stride_w = 1;
	hand.layer.pad_h = hand.layer.pad_w = 1;
	hand.layer.out = (struct pbit_shape){1, 3, 3};
	hand.scale[0] = 1;
	layers[0] = &hand.layer;
	net = net_of(layers, 1);
	net.input_zero = 1;
	assert_int_equal(reference_net_z(&net, 0, codes, 1, NULL, y), 0);
	for (i = 0; i < 9; i++)
		assert_true(y[i] == sums[i] - counts[i]);
	hand.layer.stride_h = hand.layer.stride_w = 2;
	hand.layer.out = (struct pbit_shape){1, 2, 2};
	assert_int_equal(reference_net_z(&net, 0, codes, 1, NULL, y), 0);
	assert_true(y[0] == 8 && y[1] == 12 && y[2] == 20 && y[3] == 24);
}

/* 2 channels on a 1 x 2 map: position 1 begins at bit 32; a dense layer reads it there. */
static void test_channel_stride(void **state)
{
	static const int8_t weights[] = {1, 2, 4, 8};
	uint64_t x[] = {1ull << 0 | 1ull << 33}; /* channel 0 of position 0, 1 of position 1 */
	const struct pbit_layer *layers[1];
	struct reference_net net;
	struct hand hand;
	float y;

	(void)state;
	assert_int_equal(reference_channel_stride(&(struct pbit_shape){33, 1, 1}, 1), 33);
	assert_int_equal(reference_channel_stride(&(struct pbit_shape){33, 1, 2}, 1), 64);
	assert_int_equal(reference_channel_stride(&(struct pbit_shape){33, 1, 2}, 0), 33);
	hand_new(&hand, weights, 1, (struct pbit_shape){2, 1, 2}, 2, 32);
	hand.layer.activation = PBIT_ACT_LINEAR;
	hand.layer.in_encoding = PBIT_BINARY;
	hand.scale[0] = 1;
	layers[0] = &hand.layer;
	net = net_of(layers, 1);
	assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &y), 0);
	assert_true(y == 1 + 8);
	/* bits of rounded channels have no weight */
	x[0] |= 0xfffffffc00000000u | 0xfffffffcu;
	assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &y), 0);
	assert_true(y == 1 + 8);
}

/* 3 channels, 2 x 4 to 1 x 2, one bit set in each of two windows. */
static void test_pool(void **state)
{
	struct pbit_layer pool = PBIT_INIT(pool);
	const struct pbit_layer *layers[] = {&pool, &pool};
	struct reference_net net = net_of(layers, 2);
	struct pbit_layers_req req = PBIT_INIT(req);
	uint64_t in[4] = {0}, out[1];
	int64_t raw[6];

	(void)state;
	pool.type = PBIT_MAXPOOL;
	pool.activation = PBIT_ACT_NONE;
	pool.in = (struct pbit_shape){3, 2, 4};
	pool.out = (struct pbit_shape){3, 1, 2};
	pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
	in[2] = 1ull << (32 + 1); /* position (1, 1), channel 1: window 0 */
	in[1] = 1ull << 2;	  /* position (0, 2), channel 2: window 1 */
	req.in_bits = in;
	req.n_images = req.n_samples = 1;
	req.out_bits = out;
	req.out_raw = raw;
	assert_int_equal(reference_run_net(&net, 1, 1, &req), 0);
	assert_true(out[0] == (1ull << 1 | 1ull << (32 + 2)));
	assert_true(!raw[0] && raw[1] == 1 && !raw[2] && !raw[3] && !raw[4] && raw[5] == 1);
}

/* 10^8 + 1 - 10^8 is 0 in binary32, in this order; R is 1. */
static void test_binary32_order(void **state)
{
	static const float weights[] = {1e8f, 1, -1e8f};
	static const uint64_t x[] = {7};
	const struct pbit_layer *layers[1];
	struct reference_net net;
	struct hand hand;
	uint32_t k, code;
	float y;

	(void)state;
	hand_new(&hand, (const int8_t[]){0, 0, 0}, 1, (struct pbit_shape){3, 1, 1}, 1, 3);
	hand.layer.weight_bits = 32;
	hand.layer.activation = PBIT_ACT_LINEAR;
	for (k = 0; k < 3; k++) {
		memcpy(&code, &weights[k], sizeof(code));
		random_pack(hand.packed, 32, 32, 0, k, code);
	}
	hand.scale[0] = 1;
	layers[0] = &hand.layer;
	net = net_of(layers, 1);
	/* bipolar: 2 * S - R */
	assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &y), 0);
	assert_true(y == -1);
}

/*
 * A binary layer and its bipolar equivalent (I = z/2, weights w/2, bias b + sum w/2) have the same z,
 * so the same law and the same bits, for every input.
 */
static void test_conversion(void **state)
{
	static const int8_t weights[] = {3, -7, 12, 5, -20, 1};
	const struct pbit_layer *layers[1];
	struct hand binary, bipolar;
	struct reference_net net = net_of(layers, 1);
	float z, converted, R = 3 - 7 + 12 + 5 - 20 + 1;
	uint64_t x[1];

	(void)state;
	hand_new(&binary, weights, 1, (struct pbit_shape){6, 1, 1}, 1, 6);
	hand_new(&bipolar, weights, 1, (struct pbit_shape){6, 1, 1}, 1, 6);
	binary.layer.in_encoding = binary.layer.encoding = PBIT_BINARY;
	binary.scale[0] = 0.125f;
	binary.bias[0] = -0.375f;
	/* z = 2 I, I = sum (w/4) m + (b + sum w / 2) / 2 */
	bipolar.scale[0] = 0.125f / 4;
	bipolar.bias[0] = (-0.375f + 0.125f * R / 2) / 2;
	for (x[0] = 0; x[0] < 64; x[0]++) {
		float direct = -0.375f;
		int k;

		for (k = 0; k < 6; k++)
			direct += x[0] >> k & 1 ? 0.125f * (float)weights[k] : 0;
		layers[0] = &binary.layer;
		assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &z), 0);
		layers[0] = &bipolar.layer;
		assert_int_equal(reference_net_z(&net, 0, NULL, 0, x, &converted), 0);
		assert_true(z == direct && converted == direct);
	}
}

/* Bits are u < p of the draw named by layer, sample and image; requests that make no sense are refused. */
static void test_draw_of_a_bit(void **state)
{
	static const int8_t weights[] = {1, 1};
	static const uint8_t codes[] = {0, 0};
	static const uint64_t numbers[] = {40, 1ull << 33};
	const struct pbit_layer *layers[1];
	struct reference_net net = net_of(layers, 1);
	struct pbit_layers_req req = PBIT_INIT(req);
	struct hand hand;
	uint64_t bits[6];
	int64_t sum[4];
	size_t i, s, ones = 0;

	(void)state;
	hand_new(&hand, weights, 2, (struct pbit_shape){1, 1, 1}, 1, 1);
	hand.layer.in_encoding = PBIT_CODES;
	layers[0] = &hand.layer;
	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = 1;
	req.n_images = 2;
	req.n_samples = 3;
	req.seed = 11;
	req.first_sample = 100;
	req.image_numbers = numbers;
	req.out_bits = bits;
	req.out_sum = sum;
	assert_int_equal(reference_run_net(&net, 0, 1, &req), 0);
	for (i = 0; i < 2; i++)
		for (s = 0; s < 3; s++) {
			uint64_t expected = 0, o;

			for (o = 0; o < 2; o++)
				if (reference_draw_layer(11, 0, numbers[i], 100 + s, o) < 1u << 23)
					expected |= 1ull << o;
			assert_true(bits[i * 3 + s] == expected);
			ones += (expected & 1) + (expected >> 1);
		}
	assert_int_equal(sum[0] + sum[1] + sum[2] + sum[3], ones);
	req.in_bits = bits;
	assert_true(reference_run_net(&net, 0, 1, &req) < 0);
	req.codes = NULL;
	assert_true(reference_run_net(&net, 0, 1, &req) < 0);
	req.codes = codes;
	req.in_bits = NULL;
	assert_true(reference_run_net(&net, 1, 1, &req) < 0);
	assert_true(reference_run_net(&net, 0, 2, &req) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threefry),    cmocka_unit_test(test_draw_places),
		cmocka_unit_test(test_threshold),   cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_dense_codes), cmocka_unit_test(test_dense_bits),
		cmocka_unit_test(test_conv_codes),  cmocka_unit_test(test_channel_stride),
		cmocka_unit_test(test_pool),	    cmocka_unit_test(test_binary32_order),
		cmocka_unit_test(test_conversion),  cmocka_unit_test(test_draw_of_a_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
