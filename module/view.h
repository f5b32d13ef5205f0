/* SPDX-License-Identifier: GPL-2.0 */
/*
 * View: what programs have mapped of a region, and how it is taken away again.
 *
 * There is no list of mappings: the kernel keeps one for each address space of
 * a file, and each heap has an address space of its own.
 */
#ifndef _PH_VIEW_H
#define _PH_VIEW_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/privheap.h>

struct ph_region;

/**
 * struct ph_view - see above
 * @mapping: all mappings of the heap's file, and what its pages belong to while
 *	they may be mapped
 * @inode: stands for the region since it was first mapped, or NULL
 * @sem: held for reading while a page fault puts pages in place
 * @active: the region was mapped at least once
 * @has_slab_map: the slab map has pages
 * @making: serialises making pages of the slab map
 * @lock: guards their content
 * @slab_map: those pages, by their number in the map
 * @stat: the statistics page, once somebody mapped it
 * @faults: page faults served
 * @pages: pages put in place
 * @units: units put in place as a whole
 * @refused: accesses to where no page may be
 *
 * @active and @has_slab_map are set once, before what they stand for is there,
 * and read after what is to be told was changed: of a change and a mapping that
 * come at the same time, at least one sees the other.
 */
struct ph_view {
	struct address_space mapping;
	struct inode *inode;
	struct rw_semaphore sem;
	bool active;
	bool has_slab_map;
	struct mutex making;
	spinlock_t lock;
	struct xarray slab_map;
	struct privheap_stat_page *stat;
	atomic64_t faults;
	atomic64_t pages;
	atomic64_t units;
	atomic64_t refused;
};

void ph_view_init(struct ph_view *view);
void ph_view_exit(struct ph_region *region);
void ph_view_bind(struct ph_view *view, struct file *file);
int ph_view_activate(struct ph_region *region);
void ph_view_adopt(struct ph_view *view, struct page *page, u64 offset);
void ph_view_disown_run(struct page *page, unsigned int pages);
void ph_view_zap(struct ph_view *view, u64 start, u64 pages);

typedef void (*ph_view_fill_fn)(struct ph_region *region, u64 page,
				struct privheap_map_entry *entry);

void ph_view_note(struct ph_view *view, u64 page, unsigned long nr,
		  const struct privheap_map_entry *entry);
struct page *ph_view_slab_map_page(struct ph_region *region,
				   unsigned long index, ph_view_fill_fn fill);
int ph_view_make_stat(struct ph_region *region);

/* Pages of a run are about to serve elsewhere. */
static inline void ph_view_disown(struct ph_view *view, const void *addr,
				  unsigned int pages)
{
	if (unlikely(READ_ONCE(view->inode)))
		ph_view_disown_run(virt_to_page(addr), pages);
}

/* The statistics page, if somebody mapped it. */
static inline struct privheap_stat_page *ph_view_stat(struct ph_view *view)
{
	/* Pairs with the release in ph_view_make_stat(). */
	return smp_load_acquire(&view->stat);
}

#endif /* _PH_VIEW_H */
