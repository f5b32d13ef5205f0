// SPDX-License-Identifier: GPL-2.0
/*
 * The picture as a document: style, title, legend, cells, and how to read it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "picture.h"
#include "svg.h"
#include "text.h"
#include "units.h"

#define TITLE_HEIGHT	112.0
#define PART_GAP	12.0
#define KEY_HEIGHT	56.0

static const char style[] =
	"text{font-family:system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;fill:#1f2430}\n"
	".title{font-size:24px;font-weight:600}\n"
	".caption{font-size:15px}\n"
	".name{font-size:14px;font-weight:600}\n"
	".dim{font-size:12px;fill:#5b6270}\n"
	".axis{font-size:10.5px;fill:#7a8190}\n"
	".end{text-anchor:end}\n"
	".mid{text-anchor:middle}\n"
	".cell{font-size:10.5px;pointer-events:none}\n"
	".light{fill:#fff}\n"
	".track{fill:#f4f5f7}\n"
	".fold{fill:#f4f5f7;stroke:#c9ccd4;stroke-dasharray:3 3}\n"
	".h{fill:url(#hatch)}\n"
	".s:hover rect{stroke:#1f2430;stroke-width:1.5px}\n";

static void draw_style(const struct picture *picture)
{
	FILE *file = picture->file;
	size_t i;

	fprintf(file, "<style>\n%s", style);
	for (i = 0; i < picture->palette.count; i++) {
		uint32_t colour = picture->palette.types[i].colour;

		fprintf(file, ".l%zu{fill:#%06x}.t%zu{fill:#%06x}.f%zu{fill:#%06x}\n",
			i, palette_tint(colour, SHADE_LIVE), i, palette_tint(colour, SHADE_TAKEN),
			i, palette_tint(colour, SHADE_FREE));
	}
	fputs("</style>\n<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" "
	      "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
	      "<rect width=\"1.6\" height=\"5\" fill=\"#fff\" fill-opacity=\"0.75\"/></pattern></defs>\n",
	      file);
}

static void draw_facts(const struct picture *picture)
{
	const struct region *region = picture->region;
	char held[UNIT_BYTES], live[UNIT_BYTES], objects[UNIT_BYTES];
	char slabs[UNIT_BYTES], full[UNIT_BYTES];
	uint64_t bytes = 0, live_slot_bytes = 0;
	size_t i;

	for (i = 0; i < picture->palette.count; i++) {
		bytes += picture->palette.types[i].bytes;
		live_slot_bytes += picture->palette.types[i].live_slot_bytes;
	}
	fprintf(picture->file, bytes ?
		"<text class=\"caption\" x=\"%.0f\" y=\"94\">%s held, %s live in %s objects; "
		"%s slabs, %s full</text>\n" :
		"<text class=\"caption\" x=\"%.0f\" y=\"94\">%s held, no slabs</text>\n",
		PICTURE_MARGIN, unit_bytes(held, region->held_bytes),
		unit_bytes(live, region->live_bytes), unit_count(objects, region->live_objects),
		unit_count(slabs, region->count), unit_percent(full, live_slot_bytes, bytes));
}

static void draw_heading(const struct picture *picture, const char *caption)
{
	const struct region *region = picture->region;
	FILE *file = picture->file;

	fprintf(file, "<text class=\"title\" x=\"%.0f\" y=\"48\">Heap %" PRIu64,
		PICTURE_MARGIN, region->heap);
	if (caption) {
		fputs(": ", file);
		text_xml(file, caption);
	}
	fprintf(file, "</text>\n<text class=\"dim\" x=\"%.0f\" y=\"70\">", PICTURE_MARGIN);
	text_xml(file, region->comm);
	fprintf(file, ", process %" PRIu64 "</text>\n", region->pid);
	draw_facts(picture);
}

/* A sample cell in grey, and what its parts stand for. */
static void draw_key(const struct picture *picture, double y)
{
	static const struct { uint32_t colour; const char *means; double width; } parts[] = {
		{ 0x5b6270, "live objects", 110 },
		{ 0xadb0b7, "free, kept in magazines", 176 },
		{ 0xdedfe2, "free slots", 98 },
		{ 0xf6f6f8, "no slab", 84 },
	};
	double x = PICTURE_MARGIN + PICTURE_AXIS;
	char bytes[UNIT_BYTES];
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fprintf(picture->file,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"14\" fill=\"#%06x\" "
			"stroke=\"#c9ccd4\" stroke-width=\"0.5\"/>"
			"<text class=\"dim\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			x, y, parts[i].colour, x + 20, y + 11.5, parts[i].means);
		x += parts[i].width;
	}
	fprintf(picture->file, "<text class=\"dim end\" x=\"%.1f\" y=\"%.1f\">"
		"a row is %s; the width of a cell is its slab's size</text>\n",
		PICTURE_WIDTH - PICTURE_MARGIN, y + 11.5,
		unit_bytes(bytes, picture->layout.row_bytes));
}

static void draw(const struct picture *picture, const char *caption)
{
	double legend = legend_height(picture);
	double cells = TITLE_HEIGHT + legend + PART_GAP;
	double key = cells + picture->layout.height + PART_GAP;

	fprintf(picture->file,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
		"width=\"%.0f\" height=\"%.0f\">\n",
		PICTURE_WIDTH, key + KEY_HEIGHT, PICTURE_WIDTH, key + KEY_HEIGHT);
	draw_style(picture);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", picture->file);
	draw_heading(picture, caption);
	legend_draw(picture, TITLE_HEIGHT);
	cells_draw(picture, cells);
	draw_key(picture, key);
	fputs("</svg>\n", picture->file);
}

/**
 * svg_write - draw a region
 * @file: where the picture goes
 * @region: what to draw
 * @options: see there
 *
 * Return: 0, or -1 with errno set; writing errors show when @file is closed
 */
int svg_write(FILE *file, const struct region *region, const struct svg_options *options)
{
	struct picture picture = { .file = file, .region = region };
	double width = PICTURE_WIDTH - 2 * PICTURE_MARGIN - PICTURE_AXIS;
	int ret = -1;

	if (palette_build(&picture.palette, region) < 0)
		goto err_memory;
	if (layout_build(&picture.layout, region, options->span, width) < 0)
		goto err_palette;
	draw(&picture, options->caption);
	layout_free(&picture.layout);
	ret = 0;
err_palette:
	palette_free(&picture.palette);
err_memory:
	if (ret < 0)
		errno = ENOMEM;
	return ret;
}
