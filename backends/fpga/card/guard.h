/* SPDX-License-Identifier: Apache-2.0 */
/* Work in memory that another process can take away: a file cut short answers with SIGBUS. */
#ifndef PBIT_CARD_GUARD_H
#define PBIT_CARD_GUARD_H

#include <stdbool.h>

/* Once, before any other. 0 or a negative errno. */
int guard_init(void);

/* Calls fn; false where the memory under it was gone. fn holds no lock and frees nothing. */
bool guard_run(void (*fn)(void *), void *arg);

#endif
