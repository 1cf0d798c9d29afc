/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page as PNG (ISO/IEC 15948): two pixels to a point, RGB of 8 bits, every row unfiltered, one
 * compressed stream of zlib.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "canvas.h"

#define SCALE  2
#define WIDTH  (CANVAS_WIDTH * SCALE)
#define HEIGHT (CANVAS_HEIGHT * SCALE)
#define ROW    (1 + (size_t)WIDTH * 3) /* a filter byte and the pixels */

static void blend(struct canvas *canvas, int x, int y, uint32_t colour, double opacity)
{
	uint8_t *pixel;

	if (x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT)
		return;
	pixel = canvas->pixels + (size_t)y * ROW + 1 + (size_t)x * 3;
	for (int k = 0; k < 3; k++) {
		double to = colour >> (16 - 8 * k) & 0xff;

		pixel[k] = (uint8_t)lrint(pixel[k] + (to - pixel[k]) * opacity);
	}
}

static void draw_character(struct canvas *canvas, int x, int y, int scale, uint32_t colour,
			   unsigned char c)
{
	for (int column = 0; column < 5; column++) {
		uint8_t bits = font_column(c, column);

		for (int k = 0; k < 8 * scale * scale; k++) {
			int row = k / (scale * scale), sub = k % (scale * scale);

			if (bits >> row & 1)
				blend(canvas, x + column * scale + sub % scale,
				      y + (row - 7) * scale + sub / scale, colour, 1.0);
		}
	}
}

static void png_text(struct canvas *canvas, double x, double y, int size, enum canvas_align align,
		     uint32_t colour, const char *words)
{
	int scale = size >= 18 ? 4 : size >= 12 ? 3 : 2;
	int advance = scale * 11 / 2, at = (int)(x * SCALE);
	int width = advance * (int)strlen(words);

	if (align == ALIGN_MIDDLE)
		at -= width / 2;
	else if (align == ALIGN_RIGHT)
		at -= width;
	for (; *words; words++, at += advance)
		draw_character(canvas, at, (int)(y * SCALE), scale, colour, (unsigned char)*words);
}

static void png_dot(struct canvas *canvas, double x, double y, double radius, uint32_t colour,
		    double opacity)
{
	double r = radius * SCALE, cx = x * SCALE, cy = y * SCALE;

	if (!isfinite(cx) || !isfinite(cy))
		return;
	for (int py = (int)(cy - r - 1); py <= (int)(cy + r + 1); py++) {
		for (int px = (int)(cx - r - 1); px <= (int)(cx + r + 1); px++) {
			double edge = r + 0.5 - hypot(px - cx, py - cy);

			if (edge > 0.0)
				blend(canvas, px, py, colour, opacity * fmin(edge, 1.0));
		}
	}
}

/* One pixel a step along the longer axis, shared between the two that it lies between. */
static void png_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
		     uint32_t colour, double opacity)
{
	double dx = (x1 - x0) * SCALE, dy = (y1 - y0) * SCALE;
	int steps = (int)ceil(fmax(fabs(dx), fabs(dy)));
	bool flat = fabs(dx) >= fabs(dy);

	for (int k = 0; k <= steps; k++) {
		double part = steps ? (double)k / steps : 0.0;
		double px = x0 * SCALE + part * dx, py = y0 * SCALE + part * dy;
		double across = flat ? py : px, low = floor(across), share = across - low;
		int along = (int)lrint(flat ? px : py);

		for (int side = 0; side < 3; side++) {
			double weight = side == 0 ? 1.0 - share : side == 1 ? 1.0 : share;
			int to = (int)low + side - 1;

			if (flat)
				blend(canvas, along, to, colour, opacity * weight);
			else
				blend(canvas, to, along, colour, opacity * weight);
		}
	}
}

bool canvas_png_begin(struct canvas *canvas, struct page *page)
{
	static const struct canvas_ops ops = {png_text, png_line, png_dot};

	*canvas = (struct canvas){.ops = &ops, .page = page};
	canvas->pixels = malloc(ROW * HEIGHT);
	if (!canvas->pixels) {
		page->failed = true;
		return false;
	}
	memset(canvas->pixels, 0xff, ROW * HEIGHT);
	for (size_t y = 0; y < HEIGHT; y++)
		canvas->pixels[y * ROW] = 0;
	return true;
}

static void put32(uint8_t *to, uint32_t value)
{
	for (int k = 0; k < 4; k++)
		to[k] = (uint8_t)(value >> (24 - 8 * k));
}

static void add_chunk(struct page *page, const char *type, const uint8_t *data, size_t size)
{
	uint8_t word[4];
	uLong crc = crc32(0, (const Bytef *)type, 4);

	/* crc32() of no bytes at NULL is its first value, not the sum so far. */
	if (size)
		crc = crc32(crc, data, (uInt)size);
	put32(word, (uint32_t)size);
	page_bytes(page, word, 4);
	page_bytes(page, type, 4);
	page_bytes(page, data, size);
	put32(word, (uint32_t)crc);
	page_bytes(page, word, 4);
}

void canvas_png_end(struct canvas *canvas)
{
	static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	uint8_t header[13] = {[8] = 8, [9] = 2}; /* 8 bits, RGB */
	uLongf size = compressBound(ROW * HEIGHT);
	uint8_t *packed = malloc(size);

	put32(header, WIDTH);
	put32(header + 4, HEIGHT);
	if (packed && compress2(packed, &size, canvas->pixels, ROW * HEIGHT, 9) == Z_OK) {
		page_bytes(canvas->page, signature, sizeof(signature));
		add_chunk(canvas->page, "IHDR", header, sizeof(header));
		add_chunk(canvas->page, "IDAT", packed, size);
		add_chunk(canvas->page, "IEND", NULL, 0);
	} else {
		canvas->page->failed = true;
	}
	free(packed);
	free(canvas->pixels);
	canvas->pixels = NULL;
}
