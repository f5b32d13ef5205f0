// SPDX-License-Identifier: GPL-2.0
/* The kernel door: heaps and caches of other modules; see <linux/privheap.h>. */

#include <linux/log2.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "catalog.h"
#include "check.h"
#include "door.h"
#include "reclaim.h"
#include "report.h"
#include "supply.h"

#define PH_API_FLAGS	(PRIVHEAP_CACHE_ZERO | PRIVHEAP_CACHE_CHECK |	\
			 PRIVHEAP_CACHE_TYPESAFE_BY_RCU |		\
			 PRIVHEAP_CACHE_NO_REUSE)

/**
 * privheap_create() - a heap of a module's own
 * @attr: what it is to be
 *
 * Context: process, may sleep.
 * Return: the heap, for privheap_destroy(), or an ERR_PTR: -EINVAL, -EDQUOT,
 * -ENOMEM.
 */
struct privheap *privheap_create(const struct privheap_attr *attr)
{
	struct privheap_setup setup = { .reserve_bytes = attr->reserve_bytes };
	struct ph_heap *heap;
	int err;

	if (!attr->name || !*attr->name)
		return ERR_PTR(-EINVAL);
	heap = ph_heap_create_kernel(attr->name, attr->max_bytes ?: U64_MAX);
	if (IS_ERR(heap))
		return ERR_CAST(heap);
	err = attr->reserve_bytes ? ph_supply_setup(heap, &setup) : 0;
	if (err) {
		ph_heap_destroy(heap);
		return ERR_PTR(err);
	}
	ph_reclaim_kick(false);
	return (struct privheap *)heap;
}
EXPORT_SYMBOL_GPL(privheap_create);

/**
 * privheap_destroy() - end a heap
 * @heap: the heap, or NULL
 *
 * Context: process, may sleep.
 * Return: 0, or -EBUSY if it has caches.
 */
int privheap_destroy(struct privheap *heap)
{
	if (!heap)
		return 0;
	if (ph_door_heap(heap)->nr_types)
		return -EBUSY;
	ph_slab_await_destroyed();
	ph_heap_destroy(ph_door_heap(heap));
	return 0;
}
EXPORT_SYMBOL_GPL(privheap_destroy);

static int ph_api_check(unsigned int size,
			const struct privheap_cache_args *args)
{
	if (!size || size > PH_SLOT_MAX || (args->flags & ~PH_API_FLAGS))
		return -EINVAL;
	if (args->ctor && (args->flags & (PRIVHEAP_CACHE_ZERO |
					  PRIVHEAP_CACHE_POISON)))
		return -EINVAL;
	if ((args->flags & PRIVHEAP_CACHE_TYPESAFE_BY_RCU) &&
	    (args->flags & (PRIVHEAP_CACHE_ZERO | PRIVHEAP_CACHE_POISON)))
		return -EINVAL;
	return 0;
}

static void ph_api_construct(struct ph_cache *cache, struct ph_slab *slab)
{
	void (*ctor)(void *obj) = ph_door_of(cache)->ctor;
	u32 i;

	for (i = 0; i < slab->nr; i++)
		ctor(slab->addr + (size_t)i * slab->stride);
}

static size_t ph_api_bytes(void)
{
	struct privheap_cache *cache;

	return struct_size(cache, cpu, nr_cpu_ids);
}

/* As SLUB does it: what a constructor or RCU readers rely on is not cleared. */
static void ph_api_set_zero(struct privheap_cache *cache, u32 bytes)
{
	bool keeps = cache->ctor ||
		     (cache->flags & PRIVHEAP_CACHE_TYPESAFE_BY_RCU);

	cache->zero_words = cache->ctor ? 0 : bytes / sizeof(u64);
	if (!keeps && ((cache->flags & PRIVHEAP_CACHE_ZERO) ||
		       want_init_on_alloc(0)))
		cache->init_words = bytes / sizeof(u64);
}

static struct privheap_cache *ph_api_new(struct ph_heap *heap,
					 const struct privheap_cache_args *args)
{
	struct privheap_cache *cache;

	cache = ph_region_meta_alloc(&heap->region, ph_api_bytes());
	if (IS_ERR(cache))
		return cache;
	ph_cpu_init(cache->cpu);
	cache->heap = (struct privheap *)heap;
	cache->flags = args->flags;
	cache->quota = args->quota;
	cache->ctor = args->ctor;
	cache->page_base = (unsigned long)virt_to_page(cache) -
			   ((unsigned long)cache >> PAGE_SHIFT) *
			   sizeof(struct page);
	cache->special = cache->quota || want_init_on_free();
	return cache;
}

/* What the slabs of a cache keep. */
static u32 ph_api_keep(const struct privheap_cache *door)
{
	bool typesafe = door->flags & PRIVHEAP_CACHE_TYPESAFE_BY_RCU;

	if (ph_door_is_checked(door))
		return PH_BY_ADDRESS | PH_KEEP_LIVE |
		       (typesafe ? PH_TYPESAFE : 0);
	if (typesafe)
		return PH_BY_ADDRESS | PH_TYPESAFE;
	/* A free object is nobody's, but for what a constructor left in it. */
	return PH_BY_ADDRESS | (door->ctor ? 0 : PH_CHAIN);
}

static void ph_api_free(struct ph_heap *heap, struct privheap_cache *cache)
{
	ph_region_meta_forget(&heap->region, ph_api_bytes());
	kvfree(cache);
}

/* The layers of one cache. */
static int ph_api_make(struct privheap_cache *door, struct ph_type *type,
		       const struct privheap_cache_args *args)
{
	u32 align = max_t(u32, type->align, sizeof(u64));
	struct ph_cache *cache;

	door->flags = ph_check_flags(door, type->name, type->max_bytes, align);
	door->special |= ph_door_is_checked(door);
	cache = ph_cache_create(type->region, type, type->policy,
				ph_check_slot_bytes(door->flags,
						    type->max_bytes, align),
				align, ph_api_keep(door),
				door->special ? NULL : door->cpu);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	cache->geo.owner = door;
	cache->keep_slabs = args->flags & PRIVHEAP_CACHE_NO_REUSE ?
			    U32_MAX : args->keep_slabs;
	cache->refused = ph_door_refused;
	cache->damaged = ph_door_damaged;
	if (ph_door_is_checked(door))
		cache->init_slab = ph_check_init_slab;
	else if (door->ctor)
		cache->init_slab = ph_api_construct;
	ph_api_set_zero(door, ALIGN(type->max_bytes, sizeof(u64)));
	door->cache = cache;
	door->id = type->id;
	ph_type_adopt(type, cache);
	return 0;
}

static int ph_api_add(struct ph_heap *heap, struct privheap_cache *cache,
		      struct privheap_type *desc,
		      const struct privheap_cache_args *args)
{
	int err = ph_catalog_add(heap, desc, NULL, NULL);

	if (err)
		return err;
	down_write(&heap->sem);
	err = ph_api_make(cache, ph_heap_type(heap, desc->type), args);
	if (err)
		ph_catalog_drop(heap, desc->type);
	up_write(&heap->sem);
	return err;
}

/**
 * privheap_cache_create() - a cache of objects of one size
 * @heap: whose memory it uses
 * @name: for people; unique in the heap, up to 31 printable characters without
 *	blanks; copied
 * @size: of an object, in bytes, up to two pages
 * @args: what else there is to say, or NULL
 *
 * Context: process, may sleep.
 * Return: the cache, for privheap_cache_destroy(), or an ERR_PTR: -EINVAL,
 * -EEXIST, -ENOSPC, -EDQUOT, -ENOMEM.
 */
struct privheap_cache *
privheap_cache_create(struct privheap *heap, const char *name,
		      unsigned int size,
		      const struct privheap_cache_args *args)
{
	static const struct privheap_cache_args none;
	struct privheap_type desc = { .min_bytes = size };
	struct privheap_cache *cache;
	int err;

	args = args ?: &none;
	err = ph_api_check(size, args);
	if (err)
		return ERR_PTR(err);
	if (strscpy(desc.name, name, sizeof(desc.name)) < 0)
		return ERR_PTR(-EINVAL);
	desc.align = args->align;
	desc.policy = args->policy;
	cache = ph_api_new(ph_door_heap(heap), args);
	if (IS_ERR(cache))
		return cache;
	err = ph_api_add(ph_door_heap(heap), cache, &desc, args);
	if (err) {
		ph_api_free(ph_door_heap(heap), cache);
		return ERR_PTR(err);
	}
	err = args->prealloc ? privheap_cache_reserve(cache, args->prealloc) : 0;
	if (err) {
		privheap_cache_destroy(cache, 0);
		return ERR_PTR(err);
	}
	return cache;
}
EXPORT_SYMBOL_GPL(privheap_cache_create);

/* All slots back to the slabs. Returns how many objects are in the way. */
static u64 ph_api_settle(struct privheap_cache *cache, unsigned long caller)
{
	struct ph_cache *slabs = cache->cache;
	u64 left;

	ph_cache_drain(slabs, true);
	if (ph_door_is_checked(cache))
		ph_check_scan(cache, caller);
	left = slabs->slots - slabs->free_slots;
	if (left)
		ph_report_left(cache, left, caller);
	return left;
}

/**
 * privheap_cache_destroy() - end a cache
 * @cache: the cache, or NULL; nobody else may use it any more
 * @flags: PRIVHEAP_DESTROY_*
 *
 * Objects that are left are counted in the kernel log. They keep the cache alive,
 * unless the caller forces its end: then their memory goes with it.
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY, and the cache is as it was, if it has objects; -EINVAL.
 */
int privheap_cache_destroy(struct privheap_cache *cache, unsigned int flags)
{
	bool force = flags & PRIVHEAP_DESTROY_FORCE;
	struct ph_heap *heap;
	u64 left;

	if (flags & ~PRIVHEAP_DESTROY_FORCE)
		return -EINVAL;
	if (IS_ERR_OR_NULL(cache))
		return 0;
	heap = ph_door_heap(cache->heap);
	down_write(&heap->sem);
	left = ph_api_settle(cache, _RET_IP_);
	if (!left || force) {
		ph_cache_release_all(cache->cache);
		ph_catalog_drop(heap, cache->id);
	}
	up_write(&heap->sem);
	if (left && !force)
		return -EBUSY;
	ph_api_free(heap, cache);
	return 0;
}
EXPORT_SYMBOL_GPL(privheap_cache_destroy);

/**
 * privheap_cache_reserve() - promise allocations
 * @cache: the cache
 * @nr: how many more are promised; 0 takes all promises back
 *
 * The next @nr allocations that the magazines cannot serve, from any context, do
 * not fail, whatever the machine's memory is like.
 *
 * Context: process, may sleep.
 * Return: 0; or -EDQUOT, -ENOMEM, -EINTR with the promise as it was.
 */
int privheap_cache_reserve(struct privheap_cache *cache, u64 nr)
{
	struct ph_heap *heap = ph_door_heap(cache->heap);
	struct privheap_reserve req = { .count = nr };
	int err = 0;
	u64 room;

	down_write(&heap->sem);
	if (cache->quota && nr) {
		room = cache->quota - atomic64_read(&cache->used);
		room -= min(room, READ_ONCE(cache->cache->promised));
		err = nr > room ? -EDQUOT : 0;
	}
	if (!err)
		err = ph_supply_reserve(heap, ph_heap_type(heap, cache->id),
					&req);
	up_write(&heap->sem);
	return err;
}
EXPORT_SYMBOL_GPL(privheap_cache_reserve);

/**
 * privheap_cache_shrink() - give idle memory back now
 * @cache: the cache
 *
 * Context: process, may sleep.
 * Return: 0 if it has no memory left; 1 if it has.
 */
int privheap_cache_shrink(struct privheap_cache *cache)
{
	struct ph_heap *heap = ph_door_heap(cache->heap);
	int left;

	down_read(&heap->sem);
	ph_cache_drain(cache->cache, true);
	if (ph_door_is_checked(cache))
		ph_check_scan(cache, _RET_IP_);
	ph_cache_release_empty(cache->cache, 0, U32_MAX);
	ph_region_trim(&heap->region);
	left = !!READ_ONCE(cache->cache->nr_slabs);
	up_read(&heap->sem);
	return left;
}
EXPORT_SYMBOL_GPL(privheap_cache_shrink);

/**
 * privheap_cache_size() - the size of an object
 * @cache: the cache
 *
 * Context: any.
 * Return: bytes, as the cache was created with.
 */
unsigned int privheap_cache_size(const struct privheap_cache *cache)
{
	return cache->cache->type->max_bytes;
}
EXPORT_SYMBOL_GPL(privheap_cache_size);

/**
 * privheap_cache_stat() - a cache in numbers
 * @cache: the cache
 * @stat: (out)
 *
 * Context: any.
 */
void privheap_cache_stat(struct privheap_cache *cache,
			 struct privheap_cache_stat *stat)
{
	struct ph_cache_stat s;

	ph_cache_get_stat(cache->cache, &s);
	stat->objects = s.count.allocs - s.count.frees;
	stat->slots = s.slots;
	stat->promised = s.promised;
	stat->slabs = s.slabs;
	stat->empty_slabs = s.empty;
	stat->bytes = s.pages << PAGE_SHIFT;
	stat->metadata_bytes = s.meta_bytes;
	stat->allocs = s.count.allocs;
	stat->frees = s.count.frees;
	stat->depot_loads = s.count.depot_hits;
	stat->slab_loads = s.count.slab_allocs;
	stat->errors = atomic64_read(&cache->errors);
}
EXPORT_SYMBOL_GPL(privheap_cache_stat);

/**
 * privheap_owns() - whether an address lies in memory of a cache
 * @obj: any address
 *
 * Context: any.
 */
bool privheap_owns(const void *obj)
{
	struct ph_slab *slab;
	bool owns;

	rcu_read_lock();
	owns = ph_slab_owns(obj, &slab);
	rcu_read_unlock();
	return owns;
}
EXPORT_SYMBOL_GPL(privheap_owns);
