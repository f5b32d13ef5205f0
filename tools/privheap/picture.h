/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the picture share. They are drawn from top to bottom.
 */
#ifndef PRIVHEAP_PICTURE_H
#define PRIVHEAP_PICTURE_H

#include <stdio.h>

#include "layout.h"
#include "palette.h"
#include "region.h"

#define PICTURE_WIDTH	1280.0
#define PICTURE_MARGIN	40.0
#define PICTURE_AXIS	72.0

/* Strengths of a type's colour: live objects, magazines, free slots. */
#define SHADE_LIVE	1.0
#define SHADE_TAKEN	0.58
#define SHADE_FREE	0.26

struct picture {
	FILE *file;
	const struct region *region;
	struct palette palette;
	struct layout layout;
};

double legend_height(const struct picture *picture);
void legend_draw(const struct picture *picture, double y);
void cells_draw(const struct picture *picture, double y);

#endif /* PRIVHEAP_PICTURE_H */
