// SPDX-License-Identifier: GPL-2.0
/* Heaps and their types: what there is from the beginning, and what comes. */

#include "catalog.h"
#include "objects.h"
#include "stat.h"
#include "supply.h"

static const struct privheap_type ph_node = {
	.name = "node", .min_bytes = 48, .max_bytes = 5000, .align = 16,
	.policy = PRIVHEAP_POLICY_SPEED,
};

static int ph_add(struct kunit *test, const char *name, u32 *id)
{
	struct privheap_type desc = ph_node;
	int err;

	strscpy_pad(desc.name, name, sizeof(desc.name));
	err = ph_catalog_add(ph_test_heap(test), &desc, NULL, NULL);
	if (id)
		*id = desc.type;
	return err;
}

static int ph_find(struct kunit *test, const char *name,
		   struct privheap_type *desc)
{
	memset(desc, 0, sizeof(*desc));
	strscpy(desc->name, name, sizeof(desc->name));
	return ph_catalog_find(ph_test_heap(test), desc);
}

static const struct ph_builtin_case {
	const char *name;
	u32 id;
	u32 policy;
	u64 min_bytes;
	u32 align;
	bool fixed;
} ph_builtin_cases[] = {
	{ "int", 1, PRIVHEAP_POLICY_SPEED, 28, 8, true },
	{ "float", 2, PRIVHEAP_POLICY_SPEED, 24, 8, true },
	{ "str", 3, PRIVHEAP_POLICY_COMPACT, 1, 8, false },
	{ "bytes", 4, PRIVHEAP_POLICY_COMPACT, 1, 8, false },
	{ "tuple", 5, PRIVHEAP_POLICY_COMPACT, 1, 8, false },
	{ "list", 6, PRIVHEAP_POLICY_GROWABLE, 1, 8, false },
	{ "dict", 7, PRIVHEAP_POLICY_GROWABLE, 1, 8, false },
	{ "set", 8, PRIVHEAP_POLICY_GROWABLE, 1, 8, false },
	{ "object", 9, PRIVHEAP_POLICY_SPEED, 1, 16, false },
};

static void ph_builtin_name(const struct ph_builtin_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_builtin, ph_builtin_cases, ph_builtin_name);

static void heap_begins_with_builtin_type(struct kunit *test)
{
	const struct ph_builtin_case *c = test->param_value;
	struct privheap_type desc;

	KUNIT_ASSERT_EQ(test, ph_find(test, c->name, &desc), 0);
	KUNIT_EXPECT_EQ(test, desc.type, c->id);
	KUNIT_EXPECT_EQ(test, desc.policy, c->policy);
	KUNIT_EXPECT_EQ(test, desc.min_bytes, c->min_bytes);
	KUNIT_EXPECT_EQ(test, desc.align, c->align);
	KUNIT_EXPECT_EQ(test, desc.max_bytes, c->fixed ? c->min_bytes :
			ph_heap_max_object(ph_test_heap(test)));
	KUNIT_EXPECT_EQ(test, desc.flags, 0);
}

static void builtin_type_cannot_be_destroyed(struct kunit *test)
{
	const struct ph_builtin_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, -EPERM,
			ph_catalog_remove(ph_test_heap(test), c->id));
}

static void builtin_name_is_taken(struct kunit *test)
{
	const struct ph_builtin_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, ph_add(test, c->name, NULL), -EEXIST);
}

static void heap_create_when_max_is_in_the_way(struct kunit *test)
{
	struct ph_reserve_stat before, after;
	struct ph_heap *heap;
	u32 failures = 0;
	u64 max;

	ph_reserve_get_stat(&before);
	for (max = 0;; max += 64, failures++) {
		heap = ph_heap_create(max);
		if (!IS_ERR(heap))
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR(heap), -EDQUOT);
		ph_reserve_get_stat(&after);
		KUNIT_ASSERT_EQ(test, after.held_bytes, before.held_bytes);
		KUNIT_ASSERT_EQ(test, after.metadata_bytes,
				before.metadata_bytes);
	}
	KUNIT_EXPECT_GT(test, failures, sizeof(*heap) / 64);
	ph_heap_destroy(heap);
}

static void heap_create_when_module_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_heap *heap;

	ph_reserve_set_max(fix->before.held_bytes);
	heap = ph_heap_create(PH_TEST_MAX_BYTES);
	ph_reserve_set_max(U64_MAX);
	KUNIT_EXPECT_PTR_EQ(test, heap, ERR_PTR(-EDQUOT));
}

/* Tags are as few as the bits for them; none is ever 0. */
static void heaps_have_ids_and_tags(struct kunit *test)
{
	struct ph_heap *heap;
	u32 i, last = ph_test_heap(test)->id, bad = 0;

	for (i = 0; i < 600; i++) {
		heap = ph_heap_create(PH_TEST_MAX_BYTES);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
		bad += heap->id == last || !heap->region.tag ||
		       heap->region.tag << 8;
		last = heap->id;
		ph_heap_destroy(heap);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
}

static void heap_destroy_when_full_of_objects(struct kunit *test)
{
	u32 type, i;

	for (type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++)
		for (i = 1; i < 60; i++)
			ph_test_alloc(test, type, i * i * i);
	/* The fixture's exit destroys it, and looks at what is left. */
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 59 * 7);
}

static void add_gives_ids_from_first_user_id(struct kunit *test)
{
	u32 id;

	KUNIT_EXPECT_EQ(test, ph_add(test, "a", &id), 0);
	KUNIT_EXPECT_EQ(test, id, PRIVHEAP_TYPE_USER);
	KUNIT_EXPECT_EQ(test, ph_add(test, "b", &id), 0);
	KUNIT_EXPECT_EQ(test, id, PRIVHEAP_TYPE_USER + 1);
}

static void add_when_name_is_taken(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ph_add(test, "a", NULL), 0);
	KUNIT_EXPECT_EQ(test, ph_add(test, "a", NULL), -EEXIST);
	KUNIT_EXPECT_EQ(test, ph_add(test, "aa", NULL), 0);
}

static void add_when_declaration_is_bad(struct kunit *test)
{
	struct privheap_type desc = ph_node;
	u64 held = ph_fixture_held(&ph_test_heap(test)->region);

	desc.align = 3;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ph_catalog_add(ph_test_heap(test), &desc, NULL, NULL));
	desc.align = 0;
	desc.max_bytes = PH_TEST_MAX_BYTES + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ph_catalog_add(ph_test_heap(test), &desc, NULL, NULL));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(&ph_test_heap(test)->region),
			held);
}

static void add_as_many_as_fit(struct kunit *test)
{
	u32 i, id, last = 0;
	char name[16];

	for (i = PRIVHEAP_TYPE_USER; i < PH_MAX_TYPES; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		KUNIT_ASSERT_EQ(test, ph_add(test, name, &id), 0);
		KUNIT_ASSERT_GT(test, id, last);
		last = id;
	}
	KUNIT_EXPECT_EQ(test, ph_add(test, "more", NULL), -ENOSPC);
	KUNIT_EXPECT_EQ(test, 0, ph_catalog_remove(ph_test_heap(test), 500));
	KUNIT_EXPECT_EQ(test, ph_add(test, "more", &id), 0);
	KUNIT_EXPECT_EQ(test, id, 500);
}

static void add_with_preallocation_promises(struct kunit *test)
{
	struct privheap_type desc = ph_node;
	struct privheap_type_stat stat = {};

	desc.prealloc_objects = 321;
	stat.type = ph_test_type(test, &desc);
	KUNIT_ASSERT_EQ(test, 0, ph_stat_type_by_id(ph_test_heap(test), &stat));
	KUNIT_EXPECT_EQ(test, stat.promised_objects, 321);
}

static int ph_tell_nobody(void *data, u32 id)
{
	u32 *told = data;

	*told = id;
	return -EAGAIN;
}

/* Who cannot be told the id has no type. */
static void add_when_nobody_can_be_told(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 held = ph_fixture_held(&heap->region);
	struct privheap_type desc = ph_node;
	u32 told = 0, types = heap->nr_types;

	desc.prealloc_objects = 100;
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			ph_catalog_add(heap, &desc, ph_tell_nobody, &told));
	KUNIT_EXPECT_EQ(test, told, PRIVHEAP_TYPE_USER);
	KUNIT_EXPECT_EQ(test, heap->nr_types, types);
	KUNIT_EXPECT_EQ(test, -ENOENT, ph_find(test, "node", &desc));
	KUNIT_EXPECT_LE(test, ph_fixture_held(&heap->region),
			held + 2 * PAGE_SIZE);
	ph_test_expect_sound(test);
}

/* Raise the maximum until the type and its preallocation fit. */
static void add_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_region *region = &ph_test_heap(test)->region;
	u64 base = ph_fixture_held(region), max;
	struct privheap_type desc;
	u32 failures = 0;
	int err;

	for (max = base;; max += 256, failures++) {
		desc = ph_node;
		desc.prealloc_objects = 100;
		region->hard_max = max;
		err = ph_catalog_add(ph_test_heap(test), &desc, NULL, NULL);
		if (err != -EDQUOT && err != -EINVAL)
			break;
		/* The table of offsets is all that may stay. */
		KUNIT_ASSERT_LE(test, ph_fixture_held(region),
				base + 2 * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, -ENOENT, ph_find(test, "node", &desc));
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, failures, 20);
	ph_test_expect_sound(test);
}

static void find_when_there_is_none(struct kunit *test)
{
	struct privheap_type desc;

	KUNIT_EXPECT_EQ(test, ph_find(test, "nothing", &desc), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_find(test, "", &desc), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_find(test, "in", &desc), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_find(test, "intt", &desc), -ENOENT);
}

static void find_tells_the_declaration(struct kunit *test)
{
	struct privheap_type desc;
	u32 id;

	KUNIT_ASSERT_EQ(test, ph_add(test, "node", &id), 0);
	KUNIT_ASSERT_EQ(test, ph_find(test, "node", &desc), 0);
	KUNIT_EXPECT_EQ(test, desc.type, id);
	desc.type = 0;
	KUNIT_EXPECT_EQ(test, memcmp(&desc, &ph_node, sizeof(desc)), 0);
}

static void list_goes_on_where_it_stopped(struct kunit *test)
{
	struct privheap_type descs[5];
	u32 chunk, cursor, nr, i, last, total, tried = 0;

	ph_add(test, "a", NULL);
	ph_add(test, "b", NULL);
	for (chunk = 1; chunk <= 5; chunk++, tried++) {
		cursor = 0;
		total = 0;
		last = 0;
		do {
			nr = ph_catalog_list(ph_test_heap(test), descs, chunk,
					     &cursor);
			for (i = 0; i < nr; i++) {
				KUNIT_EXPECT_GT(test, descs[i].type, last);
				last = descs[i].type;
			}
			total += nr;
		} while (cursor && total < 100);
		KUNIT_EXPECT_EQ(test, total, 11);
	}
	KUNIT_EXPECT_EQ(test, tried, 5);
}

static void list_when_cursor_is_made_up(struct kunit *test)
{
	struct privheap_type desc;
	u32 cursor = U32_MAX;

	KUNIT_EXPECT_EQ(test, 0, ph_catalog_list(ph_test_heap(test), &desc, 1,
						 &cursor));
	KUNIT_EXPECT_EQ(test, cursor, 0);
}

static void remove_when_there_is_none(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);

	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, 10), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, 16), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, U32_MAX), -ENOENT);
}

static void remove_when_type_has_objects(struct kunit *test)
{
	static const u64 sizes[] = { 48, 3000, 5000 };
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_type desc = ph_node;
	u32 type = ph_test_type(test, &desc), i;
	u64 handle;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		handle = ph_test_alloc(test, type, sizes[i]);
		KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, type), -EBUSY);
		KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, type, handle), 0);
		KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), 0);
	}
	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, type), 0);
	KUNIT_EXPECT_EQ(test, -ENOENT, ph_test_try_alloc(heap, type, 48,
							 &handle));
}

static void remove_gives_all_memory_back(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_type desc = ph_node;
	u64 handle, held;
	u32 type, i, round;

	desc.keep_slabs = 5;
	desc.max_bytes = 1 << 20;
	desc.prealloc_objects = 50;
	for (round = 0; round < 3; round++) {
		type = ph_test_type(test, &desc);
		for (i = 0; i < 100; i++) {
			handle = ph_test_alloc(test, type, 48 + i * 300);
			ph_test_free(heap, handle);
		}
		KUNIT_ASSERT_EQ(test, ph_catalog_remove(heap, type), 0);
		/* The tables of offsets are made the first time. */
		if (!round)
			held = ph_fixture_held(&heap->region);
		ph_test_reclaim(heap);
	}
	KUNIT_EXPECT_LE(test, ph_fixture_held(&heap->region), held);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, handle), -ESTALE);
	ph_test_expect_sound(test);
}

static void remove_when_slab_is_pinned(struct kunit *test)
{
	struct privheap_reserve req = { .object_bytes = 48, .count = 5 };
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_test_type(test, &ph_node), slot;
	u64 handle = ph_test_alloc(test, type, 48);
	struct ph_slab *slab = &ph_no_slab;

	down_write(&heap->sem);
	KUNIT_ASSERT_EQ(test, 0,
			ph_supply_reserve(heap, ph_heap_type(heap, type),
					  &req));
	up_write(&heap->sem);
	KUNIT_ASSERT_EQ(test, 0,
			ph_handle_pin(heap, 0, handle, &slab, &slot));
	slab->cache->keep_slabs = 3;
	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, type), -EBUSY);
	/* What it had before it has still. */
	KUNIT_EXPECT_EQ(test, slab->cache->promised, 5);
	KUNIT_EXPECT_EQ(test, slab->cache->keep_slabs, 3);
	KUNIT_EXPECT_EQ(test, slab->cache->nr_slabs, 1);
	ph_slab_unpin(slab);
	KUNIT_EXPECT_EQ(test, ph_catalog_remove(heap, type), 0);
}

static struct kunit_case ph_catalog_test_cases[] = {
	KUNIT_CASE_PARAM(heap_begins_with_builtin_type, ph_builtin_gen_params),
	KUNIT_CASE_PARAM(builtin_type_cannot_be_destroyed,
			 ph_builtin_gen_params),
	KUNIT_CASE_PARAM(builtin_name_is_taken, ph_builtin_gen_params),
	KUNIT_CASE(heap_create_when_max_is_in_the_way),
	KUNIT_CASE(heap_create_when_module_max_is_reached),
	KUNIT_CASE(heaps_have_ids_and_tags),
	KUNIT_CASE(heap_destroy_when_full_of_objects),
	KUNIT_CASE(add_gives_ids_from_first_user_id),
	KUNIT_CASE(add_when_name_is_taken),
	KUNIT_CASE(add_when_declaration_is_bad),
	KUNIT_CASE(add_as_many_as_fit),
	KUNIT_CASE(add_with_preallocation_promises),
	KUNIT_CASE(add_when_nobody_can_be_told),
	KUNIT_CASE(add_when_hard_max_is_in_the_way),
	KUNIT_CASE(find_when_there_is_none),
	KUNIT_CASE(find_tells_the_declaration),
	KUNIT_CASE(list_goes_on_where_it_stopped),
	KUNIT_CASE(list_when_cursor_is_made_up),
	KUNIT_CASE(remove_when_there_is_none),
	KUNIT_CASE(remove_when_type_has_objects),
	KUNIT_CASE(remove_gives_all_memory_back),
	KUNIT_CASE(remove_when_slab_is_pinned),
	{}
};

static struct kunit_suite ph_catalog_suite = {
	.name = "privheap_catalog",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_catalog_test_cases,
};

kunit_test_suite(ph_catalog_suite);
