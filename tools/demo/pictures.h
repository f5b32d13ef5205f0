/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pictures of the heap's region at some moments, on one scale.
 */
#ifndef DEMO_PICTURES_H
#define DEMO_PICTURES_H

#include <stdbool.h>
#include <stdint.h>

/* @dir is NULL where no pictures are wanted. */
struct pictures {
	const char *dir;
	uint64_t heap;
	uint64_t span;
	bool failed;
};

void pictures_begin(struct pictures *pictures, const char *dir, uint64_t heap);
void picture_draw(struct pictures *pictures, const char *name, const char *caption);

#endif /* DEMO_PICTURES_H */
