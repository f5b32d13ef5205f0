// SPDX-License-Identifier: GPL-2.0
/* What is mapped read-only: pages of the slab map, and the statistics page. */

#include <linux/mm.h>

#include "board.h"
#include "faults.h"
#include "hand.h"
#include "objects.h"
#include "supply.h"

#define PH_ENTRIES	(PAGE_SIZE / sizeof(struct privheap_map_entry))

static void ph_fill_from_region(struct ph_region *region, u64 page,
				struct privheap_map_entry *entry)
{
	struct ph_slab *slab = ph_fixture_slab(region, page << PAGE_SHIFT);

	if (slab)
		ph_cache_map_entry(slab, entry);
}

static void ph_fill_with_number(struct ph_region *region, u64 page,
				struct privheap_map_entry *entry)
{
	entry->first_page = page;
}

static struct privheap_map_entry *ph_map(struct kunit *test,
					 unsigned long index,
					 ph_view_fill_fn fill)
{
	struct page *page;

	page = ph_view_slab_map_page(&ph_test_heap(test)->region, index, fill);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	return page_address(page);
}

static void map_page_is_made_once(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 held = ph_fixture_held(region), i;
	struct privheap_map_entry *map;

	map = ph_map(test, 3, ph_fill_with_number);
	for (i = 0; i < PH_ENTRIES; i++)
		KUNIT_EXPECT_EQ(test, map[i].first_page, 3 * PH_ENTRIES + i);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held + PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, map, ph_map(test, 3, ph_fill_from_region));
	KUNIT_EXPECT_EQ(test, map[5].first_page, 3 * PH_ENTRIES + 5);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held + PAGE_SIZE);
}

static void map_page_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 held = ph_fixture_held(region);
	struct page *page;

	region->hard_max = held + PAGE_SIZE - 1;
	page = ph_view_slab_map_page(region, 0, ph_fill_from_region);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(page), -EDQUOT);
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_board_make(ph_test_heap(test)));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
	KUNIT_EXPECT_NULL(test, ph_view_stat(&region->view));
	region->hard_max = held + PAGE_SIZE;
	page = ph_view_slab_map_page(region, 0, ph_fill_from_region);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(page), 0);
	region->hard_max = PH_TEST_MAX_BYTES;
}

static int ph_make_map_page(struct ph_heap *heap)
{
	struct page *page;

	/* Not the first one, for which the map of them needs no memory. */
	page = ph_view_slab_map_page(&heap->region, 7, ph_fill_from_region);
	return PTR_ERR_OR_ZERO(page);
}

/* Each allocation fails, until there are no more: nothing is left, or all there. */
static void pages_when_memory_is_short(struct kunit *test)
{
	int (* const makes[])(struct ph_heap *heap) = {
		ph_make_map_page, ph_board_make,
	};
	struct ph_heap *heap = ph_test_heap(test);
	u64 held = ph_fixture_held(&heap->region);
	u32 i, nth, failed;
	bool hit;
	int err;

	if (!ph_faults_work(true))
		kunit_skip(test, "the kernel cannot make allocations fail");
	for (i = 0; i < ARRAY_SIZE(makes); i++) {
		failed = 0;
		for (nth = 1;; nth++) {
			KUNIT_ASSERT_LT(test, nth, 100);
			ph_faults_begin(nth, true);
			err = makes[i](heap);
			hit = ph_faults_end();
			if (!err)
				break;
			KUNIT_EXPECT_TRUE(test, hit);
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, ph_fixture_held(&heap->region), held);
			failed++;
		}
		KUNIT_EXPECT_GT(test, failed, 0);
		held = ph_fixture_held(&heap->region);
	}
	KUNIT_EXPECT_NOT_NULL(test, ph_view_stat(&heap->region.view));
	ph_test_expect_sound(test);
}

/* A note of each length at each place across two pages, of three. */
static void note_reaches_its_range_only(struct kunit *test)
{
	static const unsigned long lengths[] = { 1, 2, 255, 256, 257, 511, 512 };
	struct ph_view *view = &ph_test_heap(test)->region.view;
	struct privheap_map_entry *map[3], note = { .type = 7 }, none = {};
	unsigned long i, from, page, wrong = 0;

	for (i = 0; i < 3; i++)
		map[i] = ph_map(test, 100 + i, ph_fill_from_region);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (from = 0; from + lengths[i] <= 3 * PH_ENTRIES; from += 51) {
			ph_view_note(view, 100 * PH_ENTRIES + from, lengths[i],
				     &note);
			for (page = 0; page < 3 * PH_ENTRIES; page++)
				wrong += map[page / PH_ENTRIES][page % PH_ENTRIES].type !=
					 (page - from < lengths[i] ? 7 : 0);
			ph_view_note(view, 100 * PH_ENTRIES + from, lengths[i],
				     &none);
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	/* Where no page was made there is nothing to tell. */
	ph_view_note(view, 50 * PH_ENTRIES - 5, 10, &note);
	ph_view_note(view, 103 * PH_ENTRIES - 1, 2, &note);
	KUNIT_EXPECT_EQ(test, map[2][PH_ENTRIES - 1].type, 7);
}

/* What came before the page was made is there; what comes after, too. */
static void map_follows_slabs(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 early = ph_test_alloc(test, PRIVHEAP_TYPE_INT, 0) & PH_OFFSET_MASK;
	struct privheap_map_entry *map = ph_map(test, 0, ph_fill_from_region);
	struct privheap_run run;
	u64 span;
	u32 i, done;

	KUNIT_EXPECT_EQ(test, map[early >> PAGE_SHIFT].type, PRIVHEAP_TYPE_INT);
	KUNIT_EXPECT_EQ(test, map[early >> PAGE_SHIFT].state,
			PRIVHEAP_STATE_SLAB);
	run = ph_test_take(test, PRIVHEAP_TYPE_OBJECT, 10 * PAGE_SIZE, 1);
	span = run.offset >> PAGE_SHIFT;
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, map[span + i].state, PRIVHEAP_STATE_SPAN);
		KUNIT_EXPECT_EQ(test, map[span + i].first_page, span);
		KUNIT_EXPECT_EQ(test, map[span + i].pages, 10);
		KUNIT_EXPECT_EQ(test, map[span + i].stride, 0);
		KUNIT_EXPECT_EQ(test, map[span + i].size_class, U8_MAX);
	}
	KUNIT_EXPECT_EQ(test, map[span + 10].state, PRIVHEAP_STATE_FREE);
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, &run, 1, false, &done));
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(&map[span + i],
							   sizeof(*map)));
}

static void board_tells_what_is_out_at_once(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	const struct privheap_stat_page *page;
	const struct privheap_stat_entry *entry;
	struct privheap_run run;
	u32 done;

	run = ph_test_take(test, PRIVHEAP_TYPE_FLOAT, 0, 5);
	KUNIT_ASSERT_EQ(test, 0, ph_board_make(heap));
	page = ph_view_stat(&heap->region.view);
	entry = &page->type[PRIVHEAP_TYPE_FLOAT];
	KUNIT_EXPECT_EQ(test, page->version, 1);
	KUNIT_EXPECT_EQ(test, page->types, PRIVHEAP_STAT_TYPES);
	KUNIT_EXPECT_EQ(test, page->updates, 1);
	KUNIT_EXPECT_EQ(test, page->held_bytes, ph_fixture_held(&heap->region));
	KUNIT_EXPECT_EQ(test, entry->handed_objects, 5);
	KUNIT_EXPECT_EQ(test, entry->handed_bytes, 5 * 24);
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, &run, 1, false, &done));
	KUNIT_EXPECT_EQ(test, entry->handed_objects, 0);
	KUNIT_EXPECT_EQ(test, entry->handed_bytes, 0);
	/* Made again, it is the same one. */
	KUNIT_ASSERT_EQ(test, 0, ph_board_make(heap));
	KUNIT_EXPECT_PTR_EQ(test, page, ph_view_stat(&heap->region.view));
}

/* Without a mapping nothing is waited for, and nobody minds. */
static void zap_when_nothing_is_mapped(struct kunit *test)
{
	struct ph_view *view = &ph_test_heap(test)->region.view;

	KUNIT_EXPECT_FALSE(test, view->active);
	ph_view_zap(view, 0, 1);
	view->active = true;
	ph_view_zap(view, 0, 1);
	ph_view_zap(view, PH_REGION_MAX_BYTES - PAGE_SIZE, 1);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&view->sem));
}

/* What stands for the region is paid for, and made once. */
static void activate_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 cost = ph_region_meta_cost(sizeof(struct inode));
	u64 held = ph_fixture_held(region);
	struct inode *inode;

	region->hard_max = held + cost - 1;
	KUNIT_EXPECT_EQ(test, ph_view_activate(region), -EDQUOT);
	KUNIT_EXPECT_FALSE(test, region->view.active);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
	region->hard_max = held + cost;
	KUNIT_ASSERT_EQ(test, ph_view_activate(region), 0);
	inode = region->view.inode;
	KUNIT_EXPECT_PTR_EQ(test, region->view.mapping.host, inode);
	KUNIT_EXPECT_EQ(test, ph_view_activate(region), 0);
	KUNIT_EXPECT_PTR_EQ(test, region->view.inode, inode);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held + cost);
	region->hard_max = PH_TEST_MAX_BYTES;
}

/* Pages are the view's while they may be mapped, where they were last. */
static void pages_are_adopted_and_disowned(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct ph_view *view = &region->view;
	int keep, i, wrong = 0;
	struct page *page;
	void *addr;

	KUNIT_ASSERT_EQ(test, ph_view_activate(region), 0);
	for (keep = 0; keep < 2; keep++) {
		addr = ph_region_take_run(region, 4, PH_GFP);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
		page = virt_to_page(addr);
		for (i = 0; i < 4; i++)
			wrong += !!page[i].mapping;
		/* All but one; and one that moved meanwhile. */
		for (i = 0; i < 3; i++)
			ph_view_adopt(view, page + i, (u64)(7 + i) << PAGE_SHIFT);
		ph_view_adopt(view, page, 99 << PAGE_SHIFT);
		KUNIT_EXPECT_EQ(test, page[0].index, 99);
		KUNIT_EXPECT_EQ(test, page[2].index, 9);
		for (i = 0; i < 3; i++)
			wrong += page[i].mapping != &view->mapping;
		get_page(page);
		get_page(page + 3);
		ph_region_put_run(region, addr, 4, keep);
		/* Whoever still has some may mark them dirty. */
		KUNIT_EXPECT_NULL(test, page[0].mapping);
		KUNIT_EXPECT_NULL(test, page[3].mapping);
		set_page_dirty_lock(page);
		put_page(page);
		put_page(page + 3);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	addr = ph_region_take_run(region, 2, PH_GFP);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	page = virt_to_page(addr);
	ph_view_adopt(view, page, 0);
	ph_region_put_run(region, addr, 2, true);
	KUNIT_EXPECT_NULL(test, page->mapping);
}

static struct kunit_case ph_view_test_cases[] = {
	KUNIT_CASE(map_page_is_made_once),
	KUNIT_CASE(map_page_when_hard_max_is_in_the_way),
	KUNIT_CASE(pages_when_memory_is_short),
	KUNIT_CASE(note_reaches_its_range_only),
	KUNIT_CASE(map_follows_slabs),
	KUNIT_CASE(board_tells_what_is_out_at_once),
	KUNIT_CASE(zap_when_nothing_is_mapped),
	KUNIT_CASE(activate_when_hard_max_is_in_the_way),
	KUNIT_CASE(pages_are_adopted_and_disowned),
	{}
};

static struct kunit_suite ph_view_suite = {
	.name = "privheap_view",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_view_test_cases,
};

kunit_test_suite(ph_view_suite);
