// SPDX-License-Identifier: GPL-2.0
/* Caches: who serves an allocation, and whether the books balance. */

#include "fixture.h"

#define PH_SPEED	PRIVHEAP_POLICY_SPEED
#define PH_COMPACT	PRIVHEAP_POLICY_COMPACT

#define PH_TEST_ROUNDS	2048
static u64 ph_rounds[PH_TEST_ROUNDS];

/* Take exactly that many, with as many new slabs as it needs. */
static void ph_take_all(struct kunit *test, struct ph_cache *cache,
			u64 *rounds, u32 nr)
{
	u32 got = 0;

	while (got < nr) {
		got += ph_cache_take(cache, rounds + got, nr - got);
		if (got < nr)
			KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	}
}

static struct ph_cache_stat ph_stat_of(struct ph_cache *cache)
{
	struct ph_cache_stat stat;

	ph_cache_get_stat(cache, &stat);
	return stat;
}

/* The equations that hold at rest with @out slots in use. */
static void ph_expect_balance(struct kunit *test, struct ph_cache *cache,
			      u64 out)
{
	struct ph_cache_stat stat = ph_stat_of(cache);

	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	KUNIT_EXPECT_EQ(test, stat.slots,
			stat.free_slots + ph_fixture_mag_rounds(cache) + out);
	KUNIT_EXPECT_EQ(test, stat.count.allocs,
			stat.count.magazine_hits + stat.count.depot_hits +
			stat.count.slab_allocs);
	KUNIT_EXPECT_LE(test, stat.promised, stat.free_slots);
}

static u32 ph_cap(struct ph_cache *cache)
{
	return ph_magazine_cap(cache->policy->magazine_bytes);
}

static void cache_take_when_new(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	KUNIT_EXPECT_EQ(test, ph_cache_take(cache, ph_rounds, 8), 0);
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).count.allocs, 0);
	KUNIT_EXPECT_TRUE(test, ph_cache_unused(cache));
	ph_expect_balance(test, cache, 0);
}

static void cache_grow_adds_one_slab(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	struct ph_cache_stat stat;

	KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	stat = ph_stat_of(cache);
	KUNIT_EXPECT_EQ(test, stat.slabs, 1);
	KUNIT_EXPECT_EQ(test, stat.empty, 1);
	KUNIT_EXPECT_EQ(test, stat.slots,
			ph_geo_slots(&cache->geo, stat.pages));
	KUNIT_EXPECT_EQ(test, stat.pages,
			atomic64_read(&cache->region->empty_pages));
	ph_expect_balance(test, cache, 0);
}

/* A few objects do not fill a long slab, many are to have long ones. */
static void cache_grows_by_longer_slabs(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u64 pages, last = 0;
	u32 slabs;

	for (slabs = 0; slabs < 20; slabs++) {
		pages = ph_stat_of(cache).pages;
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
		pages = ph_stat_of(cache).pages - pages;
		KUNIT_EXPECT_GE(test, pages, last);
		KUNIT_EXPECT_LE(test, pages, cache->geo.pages);
		last = pages;
	}
	KUNIT_EXPECT_EQ(test, last, cache->geo.pages);
}

static void cache_take_is_served_by_slabs_first_time(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	ph_take_all(test, cache, ph_rounds, 5);
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).count.slab_allocs, 5);
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).count.fresh, 5);
	KUNIT_EXPECT_FALSE(test, ph_cache_unused(cache));
	ph_expect_balance(test, cache, 5);
	ph_cache_give(cache, ph_rounds, 5);
}

static void cache_take_after_give_is_served_by_magazine(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u64 again[5];

	ph_take_all(test, cache, ph_rounds, 5);
	ph_cache_give(cache, ph_rounds, 5);
	KUNIT_EXPECT_EQ(test, ph_cache_take(cache, again, 5), 5);
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).count.magazine_hits, 5);
	KUNIT_EXPECT_EQ(test, memcmp(again, ph_rounds, sizeof(again)), 0);
	ph_expect_balance(test, cache, 5);
	ph_cache_give(cache, again, 5);
}

static void cache_take_goes_magazine_depot_slabs(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 cap = ph_cap(cache), nr = 6 * cap;
	struct ph_cache_stat before, after;

	ph_take_all(test, cache, ph_rounds, nr);
	ph_cache_give(cache, ph_rounds, nr);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), nr);
	before = ph_stat_of(cache);
	ph_take_all(test, cache, ph_rounds, nr + 7);
	after = ph_stat_of(cache);
	KUNIT_EXPECT_EQ(test, 2 * cap, after.count.magazine_hits -
			before.count.magazine_hits);
	KUNIT_EXPECT_EQ(test, 4 * cap,
			after.count.depot_hits - before.count.depot_hits);
	KUNIT_EXPECT_EQ(test, 7,
			after.count.slab_allocs - before.count.slab_allocs);
	ph_expect_balance(test, cache, nr + 7);
	ph_cache_give(cache, ph_rounds, nr + 7);
}

static void cache_take_when_cpu_is_busy(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	struct ph_cpu *cpu = ph_cpu_here(cache->cpus);

	ph_take_all(test, cache, ph_rounds, 5);
	ph_cache_give(cache, ph_rounds, 5);
	cpu->seq++;
	KUNIT_EXPECT_EQ(test, ph_cache_take(cache, ph_rounds, 5), 5);
	KUNIT_EXPECT_EQ(test, cpu->count.magazine_hits, 0);
	ph_cache_give(cache, ph_rounds, 5);
	cpu->seq++;
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 5);
	ph_expect_balance(test, cache, 0);
}

static void cache_depot_stops_at_its_limit(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_COMPACT, 64);
	u32 cap = ph_cap(cache), nr = 20 * cap;

	ph_take_all(test, cache, ph_rounds, nr);
	ph_cache_give(cache, ph_rounds, nr);
	KUNIT_EXPECT_EQ(test, cache->nr_full, cache->policy->depot_max);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache),
			(2 + cache->policy->depot_max) * cap);
	ph_expect_balance(test, cache, 0);
}

static void cache_gives_empty_slabs_back_above_limit(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_COMPACT, 512);
	u32 nr = 6 * ph_geo_slots(&cache->geo, cache->geo.pages);

	ph_take_all(test, cache, ph_rounds, nr);
	KUNIT_EXPECT_GE(test, ph_stat_of(cache).slabs, 6);
	ph_cache_give_slabs(cache, ph_rounds, nr);
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).slabs,
			cache->policy->empty_max);
	ph_expect_balance(test, cache, 0);
}

static void cache_takes_from_fullest_slab(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_COMPACT, 256);
	u32 slots = ph_geo_slots(&cache->geo, 1);
	struct ph_fixture *fix = test->priv;
	struct ph_slab *fullest;
	u64 round;

	/* Slabs of the same length. */
	cache->geo.pages = 1;
	ph_take_all(test, cache, ph_rounds, 3 * slots);
	fullest = ph_fixture_slab(fix->region,
				  ph_round_offset(ph_rounds[slots]));
	/* The first and the third run low, the second lacks one. */
	ph_cache_give_slabs(cache, ph_rounds, slots - 1);
	ph_cache_give_slabs(cache, ph_rounds + slots, 1);
	ph_cache_give_slabs(cache, ph_rounds + 2 * slots, slots / 2);
	ph_expect_balance(test, cache, slots + slots - slots / 2);
	KUNIT_EXPECT_EQ(test, ph_cache_take(cache, &round, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, fullest,
			    ph_fixture_slab(fix->region,
					    ph_round_offset(round)));
}

static void cache_takes_from_partial_before_empty(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 256);
	struct ph_fixture *fix = test->priv;
	struct ph_slab *partial;
	u64 round;

	ph_take_all(test, cache, ph_rounds, 3);
	partial = ph_fixture_slab(fix->region, ph_round_offset(ph_rounds[0]));
	KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	KUNIT_EXPECT_EQ(test, ph_cache_take(cache, &round, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, partial,
			    ph_fixture_slab(fix->region,
					    ph_round_offset(round)));
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).empty, 1);
}

static void cache_warms_the_magazine(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	/* Only what has been given back once makes a magazine. */
	ph_take_all(test, cache, ph_rounds, 1);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 0);
	ph_cache_give(cache, ph_rounds, 1);
	ph_take_all(test, cache, ph_rounds, 2);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache),
			cache->policy->warm);
	ph_expect_balance(test, cache, 2);
	ph_cache_give(cache, ph_rounds, 2);
}

static void cache_warms_no_promised_slot(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	ph_take_all(test, cache, ph_rounds, 1);
	ph_cache_give(cache, ph_rounds, 1);
	KUNIT_EXPECT_GT(test, ph_cache_promise(cache, U64_MAX), 0);
	ph_take_all(test, cache, ph_rounds, 2);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 0);
	ph_expect_balance(test, cache, 2);
	ph_cache_give(cache, ph_rounds, 2);
}

static void cache_keeps_nothing_above_soft_max(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 nr = 1000;

	ph_take_all(test, cache, ph_rounds, nr);
	cache->region->soft_max = 0;
	ph_cache_give(cache, ph_rounds, nr);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 0);
	KUNIT_EXPECT_EQ(test, ph_stat_of(cache).slabs, 0);
	ph_expect_balance(test, cache, 0);
}

static void cache_drain_empties_magazines_and_depot(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 nr = 5 * ph_cap(cache);

	ph_take_all(test, cache, ph_rounds, nr + 1);
	ph_cache_give(cache, ph_rounds, nr);
	KUNIT_EXPECT_TRUE(test, ph_cache_drain(cache, true));
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 0);
	KUNIT_EXPECT_FALSE(test, ph_cache_unused(cache));
	ph_expect_balance(test, cache, 1);
	ph_cache_give_slabs(cache, ph_rounds + nr, 1);
	KUNIT_EXPECT_TRUE(test, ph_cache_unused(cache));
}

static void cache_drain_when_cpu_is_busy(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	struct ph_cpu *cpu = ph_cpu_here(cache->cpus);

	ph_take_all(test, cache, ph_rounds, 5);
	ph_cache_give(cache, ph_rounds, 5);
	cpu->seq++;
	KUNIT_EXPECT_FALSE(test, ph_cache_drain(cache, false));
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 5);
	cpu->seq++;
	ph_expect_balance(test, cache, 0);
}

static void cache_create_when_object_is_too_large(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache;

	cache = ph_cache_create(fix->region, NULL, ph_policy(PH_SPEED),
				PH_SLOT_MAX + 1, 8, 0, NULL);
	KUNIT_EXPECT_PTR_EQ(test, cache, ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

static void cache_create_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache;
	u32 failures = 0;
	u64 max;

	for (max = 0;; max += 8, failures++) {
		fix->region->hard_max = max;
		cache = ph_cache_create(fix->region, NULL, ph_policy(PH_SPEED),
					64, 8, 0, NULL);
		if (!IS_ERR(cache))
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR(cache), -EDQUOT);
		KUNIT_ASSERT_EQ(test, ph_fixture_held(fix->region), 0);
	}
	KUNIT_EXPECT_GT(test, failures, sizeof(*cache) / 8);
	fix->cache = cache;
}

static void cache_validate_sees_wrong_counts(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u64 *counts[] = { &cache->free_slots, &cache->promised };
	u32 i;

	ph_take_all(test, cache, ph_rounds, 3);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		*counts[i] += cache->slots;
		KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), -EUCLEAN);
		*counts[i] -= cache->slots;
		KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	}
	cache->nr_empty++;
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), -EUCLEAN);
	cache->nr_empty--;
	ph_cache_give(cache, ph_rounds, 3);
}

static struct kunit_case ph_cache_test_cases[] = {
	KUNIT_CASE(cache_take_when_new),
	KUNIT_CASE(cache_grow_adds_one_slab),
	KUNIT_CASE(cache_grows_by_longer_slabs),
	KUNIT_CASE(cache_take_is_served_by_slabs_first_time),
	KUNIT_CASE(cache_take_after_give_is_served_by_magazine),
	KUNIT_CASE(cache_take_goes_magazine_depot_slabs),
	KUNIT_CASE(cache_take_when_cpu_is_busy),
	KUNIT_CASE(cache_depot_stops_at_its_limit),
	KUNIT_CASE(cache_gives_empty_slabs_back_above_limit),
	KUNIT_CASE(cache_takes_from_fullest_slab),
	KUNIT_CASE(cache_takes_from_partial_before_empty),
	KUNIT_CASE(cache_warms_the_magazine),
	KUNIT_CASE(cache_warms_no_promised_slot),
	KUNIT_CASE(cache_keeps_nothing_above_soft_max),
	KUNIT_CASE(cache_drain_empties_magazines_and_depot),
	KUNIT_CASE(cache_drain_when_cpu_is_busy),
	KUNIT_CASE(cache_create_when_object_is_too_large),
	KUNIT_CASE(cache_create_when_hard_max_is_in_the_way),
	KUNIT_CASE(cache_validate_sees_wrong_counts),
	{}
};

static struct kunit_suite ph_cache_suite = {
	.name = "privheap_cache",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_cache_test_cases,
};

kunit_test_suite(ph_cache_suite);
