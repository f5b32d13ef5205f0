// SPDX-License-Identifier: GPL-2.0
/* What the kernel door does when the magazines at hand are not of use. */

#include <linux/instruction_pointer.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "check.h"
#include "door.h"
#include "report.h"
#include "supply.h"

/* Objects that come out of the slabs in one go. */
#define PH_DOOR_LOAD	64U

/**
 * ph_door_refused() - a slab did not take an object back
 * @cache: its cache
 * @round: the object
 *
 * Context: any.
 */
void ph_door_refused(struct ph_cache *cache, u64 round)
{
	struct privheap_cache *door = ph_door_of(cache);

	/* It was taken for an object in use, when it was freed. */
	if (door->quota)
		atomic64_inc(&door->used);
	ph_report_free(door, (void *)(uintptr_t)round, _RET_IP_);
}

/**
 * ph_door_damaged() - a slab lost slots, for somebody wrote to a free object
 * @cache: its cache
 * @slab: the slab
 * @slot: the object
 * @lost: slots that are lost
 *
 * Context: any; the cache's lock held.
 */
void ph_door_damaged(struct ph_cache *cache, struct ph_slab *slab, u32 slot,
		     u32 lost)
{
	ph_report_link(ph_door_of(cache), slab, slot, lost, _RET_IP_);
}

/*
 * Another round than the one that the function in line looked for: of the
 * previous magazine, as a rule. Who counts it knows ph_door_counted().
 */
static bool ph_door_pop(struct ph_cache *cache, u64 *round)
{
	struct ph_magazine *mag;
	struct ph_cpu *cpu;
	bool got;

	if (unlikely(!ph_cpu_enter(cache->cpus, &cpu)))
		return false;
	if (!cpu->loaded->nr)
		ph_cpu_swap(cpu);
	mag = cpu->loaded;
	got = mag->nr;
	if (got)
		*round = mag->round[--mag->nr];
	ph_cpu_leave_uncounted(cpu);
	return got;
}

/* How many more than the one that is needed now to take out of the slabs. */
static u32 ph_door_load(const struct ph_cache *cache)
{
	return min(ph_magazine_cap(cache->magazine_bytes) / 2, PH_DOOR_LOAD);
}

/* Out of the slabs: one to serve, and some for the magazines. */
static bool ph_door_take_slabs(struct ph_cache *cache, u64 *round)
{
	u64 rounds[PH_DOOR_LOAD + 1];
	u32 nr, put;

	nr = ph_cache_take_slabs(cache, rounds, ph_door_load(cache) + 1, 1);
	if (!nr)
		return false;
	ph_cpu_count(cache->cpus, slab_allocs, nr);
	*round = rounds[--nr];
	if (!nr)
		return true;
	if (READ_ONCE(ph_cpu_here(cache->cpus)->loaded) == &ph_no_magazine)
		ph_cache_unload_one(cache);
	put = ph_cpu_push(cache->cpus, rounds, nr);
	if (put < nr)
		ph_cache_return(cache, rounds, nr - put);
	return true;
}

/*
 * What the heap itself can give up; for who may sleep. Whoever must not wait for
 * file systems must not wait for the heap: others wait for memory in it.
 */
static void ph_door_reclaim(struct privheap_cache *door, gfp_t gfp)
{
	struct ph_heap *heap = ph_door_heap(door->heap);
	bool may_wait = current_gfp_context(gfp) & __GFP_FS;

	if (may_wait)
		down_read(&heap->sem);
	else if (!down_read_trylock(&heap->sem))
		return;
	ph_supply_reclaim(heap, may_wait);
	up_read(&heap->sem);
}

/* Of what the caller said, that which is about reclaim. */
static gfp_t ph_door_gfp(gfp_t gfp)
{
	return (gfp & (__GFP_RECLAIM | __GFP_HIGH | __GFP_IO | __GFP_FS |
		       __GFP_NORETRY | __GFP_RETRY_MAYFAIL | __GFP_MEMALLOC |
		       __GFP_NOMEMALLOC)) | __GFP_NOWARN;
}

/* More slots. Returns false where there are none to be had. */
static bool ph_door_refill(struct privheap_cache *door, gfp_t gfp,
			   bool *reclaimed)
{
	int err = ph_cache_grow(door->cache, false, ph_door_gfp(gfp));

	if (!err)
		return true;
	if (!gfpflags_allow_blocking(gfp))
		return false;
	if (!*reclaimed) {
		*reclaimed = true;
		ph_door_reclaim(door, gfp);
		return true;
	}
	if (err != -ENOMEM || !(gfp & __GFP_NOFAIL))
		return false;
	cond_resched();
	return true;
}

static void *ph_door_take(struct privheap_cache *door, gfp_t gfp)
{
	struct ph_cache *cache = door->cache;
	bool reclaimed = false;
	u64 round;

	do {
		if (ph_door_pop(cache, &round) ||
		    (ph_cache_load(cache) && ph_door_pop(cache, &round)) ||
		    ph_door_take_slabs(cache, &round))
			return (void *)(uintptr_t)round;
	} while (ph_door_refill(door, gfp, &reclaimed));
	return NULL;
}

static bool ph_door_charge(struct privheap_cache *cache)
{
	s64 used = atomic64_read(&cache->used);

	do {
		if (used >= cache->quota)
			return false;
	} while (!atomic64_try_cmpxchg(&cache->used, &used, used + 1));
	return true;
}

/*
 * Whether the function in line has counted the call: not if it came in the middle
 * of another one, and not where it has no magazines. Who is in the middle of one
 * stays on his CPU until its end.
 */
static bool ph_door_counted(struct privheap_cache *cache)
{
	return !cache->special && !(READ_ONCE(ph_cpu_here(cache->cpu)->seq) & 1);
}

/* Straight out of a slab, for a cache that looks for mistakes. */
static void *ph_door_take_checked(struct privheap_cache *door, gfp_t gfp,
				  unsigned long caller)
{
	bool reclaimed = false;
	u64 round;

	while (!ph_cache_take_slabs(door->cache, &round, 1, 1))
		if (!ph_door_refill(door, gfp, &reclaimed))
			return NULL;
	ph_cpu_count(door->cache->cpus, slab_allocs, 1);
	ph_check_hand_out(door, (void *)(uintptr_t)round, gfp, caller);
	return (void *)(uintptr_t)round;
}

/**
 * ph_door_alloc_slow() - allocate an object, by whatever it takes
 * @cache: the cache
 * @gfp: as for kmem_cache_alloc()
 *
 * Context: as privheap_cache_alloc().
 * Return: the object, or NULL.
 */
void *ph_door_alloc_slow(struct privheap_cache *cache, gfp_t gfp)
{
	u32 zero = gfp & __GFP_ZERO ? cache->zero_words : cache->init_words;
	bool counted = ph_door_counted(cache);
	void *obj;

	might_alloc(gfp);
	if (cache->quota && !ph_door_charge(cache))
		return NULL;
	if (ph_door_is_checked(cache)) {
		zero = 0;
		obj = ph_door_take_checked(cache, gfp, _RET_IP_);
	} else {
		obj = ph_door_take(cache, gfp);
	}
	if (unlikely(!obj)) {
		if (cache->quota)
			atomic64_dec(&cache->used);
		if (counted)
			ph_cpu_count(cache->cache->cpus, magazine_hits, -1);
		return NULL;
	}
	if (!counted)
		ph_cpu_count(cache->cache->cpus, magazine_hits, 1);
	if (zero)
		memset64(obj, 0, zero);
	return obj;
}
EXPORT_SYMBOL_GPL(ph_door_alloc_slow);

/* Whether an address is where an object of the cache begins. */
static bool ph_door_is_object(struct privheap_cache *cache, const void *obj)
{
	struct ph_slab *slab;
	bool is;
	u32 slot;

	rcu_read_lock();
	is = ph_slab_owns(obj, &slab) && slab->cache == cache->cache &&
	     ph_slab_slot(slab, (uintptr_t)obj - (uintptr_t)slab->addr,
			  &slot) && slot < slab->nr;
	rcu_read_unlock();
	return is;
}

static void ph_door_free_checked(struct privheap_cache *door, void *obj,
				 unsigned long caller)
{
	u64 round = (uintptr_t)obj;

	if (!ph_check_take_back(door, obj, caller))
		return;
	ph_cpu_count(door->cache->cpus, frees, 1);
	if (door->quota)
		atomic64_dec(&door->used);
	ph_cache_give_slabs(door->cache, &round, 1);
}

/*
 * Onto the previous magazine, the loaded one being full: what it mostly comes to.
 * What the function in line checks is enough here, too.
 */
static bool ph_door_push_prev(struct privheap_cache *cache, void *obj)
{
	struct ph_magazine *mag;
	struct ph_cpu *cpu;
	bool put;

	if (unlikely(!ph_cpu_enter(cache->cpu, &cpu)))
		return false;
	mag = cpu->prev;
	put = mag->nr < mag->cap && ph_page_is_of(cache, obj);
	if (put) {
		mag->round[mag->nr++] = (uintptr_t)obj;
		ph_cpu_swap(cpu);
	}
	ph_cpu_leave_uncounted(cpu);
	return put;
}

static void ph_door_give(struct ph_cache *cache, u64 round)
{
	if (ph_cpu_push(cache->cpus, &round, 1))
		return;
	if (ph_cache_unload_one(cache) && ph_cpu_push(cache->cpus, &round, 1))
		return;
	ph_cache_give_slabs(cache, &round, 1);
}

/**
 * ph_door_free_slow() - free an object, if it is one
 * @cache: the cache
 * @obj: the object
 *
 * Context: as privheap_cache_free().
 */
void ph_door_free_slow(struct privheap_cache *cache, void *obj)
{
	bool counted = ph_door_counted(cache);

	if (counted && ph_door_push_prev(cache, obj))
		return;
	if (ph_door_is_checked(cache)) {
		ph_door_free_checked(cache, obj, _RET_IP_);
		return;
	}
	if (unlikely(!ph_door_is_object(cache, obj))) {
		ph_report_free(cache, obj, _RET_IP_);
		if (counted)
			ph_cpu_count(cache->cache->cpus, frees, -1);
		return;
	}
	/* As SLUB does it: what RCU readers may look at is not cleared. */
	if (want_init_on_free() &&
	    !(cache->flags & PRIVHEAP_CACHE_TYPESAFE_BY_RCU))
		memset64(obj, 0, cache->zero_words);
	if (!counted)
		ph_cpu_count(cache->cache->cpus, frees, 1);
	if (cache->quota)
		atomic64_dec(&cache->used);
	ph_door_give(cache->cache, (uintptr_t)obj);
}
EXPORT_SYMBOL_GPL(ph_door_free_slow);

static u32 ph_door_pop_some(struct ph_magazine *mag, size_t nr, void **objs)
{
	u32 got = min_t(size_t, nr, mag->nr), i;
	u64 *from = &mag->round[mag->nr - got];

#pragma GCC unroll 8
	for (i = 0; i < got; i++)
		objs[i] = (void *)(uintptr_t)from[i];
	/* Nobody writes to the one that is everybody's. */
	if (got)
		mag->nr -= got;
	return got;
}

/* Objects out of this CPU's magazines. Returns how many. */
static size_t ph_door_pop_bulk(struct privheap_cache *cache, size_t nr,
			       void **objs)
{
	struct ph_cpu *cpu;
	size_t got;

	if (unlikely(!ph_cpu_enter(cache->cpu, &cpu)))
		return 0;
	got = ph_door_pop_some(cpu->loaded, nr, objs);
	if (got < nr && cpu->prev->nr) {
		ph_cpu_swap(cpu);
		got += ph_door_pop_some(cpu->loaded, nr - got, objs + got);
	}
	ph_count_add(&cpu->count.magazine_hits, got);
	ph_cpu_leave_uncounted(cpu);
	return got;
}

/**
 * privheap_cache_alloc_bulk() - allocate many objects, or none
 * @cache: the cache
 * @gfp: as for kmem_cache_alloc()
 * @nr: how many
 * @objs: (out) the objects
 *
 * Context: as privheap_cache_alloc().
 * Return: @nr, or 0.
 */
int privheap_cache_alloc_bulk(struct privheap_cache *cache, gfp_t gfp,
			      size_t nr, void **objs)
{
	u32 zero = gfp & __GFP_ZERO ? cache->zero_words : cache->init_words;
	size_t done = 0, got, i;

	while (done < nr) {
		got = ph_door_pop_bulk(cache, nr - done, objs + done);
		for (i = 0; zero && i < got; i++)
			memset64(objs[done + i], 0, zero);
		done += got;
		if (done == nr)
			break;
		objs[done] = privheap_cache_alloc(cache, gfp);
		if (unlikely(!objs[done])) {
			privheap_cache_free_bulk(cache, done, objs);
			return 0;
		}
		done++;
	}
	return nr;
}
EXPORT_SYMBOL_GPL(privheap_cache_alloc_bulk);

static u32 ph_door_push_some(struct privheap_cache *cache,
			     struct ph_magazine *mag, size_t nr, void **objs)
{
	u32 put = min_t(size_t, nr, mag->cap - mag->nr), i;
	u64 *to = &mag->round[mag->nr];

#pragma GCC unroll 4
	for (i = 0; i < put; i++) {
		if (unlikely(!ph_page_is_of(cache, objs[i])))
			break;
		to[i] = (uintptr_t)objs[i];
	}
	if (i)
		mag->nr += i;
	return i;
}

/* Objects onto this CPU's magazines. Returns how many. */
static size_t ph_door_push_bulk(struct privheap_cache *cache, size_t nr,
				void **objs)
{
	struct ph_cpu *cpu;
	size_t put;

	if (unlikely(!ph_cpu_enter(cache->cpu, &cpu)))
		return 0;
	put = ph_door_push_some(cache, cpu->loaded, nr, objs);
	if (put < nr && cpu->prev->nr < cpu->prev->cap) {
		ph_cpu_swap(cpu);
		put += ph_door_push_some(cache, cpu->loaded, nr - put,
					 objs + put);
	}
	ph_count_add(&cpu->count.frees, put);
	ph_cpu_leave_uncounted(cpu);
	return put;
}

/**
 * privheap_cache_free_bulk() - free many objects
 * @cache: the cache that they came from; others are refused, one by one
 * @nr: how many
 * @objs: the objects
 *
 * Context: as privheap_cache_free().
 */
void privheap_cache_free_bulk(struct privheap_cache *cache, size_t nr,
			      void **objs)
{
	size_t done = 0;

	while (done < nr) {
		done += ph_door_push_bulk(cache, nr - done, objs + done);
		if (done < nr)
			privheap_cache_free(cache, objs[done++]);
	}
}
EXPORT_SYMBOL_GPL(privheap_cache_free_bulk);
