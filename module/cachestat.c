// SPDX-License-Identifier: GPL-2.0
/* What a cache holds, in numbers, and whether they agree; see cache.h. */

#include <linux/bitmap.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "cache.h"
#include "count.h"
#include "quarantine.h"

/**
 * ph_cache_idle_rounds() - about how many rounds magazines and depot hold
 * @cache: the cache
 *
 * Context: any.
 */
u64 ph_cache_idle_rounds(struct ph_cache *cache)
{
	struct ph_magazine *mag;
	unsigned long flags;
	u64 nr = 0;
	int cpu;

	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		mag = ph_count_peek(cache->cpus[cpu].loaded);
		nr += ph_count_peek(mag->nr);
		mag = ph_count_peek(cache->cpus[cpu].prev);
		nr += ph_count_peek(mag->nr);
	}
	rcu_read_unlock();
	spin_lock_irqsave(&cache->lock, flags);
	list_for_each_entry(mag, &cache->full_mags, list)
		nr += mag->nr;
	spin_unlock_irqrestore(&cache->lock, flags);
	return nr + ph_quarantine_length(cache);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_idle_rounds);

/* The kernel door counts both by @seq, and what is neither kind elsewhere. */
static void ph_cache_sum_door(struct ph_cache *cache, struct ph_cpu_count *sum,
			      u64 objects)
{
	u64 ops = sum->magazine_hits + sum->frees;
	int cpu;

	for_each_possible_cpu(cpu)
		ops += READ_ONCE(cache->cpus[cpu].seq) / 2;
	sum->allocs = max((ops + objects) / 2, objects);
	sum->frees = sum->allocs - objects;
	sum->magazine_hits = sum->allocs - min(sum->allocs, sum->depot_hits +
					       sum->slab_allocs);
}

/**
 * ph_cache_sum_cpus() - what happened on all CPUs
 * @cache: the cache
 * @sum: (in, out) grows by it
 *
 * Context: any.
 */
void ph_cache_sum_cpus(struct ph_cache *cache, struct ph_cpu_count *sum)
{
	struct ph_cpu_count *count;
	int cpu;

	for_each_possible_cpu(cpu) {
		count = &cache->cpus[cpu].count;
		sum->frees += ph_count_peek(count->frees);
		sum->magazine_hits += ph_count_peek(count->magazine_hits);
		sum->depot_hits += ph_count_peek(count->depot_hits);
		sum->slab_allocs += ph_count_peek(count->slab_allocs);
		sum->fresh += ph_count_peek(count->fresh);
		sum->requested += ph_count_peek(count->requested);
	}
	sum->allocs = sum->magazine_hits + sum->depot_hits + sum->slab_allocs;
}

/**
 * ph_cache_get_stat() - the cache as it stands
 * @cache: the cache
 * @stat: (out)
 *
 * Context: process.
 */
void ph_cache_get_stat(struct ph_cache *cache, struct ph_cache_stat *stat)
{
	unsigned long flags;
	u64 idle;

	memset(stat, 0, sizeof(*stat));
	ph_cache_sum_cpus(cache, &stat->count);
	stat->requested = stat->count.requested;
	spin_lock_irqsave(&cache->lock, flags);
	stat->slabs = cache->nr_slabs;
	stat->empty = cache->nr_empty;
	stat->pages = cache->pages;
	stat->meta_bytes = cache->meta_bytes;
	stat->slots = cache->slots;
	stat->free_slots = cache->free_slots;
	stat->promised = cache->promised;
	stat->handed = cache->handed;
	stat->handed_bytes = cache->handed_bytes;
	stat->taken = cache->taken;
	spin_unlock_irqrestore(&cache->lock, flags);
	if (cache->geo.keep & PH_BY_ADDRESS) {
		idle = ph_cache_idle_rounds(cache) + stat->free_slots;
		ph_cache_sum_door(cache, &stat->count,
				  stat->slots - min(stat->slots, idle));
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_get_stat);

/**
 * ph_cache_sum_stat() - add one cache's figures to a sum
 * @sum: (in, out)
 * @one: the cache's
 *
 * Context: any.
 */
void ph_cache_sum_stat(struct ph_cache_stat *sum,
		       const struct ph_cache_stat *one)
{
	sum->count.allocs += one->count.allocs;
	sum->count.frees += one->count.frees;
	sum->count.magazine_hits += one->count.magazine_hits;
	sum->count.depot_hits += one->count.depot_hits;
	sum->count.slab_allocs += one->count.slab_allocs;
	sum->slabs += one->slabs;
	sum->empty += one->empty;
	sum->pages += one->pages;
	sum->meta_bytes += one->meta_bytes;
	sum->slots += one->slots;
	sum->free_slots += one->free_slots;
	sum->promised += one->promised;
	sum->count.fresh += one->count.fresh;
	sum->requested += one->requested;
	sum->handed += one->handed;
	sum->handed_bytes += one->handed_bytes;
	sum->taken += one->taken;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_sum_stat);

static bool ph_slab_again_is_sound(const struct ph_slab *slab)
{
	const unsigned long *again = ph_slab_again(slab);

	return bitmap_weight(again, slab->nr) == ph_slab_nr_again(slab) &&
	       bitmap_subset(again, slab->free, slab->nr) &&
	       find_next_bit(again, slab->nr, slab->used_to) == slab->nr;
}

static int ph_cache_validate_list(struct ph_cache *cache,
				  struct list_head *list, u32 *slabs,
				  u64 *free_slots)
{
	struct ph_slab *slab;

	list_for_each_entry(slab, list, list) {
		u32 weight = ph_slab_weight(slab);

		if (slab->cache != cache || slab->taken + weight != slab->nr)
			return -EUCLEAN;
		if ((slab->promised ? &cache->reserved :
				      ph_cache_list(cache, slab)) != list)
			return -EUCLEAN;
		if (!slab->by_address &&
		    bitmap_intersects(slab->free, slab->live, slab->nr))
			return -EUCLEAN;
		if (!ph_slab_is_span(slab) && ph_slab_out(slab) &&
		    (bitmap_intersects(slab->free, slab->out->bits, slab->nr) ||
		     bitmap_intersects(slab->live, slab->out->bits, slab->nr)))
			return -EUCLEAN;
		if (!ph_slab_reuses(slab) && slab->out &&
		    !ph_slab_again_is_sound(slab))
			return -EUCLEAN;
		*free_slots += weight;
		++*slabs;
	}
	return 0;
}

/* The idle spans are those on the lists, in order. */
static int ph_cache_validate_idle(struct ph_cache *cache)
{
	const struct ph_slab *slab, *last = NULL;
	struct rb_node *node;
	u64 promised = 0;
	u32 nr = 0;

	for (node = rb_first(&cache->idle); node; node = rb_next(node)) {
		slab = ph_span_of_node(node);
		if (slab->cache != cache || slab->taken)
			return -EUCLEAN;
		if (last && (last->nr_pages > slab->nr_pages ||
			     (last->nr_pages == slab->nr_pages &&
			      last->promised < slab->promised)))
			return -EUCLEAN;
		promised += slab->promised;
		last = slab;
		nr++;
	}
	if (nr != (cache->size ? 0 : cache->nr_empty) ||
	    (!cache->size && promised != cache->promised))
		return -EUCLEAN;
	return 0;
}

/**
 * ph_cache_validate() - whether the cache's books balance
 * @cache: the cache
 *
 * Context: process.
 * Return: 0 or -EUCLEAN.
 */
int ph_cache_validate(struct ph_cache *cache)
{
	u32 slabs = 0, empty = 0;
	u64 free_slots = 0;
	unsigned long flags;
	int i, err;

	spin_lock_irqsave(&cache->lock, flags);
	err = ph_cache_validate_list(cache, &cache->empty, &empty, &free_slots);
	if (!err)
		err = ph_cache_validate_list(cache, &cache->reserved, &empty,
					     &free_slots);
	if (!err)
		err = ph_cache_validate_idle(cache);
	if (!err)
		err = ph_cache_validate_list(cache, &cache->stuck, &slabs,
					     &free_slots);
	if (!err)
		err = ph_cache_validate_list(cache, &cache->full, &slabs,
					     &free_slots);
	for (i = 0; i < 2 * PH_FULLNESS && !err; i++)
		err = ph_cache_validate_list(cache, i < PH_FULLNESS ?
					     &cache->partial[i] :
					     &cache->bare[i - PH_FULLNESS],
					     &slabs, &free_slots);
	if (empty != cache->nr_empty || slabs + empty > cache->nr_slabs ||
	    free_slots != cache->free_slots ||
	    cache->promised > cache->usable ||
	    cache->usable > cache->free_slots ||
	    cache->free_slots > cache->slots)
		err = -EUCLEAN;
	spin_unlock_irqrestore(&cache->lock, flags);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_validate);
