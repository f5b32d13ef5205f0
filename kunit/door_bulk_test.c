// SPDX-License-Identifier: GPL-2.0
/* Kernel door: many objects in one call. */

#include "door_fixture.h"

static void bulk_of_none(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);

	KUNIT_EXPECT_EQ(test, 0, privheap_cache_alloc_bulk(cache, GFP_KERNEL, 0,
							   NULL));
	privheap_cache_free_bulk(cache, 0, NULL);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).slots, 0);
}

/* Around the capacity of magazines, and of several of them. */
static const u32 ph_bulks[] = {
	1, 2, 3, 63, 64, 65, 124, 125, 126, 249, 250, 251, 375, 1000, 4000,
};

static void ph_bulk_name(const u32 *nr, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u objects", *nr);
}

KUNIT_ARRAY_PARAM(ph_bulk, ph_bulks, ph_bulk_name);

static void bulk_is_as_many_single_ones(struct kunit *test)
{
	const u32 nr = *(const u32 *)test->param_value;
	struct privheap_cache_args args = {};
	void **objs = ph_door_objects();
	struct privheap_cache *cache;
	u32 round;

	for (args.policy = 0; args.policy < 3; args.policy++) {
		cache = ph_door_cache(test, 48, &args);
		for (round = 0; round < 3; round++) {
			KUNIT_ASSERT_EQ(test, nr,
					privheap_cache_alloc_bulk(cache,
								  GFP_KERNEL,
								  nr, objs));
			PH_DOOR_EXPECT_OBJECTS(test, cache, nr);
			KUNIT_EXPECT_TRUE(test, ph_door_distinct(objs, nr));
			privheap_cache_free_bulk(cache, nr, objs);
			PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
		}
		ph_door_end(test, cache);
	}
}

static void bulk_and_single_ones_mix(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 48, NULL);
	void **objs = ph_door_objects();
	u32 i;

	KUNIT_ASSERT_EQ(test, 300, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							     300, objs));
	for (i = 0; i < 300; i += 2)
		privheap_cache_free(cache, objs[i]);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 150);
	for (i = 0; i < 300; i += 2)
		objs[i] = ph_door_alloc(test, cache);
	KUNIT_EXPECT_TRUE(test, ph_door_distinct(objs, 300));
	privheap_cache_free_bulk(cache, 300, objs);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
}

static void bulk_that_cannot_be_met_takes_nothing(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 1000, NULL);
	void **objs = ph_door_objects(), *obj;
	u32 nr, ask;

	WRITE_ONCE(ph_door_region()->hard_max,
		   ph_fixture_held(ph_door_region()) + 20 * PAGE_SIZE);
	nr = ph_door_alloc_all(cache, GFP_KERNEL, objs, 1000);
	ph_door_free_all(cache, objs, nr);
	for (ask = nr + 1; ask < nr + 50; ask++) {
		KUNIT_EXPECT_EQ(test, 0,
				privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							  4 * ask, objs));
		PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
		PH_DOOR_EXPECT_SOUND(test, cache);
	}
	obj = privheap_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	if (obj)
		privheap_cache_free(cache, obj);
	ph_door_relieve();
}

/* Whatever the memory ends at. */
static void bulk_is_all_or_nothing(struct kunit *test)
{
	struct ph_region *region = ph_door_region();
	u64 held = ph_door_held(test), more;
	void **objs = ph_door_objects();
	struct privheap_cache *cache;
	u32 failed = 0;
	int got = 0;

	for (more = 0; got != 500; more += 512) {
		WRITE_ONCE(region->hard_max, PH_TEST_MAX_BYTES);
		cache = ph_door_cache(test, 96, NULL);
		WRITE_ONCE(region->hard_max, held + more);
		got = privheap_cache_alloc_bulk(cache, GFP_NOWAIT, 500, objs);
		failed += !got;
		KUNIT_ASSERT_TRUE(test, got == 0 || got == 500);
		PH_DOOR_EXPECT_OBJECTS(test, cache, got);
		privheap_cache_free_bulk(cache, got, objs);
		ph_door_end(test, cache);
		ph_region_trim(region);
		KUNIT_ASSERT_EQ(test, ph_fixture_held(region), held);
	}
	KUNIT_EXPECT_GT(test, failed, 50);
	ph_door_relieve();
}

static void bulk_free_refuses_foreign_ones_alone(struct kunit *test)
{
	struct privheap_cache *other = ph_door_cache(test, 64, NULL);
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects(), **theirs = objs + 2000;
	u32 i;

	KUNIT_ASSERT_EQ(test, 400, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							     400, objs));
	KUNIT_ASSERT_EQ(test, 40, privheap_cache_alloc_bulk(other, GFP_KERNEL,
							    40, theirs));
	for (i = 0; i < 40; i++)
		swap(objs[10 * i], theirs[i]);
	privheap_cache_free_bulk(cache, 400, objs);
	PH_DOOR_EXPECT_ERRORS(test, cache, 40);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 40);
	PH_DOOR_EXPECT_OBJECTS(test, other, 40);
	PH_DOOR_EXPECT_SOUND(test, other);
	privheap_cache_free_bulk(cache, 40, theirs);
	for (i = 0; i < 40; i++)
		privheap_cache_free(other, objs[10 * i]);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	PH_DOOR_EXPECT_ERRORS(test, cache, 40);
	PH_DOOR_EXPECT_ERRORS(test, other, 0);
}

static void bulk_of_the_largest_objects(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, PH_DOOR_SIZE_MAX,
						     NULL);
	void **objs = ph_door_objects();
	u32 i;

	KUNIT_ASSERT_EQ(test, 100, privheap_cache_alloc_bulk(cache, GFP_KERNEL,
							     100, objs));
	for (i = 0; i < 100; i++)
		memset(objs[i], i, PH_DOOR_SIZE_MAX);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(objs[i], i,
						   PH_DOOR_SIZE_MAX));
	privheap_cache_free_bulk(cache, 100, objs);
}

static struct kunit_case ph_door_bulk_cases[] = {
	KUNIT_CASE(bulk_of_none),
	KUNIT_CASE_PARAM(bulk_is_as_many_single_ones, ph_bulk_gen_params),
	KUNIT_CASE(bulk_and_single_ones_mix),
	KUNIT_CASE(bulk_that_cannot_be_met_takes_nothing),
	KUNIT_CASE(bulk_is_all_or_nothing),
	KUNIT_CASE(bulk_free_refuses_foreign_ones_alone),
	KUNIT_CASE(bulk_of_the_largest_objects),
	{}
};

static struct kunit_suite ph_door_bulk_suite = {
	.name = "privheap_door_bulk",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_bulk_cases,
};

kunit_test_suite(ph_door_bulk_suite);
