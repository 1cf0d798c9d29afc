/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The law of lowered layers on limited devices. A 256-p-bit, degree-64, 8-bit machine runs the
 * 784-512-512-10 model: every p-bit is judged by an exact binomial test against the law that its plan
 * implies, computed here from the model; that law must be within the plan's worst error of the contract's.
 * Random small models on random devices are judged against the contract's law widened by the worst error.
 * Family-wise rate of false alarms 1e-6 for each test (Holm); faults that are put in must be found.
 */
#include "test_lower_device.h"

#include <stdio.h>
#include <pbit/pbit.h>
#include "stats.h"

#define ALPHA 1e-6
#define MODEL "examples/models/fashion-mnist-784-512-512-10-w4.pbm"

/* What a test needs of one layer for one input. */
struct law {
	const struct pbit_layer *layer;
	struct pbit_lower_layer plan;
	double *native, *held; /* probabilities: the contract's, and those of the numbers held */
};

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static double sigmoid(double z)
{
	return 1 / (1 + exp(-z));
}

static double rounded(const struct pbit_format *format, double x)
{
	const double step = ldexp(1, -(int)format->fraction_bits);

	if (format->integer_bits == 255)
		return x;
	return fmin(fmax(rint(x / step) * step, format->min), format->max);
}

static int input_bit(const uint64_t *in, uint32_t k)
{
	return (int)(in[k / 64] >> k % 64 & 1);
}

/* codes or in; z as CONTRACT.md has it, in binary64, and what the device's numbers make of it. */
static void find_row(const struct box *box, struct law *law, uint32_t o, double a, double c,
		     const uint8_t *codes, const uint64_t *in)
{
	const double gain = 2 * law->plan.beta;
	double S = 0, folded = 0, kept = 0, coupled = 0, h;

	for (uint32_t k = 0; k < law->layer->fan_in; k++) {
		const double w = pbit_layer_weight(law->layer, o, k);
		const double x = codes ? codes[k] : input_bit(in, k);

		S += w * x;
		if (k >= law->plan.kept) {
			folded += w * x;
			continue;
		}
		kept += w;
		coupled += rounded(&box->dev.caps.coupling, a * w / 2 / gain) * (2 * x - 1);
	}
	h = rounded(&box->dev.caps.bias, (a * (folded + kept / 2) + c) / gain);
	law->native[o] = sigmoid(a * S + c);
	law->held[o] = sigmoid(gain * (coupled + h));
}

static void find_law(const struct box *box, const struct pbit_model *model, uint32_t index,
		     const struct pbit_lower_opts *opts, const uint8_t *codes, const uint64_t *in,
		     struct law *law)
{
	struct pbit_lower_plan *plan;
	float *a, *c;

	law->layer = pbit_model_layer(model, index);
	law->plan = (struct pbit_lower_layer)PBIT_INIT(law->plan);
	assert_int_equal(pbit_lower_plan(model, &box->dev.caps, opts, &plan), 0);
	assert_int_equal(pbit_lower_plan_layer(plan, index, &law->plan), 0);
	pbit_lower_plan_free(plan);
	law->plan.limit = "";
	law->native = calloc(law->layer->n_out, sizeof(double));
	law->held = calloc(law->layer->n_out, sizeof(double));
	a = calloc(law->layer->n_out, sizeof(float));
	c = calloc(law->layer->n_out, sizeof(float));
	assert_true(law->native && law->held && a && c);
	assert_int_equal(pbit_layer_affine(model, index, 0, 1, 0, 1, a, c), 0);
	for (uint32_t o = 0; o < law->layer->n_out; o++)
		find_row(box, law, o, a[o], c[o], codes, in);
	free(a);
	free(c);
}

static void free_law(struct law *law)
{
	free(law->native);
	free(law->held);
}

/* How often each p-bit was +1 in `samples` samples of one input. */
static uint32_t *count(struct box *box, struct pbit_model *model, uint32_t index,
		       const uint8_t *codes, const uint64_t *in, uint32_t samples, uint64_t seed)
{
	const struct pbit_layer *layer = pbit_model_layer(model, index);
	struct pbit_layers_req req = PBIT_INIT(req);
	const size_t words = (layer->fan_in + 63) / 64;
	uint32_t *counts = calloc(layer->n_out, sizeof(*counts));
	int64_t *sums = calloc(layer->n_out, sizeof(*sums));
	uint64_t *states = calloc(words * samples, sizeof(*states));

	assert_true(counts && sums && states);
	for (uint32_t s = 0; in && s < samples; s++)
		memcpy(states + s * words, in, words * sizeof(*in));
	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = layer->fan_in;
	req.in_bits = in ? states : NULL;
	req.n_images = 1;
	req.n_samples = samples;
	req.seed = seed;
	req.out_sum = sums;
	assert_int_equal(pbit_run_layers(&box->dev, model, index, 1, &req), 0);
	for (uint32_t o = 0; o < layer->n_out; o++)
		counts[o] = (uint32_t)sums[o];
	free(states);
	free(sums);
	return counts;
}

/* Rejections of the law held, and a check that it is as near to the contract's as the plan says. */
static size_t judge_held(const struct law *law, const uint32_t *counts, uint32_t samples)
{
	const uint32_t n = law->layer->n_out;
	double *p = calloc(n, sizeof(*p));
	size_t rejected;

	assert_non_null(p);
	for (uint32_t o = 0; o < n; o++) {
		p[o] = stats_binomial_test(counts[o], samples, law->held[o]);
		assert_true(fabs(law->held[o] - law->native[o]) <= law->plan.worst_error);
	}
	rejected = stats_holm(p, n, ALPHA / 8, NULL);
	free(p);
	return rejected;
}

static void random_image(uint8_t *codes, uint64_t *in, uint64_t *random)
{
	for (uint32_t k = 0; k < 784; k++)
		codes[k] = (uint8_t)(next(random) % 3 ? 0 : next(random) % 256);
	for (uint32_t w = 0; w < 8; w++)
		in[w] = next(random) << 33 ^ next(random) << 11 ^ next(random);
}

static size_t run_fashion(enum box_fault fault, uint32_t images)
{
	const struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct pbit_model *model;
	uint64_t random = 5, in[8];
	uint8_t codes[784];
	struct box box;
	size_t rejected = 0;

	if (pbit_model_open(MODEL, &model))
		skip();
	box_open(&box);
	box.fault = fault;
	for (uint32_t i = 0; i < images; i++) {
		random_image(codes, in, &random);
		for (uint32_t l = 0; l < 2; l++) {
			const uint32_t samples = l ? 1000 : 3000;
			struct law law;
			uint32_t *counts;

			find_law(&box, model, l, &opts, l ? NULL : codes, l ? in : NULL, &law);
			assert_int_equal(law.plan.verdict, PBIT_LOWER_QUANTISED);
			assert_true(law.plan.pbits <= 256);
			counts = count(&box, model, l, l ? NULL : codes, l ? in : NULL, samples,
				       40 + i);
			rejected += judge_held(&law, counts, samples);
			if (!fault)
				print_message("layer %u: tile %u, kept %u, folded %u, beta %g, "
					      "worst error %.3g, typical %.3g\n",
					      l, law.plan.outputs, law.plan.kept, law.plan.folded,
					      law.plan.beta, law.plan.worst_error,
					      law.plan.typical_error);
			free(counts);
			free_law(&law);
		}
	}
	box_close(&box);
	pbit_model_put(model);
	return rejected;
}

static void test_small_device_runs_large_model(void **state)
{
	(void)state;
	assert_int_equal(run_fashion(BOX_SOUND, 2), 0);
}

static void test_wrong_beta_is_found(void **state)
{
	(void)state;
	assert_true(run_fashion(BOX_WRONG_BETA, 1) > 0);
}

static void test_lost_couplings_are_found(void **state)
{
	(void)state;
	assert_true(run_fashion(BOX_UNCOUPLED, 1) > 0);
}

/* Folded sums that change with the sample, and a device on which they do not arrive. */
static size_t run_changing(enum box_fault fault, bool rebias)
{
	const struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct pbit_layers_req req = PBIT_INIT(req);
	struct pbit_model *model;
	const uint32_t each = 400;
	uint64_t random = 9, *states, input[2][8];
	int64_t *raw;
	struct box box;
	size_t rejected = 0;

	if (pbit_model_open(MODEL, &model))
		skip();
	box_open(&box);
	box.fault = fault;
	if (rebias)
		box.dev.ops.rebias = box_rebias;
	states = calloc((size_t)each * 2 * 8, sizeof(*states));
	raw = calloc((size_t)each * 2 * 512, sizeof(*raw));
	assert_true(states && raw);
	for (uint32_t w = 0; w < 16; w++)
		input[w / 8][w % 8] = next(&random) << 33 ^ next(&random) << 11 ^ next(&random);
	for (uint32_t s = 0; s < 2 * each; s++)
		memcpy(states + s * 8, input[s % 2], sizeof(input[0]));
	req.in_bits = states;
	req.n_images = 1;
	req.n_samples = 2 * each;
	req.out_raw = raw;
	assert_int_equal(pbit_run_layers(&box.dev, model, 1, 1, &req), 0);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t counts[512] = {0};
		struct law law;

		find_law(&box, model, 1, &opts, NULL, input[i], &law);
		for (uint32_t s = i; s < 2 * each; s += 2)
			for (uint32_t o = 0; o < 512; o++)
				counts[o] += (uint32_t)raw[s * 512 + o];
		rejected += judge_held(&law, counts, each);
		free_law(&law);
	}
	/* Three tiles: programmed once each, or for every sample. */
	assert_int_equal(box.programs, rebias ? 3 : 3 * 2 * each);
	assert_int_equal(box.updates, 3 * 2 * each);
	free(states);
	free(raw);
	box_close(&box);
	pbit_model_put(model);
	return rejected;
}

static void test_dropped_fold_is_found(void **state)
{
	(void)state;
	assert_int_equal(run_changing(BOX_SOUND, false), 0);
	assert_int_equal(run_changing(BOX_SOUND, true), 0);
	assert_true(run_changing(BOX_DROPS_FOLD, false) > 0);
	assert_true(run_changing(BOX_DROPS_FOLD, true) > 0);
}

static struct pbit_model *small_model(uint64_t *random, uint32_t n_in, uint32_t n_mid,
				      uint32_t n_out)
{
	struct pbit_layer_spec layers[2] = {PBIT_INIT(layers[0]), PBIT_INIT(layers[1])};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	const uint32_t sizes[] = {n_in, n_mid, n_out}, bits = 1u << next(random) % 4;
	static int8_t weights[2][64 * 64];
	static float scale[2][64], bias[2][64];
	struct pbit_model *model;

	for (uint32_t l = 0; l < 2; l++) {
		const double size = 2.5 / (sqrt(sizes[l]) * ldexp(0.6, (int)bits - 1));

		for (uint32_t i = 0; i < sizes[l] * sizes[l + 1]; i++)
			weights[l][i] = (int8_t)(bits == 1 ? 2 * (int)(next(random) % 2) - 1
							   : (int)(next(random) % (1u << bits)) -
								     (1 << (bits - 1)));
		for (uint32_t o = 0; o < sizes[l + 1]; o++) {
			scale[l][o] = (float)(size * (double)(next(random) % 200 + 50) / 150);
			bias[l][o] = (float)((double)(next(random) % 200) - 100) / 80;
		}
		layers[l].n_out = sizes[l + 1];
		layers[l].weight_bits = bits;
		layers[l].encoding = (uint32_t)next(random) % 2;
		layers[l].beta = next(random) % 2 ? 1 : 0.7f;
		layers[l].n_scale = next(random) % 2 ? 1 : sizes[l + 1];
		layers[l].scale = scale[l];
		layers[l].bias = bias[l];
		layers[l].weights = weights[l];
	}
	spec.layers = layers;
	spec.n_layers = 2;
	spec.in = (struct pbit_shape){n_in, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 1.0f / 255;
	assert_int_equal(pbit_model_create(&spec, &model), 0);
	return model;
}

static void random_limits(struct box *box, uint64_t *random)
{
	struct pbit_caps *caps = &box->dev.caps;

	caps->pbits = 1 + next(random) % 120;
	caps->fan_in = next(random) % 40;
	caps->coupling = box_format((uint8_t)(next(random) % 4), (uint8_t)(3 + next(random) % 8));
	caps->bias = box_format((uint8_t)(2 + next(random) % 6), (uint8_t)(2 + next(random) % 10));
	if (next(random) % 4 == 0)
		caps->coupling = caps->bias = box_format(255, 0);
	if (next(random) % 3 == 0)
		caps->beta = box_format(2, 6);
	if (next(random) % 3 == 0)
		caps->flags |= PBIT_FLAG_DIRECTED;
	if (next(random) % 5 == 0)
		caps->flags &= ~(uint32_t)PBIT_FLAG_CLAMP;
	if (next(random) % 2)
		box->dev.ops.rebias = box_rebias;
}

/* P-value of the hypothesis that p is anywhere within the worst error of the contract's. */
static double within(const struct law *law, uint32_t o, uint32_t count, uint32_t samples)
{
	const double low = fmax(law->native[o] - law->plan.worst_error - 0x1p-24, 0);
	const double high = fmin(law->native[o] + law->plan.worst_error + 0x1p-24, 1);

	if (count > samples * high)
		return stats_binomial_sf(count, samples, high);
	if (count < samples * low)
		return stats_binomial_cdf(count, samples, low);
	return 1;
}

static void test_random_devices(void **state)
{
	uint64_t random = 11;
	uint32_t verdicts[3] = {0}, directed = 0, copied = 0;
	const uint32_t trials = 60, samples = 400;

	(void)state;
	for (uint32_t t = 0; t < trials; t++) {
		struct pbit_lower_opts opts = PBIT_INIT(opts);
		struct pbit_model *model = small_model(&random, 1 + (uint32_t)next(&random) % 60,
						       1 + (uint32_t)next(&random) % 60,
						       1 + (uint32_t)next(&random) % 60);
		struct law law;
		uint64_t in[1];
		struct box box;

		box_open(&box);
		random_limits(&box, &random);
		if (next(&random) % 4 == 0)
			opts.max_error = 0.05;
		assert_int_equal(pbit_lower_device(&box.dev, &opts), 0);
		in[0] = next(&random) << 33 ^ next(&random) << 11 ^ next(&random);
		find_law(&box, model, 1, &opts, NULL, in, &law);
		if (law.layer->fan_in < 64)
			in[0] &= (1ull << law.layer->fan_in) - 1;
		free_law(&law);
		find_law(&box, model, 1, &opts, NULL, in, &law);
		verdicts[law.plan.verdict]++;
		copied += law.plan.copies > 1;
		directed += law.plan.kept && law.plan.outputs > box.dev.caps.fan_in &&
			    law.plan.copies == 1;
		if (law.plan.verdict != PBIT_LOWER_IMPOSSIBLE) {
			uint32_t *counts = count(&box, model, 1, NULL, in, samples, t);

			if (opts.max_error > 0)
				assert_true(law.plan.worst_error <= opts.max_error);
			for (uint32_t o = 0; o < law.layer->n_out; o++)
				if (within(&law, o, counts[o], samples) < ALPHA / (2 * trials * 60))
					fail_msg(
						"device %u, p-bit %u: %u of %u, contract %g, worst "
						"error %g",
						t, o, counts[o], samples, law.native[o],
						law.plan.worst_error);
			free(counts);
		}
		free_law(&law);
		box_close(&box);
		pbit_model_put(model);
	}
	print_message("%u exact, %u quantised, %u impossible; %u with copies, %u directed\n",
		      verdicts[0], verdicts[1], verdicts[2], copied, directed);
	assert_true(verdicts[1] > trials / 2 && copied > 3 && directed > 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_device_runs_large_model),
		cmocka_unit_test(test_wrong_beta_is_found),
		cmocka_unit_test(test_lost_couplings_are_found),
		cmocka_unit_test(test_dropped_fold_is_found),
		cmocka_unit_test(test_random_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
