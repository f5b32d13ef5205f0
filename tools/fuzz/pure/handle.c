// SPDX-License-Identifier: GPL-2.0
/*
 * Handles. The model remembers each one that was ever given out, and whether it
 * lives; any other number names nothing.
 */
#include "handle.h"
#include "targets.h"

#define MAX_KNOWN	256
#define MAX_SLABS	4

struct known {
	u64 handle;
	u64 round;
	struct ph_slab *slab;
	bool live;
};

static struct known known[MAX_KNOWN];
static u32 nr_known;
static struct ph_slab *slabs[MAX_SLABS];
static struct ph_heap heap;
static struct ph_cache caches[MAX_SLABS];

static void alloc(struct ph_slab *slab)
{
	struct known *k = &known[nr_known];
	u32 fresh = 0, slot;

	if (nr_known == MAX_KNOWN || !ph_slab_take(slab, &k->round, 1, &fresh))
		return;
	slot = ph_round_slot(slab, k->round);
	k->handle = ph_handle(&heap, ph_slab_gen(slab, slot), slab->start + slot * slab->stride);
	k->slab = slab;
	k->live = true;
	/* A generation that comes round is a handle that fits again. */
	for (u32 i = 0; i < nr_known; i++)
		CHECK(known[i].handle != k->handle);
	nr_known++;
	set_bit(slot, slab->live);
}

static struct known *find_known(u64 handle)
{
	for (u32 i = 0; i < nr_known; i++)
		if (known[i].handle == handle)
			return &known[i];
	return NULL;
}

/* Whether the place of a handle has a living object now. */
static bool is_reused(u64 handle)
{
	for (u32 i = 0; i < nr_known; i++)
		if (known[i].live &&
		    (known[i].handle & PH_OFFSET_MASK) == (handle & PH_OFFSET_MASK))
			return true;
	return false;
}

static void check_error(u64 handle, const struct known *k, int err)
{
	if (!(handle >> PH_TAG_SHIFT)) {
		CHECK(err == -ENXIO);
	} else if ((handle & ~0ULL << PH_TAG_SHIFT) != heap.region.tag) {
		CHECK(err == -EXDEV);
	} else if (k) {
		CHECK(err == (is_reused(handle) ? -EREMCHG : -ESTALE));
	} else {
		/* Generations from before the heap's time count as used, too. */
		CHECK(err == -ENXIO || err == -EBADSLT || err == -ESTALE || err == -EREMCHG);
	}
}

static void look(u64 handle)
{
	struct ph_slab *slab = &ph_no_slab;
	const struct known *k = find_known(handle);
	u32 slot = 0;

	if (ph_handle_find(&heap, handle, &slab, &slot)) {
		CHECK(k && k->live && k->slab == slab);
		CHECK(slab->start + slot * slab->stride == (handle & PH_OFFSET_MASK));
	} else {
		CHECK(!k || !k->live);
		check_error(handle, k, ph_handle_error(&heap, handle));
	}
}

static void free_one(struct known *k)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;

	if (!ph_handle_find(&heap, k->handle, &slab, &slot)) {
		CHECK(!k->live);
		return;
	}
	CHECK(k->live);
	CHECK(ph_handle_claim_late(slab, slot, k->handle));
	CHECK(!ph_handle_claim_late(slab, slot, k->handle));
	k->live = false;
	CHECK(ph_slab_give(slab, ph_handle_round(k->handle)));
}

static void attach_gens(struct ph_slab *slab)
{
	struct ph_gens *gens;

	if (!ph_slab_is_stuck(slab))
		return;
	gens = ph_gens_alloc(&heap.region, slab);
	CHECK(!IS_ERR(gens));
	ph_slab_attach_gens(slab, gens);
}

static void act(struct feed *feed)
{
	u32 what = feed_byte(feed), at = feed_byte(feed);
	struct ph_slab *slab = slabs[what >> 4 & (MAX_SLABS - 1)];
	u64 handle = nr_known ? known[at % nr_known].handle : 0;

	switch (what % 8) {
	case 0:
	case 1:
		for (at %= 16; at; at--)
			alloc(slab);
		break;
	case 2:
	case 3:
		if (nr_known)
			free_one(&known[at % nr_known]);
		break;
	case 4: attach_gens(slab); break;
	case 5: look(handle); break;
	case 6: look(handle ^ 1ULL << at % 64); break;
	default: look(what & 8 ? feed_word(feed) : handle + feed_short(feed));
	}
}

static void end(void)
{
	for (u32 i = 0; i < nr_known; i++)
		if (known[i].live)
			free_one(&known[i]);
	for (u32 i = 0; i < MAX_SLABS; i++)
		ph_slab_destroy(&heap.region, slabs[i], false);
	/* Without their slabs they are as stale as before. */
	for (u32 i = 0; i < nr_known; i++)
		CHECK(ph_handle_error(&heap, known[i].handle) == -ESTALE);
	ph_region_exit(&heap.region);
}

void target_handle(struct feed *feed)
{
	memset(&heap, 0, sizeof(heap));
	memset(caches, 0, sizeof(caches));
	nr_known = 0;
	ph_region_init(&heap.region, NULL, 1ULL << 30);
	heap.region.tag = (u64)(1 + feed_byte(feed) % 255) << PH_TAG_SHIFT;
	heap.region.gen_first = feed_short(feed);
	for (u32 i = 0; i < MAX_SLABS; i++) {
		u32 keep = feed_byte(feed) & 1 ? PH_LATE_GENS : 0;
		struct ph_geo *geo = &caches[i].geo;

		CHECK(!ph_geo_init(geo, 512 + feed_short(feed) % 4096, 8, keep));
		slabs[i] = ph_slab_create(&heap.region, &caches[i], geo, GFP_KERNEL);
		CHECK(!IS_ERR(slabs[i]));
		ph_slab_publish(&heap.region, slabs[i]);
	}
	while (feed->left)
		act(feed);
	end();
}
