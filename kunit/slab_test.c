// SPDX-License-Identifier: GPL-2.0
/* Slabs: which slots are free, and what is kept about each. */

#include <linux/mm.h>

#include "fixture.h"

static const u32 ph_keeps[] = {
	0, PH_KEEP_SLACK, PH_KEEP_WIDE_SLACK, PH_KEEP_REFS,
	PH_KEEP_SLACK | PH_KEEP_REFS, PH_KEEP_WIDE_SLACK | PH_KEEP_REFS
};

static void ph_keep_name(const u32 *keep, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "keep %u", *keep);
}

KUNIT_ARRAY_PARAM(ph_keep, ph_keeps, ph_keep_name);

/* Fill each of a slab's arrays with bytes of its own. */
static void ph_fill_arrays(struct ph_slab *slab, u32 keep)
{
	void *slack = slab->slack;
	size_t longs = BITS_TO_LONGS(slab->nr) * sizeof(long);

	memset(slab->free, 1, longs);
	memset(slab->live, 2, longs);
	memset(slab->gen, 3, slab->nr * sizeof(u16));
	if (keep & PH_KEEP_REFS)
		memset(ph_slab_refs(slab, 0), 4,
		       slab->nr * sizeof(*ph_slab_refs(slab, 0)));
	if (keep & PH_KEEP_WIDE_SLACK)
		memset(slack, 5, slab->nr * sizeof(u16));
	else if (keep & PH_KEEP_SLACK)
		memset(slack, 5, slab->nr);
}

static bool ph_arrays_are_intact(struct ph_slab *slab, u32 keep)
{
	void *slack = slab->slack;
	size_t longs = BITS_TO_LONGS(slab->nr) * sizeof(long);
	bool bad = memchr_inv(slab->free, 1, longs) ||
		   memchr_inv(slab->live, 2, longs) ||
		   memchr_inv(slab->gen, 3, slab->nr * sizeof(u16));

	if (keep & PH_KEEP_REFS)
		bad |= !!memchr_inv(ph_slab_refs(slab, 0), 4,
				    slab->nr * sizeof(*ph_slab_refs(slab, 0)));
	if (keep & PH_KEEP_WIDE_SLACK)
		bad |= !!memchr_inv(slack, 5, slab->nr * sizeof(u16));
	else if (keep & PH_KEEP_SLACK)
		bad |= !!memchr_inv(slack, 5, slab->nr);
	return !bad;
}

static void slab_metadata_arrays_do_not_overlap(struct kunit *test)
{
	const u32 *keep = test->param_value;
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab;
	u32 stride, tried = 0;

	for (stride = 8; stride <= PAGE_SIZE; stride += 56, tried++) {
		slab = ph_fixture_new_slab(test, stride, *keep);
		ph_fill_arrays(slab, *keep);
		KUNIT_EXPECT_TRUE(test, ph_arrays_are_intact(slab, *keep));
		/* A refusal to wrap: destroy looks at the generations. */
		memset(slab->gen, 0, slab->nr * sizeof(u16));
		ph_slab_destroy(fix->region, slab, false);
	}
	KUNIT_EXPECT_EQ(test, tried, 74);
}

static void slab_is_complete_when_created(struct kunit *test)
{
	const u32 *keep = test->param_value;
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab = ph_fixture_new_slab(test, 48, *keep);

	KUNIT_EXPECT_EQ(test, slab->nr, PAGE_SIZE / 48);
	KUNIT_EXPECT_EQ(test, slab->reach, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, slab->taken, 0);
	KUNIT_EXPECT_EQ(test, slab->used_to, 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(slab->free, slab->nr), slab->nr);
	KUNIT_EXPECT_EQ(test, ph_slab_live(slab), 0);
	KUNIT_EXPECT_EQ(test, !!slab->refs_at, !!(*keep & PH_KEEP_REFS));
	KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(slab->addr, PAGE_SIZE));
	KUNIT_EXPECT_PTR_EQ(test, slab,
			    ph_fixture_slab(fix->region, slab->start));
}

/* The multiplication has to agree with the division at every offset. */
static u32 ph_division_errors(const struct ph_slab *slab)
{
	u32 offset, slot, wrong = 0;
	bool begins;

	for (offset = 0; offset < slab->reach; offset++) {
		begins = ph_slab_slot(slab, offset, &slot);
		wrong += slot != offset / slab->stride;
		wrong += begins != !(offset % slab->stride);
	}
	return wrong;
}

static void slab_division_is_exact(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u32 size, tried = 0, wrong = 0;
	struct ph_slab *slab;
	struct ph_geo geo;

	for (size = 1; size <= PH_SLOT_MAX; size += 1 + size / 16, tried++) {
		KUNIT_ASSERT_EQ(test, ph_geo_init(&geo, size, 1, 0), 0);
		geo.pages = PH_SLAB_MAX_PAGES;
		slab = ph_slab_create(fix->region, NULL, &geo, PH_GFP);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, slab);
		wrong += ph_division_errors(slab);
		ph_slab_destroy(fix->region, slab, false);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, tried, 100);
}

/* What a round tells of its slot, for every slot of slabs of many kinds. */
static void slab_rounds_name_their_slots(struct kunit *test)
{
	static u64 rounds[32768];
	struct ph_fixture *fix = test->priv;
	u32 size, i, got, fresh = 0, wrong = 0;
	struct ph_slab *slab;
	struct ph_geo geo;

	fix->region->tag = 0xabULL << PH_TAG_SHIFT;
	for (size = 1; size <= PH_SLOT_MAX; size += 1 + size / 3) {
		KUNIT_ASSERT_EQ(test, ph_geo_init(&geo, size, 1, 0), 0);
		slab = ph_slab_create(fix->region, NULL, &geo, PH_GFP);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, slab);
		got = ph_slab_take(slab, rounds, slab->nr, &fresh);
		KUNIT_EXPECT_EQ(test, got, slab->nr);
		for (i = 0; i < got; i++) {
			wrong += ph_round_slot(slab, rounds[i]) != i;
			wrong += ph_round_offset(rounds[i]) !=
				 slab->start + i * slab->stride;
			wrong += ph_round_key(rounds[i]) !=
				 slab->key + i * slab->stride;
			ph_fixture_give(slab, i);
		}
		ph_slab_destroy(fix->region, slab, false);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	fix->region->tag = 0;
}

static void slab_take_gives_lowest_first(struct kunit *test)
{
	struct ph_slab *slab = ph_fixture_new_slab(test, PAGE_SIZE / 8, 0);
	u64 rounds[8];
	u32 fresh = 0, i;

	KUNIT_EXPECT_EQ(test, ph_slab_take(slab, rounds, 8, &fresh), 8);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, ph_round_slot(slab, rounds[i]), i);
		KUNIT_EXPECT_EQ(test, ph_round_offset(rounds[i]),
				slab->start + i * PAGE_SIZE / 8);
	}
}

static void slab_take_when_full(struct kunit *test)
{
	struct ph_slab *slab = ph_fixture_new_slab(test, PAGE_SIZE / 4, 0);
	u64 rounds[8];
	u32 fresh = 0;

	KUNIT_EXPECT_EQ(test, ph_slab_take(slab, rounds, 8, &fresh), 4);
	KUNIT_EXPECT_EQ(test, ph_slab_take(slab, rounds, 8, &fresh), 0);
	KUNIT_EXPECT_EQ(test, slab->taken, 4);
	KUNIT_EXPECT_EQ(test, fresh, 4);
}

static void slab_take_counts_fresh_slots_once(struct kunit *test)
{
	struct ph_slab *slab = ph_fixture_new_slab(test, PAGE_SIZE / 8, 0);
	u64 rounds[8];
	u32 fresh = 0;

	ph_slab_take(slab, rounds, 3, &fresh);
	KUNIT_EXPECT_EQ(test, fresh, 3);
	KUNIT_EXPECT_TRUE(test, ph_fixture_give(slab, 1));
	ph_slab_take(slab, rounds, 1, &fresh);
	KUNIT_EXPECT_EQ(test, fresh, 3);
	KUNIT_EXPECT_TRUE(test, ph_fixture_give(slab, 0));
	/* Slot 0 was used, 3 and 4 were not. */
	ph_slab_take(slab, rounds, 3, &fresh);
	KUNIT_EXPECT_EQ(test, fresh, 5);
}

/* What is free decides what comes next, however it came about. */
static void slab_take_from_every_set_of_free_slots(struct kunit *test)
{
	struct ph_slab *slab = ph_fixture_new_slab(test, PAGE_SIZE / 6, 0);
	u32 set, nr, i, slot, got, want, fresh = 0, tried = 0;
	u64 rounds[6];

	ph_slab_take(slab, rounds, 6, &fresh);
	for (set = 0; set < 1 << 6; set++) {
		for (nr = 1; nr <= 6; nr++, tried++) {
			for (i = 0; i < 6; i++)
				if (set & (1 << i))
					ph_fixture_give(slab, i);
			got = ph_slab_take(slab, rounds, nr, &fresh);
			want = min(nr, hweight32(set));
			KUNIT_ASSERT_EQ(test, got, want);
			for (i = 0, slot = 0; i < got; i++, slot++) {
				while (!(set & (1 << slot)))
					slot++;
				KUNIT_ASSERT_EQ(test, slot,
						ph_round_slot(slab, rounds[i]));
			}
			ph_slab_take(slab, rounds, 6, &fresh);
			KUNIT_ASSERT_EQ(test, slab->taken, 6);
		}
	}
	KUNIT_EXPECT_EQ(test, tried, 64 * 6);
	KUNIT_EXPECT_EQ(test, fresh, 6);
}

static void ph_try_give_order(struct kunit *test, struct ph_slab *slab,
			      const u32 *order, u32 nr)
{
	u64 rounds[6];
	u32 fresh = 0, i, slot;

	KUNIT_ASSERT_EQ(test, ph_slab_take(slab, rounds, nr, &fresh), nr);
	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_TRUE(test, ph_fixture_give(slab, order[i]));
		KUNIT_ASSERT_EQ(test, slab->taken, nr - i - 1);
		/* What was given last comes back, or one below it. */
		KUNIT_ASSERT_EQ(test, ph_slab_take(slab, rounds, 1, &fresh), 1);
		KUNIT_ASSERT_LE(test, ph_round_slot(slab, rounds[0]), order[i]);
		slot = ph_round_slot(slab, rounds[0]);
		KUNIT_ASSERT_TRUE(test, ph_fixture_give(slab, slot));
	}
	KUNIT_ASSERT_EQ(test, bitmap_weight(slab->free, nr), nr);
}

static void slab_give_in_every_order(struct kunit *test)
{
	u32 order[6] = { 0, 1, 2, 3, 4, 5 }, orders = 0;
	struct ph_slab *slab = ph_fixture_new_slab(test, PAGE_SIZE / 6, 0);

	KUNIT_ASSERT_EQ(test, slab->nr, 6);
	do {
		ph_try_give_order(test, slab, order, 6);
		orders++;
	} while (ph_next_permutation(order, 6));
	KUNIT_EXPECT_EQ(test, orders, 720);
}

static const u32 ph_word_edges[] = { 1, 2, 63, 64, 65, 127, 128, 129 };

static void ph_word_edge_name(const u32 *slots, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u slots", *slots);
}

KUNIT_ARRAY_PARAM(ph_word_edge, ph_word_edges, ph_word_edge_name);

static void slab_take_across_bitmap_words(struct kunit *test)
{
	const u32 *slots = test->param_value;
	struct ph_slab *slab = ph_fixture_new_slab(test, PAGE_SIZE / *slots, 0);
	u32 step, i, fresh, got;
	u64 rounds[140];

	/* A stride that divides the page badly leaves room for more slots. */
	KUNIT_ASSERT_GE(test, slab->nr, *slots);
	KUNIT_ASSERT_LE(test, slab->nr, ARRAY_SIZE(rounds));
	for (step = 1; step <= slab->nr; step += 1 + step / 3) {
		fresh = 0;
		for (i = 0; i < slab->nr; i += got) {
			got = ph_slab_take(slab, rounds + i, step, &fresh);
			KUNIT_ASSERT_EQ(test, got, min(step, slab->nr - i));
		}
		for (i = 0; i < slab->nr; i++) {
			KUNIT_ASSERT_EQ(test, i,
					ph_round_slot(slab, rounds[i]));
			KUNIT_ASSERT_TRUE(test, ph_fixture_give(slab, i));
		}
	}
	KUNIT_EXPECT_EQ(test, slab->taken, 0);
}

static void slab_live_counts_bits(struct kunit *test)
{
	struct ph_slab *slab = ph_fixture_new_slab(test, 32, 0);
	u32 i;

	for (i = 0; i < slab->nr; i++) {
		KUNIT_EXPECT_EQ(test, ph_slab_live(slab), i);
		set_bit(i, slab->live);
	}
	KUNIT_EXPECT_EQ(test, ph_slab_live(slab), slab->nr);
}

static void slab_destroy_gives_everything_back(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab = ph_fixture_new_slab(test, 32, PH_KEEP_REFS);
	u64 tables, held = ph_fixture_held(fix->region);

	tables = held - PAGE_SIZE - ph_region_meta_cost(slab->meta_bytes);
	ph_slab_destroy(fix->region, slab, false);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), tables);
}

static void slab_destroy_remembers_generations(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab = ph_fixture_new_slab(test, 64, 0);
	u64 start = slab->start;

	KUNIT_EXPECT_EQ(test, slab->gen_first, 1);
	slab->gen[7] = 123;
	slab->gen[63] = 45;
	ph_slab_destroy(fix->region, slab, false);
	slab = ph_fixture_new_slab(test, 128, 0);
	KUNIT_EXPECT_EQ(test, slab->start, start);
	KUNIT_EXPECT_EQ(test, slab->gen_first, 123);
	KUNIT_EXPECT_EQ(test, slab->gen[0], 123);
	KUNIT_EXPECT_EQ(test, slab->gen[31], 123);
}

/* Raise the maximum byte by byte until it is enough. */
static void slab_create_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_geo geo = { .stride = 32, .pages = 2, .keep = 0 };
	struct ph_fixture *fix = test->priv;
	u32 failures = 0, changes = 0;
	struct ph_slab *slab;
	u64 base, max;

	/* The tables are there before. */
	ph_slab_destroy(fix->region, ph_fixture_new_slab(test, 32, 0), false);
	base = ph_fixture_held(fix->region);
	for (max = base;; max += 8, failures++) {
		fix->region->hard_max = max;
		slab = ph_slab_create(fix->region, NULL, &geo, PH_GFP);
		if (!IS_ERR(slab))
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR(slab), -EDQUOT);
		changes += ph_fixture_held(fix->region) != base;
	}
	KUNIT_EXPECT_EQ(test, changes, 0);
	/* Where there is room for but one page it is a slab of one page. */
	KUNIT_EXPECT_GE(test, failures, PAGE_SIZE / 8);
	KUNIT_EXPECT_EQ(test, slab->nr_pages, 1);
	KUNIT_EXPECT_LE(test, ph_fixture_held(fix->region), max);
	ph_slab_publish(fix->region, slab);
}

static struct kunit_case ph_slab_test_cases[] = {
	KUNIT_CASE_PARAM(slab_metadata_arrays_do_not_overlap,
			 ph_keep_gen_params),
	KUNIT_CASE_PARAM(slab_is_complete_when_created, ph_keep_gen_params),
	KUNIT_CASE(slab_division_is_exact),
	KUNIT_CASE(slab_rounds_name_their_slots),
	KUNIT_CASE(slab_take_gives_lowest_first),
	KUNIT_CASE(slab_take_when_full),
	KUNIT_CASE(slab_take_counts_fresh_slots_once),
	KUNIT_CASE(slab_take_from_every_set_of_free_slots),
	KUNIT_CASE(slab_give_in_every_order),
	KUNIT_CASE_PARAM(slab_take_across_bitmap_words,
			 ph_word_edge_gen_params),
	KUNIT_CASE(slab_live_counts_bits),
	KUNIT_CASE(slab_destroy_gives_everything_back),
	KUNIT_CASE(slab_destroy_remembers_generations),
	KUNIT_CASE(slab_create_when_hard_max_is_in_the_way),
	{}
};

static struct kunit_suite ph_slab_suite = {
	.name = "privheap_slab",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_slab_test_cases,
};

kunit_test_suite(ph_slab_suite);
