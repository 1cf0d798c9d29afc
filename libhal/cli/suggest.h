/* SPDX-License-Identifier: Apache-2.0 */
/* The known word that someone who misspelt a word most likely meant. */
#ifndef PBIT_CLI_SUGGEST_H
#define PBIT_CLI_SUGGEST_H

#include <stddef.h>

/* Nearest of n words, NULL where none is near. */
const char *suggest(const char *word, const char *const *known, size_t n);

#endif
