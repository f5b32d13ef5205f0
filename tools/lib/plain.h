/* SPDX-License-Identifier: MIT */
/* Runs of pages of plain memory. The caller sees to the locking. */
#ifndef PRIVHEAP_PLAIN_H
#define PRIVHEAP_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAIN_BINS	64

/* Of a page: whether it is the first or the last one of a gap, and of how many. */
struct plain_gap {
	struct plain_gap *next, **link;	/* in its bin, if it is the first */
	uint32_t pages;
	bool moved;			/* in no gap, but in a mapping of its own */
};

struct plain_pages {
	char *base;
	unsigned int shift;
	size_t count;
	size_t open;			/* from here on no page was used yet */
	struct plain_gap *gap;		/* by page, as far as they are open */
	uint64_t filled;		/* a bit for each bin that has gaps */
	struct plain_gap *bin[PLAIN_BINS];
};

void plain_pages_init(struct plain_pages *pages, char *base, unsigned int shift,
		      size_t count, struct plain_gap *gaps);
/* The number of the first of @count pages, all of them zero; or -1. */
int64_t plain_pages_get(struct plain_pages *pages, size_t count);
void plain_pages_put(struct plain_pages *pages, size_t first, size_t count);
/* From @had pages to @count: where they are from then on; or -1, and nothing moved. */
int64_t plain_pages_grow(struct plain_pages *pages, size_t first, size_t had, size_t count);

/* plain.c: makes memory of the first @count pages, and of what belongs to them. */
bool plain_open(struct plain_pages *pages, size_t count);

#endif
