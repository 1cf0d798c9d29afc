/* SPDX-License-Identifier: Apache-2.0 */
/* The .npy format of NumPy, version 1.0, with a header whose length leaves room for any shape. */
#include "npy_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pbit/backend.h>

#define HEADER_SIZE 192 /* with magic string; a multiple of 64 */

static void make_header(const struct npy_stream *stream, uint64_t samples, char *header)
{
	static const char magic[] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
	int length;

	memset(header, ' ', HEADER_SIZE);
	memcpy(header, magic, sizeof(magic));
	header[8] = (char)((HEADER_SIZE - 10) & 255);
	header[9] = 0;
	length = snprintf(header + 10, HEADER_SIZE - 10,
			  "{'descr': '|i1', 'fortran_order': False, 'shape': (%llu, %u, %u), }",
			  (unsigned long long)samples, stream->replicas, stream->n);
	header[10 + length] = ' ';
	header[HEADER_SIZE - 1] = '\n';
}

int npy_stream_open(struct npy_stream *stream, const char *path, uint64_t samples,
		    uint32_t replicas, uint32_t n)
{
	char header[HEADER_SIZE];
	int err;

	*stream = (struct npy_stream){.replicas = replicas, .n = n};
	stream->row = malloc(n);
	if (!stream->row)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot write", path, NULL,
				 "out of memory");
	err = output_file_open(&stream->file, path);
	if (err)
		return err;
	stream->is_open = true;
	make_header(stream, samples, header);
	return output_file_write(&stream->file, header, sizeof(header));
}

int npy_stream_add(struct npy_stream *stream, const uint64_t *states, size_t words)
{
	int err = 0;

	for (uint32_t r = 0; r < stream->replicas && !err; r++) {
		const uint64_t *state = states + r * words;

		for (uint32_t i = 0; i < stream->n; i++)
			stream->row[i] = (int8_t)((int)(state[i / 64] >> (i % 64) & 1) * 2 - 1);
		err = output_file_write(&stream->file, stream->row, stream->n);
	}
	stream->samples += !err;
	return err;
}

int npy_stream_commit(struct npy_stream *stream)
{
	char header[HEADER_SIZE];
	int err = 0;

	make_header(stream, stream->samples, header);
	if (stream->file.temporary &&
	    pwrite(stream->file.fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		err = pbit_fail(errno ? -errno : -EIO, PBIT_ERR_FILE, "cannot write",
				stream->file.path, NULL, "%s", strerror(errno ? errno : EIO));
	if (err) {
		npy_stream_abandon(stream);
		return err;
	}
	free(stream->row);
	stream->row = NULL;
	stream->is_open = false;
	return output_file_commit(&stream->file);
}

void npy_stream_abandon(struct npy_stream *stream)
{
	if (stream->is_open)
		output_file_abandon(&stream->file);
	stream->is_open = false;
	free(stream->row);
	stream->row = NULL;
}
