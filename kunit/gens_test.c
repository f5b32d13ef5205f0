// SPDX-License-Identifier: GPL-2.0
/* Slabs that get their generations late, when a slot is used again. */

#include "fixture.h"

/* A slab without generations, all of its slots taken. */
static struct ph_slab *ph_late_slab(struct kunit *test, u64 *rounds)
{
	struct ph_slab *slab;
	u32 fresh = 0;

	slab = ph_fixture_new_slab(test, PAGE_SIZE / 6, PH_LATE_GENS);
	KUNIT_ASSERT_NULL(test, slab->gen);
	KUNIT_ASSERT_EQ(test, ph_slab_take(slab, rounds, 6, &fresh), 6);
	return slab;
}

static void slab_without_generations_uses_no_slot_twice(struct kunit *test)
{
	u64 rounds[6];
	struct ph_slab *slab = ph_late_slab(test, rounds);
	u32 fresh = 0, i;

	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_TRUE(test, ph_fixture_give(slab, i));
		KUNIT_EXPECT_EQ(test, 0, ph_slab_take(slab, rounds, 6, &fresh));
	}
	KUNIT_EXPECT_TRUE(test, ph_slab_is_stuck(slab));
	KUNIT_EXPECT_EQ(test, ph_slab_usable(slab), 0);
}

static void slab_without_generations_begins_anew_when_empty(struct kunit *test)
{
	u64 rounds[6];
	struct ph_slab *slab = ph_late_slab(test, rounds);
	u16 gen = slab->gen_first;
	u32 fresh = 0, i;

	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_TRUE(test, ph_fixture_give(slab, i));
	KUNIT_EXPECT_FALSE(test, ph_slab_is_stuck(slab));
	KUNIT_EXPECT_EQ(test, ph_slab_take(slab, rounds, 6, &fresh), 6);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, (u16)(gen + 1),
				(u16)(rounds[i] >> PH_OFFSET_BITS));
}

/* Where an object lives it keeps its generation; elsewhere the next is due. */
static void slab_gets_generations_for_every_free_set(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_gens *gens;
	struct ph_slab *slab;
	u32 set, i, wrong = 0;
	u64 rounds[6];

	for (set = 0; set < (1 << 6) - 1; set++) {
		slab = ph_late_slab(test, rounds);
		for (i = 0; i < 6; i++)
			if (set & (1 << i))
				ph_fixture_give(slab, i);
			else
				set_bit(i, slab->live);
		gens = ph_gens_alloc(fix->region, slab);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gens);
		ph_slab_attach_gens(slab, gens);
		for (i = 0; i < 6; i++)
			wrong += ph_slab_gen(slab, i) !=
				 (u16)(slab->gen_first + !!(set & (1 << i)));
		wrong += ph_slab_usable(slab) != hweight32(set);
		ph_slab_destroy(fix->region, slab, false);
	}
	KUNIT_EXPECT_EQ(test, set, 63);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* Taken, but not alive yet: its first object is about to get the first one. */
static void slab_keeps_generations_of_slots_in_hand(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_gens *gens;
	struct ph_slab *slab;
	u64 rounds[6];
	u32 fresh = 0;

	slab = ph_late_slab(test, rounds);
	ph_fixture_give(slab, 0);
	gens = ph_gens_alloc(fix->region, slab);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gens);
	ph_slab_attach_gens(slab, gens);
	KUNIT_EXPECT_EQ(test, ph_slab_gen(slab, 0),
			(u16)(slab->gen_first + 1));
	KUNIT_EXPECT_EQ(test, ph_slab_gen(slab, 1), slab->gen_first);
	KUNIT_EXPECT_EQ(test, ph_slab_gen(slab, 1),
			(u16)(rounds[1] >> PH_OFFSET_BITS));
	/* Its first object has ended by the time that it comes back. */
	KUNIT_EXPECT_TRUE(test, ph_slab_give(slab, rounds[1] +
					     (1ULL << PH_OFFSET_BITS)));
	KUNIT_EXPECT_EQ(test, ph_slab_gen(slab, 1),
			(u16)(slab->gen_first + 1));
	KUNIT_EXPECT_EQ(test, ph_slab_take(slab, rounds, 6, &fresh), 2);
}

static struct kunit_case ph_gens_test_cases[] = {
	KUNIT_CASE(slab_without_generations_uses_no_slot_twice),
	KUNIT_CASE(slab_without_generations_begins_anew_when_empty),
	KUNIT_CASE(slab_gets_generations_for_every_free_set),
	KUNIT_CASE(slab_keeps_generations_of_slots_in_hand),
	{}
};

static struct kunit_suite ph_gens_suite = {
	.name = "privheap_gens",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_gens_test_cases,
};

kunit_test_suite(ph_gens_suite);
