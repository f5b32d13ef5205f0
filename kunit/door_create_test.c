// SPDX-License-Identifier: GPL-2.0
/* Kernel door: what can be created, what is refused, and how it ends. */

#include <linux/string.h>

#include "door_fixture.h"

struct ph_refused_case {
	const char *what;
	unsigned int size;
	struct privheap_cache_args args;
};

static void ph_no_ctor(void *obj)
{
}

static const struct ph_refused_case ph_refused[] = {
	{ "no size", 0 },
	{ "a size beyond slots", PH_DOOR_SIZE_MAX + 1 },
	{ "the largest size", U32_MAX },
	{ "an alignment that is no power of two", 64, { .align = 24 } },
	{ "an odd alignment", 64, { .align = 3 } },
	{ "an alignment beyond a page", 64, { .align = 2 * PAGE_SIZE } },
	{ "the largest alignment", 64, { .align = BIT(31) } },
	{ "a flag that there is not", 64, { .flags = BIT(31) } },
	{ "the next flag", 64, { .flags = PRIVHEAP_CACHE_NO_REUSE << 1 } },
	{ "a policy that there is not", 64, { .policy = 3 } },
	{ "the largest policy", 64, { .policy = U32_MAX } },
	{ "ctor and zero", 64,
	  { .ctor = ph_no_ctor, .flags = PRIVHEAP_CACHE_ZERO } },
	{ "ctor and poison", 64,
	  { .ctor = ph_no_ctor, .flags = PRIVHEAP_CACHE_POISON } },
	{ "typesafe and zero", 64,
	  { .flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU | PRIVHEAP_CACHE_ZERO } },
	{ "typesafe and poison", 64,
	  { .flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU | PRIVHEAP_CACHE_POISON } },
};

static void ph_refused_name(const struct ph_refused_case *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_refused, ph_refused, ph_refused_name);

static void create_refuses(struct kunit *test)
{
	const struct ph_refused_case *c = test->param_value;
	u64 held = ph_door_held(test);
	struct privheap_cache *cache;

	cache = privheap_cache_create(ph_door_heap_under_test(), "no", c->size,
				      &c->args);
	KUNIT_EXPECT_PTR_EQ(test, cache, ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(ph_door_region()), held);
}

static const char * const ph_bad_names[] = {
	"", " ", "two words", "tab\t", "line\n", "\x7f", "\x80",
	"more-than-the-31-characters-that", "a name that is as long as it is bad",
};

static void ph_bad_name_name(const char * const *name, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "name %zu",
		 (size_t)(name - ph_bad_names));
}

KUNIT_ARRAY_PARAM(ph_bad_name, ph_bad_names, ph_bad_name_name);

static void create_refuses_bad_names(struct kunit *test)
{
	const char * const *name = test->param_value;

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    privheap_cache_create(ph_door_heap_under_test(),
						  *name, 64, NULL));
}

static void create_takes_the_longest_name(struct kunit *test)
{
	static const char name[] = "exactly-31-characters-long-name";
	struct privheap_cache *cache;

	KUNIT_ASSERT_EQ(test, strlen(name), 31);
	cache = privheap_cache_create(ph_door_heap_under_test(), name, 8, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	KUNIT_EXPECT_STREQ(test, cache->cache->type->name, name);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), 0);
}

static void create_copies_the_name(struct kunit *test)
{
	char name[] = "first";
	struct privheap_cache *cache;

	cache = privheap_cache_create(ph_door_heap_under_test(), name, 8, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	memset(name, 'x', sizeof(name) - 1);
	KUNIT_EXPECT_STREQ(test, cache->cache->type->name, "first");
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), 0);
}

static void names_are_unique_in_a_heap(struct kunit *test)
{
	static const struct privheap_attr attr = { .name = "other" };
	struct privheap *heap = ph_door_heap_under_test(), *other;
	struct privheap_cache *one, *two;

	one = privheap_cache_create(heap, "same", 64, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	KUNIT_EXPECT_PTR_EQ(test, privheap_cache_create(heap, "same", 8, NULL),
			    ERR_PTR(-EEXIST));
	other = privheap_create(&attr);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	two = privheap_cache_create(other, "same", 64, NULL);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, two);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(two, 0), 0);
	KUNIT_EXPECT_EQ(test, privheap_destroy(other), 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(one, 0), 0);
	one = privheap_cache_create(heap, "same", 8, NULL);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, one);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(one, 0), 0);
}

static void size_is_what_was_asked_for(struct kunit *test)
{
	static const u32 sizes[] = { 1, 7, 8, 9, 100, PH_DOOR_SIZE_MAX };
	struct privheap_cache *cache;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = ph_door_cache(test, sizes[i], NULL);
		KUNIT_EXPECT_EQ(test, privheap_cache_size(cache), sizes[i]);
		ph_door_end(test, cache);
	}
}

static void every_policy_serves(struct kunit *test)
{
	struct privheap_cache_args args = {};
	struct privheap_cache *cache;
	void **objs = ph_door_objects();

	for (args.policy = 0; args.policy < 3; args.policy++) {
		cache = ph_door_cache(test, 40, &args);
		KUNIT_EXPECT_EQ(test, 300, ph_door_alloc_all(cache, GFP_KERNEL,
							     objs, 300));
		KUNIT_EXPECT_TRUE(test, ph_door_distinct(objs, 300));
		PH_DOOR_EXPECT_OBJECTS(test, cache, 300);
		ph_door_free_all(cache, objs, 300);
		ph_door_end(test, cache);
	}
}

/* Whatever the memory ends at, creating leaves nothing or succeeds. */
static void create_when_memory_ends_anywhere(struct kunit *test)
{
	static const struct privheap_cache_args args = { .prealloc = 100 };
	struct privheap *heap = ph_door_heap_under_test();
	struct ph_region *region = ph_door_region();
	u64 held = ph_door_held(test), more;
	struct privheap_cache *cache;
	u32 failed = 0;

	for (more = 0; more < 64 * PAGE_SIZE; more += 64) {
		WRITE_ONCE(region->hard_max, held + more);
		cache = privheap_cache_create(heap, "late", 56, &args);
		if (!IS_ERR(cache))
			break;
		failed++;
		KUNIT_ASSERT_PTR_EQ(test, cache, ERR_PTR(-EDQUOT));
		KUNIT_ASSERT_EQ(test, ph_fixture_held(region), held);
	}
	ph_door_relieve();
	KUNIT_EXPECT_GT(test, failed, 10);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, ph_door_stat(cache).promised, 100);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(region), held);
}

static void create_stops_where_the_table_ends(struct kunit *test)
{
	struct privheap *heap = ph_door_heap_under_test();
	void **caches = ph_door_objects();
	char name[8];
	u32 nr, i;

	for (nr = 0; nr < PH_DOOR_OBJECTS; nr++) {
		snprintf(name, sizeof(name), "%u", nr);
		caches[nr] = privheap_cache_create(heap, name, 8, NULL);
		if (IS_ERR(caches[nr]))
			break;
	}
	KUNIT_EXPECT_PTR_EQ(test, caches[nr], ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_EQ(test, nr, PH_MAX_TYPES - PRIVHEAP_TYPE_USER);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, privheap_cache_destroy(caches[i], 0), 0);
}

static void prealloc_beyond_the_maximum_makes_no_cache(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.prealloc = PH_TEST_MAX_BYTES / 4096 + 1,
	};
	struct privheap *heap = ph_door_heap_under_test();
	u64 held = ph_door_held(test);

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EDQUOT),
			    privheap_cache_create(heap, "big", 4096, &args));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(ph_door_region()), held);
}

static void prealloc_beyond_the_quota_makes_no_cache(struct kunit *test)
{
	static const struct privheap_cache_args args = {
		.quota = 10, .prealloc = 11,
	};
	struct privheap_cache *cache;

	cache = privheap_cache_create(ph_door_heap_under_test(), "quota", 64,
				      &args);
	KUNIT_EXPECT_PTR_EQ(test, cache, ERR_PTR(-EDQUOT));
}

static void heap_needs_a_name(struct kunit *test)
{
	static const struct privheap_attr none, empty = { .name = "" };

	KUNIT_EXPECT_PTR_EQ(test, privheap_create(&none), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_PTR_EQ(test, privheap_create(&empty), ERR_PTR(-EINVAL));
}

static void heap_takes_its_reserve_at_once(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "rich", .reserve_bytes = 16 * PAGE_SIZE,
	};
	struct ph_fixture *fix = test->priv;
	struct ph_reserve_stat stat;
	struct privheap *heap = privheap_create(&attr);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	ph_reserve_get_stat(&stat);
	KUNIT_EXPECT_EQ(test, stat.pages, fix->before.pages + 16);
	KUNIT_EXPECT_EQ(test, privheap_destroy(heap), 0);
}

static void heap_with_more_reserve_than_maximum(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "mad", .max_bytes = SZ_1M, .reserve_bytes = SZ_2M,
	};

	KUNIT_EXPECT_PTR_EQ(test, privheap_create(&attr), ERR_PTR(-EINVAL));
}

static void heap_too_small_for_itself(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "tiny", .max_bytes = 1,
	};

	KUNIT_EXPECT_PTR_EQ(test, privheap_create(&attr), ERR_PTR(-EDQUOT));
}

static void heap_with_a_long_name(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "a name of more than fifteen characters",
	};
	struct privheap *heap = privheap_create(&attr);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_EXPECT_STREQ(test, ph_door_heap(heap)->comm, "a name of more ");
	KUNIT_EXPECT_EQ(test, privheap_destroy(heap), 0);
}

static void end_of_nothing(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, privheap_destroy(NULL), 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(ERR_PTR(-ENOMEM), 0), 0);
}

static void heap_with_caches_stays(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void *obj;

	KUNIT_EXPECT_EQ(test, privheap_destroy(ph_door_heap_under_test()),
			-EBUSY);
	obj = ph_door_alloc(test, cache);
	privheap_cache_free(cache, obj);
}

static void end_with_a_flag_that_there_is_not(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);

	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, BIT(1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, BIT(31) |
						     PRIVHEAP_DESTROY_FORCE),
			-EINVAL);
}

static void end_with_objects_is_refused(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 64, NULL);
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, 300, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     300));
	memset(objs[299], 0x5a, 64);
	KUNIT_EXPECT_EQ(test, privheap_cache_destroy(cache, 0), -EBUSY);
	PH_DOOR_EXPECT_ERRORS(test, cache, 1);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 300);
	PH_DOOR_EXPECT_SOUND(test, cache);
	KUNIT_EXPECT_NULL(test, memchr_inv(objs[299], 0x5a, 64));
	objs[300] = ph_door_alloc(test, cache);
	ph_door_free_all(cache, objs, 301);
}

static void end_by_force_takes_the_memory_back(struct kunit *test)
{
	u64 held = ph_door_held(test);
	struct privheap_cache *cache = ph_door_cache(test, 200, NULL);
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, 500, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     500));
	ph_door_free_all(cache, objs, 77);
	ph_door_forget(cache);
	KUNIT_EXPECT_EQ(test, 0,
			privheap_cache_destroy(cache, PRIVHEAP_DESTROY_FORCE));
	ph_region_trim(ph_door_region());
	KUNIT_EXPECT_EQ(test, ph_fixture_held(ph_door_region()), held);
	KUNIT_EXPECT_FALSE(test, privheap_owns(objs[400]));
}

static void end_by_force_with_a_promise(struct kunit *test)
{
	static const struct privheap_cache_args args = { .prealloc = 500 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);

	ph_door_alloc(test, cache);
	ph_door_forget(cache);
	KUNIT_EXPECT_EQ(test, 0,
			privheap_cache_destroy(cache, PRIVHEAP_DESTROY_FORCE));
}

static void end_with_a_promise(struct kunit *test)
{
	static const struct privheap_cache_args args = { .prealloc = 500 };
	u64 held = ph_door_held(test);

	ph_door_end(test, ph_door_cache(test, 64, &args));
	ph_region_trim(ph_door_region());
	KUNIT_EXPECT_EQ(test, ph_fixture_held(ph_door_region()), held);
}

static struct kunit_case ph_door_create_cases[] = {
	KUNIT_CASE_PARAM(create_refuses, ph_refused_gen_params),
	KUNIT_CASE_PARAM(create_refuses_bad_names, ph_bad_name_gen_params),
	KUNIT_CASE(create_takes_the_longest_name),
	KUNIT_CASE(create_copies_the_name),
	KUNIT_CASE(names_are_unique_in_a_heap),
	KUNIT_CASE(size_is_what_was_asked_for),
	KUNIT_CASE(every_policy_serves),
	KUNIT_CASE(create_when_memory_ends_anywhere),
	KUNIT_CASE(create_stops_where_the_table_ends),
	KUNIT_CASE(prealloc_beyond_the_maximum_makes_no_cache),
	KUNIT_CASE(prealloc_beyond_the_quota_makes_no_cache),
	KUNIT_CASE(heap_needs_a_name),
	KUNIT_CASE(heap_takes_its_reserve_at_once),
	KUNIT_CASE(heap_with_more_reserve_than_maximum),
	KUNIT_CASE(heap_too_small_for_itself),
	KUNIT_CASE(heap_with_a_long_name),
	KUNIT_CASE(end_of_nothing),
	KUNIT_CASE(heap_with_caches_stays),
	KUNIT_CASE(end_with_a_flag_that_there_is_not),
	KUNIT_CASE(end_with_objects_is_refused),
	KUNIT_CASE(end_by_force_takes_the_memory_back),
	KUNIT_CASE(end_by_force_with_a_promise),
	KUNIT_CASE(end_with_a_promise),
	{}
};

static struct kunit_suite ph_door_create_suite = {
	.name = "privheap_door_create",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_create_cases,
};

kunit_test_suite(ph_door_create_suite);
