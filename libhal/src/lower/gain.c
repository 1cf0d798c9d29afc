/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gain 2 beta of a layer. Couplings and biases are parts of z divided by it: the smaller it is the finer is
 * z resolved, until couplings leave their range or biases do. A bias out of range is clipped only
 * where the p-bit is then as certain as the layer is exact, unless the caller allows more.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "lower/lower.h"

#define POWERS	    20	/* of two tried on both sides of 1 */
#define GRID	    64	/* gains over the range in question */
#define GRID_SPAN   256 /* between its ends, at most */
#define SAME_SCALE  64	/* gains that make couplings of the weights themselves */
#define SAMPLE_ROWS 128

/* Nothing finer is worth looking for: the contract's own probabilities have steps of 2^-24. */
#define FINE_ENOUGH 0x1p-18

/* A clipped bias must leave its p-bit at least this certain, however coarse the rest is. */
#define CERTAIN 0x1p-6

/* What rows need: sizes of one sign each, in z units. */
struct need {
	double couplings[2], biases[2];
};

struct search {
	struct pbit__stage *stage;
	uint32_t flags;
	struct need need;
	struct pbit__scheme best;
	double error;	/* of the best; infinite where there is none */
	double clipped; /* least saturation among those refused for it */
	bool beyond_sums;
};

bool pbit__beta_fits(const struct pbit__number *beta, double x)
{
	return x > 0 && x >= beta->low && x <= beta->high &&
	       (beta->step <= 0 || pbit__is_multiple(x, beta->step));
}

static void find_need(const struct pbit__stage *stage, struct need *need)
{
	*need = (struct need){0};
	for (uint32_t o = 0; o < stage->layer->n_out; o++) {
		double low, high;

		pbit__reach_bias(stage, o, &low, &high);
		need->biases[0] = fmax(need->biases[0], high);
		need->biases[1] = fmax(need->biases[1], -low);
		for (uint32_t i = 0; i < stage->tile.kept; i++) {
			const double A = pbit__stage_coupling(stage, i, o);

			need->couplings[A < 0] = fmax(need->couplings[A < 0], fabs(A));
		}
	}
}

/* The least gain at which both signs are within the range; infinite where none is. */
static double least_gain(const double need[2], const struct pbit__number *n)
{
	double gain = 0;

	if (need[0] > 0)
		gain = n->high > 0 ? need[0] / n->high : HUGE_VAL;
	if (need[1] > 0)
		gain = fmax(gain, n->low < 0 ? need[1] / -n->low : HUGE_VAL);
	return gain;
}

/* Worst of a sample of rows; all of them only where it matters, at the end. */
static double rounding_error(const struct pbit__stage *stage, const struct pbit__scheme *scheme)
{
	const uint32_t n = stage->layer->n_out, each = n / SAMPLE_ROWS + 1;
	double error = 0;

	for (uint32_t o = 0; o < n; o += each) {
		struct pbit__bound bound;

		pbit__bound_row(stage, scheme, o, &bound);
		error = fmax(error, bound.worst);
	}
	return error;
}

static double saturation(const struct pbit__stage *stage, const struct pbit__scheme *scheme)
{
	double error = 0;

	for (uint32_t o = 0; o < stage->layer->n_out; o++)
		error = fmax(error, pbit__bound_saturation(stage, scheme, o));
	return error;
}

static void try(struct search *s, double gain)
{
	struct pbit__scheme scheme = {.limits = s->best.limits, .gain = gain};
	const double slack = 1 + 0x1p-40; /* the division by the gain rounds */
	double error, clipped;

	if (!(gain > 0) || !isfinite(gain) || !pbit__beta_fits(&scheme.limits->beta, gain / 2))
		return;
	if (!(s->flags & PBIT_LOWER_SATURATE) &&
	    least_gain(s->need.couplings, &scheme.limits->coupling) > gain * slack)
		return;
	if (!pbit__steps_choose(s->stage, &scheme)) {
		s->beyond_sums = true;
		return;
	}
	error = rounding_error(s->stage, &scheme);
	clipped = saturation(s->stage, &scheme);
	if (clipped > fmin(error, CERTAIN) && !(s->flags & PBIT_LOWER_SATURATE)) {
		s->clipped = fmin(s->clipped, clipped);
		return;
	}
	error = fmax(error, clipped);
	if (error < s->error) {
		s->error = error;
		s->best = scheme;
	}
}

/* The next beta that the format holds. */
static double gain_above(const struct pbit__number *beta, double gain)
{
	if (gain < 2 * beta->low)
		gain = 2 * beta->low;
	return beta->step > 0 ? ceil(gain / 2 / beta->step) * beta->step * 2 : gain;
}

/* Of numbers in binary32 the first gain that fits is as good as any. */
static void try_powers(struct search *s)
{
	const struct pbit__lower_limits *limits = s->best.limits;
	const bool fixed = limits->coupling.step > 0 || limits->bias.step > 0;

	try(s, 1);
	for (int k = 1; k <= POWERS && s->error > (fixed ? FINE_ENOUGH : 1); k++) {
		try(s, ldexp(1, k));
		try(s, ldexp(1, -k));
	}
}

/* Gains at which a coupling is q steps for each unit of weight: no rounding of couplings at all. */
static void try_same_scale(struct search *s)
{
	const struct pbit__stage *stage = s->stage;
	const double step = s->best.limits->coupling.step;
	const double unit = fabs((double)stage->a[0]) / 2;

	if (stage->layer->n_scale != 1 || step <= 0 || !stage->tile.kept || stage->taps.w32)
		return;
	for (unsigned int q = 1; q <= SAME_SCALE; q++)
		try(s, unit / (step * q));
}

static void try_grid(struct search *s, double low, double high)
{
	const struct pbit__number *beta = &s->best.limits->beta;

	if (!(high > 0) || !isfinite(high))
		return;
	low = fmax(low, high / GRID_SPAN);
	for (unsigned int i = 0; i <= GRID; i++)
		try(s, gain_above(beta, low * pow(high / low, (double)i / GRID)));
}

static void explain(struct search *s, double couplings, double biases)
{
	struct pbit__stage *stage = s->stage;
	const struct pbit__lower_limits *limits = s->best.limits;
	const double most = 2 * limits->beta.high;
	char *text = stage->limit;
	const size_t size = sizeof(stage->limit);

	if (!(limits->beta.high > 0))
		snprintf(text, size, "beta: the device states at most %g", limits->beta.high);
	else if (couplings > most && couplings >= biases)
		snprintf(text, size,
			 "coupling range %g to %g: the weights need beta %g, the device states at "
			 "most %g",
			 limits->coupling.low, limits->coupling.high, couplings / 2,
			 limits->beta.high);
	else if (biases > most || s->clipped < 1)
		snprintf(text, size,
			 "bias range %g to %g: z from %g to %g must be folded into it, and beta "
			 "is at most %g",
			 limits->bias.low, limits->bias.high, -s->need.biases[1], s->need.biases[0],
			 limits->beta.high);
	else if (s->beyond_sums)
		snprintf(text, size, "a row of couplings adds up to more than 2^30 steps");
	else
		snprintf(text, size, "beta %g to %g in steps of %g: none suits the weights",
			 limits->beta.low, limits->beta.high, limits->beta.step);
}

bool pbit__gain_choose(const struct pbit__lower_limits *limits, uint32_t flags,
		       struct pbit__stage *stage, struct pbit__scheme *scheme)
{
	struct search s = {
		.stage = stage,
		.flags = flags,
		.best.limits = limits,
		.error = HUGE_VAL,
		.clipped = 2,
	};
	const bool fixed = limits->coupling.step > 0 || limits->bias.step > 0;
	double couplings, biases;

	find_need(stage, &s.need);
	couplings = least_gain(s.need.couplings, &limits->coupling);
	biases = least_gain(s.need.biases, &limits->bias);
	try_powers(&s);
	if (s.error > (fixed ? FINE_ENOUGH : 1)) {
		const double fits = fmax(couplings, biases);

		try_same_scale(&s);
		try_grid(&s, flags & PBIT_LOWER_SATURATE ? 0 : couplings, fits);
		try(&s, gain_above(&limits->beta, fits));
		try(&s, gain_above(&limits->beta, 2 * limits->beta.low));
	}
	if (!(s.error < HUGE_VAL)) {
		explain(&s, couplings, biases);
		return false;
	}
	*scheme = s.best;
	return true;
}
