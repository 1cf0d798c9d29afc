/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file written whole or not at all: under another name first, put in place
 * by a rename. An existing file stays as it was until then.
 */
#ifndef PBIT_CLI_OUTPUT_FILE_H
#define PBIT_CLI_OUTPUT_FILE_H

#include <stddef.h>

struct output_file {
	int fd;
	char *path;	 /* where it goes, symbolic links resolved */
	char *temporary; /* NULL: a device or pipe, written directly */
};

/* -EINVAL with a record where writing to path would replace an input, NULL for none. */
int output_file_spares(const char *path, const char *input);

/* 0 or a negative errno with a record. Then exactly one of commit and abandon is called. */
int output_file_open(struct output_file *file, const char *path);
int output_file_write(struct output_file *file, const void *data, size_t n);
int output_file_commit(struct output_file *file);
void output_file_abandon(struct output_file *file);

#endif
