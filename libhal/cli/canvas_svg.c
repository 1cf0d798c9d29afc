/* SPDX-License-Identifier: Apache-2.0 */
/* A page as SVG. */
#include "canvas.h"

static void add_escaped(struct page *page, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			page_add(page, "&lt;");
		else if (c == '>')
			page_add(page, "&gt;");
		else if (c == '&')
			page_add(page, "&amp;");
		else
			page_add(page, "%c", c < 0x20 || c == 0x7f ? '?' : c);
	}
}

static void svg_text(struct canvas *canvas, double x, double y, int size, enum canvas_align align,
		     uint32_t colour, const char *words)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	page_add(canvas->page,
		 "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\" "
		 "fill=\"#%06x\">",
		 x, y, size, anchors[align], colour);
	add_escaped(canvas->page, words);
	page_add(canvas->page, "</text>\n");
}

static void svg_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
		     uint32_t colour, double opacity)
{
	page_add(canvas->page,
		 "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#%06x\" stroke-opacity=\"%.2g\"/>\n",
		 x0, y0, x1, y1, colour, opacity);
}

static void svg_dot(struct canvas *canvas, double x, double y, double radius, uint32_t colour,
		    double opacity)
{
	page_add(canvas->page,
		 "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"#%06x\" "
		 "fill-opacity=\"%.2g\"/>\n",
		 x, y, radius, colour, opacity);
}

void canvas_svg_begin(struct canvas *canvas, struct page *page)
{
	static const struct canvas_ops ops = {svg_text, svg_line, svg_dot};

	*canvas = (struct canvas){.ops = &ops, .page = page};
	page_add(page,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		 "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n"
		 "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		 CANVAS_WIDTH, CANVAS_HEIGHT, CANVAS_WIDTH, CANVAS_HEIGHT);
}

void canvas_svg_end(struct canvas *canvas)
{
	page_add(canvas->page, "</svg>\n");
}
