// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../privheap/debugfs.h"
#include "../privheap/region.h"
#include "../privheap/svg.h"
#include "pictures.h"

void pictures_begin(struct pictures *pictures, const char *dir, uint64_t heap)
{
	*pictures = (struct pictures) { .dir = dir, .heap = heap };
}

static int write_svg(struct pictures *pictures, const struct region *region, const char *path,
		     const char *caption)
{
	const struct svg_options options = { .caption = caption, .span = pictures->span };
	FILE *file = fopen(path, "we");
	int ret;

	if (!file)
		return -1;
	ret = svg_write(file, region, &options);
	if (fclose(file))
		ret = -1;
	return ret;
}

/* The first picture sets the scale. */
void picture_draw(struct pictures *pictures, const char *name, const char *caption)
{
	struct region region;
	char path[PATH_MAX];

	if (!pictures->dir)
		return;
	if (region_load(&region, pictures->heap) < 0) {
		table_complain("slabs", errno);
		pictures->failed = true;
		return;
	}
	if (pictures->span < region_end(&region))
		pictures->span = region_end(&region);
	snprintf(path, sizeof(path), "%s/%s.svg", pictures->dir, name);
	if (write_svg(pictures, &region, path, caption) < 0) {
		fprintf(stderr, "privheap-demo: %s: %s\n", path, strerror(errno));
		pictures->failed = true;
	} else {
		printf("  picture: %s\n", path);
	}
	region_free(&region);
}
