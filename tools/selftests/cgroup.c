// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroups: a heap is charged to its opener's and stops at its limit
 * with ENOMEM, with nothing half done and nobody killed.
 */
#include "calls.h"
#include "group.h"

#include <sys/wait.h>

#define MIB	(1ULL << 20)
#define LIMIT	(16 * MIB)

/*
 * A heap that the group pays for. Its user stays outside: a process at its
 * group's limit would be killed for the next page of its own.
 */
static int group_heap(void)
{
	int heap;

	group_enter();
	heap = heap_open();
	group_leave();
	return heap;
}

/* Runs @work in a process of its own, which must come to its end by itself. */
static void group_run(void (*work)(void))
{
	int status = 0;
	pid_t child;

	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		work();
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static __u64 handles[20000];

/* Until the group's limit: how many of @bytes. */
static size_t fill_up(int heap, __u64 bytes, __u32 batch)
{
	size_t n = 0;
	int err;

	do {
		REQUIRE(n + batch <= ARRAY_SIZE(handles));
		err = heap_alloc(heap, PRIVHEAP_TYPE_STR, bytes, handles + n, batch);
		if (!err)
			n += batch;
	} while (!err);
	EXPECT_ERR(err, ENOMEM);
	return n;
}

static void fill_and_recover(__u64 bytes, __u32 batch)
{
	int heap = group_heap();
	size_t n = fill_up(heap, bytes, batch);

	EXPECT(n > 0);
	EXPECT(n * bytes < LIMIT);
	EXPECT_EQ(heap_stat(heap).live_objects, n);
	EXPECT_EQ(heap_stat(heap).live_bytes, n * bytes);
	for (size_t i = 0; i < n; i += 1 + n / 50) {
		object_fill(heap, handles[i], bytes, i);
		object_check(heap, handles[i], bytes, i);
	}
	heap_drain(heap, handles, n);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	heap_trim(heap);
	EXPECT_OK(heap_free_one(heap, heap_new(heap, PRIVHEAP_TYPE_STR, bytes)));
	close(heap);
}

static void work_small(void)
{
	fill_and_recover(2000, 1);
}

static void work_batches(void)
{
	fill_and_recover(3000, 50);
}

static void work_large(void)
{
	fill_and_recover(1 * MIB, 1);
}

static void work_resize(void)
{
	int heap = group_heap();
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 100), bytes;
	int err = 0;

	object_fill(heap, handle, 100, 3);
	for (bytes = 100; bytes < 64 * MIB && !err; bytes *= 2)
		err = heap_resize(heap, &handle, bytes);
	EXPECT_ERR(err, ENOMEM);
	object_check(heap, handle, 100, 3);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	EXPECT(heap_stat(heap).live_bytes < LIMIT);
	EXPECT_OK(heap_free_one(heap, handle));
}

static void work_reserve(void)
{
	int heap = group_heap();
	__u64 held = heap_stat(heap).held_bytes;

	EXPECT_ERR(heap_reserve(heap, PRIVHEAP_TYPE_STR, 4000, 8192, NULL), ENOMEM);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_STR).promised_objects, 0);
	EXPECT_ERR(heap_setup(heap, 32 * MIB, 0, 0), ENOMEM);
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < held + MIB);
	EXPECT_OK(heap_reserve(heap, PRIVHEAP_TYPE_STR, 4000, 100, NULL));
}

/* What was promised comes also when the group has not a page left. */
static void work_promise(void)
{
	int heap = group_heap(), other = group_heap();
	__u64 promised[500];

	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_TUPLE, 4000, 500, NULL));
	fill_up(other, 50000, 1);
	fill_up(other, 100, 1);
	heap_fill(heap, PRIVHEAP_TYPE_TUPLE, 4000, promised, 500);
}

static void work_charge(void)
{
	__u64 was = group_number("memory.current"), with, after;
	int heap = group_heap();

	heap_fill(heap, PRIVHEAP_TYPE_STR, 4000, handles, 2000);
	with = group_number("memory.current");
	REQUIRE(was != ~0ULL && with != ~0ULL);
	EXPECT(with - was >= 2000 * 4000);
	close(heap);
	after = group_number("memory.current");
	/* The kernel hands charges back in batches of pages per CPU. */
	EXPECT(after < was + 2 * MIB);
}

/*
 * The owner itself at the limit: all that it will touch it has by then, so
 * that nothing but the heap can hit the limit. Only then may it talk.
 */
static void work_inside(void)
{
	struct privheap_alloc a = {
		.size = sizeof(a), .type = PRIVHEAP_TYPE_STR, .count = 16,
		.object_bytes = 10000,
	};
	struct privheap_batch b = { .size = sizeof(b), .count = 16 };
	struct privheap_heap_stat full = { .size = sizeof(full) };
	int err = 0, heap;
	size_t n;

	group_enter();
	memset(handles, 1, sizeof(handles));
	REQUIRE(!mlockall(MCL_CURRENT | MCL_FUTURE));
	heap = heap_open();
	for (n = 0; n + 16 < ARRAY_SIZE(handles) && !err; n += err ? 0 : 16) {
		a.handles = user_ptr(handles + n);
		err = heap_call(heap, PRIVHEAP_ALLOC, &a);
	}
	heap_call(heap, PRIVHEAP_HEAP_STAT, &full);
	for (size_t i = 0; i < n; i += 16) {
		b.handles = user_ptr(handles + i);
		heap_call(heap, PRIVHEAP_FREE, &b);
	}
	close(heap);
	EXPECT_ERR(err, ENOMEM);
	EXPECT(n > 0 && n * 10000 < LIMIT);
	EXPECT_EQ(full.live_objects, n);
}

static const struct job {
	const char *name;
	void (*work)(void);
} jobs[] = {
	{ "small_objects_stop_at_the_limit", work_small },
	{ "batches_stop_at_the_limit", work_batches },
	{ "large_objects_stop_at_the_limit", work_large },
	{ "resize_stops_at_the_limit", work_resize },
	{ "reserve_stops_at_the_limit", work_reserve },
	{ "promise_holds_at_the_limit", work_promise },
	{ "memory_is_charged_and_uncharged", work_charge },
	{ "owner_at_its_own_limit_gets_enomem", work_inside },
};

static void group_job(int heap, const void *arg)
{
	const struct job *job = arg;

	(void)heap;
	group_make(LIMIT);
	group_run(job->work);
	group_remove();
}

/* The opener pays, whoever uses the heap. */
static void opener_pays_for_others(int heap, const void *arg)
{
	__u64 was, with;
	pid_t child;
	int status;

	(void)arg;
	group_make(LIMIT);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		/* In the group, but with a heap that was opened outside. */
		group_enter();
		was = group_number("memory.current");
		heap_fill(heap, PRIVHEAP_TYPE_STR, 4000, handles, 6000);
		with = group_number("memory.current");
		EXPECT(with < was + 4 * MIB);
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	EXPECT_EQ(heap_stat(heap).live_objects, 6000);
	group_remove();
}

static void limit_of_one_group_leaves_another(int heap, const void *arg)
{
	(void)arg;
	group_make(LIMIT);
	group_run(work_large);
	heap_fill(heap, PRIVHEAP_TYPE_STR, 4000, handles, 6000);
	EXPECT_EQ(heap_stat(heap).live_objects, 6000);
	group_remove();
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		TEST_ARG(group_job, &jobs[i], "%s", jobs[i].name);
	TEST(opener_pays_for_others);
	TEST(limit_of_one_group_leaves_another);
	return tests_run();
}
