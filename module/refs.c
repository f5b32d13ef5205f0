// SPDX-License-Identifier: GPL-2.0
/*
 * Reference counts of counted objects.
 *
 * A count is changed by compare-and-exchange of count and generation in one
 * word, so that a stale handle never touches the count of the object that came
 * after. It is 0 for an object that somebody is about to end.
 */

#include <linux/sched.h>
#include <kunit/visibility.h>

#include "handle.h"
#include "object.h"
#include "refs.h"

/*
 * The handle of an object whose last reference was put goes without the heap's
 * tag, which is never 0.
 */
static bool ph_refs_is_last(u64 handle)
{
	return !(handle >> PH_TAG_SHIFT);
}

/* Add @by, 1 or -1. Returns the new count, or -ESTALE. */
static int ph_refs_add(struct ph_slab *slab, u32 slot, u16 gen, int by)
{
	u64 *refs = ph_slab_refs(slab, slot);
	u64 old = READ_ONCE(*refs), seen;
	u32 count;

	for (;;) {
		count = (u32)old;
		if (old >> 32 != gen || !count)
			return -ESTALE;
		if (count == PRIVHEAP_REFS_SATURATED)
			return count;
		seen = cmpxchg64(refs, old, ph_refs(gen, count + by));
		if (seen == old)
			return count + by;
		old = seen;
	}
}

/* Undo the put of a last reference: from 0, where ph_refs_add() refuses. */
static void ph_refs_revive(struct ph_slab *slab, u32 slot, u16 gen)
{
	cmpxchg64(ph_slab_refs(slab, slot), ph_refs(gen, 0), ph_refs(gen, 1));
}

/*
 * Where the object of a handle, possibly without its tag, is or was. Returns
 * NULL where no counted object can be any more.
 */
static struct ph_slab *ph_refs_find(struct ph_heap *heap, u64 handle,
				    u32 *slot)
{
	u64 offset = handle & PH_OFFSET_MASK;
	struct ph_slab *slab = ph_region_lookup(&heap->region, offset);

	if (offset - slab->start >= slab->reach || !slab->refs_at ||
	    !ph_slab_slot(slab, offset - slab->start, slot) ||
	    *slot >= slab->nr)
		return NULL;
	return slab;
}

/* Change one count. @ref is a handle, and marked if the count fell to 0. */
static int ph_refs_change(struct ph_heap *heap, u32 type, u64 *ref, int by,
			  struct ph_slab **slabp)
{
	u32 slot;
	int err, refs;

	err = ph_handle_lookup(heap, type, *ref, slabp, &slot);
	if (err)
		return err;
	if (!(*slabp)->refs_at)
		return -EOPNOTSUPP;
	refs = ph_refs_add(*slabp, slot, ph_handle_gen(*ref), by);
	if (refs < 0)
		return refs;
	if (!refs)
		*ref &= ~(~0ULL << PH_TAG_SHIFT);
	return 0;
}

static void ph_refs_undo(struct ph_heap *heap, const u64 *handles, u32 nr,
			 int by)
{
	struct ph_slab *slab;
	u32 slot;
	u16 gen;

	rcu_read_lock();
	/* Backwards: an object may be there twice, its last put behind. */
	while (nr--) {
		slab = ph_refs_find(heap, handles[nr], &slot);
		gen = ph_handle_gen(handles[nr]);
		if (!slab)
			continue;
		if (ph_refs_is_last(handles[nr]))
			ph_refs_revive(slab, slot, gen);
		else
			ph_refs_add(slab, slot, gen, -by);
	}
	rcu_read_unlock();
}

/* How many of the objects are there, and counted, to begin with. */
static int ph_refs_check_all(struct ph_heap *heap, u32 type,
			     const u64 *handles, u32 nr, u32 *good)
{
	struct ph_slab *slab;
	u32 slot;
	int err = 0;

	for (*good = 0; *good < nr && !err; *good += !err) {
		slab = &ph_no_slab;
		rcu_read_lock();
		err = ph_handle_lookup(heap, type, handles[*good], &slab,
				       &slot);
		if (!err && !slab->refs_at)
			err = -EOPNOTSUPP;
		rcu_read_unlock();
	}
	return err;
}

/*
 * Looked at before the first count changes: from saturation there is no way
 * back. What fails after that are puts of references that are not there.
 */
static int ph_refs_change_all(struct ph_heap *heap, u32 type, u64 *refs,
			      u32 nr, int by, bool partial, u32 *done)
{
	struct ph_slab *slab;
	u32 good, end;
	int err;

	*done = 0;
	err = ph_refs_check_all(heap, type, refs, nr, &good);
	if (err && !(partial && good))
		return err;
	err = 0;
	while (*done < good && !err) {
		end = min(good, *done + PH_CHUNK);
		slab = &ph_no_slab;
		rcu_read_lock();
		for (; *done < end && !err; *done += !err)
			err = ph_refs_change(heap, type, &refs[*done], by,
					     &slab);
		rcu_read_unlock();
		cond_resched();
	}
	if (!err || (partial && *done))
		return 0;
	ph_refs_undo(heap, refs, *done, by);
	*done = 0;
	return err;
}

/**
 * ph_refs_get() - one more reference to each object
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @handles: array; its content is lost
 * @nr: how many
 * @partial: whether fewer are better than none
 * @done: (out) how many were done
 *
 * Context: process, may sleep.
 * Return: 0; or with none done -EOPNOTSUPP, or what is wrong with a handle.
 */
int ph_refs_get(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		bool partial, u32 *done)
{
	return ph_refs_change_all(heap, type, handles, nr, 1, partial, done);
}
EXPORT_SYMBOL_IF_KUNIT(ph_refs_get);

/*
 * End an object whose count is 0: who took it there is the only one to end or
 * move it. Returns its round, or 0.
 */
static u64 ph_refs_end(struct ph_heap *heap, u64 handle)
{
	struct ph_slab *slab;
	bool ended = false;
	u32 slot;

	handle |= heap->region.tag;
	rcu_read_lock();
	slab = ph_refs_find(heap, handle, &slot);
	if (slab)
		ended = ph_handle_claim_late(slab, slot, handle);
	rcu_read_unlock();
	return ended ? ph_handle_round(handle) : 0;
}

/**
 * ph_refs_put() - one reference less to each object, and its end with the last
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @handles: array; its content is lost
 * @nr: how many
 * @partial: whether fewer are better than none
 * @done: (out) how many were done
 * @freed: (out) how many objects ended
 *
 * Context: process, may sleep.
 * Return: 0; or with none done -EOPNOTSUPP, or what is wrong with a handle.
 */
int ph_refs_put(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		bool partial, u32 *done, u32 *freed)
{
	u64 round;
	u32 i;
	int err;

	*freed = 0;
	err = ph_refs_change_all(heap, type, handles, nr, -1, partial, done);
	if (err)
		return err;
	for (i = 0; i < *done; i++) {
		if (!ph_refs_is_last(handles[i]))
			continue;
		round = ph_refs_end(heap, handles[i]);
		if (round)
			handles[(*freed)++] = round;
	}
	ph_object_free_claimed(heap, handles, *freed);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_refs_put);
