/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p-DNN layers lowered onto the Boltzmann mode of the device in PBIT_TEST_URI, against the reference.
 * Where the plan says exact and the device draws as CONTRACT.md, every bit must be that of the
 * native layer; where it says quantised, the share of bits that differ is judged against the worst error
 * that the plan states. False alarms: none in the exact parts; below 1e-9 in the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "random_model.h"
#include "reference.h"
#include "stats.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALPHA	     1e-9

static struct subject subject;
static uint64_t choice;

static uint32_t choose(uint32_t n)
{
	return random_below(&choice, n);
}

static void lower(uint32_t flags, uint32_t couplings)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);

	opts.flags = flags | PBIT_LOWER_ALWAYS;
	opts.couplings = couplings;
	assert_int_equal(pbit_lower_device(subject.dev, &opts), 0);
}

/*
 * The plan of the model on the device; what each layer keeps there in *kept. Bits are compared only
 * where the draws are those of the native layers.
 */
static uint32_t verdict_of(const struct pbit_model *model, uint32_t flags, uint32_t couplings,
			   uint32_t *kept, double *worst)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct pbit_lower_layer layer = PBIT_INIT(layer);
	struct pbit_lower_plan *plan = NULL;
	uint32_t verdict;

	opts.flags = flags;
	opts.couplings = couplings;
	assert_int_equal(pbit_lower_plan(model, &subject.caps, &opts, &plan), 0);
	verdict = pbit_lower_plan_verdict(plan);
	*kept = 0;
	*worst = 0;
	subject.contract = subject.caps.flags & PBIT_FLAG_CONTRACT;
	for (uint32_t i = 0; i < pbit_lower_plan_layers(plan); i++) {
		assert_int_equal(pbit_lower_plan_layer(plan, i, &layer), 0);
		*kept += layer.kept;
		*worst = fmax(*worst, layer.worst_error);
		if (layer.place == PBIT_LOWER_ON_DEVICE && !layer.same_draws)
			subject.contract = false;
	}
	pbit_lower_plan_free(plan);
	return verdict;
}

static struct trial trial_of(struct pbit_model *model, uint32_t first, uint32_t n, const char *name)
{
	return (struct trial){
		.model = model,
		.first = first,
		.n = n,
		.images = 1 + choose(4),
		.samples = 1 + choose(5),
		.seed = random_next(&choice),
		.first_image = choose(3) ? choose(1000) : random_next(&choice) >> 1,
		.first_sample = choose(3) ? choose(1000) : random_next(&choice) >> 1,
		.input_seed = random_next(&choice),
		.name = name,
	};
}

static struct random_net random_net_of(uint32_t i)
{
	static const uint32_t widths[] = {1, 2, 4, 8, 32};
	struct random_net net = {
		.in = {3, 6, 5},
		.input_bits = i % 4 == 3 ? 16 : 8,
		.input_zero = choose(8),
		.input_scale = 0.01f,
	};
	const uint32_t bits = widths[i % COUNT(widths)];

	if (i % 3 == 0) { /* a vector, layers wider than a group of the stream */
		net.in = (struct pbit_shape){70, 1, 1};
		net.layers[net.n_layers++] = random_dense(150, bits, choose(2));
		net.layers[net.n_layers++] = random_dense(131, bits, choose(2));
	} else {
		net.layers[net.n_layers++] = random_conv(3 + choose(30), 3, 1, 1, bits, choose(2));
		net.layers[net.n_layers++] = random_pool(2, 2);
		net.layers[net.n_layers++] =
			random_conv(i % 2 ? 34 : 5, 2, 1, i % 2, bits, choose(2));
	}
	net.layers[net.n_layers++] = random_dense(20, bits, choose(2));
	net.layers[net.n_layers] = random_dense(4, bits, 0);
	net.layers[net.n_layers++].activation = i % 2 ? PBIT_ACT_LINEAR : PBIT_ACT_SIGMOID;
	for (uint32_t l = 0; l < net.n_layers; l++)
		net.layers[l].row_scales = choose(2);
	return net;
}

/* With every sum made by the host, biases meet the contract's thresholds: any model is exact. */
static void test_folded_is_native(void **state)
{
	uint32_t kept, exact = 0;
	double worst;

	(void)state;
	choice = 1;
	lower(PBIT_LOWER_FOLD, 0);
	for (uint32_t i = 0; i < 15; i++) {
		struct random_net net = random_net_of(i);
		struct pbit_model *model;
		struct trial trial;

		assert_int_equal(random_model(&net, 100 + i, &model), 0);
		if (verdict_of(model, PBIT_LOWER_FOLD, 0, &kept, &worst) == PBIT_LOWER_EXACT) {
			assert_int_equal(kept, 0);
			exact++;
			trial = trial_of(model, 0, net.n_layers, "folded");
			subject_compare(&subject, &trial);
			for (uint32_t l = 0; l < net.n_layers; l++) {
				trial = trial_of(model, l, 1 + choose(net.n_layers - l), "part");
				subject_compare(&subject, &trial);
			}
		}
		pbit_model_put(model);
	}
	if (subject.caps.bias.integer_bits == 255)
		assert_int_equal(exact, 15);
	print_message("%u of 15 models exact\n", exact);
}

/* A model whose scales and biases are small multiples of powers of two. */
static struct pbit_model *dyadic_model(uint32_t n_in, uint32_t n_mid, uint32_t n_out, uint32_t bits,
				       uint32_t encoding)
{
	struct pbit_layer_spec layers[3] = {PBIT_INIT(layers[0]), PBIT_INIT(layers[1]),
					    PBIT_INIT(layers[2])};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	const uint32_t sizes[] = {n_in, n_mid, n_out, 3};
	struct pbit_model *model = NULL;
	int8_t *weights[3];
	float *bias[3];
	const float scale = 0x1p-5f;

	for (uint32_t l = 0; l < 3; l++) {
		const uint32_t n = sizes[l] * sizes[l + 1];

		weights[l] = malloc(n);
		bias[l] = calloc(sizes[l + 1], sizeof(float));
		assert_non_null(weights[l]);
		assert_non_null(bias[l]);
		for (uint32_t i = 0; i < n; i++)
			weights[l][i] =
				(int8_t)(bits == 1 ? 2 * (int)choose(2) - 1
						   : (int)choose(1u << bits) - (1 << (bits - 1)));
		for (uint32_t o = 0; o < sizes[l + 1]; o++)
			bias[l][o] = ((float)choose(64) - 32) / 16;
		layers[l].n_out = sizes[l + 1];
		layers[l].weight_bits = bits;
		layers[l].n_scale = 1;
		layers[l].scale = &scale;
		layers[l].weights = weights[l];
		layers[l].bias = bias[l];
		layers[l].encoding = encoding;
	}
	layers[2].activation = PBIT_ACT_LINEAR;
	spec.n_layers = 3;
	spec.layers = layers;
	spec.in = (struct pbit_shape){n_in, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 0x1p-8f;
	assert_int_equal(pbit_model_create(&spec, &model), 0);
	for (uint32_t l = 0; l < 3; l++) {
		free(weights[l]);
		free(bias[l]);
	}
	return model;
}

static bool couples(void)
{
	return (subject.caps.flags & PBIT_FLAG_CLAMP) &&
	       (!(subject.caps.stated & PBIT_CAP_FAN_IN) || subject.caps.fan_in);
}

/* Couplings on the device, all or some of them, and still every bit. */
static void test_dyadic_is_native(void **state)
{
	static const uint32_t couplings[] = {0, 50, 7};
	uint32_t kept, exact = 0, runs = 0;
	double worst;

	(void)state;
	choice = 2;
	for (uint32_t i = 0; i < 12; i++) {
		const uint32_t bits = 1u << i % 4, most = couplings[i % COUNT(couplings)];
		struct pbit_model *model =
			dyadic_model(40, 120 + choose(60), 100 + choose(60), bits, i / 2 % 2);

		lower(0, most);
		runs++;
		if (verdict_of(model, 0, most, &kept, &worst) == PBIT_LOWER_EXACT) {
			struct trial trial = trial_of(model, 0, 3, "dyadic");

			assert_true(kept > 0 || !couples());
			exact++;
			subject_compare(&subject, &trial);
			trial = trial_of(model, 1, 1, "dyadic, one layer");
			trial.samples = 9;
			subject_compare(&subject, &trial);
		}
		pbit_model_put(model);
	}
	if (subject.caps.bias.integer_bits == 255 && subject.caps.coupling.integer_bits == 255)
		assert_int_equal(exact, runs);
	print_message("%u of %u models exact with couplings\n", exact, runs);
}

/* Bits of two requests that differ. */
static uint64_t differing(const struct request *a, const struct request *b)
{
	uint64_t n = 0;

	for (size_t w = 0; w < a->bits; w++)
		n += (uint64_t)__builtin_popcountll(a->req.out_bits[w] ^ b->req.out_bits[w]);
	return n;
}

/*
 * Draws are those of the native layer, so a bit differs with the very probability by which the
 * two laws do: at most the worst error of the plan.
 */
static void test_quantised_within_plan(void **state)
{
	static const uint32_t couplings[] = {0, 20, 3};
	uint64_t bits = 0, differ = 0;
	double most = 0;

	(void)state;
	choice = 3;
	for (uint32_t i = 0; i < 9; i++) {
		const uint32_t keep = couplings[i % COUNT(couplings)];
		struct random_net net = random_net_of(3 * i + i % 2);
		struct request got, expected;
		struct pbit_model *model;
		struct trial trial;
		double worst, p;
		uint32_t kept;
		uint64_t n, d;

		assert_int_equal(random_model(&net, 200 + i, &model), 0);
		lower(0, keep);
		if (verdict_of(model, 0, keep, &kept, &worst) == PBIT_LOWER_IMPOSSIBLE ||
		    !subject.contract) {
			pbit_model_put(model);
			continue;
		}
		for (uint32_t l = 1; l + 1 < net.n_layers; l++) {
			if (net.layers[l].type == PBIT_MAXPOOL)
				continue;
			trial = trial_of(model, l, 1, "quantised");
			request_new(&got, &trial);
			request_new(&expected, &trial);
			assert_int_equal(pbit_run_layers(subject.dev, model, l, 1, &got.req), 0);
			assert_int_equal(reference_run_layers(model, l, 1, &expected.req), 0);
			n = (uint64_t)trial.images * trial.samples *
			    reference_outputs(pbit_model_layer(model, l));
			d = differing(&got, &expected);
			p = stats_binomial_sf(d, n, worst);
			if (p < ALPHA / 30)
				fail_msg("model %u, layer %u: %llu of %llu bits differ, the plan "
					 "says at most %g (p = %g)",
					 i, l, (unsigned long long)d, (unsigned long long)n, worst,
					 p);
			bits += n;
			differ += d;
			most = fmax(most, worst);
			request_free(&got);
			request_free(&expected);
		}
		pbit_model_put(model);
	}
	print_message("%llu of %llu bits differ; largest worst error %g\n",
		      (unsigned long long)differ, (unsigned long long)bits, most);
}

static int open_device(void)
{
	const char *uri = getenv("PBIT_TEST_URI");
	char text[512];

	subject.caps.struct_size = sizeof(subject.caps);
	if (pbit_open(uri ? uri : "software:threads=1", NULL, &subject.dev) ||
	    pbit_get_caps(subject.dev, &subject.caps)) {
		pbit_format_error(text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		pbit_close(subject.dev);
		return 1;
	}
	subject.contract = subject.caps.flags & PBIT_FLAG_CONTRACT;
	/* Lowered layers return each sample, and are not bound by what the native ones are. */
	subject.caps.flags |= PBIT_FLAG_REPORTS;
	if (subject.caps.flags & PBIT_FLAG_BOLTZMANN)
		return 0;
	fprintf(stderr, "%s has no Boltzmann mode: skipped\n", pbit_device_uri(subject.dev));
	pbit_close(subject.dev);
	return 77;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded_is_native),
		cmocka_unit_test(test_dyadic_is_native),
		cmocka_unit_test(test_quantised_within_plan),
	};
	int rc = open_device();

	if (rc)
		return rc;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	pbit_close(subject.dev);
	return rc;
}
