// SPDX-License-Identifier: GPL-2.0
/* Region: every page is zero, and comes back. */

#include <linux/mm.h>

#include "fixture.h"
#include "unit.h"

/* Bytes that make the region ask for steps of 64 pages. */
#define PH_STEP_BYTES	(64ULL << (PAGE_SHIFT + 8))

static void *ph_take(struct kunit *test, unsigned int pages)
{
	struct ph_fixture *fix = test->priv;
	void *addr = ph_region_take_run(fix->region, pages, PH_GFP);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	return addr;
}

static u64 ph_requests(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	return atomic64_read(&fix->region->system_requests);
}

static void take_run_every_length_is_zero(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u32 pages, lengths = 0, wrong = 0;
	void *addr;

	for (pages = 1; pages <= PH_RUN_MAX_PAGES; pages += 3, lengths++) {
		addr = ph_take(test, pages);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
				(u64)pages << PAGE_SHIFT);
		wrong += !ph_fixture_is_zero(addr, (size_t)pages << PAGE_SHIFT);
		ph_region_put_run(fix->region, addr, pages, false);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	}
	KUNIT_EXPECT_EQ(test, lengths, 171);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void take_run_when_hard_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	fix->region->hard_max = 3 * PAGE_SIZE;
	KUNIT_EXPECT_PTR_EQ(test, ph_region_take_run(fix->region, 4, PH_GFP),
			    ERR_PTR(-EDQUOT));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	ph_region_put_run(fix->region, ph_take(test, 3), 3, false);
}

static void put_run_kept_is_zeroed_and_reused(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *addr = ph_take(test, 4);
	u64 requests = ph_requests(test);

	memset(addr, 0x5a, 4 * PAGE_SIZE);
	ph_region_put_run(fix->region, addr, 4, true);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 4);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 4 * PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, ph_take(test, 4), addr);
	KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(addr, 4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, ph_requests(test), requests);
	ph_region_put_run(fix->region, addr, 4, false);
}

static void take_run_carves_longer_stock(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *part[3];
	u64 requests;
	u32 i;

	ph_region_put_run(fix->region, ph_take(test, 6), 6, true);
	requests = ph_requests(test);
	for (i = 0; i < 3; i++) {
		part[i] = ph_take(test, 2);
		memset(part[i], 1 + i, 2 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 4 - 2 * i);
	}
	KUNIT_EXPECT_EQ(test, ph_requests(test), requests);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(part[i], 1 + i,
						   2 * PAGE_SIZE));
		ph_region_put_run(fix->region, part[i], 2, false);
	}
}

static void take_run_when_stock_is_too_short(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 requests;
	void *addr;

	ph_region_put_run(fix->region, ph_take(test, 2), 2, true);
	requests = ph_requests(test);
	addr = ph_take(test, 3);
	KUNIT_EXPECT_EQ(test, ph_requests(test), requests + 1);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 2);
	ph_region_put_run(fix->region, addr, 3, false);
}

static void take_run_steps_grow_with_the_heap(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *addr;

	KUNIT_ASSERT_EQ(test, 0, ph_region_charge(fix->region, PH_STEP_BYTES));
	addr = ph_take(test, 1);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 63);
	ph_region_put_run(fix->region, addr, 1, false);
	ph_region_trim(fix->region);
	addr = ph_take(test, 5);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 55);
	ph_region_put_run(fix->region, addr, 5, false);
	ph_region_uncharge(fix->region, PH_STEP_BYTES);
}

static void take_run_steps_when_above_soft_max(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *addr;

	fix->region->soft_max = PH_STEP_BYTES - 1;
	KUNIT_ASSERT_EQ(test, 0, ph_region_charge(fix->region, PH_STEP_BYTES));
	addr = ph_take(test, 1);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 0);
	ph_region_put_run(fix->region, addr, 1, false);
	ph_region_uncharge(fix->region, PH_STEP_BYTES);
}

static void take_run_when_step_does_not_fit_hard_max(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *addr;

	KUNIT_ASSERT_EQ(test, 0, ph_region_charge(fix->region, PH_STEP_BYTES));
	fix->region->hard_max = PH_STEP_BYTES + 2 * PAGE_SIZE;
	addr = ph_take(test, 2);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
			fix->region->hard_max);
	ph_region_put_run(fix->region, addr, 2, false);
	ph_region_uncharge(fix->region, PH_STEP_BYTES);
}

static void take_pages_fills_the_array(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const u32 nr = PH_RUN_MAX_PAGES + 77;
	struct page **pages;
	u32 i, wrong = 0;

	pages = kunit_kcalloc(test, nr, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, 0, ph_region_charge(fix->region, PH_STEP_BYTES));
	KUNIT_ASSERT_EQ(test, ph_region_take_pages(fix->region, pages, nr), 0);
	/* No more than that, however much the heap has. */
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
			PH_STEP_BYTES + (nr << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 0);
	for (i = 0; i < nr; i++)
		wrong += !ph_fixture_is_zero(page_address(pages[i]), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	ph_region_put_pages(fix->region, pages, nr);
	ph_region_uncharge(fix->region, PH_STEP_BYTES);
	ph_region_trim(fix->region);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

/* The system gives powers of two, all of them zeroed. */
static void take_pages_asks_for_no_more_than_it_needs(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct page *pages[42];

	KUNIT_ASSERT_EQ(test, ph_region_take_pages(fix->region, pages, 42), 0);
	KUNIT_EXPECT_EQ(test,
			atomic64_read(&fix->region->system_requests),
			hweight32(42));
	ph_region_put_pages(fix->region, pages, 42);
}

static void take_pages_when_hard_max_is_in_the_middle(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const u32 nr = PH_RUN_MAX_PAGES + 77;
	struct page **pages;

	pages = kunit_kcalloc(test, nr, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	fix->region->hard_max = (u64)(nr - 1) << PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test, ph_region_take_pages(fix->region, pages, nr),
			-EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 0);
}

static struct page **ph_page_array(struct kunit *test, unsigned long nr)
{
	struct page **pages = kunit_kcalloc(test, nr, sizeof(*pages), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	return pages;
}

/*
 * A unit begins at a multiple of its length, is all there, and in one piece; what
 * is before and after has single pages. Where there are none, all has. Returns how
 * many there are.
 */
static u32 ph_expect_units(struct kunit *test, struct page **pages,
			   unsigned long from, unsigned long to)
{
	unsigned long i, unit;
	u32 units = 0, wrong = 0;

	for (i = from; i < to; i++) {
		wrong += !ph_fixture_is_zero(page_address(pages[i]), PAGE_SIZE);
		if (!PageCompound(pages[i]))
			continue;
		unit = round_down(i, PH_UNIT_PAGES);
		wrong += unit < from || unit + PH_UNIT_PAGES > to ||
			 !PageHead(pages[unit]) ||
			 pages[i] != pages[unit] + (i - unit);
		units += i == unit;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	return units;
}

static void take_span_has_units_where_they_fit(struct kunit *test)
{
	static const struct {
		unsigned long from, to;
	} ranges[] = {
		{ 0, 1 }, { 0, PH_UNIT_PAGES - 1 }, { 0, PH_UNIT_PAGES },
		{ 1, PH_UNIT_PAGES }, { 1, PH_UNIT_PAGES + 1 },
		{ 0, PH_UNIT_PAGES + 1 }, { 7, 2 * PH_UNIT_PAGES + 9 },
		{ PH_UNIT_PAGES, 3 * PH_UNIT_PAGES },
	};
	struct ph_fixture *fix = test->priv;
	struct page **pages = ph_page_array(test, 3 * PH_UNIT_PAGES);
	unsigned long i, nr, first, last;
	u32 units;

	/* Nothing more is asked for than is needed. */
	fix->region->soft_max = 0;
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		nr = ranges[i].to - ranges[i].from;
		first = DIV_ROUND_UP(ranges[i].from, PH_UNIT_PAGES);
		last = max(ranges[i].to / PH_UNIT_PAGES, first);
		KUNIT_ASSERT_EQ(test, 0,
				ph_region_take_span(fix->region, pages,
						    ranges[i].from,
						    ranges[i].to));
		units = ph_expect_units(test, pages, ranges[i].from,
					ranges[i].to);
		KUNIT_EXPECT_LE(test, units, ph_unit_any() ? last - first : 0);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
				(u64)nr << PAGE_SHIFT);
		ph_region_put_pages(fix->region, pages + ranges[i].from, nr);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
		KUNIT_EXPECT_EQ(test, ph_region_validate(fix->region), 0);
	}
}

static void take_span_when_hard_max_is_in_the_middle(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const unsigned long nr = 2 * PH_UNIT_PAGES + 5;
	struct page **pages = ph_page_array(test, nr);
	unsigned long max;

	for (max = 0; max < nr; max += 41) {
		fix->region->hard_max = (u64)max << PAGE_SHIFT;
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				ph_region_take_span(fix->region, pages, 0, nr));
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	}
	fix->region->hard_max = (u64)nr << PAGE_SHIFT;
	KUNIT_ASSERT_EQ(test, 0,
			ph_region_take_span(fix->region, pages, 0, nr));
	ph_region_put_pages(fix->region, pages, nr);
}

/* What the heap has in stock it need not take. */
static void take_span_uses_the_stock_first(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const unsigned long nr = PH_UNIT_PAGES;
	struct page **pages = ph_page_array(test, nr);

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, nr), 0);
	KUNIT_ASSERT_EQ(test, 0,
			ph_region_take_span(fix->region, pages, 0, nr));
	KUNIT_EXPECT_EQ(test, ph_expect_units(test, pages, 0, nr), 0);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
			(u64)nr << PAGE_SHIFT);
	ph_region_put_pages(fix->region, pages, nr);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, nr);
}

/*
 * Somebody who has a page of it has all of it: the heap is rid of it, the module
 * counts it until it is free.
 */
static void put_unit_that_is_held(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const unsigned long nr = PH_UNIT_PAGES;
	struct page **pages = ph_page_array(test, nr);
	struct ph_reserve_stat before, stat;
	struct page *held;
	bool unit;

	ph_reserve_get_stat(&before);
	KUNIT_ASSERT_EQ(test, 0,
			ph_region_take_span(fix->region, pages, 0, nr));
	unit = PageCompound(pages[0]);
	held = pages[5];
	get_page(held);
	*(u64 *)page_address(held) = 0x5ec2e7;
	ph_region_put_pages(fix->region, pages, nr);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	ph_reserve_get_stat(&stat);
	KUNIT_EXPECT_EQ(test, stat.pages - before.pages, unit ? nr : 0);
	KUNIT_EXPECT_EQ(test, stat.held_bytes - before.held_bytes,
			unit ? PH_UNIT_BYTES : 0);
	KUNIT_EXPECT_EQ(test, *(u64 *)page_address(held), 0x5ec2e7);
	put_page(held);
	ph_reserve_get_stat(&stat);
	KUNIT_EXPECT_EQ(test, stat.pages, before.pages);
	KUNIT_EXPECT_EQ(test, stat.held_bytes, before.held_bytes);
}

static void held_unit_is_in_the_way_until_it_is_free(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const unsigned long nr = PH_UNIT_PAGES;
	struct page **pages = ph_page_array(test, nr);
	struct ph_reserve_stat stat;
	struct page *held;

	KUNIT_ASSERT_EQ(test, 0,
			ph_region_take_span(fix->region, pages, 0, nr));
	held = pages[5];
	if (!PageCompound(held)) {
		ph_region_put_pages(fix->region, pages, nr);
		kunit_skip(test, "there is no unit");
	}
	get_page(held);
	ph_region_put_pages(fix->region, pages, nr);
	ph_reserve_get_stat(&stat);
	ph_reserve_set_max(stat.held_bytes);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1), -EDQUOT);
	put_page(held);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(PH_UNIT_BYTES), 0);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1), -EDQUOT);
	ph_reserve_uncharge(PH_UNIT_BYTES);
	ph_reserve_set_max(stat.max_bytes);
}

static void set_reserve_stocks_pages(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, 600), 0);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 600);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
			600ULL << PAGE_SHIFT);
}

static void set_reserve_is_not_trimmed(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, 10), 0);
	KUNIT_EXPECT_EQ(test, ph_region_trim(fix->region), 0);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 10);
}

static void set_reserve_when_lowered(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, 10), 0);
	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, 4), 0);
	ph_region_trim(fix->region);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 4);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 4 * PAGE_SIZE);
}

static void set_reserve_when_hard_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, 10), 0);
	fix->region->hard_max = 700ULL << PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test, ph_region_set_reserve(fix->region, 701),
			-EDQUOT);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 10);
	KUNIT_EXPECT_EQ(test, fix->region->stock_target, 10);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 10 * PAGE_SIZE);
}

static void set_reserve_serves_runs_and_refills(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 requests;
	void *addr;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(fix->region, 8), 0);
	requests = ph_requests(test);
	addr = ph_take(test, 3);
	KUNIT_EXPECT_EQ(test, ph_requests(test), requests);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 5);
	memset(addr, 0x5a, 3 * PAGE_SIZE);
	ph_region_put_run(fix->region, addr, 3, false);
	KUNIT_EXPECT_EQ(test, fix->region->stock_pages, 8);
	addr = ph_take(test, 3);
	KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(addr, 3 * PAGE_SIZE));
	ph_region_put_run(fix->region, addr, 3, false);
}

/* Of a stock in pieces a longer run costs no look at each of them. */
static void stock_is_kept_by_length_of_run(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_region *region = fix->region;
	struct page **pages = ph_page_array(test, 64);
	void *two, *five;
	u32 i;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(region, 64), 0);
	KUNIT_EXPECT_TRUE(test, ph_region_stocked(region, 64));
	KUNIT_ASSERT_EQ(test, 0, ph_region_take_pages(region, pages, 64));
	KUNIT_EXPECT_FALSE(test, ph_region_stocked(region, 1));
	ph_region_put_pages(region, pages, 64);
	KUNIT_EXPECT_EQ(test, region->stock_pages, 64);
	KUNIT_EXPECT_TRUE(test, ph_region_stocked(region, 1));
	KUNIT_EXPECT_FALSE(test, ph_region_stocked(region, 2));
	for (i = 1; i < PH_STOCK_CLASSES; i++)
		KUNIT_EXPECT_TRUE(test, list_empty(&region->stock[i]));
	KUNIT_EXPECT_EQ(test, ph_region_validate(region), 0);
	/* The shortest that will do is cut, and the rest goes to its like. */
	five = ph_take(test, 5);
	two = ph_take(test, 2);
	ph_region_put_run(region, five, 5, true);
	ph_region_put_run(region, two, 2, true);
	KUNIT_EXPECT_EQ(test, ph_region_validate(region), 0);
	KUNIT_EXPECT_PTR_EQ(test, ph_take(test, 2), two);
	KUNIT_EXPECT_PTR_EQ(test, ph_take(test, 2), five + 3 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, ph_region_stocked(region, 3));
	KUNIT_EXPECT_FALSE(test, ph_region_stocked(region, 4));
	KUNIT_EXPECT_PTR_EQ(test, ph_take(test, 3), five);
	KUNIT_EXPECT_EQ(test, ph_region_validate(region), 0);
	ph_region_put_run(region, five, 5, false);
	ph_region_put_run(region, two, 2, false);
}

/* Whatever is in stock, a run is found if a list can tell that it is there. */
static void stock_of_every_length_is_found(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_region *region = fix->region;
	u32 have, want, wrong = 0;

	for (have = 1; have <= PH_RUN_MAX_PAGES; have += 1 + have / 8) {
		ph_region_put_run(region, ph_take(test, have), have, true);
		wrong += ph_region_validate(region) != 0;
		for (want = 1; want <= 8; want++)
			wrong += ph_region_stocked(region, want) != (want <= have);
		for (want = 16; want <= PH_RUN_MAX_PAGES; want *= 2)
			wrong += ph_region_stocked(region, want) != (want <= have);
		for (want = have + 1; want <= PH_RUN_MAX_PAGES; want++)
			wrong += ph_region_stocked(region, want);
		ph_region_trim(region);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void trim_tells_what_it_gave_back(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	ph_region_put_run(fix->region, ph_take(test, 6), 6, true);
	KUNIT_EXPECT_EQ(test, ph_region_trim(fix->region), 6 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ph_region_trim(fix->region), 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fix->region->pages_returned), 6);
}

static void pages_are_told_apart_by_origin(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *first, *second;

	if (fix->before.reserve_pages)
		kunit_skip(test, "the module was loaded with a reserve");
	KUNIT_ASSERT_EQ(test, ph_reserve_init(4), 0);
	first = ph_take(test, 4);
	second = ph_take(test, 2);
	KUNIT_EXPECT_EQ(test, 4,
			atomic64_read(&fix->region->pages_from_reserve));
	KUNIT_EXPECT_EQ(test, 2,
			atomic64_read(&fix->region->pages_from_system));
	KUNIT_EXPECT_EQ(test, ph_requests(test), 1);
	ph_region_put_run(fix->region, first, 4, false);
	ph_region_put_run(fix->region, second, 2, false);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fix->region->pages_returned), 6);
	ph_reserve_exit();
}

static void held_is_pages_and_metadata(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *meta[40], *run[40];
	u64 pages = 0, i;

	for (i = 0; i < 40; i++) {
		meta[i] = ph_region_meta_alloc(fix->region, 1 + 100 * i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, meta[i]);
		run[i] = ph_take(test, 1 + i % 8);
		pages += 1 + i % 8;
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region),
				(pages << PAGE_SHIFT) +
				atomic64_read(&fix->region->metadata));
	}
	for (i = 0; i < 40; i++) {
		ph_region_meta_free(fix->region, meta[i], 1 + 100 * i);
		ph_region_put_run(fix->region, run[i], 1 + i % 8, false);
	}
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

static struct kunit_case ph_region_pages_test_cases[] = {
	KUNIT_CASE(take_run_every_length_is_zero),
	KUNIT_CASE(take_run_when_hard_max_is_reached),
	KUNIT_CASE(put_run_kept_is_zeroed_and_reused),
	KUNIT_CASE(take_run_carves_longer_stock),
	KUNIT_CASE(take_run_when_stock_is_too_short),
	KUNIT_CASE(take_run_steps_grow_with_the_heap),
	KUNIT_CASE(take_run_steps_when_above_soft_max),
	KUNIT_CASE(take_run_when_step_does_not_fit_hard_max),
	KUNIT_CASE(take_pages_fills_the_array),
	KUNIT_CASE(take_pages_asks_for_no_more_than_it_needs),
	KUNIT_CASE(take_pages_when_hard_max_is_in_the_middle),
	KUNIT_CASE(take_span_has_units_where_they_fit),
	KUNIT_CASE(take_span_when_hard_max_is_in_the_middle),
	KUNIT_CASE(take_span_uses_the_stock_first),
	KUNIT_CASE(put_unit_that_is_held),
	KUNIT_CASE(held_unit_is_in_the_way_until_it_is_free),
	KUNIT_CASE(set_reserve_stocks_pages),
	KUNIT_CASE(set_reserve_is_not_trimmed),
	KUNIT_CASE(set_reserve_when_lowered),
	KUNIT_CASE(set_reserve_when_hard_max_is_reached),
	KUNIT_CASE(set_reserve_serves_runs_and_refills),
	KUNIT_CASE(stock_is_kept_by_length_of_run),
	KUNIT_CASE(stock_of_every_length_is_found),
	KUNIT_CASE(trim_tells_what_it_gave_back),
	KUNIT_CASE(pages_are_told_apart_by_origin),
	KUNIT_CASE(held_is_pages_and_metadata),
	{}
};

static struct kunit_suite ph_region_pages_suite = {
	.name = "privheap_region_pages",
	.init = ph_fixture_init_region,
	.exit = ph_fixture_exit,
	.test_cases = ph_region_pages_test_cases,
};

kunit_test_suite(ph_region_pages_suite);
