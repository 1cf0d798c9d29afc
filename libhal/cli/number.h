/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of numbers: the whole text is the number, in range, or it is refused. */
#ifndef PBIT_CLI_NUMBER_H
#define PBIT_CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits only, no sign, no space. */
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* A finite decimal number in the open interval (min, max). */
bool number_parse_real(const char *text, double min, double max, double *value);

#endif
