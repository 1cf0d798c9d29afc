/* SPDX-License-Identifier: Apache-2.0 */
/* What `pbit check` prints. */
#ifndef PBIT_CLI_CHECK_REPORT_H
#define PBIT_CLI_CHECK_REPORT_H

#include <pbit/check.h>

/* Return an exit status: of printing, not of the verdict. */
int check_report_table(const struct pbit_check_report *report);
int check_report_json(const struct pbit_check_report *report);

#endif
