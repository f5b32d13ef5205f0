/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Harden: what a hardened heap looks for when it uses a place again.
 *
 * A free slot is zero: pages come zeroed, and freed objects are overwritten. So is
 * an idle span.
 */
#ifndef _PH_HARDEN_H
#define _PH_HARDEN_H

#include "heap.h"

void ph_harden_found(struct ph_heap *heap, struct ph_slab *slab, u32 slot);
void ph_harden_check_span(struct ph_heap *heap, struct ph_slab *slab);

/* A slot that is about to serve an object. */
static inline void ph_harden_check(struct ph_heap *heap, struct ph_slab *slab,
				   u32 slot)
{
	const void *at = slab->addr + (size_t)slot * slab->stride;

	if (unlikely(memchr_inv(at, 0, slab->cache->size)))
		ph_harden_found(heap, slab, slot);
}

#endif /* _PH_HARDEN_H */
