/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression of counts on one variable: logit P = a + b x. */
#ifndef PBIT_SRC_CHECK_LOGISTIC_H
#define PBIT_SRC_CHECK_LOGISTIC_H

#include <stdbool.h>
#include <stddef.h>

struct pbit__logistic {
	double a, b;
	double var_a, var_b, cov;
	double deviance; /* df: points - 2 */
};

/*
 * Maximum likelihood from `points` binomial counts k of n draws each (k need not be whole). False where there is none:
 * all counts are 0 or all are n.
 */
bool pbit__logistic_fit(const double *x, const double *k, double n, size_t points,
			struct pbit__logistic *fit);

#endif
