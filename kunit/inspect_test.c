// SPDX-License-Identifier: GPL-2.0
/* Walks and facts: every live object is seen, once. */

#include <linux/sort.h>

#include "inspect.h"
#include "objects.h"

#define PH_TEST_NR	700
static u64 ph_handles[PH_TEST_NR], ph_seen[2 * PH_TEST_NR];

/* No walk of these small heaps takes as many steps. */
#define PH_MOST_STEPS	20000

static int ph_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void ph_sort(u64 *handles, u32 nr)
{
	sort(handles, nr, sizeof(*handles), ph_compare, NULL);
}

/* Walk to the end, @chunk at a time. Returns how many were seen. */
static u32 ph_walk(struct kunit *test, u32 type, u32 chunk)
{
	u32 seen = 0, done, steps = 0;
	u64 cursor = 0;

	do {
		chunk = min_t(u32, chunk, ARRAY_SIZE(ph_seen) - seen);
		KUNIT_ASSERT_GT(test, chunk, 0);
		KUNIT_ASSERT_EQ(test, 0,
				ph_inspect_walk(ph_test_heap(test), type,
						&cursor, ph_seen + seen, chunk,
						&done));
		KUNIT_ASSERT_LE(test, done, chunk);
		seen += done;
		KUNIT_ASSERT_LT(test, steps++, PH_MOST_STEPS);
	} while (cursor);
	return seen;
}

static void ph_make_objects(struct kunit *test)
{
	u32 i;

	for (i = 0; i < PH_TEST_NR; i++)
		ph_handles[i] = ph_test_alloc(test, 3 + i % 7,
					      1 + i * i % 20000);
	ph_sort(ph_handles, PH_TEST_NR);
}

static const u32 ph_chunks[] = { 1, 2, 7, 64, 1000 };

static void ph_chunk_name(const u32 *chunk, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u at a time", *chunk);
}

KUNIT_ARRAY_PARAM(ph_chunk, ph_chunks, ph_chunk_name);

static void walk_when_heap_is_empty(struct kunit *test)
{
	const u32 *chunk = test->param_value;

	KUNIT_EXPECT_EQ(test, ph_walk(test, 0, *chunk), 0);
	KUNIT_EXPECT_EQ(test, ph_walk(test, PRIVHEAP_TYPE_INT, *chunk), 0);
}

static void walk_sees_every_object_once(struct kunit *test)
{
	const u32 *chunk = test->param_value;

	ph_make_objects(test);
	KUNIT_ASSERT_EQ(test, ph_walk(test, 0, *chunk), PH_TEST_NR);
	ph_sort(ph_seen, PH_TEST_NR);
	KUNIT_EXPECT_EQ(test, 0, memcmp(ph_seen, ph_handles,
					sizeof(ph_handles)));
}

static void walk_sees_objects_of_its_type_only(struct kunit *test)
{
	const u32 *chunk = test->param_value;
	u32 type, seen, sum = 0;

	ph_make_objects(test);
	for (type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		seen = ph_walk(test, type, *chunk);
		KUNIT_EXPECT_EQ(test, seen, PH_TEST_NR / 7);
		sum += seen;
		while (seen--)
			KUNIT_EXPECT_EQ(test, 0,
					ph_test_lookup(ph_test_heap(test), type,
						       ph_seen[seen]));
	}
	KUNIT_EXPECT_EQ(test, sum, PH_TEST_NR);
}

static void walk_sees_no_freed_object(struct kunit *test)
{
	const u32 *chunk = test->param_value;
	u32 i, kept = 0;

	ph_make_objects(test);
	for (i = 0; i < PH_TEST_NR; i++) {
		if (i % 3)
			ph_test_free(ph_test_heap(test), ph_handles[i]);
		else
			ph_handles[kept++] = ph_handles[i];
	}
	KUNIT_ASSERT_EQ(test, ph_walk(test, 0, *chunk), kept);
	ph_sort(ph_seen, kept);
	KUNIT_EXPECT_EQ(test, 0, memcmp(ph_seen, ph_handles,
					kept * sizeof(*ph_handles)));
}

/* Between its steps others come and go; what stays is seen once. */
static void walk_while_others_come_and_go(struct kunit *test)
{
	const u32 *chunk = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u32 done, steps = 0, seen = 0, i, stays = 0, times[3] = {};
	u64 cursor = 0, guest = 0;

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_INT, 0, ph_handles, 400);
	do {
		done = min(*chunk, 1400 - seen);
		KUNIT_ASSERT_EQ(test, 0, ph_inspect_walk(heap, 0, &cursor,
							 ph_seen + seen, done,
							 &done));
		seen += done;
		if (guest)
			ph_test_free(heap, guest);
		guest = ph_test_alloc(test, steps % 2 ? PRIVHEAP_TYPE_INT :
				      PRIVHEAP_TYPE_LIST, 0);
	} while (cursor && steps++ < PH_MOST_STEPS && seen < 1400);
	ph_sort(ph_seen, seen);
	for (i = 0; i < 400; i++) {
		u32 at, nr = 0;

		for (at = 0; at < seen; at++)
			nr += ph_seen[at] == ph_handles[i];
		times[min(nr, 2U)]++;
		stays++;
	}
	KUNIT_EXPECT_EQ(test, times[0], 0);
	KUNIT_EXPECT_EQ(test, times[1], stays);
	KUNIT_EXPECT_EQ(test, times[2], 0);
}

static void walk_is_bounded_in_sparse_heap(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 cursor = 0, last = 0, handle;
	u32 done, steps = 0, seen = 0;

	/* The offsets of a span that is gone lie before the object. */
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 60 << 20);
	ph_test_alloc(test, PRIVHEAP_TYPE_STR, 9000);
	ph_test_free(heap, handle);
	do {
		KUNIT_ASSERT_EQ(test, 0, ph_inspect_walk(heap, 0, &cursor,
							 ph_seen, 64, &done));
		KUNIT_ASSERT_TRUE(test, !cursor || cursor > last);
		last = cursor;
		seen += done;
		steps++;
	} while (cursor && steps < PH_MOST_STEPS);
	KUNIT_EXPECT_EQ(test, seen, 1);
	KUNIT_EXPECT_GT(test, steps, 1);
}

static void walk_when_type_is_unknown(struct kunit *test)
{
	u64 cursor = 0;
	u32 done;

	KUNIT_EXPECT_EQ(test, -ENOENT,
			ph_inspect_walk(ph_test_heap(test), 15, &cursor,
					ph_seen, 1, &done));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ph_inspect_walk(ph_test_heap(test), U32_MAX, &cursor,
					ph_seen, 1, &done));
}

static void walk_when_cursor_is_made_up(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 cursor, end;
	u32 done, tried = 0;
	int err;

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_STR, 100, ph_handles, 100);
	ph_test_alloc(test, PRIVHEAP_TYPE_STR, 50000);
	rcu_read_lock();
	end = ph_region_end(&heap->region);
	rcu_read_unlock();
	for (cursor = 1; cursor < end; cursor += 1 + cursor / 100, tried++) {
		u64 copy = cursor;

		err = ph_inspect_walk(heap, 0, &copy, ph_seen, 200, &done);
		KUNIT_ASSERT_EQ(test, err, 0);
		while (done--)
			KUNIT_ASSERT_EQ(test, 0, ph_test_lookup(heap, 0,
								ph_seen[done]));
	}
	KUNIT_EXPECT_GT(test, tried, 500);
	cursor = end + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ph_inspect_walk(heap, 0, &cursor, ph_seen, 1, &done));
	cursor = U64_MAX;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ph_inspect_walk(heap, 0, &cursor, ph_seen, 1, &done));
}

static void info_tells_type_size_and_place(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_object_info info;
	u32 type, tried = 0;
	u64 bytes, handle;

	for (type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		for (bytes = 1; bytes < 100000; bytes *= 3, tried++) {
			handle = ph_test_alloc(test, type, bytes);
			KUNIT_ASSERT_EQ(test, 0,
					ph_inspect_object(heap, type, handle,
							  &info));
			KUNIT_EXPECT_EQ(test, info.type, type);
			KUNIT_EXPECT_EQ(test, info.refs, 1);
			KUNIT_EXPECT_EQ(test, info.requested_bytes, bytes);
			KUNIT_EXPECT_GE(test, info.usable_bytes, bytes);
			KUNIT_EXPECT_EQ(test, info.offset,
					handle & PH_OFFSET_MASK);
		}
	}
	KUNIT_EXPECT_EQ(test, tried, 7 * 11);
}

static void info_when_handle_is_wrong(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_INT, 0);
	struct privheap_object_info info;

	KUNIT_EXPECT_EQ(test, -EBADSLT,
			ph_inspect_object(heap, 0, handle + 1, &info));
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_inspect_object(heap, 2, handle, &info));
	ph_test_free(heap, handle);
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_inspect_object(heap, 0, handle, &info));
}

static struct kunit_case ph_inspect_test_cases[] = {
	KUNIT_CASE_PARAM(walk_when_heap_is_empty, ph_chunk_gen_params),
	KUNIT_CASE_PARAM(walk_sees_every_object_once, ph_chunk_gen_params),
	KUNIT_CASE_PARAM(walk_sees_objects_of_its_type_only,
			 ph_chunk_gen_params),
	KUNIT_CASE_PARAM(walk_sees_no_freed_object, ph_chunk_gen_params),
	KUNIT_CASE_PARAM(walk_while_others_come_and_go, ph_chunk_gen_params),
	KUNIT_CASE(walk_is_bounded_in_sparse_heap),
	KUNIT_CASE(walk_when_type_is_unknown),
	KUNIT_CASE(walk_when_cursor_is_made_up),
	KUNIT_CASE(info_tells_type_size_and_place),
	KUNIT_CASE(info_when_handle_is_wrong),
	{}
};

static struct kunit_suite ph_inspect_suite = {
	.name = "privheap_inspect",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_inspect_test_cases,
};

kunit_test_suite(ph_inspect_suite);
