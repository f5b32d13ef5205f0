/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door fixture: a heap as another module has it, and the caches of a test.
 *
 * The exit ends every cache that the test made and expects that no object is
 * left in any, that the books balance, and that the heap's memory came back.
 */
#ifndef _PH_KUNIT_DOOR_FIXTURE_H
#define _PH_KUNIT_DOOR_FIXTURE_H

#include <linux/sizes.h>

#include "door.h"
#include "fixture.h"

/* PH_SLOT_MAX, where it has to be a constant. */
#define PH_DOOR_SIZE_MAX	\
	(2 * PAGE_SIZE < SZ_16K ? 2 * PAGE_SIZE : SZ_16K)

/* Objects that a test has in its hands, at most. */
#define PH_DOOR_OBJECTS	4096

int ph_door_init(struct kunit *test);
void ph_door_exit(struct kunit *test);

struct privheap *ph_door_heap_under_test(void);
struct ph_region *ph_door_region(void);
void **ph_door_objects(void);

struct privheap_cache *ph_door_cache(struct kunit *test, unsigned int size,
				     const struct privheap_cache_args *args);
u64 ph_door_held(struct kunit *test);
void ph_door_end(struct kunit *test, struct privheap_cache *cache);
void ph_door_forget(struct privheap_cache *cache);

void *ph_door_alloc(struct kunit *test, struct privheap_cache *cache);
u32 ph_door_alloc_all(struct privheap_cache *cache, gfp_t gfp, void **objs,
		      u32 most);
void ph_door_free_all(struct privheap_cache *cache, void **objs, u32 nr);
bool ph_door_distinct(void **objs, u32 nr);

struct privheap_cache_stat ph_door_stat(struct privheap_cache *cache);
u64 ph_door_idle(struct privheap_cache *cache);
void ph_door_drain(struct privheap_cache *cache);
void ph_door_exhaust(void);
void ph_door_relieve(void);

#define PH_DOOR_EXPECT_SOUND(test, c)					\
	KUNIT_EXPECT_EQ(test, ph_cache_validate((c)->cache), 0)

#define PH_DOOR_EXPECT_OBJECTS(test, c, nr)				\
	KUNIT_EXPECT_EQ(test, ph_door_stat(c).objects, (u64)(nr))

#define PH_DOOR_EXPECT_ERRORS(test, c, nr)				\
	KUNIT_EXPECT_EQ(test, ph_door_stat(c).errors, (u64)(nr))

#endif /* _PH_KUNIT_DOOR_FIXTURE_H */
