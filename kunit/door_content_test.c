// SPDX-License-Identifier: GPL-2.0
/* Kernel door: what is in an object when it is handed out. */

#include <linux/mm.h>
#include <linux/string.h>

#include "door_fixture.h"

#define PH_CTOR_SIZE	72
#define PH_CTOR_MARK	0xa5

static u32 ph_ctor_calls;

static void ph_ctor(void *obj)
{
	ph_ctor_calls++;
	memset(obj, PH_CTOR_MARK, PH_CTOR_SIZE);
}

static const struct privheap_cache_args ph_ctor_args = { .ctor = ph_ctor };
static const struct privheap_cache_args ph_zero_args = {
	.flags = PRIVHEAP_CACHE_ZERO,
};

static struct privheap_cache *ph_ctor_cache(struct kunit *test)
{
	ph_ctor_calls = 0;
	return ph_door_cache(test, PH_CTOR_SIZE, &ph_ctor_args);
}

static u32 ph_unconstructed(void **objs, u32 nr)
{
	u32 i, bad = 0;

	for (i = 0; i < nr; i++)
		bad += !!memchr_inv(objs[i], PH_CTOR_MARK, PH_CTOR_SIZE);
	return bad;
}

static void ctor_runs_once_for_each_slot(struct kunit *test)
{
	struct privheap_cache *cache = ph_ctor_cache(test);
	void **objs = ph_door_objects();
	u32 round, nr;

	for (round = 0; round < 5; round++) {
		nr = ph_door_alloc_all(cache, GFP_KERNEL, objs, 700);
		KUNIT_EXPECT_EQ(test, nr, 700);
		KUNIT_EXPECT_EQ(test, ph_unconstructed(objs, nr), 0);
		KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slots, ph_ctor_calls);
		ph_door_free_all(cache, objs, nr);
		ph_door_drain(cache);
	}
}

static void ctor_state_survives_free(struct kunit *test)
{
	struct privheap_cache *cache = ph_ctor_cache(test);
	u8 *first = ph_door_alloc(test, cache), *second;
	u32 calls = ph_ctor_calls;

	first[0] = 1;
	first[PH_CTOR_SIZE - 1] = 2;
	privheap_cache_free(cache, first);
	second = ph_door_alloc(test, cache);
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_EQ(test, second[0], 1);
	KUNIT_EXPECT_EQ(test, second[PH_CTOR_SIZE - 1], 2);
	KUNIT_EXPECT_EQ(test, ph_ctor_calls, calls);
	privheap_cache_free(cache, second);
}

static void ctor_state_survives_magazines_depot_and_slabs(struct kunit *test)
{
	struct privheap_cache *cache = ph_ctor_cache(test);
	void **objs = ph_door_objects();
	u32 i, marked = 0;

	KUNIT_ASSERT_EQ(test, 1000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      1000));
	for (i = 0; i < 1000; i++)
		memset(objs[i], 0x11, PH_CTOR_SIZE);
	ph_door_free_all(cache, objs, 1000);
	ph_door_drain(cache);
	KUNIT_ASSERT_EQ(test, 1000, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						      1000));
	for (i = 0; i < 1000; i++)
		marked += !memchr_inv(objs[i], 0x11, PH_CTOR_SIZE);
	/* The others are of those that were not out before. */
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slots, ph_ctor_calls);
	KUNIT_EXPECT_GE(test, marked + ph_ctor_calls, 2000);
	ph_door_free_all(cache, objs, 1000);
}

static void ctor_wins_over_gfp_zero(struct kunit *test)
{
	struct privheap_cache *cache = ph_ctor_cache(test);
	void **objs = ph_door_objects();
	u32 i;

	for (i = 0; i < 300; i++)
		objs[i] = privheap_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_EQ(test, ph_unconstructed(objs, 300), 0);
	privheap_cache_free_bulk(cache, 300, objs);
	KUNIT_EXPECT_EQ(test, 300, privheap_cache_alloc_bulk(cache, GFP_KERNEL |
							     __GFP_ZERO, 300,
							     objs));
	KUNIT_EXPECT_EQ(test, ph_unconstructed(objs, 300), 0);
	privheap_cache_free_bulk(cache, 300, objs);
}

static void ctor_runs_anew_when_memory_comes_anew(struct kunit *test)
{
	struct privheap_cache *cache = ph_ctor_cache(test);
	u8 *obj = ph_door_alloc(test, cache);
	u32 calls = ph_ctor_calls;

	memset(obj, 0, PH_CTOR_SIZE);
	privheap_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
	obj = ph_door_alloc(test, cache);
	KUNIT_EXPECT_GT(test, ph_ctor_calls, calls);
	KUNIT_EXPECT_EQ(test, ph_unconstructed((void **)&obj, 1), 0);
	privheap_cache_free(cache, obj);
}

static void ctor_runs_for_what_is_reserved(struct kunit *test)
{
	struct privheap_cache *cache = ph_ctor_cache(test);
	void *obj;

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 200), 0);
	KUNIT_EXPECT_GE(test, ph_ctor_calls, 200);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slots, ph_ctor_calls);
	obj = ph_door_alloc(test, cache);
	KUNIT_EXPECT_EQ(test, ph_unconstructed(&obj, 1), 0);
	privheap_cache_free(cache, obj);
}

/* Make dirt of all that a cache has, and leave it in magazines and slabs. */
static void ph_dirty(struct kunit *test, struct privheap_cache *cache, u32 nr)
{
	void **objs = ph_door_objects();
	u32 i;

	KUNIT_ASSERT_EQ(test, nr, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						    nr));
	for (i = 0; i < nr; i++)
		memset(objs[i], 0xdd, privheap_cache_size(cache));
	ph_door_free_all(cache, objs, nr);
}

static u32 ph_not_zero(struct privheap_cache *cache, void **objs, u32 nr)
{
	u32 i, bad = 0;

	for (i = 0; i < nr; i++)
		bad += !ph_fixture_is_zero(objs[i], privheap_cache_size(cache));
	return bad;
}

static void gfp_zero_clears_whatever_serves(struct kunit *test)
{
	static const u32 sizes[] = { 1, 13, 64, 200, 4000, PH_DOOR_SIZE_MAX };
	void **objs = ph_door_objects();
	struct privheap_cache *cache;
	u32 i, nr;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = ph_door_cache(test, sizes[i], NULL);
		nr = sizes[i] < 1000 ? 600 : 60;
		ph_dirty(test, cache, nr);
		nr = ph_door_alloc_all(cache, GFP_KERNEL | __GFP_ZERO, objs, nr);
		KUNIT_EXPECT_EQ(test, ph_not_zero(cache, objs, nr), 0);
		ph_door_free_all(cache, objs, nr);
		ph_door_end(test, cache);
	}
}

static void flag_zero_clears_whatever_serves(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 52, &ph_zero_args);
	void **objs = ph_door_objects();
	u32 nr;

	ph_dirty(test, cache, 600);
	nr = ph_door_alloc_all(cache, GFP_KERNEL, objs, 700);
	KUNIT_EXPECT_EQ(test, nr, 700);
	KUNIT_EXPECT_EQ(test, ph_not_zero(cache, objs, nr), 0);
	ph_door_free_all(cache, objs, nr);
}

static void bulk_zero_clears_whatever_serves(struct kunit *test)
{
	struct privheap_cache *plain = ph_door_cache(test, 52, NULL);
	struct privheap_cache *zero = ph_door_cache(test, 52, &ph_zero_args);
	void **objs = ph_door_objects();

	ph_dirty(test, plain, 600);
	ph_dirty(test, zero, 600);
	KUNIT_EXPECT_EQ(test, 700, privheap_cache_alloc_bulk(plain, GFP_KERNEL |
							     __GFP_ZERO, 700,
							     objs));
	KUNIT_EXPECT_EQ(test, ph_not_zero(plain, objs, 700), 0);
	privheap_cache_free_bulk(plain, 700, objs);
	KUNIT_EXPECT_EQ(test, 700, privheap_cache_alloc_bulk(zero, GFP_KERNEL,
							     700, objs));
	KUNIT_EXPECT_EQ(test, ph_not_zero(zero, objs, 700), 0);
	privheap_cache_free_bulk(zero, 700, objs);
}

static void quota_does_not_hinder_zero(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_ZERO, .quota = 600,
	};
	struct privheap_cache *cache = ph_door_cache(test, 52, &args);
	void **objs = ph_door_objects();

	ph_dirty(test, cache, 600);
	KUNIT_EXPECT_EQ(test, 600, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     600));
	KUNIT_EXPECT_EQ(test, ph_not_zero(cache, objs, 600), 0);
	ph_door_free_all(cache, objs, 600);
}

/* As the kernel was told: cleared by init_on_alloc, else as it was left. */
static void plain_objects_are_as_the_kernel_wants_them(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	bool cleared = want_init_on_alloc(0) || want_init_on_free();
	u8 *obj = ph_door_alloc(test, cache);

	memset(obj, 0xdd, 64);
	privheap_cache_free(cache, obj);
	obj = ph_door_alloc(test, cache);
	KUNIT_EXPECT_EQ(test, ph_fixture_is_zero(obj, 64), cleared);
	KUNIT_EXPECT_EQ(test, !memchr_inv(obj, 0xdd, 64), !cleared);
	privheap_cache_free(cache, obj);
}

static void typesafe_objects_keep_their_content(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
	};
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	u8 *obj = ph_door_alloc(test, cache);

	memset(obj, 0xdd, 64);
	privheap_cache_free(cache, obj);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0xdd, 64));
	ph_door_drain(cache);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0xdd, 64));
	obj = ph_door_alloc(test, cache);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0xdd, 64));
	privheap_cache_free(cache, obj);
}

/* With a quota every call takes the long way. */
static void typesafe_objects_keep_their_content_on_the_long_way(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU, .quota = 10,
	};
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	u8 *obj = ph_door_alloc(test, cache);

	memset(obj, 0xdd, 64);
	privheap_cache_free(cache, obj);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0xdd, 64));
}

static void fresh_memory_tells_nothing(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 128, NULL);
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, 500, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     500));
	KUNIT_EXPECT_EQ(test, ph_not_zero(cache, objs, 500), 0);
	ph_door_free_all(cache, objs, 500);
}

static struct kunit_case ph_door_content_cases[] = {
	KUNIT_CASE(ctor_runs_once_for_each_slot),
	KUNIT_CASE(ctor_state_survives_free),
	KUNIT_CASE(ctor_state_survives_magazines_depot_and_slabs),
	KUNIT_CASE(ctor_wins_over_gfp_zero),
	KUNIT_CASE(ctor_runs_anew_when_memory_comes_anew),
	KUNIT_CASE(ctor_runs_for_what_is_reserved),
	KUNIT_CASE(gfp_zero_clears_whatever_serves),
	KUNIT_CASE(flag_zero_clears_whatever_serves),
	KUNIT_CASE(bulk_zero_clears_whatever_serves),
	KUNIT_CASE(quota_does_not_hinder_zero),
	KUNIT_CASE(plain_objects_are_as_the_kernel_wants_them),
	KUNIT_CASE(typesafe_objects_keep_their_content),
	KUNIT_CASE(typesafe_objects_keep_their_content_on_the_long_way),
	KUNIT_CASE(fresh_memory_tells_nothing),
	{}
};

static struct kunit_suite ph_door_content_suite = {
	.name = "privheap_door_content",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_content_cases,
};

kunit_test_suite(ph_door_content_suite);
