// SPDX-License-Identifier: GPL-2.0
/* Kernel door: where objects lie, whatever their size and alignment. */

#include <linux/string.h>

#include "door_fixture.h"

/* All sizes up to here, with each alignment; a synchronous grace period each. */
#define PH_LAYOUT_SMALL	136U
#define PH_LAYOUT_STEP	(IS_ENABLED(CONFIG_SMP) ? 9 : 1)

static const u32 ph_aligns[] = {
	0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096,
};

static void ph_align_name(const u32 *align, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "align %u", *align);
}

KUNIT_ARRAY_PARAM(ph_align, ph_aligns, ph_align_name);

/* Objects of some slabs, each filled to its last byte with its number. */
static void ph_layout_fill(void **objs, u32 nr, u32 size)
{
	u32 i;

	for (i = 0; i < nr; i++)
		memset(objs[i], i % 251, size);
}

static u32 ph_layout_faults(void **objs, u32 nr, u32 size, u32 align)
{
	u32 i, faults = 0;

	for (i = 0; i < nr; i++) {
		faults += !IS_ALIGNED((uintptr_t)objs[i], align);
		faults += !!memchr_inv(objs[i], i % 251, size);
		faults += !privheap_owns(objs[i]);
		faults += !privheap_owns(objs[i] + size - 1);
	}
	return faults;
}

static void ph_layout_check(struct kunit *test, u32 size, u32 align)
{
	struct privheap_cache_args args = { .align = align };
	struct privheap_cache *cache = ph_door_cache(test, size, &args);
	u32 per_slab = max(1U, (u32)PAGE_SIZE / ALIGN(size, max(align, 8U)));
	u32 nr = min(2 * per_slab + 3, (u32)PH_DOOR_OBJECTS);
	void **objs = ph_door_objects();

	KUNIT_ASSERT_EQ(test, ph_door_alloc_all(cache, GFP_KERNEL, objs, nr),
			nr);
	ph_layout_fill(objs, nr, size);
	KUNIT_EXPECT_EQ(test, ph_layout_faults(objs, nr, size, max(align, 8U)),
			0);
	ph_door_free_all(cache, objs, nr);
	ph_door_end(test, cache);
}

static void small_objects_are_aligned_and_apart(struct kunit *test)
{
	const u32 *align = test->param_value;
	u32 size;

	for (size = 1; size <= PH_LAYOUT_SMALL; size += PH_LAYOUT_STEP)
		ph_layout_check(test, size, *align);
}

static void large_objects_are_aligned_and_apart(struct kunit *test)
{
	const u32 *align = test->param_value;
	u32 size, near;

	for (size = 256; size <= PH_SLOT_MAX; size *= 2)
		for (near = size - 1; near <= size + 1; near++)
			if (near <= PH_SLOT_MAX)
				ph_layout_check(test, near, *align);
}

static void no_size_wastes_more_than_its_alignment(struct kunit *test)
{
	struct privheap_cache *cache;
	struct privheap_cache_stat stat;
	u32 size;

	for (size = 8; size <= PH_SLOT_MAX; size += 8 * 61) {
		cache = ph_door_cache(test, size, NULL);
		privheap_cache_free(cache, ph_door_alloc(test, cache));
		stat = ph_door_stat(cache);
		KUNIT_EXPECT_EQ(test, stat.slots, stat.bytes / size);
		ph_door_end(test, cache);
	}
}

static void objects_within_their_alignment_do_not_straddle_it(struct kunit *test)
{
	static const struct privheap_cache_args args = { .align = 64 };
	struct privheap_cache *cache = ph_door_cache(test, 64, &args);
	void **objs = ph_door_objects();
	u32 i;

	KUNIT_ASSERT_EQ(test, 200, ph_door_alloc_all(cache, GFP_KERNEL, objs,
						     200));
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ(test, (uintptr_t)objs[i] / 64,
				((uintptr_t)objs[i] + 63) / 64);
	ph_door_free_all(cache, objs, 200);
}

/* A write to the last byte of each must not reach any other. */
static void zeroing_one_leaves_its_neighbours(struct kunit *test)
{
	void **objs = ph_door_objects();
	struct privheap_cache *cache;
	u32 size, i;
	void *obj;

	for (size = 1; size <= 40; size++) {
		cache = ph_door_cache(test, size, NULL);
		KUNIT_ASSERT_EQ(test, 30, ph_door_alloc_all(cache, GFP_KERNEL,
							    objs, 30));
		ph_layout_fill(objs, 30, size);
		obj = objs[15];
		privheap_cache_free(cache, obj);
		objs[15] = privheap_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
		KUNIT_EXPECT_PTR_EQ(test, objs[15], obj);
		KUNIT_EXPECT_TRUE(test, ph_fixture_is_zero(obj, size));
		memset(obj, 15, size);
		KUNIT_EXPECT_EQ(test, 0, ph_layout_faults(objs, 30, size, 8));
		for (i = 0; i < 30; i++)
			privheap_cache_free(cache, objs[i]);
		ph_door_end(test, cache);
	}
}

static struct kunit_case ph_door_layout_cases[] = {
	KUNIT_CASE_PARAM(small_objects_are_aligned_and_apart,
			 ph_align_gen_params),
	KUNIT_CASE_PARAM(large_objects_are_aligned_and_apart,
			 ph_align_gen_params),
	KUNIT_CASE(no_size_wastes_more_than_its_alignment),
	KUNIT_CASE(objects_within_their_alignment_do_not_straddle_it),
	KUNIT_CASE(zeroing_one_leaves_its_neighbours),
	{}
};

static struct kunit_suite ph_door_layout_suite = {
	.name = "privheap_door_layout",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_layout_cases,
};

kunit_test_suite(ph_door_layout_suite);
