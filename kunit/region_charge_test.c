// SPDX-License-Identifier: GPL-2.0
/* Region: every byte is counted. */

#include "fixture.h"

static void charge_up_to_hard_max(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	fix->region->hard_max = 1000;
	KUNIT_EXPECT_EQ(test, ph_region_charge(fix->region, 1000), 0);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 1000);
	ph_region_uncharge(fix->region, 1000);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

static void charge_when_above_hard_max(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_reserve_stat stat;

	fix->region->hard_max = 1000;
	KUNIT_EXPECT_EQ(test, ph_region_charge(fix->region, 1001), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	ph_reserve_get_stat(&stat);
	KUNIT_EXPECT_EQ(test, stat.held_bytes, fix->before.held_bytes);
}

static void charge_when_above_module_max(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	ph_reserve_set_max(fix->before.held_bytes + 10);
	KUNIT_EXPECT_EQ(test, ph_region_charge(fix->region, 11), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	KUNIT_EXPECT_EQ(test, ph_region_charge(fix->region, 10), 0);
	ph_region_uncharge(fix->region, 10);
	ph_reserve_set_max(U64_MAX);
}

static void charge_remembers_peak(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, ph_region_charge(fix->region, 5000), 0);
	ph_region_uncharge(fix->region, 4000);
	KUNIT_ASSERT_EQ(test, ph_region_charge(fix->region, 100), 0);
	KUNIT_EXPECT_EQ(test, fix->region->peak, 5000);
	ph_region_uncharge(fix->region, 1100);
}

static void charge_above_soft_max_is_told(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	fix->region->soft_max = 1000;
	KUNIT_ASSERT_EQ(test, ph_region_charge(fix->region, 1000), 0);
	KUNIT_EXPECT_FALSE(test, ph_region_above_soft(fix->region));
	KUNIT_ASSERT_EQ(test, ph_region_charge(fix->region, 1), 0);
	KUNIT_EXPECT_TRUE(test, ph_region_above_soft(fix->region));
	ph_region_uncharge(fix->region, 1001);
}

static void metadata_is_counted_as_it_is_allocated(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	size_t bytes, cost;
	u32 sizes = 0;
	void *p;

	for (bytes = 1; bytes < 40000; bytes += 1 + bytes / 16, sizes++) {
		cost = ph_region_meta_cost(bytes);
		p = ph_region_meta_alloc(fix->region, bytes);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
		KUNIT_EXPECT_GE(test, cost, bytes);
		KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(p, bytes));
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), cost);
		KUNIT_EXPECT_EQ(test, cost,
				atomic64_read(&fix->region->metadata));
		ph_region_meta_free(fix->region, p, bytes);
		KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	}
	KUNIT_EXPECT_GT(test, sizes, 100);
}

static void metadata_when_hard_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	void *p;

	fix->region->hard_max = 511;
	p = ph_region_meta_alloc(fix->region, 512);
	KUNIT_EXPECT_PTR_EQ(test, p, ERR_PTR(-EDQUOT));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fix->region->metadata), 0);
}

static struct kunit_case ph_region_charge_test_cases[] = {
	KUNIT_CASE(charge_up_to_hard_max),
	KUNIT_CASE(charge_when_above_hard_max),
	KUNIT_CASE(charge_when_above_module_max),
	KUNIT_CASE(charge_remembers_peak),
	KUNIT_CASE(charge_above_soft_max_is_told),
	KUNIT_CASE(metadata_is_counted_as_it_is_allocated),
	KUNIT_CASE(metadata_when_hard_max_is_reached),
	{}
};

static struct kunit_suite ph_region_charge_suite = {
	.name = "privheap_region_charge",
	.init = ph_fixture_init_region,
	.exit = ph_fixture_exit,
	.test_cases = ph_region_charge_test_cases,
};

kunit_test_suite(ph_region_charge_suite);
