// SPDX-License-Identifier: GPL-2.0
/* All slabs of one type and size class; see cache.h. */

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "cache.h"
#include "chain.h"
#include "quarantine.h"

/*
 * Most slabs that are looked at with the lock held: programs choose how many there
 * are.
 */
#define PH_LOOK		32U

static size_t ph_cache_cpus_bytes(void)
{
	return sizeof(struct ph_cpu) * nr_cpu_ids;
}

static void ph_cache_init_lists(struct ph_cache *cache)
{
	int i;

	spin_lock_init(&cache->lock);
	for (i = 0; i < PH_FULLNESS; i++) {
		INIT_LIST_HEAD(&cache->partial[i]);
		INIT_LIST_HEAD(&cache->bare[i]);
	}
	INIT_LIST_HEAD(&cache->stuck);
	INIT_LIST_HEAD(&cache->full);
	INIT_LIST_HEAD(&cache->empty);
	INIT_LIST_HEAD(&cache->reserved);
	cache->idle = RB_ROOT;
	INIT_LIST_HEAD(&cache->full_mags);
	INIT_LIST_HEAD(&cache->spare_mags);
}

/**
 * ph_cache_create() - a cache without slabs
 * @region: where its slabs will be
 * @type: whose it is
 * @policy: the type's
 * @size: bytes that an object can use; 0 for spans
 * @align: alignment of objects, a power of two up to a page
 * @keep: PH_KEEP_* bits
 * @cpus: its magazines, in memory of the caller's; NULL: it makes its own
 *
 * Context: process, may sleep.
 * Return: a cache, or an ERR_PTR: -EINVAL, -EDQUOT, -ENOMEM.
 */
struct ph_cache *ph_cache_create(struct ph_region *region,
				 struct ph_type *type,
				 const struct ph_policy *policy, u32 size,
				 u32 align, u32 keep, struct ph_cpu *cpus)
{
	struct ph_cache *cache;
	int err;

	cache = ph_region_meta_alloc(region, sizeof(*cache));
	if (IS_ERR(cache))
		return cache;
	cache->region = region;
	cache->type = type;
	cache->policy = policy;
	cache->size = size;
	cache->geo.keep = keep;
	cache->magazine_bytes = policy->magazine_bytes;
	cache->gfp = keep & PH_BY_ADDRESS ? PH_GFP_ATOMIC : PH_GFP;
	ph_cache_init_lists(cache);
	err = size ? ph_geo_init(&cache->geo, size, align, keep) : 0;
	if (err)
		goto err_free;
	if (size && region->hardened)
		err = ph_quarantine_create(cache);
	if (err)
		goto err_free;
	cache->own_cpus = !cpus;
	if (!cpus)
		cpus = ph_region_meta_alloc(region, ph_cache_cpus_bytes());
	if (!IS_ERR(cpus)) {
		ph_cpu_init(cpus);
		cache->cpus = cpus;
		return cache;
	}
	err = PTR_ERR(cpus);
	ph_quarantine_destroy(cache);
err_free:
	ph_region_meta_free(region, cache, sizeof(*cache));
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_create);

static void ph_cache_free_mags(struct ph_cache *cache, struct list_head *mags)
{
	struct ph_magazine *mag, *next;

	list_for_each_entry_safe(mag, next, mags, list)
		ph_magazine_destroy(cache->region, mag);
}

/**
 * ph_cache_destroy() - free a cache whose slabs are gone
 * @cache: the cache; nobody else may use it any more
 *
 * Context: process.
 */
void ph_cache_destroy(struct ph_cache *cache)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		ph_magazine_destroy(cache->region, cache->cpus[cpu].loaded);
		ph_magazine_destroy(cache->region, cache->cpus[cpu].prev);
	}
	ph_cache_free_mags(cache, &cache->full_mags);
	ph_cache_free_mags(cache, &cache->spare_mags);
	ph_quarantine_destroy(cache);
	if (cache->own_cpus)
		ph_region_meta_free(cache->region, cache->cpus,
				    ph_cache_cpus_bytes());
	ph_region_meta_free(cache->region, cache, sizeof(*cache));
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_destroy);

/**
 * ph_cache_list() - the list that a slab belongs on
 * @cache: the cache
 * @slab: one of its slabs
 *
 * Context: the cache's lock held.
 * Return: the list, or NULL for a slab without free slots.
 */
struct list_head *ph_cache_list(struct ph_cache *cache, struct ph_slab *slab)
{
	struct list_head *partial = cache->partial;

	if (!slab->taken)
		return &cache->empty;
	if (slab->taken == slab->nr)
		return slab->by_address ? &cache->full : NULL;
	if (ph_slab_is_bare(slab))
		partial = cache->bare;
	else if (ph_slab_is_stuck(slab))
		return &cache->stuck;
	if (!cache->policy->fullest_first)
		return &partial[0];
	return &partial[(u64)slab->taken * PH_FULLNESS / slab->nr];
}

/* Idle spans by length; of one length the promised ones first, then the warmest. */
static bool ph_span_is_before(struct rb_node *node, const struct rb_node *other)
{
	const struct ph_slab *a = ph_span_of_node(node);
	const struct ph_slab *b = ph_span_of_node(other);

	if (a->nr_pages != b->nr_pages)
		return a->nr_pages < b->nr_pages;
	return a->promised >= b->promised;
}

static int ph_span_cmp(const void *pages, const struct rb_node *node)
{
	u32 nr_pages = ph_span_of_node(node)->nr_pages;

	return *(const u32 *)pages < nr_pages ? -1 :
					*(const u32 *)pages > nr_pages;
}

static void ph_cache_index_span(struct ph_cache *cache, struct ph_slab *span,
				bool idle)
{
	lockdep_assert_held(&cache->lock);
	if (idle)
		rb_add(ph_span_node(span), &cache->idle, ph_span_is_before);
	else
		rb_erase(ph_span_node(span), &cache->idle);
}

static void ph_cache_count_empty(struct ph_cache *cache, struct ph_slab *slab,
				 int nr)
{
	lockdep_assert_held(&cache->lock);
	if (unlikely(ph_slab_is_span(slab)))
		ph_cache_index_span(cache, slab, nr > 0);
	WRITE_ONCE(cache->nr_empty, cache->nr_empty + nr);
	WRITE_ONCE(cache->low_empty, min(cache->low_empty, cache->nr_empty));
	atomic64_add(nr * (s64)slab->nr_pages, &cache->region->empty_pages);
}

/**
 * ph_cache_unlist() - the fullness of a slab is about to change
 * @cache: the cache
 * @slab: one of its slabs
 *
 * Context: the cache's lock held.
 * Return: the list that it is on, for ph_cache_relist().
 */
struct list_head *ph_cache_unlist(struct ph_cache *cache,
				  struct ph_slab *slab)
{
	lockdep_assert_held(&cache->lock);
	cache->usable -= ph_slab_usable(slab);
	return ph_cache_list(cache, slab);
}

/**
 * ph_cache_relist() - the fullness of a slab has changed: move it to its list
 * @cache: the cache
 * @slab: one of its slabs
 * @from: from ph_cache_unlist()
 *
 * Context: the cache's lock held.
 */
void ph_cache_relist(struct ph_cache *cache, struct ph_slab *slab,
		     struct list_head *from)
{
	struct list_head *to = ph_cache_list(cache, slab);

	lockdep_assert_held(&cache->lock);
	cache->usable += ph_slab_usable(slab);
	if (from == to)
		return;
	if (!to)
		list_del_init(&slab->list);
	else if (to == &cache->empty && ph_slab_is_bare(slab))
		list_move_tail(&slab->list, to);
	else
		list_move(&slab->list, to);
	if (from == &cache->empty)
		ph_cache_count_empty(cache, slab, -1);
	else if (to == &cache->empty)
		ph_cache_count_empty(cache, slab, 1);
}

/* The fullest of slabs that are neither full nor empty. */
static __always_inline struct ph_slab *
ph_cache_pick_partial(struct list_head *partial)
{
	int i;

	for (i = PH_FULLNESS - 1; i >= 0; i--)
		if (!list_empty(&partial[i]))
			return list_first_entry(&partial[i], struct ph_slab,
						list);
	return NULL;
}

/* One that only can lend. */
static struct ph_slab *ph_cache_pick_bare(struct ph_cache *cache)
{
	struct ph_slab *slab;

	if (!(cache->geo.keep & PH_LATE_GENS))
		return NULL;
	slab = ph_cache_pick_partial(cache->bare);
	if (slab || list_empty(&cache->empty))
		return slab;
	slab = list_last_entry(&cache->empty, struct ph_slab, list);
	return ph_slab_is_bare(slab) ? slab : NULL;
}

/* One for handles. */
static struct ph_slab *ph_cache_pick_named(struct ph_cache *cache)
{
	struct ph_slab *slab = ph_cache_pick_partial(cache->partial);

	if (slab || list_empty(&cache->empty))
		return slab;
	slab = list_first_entry(&cache->empty, struct ph_slab, list);
	return ph_slab_is_bare(slab) ? NULL : slab;
}

/**
 * ph_cache_pick() - the slab that serves next
 * @cache: the cache
 * @lend: whether slots are to be handed out, so that one will do that only can
 *	lend
 *
 * Context: the cache's lock held.
 * Return: one with slots that can be taken, or NULL.
 */
struct ph_slab *ph_cache_pick(struct ph_cache *cache, bool lend)
{
	struct ph_slab *slab = lend ? ph_cache_pick_bare(cache) : NULL;

	lockdep_assert_held(&cache->lock);
	return slab ?: ph_cache_pick_named(cache);
}

/* Slots that do not come back any more; promises may go with them. */
static void ph_cache_abandon(struct ph_cache *cache, struct ph_slab *slab,
			     struct list_head *from)
{
	u32 slot, lost = ph_chain_abandon(slab, &slot);

	cache->slots -= lost;
	cache->free_slots -= lost;
	ph_cache_relist(cache, slab, from);
	cache->promised = min(cache->promised, cache->usable);
	if (!WARN_ON_ONCE(!cache->damaged))
		cache->damaged(cache, slab, slot, lost);
}

/**
 * ph_cache_take_slabs() - take slots past magazines and depot
 * @cache: the cache
 * @rounds: (out) array
 * @nr: most to take
 * @must: how many of them are for allocations, which promises were made for;
 *	the others only come out of what is not promised
 *
 * Context: process.
 * Return: how many were taken.
 */
u32 ph_cache_take_slabs(struct ph_cache *cache, u64 *rounds, u32 nr,
			u32 must)
{
	u32 got = 0, fresh = 0, some;
	struct list_head *from;
	struct ph_slab *slab;
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	nr = max_t(u64, must,
		   min_t(u64, nr, cache->usable - cache->promised));
	while (got < nr) {
		slab = ph_cache_pick_named(cache);
		if (!slab)
			break;
		from = ph_cache_unlist(cache, slab);
		some = ph_slab_take(slab, rounds + got, nr - got, &fresh);
		if (unlikely(!some)) {
			ph_cache_abandon(cache, slab, from);
			continue;
		}
		got += some;
		ph_cache_relist(cache, slab, from);
	}
	cache->free_slots -= got;
	cache->promised -= min_t(u64, cache->promised, min(got, must));
	spin_unlock_irqrestore(&cache->lock, flags);
	ph_cpu_count(cache->cpus, fresh, fresh);
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_take_slabs);

/*
 * The slab of a round; @slab is a guess. What was freed twice may have lost its
 * slab after the first time: then there is none, or another cache's.
 */
static struct ph_slab *ph_cache_slab_of(struct ph_cache *cache,
					struct ph_slab *slab, u64 round)
{
	if (cache->geo.keep & PH_BY_ADDRESS) {
		slab = ph_slab_of_address((void *)(uintptr_t)round);
		return slab && slab->cache == cache ? slab : NULL;
	}
	if (slab && ph_round_key(round) - slab->key < slab->reach)
		return slab;
	return ph_region_slab(cache->region, ph_round_offset(round));
}

/* Returns false, and nothing is changed, if the slot is not there to give. */
static bool ph_cache_return_one(struct ph_cache *cache, struct ph_slab *slab,
				u64 round)
{
	struct list_head *from;
	bool given;

	if (unlikely(!slab))
		return false;
	from = ph_cache_unlist(cache, slab);
	given = ph_slab_give(slab, round);
	cache->free_slots += given;
	ph_cache_relist(cache, slab, from);
	return given;
}

/**
 * ph_cache_return() - give slots back past magazines and depot
 * @cache: the cache
 * @rounds: array of slots that were taken from it
 * @nr: how many
 *
 * Context: any in which the cache stays.
 */
void ph_cache_return(struct ph_cache *cache, const u64 *rounds, u32 nr)
{
	struct ph_slab *slab = NULL;
	unsigned long flags;
	u32 i;

	rcu_read_lock();
	spin_lock_irqsave(&cache->lock, flags);
	for (i = 0; i < nr; i++) {
		slab = ph_cache_slab_of(cache, slab, rounds[i]);
		if (likely(ph_cache_return_one(cache, slab, rounds[i])))
			continue;
		spin_unlock_irqrestore(&cache->lock, flags);
		/* Kernel modules can free twice; no handle can. */
		if (!WARN_ON_ONCE(!cache->refused))
			cache->refused(cache, rounds[i]);
		spin_lock_irqsave(&cache->lock, flags);
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_return);

/**
 * ph_cache_release_excess() - empty slabs beyond measure go
 * @cache: the cache
 *
 * Context: process, may sleep.
 */
void ph_cache_release_excess(struct ph_cache *cache)
{
	u32 empty = READ_ONCE(cache->nr_empty);

	if (empty > cache->policy->empty_max ||
	    (empty && ph_region_above_soft(cache->region)))
		ph_cache_release_empty(cache, cache->policy->empty_max,
				       U32_MAX);
}

/**
 * ph_cache_give_slabs() - the same, and what is empty then beyond measure goes
 * @cache: the cache
 * @rounds: array of slots that were taken from it
 * @nr: how many
 *
 * Context: process, may sleep.
 */
void ph_cache_give_slabs(struct ph_cache *cache, const u64 *rounds, u32 nr)
{
	ph_cache_return(cache, rounds, nr);
	ph_cache_release_excess(cache);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_give_slabs);

/**
 * ph_cache_add_slab() - take a new slab in
 * @cache: the cache
 * @slab: complete, all its slots free or, a span's, taken
 *
 * Context: process.
 */
void ph_cache_add_slab(struct ph_cache *cache, struct ph_slab *slab)
{
	struct privheap_map_entry entry;
	unsigned long flags;

	if (!slab->by_address) {
		ph_slab_publish(cache->region, slab);
		ph_cache_map_entry(slab, &entry);
		ph_view_note(&cache->region->view, entry.first_page,
			     entry.pages, &entry);
	}
	spin_lock_irqsave(&cache->lock, flags);
	cache->nr_slabs++;
	cache->pages += slab->nr_pages;
	cache->meta_bytes += ph_slab_meta_cost(slab);
	cache->slots += slab->nr;
	cache->free_slots += slab->nr - slab->taken;
	cache->usable += ph_slab_usable(slab);
	if (slab->promised)
		cache->promised++;
	if (!slab->taken) {
		if (slab->bare)
			list_add_tail(&slab->list, &cache->empty);
		else
			list_add(&slab->list, slab->promised ?
				 &cache->reserved : &cache->empty);
		ph_cache_count_empty(cache, slab, 1);
	}
	spin_unlock_irqrestore(&cache->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_add_slab);

static void ph_cache_forget_slab(struct ph_cache *cache, struct ph_slab *slab)
{
	lockdep_assert_held(&cache->lock);
	cache->nr_slabs--;
	cache->pages -= slab->nr_pages;
	cache->meta_bytes -= ph_slab_meta_cost(slab);
	cache->slots -= slab->nr - ph_slab_lost(slab);
	cache->free_slots -= slab->nr - slab->taken;
	cache->usable -= ph_slab_usable(slab);
}

/**
 * ph_cache_remove_slab() - take a span whose slot is taken out of the cache
 * @cache: the cache
 * @slab: the span, to be destroyed by the caller
 *
 * Context: process.
 */
void ph_cache_remove_slab(struct ph_cache *cache, struct ph_slab *slab)
{
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	ph_cache_forget_slab(cache, slab);
	spin_unlock_irqrestore(&cache->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_remove_slab);

/* An idle span of a length that nobody has pinned. */
static struct ph_slab *ph_cache_find_span(struct ph_cache *cache, u32 pages)
{
	struct rb_node *node = rb_find_first(&pages, &cache->idle, ph_span_cmp);
	u32 looks = PH_LOOK;

	lockdep_assert_held(&cache->lock);
	for (; node && looks; node = rb_next(node), looks--) {
		struct ph_slab *slab = ph_span_of_node(node);

		if (slab->nr_pages != pages)
			break;
		/* What is pinned some resize of the last object still looks at. */
		if (!atomic_read(&slab->pins))
			return slab;
	}
	return NULL;
}

static void ph_cache_use_span(struct ph_cache *cache, struct ph_slab *slab,
			      u32 *fresh)
{
	u64 round;

	ph_slab_take(slab, &round, 1, fresh);
	list_del_init(&slab->list);
	ph_cache_count_empty(cache, slab, -1);
	cache->free_slots--;
	cache->usable--;
	cache->promised -= slab->promised;
	slab->promised = false;
}

/**
 * ph_cache_take_span() - take an idle span of a given length
 * @cache: the cache of a type's spans
 * @pages: the length
 *
 * A promised one if there is one: none of those was ever used or pinned.
 *
 * Context: any.
 * Return: the span, its slot taken, or NULL.
 */
struct ph_slab *ph_cache_take_span(struct ph_cache *cache, u32 pages)
{
	struct ph_slab *slab;
	unsigned long flags;
	u32 fresh = 0;

	spin_lock_irqsave(&cache->lock, flags);
	slab = ph_cache_find_span(cache, pages);
	if (slab)
		ph_cache_use_span(cache, slab, &fresh);
	spin_unlock_irqrestore(&cache->lock, flags);
	ph_cpu_count(cache->cpus, fresh, fresh);
	return slab;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_take_span);

/* A slab whose free slots wait for generations; pinned. */
static struct ph_slab *ph_cache_pick_stuck(struct ph_cache *cache, bool lend)
{
	struct ph_slab *slab;
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	slab = list_first_entry_or_null(&cache->stuck, struct ph_slab, list);
	if (!slab && !lend)
		slab = ph_cache_pick_bare(cache);
	if (slab)
		atomic_inc(&slab->pins);
	spin_unlock_irqrestore(&cache->lock, flags);
	return slab;
}

/**
 * ph_cache_attach_gens() - a slab gets its generations
 * @cache: the cache
 * @slab: one of its slabs, without
 * @gens: from ph_gens_alloc()
 *
 * Context: the cache's lock held.
 */
void ph_cache_attach_gens(struct ph_cache *cache, struct ph_slab *slab,
			  struct ph_gens *gens)
{
	struct list_head *from = ph_cache_unlist(cache, slab);

	cache->meta_bytes -= ph_slab_meta_cost(slab);
	ph_slab_attach_gens(slab, gens);
	cache->meta_bytes += ph_slab_meta_cost(slab);
	/* It is not bare any more. */
	if (from == &cache->empty)
		list_move(&slab->list, from);
	ph_cache_relist(cache, slab, from);
}

/* Attach them unless something else has happened to the slab meanwhile. */
static bool ph_cache_unstick(struct ph_cache *cache, struct ph_slab *slab,
			     struct ph_gens *gens)
{
	unsigned long flags;
	bool stuck;

	spin_lock_irqsave(&cache->lock, flags);
	stuck = ph_slab_is_bare(slab) ||
		ph_cache_list(cache, slab) == &cache->stuck;
	if (stuck)
		ph_cache_attach_gens(cache, slab, gens);
	spin_unlock_irqrestore(&cache->lock, flags);
	return stuck;
}

/**
 * ph_cache_reuse() - make freed slots usable that wait for generations
 * @cache: the cache
 * @lend: whether it will do that they can be handed out
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT where there are none; -EDQUOT or -ENOMEM.
 */
int ph_cache_reuse(struct ph_cache *cache, bool lend)
{
	struct ph_slab *slab = ph_cache_pick_stuck(cache, lend);
	struct ph_gens *gens;

	if (!slab)
		return -ENOENT;
	gens = ph_gens_alloc(cache->region, slab);
	if (!IS_ERR(gens) && !ph_cache_unstick(cache, slab, gens))
		ph_gens_free(cache->region, slab, gens);
	atomic_dec(&slab->pins);
	return PTR_ERR_OR_ZERO(gens);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_reuse);

/* Chosen when the first is made: most caches never have one. */
static void ph_cache_bare_geo(struct ph_cache *cache, struct ph_geo *geo)
{
	geo->keep |= PH_BARE;
	geo->pages = READ_ONCE(cache->bare_pages);
	if (geo->pages)
		return;
	ph_geo_choose(geo);
	WRITE_ONCE(cache->bare_pages, geo->pages);
}

/**
 * ph_cache_next_geo() - what the next slab will be like
 * @cache: the cache
 * @lend: whether it will do that it can lend
 * @geo: (out)
 *
 * Context: any.
 */
void ph_cache_next_geo(struct ph_cache *cache, bool lend, struct ph_geo *geo)
{
	*geo = cache->geo;
	if (lend && (geo->keep & PH_LATE_GENS))
		ph_cache_bare_geo(cache, geo);
	/* Not more than it has already: a few objects do not fill a long one. */
	geo->pages = clamp_t(u64, READ_ONCE(cache->pages),
			     DIV_ROUND_UP(geo->stride, PAGE_SIZE), geo->pages);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_next_geo);

/**
 * ph_cache_grow() - one more slab
 * @cache: the cache
 * @lend: whether it will do that it can lend
 * @gfp: as for alloc_pages(); only slabs by address can be had without sleeping
 *
 * Context: as @gfp says.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_cache_grow(struct ph_cache *cache, bool lend, gfp_t gfp)
{
	struct ph_slab *slab;
	struct ph_geo geo;

	ph_cache_next_geo(cache, lend, &geo);
	slab = ph_slab_create(cache->region, cache, &geo, gfp);
	if (IS_ERR(slab))
		return PTR_ERR(slab);
	if (cache->init_slab)
		cache->init_slab(cache, slab);
	ph_cache_add_slab(cache, slab);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_grow);

/**
 * ph_cache_promise() - promise allocations for which there are slots
 * @cache: the cache
 * @nr: how many more are wanted
 *
 * Context: any.
 * Return: how many more are promised now.
 */
u64 ph_cache_promise(struct ph_cache *cache, u64 nr)
{
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	nr = min(nr, cache->usable - cache->promised);
	cache->promised += nr;
	spin_unlock_irqrestore(&cache->lock, flags);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_promise);

/* So many spans are promised no more, the latest ones first. */
static void ph_cache_unpromise_spans(struct ph_cache *cache, u64 nr)
{
	struct ph_slab *slab;

	lockdep_assert_held(&cache->lock);
	for (; nr; nr--) {
		slab = list_first_entry(&cache->reserved, struct ph_slab, list);
		ph_cache_index_span(cache, slab, false);
		slab->promised = false;
		ph_cache_index_span(cache, slab, true);
		list_move(&slab->list, &cache->empty);
	}
}

/**
 * ph_cache_unpromise() - take promises back
 * @cache: the cache
 * @nr: how many; those that are used up already do not come back
 *
 * Context: any.
 */
void ph_cache_unpromise(struct ph_cache *cache, u64 nr)
{
	unsigned long flags;
	u64 some;

	do {
		spin_lock_irqsave(&cache->lock, flags);
		some = min(nr, cache->promised);
		if (!cache->size) {
			some = min_t(u64, some, PH_LOOK);
			ph_cache_unpromise_spans(cache, some);
		}
		cache->promised -= some;
		spin_unlock_irqrestore(&cache->lock, flags);
		nr -= some;
	} while (nr && some);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_unpromise);

/* Whether no promise needs an empty slab. */
static bool ph_cache_can_spare(struct ph_cache *cache,
			       const struct ph_slab *slab)
{
	lockdep_assert_held(&cache->lock);
	return ph_slab_is_span(slab) || ph_slab_is_bare(slab) ||
	       cache->usable - cache->promised >= slab->nr;
}

static bool ph_cache_is_pinned(const struct ph_slab *slab)
{
	/*
	 * Pairs with the barrier in ph_handle_pin(): either the pin is seen here,
	 * or the one who pins sees that the object is gone.
	 */
	smp_mb();
	return atomic_read(&slab->pins);
}

/*
 * An empty slab that may go, of the first few from the end of the list. What is
 * pinned makes room for others to be looked at the next time, which @again says.
 */
static struct ph_slab *ph_cache_look_for_empty(struct ph_cache *cache,
					       u32 pages, bool *again)
{
	struct ph_slab *slab, *next;
	u32 looks = PH_LOOK;

	lockdep_assert_held(&cache->lock);
	*again = false;
	list_for_each_entry_safe_reverse(slab, next, &cache->empty, list) {
		if (!looks--)
			break;
		if (slab->nr_pages < pages || !ph_cache_can_spare(cache, slab))
			continue;
		if (!ph_cache_is_pinned(slab))
			return slab;
		/* Bare ones stay behind the others. */
		if (ph_slab_is_bare(slab))
			continue;
		list_move(&slab->list, &cache->empty);
		*again = true;
	}
	return NULL;
}

/**
 * ph_cache_pick_empty() - take an empty slab out of the cache
 * @cache: the cache
 * @leave: empty slabs to leave
 * @pages: the least length of one that is of use
 *
 * Of many that promises hold, or that are too short, it looks at a few only.
 *
 * Context: any.
 * Return: a slab to destroy, or NULL.
 */
struct ph_slab *ph_cache_pick_empty(struct ph_cache *cache, u32 leave,
				    u32 pages)
{
	u32 left = READ_ONCE(cache->nr_empty) / PH_LOOK + 1;
	struct ph_slab *slab;
	unsigned long flags;
	bool again;

	leave = max(leave, cache->keep_slabs);
	do {
		slab = NULL;
		again = false;
		spin_lock_irqsave(&cache->lock, flags);
		if (cache->nr_empty > leave)
			slab = ph_cache_look_for_empty(cache, pages, &again);
		if (slab) {
			list_del_init(&slab->list);
			ph_cache_count_empty(cache, slab, -1);
			ph_cache_forget_slab(cache, slab);
		}
		spin_unlock_irqrestore(&cache->lock, flags);
	} while (!slab && again && --left);
	return slab;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_pick_empty);

/**
 * ph_cache_release_empty() - give empty slabs back to the region
 * @cache: the cache
 * @leave: empty slabs to leave; none where the heap is above its soft maximum
 * @most: most to give back
 *
 * Context: process.
 * Return: bytes given back.
 */
u64 ph_cache_release_empty(struct ph_cache *cache, u32 leave, u32 most)
{
	struct ph_slab *slab;
	u64 bytes = 0;

	if (ph_region_above_soft(cache->region))
		leave = 0;
	while (most-- && (slab = ph_cache_pick_empty(cache, leave, 0))) {
		bytes += ph_slab_bytes(slab) + ph_slab_meta_cost(slab);
		ph_slab_destroy(cache->region, slab, false);
	}
	return bytes;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_release_empty);

/* Look at a few empty slabs, and put them behind the others. */
static bool ph_cache_any_pinned(struct ph_cache *cache, u32 nr)
{
	struct ph_slab *slab;
	bool pinned = false;

	lockdep_assert_held(&cache->lock);
	while (nr-- && !list_empty(&cache->empty)) {
		slab = list_first_entry(&cache->empty, struct ph_slab, list);
		pinned |= atomic_read(&slab->pins);
		list_move_tail(&slab->list, &cache->empty);
	}
	return pinned;
}

/**
 * ph_cache_unused() - whether all its slots are in the slabs' hands
 * @cache: the cache, whose objects nobody can find any more
 *
 * All empty slabs are looked at, a few at a time, and then in their old order. Of
 * promised spans nobody ever had a handle to pin them by.
 *
 * Context: any.
 * Return: false, too, if somebody has the pages of one pinned.
 */
bool ph_cache_unused(struct ph_cache *cache)
{
	u32 left = READ_ONCE(cache->nr_empty), some;
	unsigned long flags;
	bool unused = true;

	do {
		some = min(left, PH_LOOK);
		left -= some;
		spin_lock_irqsave(&cache->lock, flags);
		if (ph_cache_any_pinned(cache, some) ||
		    cache->free_slots != cache->slots)
			unused = false;
		spin_unlock_irqrestore(&cache->lock, flags);
	} while (left);
	return unused;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_unused);

/* Take the first slab off a list, whatever is in it. */
static struct ph_slab *ph_cache_pick_any(struct ph_cache *cache,
					 struct list_head *list)
{
	struct ph_slab *slab;
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	slab = list_first_entry_or_null(list, struct ph_slab, list);
	if (slab) {
		list_del_init(&slab->list);
		if (!slab->taken)
			ph_cache_count_empty(cache, slab, -1);
		ph_cache_forget_slab(cache, slab);
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return slab;
}

static void ph_cache_release_list(struct ph_cache *cache,
				  struct list_head *list)
{
	struct ph_slab *slab;

	while ((slab = ph_cache_pick_any(cache, list)))
		ph_slab_destroy(cache->region, slab, false);
}

/**
 * ph_cache_release_all() - give all slabs back, whoever has objects in them
 * @cache: a cache by address that nobody uses any more, drained
 *
 * Context: process.
 */
void ph_cache_release_all(struct ph_cache *cache)
{
	int i;

	cache->promised = 0;
	for (i = 0; i < PH_FULLNESS; i++)
		ph_cache_release_list(cache, &cache->partial[i]);
	ph_cache_release_list(cache, &cache->full);
	ph_cache_release_list(cache, &cache->empty);
}

/**
 * ph_cache_has_slots() - whether the slabs can serve an allocation
 * @cache: the cache
 * @lend: whether it hands them out
 *
 * Context: any.
 */
bool ph_cache_has_slots(struct ph_cache *cache, bool lend)
{
	unsigned long flags;
	bool has;

	spin_lock_irqsave(&cache->lock, flags);
	has = ph_cache_pick(cache, lend);
	spin_unlock_irqrestore(&cache->lock, flags);
	return has;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_has_slots);
