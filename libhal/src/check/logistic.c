/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression by Newton's method (iteratively reweighted least squares), steps halved as needed. */
#include "check/logistic.h"

#include <math.h>

static double log_likelihood(const double *x, const double *k, double n, size_t points, double a,
			     double b)
{
	double sum = 0.0;

	for (size_t i = 0; i < points; i++) {
		double z = a + b * x[i];

		/* k log p + (n - k) log(1 - p) without overflow */
		sum += k[i] * z - n * (fmax(z, 0.0) + log1p(exp(-fabs(z))));
	}
	return sum;
}

static double term(double k, double expected)
{
	return k > 0.0 ? k * log(k / expected) : 0.0;
}

static double deviance_of(const double *x, const double *k, double n, size_t points, double a,
			  double b)
{
	double sum = 0.0;

	for (size_t i = 0; i < points; i++) {
		double p = 1.0 / (1.0 + exp(-(a + b * x[i])));

		sum += term(k[i], n * p) + term(n - k[i], n * (1.0 - p));
	}
	return 2.0 * sum;
}

bool pbit__logistic_fit(const double *x, const double *k, double n, size_t points,
			struct pbit__logistic *fit)
{
	double a = 0.0, b = 1.0, best = log_likelihood(x, k, n, points, a, b);

	for (int round = 0; round < 100; round++) {
		double ga = 0, gb = 0, haa = 0, hab = 0, hbb = 0, det, da, db, next;

		for (size_t i = 0; i < points; i++) {
			double p = 1.0 / (1.0 + exp(-(a + b * x[i]))), w = n * p * (1.0 - p);

			ga += k[i] - n * p;
			gb += (k[i] - n * p) * x[i];
			haa += w;
			hab += w * x[i];
			hbb += w * x[i] * x[i];
		}
		det = haa * hbb - hab * hab;
		if (!(det > 1e-12 * n * n))
			return false;
		fit->var_a = hbb / det;
		fit->var_b = haa / det;
		fit->cov = -hab / det;
		da = (hbb * ga - hab * gb) / det;
		db = (haa * gb - hab * ga) / det;
		next = log_likelihood(x, k, n, points, a + da, b + db);
		while (next < best - 1e-9 * fabs(best) && fabs(da) + fabs(db) > 1e-12) {
			da *= 0.5;
			db *= 0.5;
			next = log_likelihood(x, k, n, points, a + da, b + db);
		}
		a += da;
		b += db;
		best = next;
		if (fabs(da) + fabs(db) < 1e-10) {
			fit->a = a;
			fit->b = b;
			fit->deviance = deviance_of(x, k, n, points, a, b);
			return isfinite(a) && isfinite(b);
		}
	}
	return false;
}
