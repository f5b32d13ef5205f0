/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door: the slow half of the kernel door's allocations and frees; the fast half
 * is in line in <linux/privheap.h>. What creates and ends its heaps and caches is
 * in api.c.
 */
#ifndef _PH_DOOR_H
#define _PH_DOOR_H

#include "heap.h"

/* The heap behind what other modules hold. */
static inline struct ph_heap *ph_door_heap(struct privheap *heap)
{
	return (struct ph_heap *)heap;
}

/* What the kernel door gave out for a cache by address. */
static inline struct privheap_cache *ph_door_of(const struct ph_cache *cache)
{
	return (struct privheap_cache *)cache->geo.owner;
}

static inline const char *ph_door_name(const struct privheap_cache *cache)
{
	return cache->cache->type->name;
}

void ph_door_refused(struct ph_cache *cache, u64 round);
void ph_door_damaged(struct ph_cache *cache, struct ph_slab *slab, u32 slot,
		     u32 lost);

#endif /* _PH_DOOR_H */
