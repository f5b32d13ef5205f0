// SPDX-License-Identifier: GPL-2.0
/* Kernel door: objects so small that their free slots are kept in themselves. */

#include <linux/mm.h>
#include <linux/string.h>

#include "check_scene.h"

#define PH_SMALL	3000U

static void *ph_small[PH_SMALL];

static const u32 ph_small_sizes[] = { 1, 5, 8 };

static void ph_small_name(const u32 *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(ph_small, ph_small_sizes, ph_small_name);

static struct privheap_cache *ph_small_cache(struct kunit *test)
{
	const u32 *size = test->param_value;
	struct privheap_cache *cache = ph_scene_cache(test, *size, NULL);

	KUNIT_ASSERT_TRUE(test, cache->cache->geo.keep & PH_CHAIN);
	return cache;
}

static u32 ph_small_alloc(struct privheap_cache *cache)
{
	u32 nr;

	for (nr = 0; nr < PH_SMALL; nr++) {
		ph_small[nr] = privheap_cache_alloc(cache, GFP_KERNEL);
		if (!ph_small[nr])
			break;
		memset(ph_small[nr], nr % 251, privheap_cache_size(cache));
	}
	return nr;
}

/* Returns how many did not hold what was written to them. */
static u32 ph_small_free(struct privheap_cache *cache)
{
	u32 i, bad = 0;

	for (i = 0; i < PH_SMALL; i++) {
		bad += !!memchr_inv(ph_small[i], i % 251,
				    privheap_cache_size(cache));
		privheap_cache_free(cache, ph_small[i]);
	}
	return bad;
}

static u64 ph_small_objects(struct privheap_cache *cache)
{
	struct privheap_cache_stat stat;

	privheap_cache_stat(cache, &stat);
	return stat.objects;
}

static void small_objects_cost_no_bitmap(struct kunit *test)
{
	struct privheap_cache *cache = ph_small_cache(test);
	struct ph_geo *geo = &cache->cache->geo;
	u64 bytes = (u64)geo->pages << PAGE_SHIFT;
	u32 slots = ph_geo_slots(geo, geo->pages);

	bytes += ph_region_meta_cost(ph_geo_meta_bytes(geo, slots));
	/* Less than 1.02 of what the objects alone need. */
	KUNIT_EXPECT_LT(test, bytes * 100, (u64)slots * geo->stride * 102);
}

static void ph_small_ctor(void *obj)
{
}

static void what_others_may_look_at_is_in_no_chain(struct kunit *test)
{
	static const struct privheap_cache_args typesafe = {
		.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
	}, checked = {
		.flags = PRIVHEAP_CACHE_CHECK,
	}, made = {
		.ctor = ph_small_ctor,
	};
	const struct privheap_cache_args *args[] = { &typesafe, &checked, &made };
	struct privheap_cache *cache;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(args); i++) {
		cache = ph_scene_cache(test, 8, args[i]);
		KUNIT_EXPECT_FALSE(test, cache->cache->geo.keep & PH_CHAIN);
	}
}

static void small_objects_come_back_again_and_again(struct kunit *test)
{
	struct privheap_cache *cache = ph_small_cache(test);
	u32 i;

	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
		KUNIT_EXPECT_EQ(test, ph_small_objects(cache), PH_SMALL);
		KUNIT_EXPECT_EQ(test, ph_small_free(cache), 0);
		ph_cache_drain(cache->cache, true);
		KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
		KUNIT_EXPECT_EQ(test, ph_small_objects(cache), 0);
	}
	ph_expect_silence(test);
}

/* Each of many, when all are back in their slabs. */
static void double_free_of_a_small_object_is_refused(struct kunit *test)
{
	struct privheap_cache *cache = ph_small_cache(test);
	u32 i;

	KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
	for (i = 1; i < PH_SMALL; i++)
		privheap_cache_free(cache, ph_small[i]);
	ph_cache_drain(cache->cache, true);
	for (i = 1; i < PH_SMALL; i += 7) {
		if (!privheap_owns(ph_small[i]))
			continue;
		privheap_cache_free(cache, ph_small[i]);
		ph_cache_drain(cache->cache, true);
		ph_expect_one(test, PH_DOUBLE_FREE, ph_small[i]);
	}
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	KUNIT_EXPECT_EQ(test, ph_small_objects(cache), 1);
	privheap_cache_free(cache, ph_small[0]);
}

/* Somebody writes to one of them after all are free but one in each slab. */
static void write_to_a_free_small_object_is_told_once(struct kunit *test)
{
	struct privheap_cache *cache = ph_small_cache(test);
	struct privheap_cache_stat stat;
	void *keep, *victim;
	struct ph_seen seen;

	KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
	keep = privheap_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, ph_small_free(cache), 0);
	ph_cache_drain(cache->cache, true);
	victim = ph_slab_of_address(keep)->addr;
	KUNIT_ASSERT_PTR_NE(test, victim, keep);
	memset(victim, 0x55, 8);
	KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_LINK], 1);
	KUNIT_EXPECT_PTR_EQ(test, (void *)seen.last.addr, victim);
	KUNIT_EXPECT_GT(test, seen.last.nr_lost, 0);
	/* Nobody got it, and what it held stays to be looked at. */
	KUNIT_EXPECT_NULL(test, memchr_inv(victim, 0x55, 8));
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	KUNIT_EXPECT_EQ(test, ph_small_objects(cache), PH_SMALL + 1);
	KUNIT_EXPECT_EQ(test, ph_small_free(cache), 0);
	privheap_cache_free(cache, keep);
	ph_expect_silence(test);
	privheap_cache_stat(cache, &stat);
	KUNIT_EXPECT_EQ(test, stat.errors, 1);
	KUNIT_EXPECT_EQ(test, stat.objects, 0);
	/* The slab stays as long as the cache, which can end. */
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_scene_end_cache(test, cache);
	ph_expect_silence(test);
}

/* What was promised to be there may be lost, and is not promised any more. */
static void promises_do_not_outlive_lost_slots(struct kunit *test)
{
	struct privheap_cache *cache = ph_small_cache(test);
	struct ph_seen seen;
	struct ph_slab *slab;
	u32 nr, i;

	KUNIT_ASSERT_EQ(test, privheap_cache_reserve(cache, PH_SMALL), 0);
	KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
	KUNIT_EXPECT_EQ(test, ph_small_free(cache), 0);
	ph_cache_drain(cache->cache, true);
	nr = cache->cache->usable;
	KUNIT_ASSERT_EQ(test, privheap_cache_reserve(cache, nr), 0);
	slab = ph_slab_of_address(ph_small[PH_SMALL - 1]);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	for (i = 0; i < slab->used_to; i++)
		*(u64 *)(slab->addr + i * slab->stride) = 0;
	KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_LINK], seen.all);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	KUNIT_EXPECT_EQ(test, ph_small_free(cache), 0);
	ph_cache_drain(cache->cache, true);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
}

static void small_objects_hold_no_link_when_handed_out(struct kunit *test)
{
	struct privheap_cache *cache = ph_small_cache(test);
	u32 i, bad = 0;

	KUNIT_ASSERT_EQ(test, ph_small_alloc(cache), PH_SMALL);
	KUNIT_EXPECT_EQ(test, ph_small_free(cache), 0);
	ph_cache_drain(cache->cache, true);
	for (i = 0; i < PH_SMALL; i++) {
		ph_small[i] = privheap_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, ph_small[i]);
		bad += !ph_fixture_is_zero(ph_small[i], sizeof(u64));
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	privheap_cache_free_bulk(cache, PH_SMALL, ph_small);
}

static struct kunit_case ph_door_chain_cases[] = {
	KUNIT_CASE_PARAM(small_objects_cost_no_bitmap, ph_small_gen_params),
	KUNIT_CASE(what_others_may_look_at_is_in_no_chain),
	KUNIT_CASE_PARAM(small_objects_come_back_again_and_again,
			 ph_small_gen_params),
	KUNIT_CASE_PARAM(double_free_of_a_small_object_is_refused,
			 ph_small_gen_params),
	KUNIT_CASE_PARAM(write_to_a_free_small_object_is_told_once,
			 ph_small_gen_params),
	KUNIT_CASE_PARAM(promises_do_not_outlive_lost_slots,
			 ph_small_gen_params),
	KUNIT_CASE_PARAM(small_objects_hold_no_link_when_handed_out,
			 ph_small_gen_params),
	{}
};

static struct kunit_suite ph_door_chain_suite = {
	.name = "privheap_door_chain",
	.init = ph_scene_init,
	.exit = ph_scene_exit,
	.test_cases = ph_door_chain_cases,
};

kunit_test_suite(ph_door_chain_suite);
