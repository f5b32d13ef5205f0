// SPDX-License-Identifier: GPL-2.0
/* Check: what is no object in use cannot be freed, and is told of. */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "check_scene.h"

#define PH_OBJS	8

static const struct privheap_cache_args ph_all_checks = {
	.flags = PRIVHEAP_CACHE_CHECK, .keep_slabs = 64,
};

static u64 ph_objects(struct privheap_cache *cache)
{
	struct privheap_cache_stat stat;

	privheap_cache_stat(cache, &stat);
	return stat.objects;
}

static void double_free_is_refused(struct kunit *test)
{
	struct privheap_cache *cache;
	void *a, *b, *again;
	u32 flags;

	ph_for_each_check(flags) {
		cache = ph_scene_cache_of(test, flags);
		a = ph_scene_alloc(test, cache);
		b = ph_scene_alloc(test, cache);
		privheap_cache_free(cache, a);
		ph_expect_silence(test);
		privheap_cache_free(cache, a);
		ph_expect_one(test, PH_DOUBLE_FREE, a);
		KUNIT_EXPECT_EQ(test, ph_objects(cache), 1);
		/* It serves once, not twice. */
		again = ph_scene_alloc(test, cache);
		KUNIT_EXPECT_PTR_EQ(test, again, a);
		KUNIT_EXPECT_PTR_NE(test, ph_scene_alloc(test, cache), a);
		privheap_cache_free(cache, b);
		privheap_cache_free(cache, b);
		ph_expect_one(test, PH_DOUBLE_FREE, b);
		KUNIT_EXPECT_EQ(test, ph_objects(cache), 2);
		KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), 2);
		KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	}
}

static void foreign_free_is_refused(struct kunit *test)
{
	struct privheap_cache *cache, *other;
	u32 flags;
	void *obj;

	other = ph_scene_cache(test, 40, &ph_all_checks);
	ph_for_each_check(flags) {
		cache = ph_scene_cache_of(test, flags);
		obj = ph_scene_alloc(test, cache);
		privheap_cache_free(other, obj);
		ph_expect_one(test, PH_FOREIGN_FREE, obj);
		KUNIT_EXPECT_EQ(test, ph_objects(cache), 1);
		KUNIT_EXPECT_EQ(test, ph_objects(other), 0);
		/* Its own cache takes it as if nothing had been. */
		privheap_cache_free(cache, obj);
		ph_expect_silence(test);
		KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), 0);
		ph_scene_end_cache(test, cache);
	}
	KUNIT_EXPECT_EQ(test, atomic64_read(&other->errors), 7);
}

static void interior_free_at_each_byte(struct kunit *test)
{
	const struct ph_check_case *c = test->param_value;
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	u32 flags, at, wrong;
	struct ph_seen seen;
	void *obj;

	ph_for_each_check(flags) {
		cache = ph_scene_cache_of(test, flags);
		ph_scene_layout(&lay, cache);
		obj = ph_scene_alloc(test, cache);
		for (at = 1, wrong = 0; at < lay.end; at++) {
			privheap_cache_free(cache, obj + at);
			ph_scene_seen(&seen);
			wrong += seen.all != 1 || !seen.of[PH_INTERIOR_FREE] ||
				 seen.last.addr != obj + at;
		}
		KUNIT_EXPECT_EQ(test, wrong, 0);
		KUNIT_EXPECT_EQ(test, ph_objects(cache), 1);
		KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors),
				lay.end - 1);
		privheap_cache_free(cache, obj);
		ph_expect_silence(test);
		ph_scene_end_cache(test, cache);
		KUNIT_EXPECT_GE(test, lay.end, c->size);
	}
}

static void free_of_the_tail_of_a_slab_is_refused(struct kunit *test)
{
	struct privheap_cache *cache = ph_scene_cache(test, 1500,
						      &ph_all_checks);
	void *obj = ph_scene_alloc(test, cache), *tail;
	struct ph_slab *slab = ph_slab_of_address(obj);

	tail = slab->addr + (size_t)slab->nr * slab->stride;
	KUNIT_ASSERT_TRUE(test, privheap_owns(tail));
	privheap_cache_free(cache, tail);
	ph_expect_one(test, PH_INTERIOR_FREE, tail);
	KUNIT_EXPECT_EQ(test, ph_objects(cache), 1);
}

static void wild_frees_are_refused(struct kunit *test)
{
	struct privheap_cache *cache = ph_scene_cache(test, 64, &ph_all_checks);
	struct page *page = alloc_page(GFP_KERNEL);
	void *virtual = vmalloc(PAGE_SIZE);
	void *wild[] = {
		NULL, ERR_PTR(-ENOMEM), &cache, cache, ph_scene_heap, page,
		virtual, wild_frees_are_refused, (void *)-1UL, (void *)1UL,
		page ? page_address(page) : NULL,
		kunit_kzalloc(test, 64, GFP_KERNEL), (void *)ph_all_checks.ctor,
		(void *)&ph_all_checks,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		KUNIT_EXPECT_FALSE(test, privheap_owns(wild[i]));
		privheap_cache_free(cache, wild[i]);
		ph_expect_one(test, PH_WILD_FREE, wild[i]);
	}
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), ARRAY_SIZE(wild));
	KUNIT_EXPECT_EQ(test, ph_objects(cache), 0);
	vfree(virtual);
	if (page)
		__free_page(page);
}

/* Of memory that was the cache's once. */
static void free_after_the_slab_is_gone_is_refused(struct kunit *test)
{
	struct privheap_cache_args args = { .flags = PRIVHEAP_CACHE_CHECK };
	struct privheap_cache *cache = ph_scene_cache(test, 64, &args);
	void *obj = ph_scene_alloc(test, cache);

	privheap_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
	KUNIT_EXPECT_FALSE(test, privheap_owns(obj));
	privheap_cache_free(cache, obj);
	ph_expect_one(test, PH_WILD_FREE, obj);
}

static void bulk_free_refuses_one_by_one(struct kunit *test)
{
	struct privheap_cache *cache = ph_scene_cache(test, 24, &ph_all_checks);
	struct privheap_cache *other = ph_scene_cache(test, 24, &ph_all_checks);
	void *objs[PH_OBJS], *foreign = ph_scene_alloc(test, other);
	struct ph_seen seen;

	KUNIT_ASSERT_EQ(test, PH_OBJS,
			privheap_cache_alloc_bulk(cache, GFP_KERNEL, PH_OBJS,
						  objs));
	KUNIT_EXPECT_EQ(test, ph_objects(cache), PH_OBJS);
	swap(objs[3], foreign);
	objs[6] = objs[5];
	privheap_cache_free_bulk(cache, PH_OBJS, objs);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 2);
	KUNIT_EXPECT_EQ(test, seen.of[PH_FOREIGN_FREE], 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_DOUBLE_FREE], 1);
	KUNIT_EXPECT_EQ(test, ph_objects(cache), 2);
	KUNIT_EXPECT_EQ(test, ph_objects(other), 1);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
}

static void quota_survives_wrong_frees(struct kunit *test)
{
	struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_CHECK, .quota = 2,
	};
	struct privheap_cache *cache = ph_scene_cache(test, 24, &args);
	void *a = ph_scene_alloc(test, cache);

	ph_scene_alloc(test, cache);
	privheap_cache_free(cache, a);
	privheap_cache_free(cache, a);
	privheap_cache_free(cache, a + 8);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), 2);
	ph_scene_alloc(test, cache);
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
}

/* Threads that all free the same objects. */
struct ph_race {
	struct privheap_cache *cache;
	void **objs;
	u32 nr;
	struct completion go;
	struct completion done;
};

static int ph_race_thread(void *data)
{
	struct ph_race *race = data;
	u32 i;

	wait_for_completion(&race->go);
	for (i = 0; i < race->nr; i++)
		privheap_cache_free(race->cache, race->objs[i]);
	complete(&race->done);
	return 0;
}

static void of_those_who_free_at_once_one_does(struct kunit *test)
{
	struct ph_race race = { .nr = 2000 };
	struct ph_seen seen;
	u32 i, threads = 3, started = 0;

	race.cache = ph_scene_cache(test, 40, &ph_all_checks);
	race.objs = kunit_kcalloc(test, race.nr, sizeof(void *), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race.objs);
	init_completion(&race.go);
	init_completion(&race.done);
	KUNIT_ASSERT_EQ(test, race.nr,
			privheap_cache_alloc_bulk(race.cache, GFP_KERNEL,
						  race.nr, race.objs));
	for (i = 0; i < threads; i++)
		if (!IS_ERR(kthread_run(ph_race_thread, &race, "ph_race%u", i)))
			started++;
	complete_all(&race.go);
	for (i = 0; i < started; i++)
		wait_for_completion(&race.done);
	KUNIT_ASSERT_EQ(test, started, threads);
	ph_scene_seen(&seen);
	/* One of memory that has gone already is as wrong, but another kind. */
	KUNIT_EXPECT_EQ(test, seen.all, (threads - 1) * race.nr);
	KUNIT_EXPECT_EQ(test, seen.all, seen.of[PH_DOUBLE_FREE] +
					seen.of[PH_WILD_FREE]);
	KUNIT_EXPECT_EQ(test, ph_objects(race.cache), 0);
	ph_scene_end_cache(test, race.cache);
}

static void destroy_tells_of_objects_left(struct kunit *test)
{
	struct privheap_cache *cache;
	void *objs[2 * PH_OBJS];
	struct ph_seen seen;
	u32 nr, i;

	cache = ph_scene_cache(test, 700, &ph_all_checks);
	for (nr = 1; nr <= ARRAY_SIZE(objs); nr++) {
		objs[nr - 1] = ph_scene_alloc(test, cache);
		KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), -EBUSY);
		ph_scene_seen(&seen);
		KUNIT_EXPECT_EQ(test, seen.all, 1);
		KUNIT_EXPECT_EQ(test, seen.of[PH_OBJECTS_LEFT], 1);
		KUNIT_EXPECT_EQ(test, seen.last.nr_left, nr);
		KUNIT_EXPECT_EQ(test, seen.left.nr, min_t(u32, nr, PH_LEFT_MAX));
		for (i = 0; i < seen.left.nr; i++)
			KUNIT_EXPECT_TRUE(test, memchr_inv(seen.left.obj[i],
							   POISON_FREE, 700));
	}
	/* As it was. */
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		privheap_cache_free(cache, objs[i]);
	ph_expect_silence(test);
	ph_scene_end_cache(test, cache);
}

static void forced_destroy_takes_objects_along(struct kunit *test)
{
	struct privheap_cache *cache;
	struct ph_seen seen;
	void *obj;

	cache = privheap_cache_create(ph_scene_heap, "forced", 64,
				      &ph_all_checks);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	obj = privheap_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, privheap_owns(obj));
	KUNIT_EXPECT_EQ(test, 0,
			privheap_cache_destroy(cache, PRIVHEAP_DESTROY_FORCE));
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.last.nr_left, 1);
	KUNIT_EXPECT_PTR_EQ(test, seen.left.obj[0], (const void *)obj);
	KUNIT_EXPECT_FALSE(test, privheap_owns(obj));
}

/* The text of each kind, and of all that it can tell, is written for once. */
static void reports_can_be_printed(struct kunit *test)
{
	struct privheap_cache *cache = ph_scene_cache(test, 40, &ph_all_checks);
	struct privheap_cache *other = ph_scene_cache(test, 64, NULL);
	struct privheap_cache *small = ph_scene_cache(test, 8, NULL);
	u8 *a = ph_scene_alloc(test, cache), *b = ph_scene_alloc(test, cache);
	u8 *c = ph_scene_alloc(test, cache), *d = ph_scene_alloc(test, small);
	struct ph_slab *slab = ph_slab_of_address(b);

	KUNIT_ASSERT_LT(test, slab->nr * slab->stride, ph_slab_bytes(slab));
	kunit_info(test, "the reports that follow belong to the test\n");
	ph_scene_listen(false);
	privheap_cache_free(cache, a);
	privheap_cache_free(cache, a);
	a[5] = 1;
	a = ph_scene_alloc(test, cache);
	memset(b + 40, 2, 100);
	privheap_cache_free(cache, b);
	privheap_cache_free(cache, c);
	privheap_cache_free(cache, a + 4);
	privheap_cache_free(cache, slab->addr + slab->nr * slab->stride);
	privheap_cache_free(cache, ph_scene_alloc(test, other));
	privheap_cache_free(cache, &cache);
	privheap_cache_free(small, d);
	ph_cache_drain(small->cache, true);
	d[5] = 3;
	privheap_cache_free(small, ph_scene_alloc(test, small));
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), -EBUSY);
	ph_scene_listen(true);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), 9);
	KUNIT_EXPECT_EQ(test, atomic64_read(&small->errors), 1);
	ph_expect_silence(test);
}

static struct kunit_case ph_check_free_test_cases[] = {
	KUNIT_CASE_PARAM(double_free_is_refused, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(foreign_free_is_refused, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(interior_free_at_each_byte, ph_check_case_gen_params),
	KUNIT_CASE(free_of_the_tail_of_a_slab_is_refused),
	KUNIT_CASE(wild_frees_are_refused),
	KUNIT_CASE(free_after_the_slab_is_gone_is_refused),
	KUNIT_CASE(bulk_free_refuses_one_by_one),
	KUNIT_CASE(quota_survives_wrong_frees),
	KUNIT_CASE(of_those_who_free_at_once_one_does),
	KUNIT_CASE(destroy_tells_of_objects_left),
	KUNIT_CASE(forced_destroy_takes_objects_along),
	KUNIT_CASE(reports_can_be_printed),
	{}
};

static struct kunit_suite ph_check_free_suite = {
	.name = "privheap_check_free",
	.init = ph_scene_init,
	.exit = ph_scene_exit,
	.test_cases = ph_check_free_test_cases,
};

kunit_test_suite(ph_check_free_suite);
