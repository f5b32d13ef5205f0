// SPDX-License-Identifier: GPL-2.0
/* Shorthands for the suites that work on a whole heap; see objects.h. */

#include <linux/mm.h>

#include "catalog.h"
#include "hand.h"
#include "objects.h"
#include "resize.h"
#include "stat.h"
#include "supply.h"

/**
 * ph_test_type() - a new type; the test is aborted where it is refused
 * @test: the test
 * @desc: what it is to be
 *
 * Return: its id.
 */
u32 ph_test_type(struct kunit *test, const struct privheap_type *desc)
{
	struct privheap_type copy = *desc;

	KUNIT_ASSERT_EQ(test, 0, ph_catalog_add(ph_test_heap(test), &copy, NULL,
						NULL));
	return copy.type;
}

int ph_test_try_alloc(struct ph_heap *heap, u32 type, u64 bytes, u64 *handle)
{
	struct ph_alloc req = { .type = type, .bytes = bytes };
	u32 done;

	return ph_object_alloc(heap, &req, handle, 1, false, &done);
}

u64 ph_test_alloc(struct kunit *test, u32 type, u64 bytes)
{
	u64 handle = 0;

	KUNIT_ASSERT_EQ(test, 0, ph_test_try_alloc(ph_test_heap(test), type,
						   bytes, &handle));
	return handle;
}

void ph_test_alloc_batch(struct kunit *test, u32 type, u64 bytes,
			 u64 *handles, u32 nr)
{
	struct ph_alloc req = { .type = type, .bytes = bytes };
	u32 done = 0;

	KUNIT_ASSERT_EQ(test, 0, ph_object_alloc(ph_test_heap(test), &req,
						 handles, nr, false, &done));
	KUNIT_ASSERT_EQ(test, done, nr);
}

/**
 * ph_test_take() - hand neighbours out; the test is aborted where that fails
 * @test: the test
 * @type: id of their type
 * @bytes: their size; 0 for the type's smallest
 * @nr: how many; the heap's next free ones must be in one word of a slab
 *
 * Return: the run that they make up.
 */
struct privheap_run ph_test_take(struct kunit *test, u32 type, u64 bytes,
				 u32 nr)
{
	struct privheap_take args = {
		.type = type, .object_bytes = bytes, .count = nr, .max_runs = 1,
	};
	struct privheap_run run = {};

	KUNIT_ASSERT_EQ(test, 0, ph_hand_out(ph_test_heap(test), &args, &run));
	KUNIT_ASSERT_EQ(test, args.done, nr);
	return run;
}

/* The handle is the caller's copy: freeing a batch scrambles its array. */
int ph_test_free(struct ph_heap *heap, u64 handle)
{
	u32 done;

	return ph_object_free(heap, 0, &handle, 1, false, &done);
}

struct ph_test_told {
	u64 handle;
	u64 usable;
};

static int ph_test_tell(void *data, u64 handle, u64 usable)
{
	*(struct ph_test_told *)data = (struct ph_test_told){ handle, usable };
	return 0;
}

/**
 * ph_test_resize() - resize an object, and hear about it afterwards
 * @heap: the heap
 * @type: the type that it must have; 0 for any
 * @handle: (in, out)
 * @bytes: new size
 * @usable: (out) the size up to which it can grow without moving
 */
int ph_test_resize(struct ph_heap *heap, u32 type, u64 *handle, u64 bytes,
		   u64 *usable)
{
	struct ph_test_told told;
	int err = ph_object_resize(heap, type, *handle, bytes, ph_test_tell,
				   &told);

	if (err)
		return err;
	*handle = told.handle;
	*usable = told.usable;
	return 0;
}

/* The same for an object that is handed out, by its offset. */
int ph_test_resize_out(struct ph_heap *heap, u32 type, u64 *offset, u64 bytes,
		       u64 *usable)
{
	struct ph_test_told told;
	int err = ph_convert_resize(heap, type, *offset, bytes, ph_test_tell,
				    &told);

	if (err)
		return err;
	*offset = told.handle;
	*usable = told.usable;
	return 0;
}

int ph_test_lookup(struct ph_heap *heap, u32 type, u64 handle)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err;

	rcu_read_lock();
	err = ph_handle_lookup(heap, type, handle, &slab, &slot);
	rcu_read_unlock();
	return err;
}

/**
 * ph_test_slab() - where a live object is
 * @test: the test, aborted where the handle is none
 * @handle: the object
 * @slot: (out)
 */
struct ph_slab *ph_test_slab(struct kunit *test, u64 handle, u32 *slot)
{
	struct ph_slab *slab = &ph_no_slab;
	int err;

	rcu_read_lock();
	err = ph_handle_lookup(ph_test_heap(test), 0, handle, &slab, slot);
	rcu_read_unlock();
	KUNIT_ASSERT_EQ(test, err, 0);
	return slab;
}

static u8 *ph_test_byte(struct ph_slab *slab, u32 slot, u64 at)
{
	if (!ph_slab_is_span(slab))
		return slab->addr + (size_t)slot * slab->stride + at;
	return page_address(slab->pages[at >> PAGE_SHIFT]) + offset_in_page(at);
}

/* What byte @at of an object filled with @seed is: no period of a page. */
static u8 ph_test_pattern(u64 at, u8 seed)
{
	return seed + at % 251;
}

void ph_test_fill(struct kunit *test, u64 handle, u64 from, u64 to, u8 seed)
{
	u32 slot;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);

	for (; from < to; from++)
		*ph_test_byte(slab, slot, from) = ph_test_pattern(from, seed);
}

bool ph_test_is_filled(struct kunit *test, u64 handle, u64 from, u64 to,
		       u8 seed)
{
	u32 slot;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);

	for (; from < to; from++)
		if (*ph_test_byte(slab, slot, from) !=
		    ph_test_pattern(from, seed))
			return false;
	return true;
}

bool ph_test_is_zero(struct kunit *test, u64 handle, u64 from, u64 to)
{
	u32 slot;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);

	for (; from < to; from++)
		if (*ph_test_byte(slab, slot, from))
			return false;
	return true;
}

u32 ph_test_refs(struct kunit *test, u64 handle)
{
	u32 slot;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);

	return *ph_slab_refs(slab, slot);
}

void ph_test_set_refs(struct kunit *test, u64 handle, u32 count)
{
	u32 slot;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);

	*ph_slab_refs(slab, slot) = ph_refs(ph_handle_gen(handle), count);
}

u64 ph_test_live(struct ph_heap *heap)
{
	struct privheap_heap_stat stat;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	return stat.live_objects;
}

u64 ph_test_reclaim(struct ph_heap *heap)
{
	u64 bytes;

	down_read(&heap->sem);
	bytes = ph_supply_reclaim(heap, true);
	up_read(&heap->sem);
	return bytes;
}

/**
 * ph_test_expect_sound() - expect the books of the heap to balance
 * @test: the test
 */
void ph_test_expect_sound(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);

	down_read(&heap->sem);
	KUNIT_EXPECT_EQ(test, ph_supply_validate(heap), 0);
	up_read(&heap->sem);
}
