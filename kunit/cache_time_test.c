// SPDX-License-Identifier: GPL-2.0
/* Caches: what they promise, and what they give up in time. */

#include "fixture.h"

#define PH_SPEED	PRIVHEAP_POLICY_SPEED

static u64 ph_rounds[2048];

static u32 ph_grow_until(struct kunit *test, struct ph_cache *cache, u64 slots)
{
	u32 grown = 0;

	for (; cache->free_slots < slots; grown++)
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	return grown;
}

/* An interval in which @nr slots are used at once. Returns new slabs. */
static u32 ph_interval(struct kunit *test, struct ph_cache *cache, u32 nr)
{
	u32 got = 0, grown = 0;

	while (got < nr) {
		got += ph_cache_take(cache, ph_rounds + got, nr - got);
		if (got == nr)
			break;
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
		grown++;
	}
	ph_cache_give(cache, ph_rounds, nr);
	ph_cache_tick(cache);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	return grown;
}

static void promise_is_limited_by_free_slots(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u64 slots;

	KUNIT_EXPECT_EQ(test, ph_cache_promise(cache, 10), 0);
	ph_grow_until(test, cache, 1);
	slots = cache->slots;
	KUNIT_EXPECT_EQ(test, ph_cache_promise(cache, 10), 10);
	KUNIT_EXPECT_EQ(test, ph_cache_promise(cache, U64_MAX), slots - 10);
	KUNIT_EXPECT_EQ(test, ph_cache_promise(cache, 1), 0);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static void promise_survives_release_drain_and_time(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 i;

	ph_grow_until(test, cache, 500);
	KUNIT_ASSERT_EQ(test, ph_cache_promise(cache, 500), 500);
	for (i = 0; i < 4; i++) {
		ph_cache_drain(cache, true);
		ph_cache_release_empty(cache, 0, U32_MAX);
		ph_cache_tick(cache);
	}
	KUNIT_EXPECT_GE(test, cache->free_slots, 500);
	KUNIT_EXPECT_EQ(test, cache->promised, 500);
}

static void promise_survives_soft_max(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	ph_grow_until(test, cache, 500);
	KUNIT_ASSERT_EQ(test, ph_cache_promise(cache, 500), 500);
	cache->region->soft_max = 0;
	KUNIT_ASSERT_EQ(test, ph_cache_take(cache, ph_rounds, 1), 1);
	ph_cache_give(cache, ph_rounds, 1);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_GE(test, cache->free_slots, 499);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static void promise_is_kept_without_memory(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 nr = 777, got = 0, i;

	ph_grow_until(test, cache, nr);
	KUNIT_ASSERT_EQ(test, ph_cache_promise(cache, nr), nr);
	cache->region->hard_max = ph_fixture_held(cache->region);
	/* Piece by piece, in all sizes up to 64. */
	for (i = 1; got < nr; i = i % 64 + 1)
		got += ph_cache_take(cache, ph_rounds + got, min(i, nr - got));
	KUNIT_EXPECT_EQ(test, cache->promised, 0);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	ph_cache_give(cache, ph_rounds, nr);
}

static void promise_is_left_alone_by_magazines(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	ph_grow_until(test, cache, 100);
	KUNIT_ASSERT_EQ(test, ph_cache_take(cache, ph_rounds, 20), 20);
	ph_cache_give(cache, ph_rounds, 20);
	KUNIT_ASSERT_EQ(test, ph_cache_promise(cache, 50), 50);
	KUNIT_ASSERT_EQ(test, ph_cache_take(cache, ph_rounds, 20), 20);
	KUNIT_EXPECT_EQ(test, cache->promised, 50);
	KUNIT_ASSERT_EQ(test, ph_cache_take(cache, ph_rounds + 20, 20), 20);
	KUNIT_EXPECT_EQ(test, cache->promised, 30);
	ph_cache_give(cache, ph_rounds, 40);
}

static void unpromise_lets_slabs_go(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);

	ph_grow_until(test, cache, 500);
	KUNIT_ASSERT_EQ(test, ph_cache_promise(cache, 500), 500);
	ph_cache_unpromise(cache, 100);
	KUNIT_EXPECT_EQ(test, cache->promised, 400);
	ph_cache_unpromise(cache, U64_MAX);
	KUNIT_EXPECT_EQ(test, cache->promised, 0);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 0);
}

static void tick_gives_idle_cache_back(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u64 base = ph_fixture_held(cache->region);
	u32 ticks;

	ph_interval(test, cache, 1500);
	KUNIT_EXPECT_GT(test, cache->nr_slabs, 0);
	for (ticks = 0; cache->nr_slabs && ticks < 10; ticks++)
		ph_cache_tick(cache);
	KUNIT_EXPECT_LE(test, ticks, 3);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_mag_rounds(cache), 0);
	/* Only the offset tables stay. */
	KUNIT_EXPECT_LE(test, ph_fixture_held(cache->region) - base,
			3 * PAGE_SIZE);
}

static void tick_keeps_working_set(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 i, grown = 0;

	ph_interval(test, cache, 1500);
	for (i = 0; i < 8; i++)
		grown += ph_interval(test, cache, 1500);
	KUNIT_EXPECT_EQ(test, grown, 0);
}

static void tick_shrinks_to_working_set(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 i, grown = 0;
	u64 before;

	ph_interval(test, cache, 2048);
	before = cache->pages;
	for (i = 0; i < 8; i++)
		grown += ph_interval(test, cache, 200);
	KUNIT_EXPECT_LT(test, cache->pages, before / 2);
	KUNIT_EXPECT_EQ(test, grown, 0);
	/* And stays there. */
	before = cache->pages;
	for (i = 0; i < 4; i++)
		grown += ph_interval(test, cache, 200);
	KUNIT_EXPECT_EQ(test, cache->pages, before);
	KUNIT_EXPECT_EQ(test, grown, 0);
}

static void tick_leaves_objects_in_use_alone(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 i;

	ph_grow_until(test, cache, 100);
	KUNIT_ASSERT_EQ(test, ph_cache_take(cache, ph_rounds, 100), 100);
	for (i = 0; i < 5; i++)
		ph_cache_tick(cache);
	KUNIT_EXPECT_GE(test, cache->slots, 100);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	ph_cache_give(cache, ph_rounds, 100);
}

static void cache_pick_empty_leaves_as_told(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	struct ph_slab *slab;
	u32 i;

	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	KUNIT_EXPECT_NULL(test, ph_cache_pick_empty(cache, 4, 0));
	for (i = 4; i > 1; i--) {
		slab = ph_cache_pick_empty(cache, 1, 0);
		KUNIT_ASSERT_NOT_NULL(test, slab);
		KUNIT_EXPECT_EQ(test, cache->nr_slabs, i - 1);
		ph_slab_destroy(cache->region, slab, false);
	}
	KUNIT_EXPECT_NULL(test, ph_cache_pick_empty(cache, 1, 0));
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static void cache_pick_empty_leaves_pinned_slab(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	struct ph_slab *slab;

	KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	slab = list_first_entry(&cache->empty, struct ph_slab, list);
	atomic_inc(&slab->pins);
	KUNIT_EXPECT_NULL(test, ph_cache_pick_empty(cache, 0, 0));
	atomic_dec(&slab->pins);
	KUNIT_EXPECT_EQ(test, ph_cache_release_empty(cache, 0, U32_MAX) > 0,
			true);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 0);
}

static void cache_release_empty_stops_at_most(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	u32 i;

	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	ph_cache_release_empty(cache, 0, 2);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 3);
	ph_cache_release_empty(cache, 2, U32_MAX);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 2);
	ph_cache_release_empty(cache, 0, 0);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 2);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static void cache_keeps_its_keep_slabs(struct kunit *test)
{
	struct ph_cache *cache;
	u32 i;

	cache = ph_fixture_cache(test, PRIVHEAP_POLICY_COMPACT, 64);
	cache->keep_slabs = 3;
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 3);
	for (i = 0; i < 4; i++)
		ph_cache_tick(cache);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 3);
}

/* Spans, which magazines never see. */

static struct ph_cache *ph_span_cache(struct kunit *test)
{
	return ph_fixture_cache(test, PH_SPEED, 0);
}

static u32 ph_list_length(struct list_head *list)
{
	struct list_head *pos;
	u32 nr = 0;

	list_for_each(pos, list)
		nr++;
	return nr;
}

static struct ph_slab *ph_add_span(struct kunit *test, struct ph_cache *cache,
				   u32 pages, bool promised)
{
	struct ph_slab *span = ph_span_create(cache->region, cache, 0, pages,
					      true);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, span);
	span->promised = promised;
	ph_cache_add_slab(cache, span);
	return span;
}

static void span_cache_takes_exact_length_only(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	struct ph_slab *three = ph_add_span(test, cache, 3, false);
	struct ph_slab *five = ph_add_span(test, cache, 5, false);

	KUNIT_EXPECT_NULL(test, ph_cache_take_span(cache, 4));
	KUNIT_EXPECT_PTR_EQ(test, ph_cache_take_span(cache, 3), three);
	KUNIT_EXPECT_NULL(test, ph_cache_take_span(cache, 3));
	KUNIT_EXPECT_PTR_EQ(test, ph_cache_take_span(cache, 5), five);
	KUNIT_EXPECT_EQ(test, cache->free_slots, 0);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

/* Nor the next longer one, where somebody has pinned all of the length. */
static void span_cache_takes_no_pinned_span(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	struct ph_slab *three = ph_add_span(test, cache, 3, false);
	struct ph_slab *five = ph_add_span(test, cache, 5, false);

	atomic_inc(&three->pins);
	KUNIT_EXPECT_NULL(test, ph_cache_take_span(cache, 3));
	KUNIT_EXPECT_PTR_EQ(test, ph_cache_take_span(cache, 5), five);
	atomic_dec(&three->pins);
	KUNIT_EXPECT_PTR_EQ(test, ph_cache_take_span(cache, 3), three);
	KUNIT_EXPECT_EQ(test, cache->free_slots, 0);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static void span_cache_keeps_promised_spans(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	struct ph_slab *kept = ph_add_span(test, cache, 3, true);

	ph_add_span(test, cache, 3, false);
	KUNIT_EXPECT_EQ(test, cache->promised, 1);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 1);
	KUNIT_EXPECT_PTR_EQ(test, ph_cache_take_span(cache, 3), kept);
	KUNIT_EXPECT_EQ(test, cache->promised, 0);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static void span_cache_unpromise_counts_spans(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	u32 i;

	for (i = 0; i < 4; i++)
		ph_add_span(test, cache, 3, true);
	ph_cache_unpromise(cache, 1);
	KUNIT_EXPECT_EQ(test, cache->promised, 3);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 3);
	ph_cache_unpromise(cache, U64_MAX);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 0);
}

static void span_cache_remove_forgets_the_span(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	struct ph_slab *span = ph_add_span(test, cache, 7, false);

	KUNIT_ASSERT_PTR_EQ(test, ph_cache_take_span(cache, 7), span);
	ph_cache_remove_slab(cache, span);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 0);
	KUNIT_EXPECT_EQ(test, cache->pages, 0);
	KUNIT_EXPECT_EQ(test, cache->slots, 0);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	ph_slab_destroy(cache->region, span, false);
}

/* What looks for spans to release does not meet those that it has to leave. */
static void span_cache_keeps_promised_spans_apart(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	u32 i;

	for (i = 0; i < 100; i++)
		ph_add_span(test, cache, 3 + i % 5, true);
	KUNIT_EXPECT_TRUE(test, list_empty(&cache->empty));
	KUNIT_EXPECT_EQ(test, cache->nr_empty, 100);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	ph_cache_unpromise(cache, 70);
	KUNIT_EXPECT_EQ(test, cache->promised, 30);
	KUNIT_EXPECT_EQ(test, ph_list_length(&cache->empty), 70);
	KUNIT_EXPECT_EQ(test, ph_list_length(&cache->reserved), 30);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	ph_cache_release_empty(cache, 0, U32_MAX);
	KUNIT_EXPECT_TRUE(test, list_empty(&cache->empty));
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 30);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

/* Spans of all lengths come and go, promised or not; each length is found. */
static void span_cache_finds_every_length(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache = ph_span_cache(test);
	u32 idle[10] = {}, promised[10] = {}, i, pages;
	struct ph_slab *span;
	bool promise;
	u64 round;

	for (i = 0; i < 500; i++) {
		pages = ph_fixture_random(fix, 10);
		promise = ph_fixture_random(fix, 2);
		span = ph_cache_take_span(cache, 3 + pages);
		KUNIT_ASSERT_EQ(test, !!span, idle[pages] > 0);
		if (span) {
			KUNIT_ASSERT_EQ(test, span->nr_pages, 3 + pages);
			KUNIT_ASSERT_FALSE(test, span->promised);
			idle[pages]--;
			promised[pages] -= promised[pages] > 0;
			round = (u64)span->gen[0] << PH_OFFSET_BITS | span->key;
			ph_cache_return(cache, &round, 1);
			idle[pages]++;
		}
		pages = ph_fixture_random(fix, 10);
		ph_add_span(test, cache, 3 + pages, promise);
		idle[pages]++;
		promised[pages] += promise;
		KUNIT_ASSERT_EQ(test, ph_cache_validate(cache), 0);
	}
	for (i = 0, promise = 0; i < 10; i++)
		promise |= promised[i];
	KUNIT_EXPECT_TRUE(test, promise);
}

/* However many there are that somebody has pinned. */
static void cache_pick_empty_finds_what_is_behind_pinned_slabs(struct kunit *test)
{
	struct ph_cache *cache = ph_span_cache(test);
	struct ph_slab *slab, *free = NULL;
	u32 i;

	for (i = 0; i < 100; i++) {
		free = ph_add_span(test, cache, 3, false);
		atomic_inc(&free->pins);
	}
	KUNIT_EXPECT_NULL(test, ph_cache_pick_empty(cache, 0, 0));
	slab = list_first_entry(&cache->empty, struct ph_slab, list);
	atomic_dec(&free->pins);
	KUNIT_EXPECT_FALSE(test, ph_cache_unused(cache));
	KUNIT_EXPECT_PTR_EQ(test, slab, list_first_entry(&cache->empty,
							 struct ph_slab, list));
	KUNIT_ASSERT_PTR_EQ(test, ph_cache_pick_empty(cache, 0, 0), free);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
	ph_slab_destroy(cache->region, free, false);
	list_for_each_entry(slab, &cache->empty, list)
		atomic_dec(&slab->pins);
	KUNIT_EXPECT_TRUE(test, ph_cache_unused(cache));
	KUNIT_EXPECT_GT(test, ph_cache_release_empty(cache, 0, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 0);
}

/* And what promises hold stays, in its order. */
static void cache_pick_empty_leaves_what_promises_hold(struct kunit *test)
{
	struct ph_cache *cache = ph_fixture_cache(test, PH_SPEED, 64);
	struct ph_slab *first, *last;
	u32 i, slabs;

	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, ph_cache_grow(cache, false, PH_GFP), 0);
	KUNIT_ASSERT_EQ(test, ph_cache_promise(cache, U64_MAX), cache->slots);
	first = list_first_entry(&cache->empty, struct ph_slab, list);
	last = list_last_entry(&cache->empty, struct ph_slab, list);
	KUNIT_EXPECT_EQ(test, ph_cache_release_empty(cache, 0, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 100);
	KUNIT_EXPECT_PTR_EQ(test, first, list_first_entry(&cache->empty,
							  struct ph_slab, list));
	KUNIT_EXPECT_PTR_EQ(test, last, list_last_entry(&cache->empty,
							struct ph_slab, list));
	ph_cache_unpromise(cache, cache->promised / 2);
	ph_cache_release_empty(cache, 0, U32_MAX);
	slabs = cache->nr_slabs;
	KUNIT_EXPECT_LT(test, slabs, 60);
	KUNIT_EXPECT_LE(test, cache->promised, cache->usable);
	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache), 0);
}

static struct kunit_case ph_cache_time_test_cases[] = {
	KUNIT_CASE(promise_is_limited_by_free_slots),
	KUNIT_CASE(promise_survives_release_drain_and_time),
	KUNIT_CASE(promise_survives_soft_max),
	KUNIT_CASE(promise_is_kept_without_memory),
	KUNIT_CASE(promise_is_left_alone_by_magazines),
	KUNIT_CASE(unpromise_lets_slabs_go),
	KUNIT_CASE(tick_gives_idle_cache_back),
	KUNIT_CASE(tick_keeps_working_set),
	KUNIT_CASE(tick_shrinks_to_working_set),
	KUNIT_CASE(tick_leaves_objects_in_use_alone),
	KUNIT_CASE(cache_pick_empty_leaves_as_told),
	KUNIT_CASE(cache_pick_empty_leaves_pinned_slab),
	KUNIT_CASE(cache_release_empty_stops_at_most),
	KUNIT_CASE(cache_keeps_its_keep_slabs),
	KUNIT_CASE(span_cache_takes_exact_length_only),
	KUNIT_CASE(span_cache_takes_no_pinned_span),
	KUNIT_CASE(span_cache_keeps_promised_spans),
	KUNIT_CASE(span_cache_unpromise_counts_spans),
	KUNIT_CASE(span_cache_remove_forgets_the_span),
	KUNIT_CASE(span_cache_keeps_promised_spans_apart),
	KUNIT_CASE(span_cache_finds_every_length),
	KUNIT_CASE(cache_pick_empty_finds_what_is_behind_pinned_slabs),
	KUNIT_CASE(cache_pick_empty_leaves_what_promises_hold),
	{}
};

static struct kunit_suite ph_cache_time_suite = {
	.name = "privheap_cache_time",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_cache_time_test_cases,
};

kunit_test_suite(ph_cache_time_suite);
