/* SPDX-License-Identifier: Apache-2.0 */
/* One layer made ready: weights, factors, and the plan of what it becomes on a device. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "lower/lower.h"
#include "model/affine_map.h"

static const char what[] = "cannot lower the model";

/* Beyond it t(z) is 0 or 2^24; a bias in steps of 2^-25 meets every threshold in between. */
#define CERTAIN_Z	20.0
#define THRESHOLD_STEP	0x1p-25
#define THRESHOLD_POWER 20

static int read_factors(const struct pbit_model *model, struct pbit__stage *stage)
{
	const struct pbit_layer *l = stage->layer;
	const size_t n = stage->positions * l->n_out;

	stage->a = calloc(2 * n, sizeof(float));
	if (!stage->a)
		return pbit__lower_no_memory(what);
	stage->c = stage->a + n;
	if (l->type == PBIT_CONV2D)
		return pbit__layer_affine_map(model, l, l->n_out, stage->a, stage->c);
	return pbit_layer_affine(model, l->index, 0, 1, 0, 1, stage->a, stage->c);
}

int pbit__stage_read(const struct pbit_model *model, uint32_t index, struct pbit__stage *stage)
{
	const struct pbit_layer *l = pbit_model_layer(model, index);
	struct pbit_model_info info = PBIT_INIT(info);
	int rc = pbit_model_info(model, &info);

	*stage = (struct pbit__stage){.layer = l};
	if (rc)
		return rc;
	stage->host = l->type == PBIT_MAXPOOL || l->activation != PBIT_ACT_PBIT;
	stage->positions = l->type == PBIT_DENSE ? 1 : (size_t)l->out.height * l->out.width;
	stage->n_values = (size_t)l->out.channels * l->out.height * l->out.width;
	stage->words = 2 * pbit_layer_state_words(l);
	stage->input_max = index ? 1 : ldexp(1, (int)info.input_bits) - 1;
	if (l->type == PBIT_MAXPOOL)
		return 0;
	rc = pbit__taps_read(l, &stage->taps);
	if (!rc)
		rc = read_factors(model, stage);
	if (rc)
		pbit__stage_free(stage);
	return rc;
}

void pbit__stage_free(struct pbit__stage *stage)
{
	pbit__taps_free(&stage->taps);
	free(stage->a);
	free(stage->J);
	free(stage->reach.kept_sum);
	stage->a = stage->c = NULL;
	stage->J = NULL;
	stage->reach = (struct pbit__reach){0};
}

/*
 * With all inputs folded and biases as fine as need be, each bias is chosen so that the p-bit
 * has the very t(z) of the contract.
 */
static bool choose_threshold(struct pbit__stage *stage, const struct pbit__lower_limits *limits)
{
	if (stage->tile.kept || limits->bias.step > 0)
		return false;
	for (int k = 0; k <= 2 * THRESHOLD_POWER; k++) {
		const double gain = ldexp(1, k % 2 ? -(k + 1) / 2 : k / 2);

		if (!pbit__beta_fits(&limits->beta, gain / 2) ||
		    limits->bias.low > -CERTAIN_Z / gain || limits->bias.high < CERTAIN_Z / gain)
			continue;
		stage->by_threshold = true;
		stage->gain = gain;
		stage->coupling_step = stage->bias_step = THRESHOLD_STEP / gain;
		stage->bias_low = -CERTAIN_Z / THRESHOLD_STEP;
		stage->bias_high = CERTAIN_Z / THRESHOLD_STEP;
		stage->plan.worst_error = stage->plan.typical_error = 0;
		stage->plan.saturates = 0;
		return true;
	}
	return false;
}

static void judge(struct pbit__stage *stage, const struct pbit__scheme *scheme)
{
	bool exact = true;

	stage->plan.worst_error = stage->plan.typical_error = 0;
	stage->plan.saturates = 0;
	for (uint32_t o = 0; o < stage->layer->n_out; o++) {
		const double clipped = pbit__bound_saturation(stage, scheme, o);
		struct pbit__bound bound;

		pbit__bound_row(stage, scheme, o, &bound);
		exact = exact && bound.exact && clipped == 0;
		if (clipped > 0)
			stage->plan.saturates = 1;
		stage->plan.worst_error = fmax(stage->plan.worst_error, fmax(bound.worst, clipped));
		stage->plan.typical_error = fmax(stage->plan.typical_error, bound.typical);
	}
	stage->plan.verdict = exact ? PBIT_LOWER_EXACT : PBIT_LOWER_QUANTISED;
}

/* A device that computes in binary32 itself cannot hold more than 24 bits of a number. */
static bool beyond_float(const struct pbit__stage *stage, const struct pbit__lower_limits *limits)
{
	double low, high;

	if (limits->contract || limits->bias.step > 0)
		return false;
	for (uint32_t o = 0; o < stage->layer->n_out; o++) {
		pbit__reach_bias(stage, o, &low, &high);
		if (fmax(fabs(low), fabs(high)) / stage->gain / stage->step > 0x1p24)
			return true;
	}
	return false;
}

static bool choose_scheme(struct pbit__stage *stage, const struct pbit__lower_limits *limits,
			  uint32_t flags)
{
	struct pbit__scheme scheme;

	if (!pbit__gain_choose(limits, flags, stage, &scheme))
		return false;
	stage->by_threshold = false;
	stage->gain = scheme.gain;
	stage->coupling_step = scheme.coupling_step;
	stage->bias_step = scheme.bias_step;
	stage->bias_low = ceil(limits->bias.low / scheme.bias_step);
	stage->bias_high = floor(limits->bias.high / scheme.bias_step);
	judge(stage, &scheme);
	return true;
}

static bool choose(struct pbit__stage *stage, const struct pbit__lower_limits *limits,
		   uint32_t flags)
{
	const double device = pbit__bound_device(limits);

	stage->plan.verdict = PBIT_LOWER_EXACT;
	if (!choose_threshold(stage, limits) && !choose_scheme(stage, limits, flags))
		return false;
	stage->beta = stage->gain / 2;
	stage->step = fmin(stage->coupling_step, stage->bias_step);
	if (!stage->tile.kept)
		stage->step = stage->bias_step;
	if (device > 0 || (!stage->by_threshold && beyond_float(stage, limits))) {
		stage->plan.verdict = PBIT_LOWER_QUANTISED;
		stage->plan.worst_error += device + 0x1p-24;
	}
	return true;
}

static void impossible(struct pbit__stage *stage)
{
	stage->plan.verdict = PBIT_LOWER_IMPOSSIBLE;
	stage->plan.limit = stage->limit;
}

/* Largest worst error where the caller names neither that nor a number of couplings. */
#define AIM 0.05

/* Fewer couplings err less, and ask for less range: the host sums what the device leaves. */
static int plan_machine(struct pbit__stage *stage, const struct pbit__lower_limits *limits,
			const struct pbit_lower_opts *opts)
{
	uint32_t most = opts->couplings ? opts->couplings : UINT32_MAX;
	const bool strict = opts->max_error > 0;
	const double aim = strict ? opts->max_error : opts->couplings ? HUGE_VAL : AIM;
	int rc;

	if (opts->flags & PBIT_LOWER_FOLD)
		most = 0;
	while (pbit__tile_choose(stage, limits, most, &stage->tile)) {
		rc = pbit__reach_find(stage);
		if (rc)
			return rc;
		if (choose(stage, limits, opts->flags)) {
			if (stage->plan.worst_error <= aim || (!strict && !stage->tile.kept))
				return 0;
			snprintf(stage->limit, sizeof(stage->limit),
				 "the worst error of a probability is %.3g, asked for at most %.3g",
				 stage->plan.worst_error, opts->max_error);
		}
		if (!stage->tile.kept) {
			impossible(stage);
			return 0;
		}
		most = stage->tile.kept / 2;
	}
	snprintf(stage->limit, sizeof(stage->limit), "p-bits: the device states %llu",
		 (unsigned long long)limits->pbits);
	impossible(stage);
	return 0;
}

static void describe(struct pbit__stage *stage, const struct pbit__lower_limits *limits)
{
	const struct pbit_layer *l = stage->layer;
	const struct pbit__tile *tile = &stage->tile;
	struct pbit_lower_layer *plan = &stage->plan;
	const uint64_t tiles = (l->n_out + tile->outputs - 1) / tile->outputs;
	const uint64_t leads =
		tile->lead ? PBIT__STREAM_GROUP / (PBIT__STREAM_GROUP - tile->lead) : 1;

	plan->pbits = tile->lead + tile->outputs + tile->kept * tile->copies;
	plan->outputs = tile->outputs;
	plan->kept = tile->kept;
	plan->folded = stage->taps.n_real - tile->kept;
	plan->copies = tile->copies;
	plan->same_draws = tile->same_draws;
	plan->programs = tiles * (leads < stage->positions ? leads : stage->positions);
	plan->updates = (double)tiles * (double)stage->positions;
	if (plan->folded)
		plan->biases = plan->updates;
	plan->sweeps = limits->sweeps;
	plan->beta = stage->beta;
	plan->coupling_step = stage->coupling_step;
	plan->bias_step = stage->bias_step;
}

static int make_couplings(struct pbit__stage *stage, const struct pbit__lower_limits *limits)
{
	const uint32_t n = stage->layer->n_out, kept = stage->tile.kept;

	free(stage->J);
	stage->J = calloc((size_t)n * kept + 1, sizeof(*stage->J));
	if (!stage->J)
		return pbit__lower_no_memory(what);
	for (uint32_t i = 0; i < kept; i++)
		for (uint32_t o = 0; o < n; o++) {
			const double A = pbit__stage_coupling(stage, i, o);
			const double J = pbit__number_round(&limits->coupling, stage->coupling_step,
							    A / stage->gain);

			stage->J[(size_t)i * n + o] = (int32_t)rint(J / stage->step);
		}
	return 0;
}

int pbit__stage_plan(struct pbit__stage *stage, const struct pbit__lower_limits *limits,
		     const struct pbit_lower_opts *opts)
{
	int rc;

	stage->plan = (struct pbit_lower_layer){
		.struct_size = sizeof(stage->plan),
		.index = stage->layer->index,
		.limit = "",
	};
	if (stage->host) {
		stage->plan.place = PBIT_LOWER_ON_HOST;
		return 0;
	}
	rc = plan_machine(stage, limits, opts);
	if (rc || stage->plan.verdict == PBIT_LOWER_IMPOSSIBLE)
		return rc;
	describe(stage, limits);
	return make_couplings(stage, limits);
}
