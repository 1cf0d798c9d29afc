/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options by table. A command declares its options and where
 * their values go; parsing, --help and the hints for misspelt names follow.
 */
#ifndef PBIT_CLI_OPTIONS_H
#define PBIT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,	/* bool */
	OPTION_TEXT,	/* const char *, not empty */
	OPTION_TEXTS,	/* struct text_list, one per use */
	OPTION_NUMBER,	/* uint64_t in [min, max] */
	OPTION_REAL,	/* double in (real_min, real_max) */
	OPTION_NUMBERS, /* struct number_list, "1,2,4", each in [min, max] */
};

#define LIST_MAX 64u

struct text_list {
	uint32_t n;
	const char *text[LIST_MAX];
};

struct number_list {
	uint32_t n;
	uint64_t value[LIST_MAX];
};

struct option {
	const char *name;  /* without the dashes; NULL ends the table */
	const char *value; /* what --help calls its value */
	const char *help;
	enum option_kind kind;
	void *target;
	bool *given; /* set where the option was used; may be NULL */
	uint64_t min, max;
	double real_min, real_max;
};

struct syntax {
	const char *command; /* "pbit run" */
	const char *operands;
	const char *summary;
	const char *details; /* further lines of --help; may be NULL */
	const struct option *options;
	int min_operands;
	int max_operands;
};

/*
 * Parses argv[1] onward; the operands go to operands[], which has room for
 * max_operands. Returns their number, or -1 with the exit status in *status: --help was
 * shown, or a message about wrong usage.
 */
int options_parse(const struct syntax *syntax, int argc, char **argv, const char **operands,
		  int *status);

/* Reports wrong usage, pointing to --help; returns STATUS_USAGE. */
int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
