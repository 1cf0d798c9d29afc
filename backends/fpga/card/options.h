/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of pbit-card. */
#ifndef PBIT_CARD_OPTIONS_H
#define PBIT_CARD_OPTIONS_H

#include "card.h"

struct options {
	struct card_plan plan;
	const char *socket, *control, *tell;
	char words[256]; /* to tell */
	bool verbose, help;
	/* Faults, set once the card is there. */
	struct {
		const char *name, *value;
	} fault[16];
	unsigned int n_faults;
};

/* 0, or -EINVAL with why in text. */
int options_parse(int argc, char **argv, struct options *options, char *text, size_t size);

/* For --help. */
const char *options_usage(void);

#endif
