// SPDX-License-Identifier: GPL-2.0
/* Check: which caches are checked, by the list and by what fits. */

#include "check_scene.h"

#define P	PRIVHEAP_CACHE_POISON
#define Z	PRIVHEAP_CACHE_RED_ZONE
#define T	PRIVHEAP_CACHE_TRACK

struct ph_list_case {
	const char *list;
	const char *name;
	u32 flags;
};

static const struct ph_list_case ph_good_lists[] = {
	{ "", "node", 0 },
	{ "\n", "node", 0 },
	{ "node", "node", P | Z | T },
	{ "node\n", "node", P | Z | T },
	{ "node", "nod", 0 },
	{ "node", "nodes", 0 },
	{ "node", "Node", 0 },
	{ "*", "node", P | Z | T },
	{ "all", "node", P | Z | T },
	{ "*=P", "node", P },
	{ "all=zt", "node", Z | T },
	{ "al", "node", 0 },
	{ "alle", "all", 0 },
	{ "a,node,b", "node", P | Z | T },
	{ "a,node,b", "b", P | Z | T },
	{ "a,node,b", "c", 0 },
	{ "node=p", "node", P },
	{ "node=Z", "node", Z },
	{ "node=t", "node", T },
	{ "node=PZT", "node", P | Z | T },
	{ "node=PPP", "node", P },
	{ "a=P,node=T", "node", T },
	{ "node=P,node=T", "node", P | T },
	{ "*=P,node=T", "node", P | T },
	{ "*=P,node=T", "other", P },
	{ "a=b=T", "a=b", T },
	{ "a=b=T", "a", 0 },
	{ "1234567890123456789012345678901", "1234567890123456789012345678901",
	  P | Z | T },
};

static void ph_list_name(const struct ph_list_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%.*s for %s",
		 (int)strcspn(c->list, "\n"), c->list, c->name);
}

KUNIT_ARRAY_PARAM(ph_good_list, ph_good_lists, ph_list_name);

static void list_is_understood(struct kunit *test)
{
	const struct ph_list_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, ph_checklist_set(c->list), 0);
	KUNIT_EXPECT_EQ(test, ph_checklist_flags(c->name), c->flags);
}

static const char * const ph_bad_lists[] = {
	",", "a,", ",a", "a,,b", "=", "=P", "a=", "a=X", "a=PX", "a=P,b=",
	"a b", "a\t", "\n\n", "a=P Z", "a==", "12345678901234567890123456789012",
	"a,12345678901234567890123456789012=P", "\x80",
};

static void ph_bad_list_name(const char * const *list, char *desc)
{
	u32 i;

	for (i = 0; (*list)[i] && i < KUNIT_PARAM_DESC_SIZE - 1; i++)
		desc[i] = (*list)[i] > ' ' ? (*list)[i] : '_';
	desc[i] = '\0';
}

KUNIT_ARRAY_PARAM(ph_bad_list, ph_bad_lists, ph_bad_list_name);

static void list_is_refused(struct kunit *test)
{
	const char * const *list = test->param_value;
	char now[PRIVHEAP_NAME_LEN];

	KUNIT_EXPECT_EQ(test, ph_checklist_set("before=Z"), 0);
	KUNIT_EXPECT_EQ(test, ph_checklist_set(*list), -EINVAL);
	KUNIT_EXPECT_EQ(test, ph_checklist_get(now, sizeof(now)), 8);
	KUNIT_EXPECT_STREQ(test, now, "before=Z");
	KUNIT_EXPECT_EQ(test, ph_checklist_flags("before"), Z);
}

static void list_that_is_too_long(struct kunit *test)
{
	char *list = kunit_kzalloc(test, PH_CHECKLIST_LEN + 1, GFP_KERNEL);
	char *now = kunit_kzalloc(test, PH_CHECKLIST_LEN, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	KUNIT_ASSERT_NOT_NULL(test, now);
	for (i = 0; i < PH_CHECKLIST_LEN; i++)
		list[i] = i % 2 ? ',' : 'a';
	list[PH_CHECKLIST_LEN - 1] = 'a';
	KUNIT_EXPECT_EQ(test, ph_checklist_set(list), -ENOSPC);
	list[PH_CHECKLIST_LEN - 1] = '\0';
	KUNIT_EXPECT_EQ(test, ph_checklist_set(list), 0);
	KUNIT_EXPECT_EQ(test, ph_checklist_get(now, PH_CHECKLIST_LEN),
			PH_CHECKLIST_LEN - 1);
	KUNIT_EXPECT_STREQ(test, now, list);
}

static void list_is_for_caches_to_come(struct kunit *test)
{
	struct privheap_cache *before = ph_scene_cache(test, 24, NULL), *after;
	struct privheap_cache_args args = { .flags = Z };

	KUNIT_EXPECT_EQ(test, ph_checklist_set("*=P"), 0);
	after = ph_scene_cache(test, 24, NULL);
	KUNIT_EXPECT_EQ(test, before->flags, 0);
	KUNIT_EXPECT_FALSE(test, before->special);
	KUNIT_EXPECT_EQ(test, after->flags, P);
	KUNIT_EXPECT_TRUE(test, after->special);
	/* What its owner wants stays. */
	KUNIT_EXPECT_EQ(test, ph_scene_cache(test, 24, &args)->flags, P | Z);
	KUNIT_EXPECT_EQ(test, ph_checklist_set(""), 0);
	KUNIT_EXPECT_EQ(test, ph_scene_cache(test, 24, NULL)->flags, 0);
}

static void ph_no_op_ctor(void *obj)
{
}

static void list_leaves_poison_out_where_it_would_harm(struct kunit *test)
{
	struct privheap_cache_args ctor = { .ctor = ph_no_op_ctor };
	struct privheap_cache_args typesafe = {
		.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
	};

	KUNIT_EXPECT_EQ(test, ph_checklist_set("*"), 0);
	KUNIT_EXPECT_EQ(test, ph_scene_cache(test, 24, &ctor)->flags, Z | T);
	KUNIT_EXPECT_EQ(test, ph_scene_cache(test, 24, &typesafe)->flags,
			PRIVHEAP_CACHE_TYPESAFE_BY_RCU | Z | T);
	KUNIT_EXPECT_EQ(test, ph_checklist_set("*=P"), 0);
	KUNIT_EXPECT_EQ(test, ph_scene_cache(test, 24, &ctor)->flags, 0);
}

static void poison_is_refused_where_it_would_harm(struct kunit *test)
{
	struct privheap_cache_args ctor = {
		.ctor = ph_no_op_ctor, .flags = P,
	};
	struct privheap_cache_args typesafe = {
		.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU | P,
	};

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    (void *)privheap_cache_create(ph_scene_heap, "c",
							  24, &ctor));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    (void *)privheap_cache_create(ph_scene_heap, "t",
							  24, &typesafe));
}

/* What is added in bytes, reckoned by hand: 16 of red zones, 64 of records. */
static u32 ph_fitting(u32 flags, u32 size)
{
	u32 bytes = ALIGN(size, 8);

	if ((flags & T) && bytes + 64 + (flags & Z ? 16 : 0) > PH_SLOT_MAX)
		flags &= ~T;
	if ((flags & Z) && bytes + 16 + (flags & T ? 64 : 0) > PH_SLOT_MAX)
		flags &= ~Z;
	return flags;
}

static void checks_that_do_not_fit_are_left_out(struct kunit *test)
{
	struct privheap_cache_args args = {};
	struct privheap_cache *cache;
	u32 size, seen = 0;
	void *obj;

	for (size = PH_SLOT_MAX - 100; size <= PH_SLOT_MAX; size++) {
		ph_for_each_check(args.flags) {
			cache = ph_scene_cache(test, size, &args);
			KUNIT_EXPECT_EQ(test, cache->flags,
					ph_fitting(args.flags, size));
			seen |= BIT(cache->flags);
			obj = ph_scene_alloc(test, cache);
			memset(obj, 1, size);
			privheap_cache_free(cache, obj);
			ph_scene_end_cache(test, cache);
		}
	}
	ph_expect_silence(test);
	/* None, and each set but those of red zones and records alone. */
	KUNIT_EXPECT_EQ(test, seen, BIT(0) | BIT(P) | BIT(Z) | BIT(T) |
				    BIT(P | Z) | BIT(P | T) | BIT(Z | T) |
				    BIT(P | Z | T));
}

static struct kunit_case ph_check_list_test_cases[] = {
	KUNIT_CASE_PARAM(list_is_understood, ph_good_list_gen_params),
	KUNIT_CASE_PARAM(list_is_refused, ph_bad_list_gen_params),
	KUNIT_CASE(list_that_is_too_long),
	KUNIT_CASE(list_is_for_caches_to_come),
	KUNIT_CASE(list_leaves_poison_out_where_it_would_harm),
	KUNIT_CASE(poison_is_refused_where_it_would_harm),
	KUNIT_CASE(checks_that_do_not_fit_are_left_out),
	{}
};

static struct kunit_suite ph_check_list_suite = {
	.name = "privheap_check_list",
	.init = ph_scene_init,
	.exit = ph_scene_exit,
	.test_cases = ph_check_list_test_cases,
};

kunit_test_suite(ph_check_list_suite);
