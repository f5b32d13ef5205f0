// SPDX-License-Identifier: GPL-2.0
/* Check: writes to where no object is are found, whatever the cache is like. */

#include <linux/poison.h>

#include "check_scene.h"

#define PH_OBJS	5

/* A value that is nowhere to be found in guards or poison. */
#define PH_WRONG	0x11

static void ph_poke(void *obj, int at)
{
	((u8 *)obj)[at] = PH_WRONG;
}

static u8 ph_peek(const void *obj, int at)
{
	return ((const u8 *)obj)[at];
}

/* Slabs can be neighbours, too. */
static bool ph_are_neighbours(void *obj, void *next,
			      const struct ph_check_layout *lay)
{
	return next == obj + lay->end &&
	       ph_slab_of_address(next) == ph_slab_of_address(obj);
}

static void ph_alloc_some(struct kunit *test, struct privheap_cache *cache,
			  void **objs)
{
	u32 i;

	for (i = 0; i < PH_OBJS; i++)
		objs[i] = ph_scene_alloc(test, cache);
}

static void ph_free_some(struct privheap_cache *cache, void **objs)
{
	u32 i;

	for (i = 0; i < PH_OBJS; i++)
		privheap_cache_free(cache, objs[i]);
}

static void clean_use_reports_nothing(struct kunit *test)
{
	const struct ph_check_case *c = test->param_value;
	struct privheap_cache_stat stat;
	struct privheap_cache *cache;
	void *objs[PH_OBJS];
	u32 flags, round, i;

	ph_for_each_check(flags) {
		cache = ph_scene_cache_of(test, flags);
		KUNIT_EXPECT_EQ(test, cache->flags, flags);
		KUNIT_EXPECT_EQ(test, privheap_cache_size(cache), c->size);
		for (round = 0; round < 3; round++) {
			ph_alloc_some(test, cache, objs);
			for (i = 0; i < PH_OBJS; i++) {
				KUNIT_EXPECT_TRUE(test,
						  IS_ALIGNED((uintptr_t)objs[i],
							     c->align ?: 8));
				memset(objs[i], i + 1, c->size);
			}
			for (i = 0; i < PH_OBJS; i++)
				KUNIT_EXPECT_NULL(test,
						  memchr_inv(objs[i], i + 1,
							     c->size));
			KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
			ph_free_some(cache, objs);
		}
		privheap_cache_stat(cache, &stat);
		KUNIT_EXPECT_EQ(test, stat.allocs, 3 * PH_OBJS);
		KUNIT_EXPECT_EQ(test, stat.frees, 3 * PH_OBJS);
		KUNIT_EXPECT_EQ(test, stat.slab_loads, 3 * PH_OBJS);
		KUNIT_EXPECT_EQ(test, stat.errors, 0);
		cache->cache->keep_slabs = 0;
		KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
		ph_scene_end_cache(test, cache);
	}
	ph_expect_silence(test);
}

static void write_behind_each_byte(struct kunit *test)
{
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	struct ph_seen seen;
	u32 flags, tried;
	void *obj;
	int at;

	ph_for_each_check(flags) {
		if (!(flags & PRIVHEAP_CACHE_RED_ZONE))
			continue;
		cache = ph_scene_cache_of(test, flags);
		ph_scene_layout(&lay, cache);
		for (at = lay.size, tried = 0; at < lay.guard_end; at++) {
			obj = ph_scene_alloc(test, cache);
			ph_poke(obj, at);
			privheap_cache_free(cache, obj);
			ph_scene_seen(&seen);
			KUNIT_EXPECT_EQ(test, seen.all, 1);
			KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_BEHIND], 1);
			KUNIT_EXPECT_PTR_EQ(test, seen.last.addr, obj);
			KUNIT_EXPECT_EQ(test, seen.last.first, at);
			KUNIT_EXPECT_EQ(test, seen.last.wrong, 1);
			/* Mended. */
			KUNIT_EXPECT_EQ(test, ph_peek(obj, at), PH_RED_BYTE);
			tried++;
		}
		KUNIT_EXPECT_GE(test, tried, 8);
		KUNIT_EXPECT_EQ(test, atomic64_read(&cache->errors), tried);
		ph_scene_end_cache(test, cache);
		ph_expect_silence(test);
	}
}

static void write_before_each_byte(struct kunit *test)
{
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	struct ph_seen seen;
	void *first, *obj;
	u32 flags, tried;
	int at;

	ph_for_each_check(flags) {
		if (!(flags & PRIVHEAP_CACHE_RED_ZONE))
			continue;
		cache = ph_scene_cache_of(test, flags);
		ph_scene_layout(&lay, cache);
		/* Before the first of a slab is no memory of the slab. */
		do {
			first = ph_scene_alloc(test, cache);
			obj = ph_scene_alloc(test, cache);
		} while (!ph_are_neighbours(first, obj, &lay));
		privheap_cache_free(cache, obj);
		tried = 0;
		for (at = -1; at >= (int)(lay.before - lay.end); at--) {
			KUNIT_EXPECT_PTR_EQ(test, obj,
					    ph_scene_alloc(test, cache));
			ph_poke(obj, at);
			privheap_cache_free(cache, obj);
			ph_scene_seen(&seen);
			KUNIT_EXPECT_EQ(test, seen.all, 1);
			KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_BEFORE], 1);
			KUNIT_EXPECT_PTR_EQ(test, seen.last.addr, obj);
			KUNIT_EXPECT_EQ(test, seen.last.first, at);
			KUNIT_EXPECT_EQ(test, ph_peek(obj, at), PH_RED_BYTE);
			/* A long red zone: both ends of it. */
			if (++tried == 64 && lay.end - lay.before > 200)
				at = lay.before - lay.end + 64;
		}
		KUNIT_EXPECT_GE(test, tried, 8);
	}
}

/* Both when the object serves again and when all memory is looked at. */
static void ph_write_freed(struct kunit *test, struct privheap_cache *cache,
			   int at, bool shrink)
{
	void *obj = ph_scene_alloc(test, cache), *other, *again;
	struct ph_seen seen;

	other = ph_scene_alloc(test, cache);
	privheap_cache_free(cache, obj);
	ph_poke(obj, at);
	if (shrink)
		KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	again = ph_scene_alloc(test, cache);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_PTR_EQ(test, again, obj);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_FREED], 1);
	KUNIT_EXPECT_PTR_EQ(test, seen.last.addr, obj);
	KUNIT_EXPECT_EQ(test, seen.last.first, at);
	KUNIT_EXPECT_EQ(test, seen.last.wrong, 1);
	KUNIT_EXPECT_EQ(test, seen.last.want,
			at + 1 == privheap_cache_size(cache) ? POISON_END :
							       POISON_FREE);
	KUNIT_EXPECT_NULL(test, memchr_inv(again, POISON_INUSE,
					   privheap_cache_size(cache)));
	privheap_cache_free(cache, again);
	privheap_cache_free(cache, other);
}

static void write_to_freed_object(struct kunit *test)
{
	const struct ph_check_case *c = test->param_value;
	struct privheap_cache *cache;
	u32 flags, at, step;

	ph_for_each_check(flags) {
		if (!(flags & PRIVHEAP_CACHE_POISON) || c->align == 4096)
			continue;
		cache = ph_scene_cache_of(test, flags);
		/* All bytes of small ones, and the last one always. */
		for (at = 0; at < c->size; at += step) {
			ph_write_freed(test, cache, at, false);
			ph_write_freed(test, cache, at, true);
			step = at < 64 || at + 1 == c->size ? 1 :
			       min(c->size - 1 - at, 499U);
		}
		ph_scene_end_cache(test, cache);
		ph_expect_silence(test);
	}
}

static void write_of_many_bytes_is_one_report(struct kunit *test)
{
	const struct ph_check_case *c = test->param_value;
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	struct ph_seen seen;
	void *obj, *other;

	cache = ph_scene_cache_of(test, PRIVHEAP_CACHE_CHECK);
	ph_scene_layout(&lay, cache);
	obj = ph_scene_alloc(test, cache);
	other = ph_scene_alloc(test, cache);
	memset(obj, PH_WRONG, lay.guard_end);
	privheap_cache_free(cache, obj);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_BEHIND], 1);
	KUNIT_EXPECT_EQ(test, seen.last.first, lay.size);
	KUNIT_EXPECT_EQ(test, seen.last.wrong, lay.guard_end - lay.size);
	memset(obj, PH_WRONG, lay.size);
	KUNIT_EXPECT_PTR_EQ(test, ph_scene_alloc(test, cache), obj);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_FREED], 1);
	KUNIT_EXPECT_EQ(test, seen.last.first, 0);
	KUNIT_EXPECT_EQ(test, seen.last.wrong, c->size);
	privheap_cache_free(cache, obj);
	privheap_cache_free(cache, other);
	ph_expect_silence(test);
}

static void write_behind_is_found_by_shrink_once(struct kunit *test)
{
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	void *objs[PH_OBJS];

	cache = ph_scene_cache_of(test, PRIVHEAP_CACHE_RED_ZONE);
	ph_scene_layout(&lay, cache);
	ph_alloc_some(test, cache, objs);
	ph_poke(objs[2], lay.size);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_expect_one(test, PH_WRITE_BEHIND, objs[2]);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	ph_free_some(cache, objs);
	ph_expect_silence(test);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
}

static void writes_are_found_at_destroy(struct kunit *test)
{
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	void *objs[PH_OBJS];
	struct ph_seen seen;

	cache = ph_scene_cache_of(test, PRIVHEAP_CACHE_CHECK);
	ph_scene_layout(&lay, cache);
	ph_alloc_some(test, cache, objs);
	ph_free_some(cache, objs);
	ph_expect_silence(test);
	ph_poke(objs[0], 0);
	ph_poke(objs[1], lay.size);
	ph_poke(objs[3], lay.guard_end - 1);
	ph_scene_end_cache(test, cache);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 3);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_FREED], 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_BEHIND], 2);
}

/* Over everything up to the next object: both neighbours tell, and go on. */
static void write_over_the_records_is_survived(struct kunit *test)
{
	struct ph_track track;
	struct privheap_cache *cache;
	struct ph_check_layout lay;
	struct ph_seen seen;
	void *obj, *next;

	cache = ph_scene_cache_of(test, PRIVHEAP_CACHE_CHECK);
	ph_scene_layout(&lay, cache);
	do {
		obj = ph_scene_alloc(test, cache);
		next = ph_scene_alloc(test, cache);
	} while (!ph_are_neighbours(obj, next, &lay));
	memset(obj, PH_WRONG, lay.end);
	KUNIT_EXPECT_EQ(test, PH_TRACK_BAD,
			ph_track_get(ph_check_track(cache, obj, PH_TRACK_ALLOC),
				     &track));
	privheap_cache_free(cache, obj);
	ph_expect_one(test, PH_WRITE_BEHIND, obj);
	KUNIT_EXPECT_EQ(test, PH_TRACK_GOOD,
			ph_track_get(ph_check_track(cache, obj, PH_TRACK_FREE),
				     &track));
	privheap_cache_free(cache, next);
	ph_scene_seen(&seen);
	KUNIT_EXPECT_EQ(test, seen.all, 1);
	KUNIT_EXPECT_EQ(test, seen.of[PH_WRITE_BEFORE], 1);
	KUNIT_EXPECT_PTR_EQ(test, seen.last.addr, next);
	KUNIT_EXPECT_EQ(test, seen.last.wrong, lay.end - lay.before);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
}

static struct kunit_case ph_check_write_test_cases[] = {
	KUNIT_CASE_PARAM(clean_use_reports_nothing, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(write_behind_each_byte, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(write_before_each_byte, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(write_to_freed_object, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(write_of_many_bytes_is_one_report,
			 ph_check_case_gen_params),
	KUNIT_CASE_PARAM(write_behind_is_found_by_shrink_once,
			 ph_check_case_gen_params),
	KUNIT_CASE_PARAM(writes_are_found_at_destroy, ph_check_case_gen_params),
	KUNIT_CASE_PARAM(write_over_the_records_is_survived,
			 ph_check_case_gen_params),
	{}
};

static struct kunit_suite ph_check_write_suite = {
	.name = "privheap_check_write",
	.init = ph_scene_init,
	.exit = ph_scene_exit,
	.test_cases = ph_check_write_test_cases,
};

kunit_test_suite(ph_check_write_suite);
