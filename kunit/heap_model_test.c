// SPDX-License-Identifier: GPL-2.0
/*
 * A heap against a model: an array of the objects that have to be alive, with
 * type, size, references and the byte that each was filled with. Some thousand
 * random operations later both still agree, byte for byte.
 */

#include "inspect.h"
#include "objects.h"
#include "refs.h"
#include "resize.h"
#include "stat.h"
#include "supply.h"

#define PH_MODEL_OBJECTS	600
#define PH_MODEL_STEPS		20000
#define PH_MODEL_TYPES		7

struct ph_model_object {
	u64 handle;
	u64 bytes;
	u32 type;
	u32 refs;
	u8 fill;
};

struct ph_heap_model {
	struct kunit *test;
	struct ph_fixture *fix;
	struct ph_heap *heap;
	u32 type[PH_MODEL_TYPES];
	struct ph_model_object object[PH_MODEL_OBJECTS];
	u32 nr;
	u8 next_fill;
	u64 freed[64];
	u32 nr_freed;
	u32 refused;
};

static const struct privheap_type ph_model_types[PH_MODEL_TYPES] = {
	{ .name = "speed", .policy = PRIVHEAP_POLICY_SPEED,
	  .min_bytes = 1, .max_bytes = 1 << 20 },
	{ .name = "compact", .policy = PRIVHEAP_POLICY_COMPACT,
	  .min_bytes = 1, .max_bytes = 1 << 20 },
	{ .name = "growable", .policy = PRIVHEAP_POLICY_GROWABLE,
	  .min_bytes = 1, .max_bytes = 1 << 20 },
	{ .name = "counted", .policy = PRIVHEAP_POLICY_SPEED,
	  .min_bytes = 1, .max_bytes = 1 << 20,
	  .flags = PRIVHEAP_TYPE_COUNTED },
	{ .name = "zeroed", .policy = PRIVHEAP_POLICY_COMPACT,
	  .min_bytes = 1, .max_bytes = 1 << 20, .align = 64,
	  .flags = PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_ZERO_FREE },
	{ .name = "fixed", .policy = PRIVHEAP_POLICY_SPEED, .min_bytes = 40,
	  .keep_slabs = 2 },
	{ .name = "few", .policy = PRIVHEAP_POLICY_COMPACT, .min_bytes = 100,
	  .quota_objects = 20 },
};

static u64 ph_model_size(struct ph_heap_model *m, u32 which)
{
	const struct privheap_type *type = &ph_model_types[which];

	if (!type->max_bytes)
		return type->min_bytes;
	/* Mostly small, seldom a span. */
	return 1 + ph_fixture_random(m->fix,
				     16U << ph_fixture_random(m->fix, 12));
}

static void ph_model_alloc(struct ph_heap_model *m)
{
	u32 which = ph_fixture_random(m->fix, PH_MODEL_TYPES);
	struct ph_model_object *object = &m->object[m->nr];
	u64 bytes = ph_model_size(m, which);
	int err;

	if (m->nr == PH_MODEL_OBJECTS)
		return;
	err = ph_test_try_alloc(m->heap, m->type[which], bytes,
				&object->handle);
	if (err) {
		KUNIT_ASSERT_EQ(m->test, err, -EDQUOT);
		m->refused++;
		return;
	}
	if (ph_model_types[which].flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		KUNIT_ASSERT_TRUE(m->test, ph_test_is_zero(m->test,
							   object->handle, 0,
							   bytes));
	object->type = which;
	object->bytes = bytes;
	object->refs = 1;
	object->fill = m->next_fill++;
	ph_test_fill(m->test, object->handle, 0, bytes, object->fill);
	m->nr++;
}

static void ph_model_forget(struct ph_heap_model *m, u32 at)
{
	m->freed[m->nr_freed++ % ARRAY_SIZE(m->freed)] = m->object[at].handle;
	m->object[at] = m->object[--m->nr];
}

static void ph_model_free(struct ph_heap_model *m)
{
	u32 at = ph_fixture_random(m->fix, m->nr);
	struct ph_model_object *object = &m->object[at];

	KUNIT_ASSERT_TRUE(m->test, ph_test_is_filled(m->test, object->handle, 0,
						     object->bytes,
						     object->fill));
	KUNIT_ASSERT_EQ(m->test, ph_test_free(m->heap, object->handle),
			object->refs > 1 ? -EBUSY : 0);
	if (object->refs == 1)
		ph_model_forget(m, at);
}

static void ph_model_resize(struct ph_heap_model *m)
{
	u32 at = ph_fixture_random(m->fix, m->nr);
	struct ph_model_object *object = &m->object[at];
	u64 bytes = ph_model_size(m, object->type), kept, usable;
	int err;

	err = ph_test_resize(m->heap, m->type[object->type], &object->handle,
			     bytes, &usable);
	kept = err ? object->bytes : min(bytes, object->bytes);
	KUNIT_ASSERT_TRUE(m->test, ph_test_is_filled(m->test, object->handle, 0,
						     kept, object->fill));
	if (err) {
		KUNIT_ASSERT_EQ(m->test, err, -EDQUOT);
		m->refused++;
		return;
	}
	if (ph_model_types[object->type].flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		KUNIT_ASSERT_TRUE(m->test, ph_test_is_zero(m->test,
							   object->handle, kept,
							   bytes));
	object->bytes = bytes;
	ph_test_fill(m->test, object->handle, kept, bytes, object->fill);
}

static void ph_model_refs(struct ph_heap_model *m, bool get)
{
	u32 at = ph_fixture_random(m->fix, m->nr), done, freed;
	struct ph_model_object *object = &m->object[at];
	bool counted = ph_model_types[object->type].flags &
		       PRIVHEAP_TYPE_COUNTED;
	u64 handle = object->handle;
	int err;

	err = get ? ph_refs_get(m->heap, 0, &handle, 1, false, &done) :
		    ph_refs_put(m->heap, 0, &handle, 1, false, &done, &freed);
	KUNIT_ASSERT_EQ(m->test, err, counted ? 0 : -EOPNOTSUPP);
	if (!counted)
		return;
	object->refs += get ? 1 : -1;
	if (!get)
		KUNIT_ASSERT_EQ(m->test, freed, !object->refs);
	if (!object->refs)
		ph_model_forget(m, at);
}

/* Handles of objects that are gone: none may ever work again. */
static void ph_model_stale(struct ph_heap_model *m)
{
	u32 i, nr = min_t(u32, m->nr_freed, ARRAY_SIZE(m->freed));

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NE(m->test, 0,
				ph_test_lookup(m->heap, 0, m->freed[i]));
}

static void ph_model_seldom(struct ph_heap_model *m)
{
	struct privheap_reserve req = { .object_bytes = 64 };

	switch (ph_fixture_random(m->fix, 6)) {
	case 0:
		ph_test_reclaim(m->heap);
		break;
	case 1:
		down_read(&m->heap->sem);
		ph_supply_tick(m->heap);
		up_read(&m->heap->sem);
		break;
	case 2:
		req.count = ph_fixture_random(m->fix, 100);
		down_write(&m->heap->sem);
		ph_supply_reserve(m->heap, ph_heap_type(m->heap, m->type[1]),
				  &req);
		up_write(&m->heap->sem);
		break;
	case 3:
		m->heap->region.soft_max = ph_fixture_random(m->fix, 2) ?
			m->heap->region.hard_max : 0;
		break;
	case 4:
		/* A maximum that bites. */
		m->heap->region.hard_max = PH_TEST_MAX_BYTES;
		if (ph_fixture_random(m->fix, 2))
			m->heap->region.hard_max =
				ph_fixture_held(&m->heap->region);
		break;
	case 5:
		ph_model_stale(m);
		break;
	}
}

static void ph_model_check(struct ph_heap_model *m)
{
	struct privheap_heap_stat stat;
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < m->nr; i++)
		bytes += m->object[i].bytes;
	down_read(&m->heap->sem);
	ph_stat_heap(m->heap, &stat);
	KUNIT_ASSERT_EQ(m->test, ph_supply_validate(m->heap), 0);
	up_read(&m->heap->sem);
	KUNIT_ASSERT_EQ(m->test, stat.live_objects, m->nr);
	KUNIT_ASSERT_EQ(m->test, stat.live_bytes, bytes);
	KUNIT_ASSERT_EQ(m->test, stat.allocs, stat.magazine_hits +
			stat.depot_hits + stat.slab_allocs);
}

static void ph_model_step(struct ph_heap_model *m, u32 step)
{
	u32 what = ph_fixture_random(m->fix, 100);
	u32 bias = step / 1000 % 2 ? 25 : 45;

	if (what < bias || !m->nr)
		ph_model_alloc(m);
	else if (what < 70)
		ph_model_free(m);
	else if (what < 85)
		ph_model_resize(m);
	else if (what < 97)
		ph_model_refs(m, what % 2);
	else
		ph_model_seldom(m);
	ph_model_check(m);
}

/* At the end the walk has to find exactly what the model has. */
static void ph_model_walk(struct ph_heap_model *m)
{
	u64 cursor = 0, handles[16];
	u32 seen = 0, done, at;
	int err;

	do {
		err = ph_inspect_walk(m->heap, 0, &cursor, handles, 16, &done);
		KUNIT_ASSERT_EQ(m->test, err, 0);
		seen += done;
		while (done--) {
			for (at = 0; at < m->nr; at++)
				if (m->object[at].handle == handles[done])
					break;
			KUNIT_ASSERT_LT(m->test, at, m->nr);
		}
	} while (cursor);
	KUNIT_EXPECT_EQ(m->test, seen, m->nr);
}

static void heap_agrees_with_model_in_long_run(struct kunit *test)
{
	u32 i, step, steps = ph_long_run(PH_MODEL_STEPS);
	struct ph_heap_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->fix = test->priv;
	m->heap = ph_test_heap(test);
	prandom_seed_state(&m->fix->rnd, *(const u32 *)test->param_value);
	for (i = 0; i < PH_MODEL_TYPES; i++)
		m->type[i] = ph_test_type(test, &ph_model_types[i]);
	for (step = 0; step < steps; step++)
		ph_model_step(m, step);
	ph_model_walk(m);
	ph_model_stale(m);
	/* It met its limits, but not all the time. */
	KUNIT_EXPECT_GT(test, m->refused, 0);
	KUNIT_EXPECT_LT(test, m->refused, steps / 2);
}

static const u32 ph_seeds[] = { 1, 20240229, 3141592 };

static void ph_seed_name(const u32 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %u", *seed);
}

KUNIT_ARRAY_PARAM(ph_seed, ph_seeds, ph_seed_name);

static struct kunit_case ph_model_test_cases[] = {
	KUNIT_CASE_PARAM(heap_agrees_with_model_in_long_run,
			 ph_seed_gen_params),
	{}
};

static struct kunit_suite ph_model_suite = {
	.name = "privheap_heap_model",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_model_test_cases,
};

kunit_test_suite(ph_model_suite);
