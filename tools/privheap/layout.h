/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the bytes of a region lie on paper: rows of equally many bytes, those
 * that would all look the same folded into one.
 */
#ifndef PRIVHEAP_LAYOUT_H
#define PRIVHEAP_LAYOUT_H

#include <stdbool.h>

#include "region.h"

/* Row of the bytes from @start to @end, @y below the top of the picture. */
struct layout_row {
	uint64_t start;
	uint64_t end;
	double y;
	double height;
	bool folded;
};

struct layout {
	double width;
	double height;
	double row_gap;
	uint64_t row_bytes;
	struct layout_row *rows;
	size_t count;
};

int layout_build(struct layout *layout, const struct region *region, uint64_t span,
		 double width);
void layout_free(struct layout *layout);
double layout_x(const struct layout *layout, const struct layout_row *row, uint64_t offset);

#endif /* PRIVHEAP_LAYOUT_H */
