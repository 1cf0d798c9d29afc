/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people: columns as wide as they need, 80 in all, the last column
 * wrapped at spaces.
 */
#ifndef PBIT_CLI_TABLE_H
#define PBIT_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS 10u

struct table {
	size_t columns;
	bool right[TABLE_COLUMNS]; /* numbers: aligned to the right */
	char **cells;
	size_t n_cells, size;
	bool failed; /* out of memory */
};

/* Adds a cell; rows fill from left to right. NULL is shown as "". */
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints and frees; returns an exit status. */
int table_print(struct table *table);

/* A whole number with its thousands apart: "1,234,567". buf has 32 bytes. */
const char *format_count(char *buf, unsigned long long n);

/* A number of bytes: "3.2 MiB". buf has 32 bytes. */
const char *format_bytes(char *buf, unsigned long long n);

#endif
