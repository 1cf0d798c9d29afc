/* SPDX-License-Identifier: Apache-2.0 */
/* Does a model fit what a device states about itself? */
#ifndef PBIT_SRC_DEVICE_LIMITS_H
#define PBIT_SRC_DEVICE_LIMITS_H

#include <stdbool.h>
#include "device/device.h"

/*
 * Layers first ... first + n - 1 of model against dev's capabilities. -EINVAL for a range outside the
 * model, -EOPNOTSUPP for a kind of layer or a precision that the device does not run, -E2BIG for a stated
 * limit; the record names layer, limit and both numbers.
 */
int pbit__check_model(const struct pbit_device *dev, const struct pbit_model *model, uint32_t first,
		      uint32_t n);

/* Does the device state that it runs all of them natively? Leaves no record. */
bool pbit__layers_stated(const struct pbit_device *dev, const struct pbit_model *model,
			 uint32_t first, uint32_t n);

/* -EOPNOTSUPP with a record where the device does not run layers natively. */
int pbit__check_layer_mode(const struct pbit_device *dev, const char *what);

#endif
