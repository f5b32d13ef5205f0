// SPDX-License-Identifier: GPL-2.0
/* Quarantine: freed slots of a hardened heap wait, first come, first free. */

#include "fixture.h"
#include "quarantine.h"

/* Slots that wait in a cache of small objects. */
#define PH_WAIT	256

#define PH_TAKEN	1000
static u64 ph_rounds[PH_TAKEN];

/* Slots in somebody's hands, so that they can be given back. */
static struct ph_cache *ph_hardened_cache(struct kunit *test, u32 size, u32 nr)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache;
	u32 got = 0;

	fix->region->hardened = true;
	cache = ph_fixture_cache(test, PRIVHEAP_POLICY_SPEED, size);
	while (got < nr) {
		KUNIT_ASSERT_EQ(test, 0, ph_cache_grow(cache, false, PH_GFP));
		got += ph_cache_take_slow(cache, ph_rounds + got, nr - got);
	}
	return cache;
}

static bool ph_is_free(struct kunit *test, u64 round)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab;

	slab = ph_fixture_slab(fix->region, ph_round_offset(round));
	return ph_slab_is_free(slab, ph_round_slot(slab, round));
}

/* How many of the rounds from @from to before @to are free. */
static u32 ph_nr_free(struct kunit *test, u32 from, u32 to)
{
	u32 nr = 0;

	for (; from < to; from++)
		nr += ph_is_free(test, ph_rounds[from]);
	return nr;
}

static void slots_wait_until_there_are_enough(struct kunit *test)
{
	struct ph_cache *cache = ph_hardened_cache(test, 64, PH_TAKEN);
	u32 i;

	for (i = 0; i < PH_WAIT; i++)
		ph_quarantine_put(cache, &ph_rounds[i], 1);
	KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), PH_WAIT);
	KUNIT_EXPECT_EQ(test, ph_nr_free(test, 0, PH_TAKEN), 0);
	for (; i < 3 * PH_WAIT; i++) {
		ph_quarantine_put(cache, &ph_rounds[i], 1);
		KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), PH_WAIT);
		KUNIT_EXPECT_TRUE(test,
				  ph_is_free(test, ph_rounds[i - PH_WAIT]));
		KUNIT_EXPECT_FALSE(test,
				   ph_is_free(test, ph_rounds[i - PH_WAIT + 1]));
	}
}

static void batches_wait_like_single_slots(struct kunit *test)
{
	static const u32 batches[] = { 1, 31, 32, 33, 100, 255, 256, 257 };
	struct ph_cache *cache = ph_hardened_cache(test, 64, PH_TAKEN);
	u32 i, done = 0;

	for (i = 0; i < ARRAY_SIZE(batches); i++) {
		ph_quarantine_put(cache, ph_rounds + done, batches[i]);
		done += batches[i];
		KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache),
				min(done, PH_WAIT));
		KUNIT_EXPECT_EQ(test, ph_nr_free(test, 0, done),
				done - min(done, PH_WAIT));
	}
	KUNIT_EXPECT_EQ(test, ph_nr_free(test, 0, done - PH_WAIT),
			done - PH_WAIT);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

/* What is large is worth less room. */
static void fewer_large_slots_wait(struct kunit *test)
{
	struct ph_cache *cache = ph_hardened_cache(test, PH_SLOT_MAX, 200);
	u32 wait = max_t(u32, SZ_1M / PH_SLOT_MAX, 16);

	ph_quarantine_put(cache, ph_rounds, 200);
	KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), wait);
	KUNIT_EXPECT_EQ(test, ph_nr_free(test, 0, 200), 200 - wait);
}

static const u32 ph_drain_lengths[] = { 0, 1, 31, 32, 33, 64, 255, 256 };

static void ph_drain_name(const u32 *nr, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u slots", *nr);
}

KUNIT_ARRAY_PARAM(ph_drain, ph_drain_lengths, ph_drain_name);

static void drain_frees_all_that_wait(struct kunit *test)
{
	const u32 *nr = test->param_value;
	struct ph_cache *cache = ph_hardened_cache(test, 64, PH_WAIT);

	ph_quarantine_put(cache, ph_rounds, *nr);
	KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), *nr);
	KUNIT_EXPECT_TRUE(test, ph_cache_drain(cache, true));
	KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), 0);
	KUNIT_EXPECT_EQ(test, ph_nr_free(test, 0, PH_WAIT), *nr);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
	/* It is a queue like before. */
	ph_quarantine_put(cache, ph_rounds + *nr, PH_WAIT - *nr);
	KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), PH_WAIT - *nr);
}

static void other_caches_have_none(struct kunit *test)
{
	struct ph_cache *cache;

	cache = ph_fixture_cache(test, PRIVHEAP_POLICY_SPEED, 64);
	KUNIT_EXPECT_NULL(test, cache->quarantine);
	KUNIT_EXPECT_EQ(test, ph_quarantine_length(cache), 0);
}

/* Each byte less than a hardened cache takes is too few. */
static void create_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const struct ph_policy *policy = ph_policy(PRIVHEAP_POLICY_SPEED);
	u64 held = ph_fixture_held(fix->region), max, refused = 0;
	struct ph_cache *cache;

	fix->region->hardened = true;
	for (max = held;; max += 8) {
		fix->region->hard_max = max;
		cache = ph_cache_create(fix->region, NULL, policy, 64, 8, 0,
					NULL);
		if (!IS_ERR(cache))
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR(cache), -EDQUOT);
		KUNIT_ASSERT_EQ(test, ph_fixture_held(fix->region), held);
		refused++;
	}
	fix->cache = cache;
	KUNIT_EXPECT_GT(test, refused, PH_WAIT);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), max);
}

static struct kunit_case ph_quarantine_test_cases[] = {
	KUNIT_CASE(slots_wait_until_there_are_enough),
	KUNIT_CASE(batches_wait_like_single_slots),
	KUNIT_CASE(fewer_large_slots_wait),
	KUNIT_CASE_PARAM(drain_frees_all_that_wait, ph_drain_gen_params),
	KUNIT_CASE(other_caches_have_none),
	KUNIT_CASE(create_when_hard_max_is_in_the_way),
	{}
};

static struct kunit_suite ph_quarantine_suite = {
	.name = "privheap_quarantine",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_quarantine_test_cases,
};

kunit_test_suite(ph_quarantine_suite);
