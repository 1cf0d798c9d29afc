/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to standard error, one line each, "pbit run: what: where: why (hint)".
 */
#ifndef PBIT_CLI_REPORT_H
#define PBIT_CLI_REPORT_H

#include <pbit/types.h>

/* Sets the name that begins every message: "pbit run". The string is kept. */
void report_name(const char *name);

void report(const char *fmt, ...) PBIT_PRINTF(1, 2);

/* Reports the library's record of the last failure. Returns STATUS_FAILURE. */
int report_failure(void);

#endif
