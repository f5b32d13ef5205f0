// SPDX-License-Identifier: GPL-2.0
/* Slots that a program has by their addresses: out, claimed, and back. */

#include "fixture.h"
#include "lend.h"

#define PH_MAX_RUNS	64

/* The run's mask as bits of the whole slab. */
static void ph_run_set(unsigned long *bits, struct ph_slab *slab,
		       const struct privheap_run *run)
{
	u32 slot = div_u64(run->offset - slab->start, slab->stride), i;

	for (i = 0; i < 64; i++)
		if (run->mask >> i & 1)
			__set_bit(slot + i, bits);
}

static struct ph_cache *ph_lend_cache(struct kunit *test, u32 size, u32 keep)
{
	struct ph_fixture *fix = test->priv;
	u32 policy = keep & PH_LATE_GENS ? PRIVHEAP_POLICY_COMPACT :
					   PRIVHEAP_POLICY_SPEED;
	struct ph_cache *cache;

	cache = ph_cache_create(fix->region, NULL, ph_policy(policy), size, 8,
				keep, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	fix->cache = cache;
	KUNIT_ASSERT_EQ(test, 0, ph_cache_grow(cache, false, PH_GFP));
	return cache;
}

static struct ph_slab *ph_first_slab(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab = ph_fixture_slab(fix->region, 0);

	KUNIT_ASSERT_NOT_NULL(test, slab);
	return slab;
}

/* Up to @want slots. Returns how many there were; the cache has to be sound. */
static u32 ph_lend(struct kunit *test, u32 want, struct privheap_run *runs,
		   u32 *nr_runs)
{
	struct ph_cache *cache = ((struct ph_fixture *)test->priv)->cache;
	struct ph_lend lend = {
		.runs = runs, .max_runs = PH_MAX_RUNS, .want = want,
	};
	int err = ph_cache_lend(cache, &lend);

	if (err == -EAGAIN) {
		lend.spare = ph_out_alloc(cache);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lend.spare);
		err = ph_cache_lend(cache, &lend);
		ph_out_free(cache, lend.spare);
	}
	KUNIT_EXPECT_EQ(test, err, lend.done ? 0 : -ENOENT);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
	if (nr_runs)
		*nr_runs = lend.nr_runs;
	return lend.done;
}

static void ph_give_back(struct kunit *test, u64 offset, u64 mask)
{
	struct ph_cache *cache = ((struct ph_fixture *)test->priv)->cache;
	struct privheap_run run = { .offset = offset, .mask = mask };

	ph_cache_regain(cache, &run, 1);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

static bool ph_claim(struct ph_slab *slab, u32 slot, u64 mask)
{
	bool claimed;

	rcu_read_lock();
	claimed = ph_slab_claim_out(slab, slot, mask);
	rcu_read_unlock();
	return claimed;
}

/* Every set of ten slots goes, and only that set can be had again. */
static void lend_and_regain_every_set(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 400, 0);
	struct ph_slab *slab = ph_first_slab(test);
	struct privheap_run run;
	u32 set, nr_runs, tried = 0;

	KUNIT_ASSERT_GE(test, slab->nr, 10);
	KUNIT_ASSERT_LE(test, slab->nr, 64);
	KUNIT_ASSERT_EQ(test, slab->nr, ph_lend(test, slab->nr, &run, &nr_runs));
	for (set = 1; set < 1 << 10; set++, tried++) {
		KUNIT_EXPECT_TRUE(test, ph_claim(slab, 0, set));
		KUNIT_EXPECT_FALSE(test, ph_claim(slab, 0, set));
		ph_give_back(test, slab->start, set);
		KUNIT_EXPECT_EQ(test, slab->free[0], set);
		KUNIT_EXPECT_EQ(test, cache->handed, slab->nr - hweight32(set));
		KUNIT_EXPECT_EQ(test, hweight32(set),
				ph_lend(test, 64, &run, &nr_runs));
		KUNIT_EXPECT_EQ(test, run.mask, set);
		KUNIT_EXPECT_EQ(test, run.offset, slab->start);
		KUNIT_EXPECT_EQ(test, slab->free[0], 0);
	}
	KUNIT_EXPECT_EQ(test, tried, 1023);
	KUNIT_EXPECT_EQ(test, cache->handed_bytes, (u64)slab->nr * 400);
}

/* One of them not handed out: none is claimed, whatever the others are. */
static void claim_is_all_or_nothing(struct kunit *test)
{
	struct ph_slab *slab;
	struct privheap_run run;
	u32 have, want, before;
	unsigned long bits;
	bool fits;

	ph_lend_cache(test, 400, 0);
	slab = ph_first_slab(test);
	ph_lend(test, slab->nr, &run, NULL);
	for (have = 0; have < 1 << 7; have++) {
		/* The first seven bits say what is out. */
		slab->out->bits[0] = have;
		for (want = 1; want < 1 << 7; want++) {
			before = slab->out->bits[0];
			fits = (want & have) == want;
			KUNIT_EXPECT_EQ(test, fits, ph_claim(slab, 0, want));
			bits = fits ? before & ~want : before;
			KUNIT_EXPECT_EQ(test, slab->out->bits[0], bits);
			slab->out->bits[0] = have;
		}
	}
}

static const u64 ph_masks[] = {
	1, 3, ~0ULL, 1ULL << 63 | 1, 0x5555555555555555ULL,
	0xaaaaaaaaaaaaaaaaULL, 0xffffffffULL << 32, 0xffffffffULL, 1ULL << 63,
	0xf00000000000000fULL,
};

/* What slot a run begins at does not matter: across the words of the bitmaps. */
static void claim_across_words(struct kunit *test)
{
	struct privheap_run runs[PH_MAX_RUNS];
	struct ph_slab *slab;
	u32 slot, i, nr, tried = 0, words, nr_runs;
	unsigned long *was, *want;

	ph_lend_cache(test, 16, 0);
	slab = ph_first_slab(test);
	KUNIT_ASSERT_GE(test, slab->nr, 200);
	words = BITS_TO_LONGS(slab->nr);
	was = kunit_kcalloc(test, words, sizeof(long), GFP_KERNEL);
	want = kunit_kcalloc(test, words, sizeof(long), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, was && want);
	ph_lend(test, slab->nr, runs, &nr_runs);
	KUNIT_EXPECT_EQ(test, nr_runs, words);
	memcpy(was, slab->out->bits, words * sizeof(long));
	for (slot = 0; slot <= 130; slot++) {
		for (i = 0; i < ARRAY_SIZE(ph_masks); i++, tried++) {
			struct privheap_run run = {
				.offset = slab->start + slot * slab->stride,
				.mask = ph_masks[i],
			};

			memcpy(want, was, words * sizeof(long));
			bitmap_zero(want, slab->nr);
			ph_run_set(want, slab, &run);
			KUNIT_EXPECT_TRUE(test, ph_claim(slab, slot, run.mask));
			nr = bitmap_weight(slab->out->bits, slab->nr);
			KUNIT_EXPECT_EQ(test, nr, slab->nr -
					hweight64(run.mask));
			KUNIT_EXPECT_FALSE(test,
					   bitmap_intersects(want, slab->out->bits,
							     slab->nr));
			/* The last of them again: the first ones stay. */
			KUNIT_EXPECT_FALSE(test, ph_claim(slab, slot, run.mask));
			KUNIT_EXPECT_EQ(test, nr, bitmap_weight(slab->out->bits,
								slab->nr));
			ph_cache_regain(slab->cache, &run, 1);
			KUNIT_EXPECT_TRUE(test, bitmap_equal(want, slab->free,
							     slab->nr));
			ph_lend(test, slab->nr, runs, &nr_runs);
			KUNIT_EXPECT_TRUE(test, bitmap_equal(was,
							     slab->out->bits,
							     slab->nr));
		}
	}
	KUNIT_EXPECT_EQ(test, tried, 1310);
}

/* A hole anywhere in the run: what was cleared before it comes back. */
static void claim_with_a_hole_across_words(struct kunit *test)
{
	struct privheap_run runs[PH_MAX_RUNS];
	struct ph_slab *slab;
	u32 slot, hole, nr;

	ph_lend_cache(test, 16, 0);
	slab = ph_first_slab(test);
	ph_lend(test, slab->nr, runs, NULL);
	for (slot = 0; slot < 70; slot += 3) {
		for (hole = 0; hole < 64; hole++) {
			KUNIT_EXPECT_TRUE(test, ph_claim(slab, slot + hole, 1));
			nr = bitmap_weight(slab->out->bits, slab->nr);
			KUNIT_EXPECT_FALSE(test, ph_claim(slab, slot, ~0ULL));
			KUNIT_EXPECT_EQ(test, nr, bitmap_weight(slab->out->bits,
								slab->nr));
			KUNIT_EXPECT_FALSE(test, test_bit(slot + hole,
							  slab->out->bits));
			ph_slab_set_out(slab, slot + hole, 1);
		}
	}
}

/* As many as are wanted, and no more runs than there is room for. */
static void lend_keeps_to_its_limits(struct kunit *test)
{
	struct privheap_run runs[8];
	struct ph_cache *cache = ph_lend_cache(test, 16, 0);
	struct ph_slab *slab = ph_first_slab(test);
	struct ph_lend lend;
	u32 want, max, i, nr;

	for (want = 1; want < 200; want += 7) {
		for (max = 1; max < 5; max++) {
			lend = (struct ph_lend){
				.runs = runs, .max_runs = max, .want = want,
				.spare = slab->out ? NULL : ph_out_alloc(cache),
			};
			KUNIT_EXPECT_EQ(test, 0, ph_cache_lend(cache, &lend));
			KUNIT_EXPECT_NULL(test, lend.spare);
			nr = min(want, max * BITS_PER_LONG);
			KUNIT_EXPECT_EQ(test, lend.done, nr);
			KUNIT_EXPECT_EQ(test, lend.nr_runs,
					DIV_ROUND_UP(nr, BITS_PER_LONG));
			for (i = 0, nr = 0; i < lend.nr_runs; i++)
				nr += hweight64(runs[i].mask);
			KUNIT_EXPECT_EQ(test, lend.done, nr);
			ph_cache_regain(cache, runs, lend.nr_runs);
			bitmap_zero(slab->out->bits, slab->nr);
			KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
			KUNIT_EXPECT_EQ(test, cache->handed, 0);
		}
	}
	KUNIT_EXPECT_EQ(test, cache->handed_bytes, 0);
	KUNIT_EXPECT_EQ(test, cache->free_slots, cache->slots);
}

static void lend_without_books(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 100, 0);
	struct ph_slab *slab = ph_first_slab(test);
	struct privheap_run run;
	struct ph_lend lend = { .runs = &run, .max_runs = 1, .want = 1 };
	u64 meta = cache->meta_bytes;
	struct ph_out *spare;

	KUNIT_EXPECT_EQ(test, -EAGAIN, ph_cache_lend(cache, &lend));
	KUNIT_EXPECT_EQ(test, lend.done, 0);
	KUNIT_EXPECT_EQ(test, cache->handed, 0);
	KUNIT_EXPECT_EQ(test, slab->taken, 0);
	spare = ph_out_alloc(cache);
	lend.spare = spare;
	KUNIT_EXPECT_EQ(test, 0, ph_cache_lend(cache, &lend));
	KUNIT_EXPECT_NULL(test, lend.spare);
	KUNIT_EXPECT_PTR_EQ(test, slab->out, spare);
	KUNIT_EXPECT_EQ(test, cache->meta_bytes,
			meta + ph_region_meta_cost(spare->bytes));
	/* It has some now: another spare stays with the caller. */
	spare = ph_out_alloc(cache);
	lend = (struct ph_lend){
		.runs = &run, .max_runs = 1, .want = 1, .spare = spare,
	};
	KUNIT_EXPECT_EQ(test, 0, ph_cache_lend(cache, &lend));
	KUNIT_EXPECT_PTR_EQ(test, lend.spare, spare);
	ph_out_free(cache, spare);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

static void books_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 100, PH_LATE_GENS);
	struct ph_region *region = cache->region;
	struct ph_slab *slab = ph_first_slab(test);
	u64 held = ph_fixture_held(region), room;

	/* With more and more room: for neither, for the generations, for both. */
	for (room = 0; room < 512; room += 8) {
		region->hard_max = held + room;
		if (!ph_slab_make_lendable(slab))
			break;
		KUNIT_EXPECT_NULL(test, slab->gen);
		KUNIT_EXPECT_NULL(test, slab->out);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
	}
	KUNIT_EXPECT_EQ(test, room, ph_fixture_held(region) - held);
	KUNIT_EXPECT_GT(test, room, slab->nr * sizeof(*slab->gen));
	KUNIT_EXPECT_NOT_NULL(test, slab->gen);
	KUNIT_EXPECT_NOT_NULL(test, slab->out);
	KUNIT_EXPECT_EQ(test, -EDQUOT, PTR_ERR_OR_ZERO(ph_out_alloc(cache)));
	region->hard_max = PH_TEST_MAX_BYTES;
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

static void promises_are_used_up(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 100, 0);
	struct privheap_run runs[PH_MAX_RUNS];
	u64 promised;
	u32 promise, want;

	for (promise = 0; promise <= 10; promise++) {
		for (want = 1; want <= 12; want++) {
			ph_cache_unpromise(cache, U64_MAX);
			promised = ph_cache_promise(cache, promise);
			KUNIT_EXPECT_EQ(test, promised, promise);
			KUNIT_EXPECT_EQ(test, want,
					ph_lend(test, want, runs, NULL));
			KUNIT_EXPECT_EQ(test, cache->promised,
					promise - min(promise, want));
			ph_claim(ph_first_slab(test), 0, runs[0].mask);
			ph_give_back(test, runs[0].offset, runs[0].mask);
		}
	}
}

/* What had no handle needs no generations, however often it goes out. */
static void late_slab_lends_slots_again(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 100, PH_LATE_GENS);
	struct ph_slab *slab = ph_first_slab(test);
	u32 nr = slab->nr, i, round;
	struct privheap_run run;

	KUNIT_ASSERT_LE(test, nr, 64);
	KUNIT_ASSERT_EQ(test, nr, ph_lend(test, nr, &run, NULL));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < nr - 1; i++) {
			KUNIT_EXPECT_TRUE(test, ph_claim(slab, i, 1));
			ph_give_back(test, slab->start + i * slab->stride, 1);
			KUNIT_EXPECT_EQ(test, ph_slab_usable(slab), i + 1);
		}
		KUNIT_EXPECT_EQ(test, nr - 1, ph_lend(test, nr, &run, NULL));
		KUNIT_EXPECT_EQ(test, ph_slab_usable(slab), 0);
	}
	KUNIT_EXPECT_NULL(test, slab->gen);
	KUNIT_EXPECT_EQ(test, cache->usable, 0);
}

/* What has become of each slot of a slab whose generations come late. */
struct ph_late {
	struct ph_cache *cache;
	struct ph_slab *slab;
	u32 lent;	/* bits */
	u32 taken;
	u32 named;	/* has had a handle since the slab was empty */
	u32 given[32];	/* generations that its handles had, a bit each */
	u64 rounds[32];
	u16 gen_first;
	u32 wrong;
};

static void ph_late_lend(struct kunit *test, struct ph_late *l)
{
	struct privheap_run run;
	u32 slot;

	if (!ph_lend(test, 1, &run, NULL))
		return;
	slot = __ffs(run.mask);
	l->wrong += run.offset != l->slab->start;
	l->wrong += (l->lent | l->taken) >> slot & 1;
	l->lent |= BIT(slot);
}

static void ph_late_regain(struct kunit *test, struct ph_late *l)
{
	u32 slot = __ffs(l->lent | BIT(31));

	if (!l->lent)
		return;
	l->wrong += !ph_claim(l->slab, slot, 1);
	ph_give_back(test, l->slab->start + slot * l->slab->stride, 1);
	l->lent &= ~BIT(slot);
}

static void ph_late_take(struct kunit *test, struct ph_late *l)
{
	u32 slot, gen;
	u64 round;

	if (!ph_cache_take_slabs(l->cache, &round, 1, 1))
		return;
	slot = ph_round_slot(l->slab, round);
	gen = (u16)((round >> PH_OFFSET_BITS) - l->gen_first);
	/* A slot never has the same handle twice. */
	l->wrong += (l->lent | l->taken) >> slot & 1;
	l->wrong += gen > 31 || (l->given[slot] & BIT(gen));
	l->given[slot] |= BIT(gen % 32);
	l->rounds[slot] = round;
	l->taken |= BIT(slot);
	l->named |= BIT(slot);
}

/* As the free of an object does: with the generation of the next. */
static void ph_late_give(struct kunit *test, struct ph_late *l)
{
	u32 slot = __ffs(l->taken | BIT(31));
	u64 round;

	if (!l->taken)
		return;
	round = l->rounds[slot] + (1ULL << PH_OFFSET_BITS);
	ph_cache_return(l->cache, &round, 1);
	l->taken &= ~BIT(slot);
}

/* In one of the ways in which a slab comes by them. */
static void ph_late_gens(struct kunit *test, struct ph_late *l)
{
	int err;

	if (!ph_slab_is_bare(l->slab))
		err = list_empty(&l->cache->stuck) ?
			ph_slab_make_lendable(l->slab) :
			ph_cache_reuse(l->cache, true);
	else if (l->slab->taken == l->slab->nr || l->lent & 1)
		err = ph_slab_make_nameable(l->slab);
	else
		err = ph_cache_reuse(l->cache, false);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_NOT_NULL(test, l->slab->gen);
}

static void (*const ph_late_ops[])(struct kunit *test, struct ph_late *l) = {
	ph_late_lend, ph_late_regain, ph_late_take, ph_late_give, ph_late_gens,
};

static void ph_late_check(struct ph_late *l)
{
	u32 waiting;

	if (!l->slab->gen && !l->lent && !l->taken)
		l->named = 0;
	waiting = l->slab->gen ? 0 : l->named & ~(l->lent | l->taken);
	if (ph_slab_is_bare(l->slab)) {
		waiting = ~0U;
		l->wrong += l->taken || l->named;
	}
	l->wrong += ph_slab_usable(l->slab) !=
		    l->slab->nr - hweight32(~(~0U << l->slab->nr) &
					    (l->lent | l->taken | waiting));
	l->wrong += ph_cache_validate(l->cache) != 0;
}

static void ph_new_slab(struct kunit *test, struct ph_cache *cache, bool lend)
{
	struct ph_slab *slab = ph_cache_pick_empty(cache, 0, 0);

	KUNIT_ASSERT_NOT_NULL(test, slab);
	ph_slab_destroy(cache->region, slab, false);
	KUNIT_ASSERT_EQ(test, 0, ph_cache_grow(cache, lend, PH_GFP));
}

static const bool ph_late_bare[] = { false, true };

static void ph_late_name(const bool *bare, char *desc)
{
	strscpy(desc, *bare ? "bare" : "late", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_late, ph_late_bare, ph_late_name);

/* All courses that six steps can take with a few slots. */
static void late_slab_through_both_doors(struct kunit *test)
{
	struct ph_late l = { .cache = ph_lend_cache(test, 1000, PH_LATE_GENS |
						    PH_KEEP_SLACK) };
	u32 course, rest, step, courses = int_pow(ARRAY_SIZE(ph_late_ops), 6);
	bool bare = *(const bool *)test->param_value;

	for (course = 0; course < courses && !l.wrong; course++) {
		ph_new_slab(test, l.cache, bare);
		memset_startat(&l, 0, lent);
		l.slab = ph_first_slab(test);
		KUNIT_ASSERT_LT(test, l.slab->nr, 32);
		l.gen_first = l.slab->gen_first;
		for (step = 0, rest = course; step < 6; step++) {
			ph_late_ops[rest % ARRAY_SIZE(ph_late_ops)](test, &l);
			rest /= ARRAY_SIZE(ph_late_ops);
			ph_late_check(&l);
		}
		while (l.lent)
			ph_late_regain(test, &l);
		while (l.taken)
			ph_late_give(test, &l);
		ph_late_check(&l);
		KUNIT_EXPECT_EQ_MSG(test, l.wrong, 0, "course %u", course);
	}
	KUNIT_EXPECT_EQ(test, course, courses);
}

static void late_slab_begins_anew_when_empty(struct kunit *test)
{
	struct ph_slab *slab;
	struct privheap_run run;
	u16 gen;

	ph_lend_cache(test, 100, PH_LATE_GENS);
	slab = ph_first_slab(test);
	gen = slab->gen_first;
	ph_lend(test, 7, &run, NULL);
	ph_claim(slab, 0, run.mask);
	ph_give_back(test, run.offset, run.mask);
	KUNIT_EXPECT_EQ(test, slab->used_to, 0);
	KUNIT_EXPECT_EQ(test, slab->gen_first, (u16)(gen + 1));
	KUNIT_EXPECT_EQ(test, slab->nr, ph_lend(test, slab->nr, &run, NULL));
}

/* With generations in the middle of a slab's life, for each length of it. */
static void generations_come_before_all_was_used(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 100, PH_LATE_GENS);
	struct privheap_run runs[PH_MAX_RUNS];
	struct ph_slab *slab;
	u32 used, i, wrong = 0, nr = ph_first_slab(test)->nr;

	for (used = 2; used < nr; used++) {
		ph_new_slab(test, cache, false);
		slab = ph_first_slab(test);
		ph_lend(test, used, runs, NULL);
		ph_claim(slab, 0, 1);
		ph_give_back(test, slab->start, 1);
		KUNIT_EXPECT_EQ(test, 0, ph_slab_make_lendable(slab));
		KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
		/* None of them had a handle. */
		for (i = 0; i < slab->nr; i++)
			wrong += ph_slab_gen(slab, i) != slab->gen_first;
		KUNIT_EXPECT_EQ(test, slab->nr - used + 1,
				ph_lend(test, slab->nr, runs, NULL));
		ph_claim(slab, 0, ~0ULL >> (64 - slab->nr));
		ph_give_back(test, slab->start, ~0ULL >> (64 - slab->nr));
		KUNIT_EXPECT_EQ(test, slab->taken, 0);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* One of the slots that a random run has out, by its number. */
static u32 ph_nth_out(const unsigned long *bits, u32 nr_bits, u32 nth)
{
	u32 bit;

	for_each_set_bit(bit, bits, nr_bits)
		if (!nth--)
			break;
	return bit;
}

/* Both doors on the same slabs, at random, beside a bitmap of what is out. */
static void lend_and_take_at_random(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache = ph_lend_cache(test, 100, 0);
	struct ph_slab *slab = ph_first_slab(test);
	u32 step, steps = ph_long_run(20000), slot, i, nr_runs, out = 0;
	unsigned long *model = kunit_kcalloc(test, BITS_TO_LONGS(slab->nr),
					     sizeof(long), GFP_KERNEL);
	struct privheap_run runs[PH_MAX_RUNS];
	u64 round;

	KUNIT_ASSERT_NOT_NULL(test, model);
	for (step = 0; step < steps; step++) {
		if (ph_fixture_random(fix, 2)) {
			out += ph_lend(test, 1 + ph_fixture_random(fix, 9),
				       runs, &nr_runs);
			for (i = 0; i < nr_runs && out <= slab->nr; i++)
				ph_run_set(model, slab, &runs[i]);
			if (ph_cache_take(cache, &round, 1))
				ph_cache_return(cache, &round, 1);
		} else if (out) {
			slot = ph_nth_out(model, slab->nr,
					  ph_fixture_random(fix, out));
			KUNIT_EXPECT_TRUE(test, ph_claim(slab, slot, 1));
			ph_give_back(test, slab->start + slot * slab->stride, 1);
			__clear_bit(slot, model);
			out--;
		}
		KUNIT_ASSERT_LE(test, out, slab->nr);
		if (slab->out && !bitmap_equal(model, slab->out->bits, slab->nr))
			KUNIT_FAIL(test, "step %u", step);
		KUNIT_EXPECT_EQ(test, cache->handed, out);
	}
	KUNIT_EXPECT_GT(test, cache->taken, steps / 4);
}

/* A mask that begins behind the word of its first slot. */
static void set_out_behind_a_word(struct kunit *test)
{
	struct ph_cache *cache = ph_lend_cache(test, 16, 0);
	struct ph_slab *slab = ph_first_slab(test);
	struct privheap_run runs[PH_MAX_RUNS];

	KUNIT_ASSERT_GE(test, slab->nr, 128);
	KUNIT_ASSERT_EQ(test, 128, ph_lend(test, 128, runs, NULL));
	KUNIT_EXPECT_TRUE(test, ph_slab_claim_out(slab, 60, 0xf0));
	KUNIT_EXPECT_FALSE(test, ph_slab_claim_out(slab, 64, 1));
	ph_slab_set_out(slab, 60, 0xf0);
	KUNIT_EXPECT_EQ(test, 128, bitmap_weight(slab->out->bits, slab->nr));
	KUNIT_EXPECT_TRUE(test, ph_slab_claim_out(slab, 64, 0xf));
	ph_slab_set_out(slab, 64, 0xf);
	KUNIT_EXPECT_EQ(test, 0, ph_cache_validate(cache));
}

static struct kunit_case ph_lend_test_cases[] = {
	KUNIT_CASE(lend_and_regain_every_set),
	KUNIT_CASE(claim_is_all_or_nothing),
	KUNIT_CASE(claim_across_words),
	KUNIT_CASE(set_out_behind_a_word),
	KUNIT_CASE(claim_with_a_hole_across_words),
	KUNIT_CASE(lend_keeps_to_its_limits),
	KUNIT_CASE(lend_without_books),
	KUNIT_CASE(books_when_hard_max_is_in_the_way),
	KUNIT_CASE(promises_are_used_up),
	KUNIT_CASE(late_slab_lends_slots_again),
	KUNIT_CASE_PARAM(late_slab_through_both_doors, ph_late_gen_params),
	KUNIT_CASE(late_slab_begins_anew_when_empty),
	KUNIT_CASE(generations_come_before_all_was_used),
	KUNIT_CASE(lend_and_take_at_random),
	{}
};

static struct kunit_suite ph_lend_suite = {
	.name = "privheap_lend",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_lend_test_cases,
};

kunit_test_suite(ph_lend_suite);
