// SPDX-License-Identifier: GPL-2.0
/*
 * GET and PUT: reference counts of counted types.
 */
#include "calls.h"

static __u32 counted_type(int heap, __u32 flags)
{
	return type_make(heap, "counted", 8, 4096, PRIVHEAP_TYPE_COUNTED | flags);
}

static void object_starts_with_one_reference(int heap, const void *arg)
{
	(void)arg;
	EXPECT_EQ(heap_info(heap, heap_new(heap, counted_type(heap, 0), 0)).refs, 1);
}

static void get_and_put_count(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, counted_type(heap, 0), 0);

	(void)arg;
	for (__u32 i = 1; i <= 300; i++) {
		EXPECT_EQ(heap_info(heap, handle).refs, i);
		REQUIRE_OK(heap_get(heap, handle));
	}
	for (__u32 i = 300; i >= 1; i--) {
		REQUIRE_OK(heap_put(heap, handle));
		EXPECT_EQ(heap_info(heap, handle).refs, i);
	}
	REQUIRE_OK(heap_put(heap, handle));
	EXPECT_ERR(heap_get(heap, handle), ESTALE);
}

static int put_batch(int heap, const __u64 *handles, __u32 count, __u32 flags,
		     struct privheap_batch *b)
{
	*b = (struct privheap_batch){
		.size = sizeof(*b), .flags = flags, .count = count,
		.handles = user_ptr(handles), .done = 77, .freed = 77,
	};
	return heap_call(heap, PRIVHEAP_PUT, b);
}

static void last_put_frees_and_says_so(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	struct privheap_batch b;
	__u64 handles[10];

	(void)arg;
	heap_fill(heap, type, 0, handles, 10);
	for (int i = 0; i < 4; i++)
		REQUIRE_OK(heap_get(heap, handles[i]));
	REQUIRE_OK(put_batch(heap, handles, 10, 0, &b));
	EXPECT_EQ(b.done, 10);
	EXPECT_EQ(b.freed, 6);
	EXPECT_EQ(heap_stat(heap).live_objects, 4);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(heap_info(heap, handles[i]).refs, 1);
	for (int i = 4; i < 10; i++)
		EXPECT_ERR(heap_get(heap, handles[i]), ESTALE);
}

static void put_tells_that_it_freed_none(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, counted_type(heap, 0), 0);
	struct privheap_batch b;

	(void)arg;
	REQUIRE_OK(heap_get(heap, handle));
	REQUIRE_OK(put_batch(heap, &handle, 1, 0, &b));
	EXPECT_EQ(b.done, 1);
	EXPECT_EQ(b.freed, 0);
}

static void get_twice_in_one_batch_counts_twice(int heap, const void *arg)
{
	__u64 twice[2] = { heap_new(heap, counted_type(heap, 0), 0) };
	struct privheap_batch b;

	(void)arg;
	twice[1] = twice[0];
	REQUIRE_OK(heap_batch(heap, PRIVHEAP_GET, 0, twice, 2));
	EXPECT_EQ(heap_info(heap, twice[0]).refs, 3);
	REQUIRE_OK(put_batch(heap, twice, 2, 0, &b));
	EXPECT_EQ(heap_info(heap, twice[0]).refs, 1);
}

static void put_of_all_references_in_one_batch_frees_once(int heap, const void *arg)
{
	__u64 thrice[3] = { heap_new(heap, counted_type(heap, 0), 0) };
	struct privheap_batch b;

	(void)arg;
	thrice[1] = thrice[2] = thrice[0];
	REQUIRE_OK(heap_batch(heap, PRIVHEAP_GET, 0, thrice, 2));
	REQUIRE_OK(put_batch(heap, thrice, 3, 0, &b));
	EXPECT_EQ(b.freed, 1);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void put_of_more_references_than_there_are(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	__u64 handles[4];
	struct privheap_batch b;

	(void)arg;
	heap_fill(heap, type, 0, handles, 2);
	handles[2] = handles[3] = handles[1];
	REQUIRE_OK(heap_get(heap, handles[1]));
	EXPECT_ERR(put_batch(heap, handles, 4, 0, &b), ESTALE, EREMCHG);
	EXPECT_EQ(heap_info(heap, handles[0]).refs, 1);
	EXPECT_EQ(heap_info(heap, handles[1]).refs, 2);
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
}

static void put_partial_stops_at_the_bad_one(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	struct privheap_batch b;
	__u64 handles[6];

	(void)arg;
	heap_fill(heap, type, 0, handles, 6);
	REQUIRE_OK(heap_put(heap, handles[3]));
	REQUIRE_OK(put_batch(heap, handles, 6, PRIVHEAP_PARTIAL, &b));
	EXPECT_EQ(b.done, 3);
	EXPECT_EQ(b.freed, 3);
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
}

static void get_partial_stops_at_the_bad_one(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	__u64 handles[6];
	struct privheap_batch b = {
		.size = sizeof(b), .flags = PRIVHEAP_PARTIAL, .count = 6,
		.handles = user_ptr(handles),
	};

	(void)arg;
	heap_fill(heap, type, 0, handles, 6);
	REQUIRE_OK(heap_put(heap, handles[3]));
	REQUIRE_OK(heap_call(heap, PRIVHEAP_GET, &b));
	EXPECT_EQ(b.done, 3);
	for (int i = 0; i < 6; i++)
		if (i != 3)
			EXPECT_EQ(heap_info(heap, handles[i]).refs, i < 3 ? 2 : 1);
}

static void get_all_or_nothing(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	__u64 handles[200];

	(void)arg;
	heap_fill(heap, type, 0, handles, 200);
	REQUIRE_OK(heap_put(heap, handles[199]));
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_GET, 0, handles, 200), ESTALE);
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_PUT, 0, handles, 200), ESTALE);
	for (int i = 0; i < 199; i++)
		EXPECT_EQ(heap_info(heap, handles[i]).refs, 1);
	EXPECT_EQ(heap_stat(heap).live_objects, 199);
}

static void not_counted_is_refused(int heap, const void *arg)
{
	__u64 counted = heap_new(heap, counted_type(heap, 0), 0);
	__u64 handles[2] = { counted, heap_new(heap, PRIVHEAP_TYPE_INT, 0) };

	(void)arg;
	EXPECT_ERR(heap_get(heap, handles[1]), EOPNOTSUPP);
	EXPECT_ERR(heap_put(heap, handles[1]), EOPNOTSUPP);
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_GET, 0, handles, 2), EOPNOTSUPP);
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_PUT, 0, handles, 2), EOPNOTSUPP);
	EXPECT_EQ(heap_info(heap, counted).refs, 1);
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
}

static void free_of_a_shared_object_is_busy(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, counted_type(heap, 0), 0);

	(void)arg;
	REQUIRE_OK(heap_get(heap, handle));
	EXPECT_ERR(heap_free_one(heap, handle), EBUSY);
	EXPECT_EQ(heap_info(heap, handle).refs, 2);
	REQUIRE_OK(heap_put(heap, handle));
	EXPECT_OK(heap_free_one(heap, handle));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void busy_object_in_a_batch_leaves_all(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	__u64 handles[200];

	(void)arg;
	heap_fill(heap, type, 0, handles, 200);
	REQUIRE_OK(heap_get(heap, handles[199]));
	EXPECT_ERR(heap_free(heap, handles, 200), EBUSY);
	EXPECT_EQ(heap_stat(heap).live_objects, 200);
	EXPECT_EQ(heap_info(heap, handles[0]).refs, 1);
	EXPECT_EQ(heap_info(heap, handles[199]).refs, 2);
}

static void reused_slot_starts_with_one_reference(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	__u64 handle;

	(void)arg;
	for (int i = 0; i < 100; i++) {
		handle = heap_new(heap, type, 0);
		EXPECT_EQ(heap_info(heap, handle).refs, 1);
		REQUIRE_OK(heap_get(heap, handle));
		REQUIRE_OK(heap_put(heap, handle));
		REQUIRE_OK(heap_put(heap, handle));
	}
}

static void large_counted_object(int heap, const void *arg)
{
	__u32 type = type_make(heap, "large", 1, 4 << 20, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 3 << 20);

	(void)arg;
	REQUIRE_OK(heap_get(heap, handle));
	EXPECT_EQ(heap_info(heap, handle).refs, 2);
	EXPECT_ERR(heap_free_one(heap, handle), EBUSY);
	REQUIRE_OK(heap_put(heap, handle));
	REQUIRE_OK(heap_put(heap, handle));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void get_by_wrong_type(int heap, const void *arg)
{
	__u32 type = counted_type(heap, 0);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_GET, PRIVHEAP_TYPE_STR, &handle, 1),
		   EPROTOTYPE);
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_PUT, PRIVHEAP_TYPE_STR, &handle, 1),
		   EPROTOTYPE);
	EXPECT_OK(heap_batch(heap, PRIVHEAP_GET, type, &handle, 1));
	EXPECT_EQ(heap_info(heap, handle).refs, 2);
}

static void a_million_references(int heap, const void *arg)
{
	__u32 n = MIN(heap_query(heap).max_batch, 1000);
	__u64 handles[1000], handle = heap_new(heap, counted_type(heap, 0), 0);
	unsigned long loops = scaled(1000);

	(void)arg;
	for (__u32 i = 0; i < n; i++)
		handles[i] = handle;
	for (unsigned long i = 0; i < loops; i++)
		REQUIRE_OK(heap_batch(heap, PRIVHEAP_GET, 0, handles, n));
	EXPECT_EQ(heap_info(heap, handle).refs, 1 + loops * n);
	for (unsigned long i = 0; i < loops; i++)
		REQUIRE_OK(heap_batch(heap, PRIVHEAP_PUT, 0, handles, n));
	EXPECT_EQ(heap_info(heap, handle).refs, 1);
}

/* 2^32 by batches of the same handle: nothing wraps, and the object stays. */
static void count_saturates(int heap, const void *arg)
{
	static __u64 many[65536];
	unsigned long batches = scaled_to(1, (1ULL << 32) / 65536 + 2);
	__u32 type = type_make(heap, "loved", 8, 0, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	if (batches == 1)
		test_skip("2^32 references take minutes; PRIVHEAP_SCALE=full takes them");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = handle;
	while (batches--)
		REQUIRE_OK(heap_batch(heap, PRIVHEAP_GET, 0, many, ARRAY_SIZE(many)));
	EXPECT_EQ(heap_info(heap, handle).refs, PRIVHEAP_REFS_SATURATED);
	EXPECT_OK(heap_batch(heap, PRIVHEAP_PUT, 0, many, ARRAY_SIZE(many)));
	EXPECT_EQ(heap_info(heap, handle).refs, PRIVHEAP_REFS_SATURATED);
	EXPECT_ERR(heap_free_one(heap, handle), EBUSY);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
}

int main(void)
{
	TEST(count_saturates);
	TEST(object_starts_with_one_reference);
	TEST(get_and_put_count);
	TEST(last_put_frees_and_says_so);
	TEST(put_tells_that_it_freed_none);
	TEST(get_twice_in_one_batch_counts_twice);
	TEST(put_of_all_references_in_one_batch_frees_once);
	TEST(put_of_more_references_than_there_are);
	TEST(put_partial_stops_at_the_bad_one);
	TEST(get_partial_stops_at_the_bad_one);
	TEST(get_all_or_nothing);
	TEST(not_counted_is_refused);
	TEST(free_of_a_shared_object_is_busy);
	TEST(busy_object_in_a_batch_leaves_all);
	TEST(reused_slot_starts_with_one_reference);
	TEST(large_counted_object);
	TEST(get_by_wrong_type);
	TEST(a_million_references);
	return tests_run();
}
