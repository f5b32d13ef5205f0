/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The picture of a region: a self-contained SVG, each slab a cell.
 */
#ifndef PRIVHEAP_SVG_H
#define PRIVHEAP_SVG_H

#include <stdio.h>

#include "region.h"

/*
 * @caption: what the picture shows, or NULL
 * @span: bytes of the region to show at least, so that the pictures of a heap
 *	before and after have one scale; 0 for as much as it uses
 */
struct svg_options {
	const char *caption;
	uint64_t span;
};

int svg_write(FILE *file, const struct region *region, const struct svg_options *options);

#endif /* PRIVHEAP_SVG_H */
