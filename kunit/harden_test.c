// SPDX-License-Identifier: GPL-2.0
/* Hardened heaps: writes to what was freed, by all ways that use a place again. */

#include <linux/sizes.h>

#include "hand.h"
#include "objects.h"
#include "supply.h"

#define PH_NR	1000
static u64 ph_handles[PH_NR];

static int ph_harden_init(struct kunit *test)
{
	struct privheap_setup setup = { .flags = PRIVHEAP_SETUP_HARDENED };
	int err = ph_fixture_init_heap(test);

	return err ?: ph_supply_setup(ph_test_heap(test), &setup);
}

static u64 ph_found(struct kunit *test)
{
	return atomic64_read(&ph_test_heap(test)->written_after_free);
}

/* Many objects come and go: the free places of a size have all waited enough. */
static void ph_leave_places(struct kunit *test, u32 type, u64 bytes)
{
	u32 i;

	ph_test_alloc_batch(test, type, bytes, ph_handles, PH_NR);
	for (i = 0; i < PH_NR; i++)
		KUNIT_ASSERT_EQ(test, 0, ph_test_free(ph_test_heap(test),
						      ph_handles[i]));
}

/* One of the places that they leave is written to. */
static u8 *ph_leave_a_write(struct kunit *test, u32 type, u64 bytes)
{
	struct ph_slab *slab;
	u8 *byte;
	u32 slot;

	ph_test_alloc_batch(test, type, bytes, ph_handles, PH_NR);
	slab = ph_test_slab(test, ph_handles[PH_NR / 2], &slot);
	byte = slab->addr + slot * slab->stride + bytes / 2;
	for (slot = 0; slot < PH_NR; slot++)
		KUNIT_ASSERT_EQ(test, 0, ph_test_free(ph_test_heap(test),
						      ph_handles[slot]));
	*byte = 1;
	return byte;
}

static void write_is_found_by_an_allocation(struct kunit *test)
{
	u8 *byte = ph_leave_a_write(test, PRIVHEAP_TYPE_OBJECT, 100);

	KUNIT_EXPECT_EQ(test, ph_found(test), 0);
	ph_leave_places(test, PRIVHEAP_TYPE_OBJECT, 100);
	ph_leave_places(test, PRIVHEAP_TYPE_OBJECT, 100);
	KUNIT_EXPECT_EQ(test, ph_found(test), 1);
	KUNIT_EXPECT_EQ(test, *byte, 0);
	ph_test_expect_sound(test);
}

/* The place that an object moves to is one that is used again, too. */
static void write_is_found_by_a_resize(struct kunit *test)
{
	u8 *byte = ph_leave_a_write(test, PRIVHEAP_TYPE_OBJECT, 500);
	u64 usable;
	u32 i;

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_OBJECT, 20, ph_handles, PH_NR);
	KUNIT_EXPECT_EQ(test, ph_found(test), 0);
	for (i = 0; i < PH_NR; i++) {
		ph_test_fill(test, ph_handles[i], 0, 20, i);
		KUNIT_ASSERT_EQ(test, 0,
				ph_test_resize(ph_test_heap(test), 0,
					       &ph_handles[i], 500, &usable));
		KUNIT_ASSERT_TRUE(test, ph_test_is_filled(test, ph_handles[i], 0,
							  20, i));
	}
	KUNIT_EXPECT_EQ(test, ph_found(test), 1);
	KUNIT_EXPECT_NE(test, *byte, 1);
	ph_test_expect_sound(test);
}

static u32 ph_kept_type(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "kept", .min_bytes = 20000, .keep_slabs = 1,
	};

	return ph_test_type(test, &desc);
}

static u8 *ph_span_byte(struct kunit *test, u64 offset, u64 at)
{
	struct ph_slab *slab;

	slab = ph_fixture_slab(&ph_test_heap(test)->region,
			       offset & PH_OFFSET_MASK);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_ASSERT_TRUE(test, ph_slab_is_span(slab));
	return page_address(slab->pages[at >> PAGE_SHIFT]) + offset_in_page(at);
}

/* A large object that was kept is looked at, too, in all of its pages. */
static void write_to_a_kept_span_is_found(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_kept_type(test), found = 0;
	u64 at, handle;
	u8 *byte;

	for (at = 0; at < 20000; at += 3333) {
		handle = ph_test_alloc(test, type, 0);
		byte = ph_span_byte(test, handle, at);
		*byte = 1;
		KUNIT_EXPECT_EQ(test, 0, ph_test_free(heap, handle));
		KUNIT_EXPECT_EQ(test, *byte, 0);
		*byte = 2;
		handle = ph_test_alloc(test, type, 0);
		KUNIT_EXPECT_PTR_EQ(test, byte, ph_span_byte(test, handle, at));
		KUNIT_EXPECT_EQ(test, *byte, 0);
		KUNIT_EXPECT_EQ(test, ph_found(test), ++found);
		KUNIT_EXPECT_EQ(test, 0, ph_test_free(heap, handle));
	}
	ph_test_expect_sound(test);
}

static void write_to_a_given_span_is_found(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_kept_type(test), done;
	struct privheap_run run = ph_test_take(test, type, 0, 1);
	u8 *byte = ph_span_byte(test, run.offset, 19999);

	*byte = 1;
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, &run, 1, false, &done));
	KUNIT_EXPECT_EQ(test, *byte, 0);
	*byte = 2;
	run = ph_test_take(test, type, 0, 1);
	KUNIT_EXPECT_PTR_EQ(test, byte, ph_span_byte(test, run.offset, 19999));
	KUNIT_EXPECT_EQ(test, *byte, 0);
	KUNIT_EXPECT_EQ(test, ph_found(test), 1);
	/* What its owner wrote is no mistake; nor is it left behind the end. */
	*byte = 3;
	ph_span_byte(test, run.offset, 20001)[0] = 3;
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, &run, 1, false, &done));
	run = ph_test_take(test, type, 0, 1);
	KUNIT_EXPECT_EQ(test, *byte, 0);
	KUNIT_EXPECT_EQ(test, ph_span_byte(test, run.offset, 20001)[0], 0);
	KUNIT_EXPECT_EQ(test, ph_found(test), 1);
	ph_test_expect_sound(test);
}

/* Promised ones are nobody's either, before their turn. */
static void write_to_a_promised_span_is_found(struct kunit *test)
{
	struct privheap_reserve req = { .object_bytes = 30000, .count = 2 };
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle, usable, at;
	struct ph_slab *span;
	struct ph_type *type;

	down_write(&heap->sem);
	type = ph_heap_type(heap, PRIVHEAP_TYPE_OBJECT);
	KUNIT_EXPECT_EQ(test, 0, ph_supply_reserve(heap, type, &req));
	up_write(&heap->sem);
	list_for_each_entry(span, &type->spans->reserved, list)
		memset(page_address(span->pages[3]), 7, PAGE_SIZE);
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_OBJECT, 30000);
	KUNIT_EXPECT_EQ(test, ph_found(test), 1);
	for (at = 0; at < 30000; at += 1000)
		KUNIT_EXPECT_EQ(test, *ph_span_byte(test, handle, at), 0);
	/* The other one is for an object that becomes so large. */
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_OBJECT, 100);
	KUNIT_ASSERT_EQ(test, 0, ph_test_resize(heap, 0, &handle, 30000,
						&usable));
	KUNIT_EXPECT_EQ(test, ph_found(test), 2);
	KUNIT_EXPECT_EQ(test, *ph_span_byte(test, handle, 3 * PAGE_SIZE), 0);
	ph_test_expect_sound(test);
}

/* Neighbours are handed out one by one, but can come back by one run. */
static void run_of_neighbours_is_taken_back(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_take args = {
		.type = PRIVHEAP_TYPE_OBJECT, .object_bytes = 64, .count = 64,
		.max_runs = PH_TAKE_RUNS,
	};
	struct privheap_run runs[PH_TAKE_RUNS], run = {};
	struct ph_slab *slab;
	u32 slot, i, done;

	KUNIT_ASSERT_EQ(test, 0, ph_hand_out(heap, &args, runs));
	KUNIT_ASSERT_GT(test, args.done, 2);
	slab = ph_fixture_slab(&heap->region, runs[0].offset);
	for (i = 0; i < args.nr_runs; i++) {
		if (ph_fixture_slab(&heap->region, runs[i].offset) != slab)
			continue;
		slot = (u32)(runs[i].offset - slab->start) / slab->stride;
		if (slot < 64)
			run.mask |= 1ULL << slot;
	}
	run.offset = slab->start;
	/* Not all of them, so that the run has holes. */
	run.mask &= 0x3333333333333333ULL;
	KUNIT_ASSERT_GT(test, hweight64(run.mask), 1);
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, &run, 1, false, &done));
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_hand_back(heap, 0, &run, 1, false, &done));
	ph_test_expect_sound(test);
}

/* No type ever gets offsets that another one had, large ones included. */
static void types_share_no_offsets(struct kunit *test)
{
	static const u64 sizes[] = { 100, 20000, 5 * SZ_1M };
	struct ph_heap *heap = ph_test_heap(test);
	u64 segment[2], handle;
	u32 i, type;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (type = 0; type < 2; type++) {
			handle = ph_test_alloc(test, PRIVHEAP_TYPE_LIST + type,
					       sizes[i]);
			segment[type] = (handle & PH_OFFSET_MASK) >>
					(PAGE_SHIFT + PH_SEG_SHIFT);
			KUNIT_EXPECT_EQ(test, 0, ph_test_free(heap, handle));
			ph_test_reclaim(heap);
		}
		KUNIT_EXPECT_NE(test, segment[0], segment[1]);
	}
	/* What the first one left it can have again. */
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_LIST, 3 * SZ_1M);
	KUNIT_EXPECT_LT(test, (handle & PH_OFFSET_MASK) >>
			      (PAGE_SHIFT + PH_SEG_SHIFT), segment[1]);
	ph_test_expect_sound(test);
}

static struct kunit_case ph_harden_test_cases[] = {
	KUNIT_CASE(write_is_found_by_an_allocation),
	KUNIT_CASE(write_is_found_by_a_resize),
	KUNIT_CASE(write_to_a_kept_span_is_found),
	KUNIT_CASE(write_to_a_given_span_is_found),
	KUNIT_CASE(write_to_a_promised_span_is_found),
	KUNIT_CASE(run_of_neighbours_is_taken_back),
	KUNIT_CASE(types_share_no_offsets),
	{}
};

static struct kunit_suite ph_harden_suite = {
	.name = "privheap_harden",
	.init = ph_harden_init,
	.exit = ph_fixture_exit,
	.test_cases = ph_harden_test_cases,
};

kunit_test_suite(ph_harden_suite);
