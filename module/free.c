// SPDX-License-Identifier: GPL-2.0
/* Ending objects, in batches. */

#include <linux/sched.h>
#include <kunit/visibility.h>

#include "content.h"
#include "object.h"

/* Whether a counted object may be freed, and take its last reference if so. */
static int ph_object_last_ref(struct ph_slab *slab, u32 slot, u64 handle)
{
	u16 gen = ph_handle_gen(handle);
	u64 refs = cmpxchg64(ph_slab_refs(slab, slot), ph_refs(gen, 1),
			     ph_refs(gen, 0));

	if (refs == ph_refs(gen, 1))
		return 0;
	return refs > ph_refs(gen, 1) && refs >> 32 == gen ? -EBUSY : -ESTALE;
}

static int ph_object_claim(struct ph_heap *heap, u32 type, u64 handle,
			   struct ph_slab **slabp, u64 *round)
{
	u32 slot;
	int err = ph_handle_lookup(heap, type, handle, slabp, &slot);

	if (unlikely(err))
		return err;
	if ((*slabp)->refs_at) {
		err = ph_object_last_ref(*slabp, slot, handle);
		if (err)
			return err;
	}
	/* Between look-up and claim somebody else freed it. */
	if (unlikely(!ph_handle_claim_late(*slabp, slot, handle)))
		return -ESTALE;
	*round = ph_handle_round(handle);
	return 0;
}

/**
 * ph_object_claim_chunk() - claim some objects
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @handles: array; (out) their rounds
 * @nr: how many, at most PH_CHUNK
 * @done: (in, out) grows by how many were claimed
 *
 * Context: process.
 * Return: 0, or why the next one could not be claimed.
 */
int ph_object_claim_chunk(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
			  u32 *done)
{
	struct ph_slab *slab = &ph_no_slab;
	int err = 0;
	u32 i;

	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		err = ph_object_claim(heap, type, handles[i], &slab,
				      &handles[i]);
		if (unlikely(err))
			break;
	}
	rcu_read_unlock();
	*done += i;
	return err;
}

/* Let a claimed object live on. @slab is a guess. Returns its slab. */
static struct ph_slab *ph_object_revive(struct ph_heap *heap,
					struct ph_slab *slab, u64 round)
{
	u16 gen = ph_handle_gen(round) - 1;
	u32 slot;

	slab = ph_object_slab(heap, slab, round);
	slot = ph_round_slot(slab, round);
	if (slab->refs_at)
		WRITE_ONCE(*ph_slab_refs(slab, slot), ph_refs(gen, 1));
	ph_handle_unclaim(slab, slot, gen);
	return slab;
}

/**
 * ph_object_unclaim() - let claimed objects live on
 * @heap: the heap
 * @rounds: array
 * @nr: how many
 *
 * Context: process.
 */
void ph_object_unclaim(struct ph_heap *heap, const u64 *rounds, u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i;

	rcu_read_lock();
	for (i = 0; i < nr; i++)
		slab = ph_object_revive(heap, slab, rounds[i]);
	rcu_read_unlock();
}

/**
 * ph_object_disown() - a claimed object ends as an object with a handle
 * @slab: its slab, which has generations
 * @slot: its slot
 *
 * Context: any in which the slab stays.
 * Return: what is left in the slot to use, in bytes.
 */
u64 ph_object_disown(struct ph_slab *slab, u32 slot)
{
	struct ph_cpu *cpus = slab->cache->cpus;
	u64 bytes = ph_content_end(slab, slot);

	ph_cpu_count(cpus, frees, 1);
	if (!slab->cache->plain)
		ph_cpu_count(cpus, requested, -(s64)bytes);
	return ph_slab_is_span(slab) ? ph_slab_bytes(slab) : slab->cache->size;
}

/*
 * What the user asked for in slots that go, and their end as content. Returns
 * whether some wait for generations: those have to go back to their slab.
 */
static bool ph_object_scrub(struct ph_heap *heap, struct ph_cache *cache,
			    const u64 *rounds, u32 nr)
{
	bool zero = cache->type->flags & PRIVHEAP_TYPE_ZERO_FREE;
	struct ph_slab *slab = &ph_no_slab;
	bool late = false;
	u64 requested = 0;
	u32 i, slot;

	for (i = 0; i < nr; i++) {
		/* A claimed slot keeps its slab: RCU is for the tables only. */
		rcu_read_lock();
		slab = ph_object_slab(heap, slab, rounds[i]);
		rcu_read_unlock();
		slot = ph_round_slot(slab, rounds[i]);
		requested += ph_content_end(slab, slot);
		/* They may have come, see ph_slab_attach_gens(), since it was claimed. */
		if (!smp_load_acquire(&slab->gen))
			late = true;
		else
			WRITE_ONCE(slab->gen[slot], ph_handle_gen(rounds[i]));
		if (zero)
			ph_content_zero(slab, slot, 0, ph_content_usable(slab));
	}
	ph_cpu_count(cache->cpus, requested, -(s64)requested);
	return late;
}

static void ph_object_free_spans(struct ph_cache *cache, const u64 *rounds,
				 u32 nr)
{
	ph_cache_give_slabs(cache, rounds, nr);
	/* Large memory is not hoarded: another size cannot use it. */
	ph_cache_release_empty(cache, 0, U32_MAX);
}

/* Claimed slots of one cache go back to it. */
static void ph_object_give(struct ph_heap *heap, struct ph_cache *cache,
			   u64 *rounds, u32 nr)
{
	bool late = false;

	ph_cpu_count(cache->cpus, frees, nr);
	if (!cache->plain)
		late = ph_object_scrub(heap, cache, rounds, nr);
	ph_type_uncharge(cache->type, nr);
	if (!cache->size)
		ph_object_free_spans(cache, rounds, nr);
	else if (late)
		ph_cache_give_slabs(cache, rounds, nr);
	else
		ph_cache_give(cache, rounds, nr);
}

/* How many rounds from the first on are of the same cache, and which. */
static u32 ph_object_run(struct ph_heap *heap, const u64 *rounds, u32 nr,
			 struct ph_cache **cache)
{
	struct ph_slab *slab, *last;
	u32 run;

	rcu_read_lock();
	last = ph_object_slab(heap, &ph_no_slab, rounds[0]);
	*cache = last->cache;
	for (run = 1; run < nr; run++) {
		slab = ph_object_slab(heap, last, rounds[run]);
		if (slab != last && slab->cache != *cache)
			break;
		last = slab;
	}
	rcu_read_unlock();
	return run;
}

/**
 * ph_object_free_claimed() - give claimed slots back to their caches
 * @heap: the heap
 * @rounds: array of slots, of any caches
 * @nr: how many
 *
 * Context: process, may sleep; @heap->sem not held.
 */
void ph_object_free_claimed(struct ph_heap *heap, u64 *rounds, u32 nr)
{
	struct ph_cache *cache;
	u32 run;

	/* With its last slot given back a type could end under us. */
	down_read(&heap->sem);
	while (nr) {
		run = ph_object_run(heap, rounds, min(nr, PH_CHUNK), &cache);
		ph_object_give(heap, cache, rounds, run);
		rounds += run;
		nr -= run;
		if (nr)
			cond_resched();
	}
	up_read(&heap->sem);
}
EXPORT_SYMBOL_IF_KUNIT(ph_object_free_claimed);

/*
 * Claim objects of one plain cache. Returns how many; fewer than @nr where the
 * careful way has to find out what is special about the next one.
 */
static u32 ph_free_claim(struct ph_heap *heap, struct ph_cache *cache,
			 struct ph_slab *slab, const u64 *handles, u32 nr,
			 u64 *rounds)
{
	u32 i, slot;

#pragma GCC unroll 2
	for (i = 0; i < nr; i++) {
		u64 handle = handles[i];
		u64 offset = (handle & PH_KEY_MASK) - slab->key;

		if (offset >= slab->reach) {
			slab = ph_region_lookup(&heap->region,
						handle & PH_OFFSET_MASK);
			offset = (handle & PH_KEY_MASK) - slab->key;
			if (unlikely(offset >= slab->reach ||
				     slab->cache != cache))
				break;
		}
		offset = array_index_nospec(offset, slab->reach);
		if (unlikely(!ph_slab_slot(slab, offset, &slot) ||
			     !ph_handle_claim(slab, slot, handle)))
			break;
		rounds[i] = ph_handle_round(handle);
	}
	return i;
}

/* The cache of a handle, if objects of it can be freed the short way. */
static struct ph_cache *ph_free_cache(struct ph_heap *heap, u32 type,
				      u64 handle, struct ph_slab **slab)
{
	struct ph_cache *cache;

	*slab = ph_region_lookup(&heap->region, handle & PH_OFFSET_MASK);
	cache = (*slab)->cache;
	if (unlikely(!cache || !cache->plain || (type && cache->type->id != type)))
		return NULL;
	return cache;
}

static noinline void ph_free_undo(struct ph_heap *heap, const u64 *handles,
				  u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i;

	for (i = 0; i < nr; i++)
		slab = ph_object_revive(heap, slab, ph_handle_round(handles[i]));
}

/*
 * The short way: a batch of one plain cache that fits the loaded magazine goes
 * there without a stop. Returns whether it did; if not, nothing has happened.
 */
static bool ph_free_fast(struct ph_heap *heap, u32 type, const u64 *handles,
			 u32 nr)
{
	struct ph_magazine *mag;
	struct ph_cache *cache;
	struct ph_slab *slab;
	struct ph_cpu *cpu;
	u32 got = 0;

	rcu_read_lock();
	cache = ph_free_cache(heap, type, handles[0], &slab);
	if (unlikely(!cache || !ph_cpu_enter(cache->cpus, &cpu)))
		goto out;
	mag = cpu->loaded;
	if (likely(nr <= mag->cap - mag->nr)) {
		got = ph_free_claim(heap, cache, slab, handles, nr,
				    &mag->round[mag->nr]);
		if (likely(got == nr)) {
			mag->nr += nr;
			cpu->count.frees += nr;
		}
	}
	ph_cpu_leave(cpu);
	if (unlikely(got < nr))
		ph_free_undo(heap, handles, got);
out:
	rcu_read_unlock();
	return got == nr;
}

/* The careful way: all claimed before the first is given back. */
static noinline int ph_free_slow(struct ph_heap *heap, u32 type, u64 *handles,
				 u32 nr, bool partial, u32 *done)
{
	int err = 0;

	*done = 0;
	while (*done < nr && !err) {
		err = ph_object_claim_chunk(heap, type, handles + *done,
					    min(nr - *done, PH_CHUNK), done);
		if (unlikely(*done < nr))
			cond_resched();
	}
	if (unlikely(err && !(partial && *done))) {
		ph_object_unclaim(heap, handles, *done);
		*done = 0;
		return err;
	}
	ph_object_free_claimed(heap, handles, *done);
	return 0;
}

/**
 * ph_object_free() - end objects
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @handles: array; its content is lost
 * @nr: how many
 * @partial: whether fewer are better than none
 * @done: (out) how many were freed
 *
 * Context: process, may sleep.
 * Return: 0, or with none freed what is wrong with a handle, or -EBUSY.
 */
int ph_object_free(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		   bool partial, u32 *done)
{
	*done = nr;
	if (likely(nr <= PH_CHUNK && ph_free_fast(heap, type, handles, nr)))
		return 0;
	return ph_free_slow(heap, type, handles, nr, partial, done);
}
EXPORT_SYMBOL_IF_KUNIT(ph_object_free);
