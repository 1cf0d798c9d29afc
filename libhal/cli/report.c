/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to standard error. Control characters in a message (it may quote a
 * file or a device) are shown as '?', so that they cannot drive the terminal.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <pbit/error.h>
#include "command.h"
#include "progress.h"

static const char *prefix = "pbit";

void report_name(const char *name)
{
	prefix = name;
}

static void print_line(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	progress_clear();
	fprintf(stderr, "%s: %s\n", prefix, text);
}

void report(const char *fmt, ...)
{
	char *text;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0) {
		fprintf(stderr, "%s: out of memory\n", prefix);
		return;
	}
	print_line(text);
	free(text);
}

int report_failure(void)
{
	int length = pbit_format_error(NULL, 0);
	char *text = length < 0 ? NULL : malloc((size_t)length + 1);

	if (!text) {
		fprintf(stderr, "%s: out of memory\n", prefix);
		return STATUS_FAILURE;
	}
	pbit_format_error(text, (size_t)length + 1);
	print_line(text);
	free(text);
	return STATUS_FAILURE;
}
