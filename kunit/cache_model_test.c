// SPDX-License-Identifier: GPL-2.0
/*
 * Caches against a model: a list of the slots that are out, and a byte for
 * each with which its memory was filled. Whatever the cache does, no slot is
 * handed out twice and no byte of one that is out changes.
 */

#include "fixture.h"

#define PH_MODEL_OUT	1200
#define PH_MODEL_STEPS	20000
#define PH_MODEL_BYTES	72
/* One bit for each 8 bytes of the region. */
#define PH_MODEL_BITS	(2048 * 1024)

struct ph_model {
	struct kunit *test;
	struct ph_fixture *fix;
	struct ph_cache *cache;
	unsigned long *is_out;
	u64 out[PH_MODEL_OUT];
	u8 fill[PH_MODEL_OUT];
	u32 nr;
	u8 next_fill;
	u32 grown;
	u32 errors;
};

static void ph_model_took(struct ph_model *m, u64 round)
{
	u64 bit = ph_round_offset(round) >> 3;

	if (bit >= PH_MODEL_BITS || test_and_set_bit(bit, m->is_out)) {
		m->errors++;
		KUNIT_FAIL(m->test, "round %llx was handed out twice", round);
		return;
	}
	m->fill[m->nr] = m->next_fill++;
	memset(ph_fixture_addr(m->fix->region, round), m->fill[m->nr],
	       PH_MODEL_BYTES);
	m->out[m->nr++] = round;
}

static void ph_model_take(struct ph_model *m)
{
	u32 want = 1 + ph_fixture_random(m->fix, 64), got, i;
	u64 rounds[64];

	want = min(want, PH_MODEL_OUT - m->nr);
	got = ph_cache_take(m->cache, rounds, want);
	if (got < want) {
		if (ph_cache_reuse(m->cache, false)) {
			m->errors += ph_cache_grow(m->cache, false, PH_GFP) != 0;
			m->grown++;
		}
	}
	for (i = 0; i < got; i++)
		ph_model_took(m, rounds[i]);
}

/* The slot at an index leaves the list; its content has to be unchanged. */
static u64 ph_model_end(struct ph_model *m, u32 index)
{
	u64 round = m->out[index];

	if (memchr_inv(ph_fixture_addr(m->fix->region, round),
		       m->fill[index], PH_MODEL_BYTES)) {
		m->errors++;
		KUNIT_FAIL(m->test, "content of %llx changed", round);
	}
	clear_bit(ph_round_offset(round) >> 3, m->is_out);
	m->nr--;
	m->out[index] = m->out[m->nr];
	m->fill[index] = m->fill[m->nr];
	return round;
}

static void ph_model_give(struct ph_model *m, bool to_slabs)
{
	u32 want = 1 + ph_fixture_random(m->fix, 64), i;
	u64 rounds[64];

	want = min(want, m->nr);
	for (i = 0; i < want; i++)
		rounds[i] = ph_model_end(m, ph_fixture_random(m->fix, m->nr));
	if (to_slabs)
		ph_cache_give_slabs(m->cache, rounds, want);
	else
		ph_cache_give(m->cache, rounds, want);
}

/* What happens now and then, between many takes and gives. */
static void ph_model_seldom(struct ph_model *m)
{
	switch (ph_fixture_random(m->fix, 8)) {
	case 0:
		ph_cache_drain(m->cache, true);
		break;
	case 1:
		ph_cache_tick(m->cache);
		break;
	case 2:
		ph_cache_release_empty(m->cache, 0, 1);
		break;
	case 3:
		ph_cache_promise(m->cache, ph_fixture_random(m->fix, 100));
		break;
	case 4:
		ph_cache_unpromise(m->cache, U64_MAX);
		break;
	case 5:
		m->fix->region->soft_max = 0;
		break;
	case 6:
		m->fix->region->soft_max = PH_TEST_MAX_BYTES;
		break;
	case 7:
		ph_region_trim(m->fix->region);
		break;
	}
}

static void ph_model_check(struct ph_model *m)
{
	struct ph_cache_stat stat;

	ph_cache_get_stat(m->cache, &stat);
	m->errors += ph_cache_validate(m->cache) != 0;
	m->errors += stat.slots != stat.free_slots + m->nr +
				   ph_fixture_mag_rounds(m->cache);
	m->errors += stat.count.allocs != stat.count.magazine_hits +
					  stat.count.depot_hits +
					  stat.count.slab_allocs;
}

static void ph_model_step(struct ph_model *m, u32 step)
{
	/* The load swings, so that slabs run empty from time to time. */
	u32 bias = step / 500 % 2 ? 35 : 60;
	u32 what = ph_fixture_random(m->fix, 100);

	if (what >= 97)
		ph_model_seldom(m);
	else if (what < bias)
		ph_model_take(m);
	else
		ph_model_give(m, what % 5 == 0);
	ph_model_check(m);
}

static const struct ph_model_case {
	const char *name;
	u32 policy;
	u32 keep_slabs;
	u32 keep;
} ph_model_cases[] = {
	{ "speed", PRIVHEAP_POLICY_SPEED, 0, 0 },
	{ "compact", PRIVHEAP_POLICY_COMPACT, 0, 0 },
	{ "compact, generations late", PRIVHEAP_POLICY_COMPACT, 0,
	  PH_LATE_GENS },
	{ "growable", PRIVHEAP_POLICY_GROWABLE, 0, 0 },
	{ "speed, 2 slabs kept", PRIVHEAP_POLICY_SPEED, 2, 0 },
};

static void ph_model_case_name(const struct ph_model_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_model, ph_model_cases, ph_model_case_name);

static void cache_agrees_with_model_in_long_run(struct kunit *test)
{
	const struct ph_model_case *c = test->param_value;
	u32 step, steps = ph_long_run(PH_MODEL_STEPS);
	struct ph_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->is_out = kunit_kzalloc(test, PH_MODEL_BITS / 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->is_out);
	m->test = test;
	m->fix = test->priv;
	m->cache = ph_fixture_cache(test, c->policy, PH_MODEL_BYTES);
	m->cache->keep_slabs = c->keep_slabs;
	m->cache->geo.keep = c->keep;
	for (step = 0; step < steps && !m->errors; step++)
		ph_model_step(m, step);
	KUNIT_EXPECT_EQ(test, m->errors, 0);
	KUNIT_EXPECT_EQ(test, step, steps);
	/* It was a run worth the name: slabs came and went. */
	KUNIT_EXPECT_GT(test, m->grown, m->cache->nr_slabs);
	while (m->nr) {
		u64 round = ph_model_end(m, 0);

		ph_cache_give(m->cache, &round, 1);
	}
	ph_cache_drain(m->cache, true);
	KUNIT_EXPECT_TRUE(test, ph_cache_unused(m->cache));
}

static struct kunit_case ph_cache_model_test_cases[] = {
	KUNIT_CASE_PARAM(cache_agrees_with_model_in_long_run,
			 ph_model_gen_params),
	{}
};

static struct kunit_suite ph_cache_model_suite = {
	.name = "privheap_cache_model",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_cache_model_test_cases,
};

kunit_test_suite(ph_cache_model_suite);
