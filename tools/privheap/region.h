/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one heap's region holds, slab by slab, as debugfs shows it.
 */
#ifndef PRIVHEAP_REGION_H
#define PRIVHEAP_REGION_H

#include <stddef.h>
#include <stdint.h>

#include <linux/privheap.h>

#define REGION_COMM_BYTES	64

/*
 * @taken: slots that are live or wait, free, in a magazine
 * @live: slots of objects that are allocated and not freed
 */
struct region_slab {
	uint64_t offset;
	uint64_t bytes;
	uint64_t type;
	char name[PRIVHEAP_NAME_LEN];
	uint64_t object_bytes;
	uint64_t slots;
	uint64_t taken;
	uint64_t live;
};

/* @slabs are sorted by offset and do not overlap. */
struct region {
	uint64_t heap;
	uint64_t pid;
	char comm[REGION_COMM_BYTES];
	uint64_t held_bytes;
	uint64_t live_bytes;
	uint64_t live_objects;
	struct region_slab *slabs;
	size_t count;
};

int region_load(struct region *region, uint64_t heap);
void region_free(struct region *region);
uint64_t region_end(const struct region *region);

#endif /* PRIVHEAP_REGION_H */
