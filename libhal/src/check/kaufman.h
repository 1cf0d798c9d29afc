/* SPDX-License-Identifier: Apache-2.0 */
/* The energy of the two-dimensional Ising torus of finite size. */
#ifndef PBIT_SRC_CHECK_KAUFMAN_H
#define PBIT_SRC_CHECK_KAUFMAN_H

#include <stdint.h>

/* Mean energy per p-bit of the L x L torus with J = 1, h = 0 at K = beta J > 0, L >= 2. */
double pbit__check_kaufman(uint32_t L, double K);

#endif
