// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the picture and the slabs in them.
 */
#include <inttypes.h>
#include <string.h>

#include "picture.h"
#include "text.h"
#include "units.h"

/* Below these sizes a cell has no room for words, a row none for an offset. */
#define LABEL_WIDTH	28.0
#define LABEL_HEIGHT	14.0
#define LABEL_DROP	3.7
#define LETTER_WIDTH	6.2
#define AXIS_PITCH	14.0

#define BOX_FORMAT	"x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\""

struct box {
	double x;
	double y;
	double width;
	double height;
};

static void draw_rect(FILE *file, const char *class, size_t index, struct box box)
{
	fprintf(file, "<rect class=\"%s%zu\" " BOX_FORMAT "/>",
		class, index, box.x, box.y, box.width, box.height);
}

/* The lower part of a cell; whatever is neither none nor all shows as such. */
static struct box fill_box(struct box box, uint64_t part, uint64_t whole)
{
	double bottom = box.y + box.height, least = box.height / 8;
	double height = box.height;

	if (part < whole) {
		height *= (double)part / (double)whole;
		if (height > box.height - least)
			height = box.height - least;
		if (height < least)
			height = least;
	}
	box.y = bottom - height;
	box.height = height;
	return box;
}

/* Cells keep a little distance as long as that leaves most of them. */
static struct box cell_box(const struct layout *layout, const struct layout_row *row,
			   const struct region_slab *slab)
{
	double left = layout_x(layout, row, slab->offset);
	double right = layout_x(layout, row, slab->offset + slab->bytes);
	double width = right - left;
	double gap = width > 24 ? 2 : width > 5 ? 1 : width / 5;

	return (struct box) {
		.x = left,
		.y = row->y,
		.width = width - gap < 0.5 ? 0.5 : width - gap,
		.height = row->height,
	};
}

/* As much as fits of what the slab is; a large object fills its slab anyway. */
static bool choose_label(char *text, size_t bytes, const struct region_slab *slab, double width)
{
	char object[UNIT_BYTES], full[UNIT_BYTES];
	size_t room = (size_t)((width - 8) / LETTER_WIDTH);

	unit_bytes(object, slab->object_bytes);
	unit_percent(full, slab->live, slab->slots);
	if (slab->slots == 1)
		snprintf(text, bytes, "%s %s", slab->name, object);
	else
		snprintf(text, bytes, "%s %s, %s", slab->name, object, full);
	if (strlen(text) > room)
		snprintf(text, bytes, "%s %s", slab->name, full);
	if (strlen(text) > room)
		snprintf(text, bytes, "%s", slab->name);
	return strlen(text) <= room;
}

/* A part of a cell, from its top, and whether it is of the full colour. */
struct band {
	double top;
	double height;
	bool full;
};

/* The first part that is high enough for words: live, else free, else taken. */
static bool choose_band(struct band *band, const struct region_slab *slab, struct box box)
{
	double live = slab->live ? fill_box(box, slab->live, slab->slots).height : 0;
	double taken = slab->taken > slab->live ?
		       fill_box(box, slab->taken, slab->slots).height : live;

	*band = (struct band) { box.height - live, live, true };
	if (live >= LABEL_HEIGHT)
		return true;
	*band = (struct band) { 0, box.height - taken, false };
	if (box.height - taken >= LABEL_HEIGHT)
		return true;
	*band = (struct band) { box.height - taken, taken - live, false };
	return taken - live >= LABEL_HEIGHT;
}

static void draw_label(const struct picture *picture, const struct region_slab *slab,
		       struct box box, size_t index)
{
	bool dark = palette_is_dark(picture->palette.types[index].colour);
	struct band band;
	char text[128];

	if (!choose_band(&band, slab, box) || !choose_label(text, sizeof(text), slab, box.width))
		return;
	fprintf(picture->file, "<text class=\"cell%s\" x=\"%.2f\" y=\"%.2f\">",
		band.full && dark ? " light" : "", box.x + 5,
		box.y + band.top + band.height / 2 + LABEL_DROP);
	text_xml(picture->file, text);
	fputs("</text>", picture->file);
}

/* In the middle of a row that stands for more of the same. */
static void draw_fold_label(const struct picture *picture, const struct region_slab *slab,
			    struct box box, size_t index)
{
	char bytes[UNIT_BYTES];

	fprintf(picture->file, "<text class=\"cell mid%s\" x=\"%.2f\" y=\"%.2f\">",
		slab->live && palette_is_dark(picture->palette.types[index].colour) ? " light" : "",
		box.x + box.width / 2, box.y + box.height / 2 + LABEL_DROP);
	text_xml(picture->file, slab->name);
	fprintf(picture->file, " of %s, shortened</text>", unit_bytes(bytes, slab->bytes));
}

static void draw_cell(const struct picture *picture, const struct region_slab *slab,
		      const struct layout_row *row, size_t index)
{
	struct box box = cell_box(&picture->layout, row, slab);
	FILE *file = picture->file;

	draw_rect(file, "f", index, box);
	if (slab->taken > slab->live)
		draw_rect(file, "t", index, fill_box(box, slab->taken, slab->slots));
	if (slab->live)
		draw_rect(file, "l", index, fill_box(box, slab->live, slab->slots));
	if (picture->palette.types[index].hatched)
		fprintf(file, "<rect class=\"h\" " BOX_FORMAT "/>", box.x, box.y, box.width, box.height);
	if (row->folded)
		draw_fold_label(picture, slab, box, index);
	else if (box.width >= LABEL_WIDTH)
		draw_label(picture, slab, box, index);
}

static void draw_title(FILE *file, const struct region_slab *slab)
{
	char bytes[UNIT_BYTES], object[UNIT_BYTES], full[UNIT_BYTES];

	fputs("<title>", file);
	text_xml(file, slab->name);
	fprintf(file, ": objects of %s\n%" PRIu64 " of %" PRIu64 " slots live (%s)",
		unit_bytes(object, slab->object_bytes), slab->live, slab->slots,
		unit_percent(full, slab->live, slab->slots));
	if (slab->taken > slab->live)
		fprintf(file, ", %" PRIu64 " free in magazines", slab->taken - slab->live);
	fprintf(file, "\noffset 0x%" PRIx64 ", %s</title>", slab->offset,
		unit_bytes(bytes, slab->bytes));
}

/* One group, so one tooltip, for all the rows that a slab reaches into. */
static void draw_slabs(const struct picture *picture)
{
	const struct layout *layout = &picture->layout;
	const struct region *region = picture->region;
	size_t i, first = 0, row;

	for (i = 0; i < region->count; i++) {
		const struct region_slab *slab = &region->slabs[i];
		size_t index = palette_index(&picture->palette, slab->type);

		while (first < layout->count && layout->rows[first].end <= slab->offset)
			first++;
		fputs("<g class=\"s\">", picture->file);
		draw_title(picture->file, slab);
		for (row = first; row < layout->count &&
		     layout->rows[row].start < slab->offset + slab->bytes; row++)
			draw_cell(picture, slab, &layout->rows[row], index);
		fputs("</g>\n", picture->file);
	}
}

static void draw_track(const struct picture *picture, const struct layout_row *row)
{
	char bytes[UNIT_BYTES];

	fprintf(picture->file, "<rect class=\"%s\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
		row->folded ? "fold" : "track", row->y, picture->layout.width, row->height);
	if (row->folded)
		fprintf(picture->file,
			"<text class=\"axis mid\" x=\"%.1f\" y=\"%.2f\">%s free</text>",
			picture->layout.width / 2, row->y + row->height / 2 + LABEL_DROP,
			unit_bytes(bytes, row->end - row->start));
}

void cells_draw(const struct picture *picture, double y)
{
	const struct layout *layout = &picture->layout;
	double labelled = -AXIS_PITCH;
	char offset[UNIT_BYTES];
	size_t i;

	fprintf(picture->file, "<g transform=\"translate(%.1f %.1f)\">\n",
		PICTURE_MARGIN + PICTURE_AXIS, y);
	for (i = 0; i < layout->count; i++) {
		const struct layout_row *row = &layout->rows[i];

		draw_track(picture, row);
		if (row->y < labelled + AXIS_PITCH)
			continue;
		labelled = row->y;
		fprintf(picture->file, "<text class=\"axis end\" x=\"-8\" y=\"%.2f\">%s</text>\n",
			row->y + row->height / 2 + LABEL_DROP, unit_offset(offset, row->start));
	}
	draw_slabs(picture);
	fputs("</g>\n", picture->file);
}
