// SPDX-License-Identifier: GPL-2.0
#include <unistd.h>

#include "bench.h"
#include "heap.h"
#include "grow.h"
#include "parts.h"

/*
 * Appends slot by slot, as a list does, and calls the kernel only when the
 * room it was given is used up. @crowd: each slot gets an int of its own, so
 * that the list's neighbourhood fills up as it would in a program.
 */
struct growth grow_list(int heap, uint32_t type, uint32_t slots, bool crowd)
{
	uint64_t *ints = heap_handles(BATCH), list, room = 8;
	struct privheap_alloc alloc = heap_alloc_command(type, &list, 1);
	struct growth growth = { 0 };

	alloc.object_bytes = room;
	heap_do_alloc(heap, &alloc);
	for (uint64_t used = 1; used <= slots; used++) {
		uint64_t start;

		if (crowd && used % BATCH == 0)
			heap_alloc(heap, PRIVHEAP_TYPE_INT, ints, NULL, BATCH);
		if (used * 8 <= room)
			continue;
		start = bench_now();
		room = heap_resize(heap, type, &list, used * 8);
		growth.spent += bench_since(start);
		growth.calls++;
	}
	growth.copied = heap_stat(heap).moved_bytes;
	growth.moved_pages = heap_stat(heap).moved_pages;
	growth.room = room;
	return growth;
}

static void run_list(uint32_t slots, bool crowd)
{
	int heap = heap_open();
	struct growth growth = grow_list(heap, PRIVHEAP_TYPE_LIST, slots, crowd);

	bench_row(crowd ? "growable.crowded" : "growable.alone", "privheap",
		  (double)growth.copied, "bytes");
	bench_row(crowd ? "growable.crowded.slot" : "growable.alone.slot",
		  "privheap", (double)growth.spent / slots, "ns");
	if (!crowd) {
		bench_row("growable.copied.slot", "privheap",
			  (double)growth.copied / slots, "bytes");
		bench_row("growable.calls", "privheap", growth.calls, "calls");
		bench_row("growable.pages", "privheap",
			  (double)growth.moved_pages, "pages");
		bench_row("growable.room", "privheap",
			  (double)growth.room / (slots * 8.0), "ratio");
	}
	close(heap);
}

void run_growable(void)
{
	uint32_t slots = bench_times(1000000, 100000);

	run_list(slots, false);
	run_list(slots, true);
}
