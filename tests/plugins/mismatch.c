/* SPDX-License-Identifier: Apache-2.0 */
/* Calls itself otherwise than its file. */
#include "least.h"

static const struct pbit_backend_ops ops = {LEAST_OPS};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("another", &ops)};
