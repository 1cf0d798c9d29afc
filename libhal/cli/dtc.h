/* SPDX-License-Identifier: Apache-2.0 */
/* The device-tree compiler, which turns model source into a model file and back. */
#ifndef PBIT_CLI_DTC_H
#define PBIT_CLI_DTC_H

/* Full path of dtc, to be freed; NULL where there is none. */
char *dtc_find(void);

/*
 * Runs dtc from one format to another ("dts", "dtb"), its output going to the descriptor out.
 * Returns 0 or a negative errno with a record; -EINTR where a signal ended it.
 */
int dtc_run(const char *from, const char *to, const char *input, int out);

#endif
