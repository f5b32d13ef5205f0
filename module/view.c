// SPDX-License-Identifier: GPL-2.0
/* What programs have mapped of a region; see view.h. */

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <kunit/visibility.h>

#include "host.h"
#include "region.h"

#define PH_ENTRIES	(PAGE_SIZE / sizeof(struct privheap_map_entry))

/* I/O marks pages dirty where it wrote to them; nobody will ever ask. */
static const struct address_space_operations ph_view_aops = {
	.dirty_folio	= noop_dirty_folio,
};

/**
 * ph_view_init() - nothing is mapped yet
 * @view: to initialise, zeroed
 *
 * Context: any.
 */
void ph_view_init(struct ph_view *view)
{
	address_space_init_once(&view->mapping);
	view->mapping.a_ops = &ph_view_aops;
	init_rwsem(&view->sem);
	mutex_init(&view->making);
	spin_lock_init(&view->lock);
	xa_init_flags(&view->slab_map, XA_FLAGS_ACCOUNT);
}

/**
 * ph_view_bind() - let mappings of a file be this view's
 * @view: the view
 * @file: just being opened
 *
 * The inode's own address space is common to all open files of the device, and
 * so is the inode: until the region is mapped it will do.
 *
 * Context: process.
 */
void ph_view_bind(struct ph_view *view, struct file *file)
{
	view->mapping.host = file_inode(file);
	file->f_mapping = &view->mapping;
}

/**
 * ph_view_exit() - free what the mappings needed; all of them are gone
 * @region: whose view
 *
 * Where there was an inode, somebody may be looking at the view yet who found it
 * by a page: it has to stay for a grace period.
 *
 * Context: process, may sleep.
 */
void ph_view_exit(struct ph_region *region)
{
	struct ph_view *view = &region->view;
	unsigned long index;
	struct page *page;

	xa_for_each(&view->slab_map, index, page) {
		__free_page(page);
		ph_region_meta_forget(region, PAGE_SIZE);
		cond_resched();
	}
	xa_destroy(&view->slab_map);
	if (view->stat)
		ph_region_meta_free(region, view->stat, sizeof(*view->stat));
	if (view->inode) {
		ph_region_meta_forget(region, sizeof(*view->inode));
		iput(view->inode);
	}
}

static struct inode *ph_view_new_inode(struct ph_region *region)
{
	int err = ph_region_charge_meta(region, sizeof(struct inode));
	struct mem_cgroup *old;
	struct inode *inode;

	if (err)
		return ERR_PTR(err);
	old = set_active_memcg(region->memcg);
	inode = ph_host_new();
	set_active_memcg(old);
	if (IS_ERR(inode))
		ph_region_meta_forget(region, sizeof(*inode));
	return inode;
}

static int ph_view_make_inode(struct ph_region *region)
{
	struct ph_view *view = &region->view;
	struct inode *inode;
	int err = 0;

	mutex_lock(&view->making);
	if (!view->inode) {
		inode = ph_view_new_inode(region);
		err = PTR_ERR_OR_ZERO(inode);
		if (!err) {
			WRITE_ONCE(view->mapping.host, inode);
			WRITE_ONCE(view->inode, inode);
		}
	}
	mutex_unlock(&view->making);
	return err;
}

/**
 * ph_view_activate() - the region is about to be mapped
 * @region: which
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_view_activate(struct ph_region *region)
{
	int err = ph_view_make_inode(region);

	if (err)
		return err;
	WRITE_ONCE(region->view.active, true);
	/* Pairs with the barrier in ph_view_zap(). */
	smp_mb();
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_view_activate);

/**
 * ph_view_adopt() - a page is about to be mapped
 * @view: the view
 * @page: the page
 * @offset: where it lies in the region
 *
 * By what it belongs to, and where it lies there, the kernel names futexes that
 * processes share.
 *
 * Context: the view's semaphore held.
 */
void ph_view_adopt(struct ph_view *view, struct page *page, u64 offset)
{
	unsigned long index = offset >> PAGE_SHIFT;

	/* Most are not new, and others may be looking. */
	if (READ_ONCE(page->index) != index)
		WRITE_ONCE(page->index, index);
	if (READ_ONCE(page->mapping) != &view->mapping)
		/* Who sees what it belongs to sees where. */
		smp_store_release(&page->mapping, &view->mapping);
}
EXPORT_SYMBOL_IF_KUNIT(ph_view_adopt);

/**
 * ph_view_disown_run() - pages may belong to a view no more
 * @page: the first of them
 * @pages: how many
 *
 * They are in no mapping any more. Their lock keeps those away that mark pages
 * dirty which they still have.
 *
 * Context: process, may sleep.
 */
void ph_view_disown_run(struct page *page, unsigned int pages)
{
	for (; pages--; page++) {
		if (!READ_ONCE(page->mapping))
			continue;
		lock_page(page);
		WRITE_ONCE(page->mapping, NULL);
		unlock_page(page);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_view_disown_run);

/**
 * ph_view_zap() - take pages out of all mappings
 * @view: the view
 * @start: offset of the first page
 * @pages: how many
 *
 * Faults that come from now on must not find a reason any more to put these
 * pages in place: the caller has seen to that before.
 *
 * Context: process, may sleep.
 */
void ph_view_zap(struct ph_view *view, u64 start, u64 pages)
{
	/* Pairs with the barrier in ph_view_activate(). */
	smp_mb();
	if (likely(!READ_ONCE(view->active)))
		return;
	/* Those that found one before are through after this. */
	down_write(&view->sem);
	up_write(&view->sem);
	unmap_mapping_range(&view->mapping, start, pages << PAGE_SHIFT, 1);
}
EXPORT_SYMBOL_IF_KUNIT(ph_view_zap);

/* The part of a range of entries that one page of the slab map has. */
static void ph_view_note_part(struct ph_view *view, u64 page, unsigned int nr,
			      const struct privheap_map_entry *entry)
{
	struct page *map = xa_load(&view->slab_map, page / PH_ENTRIES);
	struct privheap_map_entry *to;

	if (!map)
		return;
	to = (struct privheap_map_entry *)page_address(map) + page % PH_ENTRIES;
	spin_lock(&view->lock);
	while (nr--)
		*to++ = *entry;
	spin_unlock(&view->lock);
}

/**
 * ph_view_note() - tell the slab map what covers pages of the region
 * @view: the view
 * @page: number of the first page
 * @nr: how many
 * @entry: what covers them
 *
 * Context: process.
 */
void ph_view_note(struct ph_view *view, u64 page, unsigned long nr,
		  const struct privheap_map_entry *entry)
{
	unsigned int part;

	/* Pairs with the barrier in ph_view_slab_map_page(). */
	smp_mb();
	if (likely(!READ_ONCE(view->has_slab_map)))
		return;
	for (; nr; nr -= part, page += part) {
		part = min_t(unsigned long, nr,
			     PH_ENTRIES - page % PH_ENTRIES);
		ph_view_note_part(view, page, part, entry);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_view_note);

static struct page *ph_view_new_page(struct ph_region *region)
{
	int err = ph_region_charge_meta(region, PAGE_SIZE);
	struct mem_cgroup *old;
	struct page *page;

	if (err)
		return ERR_PTR(err);
	old = set_active_memcg(region->memcg);
	page = alloc_page(region->gfp | __GFP_ZERO);
	set_active_memcg(old);
	if (page)
		return page;
	ph_region_meta_forget(region, PAGE_SIZE);
	return ERR_PTR(-ENOMEM);
}

static int ph_view_add_page(struct ph_region *region, unsigned long index,
			    struct page *page, ph_view_fill_fn fill)
{
	struct privheap_map_entry *entry = page_address(page);
	struct ph_view *view = &region->view;
	struct mem_cgroup *old;
	unsigned int i;
	int err;

	WRITE_ONCE(view->has_slab_map, true);
	old = set_active_memcg(region->memcg);
	err = xa_insert(&view->slab_map, index, page, region->gfp);
	set_active_memcg(old);
	if (err)
		return err;
	/* Pairs with the barrier in ph_view_note(). */
	smp_mb();
	spin_lock(&view->lock);
	for (i = 0; i < PH_ENTRIES; i++)
		fill(region, index * PH_ENTRIES + i, &entry[i]);
	spin_unlock(&view->lock);
	return 0;
}

/**
 * ph_view_slab_map_page() - a page of the slab map, made if need be
 * @region: whose
 * @index: its number
 * @fill: tells what covers a page of the region now
 *
 * Context: process, may sleep.
 * Return: the page, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct page *ph_view_slab_map_page(struct ph_region *region,
				   unsigned long index, ph_view_fill_fn fill)
{
	struct ph_view *view = &region->view;
	struct page *page;
	int err;

	mutex_lock(&view->making);
	page = xa_load(&view->slab_map, index);
	if (page)
		goto out;
	page = ph_view_new_page(region);
	if (IS_ERR(page))
		goto out;
	err = ph_view_add_page(region, index, page, fill);
	if (err) {
		__free_page(page);
		ph_region_meta_forget(region, PAGE_SIZE);
		page = ERR_PTR(err);
	}
out:
	mutex_unlock(&view->making);
	return page;
}
EXPORT_SYMBOL_IF_KUNIT(ph_view_slab_map_page);

/* Whole pages, which can be mapped. */
static struct privheap_stat_page *ph_view_new_stat(struct ph_region *region)
{
	struct privheap_stat_page *stat;
	struct mem_cgroup *old;
	int err = ph_region_charge_meta(region, sizeof(*stat));

	if (err)
		return ERR_PTR(err);
	old = set_active_memcg(region->memcg);
	stat = __vmalloc(sizeof(*stat), region->gfp | __GFP_ZERO);
	set_active_memcg(old);
	if (!stat) {
		ph_region_meta_forget(region, sizeof(*stat));
		return ERR_PTR(-ENOMEM);
	}
	stat->version = 1;
	stat->types = PRIVHEAP_STAT_TYPES;
	return stat;
}

/**
 * ph_view_make_stat() - make the statistics page, unless it is there
 * @region: whose
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_view_make_stat(struct ph_region *region)
{
	struct ph_view *view = &region->view;
	struct privheap_stat_page *stat;
	int err = 0;

	mutex_lock(&view->making);
	if (!view->stat) {
		stat = ph_view_new_stat(region);
		err = PTR_ERR_OR_ZERO(stat);
		if (!err)
			/* Pairs with the acquire in ph_view_stat(). */
			smp_store_release(&view->stat, stat);
	}
	mutex_unlock(&view->making);
	return err;
}
