// SPDX-License-Identifier: GPL-2.0
/* A heap of the kernel door, and what is in it; see door_fixture.h. */

#include <linux/slab.h>
#include <linux/sort.h>

#include "door_fixture.h"
#include "report.h"

#define PH_DOOR_CACHES	16

/* Tests run one after the other. */
static struct privheap *ph_heap;
static struct privheap_cache *ph_caches[PH_DOOR_CACHES];
static u32 ph_names;
static void **ph_objects;

/* They are counted with the caches, and kept out of the kernel log. */
static bool ph_door_hear(const struct ph_report *report)
{
	return report->door->heap == READ_ONCE(ph_heap);
}

/**
 * ph_door_init() - for suites of the kernel door
 * @test: the test
 *
 * Return: 0 or an errno.
 */
int ph_door_init(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name		= "kunit",
		.max_bytes	= PH_TEST_MAX_BYTES,
	};
	int err = ph_fixture_init(test);

	if (err)
		return err;
	ph_objects = kvcalloc(PH_DOOR_OBJECTS, sizeof(*ph_objects), GFP_KERNEL);
	if (!ph_objects)
		return -ENOMEM;
	ph_heap = privheap_create(&attr);
	WRITE_ONCE(ph_report_hook, ph_door_hear);
	return PTR_ERR_OR_ZERO(ph_heap);
}

static void ph_door_end_at(struct kunit *test, u32 place)
{
	struct privheap_cache *cache = ph_caches[place];
	int err;

	ph_caches[place] = NULL;
	PH_DOOR_EXPECT_SOUND(test, cache);
	err = privheap_cache_destroy(cache, 0);
	KUNIT_EXPECT_EQ(test, err, 0);
	if (err)
		privheap_cache_destroy(cache, PRIVHEAP_DESTROY_FORCE);
}

/**
 * ph_door_exit() - nothing may be left
 * @test: the test
 */
void ph_door_exit(struct kunit *test)
{
	u32 i;

	for (i = 0; i < PH_DOOR_CACHES; i++)
		if (ph_caches[i])
			ph_door_end_at(test, i);
	if (!IS_ERR_OR_NULL(ph_heap))
		KUNIT_EXPECT_EQ(test, privheap_destroy(ph_heap), 0);
	WRITE_ONCE(ph_report_hook, NULL);
	ph_heap = NULL;
	kvfree(ph_objects);
	ph_objects = NULL;
	ph_fixture_exit(test);
}

struct privheap *ph_door_heap_under_test(void)
{
	return ph_heap;
}

struct ph_region *ph_door_region(void)
{
	return &ph_door_heap(ph_heap)->region;
}

/**
 * ph_door_objects() - room for what a test allocates
 *
 * Return: an array of PH_DOOR_OBJECTS.
 */
void **ph_door_objects(void)
{
	return ph_objects;
}

static u32 ph_door_place(const struct privheap_cache *cache)
{
	u32 i;

	for (i = 0; i < PH_DOOR_CACHES; i++)
		if (ph_caches[i] == cache)
			return i;
	return PH_DOOR_CACHES;
}

/**
 * ph_door_cache() - a cache, ended by the fixture's exit
 * @test: the test; aborted where there is none
 * @size: of an object
 * @args: or NULL
 */
struct privheap_cache *ph_door_cache(struct kunit *test, unsigned int size,
				     const struct privheap_cache_args *args)
{
	u32 place = ph_door_place(NULL);
	struct privheap_cache *cache;
	char name[16];

	KUNIT_ASSERT_LT(test, place, (u32)PH_DOOR_CACHES);
	snprintf(name, sizeof(name), "cache%u", ph_names++);
	cache = privheap_cache_create(ph_heap, name, size, args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	ph_caches[place] = cache;
	return cache;
}

/**
 * ph_door_end() - end a cache now; it has to be without objects
 * @test: the test
 * @cache: from ph_door_cache()
 */
void ph_door_end(struct kunit *test, struct privheap_cache *cache)
{
	ph_door_end_at(test, ph_door_place(cache));
}

/**
 * ph_door_held() - what the heap holds without caches
 * @test: the test; without caches
 *
 * The first cache leaves a larger table behind, and stocked pages may be there.
 */
u64 ph_door_held(struct kunit *test)
{
	ph_door_end(test, ph_door_cache(test, 8, NULL));
	ph_region_trim(ph_door_region());
	return ph_fixture_held(ph_door_region());
}

/**
 * ph_door_forget() - the test has ended a cache itself
 * @cache: from ph_door_cache(); not looked at
 */
void ph_door_forget(struct privheap_cache *cache)
{
	ph_caches[ph_door_place(cache)] = NULL;
}

/**
 * ph_door_alloc() - an object, or the end of the test
 * @test: the test
 * @cache: the cache
 */
void *ph_door_alloc(struct kunit *test, struct privheap_cache *cache)
{
	void *obj = privheap_cache_alloc(cache, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	return obj;
}

/**
 * ph_door_alloc_all() - allocate until there is no more
 * @cache: the cache
 * @gfp: as for privheap_cache_alloc()
 * @objs: (out) the objects
 * @most: stop there
 *
 * Return: how many there are.
 */
u32 ph_door_alloc_all(struct privheap_cache *cache, gfp_t gfp, void **objs,
		      u32 most)
{
	u32 nr;

	for (nr = 0; nr < most; nr++) {
		objs[nr] = privheap_cache_alloc(cache, gfp);
		if (!objs[nr])
			break;
	}
	return nr;
}

void ph_door_free_all(struct privheap_cache *cache, void **objs, u32 nr)
{
	while (nr--)
		privheap_cache_free(cache, objs[nr]);
}

static int ph_door_compare(const void *a, const void *b)
{
	const void *one = *(void **)a, *two = *(void **)b;

	return one < two ? -1 : one > two;
}

/**
 * ph_door_distinct() - whether no object is there twice
 * @objs: (in, out) objects; in rising order afterwards
 * @nr: how many
 */
bool ph_door_distinct(void **objs, u32 nr)
{
	u32 i;

	sort(objs, nr, sizeof(*objs), ph_door_compare, NULL);
	for (i = 1; i < nr; i++)
		if (objs[i] == objs[i - 1])
			return false;
	return true;
}

struct privheap_cache_stat ph_door_stat(struct privheap_cache *cache)
{
	struct privheap_cache_stat stat;

	privheap_cache_stat(cache, &stat);
	return stat;
}

/* Objects that neither the slabs nor anybody has: in magazines and depot. */
u64 ph_door_idle(struct privheap_cache *cache)
{
	return ph_fixture_mag_rounds(cache->cache);
}

/* All that magazines hold goes back to the slabs, which stay. */
void ph_door_drain(struct privheap_cache *cache)
{
	ph_cache_drain(cache->cache, true);
}

/* From now on the heap gets no byte more. */
void ph_door_exhaust(void)
{
	WRITE_ONCE(ph_door_region()->hard_max, 0);
}

void ph_door_relieve(void)
{
	WRITE_ONCE(ph_door_region()->hard_max, PH_TEST_MAX_BYTES);
}
