/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error, where that is a terminal. */
#ifndef PBIT_CLI_PROGRESS_H
#define PBIT_CLI_PROGRESS_H

#include <stdint.h>

/* Shows done of total; redraws ten times a second at most. Any thread. */
void progress_show(const char *label, uint64_t done, uint64_t total, double seconds);

/* Removes the bar, so that a line can be printed. */
void progress_clear(void);

#endif
