// SPDX-License-Identifier: GPL-2.0
/* Slabs that were made in order to lend from them; see slab.h. */

#include "content.h"
#include "fixture.h"
#include "lend.h"

/* A cache with one slab more than it had, and that slab. */
static struct ph_slab *ph_grow(struct kunit *test, struct ph_cache *cache,
			       bool lend)
{
	struct ph_fixture *fix = test->priv;
	u64 at = 0;

	KUNIT_ASSERT_EQ(test, 0, ph_cache_grow(cache, lend, PH_GFP));
	/* They come one behind the other. */
	while (ph_fixture_slab(fix->region, at + PAGE_SIZE))
		at += PAGE_SIZE;
	return ph_fixture_slab(fix->region, at);
}

static struct ph_cache *ph_bare_cache(struct kunit *test, u32 size, u32 keep)
{
	struct ph_fixture *fix = test->priv;

	fix->cache = ph_cache_create(fix->region, NULL,
				     ph_policy(PRIVHEAP_POLICY_COMPACT), size,
				     8, PH_LATE_GENS | keep, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->cache);
	return fix->cache;
}

/* Some slots of one run. Returns their slab; NULL if there are none. */
static struct ph_slab *ph_lend_from(struct kunit *test, struct ph_cache *cache,
				    u32 want, struct privheap_run *run)
{
	struct ph_lend lend = { .runs = run, .max_runs = 1, .want = want };
	int err = ph_cache_lend(cache, &lend);

	if (err == -EAGAIN) {
		lend.spare = ph_out_alloc(cache);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lend.spare);
		err = ph_cache_lend(cache, &lend);
		ph_out_free(cache, lend.spare);
	}
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
	return err ? NULL : ph_fixture_slab(cache->region, run->offset);
}

static void ph_give_run(struct kunit *test, struct ph_slab *slab,
			const struct privheap_run *run)
{
	u32 slot;

	ph_slab_slot(slab, run->offset - slab->start, &slot);
	KUNIT_EXPECT_TRUE(test, ph_slab_claim_out(slab, slot, run->mask));
	ph_cache_regain(slab->cache, run, 1);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(slab->cache));
}

/* No handle comes of its slots, however many are free, until it has books. */
static void bare_slab_only_lends(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 100, PH_KEEP_SLACK);
	struct ph_slab *slab = ph_grow(test, cache, true);
	struct privheap_run run;
	u32 out, nr = slab->nr;
	u64 round;

	KUNIT_ASSERT_LE(test, nr, 64);
	for (out = 0; out <= nr; out++) {
		if (out)
			KUNIT_EXPECT_PTR_EQ(test, slab,
					    ph_lend_from(test, cache, out, &run));
		KUNIT_EXPECT_EQ(test, cache->free_slots, nr - out);
		KUNIT_EXPECT_EQ(test, cache->usable, 0);
		KUNIT_EXPECT_EQ(test, 0, ph_cache_promise(cache, 1));
		KUNIT_EXPECT_EQ(test, 0,
				ph_cache_take_slabs(cache, &round, 1, 1));
		KUNIT_EXPECT_FALSE(test, ph_cache_has_slots(cache, false));
		KUNIT_EXPECT_EQ(test, out < nr, ph_cache_has_slots(cache, true));
		KUNIT_EXPECT_EQ(test, -ENOENT, ph_cache_reuse(cache, true));
		if (out)
			ph_give_run(test, slab, &run);
	}
	KUNIT_EXPECT_TRUE(test, ph_slab_is_bare(slab));
	KUNIT_EXPECT_EQ(test, 0, ph_cache_reuse(cache, false));
	KUNIT_EXPECT_FALSE(test, ph_slab_is_bare(slab));
	KUNIT_EXPECT_EQ(test, cache->usable, nr);
	KUNIT_EXPECT_EQ(test, 1, ph_cache_take_slabs(cache, &round, 1, 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, ph_cache_reuse(cache, false));
	ph_cache_return(cache, &round, 1);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

/* Its own books are a part of it, and cost nothing beside it. */
static void bare_slab_has_books_in_itself(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 64, PH_KEEP_SLACK);
	struct ph_geo geo = cache->geo;
	struct ph_slab *slab = ph_grow(test, cache, true);
	size_t bytes, full = ph_geo_meta_bytes(&geo, slab->nr);
	struct privheap_run run;

	geo.keep |= PH_BARE;
	bytes = ph_geo_meta_bytes(&geo, slab->nr);
	KUNIT_EXPECT_EQ(test, bytes, full - slab->nr +
			ph_out_bytes(geo.keep, slab->nr));
	KUNIT_EXPECT_EQ(test, slab->meta_bytes, bytes);
	KUNIT_EXPECT_EQ(test, cache->meta_bytes, ph_region_meta_cost(bytes));
	KUNIT_ASSERT_PTR_EQ(test, slab, ph_lend_from(test, cache, 5, &run));
	KUNIT_EXPECT_EQ(test, cache->meta_bytes, ph_region_meta_cost(bytes));
	KUNIT_EXPECT_NULL(test, slab->slack);
	ph_give_run(test, slab, &run);
}

static const u32 ph_bare_sizes[] = { 24, 100, 240, 1000, 3000 };

static void ph_bare_size_name(const u32 *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(ph_bare_size, ph_bare_sizes, ph_bare_size_name);

/* Who looks for memory in advance looks for as much as the slab then takes. */
static void slabs_are_as_long_as_planned(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test,
					       *(const u32 *)test->param_value,
					       PH_KEEP_SLACK);
	struct ph_slab *slab;
	struct ph_geo geo;
	u32 i, longest = 0;
	u64 pages;

	for (i = 0; i < 24; i++) {
		pages = cache->pages;
		ph_cache_next_geo(cache, i & 1, &geo);
		KUNIT_ASSERT_EQ(test, 0, ph_cache_grow(cache, i & 1, PH_GFP));
		KUNIT_EXPECT_EQ(test, cache->pages - pages, geo.pages);
		longest = max(longest, geo.pages);
	}
	KUNIT_EXPECT_NULL(test, ph_cache_pick_empty(cache, 0, longest + 1));
	slab = ph_cache_pick_empty(cache, 0, longest);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_EXPECT_EQ(test, slab->nr_pages, longest);
	ph_slab_destroy(cache->region, slab, false);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

/* It stays, and behind the others, which go first. */
static void pinned_bare_slab_stays_behind_the_others(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 1000, PH_KEEP_SLACK);
	struct ph_slab *bare = ph_grow(test, cache, true);
	struct ph_slab *one = ph_grow(test, cache, false);

	atomic_inc(&bare->pins);
	KUNIT_EXPECT_PTR_EQ(test, bare, list_last_entry(&cache->empty,
							struct ph_slab, list));
	KUNIT_ASSERT_PTR_EQ(test, one, ph_cache_pick_empty(cache, 0, 0));
	ph_slab_destroy(cache->region, one, false);
	one = ph_grow(test, cache, false);
	KUNIT_EXPECT_PTR_EQ(test, bare, list_last_entry(&cache->empty,
							struct ph_slab, list));
	atomic_inc(&one->pins);
	KUNIT_EXPECT_NULL(test, ph_cache_pick_empty(cache, 0, 0));
	KUNIT_EXPECT_PTR_EQ(test, bare, list_last_entry(&cache->empty,
							struct ph_slab, list));
	atomic_dec(&one->pins);
	atomic_dec(&bare->pins);
	KUNIT_EXPECT_PTR_EQ(test, bare, ph_cache_pick_empty(cache, 0, 0));
	ph_slab_destroy(cache->region, bare, false);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

/* Which slab lends: bare ones before others, the fuller before the emptier. */
static void bare_slabs_lend_first(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 1000, PH_KEEP_SLACK);
	struct ph_slab *one = ph_grow(test, cache, false);
	struct ph_slab *bare = ph_grow(test, cache, true);
	struct ph_slab *bare2 = ph_grow(test, cache, true);
	struct privheap_run run, all;
	u64 round;

	/* The one that came last, and again once it has lent. */
	KUNIT_EXPECT_PTR_EQ(test, bare2, ph_lend_from(test, cache, 1, &run));
	KUNIT_EXPECT_PTR_EQ(test, bare2, ph_lend_from(test, cache, 1, &run));
	/* While handles come out of the other. */
	KUNIT_EXPECT_EQ(test, 1, ph_cache_take_slabs(cache, &round, 1, 1));
	KUNIT_EXPECT_PTR_EQ(test, one, ph_fixture_slab(cache->region, round &
						       PH_OFFSET_MASK));
	KUNIT_EXPECT_PTR_EQ(test, bare2,
			    ph_lend_from(test, cache, bare2->nr - 2, &all));
	KUNIT_EXPECT_EQ(test, bare2->taken, bare2->nr);
	KUNIT_EXPECT_PTR_EQ(test, bare,
			    ph_lend_from(test, cache, bare->nr, &all));
	KUNIT_EXPECT_EQ(test, bare->taken, bare->nr);
	KUNIT_EXPECT_PTR_EQ(test, one, ph_lend_from(test, cache, 1, &run));
	ph_give_run(test, bare, &all);
	KUNIT_EXPECT_PTR_EQ(test, bare, ph_lend_from(test, cache, 1, &run));
}

/* Empty ones that handles can use are found whatever else is empty. */
static void empty_slabs_that_were_bare(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 1000, PH_KEEP_SLACK);
	struct ph_slab *slab[4];
	u32 i, named = 0, usable;
	u64 round;

	for (i = 0; i < ARRAY_SIZE(slab); i++)
		slab[i] = ph_grow(test, cache, true);
	while (!ph_cache_reuse(cache, false)) {
		named++;
		KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
		KUNIT_EXPECT_TRUE(test, ph_cache_has_slots(cache, false));
		for (usable = 0, i = 0; i < ARRAY_SIZE(slab); i++)
			usable += ph_slab_is_bare(slab[i]) ? 0 : slab[i]->nr;
		KUNIT_EXPECT_EQ(test, cache->usable, usable);
		KUNIT_EXPECT_EQ(test, 1,
				ph_cache_take_slabs(cache, &round, 1, 1));
		ph_cache_return(cache, &round, 1);
	}
	KUNIT_EXPECT_EQ(test, named, ARRAY_SIZE(slab));
}

/* No promise was made for their slots, and none keeps them. */
static void promises_do_not_hold_bare_slabs(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 100, PH_KEEP_SLACK);
	struct ph_slab *one = ph_grow(test, cache, false);
	struct ph_slab *bare = ph_grow(test, cache, true);
	struct privheap_run run;
	u32 nr = one->nr;

	KUNIT_EXPECT_EQ(test, nr, ph_cache_promise(cache, U64_MAX));
	KUNIT_EXPECT_PTR_EQ(test, bare, ph_lend_from(test, cache, 3, &run));
	KUNIT_EXPECT_EQ(test, cache->promised, nr - 3);
	KUNIT_EXPECT_EQ(test, 3, ph_cache_promise(cache, U64_MAX));
	ph_give_run(test, bare, &run);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_promise(cache, U64_MAX));
	KUNIT_EXPECT_GT(test, ph_cache_release_empty(cache, 0, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, cache->nr_slabs, 1);
	KUNIT_EXPECT_EQ(test, cache->promised, nr);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
	ph_cache_unpromise(cache, U64_MAX);
}

static const u32 ph_bare_keeps[] = { 0, PH_KEEP_SLACK, PH_KEEP_WIDE_SLACK };

static void ph_bare_keep_name(const u32 *keep, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "keep %u", *keep);
}

KUNIT_ARRAY_PARAM(ph_bare_keep, ph_bare_keeps, ph_bare_keep_name);

/* The slack of each slot has a place of its own, beside the generations. */
static void slack_comes_with_generations(struct kunit *test)
{
	u32 keep = *(const u32 *)test->param_value, i, wrong = 0;
	struct ph_cache *cache = ph_bare_cache(test, 200, keep);
	struct ph_slab *slab = ph_grow(test, cache, true);
	u64 meta = cache->meta_bytes;
	struct privheap_run run;

	KUNIT_ASSERT_PTR_EQ(test, slab, ph_lend_from(test, cache, 7, &run));
	KUNIT_EXPECT_EQ(test, 0, ph_slab_make_nameable(slab));
	KUNIT_EXPECT_EQ(test, 0, ph_slab_make_nameable(slab));
	KUNIT_EXPECT_EQ(test, !keep, !slab->slack);
	for (i = 0; i < slab->nr; i++)
		slab->gen[i] = i * 3;
	for (i = 0; i < slab->nr; i++) {
		wrong += ph_content_requested(slab, i) != 200;
		ph_content_set_requested(slab, i, 200 - i);
	}
	for (i = 0; i < slab->nr; i++) {
		wrong += ph_content_requested(slab, i) != (keep ? 200 - i : 200);
		wrong += slab->gen[i] != i * 3;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GE(test, cache->meta_bytes - meta,
			slab->nr * (sizeof(*slab->gen) + slab->late_slack));
	ph_give_run(test, slab, &run);
}

/* Too little room for the books, by every byte that they are too few. */
static void no_room_for_generations(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 100, PH_KEEP_SLACK);
	struct ph_region *region = cache->region;
	struct ph_slab *slab = ph_grow(test, cache, true);
	u64 held = ph_fixture_held(region), room;
	struct privheap_run run;

	KUNIT_ASSERT_PTR_EQ(test, slab, ph_lend_from(test, cache, 7, &run));
	for (room = 0; room < 1024; room += 8) {
		region->hard_max = held + room;
		if (!ph_slab_make_nameable(slab))
			break;
		KUNIT_EXPECT_EQ(test, -EDQUOT, ph_cache_reuse(cache, false));
		KUNIT_EXPECT_TRUE(test, ph_slab_is_bare(slab));
		KUNIT_EXPECT_NULL(test, slab->slack);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
	}
	KUNIT_EXPECT_EQ(test, room, ph_fixture_held(region) - held);
	KUNIT_EXPECT_FALSE(test, ph_slab_is_bare(slab));
	region->hard_max = PH_TEST_MAX_BYTES;
	ph_give_run(test, slab, &run);
}

/* It had no object with a handle: none needs another generation after it. */
static void bare_slab_spends_no_generation(struct kunit *test)
{
	struct ph_cache *cache = ph_bare_cache(test, 100, PH_KEEP_SLACK);
	struct ph_slab *slab = ph_grow(test, cache, true);
	u16 gen = slab->gen_first;
	struct privheap_run run;
	u64 start = slab->start;
	u32 i;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_PTR_EQ(test, slab,
				    ph_lend_from(test, cache, 7, &run));
		ph_give_run(test, slab, &run);
		KUNIT_EXPECT_EQ(test, slab->gen_first, gen);
		KUNIT_EXPECT_EQ(test, slab->used_to, 0);
	}
	KUNIT_EXPECT_EQ(test, 1, ph_cache_release_empty(cache, 0, 1) > 0);
	slab = ph_grow(test, cache, false);
	KUNIT_EXPECT_EQ(test, slab->start, start);
	KUNIT_EXPECT_EQ(test, slab->gen_first, gen);
}

static struct kunit_case ph_bare_test_cases[] = {
	KUNIT_CASE(bare_slab_only_lends),
	KUNIT_CASE(bare_slab_has_books_in_itself),
	KUNIT_CASE_PARAM(slabs_are_as_long_as_planned, ph_bare_size_gen_params),
	KUNIT_CASE(pinned_bare_slab_stays_behind_the_others),
	KUNIT_CASE(bare_slabs_lend_first),
	KUNIT_CASE(empty_slabs_that_were_bare),
	KUNIT_CASE(promises_do_not_hold_bare_slabs),
	KUNIT_CASE_PARAM(slack_comes_with_generations, ph_bare_keep_gen_params),
	KUNIT_CASE(no_room_for_generations),
	KUNIT_CASE(bare_slab_spends_no_generation),
	{}
};

static struct kunit_suite ph_bare_suite = {
	.name = "privheap_bare",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_bare_test_cases,
};

kunit_test_suite(ph_bare_suite);
