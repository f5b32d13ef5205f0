// SPDX-License-Identifier: GPL-2.0
/* Kernel door: quota, maximum of the heap, and what was promised in advance. */

#include <linux/bottom_half.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/sched/mm.h>

#include "door_fixture.h"
#include "faults.h"

static void quota_is_exact(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 137 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();
	u32 round;

	for (round = 0; round < 3; round++) {
		KUNIT_EXPECT_EQ(test, 137, ph_door_alloc_all(cache, GFP_KERNEL,
							     objs, 200));
		PH_DOOR_EXPECT_OBJECTS(test, cache, 137);
		privheap_cache_free(cache, objs[136]);
		objs[136] = ph_door_alloc(test, cache);
		KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
		ph_door_free_all(cache, objs, 137);
		PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
		KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
	}
}

static void quota_of_one(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 1 };
	struct privheap_cache *cache = ph_door_cache(test, 8, &args);
	void *obj = ph_door_alloc(test, cache);

	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_ATOMIC));
	privheap_cache_free(cache, obj);
	obj = ph_door_alloc(test, cache);
	privheap_cache_free(cache, obj);
}

static void quota_holds_for_bulk(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 100 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, 0, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							   101, objs));
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	KUNIT_EXPECT_EQ(test, 100, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							     100, objs));
	KUNIT_EXPECT_EQ(test, 0, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							   1, objs + 100));
	PH_DOOR_EXPECT_OBJECTS(test, cache, 100);
	privheap_cache_free_bulk(cache, 100, objs);
}

static void quota_is_not_used_up_by_failures(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 5 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();
	u32 i;

	ph_door_exhaust();
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
	ph_door_relieve();
	KUNIT_EXPECT_EQ(test, 5, ph_door_alloc_all(cache, GFP_KERNEL, objs, 9));
	ph_door_free_all(cache, objs, 5);
}

static void quota_is_not_given_back_by_wrong_frees(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 5 };
	struct privheap_cache *other = ph_door_cache(test, 64, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void *foreign = ph_door_alloc(test, other);
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, 5, ph_door_alloc_all(cache, GFP_KERNEL, objs, 9));
	privheap_cache_free(cache, foreign);
	privheap_cache_free(cache, objs[0] + 8);
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
	PH_DOOR_EXPECT_ERRORS(test, cache, 2);
	ph_door_free_all(cache, objs, 5);
	privheap_cache_free(other, foreign);
}

static void maximum_gives_null_and_no_more(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 1000, NULL);
	struct ph_region *region = ph_door_region();
	void **objs = ph_door_objects();
	u32 nr, again;
	u64 max;

	max = ph_fixture_held(region) + 20 * PAGE_SIZE;
	WRITE_ONCE(region->hard_max, max);
	nr = ph_door_alloc_all(cache, GFP_KERNEL, objs, 1000);
	KUNIT_EXPECT_GT(test, nr, 20);
	KUNIT_EXPECT_LT(test, nr, 81);
	KUNIT_EXPECT_LE(test, ph_fixture_held(region), max);
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_ATOMIC));
	ph_door_free_all(cache, objs, nr);
	again = ph_door_alloc_all(cache, GFP_KERNEL, objs, 1000);
	KUNIT_EXPECT_GE(test, again, nr);
	KUNIT_EXPECT_LE(test, ph_fixture_held(region), max);
	ph_door_free_all(cache, objs, again);
	ph_door_relieve();
}

static void maximum_is_met_with_what_others_do_not_use(struct kunit *test)
{
	struct privheap_cache *idle = ph_door_cache(test, 1000, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 500, NULL);
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, 200, ph_door_alloc_all(idle, GFP_KERNEL, objs,
						     200));
	ph_door_free_all(idle, objs, 200);
	WRITE_ONCE(ph_door_region()->hard_max,
		   ph_fixture_held(ph_door_region()));
	/* Only who may sleep can take it from there. */
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_NOWAIT));
	KUNIT_EXPECT_EQ(test, 100, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     100));
	ph_door_free_all(cache, objs, 100);
	ph_door_relieve();
}

/*
 * As a file system does when memory is reclaimed from it: it must not wait for
 * anybody who waits for memory, such as who makes a cache. Lockdep tells.
 */
static void maximum_is_met_without_waiting_for_file_systems(struct kunit *test)
{
	struct privheap_cache *idle = ph_door_cache(test, 1000, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 500, NULL);
	void **objs = ph_door_objects();
	u32 nr;

	KUNIT_ASSERT_EQ(test, 200, ph_door_alloc_all(idle, GFP_KERNEL, objs,
						     200));
	ph_door_free_all(idle, objs, 200);
	WRITE_ONCE(ph_door_region()->hard_max,
		   ph_fixture_held(ph_door_region()));
	fs_reclaim_acquire(GFP_KERNEL);
	nr = ph_door_alloc_all(cache, GFP_NOFS, objs, 100);
	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, nr, 100);
	ph_door_free_all(cache, objs, nr);
	ph_door_relieve();
}

static void maximum_of_the_heap_from_the_start(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "small", .max_bytes = 32 * PAGE_SIZE,
	};
	struct privheap *heap = privheap_create(&attr);
	struct privheap_cache *cache;
	void **objs = ph_door_objects();
	u32 nr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	cache = privheap_cache_create(heap, "page", PAGE_SIZE, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	nr = ph_door_alloc_all(cache, GFP_KERNEL, objs, 100);
	KUNIT_EXPECT_GT(test, nr, 15);
	KUNIT_EXPECT_LT(test, nr, 32);
	ph_door_free_all(cache, objs, nr);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), 0);
	KUNIT_EXPECT_EQ(test, privheap_destroy(heap), 0);
}

static void prealloc_serves_when_nothing_is_left(struct kunit *test)
{
	static const struct privheap_cache_args args = { .prealloc = 321 };
	struct privheap_cache *cache = ph_door_cache(test, 96, &args);
	void **objs = ph_door_objects();
	u32 nr;

	ph_door_exhaust();
	nr = ph_door_alloc_all(cache, GFP_ATOMIC, objs, PH_DOOR_OBJECTS);
	KUNIT_EXPECT_GE(test, nr, 321);
	KUNIT_EXPECT_TRUE(test, ph_door_distinct(objs, nr));
	ph_door_free_all(cache, objs, nr);
	ph_door_relieve();
}

static void reserve_serves_when_nothing_is_left(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	void **objs = ph_door_objects();
	u32 used, nr;

	used = ph_door_alloc_all(cache, GFP_KERNEL, objs, 50);
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 400), 0);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 400);
	ph_door_exhaust();
	nr = ph_door_alloc_all(cache, GFP_NOWAIT, objs + used, 1000);
	KUNIT_EXPECT_GE(test, nr, 400);
	ph_door_free_all(cache, objs, used + nr);
	ph_door_relieve();
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 0);
}

static void reserve_serves_with_interrupts_off(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	void **objs = ph_door_objects();
	unsigned long flags;
	u32 nr;

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 400), 0);
	ph_door_exhaust();
	local_irq_save(flags);
	nr = ph_door_alloc_all(cache, GFP_ATOMIC, objs, 400);
	ph_door_free_all(cache, objs, nr);
	local_irq_restore(flags);
	ph_door_relieve();
	KUNIT_EXPECT_EQ(test, nr, 400);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
}

static void reserve_serves_with_softirqs_off(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	void **objs = ph_door_objects();
	u32 nr;

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 400), 0);
	ph_door_exhaust();
	local_bh_disable();
	nr = ph_door_alloc_all(cache, GFP_ATOMIC, objs, 400);
	ph_door_free_all(cache, objs, nr);
	local_bh_enable();
	ph_door_relieve();
	KUNIT_EXPECT_EQ(test, nr, 400);
}

static void reserve_serves_bulk(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 777), 0);
	ph_door_exhaust();
	KUNIT_EXPECT_EQ(test, 777, privheap_cache_alloc_bulk(cache, GFP_NOWAIT,
							     777, objs));
	privheap_cache_free_bulk(cache, 777, objs);
	ph_door_relieve();
}

static void reserve_adds_up(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 10), 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 20), 0);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 30);
	KUNIT_EXPECT_GE(test, ph_door_stat(cache).slots, 30);
}

static void reserve_that_cannot_be_met_changes_nothing(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, PAGE_SIZE, NULL);
	struct ph_region *region = ph_door_region();
	u64 held;

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 10), 0);
	held = ph_fixture_held(region);
	WRITE_ONCE(region->hard_max, held + 10 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 50), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 10);
	KUNIT_EXPECT_LE(test, ph_fixture_held(region), held);
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, U64_MAX), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 10);
	ph_door_relieve();
}

static void reserve_above_the_quota(struct kunit *test)
{
	static const struct privheap_cache_args args = { .quota = 20 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 21), -EDQUOT);
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 20), 0);
	/* With what is promised already it is more than can ever be kept. */
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 20);
}

static void reserve_survives_shrink(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	void **objs = ph_door_objects();

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 300), 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 1);
	KUNIT_EXPECT_GE(test, ph_door_stat(cache).slots, 300);
	ph_door_exhaust();
	KUNIT_EXPECT_EQ(test, 300, ph_door_alloc_all(cache, GFP_NOWAIT, objs,
						     300));
	ph_door_free_all(cache, objs, 300);
	ph_door_relieve();
}

static void reserve_survives_the_needs_of_others(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	struct privheap_cache *greedy = ph_door_cache(test, 1000, NULL);
	void **objs = ph_door_objects(), **mine = objs + 2000;
	u32 nr;

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 300), 0);
	WRITE_ONCE(ph_door_region()->hard_max,
		   ph_fixture_held(ph_door_region()) + 50 * PAGE_SIZE);
	nr = ph_door_alloc_all(greedy, GFP_KERNEL, objs, 2000);
	KUNIT_EXPECT_LT(test, nr, 2000);
	KUNIT_EXPECT_EQ(test, 300, ph_door_alloc_all(cache, GFP_NOWAIT, mine,
						     300));
	ph_door_free_all(cache, mine, 300);
	ph_door_free_all(greedy, objs, nr);
	ph_door_relieve();
}

static void reserve_can_be_taken_back(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 300), 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(cache, 0), 0);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_shrink(cache), 0);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).bytes, 0);
}

static void atomic_callers_get_memory_where_there_is_some(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 256, NULL);
	void **objs = ph_door_objects();
	unsigned long flags;
	u32 nr;

	local_irq_save(flags);
	nr = ph_door_alloc_all(cache, GFP_ATOMIC, objs, 500);
	ph_door_free_all(cache, objs, nr);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, nr, 500);
}

/* Others wait for memory inside of it: who cannot wait for them does without. */
static void allocation_that_may_not_wait_for_the_heap(struct kunit *test)
{
	struct ph_heap *heap = ph_door_heap(ph_door_heap_under_test());
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	struct privheap_cache *other = ph_door_cache(test, 64, NULL);
	void *obj;

	/* All that the heap could give up is an empty slab of the other's. */
	privheap_cache_free(other, ph_door_alloc(test, other));
	ph_door_drain(other);
	ph_door_region()->hard_max = atomic64_read(&ph_door_region()->held);
	down_write(&heap->sem);
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_NOFS));
	up_write(&heap->sem);
	obj = privheap_cache_alloc(cache, GFP_NOFS);
	ph_door_relieve();
	KUNIT_ASSERT_NOT_NULL(test, obj);
	privheap_cache_free(cache, obj);
}

static struct task_struct *ph_waiter;

static enum hrtimer_restart ph_memory_comes(struct hrtimer *timer)
{
	ph_faults_relent(ph_waiter);
	return HRTIMER_NORESTART;
}

/* However long that takes: it comes, here, when a timer says so. */
static void allocation_that_must_not_fail_waits_for_memory(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	struct hrtimer timer;
	bool hit;
	void *obj;

	if (!ph_faults_work(true))
		kunit_skip(test, "the kernel cannot make allocations fail");
	ph_waiter = current;
	hrtimer_init_on_stack(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer.function = ph_memory_comes;
	ph_faults_begin(1, true);
	KUNIT_EXPECT_NULL(test, privheap_cache_alloc(cache, GFP_KERNEL));
	hrtimer_start(&timer, ns_to_ktime(NSEC_PER_MSEC), HRTIMER_MODE_REL);
	obj = privheap_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL);
	hrtimer_cancel(&timer);
	hit = ph_faults_end();
	destroy_hrtimer_on_stack(&timer);
	KUNIT_EXPECT_TRUE(test, hit);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	privheap_cache_free(cache, obj);
}

static struct kunit_case ph_door_limit_cases[] = {
	KUNIT_CASE(quota_is_exact),
	KUNIT_CASE(quota_of_one),
	KUNIT_CASE(quota_holds_for_bulk),
	KUNIT_CASE(quota_is_not_used_up_by_failures),
	KUNIT_CASE(allocation_that_may_not_wait_for_the_heap),
	KUNIT_CASE(allocation_that_must_not_fail_waits_for_memory),
	KUNIT_CASE(quota_is_not_given_back_by_wrong_frees),
	KUNIT_CASE(maximum_gives_null_and_no_more),
	KUNIT_CASE(maximum_is_met_with_what_others_do_not_use),
	KUNIT_CASE(maximum_is_met_without_waiting_for_file_systems),
	KUNIT_CASE(maximum_of_the_heap_from_the_start),
	KUNIT_CASE(prealloc_serves_when_nothing_is_left),
	KUNIT_CASE(reserve_serves_when_nothing_is_left),
	KUNIT_CASE(reserve_serves_with_interrupts_off),
	KUNIT_CASE(reserve_serves_with_softirqs_off),
	KUNIT_CASE(reserve_serves_bulk),
	KUNIT_CASE(reserve_adds_up),
	KUNIT_CASE(reserve_that_cannot_be_met_changes_nothing),
	KUNIT_CASE(reserve_above_the_quota),
	KUNIT_CASE(reserve_survives_shrink),
	KUNIT_CASE(reserve_survives_the_needs_of_others),
	KUNIT_CASE(reserve_can_be_taken_back),
	KUNIT_CASE(atomic_callers_get_memory_where_there_is_some),
	{}
};

static struct kunit_suite ph_door_limit_suite = {
	.name = "privheap_door_limit",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_limit_cases,
};

kunit_test_suite(ph_door_limit_suite);
