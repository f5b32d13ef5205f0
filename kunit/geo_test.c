// SPDX-License-Identifier: GPL-2.0
/* Geometry: how slabs are cut into slots. */

#include "fixture.h"

static void geo_fits_every_size_and_align(struct kunit *test)
{
	u32 size, align, slots, tried = 0, wrong = 0;
	struct ph_geo geo;

	for (align = 1; align <= PAGE_SIZE; align <<= 1) {
		for (size = 1; size <= PH_SLOT_MAX; size++, tried++) {
			wrong += ph_geo_init(&geo, size, align, 0) != 0;
			slots = ph_geo_slots(&geo, geo.pages);
			wrong += geo.stride < size;
			wrong += geo.stride - size >= align;
			wrong += geo.stride % align != 0;
			wrong += !slots || geo.pages > PH_SLAB_MAX_PAGES;
			wrong += (u64)slots * geo.stride >
				 (u64)geo.pages << PAGE_SHIFT;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, tried, PH_SLOT_MAX * (PAGE_SHIFT + 1));
}

static void geo_tail_is_at_most_an_eighth(struct kunit *test)
{
	u32 size, tail, wrong = 0;
	struct ph_geo geo;

	for (size = 1; size <= PH_SLOT_MAX; size++) {
		KUNIT_ASSERT_EQ(test, ph_geo_init(&geo, size, 1, 0), 0);
		tail = (geo.pages << PAGE_SHIFT) % geo.stride;
		wrong += tail > (geo.pages << PAGE_SHIFT) / 8;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static const struct ph_geo_bad {
	const char *name;
	u32 size;
	u32 align;
} ph_geo_bads[] = {
	{ "no size", 0, 8 },
	{ "size above the largest slot", 2 * PAGE_SIZE + 1, 8 },
	{ "size of 4 GiB", U32_MAX, 8 },
	{ "no alignment", 8, 0 },
	{ "alignment of 3", 8, 3 },
	{ "alignment above a page", 8, 2 * PAGE_SIZE },
	{ "alignment of 2 GiB", 8, 1U << 31 },
};

static void ph_geo_bad_name(const struct ph_geo_bad *bad, char *desc)
{
	strscpy(desc, bad->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_geo_bad, ph_geo_bads, ph_geo_bad_name);

static void geo_when_declared_badly(struct kunit *test)
{
	const struct ph_geo_bad *bad = test->param_value;
	struct ph_geo geo;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			ph_geo_init(&geo, bad->size, bad->align, 0));
}

/* The cost that decides: whole pages and books, per object. */
static u64 ph_cost_of(const struct ph_geo *geo, u32 pages)
{
	u32 slots = ph_geo_slots(geo, pages);

	if (!slots)
		return U64_MAX;
	return (((u64)pages << PAGE_SHIFT) +
		ph_region_meta_cost(ph_geo_meta_bytes(geo, slots))) * 1024 /
	       slots;
}

static void geo_is_within_one_percent_of_the_best(struct kunit *test)
{
	u32 size, pages, wrong = 0;
	u64 best, cost;
	struct ph_geo geo;

	for (size = 1; size <= PH_SLOT_MAX; size++) {
		KUNIT_ASSERT_EQ(test, ph_geo_init(&geo, size, 1, 0), 0);
		cost = ph_cost_of(&geo, geo.pages);
		best = cost;
		for (pages = 1; pages <= PH_SLAB_MAX_PAGES; pages++)
			best = min(best, ph_cost_of(&geo, pages));
		wrong += cost > best + best / 100;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* Of those that cost the same. */
static void geo_of_many_sizes_is_the_longest(struct kunit *test)
{
	u32 size, pages, longer = 0;
	struct ph_geo geo;

	for (size = 16; size <= PH_SLOT_MAX; size += 16) {
		KUNIT_ASSERT_EQ(test, 0,
				ph_geo_init(&geo, size, 16,
					    PH_KEEP_SLACK | PH_LONG));
		for (pages = geo.pages + 1; pages <= PH_SLAB_MAX_PAGES; pages++)
			longer += ph_cost_of(&geo, pages) ==
				  ph_cost_of(&geo, geo.pages);
	}
	KUNIT_EXPECT_EQ(test, longer, 0);
}

/* Those, and only those, of which a bitmap would take 1/64. */
static void geo_chains_the_smallest(struct kunit *test)
{
	u32 keep = PH_BY_ADDRESS | PH_CHAIN, size, align, wrong = 0;
	struct ph_geo geo;

	for (align = 8; align <= PAGE_SIZE; align <<= 1) {
		for (size = 1; size <= PH_SLOT_MAX; size++) {
			wrong += ph_geo_init(&geo, size, align, keep) != 0;
			wrong += !!(geo.keep & PH_CHAIN) != (geo.stride == 8);
			wrong += ph_geo_init(&geo, size, align,
					     PH_BY_ADDRESS) != 0;
			wrong += geo.keep != PH_BY_ADDRESS;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* Shorter slabs than the cheapest, but not at any price. */
static void geo_of_a_chain_is_cheap_and_short(struct kunit *test)
{
	u32 pages, shorter = 0;
	u64 best = U64_MAX, cost;
	struct ph_geo geo;

	KUNIT_ASSERT_EQ(test, 0, ph_geo_init(&geo, 8, 8,
					     PH_BY_ADDRESS | PH_CHAIN));
	cost = ph_cost_of(&geo, geo.pages);
	for (pages = 1; pages <= PH_SLAB_MAX_PAGES; pages++)
		best = min(best, ph_cost_of(&geo, pages));
	KUNIT_EXPECT_LT(test, cost, best + best / 100);
	for (pages = 1; pages < geo.pages; pages++)
		shorter += ph_cost_of(&geo, pages) <= cost;
	KUNIT_EXPECT_EQ(test, shorter, 0);
	KUNIT_EXPECT_LE(test, ph_geo_slots(&geo, geo.pages), PH_CHAIN_MAX);
	/* 1.02 of what the objects alone need. */
	KUNIT_EXPECT_LT(test, cost, 8 * 1024 * 102 / 100);
}

/* But where that costs more than 1/32; then it is the cheapest of all. */
static void geo_of_bare_slabs_is_a_power_of_two(struct kunit *test)
{
	u32 keep = PH_LATE_GENS | PH_KEEP_SLACK | PH_LONG | PH_BARE;
	u32 size, pages, wrong = 0, odd = 0;
	struct ph_geo geo;
	u64 cost, worth;

	for (size = 16; size <= PH_SLOT_MAX; size += 16) {
		KUNIT_ASSERT_EQ(test, 0, ph_geo_init(&geo, size, 16, keep));
		odd += !is_power_of_2(geo.pages);
		cost = ph_cost_of(&geo, geo.pages);
		for (pages = 1; pages <= PH_SLAB_MAX_PAGES; pages++) {
			worth = ph_cost_of(&geo, pages);
			if (worth == U64_MAX)
				continue;
			if (!is_power_of_2(geo.pages) && is_power_of_2(pages))
				worth -= worth / 34;
			wrong += worth + worth / 30 < cost;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	/* Small ones never cost so much. */
	KUNIT_EXPECT_GT(test, odd, 0);
	for (size = 16; size <= 512; size += 16) {
		KUNIT_ASSERT_EQ(test, 0, ph_geo_init(&geo, size, 16, keep));
		KUNIT_EXPECT_TRUE(test, is_power_of_2(geo.pages));
	}
}

static struct kunit_case ph_geo_test_cases[] = {
	KUNIT_CASE(geo_fits_every_size_and_align),
	KUNIT_CASE(geo_tail_is_at_most_an_eighth),
	KUNIT_CASE(geo_is_within_one_percent_of_the_best),
	KUNIT_CASE(geo_of_many_sizes_is_the_longest),
	KUNIT_CASE(geo_chains_the_smallest),
	KUNIT_CASE(geo_of_a_chain_is_cheap_and_short),
	KUNIT_CASE(geo_of_bare_slabs_is_a_power_of_two),
	KUNIT_CASE_PARAM(geo_when_declared_badly, ph_geo_bad_gen_params),
	{}
};

static struct kunit_suite ph_geo_suite = {
	.name = "privheap_geo",
	.init = ph_fixture_init,
	.exit = ph_fixture_exit,
	.test_cases = ph_geo_test_cases,
};

kunit_test_suite(ph_geo_suite);
