/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate: one page about one device, as text, SVG or PNG by the name of the file. */
#ifndef PBIT_CLI_CERTIFICATE_H
#define PBIT_CLI_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <pbit/check.h>
#include "output_file.h"

/* Text in memory that grows. */
struct page {
	char *text;
	size_t length, size;
	bool failed; /* out of memory */
};

/* Text, and bytes as they are. */
void page_bytes(struct page *page, const void *bytes, size_t n);
void page_add(struct page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Can a certificate have this name? */
bool certificate_name(const char *path);

/* Writes the page into the open file and commits it; abandons it on failure. 0 or a negative errno with a record. */
int certificate_write(struct output_file *file, const char *path,
		      const struct pbit_check_report *report);

void certificate_text(struct page *page, const struct pbit_check_report *report);
void certificate_svg(struct page *page, const struct pbit_check_report *report);
void certificate_png(struct page *page, const struct pbit_check_report *report);

/* Shared by the pages. */
void certificate_date(char *buf, size_t size);
const char *certificate_p(char *buf, size_t size, double p);

#endif
