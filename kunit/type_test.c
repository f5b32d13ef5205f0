// SPDX-License-Identifier: GPL-2.0
/* Types: what may be declared, and which caches it makes. */

#include "content.h"
#include "fixture.h"

#define PH_MAX_OBJECT	(64ULL << 20)

/* A good declaration, to be spoiled in one place. */
static const struct privheap_type ph_good = {
	.name = "good", .min_bytes = 8, .max_bytes = 20000, .align = 16,
	.policy = PRIVHEAP_POLICY_COMPACT, .keep_slabs = 3,
	.quota_objects = 100, .prealloc_objects = 50,
};

static struct ph_type *ph_type_of(struct kunit *test,
				  const struct privheap_type *desc)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, ph_type_check(desc, PH_MAX_OBJECT), 0);
	fix->type = ph_type_create(fix->region, desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->type);
	return fix->type;
}

static void ph_type_drop(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	ph_type_destroy(fix->type);
	fix->type = NULL;
}

static void type_check_when_good(struct kunit *test)
{
	struct privheap_type desc = ph_good;

	KUNIT_EXPECT_EQ(test, ph_type_check(&desc, PH_MAX_OBJECT), 0);
	desc.flags = PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_ZERO_FREE |
		     PRIVHEAP_TYPE_COUNTED;
	KUNIT_EXPECT_EQ(test, ph_type_check(&desc, PH_MAX_OBJECT), 0);
	desc.max_bytes = PH_MAX_OBJECT;
	KUNIT_EXPECT_EQ(test, ph_type_check(&desc, PH_MAX_OBJECT), 0);
	memset(desc.name, '~', sizeof(desc.name) - 1);
	KUNIT_EXPECT_EQ(test, ph_type_check(&desc, PH_MAX_OBJECT), 0);
}

/* Each bad declaration overwrites one member with one value. */
#define PH_BAD(_type, _member, _value, _err) { #_member " = " #_value, \
	offsetof(struct privheap_type, _member), sizeof(_type), (_value), \
	(_err) }

static const struct ph_type_bad {
	const char *name;
	size_t at;
	size_t bytes;
	u64 value;
	int err;
} ph_type_bads[] = {
	PH_BAD(u32, flags, 1U << 3, -EOPNOTSUPP),
	PH_BAD(u32, flags, 1U << 31, -EOPNOTSUPP),
	PH_BAD(u32, nr_slots, 1, -EOPNOTSUPP),
	PH_BAD(u64, slots, 1, -EOPNOTSUPP),
	PH_BAD(u32, reserved, 1, -EOPNOTSUPP),
	PH_BAD(u32, policy, 3, -EINVAL),
	PH_BAD(u32, policy, U32_MAX, -EINVAL),
	PH_BAD(u64, min_bytes, 0, -EINVAL),
	PH_BAD(u64, min_bytes, 20001, -EINVAL),
	PH_BAD(u64, min_bytes, U64_MAX, -EINVAL),
	PH_BAD(u64, max_bytes, 7, -EINVAL),
	PH_BAD(u64, max_bytes, PH_MAX_OBJECT + 1, -EINVAL),
	PH_BAD(u64, max_bytes, U64_MAX, -EINVAL),
	PH_BAD(u32, align, 3, -EINVAL),
	PH_BAD(u32, align, 24, -EINVAL),
	PH_BAD(u32, align, 2 * PAGE_SIZE, -EINVAL),
	PH_BAD(u32, align, U32_MAX, -EINVAL),
	PH_BAD(u32, align, 1U << 31, -EINVAL),
	PH_BAD(u32, keep_slabs, 1025, -EINVAL),
	PH_BAD(u32, keep_slabs, U32_MAX, -EINVAL),
	PH_BAD(u64, quota_objects, 49, -EINVAL),
	PH_BAD(u64, prealloc_objects, 101, -EINVAL),
	PH_BAD(u8, name[0], 0, -EINVAL),
	PH_BAD(u8, name[0], ' ', -EINVAL),
	PH_BAD(u8, name[1], '\t', -EINVAL),
	PH_BAD(u8, name[1], 0x7f, -EINVAL),
	PH_BAD(u8, name[1], 0x80, -EINVAL),
	PH_BAD(u8, name[3], 0xff, -EINVAL),
	PH_BAD(u8, name[31], 'x', -EINVAL),
};

static void ph_type_bad_name(const struct ph_type_bad *bad, char *desc)
{
	strscpy(desc, bad->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_type_bad, ph_type_bads, ph_type_bad_name);

static void type_check_when_bad(struct kunit *test)
{
	const struct ph_type_bad *bad = test->param_value;
	struct privheap_type desc = ph_good;
	void *at = (void *)&desc + bad->at;

	switch (bad->bytes) {
	case sizeof(u8):
		*(u8 *)at = bad->value;
		break;
	case sizeof(u32):
		*(u32 *)at = bad->value;
		break;
	default:
		*(u64 *)at = bad->value;
	}
	KUNIT_EXPECT_EQ(test, ph_type_check(&desc, PH_MAX_OBJECT), bad->err);
}

static void type_check_when_name_has_no_end(struct kunit *test)
{
	struct privheap_type desc = ph_good;

	memset(desc.name, 'x', sizeof(desc.name));
	KUNIT_EXPECT_EQ(test, ph_type_check(&desc, PH_MAX_OBJECT), -EINVAL);
}

static void type_describe_tells_the_declaration(struct kunit *test)
{
	struct privheap_type desc = ph_good, told;
	struct ph_type *type;

	desc.type = 77;
	desc.flags = PRIVHEAP_TYPE_COUNTED;
	type = ph_type_of(test, &desc);
	ph_type_describe(type, &told);
	desc.prealloc_objects = 0;
	KUNIT_EXPECT_EQ(test, memcmp(&told, &desc, sizeof(desc)), 0);
}

static void type_describe_fills_in_defaults(struct kunit *test)
{
	struct privheap_type desc = { .name = "plain", .min_bytes = 24 }, told;

	ph_type_describe(ph_type_of(test, &desc), &told);
	KUNIT_EXPECT_EQ(test, told.max_bytes, 24);
	KUNIT_EXPECT_EQ(test, told.align, 8);
	KUNIT_EXPECT_EQ(test, told.quota_objects, 0);
}

static void type_create_when_hard_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	fix->region->hard_max = sizeof(struct ph_type) - 1;
	KUNIT_EXPECT_PTR_EQ(test, ph_type_create(fix->region, &ph_good),
			    ERR_PTR(-EDQUOT));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

static void quota_charge_stops_at_quota(struct kunit *test)
{
	struct ph_type *type = ph_type_of(test, &ph_good);

	KUNIT_EXPECT_EQ(test, ph_type_charge(type, 101), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic64_read(&type->live), 0);
	KUNIT_EXPECT_EQ(test, ph_type_charge(type, 99), 0);
	KUNIT_EXPECT_EQ(test, ph_type_charge(type, 2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_type_charge(type, 1), 0);
	ph_type_uncharge(type, 100);
	KUNIT_EXPECT_EQ(test, ph_type_charge(type, 100), 0);
}

static void quota_charge_when_there_is_none(struct kunit *test)
{
	struct privheap_type desc = { .name = "free", .min_bytes = 8 };
	struct ph_type *type = ph_type_of(test, &desc);

	KUNIT_EXPECT_EQ(test, ph_type_charge(type, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&type->live), 0);
}

static void make_cache_makes_one_per_class(struct kunit *test)
{
	struct privheap_type desc = ph_good;
	struct ph_cache *first, *again;
	struct ph_cache_stat stat = {};
	struct ph_type *type;

	type = ph_type_of(test, &desc);
	KUNIT_EXPECT_NULL(test, ph_type_cache(type, 100));
	first = ph_type_make_cache(type, 100);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	again = ph_type_make_cache(type, 100);
	KUNIT_EXPECT_PTR_EQ(test, again, first);
	KUNIT_EXPECT_PTR_EQ(test, ph_type_cache(type, 100), first);
	KUNIT_EXPECT_EQ(test, ph_type_stat(type, &stat), 1);
	KUNIT_EXPECT_EQ(test, first->keep_slabs, desc.keep_slabs);
	KUNIT_EXPECT_PTR_NE(test, ph_type_make_cache(type, 20000), first);
	KUNIT_EXPECT_EQ(test, ph_type_stat(type, &stat), 2);
}

static void make_cache_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_type *type = ph_type_of(test, &ph_good);
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache;
	u32 failures = 0;

	for (;; failures++) {
		fix->region->hard_max = ph_fixture_held(fix->region) +
					8 * failures;
		cache = ph_type_make_cache(type, 100);
		if (!IS_ERR(cache))
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR(cache), -EDQUOT);
		KUNIT_ASSERT_NULL(test, ph_type_cache(type, 100));
	}
	KUNIT_EXPECT_GT(test, failures, sizeof(*cache) / 8);
}

/* Every policy, with every alignment, as a fixed size or a range. */
static const struct ph_range_case {
	const char *name;
	u32 policy;
	u64 max_bytes;
} ph_range_cases[] = {
	{ "speed", PRIVHEAP_POLICY_SPEED, 20000 },
	{ "compact", PRIVHEAP_POLICY_COMPACT, 20000 },
	{ "growable", PRIVHEAP_POLICY_GROWABLE, 20000 },
	{ "compact up to 100 bytes", PRIVHEAP_POLICY_COMPACT, 100 },
	{ "speed up to 5000 bytes", PRIVHEAP_POLICY_SPEED, 5000 },
};

static void ph_range_case_name(const struct ph_range_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_range, ph_range_cases, ph_range_case_name);

typedef u32 (*ph_size_fn)(struct kunit *test, struct ph_type *type, u64 bytes);

/* Calls @fn for types of all alignments and sizes; it returns what is wrong. */
static void ph_try_all_sizes(struct kunit *test, ph_size_fn fn)
{
	const struct ph_range_case *c = test->param_value;
	struct privheap_type desc = {
		.name = "range", .policy = c->policy, .min_bytes = 1,
		.max_bytes = c->max_bytes,
	};
	u32 tried = 0, wrong, step = ph_long_run(10) == 10 ? 1 : 7;
	struct ph_type *type;
	u64 bytes;

	for (desc.align = 1; desc.align <= PAGE_SIZE; desc.align <<= 1) {
		type = ph_type_of(test, &desc);
		wrong = 0;
		for (bytes = 1; bytes <= c->max_bytes; bytes += step, tried++)
			wrong += fn(test, type, bytes);
		KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "align %u", desc.align);
		ph_type_drop(test);
	}
	KUNIT_EXPECT_EQ(test, tried, DIV_ROUND_UP((u32)c->max_bytes, step) *
			(PAGE_SHIFT + 1));
}

static u32 ph_class_is_wrong(struct kunit *test, struct ph_type *type,
			     u64 bytes)
{
	struct ph_cache *cache = ph_type_make_cache(type, bytes);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	if (ph_type_is_span(type, bytes))
		return cache != type->spans || cache->size;
	return cache->size < bytes || cache->geo.stride % type->align ||
	       cache->geo.stride < cache->size;
}

static void class_fits_every_size_and_align(struct kunit *test)
{
	ph_try_all_sizes(test, ph_class_is_wrong);
}

/* What a slab remembers of an object's size has to be its size. */
static u32 ph_keep_is_wrong(struct kunit *test, struct ph_type *type, u64 bytes)
{
	static u64 memory[32];
	struct ph_slab *slab = (struct ph_slab *)memory;
	u64 told;

	if (ph_type_is_span(type, bytes))
		return 0;
	BUILD_BUG_ON(offsetof(struct ph_slab, free) > sizeof(memory) - 8);
	slab->cache = ph_type_make_cache(type, bytes);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, slab->cache);
	slab->stride = slab->cache->geo.stride;
	slab->slack = &slab->free;
	ph_content_set_requested(slab, 0, bytes);
	told = ph_content_requested(slab, 0);
	return told != bytes;
}

static void keep_bits_hold_every_size(struct kunit *test)
{
	ph_try_all_sizes(test, ph_keep_is_wrong);
}

static void keep_bits_follow_the_declaration(struct kunit *test)
{
	struct privheap_type desc = { .name = "fixed", .min_bytes = 3000 };

	KUNIT_EXPECT_EQ(test, 0,
			ph_type_make_cache(ph_type_of(test, &desc),
					   3000)->geo.keep);
	ph_type_drop(test);
	desc.flags = PRIVHEAP_TYPE_COUNTED;
	KUNIT_EXPECT_EQ(test, PH_KEEP_REFS,
			ph_type_make_cache(ph_type_of(test, &desc),
					   3000)->geo.keep);
	ph_type_drop(test);
	desc.flags = 0;
	desc.max_bytes = 8000;
	KUNIT_EXPECT_EQ(test, PH_KEEP_WIDE_SLACK | PH_LONG,
			ph_type_make_cache(ph_type_of(test, &desc),
					   3000)->geo.keep);
	ph_type_drop(test);
	desc.min_bytes = 1;
	KUNIT_EXPECT_EQ(test, PH_KEEP_SLACK | PH_LONG,
			ph_type_make_cache(ph_type_of(test, &desc),
					   50)->geo.keep);
	ph_type_drop(test);
	desc.policy = PRIVHEAP_POLICY_COMPACT;
	KUNIT_EXPECT_EQ(test, PH_KEEP_SLACK | PH_LATE_GENS,
			ph_type_make_cache(ph_type_of(test, &desc),
					   50)->geo.keep);
}

static void fixed_type_has_one_class(struct kunit *test)
{
	struct privheap_type desc = { .name = "fixed", .min_bytes = 28 };
	struct ph_type *type = ph_type_of(test, &desc);

	KUNIT_EXPECT_TRUE(test, ph_type_is_fixed(type));
	KUNIT_EXPECT_EQ(test, type->nr_classes, 1);
	KUNIT_EXPECT_EQ(test, ph_type_make_cache(type, 28)->size, 28);
	KUNIT_EXPECT_EQ(test, ph_type_make_cache(type, 28)->geo.stride, 32);
}

static struct kunit_case ph_type_test_cases[] = {
	KUNIT_CASE(type_check_when_good),
	KUNIT_CASE_PARAM(type_check_when_bad, ph_type_bad_gen_params),
	KUNIT_CASE(type_check_when_name_has_no_end),
	KUNIT_CASE(type_describe_tells_the_declaration),
	KUNIT_CASE(type_describe_fills_in_defaults),
	KUNIT_CASE(type_create_when_hard_max_is_reached),
	KUNIT_CASE(quota_charge_stops_at_quota),
	KUNIT_CASE(quota_charge_when_there_is_none),
	KUNIT_CASE(make_cache_makes_one_per_class),
	KUNIT_CASE(make_cache_when_hard_max_is_in_the_way),
	KUNIT_CASE_PARAM(class_fits_every_size_and_align, ph_range_gen_params),
	KUNIT_CASE_PARAM(keep_bits_hold_every_size, ph_range_gen_params),
	KUNIT_CASE(keep_bits_follow_the_declaration),
	KUNIT_CASE(fixed_type_has_one_class),
	{}
};

static struct kunit_suite ph_type_suite = {
	.name = "privheap_type",
	.init = ph_fixture_init_slabs,
	.exit = ph_fixture_exit,
	.test_cases = ph_type_test_cases,
};

kunit_test_suite(ph_type_suite);
