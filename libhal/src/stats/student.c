/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantiles of Student's distribution, far into the tail: the tail through the regularised
 * incomplete beta function (continued fraction, DLMF 8.17.22), its inverse by Newton's method on
 * logarithms inside a bracket, the Cornish-Fisher expansion (Abramowitz & Stegun 26.7.5) for many
 * degrees of freedom.
 */
#include <math.h>
#include "stats/student.h"

/* Up to here the tail is inverted; the expansion's error is then below 1e-8. */
#define EXACT_DF 10000.0

static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign); /* lgamma() writes a global */
}

/* Continued fraction of the incomplete beta function, Lentz's method; x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), f;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (int m = 1; m < 10000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		f *= c * d;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		step = c * d;
		f *= step;
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return f;
}

double pbit__student_tail(double t, double df)
{
	double a = df / 2, b = 0.5;
	double x = df / (df + t * t), y = t * t / (df + t * t); /* y = 1 - x without its rounding */
	double front;

	if (t <= 0)
		return 0.5;
	front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) - a * log1p(t * t / df) +
		    b * log(y));
	if (x < (a + 1) / (a + b + 2))
		return 0.5 * front * beta_fraction(a, b, x) / a;
	return 0.5 * (1 - front * beta_fraction(b, a, y) / b);
}

static double log_density(double t, double df)
{
	return log_gamma((df + 1) / 2) - log_gamma(df / 2) - 0.5 * log(df * M_PI) -
	       (df + 1) / 2 * log1p(t * t / df);
}

/* z with P(Z > z) = alpha, by the same method; the start is a bound from above. */
static double normal_upper(double alpha)
{
	double z = sqrt(-2 * log(alpha));

	for (int i = 0; i < 60; i++) {
		double tail = 0.5 * erfc(z * M_SQRT1_2);
		double slope = exp(-z * z / 2) / sqrt(2 * M_PI) / tail;
		double step = (log(tail) - log(alpha)) / slope;

		z += step;
		if (fabs(step) < 1e-14 * (1 + fabs(z)))
			break;
	}
	return z;
}

static double expansion(double alpha, double df)
{
	double z = normal_upper(alpha), z2 = z * z;
	double g1 = z * (z2 + 1) / 4;
	double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
	double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;

	return z + (g1 + (g2 + g3 / df) / df) / df;
}

double pbit__student_upper(double alpha, double df)
{
	double low = 0, high = 1, t;

	if (df > EXACT_DF)
		return expansion(alpha, df);
	while (pbit__student_tail(high, df) > alpha && high < 1e300) {
		low = high;
		high *= 2;
	}
	t = high;
	for (int i = 0; i < 200; i++) {
		double tail = pbit__student_tail(t, df), next;

		if (tail > alpha)
			low = t;
		else
			high = t;
		/* On log t against log tail, nearly a straight line far out. */
		next = t * exp((log(tail) - log(alpha)) * tail / (exp(log_density(t, df)) * t));
		if (!(next > low && next < high))
			next = 0.5 * (low + high);
		if (fabs(next - t) <= 1e-13 * t)
			return next;
		t = next;
	}
	return t;
}
