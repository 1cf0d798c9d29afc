/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles of Student's distribution. */
#ifndef PBIT_SRC_STATS_STUDENT_H
#define PBIT_SRC_STATS_STUDENT_H

/* P(T > t) with df degrees of freedom (1 ... 10^4), t >= 0. */
double pbit__student_tail(double t, double df);

/* t with P(T > t) = alpha, 0 < alpha < 1/2, df >= 1. */
double pbit__student_upper(double alpha, double df);

#endif
