/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit check`: judges a device by the conformance suite, alone or against another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <pbit/check.h>
#include <pbit/pbit.h>
#include "certificate.h"
#include "check_report.h"
#include "command.h"
#include "device_open.h"
#include "options.h"
#include "output_file.h"
#include "progress.h"
#include "report.h"
#include "signals.h"

struct check {
	const char *uri, *against, *tests, *certificate;
	bool want_json, quick;
	uint64_t seed;
	struct pbit_device *dev, *other;
	struct output_file out;
	bool has_out;
	struct pbit_check_report *report;
};

static bool parse(struct check *check, int argc, char **argv, int *status)
{
	const struct option options[] = {
		{.name = "json", .help = "print JSON", .target = &check->want_json},
		{.name = "quick",
		 .help = "a tenth of the samples, and less power",
		 .target = &check->quick},
		{.name = "tests",
		 .value = "NAME,NAME,...",
		 .help = "some groups of tests only: start, free, bits,\n"
			 "sigmoid, transient, planted, torus, layers, pair,\n"
			 "gate-and, gate-or, gate-xor, gate-adder, sk8,\n"
			 "torus3x3, chain, ring",
		 .kind = OPTION_TEXT,
		 .target = &check->tests},
		{.name = "against",
		 .value = "URI",
		 .help = "compare with another device instead of exact laws",
		 .kind = OPTION_TEXT,
		 .target = &check->against},
		{.name = "certificate",
		 .value = "FILE",
		 .help = "write a page about the device, .txt, .svg or .png",
		 .kind = OPTION_TEXT,
		 .target = &check->certificate},
		{.name = "seed",
		 .value = "N",
		 .help = "seed of the programs (default 0)",
		 .kind = OPTION_NUMBER,
		 .target = &check->seed,
		 .max = UINT64_MAX},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit check",
		.operands = "[URI]",
		.summary =
			"Judges a device by statistical tests against exact laws. Without URI: the "
			"best device.",
		.details =
			"Exit status 0 only where every test passes and every negative control is\n"
			"rejected.",
		.options = options,
		.max_operands = 1,
	};

	if (options_parse(&syntax, argc, argv, &check->uri, status) < 0)
		return false;
	if (check->certificate && !certificate_name(check->certificate))
		*status = usage_error("--certificate: '%s' does not end in .txt, .svg or .png",
				      check->certificate);
	else if (check->tests && check->against)
		*status = usage_error("--tests and --against cannot be given together");
	return *status == STATUS_OK;
}

static int on_progress(const struct pbit_check_progress *progress, void *user)
{
	(void)user;
	progress_show(progress->name, progress->done, progress->total, progress->seconds);
	return signals_caught();
}

/* What can go wrong is tried before the first sample is drawn, the output file included. */
static int prepare(struct check *check)
{
	int err = signals_catch();

	if (!err)
		err = device_open(check->uri, 0, &check->dev);
	if (!err && check->against)
		err = device_open(check->against, 0, &check->other);
	if (!err && check->certificate) {
		err = output_file_open(&check->out, check->certificate);
		check->has_out = !err;
	}
	return err;
}

static int run(struct check *check)
{
	struct pbit_check_opts opts = PBIT_INIT(opts);
	int err;

	opts.flags = check->quick ? PBIT_CHECK_QUICK : 0;
	opts.seed = check->seed;
	opts.tests = check->tests;
	opts.progress = on_progress;
	if (check->other)
		err = pbit_check_against(check->dev, check->other, &opts, &check->report);
	else
		err = pbit_check_run(check->dev, &opts, &check->report);
	progress_clear();
	return err;
}

static int print(struct check *check)
{
	struct pbit_check_summary s = PBIT_INIT(s);
	int status = check->want_json ? check_report_json(check->report)
				      : check_report_table(check->report);

	if (check->has_out) {
		check->has_out = false;
		if (certificate_write(&check->out, check->certificate, check->report))
			return report_failure();
	}
	if (status != STATUS_OK || pbit_check_report_summary(check->report, &s))
		return STATUS_FAILURE;
	return s.verdict == PBIT_CHECK_PASS ? STATUS_OK : STATUS_FAILURE;
}

int command_check(int argc, char **argv)
{
	struct check check = {0};
	int status, err;

	if (!parse(&check, argc, argv, &status))
		return status;
	err = prepare(&check);
	if (!err)
		err = run(&check);
	if (!err) {
		status = print(&check);
	} else if (signals_caught()) {
		report("interrupted; nothing is judged");
		status = signals_status();
	} else {
		status = report_failure();
	}
	if (check.has_out)
		output_file_abandon(&check.out);
	pbit_check_report_free(check.report);
	pbit_close(check.other);
	pbit_close(check.dev);
	return status;
}
