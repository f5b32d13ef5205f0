// SPDX-License-Identifier: GPL-2.0
/*
 * privheap list: a line for each heap, in the manner of ps.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "debugfs.h"
#include "text.h"
#include "units.h"

static void print_heap(const struct record *heap)
{
	char held[UNIT_BYTES], live[UNIT_BYTES], objects[UNIT_BYTES], slabs[UNIT_BYTES];
	char handed[UNIT_BYTES];

	printf("%6" PRIu64 " %8" PRIu64 " %10s %10s %12s %12s %8s  ", record_count(heap, "heap"),
	       record_count(heap, "pid"), unit_bytes(held, record_count(heap, "held")),
	       unit_bytes(live, record_count(heap, "live_bytes")),
	       unit_count(objects, record_count(heap, "live_objects")),
	       unit_count(handed, record_count(heap, "handed_objects")),
	       unit_count(slabs, record_count(heap, "slabs")));
	text_plain(stdout, record_text(heap, "comm"));
	putchar('\n');
}

int command_list(void)
{
	const struct record *heap;
	struct table heaps;

	if (table_open(&heaps, "heaps") < 0) {
		table_complain("heaps", errno);
		return EXIT_FAILURE;
	}
	printf("%6s %8s %10s %10s %12s %12s %8s  %s\n",
	       "HEAP", "PID", "HELD", "LIVE", "OBJECTS", "HANDED OUT", "SLABS", "COMMAND");
	while ((heap = table_next(&heaps)))
		print_heap(heap);
	if (table_close(&heaps) < 0) {
		table_complain("heaps", errno);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
