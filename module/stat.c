// SPDX-License-Identifier: GPL-2.0
/* What heaps and types hold, in numbers. */

#include <linux/mm.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "stat.h"
#include "unit.h"

static void ph_stat_add_type(struct ph_type *type, void *data)
{
	ph_type_stat(type, data);
}

static void ph_stat_region(struct ph_region *region,
			   struct privheap_heap_stat *stat)
{
	stat->held_bytes = atomic64_read(&region->held);
	stat->metadata_bytes = atomic64_read(&region->metadata);
	stat->peak_bytes = READ_ONCE(region->peak);
	stat->reserve_bytes = READ_ONCE(region->stock_pages) << PAGE_SHIFT;
	stat->soft_max_bytes = READ_ONCE(region->soft_max);
	stat->hard_max_bytes = READ_ONCE(region->hard_max);
	stat->pages_from_reserve = atomic64_read(&region->pages_from_reserve);
	stat->pages_from_system = atomic64_read(&region->pages_from_system);
	stat->pages_returned = atomic64_read(&region->pages_returned);
	stat->system_requests = atomic64_read(&region->system_requests);
}

/**
 * ph_stat_heap() - a heap as it stands
 * @heap: the heap
 * @stat: (out) all but its size member
 *
 * Context: process, may sleep; @heap->sem held.
 */
void ph_stat_heap(struct ph_heap *heap, struct privheap_heap_stat *stat)
{
	struct ph_cache_stat sum = {};

	memset(stat, 0, sizeof(*stat));
	ph_heap_for_each_type(heap, ph_stat_add_type, &sum);
	ph_stat_region(&heap->region, stat);
	stat->heap_id = heap->id;
	stat->types = heap->nr_types;
	stat->slabs = sum.slabs;
	stat->empty_slabs = sum.empty;
	stat->live_objects = sum.count.allocs - sum.count.frees;
	stat->live_bytes = sum.requested;
	stat->allocs = sum.count.allocs;
	stat->frees = sum.count.frees;
	stat->magazine_hits = sum.count.magazine_hits;
	stat->depot_hits = sum.count.depot_hits;
	stat->slab_allocs = sum.count.slab_allocs;
	stat->fresh_allocs = sum.count.fresh;
	stat->retyped_slabs = atomic64_read(&heap->retyped);
	stat->reclaims = atomic64_read(&heap->reclaims);
	stat->moved_bytes = atomic64_read(&heap->moved_bytes);
	stat->moved_pages = atomic64_read(&heap->moved_pages);
	stat->handed_objects = sum.handed;
	stat->handed_bytes = sum.handed_bytes;
	stat->taken = sum.taken;
	stat->given = sum.taken - sum.handed;
	stat->faults = atomic64_read(&heap->region.view.faults);
	stat->mapped_pages = atomic64_read(&heap->region.view.pages);
	stat->refused_faults = atomic64_read(&heap->region.view.refused);
	stat->written_after_free = atomic64_read(&heap->written_after_free);
	stat->mapped_units = atomic64_read(&heap->region.view.units);
	stat->unit_bytes = ph_unit_any() ? PH_UNIT_BYTES : 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_stat_heap);

/**
 * ph_stat_type() - a type as it stands
 * @type: the type
 * @stat: (out) all but its size member
 *
 * Context: process; whatever keeps the type.
 */
void ph_stat_type(struct ph_type *type, struct privheap_type_stat *stat)
{
	struct ph_cache_stat sum = {};
	u64 used;

	memset(stat, 0, sizeof(*stat));
	stat->size_classes = ph_type_stat(type, &sum);
	stat->type = type->id;
	stat->metadata_bytes = sum.meta_bytes;
	stat->held_bytes = (sum.pages << PAGE_SHIFT) + sum.meta_bytes;
	stat->slabs = sum.slabs;
	stat->empty_slabs = sum.empty;
	stat->live_objects = sum.count.allocs - sum.count.frees;
	stat->live_bytes = sum.requested;
	stat->slots = sum.slots;
	used = stat->live_objects + sum.handed;
	stat->magazine_objects = sum.slots - sum.free_slots -
				 min(used, sum.slots - sum.free_slots);
	stat->promised_objects = sum.promised;
	stat->quota_objects = type->quota;
	stat->allocs = sum.count.allocs;
	stat->frees = sum.count.frees;
	stat->magazine_hits = sum.count.magazine_hits;
	stat->depot_hits = sum.count.depot_hits;
	stat->slab_allocs = sum.count.slab_allocs;
	stat->fresh_allocs = sum.count.fresh;
	stat->handed_objects = sum.handed;
	stat->handed_bytes = sum.handed_bytes;
}
EXPORT_SYMBOL_IF_KUNIT(ph_stat_type);

/**
 * ph_stat_type_by_id() - the same for a type by its id
 * @heap: the heap
 * @stat: the id; (out) the figures
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOENT.
 */
int ph_stat_type_by_id(struct ph_heap *heap, struct privheap_type_stat *stat)
{
	struct ph_type *type;

	down_read(&heap->sem);
	type = ph_heap_type(heap, stat->type);
	if (type)
		ph_stat_type(type, stat);
	up_read(&heap->sem);
	return type ? 0 : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(ph_stat_type_by_id);
