/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the .npy format of NumPy. */
#ifndef PBIT_CLI_NPY_WRITE_H
#define PBIT_CLI_NPY_WRITE_H

#include <stdint.h>
#include "output_file.h"

/* A float64 array [rows][columns]. 0 or a negative errno with a record. */
int npy_write(struct output_file *file, const double *data, uint64_t rows, uint64_t columns);

#endif
