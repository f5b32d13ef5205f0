// SPDX-License-Identifier: GPL-2.0
/*
 * Several caches of one heap against a model: the objects that are out, each
 * filled to its last byte. Whatever happens, no byte of one changes, and each
 * cache counts exactly those of its own.
 */

#include "door_fixture.h"

#define PH_MODEL_CACHES	9
#define PH_MODEL_STEPS	60000
#define PH_MODEL_CHECK	500

static void ph_model_ctor(void *obj)
{
}

static const struct ph_model_kind {
	u32 size;
	struct privheap_cache_args args;
} ph_model_kinds[PH_MODEL_CACHES] = {
	{ 24 },
	{ 72, { .policy = PRIVHEAP_POLICY_COMPACT } },
	{ 200, { .policy = PRIVHEAP_POLICY_GROWABLE, .align = 64 } },
	{ 33, { .flags = PRIVHEAP_CACHE_ZERO } },
	{ 128, { .flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
		 .ctor = ph_model_ctor } },
	{ 1500, { .quota = 60, .keep_slabs = 1 } },
	{ 48, { .flags = PRIVHEAP_CACHE_NO_REUSE } },
	{ 8 },
	{ 13, { .quota = 900 } },
};

struct ph_model_object {
	u8 *obj;
	u8 kind;
	u8 fill;
};

static struct ph_model {
	struct ph_fixture *fix;
	struct privheap_cache *cache[PH_MODEL_CACHES];
	u32 live[PH_MODEL_CACHES];
	u32 wrong[PH_MODEL_CACHES];
	struct ph_model_object *out;
	u32 nr;
	u8 next_fill;
	u32 refused;
	u32 errors;
} ph_model;

static u32 ph_model_random(struct ph_model *m, u32 ceiling)
{
	return ph_fixture_random(m->fix, ceiling);
}

static void ph_model_took(struct ph_model *m, u8 kind, void *obj, bool zero)
{
	u32 size = ph_model_kinds[kind].size;
	struct ph_model_object *o = &m->out[m->nr++];

	zero |= ph_model_kinds[kind].args.flags & PRIVHEAP_CACHE_ZERO;
	if (zero && !ph_model_kinds[kind].args.ctor)
		m->errors += !ph_fixture_is_zero(obj, size);
	*o = (struct ph_model_object){ obj, kind, m->next_fill++ };
	memset(obj, o->fill, size);
	m->live[kind]++;
}

/* The object at an index leaves the model, unchanged. */
static void *ph_model_end(struct ph_model *m, u32 index)
{
	struct ph_model_object o = m->out[index];

	m->errors += memchr_inv(o.obj, o.fill, ph_model_kinds[o.kind].size) !=
		     NULL;
	m->out[index] = m->out[--m->nr];
	m->live[o.kind]--;
	return o.obj;
}

static gfp_t ph_model_gfp(struct ph_model *m)
{
	static const gfp_t gfps[] = {
		GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL | __GFP_ZERO,
	};

	return gfps[ph_model_random(m, ARRAY_SIZE(gfps))];
}

static void ph_model_alloc(struct ph_model *m)
{
	u8 kind = ph_model_random(m, PH_MODEL_CACHES);
	gfp_t gfp = ph_model_gfp(m);
	void *obj;

	if (m->nr == PH_DOOR_OBJECTS)
		return;
	obj = privheap_cache_alloc(m->cache[kind], gfp);
	m->refused += !obj;
	if (obj)
		ph_model_took(m, kind, obj, gfp & __GFP_ZERO);
}

static void ph_model_alloc_bulk(struct ph_model *m)
{
	u8 kind = ph_model_random(m, PH_MODEL_CACHES);
	gfp_t gfp = ph_model_gfp(m);
	u32 nr = ph_model_random(m, 40), i;
	void *objs[40];

	if (m->nr + nr > PH_DOOR_OBJECTS)
		return;
	if (!privheap_cache_alloc_bulk(m->cache[kind], gfp, nr, objs)) {
		m->refused++;
		return;
	}
	for (i = 0; i < nr; i++)
		ph_model_took(m, kind, objs[i], gfp & __GFP_ZERO);
}

static void ph_model_free(struct ph_model *m)
{
	u32 index;
	u8 kind;

	if (!m->nr)
		return;
	index = ph_model_random(m, m->nr);
	kind = m->out[index].kind;
	privheap_cache_free(m->cache[kind], ph_model_end(m, index));
}

static void ph_model_free_bulk(struct ph_model *m)
{
	u8 kind = ph_model_random(m, PH_MODEL_CACHES);
	u32 nr = 0, index = m->nr;
	void *objs[40];

	while (index-- && nr < ARRAY_SIZE(objs))
		if (m->out[index].kind == kind)
			objs[nr++] = ph_model_end(m, index);
	privheap_cache_free_bulk(m->cache[kind], nr, objs);
}

/* To the wrong cache: nothing happens but that it is counted. */
static void ph_model_free_wrong(struct ph_model *m)
{
	struct ph_model_object *o;
	u8 kind;

	if (!m->nr)
		return;
	o = &m->out[ph_model_random(m, m->nr)];
	kind = (o->kind + 1) % PH_MODEL_CACHES;
	privheap_cache_free(m->cache[kind], o->obj);
	m->wrong[kind]++;
}

static void ph_model_seldom(struct ph_model *m)
{
	struct ph_region *region = ph_door_region();
	struct privheap_cache *cache;

	cache = m->cache[ph_model_random(m, PH_MODEL_CACHES)];
	switch (ph_model_random(m, 9)) {
	case 0:
		privheap_cache_shrink(cache);
		break;
	case 1:
		ph_door_drain(cache);
		break;
	case 2:
		ph_cache_tick(cache->cache);
		break;
	case 3:
		privheap_cache_reserve(cache, 1 + ph_model_random(m, 50));
		break;
	case 4:
		privheap_cache_reserve(cache, 0);
		break;
	case 5:
		WRITE_ONCE(region->hard_max, ph_fixture_held(region));
		break;
	case 6:
		ph_door_relieve();
		break;
	case 7:
		ph_model_free_wrong(m);
		break;
	case 8:
		region->soft_max = region->soft_max ? 0 : PH_TEST_MAX_BYTES;
		break;
	}
}

/* The trimmer moves magazines from the CPUs to the depot: not meanwhile. */
static void ph_model_check(struct ph_model *m)
{
	struct ph_heap *heap = ph_door_heap(ph_door_heap_under_test());
	struct privheap_cache_stat stat;
	u32 kind;

	down_write(&heap->sem);
	for (kind = 0; kind < PH_MODEL_CACHES; kind++) {
		privheap_cache_stat(m->cache[kind], &stat);
		m->errors += stat.objects != m->live[kind];
		m->errors += stat.errors != m->wrong[kind];
		m->errors += stat.allocs - stat.frees != stat.objects;
		m->errors += ph_cache_validate(m->cache[kind]->cache) != 0;
	}
	up_write(&heap->sem);
}

static void ph_model_step(struct ph_model *m, u32 step)
{
	u32 bias = step / 3000 % 2 ? 40 : 60;
	u32 what = ph_model_random(m, 100);
	bool bulk = !ph_model_random(m, 8);

	if (!ph_model_random(m, 40))
		ph_model_seldom(m);
	else if (what < bias && bulk)
		ph_model_alloc_bulk(m);
	else if (what < bias)
		ph_model_alloc(m);
	else if (bulk)
		ph_model_free_bulk(m);
	else
		ph_model_free(m);
}

static void ph_model_begin(struct kunit *test, struct ph_model *m)
{
	u32 kind;

	memset(m, 0, sizeof(*m));
	m->fix = test->priv;
	m->out = kunit_kcalloc(test, PH_DOOR_OBJECTS, sizeof(*m->out),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->out);
	for (kind = 0; kind < PH_MODEL_CACHES; kind++)
		m->cache[kind] = ph_door_cache(test, ph_model_kinds[kind].size,
					       &ph_model_kinds[kind].args);
}

static void caches_do_what_the_model_does(struct kunit *test)
{
	struct ph_model *m = &ph_model;
	u32 step, steps = ph_long_run(PH_MODEL_STEPS);

	ph_model_begin(test, m);
	for (step = 0; step < steps && !m->errors; step++) {
		ph_model_step(m, step);
		if (step % PH_MODEL_CHECK == 0)
			ph_model_check(m);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, m->errors, 0);
	/* It would be a poor run that never was short of memory. */
	KUNIT_EXPECT_GT(test, m->refused, 10);
	ph_door_relieve();
	while (m->nr)
		ph_model_free(m);
	ph_model_check(m);
	KUNIT_EXPECT_EQ(test, m->errors, 0);
}

static struct kunit_case ph_door_model_cases[] = {
	KUNIT_CASE(caches_do_what_the_model_does),
	{}
};

static struct kunit_suite ph_door_model_suite = {
	.name = "privheap_door_model",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_model_cases,
};

kunit_test_suite(ph_door_model_suite);
