/* SPDX-License-Identifier: Apache-2.0 */
/* Labels: the right class of each image. */
#ifndef PBIT_CLI_DATA_LABELS_H
#define PBIT_CLI_DATA_LABELS_H

#include <stdint.h>

/* Reads n labels from an idx or .npy file of integers; *labels is freed by the caller. */
int labels_read(const char *path, uint64_t n, uint32_t **labels);

#endif
