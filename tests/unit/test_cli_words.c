/* SPDX-License-Identifier: Apache-2.0 */
/* What the command makes of single words: numbers, misspelt names, sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../libhal/cli/number.c"
#include "../../libhal/cli/suggest.c"

static void refuse_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t value = 77;

	assert_false(number_parse(text, min, max, &value));
	assert_int_equal(value, 77);
}

static void test_number(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(number_parse("0", 0, 5, &value));
	assert_int_equal(value, 0);
	assert_true(number_parse("18446744073709551615", 0, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_true(number_parse("007", 0, 10, &value));
	assert_int_equal(value, 7);
	refuse_number("18446744073709551616", 0, UINT64_MAX);
	refuse_number("99999999999999999999999", 0, UINT64_MAX);
	refuse_number("", 0, 5);
	refuse_number("-1", 0, 5);
	refuse_number("+1", 0, 5);
	refuse_number(" 1", 0, 5);
	refuse_number("1 ", 0, 5);
	refuse_number("0x1", 0, 5);
	refuse_number("1e1", 0, 50);
	refuse_number("1.0", 0, 5);
	refuse_number("0", 1, 5);
	refuse_number("6", 1, 5);
}

static void refuse_real(const char *text, double min, double max)
{
	double value = 77;

	assert_false(number_parse_real(text, min, max, &value));
	assert_true(value == 77);
}

static void test_real(void **state)
{
	double value;

	(void)state;
	assert_true(number_parse_real("0.99", 0.5, 1, &value));
	assert_true(value == 0.99);
	assert_true(number_parse_real("1e-3", 0, 1, &value));
	assert_true(value == 1e-3);
	refuse_real("0.5", 0.5, 1);
	refuse_real("1", 0.5, 1);
	refuse_real("nan", 0, 1);
	refuse_real("inf", 0, 1e308);
	refuse_real("1e999", 0, 1e308);
	refuse_real("0x1p-1", 0, 1);
	refuse_real(" 0.7", 0.5, 1);
	refuse_real("0.7x", 0.5, 1);
	refuse_real("0.7.1", 0.5, 1);
	refuse_real("-", -1, 1);
	refuse_real("", 0, 1);
}

static void test_suggest(void **state)
{
	static const char *const known[] = {"samples", "seed", "sweep", "sample-block", "json"};

	(void)state;
	assert_string_equal(suggest("sampels", known, 5), "samples");
	assert_string_equal(suggest("smaples", known, 5), "samples");
	assert_string_equal(suggest("sampl", known, 5), "samples");
	assert_string_equal(suggest("samples-block", known, 5), "sample-block");
	assert_string_equal(suggest("sed", known, 5), "seed");
	assert_null(suggest("quantum", known, 5));
	assert_null(suggest("x", known, 5));
	assert_null(suggest("a-very-long-name-that-nobody-would-ever-use", known, 5));
	assert_null(suggest("json", known, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_suggest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
