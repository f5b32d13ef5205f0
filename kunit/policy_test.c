// SPDX-License-Identifier: GPL-2.0
/* Policies: their size classes are a ladder without holes. */

#include "fixture.h"

static const struct ph_policy_case {
	const char *name;
	u32 id;
	/* Most bytes that an object of size n may waste: n / part + unit. */
	u32 part;
} ph_policy_cases[] = {
	{ "speed", PRIVHEAP_POLICY_SPEED, 4 },
	{ "compact", PRIVHEAP_POLICY_COMPACT, 8 },
	{ "growable", PRIVHEAP_POLICY_GROWABLE, 4 },
};

static void ph_policy_case_name(const struct ph_policy_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_policy, ph_policy_cases, ph_policy_case_name);

static void policy_by_number(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;

	KUNIT_ASSERT_NOT_NULL(test, ph_policy(c->id));
	KUNIT_EXPECT_STREQ(test, ph_policy(c->id)->name, c->name);
}

static void policy_by_number_when_unknown(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, ph_policy(PRIVHEAP_POLICY_GROWABLE + 1));
	KUNIT_EXPECT_NULL(test, ph_policy(U32_MAX));
}

static void class_holds_every_size(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;
	const struct ph_policy *policy = ph_policy(c->id);
	u32 size, index, sizes = 0;

	for (size = 1; size <= PH_SLOT_MAX; size++, sizes++) {
		index = ph_policy_class_index(policy, size);
		if (ph_policy_class_size(policy, index) < size)
			KUNIT_FAIL(test, "size %u does not fit class %u", size,
				   index);
		if (index && ph_policy_class_size(policy, index - 1) >= size)
			KUNIT_FAIL(test, "size %u fits class %u", size,
				   index - 1);
	}
	KUNIT_EXPECT_EQ(test, sizes, PH_SLOT_MAX);
}

static void class_index_never_falls(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;
	const struct ph_policy *policy = ph_policy(c->id);
	u32 size, index, last = 0;

	KUNIT_EXPECT_EQ(test, ph_policy_class_index(policy, 1), 0);
	for (size = 1; size <= PH_SLOT_MAX; size++) {
		index = ph_policy_class_index(policy, size);
		if (index != last && index != last + 1)
			KUNIT_FAIL(test, "class %u follows %u at size %u",
				   index, last, size);
		last = index;
	}
}

static void class_size_and_index_are_inverse(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;
	const struct ph_policy *policy = ph_policy(c->id);
	u32 last = ph_policy_class_index(policy, PH_SLOT_MAX);
	u32 index, wrong = 0;

	for (index = 0; index <= last; index++)
		wrong += ph_policy_class_index(policy,
				ph_policy_class_size(policy, index)) != index;
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, ph_policy_class_size(policy, last), PH_SLOT_MAX);
}

static void class_waste_is_bounded(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;
	const struct ph_policy *policy = ph_policy(c->id);
	u32 size, waste, index;

	for (size = 1; size <= PH_SLOT_MAX; size++) {
		index = ph_policy_class_index(policy, size);
		waste = ph_policy_class_size(policy, index) - size;
		if (waste >= size / c->part + policy->class_unit)
			KUNIT_FAIL(test, "size %u wastes %u", size, waste);
	}
}

static void class_sizes_are_aligned_to_unit(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;
	const struct ph_policy *policy = ph_policy(c->id);
	u32 last = ph_policy_class_index(policy, PH_SLOT_MAX);
	u32 index;

	for (index = 0; index <= last; index++)
		KUNIT_EXPECT_EQ(test, 0, ph_policy_class_size(policy, index) %
				policy->class_unit);
}

static void policy_knobs_are_usable(struct kunit *test)
{
	const struct ph_policy_case *c = test->param_value;
	const struct ph_policy *policy = ph_policy(c->id);

	KUNIT_EXPECT_LE(test, policy->warm, PH_WARM_MAX);
	KUNIT_EXPECT_GT(test, ph_magazine_cap(policy->magazine_bytes), 0);
	/* What warms a magazine has to fit into it. */
	KUNIT_EXPECT_LE(test, policy->warm,
			ph_magazine_cap(policy->magazine_bytes));
	KUNIT_EXPECT_TRUE(test, is_power_of_2(policy->class_linear));
	KUNIT_EXPECT_TRUE(test, is_power_of_2(policy->magazine_bytes));
}

static struct kunit_case ph_policy_test_cases[] = {
	KUNIT_CASE_PARAM(policy_by_number, ph_policy_gen_params),
	KUNIT_CASE(policy_by_number_when_unknown),
	KUNIT_CASE_PARAM(class_holds_every_size, ph_policy_gen_params),
	KUNIT_CASE_PARAM(class_index_never_falls, ph_policy_gen_params),
	KUNIT_CASE_PARAM(class_size_and_index_are_inverse,
			 ph_policy_gen_params),
	KUNIT_CASE_PARAM(class_waste_is_bounded, ph_policy_gen_params),
	KUNIT_CASE_PARAM(class_sizes_are_aligned_to_unit, ph_policy_gen_params),
	KUNIT_CASE_PARAM(policy_knobs_are_usable, ph_policy_gen_params),
	{}
};

static struct kunit_suite ph_policy_suite = {
	.name = "privheap_policy",
	.init = ph_fixture_init,
	.exit = ph_fixture_exit,
	.test_cases = ph_policy_test_cases,
};

kunit_test_suite(ph_policy_suite);
