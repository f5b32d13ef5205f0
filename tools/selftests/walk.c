// SPDX-License-Identifier: GPL-2.0
/*
 * WALK: every live object, once, in bounded steps.
 */
#include "calls.h"

static int compare_u64(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static int walk_step(int heap, struct privheap_walk *w)
{
	int err = heap_call(heap, PRIVHEAP_WALK, w);

	if (!err)
		REQUIRE(w->done <= w->count);
	return err;
}

/* All handles that a walk in steps of @step sees, sorted; their number. */
static size_t walk_all(int heap, __u32 type, __u32 step, __u64 *seen, size_t room)
{
	__u64 *part = calloc(step, sizeof(*part));
	struct privheap_walk w = {
		.size = sizeof(w), .type = type, .count = step,
		.handles = user_ptr(part),
	};
	size_t n = 0;

	REQUIRE(part);
	do {
		REQUIRE_OK(walk_step(heap, &w));
		REQUIRE(n + w.done <= room);
		memcpy(seen + n, part, w.done * sizeof(*part));
		n += w.done;
	} while (w.cursor);
	free(part);
	qsort(seen, n, sizeof(*seen), compare_u64);
	return n;
}

static void expect_same(const __u64 *seen, size_t n, __u64 *live, size_t m)
{
	qsort(live, m, sizeof(*live), compare_u64);
	if (!EXPECT_EQ(n, m))
		return;
	for (size_t i = 0; i < n; i++)
		EXPECT_EQ(seen[i], live[i]);
}

static void walk_of_an_unused_heap(int heap, const void *arg)
{
	__u64 seen[1];

	(void)arg;
	EXPECT_EQ(walk_all(heap, 0, 1, seen, 1), 0);
	EXPECT_EQ(walk_all(heap, PRIVHEAP_TYPE_INT, 1, seen, 1), 0);
}

static __u64 live[4000], seen[4000];

static void walk_sees_all_of_a_type(int heap, const void *arg)
{
	__u32 step = *(const unsigned int *)arg;
	size_t n = step == 1 ? 300 : 3000;
	__u64 other[100];

	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, live, n);
	heap_fill(heap, PRIVHEAP_TYPE_STR, 100, other, 100);
	expect_same(seen, walk_all(heap, PRIVHEAP_TYPE_INT, step, seen,
				   ARRAY_SIZE(seen)), live, n);
	expect_same(seen, walk_all(heap, PRIVHEAP_TYPE_STR, step, seen,
				   ARRAY_SIZE(seen)), other, 100);
	EXPECT_EQ(walk_all(heap, PRIVHEAP_TYPE_LIST, step, seen, 1), 0);
}

static const unsigned int steps[] = { 1, 7, 64, 1000 };

static void walk_of_type_0_sees_all_types(int heap, const void *arg)
{
	size_t n = 0;

	(void)arg;
	for (__u32 type = PRIVHEAP_TYPE_INT; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		heap_fill(heap, type, 0, live + n, 50);
		n += 50;
	}
	live[n++] = heap_new(heap, PRIVHEAP_TYPE_BYTES, 1 << 20);
	live[n++] = heap_new(heap, type_make(heap, "own", 64, 0, 0), 0);
	expect_same(seen, walk_all(heap, 0, 64, seen, ARRAY_SIZE(seen)), live, n);
}

static void walk_sees_all_sizes(int heap, const void *arg)
{
	size_t n = 0;

	(void)arg;
	for (__u64 bytes = 1; bytes < 200000; bytes += 1 + bytes / 3)
		live[n++] = heap_new(heap, PRIVHEAP_TYPE_OBJECT, bytes);
	expect_same(seen, walk_all(heap, PRIVHEAP_TYPE_OBJECT, 5, seen,
				   ARRAY_SIZE(seen)), live, n);
}

static void walk_skips_freed_objects(int heap, const void *arg)
{
	size_t n = 0;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, live, 1000);
	for (size_t i = 0; i < 1000; i++) {
		if (i % 3)
			REQUIRE_OK(heap_free_one(heap, live[i]));
		else
			live[n++] = live[i];
	}
	expect_same(seen, walk_all(heap, PRIVHEAP_TYPE_FLOAT, 64, seen,
				   ARRAY_SIZE(seen)), live, n);
}

static void walk_skips_promised_objects(int heap, const void *arg)
{
	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_INT, 0, 500, NULL));
	EXPECT_EQ(walk_all(heap, PRIVHEAP_TYPE_INT, 64, seen, 1), 0);
	live[0] = heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	expect_same(seen, walk_all(heap, 0, 64, seen, ARRAY_SIZE(seen)), live, 1);
}

static void handles_of_a_walk_work(int heap, const void *arg)
{
	size_t n;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_TUPLE, 40, live, 500);
	n = walk_all(heap, PRIVHEAP_TYPE_TUPLE, 50, seen, ARRAY_SIZE(seen));
	REQUIRE_EQ(n, 500);
	heap_drain(heap, seen, n);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	EXPECT_EQ(walk_all(heap, 0, 50, seen, 1), 0);
}

/* One that lives throughout is seen once, whatever happens around it. */
static void walk_between_changes_sees_the_steady(int heap, const void *arg)
{
	__u64 part[16], others[16];
	struct privheap_walk w = {
		.size = sizeof(w), .type = PRIVHEAP_TYPE_STR, .count = 16,
		.handles = user_ptr(part),
	};
	size_t hits[1000] = { 0 };
	__u64 *found;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_STR, 60, live, 1000);
	qsort(live, 1000, sizeof(*live), compare_u64);
	do {
		REQUIRE_OK(walk_step(heap, &w));
		for (__u32 i = 0; i < w.done; i++) {
			found = bsearch(&part[i], live, 1000, sizeof(*live),
					compare_u64);
			if (found)
				hits[found - live]++;
		}
		heap_fill(heap, PRIVHEAP_TYPE_STR, 60, others, 16);
		heap_drain(heap, others, 12);
	} while (w.cursor);
	for (size_t i = 0; i < 1000; i++)
		EXPECT_EQ(hits[i], 1);
}

static void walk_while_freeing_what_it_sees(int heap, const void *arg)
{
	__u64 part[32];
	struct privheap_walk w = {
		.size = sizeof(w), .count = 32, .handles = user_ptr(part),
	};

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_DICT, 500, live, 1000);
	do {
		REQUIRE_OK(walk_step(heap, &w));
		if (w.done)
			REQUIRE_OK(heap_free(heap, part, w.done));
		heap_trim(heap);
	} while (w.cursor);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void walk_writes_no_handle_beyond_done(int heap, const void *arg)
{
	__u64 part[66];
	struct privheap_walk w = {
		.size = sizeof(w), .count = 65, .handles = user_ptr(part),
	};

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, live, 20);
	memset(part, 0x5a, sizeof(part));
	REQUIRE_OK(walk_step(heap, &w));
	EXPECT_EQ(part[65], 0x5a5a5a5a5a5a5a5aULL);
	for (__u32 i = 0; i < w.done; i++)
		EXPECT(part[i] != 0x5a5a5a5a5a5a5a5aULL);
}

/* A cursor that no walk gave: an error, or handles that are good, and an end. */
static void walk_from_a_made_up_cursor(int heap, const void *arg)
{
	__u64 part[64];
	struct privheap_walk w = {
		.size = sizeof(w), .count = 64, .handles = user_ptr(part),
		.cursor = *(const __u64 *)arg,
	};
	unsigned int rounds = 0;
	int err;

	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, live, 500);
	do {
		err = walk_step(heap, &w);
		if (err)
			break;
		for (__u32 i = 0; i < w.done; i++)
			EXPECT_EQ(heap_info(heap, part[i]).type, PRIVHEAP_TYPE_INT);
	} while (w.cursor && ++rounds < 100000);
	EXPECT_ERR(err, 0, EINVAL);
	EXPECT(rounds < 100000);
	EXPECT_EQ(heap_stat(heap).live_objects, 500);
}

static const __u64 cursors[] = {
	1, 0x1234567, 1ULL << 31, 1ULL << 32, 1ULL << 40, 1ULL << 47, 1ULL << 48,
	0xffffffffULL, 0xffff888000000000ULL, 1ULL << 63, ~0ULL,
};

static void walk_of_an_unknown_type(int heap, const void *arg)
{
	__u64 part[1];
	struct privheap_walk w = {
		.size = sizeof(w), .type = 9999, .count = 1,
		.handles = user_ptr(part),
	};

	(void)arg;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_WALK, &w), ENOENT);
	w.type = ~0U;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_WALK, &w), ENOENT);
}

int main(void)
{
	TEST(walk_of_an_unused_heap);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		TEST_ARG(walk_sees_all_of_a_type, &steps[i],
			 "walk_by_%u_sees_all_of_a_type", steps[i]);
	TEST(walk_of_type_0_sees_all_types);
	TEST(walk_sees_all_sizes);
	TEST(walk_skips_freed_objects);
	TEST(walk_skips_promised_objects);
	TEST(handles_of_a_walk_work);
	TEST(walk_between_changes_sees_the_steady);
	TEST(walk_while_freeing_what_it_sees);
	TEST(walk_writes_no_handle_beyond_done);
	for (size_t i = 0; i < ARRAY_SIZE(cursors); i++)
		TEST_ARG(walk_from_a_made_up_cursor, &cursors[i],
			 "walk_from_cursor_%#llx_is_harmless",
			 (long long)cursors[i]);
	TEST(walk_of_an_unknown_type);
	return tests_run();
}
