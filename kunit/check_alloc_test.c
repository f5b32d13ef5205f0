// SPDX-License-Identifier: GPL-2.0
/* Check: what caches that check hand out, and what they remember of it. */

#include <linux/interrupt.h>
#include <linux/poison.h>
#include <linux/timekeeping.h>

#include "check_scene.h"

static struct privheap_cache *ph_flagged(struct kunit *test, u32 size,
					 u32 flags)
{
	struct privheap_cache_args args = { .flags = flags };

	return ph_scene_cache(test, size, &args);
}

static const u32 ph_content_sizes[] = { 1, 3, 8, 13, 100, 4096 };

static void content_of_new_objects(struct kunit *test)
{
	struct privheap_cache *cache;
	u32 i, size, flags;
	void *obj;

	for (i = 0; i < ARRAY_SIZE(ph_content_sizes); i++) {
		size = ph_content_sizes[i];
		ph_for_each_check(flags) {
			cache = ph_flagged(test, size, flags);
			obj = ph_scene_alloc(test, cache);
			if (flags & PRIVHEAP_CACHE_POISON)
				KUNIT_EXPECT_NULL(test,
						  memchr_inv(obj, POISON_INUSE,
							     size));
			memset(obj, 1, size);
			privheap_cache_free(cache, obj);
			obj = privheap_cache_alloc(cache,
						   GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, obj);
			KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0, size));
			privheap_cache_free(cache, obj);
			ph_scene_end_cache(test, cache);
		}
	}
	ph_expect_silence(test);
}

static void zero_caches_are_zero(struct kunit *test)
{
	struct privheap_cache *cache;
	u32 flags, i, size, got;
	void *objs[4];

	for (size = 1; size < 40; size++) {
		ph_for_each_check(flags) {
			cache = ph_flagged(test, size,
					   flags | PRIVHEAP_CACHE_ZERO);
			for (i = 0; i < ARRAY_SIZE(objs); i++) {
				objs[i] = ph_scene_alloc(test, cache);
				KUNIT_EXPECT_NULL(test, memchr_inv(objs[i], 0,
								   size));
				memset(objs[i], 0xff, size);
			}
			privheap_cache_free_bulk(cache, ARRAY_SIZE(objs), objs);
			got = privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							ARRAY_SIZE(objs), objs);
			KUNIT_ASSERT_EQ(test, got, ARRAY_SIZE(objs));
			for (i = 0; i < ARRAY_SIZE(objs); i++)
				KUNIT_EXPECT_NULL(test, memchr_inv(objs[i], 0,
								   size));
			privheap_cache_free_bulk(cache, ARRAY_SIZE(objs), objs);
			ph_scene_end_cache(test, cache);
		}
	}
	ph_expect_silence(test);
}

static u32 ph_constructed;

static void ph_construct(void *obj)
{
	ph_constructed++;
	memset(obj, 0xc0, 24);
}

static void constructed_state_survives(struct kunit *test)
{
	struct privheap_cache_args args = {
		.ctor = ph_construct,
		.flags = PRIVHEAP_CACHE_RED_ZONE | PRIVHEAP_CACHE_TRACK,
	};
	struct privheap_cache *cache = ph_scene_cache(test, 24, &args);
	struct privheap_cache_stat stat;
	u8 *obj, *again;

	ph_constructed = 0;
	obj = ph_scene_alloc(test, cache);
	privheap_cache_stat(cache, &stat);
	KUNIT_EXPECT_EQ(test, ph_constructed, stat.slots);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0xc0, 24));
	obj[3] = 7;
	privheap_cache_free(cache, obj);
	again = privheap_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_PTR_EQ(test, obj, again);
	KUNIT_EXPECT_EQ(test, obj[3], 7);
	KUNIT_EXPECT_EQ(test, ph_constructed, stat.slots);
	obj[24] = 1;
	privheap_cache_free(cache, obj);
	ph_expect_one(test, PH_WRITE_BEHIND, obj);
	KUNIT_EXPECT_EQ(test, obj[3], 7);
}

static void typesafe_objects_keep_what_is_in_them(struct kunit *test)
{
	struct privheap_cache *cache;
	u8 *obj;

	cache = ph_flagged(test, 24, PRIVHEAP_CACHE_TYPESAFE_BY_RCU |
				     PRIVHEAP_CACHE_RED_ZONE |
				     PRIVHEAP_CACHE_TRACK);
	obj = ph_scene_alloc(test, cache);
	memset(obj, 0x3c, 24);
	privheap_cache_free(cache, obj);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0x3c, 24));
	KUNIT_EXPECT_PTR_EQ(test, obj, (u8 *)ph_scene_alloc(test, cache));
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0x3c, 24));
	privheap_cache_free(cache, obj);
	privheap_cache_free(cache, obj);
	ph_expect_one(test, PH_DOUBLE_FREE, obj);
}

static void promises_are_kept(struct kunit *test)
{
	struct privheap_cache *cache = ph_flagged(test, 200,
						  PRIVHEAP_CACHE_CHECK);
	struct ph_heap *heap = ph_door_heap(ph_scene_heap);
	u64 max = heap->region.hard_max;
	u32 nr = 0;

	KUNIT_ASSERT_EQ(test, privheap_cache_reserve(cache, 100), 0);
	heap->region.hard_max = ph_fixture_held(&heap->region);
	while (nr < 200 && privheap_cache_alloc(cache, GFP_NOWAIT))
		nr++;
	heap->region.hard_max = max;
	KUNIT_EXPECT_GE(test, nr, 100);
	KUNIT_EXPECT_LT(test, nr, 200);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
}

static void no_memory_is_no_mistake(struct kunit *test)
{
	struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_CHECK, .quota = 1000,
	};
	struct privheap_cache *cache = ph_scene_cache(test, 200, &args);
	struct ph_heap *heap = ph_door_heap(ph_scene_heap);
	u64 max = heap->region.hard_max;
	void *objs[3];

	heap->region.hard_max = ph_fixture_held(&heap->region);
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, privheap_cache_alloc_bulk(cache, GFP_KERNEL, 3,
							   objs));
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->used), 0);
	heap->region.hard_max = max;
	ph_expect_silence(test);
	ph_scene_end_cache(test, cache);
}

static void ph_expect_track(struct kunit *test, struct privheap_cache *cache,
			    const void *obj, int which, u64 since,
			    struct ph_track *track)
{
	const struct ph_track *place = ph_check_track(cache, obj, which);
	struct ph_stack stack;

	KUNIT_ASSERT_NOT_NULL(test, place);
	KUNIT_ASSERT_EQ(test, ph_track_get(place, track), PH_TRACK_GOOD);
	KUNIT_EXPECT_EQ(test, track->pid, task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, track->cpu, raw_smp_processor_id());
	KUNIT_EXPECT_GE(test, track->time, since);
	KUNIT_EXPECT_LE(test, track->time, ktime_get_mono_fast_ns());
	/* User-mode Linux has no stacks without frame pointers. */
	if (!IS_ENABLED(CONFIG_STACKDEPOT) || IS_ENABLED(CONFIG_UML))
		return;
	ph_stack_of(&stack, track);
	KUNIT_EXPECT_GE(test, stack.nr, 2);
	KUNIT_EXPECT_EQ(test, stack.entry[0], track->caller);
}

static void records_tell_who_and_when(struct kunit *test)
{
	struct privheap_cache *cache = ph_flagged(test, 33,
						  PRIVHEAP_CACHE_TRACK);
	u64 begin = ktime_get_mono_fast_ns();
	struct ph_track made, freed, now;
	void *obj = privheap_cache_alloc(cache, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	ph_expect_track(test, cache, obj, PH_TRACK_ALLOC, begin, &made);
	KUNIT_EXPECT_EQ(test, made.in_irq, 0);
	KUNIT_EXPECT_EQ(test, PH_TRACK_NONE,
			ph_track_get(ph_check_track(cache, obj, PH_TRACK_FREE),
				     &freed));
	privheap_cache_free(cache, obj);
	ph_expect_track(test, cache, obj, PH_TRACK_FREE, made.time, &freed);
	KUNIT_EXPECT_NE(test, freed.caller, made.caller);
	/* A refused free leaves no trace. */
	privheap_cache_free(cache, obj);
	ph_expect_one(test, PH_DOUBLE_FREE, obj);
	ph_expect_track(test, cache, obj, PH_TRACK_FREE, begin, &now);
	KUNIT_EXPECT_EQ(test, now.time, freed.time);
	ph_expect_track(test, cache, obj, PH_TRACK_ALLOC, begin, &now);
	KUNIT_EXPECT_EQ(test, now.time, made.time);
}

static void records_belong_to_their_place(struct kunit *test)
{
	struct privheap_cache *cache = ph_flagged(test, 8,
						  PRIVHEAP_CACHE_TRACK);
	void *obj = ph_scene_alloc(test, cache);
	const struct ph_track *place = ph_check_track(cache, obj,
						      PH_TRACK_ALLOC);
	struct ph_track copy, track = *place;
	u8 *byte = (u8 *)place;
	u32 i;

	KUNIT_EXPECT_EQ(test, ph_track_get(&track, &copy), PH_TRACK_BAD);
	for (i = 0; i < sizeof(track); i++) {
		byte[i] ^= 0x10;
		KUNIT_EXPECT_EQ(test, ph_track_get(place, &copy), PH_TRACK_BAD);
		byte[i] ^= 0x10;
	}
	KUNIT_EXPECT_EQ(test, ph_track_get(place, &copy), PH_TRACK_GOOD);
	cache = ph_flagged(test, 8, PRIVHEAP_CACHE_RED_ZONE);
	place = ph_check_track(cache, obj, PH_TRACK_ALLOC);
	KUNIT_EXPECT_NULL(test, (void *)place);
}

/* What an interrupt does, with a cache of its own. */
struct ph_irq {
	struct tasklet_struct tasklet;
	struct privheap_cache *cache;
	void *obj;
};

static void ph_irq_alloc(struct tasklet_struct *tasklet)
{
	struct ph_irq *irq = container_of(tasklet, struct ph_irq, tasklet);

	irq->obj = privheap_cache_alloc(irq->cache, GFP_ATOMIC);
	privheap_cache_free(irq->cache, irq->obj);
}

static void interrupts_leave_records_too(struct kunit *test)
{
	struct ph_irq *irq = kunit_kzalloc(test, sizeof(*irq), GFP_KERNEL);
	const struct ph_track *place;
	struct ph_track track;

	KUNIT_ASSERT_NOT_NULL(test, irq);
	irq->cache = ph_flagged(test, 24, PRIVHEAP_CACHE_CHECK);
	tasklet_setup(&irq->tasklet, ph_irq_alloc);
	tasklet_schedule(&irq->tasklet);
	tasklet_kill(&irq->tasklet);
	KUNIT_ASSERT_NOT_NULL(test, irq->obj);
	place = ph_check_track(irq->cache, irq->obj, PH_TRACK_ALLOC);
	KUNIT_EXPECT_EQ(test, ph_track_get(place, &track), PH_TRACK_GOOD);
	KUNIT_EXPECT_EQ(test, track.in_irq, 1);
	place = ph_check_track(irq->cache, irq->obj, PH_TRACK_FREE);
	KUNIT_EXPECT_EQ(test, ph_track_get(place, &track), PH_TRACK_GOOD);
	KUNIT_EXPECT_EQ(test, track.in_irq, 1);
	ph_expect_silence(test);
}

static struct kunit_case ph_check_alloc_test_cases[] = {
	KUNIT_CASE(content_of_new_objects),
	KUNIT_CASE(zero_caches_are_zero),
	KUNIT_CASE(constructed_state_survives),
	KUNIT_CASE(typesafe_objects_keep_what_is_in_them),
	KUNIT_CASE(promises_are_kept),
	KUNIT_CASE(no_memory_is_no_mistake),
	KUNIT_CASE(records_tell_who_and_when),
	KUNIT_CASE(records_belong_to_their_place),
	KUNIT_CASE(interrupts_leave_records_too),
	{}
};

static struct kunit_suite ph_check_alloc_suite = {
	.name = "privheap_check_alloc",
	.init = ph_scene_init,
	.exit = ph_scene_exit,
	.test_cases = ph_check_alloc_test_cases,
};

kunit_test_suite(ph_check_alloc_suite);
