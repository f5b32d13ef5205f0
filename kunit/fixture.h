/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixture: what every test starts from, and the proof that it left nothing.
 *
 * Each suite names the stage that it needs: the counters alone, a region, or
 * a heap. The exit tears down whatever a test left standing, aborted ones too,
 * and expects the module's counters to be what they were.
 */
#ifndef _PH_KUNIT_FIXTURE_H
#define _PH_KUNIT_FIXTURE_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/version.h>

#include "heap.h"
#include "region.h"
#include "reserve.h"

/* Namespaces are strings since 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define PH_KUNIT_NS	"EXPORTED_FOR_KUNIT_TESTING"
#else
#define PH_KUNIT_NS	EXPORTED_FOR_KUNIT_TESTING
#endif

/* Long runs are cut short where each access is checked. */
static inline u32 ph_long_run(u32 steps)
{
	bool slow = IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ||
		    IS_ENABLED(CONFIG_KMSAN);

	return slow ? steps / 10 : steps;
}

/* More than any test needs. */
#define PH_TEST_MAX_BYTES	(256ULL << 20)

/**
 * struct ph_fixture - what a test works with (test->priv)
 * @before: the module's counters when the test began
 * @region: the region under test; NULL without one
 * @own_region: storage where no heap brings it
 * @holds_slabs: whether what is published in @region are real slabs
 * @cache: to be destroyed with its slabs, or NULL
 * @type: to be destroyed with its slabs, or NULL
 * @heap: the heap under test, or NULL
 * @other: a second heap, or NULL
 * @rnd: always the same numbers
 */
struct ph_fixture {
	struct ph_reserve_stat before;
	struct ph_region *region;
	struct ph_region own_region;
	bool holds_slabs;
	struct ph_cache *cache;
	struct ph_type *type;
	struct ph_heap *heap;
	struct ph_heap *other;
	struct rnd_state rnd;
};

int ph_fixture_init(struct kunit *test);
int ph_fixture_init_region(struct kunit *test);
int ph_fixture_init_slabs(struct kunit *test);
int ph_fixture_init_heap(struct kunit *test);
void ph_fixture_exit(struct kunit *test);

struct ph_cache *ph_fixture_cache(struct kunit *test, u32 policy, u32 size);
struct ph_slab *ph_fixture_new_slab(struct kunit *test, u32 stride, u32 keep);
bool ph_fixture_give(struct ph_slab *slab, u32 slot);
u64 ph_fixture_mag_rounds(struct ph_cache *cache);
struct ph_slab *ph_fixture_slab(struct ph_region *region, u64 offset);
void *ph_fixture_addr(struct ph_region *region, u64 round);
bool ph_fixture_is_zero(const void *p, size_t bytes);

/* A number below @ceiling. */
static inline u32 ph_fixture_random(struct ph_fixture *fix, u32 ceiling)
{
	return prandom_u32_state(&fix->rnd) % ceiling;
}

static inline u64 ph_fixture_held(struct ph_region *region)
{
	return atomic64_read(&region->held);
}

bool ph_next_permutation(u32 *items, u32 nr);

#endif /* _PH_KUNIT_FIXTURE_H */
