/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handle: the name of one object for as long as it lives.
 *
 *	63      56 55            40 39                                  0
 *	+---------+----------------+-------------------------------------+
 *	| heap tag|   generation   |  offset of its first byte in region |
 *	+---------+----------------+-------------------------------------+
 *
 * No table translates it: offset -> slab -> slot by a few loads and a
 * multiplication, then generation and live bit are compared.
 */
#ifndef _PH_HANDLE_H
#define _PH_HANDLE_H

#include "heap.h"

static inline u64 ph_handle(const struct ph_heap *heap, u16 gen, u64 offset)
{
	return heap->region.tag | (u64)gen << PH_OFFSET_BITS | offset;
}

static inline u16 ph_handle_gen(u64 handle)
{
	return handle >> PH_OFFSET_BITS;
}

/**
 * ph_handle_find() - slab and slot of a live object
 * @heap: the heap
 * @handle: any number
 * @slabp: (in, out) a slab to try first; the object's slab
 * @slotp: (out) its slot
 *
 * Context: RCU read side.
 * Return: whether the handle names a live object. If not, ask
 * ph_handle_error() why.
 */
static __always_inline bool ph_handle_find(struct ph_heap *heap, u64 handle,
					   struct ph_slab **slabp, u32 *slotp)
{
	u64 key = handle & PH_KEY_MASK, offset;
	struct ph_slab *slab = *slabp;
	u32 slot;

	if (key - slab->key >= slab->reach) {
		slab = ph_region_lookup(&heap->region, key & PH_OFFSET_MASK);
		if (unlikely(key - slab->key >= slab->reach))
			return false;
		*slabp = slab;
	}
	offset = array_index_nospec(key - slab->key, slab->reach);
	if (unlikely(!ph_slab_slot(slab, offset, &slot)))
		return false;
	*slotp = slot;
	return ph_handle_gen(handle) == ph_slab_gen(slab, slot) &&
	       test_bit(slot, slab->live);
}

int ph_handle_error(struct ph_heap *heap, u64 handle);

/**
 * ph_handle_lookup() - slab and slot of a live object of a type
 * @heap: the heap
 * @type: the type it must have; 0 for any
 * @handle: any number
 * @slabp: (in, out) a slab to try first
 * @slotp: (out)
 *
 * Context: RCU read side.
 * Return: 0, -EPROTOTYPE, or as ph_handle_error().
 */
static __always_inline int ph_handle_lookup(struct ph_heap *heap, u32 type,
					    u64 handle, struct ph_slab **slabp,
					    u32 *slotp)
{
	while (unlikely(!ph_handle_find(heap, handle, slabp, slotp))) {
		int err = ph_handle_error(heap, handle);

		/* Somebody let it live on after all. */
		if (err != -EAGAIN)
			return err;
	}
	if (unlikely(type && (*slabp)->cache->type->id != type))
		return -EPROTOTYPE;
	return 0;
}

void ph_handle_claimed_wrongly(struct ph_slab *slab, u32 slot);

/**
 * ph_handle_claim() - end an object's life, as the only one to do so
 * @slab: from ph_handle_find()
 * @slot: from ph_handle_find()
 * @handle: the object
 *
 * The live bit decides between those who free the same object at once, so no lock
 * is needed; from here on its handle is stale and the slot the caller's.
 *
 * A handle that had been freed, or was made up, may get as far as the bit, when the
 * object changed after the first look. Then the bit is back within a few
 * instructions, and whoever finds it missing with the right generation looks
 * again: see ph_handle_error() and ph_handle_claim_late().
 *
 * Context: RCU read side, preemption off.
 * Return: false if somebody else was first.
 */
static __always_inline bool ph_handle_claim(struct ph_slab *slab, u32 slot,
					    u64 handle)
{
	u16 gen = ph_handle_gen(handle), *now = &slab->gen[slot];

	/* data_race(): a guess before the bit decides; READ_ONCE() is longer. */
	if (unlikely(data_race(*now) != gen ||
		     !test_and_clear_bit(slot, slab->live)))
		return false;
	/* data_race(): who has the bit is the only one to write; as above. */
	if (unlikely(data_race(*now) != gen)) {
		ph_handle_claimed_wrongly(slab, slot);
		return false;
	}
	/* data_race(): others only read it; WRITE_ONCE() is longer. */
	data_race(++*now);
	return true;
}

static inline bool ph_handle_claim_preemptible(struct ph_slab *slab, u32 slot,
					       u64 handle)
{
	bool won;

	preempt_disable();
	won = ph_handle_claim(slab, slot, handle);
	preempt_enable();
	return won;
}

/* The same for any slab. Caller holds the lock of the slab's cache. */
static inline bool ph_handle_claim_locked(struct ph_slab *slab, u32 slot,
					  u64 handle)
{
	lockdep_assert_held(&slab->cache->lock);
	if (slab->gen)
		return ph_handle_claim_preemptible(slab, slot, handle);
	return slab->gen_first == ph_handle_gen(handle) &&
	       test_and_clear_bit(slot, slab->live);
}

/*
 * How often to look again at an object that somebody is about to free, or was: that
 * takes him some instructions, but where CPUs are virtual one may stand still.
 */
#define PH_LOOKS	4096

/**
 * ph_handle_claim_late() - the same for any slab, and whoever has it claimed
 * @slab: from ph_handle_find()
 * @slot: from ph_handle_find()
 * @handle: the object
 *
 * As long as a slab has no generations the live bit decides, under the lock
 * under which they are attached.
 *
 * Context: RCU read side.
 * Return: false if somebody else was first.
 */
static inline bool ph_handle_claim_late(struct ph_slab *slab, u32 slot,
					u64 handle)
{
	u32 looks = PH_LOOKS;
	unsigned long flags;
	bool won;

	/* Pairs with the release in ph_slab_attach_gens(). */
	if (smp_load_acquire(&slab->gen) &&
	    likely(ph_handle_claim_preemptible(slab, slot, handle)))
		return true;
	do {
		cpu_relax();
		/* Under the lock nobody has it claimed who is to let it live on. */
		spin_lock_irqsave(&slab->cache->lock, flags);
		won = ph_handle_claim_locked(slab, slot, handle);
		spin_unlock_irqrestore(&slab->cache->lock, flags);
	} while (!won && ph_slab_gen(slab, slot) == ph_handle_gen(handle) &&
		 looks--);
	return won;
}

/* The round of a slot whose object, with this handle, was claimed. */
static __always_inline u64 ph_handle_round(u64 handle)
{
	return handle + (1ULL << PH_OFFSET_BITS);
}

/*
 * Caller holds the lock of the slab's cache. The generation comes first: a guess at
 * the next one must not find the bit.
 */
static inline void ph_handle_unclaim_locked(struct ph_slab *slab, u32 slot,
					    u16 gen)
{
	lockdep_assert_held(&slab->cache->lock);
	if (slab->gen)
		WRITE_ONCE(slab->gen[slot], gen);
	/* Pairs with the full barrier of test_and_clear_bit(). */
	smp_mb__before_atomic();
	set_bit(slot, slab->live);
}

/**
 * ph_handle_unclaim() - take a claim back: the object lives on
 * @slab: its slab
 * @slot: its slot
 * @gen: its generation
 *
 * Context: RCU read side; by who claimed it.
 */
static inline void ph_handle_unclaim(struct ph_slab *slab, u32 slot, u16 gen)
{
	unsigned long flags;

	/* Who asks what is wrong with the handle sees both or none. */
	spin_lock_irqsave(&slab->cache->lock, flags);
	ph_handle_unclaim_locked(slab, slot, gen);
	spin_unlock_irqrestore(&slab->cache->lock, flags);
}

int ph_handle_pin(struct ph_heap *heap, u32 type, u64 handle,
		  struct ph_slab **slabp, u32 *slotp);
static inline void ph_slab_unpin(struct ph_slab *slab)
{
	/* All that was done to the pages comes before. */
	smp_mb__before_atomic();
	atomic_dec(&slab->pins);
}

#endif /* _PH_HANDLE_H */
