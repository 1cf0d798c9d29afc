/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data file read from its beginning, plain or gzip-compressed. Nothing is
 * allocated for a size that a header claims before the file is known to be
 * large enough for it.
 */
#ifndef PBIT_CLI_DATA_SOURCE_H
#define PBIT_CLI_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

struct source {
	const char *path; /* borrowed */
	gzFile file;
	uint64_t left; /* upper bound of the bytes that can still come */
};

/* All return 0 or a negative errno with a record; the source is closed in any case with source_close(). */
int source_open(struct source *source, const char *path);
int source_read(struct source *source, void *buf, size_t n);

/* Reads the n bytes that remain, and checks that the file ends there. *data is freed by the caller. */
int source_read_rest(struct source *source, uint64_t n, void **data);

void source_close(struct source *source);

/* A record about the file's content. Returns -EINVAL. */
int source_invalid(const struct source *source, const char *hint, const char *why, ...)
	__attribute__((format(printf, 3, 4)));

#endif
