// SPDX-License-Identifier: GPL-2.0
/*
 * Who is killed does not wait, and does not go on for long: the call ends with
 * -EINTR and has changed nothing.
 */

#include <linux/sched/signal.h>

#include "hand.h"
#include "user.h"

#define PH_INT	PRIVHEAP_TYPE_INT
#define PH_STR	PRIVHEAP_TYPE_STR

/* More than one chunk of objects. */
#define PH_MANY	500

/* A thread of the kernel gets no signals unless it says so. */
static void ph_kill(void)
{
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
}

static void ph_unkill(void)
{
	flush_signals(current);
	disallow_signal(SIGKILL);
}

/* A call by who is killed. The struct and arrays are in place before. */
#define PH_KILLED_CALL(test, cmd, args) ({				\
	long _err;							\
									\
	ph_kill();							\
	_err = PH_USER_CALL(test, cmd, args);				\
	ph_unkill();							\
	_err; })

/* As if somebody else had it: lockdep would find that we wait for ourselves. */
static void ph_occupy(struct ph_heap *heap)
{
	down_write(&heap->sem);
	rwsem_release(&heap->sem.dep_map, _RET_IP_);
}

static void ph_vacate(struct ph_heap *heap)
{
	rwsem_acquire(&heap->sem.dep_map, 0, 0, _RET_IP_);
	up_write(&heap->sem);
}

static void killed_in_the_test_is_seen(struct kunit *test)
{
	ph_kill();
	KUNIT_EXPECT_TRUE(test, fatal_signal_pending(current));
	ph_unkill();
	KUNIT_EXPECT_FALSE(test, fatal_signal_pending(current));
}

static void killed_while_waiting_for_the_heap(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_run run = ph_test_take(test, PH_INT, 0, 5);
	struct privheap_alloc alloc = {
		.type = PH_STR, .object_bytes = 100, .count = 5,
		.handles = ph_user_array(1),
	};
	struct privheap_take take = {
		.type = PRIVHEAP_TYPE_LIST, .object_bytes = 100, .count = 5,
		.max_runs = 5, .runs = ph_user_array(1),
	};
	struct privheap_give give = { .count = 1, .runs = ph_user_array(2) };
	struct privheap_reserve reserve = { .type = PH_INT, .count = 10 };
	u64 held = ph_fixture_held(&heap->region);

	ph_user_put(test, ph_user_array(2), &run, sizeof(run));
	ph_occupy(heap);
	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_ALLOC, alloc));
	KUNIT_EXPECT_EQ(test, -EINTR, PH_KILLED_CALL(test, PRIVHEAP_TAKE, take));
	KUNIT_EXPECT_EQ(test, -EINTR, PH_KILLED_CALL(test, PRIVHEAP_GIVE, give));
	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_RESERVE, reserve));
	ph_vacate(heap);
	KUNIT_EXPECT_EQ(test, held, ph_fixture_held(&heap->region));
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 0);
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_GIVE, give), 0);
	ph_test_expect_sound(test);
}

static void killed_in_a_long_allocation(struct kunit *test)
{
	struct privheap_alloc alloc = {
		.type = PH_INT, .count = PH_MANY, .handles = ph_user_array(1),
	};

	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_ALLOC, alloc));
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 0);
	alloc.flags = PRIVHEAP_PARTIAL;
	KUNIT_EXPECT_EQ(test, 0, PH_KILLED_CALL(test, PRIVHEAP_ALLOC, alloc));
	KUNIT_EXPECT_GT(test, alloc.done, 0);
	KUNIT_EXPECT_LT(test, alloc.done, PH_MANY);
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), alloc.done);
	ph_test_expect_sound(test);
}

static void killed_in_the_allocation_of_a_large_object(struct kunit *test)
{
	struct privheap_alloc alloc = {
		.type = PH_STR, .object_bytes = SZ_1M, .count = 1,
		.handles = ph_user_array(1),
	};
	struct privheap_take take = {
		.type = PH_STR, .object_bytes = SZ_1M, .count = 1,
		.max_runs = 1, .runs = ph_user_array(1),
	};

	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_ALLOC, alloc));
	KUNIT_EXPECT_EQ(test, -EINTR, PH_KILLED_CALL(test, PRIVHEAP_TAKE, take));
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 0);
	ph_test_expect_sound(test);
}

static void killed_in_a_reserve(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct privheap_setup setup = { .reserve_bytes = SZ_4M };
	struct privheap_reserve reserve = { .type = PH_INT, .count = 100000 };

	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_SETUP, setup));
	KUNIT_EXPECT_EQ(test, region->stock_target, 0);
	KUNIT_EXPECT_EQ(test, region->stock_pages, 0);
	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_RESERVE, reserve));
	reserve.count = 0;
	KUNIT_EXPECT_EQ(test, 0, PH_USER_CALL(test, PRIVHEAP_RESERVE, reserve));
	KUNIT_EXPECT_EQ(test, reserve.promised, 0);
	ph_test_expect_sound(test);
}

static void killed_in_a_read(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_STR, 100);
	struct privheap_io io = {
		.handle = handle, .bytes = 100, .buffer = ph_user_buffer(),
	};
	struct privheap_rw rw = { .count = 1, .ios = ph_user_array(1) };

	ph_test_fill(test, handle, 0, 100, 7);
	ph_user_put(test, ph_user_array(1), &io, sizeof(io));
	KUNIT_EXPECT_EQ(test, -EINTR, PH_KILLED_CALL(test, PRIVHEAP_READ, rw));
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, 100, 7));
}

static void killed_in_the_growth_of_a_large_object(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_STR, SZ_1M);
	struct privheap_resize resize = {
		.handle = handle, .object_bytes = SZ_4M,
	};

	ph_test_fill(test, handle, 0, SZ_1M, 7);
	KUNIT_EXPECT_EQ(test, -EINTR,
			PH_KILLED_CALL(test, PRIVHEAP_RESIZE, resize));
	KUNIT_EXPECT_EQ(test, resize.handle, handle);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, SZ_1M, 7));
	ph_test_expect_sound(test);
}

static struct kunit_case ph_killed_test_cases[] = {
	KUNIT_CASE(killed_in_the_test_is_seen),
	KUNIT_CASE(killed_while_waiting_for_the_heap),
	KUNIT_CASE(killed_in_a_long_allocation),
	KUNIT_CASE(killed_in_the_allocation_of_a_large_object),
	KUNIT_CASE(killed_in_a_reserve),
	KUNIT_CASE(killed_in_a_read),
	KUNIT_CASE(killed_in_the_growth_of_a_large_object),
	{}
};

static struct kunit_suite ph_killed_suite = {
	.name = "privheap_killed",
	.suite_init = ph_user_suite_init,
	.suite_exit = ph_user_suite_exit,
	.init = ph_user_init,
	.exit = ph_user_exit,
	.test_cases = ph_killed_test_cases,
};

kunit_test_suite(ph_killed_suite);
