// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "layout.h"

/* A picture this high fits a screen; one this high is the most to scroll. */
#define SCREEN_HEIGHT	780.0
#define SCROLL_HEIGHT	4000.0

#define LEAST_HEIGHT	9.0
#define GOOD_HEIGHT	26.0
#define MOST_HEIGHT	40.0

/* The most smallest slabs of a row that are still wide enough to see. */
#define WIDE_ROW	256
#define NARROW_ROW	(1ULL << 40)

/* Rows of one gap or one slab are folded from this many on. */
#define FOLD		4
#define FOLD_HEIGHT	16.0

struct segment {
	uint64_t start;
	uint64_t end;
};

/* The smallest slab, down to a power of two: what has to be visible. */
static uint64_t smallest_slab(const struct region *region)
{
	uint64_t smallest = UINT64_MAX, unit = 4096;
	size_t i;

	for (i = 0; i < region->count; i++)
		if (region->slabs[i].bytes < smallest)
			smallest = region->slabs[i].bytes;
	if (!region->count)
		return unit;
	for (unit = 1; unit <= smallest / 2; unit *= 2)
		;
	return unit;
}

static void add_row(struct layout *layout, uint64_t first, uint64_t past, double height)
{
	bool folded = past - first > 1;

	if (folded)
		height = FOLD_HEIGHT;
	if (layout->rows)
		layout->rows[layout->count] = (struct layout_row) {
			.start = first * layout->row_bytes,
			.end = past * layout->row_bytes,
			.y = layout->height,
			.height = height,
			.folded = folded,
		};
	layout->count++;
	layout->height += height + layout->row_gap;
}

/* The rows up to the one in which the segment, a gap or a slab, ends. */
static uint64_t add_segment(struct layout *layout, struct segment segment, uint64_t row,
			    double height)
{
	uint64_t bytes = layout->row_bytes;
	uint64_t past_full = segment.end / bytes;

	while (row * bytes < segment.end) {
		uint64_t past = row + 1;

		if (row * bytes >= segment.start && past_full >= row + FOLD)
			past = past_full;
		add_row(layout, row, past, height);
		row = past;
	}
	return row;
}

/* Only counts and measures while layout->rows is NULL. */
static void place_rows(struct layout *layout, const struct region *region, uint64_t span,
		       double height)
{
	struct segment gap = { 0, 0 };
	uint64_t row = 0;
	size_t i;

	layout->count = 0;
	layout->height = 0;
	for (i = 0; i < region->count; i++) {
		const struct region_slab *slab = &region->slabs[i];
		struct segment used = { slab->offset, slab->offset + slab->bytes };

		gap.end = used.start;
		row = add_segment(layout, gap, row, height);
		row = add_segment(layout, used, row, height);
		gap.start = used.end;
	}
	gap.end = span ? span : 1;
	add_segment(layout, gap, row, height);
}

/* About half as high as the smallest slab is wide, within reason. */
static double row_height(double slab_width)
{
	double height = slab_width * 0.6;

	return height < LEAST_HEIGHT ? LEAST_HEIGHT : height > MOST_HEIGHT ? MOST_HEIGHT : height;
}

/* The shortest row, so the largest cells, with which the picture fits. */
static double choose_row(struct layout *layout, const struct region *region, uint64_t span)
{
	uint64_t unit = smallest_slab(region), slabs;
	double height = 0;

	for (slabs = 8; slabs <= NARROW_ROW && slabs * unit <= UINT64_MAX / 4; slabs *= 2) {
		height = row_height(layout->width / (double)slabs);
		layout->row_gap = height < GOOD_HEIGHT / 2 ? 2 : 4;
		layout->row_bytes = slabs * unit;
		place_rows(layout, region, span, height);
		if (layout->height <= (slabs < WIDE_ROW ? SCREEN_HEIGHT : SCROLL_HEIGHT))
			break;
	}
	return height;
}

/* Low rows get what the next shorter row would have needed too much of. */
static double stretch_rows(const struct layout *layout, double height)
{
	double room = SCREEN_HEIGHT / (double)layout->count - layout->row_gap;

	if (room > GOOD_HEIGHT)
		room = GOOD_HEIGHT;
	return room > height ? room : height;
}

/**
 * layout_build - lay a region out
 * @layout: the result
 * @region: what to lay out
 * @span: bytes to show at least, so that two pictures get the same scale
 * @width: width of a row
 *
 * Return: 0, or -1 when memory is short
 */
int layout_build(struct layout *layout, const struct region *region, uint64_t span,
		 double width)
{
	double height;

	memset(layout, 0, sizeof(*layout));
	layout->width = width;
	if (span < region_end(region))
		span = region_end(region);
	height = choose_row(layout, region, span);
	layout->rows = calloc(layout->count + 1, sizeof(*layout->rows));
	if (!layout->rows)
		return -1;
	place_rows(layout, region, span, stretch_rows(layout, height));
	return 0;
}

void layout_free(struct layout *layout)
{
	free(layout->rows);
	layout->rows = NULL;
}

/* Where in the row an offset lies; outside of it, at the nearer end. */
double layout_x(const struct layout *layout, const struct layout_row *row, uint64_t offset)
{
	if (offset <= row->start)
		return 0;
	if (offset >= row->end)
		return layout->width;
	return layout->width * (double)(offset - row->start) / (double)(row->end - row->start);
}
