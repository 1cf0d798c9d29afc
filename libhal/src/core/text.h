/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text into buffers of fixed size: what does not fit is cut at a whole UTF-8 character and
 * ends with an ellipsis, so that a reader sees that something is missing.
 */
#ifndef PBIT_SRC_TEXT_H
#define PBIT_SRC_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <pbit/types.h>

void pbit__text_copy(char *buf, size_t size, const char *text); /* NULL counts as "" */
void pbit__text_format(char *buf, size_t size, const char *fmt, va_list args);

/* Appends to the text that is in buf already. */
void pbit__text_append(char *buf, size_t size, const char *fmt, ...) PBIT_PRINTF(3, 4);

#endif
