/* SPDX-License-Identifier: Apache-2.0 */
/* Backends in shared objects. */
#ifndef PBIT_SRC_PLUGIN_H
#define PBIT_SRC_PLUGIN_H

#include <pbit/backend.h>

#define PBIT__REASON_SIZE 512

/* What became of one file pbit-NAME.so. */
struct pbit__plugin_result {
	const struct pbit_backend *backend; /* NULL where it was refused */
	uint32_t abi;			    /* as found, 0 where unknown */
	int status;			    /* 0 or why it was refused */
	char reason[PBIT__REASON_SIZE];
};

/*
 * Loads one file. A plugin that was accepted stays loaded until the process ends: its code may
 * have left threads, handlers or thread-local data behind that outlive any device. The same file
 * is loaded once. Any thread; never fails other than by result->status.
 */
void pbit__plugin_load(const char *path, const char *name, struct pbit__plugin_result *result);

/*
 * Is the file a whole shared object for this machine? 0, or -ENOEXEC or another error with the
 * reason. The loader maps a file before it knows, and a cut one would end the process by a signal.
 */
int pbit__plugin_file_check(const char *path, char *reason, size_t reason_size);

#endif
