/* SPDX-License-Identifier: Apache-2.0 */
/* Working memory of runs and results: see buffer.h. */
#include <errno.h>
#include <stdlib.h>
#include <pbit/backend.h>
#include "exec/buffer.h"

static int out_of_memory(size_t count, size_t size)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot run the model", NULL,
			 "run fewer images at a time", "no memory for %zu elements of %zu bytes",
			 count, size);
}

int pbit__buffer_reserve(struct pbit__buffer *buffer, size_t count, size_t size)
{
	size_t bytes;
	void *data;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
		return out_of_memory(count, size);
	if (bytes <= buffer->size)
		return 0;
	/* Twice what is there, so that slowly growing runs do not allocate each time. */
	if (bytes < 2 * buffer->size && 2 * buffer->size <= PTRDIFF_MAX)
		bytes = 2 * buffer->size;
	bytes = (bytes + 63) & ~(size_t)63;
	data = aligned_alloc(64, bytes);
	if (!data)
		return out_of_memory(count, size);
	free(buffer->data);
	buffer->data = data;
	buffer->size = bytes;
	return 0;
}

void pbit__buffer_free(struct pbit__buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = 0;
}
