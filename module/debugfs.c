// SPDX-License-Identifier: GPL-2.0
/*
 * What heaps hold, read from outside, by root: in /sys/kernel/debug/privheap
 *
 *	module	the module's memory, a "name value" per line
 *	heaps	a line per heap
 *	types	a line per heap and type in use
 *	slabs	a line per heap and slab
 *	validate	a line per heap: whether its books balance
 *
 * of key=value fields.
 */

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <uapi/linux/privheap.h>

#include "debugfs.h"
#include "dev.h"
#include "reserve.h"
#include "stat.h"
#include "supply.h"

static struct dentry *ph_debugfs_dir;

static void ph_count_heap(struct ph_heap *heap, void *data)
{
	++*(u64 *)data;
}

static int ph_module_show(struct seq_file *m, void *v)
{
	struct ph_reserve_stat stat;
	u64 heaps = 0;

	ph_heap_for_each(ph_count_heap, &heaps);
	ph_reserve_get_stat(&stat);
	seq_printf(m, "abi_version %u\n", PRIVHEAP_ABI_VERSION);
	seq_printf(m, "heaps %llu\n", heaps);
	seq_printf(m, "held_bytes %llu\n", stat.held_bytes);
	seq_printf(m, "pages %llu\n", stat.pages);
	seq_printf(m, "metadata_bytes %llu\n", stat.metadata_bytes);
	seq_printf(m, "reserve_pages %llu\n", stat.reserve_pages);
	seq_printf(m, "reserve_free_pages %llu\n", stat.reserve_free_pages);
	seq_printf(m, "max_total_bytes %llu\n", stat.max_bytes);
	seq_printf(m, "max_heap_bytes %llu\n", ph_dev_max_heap());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ph_module);

#define PH_FIELD(m, stat, member) \
	seq_printf(m, " " #member "=%llu", (u64)(stat)->member)

static void ph_show_heap(struct ph_heap *heap, void *data)
{
	struct privheap_heap_stat stat;
	struct seq_file *m = data;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	seq_printf(m, "heap=%u pid=%d held=%llu metadata=%llu peak=%llu reserve=%llu soft_max=%llu hard_max=%llu",
		   heap->id, heap->pid, stat.held_bytes, stat.metadata_bytes,
		   stat.peak_bytes, stat.reserve_bytes, stat.soft_max_bytes,
		   stat.hard_max_bytes);
	PH_FIELD(m, &stat, slabs);
	PH_FIELD(m, &stat, empty_slabs);
	PH_FIELD(m, &stat, live_objects);
	PH_FIELD(m, &stat, live_bytes);
	PH_FIELD(m, &stat, allocs);
	PH_FIELD(m, &stat, frees);
	PH_FIELD(m, &stat, magazine_hits);
	PH_FIELD(m, &stat, depot_hits);
	PH_FIELD(m, &stat, slab_allocs);
	PH_FIELD(m, &stat, fresh_allocs);
	PH_FIELD(m, &stat, pages_from_reserve);
	PH_FIELD(m, &stat, pages_from_system);
	PH_FIELD(m, &stat, pages_returned);
	PH_FIELD(m, &stat, system_requests);
	PH_FIELD(m, &stat, retyped_slabs);
	PH_FIELD(m, &stat, reclaims);
	PH_FIELD(m, &stat, moved_bytes);
	PH_FIELD(m, &stat, moved_pages);
	PH_FIELD(m, &stat, handed_objects);
	PH_FIELD(m, &stat, handed_bytes);
	PH_FIELD(m, &stat, taken);
	PH_FIELD(m, &stat, given);
	PH_FIELD(m, &stat, faults);
	PH_FIELD(m, &stat, mapped_pages);
	PH_FIELD(m, &stat, refused_faults);
	PH_FIELD(m, &stat, written_after_free);
	PH_FIELD(m, &stat, mapped_units);
	PH_FIELD(m, &stat, unit_bytes);
	seq_puts(m, " comm=");
	seq_escape(m, heap->comm, "\n\\");
	seq_putc(m, '\n');
}

static int ph_heaps_show(struct seq_file *m, void *v)
{
	ph_heap_for_each(ph_show_heap, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ph_heaps);

struct ph_show_type {
	struct seq_file *m;
	struct ph_heap *heap;
};

static void ph_show_type(struct ph_type *type, void *data)
{
	struct ph_show_type *show = data;
	struct seq_file *m = show->m;
	struct privheap_type_stat stat;

	ph_stat_type(type, &stat);
	if (!stat.size_classes)
		return;
	seq_printf(m, "heap=%u type=%u name=%s policy=%s min=%llu max=%llu align=%u size_classes=%u held=%llu metadata=%llu promised=%llu quota=%llu",
		   show->heap->id, type->id, type->name, type->policy->name,
		   type->min_bytes, type->max_bytes, type->align,
		   stat.size_classes, stat.held_bytes, stat.metadata_bytes,
		   stat.promised_objects, stat.quota_objects);
	PH_FIELD(m, &stat, slabs);
	PH_FIELD(m, &stat, empty_slabs);
	PH_FIELD(m, &stat, live_objects);
	PH_FIELD(m, &stat, live_bytes);
	PH_FIELD(m, &stat, slots);
	PH_FIELD(m, &stat, magazine_objects);
	PH_FIELD(m, &stat, allocs);
	PH_FIELD(m, &stat, frees);
	PH_FIELD(m, &stat, magazine_hits);
	PH_FIELD(m, &stat, depot_hits);
	PH_FIELD(m, &stat, slab_allocs);
	PH_FIELD(m, &stat, fresh_allocs);
	PH_FIELD(m, &stat, handed_objects);
	PH_FIELD(m, &stat, handed_bytes);
	seq_putc(m, '\n');
}

static void ph_show_types(struct ph_heap *heap, void *data)
{
	struct ph_show_type show = { .m = data, .heap = heap };

	down_read(&heap->sem);
	ph_heap_for_each_type(heap, ph_show_type, &show);
	up_read(&heap->sem);
}

static int ph_types_show(struct seq_file *m, void *v)
{
	ph_heap_for_each(ph_show_types, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ph_types);

static void ph_show_slab(struct seq_file *m, struct ph_heap *heap,
			 struct ph_slab *slab)
{
	struct ph_cache *cache = slab->cache;

	seq_printf(m, "heap=%u offset=0x%llx bytes=%llu type=%u name=%s object_bytes=%llu slots=%u taken=%u live=%u\n",
		   heap->id, slab->start, ph_slab_bytes(slab),
		   cache->type->id, cache->type->name,
		   cache->size ? (u64)slab->stride : ph_slab_bytes(slab),
		   slab->nr, READ_ONCE(slab->taken), ph_slab_live(slab));
}

static void ph_show_slabs(struct ph_heap *heap, void *data)
{
	struct ph_slab *slab;
	u64 offset = 0;

	/* A type, and so the name of a slab's type, ends under the sem only. */
	down_read(&heap->sem);
	rcu_read_lock();
	while (offset < ph_region_end(&heap->region)) {
		slab = ph_region_slab(&heap->region, offset);
		if (slab) {
			ph_show_slab(data, heap, slab);
			offset = slab->start + ph_slab_bytes(slab);
		} else {
			offset += PAGE_SIZE;
		}
	}
	rcu_read_unlock();
	up_read(&heap->sem);
}

static int ph_slabs_show(struct seq_file *m, void *v)
{
	ph_heap_for_each(ph_show_slabs, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ph_slabs);

/* A heap that somebody uses meanwhile may be found out of balance. */
static void ph_show_validate(struct ph_heap *heap, void *data)
{
	int err;

	down_read(&heap->sem);
	err = ph_supply_validate(heap);
	up_read(&heap->sem);
	seq_printf(data, "heap=%u sound=%u\n", heap->id, !err);
}

static int ph_validate_show(struct seq_file *m, void *v)
{
	ph_heap_for_each(ph_show_validate, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ph_validate);

/**
 * ph_debugfs_init() - make the files; without debugfs there are none
 *
 * Context: process, may sleep.
 */
void ph_debugfs_init(void)
{
	ph_debugfs_dir = debugfs_create_dir("privheap", NULL);
	debugfs_create_file("module", 0400, ph_debugfs_dir, NULL,
			    &ph_module_fops);
	debugfs_create_file("heaps", 0400, ph_debugfs_dir, NULL,
			    &ph_heaps_fops);
	debugfs_create_file("types", 0400, ph_debugfs_dir, NULL,
			    &ph_types_fops);
	debugfs_create_file("slabs", 0400, ph_debugfs_dir, NULL,
			    &ph_slabs_fops);
	debugfs_create_file("validate", 0400, ph_debugfs_dir, NULL,
			    &ph_validate_fops);
}

/**
 * ph_debugfs_exit() - remove the files
 *
 * Context: process, may sleep.
 */
void ph_debugfs_exit(void)
{
	debugfs_remove(ph_debugfs_dir);
}
