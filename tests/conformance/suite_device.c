/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole suite of `pbit check` on the device in PBIT_TEST_URI, through the shared library: passes, with all six
 * controls rejected. False alarm 1e-6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <pbit/check.h>
#include <pbit/pbit.h>

static void test_suite(void **state)
{
	const char *uri = getenv("PBIT_TEST_URI");
	struct pbit_check_summary s = PBIT_INIT(s);
	struct pbit_check_control c = PBIT_INIT(c);
	struct pbit_check_report *report;
	struct pbit_device *dev;
	char text[512];

	(void)state;
	if (pbit_open(uri ? uri : "software:", NULL, &dev) || pbit_check_run(dev, NULL, &report)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s", text);
	}
	assert_int_equal(pbit_check_report_summary(report, &s), 0);
	if (s.verdict != PBIT_CHECK_PASS)
		fail_msg("%s: %s", pbit_check_verdict_name(s.verdict), s.reason);
	assert_int_equal(s.n_controls, 6);
	for (uint32_t i = 0; i < s.n_controls; i++) {
		assert_int_equal(pbit_check_report_control(report, i, &c), 0);
		assert_true(c.rejected);
	}
	print_message("%u tests of %u apply, %.1f s\n", s.n_applicable, s.n_tests, s.seconds);
	pbit_check_report_free(report);
	pbit_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_suite)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
