/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: the page by the ending of its name, and the page as text. */
#include "certificate.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pbit/backend.h>

/* Room for n bytes and the NUL that vsnprintf() ends with. */
static bool reserve(struct page *page, size_t n)
{
	size_t size = 2 * (page->length + n + 1);
	char *text;

	if (page->failed || page->length + n + 1 <= page->size)
		return !page->failed;
	text = realloc(page->text, size);
	if (!text) {
		page->failed = true;
		return false;
	}
	page->text = text;
	page->size = size;
	return true;
}

void page_bytes(struct page *page, const void *bytes, size_t n)
{
	if (!n || !reserve(page, n))
		return;
	memcpy(page->text + page->length, bytes, n);
	page->length += n;
}

void page_add(struct page *page, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0 || !reserve(page, (size_t)length))
		return;
	va_start(args, fmt);
	vsnprintf(page->text + page->length, page->size - page->length, fmt, args);
	va_end(args);
	page->length += (size_t)length;
}

static const char *ending(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot : "";
}

bool certificate_name(const char *path)
{
	return !strcmp(ending(path), ".txt") || !strcmp(ending(path), ".svg") ||
	       !strcmp(ending(path), ".png");
}

void certificate_date(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || !strftime(buf, size, "%Y-%m-%d %H:%M UTC", &tm))
		snprintf(buf, size, "-");
}

const char *certificate_p(char *buf, size_t size, double p)
{
	if (isnan(p))
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, p <= 0.0 ? "%.0f" : p < 1e-3 ? "%.1e" : "%.3f", p);
	return buf;
}

static void add_test(struct page *page, const struct pbit_check_test *t)
{
	char p[24], power[24];

	page_add(page, "%-32.32s %-14s %9s", t->name, pbit_check_verdict_name(t->verdict),
		 certificate_p(p, sizeof(p), t->p));
	if (!isnan(t->p_repeat))
		page_add(page, " repeated %s", certificate_p(p, sizeof(p), t->p_repeat));
	if (t->verdict == PBIT_CHECK_NOT_APPLICABLE) {
		page_add(page, "  %s\n", t->reason);
		return;
	}
	page_add(page, " %9llu", (unsigned long long)t->samples);
	if (*t->defect && !isnan(t->power))
		page_add(page, "  %s: %s",
			 t->power > 0.9995
				 ? "> 99.9 %"
				 : (snprintf(power, sizeof(power), "%.1f %%", 100.0 * t->power),
				    power),
			 t->defect);
	page_add(page, "\n");
}

static void add_fits(struct page *page, const struct pbit_check_report *report, uint32_t n)
{
	double worst_gain = 0.0, worst_offset = 0.0;
	uint32_t at_gain = 0, at_offset = 0;
	struct pbit_check_fit fit = PBIT_INIT(fit), g = fit, o = fit;

	for (uint32_t i = 0; i < n; i++) {
		if (pbit_check_report_fit(report, i, &fit))
			return;
		if (fabs(fit.gain - 1.0) > worst_gain || isnan(fit.gain)) {
			worst_gain = isnan(fit.gain) ? INFINITY : fabs(fit.gain - 1.0);
			at_gain = i;
		}
		if (fabs(fit.offset) > worst_offset || isnan(fit.offset)) {
			worst_offset = isnan(fit.offset) ? INFINITY : fabs(fit.offset);
			at_offset = i;
		}
	}
	if (!n || pbit_check_report_fit(report, at_gain, &g) ||
	    pbit_check_report_fit(report, at_offset, &o))
		return;
	page_add(page, "\nResponse of %u p-bits, P(+1) = 1/(1 + exp(-2 gain (beta h + offset)))\n",
		 n);
	page_add(page, "  gain furthest from 1: p-bit %u, %.4f +- %.4f\n", g.pbit, g.gain,
		 1.96 * g.gain_error);
	page_add(page, "  offset furthest from 0: p-bit %u, %+.4f +- %.4f (95 %%)\n", o.pbit,
		 o.offset, 1.96 * o.offset_error);
}

void certificate_text(struct page *page, const struct pbit_check_report *report)
{
	struct pbit_check_summary s = PBIT_INIT(s);
	char date[40], p[24];

	if (pbit_check_report_summary(report, &s))
		return;
	certificate_date(date, sizeof(date));
	page_add(page, "CONFORMANCE CERTIFICATE OF A P-BIT DEVICE\n\n");
	page_add(page, "device   %s\n", s.device);
	if (*s.against)
		page_add(page, "against  %s\n", s.against);
	page_add(page, "verdict  %s%s%s\n", pbit_check_verdict_name(s.verdict),
		 *s.reason ? ": " : "", s.reason);
	page_add(page, "date     %s, %.1f s, libpbit %s, seed %llu\n\n", date, s.seconds,
		 pbit_version(), (unsigned long long)s.seed);
	page_add(page,
		 "A right device fails with a probability below %g (all tests together, Holm).\n\n",
		 s.false_alarm);
	page_add(page, "%-32s %-14s %9s %9s  power against\n", "test", "verdict", "p", "samples");
	for (uint32_t i = 0; i < s.n_tests; i++) {
		struct pbit_check_test t = PBIT_INIT(t);

		if (!pbit_check_report_test(report, i, &t))
			add_test(page, &t);
	}
	page_add(page, "\nNegative controls, each of which must be rejected\n");
	for (uint32_t i = 0; i < s.n_controls; i++) {
		struct pbit_check_control c = PBIT_INIT(c);

		if (!pbit_check_report_control(report, i, &c))
			page_add(page, "%-38s %-14s %9s  by %s%s%s\n", c.name,
				 c.rejected ? "rejected" : "NOT REJECTED",
				 certificate_p(p, sizeof(p), c.p), *c.test ? c.test : "-",
				 *c.device ? " on " : "", c.device);
	}
	add_fits(page, report, s.n_fits);
}

int certificate_write(struct output_file *file, const char *path,
		      const struct pbit_check_report *report)
{
	struct page page = {0};
	int err;

	if (!strcmp(ending(path), ".svg"))
		certificate_svg(&page, report);
	else if (!strcmp(ending(path), ".png"))
		certificate_png(&page, report);
	else
		certificate_text(&page, report);
	if (page.failed || !page.text)
		err = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot write the certificate", path,
				NULL, "out of memory");
	else
		err = output_file_write(file, page.text, page.length);
	free(page.text);
	if (err) {
		output_file_abandon(file);
		return err;
	}
	return output_file_commit(file);
}
