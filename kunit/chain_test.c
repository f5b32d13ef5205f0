// SPDX-License-Identifier: GPL-2.0
/* Chains: free slots that are kept in themselves, whatever is written to them. */

#include <linux/mm.h>

#include "chain.h"
#include "fixture.h"

#define PH_CHAIN_FEW	4U
#define PH_CHAIN_SLOTS	6U

/* The slab of the test; no look-up knows it. */
static struct ph_slab *ph_chain_slab;

static struct ph_slab *ph_chain_create(struct kunit *test, u32 slots)
{
	struct ph_geo geo = {
		.stride = round_down((u32)PAGE_SIZE / slots, 8), .pages = 1,
		.keep = PH_BY_ADDRESS | PH_CHAIN, .owner = test,
	};
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab;

	slab = ph_slab_create(fix->region, NULL, &geo, PH_GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, slab);
	ph_chain_slab = slab;
	KUNIT_ASSERT_TRUE(test, slab->chained);
	KUNIT_ASSERT_EQ(test, slab->nr, slots);
	return slab;
}

static void ph_chain_exit(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	if (ph_chain_slab)
		ph_slab_destroy(fix->region, ph_chain_slab, false);
	ph_chain_slab = NULL;
	ph_fixture_exit(test);
}

static u64 *ph_chain_word(const struct ph_slab *slab, u32 slot)
{
	return slab->addr + slot * slab->stride;
}

/* As it was when it was new. */
static void ph_chain_renew(struct ph_slab *slab)
{
	u32 slot;

	for (slot = 0; slot < slab->nr; slot++)
		*ph_chain_word(slab, slot) = 0;
	slab->first = slab->nr;
	slab->lost = 0;
	slab->taken = 0;
	slab->used_to = 0;
}

/* All slots out, then back, the last one first, so that they come by number. */
static void ph_chain_fill(struct kunit *test, struct ph_slab *slab)
{
	u64 rounds[PH_CHAIN_SLOTS];
	u32 slot, fresh = 0;

	ph_chain_renew(slab);
	KUNIT_ASSERT_EQ(test, ph_slab_take(slab, rounds, slab->nr, &fresh),
			slab->nr);
	for (slot = slab->nr; slot--;)
		KUNIT_ASSERT_TRUE(test, ph_fixture_give(slab, slot));
}

static bool ph_chain_books_balance(const struct ph_slab *slab)
{
	return slab->taken + ph_slab_weight(slab) == slab->nr &&
	       slab->lost <= slab->taken && slab->taken <= slab->used_to;
}

/* A stack of free slots, and how many were never used. */
struct ph_chain_model {
	u32 stack[PH_CHAIN_FEW];
	u32 nr;
	u32 used_to;
	u32 out;
};

static u32 ph_chain_model_take(struct ph_chain_model *m)
{
	u32 slot = m->nr ? m->stack[--m->nr] : m->used_to++;

	m->out |= 1 << slot;
	return slot;
}

/* One of: take 1, take 2, take all, give each slot. Returns what differs. */
static u32 ph_chain_step(struct ph_slab *slab, struct ph_chain_model *m, u32 op)
{
	static const u32 takes[] = { 1, 2, PH_CHAIN_FEW };
	u32 fresh = 0, before = m->used_to, slot, got, i, bad = 0;
	u64 rounds[PH_CHAIN_FEW];

	if (op < ARRAY_SIZE(takes)) {
		got = ph_slab_take(slab, rounds, takes[op], &fresh);
		bad += got != min(takes[op], m->nr + slab->nr - m->used_to);
		for (i = 0; i < got; i++)
			bad += ph_round_slot(slab, rounds[i]) !=
			       ph_chain_model_take(m);
		bad += fresh != m->used_to - before;
	} else {
		slot = op - ARRAY_SIZE(takes);
		bad += ph_fixture_give(slab, slot) != !!(m->out & 1 << slot);
		if (m->out & 1 << slot)
			m->stack[m->nr++] = slot;
		m->out &= ~(1 << slot);
	}
	for (slot = 0; slot < slab->nr; slot++)
		bad += ph_slab_is_free(slab, slot) == !!(m->out & 1 << slot);
	return bad + !ph_chain_books_balance(slab);
}

static void chain_does_what_a_stack_does(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_FEW);
	u32 ops = 3 + PH_CHAIN_FEW, steps = 6, most = 1, code, rest, i;
	u32 bad = 0, tried = 0;

	if (IS_ENABLED(CONFIG_KASAN))
		steps = 4;
	for (i = 0; i < steps; i++)
		most *= ops;
	for (code = 0; code < most; code++, tried++) {
		struct ph_chain_model m = {};

		ph_chain_renew(slab);
		for (i = 0, rest = code; i < steps; i++, rest /= ops)
			bad += ph_chain_step(slab, &m, rest % ops);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, tried, IS_ENABLED(CONFIG_KASAN) ? 2401 : 117649);
}

static void chain_gives_every_order_back(struct kunit *test)
{
	u32 order[PH_CHAIN_SLOTS] = { 0, 1, 2, 3, 4, 5 }, orders = 0, bad = 0;
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u64 rounds[PH_CHAIN_SLOTS];
	u32 fresh = 0, i;

	ph_slab_take(slab, rounds, PH_CHAIN_SLOTS, &fresh);
	do {
		for (i = 0; i < PH_CHAIN_SLOTS; i++)
			bad += !ph_fixture_give(slab, order[i]);
		bad += slab->taken;
		ph_slab_take(slab, rounds, PH_CHAIN_SLOTS, &fresh);
		for (i = 0; i < PH_CHAIN_SLOTS; i++)
			bad += ph_round_slot(slab, rounds[i]) !=
			       order[PH_CHAIN_SLOTS - 1 - i];
		orders++;
	} while (ph_next_permutation(order, PH_CHAIN_SLOTS));
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, orders, 720);
	KUNIT_EXPECT_EQ(test, fresh, PH_CHAIN_SLOTS);
}

static void chain_leaves_no_link_in_what_it_hands_out(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u64 rounds[PH_CHAIN_SLOTS];
	u32 fresh = 0;

	ph_chain_fill(test, slab);
	KUNIT_EXPECT_FALSE(test, ph_fixture_is_zero(slab->addr, PAGE_SIZE));
	ph_slab_take(slab, rounds, PH_CHAIN_SLOTS, &fresh);
	KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(slab->addr, PAGE_SIZE));
}

/* What an owner writes may look like a link: it is his all the same. */
static void chain_takes_an_object_back_that_looks_free(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u64 rounds[PH_CHAIN_SLOTS], links[PH_CHAIN_SLOTS];
	u32 fresh = 0, slot, others, i;

	for (slot = 0; slot < PH_CHAIN_SLOTS; slot++) {
		ph_chain_fill(test, slab);
		for (i = 0; i < PH_CHAIN_SLOTS; i++)
			links[i] = *ph_chain_word(slab, i);
		ph_slab_take(slab, rounds, PH_CHAIN_SLOTS, &fresh);
		for (others = 0; others < PH_CHAIN_SLOTS; others++)
			if (others != slot)
				ph_fixture_give(slab, others);
		*ph_chain_word(slab, slot) = links[slot];
		KUNIT_EXPECT_TRUE(test, ph_fixture_give(slab, slot));
		KUNIT_EXPECT_FALSE(test, ph_fixture_give(slab, slot));
		KUNIT_EXPECT_TRUE(test, ph_chain_books_balance(slab));
		KUNIT_EXPECT_EQ(test, slab->taken, 0);
	}
}

/* Take all that comes; the first @good are the slots 0, 1, and so on. */
static u32 ph_chain_take_good(struct ph_slab *slab, u32 good)
{
	u64 rounds[PH_CHAIN_SLOTS];
	u32 fresh = 0, got, i, bad = 0;

	got = ph_slab_take(slab, rounds, PH_CHAIN_SLOTS, &fresh);
	bad += got != good;
	for (i = 0; i < min(got, good); i++)
		bad += ph_round_slot(slab, rounds[i]) != i;
	return bad + fresh;
}

static u32 ph_chain_try_damage(struct ph_slab *slab, u32 at)
{
	u32 bad = ph_chain_take_good(slab, at), slot;

	/* Again and again, until the caller abandons it. */
	bad += ph_chain_take_good(slab, 0);
	bad += ph_chain_abandon(slab, &slot) != slab->nr - at;
	bad += slot != at;
	bad += slab->lost != slab->nr - at;
	bad += slab->taken != slab->nr;
	bad += !ph_chain_books_balance(slab);
	/* Those that are in use go on; those that were lost do not come back. */
	for (slot = 0; slot < slab->nr; slot++)
		bad += ph_fixture_give(slab, slot) != (slot < at);
	bad += slab->taken != slab->lost;
	return bad + !ph_chain_books_balance(slab);
}

static void chain_does_not_follow_a_link_with_any_bit_changed(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u32 at, bit, bad = 0, tried = 0;

	for (at = 0; at < PH_CHAIN_SLOTS; at++) {
		for (bit = 0; bit < 64; bit++, tried++) {
			ph_chain_fill(test, slab);
			*ph_chain_word(slab, at) ^= 1ULL << bit;
			bad += ph_chain_try_damage(slab, at);
		}
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, tried, PH_CHAIN_SLOTS * 64);
}

/* Good ones of other slots, and of the same slot at another time. */
static void chain_does_not_follow_a_link_of_another_place(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u32 at, other, bad = 0, tried = 0;

	for (at = 0; at < PH_CHAIN_SLOTS; at++) {
		for (other = 0; other < PH_CHAIN_SLOTS; other++) {
			if (other == at)
				continue;
			ph_chain_fill(test, slab);
			*ph_chain_word(slab, at) = *ph_chain_word(slab, other);
			bad += ph_chain_try_damage(slab, at);
			tried++;
		}
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, tried, 30);
}

static void chain_links_differ_between_slabs(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	struct ph_fixture *fix = test->priv;
	u64 links[PH_CHAIN_SLOTS];
	u32 slot;

	ph_chain_fill(test, slab);
	memcpy(links, slab->addr, sizeof(links[0]));
	for (slot = 0; slot < PH_CHAIN_SLOTS; slot++)
		links[slot] = *ph_chain_word(slab, slot);
	ph_slab_destroy(fix->region, slab, false);
	slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	ph_chain_fill(test, slab);
	for (slot = 0; slot < PH_CHAIN_SLOTS; slot++) {
		KUNIT_EXPECT_NE(test, links[slot], *ph_chain_word(slab, slot));
		*ph_chain_word(slab, slot) = links[slot];
		KUNIT_EXPECT_FALSE(test, ph_slab_is_free(slab, slot));
	}
	KUNIT_EXPECT_EQ(test, ph_chain_take_good(slab, 0), 0);
}

/* For each pair of places: given, written to, given once more. */
static void chain_hands_out_once_what_was_given_twice(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u32 slot, others, fresh = 0, out, twice, lost, bad, at;
	u64 round;

	for (slot = 0; slot < PH_CHAIN_SLOTS; slot++) {
		for (others = 1; others < PH_CHAIN_SLOTS; others++) {
			ph_chain_fill(test, slab);
			/* With none out nothing can be given. */
			*ph_chain_word(slab, slot) = 0;
			KUNIT_EXPECT_FALSE(test, ph_fixture_give(slab, slot));
			ph_chain_fill(test, slab);
			for (at = 0; at < others; at++)
				ph_slab_take(slab, &round, 1, &fresh);
			out = (1 << others) - 1;
			if (slot < others)
				continue;
			*ph_chain_word(slab, slot) = 0;
			KUNIT_EXPECT_TRUE(test, ph_fixture_give(slab, slot));
			for (twice = 0; ph_slab_take(slab, &round, 1, &fresh);) {
				at = ph_round_slot(slab, round);
				twice += !!(out & 1 << at);
				out |= 1 << at;
			}
			KUNIT_EXPECT_EQ(test, twice, 0);
			lost = ph_chain_abandon(slab, &bad);
			KUNIT_EXPECT_GT(test, lost, 0);
			KUNIT_EXPECT_EQ(test, slab->taken, slab->nr);
			KUNIT_EXPECT_TRUE(test, ph_chain_books_balance(slab));
		}
	}
}

/**
 * struct ph_chain_wild - a long run in which somebody writes to free objects
 * @out: slots that have an owner, who has written its number to it
 * @bad: objects that were handed out twice, or changed
 * @lost: times that a chain was lost
 */
struct ph_chain_wild {
	u64 out;
	u32 bad;
	u32 lost;
};

static void ph_wild_take(struct ph_slab *slab, struct ph_chain_wild *w)
{
	u32 fresh = 0, slot;
	u64 round;

	if (slab->taken == slab->nr)
		return;
	if (!ph_slab_take(slab, &round, 1, &fresh)) {
		ph_chain_abandon(slab, &slot);
		w->lost++;
		return;
	}
	slot = ph_round_slot(slab, round);
	w->bad += slot >= slab->nr || w->out & BIT_ULL(slot);
	w->out |= BIT_ULL(slot);
	*ph_chain_word(slab, slot) = slot;
}

static void ph_wild_give(struct ph_slab *slab, struct ph_chain_wild *w, u32 slot)
{
	if (w->out & BIT_ULL(slot))
		w->bad += *ph_chain_word(slab, slot) != slot;
	ph_fixture_give(slab, slot);
	w->out &= ~BIT_ULL(slot);
}

static void ph_wild_write(struct ph_slab *slab, struct ph_chain_wild *w,
			  u32 slot, u32 other)
{
	if (!(w->out & BIT_ULL(slot)))
		*ph_chain_word(slab, slot) = other & 1 ? 0 :
					     *ph_chain_word(slab, other);
}

/* Whatever happens to free objects, those in use are their owners' alone. */
static void chain_survives_writes_and_frees_of_all_kinds(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, 64);
	struct ph_fixture *fix = test->priv;
	u32 steps = ph_long_run(200000), i, slot, unbalanced = 0;
	struct ph_chain_wild w = {};

	for (i = 0; i < steps; i++) {
		/* What is lost stays lost: begin anew now and then. */
		if (i % 500 == 0) {
			ph_chain_renew(slab);
			w.out = 0;
		}
		slot = ph_fixture_random(fix, slab->nr);
		switch (ph_fixture_random(fix, 20)) {
		case 0:
			ph_wild_write(slab, &w, slot,
				      ph_fixture_random(fix, slab->nr));
			break;
		case 1 ... 9:
			ph_wild_give(slab, &w, slot);
			break;
		default:
			ph_wild_take(slab, &w);
		}
		unbalanced += slab->lost > slab->taken ||
			      slab->taken > slab->used_to ||
			      slab->used_to > slab->nr ||
			      slab->first > slab->nr;
	}
	KUNIT_EXPECT_EQ(test, w.bad, 0);
	KUNIT_EXPECT_EQ(test, unbalanced, 0);
	KUNIT_EXPECT_GT(test, w.lost, steps / 10000);
}

/* A link that its place once had is good; but it leads past what came since. */
static void chain_with_an_old_link_ends_early(struct kunit *test)
{
	struct ph_slab *slab = ph_chain_create(test, PH_CHAIN_SLOTS);
	u64 rounds[PH_CHAIN_SLOTS], again, old;
	u32 fresh = 0, slot;

	KUNIT_ASSERT_EQ(test, 3, ph_slab_take(slab, rounds, 3, &fresh));
	KUNIT_EXPECT_TRUE(test, ph_slab_give(slab, rounds[0]));
	old = *ph_chain_word(slab, 0);
	KUNIT_ASSERT_EQ(test, 1, ph_slab_take(slab, &again, 1, &fresh));
	KUNIT_ASSERT_EQ(test, again, rounds[0]);
	KUNIT_EXPECT_TRUE(test, ph_slab_give(slab, rounds[1]));
	KUNIT_EXPECT_TRUE(test, ph_slab_give(slab, rounds[0]));
	KUNIT_EXPECT_EQ(test, ph_slab_weight(slab), slab->nr - 1);
	*ph_chain_word(slab, 0) = old;
	KUNIT_EXPECT_EQ(test, ph_slab_weight(slab), slab->nr - 2);
	*ph_chain_word(slab, 0) = ~old;
	KUNIT_EXPECT_EQ(test, ph_slab_weight(slab), slab->nr - 3);
	*ph_chain_word(slab, 0) = old;
	KUNIT_EXPECT_EQ(test, 1, ph_slab_take(slab, rounds, 3, &fresh));
	KUNIT_EXPECT_EQ(test, 0, ph_slab_take(slab, rounds, 3, &fresh));
	KUNIT_EXPECT_EQ(test, 1, ph_chain_abandon(slab, &slot));
	KUNIT_EXPECT_EQ(test, slot, slab->nr);
	KUNIT_EXPECT_EQ(test, slab->lost, 1);
	/* What never was out can still be had. */
	KUNIT_EXPECT_EQ(test, 3, ph_slab_take(slab, rounds, 4, &fresh));
	KUNIT_EXPECT_EQ(test, slab->taken, slab->nr);
}

static struct kunit_case ph_chain_test_cases[] = {
	KUNIT_CASE(chain_does_what_a_stack_does),
	KUNIT_CASE(chain_gives_every_order_back),
	KUNIT_CASE(chain_leaves_no_link_in_what_it_hands_out),
	KUNIT_CASE(chain_takes_an_object_back_that_looks_free),
	KUNIT_CASE(chain_does_not_follow_a_link_with_any_bit_changed),
	KUNIT_CASE(chain_does_not_follow_a_link_of_another_place),
	KUNIT_CASE(chain_with_an_old_link_ends_early),
	KUNIT_CASE(chain_links_differ_between_slabs),
	KUNIT_CASE(chain_hands_out_once_what_was_given_twice),
	KUNIT_CASE(chain_survives_writes_and_frees_of_all_kinds),
	{}
};

static struct kunit_suite ph_chain_suite = {
	.name = "privheap_chain",
	.init = ph_fixture_init_region,
	.exit = ph_chain_exit,
	.test_cases = ph_chain_test_cases,
};

kunit_test_suite(ph_chain_suite);
