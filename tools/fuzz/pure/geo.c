// SPDX-License-Identifier: GPL-2.0
/*
 * How slabs are cut, and where an offset lies in one. The model divides, and
 * looks at all lengths that a slab could have.
 */
#include "slab.h"
#include "targets.h"

static u64 cost(struct ph_geo geo, u32 pages)
{
	u32 slots = ph_geo_slots(&geo, pages);

	if (!slots)
		return U64_MAX;
	return (pages * PAGE_SIZE + ph_region_meta_cost(ph_geo_meta_bytes(&geo, slots))) *
	       1024 / slots;
}

/* Every offset that a look-up may ask for, against a division. */
static void check_slots(const struct ph_geo *geo, struct feed *feed)
{
	struct ph_slab slab = {
		.stride = geo->stride,
		.mult = ((1ULL << 32) + geo->stride - 1) / geo->stride,
	};
	u32 bytes = geo->pages * PAGE_SIZE, slot, offset, i;

	slab.rest = slab.mult - 1;
	for (i = 0; i < 64; i++) {
		offset = i < 32 ? feed_short(feed) % bytes :
				  feed_short(feed) % (bytes / geo->stride + 1) * geo->stride;
		if (offset >= bytes)
			continue;
		CHECK(ph_slab_slot(&slab, offset, &slot) == (offset % geo->stride == 0));
		CHECK(slot == offset / geo->stride);
	}
}

void target_geo(struct feed *feed)
{
	u32 size = feed_short(feed), align = 1u << feed_byte(feed) % 14, pages;
	u32 keep = feed_byte(feed) & (PH_KEEP_SLACK | PH_KEEP_WIDE_SLACK | PH_KEEP_REFS |
				      PH_LATE_GENS);
	struct ph_geo geo = { 0 };
	int err = ph_geo_init(&geo, size, align, keep);

	CHECK(err == (size && size <= PH_SLOT_MAX && align <= PAGE_SIZE ? 0 : -EINVAL));
	if (err)
		return;
	CHECK(geo.stride >= size && geo.stride < size + align && geo.stride % align == 0);
	CHECK(geo.pages && geo.pages <= PH_SLAB_MAX_PAGES);
	CHECK(ph_geo_slots(&geo, geo.pages) == geo.pages * PAGE_SIZE / geo.stride);
	/* Nothing is better by more than what a longer slab has to gain. */
	for (pages = 1; pages <= PH_SLAB_MAX_PAGES; pages++)
		CHECK(cost(geo, geo.pages) <= cost(geo, pages) + cost(geo, pages) / 128 + 1);
	check_slots(&geo, feed);
}
