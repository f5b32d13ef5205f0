// SPDX-License-Identifier: GPL-2.0
/* What a hardened heap found; see harden.h. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "harden.h"

/**
 * ph_harden_found() - somebody wrote to an object after it was freed
 * @heap: the heap
 * @slab: its slab
 * @slot: its place
 *
 * It is told, and mended.
 *
 * Context: any in which the slab stays.
 */
void ph_harden_found(struct ph_heap *heap, struct ph_slab *slab, u32 slot)
{
	void *at = slab->addr + (size_t)slot * slab->stride;
	const void *byte = memchr_inv(at, 0, slab->cache->size);
	u64 offset = slab->start + (u64)slot * slab->stride;

	atomic64_inc(&heap->written_after_free);
	pr_warn_ratelimited("heap %u of %s[%d]: an object of type %s at offset %#llx was written to after it was freed, at byte %td of %u\n",
			    heap->id, heap->comm, heap->pid,
			    slab->cache->type->name, offset,
			    byte ? byte - at : 0, slab->cache->size);
	memset(at, 0, slab->cache->size);
}
EXPORT_SYMBOL_IF_KUNIT(ph_harden_found);
