// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: the hard maximum is never passed, and reaching it breaks nothing.
 */
#include "calls.h"

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)
#define MANY	100000

static __u64 handles[MANY];

/* Allocates until the heap is full; the number of objects. */
static size_t heap_exhaust(int heap, __u32 type, __u64 bytes, __u32 batch)
{
	size_t n = 0;
	int err;

	do {
		REQUIRE(n + batch <= MANY);
		err = heap_alloc(heap, type, bytes, handles + n, batch);
		if (!err)
			n += batch;
	} while (!err);
	EXPECT_ERR(err, EDQUOT);
	return n;
}

struct filling {
	const char *name;
	__u32 type;
	__u64 bytes;
	__u32 batch;
};

static const struct filling fillings[] = {
	{ "ints_one_by_one", PRIVHEAP_TYPE_INT, 0, 1 },
	{ "ints_by_64", PRIVHEAP_TYPE_INT, 0, 64 },
	{ "strings_of_100_by_7", PRIVHEAP_TYPE_STR, 100, 7 },
	{ "lists_of_3000_by_10", PRIVHEAP_TYPE_LIST, 3000, 10 },
	{ "objects_of_9000_by_3", PRIVHEAP_TYPE_OBJECT, 9000, 3 },
	{ "bytes_of_300000_one_by_one", PRIVHEAP_TYPE_BYTES, 300000, 1 },
};

static void exhausted_heap_recovers(int heap, const void *arg)
{
	const struct filling *f = arg;
	struct privheap_heap_stat full;
	size_t n, again;

	REQUIRE_OK(heap_setup(heap, 0, 0, 2 * MIB));
	n = heap_exhaust(heap, f->type, f->bytes, f->batch);
	full = heap_stat(heap);
	EXPECT(n > 0);
	EXPECT_EQ(full.live_objects, n);
	EXPECT(full.held_bytes <= 2 * MIB);
	EXPECT(full.peak_bytes <= 2 * MIB);
	/* The same again must end the same way and change nothing. */
	EXPECT_ERR(heap_alloc(heap, f->type, f->bytes, handles + n, f->batch),
		   EDQUOT);
	EXPECT_EQ(heap_stat(heap).live_objects, n);
	EXPECT_EQ(heap_stat(heap).live_bytes, full.live_bytes);
	/* What was there is untouched, and what is freed can be had again. */
	heap_drain(heap, handles, n);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	again = heap_exhaust(heap, f->type, f->bytes, f->batch);
	EXPECT(again >= n - n / 8);
}

static void exhaustion_uses_most_of_the_maximum(int heap, const void *arg)
{
	const struct filling *f = arg;

	REQUIRE_OK(heap_setup(heap, 0, 0, 2 * MIB));
	heap_exhaust(heap, f->type, f->bytes, 1);
	/* Objects of nearly 300 KB leave room for none more at worst. */
	EXPECT(heap_stat(heap).live_bytes > 2 * MIB / 2);
}

static void full_heap_keeps_content(int heap, const void *arg)
{
	size_t n;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, MIB));
	n = heap_exhaust(heap, PRIVHEAP_TYPE_STR, 500, 1);
	for (size_t i = 0; i < n; i++)
		object_fill(heap, handles[i], 500, i);
	for (int i = 0; i < 100; i++)
		EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_LIST, 100 * KIB,
				      &handles[n], 1), EDQUOT);
	for (size_t i = 0; i < n; i++)
		object_check(heap, handles[i], 500, i);
}

static void idle_memory_of_one_type_serves_another(int heap, const void *arg)
{
	size_t n, m;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, 2 * MIB));
	n = heap_exhaust(heap, PRIVHEAP_TYPE_INT, 0, 64);
	heap_drain(heap, handles, n);
	m = heap_exhaust(heap, PRIVHEAP_TYPE_STR, 1000, 1);
	EXPECT(m * 1000 > MIB);
}

static void raised_maximum_helps(int heap, const void *arg)
{
	size_t n;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, MIB));
	n = heap_exhaust(heap, PRIVHEAP_TYPE_STR, 2000, 1);
	REQUIRE_OK(heap_setup(heap, 0, 0, 2 * MIB));
	EXPECT_OK(heap_alloc(heap, PRIVHEAP_TYPE_STR, 2000, &handles[n], 1));
}

static void lowered_maximum_holds(int heap, const void *arg)
{
	__u64 held;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_STR, 2000, handles, 500);
	held = heap_stat(heap).held_bytes;
	EXPECT_ERR(heap_setup(heap, 0, 0, 500 * 2000 - 1), EBUSY);
	REQUIRE_OK(heap_setup(heap, 0, 0, held));
	heap_exhaust(heap, PRIVHEAP_TYPE_LIST, 50000, 1);
	EXPECT(heap_stat(heap).held_bytes <= held);
}

static void metadata_counts_against_the_maximum(int heap, const void *arg)
{
	struct privheap_heap_stat s;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, 512 * KIB));
	heap_exhaust(heap, type_make(heap, "tiny", 8, 0, 0), 0, 64);
	s = heap_stat(heap);
	EXPECT(s.metadata_bytes > 0);
	EXPECT(s.held_bytes <= 512 * KIB);
	/* Books of 3 bytes or so for 8 of content: they must have counted. */
	EXPECT(s.live_bytes < 512 * KIB - s.metadata_bytes);
}

static void types_at_the_limit_leave_no_half_type(int heap, const void *arg)
{
	struct privheap_type t, found;
	char name[16];
	__u32 before;
	int err = 0;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, 512 * KIB));
	heap_exhaust(heap, PRIVHEAP_TYPE_STR, 1000, 1);
	before = heap_stat(heap).types;
	for (int i = 0; i < 200 && !err; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		t = type_named(name, 4000, 0);
		t.prealloc_objects = 10;
		err = type_create(heap, &t);
		if (!err)
			before++;
	}
	EXPECT_ERR(err, EDQUOT);
	EXPECT_EQ(heap_stat(heap).types, before);
	EXPECT_ERR(type_lookup(heap, name, &found), ENOENT);
	EXPECT(heap_stat(heap).held_bytes <= 512 * KIB);
}

static void quota_counts_live_objects_of_all_batches(int heap, const void *arg)
{
	struct privheap_type t = type_named("few", 8, 0);

	(void)arg;
	t.quota_objects = 1000;
	REQUIRE_OK(type_create(heap, &t));
	for (int round = 0; round < 3; round++) {
		heap_fill(heap, t.type, 0, handles, 1000);
		EXPECT_ERR(heap_alloc(heap, t.type, 0, handles + 1000, 1), EDQUOT);
		heap_drain(heap, handles, 1000);
	}
	EXPECT_EQ(type_stat(heap, t.type).live_objects, 0);
}

static void quota_of_counted_is_freed_by_the_last_put(int heap, const void *arg)
{
	struct privheap_type t = type_named("few", 8, 0);
	__u64 handle;

	(void)arg;
	t.quota_objects = 1;
	t.flags = PRIVHEAP_TYPE_COUNTED;
	REQUIRE_OK(type_create(heap, &t));
	handle = heap_new(heap, t.type, 0);
	REQUIRE_OK(heap_get(heap, handle));
	REQUIRE_OK(heap_put(heap, handle));
	EXPECT_ERR(heap_alloc(heap, t.type, 0, &handle, 1), EDQUOT);
	REQUIRE_OK(heap_put(heap, handle));
	EXPECT_OK(heap_alloc(heap, t.type, 0, &handle, 1));
}

static void quota_leaves_other_types(int heap, const void *arg)
{
	struct privheap_type t = type_named("few", 8, 0);

	(void)arg;
	t.quota_objects = 1;
	REQUIRE_OK(type_create(heap, &t));
	heap_new(heap, t.type, 0);
	EXPECT_ERR(heap_alloc(heap, t.type, 0, handles, 1), EDQUOT);
	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 100);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(fillings); i++) {
		TEST_ARG(exhausted_heap_recovers, &fillings[i],
			 "heap_full_of_%s_recovers", fillings[i].name);
		TEST_ARG(exhaustion_uses_most_of_the_maximum, &fillings[i],
			 "heap_full_of_%s_uses_most_of_its_maximum",
			 fillings[i].name);
	}
	TEST(full_heap_keeps_content);
	TEST(idle_memory_of_one_type_serves_another);
	TEST(raised_maximum_helps);
	TEST(lowered_maximum_holds);
	TEST(metadata_counts_against_the_maximum);
	TEST(types_at_the_limit_leave_no_half_type);
	TEST(quota_counts_live_objects_of_all_batches);
	TEST(quota_of_counted_is_freed_by_the_last_put);
	TEST(quota_leaves_other_types);
	return tests_run();
}
