/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a p-bit's probability can be from the contract's: roundings of couplings and biases add
 * up to at most dz in z, over every input; the sigmoid turns dz into at most tanh(dz/4) in
 * probability, and into less where z cannot come near 0.
 */
#include <math.h>
#include <stdlib.h>
#include "lower/lower.h"

#define FLOAT_ULP 0x1p-24 /* relative rounding of binary32 */

bool pbit__is_multiple(double x, double unit)
{
	double n = rint(x / unit);

	return fabs(n) < 0x1p52 && n * unit == x;
}

static double sigmoid(double z)
{
	return 1 / (1 + exp(-z));
}

/* Largest change of the sigmoid by dz where |z| >= nearest. */
static double slope_bound(double dz, double nearest)
{
	if (nearest <= dz / 2)
		return tanh(dz / 4);
	return sigmoid(nearest) - sigmoid(nearest - dz);
}

/* Is every S * a a binary32 number, so that z is rounded once, at the end? */
static bool product_exact(float a, double largest)
{
	int exponent;
	double m = fabs(frexp((double)a, &exponent)) * 0x1p24;

	while (m > 0 && fmod(m, 2) == 0)
		m /= 2;
	return m * largest <= 0x1p24;
}

static bool bias_exact(const struct pbit__stage *stage, const struct pbit__scheme *scheme,
		       uint32_t o)
{
	const double unit = scheme->gain * scheme->bias_step;

	if (stage->taps.n_real && !pbit__is_multiple((double)stage->a[o] / 2, unit))
		return false;
	for (size_t p = 0; p < stage->positions; p++)
		if (!pbit__is_multiple((double)stage->c[p * stage->layer->n_out + o], unit))
			return false;
	return true;
}

double pbit__bound_device(const struct pbit__lower_limits *limits)
{
	double error = limits->sweeps > 1 ? exp(-PBIT__DECAY) : 0;

	if (limits->random_bits && limits->random_bits < 24)
		error += ldexp(1, -(int)limits->random_bits);
	return error;
}

/* Sizes of what a row can sum up to. */
struct extent {
	double nearest; /* to 0 that z comes */
	double z, s;	/* largest sizes */
};

static struct extent extent_of(const struct pbit__stage *stage, uint32_t o)
{
	const struct pbit__reach *r = &stage->reach;
	const double kept = fabs((double)stage->a[o]) * r->kept_size[o] / 2;
	struct extent e = {0};
	double low, high;

	pbit__reach_bias(stage, o, &low, &high);
	low -= kept;
	high += kept;
	if (low > 0 || high < 0)
		e.nearest = fmin(fabs(low), fabs(high));
	e.z = fmax(fabs(low), fabs(high));
	e.s = fmax(r->high[o], -r->low[o]) + (fabs(r->kept_sum[o]) + r->kept_size[o]) / 2;
	return e;
}

/* Roundings of binary32: of the contract's own z, and of the device's. */
static double float_error(const struct pbit__stage *stage, uint32_t o, const struct extent *e)
{
	const double size = fabs((double)stage->a[o]) * e->s;
	double ulps = size + 2 * e->z;

	if (stage->taps.w32) /* each partial sum is rounded */
		ulps += 2 * size * stage->taps.n_real;
	return ulps * FLOAT_ULP;
}

void pbit__bound_row(const struct pbit__stage *stage, const struct pbit__scheme *scheme, uint32_t o,
		     struct pbit__bound *bound)
{
	const struct extent e = extent_of(stage, o);
	const double bias_unit = scheme->gain * scheme->bias_step;
	double dz = 0, squares = 0;

	for (uint32_t i = 0; i < stage->tile.kept; i++) {
		const double A = pbit__stage_coupling(stage, i, o);
		const double held = pbit__number_round(&scheme->limits->coupling,
						       scheme->coupling_step, A / scheme->gain);
		const double off = A - scheme->gain * held;

		dz += fabs(off);
		squares += off * off;
	}
	if (!bias_exact(stage, scheme, o)) {
		dz += bias_unit / 2;
		squares += bias_unit * bias_unit / 12;
	}
	bound->typical = tanh(sqrt(squares) / 4);
	bound->exact = dz == 0 && !stage->taps.w32 && product_exact(stage->a[o], e.s);
	bound->worst = 0;
	if (!bound->exact)
		bound->worst = slope_bound(dz + float_error(stage, o, &e), e.nearest) + FLOAT_ULP;
}

double pbit__bound_saturation(const struct pbit__stage *stage, const struct pbit__scheme *scheme,
			      uint32_t o)
{
	const struct pbit__number *bias = &scheme->limits->bias;
	const double step = scheme->bias_step, gain = scheme->gain;
	const double top = floor(bias->high / step) * step, bottom = ceil(bias->low / step) * step;
	const double kept = fabs((double)stage->a[o]) * stage->reach.kept_size[o] / 2 +
			    stage->tile.kept * gain * scheme->coupling_step / 2;
	double low, high, error = 0;

	pbit__reach_bias(stage, o, &low, &high);
	if (high / gain > top + step / 2)
		error = sigmoid(kept - gain * top);
	if (low / gain < bottom - step / 2)
		error = fmax(error, sigmoid(kept + gain * bottom));
	return error;
}
