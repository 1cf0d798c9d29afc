/* SPDX-License-Identifier: Apache-2.0 */
/* Samples into a .npy file as they come: int8 [samples][replicas][n], -1 and +1. */
#ifndef PBIT_CLI_NPY_STREAM_H
#define PBIT_CLI_NPY_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include "output_file.h"

struct npy_stream {
	struct output_file file;
	bool is_open;
	uint64_t samples; /* written */
	uint32_t replicas, n;
	int8_t *row;
};

/* samples: how many are meant to come. 0 or a negative errno with a record; then npy_stream_abandon(). */
int npy_stream_open(struct npy_stream *stream, const char *path, uint64_t samples,
		    uint32_t replicas, uint32_t n);

/* One sample: packed states of all replicas, `words` words each. */
int npy_stream_add(struct npy_stream *stream, const uint64_t *states, size_t words);

/* Sets the header to what was written and puts the file in place. A pipe keeps its first header. */
int npy_stream_commit(struct npy_stream *stream);
void npy_stream_abandon(struct npy_stream *stream);

#endif
