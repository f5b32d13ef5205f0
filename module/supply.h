/* SPDX-License-Identifier: GPL-2.0 */
/* Supply: how a heap comes by memory, keeps it, and gives it back. */
#ifndef _PH_SUPPLY_H
#define _PH_SUPPLY_H

#include "heap.h"

/* Whether an error can be mended by giving idle memory up. */
static inline bool ph_supply_short(int err)
{
	return err == -EDQUOT || err == -ENOMEM;
}

int ph_supply_setup(struct ph_heap *heap, const struct privheap_setup *setup);
struct ph_cache *ph_supply_cache(struct ph_heap *heap, struct ph_type *type,
				 u64 bytes);
int ph_supply_refill(struct ph_heap *heap, struct ph_cache *cache, bool lend);
struct ph_slab *ph_supply_span(struct ph_heap *heap, struct ph_cache *cache,
			       u32 pages, bool *clean);
int ph_supply_reserve(struct ph_heap *heap, struct ph_type *type,
		      struct privheap_reserve *req);
void ph_supply_unreserve(struct ph_type *type,
			 const struct privheap_reserve *req);
u64 ph_supply_reclaim(struct ph_heap *heap, bool may_wait);
u64 ph_supply_idle_pages(struct ph_heap *heap);
void ph_supply_tick(struct ph_heap *heap);
bool ph_supply_release_type(struct ph_type *type);
int ph_supply_validate(struct ph_heap *heap);

#endif /* _PH_SUPPLY_H */
