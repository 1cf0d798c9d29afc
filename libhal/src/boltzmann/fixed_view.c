/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step of the fixed-point form of a machine, by the rules of CONTRACT.md in their order. Every
 * quotient x / step is one division in binary64, exact where the step is a power of two.
 */
#include "boltzmann/fixed_view.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define ROW_LIMIT	0x1p30
#define LARGEST_DIVISOR 16
#define NEAR		0x1p-50
#define LEAST_EXPONENT	(-1074) /* of binary64 */

/* The exponent of the lowest bit that is set in x, which is not 0. */
static int low_exponent(double x)
{
	uint64_t bits, mantissa;
	int exponent;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int)(bits >> 52 & 0x7ff);
	mantissa = bits & ((1ull << 52) - 1);
	if (exponent)
		mantissa |= 1ull << 52;
	else
		exponent = 1; /* denormal */
	return exponent - 1075 + __builtin_ctzll(mantissa);
}

/* What all values together say of the step. */
struct extent {
	int low;      /* lowest bit set in any */
	double least; /* smallest magnitude that is not 0 */
};

static void extend(struct extent *e, const double *x, uint64_t count)
{
	for (uint64_t k = 0; k < count; k++) {
		int low;

		if (x[k] == 0.0)
			continue;
		low = low_exponent(x[k]);
		e->low = low < e->low ? low : e->low;
		e->least = fabs(x[k]) < e->least ? fabs(x[k]) : e->least;
	}
}

/* Does every row keep within the limit? Sums are of whole numbers, exact far beyond it. */
static bool rows_hold(const struct pbit__real *r, double step)
{
	for (uint32_t i = 0; i < r->n; i++) {
		double sum = fabs(rint(r->h[i] / step));

		for (uint64_t k = r->row[i]; k < r->row[i + 1]; k++)
			sum += fabs(rint(r->J[k] / step));
		if (!(sum <= ROW_LIMIT))
			return false;
	}
	return true;
}

static bool all_multiples(const double *x, uint64_t count, double step)
{
	for (uint64_t k = 0; k < count; k++) {
		double near = rint(x[k] / step) * step;

		if (!(fabs(near - x[k]) <= NEAR * fabs(x[k])))
			return false;
	}
	return true;
}

/* Rule 2: the step, or 0 where it does not apply. */
static double divisor_step(const struct pbit__real *r, double least)
{
	for (int d = 1; d <= LARGEST_DIVISOR; d++) {
		double step = least / d;

		/* A step without all its bits would be another one. */
		if (!(step >= DBL_MIN))
			return 0.0;
		if (all_multiples(r->h, r->n, step) && all_multiples(r->J, r->row[r->n], step))
			return rows_hold(r, step) ? step : 0.0;
	}
	return 0.0;
}

static double largest_row(const struct pbit__real *r)
{
	double largest = 0.0;

	for (uint32_t i = 0; i < r->n; i++) {
		double sum = fabs(r->h[i]);

		for (uint64_t k = r->row[i]; k < r->row[i + 1]; k++)
			sum += fabs(r->J[k]);
		largest = sum > largest ? sum : largest;
	}
	return largest;
}

/*
 * Rule 3. Rounding changes the sum of a row by less than 2^26 (half of each term), and a finer step
 * never makes it smaller: a step by which the largest row has more than 2^31 steps does not hold.
 */
static double rounded_step(const struct pbit__real *r)
{
	int e = ilogb(largest_row(r)) - 31;

	if (e < LEAST_EXPONENT)
		e = LEAST_EXPONENT;
	while (!rows_hold(r, ldexp(1.0, e)))
		e++;
	return ldexp(1.0, e);
}

double pbit__fixed_step(const struct pbit__real *r, bool *exact)
{
	struct extent e = {.low = INT_MAX, .least = INFINITY};
	double step;

	extend(&e, r->h, r->n);
	extend(&e, r->J, r->row[r->n]);
	*exact = true;
	if (e.low == INT_MAX)
		return 1.0;
	step = ldexp(1.0, e.low);
	if (rows_hold(r, step))
		return step;
	step = divisor_step(r, e.least);
	if (step > 0.0)
		return step;
	*exact = false;
	return rounded_step(r);
}

void pbit__fixed_round(const double *x, uint64_t count, double step, int32_t *q)
{
	for (uint64_t k = 0; k < count; k++)
		q[k] = (int32_t)rint(x[k] / step);
}
