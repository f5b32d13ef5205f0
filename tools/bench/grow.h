/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_GROW_H
#define BENCH_GROW_H

#include <stdbool.h>
#include <stdint.h>

/* What it took to grow one object. */
struct growth {
	uint64_t spent;		/* nanoseconds in resize */
	uint64_t copied;	/* bytes */
	uint64_t moved_pages;
	uint64_t room;		/* bytes at the end, used or not */
	uint32_t calls;		/* of resize */
};

/* A list of @type from 1 to @slots slots of 8 bytes, in an otherwise new heap. */
struct growth grow_list(int heap, uint32_t type, uint32_t slots, bool crowd);

#endif /* BENCH_GROW_H */
