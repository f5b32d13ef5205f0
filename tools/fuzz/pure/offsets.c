// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of a region's offsets. The model is an array with a word for each page:
 * who has it, the youngest generation that was there, and in a hardened heap,
 * where all have tenants, who alone may have it.
 */
#include "region.h"
#include "slab.h"
#include "targets.h"

#define MAX_PAGES	16384U
#define MAX_RANGES	64

struct range {
	u64 start;
	u32 pages;
	u16 gen;
	bool published;
	struct ph_tenant *tenant;
};

static struct range ranges[MAX_RANGES];
static struct range *owner[MAX_PAGES];
static u16 youngest[MAX_PAGES];
static u32 tenants[MAX_PAGES];

/* The first one is nobody. */
static struct ph_tenant who[4];

/* Nobody looks into the slab that a range stands for. */
static struct ph_slab *slab_of(struct range *range)
{
	return (struct ph_slab *)range;
}

static void map(struct ph_region *region, struct range *range, u32 pages, u32 tenant)
{
	u64 held = atomic64_read(&region->held);
	u32 first, i;
	u16 gen = region->gen_first;
	int err;

	range->start = 1;
	range->tenant = tenant ? &who[tenant] : NULL;
	err = ph_region_map(region, pages, range->tenant, &range->start, &range->gen);
	if (err) {
		CHECK(err == -ENOMEM || err == -EDQUOT);
		/* Segments that could be had stay. */
		CHECK((u64)atomic64_read(&region->held) >= held);
		return;
	}
	CHECK(range->start % PAGE_SIZE == 0);
	first = range->start >> PAGE_SHIFT;
	CHECK(first + pages <= MAX_PAGES);
	for (i = first; i < first + pages; i++) {
		CHECK(!owner[i]);
		owner[i] = range;
		CHECK(!tenants[i] || tenants[i] == tenant);
		tenants[i] = tenant;
		gen = ph_region_younger(region, gen, youngest[i]);
	}
	CHECK(range->gen == gen);
	range->pages = pages;
	range->published = false;
}

static void publish(struct ph_region *region, struct range *range)
{
	ph_region_publish(region, slab_of(range), range->start, range->pages);
	range->published = true;
}

static void unmap(struct ph_region *region, struct range *range, u16 lives)
{
	u32 first = range->start >> PAGE_SHIFT;
	u16 gen = range->gen + lives;

	ph_region_unpublish(region, range->start, range->pages, gen);
	CHECK(!ph_region_slab(region, range->start));
	ph_region_unmap(region, range->start, range->pages, range->tenant);
	for (u32 i = first; i < first + range->pages; i++) {
		owner[i] = NULL;
		youngest[i] = gen;
	}
	range->pages = 0;
}

static void look(struct ph_region *region, u64 offset)
{
	struct ph_slab *slab = ph_region_slab(region, offset), *want = NULL;
	u64 page = offset >> PAGE_SHIFT;

	if (page < MAX_PAGES && owner[page] && owner[page]->published)
		want = slab_of(owner[page]);
	CHECK(slab == want);
	if (!want && page < MAX_PAGES && !owner[page])
		CHECK(ph_region_gen(region, offset) == youngest[page]);
	CHECK(page < MAX_PAGES || ph_region_end(region) <= MAX_PAGES * PAGE_SIZE);
}

static void act(struct ph_region *region, struct feed *feed, bool hardened)
{
	u32 what = feed_byte(feed);
	struct range *range = &ranges[feed_byte(feed) % MAX_RANGES];

	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		shim_fails = what & 0x80 ? what >> 4 & 7 : -1;
		if (!range->pages)
			map(region, range, 1 + (what & 8 ? feed_short(feed) % 100 :
						feed_byte(feed) % 9),
			    hardened ? 1 + feed_byte(feed) % 3 : 0);
		shim_fails = -1;
		break;
	case 3:
		if (range->pages)
			publish(region, range);
		break;
	case 4:
	case 5:
		if (range->pages)
			unmap(region, range, feed_byte(feed));
		break;
	case 6:
		look(region, feed_word(feed));
		break;
	default:
		look(region, (u64)feed_short(feed) << PAGE_SHIFT | what);
	}
}

void target_offsets(struct feed *feed)
{
	struct ph_region region;
	bool hardened = feed_byte(feed) & 1;
	u32 i;

	ph_region_init(&region, NULL, 1ULL << 24);
	region.gen_first = feed_short(feed);
	memset(ranges, 0, sizeof(ranges));
	memset(owner, 0, sizeof(owner));
	memset(tenants, 0, sizeof(tenants));
	memset(who, 0, sizeof(who));
	for (i = 1; i < ARRAY_SIZE(who); i++)
		ph_tenant_init(&region, &who[i], i);
	for (i = 0; i < MAX_PAGES; i++)
		youngest[i] = region.gen_first;
	while (feed->left)
		act(&region, feed, hardened);
	for (i = 0; i < MAX_PAGES; i += 3)
		look(&region, (u64)i << PAGE_SHIFT);
	for (i = 0; i < MAX_RANGES; i++)
		if (ranges[i].pages)
			unmap(&region, &ranges[i], 1);
	ph_region_exit(&region);
}
