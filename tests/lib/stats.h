/* SPDX-License-Identifier: Apache-2.0 */
/* The library's statistics (libhal/src/stats) under the short names that the tests use. */
#ifndef PBIT_TESTS_STATS_H
#define PBIT_TESTS_STATS_H

#include "stats/stats.h"

#define stats_gamma_p		   pbit__stats_gamma_p
#define stats_gamma_q		   pbit__stats_gamma_q
#define stats_beta		   pbit__stats_beta
#define stats_normal_sf		   pbit__stats_normal_sf
#define stats_normal_two_sided	   pbit__stats_normal_two_sided
#define stats_chi2_sf		   pbit__stats_chi2_sf
#define stats_student_two_sided	   pbit__stats_student_two_sided
#define stats_binomial_cdf	   pbit__stats_binomial_cdf
#define stats_binomial_sf	   pbit__stats_binomial_sf
#define stats_binomial_test	   pbit__stats_binomial_test
#define stats_z_test		   pbit__stats_z_test
#define stats_chi2_test		   pbit__stats_chi2_test
#define stats_chi2_two_sample	   pbit__stats_chi2_two_sample
#define stats_chi2_noncentrality   pbit__stats_chi2_noncentrality
#define stats_chi2_power	   pbit__stats_chi2_power
#define stats_chi2_quantile	   pbit__stats_chi2_quantile
#define stats_holm		   pbit__stats_holm
#define stats_family_p		   pbit__stats_family_p
#define stats_batch_means	   pbit__stats_batch_means
#define stats_autocorrelation_time pbit__stats_autocorrelation_time
#define stats_chi2		   pbit__stats_chi2
#define stats_mean		   pbit__stats_mean

#endif
