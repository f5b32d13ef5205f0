// SPDX-License-Identifier: GPL-2.0
/* What a hardened heap found; see harden.h. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "content.h"
#include "harden.h"

static void ph_harden_tell(struct ph_heap *heap, const struct ph_slab *slab,
			   u64 offset, u64 byte, u64 bytes)
{
	atomic64_inc(&heap->written_after_free);
	pr_warn_ratelimited("heap %u of %s[%d]: an object of type %s at offset %#llx was written to after it was freed, at byte %llu of %llu\n",
			    heap->id, heap->comm, heap->pid,
			    slab->cache->type->name, offset, byte, bytes);
}

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

	ph_harden_tell(heap, slab, offset, byte ? byte - at : 0,
		       slab->cache->size);
	memset(at, 0, slab->cache->size);
}
EXPORT_SYMBOL_IF_KUNIT(ph_harden_found);

/**
 * ph_harden_check_span() - a span that was kept is about to serve an object
 * @heap: the heap
 * @slab: the span, its slot taken
 *
 * All of it is zero after that. What lies behind the longest object is nobody's:
 * a write to it proves nothing.
 *
 * Context: process, may sleep.
 */
void ph_harden_check_span(struct ph_heap *heap, struct ph_slab *slab)
{
	u64 usable = ph_content_usable(slab), first = U64_MAX;
	const void *byte;
	void *at;
	u32 i;

	for (i = 0; i < slab->nr_pages; i++) {
		at = page_address(slab->pages[i]);
		byte = memchr_inv(at, 0, PAGE_SIZE);
		if (unlikely(byte)) {
			first = min_t(u64, first,
				      ((u64)i << PAGE_SHIFT) + (byte - at));
			clear_page(at);
		}
		cond_resched();
	}
	if (unlikely(first < usable))
		ph_harden_tell(heap, slab, slab->start, first, usable);
}
