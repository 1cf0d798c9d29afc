/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "device/address.h"

/* The parts of an address in one line, for comparison. */
static void show(const char *text, char *line, size_t size)
{
	struct pbit__address *address;
	char *canonical;
	int n;

	assert_int_equal(pbit__address_parse(text, &address), 0);
	assert_string_equal(address->uri.text, text);
	n = snprintf(line, size, "<%s><%s><%s>", address->uri.scheme, address->uri.target,
		     address->uri.inner);
	for (uint32_t i = 0; i < address->uri.n_params; i++)
		n += snprintf(line + n, size - (size_t)n, " %s=%s", address->uri.params[i].key,
			      address->uri.params[i].value);
	canonical = pbit__address_text(address);
	assert_non_null(canonical);
	snprintf(line + n, size - (size_t)n, " -> %s", canonical);
	free(canonical);
	pbit__address_free(address);
}

static void test_accepted(void **state)
{
	static const char *const cases[][2] = {
		{"software:", "<software><><> -> software:"},
		{"software:threads=2,seed=7",
		 "<software><><> threads=2 seed=7 -> software:threads=2,seed=7"},
		{"software:,threads=2", "<software><><> threads=2 -> software:threads=2"},
		{"fpga:pbit0", "<fpga><pbit0><> -> fpga:pbit0"},
		{"pci:0000:03:00.0", "<pci><0000:03:00.0><> -> pci:0000:03:00.0"},
		{"zener:serial=", "<zener><><> serial= -> zener:serial="},
		{"fault:hang@100/software:",
		 "<fault><hang@100><software:> -> fault:hang@100/software:"},
		{"fault:hang,at=3/fault:x/software:threads=2",
		 "<fault><hang><fault:x/software:threads=2> at=3 -> "
		 "fault:hang,at=3/fault:x/software:threads=2"},
		{"smtj:dir%2Fa%2cb%3D%25.dtb,k=%41%2f",
		 "<smtj><dir/a,b=%.dtb><> k=A/ -> smtj:dir%2Fa%2Cb%3D%25.dtb,k=A%2F"},
		{"a+b-c9:x y", "<a+b-c9><x y><> -> a+b-c9:x y"},
		{"x:\xc3\xa9", "<x><\xc3\xa9><> -> x:\xc3\xa9"},
		{"x:a%0Ab", "<x><a\nb><> -> x:a%0Ab"},
	};
	char line[512], again[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		show(cases[i][0], line, sizeof(line));
		assert_string_equal(line, cases[i][1]);
		/* The canonical text means the same and is its own canonical text. */
		show(strstr(line, " -> ") + 4, again, sizeof(again));
		assert_string_equal(again, line);
	}
}

static void test_refused(void **state)
{
	/* Address, and a word that the record must contain. */
	static const char *const cases[][2] = {
		{"", "empty"},
		{"software", "scheme"},
		{":x", "scheme"},
		{"Software:", "scheme"},
		{"9p:", "scheme"},
		{"soft ware:", "scheme"},
		{"/software:", "scheme"},
		{"abcdefghijklmnopqrstuvwxyzabcdefghi:", "scheme"},
		{"software:a=1,a=2", "twice"},
		{"software:x,y", "'y' has no value"},
		{"software:a=1,", "empty"},
		{"software:a=1,,b=2", "empty"},
		{"software:=1", "key"},
		{"software:A=1", "key"},
		{"software:a%=1", "key"},
		{"software:a=b=c", "%3D"},
		{"software:a=%4", "%25"},
		{"software:%zz", "%25"},
		{"software:%", "%25"},
		{"software:a=%00", "%00"},
		{"software:\n", "control"},
		{"software:\x7f", "control"},
		{"smtj:dir/profile.dtb", "%2F"},
		{"fault:x/", "%2F"},
		{"fault:x/software:a=1,a=2", "twice"},
		{"a:/a:/a:/a:/a:/a:/a:/a:/a:", "stacked"},
	};
	struct pbit__address *address;
	char record[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(pbit__address_parse(cases[i][0], &address), -EINVAL);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_URI);
		pbit_format_error(record, sizeof(record));
		if (!strstr(record, cases[i][1]))
			fail_msg("%s: the record \"%s\" does not say \"%s\"", cases[i][0], record,
				 cases[i][1]);
	}
}

static void test_limits(void **state)
{
	char *text = malloc(PBIT__ADDRESS_MAX_LENGTH + 2), *out;
	struct pbit__address *address;

	(void)state;
	memset(text, 'x', PBIT__ADDRESS_MAX_LENGTH + 1);
	memcpy(text, "x:", 2);
	text[PBIT__ADDRESS_MAX_LENGTH + 1] = '\0';
	assert_int_equal(pbit__address_parse(text, &address), -EINVAL);
	text[PBIT__ADDRESS_MAX_LENGTH] = '\0';
	assert_int_equal(pbit__address_parse(text, &address), 0);
	pbit__address_free(address);
	for (unsigned n = PBIT__ADDRESS_MAX_PARAMS; n <= PBIT__ADDRESS_MAX_PARAMS + 1; n++) {
		out = text + sprintf(text, "x:t");
		for (unsigned i = 0; i < n; i++)
			out += sprintf(out, ",k%u=%u", i, i);
		assert_int_equal(pbit__address_parse(text, &address),
				 n > PBIT__ADDRESS_MAX_PARAMS ? -EINVAL : 0);
		if (n <= PBIT__ADDRESS_MAX_PARAMS) {
			assert_string_equal(pbit_uri_param(&address->uri, "k63"), "63");
			pbit__address_free(address);
		}
	}
	free(text);
}

static void test_queries(void **state)
{
	static const char *const known[] = {"n", "hex", "bad", "neg", "sp", "huge", "empty", NULL};
	static const char *const some[] = {"n", "hex", NULL};
	static const char *const none[] = {NULL};
	static const char *const not_numbers[] = {"bad", "neg", "sp", "huge", "empty"};
	struct pbit__address *address;
	uint64_t value = 5;

	(void)state;
	assert_int_equal(
		pbit__address_parse(
			"x:n=12,hex=0xFf,bad=12k,neg=-1,sp= 1,huge=18446744073709551616,empty=",
			&address),
		0);
	assert_null(pbit_uri_param(&address->uri, "absent"));
	assert_string_equal(pbit_uri_param(&address->uri, "bad"), "12k");
	assert_int_equal(pbit_uri_number(&address->uri, "absent", 1, 2, &value), 0);
	assert_int_equal(value, 5);
	assert_int_equal(pbit_uri_number(&address->uri, "n", 1, 12, &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(pbit_uri_number(&address->uri, "hex", 0, UINT64_MAX, &value), 0);
	assert_int_equal(value, 255);
	assert_int_equal(pbit_uri_number(&address->uri, "n", 1, 11, &value), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "from 1 to 11"));
	assert_int_equal(pbit_uri_number(&address->uri, "n", 13, 99, &value), -EINVAL);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
			pbit_uri_number(&address->uri, not_numbers[i], 0, UINT64_MAX, &value),
			-EINVAL);
	assert_int_equal(value, 255);
	assert_int_equal(pbit_uri_only(&address->uri, known), 0);
	assert_int_equal(pbit_uri_only(&address->uri, some), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "'bad'"));
	assert_string_equal(pbit_last_error()->hint, "known parameters: n, hex");
	assert_int_equal(pbit_uri_only(&address->uri, none), -EINVAL);
	assert_string_equal(pbit_last_error()->hint, "it takes no parameters");
	pbit__address_free(address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
