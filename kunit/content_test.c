// SPDX-License-Identifier: GPL-2.0
/* Memory of objects: zero where it has to be, and never another heap's. */

#include "objects.h"

#define PH_SECRET	0x5e

static u64 ph_handles[600];

/* Sizes on both sides of every boundary that content has to cross. */
static const u64 ph_sizes[] = {
	1, 8, 100, PAGE_SIZE, 5000, 2 * PAGE_SIZE, 2 * PAGE_SIZE + 1,
	3 * PAGE_SIZE, 100 * PAGE_SIZE + 7
};

static void ph_size_name(const u64 *bytes, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llu bytes", *bytes);
}

KUNIT_ARRAY_PARAM(ph_size, ph_sizes, ph_size_name);

static u32 ph_flagged_type(struct kunit *test, u32 flags)
{
	struct privheap_type desc = {
		.name = "flagged", .min_bytes = 1, .max_bytes = 1 << 20,
		.flags = flags, .policy = PRIVHEAP_POLICY_COMPACT,
	};

	return ph_test_type(test, &desc);
}

/* Objects that die after they were filled; the next get their memory. */
static void ph_leave_dirt(struct kunit *test, u32 type, u64 bytes)
{
	u32 nr = bytes > PH_SLOT_MAX ? 2 : 20, i;

	ph_test_alloc_batch(test, type, bytes, ph_handles, nr);
	for (i = 0; i < nr; i++)
		ph_test_fill(test, ph_handles[i], 0, bytes, 1);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, 0, ph_test_free(ph_test_heap(test),
						      ph_handles[i]));
}

static void zero_alloc_type_gives_zeroed_objects(struct kunit *test)
{
	u32 type = ph_flagged_type(test, PRIVHEAP_TYPE_ZERO_ALLOC), i;
	const u64 *bytes = test->param_value;

	ph_leave_dirt(test, type, *bytes);
	ph_test_alloc_batch(test, type, *bytes, ph_handles, 5);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, ph_handles[i], 0,
							*bytes));
}

static void zero_call_gives_zeroed_objects(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	struct ph_alloc req = {
		.type = PRIVHEAP_TYPE_LIST, .bytes = *bytes, .zero = true
	};
	u32 done, i;

	ph_leave_dirt(test, req.type, *bytes);
	KUNIT_ASSERT_EQ(test, 0, ph_object_alloc(ph_test_heap(test), &req,
						 ph_handles, 5, false, &done));
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, ph_handles[i], 0,
							*bytes));
}

/* The memory of a span goes back at once: only slots can be looked at. */
static const u64 ph_slot_sizes[] = { 1, 8, 100, PAGE_SIZE, 5000, 8000 };

KUNIT_ARRAY_PARAM(ph_slot_size, ph_slot_sizes, ph_size_name);

static void zero_free_type_overwrites_freed_objects(struct kunit *test)
{
	u32 type = ph_flagged_type(test, PRIVHEAP_TYPE_ZERO_FREE), slot;
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, type, *bytes);
	struct ph_slab *slab;
	void *at;

	ph_test_fill(test, handle, 0, *bytes, 1);
	slab = ph_test_slab(test, handle, &slot);
	at = slab->addr + slot * slab->stride;
	KUNIT_ASSERT_FALSE(test, ph_fixture_is_zero(at, *bytes));
	KUNIT_ASSERT_EQ(test, ph_test_free(ph_test_heap(test), handle), 0);
	KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(at, slab->stride));
}

static void slab_that_changes_type_is_zeroed(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 i, dirty = 0;
	u64 held;

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_LIST, 512, ph_handles, 600);
	for (i = 0; i < 600; i++)
		ph_test_fill(test, ph_handles[i], 0, 512, 3);
	for (i = 0; i < 600; i++)
		ph_test_free(heap, ph_handles[i]);
	/* The slabs are empty only when no magazine holds their slots. */
	down_read(&heap->sem);
	ph_cache_drain(ph_type_cache(ph_heap_type(heap, PRIVHEAP_TYPE_LIST),
				     512), true);
	up_read(&heap->sem);
	held = ph_fixture_held(&heap->region);
	ph_test_alloc_batch(test, PRIVHEAP_TYPE_OBJECT, 512, ph_handles, 60);
	for (i = 0; i < 60; i++)
		dirty += !ph_test_is_zero(test, ph_handles[i], 0, 512);
	KUNIT_EXPECT_EQ(test, dirty, 0);
	KUNIT_EXPECT_GT(test, atomic64_read(&heap->retyped), 0);
	/* And no memory was asked for but that of the books. */
	KUNIT_EXPECT_LT(test, ph_fixture_held(&heap->region), held + 16384);
	ph_test_expect_sound(test);
}

static void memory_of_dead_heap_is_never_seen(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u32 i, dirty = 0;

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_STR, 5000, ph_handles, 400);
	for (i = 0; i < 400; i++)
		ph_test_fill(test, ph_handles[i], 0, 5000, PH_SECRET);
	ph_heap_destroy(fix->heap);
	fix->heap = ph_heap_create(PH_TEST_MAX_BYTES);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->heap);
	ph_test_alloc_batch(test, PRIVHEAP_TYPE_STR, 5000, ph_handles, 400);
	for (i = 0; i < 400; i++)
		dirty += !ph_test_is_zero(test, ph_handles[i], 0, 5000);
	KUNIT_EXPECT_EQ(test, dirty, 0);
}

static void memory_given_back_returns_zeroed(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u32 nr = *bytes > PH_SLOT_MAX ? 3 : 200, i, dirty = 0;

	ph_leave_dirt(test, PRIVHEAP_TYPE_STR, *bytes);
	ph_test_reclaim(heap);
	ph_test_alloc_batch(test, PRIVHEAP_TYPE_BYTES, *bytes, ph_handles, nr);
	for (i = 0; i < nr; i++)
		dirty += !ph_test_is_zero(test, ph_handles[i], 0, *bytes);
	KUNIT_EXPECT_EQ(test, dirty, 0);
}

/* Offset of the object, aligned as its type asks, for every alignment. */
static void objects_are_aligned(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	struct privheap_type desc = {
		.min_bytes = 1, .max_bytes = 1 << 20,
	};
	u32 type, i, tried = 0, wrong = 0;

	for (desc.align = 1; desc.align <= PAGE_SIZE; desc.align <<= 1) {
		snprintf(desc.name, sizeof(desc.name), "align%u", desc.align);
		desc.policy = tried % 3;
		type = ph_test_type(test, &desc);
		ph_test_alloc_batch(test, type, *bytes, ph_handles, 10);
		for (i = 0; i < 10; i++)
			wrong += (ph_handles[i] & PH_OFFSET_MASK) % desc.align;
		tried++;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, tried, PAGE_SHIFT + 1);
}

static int ph_write(struct kunit *test, u64 handle, u64 offset, u64 bytes,
		    const void *from)
{
	struct privheap_io io = {
		.handle = handle, .offset = offset, .bytes = bytes
	};

	int err = ph_content_check(ph_test_heap(test), 0, &io);

	if (!err)
		ph_content_write(ph_test_heap(test), &io, from);
	return err;
}

/* As if it had come after the write: no error, and nobody else's bytes. */
static void write_when_object_shrank_since_check(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, *bytes);
	struct privheap_io io = { .handle = handle, .bytes = *bytes + 1 };
	void *zero = kunit_kzalloc(test, *bytes + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, zero);
	ph_test_fill(test, handle, 0, *bytes, 9);
	ph_content_write(ph_test_heap(test), &io, zero);
	KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, handle, 0, *bytes));
	io.offset = *bytes;
	ph_content_write(ph_test_heap(test), &io, zero);
	io.offset = U64_MAX;
	ph_content_write(ph_test_heap(test), &io, zero);
}

static void write_when_object_ended_since_check(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, *bytes);
	struct privheap_io io = { .handle = handle, .bytes = *bytes };
	void *zero = kunit_kzalloc(test, *bytes, GFP_KERNEL);
	u64 next;

	KUNIT_ASSERT_NOT_NULL(test, zero);
	KUNIT_ASSERT_EQ(test, ph_test_free(ph_test_heap(test), handle), 0);
	next = ph_test_alloc(test, PRIVHEAP_TYPE_STR, *bytes);
	ph_test_fill(test, next, 0, *bytes, 7);
	ph_content_write(ph_test_heap(test), &io, zero);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, next, 0, *bytes, 7));
}

static void write_changes_just_its_bytes(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, *bytes);
	u64 from = *bytes / 3, part = (*bytes + 1) / 2;
	void *zero = kunit_kzalloc(test, part, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, zero);
	ph_test_fill(test, handle, 0, *bytes, 9);
	KUNIT_EXPECT_EQ(test, ph_write(test, handle, from, part, zero), 0);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, from, 9));
	KUNIT_EXPECT_TRUE(test,
			  ph_test_is_zero(test, handle, from, from + part));
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, from + part,
						  *bytes, 9));
}

static void write_when_beyond_the_end(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, *bytes);
	u8 byte = 1;

	KUNIT_EXPECT_EQ(test, ph_write(test, handle, *bytes, 0, &byte), 0);
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_write(test, handle, *bytes, 1, &byte));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_write(test, handle, *bytes + 1, 0, &byte));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_write(test, handle, 0, *bytes + 1, &byte));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			ph_write(test, handle, U64_MAX, 1, &byte));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			ph_write(test, handle, 1, U64_MAX, &byte));
}

static void write_when_handle_is_wrong(struct kunit *test)
{
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	u8 byte = 1;

	KUNIT_EXPECT_EQ(test, -EBADSLT,
			ph_write(test, handle + 1, 0, 1, &byte));
	ph_test_free(ph_test_heap(test), handle);
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_write(test, handle, 0, 1, &byte));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_write(test, 0, 0, 1, &byte));
}

static void size_is_remembered_for_every_class(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 type, slot, tried = 0, wrong = 0;
	struct ph_slab *slab;
	u64 bytes, handle;

	for (type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		for (bytes = 1; bytes < 10000; bytes += 1 + bytes / 97) {
			handle = ph_test_alloc(test, type, bytes);
			slab = ph_test_slab(test, handle, &slot);
			wrong += ph_content_requested(slab, slot) != bytes;
			wrong += ph_content_usable(slab) < bytes;
			ph_test_free(heap, handle);
			tried++;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, tried, 1000);
}

/* An idle span that a type keeps is not clean, as a new one is. */
static void zero_call_zeroes_a_large_object_that_was_kept(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "kept", .min_bytes = 1, .max_bytes = 1 << 20,
		.keep_slabs = 1,
	};
	struct ph_alloc req = { .bytes = 50000, .zero = true };
	u64 first, handle = 0;
	u32 done;

	req.type = ph_test_type(test, &desc);
	first = ph_test_alloc(test, req.type, 50000);
	ph_test_fill(test, first, 0, 50000, 1);
	KUNIT_ASSERT_EQ(test, 0, ph_test_free(ph_test_heap(test), first));
	KUNIT_ASSERT_EQ(test, 0, ph_object_alloc(ph_test_heap(test), &req,
						 &handle, 1, false, &done));
	KUNIT_EXPECT_EQ(test, handle & PH_OFFSET_MASK, first & PH_OFFSET_MASK);
	KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, handle, 0, 50000));
}

/* Whoever looked it up just before its end finds it without a size. */
static void object_that_has_ended_has_no_size(struct kunit *test)
{
	static const u64 sizes[] = { 100, 3000, 50000 };
	u32 type = ph_flagged_type(test, 0), i, slot;
	struct ph_slab *slab;
	u64 handle;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		handle = ph_test_alloc(test, type, sizes[i]);
		slab = ph_test_slab(test, handle, &slot);
		KUNIT_EXPECT_EQ(test, ph_content_requested(slab, slot), sizes[i]);
		KUNIT_EXPECT_EQ(test, ph_content_end(slab, slot), sizes[i]);
		KUNIT_EXPECT_EQ(test, ph_content_requested(slab, slot), 0);
		KUNIT_EXPECT_FALSE(test, ph_content_resize(slab, slot, sizes[i],
							   sizes[i] + 1));
		ph_content_set_requested(slab, slot, sizes[i]);
		KUNIT_EXPECT_EQ(test, ph_test_free(ph_test_heap(test), handle), 0);
	}
	ph_test_expect_sound(test);
}

/* Without a size, as the shortest way takes it that knows of no zeroes. */
static void zero_call_of_the_smallest_size(struct kunit *test)
{
	struct ph_alloc req = { .type = PRIVHEAP_TYPE_INT, .zero = true };
	u32 done, i;

	ph_leave_dirt(test, req.type, 28);
	KUNIT_ASSERT_EQ(test, 0, ph_object_alloc(ph_test_heap(test), &req,
						 ph_handles, 5, false, &done));
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, ph_handles[i], 0,
							28));
}

static struct kunit_case ph_content_test_cases[] = {
	KUNIT_CASE_PARAM(zero_alloc_type_gives_zeroed_objects,
			 ph_size_gen_params),
	KUNIT_CASE_PARAM(zero_call_gives_zeroed_objects, ph_size_gen_params),
	KUNIT_CASE(zero_call_of_the_smallest_size),
	KUNIT_CASE(zero_call_zeroes_a_large_object_that_was_kept),
	KUNIT_CASE(object_that_has_ended_has_no_size),
	KUNIT_CASE_PARAM(zero_free_type_overwrites_freed_objects,
			 ph_slot_size_gen_params),
	KUNIT_CASE(slab_that_changes_type_is_zeroed),
	KUNIT_CASE(memory_of_dead_heap_is_never_seen),
	KUNIT_CASE_PARAM(memory_given_back_returns_zeroed, ph_size_gen_params),
	KUNIT_CASE_PARAM(objects_are_aligned, ph_size_gen_params),
	KUNIT_CASE_PARAM(write_changes_just_its_bytes, ph_size_gen_params),
	KUNIT_CASE_PARAM(write_when_beyond_the_end, ph_size_gen_params),
	KUNIT_CASE_PARAM(write_when_object_shrank_since_check,
			 ph_size_gen_params),
	KUNIT_CASE_PARAM(write_when_object_ended_since_check,
			 ph_size_gen_params),
	KUNIT_CASE(write_when_handle_is_wrong),
	KUNIT_CASE(size_is_remembered_for_every_class),
	{}
};

static struct kunit_suite ph_content_suite = {
	.name = "privheap_content",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_content_test_cases,
};

kunit_test_suite(ph_content_suite);
