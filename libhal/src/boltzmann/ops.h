/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the calls of Boltzmann mode. */
#ifndef PBIT_SRC_BOLTZMANN_OPS_H
#define PBIT_SRC_BOLTZMANN_OPS_H

#include "boltzmann/bm.h"
#include "device/device.h"

#define PBIT__BM_WORDS(n) (((size_t)(n) + 63) / 64)

/* -EINVAL for NULL, -EOPNOTSUPP for a device without Boltzmann mode. */
int pbit__bm_check_device(struct pbit_device *dev, const char *what);

/* Under the lock: -ENOTCONN. */
int pbit__bm_check_programmed(struct pbit_device *dev, const char *what);

/* Under the lock, programmed: reads the state, bits past n cleared. */
int pbit__bm_read_locked(struct pbit_device *dev, uint64_t *state);

/* The bits of the last word that count. */
uint64_t pbit__bm_tail_mask(uint32_t n);

#endif
