// SPDX-License-Identifier: MIT
/*
 * Runs of pages: gaps in bins by their size, and neighbours are joined. What was
 * used before goes first; the rest of the region is opened when that is not enough.
 */
#include "internal.h"

#include <limits.h>
#include <sys/mman.h>

#include "plain.h"

#define STEP_BYTES	((size_t)1 << 20)	/* what is opened at once */
#define LARGE_BYTES	((size_t)1 << 20)	/* from here on pages move, not bytes */
#define LOOKS		16			/* at gaps that may be too small */

static char *address(const struct plain_pages *pages, size_t page)
{
	return pages->base + (page << pages->shift);
}

/* One for each number of pages up to 16, two for each doubling from there on. */
static unsigned int bin_of(size_t count)
{
	unsigned int order;

	if (count <= 16)
		return (unsigned int)count - 1;
	order = 63 - (unsigned int)__builtin_clzll(count - 1);
	return 16 + (order - 4) * 2 + ((count - 1) >> (order - 1) & 1);
}

static void gap_insert(struct plain_pages *pages, size_t first, size_t count)
{
	struct plain_gap *gap = &pages->gap[first];
	unsigned int bin = bin_of(count);

	gap->pages = pages->gap[first + count - 1].pages = (uint32_t)count;
	gap->next = pages->bin[bin];
	gap->link = &pages->bin[bin];
	if (gap->next)
		gap->next->link = &gap->next;
	pages->bin[bin] = gap;
	pages->filled |= 1ULL << bin;
}

static void gap_remove(struct plain_pages *pages, struct plain_gap *gap)
{
	unsigned int bin = bin_of(gap->pages);

	*gap->link = gap->next;
	if (gap->next)
		gap->next->link = gap->link;
	if (!pages->bin[bin])
		pages->filled &= ~(1ULL << bin);
	/* Whoever looks from behind must not find it any more, either. */
	gap[gap->pages - 1].pages = 0;
	gap->pages = 0;
}

static void gap_add(struct plain_pages *pages, size_t first, size_t count)
{
	size_t before = first ? pages->gap[first - 1].pages : 0, end = first + count;
	size_t behind = end < pages->open ? pages->gap[end].pages : 0;

	if (before)
		gap_remove(pages, &pages->gap[first - before]);
	if (behind)
		gap_remove(pages, &pages->gap[end]);
	gap_insert(pages, first - before, before + count + behind);
}

/* The first @count pages of it. */
static size_t gap_cut(struct plain_pages *pages, struct plain_gap *gap, size_t count)
{
	size_t first = (size_t)(gap - pages->gap), left = gap->pages - count;

	gap_remove(pages, gap);
	if (left)
		gap_insert(pages, first + count, left);
	return first;
}

static struct plain_gap *gap_find(const struct plain_pages *pages, size_t count,
				  unsigned int looks)
{
	unsigned int bin = bin_of(count);
	struct plain_gap *gap;
	uint64_t larger;

	for (gap = pages->bin[bin]; gap && looks--; gap = gap->next)
		if (gap->pages >= count)
			return gap;
	larger = pages->filled & ~1ULL << bin;
	return larger ? pages->bin[__builtin_ctzll(larger)] : NULL;
}

/* The gap at the end of what is open, with @count pages or more; or NULL. */
static struct plain_gap *gap_open(struct plain_pages *pages, size_t count)
{
	size_t was = pages->open, has = was ? pages->gap[was - 1].pages : 0, more;
	size_t step = STEP_BYTES >> pages->shift;

	if (has < count) {
		more = (count - has + step - 1) / step * step;
		if (more > pages->count - was)
			more = pages->count - was;
		if (has + more < count || !plain_open(pages, was + more))
			return NULL;
		pages->open = was + more;
		gap_add(pages, was, more);
	}
	return &pages->gap[was - has];
}

void plain_pages_init(struct plain_pages *pages, char *base, unsigned int shift,
		      size_t count, struct plain_gap *gaps)
{
	pages->base = base;
	pages->shift = shift;
	pages->count = count;
	pages->gap = gaps;
}

int64_t plain_pages_get(struct plain_pages *pages, size_t count)
{
	struct plain_gap *gap;

	if (count > pages->count)
		return -1;
	gap = gap_find(pages, count, LOOKS);
	if (!gap)
		gap = gap_open(pages, count);
	if (!gap)
		gap = gap_find(pages, count, UINT_MAX);
	return gap ? (int64_t)gap_cut(pages, gap, count) : -1;
}

static bool map_again(char *at, size_t bytes)
{
	return mmap(at, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
}

/*
 * To zeroes. What was moved is mapped anew, so that it is one mapping with its
 * neighbours again. So are locked pages, which madvise() refuses. False: nothing is
 * mapped there any more.
 */
static bool clear(char *at, size_t bytes, bool moved)
{
	if (!moved && !madvise(at, bytes, MADV_DONTNEED))
		return true;
	if (map_again(at, bytes))
		return true;
	/* A mapping that fails may have taken the old one with it. */
	if (msync(at, bytes, MS_ASYNC))
		return false;
	memset(at, 0, bytes);
	return true;
}

static void mark_moved(struct plain_pages *pages, size_t first, size_t count, bool moved)
{
	for (size_t page = first; page < first + count; page++)
		pages->gap[page].moved = moved;
}

/* What was moved begins where its span does. */
void plain_pages_put(struct plain_pages *pages, size_t first, size_t count)
{
	bool moved = pages->gap[first].moved;

	if (moved)
		mark_moved(pages, first, count, false);
	/* Without a mapping the address space is lost, not more. */
	if (clear(address(pages, first), count << pages->shift, moved))
		gap_add(pages, first, count);
}

/*
 * Pages instead of bytes: to wherever the kernel likes, and from there to their
 * place. A first step that fails, as where they are in two mappings, leaves all as
 * it was, which one straight to the target does not; and the source stays mapped
 * all the time, so that nobody else's mapping gets there.
 */
static void *lift(char *source, size_t bytes)
{
	/* Locked pages are refused here, too; all of their mapping would be unlocked. */
	if (bytes < LARGE_BYTES || madvise(source, (size_t)getpagesize(), MADV_COLD))
		return MAP_FAILED;
	return mremap(source, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
}

/*
 * All the room there becomes one mapping, which can be moved again. False: nothing
 * has moved, and the target is not to be used any more.
 */
static bool move(struct plain_pages *pages, size_t from, size_t had, size_t to, size_t count)
{
	char *source = address(pages, from), *target = address(pages, to);
	size_t bytes = had << pages->shift;
	void *lifted = lift(source, bytes);

	if (lifted == MAP_FAILED) {
		memcpy(target, source, bytes);
		return true;
	}
	if (mremap(lifted, bytes, count << pages->shift, MREMAP_MAYMOVE | MREMAP_FIXED,
		   target) == target) {
		mark_moved(pages, to, count, true);
		return true;
	}
	memcpy(source, lifted, bytes);
	munmap(lifted, bytes);
	return false;
}

static bool grow_in_place(struct plain_pages *pages, size_t first, size_t had, size_t count)
{
	size_t end = first + had, more = count - had;
	size_t behind = end < pages->open ? pages->gap[end].pages : 0;

	if (behind < more && (end + behind < pages->open || !gap_open(pages, more)))
		return false;
	gap_cut(pages, &pages->gap[end], more);
	return true;
}

int64_t plain_pages_grow(struct plain_pages *pages, size_t first, size_t had, size_t count)
{
	int64_t to;

	if (count > pages->count)
		return -1;
	if (grow_in_place(pages, first, had, count))
		return (int64_t)first;
	to = plain_pages_get(pages, count);
	if (to < 0 || !move(pages, first, had, (size_t)to, count))
		return -1;
	plain_pages_put(pages, first, had);
	return to;
}
