/* SPDX-License-Identifier: Apache-2.0 */
/* The device-tree compiler, which turns model source into a model file and back. */
#ifndef PBIT_CLI_DTC_H
#define PBIT_CLI_DTC_H

#include <stddef.h>

/* Full path of dtc, to be freed; NULL where there is none. */
char *dtc_find(void);

/*
 * Runs dtc from one format to another ("dts", "dtb"), its output going to the descriptor out.
 * Returns 0 or a negative errno with a record; -EINTR where a signal ended it.
 */
int dtc_run(const char *from, const char *to, const char *input, int out);

/*
 * The same with the output going to take(), in order, which returns 0 or a negative errno with a
 * record that ends it. dtc itself does not notice that its output cannot be written.
 */
typedef int dtc_take_fn(void *arg, const void *data, size_t n);
int dtc_read(const char *from, const char *to, const char *input, dtc_take_fn *take, void *arg);

#endif
