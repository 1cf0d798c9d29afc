/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object, but no backend: the descriptor has another name. */
#include "least.h"

static const struct pbit_backend_ops ops = {LEAST_OPS};

EXPORTED extern const struct pbit_backend some_other_entry;
const struct pbit_backend some_other_entry = {LEAST_BACKEND("nosymbol", &ops)};
