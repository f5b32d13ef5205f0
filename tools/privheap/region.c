// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debugfs.h"
#include "region.h"

/* More than any machine has: sums of two of these do not overflow. */
#define MOST_BYTES	(1ULL << 60)

static int load_heap(struct region *region)
{
	const struct record *record;
	struct table table;
	int found = 0;

	if (table_open(&table, "heaps") < 0)
		return -1;
	while (!found && (record = table_next(&table))) {
		if (record_count(record, "heap") != region->heap)
			continue;
		found = 1;
		region->pid = record_count(record, "pid");
		region->held_bytes = record_count(record, "held");
		region->live_bytes = record_count(record, "live_bytes");
		region->live_objects = record_count(record, "live_objects");
		snprintf(region->comm, sizeof(region->comm), "%s", record_text(record, "comm"));
	}
	if (table_close(&table) < 0)
		return -1;
	if (!found)
		errno = ESRCH;
	return found ? 0 : -1;
}

static int add_slab(struct region *region, const struct record *record, size_t *room)
{
	struct region_slab *slab;

	if (region->count == *room) {
		*room = *room ? *room * 2 : 64;
		slab = reallocarray(region->slabs, *room, sizeof(*slab));
		if (!slab)
			return -1;
		region->slabs = slab;
	}
	slab = &region->slabs[region->count++];
	slab->offset = record_count(record, "offset");
	slab->bytes = record_count(record, "bytes");
	slab->type = record_count(record, "type");
	slab->object_bytes = record_count(record, "object_bytes");
	slab->slots = record_count(record, "slots");
	slab->taken = record_count(record, "taken");
	slab->live = record_count(record, "live");
	snprintf(slab->name, sizeof(slab->name), "%s", record_text(record, "name"));
	return 0;
}

static int load_slabs(struct region *region)
{
	const struct record *record;
	struct table table;
	size_t room = 0;
	int ret = 0;

	if (table_open(&table, "slabs") < 0)
		return -1;
	while (!ret && (record = table_next(&table)))
		if (record_count(record, "heap") == region->heap)
			ret = add_slab(region, record, &room);
	if (ret < 0) {
		table_close(&table);
		errno = ENOMEM;
		return -1;
	}
	return table_close(&table);
}

static int by_offset(const void *left, const void *right)
{
	const struct region_slab *a = left, *b = right;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

/*
 * The table was read while the heap went on working: a range may have changed
 * hands between two lines of it. The first owner is as true as the second,
 * and a picture can show one.
 */
static void drop_overlaps(struct region *region)
{
	uint64_t end = 0;
	size_t i, kept = 0;

	for (i = 0; i < region->count; i++) {
		const struct region_slab slab = region->slabs[i];

		if (!slab.bytes || slab.offset < end || slab.offset > MOST_BYTES ||
		    slab.bytes > MOST_BYTES)
			continue;
		end = slab.offset + slab.bytes;
		region->slabs[kept++] = slab;
	}
	region->count = kept;
}

/* Fails with ESRCH when there is no such heap. */
int region_load(struct region *region, uint64_t heap)
{
	memset(region, 0, sizeof(*region));
	region->heap = heap;
	if (load_heap(region) < 0 || load_slabs(region) < 0) {
		region_free(region);
		return -1;
	}
	if (region->count)
		qsort(region->slabs, region->count, sizeof(*region->slabs), by_offset);
	drop_overlaps(region);
	return 0;
}

void region_free(struct region *region)
{
	free(region->slabs);
	region->slabs = NULL;
	region->count = 0;
}

uint64_t region_end(const struct region *region)
{
	const struct region_slab *last;

	if (!region->count)
		return 0;
	last = &region->slabs[region->count - 1];
	return last->offset + last->bytes;
}
