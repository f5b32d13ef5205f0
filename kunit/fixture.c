// SPDX-License-Identifier: GPL-2.0
/* What every test starts from; see fixture.h. */

#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "fixture.h"

#define PH_FIXTURE_SEED	20240229

/*
 * Magazines belong to a CPU: a test that moved to another one would not find
 * what it put there.
 */
static int ph_fixture_stay_here(void)
{
	const struct cpumask *here = cpumask_of(raw_smp_processor_id());

	return set_cpus_allowed_ptr(current, here);
}

/**
 * ph_fixture_init() - for suites below the region
 * @test: the test
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int ph_fixture_init(struct kunit *test)
{
	struct ph_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	if (!fix)
		return -ENOMEM;
	prandom_seed_state(&fix->rnd, PH_FIXTURE_SEED);
	ph_reserve_get_stat(&fix->before);
	test->priv = fix;
	return ph_fixture_stay_here();
}

/**
 * ph_fixture_init_region() - for suites that use a region without slabs
 * @test: the test
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int ph_fixture_init_region(struct kunit *test)
{
	struct ph_fixture *fix;
	int err = ph_fixture_init(test);

	if (err)
		return err;
	fix = test->priv;
	fix->region = &fix->own_region;
	ph_region_init(fix->region, NULL, PH_TEST_MAX_BYTES);
	return 0;
}

/**
 * ph_fixture_init_slabs() - for suites of slabs, caches and types
 * @test: the test
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int ph_fixture_init_slabs(struct kunit *test)
{
	int err = ph_fixture_init_region(test);

	if (!err)
		((struct ph_fixture *)test->priv)->holds_slabs = true;
	return err;
}

/**
 * ph_fixture_init_heap() - for suites of whole heaps
 * @test: the test
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int ph_fixture_init_heap(struct kunit *test)
{
	struct ph_fixture *fix;
	int err = ph_fixture_init(test);

	if (err)
		return err;
	fix = test->priv;
	fix->heap = ph_heap_create(PH_TEST_MAX_BYTES);
	if (IS_ERR(fix->heap)) {
		err = PTR_ERR(fix->heap);
		fix->heap = NULL;
		return err;
	}
	fix->region = &fix->heap->region;
	return 0;
}

/* All slabs go, whatever an aborted test left in them. */
static void ph_fixture_destroy_slabs(struct ph_region *region)
{
	struct ph_slab *slab;
	u64 offset = 0, end;

	rcu_read_lock();
	end = ph_region_end(region);
	rcu_read_unlock();
	while (offset < end) {
		slab = ph_fixture_slab(region, offset);
		if (slab)
			ph_slab_destroy(region, slab, false);
		offset += PAGE_SIZE;
	}
}

static void ph_fixture_tear_down(struct ph_fixture *fix)
{
	if (fix->other)
		ph_heap_destroy(fix->other);
	if (fix->heap) {
		ph_heap_destroy(fix->heap);
		return;
	}
	if (!fix->region)
		return;
	if (fix->holds_slabs)
		ph_fixture_destroy_slabs(fix->region);
	if (fix->cache)
		ph_cache_destroy(fix->cache);
	if (fix->type)
		ph_type_destroy(fix->type);
	ph_region_exit(fix->region);
}

/**
 * ph_fixture_exit() - nothing may be left
 * @test: the test
 */
void ph_fixture_exit(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_reserve_stat after;

	if (!fix)
		return;
	ph_fixture_tear_down(fix);
	ph_reserve_get_stat(&after);
	KUNIT_EXPECT_EQ(test, after.held_bytes, fix->before.held_bytes);
	KUNIT_EXPECT_EQ(test, after.metadata_bytes, fix->before.metadata_bytes);
	KUNIT_EXPECT_EQ(test, after.pages, fix->before.pages);
	KUNIT_EXPECT_EQ(test, after.reserve_pages, fix->before.reserve_pages);
	KUNIT_EXPECT_EQ(test, after.reserve_free_pages,
			fix->before.reserve_free_pages);
}

/**
 * ph_fixture_cache() - a cache, torn down by the fixture's exit
 * @test: the test
 * @policy: number of its policy
 * @size: bytes of its objects
 *
 * Return: the cache; the test is aborted where there is none.
 */
struct ph_cache *ph_fixture_cache(struct kunit *test, u32 policy, u32 size)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cache *cache;

	cache = ph_cache_create(fix->region, NULL, ph_policy(policy), size, 8,
				0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	fix->cache = cache;
	return cache;
}

/**
 * ph_fixture_new_slab() - a slab of one page, without a cache
 * @test: the test, aborted where there is none
 * @stride: bytes of its slots
 * @keep: PH_KEEP_* bits
 */
struct ph_slab *ph_fixture_new_slab(struct kunit *test, u32 stride, u32 keep)
{
	struct ph_geo geo = { .stride = stride, .pages = 1, .keep = keep };
	struct ph_fixture *fix = test->priv;
	struct ph_slab *slab = ph_slab_create(fix->region, NULL, &geo, PH_GFP);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, slab);
	ph_slab_publish(fix->region, slab);
	return slab;
}

/**
 * ph_fixture_give() - give a slot back, one life older
 * @slab: the slab
 * @slot: one of its slots that is taken
 */
bool ph_fixture_give(struct ph_slab *slab, u32 slot)
{
	u64 gen = (u16)(ph_slab_gen(slab, slot) + 1);

	return ph_slab_give(slab, gen << PH_OFFSET_BITS |
			    (slab->key + (u64)slot * slab->stride));
}

/**
 * ph_fixture_mag_rounds() - rounds in all magazines of a cache
 * @cache: the cache; idle
 */
u64 ph_fixture_mag_rounds(struct ph_cache *cache)
{
	struct ph_magazine *mag;
	struct ph_cpu *cpu;
	u64 rounds = 0;
	int nr;

	for_each_possible_cpu(nr) {
		cpu = &cache->cpus[nr];
		rounds += cpu->loaded->nr + cpu->prev->nr;
	}
	list_for_each_entry(mag, &cache->full_mags, list)
		rounds += mag->nr;
	return rounds;
}

/**
 * ph_fixture_slab() - the slab at an offset, for tests that run alone
 * @region: the region
 * @offset: any
 *
 * Return: the slab or NULL.
 */
struct ph_slab *ph_fixture_slab(struct ph_region *region, u64 offset)
{
	struct ph_slab *slab;

	rcu_read_lock();
	slab = ph_region_slab(region, offset);
	rcu_read_unlock();
	return slab;
}

/**
 * ph_fixture_addr() - kernel address of a slot of a slab that is no span
 * @region: the region
 * @round: the slot
 */
void *ph_fixture_addr(struct ph_region *region, u64 round)
{
	u64 offset = ph_round_offset(round);
	struct ph_slab *slab = ph_fixture_slab(region, offset);

	return slab->addr + (offset - slab->start);
}

bool ph_fixture_is_zero(const void *p, size_t bytes)
{
	return !memchr_inv(p, 0, bytes);
}

/**
 * ph_next_permutation() - the next order of items in lexicographic order
 * @items: (in, out) begin with the rising order
 * @nr: how many
 *
 * Return: false after the last one.
 */
bool ph_next_permutation(u32 *items, u32 nr)
{
	u32 pivot = nr - 1, last = nr - 1, i;

	while (pivot && items[pivot - 1] >= items[pivot])
		pivot--;
	if (!pivot)
		return false;
	pivot--;
	while (items[last] <= items[pivot])
		last--;
	swap(items[pivot], items[last]);
	for (i = pivot + 1, last = nr - 1; i < last; i++, last--)
		swap(items[i], items[last]);
	return true;
}

MODULE_DESCRIPTION("KUnit suites of privheap");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(PH_KUNIT_NS);
