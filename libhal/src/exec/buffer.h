/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Working memory that grows and is used again, so that a run of the same size as the one before
 * allocates nothing.
 */
#ifndef PBIT_SRC_EXEC_BUFFER_H
#define PBIT_SRC_EXEC_BUFFER_H

#include <stddef.h>

struct pbit__buffer {
	void *data;
	size_t size;
};

/* Room for count elements of the given size; what was there is lost when it moves. -ENOMEM. */
int pbit__buffer_reserve(struct pbit__buffer *buffer, size_t count, size_t size);
void pbit__buffer_free(struct pbit__buffer *buffer);

#endif
