/* SPDX-License-Identifier: Apache-2.0 */
/* A data file read from its beginning, plain or gzip-compressed (zlib tells them apart). */
#include "data_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <pbit/backend.h>

#define WHAT "cannot read data"

/* Deflate shrinks to 1/1032 of the size at best (zlib's documentation). */
#define EXPANSION_MAX 1032u

/* First piece of a buffer that grows with the data; for files whose size says little. */
#define PIECE ((size_t)1 << 20)

int source_invalid(const struct source *source, const char *hint, const char *why, ...)
{
	char text[256];
	va_list args;

	va_start(args, why);
	vsnprintf(text, sizeof(text), why, args);
	va_end(args);
	return pbit_fail(-EINVAL, PBIT_ERR_FILE, WHAT, source->path, hint, "%s", text);
}

static int fail_errno(const struct source *source, const char *hint)
{
	int code = errno ? -errno : -EIO;

	return pbit_fail(code, PBIT_ERR_FILE, WHAT, source->path, hint, "%s", strerror(-code));
}

int source_open(struct source *source, const char *path)
{
	struct stat st;
	int fd, err;

	memset(source, 0, sizeof(*source));
	source->path = path;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(source, errno == ENOENT ? "check the path" : NULL);
	if (fstat(fd, &st)) {
		err = fail_errno(source, NULL);
		goto close_fd;
	}
	if (S_ISDIR(st.st_mode)) {
		err = source_invalid(source, "name a file", "it is a folder");
		goto close_fd;
	}
	source->file = gzdopen(fd, "rb");
	if (!source->file) {
		err = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, path, NULL, "out of memory");
		goto close_fd;
	}
	gzbuffer(source->file, 1 << 17);
	source->left = UINT64_MAX;
	if (S_ISREG(st.st_mode)) {
		source->left = (uint64_t)st.st_size;
		if (!gzdirect(source->file))
			source->left = (source->left + 64) * EXPANSION_MAX;
	}
	return 0;
close_fd:
	close(fd);
	return err;
}

static int fail_read(const struct source *source)
{
	int code;
	const char *text = gzerror(source->file, &code);

	if (code == Z_ERRNO)
		return fail_errno(source, NULL);
	if (code == Z_DATA_ERROR || code == Z_BUF_ERROR)
		return source_invalid(source, "get the file anew; gzip -t checks it",
				      "damaged gzip data: %s", text);
	if (code == Z_MEM_ERROR)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, source->path, NULL,
				 "out of memory");
	return source_invalid(source, "get the file anew", "the file ends too early");
}

static int read_piece(struct source *source, void *buf, size_t n)
{
	char *at = buf;

	while (n > 0) {
		unsigned part = n > PIECE ? (unsigned)PIECE : (unsigned)n;
		int got = gzread(source->file, at, part);

		if (got <= 0)
			return fail_read(source);
		at += got;
		n -= (size_t)got;
		source->left -= source->left < (uint64_t)got ? source->left : (uint64_t)got;
	}
	return 0;
}

int source_read(struct source *source, void *buf, size_t n)
{
	return read_piece(source, buf, n);
}

static int check_end(struct source *source)
{
	char byte;
	int code, got = gzread(source->file, &byte, 1);

	if (got > 0)
		return source_invalid(source, "get the file anew",
				      "there is more data than its header says");
	/* A file cut within its check sum reads as ended, with the error to be asked for. */
	gzerror(source->file, &code);
	return code < 0 ? fail_read(source) : 0;
}

int source_read_rest(struct source *source, uint64_t n, void **data)
{
	size_t size = 0, done = 0;
	char *buf = NULL;
	int err;

	if (n > source->left || n > SIZE_MAX / 2)
		return source_invalid(source, "get the file anew",
				      "its header promises %llu bytes of data, more than it holds",
				      (unsigned long long)n);
	do {
		size_t next = size ? size * 2 : PIECE;
		char *bigger;

		if (next > n)
			next = (size_t)n;
		bigger = realloc(buf, next ? next : 1);
		if (!bigger) {
			err = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, source->path,
					"use a smaller data set", "no memory for %llu bytes",
					(unsigned long long)n);
			goto free_buf;
		}
		buf = bigger;
		size = next;
		err = read_piece(source, buf + done, size - done);
		if (err)
			goto free_buf;
		done = size;
	} while (done < n);
	err = check_end(source);
	if (err)
		goto free_buf;
	*data = buf;
	return 0;
free_buf:
	free(buf);
	return err;
}

void source_close(struct source *source)
{
	if (source->file)
		gzclose_r(source->file);
	source->file = NULL;
}
