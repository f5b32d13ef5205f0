// SPDX-License-Identifier: GPL-2.0
/* What is wrong with a handle, and how to hold on to its object. */

#include <kunit/visibility.h>

#include "handle.h"

/*
 * Where generations come late: whether the slot has had the first object of its
 * life, which then was freed. In a slab that was bare they are there before.
 */
static bool ph_slot_had_one(const struct ph_slab *slab, u32 slot)
{
	return (slab->cache->geo.keep & PH_LATE_GENS) && !slab->bare &&
	       slot < READ_ONCE(slab->used_to) &&
	       ph_slab_gen(slab, slot) == READ_ONCE(slab->gen_first);
}

/* What a slot says of an age; the cache's lock keeps undoing claims apart. */
static int ph_slot_look(const struct ph_region *region, struct ph_slab *slab,
			u32 slot, u16 age, bool *again)
{
	u16 gen = ph_slab_gen(slab, slot);
	bool live = test_bit(slot, slab->live);
	u16 now = ph_region_age(region, gen);

	/*
	 * Of the right age, not live, and not free either: in a magazine, unless
	 * its end is between its two steps just now, or that of somebody who errs,
	 * see ph_handle_claim(). Or it became so between the two looks.
	 */
	smp_rmb();
	*again = (!live && age == now && slab->gen &&
		  !test_bit(slot, slab->free)) ||
		 ph_slab_gen(slab, slot) != gen;
	/* An age that the slot has not reached was never given out. */
	if (age > now)
		return -ENXIO;
	if (live)
		return age < now ? -EREMCHG : -EAGAIN;
	return age < now || ph_slot_had_one(slab, slot) ? -ESTALE : -ENXIO;
}

static int ph_slot_error(const struct ph_region *region, struct ph_slab *slab,
			 u32 slot, u16 age)
{
	int looks = PH_LOOKS, err;
	unsigned long flags;
	bool again;

	do {
		spin_lock_irqsave(&slab->cache->lock, flags);
		err = ph_slot_look(region, slab, slot, age, &again);
		spin_unlock_irqrestore(&slab->cache->lock, flags);
		cpu_relax();
	} while (again && looks--);
	return err;
}

static int ph_slab_error(const struct ph_region *region, struct ph_slab *slab,
			 u64 handle)
{
	u64 offset = (handle & PH_OFFSET_MASK) - slab->start;
	u16 age = ph_region_age(region, ph_handle_gen(handle));
	u64 slot = 0;
	bool old;

	old = age < ph_region_age(region, READ_ONCE(slab->gen_first));
	if (!ph_slab_is_span(slab)) {
		slot = div_u64(offset, slab->stride);
		offset -= slot * slab->stride;
	}
	if (slot >= slab->nr)
		return old ? -ESTALE : -ENXIO;
	if (offset)
		return old ? -ESTALE : -EBADSLT;
	slot = array_index_nospec((unsigned long)slot, slab->nr);
	if (old)
		return test_bit(slot, slab->live) ? -EREMCHG : -ESTALE;
	return ph_slot_error(region, slab, slot, age);
}

/**
 * ph_handle_error() - why a handle names no live object
 * @heap: the heap
 * @handle: one for which ph_handle_find() returned false
 *
 * Context: RCU read side.
 * Return: -EXDEV, -ENXIO, -ESTALE, -EREMCHG or -EBADSLT; or -EAGAIN for one that
 * has come to name a live object since.
 */
int ph_handle_error(struct ph_heap *heap, u64 handle)
{
	u16 age = ph_region_age(&heap->region, ph_handle_gen(handle));
	u64 tag = handle & ~0ULL << PH_TAG_SHIFT;
	u64 offset = handle & PH_OFFSET_MASK;
	struct ph_slab *slab;
	u16 gen;

	if (!tag)
		return -ENXIO;
	if (tag != heap->region.tag)
		return -EXDEV;
	slab = ph_region_slab(&heap->region, offset);
	if (slab)
		return ph_slab_error(&heap->region, slab, handle);
	gen = ph_region_gen(&heap->region, offset);
	return age < ph_region_age(&heap->region, gen) ? -ESTALE : -ENXIO;
}
EXPORT_SYMBOL_IF_KUNIT(ph_handle_error);

/**
 * ph_handle_claimed_wrongly() - an object lives on that has another handle
 * @slab: its slab
 * @slot: its slot
 *
 * Context: any in which the slab stays; by who has cleared its bit.
 */
noinline void ph_handle_claimed_wrongly(struct ph_slab *slab, u32 slot)
{
	/* First was the look at its generation. */
	smp_mb__before_atomic();
	set_bit(slot, slab->live);
}

/**
 * ph_handle_pin() - keep the memory of an object where it is
 * @heap: the heap
 * @type: the type it must have; 0 for any
 * @handle: any number
 * @slabp: (in, out) a slab to try first; the pinned slab
 * @slotp: (out)
 *
 * The object may still be freed, and its slot serve another; its pages stay
 * with this heap until ph_slab_unpin().
 *
 * Context: process.
 * Return: 0, -EPROTOTYPE, or as ph_handle_error().
 */
int ph_handle_pin(struct ph_heap *heap, u32 type, u64 handle,
		  struct ph_slab **slabp, u32 *slotp)
{
	struct ph_slab *slab;
	int err;

	rcu_read_lock();
	for (;;) {
		err = ph_handle_lookup(heap, type, handle, slabp, slotp);
		if (err)
			break;
		slab = *slabp;
		atomic_inc(&slab->pins);
		/* Pairs with the barrier in ph_cache_may_release(). */
		smp_mb__after_atomic();
		if (ph_handle_find(heap, handle, slabp, slotp))
			break;
		ph_slab_unpin(slab);
	}
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_handle_pin);
