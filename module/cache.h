/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cache: all slabs of one type and size class, the magazines in front of them,
 * and the depot in between.
 */
#ifndef _PH_CACHE_H
#define _PH_CACHE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "magazine.h"
#include "policy.h"
#include "slab.h"

/* Slabs with free slots are told apart by quarters of fullness. */
#define PH_FULLNESS	4

struct ph_quarantine;
struct ph_type;

/**
 * struct ph_cache - see above
 * @region: where its slabs are
 * @type: whose it is
 * @policy: the type's
 * @geo: how its slabs are cut
 * @size: bytes that an object can use; 0 for the cache of a type's spans
 * @cpus: magazines
 * @own_cpus: which it made itself
 * @magazine_bytes: memory of a magazine made from now on
 * @gfp: how magazines are allocated
 * @keep_slabs: empty slabs that stay whatever happens
 * @init_slab: called for each new slab before anybody else knows it; or NULL
 * @refused: called for a round that its slab did not take back; or NULL
 * @damaged: called for a slab that lost slots, with how many, and the slot whose
 *	link is bad, the lock held; or NULL
 * @quarantine: (hardened heap) slots that were freed not long ago; else NULL
 * @bare_pages: length of its bare slabs; 0: it never had one
 * @plain: a slot is no more than free, claimed or live: no slack, no references,
 *	no zeroing, no quota. Set by the type
 * @lock: guards all below; taken with interrupts off; nothing is taken inside
 * @partial: slabs with free and taken slots, by fullness
 * @bare: the same of slabs that only can lend; empty ones are last on @empty
 * @stuck: slabs whose free slots wait for generations
 * @full: (by address) slabs without free slots; elsewhere they are on no list
 * @empty: slabs without taken slots
 * @reserved: of spans, the promised ones, which are not on @empty
 * @idle: spans of both lists by length
 * @nr_slabs: all slabs
 * @nr_empty: length of @empty and @reserved
 * @low_empty: least that @nr_empty has been since the last tick: that many were
 *	not needed
 * @pages: length of all slabs
 * @meta_bytes: metadata of all slabs
 * @slots: slots of all slabs, less those that were lost
 * @free_slots: of which in the slabs' hands
 * @usable: of which can be taken for handles: they do not wait for generations
 * @promised: allocations that are promised; at most @usable
 * @full_mags: depot: magazines with rounds
 * @spare_mags: depot: magazines without
 * @nr_full: length of @full_mags
 * @low_full: as @low_empty
 * @nr_spare: length of @spare_mags
 * @contended: times since the last tick that a CPU had to wait for @lock on its
 *	way to the depot
 * @last_use: sum of events at the last tick
 * @handed: slots in the program's hands
 * @handed_bytes: what they can use
 * @taken: slots handed out so far
 * @entry: what the slab map says of its slabs, but for where they are; set once,
 *	by the type
 *
 * slots == free_slots + rounds in magazines and depot + @handed + live objects.
 */
struct ph_cache {
	struct ph_region *region;
	struct ph_type *type;
	const struct ph_policy *policy;
	struct ph_geo geo;
	u32 size;
	struct ph_cpu *cpus;
	bool own_cpus;
	u32 magazine_bytes;
	gfp_t gfp;
	u32 keep_slabs;
	struct ph_quarantine *quarantine;
	u32 bare_pages;
	bool plain;
	void (*init_slab)(struct ph_cache *cache, struct ph_slab *slab);
	void (*refused)(struct ph_cache *cache, u64 round);
	void (*damaged)(struct ph_cache *cache, struct ph_slab *slab, u32 slot,
			u32 lost);

	spinlock_t lock ____cacheline_aligned_in_smp;
	struct list_head partial[PH_FULLNESS];
	struct list_head bare[PH_FULLNESS];
	struct list_head stuck;
	struct list_head full;
	struct list_head empty;
	struct list_head reserved;
	struct rb_root idle;
	u32 nr_slabs;
	u32 nr_empty;
	u32 low_empty;
	u64 pages;
	u64 meta_bytes;
	u64 slots;
	u64 free_slots;
	u64 usable;
	u64 promised;

	struct list_head full_mags;
	struct list_head spare_mags;
	u32 nr_full;
	u32 low_full;
	u32 nr_spare;
	u32 contended;
	u64 last_use;

	u64 handed;
	u64 handed_bytes;
	u64 taken;
	struct privheap_map_entry entry;
};

/**
 * struct ph_cache_stat - a cache, or a sum of caches
 * @count: events
 * @slabs: slabs
 * @empty: of which empty
 * @pages: their pages
 * @meta_bytes: metadata of the slabs
 * @slots: objects that fit
 * @free_slots: in the slabs' hands
 * @promised: promised allocations
 * @requested: bytes requested by live objects
 * @handed: objects in the program's hands
 * @handed_bytes: what they can use
 * @taken: objects handed out so far
 */
struct ph_cache_stat {
	struct ph_cpu_count count;
	u64 slabs;
	u64 empty;
	u64 pages;
	u64 meta_bytes;
	u64 slots;
	u64 free_slots;
	u64 promised;
	u64 requested;
	u64 handed;
	u64 handed_bytes;
	u64 taken;
};

struct ph_cache *ph_cache_create(struct ph_region *region,
				 struct ph_type *type,
				 const struct ph_policy *policy, u32 size,
				 u32 align, u32 keep, struct ph_cpu *cpus);
void ph_cache_destroy(struct ph_cache *cache);

u32 ph_cache_take_slow(struct ph_cache *cache, u64 *rounds, u32 nr);
void ph_cache_give_slow(struct ph_cache *cache, u64 *rounds, u32 nr);
int ph_cache_reuse(struct ph_cache *cache, bool lend);
void ph_cache_next_geo(struct ph_cache *cache, bool lend, struct ph_geo *geo);
int ph_cache_grow(struct ph_cache *cache, bool lend, gfp_t gfp);
u64 ph_cache_promise(struct ph_cache *cache, u64 nr);
void ph_cache_unpromise(struct ph_cache *cache, u64 nr);

void ph_cache_add_slab(struct ph_cache *cache, struct ph_slab *slab);
void ph_cache_remove_slab(struct ph_cache *cache, struct ph_slab *slab);
struct list_head *ph_cache_list(struct ph_cache *cache, struct ph_slab *slab);
struct list_head *ph_cache_unlist(struct ph_cache *cache,
				  struct ph_slab *slab);
void ph_cache_relist(struct ph_cache *cache, struct ph_slab *slab,
		     struct list_head *from);
void ph_cache_attach_gens(struct ph_cache *cache, struct ph_slab *slab,
			  struct ph_gens *gens);
struct ph_slab *ph_cache_pick(struct ph_cache *cache, bool lend);
u32 ph_cache_take_slabs(struct ph_cache *cache, u64 *rounds, u32 nr,
			u32 must);
void ph_cache_return(struct ph_cache *cache, const u64 *rounds, u32 nr);
void ph_cache_give_slabs(struct ph_cache *cache, const u64 *rounds, u32 nr);
void ph_cache_release_excess(struct ph_cache *cache);
struct ph_slab *ph_cache_take_span(struct ph_cache *cache, u32 pages);
struct ph_slab *ph_cache_pick_empty(struct ph_cache *cache, u32 leave,
				    u32 pages);
u64 ph_cache_release_empty(struct ph_cache *cache, u32 leave, u32 most);
bool ph_cache_drain(struct ph_cache *cache, bool may_wait);
void ph_cache_tick(struct ph_cache *cache);
void ph_cache_release_all(struct ph_cache *cache);
bool ph_cache_unused(struct ph_cache *cache);
bool ph_cache_has_slots(struct ph_cache *cache, bool lend);

bool ph_cache_load(struct ph_cache *cache);
bool ph_cache_unload_one(struct ph_cache *cache);

u64 ph_cache_idle_rounds(struct ph_cache *cache);
void ph_cache_sum_cpus(struct ph_cache *cache, struct ph_cpu_count *sum);
void ph_cache_get_stat(struct ph_cache *cache, struct ph_cache_stat *stat);
void ph_cache_sum_stat(struct ph_cache_stat *sum,
		       const struct ph_cache_stat *one);
int ph_cache_validate(struct ph_cache *cache);

/* What the slab map says of a slab. */
static inline void ph_cache_map_entry(const struct ph_slab *slab,
				      struct privheap_map_entry *entry)
{
	*entry = slab->cache->entry;
	entry->first_page = slab->start >> PAGE_SHIFT;
	entry->pages = slab->nr_pages;
}

/**
 * ph_cache_take() - take free slots
 * @cache: the cache
 * @rounds: (out) array
 * @nr: most to take
 *
 * From this CPU's magazines, the depot, the slabs, in that order. Takes no
 * memory from the region: ph_cache_grow() does.
 *
 * Context: process.
 * Return: how many were taken.
 */
static inline u32 ph_cache_take(struct ph_cache *cache, u64 *rounds, u32 nr)
{
	u32 got = ph_cpu_pop(cache->cpus, rounds, nr);

	if (likely(got == nr))
		return nr;
	return got + ph_cache_take_slow(cache, rounds + got, nr - got);
}

/**
 * ph_cache_give() - give slots back
 * @cache: the cache
 * @rounds: array of slots that were taken from it
 * @nr: how many
 *
 * Context: process, may sleep.
 */
static inline void ph_cache_give(struct ph_cache *cache, u64 *rounds, u32 nr)
{
	u32 put = ph_cpu_push(cache->cpus, rounds, nr);

	if (unlikely(put < nr))
		ph_cache_give_slow(cache, rounds, nr - put);
}

#endif /* _PH_CACHE_H */
