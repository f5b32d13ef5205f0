// SPDX-License-Identifier: MIT
/* Runs of pages: the lowest gap that is large enough; neighbours are joined. */
#include "internal.h"

#include <sys/mman.h>

#include "plain.h"

static struct plain_gap *gap_new(struct plain_pages *pages)
{
	struct plain_gap *gap = pages->unused;

	if (!gap)
		return ph_arena(sizeof(*gap));
	pages->unused = gap->next;
	return gap;
}

static void gap_drop(struct plain_pages *pages, struct plain_gap **link)
{
	struct plain_gap *gap = *link;

	*link = gap->next;
	gap->next = pages->unused;
	pages->unused = gap;
}

int64_t plain_pages_get(struct plain_pages *pages, size_t count)
{
	struct plain_gap **link, *gap;
	size_t first;

	for (link = &pages->gaps; (gap = *link) && gap->pages < count; link = &gap->next)
		;
	if (!gap)
		return -1;
	first = gap->first;
	gap->first += count;
	gap->pages -= count;
	if (!gap->pages)
		gap_drop(pages, link);
	return (int64_t)first;
}

static void gap_add(struct plain_pages *pages, size_t first, size_t count)
{
	struct plain_gap **link = &pages->gaps, *before = NULL, *gap;

	for (; (gap = *link) && gap->first < first; link = &gap->next)
		before = gap;
	if (gap && first + count == gap->first) {
		gap->first = first;
		gap->pages += count;
	} else if (before && before->first + before->pages == first) {
		before->pages += count;
		return;
	} else {
		struct plain_gap *fresh = gap_new(pages);

		/* Without memory for it the address space is lost, not more. */
		if (!fresh)
			return;
		*fresh = (struct plain_gap){ .next = gap, .first = first, .pages = count };
		*link = gap = fresh;
	}
	if (before && before->first + before->pages == gap->first) {
		before->pages += gap->pages;
		gap_drop(pages, &before->next);
	}
}

void plain_pages_init(struct plain_pages *pages, char *base, unsigned int shift,
		      size_t count)
{
	pages->base = base;
	pages->shift = shift;
	gap_add(pages, 0, count);
}

void plain_pages_put(struct plain_pages *pages, size_t first, size_t count)
{
	madvise(pages->base + (first << pages->shift), count << pages->shift, MADV_DONTNEED);
	gap_add(pages, first, count);
}

/* Zeroes where a mapping is, or where there is none any more. */
static int map_again(char *at, size_t bytes)
{
	return mmap(at, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == at ? 0 : -1;
}

int plain_pages_move(struct plain_pages *pages, size_t from, size_t to, size_t count)
{
	char *source = pages->base + (from << pages->shift);
	char *target = pages->base + (to << pages->shift);
	size_t bytes = count << pages->shift;

	if (mremap(source, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target)
		return map_again(source, bytes);
	/*
	 * Earlier moves may have left it in two mappings, which do not move; but
	 * what was mapped at the target is gone by now.
	 */
	if (map_again(target, bytes))
		return -1;
	memcpy(target, source, bytes);
	return 0;
}
