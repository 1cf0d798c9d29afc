/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics that tests of sampled laws need: exact binomial test, chi-square test, normal
 * and Student tails, Holm's correction, batch means, autocorrelation time. Tails are accurate
 * to about 1e-12 relative where stated, so that they can be compared with rates of 1e-6 and
 * far below. Everything is pure and reentrant, nothing allocates or prints; nothing needs
 * more than libm.
 *
 * How to use it: collect the p-values of all the checks of one program in an array and call
 * pbit__stats_holm() once, with the family-wise false-alarm rate of the program.
 */
#ifndef PBIT_SRC_STATS_H
#define PBIT_SRC_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Regularised incomplete gamma: P(a, x), and Q(a, x) = 1 - P without cancellation. a > 0, x >= 0. */
double pbit__stats_gamma_p(double a, double x);
double pbit__stats_gamma_q(double a, double x);

/* Regularised incomplete beta I_x(a, b); y must be 1 - x (given apart to keep tiny values). */
double pbit__stats_beta(double a, double b, double x, double y);

/* P(X > z) and P(|X| > |z|) of a standard normal. */
double pbit__stats_normal_sf(double z);
double pbit__stats_normal_two_sided(double z);

/* P(X > x) of chi-square with df degrees of freedom. */
double pbit__stats_chi2_sf(double x, double df);

/* P(|T| > |t|) of Student's t with df degrees of freedom. */
double pbit__stats_student_two_sided(double t, double df);

/* P(X <= k) and P(X >= k) of a binomial(n, p), exact; p = 0 and p = 1 are allowed. */
double pbit__stats_binomial_cdf(uint64_t k, uint64_t n, double p);
double pbit__stats_binomial_sf(uint64_t k, uint64_t n, double p);

/*
 * Exact two-sided binomial test of k successes in n against p: min(1, 2 min(P(X <= k), P(X >= k))).
 * Never below the nominal level. p = 0 with k > 0, or p = 1 with k < n, gives 0.
 */
double pbit__stats_binomial_test(uint64_t k, uint64_t n, double p);

/*
 * P-value of z = (estimate - expected) / stderr; stderr 0 gives 1 where they agree, 0 otherwise.
 */
double pbit__stats_z_test(double estimate, double expected, double standard_error);

/*
 * Pearson's chi-square of independent counts against probabilities. Cells whose expected count is
 * below min_expected are pooled, and the pool is tested exactly (binomial) beside the others (5 suits
 * a rate of 1e-3; take 25 for 1e-6 and below). A count where the probability is 0 gives p = 0.
 * Probabilities are normalised by their sum.
 */
struct pbit__stats_chi2 {
	double chi2;  /* of the cells that stand alone */
	double df;    /* cells - 1 */
	double p;     /* of both parts together */
	size_t cells; /* that stand alone */
};

struct pbit__stats_chi2 pbit__stats_chi2_test(const uint64_t *counts, const double *probability,
					      size_t cells, double min_expected);

/* Pearson's chi-square that two rows of independent counts have the same law; same pooling. */
struct pbit__stats_chi2 pbit__stats_chi2_two_sample(const uint64_t *a, const uint64_t *b,
						    size_t cells, double min_expected);

/*
 * Power of a chi-square test: the non-centrality n * sum (q - p)^2 / p of a law q tested against p, and
 * an approximation (Sankaran) to P(chi2(df, lambda) > x).
 */
double pbit__stats_chi2_noncentrality(const double *p, const double *q, size_t cells, double n);
double pbit__stats_chi2_power(double x, double df, double lambda);

/* x with pbit__stats_chi2_sf(x, df) = p. */
double pbit__stats_chi2_quantile(double p, double df);

/*
 * Holm's step-down: sets reject[i] (may be NULL) for each hypothesis rejected at family-wise rate alpha,
 * returns how many are. Valid under any dependence between the p-values. NaN is rejected.
 * n up to SIZE_MAX; quadratic, meant for up to a few thousand.
 */
size_t pbit__stats_holm(const double *p, size_t n, double alpha, bool *reject);

/* Smallest p times n, at most 1: the p-value of the family (Bonferroni). NaN counts as 0. */
double pbit__stats_family_p(const double *p, size_t n);

/*
 * Mean of a correlated series from `batches` means of equal length (at least 2; a remainder at the start
 * is left out), its standard error, and what remains of the correlation between successive
 * batches (near 0 when the batches are long enough).
 */
struct pbit__stats_mean {
	double mean;
	double standard_error;
	double batch_correlation;
	double df; /* batches - 1, for pbit__stats_student_two_sided() */
};

struct pbit__stats_mean pbit__stats_batch_means(const double *x, size_t n, size_t batches);

/*
 * Integrated autocorrelation time 1/2 + sum_t rho(t), with the window that ends at the first t >= 6 tau
 * (Sokal). 0.5 for independent values and for a constant series.
 */
double pbit__stats_autocorrelation_time(const double *x, size_t n);

/* The same from several independent series of one law, n values each, one behind the other. */
double pbit__stats_autocorrelation_times(const double *x, size_t series, size_t n);

#endif
