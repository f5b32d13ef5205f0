// SPDX-License-Identifier: GPL-2.0
/* What lies between the magazines of the CPUs and the slabs; see cache.h. */

#include <linux/sched.h>
#include <kunit/visibility.h>

#include "cache.h"
#include "quarantine.h"

/* Empty magazines that a depot holds for the next that asks. */
#define PH_SPARE_MAX	2

/* Magazines grow where CPUs meet at the depot too often. */
#define PH_CONTENDED_MAX	64
#define PH_MAGAZINE_MAX_BYTES	8192U

static struct ph_magazine *ph_depot_take(struct ph_cache *cache,
					 struct list_head *mags, u32 *nr)
{
	struct ph_magazine *mag;
	unsigned long flags;

	if (!spin_trylock_irqsave(&cache->lock, flags)) {
		spin_lock_irqsave(&cache->lock, flags);
		cache->contended++;
	}
	mag = list_first_entry_or_null(mags, struct ph_magazine, list);
	if (mag) {
		list_del(&mag->list);
		WRITE_ONCE(*nr, *nr - 1);
	}
	WRITE_ONCE(cache->low_full, min(cache->low_full, cache->nr_full));
	spin_unlock_irqrestore(&cache->lock, flags);
	return mag;
}

static struct ph_magazine *ph_depot_take_full(struct ph_cache *cache)
{
	if (!READ_ONCE(cache->nr_full))
		return NULL;
	return ph_depot_take(cache, &cache->full_mags, &cache->nr_full);
}

/* A magazine to fill: spare or new; NULL when the depot holds enough. */
static struct ph_magazine *ph_depot_take_spare(struct ph_cache *cache)
{
	u32 cap = ph_magazine_cap(READ_ONCE(cache->magazine_bytes));
	struct ph_magazine *mag = NULL;

	if (READ_ONCE(cache->nr_spare))
		mag = ph_depot_take(cache, &cache->spare_mags,
				    &cache->nr_spare);
	if (mag && mag->cap >= cap)
		return mag;
	/* One of the time when they were smaller. */
	ph_magazine_destroy(cache->region, mag);
	return ph_magazine_create(cache->region, cap, cache->gfp);
}

/* Take in a magazine that a CPU has no place for. */
static void ph_depot_put(struct ph_cache *cache, struct ph_magazine *mag)
{
	unsigned long flags;

	if (mag == &ph_no_magazine)
		return;
	if (!spin_trylock_irqsave(&cache->lock, flags)) {
		spin_lock_irqsave(&cache->lock, flags);
		cache->contended++;
	}
	if (mag->nr) {
		list_add(&mag->list, &cache->full_mags);
		WRITE_ONCE(cache->nr_full, cache->nr_full + 1);
		mag = NULL;
	} else if (cache->nr_spare < PH_SPARE_MAX) {
		list_add(&mag->list, &cache->spare_mags);
		WRITE_ONCE(cache->nr_spare, cache->nr_spare + 1);
		mag = NULL;
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	ph_magazine_destroy(cache->region, mag);
}

static bool ph_depot_has_room(struct ph_cache *cache)
{
	if (ph_region_above_soft(cache->region))
		return false;
	if (READ_ONCE(cache->nr_full) < cache->policy->depot_max)
		return true;
	/* A CPU that comes for the first time gets its two. */
	return READ_ONCE(ph_cpu_here(cache->cpus)->loaded) == &ph_no_magazine ||
	       READ_ONCE(ph_cpu_here(cache->cpus)->prev) == &ph_no_magazine;
}

/* Load slots beyond the caller's need, so that the next ones find them. */
static void ph_cache_warm(struct ph_cache *cache)
{
	u64 rounds[PH_WARM_MAX];
	u32 nr, put;

	if (!cache->policy->warm ||
	    READ_ONCE(ph_cpu_here(cache->cpus)->loaded) == &ph_no_magazine)
		return;
	nr = ph_cache_take_slabs(cache, rounds, cache->policy->warm, 0);
	put = ph_cpu_push(cache->cpus, rounds, nr);
	if (put < nr)
		ph_cache_return(cache, rounds, nr - put);
}

/**
 * ph_cache_load() - load a full magazine from the depot on this CPU
 * @cache: the cache
 *
 * Context: any.
 * Return: whether there was one, and this CPU could take it.
 */
bool ph_cache_load(struct ph_cache *cache)
{
	struct ph_magazine *mag = ph_depot_take_full(cache), *old;
	u32 nr;

	if (!mag)
		return false;
	nr = mag->nr;
	old = ph_cpu_load(cache->cpus, mag);
	ph_depot_put(cache, old);
	if (old == mag)
		return false;
	ph_cpu_count(cache->cpus, depot_hits, nr);
	return true;
}

/**
 * ph_cache_unload_one() - load an empty magazine on this CPU; a full one goes
 * to the depot
 * @cache: the cache
 *
 * Context: any.
 * Return: whether one was to be had, and this CPU could take it.
 */
bool ph_cache_unload_one(struct ph_cache *cache)
{
	struct ph_magazine *mag, *old;

	if (cache->policy->fullest_first && !ph_depot_has_room(cache))
		return false;
	mag = ph_depot_take_spare(cache);
	if (!mag)
		return false;
	old = ph_cpu_load(cache->cpus, mag);
	ph_depot_put(cache, old);
	return old != mag;
}

/**
 * ph_cache_take_slow() - take slots that this CPU's magazines do not have
 * @cache: the cache
 * @rounds: (out) array
 * @nr: most to take
 *
 * Context: process.
 * Return: how many were taken.
 */
u32 ph_cache_take_slow(struct ph_cache *cache, u64 *rounds, u32 nr)
{
	struct ph_magazine *mag;
	u32 got = 0, slots;

	while (got < nr && (mag = ph_depot_take_full(cache))) {
		got += ph_magazine_pop(mag, rounds + got, nr - got);
		ph_depot_put(cache, ph_cpu_load(cache->cpus, mag));
	}
	ph_cpu_count(cache->cpus, depot_hits, got);
	if (got < nr) {
		slots = ph_cache_take_slabs(cache, rounds + got, nr - got,
					    nr - got);
		ph_cpu_count(cache->cpus, slab_allocs, slots);
		got += slots;
		if (slots && nr < cache->policy->warm)
			ph_cache_warm(cache);
	}
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_take_slow);

/**
 * ph_cache_give_slow() - give slots back that this CPU's magazines cannot hold
 * @cache: the cache
 * @rounds: array
 * @nr: how many
 *
 * Context: process, may sleep.
 */
void ph_cache_give_slow(struct ph_cache *cache, u64 *rounds, u32 nr)
{
	struct ph_magazine *mag, *old;

	if (cache->quarantine) {
		ph_quarantine_put(cache, rounds, nr);
		return;
	}
	while (nr && ph_depot_has_room(cache)) {
		mag = ph_depot_take_spare(cache);
		if (!mag)
			break;
		old = ph_cpu_load(cache->cpus, mag);
		ph_depot_put(cache, old);
		if (old == mag)
			break;
		nr -= ph_cpu_push(cache->cpus, rounds, nr);
	}
	if (nr)
		ph_cache_give_slabs(cache, rounds, nr);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_give_slow);

/* Give the rounds of magazines back to the slabs, and free the magazines. */
static void ph_cache_unload(struct ph_cache *cache, struct list_head *mags)
{
	struct ph_magazine *mag, *next;

	list_for_each_entry_safe(mag, next, mags, list) {
		ph_cache_give_slabs(cache, mag->round, mag->nr);
		ph_magazine_destroy(cache->region, mag);
	}
}

/**
 * ph_cache_drain() - give all that magazines and depot hold to the slabs
 * @cache: the cache
 * @may_wait: whether it may sleep
 *
 * Context: process, interrupts on.
 * Return: whether no CPU's magazines were missed.
 */
bool ph_cache_drain(struct ph_cache *cache, bool may_wait)
{
	unsigned long flags;
	LIST_HEAD(mags);
	bool all;

	all = ph_cpu_drain(cache->cpus, &mags, may_wait);
	spin_lock_irqsave(&cache->lock, flags);
	list_splice_init(&cache->full_mags, &mags);
	list_splice_init(&cache->spare_mags, &mags);
	WRITE_ONCE(cache->nr_full, 0);
	WRITE_ONCE(cache->low_full, 0);
	WRITE_ONCE(cache->nr_spare, 0);
	spin_unlock_irqrestore(&cache->lock, flags);
	ph_cache_unload(cache, &mags);
	if (cache->quarantine)
		ph_quarantine_drain(cache);
	return all;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_drain);

/* Give back the full magazines that the last interval did not need. */
static void ph_depot_tick(struct ph_cache *cache)
{
	struct ph_magazine *mag;
	LIST_HEAD(mags);
	u32 excess = READ_ONCE(cache->low_full);

	while (excess-- && (mag = ph_depot_take_full(cache)))
		list_add(&mag->list, &mags);
	ph_cache_unload(cache, &mags);
	WRITE_ONCE(cache->low_full, READ_ONCE(cache->nr_full));
}

static void ph_depot_size_magazines(struct ph_cache *cache)
{
	u32 bytes = cache->magazine_bytes;
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	if (cache->contended > PH_CONTENDED_MAX &&
	    bytes < PH_MAGAZINE_MAX_BYTES && !cache->policy->fullest_first)
		WRITE_ONCE(cache->magazine_bytes, bytes * 2);
	cache->contended = 0;
	spin_unlock_irqrestore(&cache->lock, flags);
}

/* What CPUs that are gone have left behind. */
static void ph_depot_drain_offline(struct ph_cache *cache)
{
	LIST_HEAD(mags);

	ph_cpu_drain_offline(cache->cpus, &mags);
	ph_cache_unload(cache, &mags);
}

/**
 * ph_cache_tick() - trim the cache to its working set
 * @cache: the cache
 *
 * To be called at intervals: what was in the depot, or empty, during the whole
 * of the last one was not needed. A cache that was not used at all gives its
 * magazines back, too.
 *
 * Context: process, may sleep.
 */
void ph_cache_tick(struct ph_cache *cache)
{
	struct ph_cpu_count sum = {};
	u64 use;
	int cpu;

	ph_cache_sum_cpus(cache, &sum);
	use = sum.allocs + sum.frees;
	for_each_possible_cpu(cpu)
		use += READ_ONCE(cache->cpus[cpu].seq);
	ph_depot_drain_offline(cache);
	if (use == cache->last_use)
		ph_cache_drain(cache, true);
	else
		ph_depot_tick(cache);
	ph_depot_size_magazines(cache);
	cache->last_use = use;
	ph_cache_release_empty(cache, 0, READ_ONCE(cache->low_empty));
	WRITE_ONCE(cache->low_empty, READ_ONCE(cache->nr_empty));
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_tick);
