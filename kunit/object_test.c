// SPDX-License-Identifier: GPL-2.0
/* Objects: batches are all or nothing, and no memory tells of its past. */

#include "objects.h"
#include "stat.h"

#define PH_INT	PRIVHEAP_TYPE_INT
#define PH_STR	PRIVHEAP_TYPE_STR

#define PH_TEST_NR	300
static u64 ph_handles[PH_TEST_NR], ph_copy[PH_TEST_NR], ph_sizes[PH_TEST_NR];

static int ph_free_batch(struct ph_heap *heap, u32 nr, bool partial, u32 *done)
{
	memcpy(ph_copy, ph_handles, nr * sizeof(*ph_copy));
	return ph_object_free(heap, 0, ph_copy, nr, partial, done);
}

static u32 ph_live_of(struct ph_heap *heap, u32 nr)
{
	u32 live = 0;

	while (nr--)
		live += !ph_test_lookup(heap, 0, ph_handles[nr]);
	return live;
}

static void alloc_every_builtin_type_and_size(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 type, align, tried = 0;
	u64 bytes, handle;

	for (type = PH_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		align = type == PRIVHEAP_TYPE_OBJECT ? 16 : 8;
		for (bytes = 1; bytes < 70000; bytes += 1 + bytes / 7) {
			handle = ph_test_alloc(test, type, bytes);
			ph_test_fill(test, handle, 0, bytes, bytes);
			KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle,
								  0, bytes,
								  bytes));
			KUNIT_EXPECT_EQ(test, 0, (handle & PH_OFFSET_MASK) %
					align);
			tried++;
		}
	}
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), tried);
	ph_test_expect_sound(test);
}

static void alloc_fixed_types_have_one_size(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle;

	KUNIT_EXPECT_EQ(test, 0, ph_test_try_alloc(heap, PH_INT, 0, &handle));
	KUNIT_EXPECT_EQ(test, 0, ph_test_try_alloc(heap, PH_INT, 28, &handle));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_test_try_alloc(heap, PH_INT, 27, &handle));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_test_try_alloc(heap, PH_INT, 29, &handle));
	KUNIT_EXPECT_EQ(test, 0, ph_test_try_alloc(heap, PRIVHEAP_TYPE_FLOAT,
						   24, &handle));
}

static void alloc_when_type_is_unknown(struct kunit *test)
{
	static const u32 unknown[] = { 0, 10, 15, 16, 1024, U32_MAX };
	u64 handle;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		KUNIT_EXPECT_EQ(test, -ENOENT,
				ph_test_try_alloc(ph_test_heap(test),
						  unknown[i], 8, &handle));
}

static void alloc_when_size_is_out_of_range(struct kunit *test)
{
	static const u64 sizes[] = {
		PH_TEST_MAX_BYTES + 1, U32_MAX, 1ULL << 40, 1ULL << 63,
		U64_MAX - 7, U64_MAX
	};
	u64 handle;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ(test, -ERANGE,
				ph_test_try_alloc(ph_test_heap(test), PH_STR,
						  sizes[i], &handle));
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 0);
}

static void alloc_gives_each_object_a_place_of_its_own(struct kunit *test)
{
	u32 i, wrong = 0;

	ph_test_alloc_batch(test, PH_STR, 100, ph_handles, PH_TEST_NR);
	for (i = 0; i < PH_TEST_NR; i++)
		ph_test_fill(test, ph_handles[i], 0, 100, i);
	for (i = 0; i < PH_TEST_NR; i++)
		wrong += !ph_test_is_filled(test, ph_handles[i], 0, 100, i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, ph_live_of(ph_test_heap(test), PH_TEST_NR),
			PH_TEST_NR);
}

static void alloc_with_a_size_for_each(struct kunit *test)
{
	struct ph_alloc req = { .type = PH_STR, .sizes = ph_sizes };
	u32 i, done, slot, wrong = 0;

	for (i = 0; i < PH_TEST_NR; i++)
		ph_sizes[i] = 1 + i * i / 3;
	KUNIT_ASSERT_EQ(test, 0, ph_object_alloc(ph_test_heap(test), &req,
						 ph_handles, PH_TEST_NR, false,
						 &done));
	KUNIT_EXPECT_EQ(test, done, PH_TEST_NR);
	for (i = 0; i < PH_TEST_NR; i++) {
		struct ph_slab *slab = ph_test_slab(test, ph_handles[i], &slot);

		wrong += ph_content_requested(slab, slot) != ph_sizes[i];
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	ph_test_expect_sound(test);
}

/* A bad size at each place of a batch in turn. */
static void alloc_when_one_size_is_bad(struct kunit *test)
{
	struct ph_alloc req = { .type = PH_STR, .sizes = ph_sizes };
	struct ph_heap *heap = ph_test_heap(test);
	static const u64 bad[] = { 0, U64_MAX };
	u32 at, i, done, tried = 0;

	for (at = 0; at < 140; at++) {
		for (i = 0; i < 140; i++)
			ph_sizes[i] = 1 + i % 50;
		ph_sizes[at] = bad[at % 2];
		KUNIT_ASSERT_EQ(test, -ERANGE,
				ph_object_alloc(heap, &req, ph_handles, 140,
						false, &done));
		KUNIT_ASSERT_EQ(test, done, 0);
		KUNIT_ASSERT_EQ(test, ph_test_live(heap), 0);
		tried++;
	}
	KUNIT_EXPECT_EQ(test, tried, 140);
	ph_test_expect_sound(test);
}

static void alloc_partial_when_one_size_is_bad(struct kunit *test)
{
	struct ph_alloc req = { .type = PH_STR, .sizes = ph_sizes };
	struct ph_heap *heap = ph_test_heap(test);
	u32 at, i, done, freed;
	int err;

	for (at = 0; at < 140; at++) {
		for (i = 0; i < 140; i++)
			ph_sizes[i] = 1 + i % 50;
		ph_sizes[at] = 0;
		err = ph_object_alloc(heap, &req, ph_handles, 140, true,
				      &done);
		KUNIT_ASSERT_EQ(test, err, at ? 0 : -ERANGE);
		KUNIT_ASSERT_EQ(test, done, at);
		KUNIT_ASSERT_EQ(test, ph_test_live(heap), at);
		if (at)
			ph_free_batch(heap, at, false, &freed);
	}
}

/* The same object twice, at all pairs of places. */
static void free_when_an_object_is_named_twice(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 one, two, done, tried = 0;
	u64 saved;

	ph_test_alloc_batch(test, PH_INT, 0, ph_handles, 8);
	for (one = 0; one < 8; one++) {
		for (two = one + 1; two < 8; two++, tried++) {
			saved = ph_handles[two];
			ph_handles[two] = ph_handles[one];
			KUNIT_ASSERT_EQ(test, -ESTALE,
					ph_free_batch(heap, 8, false, &done));
			KUNIT_ASSERT_EQ(test, done, 0);
			ph_handles[two] = saved;
			KUNIT_ASSERT_EQ(test, ph_live_of(heap, 8), 8);
		}
	}
	KUNIT_EXPECT_EQ(test, tried, 28);
	KUNIT_EXPECT_EQ(test, ph_free_batch(heap, 8, false, &done), 0);
	ph_test_expect_sound(test);
}

static void free_when_twins_are_in_different_chunks(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 done;

	ph_test_alloc_batch(test, PH_INT, 0, ph_handles, PH_TEST_NR);
	ph_handles[PH_TEST_NR - 1] = ph_handles[0];
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_free_batch(heap, PH_TEST_NR, false, &done));
	KUNIT_EXPECT_EQ(test, ph_live_of(heap, PH_TEST_NR), PH_TEST_NR);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), PH_TEST_NR);
	ph_test_expect_sound(test);
}

/* A bad handle at each place of a batch in turn. */
static void free_when_one_handle_is_bad(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 at, done, tried = 0;

	ph_test_alloc_batch(test, PH_INT, 0, ph_handles, 140);
	for (at = 0; at < 140; at++, tried++) {
		ph_handles[at]++;
		KUNIT_ASSERT_EQ(test, -EBADSLT,
				ph_free_batch(heap, 140, false, &done));
		ph_handles[at]--;
		KUNIT_ASSERT_EQ(test, ph_live_of(heap, 140), 140);
	}
	KUNIT_EXPECT_EQ(test, tried, 140);
	ph_test_expect_sound(test);
}

static void free_partial_when_one_handle_is_bad(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 at, done;
	int err;

	for (at = 0; at < 140; at++) {
		ph_test_alloc_batch(test, PH_INT, 0, ph_handles, 140);
		ph_handles[at]++;
		err = ph_free_batch(heap, 140, true, &done);
		KUNIT_ASSERT_EQ(test, err, at ? 0 : -EBADSLT);
		KUNIT_ASSERT_EQ(test, done, at);
		ph_handles[at]--;
		KUNIT_ASSERT_EQ(test, ph_live_of(heap, 140), 140 - at);
		memmove(ph_handles, ph_handles + at,
			(140 - at) * sizeof(*ph_handles));
		KUNIT_ASSERT_EQ(test, 0, ph_free_batch(heap, 140 - at, false,
						       &done));
	}
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 0);
}

static void free_when_type_is_another(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handles[2] = {
		ph_test_alloc(test, PH_INT, 0), ph_test_alloc(test, PH_STR, 5)
	};
	u32 done;

	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_object_free(heap, PH_INT, handles, 2, false, &done));
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 2);
}

static void free_mixed_types_and_sizes(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 i, done;

	for (i = 0; i < PH_TEST_NR; i++)
		ph_handles[i] = ph_test_alloc(test, 3 + i % 7, 1 + i * 61);
	KUNIT_EXPECT_EQ(test, 0, ph_free_batch(heap, PH_TEST_NR, false, &done));
	KUNIT_EXPECT_EQ(test, done, PH_TEST_NR);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 0);
	ph_test_expect_sound(test);
	ph_test_reclaim(heap);
	ph_test_expect_sound(test);
}

static void quota_stops_whole_batches(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "few", .min_bytes = 40, .quota_objects = 100
	};
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_test_type(test, &desc), done;
	struct ph_alloc req = { .type = type };

	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_object_alloc(heap, &req, ph_handles,
						       101, false, &done));
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 0);
	KUNIT_EXPECT_EQ(test, 0, ph_object_alloc(heap, &req, ph_handles, 101,
						 true, &done));
	KUNIT_EXPECT_EQ(test, done, 100);
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_object_alloc(heap, &req, ph_copy, 1,
						       false, &done));
	KUNIT_EXPECT_EQ(test, ph_test_free(heap, ph_handles[50]), 0);
	KUNIT_EXPECT_EQ(test, 0, ph_object_alloc(heap, &req, ph_copy, 1, false,
						 &done));
	ph_test_expect_sound(test);
}

/* Raise the maximum page by page until the batch fits. */
static void hard_max_stops_whole_batches(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct ph_alloc req = { .type = PH_STR, .bytes = 200 };
	u64 max = ph_fixture_held(&heap->region);
	u32 done, failures = 0;
	int err;

	ph_handles[0] = ph_test_alloc(test, PH_INT, 0);
	for (;; max += 512, failures++) {
		heap->region.hard_max = max;
		err = ph_object_alloc(heap, &req, ph_copy, PH_TEST_NR, false,
				      &done);
		if (!err)
			break;
		KUNIT_ASSERT_EQ(test, err, -EDQUOT);
		KUNIT_ASSERT_EQ(test, ph_test_live(heap), 1);
	}
	KUNIT_EXPECT_GE(test, failures, 200 * PH_TEST_NR / 512);
	KUNIT_EXPECT_LE(test, ph_fixture_held(&heap->region), max);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), PH_TEST_NR + 1);
	ph_test_expect_sound(test);
}

/* What was made on the way to an object that does not fit goes again. */
static void failed_large_alloc_leaves_nothing(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 held, handle = ph_test_alloc(test, PH_STR, 100000);

	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	ph_test_reclaim(heap);
	held = ph_fixture_held(&heap->region);
	heap->region.hard_max = held + (8 << 20);
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_test_try_alloc(heap, PH_STR, 64 << 20,
							 &handle));
	KUNIT_EXPECT_LE(test, ph_fixture_held(&heap->region), held);
}

static struct kunit_case ph_object_test_cases[] = {
	KUNIT_CASE(alloc_every_builtin_type_and_size),
	KUNIT_CASE(alloc_fixed_types_have_one_size),
	KUNIT_CASE(alloc_when_type_is_unknown),
	KUNIT_CASE(alloc_when_size_is_out_of_range),
	KUNIT_CASE(alloc_gives_each_object_a_place_of_its_own),
	KUNIT_CASE(alloc_with_a_size_for_each),
	KUNIT_CASE(alloc_when_one_size_is_bad),
	KUNIT_CASE(alloc_partial_when_one_size_is_bad),
	KUNIT_CASE(free_when_an_object_is_named_twice),
	KUNIT_CASE(free_when_twins_are_in_different_chunks),
	KUNIT_CASE(free_when_one_handle_is_bad),
	KUNIT_CASE(free_partial_when_one_handle_is_bad),
	KUNIT_CASE(free_when_type_is_another),
	KUNIT_CASE(free_mixed_types_and_sizes),
	KUNIT_CASE(quota_stops_whole_batches),
	KUNIT_CASE(hard_max_stops_whole_batches),
	KUNIT_CASE(failed_large_alloc_leaves_nothing),
	{}
};

static struct kunit_suite ph_object_suite = {
	.name = "privheap_object",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_object_test_cases,
};

kunit_test_suite(ph_object_suite);
