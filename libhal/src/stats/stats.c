/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tails of the distributions that tests of sampled laws need, from the usual series and
 * continued fractions of the incomplete gamma and beta functions, and the tests built on them.
 */
#include "stats/stats.h"

#include <math.h>

/* Both fractions converge in O(sqrt(a)) steps; this is enough for counts up to 1e12. */
#define MAX_STEPS 10000000
#define SMALL	  1e-300
#define PRECISION 1e-15

static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* x^a e^-x / Gamma(a), without the loss of digits of its logarithm for a near x and large. */
static double gamma_front(double a, double x)
{
	double u = (x - a) / a;

	if (a < 20.0 || fabs(u) > 0.5)
		return exp(a * log(x) - x - log_gamma(a));
	/* Stirling: Gamma(a) = sqrt(2 pi / a) (a/e)^a e^s(a) */
	double i = 1.0 / a, i2 = i * i;
	double s = i * (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 / 1680)));

	return exp(a * (log1p(u) - u) - s) * sqrt(a / (2.0 * M_PI));
}

static double gamma_series(double a, double x)
{
	double sum = 1.0 / a, term = sum, n = a;

	for (int k = 0; k < MAX_STEPS && term > sum * 1e-17; k++) {
		n += 1.0;
		term *= x / n;
		sum += term;
	}
	return sum * gamma_front(a, x);
}

static double gamma_fraction(double a, double x)
{
	double b = x + 1.0 - a, c = 1.0 / SMALL, d = 1.0 / b, h = d;

	for (int k = 1; k < MAX_STEPS; k++) {
		double an = -k * (k - a);

		b += 2.0;
		d = an * d + b;
		if (fabs(d) < SMALL)
			d = SMALL;
		c = b + an / c;
		if (fabs(c) < SMALL)
			c = SMALL;
		d = 1.0 / d;
		h *= d * c;
		if (fabs(d * c - 1.0) < PRECISION)
			break;
	}
	return h * gamma_front(a, x);
}

double pbit__stats_gamma_p(double a, double x)
{
	if (!(x > 0.0))
		return 0.0;
	return x < a + 1.0 ? gamma_series(a, x) : 1.0 - gamma_fraction(a, x);
}

double pbit__stats_gamma_q(double a, double x)
{
	if (!(x > 0.0))
		return 1.0;
	return x < a + 1.0 ? 1.0 - gamma_series(a, x) : gamma_fraction(a, x);
}

/* Stirling's remainder: log Gamma(a) - ((a - 1/2) log a - a + log(2 pi)/2). */
static double stirling(double a)
{
	double i = 1.0 / a, i2 = i * i;

	if (a < 15.0)
		return log_gamma(a) - ((a - 0.5) * log(a) - a + 0.5 * log(2.0 * M_PI));
	return i * (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 * (1.0 / 1680))));
}

/* log(v/m) where v = m + delta, good for v near m. */
static double log_ratio(double v, double m, double delta)
{
	return fabs(delta) < 0.5 * m ? log1p(delta / m) : log(v / m);
}

/* x^a y^b / B(a, b), as a deviance around the mode so that large a and b lose no digits. */
static double beta_front(double a, double b, double x, double y)
{
	double n = a + b;

	if (a < 1.0 || b < 1.0)
		return exp(a * log(x) + b * log(y) + log_gamma(n) - log_gamma(a) - log_gamma(b));
	double p = a / n, q = b / n, delta = x - p;
	double deviance = a * log_ratio(x, p, delta) + b * log_ratio(y, q, -delta);

	return exp(deviance + stirling(n) - stirling(a) - stirling(b)) *
	       sqrt(a * b / (2.0 * M_PI * n));
}

static double beta_fraction(double a, double b, double x)
{
	double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0), h;

	if (fabs(d) < SMALL)
		d = SMALL;
	d = 1.0 / d;
	h = d;
	for (int k = 1; k < MAX_STEPS; k++) {
		double m = k;
		double e[2] = {
			m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
			-(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
		};
		double step = 1.0;

		for (int half = 0; half < 2; half++) {
			d = 1.0 + e[half] * d;
			if (fabs(d) < SMALL)
				d = SMALL;
			c = 1.0 + e[half] / c;
			if (fabs(c) < SMALL)
				c = SMALL;
			d = 1.0 / d;
			step = d * c;
			h *= step;
		}
		if (fabs(step - 1.0) < PRECISION)
			break;
	}
	return h;
}

double pbit__stats_beta(double a, double b, double x, double y)
{
	if (!(x > 0.0))
		return 0.0;
	if (!(y > 0.0))
		return 1.0;
	double front = beta_front(a, b, x, y);

	if (x < (a + 1.0) / (a + b + 2.0))
		return front * beta_fraction(a, b, x) / a;
	return 1.0 - front * beta_fraction(b, a, y) / b;
}

double pbit__stats_normal_sf(double z)
{
	return 0.5 * erfc(z * M_SQRT1_2);
}

double pbit__stats_normal_two_sided(double z)
{
	return erfc(fabs(z) * M_SQRT1_2);
}

double pbit__stats_chi2_sf(double x, double df)
{
	return pbit__stats_gamma_q(0.5 * df, 0.5 * x);
}

double pbit__stats_student_two_sided(double t, double df)
{
	double d = df + t * t;

	return pbit__stats_beta(0.5 * df, 0.5, df / d, t * t / d);
}

double pbit__stats_binomial_cdf(uint64_t k, uint64_t n, double p)
{
	if (k >= n)
		return 1.0;
	return pbit__stats_beta((double)(n - k), (double)k + 1.0, 1.0 - p, p);
}

double pbit__stats_binomial_sf(uint64_t k, uint64_t n, double p)
{
	if (k == 0)
		return 1.0;
	if (k > n)
		return 0.0;
	return pbit__stats_beta((double)k, (double)(n - k) + 1.0, p, 1.0 - p);
}

double pbit__stats_binomial_test(uint64_t k, uint64_t n, double p)
{
	return fmin(1.0, 2.0 * fmin(pbit__stats_binomial_cdf(k, n, p),
				    pbit__stats_binomial_sf(k, n, p)));
}

double pbit__stats_z_test(double estimate, double expected, double standard_error)
{
	if (!(standard_error > 0.0))
		return estimate == expected ? 1.0 : 0.0;
	return pbit__stats_normal_two_sided((estimate - expected) / standard_error);
}

/*
 * Large cells are compared among themselves, given their total; the pool of small ones against
 * that total by the exact test, since the square of a small count has no chi-square tail. The
 * two are independent under the law, so Bonferroni joins them.
 */
struct pbit__stats_chi2 pbit__stats_chi2_test(const uint64_t *counts, const double *probability,
					      size_t cells, double min_expected)
{
	struct pbit__stats_chi2 r = {.p = 1.0};
	uint64_t n = 0, rest = 0;
	double total = 0.0, rest_p = 0.0;

	for (size_t i = 0; i < cells; i++) {
		n += counts[i];
		total += probability[i];
		if (counts[i] && !(probability[i] > 0.0)) {
			r.chi2 = INFINITY;
			r.p = 0.0;
			return r;
		}
	}
	for (size_t i = 0; i < cells; i++) {
		if ((double)n * probability[i] / total < min_expected) {
			rest += counts[i];
			rest_p += probability[i] / total;
		}
	}
	for (size_t i = 0; i < cells; i++) {
		double p = probability[i] / total, e;

		if ((double)n * p < min_expected)
			continue;
		e = (double)(n - rest) * p / (1.0 - rest_p);
		if (e > 0.0)
			r.chi2 += ((double)counts[i] - e) * ((double)counts[i] - e) / e;
		r.cells++;
	}
	r.df = r.cells ? (double)(r.cells - 1) : 0.0;
	if (r.df > 0.0)
		r.p = pbit__stats_chi2_sf(r.chi2, r.df);
	if (rest_p > 0.0 && rest_p < 1.0)
		r.p = fmin(1.0, 2.0 * fmin(r.p, pbit__stats_binomial_test(rest, n, rest_p)));
	return r;
}

struct pbit__stats_chi2 pbit__stats_chi2_two_sample(const uint64_t *a, const uint64_t *b,
						    size_t cells, double min_expected)
{
	struct pbit__stats_chi2 r = {.p = 1.0};
	double na = 0.0, nb = 0.0, rest_a = 0.0, rest_b = 0.0;

	for (size_t i = 0; i < cells; i++) {
		na += (double)a[i];
		nb += (double)b[i];
	}
	if (!(na > 0.0) || !(nb > 0.0))
		return r;
	for (size_t i = 0; i <= cells; i++) {
		double x = i < cells ? (double)a[i] : rest_a, y = i < cells ? (double)b[i] : rest_b;
		double ea = (x + y) * na / (na + nb), eb = (x + y) * nb / (na + nb);

		if (i < cells && fmin(ea, eb) < min_expected) {
			rest_a += x;
			rest_b += y;
			continue;
		}
		if (!(ea > 0.0))
			continue;
		r.chi2 += (x - ea) * (x - ea) / ea + (y - eb) * (y - eb) / eb;
		r.cells++;
	}
	r.df = r.cells ? (double)(r.cells - 1) : 0.0;
	if (r.df > 0.0)
		r.p = pbit__stats_chi2_sf(r.chi2, r.df);
	return r;
}

double pbit__stats_chi2_noncentrality(const double *p, const double *q, size_t cells, double n)
{
	double sum = 0.0;

	for (size_t i = 0; i < cells; i++) {
		if (p[i] > 0.0)
			sum += (q[i] - p[i]) * (q[i] - p[i]) / p[i];
		else if (q[i] > 0.0)
			return INFINITY;
	}
	return n * sum;
}

double pbit__stats_chi2_power(double x, double df, double lambda)
{
	double k = df, l = lambda;
	double h = 1.0 - 2.0 / 3.0 * (k + l) * (k + 3.0 * l) / ((k + 2.0 * l) * (k + 2.0 * l));
	double p = (k + 2.0 * l) / ((k + l) * (k + l));
	double m = (h - 1.0) * (1.0 - 3.0 * h);
	double mean = 1.0 + h * p * (h - 1.0 - 0.5 * (2.0 - h) * m * p);
	double sd = h * sqrt(2.0 * p) * (1.0 + 0.5 * m * p);

	if (isinf(l))
		return 1.0;
	return pbit__stats_normal_sf((pow(x / (k + l), h) - mean) / sd);
}

double pbit__stats_chi2_quantile(double p, double df)
{
	double low = 0.0, high = df + 10.0;

	while (pbit__stats_chi2_sf(high, df) > p)
		high *= 2.0;
	for (int k = 0; k < 200 && high - low > 1e-13 * high; k++) {
		double mid = 0.5 * (low + high);

		if (pbit__stats_chi2_sf(mid, df) > p)
			low = mid;
		else
			high = mid;
	}
	return 0.5 * (low + high);
}

size_t pbit__stats_holm(const double *p, size_t n, double alpha, bool *reject)
{
	size_t rejected = 0;

	/*
	 * p[i] is rejected when, with r values below it, every value v of rank s up to its own has
	 * v <= alpha / (n - s): walk the ranks by raising a threshold until it stays.
	 */
	for (;;) {
		double limit = alpha / (double)(n - rejected);
		size_t below = 0;

		for (size_t i = 0; i < n; i++)
			below += isnan(p[i]) || p[i] <= limit;
		if (below <= rejected || below == n) {
			rejected = below;
			break;
		}
		rejected = below;
	}
	/* The last threshold at which the walk stayed. */
	double limit = alpha / (double)(n - (rejected < n ? rejected : n - 1));

	for (size_t i = 0; i < n && reject; i++)
		reject[i] = isnan(p[i]) || p[i] <= limit;
	return rejected;
}

double pbit__stats_family_p(const double *p, size_t n)
{
	double least = 1.0;

	for (size_t i = 0; i < n; i++)
		least = isnan(p[i]) ? 0.0 : fmin(least, p[i]);
	return fmin(1.0, least * (double)n);
}

struct pbit__stats_mean pbit__stats_batch_means(const double *x, size_t n, size_t batches)
{
	struct pbit__stats_mean r = {.df = (double)batches - 1.0};
	size_t length = batches ? n / batches : 0;
	double first = 0.0, last = 0.0, m2 = 0.0, lag = 0.0, mean = 0.0;

	if (batches < 2 || !length) {
		r.mean = r.standard_error = NAN;
		return r;
	}
	x += n - length * batches;
	for (size_t i = 0; i < length * batches; i++)
		mean += x[i];
	mean /= (double)(length * batches);
	for (size_t b = 0; b < batches; b++) {
		double sum = 0.0;

		for (size_t i = 0; i < length; i++)
			sum += x[b * length + i] - mean;
		first = sum / (double)length;
		m2 += first * first;
		if (b)
			lag += first * last;
		last = first;
	}
	r.mean = mean;
	r.standard_error = sqrt(m2 / r.df / (double)batches);
	r.batch_correlation = m2 > 0.0 ? lag / m2 : 0.0;
	return r;
}

double pbit__stats_autocorrelation_time(const double *x, size_t n)
{
	return pbit__stats_autocorrelation_times(x, 1, n);
}

double pbit__stats_autocorrelation_times(const double *x, size_t series, size_t n)
{
	double mean = 0.0, variance = 0.0, tau = 0.5, all = (double)series * (double)n;

	for (size_t i = 0; i < series * n; i++)
		mean += x[i] / all;
	for (size_t i = 0; i < series * n; i++)
		variance += (x[i] - mean) * (x[i] - mean) / all;
	if (!(variance > 0.0))
		return 0.5;
	for (size_t t = 1; t < n && (double)t < 6.0 * tau; t++) {
		double c = 0.0;

		for (size_t k = 0; k < series; k++) {
			const double *y = x + k * n;

			for (size_t i = 0; i + t < n; i++)
				c += (y[i] - mean) * (y[i + t] - mean);
		}
		tau += c / (double)(n - t) / (double)series / variance;
	}
	return fmax(tau, 0.5);
}
