// SPDX-License-Identifier: GPL-2.0
/* Which objects there are, and what is known of them. */

#include <linux/bitmap.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "content.h"
#include "inspect.h"

/* Places of the region that one step of a walk looks at. */
#define PH_WALK_STEPS	1024

/**
 * ph_inspect_object() - what is known of an object
 * @heap: the heap
 * @type: the type that it must have; 0 for any
 * @handle: the object
 * @info: (out)
 *
 * Context: process.
 * Return: 0 or what is wrong with the handle.
 */
int ph_inspect_object(struct ph_heap *heap, u32 type, u64 handle,
		      struct privheap_object_info *info)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err;

	rcu_read_lock();
	err = ph_handle_lookup(heap, type, handle, &slab, &slot);
	if (!err) {
		/* Who saw it live sees the slack that came with its handle. */
		smp_rmb();
		info->type = slab->cache->type->id;
		info->refs = slab->refs_at ?
			(u32)READ_ONCE(*ph_slab_refs(slab, slot)) : 1;
		info->requested_bytes = ph_content_requested(slab, slot);
		info->usable_bytes = ph_content_usable(slab);
		info->offset = handle & PH_OFFSET_MASK;
	}
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_inspect_object);

/*
 * Live objects of a slab from @offset on. Returns where to go on. Under the lock
 * no object is claimed that lives on.
 */
static u64 ph_walk_slab_locked(struct ph_heap *heap, struct ph_slab *slab,
			       u64 offset, u64 *handles, u32 nr, u32 *done)
{
	u64 slot = 0, handle;
	u32 found;

	lockdep_assert_held(&slab->cache->lock);
	if (!ph_slab_is_span(slab))
		slot = div_u64(offset - slab->start + slab->stride - 1,
			       slab->stride);
	else if (offset != slab->start)
		slot = slab->nr;
	while (slot < slab->nr) {
		slot = find_next_bit(slab->live, slab->nr, slot);
		if (slot >= slab->nr)
			break;
		offset = slab->start + slot * slab->stride;
		if (*done == nr)
			return offset;
		handle = ph_handle(heap, ph_slab_gen(slab, slot), offset);
		/* It may have gone between bit and generation. */
		if (ph_handle_find(heap, handle, &slab, &found))
			handles[(*done)++] = handle;
		slot++;
	}
	return slab->start + ph_slab_bytes(slab);
}

static u64 ph_walk_slab(struct ph_heap *heap, struct ph_slab *slab,
			u64 offset, u64 *handles, u32 nr, u32 *done)
{
	unsigned long flags;

	spin_lock_irqsave(&slab->cache->lock, flags);
	offset = ph_walk_slab_locked(heap, slab, offset, handles, nr, done);
	spin_unlock_irqrestore(&slab->cache->lock, flags);
	return offset;
}

/**
 * ph_inspect_walk() - the next live objects
 * @heap: the heap
 * @type: of which type; 0 for all
 * @cursor: (in, out) 0 to begin, and at the end
 * @handles: (out) array
 * @nr: its length
 * @done: (out) how many were found; may be 0 before the end
 *
 * Context: process.
 * Return: 0, -ENOENT or -EINVAL.
 */
int ph_inspect_walk(struct ph_heap *heap, u32 type, u64 *cursor, u64 *handles,
		    u32 nr, u32 *done)
{
	u64 offset = *cursor, end;
	struct ph_slab *slab;
	u32 steps = 0;
	int err = -ENOENT;

	*done = 0;
	rcu_read_lock();
	if (type && !ph_heap_type(heap, type))
		goto out;
	err = -EINVAL;
	end = ph_region_end(&heap->region);
	if (offset > end)
		goto out;
	err = 0;
	while (offset < end && *done < nr && steps++ < PH_WALK_STEPS) {
		slab = ph_region_slab(&heap->region, offset);
		if (!slab)
			offset = round_down(offset, PAGE_SIZE) + PAGE_SIZE;
		else if (type && slab->cache->type->id != type)
			offset = slab->start + ph_slab_bytes(slab);
		else
			offset = ph_walk_slab(heap, slab, offset, handles, nr,
					      done);
	}
	*cursor = offset < end ? offset : 0;
out:
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_inspect_walk);
