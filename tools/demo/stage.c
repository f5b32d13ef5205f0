// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "../privheap/units.h"
#include "libprivheap.h"
#include "stage.h"

static const struct {
	uint32_t type;
	const char *name;
} types[STAGE_TYPES] = {
	{ PRIVHEAP_TYPE_INT, "int" },
	{ PRIVHEAP_TYPE_STR, "str" },
	{ PRIVHEAP_TYPE_LIST, "list" },
	{ PRIVHEAP_TYPE_DICT, "dict" },
};

/* The figures of a row, be it a type or the heap. */
struct row {
	const char *name;
	uint64_t live;
	uint64_t requested;
	uint64_t used;
	uint64_t allocs;
	uint64_t magazine_hits;
	uint64_t fresh_allocs;
};

void stage_take(struct stage *stage, const struct heap *heap)
{
	size_t i;

	memset(stage, 0, sizeof(*stage));
	if (privheap_cmd_heap_stat(heap->fd, &stage->heap) < 0)
		fail("statistics of the heap");
	for (i = 0; i < STAGE_TYPES; i++) {
		stage->types[i].type = types[i].type;
		if (privheap_cmd_type_stat(heap->fd, &stage->types[i]) < 0)
			fail("statistics of a type");
	}
}

/* Waste is what is used beyond what was requested, as a share of that. */
static void print_row(const struct row *row)
{
	uint64_t waste = row->used > row->requested ? row->used - row->requested : 0;
	uint64_t reused = row->allocs > row->fresh_allocs ? row->allocs - row->fresh_allocs : 0;
	char live[UNIT_BYTES], requested[UNIT_BYTES], used[UNIT_BYTES], wasted[UNIT_BYTES];
	char allocs[UNIT_BYTES], magazine[UNIT_BYTES], reuse[UNIT_BYTES];

	printf("  %-5s %10s %10s %10s %8s   %10s %9s %8s\n", row->name,
	       unit_count(live, row->live), unit_bytes(requested, row->requested),
	       unit_bytes(used, row->used), unit_percent(wasted, waste, row->requested),
	       unit_count(allocs, row->allocs),
	       unit_percent(magazine, row->magazine_hits, row->allocs),
	       unit_percent(reuse, reused, row->allocs));
}

static void print_type(size_t i, const struct privheap_type_stat *before,
		       const struct privheap_type_stat *now)
{
	const struct row row = {
		.name = types[i].name,
		.live = now->live_objects,
		.requested = now->live_bytes,
		.used = now->held_bytes,
		.allocs = now->allocs - before->allocs,
		.magazine_hits = now->magazine_hits - before->magazine_hits,
		.fresh_allocs = now->fresh_allocs - before->fresh_allocs,
	};

	print_row(&row);
}

static void print_heap(const struct privheap_heap_stat *before,
		       const struct privheap_heap_stat *now)
{
	const struct row row = {
		.name = "heap",
		.live = now->live_objects,
		.requested = now->live_bytes,
		.used = now->held_bytes,
		.allocs = now->allocs - before->allocs,
		.magazine_hits = now->magazine_hits - before->magazine_hits,
		.fresh_allocs = now->fresh_allocs - before->fresh_allocs,
	};

	print_row(&row);
}

static void print_pages(const struct privheap_heap_stat *before,
			const struct privheap_heap_stat *now)
{
	char reserve[UNIT_BYTES], system[UNIT_BYTES], returned[UNIT_BYTES], moved[UNIT_BYTES];

	printf("  pages: %s taken from the reserve, %s from the system, %s given back",
	       unit_count(reserve, now->pages_from_reserve - before->pages_from_reserve),
	       unit_count(system, now->pages_from_system - before->pages_from_system),
	       unit_count(returned, now->pages_returned - before->pages_returned));
	if (now->moved_pages > before->moved_pages)
		printf(", %s moved instead of copied",
		       unit_count(moved, now->moved_pages - before->moved_pages));
	putchar('\n');
}

/* The heap as it is now, and on the right what happened since @before. */
void stage_print(const struct stage *before, const struct stage *now)
{
	size_t i;

	printf("  %-5s %10s %10s %10s %8s   %10s %9s %8s\n", "type", "live", "requested",
	       "used", "waste", "allocated", "magazine", "reuse");
	for (i = 0; i < STAGE_TYPES; i++)
		print_type(i, &before->types[i], &now->types[i]);
	print_heap(&before->heap, &now->heap);
	print_pages(&before->heap, &now->heap);
}
