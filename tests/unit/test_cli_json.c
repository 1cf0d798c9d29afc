/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer of the command: escapes, numbers, nesting, misuse. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../libhal/cli/json.c"
#include "../../libhal/cli/utf8.c"

static void expect(struct json *json, const char *text)
{
	const char *got = json_finish(json);

	assert_non_null(got);
	assert_string_equal(got, text);
	json_free(json);
}

static void expect_text(const char *value, const char *text)
{
	struct json json = {0};

	json_string(&json, NULL, value);
	expect(&json, text);
}

static void test_strings(void **state)
{
	(void)state;
	expect_text("", "\"\"\n");
	expect_text("a \"quoted\" \\ text", "\"a \\\"quoted\\\" \\\\ text\"\n");
	expect_text("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"\n");
	expect_text("\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"\n");
	expect_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82",
		    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\"\n");
	expect_text(NULL, "null\n");
}

static void test_invalid_utf8(void **state)
{
	(void)state;
	expect_text("a\xff"
		    "b",
		    "\"a\\ufffdb\"\n");
	expect_text("\xc3", "\"\\ufffd\"\n");
	/* Overlong, surrogate, beyond U+10FFFF. */
	expect_text("\xc0\xaf", "\"\\ufffd\\ufffd\"\n");
	expect_text("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n");
	expect_text("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n");
}

static void expect_number(double value, const char *text)
{
	struct json json = {0};

	json_number(&json, NULL, value);
	expect(&json, text);
}

static void test_numbers(void **state)
{
	static const double exact[] = {0.1, 1.0 / 3, DBL_MAX, DBL_MIN, -5e-324, 123456789.125};

	(void)state;
	expect_number(0, "0\n");
	expect_number(0.5, "0.5\n");
	expect_number(-1e300, "-1e+300\n");
	expect_number(NAN, "null\n");
	expect_number(INFINITY, "null\n");
	expect_number(-INFINITY, "null\n");
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		struct json json = {0};

		json_number(&json, NULL, exact[i]);
		assert_true(strtod(json_finish(&json), NULL) == exact[i]);
		json_free(&json);
	}
}

static void test_integers(void **state)
{
	struct json json = {0};

	(void)state;
	json_array(&json, NULL);
	json_count(&json, NULL, UINT64_MAX);
	json_integer(&json, NULL, INT64_MIN);
	json_bool(&json, NULL, true);
	json_bool(&json, NULL, false);
	json_end(&json);
	expect(&json, "[\n  18446744073709551615,\n  -9223372036854775808,\n  true,\n  false\n]\n");
}

static void test_nesting(void **state)
{
	struct json json = {0};

	(void)state;
	json_object(&json, NULL);
	json_array(&json, "empty");
	json_end(&json);
	json_object(&json, "o");
	json_end(&json);
	json_array(&json, "a");
	json_object(&json, NULL);
	json_null(&json, "x\"y");
	json_end(&json);
	json_end(&json);
	json_end(&json);
	expect(&json,
	       "{\n  \"empty\": [],\n  \"o\": {},\n  \"a\": [\n    {\n      \"x\\\"y\": null\n"
	       "    }\n  ]\n}\n");
}

static void test_long(void **state)
{
	struct json json = {0};
	char *text = malloc(100001);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 100000);
	text[100000] = '\0';
	json_array(&json, NULL);
	json_string(&json, NULL, text);
	json_end(&json);
	assert_int_equal(strlen(json_finish(&json)), strlen("[\n  \"\"\n]\n") + 100000);
	json_free(&json);
	free(text);
}

static void expect_misuse(struct json *json)
{
	assert_null(json_finish(json));
	json_free(json);
}

static void test_misuse(void **state)
{
	struct json json = {0};

	(void)state;
	expect_misuse(&json); /* nothing written */
	json_object(&json, NULL);
	expect_misuse(&json); /* not ended */
	json_count(&json, NULL, 1);
	json_count(&json, NULL, 2);
	expect_misuse(&json); /* two documents */
	json_object(&json, NULL);
	json_count(&json, NULL, 1);
	json_end(&json);
	expect_misuse(&json); /* no name in an object */
	json_array(&json, NULL);
	json_count(&json, "name", 1);
	json_end(&json);
	expect_misuse(&json); /* a name in an array */
	json_end(&json);
	expect_misuse(&json);
	for (unsigned i = 0; i <= JSON_DEPTH; i++)
		json_array(&json, NULL);
	for (unsigned i = 0; i < JSON_DEPTH; i++)
		json_end(&json);
	expect_misuse(&json); /* too deep */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings), cmocka_unit_test(test_invalid_utf8),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_integers),
		cmocka_unit_test(test_nesting), cmocka_unit_test(test_long),
		cmocka_unit_test(test_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
