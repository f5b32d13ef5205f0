// SPDX-License-Identifier: GPL-2.0
/*
 * The legend of the picture: a card for each type with what it has.
 */
#include "picture.h"
#include "text.h"
#include "units.h"

#define CARD_COLUMNS	4
#define CARD_WIDTH	((PICTURE_WIDTH - 2 * PICTURE_MARGIN) / CARD_COLUMNS)
#define CARD_HEIGHT	56.0
#define CARD_BAR	(CARD_WIDTH - 56)

double legend_height(const struct picture *picture)
{
	return CARD_HEIGHT * (double)((picture->palette.count + CARD_COLUMNS - 1) / CARD_COLUMNS);
}

static void draw_swatch(const struct picture *picture, size_t index)
{
	FILE *file = picture->file;

	fprintf(file, "<rect class=\"l%zu\" width=\"16\" height=\"16\" rx=\"3\"/>", index);
	if (picture->palette.types[index].hatched)
		fputs("<rect class=\"h\" width=\"16\" height=\"16\" rx=\"3\"/>", file);
}

/* How much of the type's slabs its live objects fill. */
static void draw_bar(const struct picture *picture, size_t index)
{
	const struct palette_type *type = &picture->palette.types[index];
	double full = type->bytes ? (double)type->live_slot_bytes / (double)type->bytes : 0;

	fprintf(picture->file,
		"<rect class=\"f%zu\" x=\"26\" y=\"38\" width=\"%.1f\" height=\"4\" rx=\"2\"/>"
		"<rect class=\"l%zu\" x=\"26\" y=\"38\" width=\"%.1f\" height=\"4\" rx=\"2\"/>",
		index, CARD_BAR, index, CARD_BAR * (full > 1 ? 1 : full));
}

static void draw_card(const struct picture *picture, size_t index)
{
	const struct palette_type *type = &picture->palette.types[index];
	char slabs[UNIT_BYTES], bytes[UNIT_BYTES], live[UNIT_BYTES], full[UNIT_BYTES];
	FILE *file = picture->file;

	draw_swatch(picture, index);
	fputs("<text x=\"26\" y=\"13\"><tspan class=\"name\">", file);
	text_xml(file, type->name);
	fprintf(file, "</tspan><tspan class=\"dim\" dx=\"8\">%s in %s slab%s</tspan></text>",
		unit_bytes(bytes, type->bytes), unit_count(slabs, type->slabs),
		type->slabs == 1 ? "" : "s");
	fprintf(file, "<text class=\"dim\" x=\"26\" y=\"30\">%s live object%s, %s full</text>",
		unit_count(live, type->live), type->live == 1 ? "" : "s",
		unit_percent(full, type->live_slot_bytes, type->bytes));
	draw_bar(picture, index);
}

void legend_draw(const struct picture *picture, double y)
{
	size_t i;

	for (i = 0; i < picture->palette.count; i++) {
		fprintf(picture->file, "<g transform=\"translate(%.1f %.1f)\">",
			PICTURE_MARGIN + CARD_WIDTH * (double)(i % CARD_COLUMNS),
			y + CARD_HEIGHT * (double)(i / CARD_COLUMNS));
		draw_card(picture, i);
		fputs("</g>\n", picture->file);
	}
}
