// SPDX-License-Identifier: GPL-2.0
/* Books: each figure of a heap that is wrong is found. */

#include "catalog.h"
#include "hand.h"
#include "objects.h"
#include "supply.h"

#define PH_NR	300
static u64 ph_handles[PH_NR];

static int ph_validate(struct ph_heap *heap)
{
	int err;

	down_read(&heap->sem);
	err = ph_supply_validate(heap);
	up_read(&heap->sem);
	return err;
}

/* What is damaged is found, and nothing any more once it is mended. */
#define PH_EXPECT_FOUND(test, damage, mend) do {			\
	damage;								\
	KUNIT_EXPECT_EQ(test, ph_validate(ph_test_heap(test)), -EUCLEAN); \
	mend;								\
	KUNIT_EXPECT_EQ(test, ph_validate(ph_test_heap(test)), 0);	\
} while (0)

/* A cache of a type with slabs that are full, partly full, and empty. */
static struct ph_cache *ph_mixed_cache(struct kunit *test, u32 type)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct ph_cache *cache;
	u32 i;

	ph_test_alloc_batch(test, type, 100, ph_handles, PH_NR);
	for (i = 10; i < PH_NR; i++)
		KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, ph_handles[i]));
	rcu_read_lock();
	cache = ph_type_cache(ph_heap_type(heap, type), 100);
	rcu_read_unlock();
	KUNIT_ASSERT_TRUE(test, ph_cache_drain(cache, true));
	KUNIT_ASSERT_EQ(test, ph_validate(heap), 0);
	return cache;
}

static struct ph_slab *ph_slab_on(struct kunit *test, struct list_head *list)
{
	KUNIT_ASSERT_FALSE(test, list_empty(list));
	return list_first_entry(list, struct ph_slab, list);
}

static void wrong_sums_of_a_cache_are_found(struct kunit *test)
{
	struct ph_cache *cache = ph_mixed_cache(test, PRIVHEAP_TYPE_OBJECT);
	u64 slots = cache->slots, usable = cache->usable;

	PH_EXPECT_FOUND(test, cache->nr_empty++, cache->nr_empty--);
	PH_EXPECT_FOUND(test, cache->nr_slabs -= 2, cache->nr_slabs += 2);
	PH_EXPECT_FOUND(test, cache->free_slots++, cache->free_slots--);
	PH_EXPECT_FOUND(test, cache->promised = usable + 1,
			cache->promised = 0);
	PH_EXPECT_FOUND(test, cache->usable = cache->free_slots + 1,
			cache->usable = usable);
	PH_EXPECT_FOUND(test, cache->slots = cache->free_slots - 1,
			cache->slots = slots);
}

static void wrong_figures_of_a_slab_are_found(struct kunit *test)
{
	struct ph_cache *cache = ph_mixed_cache(test, PRIVHEAP_TYPE_LIST);
	struct ph_slab *slab = ph_slab_on(test, &cache->partial[0]);

	PH_EXPECT_FOUND(test, slab->taken++, slab->taken--);
	PH_EXPECT_FOUND(test, slab->cache = NULL, slab->cache = cache);
	PH_EXPECT_FOUND(test, list_move(&slab->list, &cache->partial[1]),
			list_move(&slab->list, &cache->partial[0]));
}

/* On each list, and then no other is looked at. */
static void slab_of_another_cache_is_found(struct kunit *test)
{
	struct ph_cache *cache = ph_mixed_cache(test, PRIVHEAP_TYPE_OBJECT);
	struct ph_slab *slab = ph_slab_on(test, &cache->empty);

	PH_EXPECT_FOUND(test, slab->cache = NULL, slab->cache = cache);
	PH_EXPECT_FOUND(test, list_move(&slab->list, &cache->full),
			list_move(&slab->list, &cache->empty));
	PH_EXPECT_FOUND(test, list_move(&slab->list, &cache->stuck),
			list_move(&slab->list, &cache->empty));
}

static void slot_in_two_states_is_found(struct kunit *test)
{
	struct ph_cache *cache = ph_mixed_cache(test, PRIVHEAP_TYPE_LIST);
	struct privheap_run run = ph_test_take(test, PRIVHEAP_TYPE_LIST, 100, 1);
	struct ph_slab *slab;
	u32 live, free, out;

	slab = ph_fixture_slab(&ph_test_heap(test)->region, run.offset);
	KUNIT_ASSERT_NOT_NULL(test, slab->out);
	live = find_first_bit(slab->live, slab->nr);
	free = find_first_bit(slab->free, slab->nr);
	out = find_first_bit(slab->out->bits, slab->nr);
	KUNIT_ASSERT_LT(test, max3(live, free, out), slab->nr);
	KUNIT_ASSERT_EQ(test, ph_cache_validate(cache), 0);
	PH_EXPECT_FOUND(test, __set_bit(free, slab->live),
			__clear_bit(free, slab->live));
	PH_EXPECT_FOUND(test, __set_bit(free, slab->out->bits),
			__clear_bit(free, slab->out->bits));
	PH_EXPECT_FOUND(test, __set_bit(live, slab->out->bits),
			__clear_bit(live, slab->out->bits));
}

/* Of a slab without generations: what is said to have had no handle. */
static void slot_that_may_not_go_out_again_is_found(struct kunit *test)
{
	struct privheap_run run = ph_test_take(test, PRIVHEAP_TYPE_OBJECT, 100, 4);
	struct ph_heap *heap = ph_test_heap(test);
	unsigned long *again;
	struct ph_slab *slab;
	u32 done;

	slab = ph_fixture_slab(&heap->region, run.offset);
	run.mask = 2;
	KUNIT_ASSERT_EQ(test, 0, ph_hand_back(heap, 0, &run, 1, false, &done));
	KUNIT_ASSERT_NULL(test, slab->gen);
	KUNIT_ASSERT_EQ(test, slab->out->nr_again, 1);
	KUNIT_ASSERT_EQ(test, ph_validate(heap), 0);
	again = ph_slab_again(slab);
	PH_EXPECT_FOUND(test, slab->out->nr_again++, slab->out->nr_again--);
	/* One that is out, and one that never was. */
	slab->out->nr_again = 2;
	PH_EXPECT_FOUND(test, __set_bit(0, again),
			(__clear_bit(0, again), slab->out->nr_again = 1));
	slab->out->nr_again = 2;
	PH_EXPECT_FOUND(test, __set_bit(4, again),
			(__clear_bit(4, again), slab->out->nr_again = 1));
}

static void wrong_sums_of_a_heap_are_found(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct ph_cache *cache = ph_mixed_cache(test, PRIVHEAP_TYPE_OBJECT);

	PH_EXPECT_FOUND(test, atomic64_inc(&region->metadata),
			atomic64_dec(&region->metadata));
	PH_EXPECT_FOUND(test, atomic64_inc(&region->pages_returned),
			atomic64_dec(&region->pages_returned));
	/* With another mistake behind it, too. */
	cache->free_slots++;
	PH_EXPECT_FOUND(test, atomic64_inc(&region->metadata),
			(atomic64_dec(&region->metadata), cache->free_slots--));
}

static const struct privheap_type ph_large = {
	.name = "large", .min_bytes = 20000, .max_bytes = 90000,
	.keep_slabs = 2,
};

static void wrong_places_of_idle_spans_are_found(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 id = ph_test_type(test, &ph_large);
	u64 small = ph_test_alloc(test, id, 20000);
	u64 large = ph_test_alloc(test, id, 90000);
	struct ph_cache *cache;
	struct ph_slab *span;
	struct rb_root root;
	u32 pages;

	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, small));
	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, large));
	KUNIT_ASSERT_EQ(test, ph_validate(heap), 0);
	span = ph_fixture_slab(&heap->region, small & PH_OFFSET_MASK);
	KUNIT_ASSERT_NOT_NULL(test, span);
	cache = span->cache;
	pages = span->nr_pages;
	PH_EXPECT_FOUND(test, span->nr_pages = 1000, span->nr_pages = pages);
	PH_EXPECT_FOUND(test, list_move(&span->list, &cache->reserved),
			list_move(&span->list, &cache->empty));
	PH_EXPECT_FOUND(test, (list_move(&span->list, &cache->reserved),
			       span->promised = true),
			(list_move(&span->list, &cache->empty),
			 span->promised = false));
	root = cache->idle;
	PH_EXPECT_FOUND(test, cache->idle = RB_ROOT, cache->idle = root);
}

/* Of those of one length the promised ones come first. */
static void wrong_order_of_idle_spans_is_found(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 id = ph_test_type(test, &ph_large);
	u64 first = ph_test_alloc(test, id, 20000);
	u64 second = ph_test_alloc(test, id, 20000);
	struct ph_cache *cache;
	struct ph_slab *span;

	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, first));
	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, second));
	span = ph_fixture_slab(&heap->region, first & PH_OFFSET_MASK);
	KUNIT_ASSERT_NOT_NULL(test, span);
	cache = span->cache;
	span = ph_span_of_node(rb_last(&cache->idle));
	KUNIT_ASSERT_EQ(test, ph_validate(heap), 0);
	PH_EXPECT_FOUND(test, (list_move(&span->list, &cache->reserved),
			       span->promised = true, cache->promised++),
			(list_move(&span->list, &cache->empty),
			 span->promised = false, cache->promised--));
}

/* Only idle spans, and only the cache's own, are to be found by their length. */
static void wrong_span_among_the_idle_is_found(struct kunit *test)
{
	struct privheap_type desc = ph_large;
	struct ph_heap *heap = ph_test_heap(test);
	u32 id = ph_test_type(test, &desc), i;
	u64 idle = ph_test_alloc(test, id, 20000);
	u64 wrong[2] = { ph_test_alloc(test, id, 20000) };
	struct rb_node *node, *other;
	struct ph_slab *span;

	desc.name[0] = 'b';
	wrong[1] = ph_test_alloc(test, ph_test_type(test, &desc), 20000);
	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, idle));
	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, wrong[1]));
	span = ph_fixture_slab(&heap->region, idle & PH_OFFSET_MASK);
	KUNIT_ASSERT_NOT_NULL(test, span);
	KUNIT_ASSERT_EQ(test, ph_validate(heap), 0);
	node = ph_span_node(span);
	/* Of the same length, and the only one there: number and order are right. */
	for (i = 0; i < 2; i++) {
		other = ph_span_node(ph_fixture_slab(&heap->region, wrong[i] &
						     PH_OFFSET_MASK));
		PH_EXPECT_FOUND(test,
				rb_replace_node(node, other, &span->cache->idle),
				rb_replace_node(other, node, &span->cache->idle));
	}
}

static void wrong_list_of_a_run_in_stock_is_found(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct page *page;

	KUNIT_ASSERT_EQ(test, ph_region_set_reserve(region, 3), 0);
	KUNIT_ASSERT_FALSE(test, list_empty(&region->stock[2]));
	page = list_first_entry(&region->stock[2], struct page, lru);
	PH_EXPECT_FOUND(test, list_move(&page->lru, &region->stock[1]),
			list_move(&page->lru, &region->stock[2]));
	PH_EXPECT_FOUND(test, region->stock_pages++, region->stock_pages--);
}

static void wrong_use_of_a_quota_is_found(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "few", .min_bytes = 8, .quota_objects = 10,
	};
	u32 id = ph_test_type(test, &desc);
	struct ph_type *type;

	ph_test_alloc(test, id, 0);
	rcu_read_lock();
	type = ph_heap_type(ph_test_heap(test), id);
	rcu_read_unlock();
	PH_EXPECT_FOUND(test, atomic64_inc(&type->live),
			atomic64_dec(&type->live));
}

static struct kunit_case ph_books_test_cases[] = {
	KUNIT_CASE(wrong_sums_of_a_cache_are_found),
	KUNIT_CASE(wrong_figures_of_a_slab_are_found),
	KUNIT_CASE(slab_of_another_cache_is_found),
	KUNIT_CASE(slot_in_two_states_is_found),
	KUNIT_CASE(slot_that_may_not_go_out_again_is_found),
	KUNIT_CASE(wrong_sums_of_a_heap_are_found),
	KUNIT_CASE(wrong_places_of_idle_spans_are_found),
	KUNIT_CASE(wrong_order_of_idle_spans_is_found),
	KUNIT_CASE(wrong_span_among_the_idle_is_found),
	KUNIT_CASE(wrong_list_of_a_run_in_stock_is_found),
	KUNIT_CASE(wrong_use_of_a_quota_is_found),
	{}
};

static struct kunit_suite ph_books_suite = {
	.name = "privheap_books",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_books_test_cases,
};

kunit_test_suite(ph_books_suite);
