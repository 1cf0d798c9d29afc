/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people. What cells quote cannot drive the terminal: control characters show as '?'. */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "report.h"
#include "utf8.h"

#define LINE_WIDTH 80u
#define GAP	   2u
#define LAST_LEAST 16u /* columns for the last cell before it goes on a line of its own */

static void add_cell(struct table *table, char *text)
{
	if (text && table->n_cells == table->size) {
		size_t size = table->size ? table->size * 2 : 64;
		char **bigger = realloc(table->cells, size * sizeof(*bigger));

		if (bigger) {
			table->cells = bigger;
			table->size = size;
		}
	}
	if (!text || table->n_cells == table->size) {
		free(text);
		table->failed = true;
		return;
	}
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	table->cells[table->n_cells++] = text;
}

void table_cell(struct table *table, const char *text)
{
	add_cell(table, strdup(text ? text : ""));
}

void table_cellf(struct table *table, const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	add_cell(table, text);
}

static void spaces(size_t n)
{
	printf("%*s", (int)n, "");
}

/* Bytes of text that fit in width columns, cut at a space if there is one. */
static size_t fitting(const char *text, size_t width)
{
	size_t end = 0, last_space = 0;

	for (size_t columns = 0; text[end] && columns < width; columns++) {
		size_t n = utf8_length(text + end);

		if (text[end] == ' ')
			last_space = end;
		end += n ? n : 1;
	}
	if (!text[end] || text[end] == ' ' || last_space == 0)
		return end;
	return last_space;
}

static void print_wrapped(const char *text, size_t indent)
{
	size_t width = LINE_WIDTH - indent;

	for (;;) {
		size_t n = fitting(text, width);

		fwrite(text, 1, n, stdout);
		text += n;
		while (*text == ' ')
			text++;
		putchar('\n');
		if (!*text)
			return;
		spaces(indent);
	}
}

static void print_row(const struct table *table, char **row, const size_t *widths)
{
	size_t last = table->columns - 1, at = 0;

	for (size_t c = 0; c < last; c++) {
		size_t width = utf8_width(row[c]);
		size_t fill = width < widths[c] ? widths[c] - width : 0;

		if (table->right[c])
			spaces(fill);
		fputs(row[c], stdout);
		at += (width > widths[c] ? width : widths[c]) + GAP;
		if (c + 1 == last && !*row[last])
			break;
		spaces(table->right[c] ? GAP : fill + GAP);
	}
	if (table->right[last]) {
		size_t width = utf8_width(row[last]);

		spaces(width < widths[last] ? widths[last] - width : 0);
		puts(row[last]);
		return;
	}
	if (at + LAST_LEAST > LINE_WIDTH && at + utf8_width(row[last]) > LINE_WIDTH) {
		at = 4;
		putchar('\n');
		spaces(at);
	}
	print_wrapped(row[last], at);
}

int table_print(struct table *table)
{
	size_t widths[TABLE_COLUMNS] = {0};
	int status = STATUS_OK;

	for (size_t i = 0; i < table->n_cells; i++) {
		size_t width = utf8_width(table->cells[i]);

		/* One very long address must not push every row apart. */
		if (width > widths[i % table->columns] && width <= LINE_WIDTH / 2)
			widths[i % table->columns] = width;
	}
	if (table->failed) {
		report("out of memory");
		status = STATUS_FAILURE;
	} else {
		for (size_t i = 0; i + table->columns <= table->n_cells; i += table->columns)
			print_row(table, table->cells + i, widths);
	}
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	memset(table, 0, sizeof(*table));
	return status;
}

const char *format_count(char *buf, unsigned long long n)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", n);
	char *out = buf;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}

const char *format_bytes(char *buf, unsigned long long n)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)n / 1024;
	size_t unit = 0;

	if (n < 1024) {
		snprintf(buf, 32, "%llu B", n);
		return buf;
	}
	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, 32, "%.1f %s", value, units[unit]);
	return buf;
}
