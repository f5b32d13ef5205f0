// SPDX-License-Identifier: GPL-2.0
/*
 * The errno contract, line by line: each by a call that is otherwise valid.
 *
 * Forms of calls are in forms.c, pointers in pointers.c, handles in handles.c,
 * ENOMEM in cgroup.c. EINTR needs a call that waits at the right moment, and a
 * saturated count 2^31 references: both are left to the KUnit suites.
 */
#include "mapping.h"

#define MIB	(1ULL << 20)

/* A number of a command that does not exist. */
static const struct {
	const char *what;
	unsigned long number;
} unknown[] = {
	{ "next", _IO(PRIVHEAP_IOC_MAGIC, 0x40) },
	{ "last", _IO(PRIVHEAP_IOC_MAGIC, 0xff) },
	{ "of_another_magic", _IO(0xBF, 0x00) },
	{ "zero", 0 },
	{ "all_ones", 0xffffffffUL },
	{ "of_a_terminal", 0x5401 },
	{ "with_direction", _IOWR(PRIVHEAP_IOC_MAGIC, 0x00, struct privheap_query) },
	{ "with_size", _IOC(_IOC_NONE, PRIVHEAP_IOC_MAGIC, 0x00, 8) },
};

static void unknown_command_is_enotty(int heap, const void *arg)
{
	struct privheap_query q = { .size = sizeof(q) };

	EXPECT_ROW(heap_call(heap, *(const unsigned long *)arg, &q), ENOTTY);
	EXPECT_ROW(heap_call(heap, *(const unsigned long *)arg, NULL), ENOTTY);
}

static int use_alloc(int heap, __u32 type)
{
	__u64 handle;

	return heap_alloc(heap, type, 0, &handle, 1);
}

static int use_reserve(int heap, __u32 type)
{
	return heap_reserve(heap, type, 0, 1, NULL);
}

static int use_type_stat(int heap, __u32 type)
{
	struct privheap_type_stat s = { .size = sizeof(s), .type = type };

	return heap_call(heap, PRIVHEAP_TYPE_STAT, &s);
}

static int use_walk(int heap, __u32 type)
{
	__u64 handle;
	struct privheap_walk w = {
		.size = sizeof(w), .type = type, .count = 1,
		.handles = user_ptr(&handle),
	};

	return heap_call(heap, PRIVHEAP_WALK, &w);
}

static int use_take(int heap, __u32 type)
{
	__u64 offset;

	return heap_take(heap, type, 0, &offset, 1);
}

static const struct use {
	const char *name;
	int (*run)(int heap, __u32 type);
	bool zero_is_any;
} uses[] = {
	{ "TYPE_DESTROY", type_destroy, false },
	{ "ALLOC", use_alloc, false },
	{ "RESERVE", use_reserve, false },
	{ "TYPE_STAT", use_type_stat, false },
	{ "WALK", use_walk, true },
	{ "TAKE", use_take, false },
};

static void unknown_type_is_enoent(int heap, const void *arg)
{
	static const __u32 ids[] = { 0, 10, 15, 255, 65536, 1U << 31, ~0U };
	const struct use *use = arg;
	__u32 own = type_make(heap, "own", 16, 0, 0), gone;

	for (size_t i = use->zero_is_any; i < ARRAY_SIZE(ids); i++)
		EXPECT_ROW(use->run(heap, ids[i]), ENOENT);
	/* One past the last, and one that was. */
	EXPECT_ROW(use->run(heap, own + 1), ENOENT);
	gone = type_make(heap, "gone", 16, 0, 0);
	REQUIRE_OK(type_destroy(heap, gone));
	EXPECT_ROW(use->run(heap, gone), ENOENT);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	EXPECT_EQ(heap_stat(heap).types, 10);
	EXPECT_OK(use->run(heap, own));
}

static void taken_name_is_eexist(int heap, const void *arg)
{
	struct privheap_type t = type_named("dict", 8, 0);

	(void)arg;
	EXPECT_ERR(type_create(heap, &t), EEXIST);
	t = type_named("dict2", 8, 0);
	EXPECT_OK(type_create(heap, &t));
}

static void destroying_a_builtin_is_eperm(int heap, const void *arg)
{
	(void)arg;
	EXPECT_ERR(type_destroy(heap, PRIVHEAP_TYPE_DICT), EPERM);
	heap_new(heap, PRIVHEAP_TYPE_DICT, 0);
	EXPECT_ERR(type_destroy(heap, PRIVHEAP_TYPE_DICT), EPERM);
}

static void destroying_a_type_in_use_is_ebusy(int heap, const void *arg)
{
	__u32 type = type_make(heap, "used", 8, 0, 0);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	EXPECT_ERR(type_destroy(heap, type), EBUSY);
	REQUIRE_OK(heap_free_one(heap, handle));
	EXPECT_OK(type_destroy(heap, type));
}

static void freeing_a_referenced_object_is_ebusy(int heap, const void *arg)
{
	__u32 type = type_make(heap, "counted", 8, 0, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	REQUIRE_OK(heap_get(heap, handle));
	EXPECT_ERR(heap_free_one(heap, handle), EBUSY);
	REQUIRE_OK(heap_put(heap, handle));
	EXPECT_OK(heap_free_one(heap, handle));
}

static void setting_type_flags_late_is_ebusy(int heap, const void *arg)
{
	struct privheap_setup s = {
		.size = sizeof(s), .type_flags = PRIVHEAP_TYPE_ZERO_FREE,
	};

	(void)arg;
	EXPECT_OK(heap_call(heap, PRIVHEAP_SETUP, &s));
	heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_SETUP, &s), EBUSY);
}

static void size_out_of_range_is_erange(int heap, const void *arg)
{
	__u32 type = type_make(heap, "ranged", 10, 20, 0);
	__u64 handle;

	(void)arg;
	EXPECT_ERR(heap_alloc(heap, type, 9, &handle, 1), ERANGE);
	EXPECT_ERR(heap_alloc(heap, type, 21, &handle, 1), ERANGE);
	EXPECT_OK(heap_alloc(heap, type, 10, &handle, 1));
	EXPECT_OK(heap_alloc(heap, type, 20, &handle, 1));
	EXPECT_ERR(heap_resize(heap, &handle, 21), ERANGE);
	EXPECT_ERR(heap_reserve(heap, type, 21, 1, NULL), ERANGE);
}

static void quota_of_a_type_is_edquot(int heap, const void *arg)
{
	struct privheap_type t = type_named("few", 8, 0);
	__u64 handle;

	(void)arg;
	t.quota_objects = 1;
	REQUIRE_OK(type_create(heap, &t));
	EXPECT_OK(heap_alloc(heap, t.type, 0, &handle, 1));
	EXPECT_ERR(heap_alloc(heap, t.type, 0, &handle, 1), EDQUOT);
}

static void hard_maximum_is_edquot(int heap, const void *arg)
{
	__u64 handle;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, MIB));
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_STR, MIB, &handle, 1), EDQUOT);
	EXPECT_ERR(heap_reserve(heap, PRIVHEAP_TYPE_STR, MIB / 2, 2, NULL), EDQUOT);
	EXPECT_OK(heap_alloc(heap, PRIVHEAP_TYPE_STR, MIB / 2, &handle, 1));
	EXPECT_ERR(heap_resize(heap, &handle, MIB), EDQUOT);
}

static void overflow_of_offset_is_eoverflow(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	char byte[2];

	(void)arg;
	EXPECT_ERR(heap_read(heap, handle, ~0ULL, byte, 2), EOVERFLOW);
	EXPECT_ERR(heap_write(heap, handle, ~0ULL, byte, 2), EOVERFLOW);
	EXPECT_OK(heap_read(heap, handle, 98, byte, 2));
}

/* The files that are not heaps' doors: reading, writing, seeking, mapping. */
static void plain_file_operations_are_refused(int heap, const void *arg)
{
	char byte = 0;

	(void)arg;
	EXPECT(read(heap, &byte, 1) < 0);
	EXPECT(write(heap, &byte, 1) < 0);
	EXPECT(pread(heap, &byte, 1, 0) < 0);
	EXPECT_ERR(ftruncate(heap, 0) ? errno : 0, EINVAL);
	heap_new(heap, PRIVHEAP_TYPE_INT, 0);
}

/* The mode of the open is no part of the contract; any that opens, serves. */
static void read_only_open_is_a_heap_or_refused(int heap, const void *arg)
{
	int other = open(PRIVHEAP_DEVICE, O_RDONLY | O_CLOEXEC);
	struct privheap_query q = { .size = sizeof(q) };

	(void)arg;
	(void)heap;
	if (other < 0) {
		EXPECT_ERR(errno, EACCES, EPERM, EINVAL);
		return;
	}
	EXPECT_ERR(heap_call(other, PRIVHEAP_QUERY, &q), 0, EBADF);
	close(other);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		TEST_ARG(unknown_command_is_enotty, &unknown[i].number,
			 "command_%s_is_enotty", unknown[i].what);
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
		TEST_ARG(unknown_type_is_enoent, &uses[i],
			 "%s_of_unknown_type_is_enoent", uses[i].name);
	TEST(taken_name_is_eexist);
	TEST(destroying_a_builtin_is_eperm);
	TEST(destroying_a_type_in_use_is_ebusy);
	TEST(freeing_a_referenced_object_is_ebusy);
	TEST(setting_type_flags_late_is_ebusy);
	TEST(size_out_of_range_is_erange);
	TEST(quota_of_a_type_is_edquot);
	TEST(hard_maximum_is_edquot);
	TEST(overflow_of_offset_is_eoverflow);
	TEST(plain_file_operations_are_refused);
	TEST(read_only_open_is_a_heap_or_refused);
	return tests_run();
}
