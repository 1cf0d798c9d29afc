/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page to draw on, as SVG or as PNG. Units are points of a page of CANVAS_WIDTH x CANVAS_HEIGHT, y
 * downwards; text stands on its baseline.
 */
#ifndef PBIT_CLI_CANVAS_H
#define PBIT_CLI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "certificate.h"

#define CANVAS_WIDTH  794
#define CANVAS_HEIGHT 1123

enum canvas_align {
	ALIGN_LEFT,
	ALIGN_MIDDLE,
	ALIGN_RIGHT,
};

struct canvas;

struct canvas_ops {
	/* colour 0xrrggbb */
	void (*text)(struct canvas *canvas, double x, double y, int size, enum canvas_align align,
		     uint32_t colour, const char *words);
	void (*line)(struct canvas *canvas, double x0, double y0, double x1, double y1,
		     uint32_t colour, double opacity);
	void (*dot)(struct canvas *canvas, double x, double y, double radius, uint32_t colour,
		    double opacity);
};

struct canvas {
	const struct canvas_ops *ops;
	struct page *page;
	uint8_t *pixels; /* PNG: rows of RGB */
};

void canvas_svg_begin(struct canvas *canvas, struct page *page);
void canvas_svg_end(struct canvas *canvas);

/* False out of memory; then nothing is drawn. */
bool canvas_png_begin(struct canvas *canvas, struct page *page);
void canvas_png_end(struct canvas *canvas); /* writes the file into the page */

/* Column k (0 ... 4) of a character: bit 0 at the top, bit 6 on the baseline, bit 7 below. */
uint8_t font_column(unsigned char c, int k);

#endif
