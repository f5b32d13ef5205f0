/* SPDX-License-Identifier: GPL-2.0 */
/* Objects: shorthands for the suites that work on a whole heap. */
#ifndef _PH_KUNIT_OBJECTS_H
#define _PH_KUNIT_OBJECTS_H

#include "content.h"
#include "convert.h"
#include "fixture.h"
#include "handle.h"
#include "object.h"

/**
 * ph_test_heap() - the heap under test
 * @test: the test
 */
static inline struct ph_heap *ph_test_heap(struct kunit *test)
{
	return ((struct ph_fixture *)test->priv)->heap;
}

/**
 * ph_test_foreign() - the same handle as one of another heap
 * @handle: of an object of the heap under test
 */
static inline u64 ph_test_foreign(u64 handle)
{
	u64 other = handle ^ 1ULL << PH_TAG_SHIFT;

	/* No heap has the tag 0. */
	return other >> PH_TAG_SHIFT ? other : handle ^ 3ULL << PH_TAG_SHIFT;
}

u32 ph_test_type(struct kunit *test, const struct privheap_type *desc);

int ph_test_try_alloc(struct ph_heap *heap, u32 type, u64 bytes, u64 *handle);
u64 ph_test_alloc(struct kunit *test, u32 type, u64 bytes);
void ph_test_alloc_batch(struct kunit *test, u32 type, u64 bytes,
			 u64 *handles, u32 nr);
struct privheap_run ph_test_take(struct kunit *test, u32 type, u64 bytes,
				 u32 nr);
int ph_test_free(struct ph_heap *heap, u64 handle);
int ph_test_resize(struct ph_heap *heap, u32 type, u64 *handle, u64 bytes,
		   u64 *usable);
int ph_test_resize_out(struct ph_heap *heap, u32 type, u64 *offset, u64 bytes,
		       u64 *usable);
int ph_test_lookup(struct ph_heap *heap, u32 type, u64 handle);
struct ph_slab *ph_test_slab(struct kunit *test, u64 handle, u32 *slot);

void ph_test_fill(struct kunit *test, u64 handle, u64 from, u64 to, u8 seed);
bool ph_test_is_filled(struct kunit *test, u64 handle, u64 from, u64 to,
		       u8 seed);
bool ph_test_is_zero(struct kunit *test, u64 handle, u64 from, u64 to);

u32 ph_test_refs(struct kunit *test, u64 handle);
void ph_test_set_refs(struct kunit *test, u64 handle, u32 count);

u64 ph_test_live(struct ph_heap *heap);
u64 ph_test_reclaim(struct ph_heap *heap);
void ph_test_expect_sound(struct kunit *test);

#endif /* _PH_KUNIT_OBJECTS_H */
