/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans of the lowering: verdicts, limits that are named, shapes of machines; and sessions on a device
 * that has no layers: what they leave behind, and what becomes of a device's failure.
 */
#include "test_lower_device.h"

#include <stdio.h>
#include <pbit/pbit.h>

#define IN  40u
#define MID 30u

/* 40 codes, 30 p-bits, 20 p-bits, 3 values; scales are powers of two. */
static struct pbit_model *new_model(void)
{
	struct pbit_layer_spec layers[3] = {PBIT_INIT(layers[0]), PBIT_INIT(layers[1]),
					    PBIT_INIT(layers[2])};
	struct pbit_model_spec spec = PBIT_INIT(spec);
	static int8_t weights[IN * MID];
	static float bias[MID];
	static const float scale = 0x1p-4f;
	const uint32_t sizes[] = {MID, 20, 3};
	struct pbit_model *model;

	for (uint32_t i = 0; i < IN * MID; i++)
		weights[i] = (int8_t)((i * 7 + i / 11) % 15 - 7);
	for (uint32_t o = 0; o < MID; o++)
		bias[o] = (float)(o % 5) / 4;
	for (uint32_t l = 0; l < 3; l++) {
		layers[l].n_out = sizes[l];
		layers[l].weight_bits = 4;
		layers[l].n_scale = 1;
		layers[l].scale = &scale;
		layers[l].bias = bias;
		layers[l].weights = weights;
	}
	layers[1].name = "middle";
	layers[2].activation = PBIT_ACT_LINEAR;
	spec.layers = layers;
	spec.n_layers = 3;
	spec.in = (struct pbit_shape){IN, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = 0x1p-8f;
	assert_int_equal(pbit_model_create(&spec, &model), 0);
	return model;
}

static struct pbit_lower_layer plan_layer(const struct box *box, const struct pbit_lower_opts *opts,
					  uint32_t i, char *limit)
{
	struct pbit_lower_layer layer = PBIT_INIT(layer);
	struct pbit_model *model = new_model();
	struct pbit_lower_plan *plan;

	assert_int_equal(pbit_lower_plan(model, &box->dev.caps, opts, &plan), 0);
	assert_int_equal(pbit_lower_plan_layers(plan), 3);
	assert_int_equal(pbit_lower_plan_layer(plan, i, &layer), 0);
	if (limit)
		snprintf(limit, 256, "%s", layer.limit);
	pbit_lower_plan_free(plan);
	pbit_model_put(model);
	layer.limit = NULL;
	return layer;
}

static void test_shape(void **state)
{
	struct pbit_lower_layer layer;
	struct box box;

	(void)state;
	box_open(&box);
	layer = plan_layer(&box, NULL, 0, NULL);
	assert_int_equal(layer.kept, 0); /* codes are real values */
	assert_int_equal(layer.folded, IN);
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.kept, MID);
	assert_int_equal(layer.folded, 0);
	assert_int_equal(layer.pbits, 20 + MID);
	assert_int_equal(layer.programs, 1);
	box.dev.caps.fan_in = 10; /* 20 outputs of 10 inputs, each twice */
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.kept, 10);
	assert_int_equal(layer.copies, 2);
	assert_int_equal(layer.pbits, 20 + 20);
	box.dev.caps.flags |= PBIT_FLAG_DIRECTED;
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.copies, 1);
	assert_int_equal(layer.pbits, 20 + 10);
	box.dev.caps.topology = PBIT_TOPOLOGY_LISTED;
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.kept, 0);
	box.dev.caps.topology = PBIT_TOPOLOGY_ALL;
	box.dev.caps.flags &= ~(uint32_t)PBIT_FLAG_CLAMP;
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.kept, 0);
	layer = plan_layer(&box, NULL, 2, NULL);
	assert_int_equal(layer.place, PBIT_LOWER_ON_HOST);
	assert_int_equal(layer.verdict, PBIT_LOWER_EXACT);
	box_close(&box);
}

static void test_verdicts(void **state)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct pbit_lower_layer layer, other;
	struct box box;

	(void)state;
	box_open(&box);
	/* J = w/16 in steps of 1/16: z needs no rounding where the range is wide enough. */
	box.dev.caps.coupling = box.dev.caps.bias = box_format(7, 8);
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.verdict, PBIT_LOWER_EXACT);
	assert_true(layer.worst_error == 0);
	box.dev.caps.stated |= PBIT_CAP_RANDOM_BITS;
	box.dev.caps.random_bits = 8; /* too few for the contract's probabilities */
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.verdict, PBIT_LOWER_QUANTISED);
	assert_true(layer.worst_error >= 0x1p-8 && layer.worst_error < 0x1p-7);
	box.dev.caps.random_bits = 24;
	box.dev.caps.coupling = box_format(1, 1); /* 8 values for 15 weights */
	layer = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(layer.verdict, PBIT_LOWER_QUANTISED);
	assert_true(layer.typical_error <= layer.worst_error);
	opts.max_error = layer.worst_error / 3; /* fewer couplings err less */
	other = plan_layer(&box, &opts, 1, NULL);
	assert_true(other.worst_error <= opts.max_error);
	assert_true(other.kept < layer.kept);
	assert_int_equal(layer.sweeps, 1);
	/* p-bits that remember: 12 correlation times of 3 sample intervals. */
	box.dev.caps.stated |= PBIT_CAP_CORRELATION_TIME | PBIT_CAP_SAMPLE_INTERVAL;
	box.dev.caps.correlation_time_ns = 3;
	box.dev.caps.sample_interval_ns = 1;
	other = plan_layer(&box, NULL, 1, NULL);
	assert_int_equal(other.sweeps, 36);
	assert_true(other.worst_error > layer.worst_error);
	box.dev.caps.correlation_time_ns = 0;
	opts = (struct pbit_lower_opts)PBIT_INIT(opts);
	opts.couplings = 5;
	assert_int_equal(plan_layer(&box, &opts, 1, NULL).kept, 5);
	opts.flags = PBIT_LOWER_FOLD;
	assert_int_equal(plan_layer(&box, &opts, 1, NULL).kept, 0);
	box_close(&box);
}

static void assert_impossible(const struct box *box, const struct pbit_lower_opts *opts,
			      const char *words)
{
	char limit[256];
	struct pbit_lower_layer layer = plan_layer(box, opts, 1, limit);

	if (layer.verdict != PBIT_LOWER_IMPOSSIBLE)
		fail_msg("\"%s\" is not impossible: kept %u, beta %g, worst error %g", words,
			 layer.kept, layer.beta, layer.worst_error);
	if (!strstr(limit, words))
		fail_msg("\"%s\" does not name \"%s\"", limit, words);
}

static void test_limits_are_named(void **state)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct box box;

	(void)state;
	box_open(&box);
	box.dev.caps.pbits = 0;
	assert_impossible(&box, NULL, "p-bits: the device states 0");
	box_close(&box);

	box_open(&box);
	box.dev.caps.bias = box_format(3, 4);
	box.dev.caps.bias.min = 0; /* no room for either sign */
	box.dev.caps.bias.max = 0x1p-4;
	box.dev.caps.beta.max = 1;
	assert_impossible(&box, NULL, "bias range 0 to 0.0625");
	box_close(&box);

	box_open(&box);
	box.dev.caps.beta.max = 0.01;
	assert_impossible(&box, NULL, "beta is at most 0.01");
	box.dev.caps.beta.max = -1;
	box.dev.caps.beta.min = -2;
	assert_impossible(&box, NULL, "beta");
	box_close(&box);

	box_open(&box);
	box.dev.caps.bias = box_format(3, 1);
	opts.max_error = 1e-9;
	assert_impossible(&box, &opts, "asked for at most 1e-09");
	box_close(&box);
}

static void test_clipping_must_be_asked_for(void **state)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct pbit_lower_layer layer;
	struct box box;

	(void)state;
	box_open(&box);
	box.dev.caps.beta.max = 0.125; /* |z| <= 2, where no p-bit is certain */
	assert_impossible(&box, NULL, "bias range");
	opts.flags = PBIT_LOWER_SATURATE;
	layer = plan_layer(&box, &opts, 1, NULL);
	assert_int_equal(layer.verdict, PBIT_LOWER_QUANTISED);
	assert_true(layer.saturates);
	assert_true(layer.worst_error > 0.1);
	box_close(&box);
}

static void test_bad_arguments(void **state)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);
	struct pbit_lower_layer layer = PBIT_INIT(layer);
	struct pbit_model *model = new_model();
	struct pbit_lower_plan *plan = NULL;
	struct box box;

	(void)state;
	box_open(&box);
	assert_int_equal(pbit_lower_plan(NULL, &box.dev.caps, NULL, &plan), -EINVAL);
	assert_int_equal(pbit_lower_plan(model, NULL, NULL, &plan), -EINVAL);
	assert_int_equal(pbit_lower_plan(model, &box.dev.caps, NULL, NULL), -EINVAL);
	opts.flags = 1u << 20;
	assert_int_equal(pbit_lower_plan(model, &box.dev.caps, &opts, &plan), -EINVAL);
	assert_int_equal(pbit_lower_device(&box.dev, &opts), -EINVAL);
	opts.flags = 0;
	opts.max_error = NAN;
	assert_int_equal(pbit_lower_plan(model, &box.dev.caps, &opts, &plan), -EINVAL);
	opts.max_error = -1;
	assert_int_equal(pbit_lower_plan(model, &box.dev.caps, &opts, &plan), -EINVAL);
	assert_int_equal(pbit_lower_device(NULL, NULL), -EINVAL);
	assert_null(plan);
	assert_int_equal(pbit_lower_plan_layers(NULL), 0);
	assert_int_equal(pbit_lower_plan_layer(NULL, 0, &layer), -EINVAL);
	assert_int_equal(pbit_lower_plan(model, &box.dev.caps, NULL, &plan), 0);
	assert_int_equal(pbit_lower_plan_layer(plan, 3, &layer), -ENOENT);
	assert_int_equal(pbit_lower_plan_layer(plan, 0, NULL), -EINVAL);
	pbit_lower_plan_free(plan);
	pbit_lower_plan_free(NULL);
	box_close(&box);
	pbit_model_put(model);
}

static int run_session(struct box *box, int64_t deadline, double *means)
{
	struct pbit_device *devices[] = {&box->dev};
	struct pbit_run_opts opts = PBIT_INIT(opts);
	struct pbit_input input = PBIT_INIT(input);
	struct pbit_model *model = new_model();
	struct pbit_session *session = NULL;
	struct pbit_result *result = NULL;
	static uint8_t codes[3][IN];
	int rc;

	for (uint32_t i = 0; i < 3 * IN; i++)
		codes[i / IN][i % IN] = (uint8_t)(i * 37);
	input.data = codes;
	input.n_images = 3;
	input.n_values = IN;
	opts.samples = 50;
	opts.seed = 4;
	opts.deadline_ns = deadline;
	assert_int_equal(pbit_result_new(&result), 0);
	rc = pbit_session_new(model, devices, 1, &session);
	if (!rc)
		rc = pbit_session_run(session, &input, &opts, result);
	if (!rc && means)
		memcpy(means, pbit_result_mean(result), 9 * sizeof(double));
	pbit_session_free(session);
	pbit_result_free(result);
	pbit_model_put(model);
	return rc;
}

static int failing_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct box *box = priv;

	if (box->updates == 20)
		return pbit_fail(-EIO, PBIT_ERR_DEVICE, "cannot update", "box:", NULL,
				 "the link is down");
	return box_update(priv, beta, sweeps, ctl);
}

static void test_session(void **state)
{
	uint64_t one_word = 0;
	double means[9], again[9];
	struct pbit_bm *bm;
	struct box box;

	(void)state;
	box_open(&box);
	assert_int_equal(pbit_bm_new(4, &bm), 0);
	assert_int_equal(pbit_program(&box.dev, bm, 0, 1), 0);
	assert_int_equal(pbit_read(&box.dev, &one_word), 0);
	assert_int_equal(run_session(&box, 0, means), 0);
	/* The caller's machine is gone, and says so. */
	assert_int_equal(pbit_read(&box.dev, &one_word), -ENOTCONN);
	assert_int_equal(run_session(&box, 0, again), 0);
	assert_memory_equal(means, again, sizeof(means));
	assert_int_equal(pbit_program(&box.dev, bm, 0, 1), 0);
	pbit_bm_put(bm);

	assert_int_equal(run_session(&box, 1, NULL), -ETIMEDOUT);
	box.updates = 0;
	box.dev.ops.update = failing_update;
	assert_int_equal(run_session(&box, 0, NULL), -EIO);
	assert_non_null(strstr(pbit_last_error()->why, "the link is down"));
	assert_int_equal(pbit_read(&box.dev, &one_word), -ENOTCONN);
	box.dev.ops.update = box_update;
	assert_int_equal(run_session(&box, 0, again), 0);
	assert_memory_equal(means, again, sizeof(means));

	box.dev.caps.bias = box_format(0, 1);
	box.dev.caps.beta.max = 0.1;
	assert_int_equal(run_session(&box, 0, NULL), -E2BIG);
	assert_non_null(strstr(pbit_last_error()->why, "layer 0 cannot be lowered: bias range"));
	pbit_bm_put(box.dev.bm);
	box.dev.bm = NULL;
	box_close(&box);
}

/* Without Boltzmann mode there is nothing to lower to. */
static void test_neither_mode(void **state)
{
	struct box box;

	(void)state;
	box_open(&box);
	box.dev.caps.flags = 0;
	assert_int_equal(run_session(&box, 0, NULL), -EOPNOTSUPP);
	box_close(&box);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_limits_are_named),
		cmocka_unit_test(test_clipping_must_be_asked_for),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_neither_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
