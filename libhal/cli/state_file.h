/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States in a text file: one line of + and - for each replica, "#" begins a comment. Where a run can
 * be resumed, lines of a key and a value come first: what was run, and how far.
 */
#ifndef PBIT_CLI_STATE_FILE_H
#define PBIT_CLI_STATE_FILE_H

#include "machine.h"

struct state_file {
	bool has_position; /* the keys are there */
	uint64_t machine;  /* digest */
	uint64_t seed;
	uint64_t sweep; /* the next one */
	uint32_t order;
	uint32_t replicas;
	uint64_t *states; /* replicas of them, packed; to be freed */
};

/*
 * Reads states of a machine of n p-bits. replicas: how many are wanted; one line serves for all.
 * 0: as many as there are. -EINVAL with a record for any other content.
 */
int state_file_read(struct state_file *file, const char *path, uint32_t n, uint32_t replicas);

/* Writes it whole or not at all. */
int state_file_write(const struct state_file *file, const char *path, uint32_t n);

void state_file_free(struct state_file *file);

#endif
