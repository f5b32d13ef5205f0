// SPDX-License-Identifier: GPL-2.0
/* Reserve: whose pages they are, and how many. */

#include <linux/mm.h>

#include "faults.h"
#include "fixture.h"

/* A reserve of the test's own; without one only where the module has none. */
static int ph_reserve_suite_init(struct kunit *test)
{
	int err = ph_fixture_init(test);
	struct ph_fixture *fix = test->priv;

	if (!err && fix->before.reserve_pages)
		kunit_skip(test, "the module was loaded with a reserve");
	return err;
}

static struct ph_reserve_stat ph_stat(void)
{
	struct ph_reserve_stat stat;

	ph_reserve_get_stat(&stat);
	return stat;
}

static void ph_reserve_suite_exit(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	if (!fix->before.reserve_pages)
		ph_reserve_exit();
	ph_reserve_set_max(U64_MAX);
	ph_fixture_exit(test);
}

static const u32 ph_reserve_sizes[] = { 1, 2, 3, 511, 512, 513, 1500 };

static void ph_reserve_size_name(const u32 *pages, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u pages", *pages);
}

KUNIT_ARRAY_PARAM(ph_reserve_size, ph_reserve_sizes, ph_reserve_size_name);

static void reserve_init_sets_pages_aside(struct kunit *test)
{
	const u32 *pages = test->param_value;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(*pages), 0);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_pages, *pages);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, *pages);
}

static void reserve_init_when_zero(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ph_reserve_init(0), 0);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_pages, 0);
}

static void reserve_exit_gives_all_back(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, ph_reserve_init(100), 0);
	ph_reserve_exit();
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_pages, 0);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 0);
}

static void reserve_take_comes_from_reserve_first(struct kunit *test)
{
	bool from_reserve = false;
	void *addr;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(8), 0);
	addr = ph_reserve_take(3, PH_GFP, &from_reserve);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_TRUE(test, from_reserve);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 5);
	ph_reserve_put(addr, 3);
}

static void reserve_take_when_there_is_none(struct kunit *test)
{
	bool from_reserve = true;
	void *addr = ph_reserve_take(3, PH_GFP, &from_reserve);

	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_FALSE(test, from_reserve);
	ph_reserve_put(addr, 3);
}

static void reserve_take_when_too_little_is_left(struct kunit *test)
{
	bool from_reserve = true;
	void *addr;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(2), 0);
	addr = ph_reserve_take(3, PH_GFP, &from_reserve);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_FALSE(test, from_reserve);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 2);
	ph_reserve_put(addr, 3);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 2);
}

static void reserve_take_counts_pages(struct kunit *test)
{
	u64 before = ph_stat().pages;
	bool from_reserve;
	void *addr = ph_reserve_take(7, PH_GFP, &from_reserve);

	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, ph_stat().pages, before + 7);
	ph_reserve_put(addr, 7);
	KUNIT_EXPECT_EQ(test, ph_stat().pages, before);
}

static void reserve_put_in_parts(struct kunit *test)
{
	bool from_reserve;
	void *addr;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(4), 0);
	addr = ph_reserve_take(4, PH_GFP, &from_reserve);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	ph_reserve_put(addr + PAGE_SIZE, 2);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 2);
	ph_reserve_put(addr, 1);
	ph_reserve_put(addr + 3 * PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 4);
}

static void reserve_take_is_zero_after_dirty_put(struct kunit *test)
{
	bool from_reserve;
	void *addr;
	int i;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(4), 0);
	for (i = 0; i < 3; i++) {
		addr = ph_reserve_take(4, PH_GFP, &from_reserve);
		KUNIT_ASSERT_NOT_NULL(test, addr);
		KUNIT_EXPECT_TRUE(test, from_reserve);
		KUNIT_EXPECT_TRUE(test,
				  ph_fixture_is_zero(addr, 4 * PAGE_SIZE));
		memset(addr, 0xa5, 4 * PAGE_SIZE);
		ph_reserve_put(addr, 4);
	}
}

static void reserve_take_is_zero_from_system(struct kunit *test)
{
	bool from_reserve;
	void *addr;
	int i;

	for (i = 0; i < 16; i++) {
		addr = ph_reserve_take(4, PH_GFP, &from_reserve);
		KUNIT_ASSERT_NOT_NULL(test, addr);
		KUNIT_EXPECT_TRUE(test,
				  ph_fixture_is_zero(addr, 4 * PAGE_SIZE));
		memset(addr, 0xa5, 4 * PAGE_SIZE);
		ph_reserve_put(addr, 4);
	}
}

static void reserve_take_every_length(struct kunit *test)
{
	u32 pages, lengths = 0;
	bool from_reserve;
	void *addr;

	for (pages = 1; pages <= PH_RUN_MAX_PAGES; pages++, lengths++) {
		addr = ph_reserve_take(pages, PH_GFP, &from_reserve);
		KUNIT_ASSERT_NOT_NULL(test, addr);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(addr));
		memset(addr + (pages - 1) * PAGE_SIZE, 0xa5, PAGE_SIZE);
		ph_reserve_put(addr, pages);
	}
	KUNIT_EXPECT_EQ(test, lengths, PH_RUN_MAX_PAGES);
}

static void reserve_put_in_every_order(struct kunit *test)
{
	u32 order[] = { 0, 1, 2, 3 }, orders = 0, i;
	bool from_reserve;
	void *addr[4];

	KUNIT_ASSERT_EQ(test, ph_reserve_init(4), 0);
	do {
		for (i = 0; i < 4; i++) {
			addr[i] = ph_reserve_take(1, PH_GFP, &from_reserve);
			KUNIT_ASSERT_TRUE(test, from_reserve);
		}
		for (i = 0; i < 4; i++)
			ph_reserve_put(addr[order[i]], 1);
		KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 4);
		orders++;
	} while (ph_next_permutation(order, 4));
	KUNIT_EXPECT_EQ(test, orders, 24);
}

static void reserve_charge_up_to_max(struct kunit *test)
{
	u64 held = ph_stat().held_bytes;

	ph_reserve_set_max(held + 1000);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1000), 0);
	KUNIT_EXPECT_EQ(test, ph_stat().held_bytes, held + 1000);
	ph_reserve_uncharge(1000);
}

static void reserve_charge_when_above_max(struct kunit *test)
{
	u64 held = ph_stat().held_bytes;

	ph_reserve_set_max(held + 1000);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1001), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_stat().held_bytes, held);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(999), 0);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1), 0);
	ph_reserve_uncharge(1000);
}

static void reserve_charge_when_max_was_lowered(struct kunit *test)
{
	u64 held = ph_stat().held_bytes;

	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1000), 0);
	ph_reserve_set_max(held + 10);
	KUNIT_EXPECT_EQ(test, ph_stat().held_bytes, held + 1000);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(1), -EDQUOT);
	ph_reserve_uncharge(1000);
	KUNIT_EXPECT_EQ(test, ph_reserve_charge(10), 0);
	ph_reserve_uncharge(10);
}

/* I/O to what a program had mapped has a page still: nobody else gets it. */
static void reserve_waits_for_pages_that_are_held(struct kunit *test)
{
	bool from_reserve;
	void *addr, *other;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(4), 0);
	addr = ph_reserve_take(4, PH_GFP, &from_reserve);
	KUNIT_ASSERT_TRUE(test, from_reserve);
	get_page(virt_to_page(addr + PAGE_SIZE));
	ph_reserve_put(addr, 4);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 3);
	other = ph_reserve_take(4, PH_GFP, &from_reserve);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_FALSE(test, from_reserve);
	ph_reserve_put(other, 4);
	put_page(virt_to_page(addr + PAGE_SIZE));
	other = ph_reserve_take(4, PH_GFP, &from_reserve);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_TRUE(test, from_reserve);
	ph_reserve_put(other, 4);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 4);
}

/* More wait than are looked at in one go. */
static void reserve_waits_for_many_pages(struct kunit *test)
{
	bool from_reserve;
	void *addr;
	u32 i;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(256), 0);
	addr = ph_reserve_take(256, PH_GFP, &from_reserve);
	KUNIT_ASSERT_TRUE(test, from_reserve);
	for (i = 0; i < 256; i++)
		get_page(virt_to_page(addr + i * PAGE_SIZE));
	ph_reserve_put(addr, 256);
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 0);
	for (i = 0; i < 256; i += 2)
		put_page(virt_to_page(addr + i * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 128);
	for (i = 1; i < 256; i += 2)
		put_page(virt_to_page(addr + i * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages, 256);
}

/* It is the holder's alone then, and an ordinary page. */
static void reserve_exit_while_a_page_is_held(struct kunit *test)
{
	bool from_reserve;
	struct page *page;
	void *addr;

	KUNIT_ASSERT_EQ(test, ph_reserve_init(2), 0);
	addr = ph_reserve_take(2, PH_GFP, &from_reserve);
	KUNIT_ASSERT_TRUE(test, from_reserve);
	page = virt_to_page(addr);
	get_page(page);
	memset(addr, 0xa5, PAGE_SIZE);
	ph_reserve_put(addr, 2);
	ph_reserve_exit();
	KUNIT_EXPECT_EQ(test, ph_stat().reserve_pages, 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_EQ(test, page_private(page), 0);
	KUNIT_EXPECT_EQ(test, *(u8 *)addr, 0xa5);
	put_page(page);
}

/* Shorter blocks do where a long one is not to be had; nothing is left else. */
static void reserve_init_when_memory_is_short(struct kunit *test)
{
	u64 refused = 0, shorter = 0;
	u32 nth, mode;
	bool hit;
	int err;

	if (!ph_faults_work(true))
		kunit_skip(test, "the kernel cannot make allocations fail");
	for (mode = 0; mode < 2; mode++) {
		hit = true;
		for (nth = 1; hit; nth++) {
			KUNIT_ASSERT_LT(test, nth, 100);
			ph_faults_begin(nth, mode);
			err = ph_reserve_init(515);
			hit = ph_faults_end();
			KUNIT_EXPECT_EQ(test, ph_stat().reserve_pages,
					err ? 0 : 515);
			KUNIT_EXPECT_EQ(test, ph_stat().reserve_free_pages,
					err ? 0 : 515);
			if (err)
				KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			refused += !!err;
			shorter += hit && !err;
			ph_reserve_exit();
		}
	}
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_EXPECT_GT(test, shorter, 0);
}

static struct kunit_case ph_reserve_test_cases[] = {
	KUNIT_CASE_PARAM(reserve_init_sets_pages_aside,
			 ph_reserve_size_gen_params),
	KUNIT_CASE(reserve_init_when_zero),
	KUNIT_CASE(reserve_exit_gives_all_back),
	KUNIT_CASE(reserve_take_comes_from_reserve_first),
	KUNIT_CASE(reserve_take_when_there_is_none),
	KUNIT_CASE(reserve_take_when_too_little_is_left),
	KUNIT_CASE(reserve_take_counts_pages),
	KUNIT_CASE(reserve_put_in_parts),
	KUNIT_CASE(reserve_take_is_zero_after_dirty_put),
	KUNIT_CASE(reserve_take_is_zero_from_system),
	KUNIT_CASE(reserve_take_every_length),
	KUNIT_CASE(reserve_put_in_every_order),
	KUNIT_CASE(reserve_charge_up_to_max),
	KUNIT_CASE(reserve_charge_when_above_max),
	KUNIT_CASE(reserve_charge_when_max_was_lowered),
	KUNIT_CASE(reserve_waits_for_pages_that_are_held),
	KUNIT_CASE(reserve_waits_for_many_pages),
	KUNIT_CASE(reserve_exit_while_a_page_is_held),
	KUNIT_CASE(reserve_init_when_memory_is_short),
	{}
};

static struct kunit_suite ph_reserve_suite = {
	.name = "privheap_reserve",
	.init = ph_reserve_suite_init,
	.exit = ph_reserve_suite_exit,
	.test_cases = ph_reserve_test_cases,
};

kunit_test_suite(ph_reserve_suite);
