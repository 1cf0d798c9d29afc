/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The law of layer mode on the device in PBIT_TEST_URI: layers with fixed inputs, each p-bit against the
 * exact probability, all p-bits together against a wrong beta or offset, and independence between p-bits,
 * samples, images and layers. One family-wise false-alarm rate for the whole program; the power at
 * that rate is printed; and faults put in on purpose must be found at the same rate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "judge.h"
#include "random_model.h"
#include "reference.h"

#define ALPHA	     1e-6
#define SAMPLES	     20032u /* a multiple of 64 */
#define NEURONS	     32u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct subject subject;
static struct judge honest;

/* A layer under test: on codes it is layer 0, else layer 1 behind a layer of that encoding. */
struct layer_case {
	uint32_t fan_in, width;
	enum pbit_encoding in, out;
	float beta;
};

static const struct layer_case cases[] = {
	{784, 8, PBIT_CODES, PBIT_BIPOLAR, 1},	    {784, 4, PBIT_CODES, PBIT_BINARY, 2},
	{100, 1, PBIT_CODES, PBIT_BIPOLAR, 0.5f},   {32, 32, PBIT_CODES, PBIT_BINARY, 1.5f},
	{32, 1, PBIT_BIPOLAR, PBIT_BIPOLAR, 1},	    {100, 2, PBIT_BIPOLAR, PBIT_BINARY, 0.7f},
	{784, 4, PBIT_BIPOLAR, PBIT_BIPOLAR, 1.3f}, {100, 8, PBIT_BIPOLAR, PBIT_BINARY, 1},
	{32, 32, PBIT_BIPOLAR, PBIT_BIPOLAR, 2},    {784, 1, PBIT_BINARY, PBIT_BINARY, 1},
	{32, 2, PBIT_BINARY, PBIT_BIPOLAR, 1.6f},   {100, 4, PBIT_BINARY, PBIT_BINARY, 0.6f},
	{32, 8, PBIT_BINARY, PBIT_BIPOLAR, 1},	    {100, 32, PBIT_BINARY, PBIT_BINARY, 1.2f},
};

/* A case made ready: its model, one input, and z of each p-bit. */
struct bench {
	struct pbit_model *model;
	uint32_t index; /* of the layer under test */
	uint8_t codes[784];
	uint64_t state[(784 + 63) / 64];
	size_t state_words;
	float z[NEURONS];
};

static struct pbit_model *model_of(const struct layer_case *c, uint64_t seed, float beta)
{
	bool codes = c->in == PBIT_CODES;
	struct random_net net = {.input_bits = 8, .input_zero = 17, .input_scale = 0.01f};
	struct random_layer *layer = &net.layers[codes ? 0 : 1];
	struct pbit_model *model = NULL;
	char text[512];

	net.in = (struct pbit_shape){codes ? c->fan_in : 8, 1, 1};
	net.n_layers = codes ? 1 : 2;
	if (!codes)
		net.layers[0] = random_dense(c->fan_in, 8, c->in);
	*layer = random_dense(NEURONS, c->width, c->out);
	layer->row_scales = 1;
	/* Wide enough to have p-bits that are rarely, and never, other than they mostly are. */
	layer->spread = 3.5f;
	layer->beta = beta;
	if (random_model(&net, seed, &model)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s", text);
	}
	return model;
}

static void bench_new(struct bench *bench, const struct layer_case *c, uint64_t seed)
{
	uint64_t random = seed + 1000;
	uint32_t i;

	memset(bench, 0, sizeof(*bench));
	bench->model = model_of(c, seed, c->beta);
	bench->index = c->in == PBIT_CODES ? 0 : 1;
	bench->state_words = (c->fan_in + 63) / 64;
	for (i = 0; i < c->fan_in; i++) {
		bench->codes[i] = (uint8_t)random_next(&random);
		bench->state[i / 64] |= (random_next(&random) & 1) << i % 64;
	}
	assert_int_equal(reference_z(bench->model, bench->index, bench->index ? NULL : bench->codes,
				     1, bench->index ? bench->state : NULL, bench->z),
			 0);
}

/*
 * SAMPLES samples of one image. False where the device states that it does not run this. `model` is
 * the bench's, or another with the same shapes.
 */
static bool draw(const struct bench *bench, struct pbit_model *model, uint64_t image,
		 struct columns *columns)
{
	struct trial trial = {.model = model, .first = bench->index, .n = 1, .images = 1};
	struct request request;
	bool ran;
	size_t s;

	trial.samples = SAMPLES;
	trial.seed = 20260101;
	trial.first_image = image;
	trial.name = "statistics";
	request_new(&request, &trial);
	if (bench->index)
		for (s = 0; s < SAMPLES; s++)
			memcpy((uint64_t *)request.input + s * bench->state_words, bench->state,
			       bench->state_words * sizeof(uint64_t));
	else
		memcpy(request.input, bench->codes, request.inputs);
	assert_int_equal(columns_new(columns, NEURONS, SAMPLES), 0);
	ran = subject_run(&subject, &trial, &request);
	if (ran)
		columns_fill(columns, request.req.out_bits, 1);
	request_free(&request);
	return ran;
}

static void test_cases(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct columns a, b = {.bit = NULL};
		struct bench bench;

		bench_new(&bench, &cases[i], i);
		/* Numbers of images that differ in their high words only, now and then. */
		if (draw(&bench, bench.model, 1, &a) &&
		    draw(&bench, bench.model, i % 2 ? 2 : 0x100000001u, &b)) {
			judge_samples(&honest, &a, bench.z);
			judge_samples(&honest, &b, bench.z);
			judge_runs(&honest, &a, &b);
			subject.runs++;
		}
		columns_free(&a);
		columns_free(&b);
		pbit_model_put(bench.model);
	}
}

/* Two layers of one network, in the same sample of the same image. */
static void test_layers(void **state)
{
	static const struct layer_case second = {NEURONS, 8, PBIT_BIPOLAR, PBIT_BIPOLAR, 1};
	struct columns a, b = {.bit = NULL};
	struct bench bench;
	struct bench front;

	(void)state;
	bench_new(&bench, &second, 77);
	front = bench;
	front.index = 0;
	assert_int_equal(reference_z(bench.model, 0, front.codes, 1, NULL, front.z), 0);
	if (draw(&front, bench.model, 0, &a) && draw(&bench, bench.model, 0, &b)) {
		judge_samples(&honest, &a, front.z);
		judge_samples(&honest, &b, bench.z);
		judge_runs(&honest, &a, &b);
	}
	columns_free(&a);
	columns_free(&b);
	pbit_model_put(bench.model);
}

static void test_verdict(void **state)
{
	size_t rejected, total = judge_total(&honest);
	int kind;

	(void)state;
	if (!subject.runs)
		skip();
	assert_false(honest.failed);
	rejected = judge_rejected(&honest, ALPHA);
	print_message("%zu tests at a family-wise rate of %g, %zu rejected; %llu layers, %llu not "
		      "run by this device\n",
		      total, ALPHA, rejected, (unsigned long long)subject.runs,
		      (unsigned long long)subject.refused);
	for (kind = 0; kind < JUDGE_KINDS; kind++)
		if (honest.n[kind])
			print_message("  %-14s %6zu tests, smallest p %.2g\n",
				      judge_kind_names[kind], honest.n[kind],
				      judge_smallest(&honest, (enum judge_kind)kind));
	assert_int_equal(rejected, 0);
}

/* What would have been found with 99 %. */
static void test_power(void **state)
{
	static const double at[] = {0, 2, 4, 6, 8};
	double alpha, limit;
	size_t i;

	(void)state;
	if (!subject.runs)
		skip();
	alpha = ALPHA / (double)judge_total(&honest);
	limit = judge_normal_quantile(alpha) + 2.326; /* 99 % of the other side */
	print_message("found with 99 %% (%u samples, level of one test %.2g):\n", SAMPLES, alpha);
	for (i = 0; i < COUNT(at); i++) {
		double shift = judge_detectable_shift(at[i], SAMPLES, alpha);

		print_message("  one p-bit at |z| = %g: z off by %.3f\n", at[i], shift);
		/* At 0 the binomial is a normal law: limit standard errors of 1 / (2 sqrt N). */
		if (i == 0)
			assert_true(fabs(shift - 2 * limit / sqrt(SAMPLES)) < 0.1 * shift);
	}
	print_message("  a layer of %u p-bits at |z| = 2: all z off by %.4f, beta off by %.2f %%\n",
		      NEURONS, limit / sqrt(NEURONS * SAMPLES * 0.105),
		      50 * limit / sqrt(NEURONS * SAMPLES * 0.105));
	print_message("  two p-bits: correlation %.4f; successive samples: %.4f\n",
		      limit / sqrt(SAMPLES), limit / sqrt(SAMPLES / 2.0));
}

enum fault {
	FAULT_NONE,   /* drawn by the test itself, as it should be */
	FAULT_SHARED, /* one random number for all p-bits of a sample */
	FAULT_COARSE, /* u <= p with u on 8 bits */
	FAULT_BETA,   /* 0.95 beta, drawn by the device */
	FAULT_STUCK,  /* samples of the device, one p-bit always 1 */
	FAULT_REPEAT, /* samples of the device, one in ten a repetition */
	FAULT_IMAGES, /* samples of the device, images share their random numbers */
};

/* Draws that this program makes itself. */
static void draw_synthetic(const struct bench *bench, enum fault fault, struct columns *columns)
{
	uint64_t random = 4242;
	size_t s, o;

	assert_int_equal(columns_new(columns, NEURONS, SAMPLES), 0);
	for (s = 0; s < SAMPLES; s++) {
		uint64_t shared = random_next(&random);

		for (o = 0; o < NEURONS; o++) {
			uint32_t t = reference_threshold24(bench->z[o]);
			uint64_t own = random_next(&random);
			uint64_t u = (fault == FAULT_SHARED ? shared : own) >> 40;
			bool one = fault == FAULT_COARSE ? (u >> 16) << 16 <= t : u < t;

			columns_set(columns, o, s, one);
		}
	}
}

static void spoil(struct columns *columns, const struct bench *bench, enum fault fault)
{
	uint64_t random = 99;
	size_t s, o, middle = 0;

	for (o = 1; o < NEURONS; o++)
		if (fabsf(bench->z[o]) < fabsf(bench->z[middle]))
			middle = o;
	for (s = 1; s < SAMPLES; s++)
		if (fault == FAULT_STUCK)
			columns_set(columns, middle, s, 1);
		else if (fault == FAULT_REPEAT && random_uniform(&random) < 0.1)
			for (o = 0; o < NEURONS; o++)
				columns_set(columns, o, s, columns_get(columns, o, s - 1));
}

/* Fills a judge with samples that have this fault; false where the device does not run the layer. */
static bool judge_fault(struct judge *judge, const struct bench *bench, enum fault fault)
{
	struct pbit_model *model = pbit_model_get(bench->model);
	struct columns a, b;
	bool ran = true;

	if (fault == FAULT_BETA) {
		pbit_model_put(model);
		model = model_of(&cases[0], 0, cases[0].beta * 0.95f);
	}
	if (fault <= FAULT_COARSE)
		draw_synthetic(bench, fault, &a);
	else
		ran = draw(bench, model, 5, &a);
	if (ran) {
		spoil(&a, bench, fault);
		judge_samples(judge, &a, bench->z);
	}
	if (ran && fault == FAULT_IMAGES) {
		b = a;
		judge_runs(judge, &a, &b);
	}
	columns_free(&a);
	pbit_model_put(model);
	return ran;
}

static void test_controls(void **state)
{
	static const struct {
		enum fault fault;
		const char *name;
		enum judge_kind by; /* the test that must find it */
	} controls[] = {
		{FAULT_SHARED, "random number shared by all p-bits", JUDGE_PAIRS},
		{FAULT_COARSE, "u <= p on 8 bits", JUDGE_SIGMOID},
		{FAULT_BETA, "0.95 beta", JUDGE_GAIN},
		{FAULT_STUCK, "one p-bit stuck at +1", JUDGE_SIGMOID},
		{FAULT_REPEAT, "one sample in ten repeated", JUDGE_LAG},
		{FAULT_IMAGES, "images share random numbers", JUDGE_RUNS},
		{FAULT_NONE, "none", JUDGE_LAW},
	};
	/* As strict as in the whole family, though few tests are made here. */
	double alpha = ALPHA / (double)(judge_total(&honest) + 1);
	struct bench bench;
	size_t i;
	int kind;

	(void)state;
	bench_new(&bench, &cases[0], 0);
	for (i = 0; i < COUNT(controls); i++) {
		struct judge judge = {.contract = subject.contract};
		double smallest = 1;

		if (!judge_fault(&judge, &bench, controls[i].fault)) {
			print_message("fault: %s: the device does not run this layer\n",
				      controls[i].name);
			judge_free(&judge);
			continue;
		}
		assert_false(judge.failed);
		for (kind = 0; kind < JUDGE_KINDS; kind++)
			smallest = fmin(smallest, judge_smallest(&judge, (enum judge_kind)kind));
		print_message("fault: %s: smallest p %.2g, by %s %.2g\n", controls[i].name,
			      smallest, judge_kind_names[controls[i].by],
			      judge_smallest(&judge, controls[i].by));
		if (controls[i].fault == FAULT_NONE)
			assert_int_equal(judge_rejected(&judge, ALPHA), 0);
		else
			assert_true(judge_smallest(&judge, controls[i].by) <= alpha);
		judge_free(&judge);
	}
	pbit_model_put(bench.model);
}

/* The exact table test against its definition, all tables of some margins. */
static void test_table(void **state)
{
	static const uint64_t margins[][3] = {{5, 7, 20}, {1, 1, 2}, {10, 10, 12}, {0, 4, 9}};
	uint64_t k, j;
	size_t m;

	(void)state;
	/* The lady tasting tea: 4 of 4 right has 1 chance in 70. */
	assert_true(fabs(judge_table(4, 4, 4, 8) - 2.0 / 70) < 1e-12);
	for (m = 0; m < COUNT(margins); m++) {
		uint64_t a = margins[m][0], b = margins[m][1], n = margins[m][2];
		uint64_t low = a + b > n ? a + b - n : 0, high = a < b ? a : b;

		for (k = low; k <= high; k++) {
			double below = 0, above = 0, p;

			for (j = low; j <= high; j++) {
				p = exp(lgamma((double)a + 1) - lgamma((double)j + 1) -
					lgamma((double)(a - j) + 1) + lgamma((double)(n - a) + 1) -
					lgamma((double)(b - j) + 1) -
					lgamma((double)(n - a - b + j) + 1) -
					lgamma((double)n + 1) + lgamma((double)b + 1) +
					lgamma((double)(n - b) + 1));
				below += j <= k ? p : 0;
				above += j >= k ? p : 0;
			}
			p = (double)k < (double)a * (double)b / (double)n ? 2 * below : 2 * above;
			assert_true(fabs(judge_table(k, a, b, n) - fmin(p, 1)) < 1e-9);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),  cmocka_unit_test(test_cases),
		cmocka_unit_test(test_layers), cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_power),  cmocka_unit_test(test_controls),
	};
	int rc = subject_open(&subject, NULL);

	if (rc)
		return rc;
	if (!(subject.caps.flags & PBIT_FLAG_REPORTS)) {
		fprintf(stderr, "%s returns sums, not samples: skipped\n",
			pbit_device_uri(subject.dev));
		subject_close(&subject);
		return 77;
	}
	honest.contract = subject.contract;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	if (!subject.runs && !rc)
		rc = 77;
	judge_free(&honest);
	subject_close(&subject);
	return rc;
}
