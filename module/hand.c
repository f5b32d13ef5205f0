// SPDX-License-Identifier: GPL-2.0
/* Objects on their way out and back; see hand.h. */

#include <linux/rcupdate_wait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <kunit/visibility.h>

#include "content.h"
#include "hand.h"
#include "harden.h"
#include "supply.h"

static int ph_hand_check(const struct ph_type *type, u64 *bytes)
{
	if (unlikely(!type))
		return -ENOENT;
	if (unlikely(type->flags & PRIVHEAP_TYPE_COUNTED))
		return -EOPNOTSUPP;
	if (!*bytes)
		*bytes = type->min_bytes;
	if (unlikely(*bytes < type->min_bytes || *bytes > type->max_bytes))
		return -ERANGE;
	return 0;
}

static void ph_hand_answer(const struct ph_type *type,
			   const struct ph_cache *cache,
			   struct privheap_take *args)
{
	args->object_bytes = min_t(u64, cache->size, type->max_bytes);
	args->stride = cache->entry.stride;
	args->size_class = cache->entry.size_class;
}

static int ph_hand_charge(struct ph_type *type, const struct ph_lend *lend)
{
	if (!lend->moves)
		return ph_type_charge(type, 1);
	ph_type_charge_move(type);
	return 0;
}

/* What the cache has at hand. Returns as ph_cache_lend(), or -EDQUOT. */
static int ph_hand_lend(struct ph_type *type, struct ph_cache *cache,
			struct ph_lend *lend)
{
	u32 before = lend->done, want = lend->want;
	int err = ph_type_charge(type, want - before);

	/* The quota may have room for one, if not for all. */
	if (unlikely(err)) {
		lend->want = before + 1;
		err = ph_hand_charge(type, lend);
	}
	if (unlikely(err))
		return err;
	err = ph_cache_lend(cache, lend);
	ph_type_uncharge(type, lend->want - lend->done);
	lend->want = want;
	if (likely(!err))
		ph_type_count_handed(type, lend->done - before,
				     (u64)(lend->done - before) * cache->size);
	return err;
}

/* Returns -EAGAIN where the slow way has to be taken. */
static int ph_hand_out_fast(struct ph_heap *heap, struct privheap_take *args,
			    struct ph_lend *lend)
{
	struct ph_cache *cache;
	struct ph_type *type;
	int err;

	rcu_read_lock();
	type = ph_heap_type(heap, args->type);
	err = ph_hand_check(type, &args->object_bytes);
	if (unlikely(err))
		goto out;
	cache = ph_type_cache(type, args->object_bytes);
	err = -EAGAIN;
	if (unlikely(!cache || !cache->size))
		goto out;
	err = ph_hand_lend(type, cache, lend);
	if (likely(!err))
		ph_hand_answer(type, cache, args);
out:
	rcu_read_unlock();
	return err;
}

static int ph_hand_out_span(struct ph_heap *heap, struct ph_type *type,
			    struct ph_cache *cache, struct privheap_take *args,
			    struct ph_lend *lend)
{
	struct ph_slab *slab;
	int err = ph_hand_charge(type, lend);
	bool clean;

	if (err)
		return err;
	slab = ph_supply_span(heap, cache,
			      DIV_ROUND_UP_ULL(args->object_bytes, PAGE_SIZE),
			      &clean);
	if (IS_ERR(slab)) {
		ph_type_uncharge(type, 1);
		return PTR_ERR(slab);
	}
	if ((args->flags & PRIVHEAP_ZERO) && !clean)
		ph_content_zero(slab, 0, 0, ph_slab_bytes(slab));
	WRITE_ONCE(slab->requested, ph_content_usable(slab));
	ph_cache_count_handed(cache, 1, ph_slab_bytes(slab));
	ph_type_count_handed(type, 1, ph_slab_bytes(slab));
	ph_hand_answer(type, cache, args);
	args->object_bytes = ph_content_usable(slab);
	lend->runs[0].offset = slab->start;
	lend->runs[0].mask = 1;
	lend->nr_runs = 1;
	lend->done = 1;
	/* Who sees it handed out sees all of the above. */
	smp_mb__before_atomic();
	set_bit(PH_SPAN_OUT, slab->live);
	return 0;
}

static int ph_hand_out_slots(struct ph_heap *heap, struct ph_type *type,
			     struct ph_cache *cache, struct ph_lend *lend)
{
	struct ph_out *spare;
	int err;

	for (;;) {
		err = ph_hand_lend(type, cache, lend);
		if (err == -EAGAIN) {
			spare = ph_out_alloc(cache);
			err = PTR_ERR_OR_ZERO(spare);
			if (!err)
				lend->spare = spare;
		} else if (err == -ENOENT) {
			err = ph_supply_refill(heap, cache, true);
		} else {
			return err;
		}
		if (err)
			return err;
	}
}

static int ph_hand_out_locked(struct ph_heap *heap, struct privheap_take *args,
			      struct ph_lend *lend)
{
	struct ph_type *type = ph_heap_type(heap, args->type);
	int err = ph_hand_check(type, &args->object_bytes);
	struct ph_cache *cache;

	lockdep_assert_held(&heap->sem);
	if (err)
		return err;
	cache = ph_supply_cache(heap, type, args->object_bytes);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	if (!cache->size)
		return ph_hand_out_span(heap, type, cache, args, lend);
	err = ph_hand_out_slots(heap, type, cache, lend);
	if (!err)
		ph_hand_answer(type, cache, args);
	ph_out_free(cache, lend->spare);
	return err;
}

static noinline int ph_hand_out_slow(struct ph_heap *heap,
				     struct privheap_take *args,
				     struct ph_lend *lend)
{
	int err = down_read_killable(&heap->sem);

	if (err)
		return err;
	err = ph_hand_out_locked(heap, args, lend);
	up_read(&heap->sem);
	return err;
}

/* The slot of a run's first object, if all of the run are slots. */
static int ph_hand_slot(struct ph_slab *slab, u64 offset, u64 mask, u32 *slot)
{
	*slot = 0;
	if (ph_slab_is_span(slab)) {
		if (offset != slab->start)
			return -EBADSLT;
		return mask == 1 ? 0 : -ENXIO;
	}
	offset = array_index_nospec(offset - slab->start, slab->reach);
	if (!ph_slab_slot(slab, offset, slot))
		return -EBADSLT;
	if (*slot >= slab->nr)
		return -ENXIO;
	if (slab->nr - *slot < 64 && mask >> (slab->nr - *slot))
		return -ENXIO;
	return 0;
}

/**
 * ph_hand_set_out() - what was claimed is handed out
 * @slab: its slab
 * @slot: the first slot
 * @mask: which slots from there on
 *
 * Context: any in which the slab stays.
 */
void ph_hand_set_out(struct ph_slab *slab, u32 slot, u64 mask)
{
	if (ph_slab_is_span(slab))
		set_bit(PH_SPAN_OUT, slab->live);
	else
		ph_slab_set_out(slab, slot, mask);
}

/**
 * ph_hand_claim() - claim what a run names, as the only one to do so
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @run: any offset, any mask
 * @slabp: (in, out) a slab to try first; theirs
 * @slot: (out) the first slot of the run
 *
 * Context: RCU read side.
 * Return: 0, -EINVAL, -ENXIO, -EBADSLT, -EPROTOTYPE or -ESTALE.
 */
int ph_hand_claim(struct ph_heap *heap, u32 type,
		  const struct privheap_run *run, struct ph_slab **slabp,
		  u32 *slot)
{
	struct ph_slab *slab = *slabp;
	bool claimed;
	int err;

	if (unlikely(!run->mask))
		return -EINVAL;
	if (run->offset - slab->start >= ph_slab_bytes(slab)) {
		slab = ph_region_slab(&heap->region, run->offset);
		if (unlikely(!slab || run->offset > PH_OFFSET_MASK))
			return -ENXIO;
		*slabp = slab;
	}
	if (unlikely(type && slab->cache->type->id != type))
		return -EPROTOTYPE;
	err = ph_hand_slot(slab, run->offset, run->mask, slot);
	if (unlikely(err))
		return err;
	claimed = ph_slab_is_span(slab) ?
		test_and_clear_bit(PH_SPAN_OUT, slab->live) :
		ph_slab_claim_out(slab, *slot, run->mask);
	return likely(claimed) ? 0 : -ESTALE;
}

/**
 * ph_hand_pause() - let others run in the middle of a long array
 * @slab: the slab at hand
 * @done: how many of the array are done
 *
 * Context: process; RCU read side, which may be left for a while.
 * Return: the slab to go on with: the one at hand may be gone after that.
 */
struct ph_slab *ph_hand_pause(struct ph_slab *slab, u32 done)
{
	if (likely(!done || done % PH_CHUNK))
		return slab;
	cond_resched_rcu();
	return &ph_no_slab;
}

/**
 * ph_hand_claimed() - slab and slot of what is claimed
 * @heap: the heap
 * @slab: a slab to try first
 * @offset: where it is
 * @slot: (out)
 *
 * Context: RCU read side.
 */
struct ph_slab *ph_hand_claimed(struct ph_heap *heap, struct ph_slab *slab,
				u64 offset, u32 *slot)
{
	if (offset - slab->start >= ph_slab_bytes(slab))
		slab = ph_region_lookup(&heap->region, offset);
	ph_slab_slot(slab, offset - slab->start, slot);
	return slab;
}

/* Zero what a run names, which the caller has claimed. */
static void ph_hand_wipe(struct ph_slab *slab, u32 slot, u64 mask)
{
	for (; mask; mask >>= 1, slot++)
		if (mask & 1)
			ph_content_zero(slab, slot, 0,
					ph_content_usable(slab));
}

/*
 * What comes out of a hardened heap is zero, or is made so; elsewhere it is made
 * so where that was asked for. They are out already, and whoever guesses where
 * can give them back: only what is claimed keeps its slab.
 */
static void ph_hand_clean(struct ph_heap *heap, const struct privheap_run *run)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err;

	rcu_read_lock();
	err = ph_hand_claim(heap, 0, run, &slab, &slot);
	rcu_read_unlock();
	if (err)
		return;
	if (unlikely(heap->region.hardened))
		ph_harden_check(heap, slab, slot);
	else
		ph_hand_wipe(slab, slot, run->mask);
	ph_hand_set_out(slab, slot, run->mask);
}

/**
 * ph_hand_out() - hand objects out
 * @heap: the heap
 * @args: what is wanted, PH_HAND_MOVES for an object that there is already;
 *	(out) what there is
 * @runs: (out) array of @args->max_runs, of which PH_TAKE_RUNS at most are used
 *
 * Context: process, may sleep.
 * Return: 0 with at least one object; or -ENOENT, -EOPNOTSUPP, -ERANGE, -EDQUOT,
 * -ENOMEM, -EINTR with none.
 */
int ph_hand_out(struct ph_heap *heap, struct privheap_take *args,
		struct privheap_run *runs)
{
	struct ph_lend lend = {
		.runs		= runs,
		.max_runs	= min(args->max_runs, PH_TAKE_RUNS),
		.want		= args->count,
		.moves		= args->flags & PH_HAND_MOVES,
	};
	int err = ph_hand_out_fast(heap, args, &lend);
	u32 i;

	/* Whether there is no such type is certain only under the semaphore. */
	if (unlikely(err == -EAGAIN || err == -ENOENT))
		err = ph_hand_out_slow(heap, args, &lend);
	args->nr_runs = lend.nr_runs;
	args->done = lend.done;
	if (err || !args->stride)
		return err;
	if (unlikely(heap->region.hardened || (args->flags & PRIVHEAP_ZERO)))
		for (i = 0; i < lend.nr_runs; i++)
			ph_hand_clean(heap, &runs[i]);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_hand_out);

/* Returns 0 or what is wrong with the run at @done. */
static int ph_hand_claim_all(struct ph_heap *heap, u32 type,
			     const struct privheap_run *runs, u32 nr,
			     u32 *done)
{
	struct ph_slab *slab;
	int err = 0;
	u32 end, slot;

	for (*done = 0; *done < nr && !err;) {
		end = min(nr, *done + PH_CHUNK);
		slab = &ph_no_slab;
		rcu_read_lock();
		for (; *done < end; ++*done) {
			err = ph_hand_claim(heap, type, &runs[*done], &slab,
					    &slot);
			if (unlikely(err))
				break;
		}
		rcu_read_unlock();
		if (*done < nr)
			cond_resched();
	}
	return err;
}

/**
 * ph_hand_unclaim_all() - what was claimed is handed out after all
 * @heap: the heap
 * @runs: array
 * @nr: its length
 *
 * Context: process.
 */
void ph_hand_unclaim_all(struct ph_heap *heap, const struct privheap_run *runs,
			 u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i, slot;

	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		slab = ph_hand_pause(slab, i);
		slab = ph_hand_claimed(heap, slab, runs[i].offset, &slot);
		ph_hand_set_out(slab, slot, runs[i].mask);
	}
	rcu_read_unlock();
}

/* How many runs from the first on are of the same cache, which, and objects. */
static u32 ph_hand_group(struct ph_heap *heap, const struct privheap_run *runs,
			 u32 nr, struct ph_cache **cache, u64 *objects)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i, slot;

	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		slab = ph_hand_claimed(heap, slab, runs[i].offset, &slot);
		if (!i)
			*cache = slab->cache;
		else if (slab->cache != *cache || ph_slab_is_span(slab))
			break;
		*objects += hweight64(runs[i].mask);
	}
	rcu_read_unlock();
	return i;
}

static void ph_hand_give_span(struct ph_heap *heap, struct ph_cache *cache,
			      u64 offset)
{
	struct ph_slab *slab;
	u64 round, bytes;

	rcu_read_lock();
	slab = ph_region_lookup(&heap->region, offset);
	rcu_read_unlock();
	ph_content_end(slab, 0);
	bytes = ph_slab_bytes(slab);
	/* No handle had it: its generation is still the next one. */
	round = ph_handle(heap, ph_slab_gen(slab, 0), offset);
	ph_cache_count_handed(cache, -1, -(s64)bytes);
	ph_type_count_handed(cache->type, -1, -(s64)bytes);
	ph_cache_give_slabs(cache, &round, 1);
	/* Large memory is not hoarded: another size cannot use it. */
	ph_cache_release_empty(cache, 0, U32_MAX);
}

/* The next life of a slot has the next generation, whichever door it had. */
static void ph_hand_quarantine(struct ph_heap *heap, struct ph_cache *cache,
			       const struct privheap_run *run)
{
	u64 rounds[64], mask = run->mask;
	struct ph_slab *slab;
	u32 slot, nr = 0;

	rcu_read_lock();
	slab = ph_hand_claimed(heap, &ph_no_slab, run->offset, &slot);
	for (; mask; mask >>= 1, slot++)
		if (mask & 1)
			rounds[nr++] = ((u64)(u16)(ph_slab_gen(slab, slot) + 1)
					<< PH_OFFSET_BITS) |
				       (slab->key + (u64)slot * slab->stride);
	rcu_read_unlock();
	ph_cache_give(cache, rounds, nr);
}

static void ph_hand_wipe_claimed(struct ph_heap *heap,
				 const struct privheap_run *run)
{
	struct ph_slab *slab;
	u32 slot;

	rcu_read_lock();
	slab = ph_hand_claimed(heap, &ph_no_slab, run->offset, &slot);
	rcu_read_unlock();
	ph_hand_wipe(slab, slot, run->mask);
}

/* Claimed runs of one cache go back to it. */
static void ph_hand_give(struct ph_heap *heap, struct ph_cache *cache,
			 const struct privheap_run *runs, u32 nr, u64 objects)
{
	u32 i;

	if (cache->type->flags & PRIVHEAP_TYPE_ZERO_FREE)
		for (i = 0; i < nr; i++)
			ph_hand_wipe_claimed(heap, &runs[i]);
	ph_type_uncharge(cache->type, objects);
	if (!cache->size) {
		ph_hand_give_span(heap, cache, runs[0].offset);
		return;
	}
	ph_type_count_handed(cache->type, -(s64)objects,
			     -(s64)(objects * cache->size));
	if (cache->quarantine) {
		ph_cache_count_handed(cache, -(s32)objects,
				      -(s64)(objects * cache->size));
		for (i = 0; i < nr; i++)
			ph_hand_quarantine(heap, cache, &runs[i]);
		return;
	}
	ph_cache_regain(cache, runs, nr);
	ph_cache_release_excess(cache);
}

/**
 * ph_hand_give_all() - claimed slots go back to their slabs
 * @heap: the heap
 * @runs: array of what was handed out and claimed
 * @nr: its length
 *
 * Context: process, may sleep; @heap->sem held.
 */
void ph_hand_give_all(struct ph_heap *heap, const struct privheap_run *runs,
		      u32 nr)
{
	struct ph_cache *cache;
	u64 objects;
	u32 group;

	while (nr) {
		objects = 0;
		group = ph_hand_group(heap, runs, min(nr, PH_CHUNK), &cache,
				      &objects);
		ph_hand_give(heap, cache, runs, group, objects);
		runs += group;
		nr -= group;
		if (nr)
			cond_resched();
	}
}

/**
 * ph_hand_back() - objects that were handed out come back
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @runs: array
 * @nr: its length
 * @partial: whether fewer are better than none
 * @done: (out) how many runs came back
 *
 * Context: process, may sleep.
 * Return: 0; or -EINVAL, -ENXIO, -EBADSLT, -EPROTOTYPE, -ESTALE, -EINTR with none
 * taken back.
 */
int ph_hand_back(struct ph_heap *heap, u32 type,
		 const struct privheap_run *runs, u32 nr, bool partial,
		 u32 *done)
{
	/* With its last slot given back a type could end under us. */
	int err = down_read_killable(&heap->sem);

	if (err)
		return err;
	err = ph_hand_claim_all(heap, type, runs, nr, done);
	if (likely(!err) || (partial && *done)) {
		ph_hand_give_all(heap, runs, *done);
		err = 0;
	} else {
		ph_hand_unclaim_all(heap, runs, *done);
		*done = 0;
	}
	up_read(&heap->sem);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_hand_back);

/* Of a run that is not out as a whole, what is. */
static void ph_hand_undo_each(struct ph_heap *heap,
			      const struct privheap_run *run)
{
	struct privheap_run one = { .offset = run->offset };
	u64 left;
	u32 done;

	for (left = run->mask; left; left &= left - 1) {
		one.mask = left & -left;
		if (!ph_hand_claim_all(heap, 0, &one, 1, &done))
			ph_hand_give_all(heap, &one, 1);
	}
}

/**
 * ph_hand_undo() - what ph_hand_out() has just handed out was not wanted
 * @heap: the heap
 * @runs: array
 * @nr: its length
 *
 * Whoever guessed where they are may have given them back already. It waits for
 * as long as it takes, also in a process that is being killed: nobody else would
 * do it.
 *
 * Context: process, may sleep.
 */
void ph_hand_undo(struct ph_heap *heap, const struct privheap_run *runs, u32 nr)
{
	u32 done;

	down_read(&heap->sem);
	for (; nr; nr--, runs++) {
		if (!ph_hand_claim_all(heap, 0, runs, 1, &done))
			ph_hand_give_all(heap, runs, 1);
		else
			ph_hand_undo_each(heap, runs);
		cond_resched();
	}
	up_read(&heap->sem);
}
EXPORT_SYMBOL_IF_KUNIT(ph_hand_undo);
