// SPDX-License-Identifier: GPL-2.0
/* Kernel door: figures are exact when nobody is at it. */

#include "door_fixture.h"

static void ph_expect_stat(struct kunit *test, struct privheap_cache *cache,
			   u64 allocs, u64 frees)
{
	struct privheap_cache_stat stat = ph_door_stat(cache);

	KUNIT_EXPECT_EQ(test, stat.allocs, allocs);
	KUNIT_EXPECT_EQ(test, stat.frees, frees);
	KUNIT_EXPECT_EQ(test, stat.objects, allocs - frees);
}

static void stat_of_a_new_cache_is_zero(struct kunit *test)
{
	struct privheap_cache_stat stat, zero = {};

	privheap_cache_stat(ph_door_cache(test, 64, NULL), &stat);
	KUNIT_EXPECT_EQ(test, memcmp(&stat, &zero, sizeof(stat)), 0);
}

static void stat_counts_each_alloc_and_free(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 i;

	for (i = 0; i < 400; i++) {
		objs[i] = ph_door_alloc(test, cache);
		ph_expect_stat(test, cache, i + 1, 0);
	}
	for (i = 0; i < 400; i++) {
		privheap_cache_free(cache, objs[i]);
		ph_expect_stat(test, cache, 400, i + 1);
	}
}

/* Through magazines, the depot, the slabs and back. */
static void stat_counts_whatever_serves(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 round;

	for (round = 0; round < 6; round++) {
		KUNIT_ASSERT_EQ(test, 1000, ph_door_alloc_all(cache, GFP_KERNEL,
							      objs, 1000));
		ph_expect_stat(test, cache, 1000 * (round + 1), 1000 * round);
		ph_door_free_all(cache, objs, 1000);
		ph_expect_stat(test, cache, 1000 * (round + 1),
			       1000 * (round + 1));
		if (round == 3)
			ph_door_drain(cache);
	}
	KUNIT_EXPECT_GT(test, ph_door_stat(cache).depot_loads, 0);
	KUNIT_EXPECT_GT(test, ph_door_stat(cache).slab_loads, 0);
}

static void stat_counts_bulk(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 round;

	for (round = 0; round < 6; round++) {
		KUNIT_ASSERT_EQ(test, 777,
				privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							  777, objs));
		ph_expect_stat(test, cache, 777 * (round + 1), 777 * round);
		privheap_cache_free_bulk(cache, 777, objs);
		ph_expect_stat(test, cache, 777 * (round + 1),
			       777 * (round + 1));
	}
}

static void stat_counts_with_a_quota(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 500 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();
	u32 round;

	for (round = 0; round < 4; round++) {
		KUNIT_ASSERT_EQ(test, 500, ph_door_alloc_all(cache, GFP_KERNEL,
							     objs, 500));
		ph_expect_stat(test, cache, 500 * (round + 1), 500 * round);
		ph_door_free_all(cache, objs, 500);
		ph_expect_stat(test, cache, 500 * (round + 1),
			       500 * (round + 1));
	}
}

static void stat_does_not_count_failures(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();
	u32 i;

	ph_door_exhaust();
	for (i = 0; i < 11; i++)
		KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							   9, objs));
	ph_door_relieve();
	ph_expect_stat(test, cache, 0, 0);
}

static void stat_does_not_count_what_a_quota_refused(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 3 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, 3, ph_door_alloc_all(cache, GFP_KERNEL, objs, 9));
	KUNIT_EXPECT_EQ(test, 3, 3 + ph_door_alloc_all(cache, GFP_KERNEL,
						       objs + 3, 9));
	ph_expect_stat(test, cache, 3, 0);
	ph_door_free_all(cache, objs, 3);
}

static void stat_in_the_middle_of_something(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	struct ph_cpu *cpu;
	void *obj;

	KUNIT_ASSERT_TRUE(test, ph_cpu_enter(cache->cpu, &cpu));
	obj = privheap_cache_alloc(cache, GFP_ATOMIC);
	if (obj)
		privheap_cache_free(cache, obj);
	ph_cpu_leave_uncounted(cpu);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	ph_expect_stat(test, cache, 1, 1);
}

static void stat_of_memory(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 512, NULL);
	struct privheap_cache_stat stat;
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, 100, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     100));
	stat = ph_door_stat(cache);
	KUNIT_EXPECT_EQ(test, stat.slots * 512, stat.bytes);
	KUNIT_EXPECT_GE(test, stat.slots, 100);
	KUNIT_EXPECT_GT(test, stat.metadata_bytes, 0);
	KUNIT_EXPECT_GT(test, stat.slabs, 1);
	KUNIT_EXPECT_LE(test, stat.bytes + stat.metadata_bytes,
			ph_fixture_held(ph_door_region()));
	ph_door_free_all(cache, objs, 100);
	ph_door_drain(cache);
	stat = ph_door_stat(cache);
	KUNIT_EXPECT_EQ(test, stat.empty_slabs, stat.slabs);
	privheap_cache_shrink(cache);
	stat = ph_door_stat(cache);
	KUNIT_EXPECT_EQ(test, stat.slabs, 0);
	KUNIT_EXPECT_EQ(test, stat.bytes, 0);
	KUNIT_EXPECT_EQ(test, stat.metadata_bytes, 0);
	ph_expect_stat(test, cache, 100, 100);
}

static void stat_of_one_cache_is_not_its_neighbours(struct kunit *test)
{
	struct privheap_cache *one = ph_door_cache(test, 64, NULL);
	struct privheap_cache *two = ph_door_cache(test, 64, NULL);
	void *a = ph_door_alloc(test, one), *b = ph_door_alloc(test, two);

	privheap_cache_free(two, b);
	ph_expect_stat(test, one, 1, 0);
	ph_expect_stat(test, two, 1, 1);
	privheap_cache_free(one, a);
}

static struct kunit_case ph_door_stat_cases[] = {
	KUNIT_CASE(stat_of_a_new_cache_is_zero),
	KUNIT_CASE(stat_counts_each_alloc_and_free),
	KUNIT_CASE(stat_counts_whatever_serves),
	KUNIT_CASE(stat_counts_bulk),
	KUNIT_CASE(stat_counts_with_a_quota),
	KUNIT_CASE(stat_does_not_count_failures),
	KUNIT_CASE(stat_does_not_count_what_a_quota_refused),
	KUNIT_CASE(stat_in_the_middle_of_something),
	KUNIT_CASE(stat_of_memory),
	KUNIT_CASE(stat_of_one_cache_is_not_its_neighbours),
	{}
};

static struct kunit_suite ph_door_stat_suite = {
	.name = "privheap_door_stat",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_stat_cases,
};

kunit_test_suite(ph_door_stat_suite);
