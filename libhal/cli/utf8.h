/* SPDX-License-Identifier: Apache-2.0 */
/* The little that tables and JSON need to know of UTF-8. */
#ifndef PBIT_CLI_UTF8_H
#define PBIT_CLI_UTF8_H

#include <stddef.h>

/* Bytes of the character that text begins with, 0 where it is not valid UTF-8. Not at the final NUL. */
size_t utf8_length(const char *text);

/* Columns of a text on a terminal, one per character. */
size_t utf8_width(const char *text);

#endif
