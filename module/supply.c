// SPDX-License-Identifier: GPL-2.0
/* How a heap comes by memory, keeps it, and gives it back. */

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <kunit/visibility.h>

#include "harden.h"
#include "supply.h"

static int ph_setup_check(struct ph_heap *heap,
			  const struct privheap_setup *setup)
{
	struct ph_region *region = &heap->region;
	u64 hard = setup->hard_max_bytes ?: region->hard_max;
	u64 soft = setup->soft_max_bytes ?: min(region->soft_max, hard);

	if (hard > heap->max_bytes || soft > hard ||
	    setup->reserve_bytes > heap->max_bytes)
		return -EINVAL;
	if ((setup->type_flags || (setup->flags & PRIVHEAP_SETUP_HARDENED)) &&
	    heap->used)
		return -EBUSY;
	if (hard < atomic64_read(&region->held))
		return -EBUSY;
	return 0;
}

static void ph_setup_type_flags(struct ph_type *type, void *data)
{
	type->flags |= *(u32 *)data;
}

static int ph_supply_set_reserve(struct ph_heap *heap, u64 bytes)
{
	u64 pages = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	int err = ph_region_set_reserve(&heap->region, pages);

	if (!ph_supply_short(err))
		return err;
	ph_supply_reclaim(heap, true);
	return ph_region_set_reserve(&heap->region, pages);
}

static int ph_supply_setup_locked(struct ph_heap *heap,
				  const struct privheap_setup *setup)
{
	struct ph_region *region = &heap->region;
	u64 hard = region->hard_max, soft = region->soft_max;
	int err = ph_setup_check(heap, setup);
	u32 flags = setup->type_flags;

	/* A free slot is zero, see harden.h. */
	if (setup->flags & PRIVHEAP_SETUP_HARDENED)
		flags |= PRIVHEAP_TYPE_ZERO_FREE;

	lockdep_assert_held_write(&heap->sem);
	if (err)
		return err;
	WRITE_ONCE(region->hard_max, setup->hard_max_bytes ?: hard);
	WRITE_ONCE(region->soft_max, setup->soft_max_bytes ?:
		   min(soft, region->hard_max));
	if (setup->reserve_bytes)
		err = ph_supply_set_reserve(heap, setup->reserve_bytes);
	if (err) {
		WRITE_ONCE(region->hard_max, hard);
		WRITE_ONCE(region->soft_max, soft);
		return err;
	}
	if (setup->flags & PRIVHEAP_SETUP_HARDENED)
		region->hardened = true;
	if (setup->flags & PRIVHEAP_SETUP_DUMP)
		WRITE_ONCE(heap->dump, true);
	heap->type_flags |= flags;
	ph_heap_for_each_type(heap, ph_setup_type_flags, &flags);
	return 0;
}

/**
 * ph_supply_setup() - limits and reserve of a heap
 * @heap: the heap
 * @setup: from the user; its flags checked
 *
 * Context: process, may sleep.
 * Return: 0, or -EINVAL, -EBUSY, -EDQUOT, -ENOMEM, -EINTR with nothing changed.
 */
int ph_supply_setup(struct ph_heap *heap, const struct privheap_setup *setup)
{
	int err;

	down_write(&heap->sem);
	err = ph_supply_setup_locked(heap, setup);
	up_write(&heap->sem);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_setup);

/* The search for an empty slab of another cache. */
struct ph_retype {
	struct ph_cache *cache;
	u32 pages;
	bool done;
	struct ph_heap *heap;
};

static void ph_supply_try_retype(struct ph_cache *cache, void *data)
{
	struct ph_retype *retype = data;
	struct ph_slab *slab;

	if (retype->done || cache == retype->cache || !cache->size)
		return;
	/* The last empty one stays: its type is about to need it. */
	slab = ph_cache_pick_empty(cache, 1, retype->pages);
	if (!slab)
		return;
	ph_slab_destroy(cache->region, slab, true);
	atomic64_inc(&retype->heap->retyped);
	retype->done = true;
}

/* See to it that the stock can serve a slab of @cache without the system. */
static void ph_supply_stock(struct ph_heap *heap, struct ph_cache *cache,
			    bool lend)
{
	struct ph_retype retype = { .cache = cache, .heap = heap };
	struct ph_geo geo;

	if (!atomic64_read(&heap->region.empty_pages))
		return;
	ph_cache_next_geo(cache, lend, &geo);
	retype.pages = geo.pages;
	if (!ph_region_stocked(&heap->region, geo.pages))
		ph_heap_for_each_cache(heap, ph_supply_try_retype, &retype);
}

/* Freed slots that wait for generations, or a slab more. */
static int ph_supply_slots(struct ph_heap *heap, struct ph_cache *cache,
			   bool lend)
{
	int err = ph_cache_reuse(cache, lend);

	if (err != -ENOENT)
		return err;
	ph_supply_stock(heap, cache, lend);
	return ph_cache_grow(cache, lend, heap->region.gfp);
}

/**
 * ph_supply_cache() - the cache for objects of a size
 * @heap: the heap
 * @type: one of its types
 * @bytes: size in the type's range
 *
 * Context: process, may sleep; @heap->sem held.
 * Return: the cache, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_cache *ph_supply_cache(struct ph_heap *heap, struct ph_type *type,
				 u64 bytes)
{
	struct ph_cache *cache = ph_type_make_cache(type, bytes);

	lockdep_assert_held(&heap->sem);
	if (IS_ERR(cache) && ph_supply_short(PTR_ERR(cache))) {
		ph_supply_reclaim(heap, true);
		cache = ph_type_make_cache(type, bytes);
	}
	/* It is made as SETUP said until now; who fails before has used nothing. */
	if (!IS_ERR(cache))
		WRITE_ONCE(heap->used, true);
	return cache;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_cache);

/**
 * ph_supply_refill() - more free slots for a cache
 * @heap: the heap
 * @cache: one of its caches that had too few
 * @lend: whether they are to be handed out
 *
 * Context: process, may sleep; @heap->sem held.
 * Return: 0: try again; or -EDQUOT, -ENOMEM.
 */
int ph_supply_refill(struct ph_heap *heap, struct ph_cache *cache, bool lend)
{
	int err;

	lockdep_assert_held(&heap->sem);
	if (ph_region_above_soft(&heap->region))
		ph_supply_reclaim(heap, true);
	err = ph_supply_slots(heap, cache, lend);
	if (!ph_supply_short(err))
		return err;
	ph_supply_reclaim(heap, true);
	/* What came back may well be this cache's own. */
	if (ph_cache_has_slots(cache, lend))
		return 0;
	return ph_supply_slots(heap, cache, lend);
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_refill);

/**
 * ph_supply_span() - a span, its slot taken
 * @heap: the heap
 * @cache: the cache of a type's spans
 * @pages: its length
 * @clean: (out) whether all of it is zero
 *
 * Context: process, may sleep; @heap->sem held.
 * Return: the span, in the cache's books; or an ERR_PTR: -EDQUOT, -ENOMEM,
 * -EINTR.
 */
struct ph_slab *ph_supply_span(struct ph_heap *heap, struct ph_cache *cache,
			       u32 pages, bool *clean)
{
	struct ph_slab *slab = ph_cache_take_span(cache, pages);
	u32 fresh = 0;
	u64 round;

	lockdep_assert_held(&heap->sem);
	*clean = !slab || heap->region.hardened;
	if (slab && heap->region.hardened)
		ph_harden_check_span(heap, slab);
	if (slab)
		return slab;
	if (ph_region_above_soft(&heap->region))
		ph_supply_reclaim(heap, true);
	slab = ph_span_create(&heap->region, cache, cache->geo.keep, pages,
			      true);
	if (IS_ERR(slab) && ph_supply_short(PTR_ERR(slab))) {
		ph_supply_reclaim(heap, true);
		slab = ph_span_create(&heap->region, cache, cache->geo.keep,
				      pages, true);
	}
	if (IS_ERR(slab))
		return slab;
	ph_slab_take(slab, &round, 1, &fresh);
	ph_cpu_count(cache->cpus, fresh, fresh);
	ph_cache_add_slab(cache, slab);
	return slab;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_span);

/* One more slab or span that can be promised. */
static int ph_promise_grow(struct ph_heap *heap, struct ph_cache *cache,
			   u32 pages)
{
	struct ph_slab *slab;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	if (cache->size)
		return ph_supply_slots(heap, cache, false);
	/* It is put in place where it is mapped: page by page, that can be done. */
	slab = ph_span_create(&heap->region, cache, cache->geo.keep, pages,
			      false);
	if (IS_ERR(slab))
		return PTR_ERR(slab);
	slab->promised = true;
	ph_cache_add_slab(cache, slab);
	return 0;
}

/*
 * Promise as memory comes in, so that nothing takes it away in between. When it
 * does not come, the heap's other idle memory is given up for it, once.
 */
static int ph_supply_promise(struct ph_heap *heap, struct ph_cache *cache,
			     u32 pages, u64 nr)
{
	bool reclaimed = false;
	u64 done = 0;
	int err = 0;

	if (cache->size)
		done = ph_cache_promise(cache, nr);
	while (done < nr) {
		err = ph_promise_grow(heap, cache, pages);
		if (ph_supply_short(err) && !reclaimed) {
			ph_supply_reclaim(heap, true);
			reclaimed = true;
			continue;
		}
		if (err)
			break;
		done += cache->size ? ph_cache_promise(cache, nr - done) : 1;
	}
	if (!err)
		return 0;
	ph_cache_unpromise(cache, done);
	ph_cache_release_empty(cache, 0, U32_MAX);
	return err;
}

/* Do not fill the machine for a promise that it can never keep. */
static int ph_reserve_hopeless(struct ph_heap *heap, u64 bytes, u64 nr)
{
	u64 total;

	if (check_mul_overflow(bytes, nr, &total) ||
	    total > READ_ONCE(heap->region.hard_max))
		return -EDQUOT;
	return total >> PAGE_SHIFT > totalram_pages() ? -ENOMEM : 0;
}

/* A promise beyond the quota could not be kept. */
static bool ph_reserve_above_quota(struct ph_type *type, u64 nr)
{
	struct ph_cache_stat stat = {};

	if (!type->quota)
		return false;
	ph_type_stat(type, &stat);
	return nr > type->quota ||
	       stat.promised + atomic64_read(&type->live) + nr > type->quota;
}

/**
 * ph_supply_reserve() - promise allocations
 * @heap: the heap
 * @type: one of its types
 * @req: size and count, 0 to end the promise; (out) the promise
 *
 * Context: process, may sleep; @heap->sem held for writing.
 * Return: 0; or -ERANGE, -EDQUOT, -ENOMEM, -EINTR with the promise as it was.
 */
int ph_supply_reserve(struct ph_heap *heap, struct ph_type *type,
		      struct privheap_reserve *req)
{
	u64 bytes = req->object_bytes ?: type->min_bytes;
	struct ph_cache *cache;
	int err = 0;

	lockdep_assert_held_write(&heap->sem);
	if (bytes < type->min_bytes || bytes > type->max_bytes)
		return -ERANGE;
	if (ph_reserve_above_quota(type, req->count))
		return -EDQUOT;
	err = ph_reserve_hopeless(heap, bytes, req->count);
	if (err)
		return err;
	cache = ph_supply_cache(heap, type, bytes);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	if (req->count)
		err = ph_supply_promise(heap, cache,
					DIV_ROUND_UP_ULL(bytes, PAGE_SIZE),
					req->count);
	else
		ph_cache_unpromise(cache, U64_MAX);
	req->promised = READ_ONCE(cache->promised);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_reserve);

/**
 * ph_supply_unreserve() - take back what ph_supply_reserve() has just promised
 * @type: the type
 * @req: as it was promised; what was used up meanwhile does not come back
 *
 * Context: process, may sleep; @heap->sem held for writing.
 */
void ph_supply_unreserve(struct ph_type *type,
			 const struct privheap_reserve *req)
{
	struct ph_cache *cache;

	cache = ph_type_cache(type, req->object_bytes ?: type->min_bytes);
	ph_cache_unpromise(cache, req->count);
	ph_cache_release_empty(cache, 0, U32_MAX);
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_unreserve);

struct ph_reclaim {
	u64 bytes;
	bool may_wait;
};

static void ph_supply_reclaim_cache(struct ph_cache *cache, void *data)
{
	struct ph_reclaim *reclaim = data;

	ph_cache_drain(cache, reclaim->may_wait);
	reclaim->bytes += ph_cache_release_empty(cache, 0, U32_MAX);
}

/**
 * ph_supply_reclaim() - give back all that no promise holds
 * @heap: the heap
 * @may_wait: whether it may sleep
 *
 * Context: process, interrupts on; @heap->sem held.
 * Return: bytes given back.
 */
u64 ph_supply_reclaim(struct ph_heap *heap, bool may_wait)
{
	struct ph_reclaim reclaim = { .may_wait = may_wait };
	u64 held = atomic64_read(&heap->region.held), now;

	ph_heap_for_each_cache(heap, ph_supply_reclaim_cache, &reclaim);
	ph_region_trim(&heap->region);
	atomic64_inc(&heap->reclaims);
	now = atomic64_read(&heap->region.held);
	return now < held ? held - now : 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_reclaim);

static void ph_supply_count_depot(struct ph_cache *cache, void *data)
{
	u64 *bytes = data;
	u32 cap = ph_magazine_cap(cache->magazine_bytes);

	*bytes += (u64)READ_ONCE(cache->nr_full) * cap * cache->size;
}

/**
 * ph_supply_idle_pages() - about how many pages a reclaim would give back
 * @heap: the heap
 *
 * Context: process; @heap->sem held.
 */
u64 ph_supply_idle_pages(struct ph_heap *heap)
{
	struct ph_region *region = &heap->region;
	u64 stock = READ_ONCE(region->stock_pages);
	u64 target = READ_ONCE(region->stock_target);
	u64 bytes = 0;

	ph_heap_for_each_cache(heap, ph_supply_count_depot, &bytes);
	return (bytes >> PAGE_SHIFT) + atomic64_read(&region->empty_pages) +
	       (stock > target ? stock - target : 0);
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_idle_pages);

static void ph_supply_tick_cache(struct ph_cache *cache, void *data)
{
	ph_cache_tick(cache);
}

/**
 * ph_supply_tick() - trim a heap to its working set
 * @heap: the heap
 *
 * Context: process, may sleep; @heap->sem held.
 */
void ph_supply_tick(struct ph_heap *heap)
{
	ph_heap_for_each_cache(heap, ph_supply_tick_cache, NULL);
	ph_region_trim(&heap->region);
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_tick);

static void ph_supply_check_unused(struct ph_cache *cache, void *data)
{
	bool *unused = data;

	ph_cache_drain(cache, true);
	*unused &= ph_cache_unused(cache);
}

static void ph_supply_release_cache(struct ph_cache *cache, void *data)
{
	ph_cache_unpromise(cache, U64_MAX);
	cache->keep_slabs = 0;
	ph_cache_release_empty(cache, 0, U32_MAX);
	WARN_ON_ONCE(cache->nr_slabs);
}

/**
 * ph_supply_release_type() - give back all slabs of a type that has no objects
 * @type: the type, unpublished for a grace period
 *
 * Context: process, may sleep.
 * Return: whether all are gone; if not, the type has objects, or somebody still
 * copies to or from one that was freed, and it has all that it had.
 */
bool ph_supply_release_type(struct ph_type *type)
{
	bool unused = true;

	/* Nobody can find an object any more to pin it: what is idle stays so. */
	ph_type_for_each_cache(type, ph_supply_check_unused, &unused);
	if (unused)
		ph_type_for_each_cache(type, ph_supply_release_cache, NULL);
	return unused;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_release_type);

static void ph_supply_validate_cache(struct ph_cache *cache, void *data)
{
	int *err = data;

	if (!*err)
		*err = ph_cache_validate(cache);
}

/* What counts against a quota are the objects that there are. */
static void ph_supply_validate_type(struct ph_type *type, void *data)
{
	struct ph_cache_stat stat = {};
	int *err = data;

	if (!type->quota)
		return;
	ph_type_stat(type, &stat);
	if (atomic64_read(&type->live) !=
	    stat.count.allocs - stat.count.frees + stat.handed)
		*err = -EUCLEAN;
}

/**
 * ph_supply_validate() - whether a heap's books balance
 * @heap: the heap, at rest
 *
 * Context: process, may sleep; @heap->sem held.
 * Return: 0 or -EUCLEAN.
 */
int ph_supply_validate(struct ph_heap *heap)
{
	int err = ph_region_validate(&heap->region);

	ph_heap_for_each_cache(heap, ph_supply_validate_cache, &err);
	ph_heap_for_each_type(heap, ph_supply_validate_type, &err);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_supply_validate);
