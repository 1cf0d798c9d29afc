/* SPDX-License-Identifier: Apache-2.0 */
/* Backends that are part of the library. */
#ifndef PBIT_SRC_BUILTIN_H
#define PBIT_SRC_BUILTIN_H

#include <pbit/backend.h>

/* NULL-terminated. */
extern const struct pbit_backend *const pbit__builtin_backends[];

#endif
