// SPDX-License-Identifier: GPL-2.0
/* Kernel door: when memory serves again: RCU, other caches, what is kept. */

#include <linux/rcupdate.h>

#include "door_fixture.h"

static const struct privheap_cache_args ph_typesafe = {
	.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
};

/* As from an object's last free until its slab is on its way out. */
static void ph_let_go(struct privheap_cache *cache, void *obj)
{
	privheap_cache_free(cache, obj);
	ph_door_drain(cache);
}

static void typesafe_memory_stays_for_readers(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 200, &ph_typesafe);
	u8 *obj = ph_door_alloc(test, cache);
	bool owned, intact;
	u64 released;

	memset(obj, 0x3c, 200);
	ph_let_go(cache, obj);
	rcu_read_lock();
	released = ph_cache_release_empty(cache->cache, 0, U32_MAX);
	owned = privheap_owns(obj);
	intact = !memchr_inv(obj, 0x3c, 200);
	rcu_read_unlock();
	KUNIT_EXPECT_GT(test, released, 0);
	KUNIT_EXPECT_TRUE(test, owned);
	KUNIT_EXPECT_TRUE(test, intact);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slabs, 0);
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, privheap_owns(obj));
}

static void typesafe_memory_is_counted_until_it_is_gone(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 200, &ph_typesafe);
	struct ph_region *region = ph_door_region();
	u64 before, within, after;
	void *obj;

	obj = ph_door_alloc(test, cache);
	ph_let_go(cache, obj);
	rcu_read_lock();
	before = ph_fixture_held(region);
	ph_cache_release_empty(cache->cache, 0, U32_MAX);
	within = ph_fixture_held(region);
	rcu_read_unlock();
	rcu_barrier();
	after = ph_fixture_held(region);
	KUNIT_EXPECT_EQ(test, within, before);
	KUNIT_EXPECT_LE(test, after + PAGE_SIZE, before);
}

static void plain_memory_goes_at_once(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 200, NULL);
	void *obj = ph_door_alloc(test, cache);
	bool owned;

	ph_let_go(cache, obj);
	rcu_read_lock();
	ph_cache_release_empty(cache->cache, 0, U32_MAX);
	owned = privheap_owns(obj);
	rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, owned);
}

static void typesafe_object_serves_again_at_once(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 200, &ph_typesafe);
	void *obj = ph_door_alloc(test, cache), *again;

	rcu_read_lock();
	privheap_cache_free(cache, obj);
	again = privheap_cache_alloc(cache, GFP_ATOMIC);
	rcu_read_unlock();
	KUNIT_EXPECT_PTR_EQ(test, obj, again);
	privheap_cache_free(cache, again);
}

static void typesafe_cache_ends_with_slabs_on_their_way(struct kunit *test)
{
	struct privheap_cache *cache;
	void **objs = ph_door_objects();
	u32 round;

	for (round = 0; round < 20; round++) {
		cache = ph_door_cache(test, 64, &ph_typesafe);
		KUNIT_ASSERT_EQ(test, 500, ph_door_alloc_all(cache, GFP_KERNEL,
							     objs, 500));
		ph_door_free_all(cache, objs, 500);
		ph_door_end(test, cache);
	}
}

static void typesafe_heap_ends_with_slabs_on_their_way(struct kunit *test)
{
	static const struct privheap_attr attr = { .name = "brief" };
	struct privheap_cache *cache;
	struct privheap *heap;
	u32 round;

	for (round = 0; round < 20; round++) {
		heap = privheap_create(&attr);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
		cache = privheap_cache_create(heap, "brief", 64, &ph_typesafe);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		privheap_cache_free(cache, ph_door_alloc(test, cache));
		KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), 0);
		KUNIT_EXPECT_EQ(test, privheap_destroy(heap), 0);
	}
}

/* What is freed of @from may serve another cache of a heap that is full. */
static bool ph_serves_another(struct kunit *test, struct privheap_cache *from)
{
	struct privheap_cache *to = ph_door_cache(test, 500, NULL);
	void **objs = ph_door_objects(), *obj;

	KUNIT_ASSERT_EQ(test, 200, ph_door_alloc_all(from, GFP_KERNEL, objs,
						     200));
	ph_door_free_all(from, objs, 200);
	WRITE_ONCE(ph_door_region()->hard_max,
		   ph_fixture_held(ph_door_region()));
	obj = privheap_cache_alloc(to, GFP_KERNEL);
	if (obj)
		privheap_cache_free(to, obj);
	ph_door_relieve();
	return obj;
}

static void memory_serves_another_cache(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test,
			  ph_serves_another(test, ph_door_cache(test, 500,
								NULL)));
}

static void no_reuse_keeps_memory_to_itself(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_NO_REUSE,
	};
	struct privheap_cache *cache = ph_door_cache(test, 500, &args);
	u64 slabs;

	KUNIT_EXPECT_FALSE(test, ph_serves_another(test, cache));
	slabs = ph_door_stat(cache).slabs;
	KUNIT_EXPECT_GT(test, slabs, 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_cache_tick(cache->cache);
	ph_cache_tick(cache->cache);
	ph_cache_tick(cache->cache);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slabs, slabs);
}

static void no_reuse_ends_with_the_cache(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_NO_REUSE,
	};
	u64 held = ph_door_held(test);
	struct privheap_cache *cache = ph_door_cache(test, 500, &args);
	void *obj = ph_door_alloc(test, cache);

	privheap_cache_free(cache, obj);
	ph_door_end(test, cache);
	ph_region_trim(ph_door_region());
	KUNIT_EXPECT_EQ(test, ph_fixture_held(ph_door_region()), held);
}

static void shrink_gives_all_that_is_idle_back(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	u64 held = ph_fixture_held(ph_door_region());
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
	KUNIT_ASSERT_EQ(test, 3000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      3000));
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_door_free_all(cache, objs, 3000);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(ph_door_region()), held);
}

static void shrink_leaves_what_is_in_use(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 i, bad = 0;

	KUNIT_ASSERT_EQ(test, 3000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      3000));
	for (i = 0; i < 3000; i++)
		memset(objs[i], i % 251, 64);
	for (i = 0; i < 3000; i++)
		if (i % 10)
			privheap_cache_free(cache, objs[i]);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	for (i = 0; i < 3000; i += 10) {
		bad += !!memchr_inv(objs[i], i % 251, 64);
		privheap_cache_free(cache, objs[i]);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
}

static void keep_slabs_stay(struct kunit *test)
{
	static const struct privheap_cache_args args = { .keep_slabs = 3 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, 3000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      3000));
	ph_door_free_all(cache, objs, 3000);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slabs, 3);
}

static struct kunit_case ph_door_reuse_cases[] = {
	KUNIT_CASE(typesafe_memory_stays_for_readers),
	KUNIT_CASE(typesafe_memory_is_counted_until_it_is_gone),
	KUNIT_CASE(plain_memory_goes_at_once),
	KUNIT_CASE(typesafe_object_serves_again_at_once),
	KUNIT_CASE(typesafe_cache_ends_with_slabs_on_their_way),
	KUNIT_CASE(typesafe_heap_ends_with_slabs_on_their_way),
	KUNIT_CASE(memory_serves_another_cache),
	KUNIT_CASE(no_reuse_keeps_memory_to_itself),
	KUNIT_CASE(no_reuse_ends_with_the_cache),
	KUNIT_CASE(shrink_gives_all_that_is_idle_back),
	KUNIT_CASE(shrink_leaves_what_is_in_use),
	KUNIT_CASE(keep_slabs_stay),
	{}
};

static struct kunit_suite ph_door_reuse_suite = {
	.name = "privheap_door_reuse",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_reuse_cases,
};

kunit_test_suite(ph_door_reuse_suite);
