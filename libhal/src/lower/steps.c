/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of couplings and biases at a given gain. A fixed-point format has its own; of binary32 the
 * step is ours to choose: one that holds every number exactly where there is one, else the finest that keeps
 * the sums of a row within 2^30.
 */
#include <math.h>
#include "lower/lower.h"

/* Exponent of the lowest bit that is set; a large one for 0. */
static int low_bit(float x)
{
	int exponent;
	double m = frexp(fabs((double)x), &exponent) * 0x1p24;

	if (m == 0)
		return 1000;
	exponent -= 24;
	while (fmod(m, 2) == 0) {
		m /= 2;
		exponent++;
	}
	return exponent;
}

static double largest_row(const struct pbit__stage *stage, const struct pbit__scheme *scheme)
{
	const struct pbit__number *bias = &scheme->limits->bias;
	double row = 0;

	for (uint32_t o = 0; o < stage->layer->n_out; o++) {
		double low, high, size;

		pbit__reach_bias(stage, o, &low, &high);
		low = fmax(low / scheme->gain, bias->low);
		high = fmin(high / scheme->gain, bias->high);
		size = fabs((double)stage->a[o]) * stage->reach.kept_size[o] / 2 / scheme->gain;
		row = fmax(row, size + fmax(fabs(low), fabs(high)));
	}
	return row;
}

/* A step of which all that a layer of integer weights sums is a multiple, in z units. */
static int exact_exponent(const struct pbit__stage *stage)
{
	const uint32_t n = stage->layer->n_out;
	int exponent = 1000;

	for (uint32_t o = 0; o < n; o++) {
		int e = low_bit(stage->a[o]) - 1;

		exponent = e < exponent ? e : exponent;
	}
	for (size_t i = 0; i < stage->positions * n; i++) {
		int e = low_bit(stage->c[i]);

		exponent = e < exponent ? e : exponent;
	}
	return exponent;
}

/* A row's size once its numbers are rounded, at most. */
static double rounded_row(const struct pbit__stage *stage, double row, double coupling_step,
			  double bias_step)
{
	return row + (stage->tile.kept * coupling_step + bias_step) / 2;
}

static double finest(const struct pbit__stage *stage, const struct pbit__scheme *scheme, double row)
{
	int exponent, gain_exponent;
	double step;

	if (!(row > 0))
		return 1;
	if (frexp(scheme->gain, &gain_exponent) == 0.5 && !stage->taps.w32) {
		exponent = exact_exponent(stage) - (gain_exponent - 1);
		step = ldexp(1, exponent);
		if (exponent < 900 && rounded_row(stage, row, step, step) <= PBIT__ROW_BOUND * step)
			return step;
	}
	frexp(row / PBIT__ROW_BOUND, &exponent);
	/* Twice the step: roundings of a long row must not pass the bound. */
	return ldexp(1, exponent + 1);
}

bool pbit__steps_choose(const struct pbit__stage *stage, struct pbit__scheme *scheme)
{
	const struct pbit__lower_limits *limits = scheme->limits;
	const double row = largest_row(stage, scheme);
	double step;

	scheme->coupling_step = limits->coupling.step;
	scheme->bias_step = limits->bias.step;
	if (scheme->coupling_step <= 0 || scheme->bias_step <= 0) {
		step = finest(stage, scheme, row);
		if (scheme->coupling_step <= 0)
			scheme->coupling_step = step;
		if (scheme->bias_step <= 0)
			scheme->bias_step = step;
	}
	step = fmin(scheme->coupling_step, scheme->bias_step);
	return rounded_row(stage, row, scheme->coupling_step, scheme->bias_step) <=
	       step * PBIT__ROW_BOUND;
}
