// SPDX-License-Identifier: GPL-2.0
/*
 * privheap map: the picture of a heap's region.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "debugfs.h"
#include "svg.h"

static int complain(const char *path)
{
	fprintf(stderr, "privheap: %s: %s\n", path, strerror(errno));
	return EXIT_FAILURE;
}

static int draw_to(const char *path, const struct region *region)
{
	const struct svg_options options = { 0 };
	FILE *file = fopen(path, "we");

	if (!file)
		return complain(path);
	if (svg_write(file, region, &options) < 0) {
		fclose(file);
		return complain(path);
	}
	return fclose(file) ? complain(path) : EXIT_SUCCESS;
}

int command_map(uint64_t heap, const char *output)
{
	const struct svg_options options = { 0 };
	struct region region;
	int status;

	if (region_load(&region, heap) < 0) {
		if (errno == ESRCH)
			return no_such_heap(heap);
		table_complain("slabs", errno);
		return EXIT_FAILURE;
	}
	if (output && strcmp(output, "-"))
		status = draw_to(output, &region);
	else
		status = svg_write(stdout, &region, &options) < 0 ? complain("map") : EXIT_SUCCESS;
	region_free(&region);
	return status;
}
