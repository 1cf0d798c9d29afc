/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of options: every kind of value, operands anywhere, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../libhal/cli/options.c"
#include "../../libhal/cli/number.c"
#include "../../libhal/cli/suggest.c"

static char message[512];

void report_name(const char *name)
{
	(void)name;
}

void report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
}

int report_failure(void)
{
	return STATUS_FAILURE;
}

static bool flag, number_given;
static const char *text;
static struct text_list texts;
static uint64_t number;
static double real;
static struct number_list numbers;

static const struct option table[] = {
	{.name = "flag", .help = "a flag", .target = &flag},
	{.name = "text", .value = "T", .help = "text", .kind = OPTION_TEXT, .target = &text},
	{.name = "texts", .value = "T", .help = "texts", .kind = OPTION_TEXTS, .target = &texts},
	{.name = "number",
	 .value = "N",
	 .help = "number",
	 .kind = OPTION_NUMBER,
	 .target = &number,
	 .given = &number_given,
	 .min = 1,
	 .max = 9},
	{.name = "real",
	 .value = "R",
	 .help = "real",
	 .kind = OPTION_REAL,
	 .target = &real,
	 .real_min = 0,
	 .real_max = 1},
	{.name = "numbers",
	 .value = "N,N",
	 .help = "numbers",
	 .kind = OPTION_NUMBERS,
	 .target = &numbers,
	 .min = 1,
	 .max = 9},
	{.name = NULL},
};

static const struct syntax syntax = {
	.command = "pbit test",
	.operands = "A [B]",
	.summary = "Tests.",
	.options = table,
	.min_operands = 1,
	.max_operands = 2,
};

static const char *operands[2];

/* Parses up to five arguments, ended by NULL. */
static int parse(int *status, const char *a, const char *b, const char *c, const char *d)
{
	const char *const given[] = {"test", a, b, c, d};
	char *argv[5];
	int argc = 0;

	while (argc < 5 && given[argc]) {
		argv[argc] = (char *)(uintptr_t)given[argc];
		argc++;
	}
	message[0] = '\0';
	flag = number_given = false;
	text = NULL;
	texts.n = numbers.n = 0;
	number = 0;
	real = 0;
	return options_parse(&syntax, argc, argv, operands, status);
}

static void refuse(const char *a, const char *b, const char *c, const char *why)
{
	int status;

	assert_int_equal(parse(&status, a, b, c, NULL), -1);
	assert_int_equal(status, STATUS_USAGE);
	if (!strstr(message, why))
		fail_msg("'%s' does not hold '%s'", message, why);
	assert_non_null(strstr(message, "(see pbit test --help)"));
}

static void test_values(void **state)
{
	int status;

	(void)state;
	assert_int_equal(parse(&status, "x", "--flag", "--text", "y"), 1);
	assert_int_equal(status, STATUS_OK);
	assert_string_equal(operands[0], "x");
	assert_true(flag);
	assert_string_equal(text, "y");
	assert_int_equal(parse(&status, "--number=7", "x", "--real=0.25", "--text=a=b"), 1);
	assert_true(number_given);
	assert_int_equal(number, 7);
	assert_true(real == 0.25);
	assert_string_equal(text, "a=b");
	assert_int_equal(parse(&status, "--texts=p", "--texts=q", "--numbers=3,1,9", "x"), 1);
	assert_int_equal(texts.n, 2);
	assert_string_equal(texts.text[1], "q");
	assert_int_equal(numbers.n, 3);
	assert_int_equal(numbers.value[2], 9);
	/* A value may look like an option. */
	assert_int_equal(parse(&status, "--text", "--flag", "x", NULL), 1);
	assert_string_equal(text, "--flag");
	assert_false(flag);
}

static void test_operands(void **state)
{
	int status;

	(void)state;
	assert_int_equal(parse(&status, "x", "-", NULL, NULL), 2);
	assert_string_equal(operands[1], "-");
	assert_int_equal(parse(&status, "--", "--flag", "-z", NULL), 2);
	assert_string_equal(operands[0], "--flag");
	assert_string_equal(operands[1], "-z");
	assert_false(flag);
	refuse("x", "y", "z", "unexpected argument 'z'");
	refuse("--flag", NULL, NULL, "missing argument");
}

static void test_refused(void **state)
{
	char long_list[3 * LIST_MAX] = "--numbers=1";

	(void)state;
	refuse("x", "--flga", NULL, "did you mean '--flag'");
	refuse("x", "--zzzzzz=1", NULL, "unknown option '--zzzzzz'");
	refuse("x", "-f", NULL, "unknown option '-f'");
	refuse("x", "--flag=1", NULL, "takes no value");
	refuse("x", "--text", NULL, "needs a value");
	refuse("x", "--text=", NULL, "is empty");
	refuse("x", "--number", "0", "'0' is not a whole number from 1 to 9");
	refuse("x", "--number", "1x", "from 1 to 9");
	refuse("x", "--real=1", NULL, "between 0 and 1");
	refuse("x", "--numbers=1,", NULL, "from 1 to 9");
	refuse("x", "--numbers=,1", NULL, "from 1 to 9");
	refuse("x", "--numbers=1,10", NULL, "'10'");
	refuse("x", "--numbers=111111111111111111111111111111", NULL, "from 1 to 9");
	for (unsigned i = 0; i < LIST_MAX; i++)
		strcat(long_list, ",1");
	refuse("x", long_list, NULL, "more than 64");
}

static void test_list_full(void **state)
{
	char *argv[LIST_MAX + 3];
	static char name[] = "test", operand[] = "x", option[] = "--texts=t";
	int status;

	(void)state;
	argv[0] = name;
	argv[1] = operand;
	for (unsigned i = 0; i <= LIST_MAX; i++)
		argv[i + 2] = option;
	texts.n = 0;
	assert_int_equal(options_parse(&syntax, LIST_MAX + 2, argv, operands, &status), 1);
	texts.n = 0;
	assert_int_equal(options_parse(&syntax, LIST_MAX + 3, argv, operands, &status), -1);
	assert_int_equal(status, STATUS_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
