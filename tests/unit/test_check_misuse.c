/* SPDX-License-Identifier: Apache-2.0 */
/* The suite's calls with wrong arguments, cancelled, and asked for what is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <pbit/check.h>
#include <pbit/pbit.h>

static struct pbit_device *dev;

static void refused(int rc, int code, const char *why)
{
	const struct pbit_error *e = pbit_last_error();

	assert_int_equal(rc, code);
	assert_int_equal(e->code, code);
	if (!strstr(e->why, why))
		fail_msg("\"%s\" lacks \"%s\"", e->why, why);
}

static void test_arguments(void **state)
{
	struct pbit_check_opts opts = PBIT_INIT(opts);
	struct pbit_check_report *report = NULL;

	(void)state;
	refused(pbit_check_run(NULL, &opts, &report), -EINVAL, "NULL");
	refused(pbit_check_run(dev, &opts, NULL), -EINVAL, "NULL");
	opts.tests = "sk8,nonsense";
	refused(pbit_check_run(dev, &opts, &report), -EINVAL, "\"nonsense\"");
	opts.tests = "sk";
	refused(pbit_check_run(dev, &opts, &report), -EINVAL, "\"sk\"");
	opts.tests = ",";
	refused(pbit_check_run(dev, &opts, &report), -EINVAL, "\"\"");
	opts.tests = NULL;
	opts.flags = 1u << 31;
	refused(pbit_check_run(dev, &opts, &report), -EINVAL, "flags");
	opts.flags = 0;
	opts.struct_size = 4;
	assert_int_equal(pbit_check_run(dev, &opts, &report), -EINVAL);
	opts.struct_size = sizeof(opts);
	refused(pbit_check_against(dev, dev, &opts, &report), -EINVAL, "same handle");
	refused(pbit_check_against(dev, NULL, &opts, &report), -EINVAL, "NULL");
	assert_null(report);
	pbit_check_report_free(NULL);
}

static int cancel(const struct pbit_check_progress *progress, void *user)
{
	assert_true(progress->done <= progress->total);
	assert_non_null(progress->name);
	(*(int *)user)++;
	return 1;
}

static void test_cancel(void **state)
{
	struct pbit_check_opts opts = PBIT_INIT(opts);
	struct pbit_check_report *report = NULL;
	int calls = 0;

	(void)state;
	opts.progress = cancel;
	opts.user = &calls;
	refused(pbit_check_run(dev, &opts, &report), -ECANCELED, "cancelled during");
	assert_int_equal(calls, 1);
	assert_null(report);
	/* The device is as usable as before. */
	opts.progress = NULL;
	opts.tests = "pair";
	opts.flags = PBIT_CHECK_NO_CONTROLS;
	assert_int_equal(pbit_check_run(dev, &opts, &report), 0);
	pbit_check_report_free(report);
}

static void test_ends(void **state)
{
	struct pbit_check_opts opts = PBIT_INIT(opts);
	struct pbit_check_summary s = PBIT_INIT(s);
	struct pbit_check_control c = PBIT_INIT(c);
	struct pbit_check_test t = PBIT_INIT(t);
	struct pbit_check_fit f = PBIT_INIT(f);
	struct pbit_check_report *report;

	(void)state;
	opts.tests = "pair";
	opts.flags = PBIT_CHECK_NO_CONTROLS;
	assert_int_equal(pbit_check_run(dev, &opts, &report), 0);
	assert_int_equal(pbit_check_report_summary(report, &s), 0);
	assert_int_equal(s.verdict, PBIT_CHECK_INCOMPLETE);
	assert_string_equal(s.device, "rules:heat-bath");
	assert_string_equal(s.against, "");
	assert_int_equal(s.n_tests, 1);
	refused(pbit_check_report_test(report, 1, &t), -ENOENT, "number 1");
	refused(pbit_check_report_control(report, 0, &c), -ENOENT, "there are 0");
	refused(pbit_check_report_fit(report, 0, &f), -ENOENT, "there are 0");
	assert_int_equal(pbit_check_report_test(report, 0, NULL), -EINVAL);
	refused(pbit_check_report_summary(NULL, &s), -EINVAL, "NULL");
	/* A caller built with a shorter struct gets that much. */
	memset(&t, 0x5a, sizeof(t));
	t.struct_size = offsetof(struct pbit_check_test, p);
	assert_int_equal(pbit_check_report_test(report, 0, &t), 0);
	assert_string_equal(t.name, "pair states");
	assert_int_equal(((unsigned char *)&t.p)[0], 0x5a);
	pbit_check_report_free(report);
}

static void test_names(void **state)
{
	uint32_t n = 0;

	(void)state;
	while (pbit_check_group(n))
		n++;
	assert_int_equal(n, 17);
	assert_string_equal(pbit_check_verdict_name(PBIT_CHECK_REFUSED), "refused");
	assert_string_equal(pbit_check_verdict_name(99), "unknown");
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {"rules:",
					  "rules:nothing",
					  "rules:heat-bath,gain=x",
					  "rules:heat-bath,gain=",
					  "rules:heat-bath,hold=1.5",
					  "rules:heat-bath,gain=nan",
					  "rules:heat-bath,bits=1",
					  "rules:heat-bath,speed=2"};
	struct pbit_device *none = NULL;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		if (pbit_open(bad[k], NULL, &none) != -EINVAL)
			fail_msg("%s was opened", bad[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_ends),	  cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses),
	};
	int failed;

	if (pbit_open("rules:heat-bath", NULL, &dev))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pbit_close(dev);
	return failed;
}
