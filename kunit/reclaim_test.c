// SPDX-License-Identifier: GPL-2.0
/* Reclaim: idle memory goes back, what is promised or in use stays. */

#include "catalog.h"
#include "objects.h"
#include "reclaim.h"
#include "resize.h"
#include "stat.h"
#include "supply.h"

#define PH_TEST_NR	2000
static u64 ph_handles[PH_TEST_NR];

/* Memory that was used and is not any more. */
static void ph_leave_idle(struct kunit *test, u32 type, u64 bytes, u32 nr)
{
	u32 i;

	ph_test_alloc_batch(test, type, bytes, ph_handles, nr);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, 0, ph_test_free(ph_test_heap(test),
						      ph_handles[i]));
}

static struct privheap_heap_stat ph_heap_stat_of(struct ph_heap *heap)
{
	struct privheap_heap_stat stat;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	return stat;
}

static struct privheap_type_stat ph_type_stat_of(struct kunit *test, u32 type)
{
	struct privheap_type_stat stat = { .type = type };

	KUNIT_ASSERT_EQ(test, 0, ph_stat_type_by_id(ph_test_heap(test), &stat));
	return stat;
}

static void shrinker_counts_idle_pages(struct kunit *test)
{
	unsigned long before = ph_reclaim_count();

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	KUNIT_EXPECT_GT(test, ph_reclaim_count(), before + 100);
}

static void shrinker_takes_idle_pages(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 held, reclaims;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	held = ph_fixture_held(&heap->region);
	reclaims = atomic64_read(&heap->reclaims);
	KUNIT_EXPECT_GT(test, ph_reclaim_scan(ULONG_MAX), 100);
	KUNIT_EXPECT_LT(test, ph_fixture_held(&heap->region),
			held - 100 * PAGE_SIZE);
	KUNIT_EXPECT_GT(test, atomic64_read(&heap->reclaims), reclaims);
	ph_test_expect_sound(test);
}

static void shrinker_takes_stock(struct kunit *test)
{
	struct privheap_setup setup = { .reserve_bytes = 4 << 20 };
	struct ph_heap *heap = ph_test_heap(test);

	KUNIT_ASSERT_EQ(test, ph_supply_setup(heap, &setup), 0);
	ph_reclaim_scan(ULONG_MAX);
	KUNIT_EXPECT_EQ(test, heap->region.stock_pages,
			(4 << 20) / PAGE_SIZE);
	setup.reserve_bytes = 1;
	KUNIT_ASSERT_EQ(test, ph_supply_setup(heap, &setup), 0);
	ph_reclaim_scan(ULONG_MAX);
	KUNIT_EXPECT_EQ(test, heap->region.stock_pages, 1);
}

static void shrinker_leaves_promises(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "node", .min_bytes = 500, .prealloc_objects = 1000,
	};
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_test_type(test, &desc), i;

	for (i = 0; i < 5; i++)
		ph_reclaim_scan(ULONG_MAX);
	heap->region.hard_max = ph_fixture_held(&heap->region);
	ph_test_alloc_batch(test, type, 0, ph_handles, 1000);
}

static void shrinker_leaves_live_objects(struct kunit *test)
{
	u32 i, wrong = 0;

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_STR, 300, ph_handles, 1000);
	for (i = 0; i < 1000; i++)
		ph_test_fill(test, ph_handles[i], 0, 300, i);
	ph_reclaim_scan(ULONG_MAX);
	for (i = 0; i < 1000; i++)
		wrong += !ph_test_is_filled(test, ph_handles[i], 0, 300, i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	ph_test_expect_sound(test);
}

static void shrinker_reaches_all_heaps(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 held;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	fix->other = fix->heap;
	fix->heap = ph_heap_create(PH_TEST_MAX_BYTES);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->heap);
	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	held = ph_fixture_held(&fix->other->region);
	ph_reclaim_scan(ULONG_MAX);
	KUNIT_EXPECT_LT(test, ph_fixture_held(&fix->other->region), held / 2);
	KUNIT_EXPECT_LT(test, ph_fixture_held(&fix->heap->region), held / 2);
}

static void shrinker_stops_when_it_has_enough(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 held;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	fix->other = fix->heap;
	fix->heap = ph_heap_create(PH_TEST_MAX_BYTES);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->heap);
	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	held = ph_fixture_held(&fix->heap->region) +
	       ph_fixture_held(&fix->other->region);
	KUNIT_EXPECT_GT(test, ph_reclaim_scan(1), 0);
	KUNIT_EXPECT_GT(test, ph_fixture_held(&fix->heap->region) +
			ph_fixture_held(&fix->other->region), held / 4);
}

static void shrinker_skips_heap_that_is_busy(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 held;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	held = ph_fixture_held(&heap->region);
	down_write(&heap->sem);
	ph_reclaim_scan(ULONG_MAX);
	up_write(&heap->sem);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(&heap->region), held);
}

static void trim_tells_what_it_gave_back(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 held, released;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	held = ph_fixture_held(&heap->region);
	released = ph_test_reclaim(heap);
	KUNIT_EXPECT_GT(test, released, 1000 * PH_TEST_NR / 2);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(&heap->region), held - released);
	KUNIT_EXPECT_EQ(test, ph_test_reclaim(heap), 0);
}

static void time_gives_idle_heap_back(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 i;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	for (i = 0; i < 4; i++) {
		down_read(&heap->sem);
		ph_supply_tick(heap);
		up_read(&heap->sem);
	}
	KUNIT_EXPECT_EQ(test, ph_heap_stat_of(heap).slabs, 0);
	KUNIT_EXPECT_EQ(test, ph_test_reclaim(heap), 0);
}

static void soft_max_keeps_nothing_idle(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_setup setup = { .soft_max_bytes = 1 };
	u64 held;

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, 1);
	ph_test_reclaim(heap);
	held = ph_fixture_held(&heap->region);
	KUNIT_ASSERT_EQ(test, ph_supply_setup(heap, &setup), 0);
	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	KUNIT_EXPECT_LE(test, ph_fixture_held(&heap->region), held + 65536);
	KUNIT_EXPECT_EQ(test, ph_heap_stat_of(heap).empty_slabs, 0);
}

/*
 * The maximum is reached, but another type has plenty and does not use it:
 * whatever needs memory now has to get it.
 */
static void ph_only_idle_is_left(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);

	ph_leave_idle(test, PRIVHEAP_TYPE_OBJECT, 1000, PH_TEST_NR);
	heap->region.hard_max = ph_fixture_held(&heap->region);
	heap->region.soft_max = heap->region.hard_max;
}

static void idle_memory_serves_slots_of_another_type(struct kunit *test)
{
	ph_test_alloc(test, PRIVHEAP_TYPE_STR, 900);
	ph_only_idle_is_left(test);
	ph_test_alloc_batch(test, PRIVHEAP_TYPE_STR, 900, ph_handles, 1500);
	ph_test_expect_sound(test);
}

static void idle_memory_serves_new_cache(struct kunit *test)
{
	ph_only_idle_is_left(test);
	ph_test_alloc(test, PRIVHEAP_TYPE_STR, 900);
	ph_test_expect_sound(test);
}

static void idle_memory_serves_span(struct kunit *test)
{
	ph_test_alloc(test, PRIVHEAP_TYPE_SET, 60000);
	ph_only_idle_is_left(test);
	ph_test_alloc(test, PRIVHEAP_TYPE_SET, 60000);
	ph_test_expect_sound(test);
}

static void idle_memory_serves_resize_of_slot(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 60), usable;

	ph_test_alloc(test, PRIVHEAP_TYPE_STR, 5000);
	ph_only_idle_is_left(test);
	KUNIT_EXPECT_EQ(test, 0, ph_test_resize(heap, 0, &handle, 5000,
						&usable));
}

static void idle_memory_serves_resize_of_span(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_LIST, 60000), usable;

	ph_only_idle_is_left(test);
	KUNIT_EXPECT_EQ(test, 0, ph_test_resize(heap, 0, &handle, 300000,
						&usable));
	ph_test_expect_sound(test);
}

static void idle_memory_serves_new_type(struct kunit *test)
{
	struct privheap_type desc = { .name = "late", .min_bytes = 100 };

	ph_only_idle_is_left(test);
	KUNIT_EXPECT_EQ(test, 0, ph_catalog_add(ph_test_heap(test), &desc, NULL,
						NULL));
}

static void idle_memory_serves_promise(struct kunit *test)
{
	struct privheap_reserve req = { .object_bytes = 500, .count = 1000 };
	struct ph_heap *heap = ph_test_heap(test);

	ph_only_idle_is_left(test);
	down_write(&heap->sem);
	KUNIT_EXPECT_EQ(test, 0,
			ph_supply_reserve(heap, ph_heap_type(heap,
							     PRIVHEAP_TYPE_STR),
					  &req));
	up_write(&heap->sem);
	KUNIT_EXPECT_EQ(test, req.promised, 1000);
}

static void idle_memory_serves_heap_reserve(struct kunit *test)
{
	struct privheap_setup setup = { .reserve_bytes = 1 << 20 };

	ph_only_idle_is_left(test);
	KUNIT_EXPECT_EQ(test, 0, ph_supply_setup(ph_test_heap(test), &setup));
}

static void stat_of_heap_balances(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_heap_stat stat;
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < PH_TEST_NR; i++) {
		bytes += 1 + i * 7;
		ph_handles[i] = ph_test_alloc(test, 3 + i % 7, 1 + i * 7);
	}
	stat = ph_heap_stat_of(heap);
	KUNIT_EXPECT_EQ(test, stat.live_objects, PH_TEST_NR);
	KUNIT_EXPECT_EQ(test, stat.live_bytes, bytes);
	KUNIT_EXPECT_EQ(test, stat.allocs, stat.magazine_hits +
			stat.depot_hits + stat.slab_allocs);
	KUNIT_EXPECT_GE(test, stat.peak_bytes, stat.held_bytes);
	KUNIT_EXPECT_EQ(test, stat.types, 9);
	for (i = 0; i < PH_TEST_NR; i++)
		ph_test_free(heap, ph_handles[i]);
	stat = ph_heap_stat_of(heap);
	KUNIT_EXPECT_EQ(test, stat.live_objects, 0);
	KUNIT_EXPECT_EQ(test, stat.live_bytes, 0);
	KUNIT_EXPECT_EQ(test, stat.frees, PH_TEST_NR);
}

static void stat_held_is_pages_and_metadata(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_heap_stat stat;
	u64 pages;
	u32 i;

	for (i = 0; i < 100; i++) {
		ph_test_alloc(test, 3 + i % 7, 1 + i * 70);
		stat = ph_heap_stat_of(heap);
		pages = stat.pages_from_reserve + stat.pages_from_system -
			stat.pages_returned;
		KUNIT_ASSERT_EQ(test, stat.held_bytes,
				(pages << PAGE_SHIFT) + stat.metadata_bytes);
	}
}

static void stat_of_types_adds_up(struct kunit *test)
{
	struct privheap_type_stat one;
	struct privheap_heap_stat all;
	u64 live = 0, bytes = 0, slabs = 0;
	u32 type, i;

	for (i = 0; i < PH_TEST_NR; i++)
		ph_test_alloc(test, 3 + i % 7, 1 + i * 7);
	all = ph_heap_stat_of(ph_test_heap(test));
	for (type = 1; type <= 9; type++) {
		one = ph_type_stat_of(test, type);
		live += one.live_objects;
		bytes += one.live_bytes;
		slabs += one.slabs;
		KUNIT_EXPECT_LE(test, one.live_objects, one.slots);
		KUNIT_EXPECT_LE(test, one.metadata_bytes, one.held_bytes);
	}
	KUNIT_EXPECT_EQ(test, live, all.live_objects);
	KUNIT_EXPECT_EQ(test, bytes, all.live_bytes);
	KUNIT_EXPECT_EQ(test, slabs, all.slabs);
}

static void stat_when_type_is_unknown(struct kunit *test)
{
	struct privheap_type_stat stat = { .type = 15 };

	KUNIT_EXPECT_EQ(test, -ENOENT,
			ph_stat_type_by_id(ph_test_heap(test), &stat));
}

static struct kunit_case ph_reclaim_test_cases[] = {
	KUNIT_CASE(shrinker_counts_idle_pages),
	KUNIT_CASE(shrinker_takes_idle_pages),
	KUNIT_CASE(shrinker_takes_stock),
	KUNIT_CASE(shrinker_leaves_promises),
	KUNIT_CASE(shrinker_leaves_live_objects),
	KUNIT_CASE(shrinker_reaches_all_heaps),
	KUNIT_CASE(shrinker_stops_when_it_has_enough),
	KUNIT_CASE(shrinker_skips_heap_that_is_busy),
	KUNIT_CASE(trim_tells_what_it_gave_back),
	KUNIT_CASE(time_gives_idle_heap_back),
	KUNIT_CASE(soft_max_keeps_nothing_idle),
	KUNIT_CASE(idle_memory_serves_slots_of_another_type),
	KUNIT_CASE(idle_memory_serves_new_cache),
	KUNIT_CASE(idle_memory_serves_span),
	KUNIT_CASE(idle_memory_serves_resize_of_slot),
	KUNIT_CASE(idle_memory_serves_resize_of_span),
	KUNIT_CASE(idle_memory_serves_new_type),
	KUNIT_CASE(idle_memory_serves_promise),
	KUNIT_CASE(idle_memory_serves_heap_reserve),
	KUNIT_CASE(stat_of_heap_balances),
	KUNIT_CASE(stat_held_is_pages_and_metadata),
	KUNIT_CASE(stat_of_types_adds_up),
	KUNIT_CASE(stat_when_type_is_unknown),
	{}
};

static struct kunit_suite ph_reclaim_suite = {
	.name = "privheap_reclaim",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_reclaim_test_cases,
};

kunit_test_suite(ph_reclaim_suite);
