// SPDX-License-Identifier: GPL-2.0
/* Supply: limits, promises, and what is given back. */

#include <linux/sizes.h>

#include "objects.h"
#include "stat.h"
#include "supply.h"

#define PH_TEST_NR	1000
static u64 ph_handles[PH_TEST_NR];

static int ph_setup(struct kunit *test, const struct privheap_setup *setup)
{
	return ph_supply_setup(ph_test_heap(test), setup);
}

static int ph_promise(struct kunit *test, u32 type, u64 bytes, u64 count,
		      u64 *promised)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_reserve req = { .object_bytes = bytes, .count = count };
	int err;

	down_write(&heap->sem);
	err = ph_supply_reserve(heap, ph_heap_type(heap, type), &req);
	up_write(&heap->sem);
	if (promised)
		*promised = req.promised;
	return err;
}

static u64 ph_promised(struct kunit *test, u32 type)
{
	struct privheap_type_stat stat = { .type = type };

	KUNIT_ASSERT_EQ(test, 0, ph_stat_type_by_id(ph_test_heap(test), &stat));
	return stat.promised_objects;
}

/* Everything that is free goes; the maximum is what is left then. */
static void ph_shut_off_memory(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);

	ph_test_reclaim(heap);
	heap->region.hard_max = ph_fixture_held(&heap->region);
}

static void setup_limits_are_taken(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct privheap_setup setup = {
		.hard_max_bytes = 8 << 20, .soft_max_bytes = 4 << 20,
		.reserve_bytes = 2 << 20,
	};

	KUNIT_EXPECT_EQ(test, ph_setup(test, &setup), 0);
	KUNIT_EXPECT_EQ(test, region->hard_max, 8 << 20);
	KUNIT_EXPECT_EQ(test, region->soft_max, 4 << 20);
	KUNIT_EXPECT_EQ(test, region->stock_pages, (2 << 20) / PAGE_SIZE);
}

static void setup_of_nothing_changes_nothing(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct privheap_setup setup = {};
	u64 held = ph_fixture_held(region);

	KUNIT_EXPECT_EQ(test, ph_setup(test, &setup), 0);
	KUNIT_EXPECT_EQ(test, region->hard_max, PH_TEST_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, region->soft_max, PH_TEST_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
}

static void setup_soft_max_follows_hard_max(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	struct privheap_setup setup = { .hard_max_bytes = 1 << 20 };

	KUNIT_EXPECT_EQ(test, ph_setup(test, &setup), 0);
	KUNIT_EXPECT_EQ(test, region->soft_max, 1 << 20);
}

static const struct ph_setup_bad {
	const char *name;
	struct privheap_setup setup;
	int err;
} ph_setup_bads[] = {
	{ "hard maximum above the heap's",
	  { .hard_max_bytes = PH_TEST_MAX_BYTES + 1 }, -EINVAL },
	{ "hard maximum of 2^64 - 1", { .hard_max_bytes = U64_MAX }, -EINVAL },
	{ "hard maximum below what is held", { .hard_max_bytes = 1 }, -EBUSY },
	{ "soft above hard maximum",
	  { .hard_max_bytes = 1 << 20, .soft_max_bytes = (1 << 20) + 1 },
	  -EINVAL },
	{ "soft maximum of 2^64 - 1", { .soft_max_bytes = U64_MAX }, -EINVAL },
	{ "reserve above the heap's maximum",
	  { .reserve_bytes = PH_TEST_MAX_BYTES + 1 }, -EINVAL },
	{ "reserve of 2^64 - 1", { .reserve_bytes = U64_MAX }, -EINVAL },
	{ "reserve above the hard maximum",
	  { .hard_max_bytes = 1 << 20, .reserve_bytes = 2 << 20 }, -EDQUOT },
	{ "reserve as large as the heap",
	  { .reserve_bytes = PH_TEST_MAX_BYTES }, -EDQUOT },
};

static void ph_setup_bad_name(const struct ph_setup_bad *bad, char *desc)
{
	strscpy(desc, bad->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_setup_bad, ph_setup_bads, ph_setup_bad_name);

static void setup_when_bad_changes_nothing(struct kunit *test)
{
	const struct ph_setup_bad *bad = test->param_value;
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 held = ph_fixture_held(region);

	KUNIT_EXPECT_EQ(test, ph_setup(test, &bad->setup), bad->err);
	KUNIT_EXPECT_EQ(test, region->hard_max, PH_TEST_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, region->soft_max, PH_TEST_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, region->stock_target, 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
}

static void setup_type_flags_reach_all_types(struct kunit *test)
{
	struct privheap_setup setup = {
		.type_flags = PRIVHEAP_TYPE_ZERO_ALLOC
	};
	struct privheap_type desc = { .name = "later", .min_bytes = 100 };
	u64 handle;
	u32 type;

	KUNIT_ASSERT_EQ(test, ph_setup(test, &setup), 0);
	type = ph_test_type(test, &desc);
	handle = ph_test_alloc(test, type, 0);
	ph_test_fill(test, handle, 0, 100, 1);
	ph_test_free(ph_test_heap(test), handle);
	handle = ph_test_alloc(test, type, 0);
	KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, handle, 0, 100));
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	ph_test_fill(test, handle, 0, 100, 1);
	ph_test_free(ph_test_heap(test), handle);
	handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	KUNIT_EXPECT_TRUE(test, ph_test_is_zero(test, handle, 0, 100));
}

static void setup_type_flags_after_first_use(struct kunit *test)
{
	struct privheap_setup setup = {
		.type_flags = PRIVHEAP_TYPE_ZERO_FREE
	};

	ph_test_alloc(test, PRIVHEAP_TYPE_INT, 0);
	KUNIT_EXPECT_EQ(test, ph_setup(test, &setup), -EBUSY);
	setup.type_flags = 0;
	setup.hard_max_bytes = 8 << 20;
	KUNIT_EXPECT_EQ(test, ph_setup(test, &setup), 0);
}

static void setup_type_flags_after_type_creation(struct kunit *test)
{
	struct privheap_setup setup = {
		.type_flags = PRIVHEAP_TYPE_ZERO_FREE
	};
	struct privheap_type desc = { .name = "first", .min_bytes = 100 };

	ph_test_type(test, &desc);
	KUNIT_EXPECT_EQ(test, ph_setup(test, &setup), -EBUSY);
}

static const struct ph_promise_case {
	const char *name;
	u32 type;
	u64 bytes;
	u32 count;
} ph_promise_cases[] = {
	{ "ints", PRIVHEAP_TYPE_INT, 0, 1000 },
	{ "str of 1", PRIVHEAP_TYPE_STR, 1, 1000 },
	{ "str of 49", PRIVHEAP_TYPE_STR, 49, 777 },
	{ "list of 600", PRIVHEAP_TYPE_LIST, 600, 500 },
	{ "object of 8192", PRIVHEAP_TYPE_OBJECT, 8192, 100 },
	{ "str of 3 pages", PRIVHEAP_TYPE_STR, 3 * PAGE_SIZE, 20 },
	{ "list of 100000", PRIVHEAP_TYPE_LIST, 100000, 7 },
};

static void ph_promise_name(const struct ph_promise_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_promise, ph_promise_cases, ph_promise_name);

static void reserve_is_kept_without_memory(struct kunit *test)
{
	const struct ph_promise_case *c = test->param_value;
	u64 promised;
	u32 i;

	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, c->count,
					    &promised));
	KUNIT_EXPECT_EQ(test, promised, c->count);
	ph_shut_off_memory(test);
	for (i = 0; i < c->count; i++)
		ph_handles[i] = ph_test_alloc(test, c->type, c->bytes);
	ph_test_expect_sound(test);
}

static void reserve_is_kept_for_batches(struct kunit *test)
{
	const struct ph_promise_case *c = test->param_value;

	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, c->count,
					    NULL));
	ph_shut_off_memory(test);
	ph_test_alloc_batch(test, c->type, c->bytes, ph_handles, c->count);
	ph_test_expect_sound(test);
}

static void reserve_is_kept_from_other_types(struct kunit *test)
{
	const struct ph_promise_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle;

	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, c->count,
					    NULL));
	ph_shut_off_memory(test);
	/* Others may not take what is promised, however short they are. */
	while (!ph_test_try_alloc(heap, PRIVHEAP_TYPE_TUPLE, 700, &handle))
		;
	while (!ph_test_try_alloc(heap, PRIVHEAP_TYPE_SET, 20000, &handle))
		;
	ph_test_alloc_batch(test, c->type, c->bytes, ph_handles, c->count);
	ph_test_expect_sound(test);
}

static void reserve_adds_up_and_ends(struct kunit *test)
{
	const struct ph_promise_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 promised, held;

	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, 1,
					    &promised));
	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, c->count,
					    &promised));
	KUNIT_EXPECT_EQ(test, promised, c->count + 1);
	held = ph_fixture_held(&heap->region);
	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, 0,
					    &promised));
	KUNIT_EXPECT_EQ(test, promised, 0);
	ph_test_reclaim(heap);
	KUNIT_EXPECT_LT(test, ph_fixture_held(&heap->region), held);
	ph_test_expect_sound(test);
}

static void reserve_when_hard_max_is_in_the_way(struct kunit *test)
{
	const struct ph_promise_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 max, promised, failures = 0;
	int err;

	KUNIT_ASSERT_EQ(test, 0, ph_promise(test, c->type, c->bytes, 5, NULL));
	for (max = ph_fixture_held(&heap->region);; max += 8192, failures++) {
		heap->region.hard_max = max;
		err = ph_promise(test, c->type, c->bytes, c->count, &promised);
		if (!err)
			break;
		KUNIT_ASSERT_EQ(test, err, -EDQUOT);
		KUNIT_ASSERT_EQ(test, ph_promised(test, c->type), 5);
	}
	KUNIT_EXPECT_GT(test, failures, 0);
	KUNIT_EXPECT_EQ(test, promised, c->count + 5);
	ph_test_expect_sound(test);
}

static void reserve_when_size_is_out_of_range(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_promise(test, PRIVHEAP_TYPE_INT, 27,
						  1, NULL));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_promise(test, PRIVHEAP_TYPE_STR,
						  U64_MAX, 1, NULL));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_promise(test, PRIVHEAP_TYPE_STR,
						  U64_MAX, 0, NULL));
}

static void reserve_when_count_is_absurd(struct kunit *test)
{
	static const u64 counts[] = {
		U32_MAX, 1ULL << 40, 1ULL << 63, U64_MAX - 1, U64_MAX
	};
	struct ph_heap *heap = ph_test_heap(test);
	u64 held = ph_fixture_held(&heap->region);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(counts); i++)
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				ph_promise(test, PRIVHEAP_TYPE_INT, 0,
					   counts[i], NULL));
	KUNIT_EXPECT_LT(test, ph_fixture_held(&heap->region), held + 65536);
}

static void reserve_when_quota_forbids(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "few", .min_bytes = 40, .quota_objects = 100
	};
	u32 type = ph_test_type(test, &desc);

	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_promise(test, type, 0, 101, NULL));
	ph_test_alloc_batch(test, type, 0, ph_handles, 60);
	KUNIT_EXPECT_EQ(test, -EDQUOT, ph_promise(test, type, 0, 41, NULL));
	KUNIT_EXPECT_EQ(test, 0, ph_promise(test, type, 0, 40, NULL));
}

/* A heap may be larger than the machine, a promise may not. */
static void reserve_of_more_than_the_machine_has(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 held = ph_fixture_held(region);

	region->hard_max = U64_MAX;
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			ph_promise(test, PRIVHEAP_TYPE_STR, SZ_64M, SZ_64M,
				   NULL));
	region->hard_max = PH_TEST_MAX_BYTES;
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
}

static struct kunit_case ph_supply_test_cases[] = {
	KUNIT_CASE(setup_limits_are_taken),
	KUNIT_CASE(setup_of_nothing_changes_nothing),
	KUNIT_CASE(setup_soft_max_follows_hard_max),
	KUNIT_CASE_PARAM(setup_when_bad_changes_nothing,
			 ph_setup_bad_gen_params),
	KUNIT_CASE(setup_type_flags_reach_all_types),
	KUNIT_CASE(setup_type_flags_after_first_use),
	KUNIT_CASE(setup_type_flags_after_type_creation),
	KUNIT_CASE_PARAM(reserve_is_kept_without_memory,
			 ph_promise_gen_params),
	KUNIT_CASE_PARAM(reserve_is_kept_for_batches, ph_promise_gen_params),
	KUNIT_CASE_PARAM(reserve_is_kept_from_other_types,
			 ph_promise_gen_params),
	KUNIT_CASE_PARAM(reserve_adds_up_and_ends, ph_promise_gen_params),
	KUNIT_CASE_PARAM(reserve_when_hard_max_is_in_the_way,
			 ph_promise_gen_params),
	KUNIT_CASE(reserve_when_size_is_out_of_range),
	KUNIT_CASE(reserve_when_count_is_absurd),
	KUNIT_CASE(reserve_of_more_than_the_machine_has),
	KUNIT_CASE(reserve_when_quota_forbids),
	{}
};

static struct kunit_suite ph_supply_suite = {
	.name = "privheap_supply",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_supply_test_cases,
};

kunit_test_suite(ph_supply_suite);
