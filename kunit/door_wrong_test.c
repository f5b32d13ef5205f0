// SPDX-License-Identifier: GPL-2.0
/* Kernel door: frees that cannot be, without any debugging, and who owns what. */

#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "door_fixture.h"

static void free_of_an_interior_address(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	u8 *obj = ph_door_alloc(test, cache);
	u32 at;

	/*
	 * The short way looks at the page only: what it takes is found out where
	 * the slab takes it back.
	 */
	for (at = 1; at < 64; at++)
		privheap_cache_free(cache, obj + at);
	ph_door_drain(cache);
	PH_DOOR_EXPECT_ERRORS(test, cache, 63);
	PH_DOOR_EXPECT_SOUND(test, cache);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 1);
	privheap_cache_free(cache, obj);
}

static void free_of_the_tail_of_a_slab(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 1000, NULL);
	void **objs = ph_door_objects();
	struct ph_slab *slab;

	KUNIT_ASSERT_EQ(test, 40, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						    40));
	slab = ph_slab_of_address(objs[0]);
	KUNIT_ASSERT_LT(test, slab->nr * slab->stride, ph_slab_bytes(slab));
	privheap_cache_free(cache, slab->addr + slab->nr * slab->stride);
	ph_door_drain(cache);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_SOUND(test, cache);
	ph_door_free_all(cache, objs, 40);
}

static void free_of_another_caches_object(struct kunit *test)
{
	struct privheap_cache *other = ph_door_cache(test, 64, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *theirs = ph_door_alloc(test, other);
	void *ours = ph_door_alloc(test, cache);

	memset(theirs, 0x77, 64);
	privheap_cache_free(cache, theirs);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_ERRORS(test, other, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(theirs, 0x77, 64));
	privheap_cache_free(other, theirs);
	privheap_cache_free(cache, ours);
}

static void free_of_another_heaps_object(struct kunit *test)
{
	static const struct privheap_attr attr = { .name = "other" };
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL), *other;
	struct privheap *heap = privheap_create(&attr);
	void *theirs;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	other = privheap_cache_create(heap, "other", 64, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	theirs = ph_door_alloc(test, other);
	privheap_cache_free(cache, theirs);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	privheap_cache_free(other, theirs);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(other, 0), 0);
	KUNIT_EXPECT_EQ(test, privheap_destroy(heap), 0);
}

static void free_of_other_memory(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *small = kmalloc(64, GFP_KERNEL), *large = kmalloc(SZ_16K,
								GFP_KERNEL);
	unsigned long page = __get_free_page(GFP_KERNEL);

	privheap_cache_free(cache, ph_door_alloc(test, cache));
	KUNIT_ASSERT_TRUE(test, small && large && page);
	privheap_cache_free(cache, small);
	privheap_cache_free(cache, large);
	privheap_cache_free(cache, large + SZ_8K);
	privheap_cache_free(cache, (void *)page);
	privheap_cache_free(cache, cache);
	PH_DOOR_EXPECT_ERRORS(test, cache, 5);
	PH_DOOR_EXPECT_SOUND(test, cache);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	free_page(page);
	kfree(large);
	kfree(small);
}

static void free_of_memory_that_was_given_back(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *obj = ph_door_alloc(test, cache);

	privheap_cache_free(cache, obj);
	KUNIT_ASSERT_EQ(test, privheap_cache_shrink(cache), 0);
	privheap_cache_free(cache, obj);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_SOUND(test, cache);
}

static void double_free_that_reaches_the_slab(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *one = ph_door_alloc(test, cache), *two = ph_door_alloc(test,
								     cache);

	privheap_cache_free(cache, one);
	privheap_cache_free(cache, two);
	ph_door_drain(cache);
	privheap_cache_free(cache, one);
	ph_door_drain(cache);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_SOUND(test, cache);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
}

static void double_free_that_stays_in_a_magazine(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *keep = ph_door_alloc(test, cache);
	void *obj = ph_door_alloc(test, cache);

	privheap_cache_free(cache, obj);
	privheap_cache_free(cache, obj);
	ph_door_drain(cache);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_SOUND(test, cache);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 1);
	privheap_cache_free(cache, keep);
}

/*
 * The first of the two empties the slab, which goes at once; the second must
 * not be looked up in what was a page of the cache.
 */
static void double_free_when_the_slab_goes_in_between(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u64 soft = ph_door_region()->soft_max;
	void *first;

	KUNIT_ASSERT_EQ(test, 600, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     600));
	/* By address, so that slabs go one after the other. */
	ph_door_distinct(objs, 600);
	ph_door_free_all(cache, objs, 600);
	first = objs[599];
	/* In the depot by now, and once more on top of what the CPU has. */
	privheap_cache_free(cache, first);
	WRITE_ONCE(ph_door_region()->soft_max, 0);
	ph_door_drain(cache);
	WRITE_ONCE(ph_door_region()->soft_max, soft);
	KUNIT_EXPECT_FALSE(test, privheap_owns(first));
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_SOUND(test, cache);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slots, 0);
}

static void double_free_leaves_the_quota_usable(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 3 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();

	objs[0] = ph_door_alloc(test, cache);
	privheap_cache_free(cache, objs[0]);
	ph_door_drain(cache);
	privheap_cache_free(cache, objs[0]);
	ph_door_drain(cache);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	KUNIT_EXPECT_EQ(test, 3, ph_door_alloc_all(cache, GFP_KERNEL, objs, 9));
	privheap_cache_free_bulk(cache, 3, objs);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
}

static void wrong_frees_do_not_count(struct kunit *test)
{
	struct privheap_cache *other = ph_door_cache(test, 64, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *theirs = ph_door_alloc(test, other);
	void *ours = ph_door_alloc(test, cache);
	u32 i;

	for (i = 0; i < 7; i++)
		privheap_cache_free(cache, theirs);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).allocs, 1);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).frees, 0);
	privheap_cache_free(other, theirs);
	privheap_cache_free(cache, ours);
}

static void owns_all_of_a_slab_and_nothing_around(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 100, NULL);
	u8 *obj = ph_door_alloc(test, cache);
	struct ph_slab *slab = ph_slab_of_address(obj);
	u64 at;

	for (at = 0; at < ph_slab_bytes(slab); at++)
		KUNIT_EXPECT_TRUE(test, privheap_owns(slab->addr + at));
	privheap_cache_free(cache, obj);
	KUNIT_EXPECT_TRUE(test, privheap_owns(obj));
}

static void owns_no_memory_that_was_given_back(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 100, NULL);
	void *obj = ph_door_alloc(test, cache);

	privheap_cache_free(cache, obj);
	KUNIT_ASSERT_EQ(test, privheap_cache_shrink(cache), 0);
	KUNIT_EXPECT_FALSE(test, privheap_owns(obj));
}

static void owns_nothing_of_a_cache_that_is_gone(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 100, NULL);
	void *obj = ph_door_alloc(test, cache);

	privheap_cache_free(cache, obj);
	ph_door_end(test, cache);
	KUNIT_EXPECT_FALSE(test, privheap_owns(obj));
}

static void owns_no_stock_of_the_heap(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "rich", .reserve_bytes = 16 * PAGE_SIZE,
	};
	struct privheap *heap = privheap_create(&attr);
	struct page *page;
	u32 i, runs = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	for (i = 0; i < PH_STOCK_CLASSES; i++) {
		list_for_each_entry(page, &ph_door_heap(heap)->region.stock[i],
				    lru) {
			KUNIT_EXPECT_FALSE(test,
					   privheap_owns(page_address(page)));
			runs++;
		}
	}
	KUNIT_EXPECT_GT(test, runs, 0);
	KUNIT_EXPECT_EQ(test, privheap_destroy(heap), 0);
}

static void owns_nothing_of_others(struct kunit *test)
{
	static u8 data;
	u8 stack, *small = kmalloc(8, GFP_KERNEL), *large = vmalloc(SZ_64K);
	unsigned long page = __get_free_page(GFP_KERNEL);
	unsigned long order3 = __get_free_pages(GFP_KERNEL | __GFP_COMP, 3);

	KUNIT_EXPECT_FALSE(test, privheap_owns(&stack));
	KUNIT_EXPECT_FALSE(test, privheap_owns(&data));
	KUNIT_EXPECT_FALSE(test, privheap_owns(small));
	KUNIT_EXPECT_FALSE(test, privheap_owns(large));
	KUNIT_EXPECT_FALSE(test, privheap_owns(large + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, privheap_owns((void *)page));
	KUNIT_EXPECT_FALSE(test, privheap_owns((void *)order3));
	KUNIT_EXPECT_FALSE(test, privheap_owns((void *)order3 + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, privheap_owns(owns_nothing_of_others));
	KUNIT_EXPECT_FALSE(test, privheap_owns(virt_to_page((void *)page)));
	free_pages(order3, 3);
	free_page(page);
	vfree(large);
	kfree(small);
}

static void owns_no_address_that_is_none(struct kunit *test)
{
	u32 bit;

	KUNIT_EXPECT_FALSE(test, privheap_owns(NULL));
	KUNIT_EXPECT_FALSE(test, privheap_owns(ERR_PTR(-ENOMEM)));
	KUNIT_EXPECT_FALSE(test, privheap_owns((void *)1));
	KUNIT_EXPECT_FALSE(test, privheap_owns((void *)~0UL));
	for (bit = 0; bit < BITS_PER_LONG; bit++) {
		KUNIT_EXPECT_FALSE(test, privheap_owns((void *)(1UL << bit)));
		KUNIT_EXPECT_FALSE(test, privheap_owns((void *)~(1UL << bit)));
	}
}

/* The same heap has no objects by handle; the user's door has. */
static void owns_no_object_that_has_a_handle(struct kunit *test)
{
	struct ph_slab *slab;
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache;
	u64 round;

	ph_region_init(&fix->own_region, NULL, PH_TEST_MAX_BYTES);
	fix->region = &fix->own_region;
	fix->holds_slabs = true;
	cache = ph_fixture_cache(test, 0, 64);
	KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	KUNIT_ASSERT_EQ(test, ph_cache_take(cache, &round, 1), 1);
	slab = ph_fixture_slab(fix->region, ph_round_offset(round));
	KUNIT_EXPECT_FALSE(test, privheap_owns(slab->addr));
	ph_cache_give(cache, &round, 1);
}

/* What was freed twice may have lost its slab, and another cache have it now. */
static void return_to_the_slabs_of_another_cache(struct kunit *test)
{
	struct privheap_cache *other = ph_door_cache(test, 64, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *theirs = ph_door_alloc(test, other);
	u64 round = (uintptr_t)theirs;

	ph_cache_return(cache->cache, &round, 1);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_ERRORS(test, other, 0);
	PH_DOOR_EXPECT_SOUND(test, cache);
	PH_DOOR_EXPECT_SOUND(test, other);
	PH_DOOR_EXPECT_OBJECTS(test, other, 1);
	privheap_cache_free(other, theirs);
}

/* Here there is no short way: it is refused at once. */
static void free_of_the_tail_of_a_slab_with_quota(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 10 };
	struct privheap_cache *cache = ph_door_cache(test, 1000, &args);
	void *obj = ph_door_alloc(test, cache);
	struct ph_slab *slab = ph_slab_of_address(obj);

	KUNIT_ASSERT_LT(test, slab->nr * slab->stride, ph_slab_bytes(slab));
	privheap_cache_free(cache, slab->addr + slab->nr * slab->stride);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 1);
	privheap_cache_free(cache, obj);
}

static struct kunit_case ph_door_wrong_cases[] = {
	KUNIT_CASE(free_of_an_interior_address),
	KUNIT_CASE(free_of_the_tail_of_a_slab),
	KUNIT_CASE(free_of_the_tail_of_a_slab_with_quota),
	KUNIT_CASE(free_of_another_caches_object),
	KUNIT_CASE(return_to_the_slabs_of_another_cache),
	KUNIT_CASE(free_of_another_heaps_object),
	KUNIT_CASE(free_of_other_memory),
	KUNIT_CASE(free_of_memory_that_was_given_back),
	KUNIT_CASE(double_free_that_reaches_the_slab),
	KUNIT_CASE(double_free_that_stays_in_a_magazine),
	KUNIT_CASE(double_free_when_the_slab_goes_in_between),
	KUNIT_CASE(double_free_leaves_the_quota_usable),
	KUNIT_CASE(wrong_frees_do_not_count),
	KUNIT_CASE(owns_all_of_a_slab_and_nothing_around),
	KUNIT_CASE(owns_no_memory_that_was_given_back),
	KUNIT_CASE(owns_nothing_of_a_cache_that_is_gone),
	KUNIT_CASE(owns_no_stock_of_the_heap),
	KUNIT_CASE(owns_nothing_of_others),
	KUNIT_CASE(owns_no_address_that_is_none),
	KUNIT_CASE(owns_no_object_that_has_a_handle),
	{}
};

static struct kunit_suite ph_door_wrong_suite = {
	.name = "privheap_door_wrong",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_wrong_cases,
};

kunit_test_suite(ph_door_wrong_suite);
