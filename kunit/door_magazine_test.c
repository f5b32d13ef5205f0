// SPDX-License-Identifier: GPL-2.0
/* Kernel door: magazines and depot of a cache, as callers meet them. */

#include <linux/workqueue.h>

#include "door_fixture.h"

static struct ph_cpu *ph_here(struct privheap_cache *cache)
{
	return ph_cpu_here(cache->cache->cpus);
}

/* As if so many CPUs had met at the depot since the last tick. */
static void ph_tick_contended(struct privheap_cache *cache, u32 times)
{
	cache->cache->contended = times;
	ph_cache_tick(cache->cache);
}

static void last_freed_is_served_first(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *a = ph_door_alloc(test, cache), *b = ph_door_alloc(test, cache);

	privheap_cache_free(cache, a);
	privheap_cache_free(cache, b);
	KUNIT_EXPECT_PTR_EQ(test, ph_door_alloc(test, cache), b);
	KUNIT_EXPECT_PTR_EQ(test, ph_door_alloc(test, cache), a);
	privheap_cache_free(cache, a);
	privheap_cache_free(cache, b);
}

static void bulk_serves_what_was_freed_last(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects(), **again = objs + 100;

	KUNIT_ASSERT_EQ(test, 40, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							    40, objs));
	privheap_cache_free_bulk(cache, 40, objs);
	KUNIT_ASSERT_EQ(test, 40, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							    40, again));
	ph_door_distinct(objs, 40);
	ph_door_distinct(again, 40);
	KUNIT_EXPECT_EQ(test, memcmp(objs, again, 40 * sizeof(*objs)), 0);
	privheap_cache_free_bulk(cache, 40, again);
}

static void magazines_grow_where_cpus_meet(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	u32 bytes;

	for (bytes = 1024; bytes < 8192; bytes *= 2) {
		KUNIT_EXPECT_EQ(test, cache->cache->magazine_bytes, bytes);
		ph_tick_contended(cache, 65);
	}
	ph_tick_contended(cache, 100000);
	KUNIT_EXPECT_EQ(test, cache->cache->magazine_bytes, 8192);
	KUNIT_EXPECT_EQ(test, cache->cache->contended, 0);
}

static void magazines_stay_where_cpus_seldom_meet(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	u32 i;

	for (i = 0; i < 10; i++)
		ph_tick_contended(cache, 64);
	KUNIT_EXPECT_EQ(test, cache->cache->magazine_bytes, 1024);
}

static void compact_magazines_do_not_grow(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.policy = PRIVHEAP_POLICY_COMPACT,
	};
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	u32 bytes = cache->cache->magazine_bytes;

	ph_tick_contended(cache, 100000);
	KUNIT_EXPECT_EQ(test, cache->cache->magazine_bytes, bytes);
}

static void larger_magazines_come_into_use(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 i;

	for (i = 0; i < 3; i++)
		ph_tick_contended(cache, 65);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, 4000, ph_door_alloc_all(cache, GFP_KERNEL,
							      objs, 4000));
		ph_door_free_all(cache, objs, 4000);
	}
	KUNIT_EXPECT_EQ(test, ph_here(cache)->loaded->cap,
			ph_magazine_cap(8192));
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
}

/* Small and large ones are about at the same time. */
static void growing_in_between_loses_nothing(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 i;

	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_EQ(test, 4000, ph_door_alloc_all(cache, GFP_KERNEL,
							      objs, 4000));
		ph_door_free_all(cache, objs, 2000);
		ph_tick_contended(cache, 65);
		PH_DOOR_EXPECT_OBJECTS(test, cache, 2000);
		PH_DOOR_EXPECT_SOUND(test, cache);
		ph_door_free_all(cache, objs + 2000, 2000);
		PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	}
}

static void ticks_give_back_what_is_not_needed(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 i;

	KUNIT_ASSERT_EQ(test, 4000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      4000));
	ph_door_free_all(cache, objs, 4000);
	KUNIT_EXPECT_GT(test, cache->cache->nr_full, 2);
	/* In use, but its magazines are enough. */
	for (i = 0; i < 4; i++) {
		privheap_cache_free(cache, ph_door_alloc(test, cache));
		ph_cache_tick(cache->cache);
	}
	KUNIT_EXPECT_EQ(test, cache->cache->nr_full, 0);
	KUNIT_EXPECT_GT(test, ph_door_idle(cache), 0);
	/* Not in use at all. */
	for (i = 0; i < 4; i++)
		ph_cache_tick(cache->cache);
	KUNIT_EXPECT_EQ(test, ph_door_idle(cache), 0);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slabs, 0);
}

static void drain_gives_all_to_the_slabs(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, 3000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      3000));
	ph_door_free_all(cache, objs, 2999);
	KUNIT_EXPECT_GT(test, ph_door_idle(cache), 0);
	ph_door_drain(cache);
	KUNIT_EXPECT_EQ(test, ph_door_idle(cache), 0);
	KUNIT_EXPECT_EQ(test, cache->cache->free_slots + 1, cache->cache->slots);
	privheap_cache_free(cache, objs[2999]);
}

static long ph_use_here(void *data)
{
	struct privheap_cache *cache = data;
	void *objs[20];
	u32 nr = ph_door_alloc_all(cache, GFP_ATOMIC, objs, 20);

	ph_door_free_all(cache, objs, nr);
	return nr;
}

static void drain_reaches_every_cpu(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	int cpu;

	ph_use_here(cache);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, work_on_cpu(cpu, ph_use_here, cache), 20);
		KUNIT_EXPECT_GT(test, cache->cache->cpus[cpu].loaded->nr, 0);
	}
	ph_door_drain(cache);
	KUNIT_EXPECT_EQ(test, ph_door_idle(cache), 0);
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_PTR_EQ(test, cache->cache->cpus[cpu].loaded,
				    &ph_no_magazine);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
}

static void no_magazine_is_had_for_want_of_memory(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 nr;

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 500), 0);
	ph_door_exhaust();
	nr = ph_door_alloc_all(cache, GFP_NOWAIT, objs, 500);
	ph_door_free_all(cache, objs, nr);
	KUNIT_EXPECT_EQ(test, nr, 500);
	KUNIT_EXPECT_PTR_EQ(test, ph_here(cache)->loaded, &ph_no_magazine);
	ph_door_relieve();
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	PH_DOOR_EXPECT_SOUND(test, cache);
}

static struct kunit_case ph_door_magazine_cases[] = {
	KUNIT_CASE(last_freed_is_served_first),
	KUNIT_CASE(bulk_serves_what_was_freed_last),
	KUNIT_CASE(magazines_grow_where_cpus_meet),
	KUNIT_CASE(magazines_stay_where_cpus_seldom_meet),
	KUNIT_CASE(compact_magazines_do_not_grow),
	KUNIT_CASE(larger_magazines_come_into_use),
	KUNIT_CASE(growing_in_between_loses_nothing),
	KUNIT_CASE(ticks_give_back_what_is_not_needed),
	KUNIT_CASE(drain_gives_all_to_the_slabs),
	KUNIT_CASE(drain_reaches_every_cpu),
	KUNIT_CASE(no_magazine_is_had_for_want_of_memory),
	{}
};

static struct kunit_suite ph_door_magazine_suite = {
	.name = "privheap_door_magazine",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_magazine_cases,
};

kunit_test_suite(ph_door_magazine_suite);
