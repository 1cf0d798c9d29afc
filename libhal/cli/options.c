/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options by table: parsing, --help, hints for misspelt names. */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "number.h"
#include "report.h"
#include "suggest.h"

#define HELP_COLUMN 26

static const char *current_command = "pbit";

int usage_error(const char *fmt, ...)
{
	char *text;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0) {
		report("out of memory");
		return STATUS_FAILURE;
	}
	report("%s (see %s --help)", text, current_command);
	free(text);
	return STATUS_USAGE;
}

static void print_option(const struct option *option)
{
	int width = printf("  --%s%s%s", option->name, option->value ? " " : "",
			   option->value ? option->value : "");
	const char *line = option->help;

	while (line) {
		const char *end = strchr(line, '\n');
		int length = end ? (int)(end - line) : (int)strlen(line);

		if (width >= HELP_COLUMN) {
			putchar('\n');
			width = 0;
		}
		printf("%*s%.*s\n", HELP_COLUMN - width, "", length, line);
		width = 0;
		line = end ? end + 1 : NULL;
	}
}

static void print_help(const struct syntax *syntax)
{
	static const struct option help = {.name = "help", .help = "show this text"};

	printf("usage: %s%s%s%s\n\n%s\n", syntax->command,
	       syntax->options->name ? " [OPTION]..." : "", *syntax->operands ? " " : "",
	       syntax->operands, syntax->summary);
	if (syntax->details)
		printf("\n%s\n", syntax->details);
	printf("\nOptions:\n");
	for (const struct option *option = syntax->options; option->name; option++)
		print_option(option);
	print_option(&help);
	printf("\nExit status: 0 success, 1 failure, 2 wrong usage.\n");
}

static int unknown_option(const struct syntax *syntax, const char *name)
{
	const char *known[LIST_MAX];
	const char *nearest;
	size_t n = 0;

	for (const struct option *option = syntax->options; option->name; option++)
		known[n++] = option->name;
	known[n++] = "help";
	nearest = suggest(name, known, n);
	if (nearest)
		return usage_error("unknown option '--%s'; did you mean '--%s'?", name, nearest);
	return usage_error("unknown option '--%s'", name);
}

static int bad_number(const struct option *option, const char *text)
{
	return usage_error("--%s: '%s' is not a whole number from %llu to %llu", option->name, text,
			   (unsigned long long)option->min, (unsigned long long)option->max);
}

static int set_numbers(const struct option *option, const char *text)
{
	struct number_list *list = option->target;
	char item[24];

	list->n = 0;
	for (;;) {
		size_t length = strcspn(text, ",");

		if (list->n == LIST_MAX)
			return usage_error("--%s: more than %u numbers", option->name, LIST_MAX);
		if (length >= sizeof(item))
			return bad_number(option, text);
		memcpy(item, text, length);
		item[length] = '\0';
		if (!number_parse(item, option->min, option->max, &list->value[list->n]))
			return bad_number(option, item);
		list->n++;
		if (!text[length])
			return STATUS_OK;
		text += length + 1;
	}
}

static int set_text(const struct option *option, const char *text)
{
	struct text_list *list = option->target;

	if (!*text)
		return usage_error("--%s: the value is empty", option->name);
	if (option->kind == OPTION_TEXT) {
		*(const char **)option->target = text;
		return STATUS_OK;
	}
	if (list->n == LIST_MAX)
		return usage_error("--%s: used more than %u times", option->name, LIST_MAX);
	list->text[list->n++] = text;
	return STATUS_OK;
}

static int set_value(const struct option *option, const char *text)
{
	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)option->target = true;
		return STATUS_OK;
	case OPTION_TEXT:
	case OPTION_TEXTS:
		return set_text(option, text);
	case OPTION_NUMBER:
		if (!number_parse(text, option->min, option->max, option->target))
			return bad_number(option, text);
		return STATUS_OK;
	case OPTION_REAL:
		if (!number_parse_real(text, option->real_min, option->real_max, option->target))
			return usage_error("--%s: '%s' is not a number between %g and %g",
					   option->name, text, option->real_min, option->real_max);
		return STATUS_OK;
	case OPTION_NUMBERS:
		return set_numbers(option, text);
	}
	return STATUS_FAILURE;
}

/* One option at argv[*i], whose value may be the next argument. */
static int parse_option(const struct syntax *syntax, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const struct option *option = syntax->options;
	char word[64];

	while (option->name &&
	       (strlen(option->name) != length || strncmp(option->name, name, length)))
		option++;
	if (!option->name) {
		snprintf(word, sizeof(word), "%.*s", (int)(length < 60 ? length : 60), name);
		return unknown_option(syntax, word);
	}
	if (option->kind == OPTION_FLAG && value)
		return usage_error("--%s takes no value", option->name);
	if (option->kind != OPTION_FLAG && !value) {
		if (*i + 1 >= argc)
			return usage_error("--%s needs a value: %s", option->name, option->value);
		value = argv[++*i];
	}
	if (option->given)
		*option->given = true;
	return set_value(option, value);
}

static int add_operand(const struct syntax *syntax, const char *text, const char **operands, int *n)
{
	if (*n == syntax->max_operands)
		return usage_error("unexpected argument '%s'", text);
	operands[(*n)++] = text;
	return STATUS_OK;
}

int options_parse(const struct syntax *syntax, int argc, char **argv, const char **operands,
		  int *status)
{
	bool only_operands = false;
	int n = 0;

	current_command = syntax->command;
	report_name(syntax->command);
	*status = STATUS_OK;
	for (int i = 1; i < argc && *status == STATUS_OK; i++) {
		const char *text = argv[i];

		if (only_operands || text[0] != '-' || !text[1]) {
			*status = add_operand(syntax, text, operands, &n);
		} else if (!strcmp(text, "--")) {
			only_operands = true;
		} else if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
			print_help(syntax);
			return -1;
		} else if (text[1] != '-') {
			*status = usage_error("unknown option '%s'", text);
		} else {
			*status = parse_option(syntax, argc, argv, &i);
		}
	}
	if (*status == STATUS_OK && n < syntax->min_operands)
		*status = usage_error("missing argument; usage: %s %s", syntax->command,
				      syntax->operands);
	return *status == STATUS_OK ? n : -1;
}
