/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Size-first structs. A caller's struct may be older (shorter) or newer (longer) than the one this
 * library was built with: what it lacks counts as zero, what it has beyond is not looked at.
 */
#ifndef PBIT_SRC_ARGS_H
#define PBIT_SRC_ARGS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes up to and including a member: the least struct_size that holds it. */
#define PBIT__SIZE_TO(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

/*
 * Copies a caller's struct into `own` (own_size bytes, its struct_size set to that). -EINVAL
 * with a record where caller is NULL or its struct_size is below `mandatory`; `what` names the call
 * and `name` the struct.
 */
int pbit__args_read(void *own, size_t own_size, const void *caller, size_t mandatory,
		    const char *what, const char *name);

/*
 * Fills a caller's struct from `own`, as far as the caller's struct_size reaches and leaving
 * that as it is; members this library does not know become zero. Errors as above.
 */
int pbit__args_write(void *caller, const void *own, size_t own_size, size_t mandatory,
		     const char *what, const char *name);

#endif
