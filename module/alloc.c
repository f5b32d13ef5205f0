// SPDX-License-Identifier: GPL-2.0
/* Making objects, in batches. */

#include <linux/sched/signal.h>
#include <kunit/visibility.h>

#include "content.h"
#include "harden.h"
#include "object.h"
#include "supply.h"

/* Size, slack and reference count of a slot that is about to live. */
static void ph_object_prepare(struct ph_slab *slab, u32 slot, u64 bytes,
			      u32 keep)
{
	if (keep & (PH_KEEP_SLACK | PH_KEEP_WIDE_SLACK))
		ph_content_set_requested(slab, slot, bytes);
	if (keep & PH_KEEP_REFS)
		WRITE_ONCE(*ph_slab_refs(slab, slot),
			   ph_refs(ph_slab_gen(slab, slot), 1));
}

static u64 ph_round_mend(const struct ph_heap *heap, u64 round)
{
	return (round & ~(~0ULL << PH_TAG_SHIFT)) | heap->region.tag;
}

/* Turn a claimed slot into a live object, whose handle this returns. */
static __always_inline u64 ph_object_enliven_one(struct ph_heap *heap,
						 struct ph_slab **slabp,
						 u64 round, u64 bytes,
						 u32 keep, bool zero)
{
	struct ph_slab *slab = *slabp;
	u64 offset = ph_round_key(round) - slab->key;
	u32 slot;

	if (offset >= slab->reach) {
		slab = ph_region_lookup(&heap->region, ph_round_offset(round));
		offset = ph_round_key(round) - slab->key;
		/* Where the generation wrapped it carried into the tag. */
		if (unlikely(offset >= slab->reach)) {
			round = ph_round_mend(heap, round);
			offset = ph_round_key(round) - slab->key;
		}
		*slabp = slab;
	}
	ph_slab_slot(slab, offset, &slot);
	if (unlikely(keep >> PH_TENANT_SHIFT))
		ph_harden_check(heap, slab, slot);
	if (zero)
		ph_content_zero(slab, slot, 0, bytes);
	if (keep)
		ph_object_prepare(slab, slot, bytes, keep);
	/* Last: from now on others may use what is in the slot's books. */
	set_bit(slot, slab->live);
	return round;
}

static void ph_object_enliven(struct ph_heap *heap, struct ph_cache *cache,
			      u64 *rounds, u32 nr, u64 bytes, bool zero)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 keep = cache->geo.keep;
	u32 i;

	for (i = 0; i < nr; i++)
		rounds[i] = ph_object_enliven_one(heap, &slab, rounds[i],
						  bytes, keep, zero);
	if (keep & (PH_KEEP_SLACK | PH_KEEP_WIDE_SLACK))
		ph_cpu_count(cache->cpus, requested, bytes * nr);
}

/**
 * ph_object_adopt() - a claimed slot becomes an object that uses all of it
 * @slab: its slab
 * @slot: the slot
 *
 * Context: RCU read side, or whatever keeps the slab.
 */
void ph_object_adopt(struct ph_slab *slab, u32 slot)
{
	struct ph_cache *cache = slab->cache;
	u64 bytes = ph_content_usable(slab);

	ph_content_set_requested(slab, slot, bytes);
	ph_cpu_count(cache->cpus, slab_allocs, 1);
	if (!cache->plain)
		ph_cpu_count(cache->cpus, requested, bytes);
	/* Who sees it live sees all of the above. */
	smp_mb__before_atomic();
	set_bit(slot, slab->live);
}

/*
 * Objects straight from this CPU's loaded magazine, for a cache that keeps no
 * more than generations: the slots are not even copied in between.
 */
static u32 ph_object_pop(struct ph_heap *heap, struct ph_cache *cache,
			 u64 *handles, u32 nr)
{
	struct ph_cpu *cpu;
	struct ph_slab *slab = &ph_no_slab;
	struct ph_magazine *mag;
	u64 *from;
	u32 i;

	if (unlikely(!ph_cpu_enter(cache->cpus, &cpu)))
		return 0;
	mag = cpu->loaded;
	nr = min(nr, mag->nr);
	if (likely(nr)) {
		mag->nr -= nr;
		from = &mag->round[mag->nr];
		for (i = 0; i < nr; i++)
			handles[i] = ph_object_enliven_one(heap, &slab, from[i],
							   0, 0, false);
		cpu->count.magazine_hits += nr;
	}
	ph_cpu_leave(cpu);
	return nr;
}

/**
 * struct ph_alloc_one - objects of one size
 * @id: the type
 * @bytes: their size
 * @zero: whether they have to be zero
 */
struct ph_alloc_one {
	u32 id;
	u64 bytes;
	bool zero;
};

static int ph_alloc_check(const struct ph_type *type, struct ph_alloc_one *one)
{
	if (unlikely(!type))
		return -ENOENT;
	if (!one->bytes)
		one->bytes = type->min_bytes;
	if (unlikely(one->bytes < type->min_bytes ||
		     one->bytes > type->max_bytes))
		return -ERANGE;
	if (type->flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		one->zero = true;
	return 0;
}

/*
 * The shortest way: objects of a type of one size that is plain, as many as the
 * loaded magazine has. Returns how many; 0 where another way has to be taken.
 */
static u32 ph_alloc_hot(struct ph_heap *heap, u32 id, u64 *handles, u32 nr)
{
	struct ph_type *type;
	struct ph_cache *cache;
	u32 got = 0;

	rcu_read_lock();
	type = ph_heap_type(heap, id);
	if (likely(type)) {
		cache = ph_made(type->only);
		if (likely(cache && cache->plain))
			got = ph_object_pop(heap, cache, handles, nr);
	}
	rcu_read_unlock();
	return got;
}

/*
 * Objects out of what the cache has at hand. Returns how many; 0 where it needs
 * more memory, or has to be made.
 */
static noinline int ph_alloc_fast(struct ph_heap *heap,
				  struct ph_alloc_one *one, u64 *handles,
				  u32 nr)
{
	struct ph_cache *cache;
	struct ph_type *type;
	int err;

	rcu_read_lock();
	type = ph_heap_type(heap, one->id);
	err = ph_alloc_check(type, one);
	if (unlikely(err))
		goto out;
	cache = ph_type_cache(type, one->bytes);
	if (unlikely(!cache || !cache->size))
		goto out;
	err = ph_type_charge(type, nr);
	if (unlikely(err))
		goto out;
	err = ph_cache_take(cache, handles, nr);
	ph_object_enliven(heap, cache, handles, err, one->bytes, one->zero);
	if (unlikely(err < nr))
		ph_type_uncharge(type, nr - err);
out:
	rcu_read_unlock();
	return err;
}

static int ph_alloc_span(struct ph_heap *heap, struct ph_cache *cache,
			 const struct ph_alloc_one *one, u64 *handle)
{
	struct ph_slab *slab;
	bool clean;

	slab = ph_supply_span(heap, cache,
			      DIV_ROUND_UP_ULL(one->bytes, PAGE_SIZE), &clean);
	if (IS_ERR(slab))
		return PTR_ERR(slab);
	if (one->zero && !clean)
		ph_content_zero(slab, 0, 0, one->bytes);
	WRITE_ONCE(slab->requested, one->bytes);
	if (cache->geo.keep & PH_KEEP_REFS)
		WRITE_ONCE(*ph_slab_refs(slab, 0), ph_refs(slab->gen[0], 1));
	*handle = ph_handle(heap, slab->gen[0], slab->start);
	ph_cpu_count(cache->cpus, slab_allocs, 1);
	ph_cpu_count(cache->cpus, requested, one->bytes);
	/* Who sees it live sees all of the above. */
	smp_mb__before_atomic();
	set_bit(0, slab->live);
	return 1;
}

/* Slots that had to be asked for. */
static int ph_alloc_slots(struct ph_heap *heap, struct ph_cache *cache,
			  const struct ph_alloc_one *one, u64 *handles, u32 nr)
{
	int err;
	u32 got;

	for (;;) {
		got = ph_cache_take(cache, handles, nr);
		if (got)
			break;
		err = ph_supply_refill(heap, cache, false);
		if (err)
			return err;
	}
	rcu_read_lock();
	ph_object_enliven(heap, cache, handles, got, one->bytes, one->zero);
	rcu_read_unlock();
	return got;
}

static int ph_alloc_slow_locked(struct ph_heap *heap, struct ph_alloc_one *one,
				u64 *handles, u32 nr)
{
	struct ph_type *type = ph_heap_type(heap, one->id);
	struct ph_cache *cache;
	int err;

	lockdep_assert_held(&heap->sem);
	err = ph_alloc_check(type, one);
	if (err)
		return err;
	cache = ph_supply_cache(heap, type, one->bytes);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	nr = cache->size ? nr : 1;
	err = ph_type_charge(type, nr);
	if (err)
		return err;
	if (cache->size)
		err = ph_alloc_slots(heap, cache, one, handles, nr);
	else
		err = ph_alloc_span(heap, cache, one, handles);
	ph_type_uncharge(type, nr - max(err, 0));
	return err;
}

static noinline int ph_alloc_slow(struct ph_heap *heap,
				  struct ph_alloc_one *one, u64 *handles,
				  u32 nr)
{
	int err = down_read_killable(&heap->sem);

	if (err)
		return err;
	err = ph_alloc_slow_locked(heap, one, handles, nr);
	up_read(&heap->sem);
	return err;
}

/* Objects, one to PH_CHUNK. Returns how many, or an error. */
static int ph_alloc_chunk(struct ph_heap *heap, struct ph_alloc_one *one,
			  u64 *handles, u32 nr)
{
	int got = ph_alloc_fast(heap, one, handles, nr);

	if (likely(got > 0))
		return got;
	/* Whether there is no such type is certain only under the semaphore. */
	if (!got || got == -ENOENT)
		got = ph_alloc_slow(heap, one, handles, nr);
	/* The quota may have room for one, if not for all. */
	if (got == -EDQUOT && nr > 1)
		return ph_alloc_slow(heap, one, handles, 1);
	return got;
}

/* Objects of one size. Returns 0, or an error with @done of them made. */
static noinline int ph_alloc_same(struct ph_heap *heap,
				  struct ph_alloc_one *one, u64 *handles,
				  u32 nr, u32 *done)
{
	int got;

	while (nr) {
		got = ph_alloc_chunk(heap, one, handles, min(nr, PH_CHUNK));
		if (unlikely(got < 0))
			return got;
		handles += got;
		nr -= got;
		*done += got;
		if (nr && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int ph_alloc_sizes(struct ph_heap *heap, const struct ph_alloc *req,
			  u64 *handles, u32 nr, u32 *done)
{
	struct ph_alloc_one one = { .id = req->type };
	u32 run;
	int err;

	while (*done < nr) {
		/* Neighbours of one size go together. */
		for (run = 1; *done + run < nr; run++)
			if (req->sizes[*done + run] != req->sizes[*done])
				break;
		one.bytes = req->sizes[*done];
		one.zero = req->zero;
		err = one.bytes ? ph_alloc_same(heap, &one, handles + *done,
						run, done) : -ERANGE;
		if (err)
			return err;
	}
	return 0;
}

/**
 * ph_object_alloc_undo() - end objects that were made for nothing
 * @heap: the heap
 * @handles: array; its content is lost
 * @nr: how many
 *
 * One that somebody else found and freed is no reason to keep the rest.
 *
 * Context: process, may sleep.
 */
void ph_object_alloc_undo(struct ph_heap *heap, u64 *handles, u32 nr)
{
	u32 done, i;

	for (i = 0; i < nr; i += done + 1)
		if (ph_object_free(heap, 0, handles + i, nr - i, true, &done))
			done = 0;
}

/* All ways but the shortest; @done objects are made already. */
static noinline int ph_alloc_rest(struct ph_heap *heap,
				  const struct ph_alloc *req, u64 *handles,
				  u32 nr, bool partial, u32 *done)
{
	struct ph_alloc_one one = {
		.id	= req->type,
		.bytes	= req->bytes,
		.zero	= req->zero,
	};
	int err;

	if (req->sizes)
		err = ph_alloc_sizes(heap, req, handles, nr, done);
	else
		err = ph_alloc_same(heap, &one, handles + *done, nr - *done,
				    done);
	if (likely(!err) || (partial && *done))
		return 0;
	ph_object_alloc_undo(heap, handles, *done);
	*done = 0;
	return err;
}

/**
 * ph_object_alloc() - make objects
 * @heap: the heap
 * @req: what is wanted
 * @handles: (out) array
 * @nr: how many
 * @partial: whether fewer are better than none
 * @done: (out) how many were made
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOENT, -ERANGE, -EDQUOT, -ENOMEM, -EINTR with none made.
 */
int ph_object_alloc(struct ph_heap *heap, const struct ph_alloc *req,
		    u64 *handles, u32 nr, bool partial, u32 *done)
{
	*done = 0;
	if (likely(!req->sizes && !req->bytes && !req->zero))
		*done = ph_alloc_hot(heap, req->type, handles, nr);
	if (likely(*done == nr))
		return 0;
	return ph_alloc_rest(heap, req, handles, nr, partial, done);
}
EXPORT_SYMBOL_IF_KUNIT(ph_object_alloc);

static void ph_claim_check(struct ph_heap *heap, u64 round)
{
	struct ph_slab *slab;

	rcu_read_lock();
	/* A claimed slot keeps its slab. */
	slab = ph_region_lookup(&heap->region, ph_round_offset(round));
	rcu_read_unlock();
	ph_harden_check(heap, slab, ph_round_slot(slab, round));
}

/* A slot for a moving object: claimed, so that nobody else can find it. */
static int ph_claim_slot(struct ph_heap *heap, struct ph_cache *cache,
			 u64 *round)
{
	int err;

	while (!ph_cache_take(cache, round, 1)) {
		err = ph_supply_refill(heap, cache, false);
		if (err)
			return err;
	}
	*round = ph_round_mend(heap, *round);
	if (cache->quarantine)
		ph_claim_check(heap, *round);
	return 0;
}

static int ph_claim_span(struct ph_heap *heap, struct ph_cache *cache,
			 u64 bytes, u64 *round)
{
	struct ph_slab *slab;
	bool clean;

	slab = ph_supply_span(heap, cache, DIV_ROUND_UP_ULL(bytes, PAGE_SIZE),
			      &clean);
	if (IS_ERR(slab))
		return PTR_ERR(slab);
	ph_cpu_count(cache->cpus, slab_allocs, 1);
	*round = ph_handle(heap, slab->gen[0], slab->start);
	return 0;
}

/**
 * ph_object_claim_new() - a place for an object that moves
 * @heap: the heap
 * @id: its type
 * @bytes: how much room it needs
 * @round: (out) the place, and the handle that the object will have there;
 *	for ph_object_publish() or ph_object_free_claimed()
 *
 * No quota refuses it: the object exists already.
 *
 * Context: process, may sleep; @heap->sem held.
 * Return: 0, -ENOENT, -EDQUOT, -ENOMEM or -EINTR.
 */
int ph_object_claim_new(struct ph_heap *heap, u32 id, u64 bytes, u64 *round)
{
	struct ph_type *type = ph_heap_type(heap, id);
	struct ph_cache *cache;
	int err;

	lockdep_assert_held(&heap->sem);
	if (!type)
		return -ENOENT;
	cache = ph_supply_cache(heap, type, bytes);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	err = cache->size ? ph_claim_slot(heap, cache, round) :
			    ph_claim_span(heap, cache, bytes, round);
	if (!err)
		ph_type_charge_move(type);
	return err;
}
