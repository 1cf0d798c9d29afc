/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate as a picture: the fitted responses, the tests, the controls, on one A4 page. */
#include <math.h>
#include <stdio.h>
#include "canvas.h"
#include "certificate.h"

#define MARGIN	 48
#define PLOT_TOP 150
#define PLOT_H	 250
#define PLOT_W	 430
#define REACH	 1.6 /* of the plot, in beta h */
#define CURVES	 64u /* p-bits whose points are drawn; more would only blacken the page */

#define BLACK 0x000000u
#define DARK  0x444444u
#define GREY  0x888888u
#define GREEN 0x116611u
#define RED   0xbb1111u
#define BLUE  0x224466u

static void words_at(struct canvas *c, double x, double y, int size, enum canvas_align align,
		     uint32_t colour, const char *words)
{
	c->ops->text(c, x, y, size, align, colour, words);
}

static void frame(struct canvas *c, double x, double y, double w, double h)
{
	c->ops->line(c, x, y, x + w, y, GREY, 1.0);
	c->ops->line(c, x, y + h, x + w, y + h, GREY, 1.0);
	c->ops->line(c, x, y, x, y + h, GREY, 1.0);
	c->ops->line(c, x + w, y, x + w, y + h, GREY, 1.0);
}

static double plot_x(double input)
{
	return MARGIN + 30 + (input + REACH) / (2.0 * REACH) * PLOT_W;
}

static double plot_y(double up)
{
	return PLOT_TOP + PLOT_H * (1.0 - up);
}

static void draw_axes(struct canvas *c)
{
	char words[16];

	frame(c, plot_x(-REACH), PLOT_TOP, PLOT_W, PLOT_H);
	for (int k = 0; k <= 4; k++) {
		snprintf(words, sizeof(words), "%.2f", 0.25 * k);
		words_at(c, plot_x(-REACH) - 6, plot_y(0.25 * k) + 4, 10, ALIGN_RIGHT, DARK, words);
	}
	for (int k = -3; k <= 3; k++) {
		snprintf(words, sizeof(words), "%.1f", 0.5 * k);
		words_at(c, plot_x(0.5 * k), PLOT_TOP + PLOT_H + 14, 10, ALIGN_MIDDLE, DARK, words);
	}
	words_at(c, plot_x(0), PLOT_TOP + PLOT_H + 30, 11, ALIGN_MIDDLE, BLACK, "input, beta h");
	words_at(c, plot_x(-1.5), PLOT_TOP + 16, 11, ALIGN_LEFT, BLACK,
		 "P(+1) of free p-bits: measured, and the law");
}

/* The law as a line, measured shares as dots. */
static void draw_curves(struct canvas *c, const struct pbit_check_report *report, uint32_t n)
{
	struct pbit_check_fit fit = PBIT_INIT(fit);
	uint32_t step = n > CURVES ? (n + CURVES - 1) / CURVES : 1;

	draw_axes(c);
	for (int k = -80; k < 80; k++)
		c->ops->line(c, plot_x(k / 50.0), plot_y(1.0 / (1.0 + exp(-2.0 * k / 50.0))),
			     plot_x((k + 1) / 50.0),
			     plot_y(1.0 / (1.0 + exp(-2.0 * (k + 1) / 50.0))), RED, 1.0);
	for (uint32_t i = 0; i < n; i += step) {
		if (pbit_check_report_fit(report, i, &fit))
			break;
		for (int k = 0; k < PBIT_CHECK_POINTS; k++) {
			if (fabs(fit.input[k]) <= REACH)
				c->ops->dot(c, plot_x(fit.input[k]), plot_y(fit.up[k]), 1.8, BLUE,
					    0.35);
		}
	}
}

/* The largest deviation with its interval: half the side of the square. */
static double reach_of(const struct pbit_check_report *report, uint32_t n)
{
	struct pbit_check_fit fit = PBIT_INIT(fit);
	double reach = 0.02;

	for (uint32_t i = 0; i < n; i++) {
		if (pbit_check_report_fit(report, i, &fit) || isnan(fit.gain))
			continue;
		reach = fmax(reach, fabs(fit.gain - 1.0) + 1.96 * fit.gain_error);
		reach = fmax(reach, fabs(fit.offset) + 1.96 * fit.offset_error);
	}
	return reach;
}

/* Gain against offset with 95 % intervals, one cross a p-bit. */
static void draw_scatter(struct canvas *c, const struct pbit_check_report *report, uint32_t n)
{
	const double left = MARGIN + PLOT_W + 80, top = PLOT_TOP, side = 180;
	const double x0 = left + side / 2, y0 = top + side / 2;
	double reach = reach_of(report, n), unit = side / 2 / reach;
	struct pbit_check_fit fit = PBIT_INIT(fit);
	char words[48];

	frame(c, left, top, side, side);
	c->ops->line(c, x0, top, x0, top + side, RED, 0.7);
	c->ops->line(c, left, y0, left + side, y0, RED, 0.7);
	for (uint32_t i = 0; i < n; i++) {
		double x, y, dx, dy;

		if (pbit_check_report_fit(report, i, &fit) || isnan(fit.gain))
			continue;
		x = x0 + (fit.gain - 1.0) * unit;
		y = y0 - fit.offset * unit;
		dx = 1.96 * fit.gain_error * unit;
		dy = 1.96 * fit.offset_error * unit;
		c->ops->line(c, x - dx, y, x + dx, y, BLUE, 0.5);
		c->ops->line(c, x, y - dy, x, y + dy, BLUE, 0.5);
	}
	snprintf(words, sizeof(words), "gain - 1, within %.3f", reach);
	words_at(c, x0, top + side + 14, 10, ALIGN_MIDDLE, BLACK, words);
	snprintf(words, sizeof(words), "offset, within %.3f", reach);
	words_at(c, left, top - 6, 10, ALIGN_LEFT, BLACK, words);
	words_at(c, left, top + side + 30, 10, ALIGN_LEFT, DARK, "crosses: p-bits, 95 % intervals");
}

static double draw_test(struct canvas *c, const struct pbit_check_test *t, double y)
{
	bool out = t->verdict == PBIT_CHECK_NOT_APPLICABLE;
	uint32_t colour = t->verdict == PBIT_CHECK_PASS ? GREEN : out ? GREY : RED;
	char p[24], words[64];

	words_at(c, MARGIN, y, 10, ALIGN_LEFT, BLACK, t->name);
	words_at(c, MARGIN + 195, y, 10, ALIGN_LEFT, colour, pbit_check_verdict_name(t->verdict));
	if (out) {
		snprintf(words, sizeof(words), "%.60s", t->reason);
		words_at(c, MARGIN + 290, y, 9, ALIGN_LEFT, GREY, words);
		return y + 13;
	}
	words_at(c, MARGIN + 325, y, 10, ALIGN_RIGHT, BLACK, certificate_p(p, sizeof(p), t->p));
	snprintf(words, sizeof(words), "%llu", (unsigned long long)t->samples);
	words_at(c, MARGIN + 390, y, 10, ALIGN_RIGHT, BLACK, words);
	if (!isnan(t->power)) {
		snprintf(words, sizeof(words), "%.1f %%", 100.0 * t->power);
		words_at(c, MARGIN + 450, y, 10, ALIGN_RIGHT, BLACK, words);
		words_at(c, MARGIN + 460, y, 9, ALIGN_LEFT, DARK, t->defect);
	}
	return y + 13;
}

static double draw_tests(struct canvas *c, const struct pbit_check_report *report, uint32_t n,
			 double y)
{
	words_at(c, MARGIN, y, 10, ALIGN_LEFT, DARK, "TEST");
	words_at(c, MARGIN + 195, y, 10, ALIGN_LEFT, DARK, "VERDICT");
	words_at(c, MARGIN + 325, y, 10, ALIGN_RIGHT, DARK, "P");
	words_at(c, MARGIN + 390, y, 10, ALIGN_RIGHT, DARK, "SAMPLES");
	words_at(c, MARGIN + 450, y, 10, ALIGN_RIGHT, DARK, "POWER");
	words_at(c, MARGIN + 460, y, 10, ALIGN_LEFT, DARK, "AGAINST");
	y += 15;
	for (uint32_t i = 0; i < n; i++) {
		struct pbit_check_test t = PBIT_INIT(t);

		if (!pbit_check_report_test(report, i, &t))
			y = draw_test(c, &t, y);
	}
	return y;
}

static void draw_controls(struct canvas *c, const struct pbit_check_report *report, uint32_t n,
			  double y)
{
	words_at(c, MARGIN, y, 10, ALIGN_LEFT, DARK,
		 "NEGATIVE CONTROLS, EACH OF WHICH MUST BE REJECTED");
	for (uint32_t i = 0; i < n; i++) {
		struct pbit_check_control k = PBIT_INIT(k);
		char p[24];

		if (pbit_check_report_control(report, i, &k))
			return;
		y += 14;
		words_at(c, MARGIN, y, 10, ALIGN_LEFT, BLACK, k.name);
		words_at(c, MARGIN + 235, y, 10, ALIGN_LEFT, k.rejected ? GREEN : RED,
			 k.rejected ? "rejected" : "NOT REJECTED");
		words_at(c, MARGIN + 375, y, 10, ALIGN_RIGHT, BLACK,
			 certificate_p(p, sizeof(p), k.p));
		words_at(c, MARGIN + 390, y, 9, ALIGN_LEFT, DARK, k.test);
	}
}

static void draw_head(struct canvas *c, const struct pbit_check_summary *s)
{
	char date[40], words[256];

	certificate_date(date, sizeof(date));
	words_at(c, MARGIN, 58, 20, ALIGN_LEFT, BLACK, "Conformance of a p-bit device");
	snprintf(words, sizeof(words), "%.80s%s%.80s", s->device, *s->against ? " against " : "",
		 s->against);
	words_at(c, MARGIN, 82, 13, ALIGN_LEFT, BLACK, words);
	snprintf(words, sizeof(words), "%s%s%.80s", pbit_check_verdict_name(s->verdict),
		 *s->reason ? ": " : "", s->reason);
	words_at(c, MARGIN, 102, 13, ALIGN_LEFT, s->verdict == PBIT_CHECK_PASS ? GREEN : RED,
		 words);
	snprintf(words, sizeof(words),
		 "%s, %.1f s, libpbit %s, seed %llu; a right device fails with probability < %g",
		 date, s->seconds, pbit_version(), (unsigned long long)s->seed, s->false_alarm);
	words_at(c, MARGIN, 120, 10, ALIGN_LEFT, DARK, words);
}

static void draw(struct canvas *c, const struct pbit_check_report *report)
{
	struct pbit_check_summary s = PBIT_INIT(s);
	double y = PLOT_TOP;

	if (pbit_check_report_summary(report, &s))
		return;
	draw_head(c, &s);
	if (s.n_fits) {
		draw_curves(c, report, s.n_fits);
		draw_scatter(c, report, s.n_fits);
		y = PLOT_TOP + PLOT_H + 60;
	}
	y = draw_tests(c, report, s.n_tests, y);
	draw_controls(c, report, s.n_controls, y + 14);
}

void certificate_svg(struct page *page, const struct pbit_check_report *report)
{
	struct canvas canvas;

	canvas_svg_begin(&canvas, page);
	draw(&canvas, report);
	canvas_svg_end(&canvas);
}

void certificate_png(struct page *page, const struct pbit_check_report *report)
{
	struct canvas canvas;

	if (!canvas_png_begin(&canvas, page))
		return;
	draw(&canvas, report);
	canvas_png_end(&canvas);
}
