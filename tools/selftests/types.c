// SPDX-License-Identifier: GPL-2.0
/*
 * Types: the built-in ones, and looking up, listing and destroying types.
 */
#include "calls.h"

struct builtin {
	const char *name;
	__u32 type, policy;
	__u64 min_bytes, max_bytes;	/* 0: the largest object of the heap */
	__u32 align;
};

static const struct builtin builtins[] = {
	{ "int", PRIVHEAP_TYPE_INT, PRIVHEAP_POLICY_SPEED, 28, 28, 8 },
	{ "float", PRIVHEAP_TYPE_FLOAT, PRIVHEAP_POLICY_SPEED, 24, 24, 8 },
	{ "str", PRIVHEAP_TYPE_STR, PRIVHEAP_POLICY_COMPACT, 1, 0, 8 },
	{ "bytes", PRIVHEAP_TYPE_BYTES, PRIVHEAP_POLICY_COMPACT, 1, 0, 8 },
	{ "tuple", PRIVHEAP_TYPE_TUPLE, PRIVHEAP_POLICY_COMPACT, 1, 0, 8 },
	{ "list", PRIVHEAP_TYPE_LIST, PRIVHEAP_POLICY_GROWABLE, 1, 0, 8 },
	{ "dict", PRIVHEAP_TYPE_DICT, PRIVHEAP_POLICY_GROWABLE, 1, 0, 8 },
	{ "set", PRIVHEAP_TYPE_SET, PRIVHEAP_POLICY_GROWABLE, 1, 0, 8 },
	{ "object", PRIVHEAP_TYPE_OBJECT, PRIVHEAP_POLICY_SPEED, 1, 0, 16 },
};

static void builtin_is_as_documented(int heap, const void *arg)
{
	const struct builtin *b = arg;
	struct privheap_type t;

	REQUIRE_OK(type_lookup(heap, b->name, &t));
	EXPECT_EQ(t.type, b->type);
	EXPECT_EQ(t.policy, b->policy);
	EXPECT_EQ(t.min_bytes, b->min_bytes);
	EXPECT_EQ(t.max_bytes, b->max_bytes ? b->max_bytes :
		  heap_query(heap).max_object_bytes);
	EXPECT_EQ(t.align, b->align);
	EXPECT_EQ(t.flags, 0);
	EXPECT_EQ(t.quota_objects, 0);
}

static void builtin_cannot_be_destroyed(int heap, const void *arg)
{
	const struct builtin *b = arg;
	struct privheap_type t;

	EXPECT_ERR(type_destroy(heap, b->type), EPERM);
	EXPECT_OK(type_lookup(heap, b->name, &t));
	heap_new(heap, b->type, 0);
}

static void builtin_serves_its_smallest_and_aligns_it(int heap, const void *arg)
{
	const struct builtin *b = arg;
	struct privheap_object_info info;
	__u64 handles[100];

	heap_fill(heap, b->type, 0, handles, 100);
	for (int i = 0; i < 100; i++) {
		info = heap_info(heap, handles[i]);
		EXPECT_EQ(info.type, b->type);
		EXPECT_EQ(info.requested_bytes, b->min_bytes);
		EXPECT_EQ(info.offset % b->align, 0);
	}
}

static void create_gives_ids_from_user_on(int heap, const void *arg)
{
	__u32 a = type_make(heap, "a", 8, 0, 0);
	__u32 b = type_make(heap, "b", 8, 0, 0);

	(void)arg;
	EXPECT(a >= PRIVHEAP_TYPE_USER);
	EXPECT(b >= PRIVHEAP_TYPE_USER);
	EXPECT(a != b);
}

static void lookup_tells_what_create_was_told(int heap, const void *arg)
{
	struct privheap_type made = type_named("node", 40, 4000), found;

	(void)arg;
	made.flags = PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_COUNTED;
	made.policy = PRIVHEAP_POLICY_GROWABLE;
	made.align = 32;
	made.keep_slabs = 3;
	made.quota_objects = 77;
	made.prealloc_objects = 5;
	REQUIRE_OK(type_create(heap, &made));
	REQUIRE_OK(type_lookup(heap, "node", &found));
	EXPECT_EQ(found.size, sizeof(found));
	EXPECT_EQ(strcmp(found.name, "node"), 0);
	EXPECT_EQ(found.type, made.type);
	EXPECT_EQ(found.flags, made.flags);
	EXPECT_EQ(found.policy, made.policy);
	EXPECT_EQ(found.min_bytes, 40);
	EXPECT_EQ(found.max_bytes, 4000);
	EXPECT_EQ(found.align, 32);
	EXPECT_EQ(found.keep_slabs, 3);
	EXPECT_EQ(found.quota_objects, 77);
	EXPECT_EQ(found.nr_slots, 0);
	EXPECT_EQ(found.reserved, 0);
	EXPECT_EQ(found.slots, 0);
}

static void lookup_tells_what_zero_stood_for(int heap, const void *arg)
{
	struct privheap_type found;

	(void)arg;
	type_make(heap, "fixed", 40, 0, 0);
	REQUIRE_OK(type_lookup(heap, "fixed", &found));
	EXPECT_EQ(found.max_bytes, 40);
	EXPECT_EQ(found.align, 8);
}

static void types_are_private_to_the_heap(int heap, const void *arg)
{
	__u32 type = type_make(heap, "mine", 8, 0, 0);
	int other = heap_open();
	struct privheap_type t;
	__u64 handle;

	(void)arg;
	EXPECT_ERR(type_lookup(other, "mine", &t), ENOENT);
	EXPECT_ERR(heap_alloc(other, type, 0, &handle, 1), ENOENT);
}

static void create_of_taken_name_leaves_the_first(int heap, const void *arg)
{
	__u32 first = type_make(heap, "twice", 8, 0, 0);
	struct privheap_type t = type_named("twice", 16, 0), found;

	(void)arg;
	EXPECT_ERR(type_create(heap, &t), EEXIST);
	REQUIRE_OK(type_lookup(heap, "twice", &found));
	EXPECT_EQ(found.type, first);
	EXPECT_EQ(found.min_bytes, 8);
}

static void lookup_of_unknown_name(int heap, const void *arg)
{
	struct privheap_type t;

	(void)arg;
	EXPECT_ERR(type_lookup(heap, "nobody", &t), ENOENT);
	EXPECT_ERR(type_lookup(heap, "in", &t), ENOENT);
	EXPECT_ERR(type_lookup(heap, "int ", &t), ENOENT, EINVAL);
}

static void destroy_forgets_the_type(int heap, const void *arg)
{
	__u32 type = type_make(heap, "brief", 8, 0, 0);
	__u32 types = heap_stat(heap).types;
	struct privheap_type t;
	__u64 handle;

	(void)arg;
	EXPECT_OK(type_destroy(heap, type));
	EXPECT_EQ(heap_stat(heap).types, types - 1);
	EXPECT_ERR(type_lookup(heap, "brief", &t), ENOENT);
	EXPECT_ERR(heap_alloc(heap, type, 0, &handle, 1), ENOENT);
	EXPECT_ERR(type_destroy(heap, type), ENOENT);
}

static void destroy_frees_the_name(int heap, const void *arg)
{
	(void)arg;
	/* Each waits for readers, which costs milliseconds. */
	for (unsigned long i = 0; i < scaled(40); i++)
		REQUIRE_OK(type_destroy(heap, type_make(heap, "again", 8, 0, 0)));
}

static void destroy_with_objects_is_busy(int heap, const void *arg)
{
	__u32 type = type_make(heap, "busy", 8, 0, 0);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	EXPECT_ERR(type_destroy(heap, type), EBUSY);
	EXPECT_EQ(heap_info(heap, handle).type, type);
	EXPECT_OK(heap_free_one(heap, handle));
	EXPECT_OK(type_destroy(heap, type));
}

static void destroy_gives_memory_back(int heap, const void *arg)
{
	__u32 type = type_make(heap, "bulky", 4096, 0, 0);
	__u64 handles[512], full;

	(void)arg;
	heap_fill(heap, type, 0, handles, 512);
	full = heap_stat(heap).held_bytes;
	heap_drain(heap, handles, 512);
	REQUIRE_OK(type_destroy(heap, type));
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < full / 4);
}

static void handle_of_a_destroyed_type_is_refused(int heap, const void *arg)
{
	__u32 type = type_make(heap, "gone", 48, 0, 0);
	__u64 handle = heap_new(heap, type, 0);
	char byte;

	(void)arg;
	REQUIRE_OK(heap_free_one(heap, handle));
	REQUIRE_OK(type_destroy(heap, type));
	EXPECT_ERR(heap_read(heap, handle, 0, &byte, 1), ESTALE, EREMCHG);
	type_make(heap, "next", 48, 0, 0);
	EXPECT_ERR(heap_read(heap, handle, 0, &byte, 1), ESTALE, EREMCHG);
}

/* Reads the whole list in steps of @step; the number of types. */
static size_t list_all(int heap, __u32 step, struct privheap_type *types, size_t room)
{
	struct privheap_type_list l = { .size = sizeof(l) };
	size_t n = 0;

	do {
		REQUIRE(n + step <= room);
		l.types = user_ptr(types + n);
		l.count = step;
		REQUIRE_OK(heap_call(heap, PRIVHEAP_LIST_TYPES, &l));
		REQUIRE(l.done <= step && (l.done || !l.cursor));
		n += l.done;
	} while (l.cursor);
	return n;
}

static void list_has_each_type_once(int heap, const void *arg)
{
	static struct privheap_type types[256];
	__u32 step = *(const unsigned int *)arg;
	struct privheap_type found;
	char name[16];
	size_t n;

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "listed%d", i);
		type_make(heap, name, 8 + i, 0, 0);
	}
	n = list_all(heap, step, types, ARRAY_SIZE(types));
	EXPECT_EQ(n, heap_stat(heap).types);
	EXPECT_EQ(n, ARRAY_SIZE(builtins) + 20);
	for (size_t i = 0; i < n; i++) {
		REQUIRE_OK(type_lookup(heap, types[i].name, &found));
		EXPECT_EQ(memcmp(&found, &types[i], sizeof(found)), 0);
		for (size_t j = 0; j < i; j++)
			EXPECT(types[i].type != types[j].type);
	}
}

static const unsigned int steps[] = { 1, 3, 64 };

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		TEST_ARG(builtin_is_as_documented, &builtins[i],
			 "builtin_%s_is_as_documented", builtins[i].name);
		TEST_ARG(builtin_cannot_be_destroyed, &builtins[i],
			 "builtin_%s_cannot_be_destroyed", builtins[i].name);
		TEST_ARG(builtin_serves_its_smallest_and_aligns_it, &builtins[i],
			 "builtin_%s_serves_its_smallest_and_aligns_it",
			 builtins[i].name);
	}
	TEST(create_gives_ids_from_user_on);
	TEST(lookup_tells_what_create_was_told);
	TEST(lookup_tells_what_zero_stood_for);
	TEST(types_are_private_to_the_heap);
	TEST(create_of_taken_name_leaves_the_first);
	TEST(lookup_of_unknown_name);
	TEST(destroy_forgets_the_type);
	TEST(destroy_frees_the_name);
	TEST(destroy_with_objects_is_busy);
	TEST(destroy_gives_memory_back);
	TEST(handle_of_a_destroyed_type_is_refused);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		TEST_ARG(list_has_each_type_once, &steps[i],
			 "list_by_%u_has_each_type_once", steps[i]);
	return tests_run();
}
