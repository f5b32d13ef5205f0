// SPDX-License-Identifier: GPL-2.0
/* Objects on their way out and back: every errno, limits, and what is left. */

#include "catalog.h"
#include "hand.h"
#include "objects.h"
#include "stat.h"
#include "supply.h"

static int ph_take(struct kunit *test, u32 type, u64 bytes, u32 count,
		   struct privheap_run *runs, struct privheap_take *args)
{
	*args = (struct privheap_take) {
		.type = type, .object_bytes = bytes, .count = count,
		.max_runs = PH_TAKE_RUNS,
	};
	return ph_hand_out(ph_test_heap(test), args, runs);
}

static int ph_try_take(struct kunit *test, u32 type, u64 bytes)
{
	struct privheap_run runs[PH_TAKE_RUNS];
	struct privheap_take args;

	return ph_take(test, type, bytes, 1, runs, &args);
}

static u64 ph_take_one(struct kunit *test, u32 type, u64 bytes)
{
	struct privheap_run run = ph_test_take(test, type, bytes, 1);
	struct ph_slab *slab = ph_fixture_slab(&ph_test_heap(test)->region,
					       run.offset);

	if (ph_slab_is_span(slab))
		return run.offset;
	return run.offset + __ffs64(run.mask) * (u64)slab->stride;
}

static int ph_give(struct kunit *test, u32 type, u64 offset, u64 mask)
{
	struct privheap_run run = { .offset = offset, .mask = mask };
	u32 done = 77;

	return ph_hand_back(ph_test_heap(test), type, &run, 1, false, &done);
}

static struct privheap_heap_stat ph_stat(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_heap_stat stat;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	return stat;
}

static u64 ph_handed(struct kunit *test)
{
	struct privheap_heap_stat stat = ph_stat(test);

	KUNIT_EXPECT_EQ(test, stat.handed_objects, stat.taken - stat.given);
	return stat.handed_objects;
}

static void take_when_type_is_unknown(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -ENOENT, ph_try_take(test, 0, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, ph_try_take(test, 17, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, ph_try_take(test, U32_MAX, 0));
}

static void take_when_type_is_counted(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "counted", .min_bytes = 8, .max_bytes = 100000,
		.flags = PRIVHEAP_TYPE_COUNTED,
	};
	u32 type = ph_test_type(test, &desc);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ph_try_take(test, type, 8));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ph_try_take(test, type, 100000));
}

static void take_when_size_is_out_of_range(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "ranged", .min_bytes = 10, .max_bytes = 20,
	};
	u32 type = ph_test_type(test, &desc);

	KUNIT_EXPECT_EQ(test, -ERANGE, ph_try_take(test, type, 9));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_try_take(test, type, 21));
	KUNIT_EXPECT_EQ(test, 0, ph_try_take(test, type, 10));
	KUNIT_EXPECT_EQ(test, 0, ph_try_take(test, type, 20));
	/* By the fast way, too. */
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_try_take(test, type, 9));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_try_take(test, type, U64_MAX));
}

/* What it says of objects is so: size, distance, class. */
static void take_tells_what_it_took(struct kunit *test)
{
	static const u64 sizes[] = { 1, 24, 100, 1000, 5000, 16384 };
	struct privheap_run runs[PH_TAKE_RUNS];
	struct privheap_take args;
	struct ph_slab *slab;
	u32 type, i, r, objects;

	for (type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			KUNIT_ASSERT_EQ(test, 0, ph_take(test, type, sizes[i],
							 100, runs, &args));
			slab = ph_fixture_slab(&ph_test_heap(test)->region,
					       runs[0].offset);
			KUNIT_EXPECT_EQ(test, args.stride,
					ph_slab_is_span(slab) ? 0 : slab->stride);
			KUNIT_EXPECT_GE(test, args.object_bytes, sizes[i]);
			KUNIT_EXPECT_EQ(test, args.object_bytes,
					ph_content_usable(slab));
			KUNIT_EXPECT_EQ(test, args.size_class,
					slab->cache->entry.size_class);
			for (r = 0, objects = 0; r < args.nr_runs; r++)
				objects += hweight64(runs[r].mask);
			KUNIT_EXPECT_EQ(test, args.done, objects);
			KUNIT_EXPECT_EQ(test, 0,
					ph_hand_back(ph_test_heap(test), type,
						     runs, args.nr_runs, false,
						     &objects));
		}
	}
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	ph_test_expect_sound(test);
}

static void take_when_there_is_room_for_few_runs(struct kunit *test)
{
	struct privheap_take args = {
		.type = PRIVHEAP_TYPE_INT, .count = 1000, .max_runs = 1,
	};
	struct privheap_run run[2] = { {}, { .mask = 0x77 } };

	KUNIT_EXPECT_EQ(test, 0, ph_hand_out(ph_test_heap(test), &args, run));
	KUNIT_EXPECT_EQ(test, args.nr_runs, 1);
	KUNIT_EXPECT_EQ(test, args.max_runs, 1);
	KUNIT_EXPECT_EQ(test, args.done, hweight64(run[0].mask));
	KUNIT_EXPECT_EQ(test, run[1].mask, 0x77);
	KUNIT_EXPECT_EQ(test, ph_handed(test), args.done);
}

/* A quota counts what is out; what cannot be had at once comes one by one. */
static void take_up_to_the_quota(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "few", .min_bytes = 16, .quota_objects = 10,
	};
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_run runs[PH_TAKE_RUNS];
	u32 type = ph_test_type(test, &desc), got = 0, rounds = 0;
	struct privheap_take args;
	u64 handle;

	while (!ph_take(test, type, 0, 64, runs, &args)) {
		got += args.done;
		KUNIT_ASSERT_LT(test, rounds++, 20);
	}
	KUNIT_EXPECT_EQ(test, got, 10);
	KUNIT_EXPECT_EQ(test, ph_handed(test), 10);
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_try_take(test, type, 0));
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_test_try_alloc(heap, type, 0,
							 &handle));
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, type, runs[0].offset,
					 runs[0].mask));
	KUNIT_EXPECT_EQ(test, 0, ph_test_try_alloc(heap, type, 0, &handle));
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_try_take(test, type, 0));
	KUNIT_EXPECT_EQ(test, 0, ph_test_free(heap, handle));
	KUNIT_EXPECT_EQ(test, 0, ph_try_take(test, type, 0));
}

static void take_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 held, steps, fails = 0;

	/* From nothing to enough, whatever step of the way it is. */
	for (steps = 0; steps < 4000; steps++) {
		held = ph_fixture_held(region);
		region->hard_max = held + steps * 16;
		if (!ph_try_take(test, PRIVHEAP_TYPE_LIST, 1000))
			break;
		fails++;
		KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	}
	KUNIT_EXPECT_GT(test, fails, 3);
	KUNIT_EXPECT_LT(test, steps, 4000);
	region->hard_max = ph_fixture_held(region);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			ph_try_take(test, PRIVHEAP_TYPE_OBJECT, 100000));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 1);
	region->hard_max = PH_TEST_MAX_BYTES;
	ph_test_expect_sound(test);
}

static void give_what_is_not_out(struct kunit *test)
{
	u64 at = ph_take_one(test, PRIVHEAP_TYPE_INT, 0);
	u64 span = ph_take_one(test, PRIVHEAP_TYPE_OBJECT, 100000);
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_FLOAT, 0);
	u64 live = handle & PH_OFFSET_MASK;
	struct ph_slab *slab;
	u32 slot;

	KUNIT_EXPECT_EQ(test, -EINVAL, ph_give(test, 0, at, 0));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, 1ULL << 39, 1));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, U64_MAX, 1));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, handle, 1));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, at | 1ULL << 40, 1));
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_give(test, 0, at + 1, 1));
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_give(test, 0, span + PAGE_SIZE, 1));
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_give(test, 0, span + 1, 1));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, span, 2));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, span, 3));
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_give(test, PRIVHEAP_TYPE_FLOAT, at, 1));
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE, ph_give(test, 999, at, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_give(test, 0, live, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_give(test, 0, at, 3));
	slab = ph_fixture_slab(&ph_test_heap(test)->region, at);
	for (slot = slab->nr - 63; slot < slab->nr; slot++)
		KUNIT_EXPECT_EQ(test, -ENXIO,
				ph_give(test, 0, slab->start +
					(u64)slot * slab->stride, ~0ULL));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 2);
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, PRIVHEAP_TYPE_INT, at, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_give(test, 0, at, 1));
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, 0, span, 1));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, span, 1));
	ph_test_expect_sound(test);
}

/* Any one run of five is bad: none comes back, or those before it. */
static void give_is_all_or_nothing(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_run runs[5], bad;
	u32 partial, at, i, done;

	for (partial = 0; partial < 2; partial++) {
		for (at = 0; at < 5; at++) {
			for (i = 0; i < 5; i++)
				runs[i] = ph_test_take(test, PRIVHEAP_TYPE_INT +
						       (i & 1) * 8,
						       i == 3 ? 200000 * (i & 1) : 28,
						       i == 3 ? 1 : 2);
			bad = runs[at];
			runs[at].mask = 0;
			KUNIT_EXPECT_EQ(test, partial && at ? 0 : -EINVAL,
					ph_hand_back(heap, 0, runs, 5, partial,
						     &done));
			i = partial ? at : 0;
			if (partial && at)
				KUNIT_EXPECT_EQ(test, done, at);
			runs[at] = bad;
			KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, runs + i,
							      5 - i, false,
							      &done));
			KUNIT_EXPECT_EQ(test, done, 5 - i);
			KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
			ph_test_expect_sound(test);
		}
	}
}

/* What is wrong comes after others have had their turn. */
static void give_many_of_which_the_last_is_not_out(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_run *runs;
	u32 nr = 2 * PH_CHUNK + 5, i, done = 0;

	runs = kunit_kcalloc(test, nr, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	for (i = 0; i < nr; i++)
		runs[i] = ph_test_take(test, PRIVHEAP_TYPE_INT, 0, 1);
	KUNIT_ASSERT_EQ(test, 0, ph_hand_back(heap, 0, &runs[nr - 1], 1, false,
					      &done));
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_hand_back(heap, 0, runs, nr, false, &done));
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, ph_handed(test), nr - 1);
	ph_test_expect_sound(test);
	KUNIT_EXPECT_EQ(test, 0,
			ph_hand_back(heap, 0, runs, nr - 1, false, &done));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
}

/* The same slot in two runs of a call: the first claims it. */
static void give_a_slot_twice_in_one_call(struct kunit *test)
{
	struct privheap_run runs[2];
	u32 done;

	runs[0] = ph_test_take(test, PRIVHEAP_TYPE_INT, 0, 5);
	runs[1] = runs[0];
	runs[1].mask &= -runs[1].mask;
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_hand_back(ph_test_heap(test), 0, runs,
						    2, false, &done));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 5);
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(ph_test_heap(test), 0, runs, 2,
					      true, &done));
	KUNIT_EXPECT_EQ(test, done, 1);
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	ph_test_expect_sound(test);
}

/* What somebody who guessed has given back comes back no second time. */
static void undo_leaves_what_was_given_back(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_run runs[3];
	u32 done, i;

	for (i = 0; i < 3; i++)
		runs[i] = ph_test_take(test, i == 1 ? PRIVHEAP_TYPE_OBJECT :
						      PRIVHEAP_TYPE_INT,
				       i == 1 ? 100000 : 28, 1);
	KUNIT_ASSERT_EQ(test, 0, ph_hand_back(heap, 0, runs, 2, false, &done));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 1);
	ph_hand_undo(heap, runs, 3);
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	KUNIT_EXPECT_EQ(test, ph_stat(test).given, 3);
	ph_test_expect_sound(test);
}

/* Many runs of many caches, more than are worked on in one go. */
static void give_many_of_all_types(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 i, done, nr = 1000;
	struct privheap_run *runs = kunit_kcalloc(test, nr, sizeof(*runs),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, runs);
	for (i = 0; i < nr; i++)
		runs[i] = ph_test_take(test, PRIVHEAP_TYPE_STR + i % 7,
				       i % 41 ? 8 + i % 500 : 20000, 1);
	KUNIT_EXPECT_EQ(test, ph_handed(test), nr);
	KUNIT_EXPECT_EQ(test, 0, ph_hand_back(heap, 0, runs, nr, false, &done));
	KUNIT_EXPECT_EQ(test, done, nr);
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	KUNIT_EXPECT_EQ(test, ph_stat(test).handed_bytes, 0);
	ph_test_expect_sound(test);
}

static void give_wipes_where_the_type_says_so(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "secret", .min_bytes = 40, .max_bytes = 50000,
		.flags = PRIVHEAP_TYPE_ZERO_FREE,
	};
	struct ph_region *region = &ph_test_heap(test)->region;
	u32 type = ph_test_type(test, &desc), i;
	struct privheap_run run = ph_test_take(test, type, 40, 20);
	struct ph_slab *slab = ph_fixture_slab(region, run.offset);
	u64 odd = run.mask & 0x5555555555555555ULL;
	u8 *at = slab->addr;

	memset(at, 0xcc, 20 * slab->stride);
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, type, run.offset, odd));
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, !(i & 1),
				ph_fixture_is_zero(at + i * slab->stride, 40));
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, type, run.offset,
					 run.mask & ~odd));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
}

/* The next thousand allocations are promised: taking them needs no memory. */
static void take_uses_promises(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_reserve req = { .object_bytes = 50000, .count = 3 };
	struct ph_type *type;
	u64 held, i;
	int err;

	down_write(&heap->sem);
	type = ph_heap_type(heap, PRIVHEAP_TYPE_OBJECT);
	err = ph_supply_reserve(heap, type, &req);
	up_write(&heap->sem);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, req.promised, 3);
	held = ph_fixture_held(&heap->region);
	heap->region.hard_max = held;
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, ph_try_take(test, PRIVHEAP_TYPE_OBJECT,
						     50000));
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_try_take(test, PRIVHEAP_TYPE_OBJECT,
						   50000));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(&heap->region), held);
	heap->region.hard_max = PH_TEST_MAX_BYTES;
	ph_test_expect_sound(test);
}

static void type_with_objects_out_does_not_end(struct kunit *test)
{
	struct privheap_type desc = { .name = "node", .min_bytes = 8 };
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_test_type(test, &desc);
	u64 at = ph_take_one(test, type, 0);

	KUNIT_EXPECT_EQ(test, -EBUSY, ph_catalog_remove(heap, type));
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, type, at, 1));
	KUNIT_EXPECT_EQ(test, 0, ph_catalog_remove(heap, type));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, at, 1));
}

/* Idle memory goes, what is out stays, and so do its neighbours' slabs. */
static void reclaim_keeps_what_is_out(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 at = ph_take_one(test, PRIVHEAP_TYPE_STR, 100);
	u64 span = ph_take_one(test, PRIVHEAP_TYPE_STR, 100000);

	ph_test_reclaim(heap);
	KUNIT_EXPECT_NOT_NULL(test, ph_fixture_slab(&heap->region, at));
	KUNIT_EXPECT_NOT_NULL(test, ph_fixture_slab(&heap->region, span));
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, 0, at, 1));
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, 0, span, 1));
	ph_test_reclaim(heap);
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(&heap->region, at));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, at, 1));
	ph_test_expect_sound(test);
}

static void take_of_large_objects_up_to_the_quota(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "few", .min_bytes = 50000, .quota_objects = 2,
	};
	u32 type = ph_test_type(test, &desc);
	u64 at = ph_take_one(test, type, 0);

	KUNIT_EXPECT_EQ(test, 0, ph_try_take(test, type, 0));
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_try_take(test, type, 0));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 2);
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, type, at, 1));
	KUNIT_EXPECT_EQ(test, 0, ph_try_take(test, type, 0));
	ph_test_expect_sound(test);
}

/* Behind the last slot of a slab there is a rest that is none. */
static void give_the_tail_of_a_slab(struct kunit *test)
{
	struct privheap_type desc = { .name = "odd", .min_bytes = 1000 };
	u64 at = ph_take_one(test, ph_test_type(test, &desc), 0), tail;
	struct ph_slab *slab;

	slab = ph_fixture_slab(&ph_test_heap(test)->region, at);
	tail = slab->start + (u64)slab->nr * slab->stride;
	KUNIT_ASSERT_LT(test, tail, slab->start + ph_slab_bytes(slab));
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_give(test, 0, tail, 1));
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_give(test, 0, tail + 8, 1));
	KUNIT_EXPECT_EQ(test, ph_handed(test), 1);
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, 0, at, 1));
}

/* Some of what was taken, somebody who guessed where it is has given back. */
static void undo_when_some_are_not_out(struct kunit *test)
{
	struct privheap_type desc = { .name = "some", .min_bytes = 64 };
	u32 type = ph_test_type(test, &desc);
	struct privheap_run run = ph_test_take(test, type, 0, 8);
	u64 first = run.mask & -run.mask;

	KUNIT_ASSERT_EQ(test, hweight64(run.mask), 8);
	KUNIT_EXPECT_EQ(test, 0, ph_give(test, type, run.offset, first));
	ph_hand_undo(ph_test_heap(test), &run, 1);
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	/* And all of it: nothing happens. */
	ph_hand_undo(ph_test_heap(test), &run, 1);
	KUNIT_EXPECT_EQ(test, ph_handed(test), 0);
	ph_test_expect_sound(test);
}

static struct kunit_case ph_hand_test_cases[] = {
	KUNIT_CASE(take_when_type_is_unknown),
	KUNIT_CASE(take_when_type_is_counted),
	KUNIT_CASE(take_when_size_is_out_of_range),
	KUNIT_CASE(take_tells_what_it_took),
	KUNIT_CASE(take_when_there_is_room_for_few_runs),
	KUNIT_CASE(take_up_to_the_quota),
	KUNIT_CASE(take_of_large_objects_up_to_the_quota),
	KUNIT_CASE(take_when_hard_max_is_in_the_way),
	KUNIT_CASE(give_what_is_not_out),
	KUNIT_CASE(give_the_tail_of_a_slab),
	KUNIT_CASE(give_is_all_or_nothing),
	KUNIT_CASE(give_many_of_which_the_last_is_not_out),
	KUNIT_CASE(give_a_slot_twice_in_one_call),
	KUNIT_CASE(undo_leaves_what_was_given_back),
	KUNIT_CASE(give_many_of_all_types),
	KUNIT_CASE(give_wipes_where_the_type_says_so),
	KUNIT_CASE(take_uses_promises),
	KUNIT_CASE(type_with_objects_out_does_not_end),
	KUNIT_CASE(reclaim_keeps_what_is_out),
	KUNIT_CASE(undo_when_some_are_not_out),
	{}
};

static struct kunit_suite ph_hand_suite = {
	.name = "privheap_hand",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_hand_test_cases,
};

kunit_test_suite(ph_hand_suite);
