// SPDX-License-Identifier: GPL-2.0
/* Check: what caches that do not check find out, and survive, all the same. */

#include "check_scene.h"

#define PH_OBJS	8

static const u32 ph_off_flags[] = {
	0, PRIVHEAP_CACHE_ZERO, PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
	PRIVHEAP_CACHE_NO_REUSE,
};

static void ph_off_name(const u32 *flags, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "flags %#x", *flags);
}

KUNIT_ARRAY_PARAM(ph_off_flag, ph_off_flags, ph_off_name);

static struct privheap_cache *ph_off_cache(struct kunit *test, u32 size)
{
	const u32 *flags = test->param_value;
	struct privheap_cache_args args = { .flags = *flags };

	return ph_scene_cache(test, size, &args);
}

static void ph_alloc_some(struct kunit *test, struct privheap_cache *cache,
			  void **objs, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		objs[i] = ph_scene_alloc(test, cache);
}

static void foreign_free_is_refused(struct kunit *test)
{
	struct privheap_cache *cache = ph_off_cache(test, 64), *other;
	void *obj = ph_scene_alloc(test, cache), *own;

	other = ph_off_cache(test, 64);
	own = ph_scene_alloc(test, other);
	privheap_cache_free(other, own);
	privheap_cache_free(other, obj);
	ph_expect_one(test, PH_FOREIGN_FREE, obj);
	KUNIT_EXPECT_EQ(test, atomic64_read(&other->errors), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), 0);
	privheap_cache_free(cache, obj);
	ph_expect_silence(test);
	ph_scene_end_cache(test, other);
	ph_scene_end_cache(test, cache);
}

/* Told apart where the slab takes it back, and refused there. */
static void double_free_is_refused_by_the_slab(struct kunit *test)
{
	struct privheap_cache *cache = ph_off_cache(test, 64);
	struct privheap_cache_stat stat;
	void *objs[PH_OBJS];

	ph_alloc_some(test, cache, objs, PH_OBJS);
	privheap_cache_free(cache, objs[0]);
	privheap_cache_free(cache, objs[0]);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_expect_one(test, PH_DOUBLE_FREE, objs[0]);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	privheap_cache_stat(cache, &stat);
	KUNIT_EXPECT_EQ(test, stat.objects, PH_OBJS - 1);
	KUNIT_EXPECT_EQ(test, stat.errors, 1);
	privheap_cache_free_bulk(cache, PH_OBJS - 1, objs + 1);
	ph_scene_end_cache(test, cache);
	ph_expect_silence(test);
}

static void each_double_free_is_told_of(struct kunit *test)
{
	struct privheap_cache *cache = ph_off_cache(test, 64);
	void *objs[PH_OBJS];
	struct ph_seen seen;
	u32 i;

	ph_alloc_some(test, cache, objs, PH_OBJS);
	for (i = 0; i < 2 * 3; i++)
		privheap_cache_free(cache, objs[i % 3]);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 3);
	KUNIT_EXPECT_EQ(test, seen.of[PH_DOUBLE_FREE], 3);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), 3);
	privheap_cache_free_bulk(cache, PH_OBJS - 3, objs + 3);
	ph_scene_end_cache(test, cache);
}

static void interior_free_is_refused_by_the_slab(struct kunit *test)
{
	struct privheap_cache *cache = ph_off_cache(test, 64);
	void *obj = ph_scene_alloc(test, cache);

	privheap_cache_free(cache, obj + 16);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_expect_one(test, PH_INTERIOR_FREE, obj + 16);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	privheap_cache_free(cache, obj);
	ph_scene_end_cache(test, cache);
}

/*
 * The slab can be gone by the time that the second free comes to light: with a
 * magazine for each, what the first one gives back is given up before.
 */
static void double_free_of_a_slab_that_is_gone(struct kunit *test)
{
	struct privheap_cache *cache = ph_off_cache(test, 4096);
	u32 cap = ph_magazine_cap(cache->cache->magazine_bytes);
	u32 nr = 4 * cap, i;
	struct ph_seen seen;
	void **objs;

	objs = kunit_kcalloc(test, nr, sizeof(*objs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	ph_alloc_some(test, cache, objs, nr);
	for (i = 0; i < 2 * nr; i++)
		privheap_cache_free(cache, objs[i % nr]);
	privheap_cache_shrink(cache);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, nr);
	KUNIT_EXPECT_EQ(test, seen.of[PH_DOUBLE_FREE] + seen.of[PH_WILD_FREE],
			nr);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), nr);
	ph_scene_end_cache(test, cache);
	ph_expect_silence(test);
}

static void objects_left_are_named(struct kunit *test)
{
	struct privheap_cache *cache = ph_off_cache(test, 64);
	void *objs[PH_OBJS];
	struct ph_seen seen;
	u32 i;

	ph_alloc_some(test, cache, objs, PH_OBJS);
	privheap_cache_free_bulk(cache, 3, objs);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), -EBUSY);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_OBJECTS_LEFT], 1);
	KUNIT_EXPECT_EQ(test, seen.last.nr_left, PH_OBJS - 3);
	KUNIT_ASSERT_EQ(test, seen.left.nr, PH_OBJS - 3);
	for (i = 0; i < seen.left.nr; i++)
		KUNIT_EXPECT_PTR_EQ(test, seen.left.obj[i],
				    (const void *)objs[3 + i]);
	privheap_cache_free_bulk(cache, PH_OBJS - 3, objs + 3);
	ph_scene_end_cache(test, cache);
}

static struct kunit_case ph_check_off_test_cases[] = {
	KUNIT_CASE_PARAM(foreign_free_is_refused, ph_off_flag_gen_params),
	KUNIT_CASE_PARAM(double_free_is_refused_by_the_slab,
			 ph_off_flag_gen_params),
	KUNIT_CASE_PARAM(each_double_free_is_told_of, ph_off_flag_gen_params),
	KUNIT_CASE_PARAM(interior_free_is_refused_by_the_slab,
			 ph_off_flag_gen_params),
	KUNIT_CASE_PARAM(double_free_of_a_slab_that_is_gone,
			 ph_off_flag_gen_params),
	KUNIT_CASE_PARAM(objects_left_are_named, ph_off_flag_gen_params),
	{}
};

static struct kunit_suite ph_check_off_suite = {
	.name = "privheap_check_off",
	.init = ph_scene_init,
	.exit = ph_scene_exit,
	.test_cases = ph_check_off_test_cases,
};

kunit_test_suite(ph_check_off_suite);
