// SPDX-License-Identifier: GPL-2.0
/* Resize: content is kept, and a failure changes nothing. */

#include "objects.h"
#include "refs.h"
#include "resize.h"

static const struct ph_policy_type {
	const char *name;
	u32 policy;
	u32 flags;
} ph_policy_types[] = {
	{ "speed", PRIVHEAP_POLICY_SPEED, 0 },
	{ "compact", PRIVHEAP_POLICY_COMPACT, 0 },
	{ "growable", PRIVHEAP_POLICY_GROWABLE, 0 },
	{ "compact, counted", PRIVHEAP_POLICY_COMPACT, PRIVHEAP_TYPE_COUNTED },
	{ "growable, zeroed", PRIVHEAP_POLICY_GROWABLE,
	  PRIVHEAP_TYPE_ZERO_ALLOC },
	{ "speed, zeroed, counted", PRIVHEAP_POLICY_SPEED,
	  PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_COUNTED },
};

static void ph_policy_type_name(const struct ph_policy_type *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_policy, ph_policy_types, ph_policy_type_name);

static u32 ph_type_for(struct kunit *test)
{
	const struct ph_policy_type *c = test->param_value;
	struct privheap_type desc = {
		.name = "resized", .policy = c->policy, .flags = c->flags,
		.min_bytes = 1, .max_bytes = 64 << 20,
	};

	return ph_test_type(test, &desc);
}

static int ph_resize(struct kunit *test, u64 *handle, u64 bytes)
{
	u64 usable = 0;
	int err;

	err = ph_test_resize(ph_test_heap(test), 0, handle, bytes, &usable);
	if (!err)
		KUNIT_EXPECT_GE(test, usable, bytes);
	return err;
}

static u64 ph_requested(struct kunit *test, u64 handle)
{
	u32 slot;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);

	return ph_content_requested(slab, slot);
}

static void resize_keeps_content_when_growing(struct kunit *test)
{
	u64 handle, bytes = 1, next;

	handle = ph_test_alloc(test, ph_type_for(test), bytes);
	ph_test_fill(test, handle, 0, bytes, 7);
	while (bytes < 300000) {
		next = bytes + 1 + bytes / 5;
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, next), 0);
		KUNIT_ASSERT_EQ(test, ph_requested(test, handle), next);
		KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0,
							  bytes, 7));
		ph_test_fill(test, handle, bytes, next, 7);
		bytes = next;
	}
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 1);
	ph_test_expect_sound(test);
}

static void resize_keeps_content_when_shrinking(struct kunit *test)
{
	u64 handle, bytes = 300000;

	handle = ph_test_alloc(test, ph_type_for(test), bytes);
	ph_test_fill(test, handle, 0, bytes, 7);
	while (bytes > 1) {
		bytes -= 1 + bytes / 5;
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, bytes ?: 1), 0);
		KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0,
							  bytes, 7));
	}
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 1);
	ph_test_expect_sound(test);
}

/* What is below the smaller size stays; what comes is zero where promised. */
static void resize_at_random_agrees_with_model(struct kunit *test)
{
	const struct ph_policy_type *c = test->param_value;
	bool zeroed = c->flags & PRIVHEAP_TYPE_ZERO_ALLOC;
	struct ph_fixture *fix = test->priv;
	u64 bytes = 1, next, limit, handle;
	u32 step, steps = ph_long_run(600);

	handle = ph_test_alloc(test, ph_type_for(test), bytes);
	ph_test_fill(test, handle, 0, bytes, 0);
	for (step = 0; step < steps; step++) {
		limit = 8ULL << ph_fixture_random(fix, 16);
		next = 1 + ph_fixture_random(fix, limit);
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, next), 0);
		KUNIT_ASSERT_TRUE(test, ph_test_is_filled(test, handle, 0,
							  min(bytes, next),
							  step));
		if (zeroed)
			KUNIT_ASSERT_TRUE(test, ph_test_is_zero(test, handle,
								bytes, next));
		ph_test_fill(test, handle, 0, next, step + 1);
		bytes = next;
	}
	ph_test_expect_sound(test);
}

static void resize_up_to_usable_stays_in_place(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle, before, usable, bytes;

	handle = ph_test_alloc(test, ph_type_for(test), 1);
	for (bytes = 1; bytes < 100000; bytes = usable + 1) {
		KUNIT_ASSERT_EQ(test, 0, ph_test_resize(heap, 0, &handle,
							bytes, &usable));
		before = handle;
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, usable), 0);
		KUNIT_EXPECT_EQ(test, handle, before);
	}
}

/* Where no smaller slot would serve it there is no reason to move. */
static void resize_within_smallest_class_stays_in_place(struct kunit *test)
{
	u64 handle, before, bytes, usable;

	handle = ph_test_alloc(test, ph_type_for(test), 1);
	before = handle;
	KUNIT_ASSERT_EQ(test, 0, ph_test_resize(ph_test_heap(test), 0,
						&handle, 1, &usable));
	for (bytes = usable; bytes; bytes--)
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, bytes), 0);
	KUNIT_EXPECT_EQ(test, handle, before);
}

static void resize_that_moves_leaves_stale_handle(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle, before;

	handle = ph_test_alloc(test, ph_type_for(test), 20);
	before = handle;
	KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, 3000), 0);
	KUNIT_EXPECT_NE(test, handle, before);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, before), -ESTALE);
	before = handle;
	KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, 300000), 0);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, before), -ESTALE);
	before = handle;
	KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, 3000000), 0);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, before), -ESTALE);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 1);
}

static void resize_of_large_object_moves_pages(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle, bytes, moved;

	handle = ph_test_alloc(test, ph_type_for(test), 40000);
	moved = atomic64_read(&heap->moved_bytes);
	for (bytes = 80000; bytes < 8000000; bytes *= 2)
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, bytes), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&heap->moved_bytes), moved);
	KUNIT_EXPECT_GT(test, atomic64_read(&heap->moved_pages), 0);
	ph_test_expect_sound(test);
}

static void resize_when_size_is_out_of_range(struct kunit *test)
{
	u64 handle = ph_test_alloc(test, ph_type_for(test), 100);
	u64 before = handle;

	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 0), -ERANGE);
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, (64 << 20) + 1),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, U64_MAX), -ERANGE);
	KUNIT_EXPECT_EQ(test, handle, before);
	KUNIT_EXPECT_EQ(test, ph_requested(test, handle), 100);
}

static int ph_tell_no(void *data, u64 handle, u64 usable)
{
	++*(u32 *)data;
	return -EFAULT;
}

static void resize_that_cannot_be_told(struct kunit *test)
{
	static const u64 sizes[] = { 1, 90, 100, 5000, 20000, 300000 };
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_type_for(test), from, to, told = 0;
	u64 handle;

	for (from = 0; from < ARRAY_SIZE(sizes); from++) {
		handle = ph_test_alloc(test, type, sizes[from]);
		ph_test_fill(test, handle, 0, sizes[from], from);
		for (to = 0; to < ARRAY_SIZE(sizes); to++)
			KUNIT_EXPECT_EQ(test, -EFAULT,
					ph_object_resize(heap, 0, handle, sizes[to],
							 ph_tell_no, &told));
		KUNIT_EXPECT_GE(test, told, ARRAY_SIZE(sizes));
		KUNIT_EXPECT_EQ(test, ph_requested(test, handle), sizes[from]);
		KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0,
							  sizes[from], from));
		KUNIT_EXPECT_EQ(test, ph_test_live(heap), 1);
		ph_test_expect_sound(test);
		KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), 0);
	}
}

static void resize_when_handle_is_wrong(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, ph_type_for(test), 100), wrong, usable;

	wrong = handle + 1;
	KUNIT_EXPECT_EQ(test, ph_resize(test, &wrong, 200), -EBADSLT);
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_test_resize(heap, PRIVHEAP_TYPE_INT, &handle, 200,
				       &usable));
	ph_test_free(heap, handle);
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 200), -ESTALE);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 0);
}

/* Raise the maximum until it fits; until then nothing may have changed. */
static void ph_try_hard_max(struct kunit *test, u64 from, u64 to)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle, max, before;
	u32 failures = 0;
	int err;

	before = ph_test_alloc(test, ph_type_for(test), from);
	handle = before;
	ph_test_fill(test, handle, 0, from, 5);
	ph_test_reclaim(heap);
	for (max = ph_fixture_held(&heap->region);; max += 1024, failures++) {
		heap->region.hard_max = max;
		err = ph_resize(test, &handle, to);
		if (!err)
			break;
		KUNIT_ASSERT_EQ(test, err, -EDQUOT);
		KUNIT_ASSERT_EQ(test, handle, before);
		KUNIT_ASSERT_EQ(test, ph_requested(test, handle), from);
		KUNIT_ASSERT_EQ(test, ph_test_live(heap), 1);
	}
	KUNIT_EXPECT_GT(test, failures, 0);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, from, 5));
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 1);
	ph_test_expect_sound(test);
}

static void resize_slot_when_hard_max_is_reached(struct kunit *test)
{
	ph_try_hard_max(test, 100, 6000);
}

static void resize_to_span_when_hard_max_is_reached(struct kunit *test)
{
	ph_try_hard_max(test, 6000, 50000);
}

static void resize_span_when_hard_max_is_reached(struct kunit *test)
{
	ph_try_hard_max(test, 50000, 90000);
}

static void resize_keeps_reference_count(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "counted", .flags = PRIVHEAP_TYPE_COUNTED,
		.min_bytes = 1, .max_bytes = 1 << 20,
	};
	static const u64 sizes[] = { 5000, 50000, 200000, 40, 90000, 1 };
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, ph_test_type(test, &desc), 10), copy;
	u32 done, i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		copy = handle;
		KUNIT_ASSERT_EQ(test, 0, ph_refs_get(heap, 0, &copy, 1, false,
						     &done));
		KUNIT_ASSERT_EQ(test, ph_resize(test, &handle, sizes[i]), 0);
		KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 2 + i);
	}
}

static void resize_when_quota_is_used_up(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "one", .min_bytes = 1, .max_bytes = 1 << 20,
		.quota_objects = 1,
	};
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, ph_test_type(test, &desc), 10);

	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 5000), 0);
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 50000), 0);
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 90000), 0);
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 10), 0);
	KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), 0);
	/* The quota is free again, once. */
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_USER, 10);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			ph_test_try_alloc(heap, PRIVHEAP_TYPE_USER, 10,
					  &handle));
}

static void resize_of_pinned_span_copies(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 before = ph_test_alloc(test, PRIVHEAP_TYPE_LIST, 50000), handle;
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;

	ph_test_fill(test, before, 0, 50000, 4);
	handle = before;
	KUNIT_ASSERT_EQ(test, 0, ph_handle_pin(heap, 0, handle, &slab, &slot));
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 500000), 0);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, 50000, 4));
	KUNIT_EXPECT_EQ(test, 50000, atomic64_read(&heap->moved_bytes));
	/* The pinned pages are still there. */
	KUNIT_EXPECT_PTR_EQ(test, slab,
			    ph_fixture_slab(&heap->region,
					    before & PH_OFFSET_MASK));
	ph_slab_unpin(slab);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 1);
	ph_test_expect_sound(test);
}

/* 8 bytes at a time, as a list grows by appending. */
static void resize_of_growing_list_copies_little(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_LIST, 8), bytes;
	u64 end = ph_long_run(2000000);

	for (bytes = 16; bytes <= end; bytes += 8)
		if (ph_resize(test, &handle, bytes))
			break;
	KUNIT_EXPECT_GT(test, bytes, end);
	/* Doubling would copy as many bytes as there are in the end. */
	KUNIT_EXPECT_LT(test, atomic64_read(&heap->moved_bytes), 100000);
}

static void resize_of_pinned_span_keeps_its_references(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "shared", .min_bytes = 1, .max_bytes = 1 << 20,
		.flags = PRIVHEAP_TYPE_COUNTED,
	};
	u64 handle = ph_test_alloc(test, ph_test_type(test, &desc), 50000);
	struct ph_heap *heap = ph_test_heap(test);
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;

	ph_test_fill(test, handle, 0, 50000, 4);
	ph_test_set_refs(test, handle, 7);
	KUNIT_ASSERT_EQ(test, 0, ph_handle_pin(heap, 0, handle, &slab, &slot));
	KUNIT_EXPECT_EQ(test, ph_resize(test, &handle, 500000), 0);
	ph_slab_unpin(slab);
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 7);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, 50000, 4));
	ph_test_expect_sound(test);
}

static struct kunit_case ph_resize_test_cases[] = {
	KUNIT_CASE_PARAM(resize_keeps_content_when_growing,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_keeps_content_when_shrinking,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_at_random_agrees_with_model,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_up_to_usable_stays_in_place,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_within_smallest_class_stays_in_place,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_that_moves_leaves_stale_handle,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_of_large_object_moves_pages,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_when_size_is_out_of_range,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_that_cannot_be_told, ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_when_handle_is_wrong, ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_slot_when_hard_max_is_reached,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_to_span_when_hard_max_is_reached,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(resize_span_when_hard_max_is_reached,
			 ph_policy_gen_params),
	KUNIT_CASE(resize_keeps_reference_count),
	KUNIT_CASE(resize_when_quota_is_used_up),
	KUNIT_CASE(resize_of_pinned_span_copies),
	KUNIT_CASE(resize_of_pinned_span_keeps_its_references),
	KUNIT_CASE(resize_of_growing_list_copies_little),
	{}
};

static struct kunit_suite ph_resize_suite = {
	.name = "privheap_resize",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_resize_test_cases,
};

kunit_test_suite(ph_resize_suite);
