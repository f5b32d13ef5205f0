// SPDX-License-Identifier: GPL-2.0
/* Region: which offsets are taken, and by which slab. */

#include "fixture.h"
#include "unit.h"

/* Only the address of a slab matters to the region. */
static u64 ph_fake_memory[8][4];

static struct ph_slab *ph_fake_slab(u32 nr)
{
	return (struct ph_slab *)ph_fake_memory[nr % 8];
}

static u64 ph_map(struct kunit *test, unsigned long pages)
{
	struct ph_fixture *fix = test->priv;
	u64 start = U64_MAX;
	u16 gen;

	KUNIT_ASSERT_EQ(test, 0,
			ph_region_map(fix->region, pages, NULL, &start, &gen));
	return start;
}

static u16 ph_map_gen(struct kunit *test, unsigned long pages, u64 *start)
{
	struct ph_fixture *fix = test->priv;
	u16 gen = 0;

	KUNIT_ASSERT_EQ(test, 0,
			ph_region_map(fix->region, pages, NULL, start, &gen));
	return gen;
}

static void ph_unmap(struct ph_region *region, u64 start, unsigned long pages,
		     u16 gen_next)
{
	ph_region_unpublish(region, start, pages, gen_next);
	ph_region_unmap(region, start, pages, NULL);
}

static u64 ph_end(struct ph_region *region)
{
	u64 end;

	rcu_read_lock();
	end = ph_region_end(region);
	rcu_read_unlock();
	return end;
}

static void region_lookup_when_new(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, ph_end(fix->region), 0);
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(fix->region, 0));
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(fix->region, U64_MAX));
	KUNIT_EXPECT_EQ(test, ph_region_gen(fix->region, 0),
			fix->region->gen_first);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

/* What was mapped of the last slab has to go before there is another one. */
static void range_is_taken_until_unmapped(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start = ph_map(test, 3);

	ph_region_publish(fix->region, ph_fake_slab(1), start, 3);
	ph_region_unpublish(fix->region, start, 3, 9);
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(fix->region, start));
	KUNIT_EXPECT_EQ(test, ph_region_gen(fix->region, start), 9);
	KUNIT_EXPECT_NE(test, ph_map(test, 3), start);
	ph_region_unmap(fix->region, start, 3, NULL);
	KUNIT_EXPECT_EQ(test, ph_map(test, 3), start);
}

static void region_map_when_new(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start = U64_MAX;

	KUNIT_EXPECT_EQ(test, ph_map_gen(test, 3, &start),
			fix->region->gen_first);
	KUNIT_EXPECT_EQ(test, start, 0);
}

static void region_map_never_overlaps(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	unsigned long *seen, page, pages, i;
	const unsigned long nr = 4096;

	seen = kunit_kzalloc(test, nr / BITS_PER_BYTE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (i = 0; i < 700; i++) {
		pages = 1 + ph_fixture_random(fix, 8);
		page = ph_map(test, pages) >> PAGE_SHIFT;
		KUNIT_ASSERT_LE(test, page + pages, nr);
		KUNIT_ASSERT_GE(test, find_next_bit(seen, page + pages, page),
				page + pages);
		bitmap_set(seen, page, pages);
	}
}

static const unsigned long ph_lengths[] = {
	1, 2, 7, PH_SEG_PAGES - 1, PH_SEG_PAGES, PH_SEG_PAGES + 1,
	2 * PH_SEG_PAGES, 2 * PH_SEG_PAGES + 1, 1500
};

static void ph_length_name(const unsigned long *pages, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%lu pages", *pages);
}

KUNIT_ARRAY_PARAM(ph_length, ph_lengths, ph_length_name);

static void region_publish_covers_its_range_only(struct kunit *test)
{
	const unsigned long *pages = test->param_value;
	struct ph_fixture *fix = test->priv;
	unsigned long page, wrong = 0;
	u64 start;

	ph_map(test, 1);
	start = ph_map(test, *pages);
	ph_region_publish(fix->region, ph_fake_slab(0), start, *pages);
	for (page = 0; page < ph_end(fix->region) >> PAGE_SHIFT; page++) {
		u64 offset = (u64)page << PAGE_SHIFT;
		bool inside = offset >= start &&
			      offset - start < (u64)*pages << PAGE_SHIFT;
		struct ph_slab *want = inside ? ph_fake_slab(0) : NULL;

		wrong += ph_fixture_slab(fix->region, offset) != want;
		wrong += ph_fixture_slab(fix->region,
					 offset + PAGE_SIZE - 1) != want;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	ph_unmap(fix->region, start, *pages, 1);
}

static void region_lookup_beyond_end(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start = ph_map(test, PH_SEG_PAGES), end = ph_end(fix->region);

	ph_region_publish(fix->region, ph_fake_slab(0), start, PH_SEG_PAGES);
	KUNIT_EXPECT_NOT_NULL(test, ph_fixture_slab(fix->region, end - 1));
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(fix->region, end));
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(fix->region,
						PH_REGION_MAX_BYTES));
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(fix->region, U64_MAX));
	KUNIT_EXPECT_EQ(test, ph_region_gen(fix->region, end),
			fix->region->gen_first);
	KUNIT_EXPECT_EQ(test, ph_region_gen(fix->region, U64_MAX),
			fix->region->gen_first);
	ph_unmap(fix->region, start, PH_SEG_PAGES, 1);
}

static void region_unmap_hides_slab(struct kunit *test)
{
	const unsigned long *pages = test->param_value;
	struct ph_fixture *fix = test->priv;
	u64 start = ph_map(test, *pages);
	unsigned long page, wrong = 0;

	ph_region_publish(fix->region, ph_fake_slab(0), start, *pages);
	ph_unmap(fix->region, start, *pages, 5);
	for (page = 0; page < *pages; page++) {
		u64 offset = start + ((u64)page << PAGE_SHIFT);

		wrong += !!ph_fixture_slab(fix->region, offset);
		wrong += ph_region_gen(fix->region, offset) != 5;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void region_map_reuses_gap(struct kunit *test)
{
	const unsigned long *pages = test->param_value;
	struct ph_fixture *fix = test->priv;
	u64 end, gap;

	ph_map(test, *pages);
	gap = ph_map(test, *pages);
	ph_map(test, *pages);
	end = ph_end(fix->region);
	ph_unmap(fix->region, gap, *pages, 1);
	KUNIT_EXPECT_EQ(test, ph_map(test, *pages), gap);
	KUNIT_EXPECT_EQ(test, ph_end(fix->region), end);
}

static void region_map_when_gap_is_too_short(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 gap, next;

	ph_map(test, 2);
	gap = ph_map(test, 3);
	next = ph_map(test, 2);
	ph_unmap(fix->region, gap, 3, 1);
	KUNIT_EXPECT_EQ(test, ph_map(test, 4), next + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ph_map(test, 3), gap);
}

static void region_map_large_starts_a_segment(struct kunit *test)
{
	u64 seg_bytes = (u64)PH_SEG_PAGES << PAGE_SHIFT;
	int i;

	ph_map(test, 1);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0,
				ph_map(test, PH_SEG_PAGES + 1 + i) % seg_bytes);
}

/* Where a range may have units it begins where one can be mapped as a whole. */
static void region_map_aligns_what_has_units(struct kunit *test)
{
	static const unsigned long lengths[] = {
		PH_UNIT_PAGES, PH_UNIT_PAGES + 1, 3 * PH_UNIT_PAGES - 1,
		PH_UNIT_PAGES,
	};
	struct ph_fixture *fix = test->priv;
	u64 small = ph_map(test, 3), start[ARRAY_SIZE(lengths)], after;
	u32 i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		start[i] = ph_map(test, lengths[i]);
		wrong += ph_unit_any() && start[i] % PH_UNIT_BYTES;
		wrong += start[i] < (i ? start[i - 1] +
				     (lengths[i - 1] << PAGE_SHIFT) : small + 1);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	/* The gap before the first serves what is shorter. */
	after = ph_map(test, 2 * PH_SEG_PAGES);
	if (ph_unit_any())
		KUNIT_EXPECT_LT(test, after, start[0]);
	/* A gap that is long enough, though not from where it begins. */
	ph_region_unmap(fix->region, start[1], lengths[1], NULL);
	ph_region_unmap(fix->region, start[2], lengths[2], NULL);
	KUNIT_EXPECT_EQ(test, start[1], ph_map(test, 4 * PH_UNIT_PAGES));
}

/* Books for an offset that is aligned may be too much: then it is not. */
static void region_map_aligned_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 base, start, max;
	u32 failures = 0;
	u16 gen;

	ph_map(test, 1);
	base = ph_fixture_held(fix->region);
	for (max = base;; max += 64, failures++) {
		fix->region->hard_max = max;
		if (!ph_region_map(fix->region, PH_UNIT_PAGES, NULL, &start, &gen))
			break;
	}
	KUNIT_EXPECT_GT(test, failures, 0);
	if (PH_UNIT_PAGES > PH_SEG_PAGES)
		KUNIT_EXPECT_EQ(test, start % ((u64)PH_SEG_PAGES << PAGE_SHIFT), 0);
	fix->region->hard_max = PH_TEST_MAX_BYTES;
}

static void region_map_small_uses_tail_of_large(struct kunit *test)
{
	u64 start = ph_map(test, PH_SEG_PAGES + 10);
	u64 tail = start + ((u64)(PH_SEG_PAGES + 10) << PAGE_SHIFT);

	KUNIT_EXPECT_EQ(test, ph_map(test, 5), tail);
}

static void region_generation_survives_unmap(struct kunit *test)
{
	const unsigned long *pages = test->param_value;
	struct ph_fixture *fix = test->priv;
	u64 start, again;

	ph_map_gen(test, *pages, &start);
	ph_unmap(fix->region, start, *pages, 77);
	KUNIT_EXPECT_EQ(test, ph_map_gen(test, *pages, &again), 77);
	KUNIT_EXPECT_EQ(test, again, start);
}

static void region_generation_is_the_largest_of_the_range(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 a, b, c;

	ph_map_gen(test, 2, &a);
	ph_map_gen(test, 2, &b);
	ph_unmap(fix->region, a, 2, 9);
	ph_unmap(fix->region, b, 2, U16_MAX);
	KUNIT_EXPECT_EQ(test, ph_map_gen(test, 1, &c), 9);
	KUNIT_EXPECT_EQ(test, ph_map_gen(test, 3, &c), U16_MAX);
}

static void region_tables_grow_with_content_kept(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start[70];
	u32 i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(start); i++) {
		start[i] = ph_map(test, PH_SEG_PAGES);
		ph_region_publish(fix->region, ph_fake_slab(i), start[i],
				  PH_SEG_PAGES);
	}
	for (i = 0; i < ARRAY_SIZE(start); i++) {
		wrong += ph_fixture_slab(fix->region, start[i]) !=
			 ph_fake_slab(i);
		ph_unmap(fix->region, start[i], PH_SEG_PAGES, i + 2);
	}
	ph_map(test, 100 * PH_SEG_PAGES);
	for (i = 0; i < ARRAY_SIZE(start); i++)
		wrong += ph_region_gen(fix->region, start[i]) != i + 2;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void region_map_when_hard_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start, held;
	u16 gen;

	ph_map(test, PH_SEG_PAGES);
	held = ph_fixture_held(fix->region);
	fix->region->hard_max = held + 100;
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			ph_region_map(fix->region, 1, NULL, &start, &gen));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), held);
	fix->region->hard_max = PH_TEST_MAX_BYTES;
	KUNIT_EXPECT_EQ(test, 0, ph_region_map(fix->region, 1, NULL, &start, &gen));
}

static void region_map_when_hard_max_allows_nothing(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start, max, held;
	u32 failures = 0;
	u16 gen;
	int err;

	for (max = 0; max <= 16384; max += 8) {
		fix->region->hard_max = max;
		err = ph_region_map(fix->region, 1, NULL, &start, &gen);
		held = ph_fixture_held(fix->region);
		KUNIT_EXPECT_LE(test, held, max);
		if (!err)
			break;
		KUNIT_EXPECT_EQ(test, err, -EDQUOT);
		KUNIT_EXPECT_EQ(test, held, 0);
		failures++;
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, failures, 0);
}

static void region_map_when_longer_than_any_region(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 start;
	u16 gen;

	KUNIT_EXPECT_EQ(test, -ENOMEM,
			ph_region_map(fix->region,
				      (PH_REGION_MAX_BYTES >> PAGE_SHIFT) + 1,
				      NULL, &start, &gen));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

/* Map four ranges, unmap them in one order: everything has to be free again. */
static void ph_region_try_order(struct kunit *test, const u32 *lengths,
				const u32 *order)
{
	struct ph_fixture *fix = test->priv;
	u64 start[4], next = 0;
	u32 i;

	for (i = 0; i < 4; i++) {
		start[i] = ph_map(test, lengths[i]);
		KUNIT_ASSERT_EQ(test, start[i], next);
		next += (u64)lengths[i] << PAGE_SHIFT;
	}
	for (i = 0; i < 4; i++) {
		u32 nr = order[i];
		u64 again;

		ph_unmap(fix->region, start[nr], lengths[nr], 1);
		again = ph_map(test, lengths[nr]);
		KUNIT_ASSERT_LE(test, again, start[nr]);
		ph_unmap(fix->region, again, lengths[nr], 1);
	}
	KUNIT_ASSERT_EQ(test, ph_map(test, PH_SEG_PAGES), 0);
	ph_unmap(fix->region, 0, PH_SEG_PAGES, 1);
}

static void region_unmap_in_every_order(struct kunit *test)
{
	u32 order[4], lengths[4], code, i, tried = 0;

	for (code = 0; code < 81; code++) {
		u32 rest = code;

		for (i = 0; i < 4; i++, rest /= 3) {
			lengths[i] = 1 + rest % 3;
			order[i] = i;
		}
		do {
			ph_region_try_order(test, lengths, order);
			tried++;
		} while (ph_next_permutation(order, 4));
	}
	KUNIT_EXPECT_EQ(test, tried, 81 * 24);
}

static const u64 ph_seg_bytes = (u64)PH_SEG_PAGES << PAGE_SHIFT;

/* Segments that are full, or of which but one page is free. */
static void ph_fill_segments(struct kunit *test, u32 nr, bool gaps)
{
	struct ph_fixture *fix = test->priv;
	u32 i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, ph_map(test, PH_SEG_PAGES),
				i * ph_seg_bytes);
	for (i = 0; i < nr && gaps; i++)
		ph_region_unmap(fix->region, i * ph_seg_bytes + 5 * PAGE_SIZE, 1,
				NULL);
}

/* No length is looked for twice where there is no room for any like it. */
static void region_search_begins_where_there_is_room(struct kunit *test)
{
	static const unsigned long lengths[] = {
		2, PH_HINTS_EXACT, 9, 40, PH_SEG_PAGES, PH_SEG_PAGES + 1, 5 * PH_SEG_PAGES,
	};
	struct ph_fixture *fix = test->priv;
	u32 *hint = fix->region->anyone.hint;
	u64 start[ARRAY_SIZE(lengths)];
	u32 i;

	ph_fill_segments(test, 40, true);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		start[i] = ph_map(test, lengths[i]);
		KUNIT_EXPECT_GE(test, start[i], 40 * ph_seg_bytes);
	}
	KUNIT_EXPECT_EQ(test, hint[0], 0);
	KUNIT_EXPECT_GE(test, hint[1], 40);
	KUNIT_EXPECT_GE(test, hint[PH_HINTS_EXACT - 1], 40);
	KUNIT_EXPECT_GE(test, hint[PH_HINTS_EXACT], 40);
	KUNIT_EXPECT_GE(test, hint[PH_HINTS_EXACT + 1], 40);
	/* Nor is any that has come back missed. */
	ph_region_unmap(fix->region, 7 * ph_seg_bytes, 5, NULL);
	ph_region_unmap(fix->region, 7 * ph_seg_bytes + 6 * PAGE_SIZE,
			PH_SEG_PAGES - 6, NULL);
	KUNIT_EXPECT_EQ(test, ph_map(test, 9), 7 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map(test, 1), 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ph_map(test, 40),
			7 * ph_seg_bytes + 9 * PAGE_SIZE);
}

/* What a longer range has no room in may have some for a shorter one. */
static void region_search_leaves_room_for_shorter_ones(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 end;

	ph_fill_segments(test, 10, false);
	ph_region_unmap(fix->region, 2 * ph_seg_bytes, 20, NULL);
	ph_region_unmap(fix->region, 4 * ph_seg_bytes, PH_SEG_PAGES, NULL);
	ph_region_unmap(fix->region, 6 * ph_seg_bytes, 2 * PH_SEG_PAGES, NULL);
	end = ph_map(test, 3 * PH_SEG_PAGES);
	KUNIT_EXPECT_EQ(test, end, 10 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map(test, 30), 4 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map(test, 2 * PH_SEG_PAGES), 6 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map(test, 10), 2 * ph_seg_bytes);
}

/* More segments than are looked at with the lock held, and runs across. */
static void region_search_goes_on_where_it_stopped(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	const u64 nr = 1500;
	u64 gap = 500 * ph_seg_bytes;

	ph_fill_segments(test, nr, true);
	KUNIT_EXPECT_EQ(test, ph_map(test, 2), nr * ph_seg_bytes);
	ph_region_unmap(fix->region, gap, 5, NULL);
	ph_region_unmap(fix->region, gap + 6 * PAGE_SIZE, PH_SEG_PAGES - 6, NULL);
	KUNIT_EXPECT_EQ(test, ph_map(test, 2 * PH_SEG_PAGES),
			(nr + 1) * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map(test, PH_SEG_PAGES), gap);
	KUNIT_EXPECT_EQ(test, ph_map(test, 1), 5 * PAGE_SIZE);
}

static void region_search_finds_a_run_across_a_stop(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 gap;

	ph_fill_segments(test, 1500, false);
	ph_region_unmap(fix->region, 0, PH_SEG_PAGES, NULL);
	for (gap = 500 * ph_seg_bytes; gap < 530 * ph_seg_bytes;
	     gap += ph_seg_bytes) {
		ph_region_unmap(fix->region, gap, 7 * PH_SEG_PAGES, NULL);
		KUNIT_EXPECT_EQ(test, ph_map(test, 7 * PH_SEG_PAGES), gap);
	}
	KUNIT_EXPECT_EQ(test, ph_map(test, 7 * PH_SEG_PAGES),
			1500 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map(test, PH_SEG_PAGES), 0);
}

static u64 ph_map_for(struct kunit *test, struct ph_tenant *tenant,
		      unsigned long pages)
{
	struct ph_fixture *fix = test->priv;
	u64 start = U64_MAX;
	u16 gen;

	KUNIT_ASSERT_EQ(test, 0, ph_region_map(fix->region, pages, tenant,
					       &start, &gen));
	return start;
}

/* A tenant looks neither at what others have nor at what he knows to be full. */
static void region_tenants_begin_behind_the_others(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_tenant one = {}, two = {};
	u32 i;

	ph_tenant_init(fix->region, &one, 1);
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ(test, ph_map_for(test, &one, 2 * PH_SEG_PAGES),
				i * 2 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, fix->region->owned, 400);
	ph_tenant_init(fix->region, &two, 2);
	for (i = 0; i < PH_HINTS; i++)
		KUNIT_EXPECT_EQ(test, two.hint[i], fix->region->owned);
	KUNIT_EXPECT_GE(test, ph_map_for(test, &two, 3), 400 * ph_seg_bytes);
	KUNIT_EXPECT_GE(test, ph_map_for(test, &two, 70), 400 * ph_seg_bytes);
	/* He who had it is the one who has it again. */
	ph_map_for(test, &one, 3);
	ph_map_for(test, &one, 70);
	KUNIT_EXPECT_GE(test, one.hint[2], 400);
	ph_region_unmap(fix->region, 8 * ph_seg_bytes, 4 * PH_SEG_PAGES, &one);
	KUNIT_EXPECT_GE(test, ph_map_for(test, &two, 3), 400 * ph_seg_bytes);
	KUNIT_EXPECT_GE(test, ph_map_for(test, &two, 70), 400 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map_for(test, &one, 70), 8 * ph_seg_bytes);
	KUNIT_EXPECT_EQ(test, ph_map_for(test, &one, 3),
			9 * ph_seg_bytes + 6 * PAGE_SIZE);
}

/* Free segments are passed as a whole. */
static void region_next_slab_steps_by_segment(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	u64 offset = 0, start;
	u32 steps;

	ph_fill_segments(test, 30, false);
	ph_region_unmap(fix->region, 0, 20 * PH_SEG_PAGES, NULL);
	start = 25 * ph_seg_bytes + 3 * PAGE_SIZE;
	ph_region_publish(fix->region, ph_fake_slab(1), start, 2);
	/* Nobody looks there. */
	ph_region_publish(fix->region, ph_fake_slab(2), 10 * ph_seg_bytes, 1);
	rcu_read_lock();
	for (steps = 1; !ph_region_next_slab(fix->region, &offset); steps++) {
		KUNIT_EXPECT_EQ(test, offset, steps * ph_seg_bytes);
		if (offset >= 30 * ph_seg_bytes)
			break;
	}
	KUNIT_EXPECT_EQ(test, offset, start);
	KUNIT_EXPECT_EQ(test, steps, 26);
	offset += 2 * PAGE_SIZE;
	KUNIT_EXPECT_NULL(test, ph_region_next_slab(fix->region, &offset));
	KUNIT_EXPECT_EQ(test, offset, 26 * ph_seg_bytes);
	/* Nothing is behind the end, and who goes on there gets on. */
	offset = ph_region_end(fix->region);
	KUNIT_EXPECT_NULL(test, ph_region_next_slab(fix->region, &offset));
	KUNIT_EXPECT_EQ(test, offset,
			ph_region_end(fix->region) + ph_seg_bytes);
	rcu_read_unlock();
	ph_region_unpublish(fix->region, start, 2, 1);
	ph_region_unpublish(fix->region, 10 * ph_seg_bytes, 1, 1);
}

static struct kunit_case ph_region_test_cases[] = {
	KUNIT_CASE(region_lookup_when_new),
	KUNIT_CASE(region_map_when_new),
	KUNIT_CASE(range_is_taken_until_unmapped),
	KUNIT_CASE(region_map_never_overlaps),
	KUNIT_CASE_PARAM(region_publish_covers_its_range_only,
			 ph_length_gen_params),
	KUNIT_CASE(region_lookup_beyond_end),
	KUNIT_CASE_PARAM(region_unmap_hides_slab, ph_length_gen_params),
	KUNIT_CASE_PARAM(region_map_reuses_gap, ph_length_gen_params),
	KUNIT_CASE(region_map_when_gap_is_too_short),
	KUNIT_CASE(region_map_large_starts_a_segment),
	KUNIT_CASE(region_map_aligns_what_has_units),
	KUNIT_CASE(region_map_aligned_when_hard_max_is_in_the_way),
	KUNIT_CASE(region_map_small_uses_tail_of_large),
	KUNIT_CASE_PARAM(region_generation_survives_unmap,
			 ph_length_gen_params),
	KUNIT_CASE(region_generation_is_the_largest_of_the_range),
	KUNIT_CASE(region_tables_grow_with_content_kept),
	KUNIT_CASE(region_map_when_hard_max_is_reached),
	KUNIT_CASE(region_map_when_hard_max_allows_nothing),
	KUNIT_CASE(region_map_when_longer_than_any_region),
	KUNIT_CASE(region_unmap_in_every_order),
	KUNIT_CASE(region_search_begins_where_there_is_room),
	KUNIT_CASE(region_search_leaves_room_for_shorter_ones),
	KUNIT_CASE(region_search_goes_on_where_it_stopped),
	KUNIT_CASE(region_search_finds_a_run_across_a_stop),
	KUNIT_CASE(region_tenants_begin_behind_the_others),
	KUNIT_CASE(region_next_slab_steps_by_segment),
	{}
};

static struct kunit_suite ph_region_suite = {
	.name = "privheap_region",
	.init = ph_fixture_init_region,
	.exit = ph_fixture_exit,
	.test_cases = ph_region_test_cases,
};

kunit_test_suite(ph_region_suite);
