// SPDX-License-Identifier: GPL-2.0
/*
 * An unprivileged user with an open heap: no command asks who calls.
 */
#include "calls.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NOBODY	65534

/* Gives up all that root has; the heap stays open. */
static void become_nobody(void)
{
	if (geteuid())
		return;
	REQUIRE(!setgroups(0, NULL));
	REQUIRE(!setgid(NOBODY) && !setuid(NOBODY));
	REQUIRE(setuid(0) < 0);
}

static void query_and_setup(int heap)
{
	EXPECT_EQ(heap_query(heap).abi_version, PRIVHEAP_ABI_VERSION);
	EXPECT_OK(heap_setup(heap, 1 << 20, 4 << 20, 8 << 20));
}

static void types(int heap)
{
	struct privheap_type t;
	struct privheap_type_list l = {
		.size = sizeof(l), .types = user_ptr(&t), .count = 1,
	};
	__u32 type = type_make(heap, "nobodys", 8, 0, 0);

	EXPECT_OK(type_lookup(heap, "nobodys", &t));
	EXPECT_OK(heap_call(heap, PRIVHEAP_LIST_TYPES, &l));
	EXPECT_OK(type_destroy(heap, type));
}

static void objects(int heap)
{
	__u64 handles[64];

	heap_fill(heap, PRIVHEAP_TYPE_STR, 100, handles, 64);
	object_fill(heap, handles[5], 100, 1);
	REQUIRE_OK(heap_resize(heap, &handles[5], 100000));
	object_check(heap, handles[5], 100, 1);
	EXPECT_EQ(heap_info(heap, handles[5]).requested_bytes, 100000);
	EXPECT_OK(heap_free(heap, handles, 64));
}

static void references(int heap)
{
	__u32 type = type_make(heap, "counted", 8, 0, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 0);

	EXPECT_OK(heap_get(heap, handle));
	EXPECT_OK(heap_put(heap, handle));
	EXPECT_OK(heap_put(heap, handle));
}

static void reserve_and_trim(int heap)
{
	EXPECT_OK(heap_reserve(heap, PRIVHEAP_TYPE_INT, 0, 1000, NULL));
	EXPECT_OK(heap_reserve(heap, PRIVHEAP_TYPE_INT, 0, 0, NULL));
	heap_trim(heap);
}

static void statistics_and_walk(int heap)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0), seen = 0;
	struct privheap_walk w = {
		.size = sizeof(w), .type = PRIVHEAP_TYPE_INT, .count = 1,
		.handles = user_ptr(&seen),
	};

	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_INT).live_objects, 1);
	EXPECT_OK(heap_call(heap, PRIVHEAP_WALK, &w));
	EXPECT_EQ(w.done, 1);
	EXPECT_EQ(seen, handle);
}

static const struct deed {
	const char *name;
	void (*run)(int heap);
} deeds[] = {
	{ "query_and_setup", query_and_setup }, { "types", types },
	{ "objects", objects }, { "references", references },
	{ "reserve_and_trim", reserve_and_trim },
	{ "statistics_and_walk", statistics_and_walk },
};

static void nobody_can(int heap, const void *arg)
{
	const struct deed *deed = arg;

	become_nobody();
	deed->run(heap);
}

/* What root fills, nobody empties, when both have it open. */
static void root_and_nobody_share_a_heap(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	pid_t child;

	(void)arg;
	object_fill(heap, handle, 100, 2);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		become_nobody();
		object_check(heap, handle, 100, 2);
		EXPECT_OK(heap_free_one(heap, handle));
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(child, NULL, 0) == child);
	EXPECT_ERR(heap_free_one(heap, handle), ESTALE);
}

static void nobody_sees_no_debugfs(int heap, const void *arg)
{
	struct counters c;

	(void)arg;
	(void)heap;
	test_needs_root();
	become_nobody();
	EXPECT_ERR(counters_read(&c), ENODATA);
}

static void nobody_without_new_privileges_can_use_objects(int heap, const void *arg)
{
	(void)arg;
	/* What a sandbox sets before it opens nothing more. */
	REQUIRE(!prctl(PR_SET_DUMPABLE, 0));
	REQUIRE(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	become_nobody();
	objects(heap);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		TEST_ARG(nobody_can, &deeds[i], "nobody_can_use_%s",
			 deeds[i].name);
	TEST(root_and_nobody_share_a_heap);
	TEST(nobody_sees_no_debugfs);
	TEST(nobody_without_new_privileges_can_use_objects);
	return tests_run();
}
