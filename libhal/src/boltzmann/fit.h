/* SPDX-License-Identifier: Apache-2.0 */
/* Does a device hold what it is asked to hold? */
#ifndef PBIT_SRC_BOLTZMANN_FIT_H
#define PBIT_SRC_BOLTZMANN_FIT_H

#include "boltzmann/bm.h"
#include "device/device.h"

/* 0 or a negative errno with a record that names the limit. */
int pbit__bm_check_fit(const struct pbit_device *dev, const struct pbit_bm_view *view,
		       uint32_t order);

/* Turns order 0 into the device's first; -EINVAL, -EOPNOTSUPP. */
int pbit__bm_choose_order(const struct pbit_device *dev, uint32_t *order);

/* A finite beta >= 0 that the device can hold: -EINVAL, -ERANGE. */
int pbit__bm_check_beta(const struct pbit_device *dev, const char *what, double beta);

/* Inputs are multiples of 2 beta step, which must be finite: -EINVAL. */
int pbit__bm_check_step(const struct pbit_device *dev, const char *what, double beta, double step);

/* Biases alone, as pbit__bm_check_fit() does: -ERANGE. */
int pbit__bm_check_biases(const struct pbit_device *dev, const double *h, uint32_t n);

#endif
