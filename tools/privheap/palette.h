/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The types that a region's slabs serve: their totals and their colours.
 */
#ifndef PRIVHEAP_PALETTE_H
#define PRIVHEAP_PALETTE_H

#include <stdbool.h>

#include "region.h"

/*
 * @hatched: set where there are more types than colours that differ
 */
struct palette_type {
	uint64_t type;
	char name[PRIVHEAP_NAME_LEN];
	uint32_t colour;
	bool hatched;
	uint64_t slabs;
	uint64_t bytes;
	uint64_t slots;
	uint64_t live;
	uint64_t live_slot_bytes;
};

/* @types are sorted by id. */
struct palette {
	struct palette_type *types;
	size_t count;
};

int palette_build(struct palette *palette, const struct region *region);
void palette_free(struct palette *palette);
size_t palette_index(const struct palette *palette, uint64_t type);

uint32_t palette_tint(uint32_t colour, double strength);
bool palette_is_dark(uint32_t colour);

#endif /* PRIVHEAP_PALETTE_H */
