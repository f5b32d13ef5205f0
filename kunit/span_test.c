// SPDX-License-Identifier: GPL-2.0
/* Spans: slabs that are one large object. */

#include <linux/mm.h>

#include "fixture.h"

static struct ph_slab *ph_span_of(struct kunit *test, u32 keep, u32 pages)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *span = ph_span_create(fix->region, NULL, keep, pages,
					      true);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, span);
	ph_slab_publish(fix->region, span);
	return span;
}

static const u32 ph_span_pages[] = { 1, 3, 511, 512, 513, 1300 };

static void ph_span_name(const u32 *pages, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u pages", *pages);
}

KUNIT_ARRAY_PARAM(ph_span, ph_span_pages, ph_span_name);

static void span_is_complete_when_created(struct kunit *test)
{
	const u32 *pages = test->param_value;
	struct ph_slab *span = ph_span_of(test, 0, *pages);
	u32 i, wrong = 0;

	KUNIT_EXPECT_TRUE(test, ph_slab_is_span(span));
	KUNIT_EXPECT_EQ(test, span->nr, 1);
	KUNIT_EXPECT_EQ(test, ph_slab_bytes(span), (u64)*pages << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, span->reach, (u64)*pages << PAGE_SHIFT);
	for (i = 0; i < *pages; i++)
		wrong += !ph_fixture_is_zero(page_address(span->pages[i]),
					     PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void span_is_found_by_each_of_its_pages(struct kunit *test)
{
	const u32 *pages = test->param_value;
	struct ph_slab *span = ph_span_of(test, 0, *pages);
	struct ph_fixture *fix = test->priv;
	u32 i, wrong = 0;

	for (i = 0; i < *pages; i++)
		wrong += ph_fixture_slab(fix->region, span->start +
					 ((u64)i << PAGE_SHIFT)) != span;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void span_destroy_gives_everything_back(struct kunit *test)
{
	const u32 *pages = test->param_value;
	struct ph_fixture *fix = test->priv;
	u64 held;

	ph_slab_destroy(fix->region, ph_span_of(test, 0, *pages), false);
	/* A large region asks for more than it needs. */
	ph_region_trim(fix->region);
	held = ph_fixture_held(fix->region);
	ph_slab_destroy(fix->region, ph_span_of(test, 0, *pages), false);
	ph_region_trim(fix->region);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), held);
	KUNIT_EXPECT_EQ(test, held, atomic64_read(&fix->region->metadata));
}

static void span_without_pages_is_destroyed_alone(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *span;
	u64 held;

	ph_slab_destroy(fix->region, ph_span_of(test, 0, 5), false);
	held = ph_fixture_held(fix->region);
	span = ph_span_alloc(fix->region, NULL, 0, 5);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, span);
	KUNIT_EXPECT_NULL(test, span->pages[0]);
	KUNIT_ASSERT_EQ(test, ph_span_map(fix->region, span), 0);
	ph_slab_destroy(fix->region, span, false);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), held);
}

static void span_has_one_slot(struct kunit *test)
{
	struct ph_slab *span = ph_span_of(test, 0, 5);
	u64 round[2];
	u32 fresh = 0;

	KUNIT_EXPECT_EQ(test, ph_slab_take(span, round, 2, &fresh), 1);
	KUNIT_EXPECT_EQ(test, ph_round_offset(round[0]), span->start);
	KUNIT_EXPECT_EQ(test, ph_slab_take(span, round, 1, &fresh), 0);
	KUNIT_EXPECT_TRUE(test, ph_slab_give(span, round[0]));
	KUNIT_EXPECT_EQ(test, ph_slab_take(span, round, 1, &fresh), 1);
	KUNIT_EXPECT_EQ(test, fresh, 1);
}

static void span_keeps_references_only_where_asked(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ph_span_of(test, 0, 2)->refs_at, 0);
	KUNIT_EXPECT_EQ(test, ph_span_of(test, PH_KEEP_SLACK, 2)->refs_at, 0);
	KUNIT_EXPECT_NE(test, ph_span_of(test, PH_KEEP_REFS, 2)->refs_at, 0);
}

static void span_begins_at_its_first_byte_only(struct kunit *test)
{
	struct ph_slab *span = ph_span_of(test, 0, 3);
	u32 offset, slot, wrong = 0;

	KUNIT_EXPECT_TRUE(test, ph_slab_slot(span, 0, &slot));
	KUNIT_EXPECT_EQ(test, slot, 0);
	for (offset = 1; offset < 3 * PAGE_SIZE; offset++)
		wrong += ph_slab_slot(span, offset, &slot) || slot;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/*
 * A multiple of 2^32 would look like the beginning of a slot that is not there:
 * no look-up may come so far.
 */
static void span_reaches_below_4_gib(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *span = ph_span_of(test, 0, 3);
	u32 slot;

	KUNIT_EXPECT_EQ(test, span->reach, ph_slab_bytes(span));
	KUNIT_EXPECT_TRUE(test, ph_slab_slot(span, 1ULL << 32, &slot));
	KUNIT_EXPECT_NE(test, slot, 0);
	/* Its pages would not fit this machine: it has none. */
	span = ph_span_alloc(fix->region, NULL, 0, 5UL << (30 - PAGE_SHIFT));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, span);
	KUNIT_ASSERT_EQ(test, ph_span_map(fix->region, span), 0);
	KUNIT_EXPECT_EQ(test, ph_slab_bytes(span), 5ULL << 30);
	KUNIT_EXPECT_LE(test, span->reach, (u64)U32_MAX);
	ph_slab_destroy(fix->region, span, false);
}

static void span_create_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u32 failures = 0, changes = 0;
	struct ph_slab *span;
	u64 base, max;

	ph_slab_destroy(fix->region, ph_span_of(test, 0, 3), false);
	base = ph_fixture_held(fix->region);
	for (max = base;; max += 8, failures++) {
		fix->region->hard_max = max;
		span = ph_span_create(fix->region, NULL, 0, 3, true);
		if (!IS_ERR(span))
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR(span), -EDQUOT);
		changes += ph_fixture_held(fix->region) != base;
	}
	KUNIT_EXPECT_EQ(test, changes, 0);
	KUNIT_EXPECT_GE(test, failures, 3 * PAGE_SIZE / 8);
	ph_slab_publish(fix->region, span);
}

static struct kunit_case ph_span_test_cases[] = {
	KUNIT_CASE_PARAM(span_is_complete_when_created, ph_span_gen_params),
	KUNIT_CASE_PARAM(span_is_found_by_each_of_its_pages,
			 ph_span_gen_params),
	KUNIT_CASE_PARAM(span_destroy_gives_everything_back,
			 ph_span_gen_params),
	KUNIT_CASE(span_without_pages_is_destroyed_alone),
	KUNIT_CASE(span_has_one_slot),
	KUNIT_CASE(span_keeps_references_only_where_asked),
	KUNIT_CASE(span_begins_at_its_first_byte_only),
	KUNIT_CASE(span_reaches_below_4_gib),
	KUNIT_CASE(span_create_when_hard_max_is_in_the_way),
	{}
};

static struct kunit_suite ph_span_suite = {
	.name = "privheap_span",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_span_test_cases,
};

kunit_test_suite(ph_span_suite);
