/* SPDX-License-Identifier: MIT */
/* Runs of pages of plain memory. The caller sees to the locking. */
#ifndef PRIVHEAP_PLAIN_H
#define PRIVHEAP_PLAIN_H

#include <stddef.h>
#include <stdint.h>

struct plain_gap {
	struct plain_gap *next;		/* at a higher address */
	size_t first, pages;
};

struct plain_pages {
	char *base;
	unsigned int shift;
	struct plain_gap *gaps;		/* apart from each other */
	struct plain_gap *unused;
};

void plain_pages_init(struct plain_pages *pages, char *base, unsigned int shift,
		      size_t count);
/* The number of the first of @count pages, all of them zero; or -1. */
int64_t plain_pages_get(struct plain_pages *pages, size_t count);
void plain_pages_put(struct plain_pages *pages, size_t first, size_t count);
/* Moves pages, not bytes, where it can. What stays behind is the caller's to put. */
int plain_pages_move(struct plain_pages *pages, size_t from, size_t to, size_t count);

#endif
