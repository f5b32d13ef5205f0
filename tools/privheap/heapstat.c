// SPDX-License-Identifier: GPL-2.0
/*
 * One heap in a few lines, and its types in a table.
 */
#include <inttypes.h>
#include <stdio.h>

#include "heapstat.h"
#include "text.h"
#include "units.h"

/* A row of text buffers, so that one printf can show several numbers. */
struct numbers {
	char text[7][UNIT_BYTES];
};

static void print_memory(const struct record *heap)
{
	struct numbers n;

	printf("  %-8s %s, at most %s so far; of it metadata %s, reserve %s\n", "held",
	       unit_bytes(n.text[0], record_count(heap, "held")),
	       unit_bytes(n.text[1], record_count(heap, "peak")),
	       unit_bytes(n.text[2], record_count(heap, "metadata")),
	       unit_bytes(n.text[3], record_count(heap, "reserve")));
	printf("  %-8s soft %s, hard %s\n", "limits",
	       unit_bytes(n.text[0], record_count(heap, "soft_max")),
	       unit_bytes(n.text[1], record_count(heap, "hard_max")));
}

static void print_objects(const struct record *heap)
{
	struct numbers n;

	printf("  %-8s %s live, %s requested for them; so far %s allocated, %s freed\n", "objects",
	       unit_count(n.text[0], record_count(heap, "live_objects")),
	       unit_bytes(n.text[1], record_count(heap, "live_bytes")),
	       unit_count(n.text[2], record_count(heap, "allocs")),
	       unit_count(n.text[3], record_count(heap, "frees")));
	printf("  %-8s %s handed out, in use or not, with room for %s; so far %s, %s came back\n", "mapped",
	       unit_count(n.text[0], record_count(heap, "handed_objects")),
	       unit_bytes(n.text[1], record_count(heap, "handed_bytes")),
	       unit_count(n.text[2], record_count(heap, "taken")),
	       unit_count(n.text[3], record_count(heap, "given")));
	printf("  %-8s %s, of which %s empty; %s given to another type\n", "slabs",
	       unit_count(n.text[0], record_count(heap, "slabs")),
	       unit_count(n.text[1], record_count(heap, "empty_slabs")),
	       unit_count(n.text[2], record_count(heap, "retyped_slabs")));
}

static void print_sources(const struct record *heap)
{
	uint64_t allocs = record_count(heap, "allocs");
	struct numbers n;

	printf("  %-8s magazines %s, depot %s, slabs %s; from reused slots %s\n", "served",
	       unit_percent(n.text[0], record_count(heap, "magazine_hits"), allocs),
	       unit_percent(n.text[1], record_count(heap, "depot_hits"), allocs),
	       unit_percent(n.text[2], record_count(heap, "slab_allocs"), allocs),
	       unit_percent(n.text[3], allocs - record_count(heap, "fresh_allocs"), allocs));
	printf("  %-8s %s from the reserve, %s from the system in %s requests, %s returned\n",
	       "pages", unit_count(n.text[0], record_count(heap, "pages_from_reserve")),
	       unit_count(n.text[1], record_count(heap, "pages_from_system")),
	       unit_count(n.text[2], record_count(heap, "system_requests")),
	       unit_count(n.text[3], record_count(heap, "pages_returned")));
	printf("  %-8s %s copied and %s pages moved by resize; %s times reclaimed under pressure\n",
	       "moved", unit_bytes(n.text[0], record_count(heap, "moved_bytes")),
	       unit_count(n.text[1], record_count(heap, "moved_pages")),
	       unit_count(n.text[2], record_count(heap, "reclaims")));
	printf("  %-8s %s put %s pages in place, %s times %s at once; %s more were refused\n",
	       "faults", unit_count(n.text[0], record_count(heap, "faults")),
	       unit_count(n.text[1], record_count(heap, "mapped_pages")),
	       unit_count(n.text[2], record_count(heap, "mapped_units")),
	       unit_bytes(n.text[3], record_count(heap, "unit_bytes")),
	       unit_count(n.text[4], record_count(heap, "refused_faults")));
}

void print_heap(const struct record *heap)
{
	printf("Heap %" PRIu64 ": ", record_count(heap, "heap"));
	text_plain(stdout, record_text(heap, "comm"));
	printf(", process %" PRIu64 "\n", record_count(heap, "pid"));
	print_memory(heap);
	print_objects(heap);
	print_sources(heap);
}

void print_types_header(void)
{
	printf("%6s %-16s %-8s %10s %10s %10s %10s %8s %7s %6s %9s %7s\n", "HEAP", "TYPE", "POLICY",
	       "LIVE", "HANDED OUT", "REQUESTED", "HELD", "WASTE", "SLABS", "EMPTY", "MAGAZINE", "REUSE");
}

/*
 * Waste is what the type holds beyond what was requested, as a share of that; of
 * what is handed out nobody but the program knows how much that is: all of it.
 */
void print_type(const struct record *type)
{
	uint64_t allocs = record_count(type, "allocs"), held = record_count(type, "held");
	uint64_t requested = record_count(type, "live_bytes") +
			     record_count(type, "handed_bytes");
	uint64_t fresh = record_count(type, "fresh_allocs");
	char reuse[UNIT_BYTES], handed[UNIT_BYTES];
	struct numbers n;

	printf("%6" PRIu64 " %-16s %-8s %10s %10s %10s %10s %8s %7s %6s %9s %7s\n",
	       record_count(type, "heap"), record_text(type, "name"),
	       record_text(type, "policy"),
	       unit_count(n.text[0], record_count(type, "live_objects")),
	       unit_count(handed, record_count(type, "handed_objects")),
	       unit_bytes(n.text[1], requested), unit_bytes(n.text[2], held),
	       unit_percent(n.text[3], held > requested ? held - requested : 0, requested),
	       unit_count(n.text[6], record_count(type, "slabs")),
	       unit_count(n.text[4], record_count(type, "empty_slabs")),
	       unit_percent(n.text[5], record_count(type, "magazine_hits"), allocs),
	       unit_percent(reuse, allocs > fresh ? allocs - fresh : 0, allocs));
}
