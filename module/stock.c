// SPDX-License-Identifier: GPL-2.0
/* The pages of one heap, and those that it has in stock; see region.h. */

#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <kunit/visibility.h>

#include "region.h"
#include "reserve.h"
#include "unit.h"

/*
 * A heap asks the system for steps of 1/256 of what it holds: few requests
 * when it is large, little waste when it is small.
 */
#define PH_STEP_SHIFT	8

/*
 * The stock: runs of zeroed pages, linked through their first page's lru. That
 * page's page_private() has the run's length above the bit that marks a page
 * of the module's reserve; all other pages have just the mark.
 */
static unsigned int ph_run_pages(struct page *page)
{
	return page_private(page) >> 1;
}

static void ph_run_lengthen(struct page *page, int pages)
{
	set_page_private(page, page_private(page) + ((long)pages << 1));
}

static_assert(PH_STOCK_EXACT + PH_RUN_MAX_ORDER - ilog2(PH_STOCK_EXACT) ==
	      PH_STOCK_CLASSES);

/* The list that a run belongs on. */
static unsigned int ph_stock_class(unsigned int pages)
{
	if (pages <= PH_STOCK_EXACT)
		return pages - 1;
	return PH_STOCK_EXACT - 1 + ilog2(pages / PH_STOCK_EXACT);
}

/*
 * The shortest stocked run of at least @pages: of a list where all are, so that
 * just one is looked at, however many there are.
 */
static struct page *ph_stock_find(struct ph_region *region, unsigned int pages)
{
	unsigned int i;

	lockdep_assert_held(&region->stock_lock);
	if (region->stock_pages < pages)
		return NULL;
	if (pages > PH_STOCK_EXACT)
		pages = roundup_pow_of_two(pages);
	for (i = ph_stock_class(pages); i < PH_STOCK_CLASSES; i++)
		if (!list_empty(&region->stock[i]))
			return list_first_entry(&region->stock[i], struct page,
						lru);
	return NULL;
}

static void ph_stock_add(struct ph_region *region, void *addr,
			 unsigned int pages)
{
	struct page *page = virt_to_page(addr);
	unsigned long flags;

	ph_run_lengthen(page, pages);
	spin_lock_irqsave(&region->stock_lock, flags);
	list_add(&page->lru, &region->stock[ph_stock_class(pages)]);
	region->stock_pages += pages;
	spin_unlock_irqrestore(&region->stock_lock, flags);
}

/* Cut @pages off the end of a run. */
static void *ph_run_cut(struct ph_region *region, struct page *page,
			unsigned int pages)
{
	unsigned int left = ph_run_pages(page) - pages;

	lockdep_assert_held(&region->stock_lock);
	ph_run_lengthen(page, -(int)pages);
	if (left)
		list_move(&page->lru, &region->stock[ph_stock_class(left)]);
	else
		list_del(&page->lru);
	region->stock_pages -= pages;
	return page_address(page) + ((size_t)left << PAGE_SHIFT);
}

static void *ph_stock_take(struct ph_region *region, unsigned int pages)
{
	unsigned long flags;
	void *addr = NULL;
	struct page *page;

	spin_lock_irqsave(&region->stock_lock, flags);
	page = ph_stock_find(region, pages);
	if (page)
		addr = ph_run_cut(region, page, pages);
	spin_unlock_irqrestore(&region->stock_lock, flags);
	return addr;
}

static void ph_region_release(struct ph_region *region, void *addr,
			      unsigned int pages)
{
	atomic64_add(pages, &region->pages_returned);
	ph_reserve_put(addr, pages);
	ph_region_uncharge(region, (u64)pages << PAGE_SHIFT);
}

/* Charge and take a run of exactly @pages from the module. */
static void *ph_region_request(struct ph_region *region, unsigned int pages,
			       gfp_t gfp)
{
	u64 bytes = (u64)pages << PAGE_SHIFT;
	int err = ph_region_charge(region, bytes);
	struct mem_cgroup *old;
	bool from_reserve;
	void *addr;

	if (err)
		return ERR_PTR(err);
	old = set_active_memcg(region->memcg);
	addr = ph_reserve_take(pages, gfp, &from_reserve);
	set_active_memcg(old);
	if (!addr) {
		ph_region_uncharge(region, bytes);
		return ERR_PTR(-ENOMEM);
	}
	if (from_reserve) {
		atomic64_add(pages, &region->pages_from_reserve);
	} else {
		atomic64_add(pages, &region->pages_from_system);
		atomic64_inc(&region->system_requests);
	}
	return addr;
}

/*
 * How many pages to ask for when @pages are needed: a multiple, so that what
 * is stocked fits the next slab of the kind.
 */
static unsigned int ph_region_step(struct ph_region *region,
				   unsigned int pages)
{
	u64 held = atomic64_read(&region->held);
	u64 step = held >> (PAGE_SHIFT + PH_STEP_SHIFT);

	if (held > READ_ONCE(region->soft_max))
		return pages;
	step = clamp_t(u64, step, pages, PH_RUN_MAX_PAGES);
	return rounddown((u32)step, pages);
}

/**
 * ph_region_take_run() - contiguous zeroed pages, for a slab
 * @region: the region
 * @pages: how many, 1 to PH_RUN_MAX_PAGES
 * @gfp: as for alloc_pages()
 *
 * From the region's stock first. Where the module is asked it is asked for
 * more than needed, and the rest is stocked.
 *
 * Context: as @gfp says.
 * Return: kernel address, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
void *ph_region_take_run(struct ph_region *region, unsigned int pages,
			 gfp_t gfp)
{
	unsigned int step;
	void *addr = ph_stock_take(region, pages);

	if (addr)
		return addr;
	step = ph_region_step(region, pages);
	if (step > pages) {
		addr = ph_region_request(region, step, gfp);
		if (!IS_ERR(addr)) {
			ph_stock_add(region, addr, step - pages);
			return addr + ((size_t)(step - pages) << PAGE_SHIFT);
		}
	}
	return ph_region_request(region, pages, gfp);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_take_run);

/**
 * ph_region_put_run() - give contiguous pages back
 * @region: the region
 * @addr: address of the first page
 * @pages: how many
 * @keep: whether the heap is about to need them again
 *
 * What somebody else still has, as I/O to a mapped object may, is not used again
 * before he lets it go.
 *
 * Context: any; process, may sleep, if the region was ever mapped.
 */
void ph_region_put_run(struct ph_region *region, void *addr,
		       unsigned int pages, bool keep)
{
	ph_view_disown(&region->view, addr, pages);
	if ((keep || READ_ONCE(region->stock_pages) + pages <=
		     READ_ONCE(region->stock_target)) &&
	    !(READ_ONCE(region->view.active) &&
	      ph_reserve_is_held(addr, pages))) {
		memset(addr, 0, (size_t)pages << PAGE_SHIFT);
		ph_stock_add(region, addr, pages);
		return;
	}
	ph_region_release(region, addr, pages);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_put_run);

/**
 * ph_region_take_pages() - zeroed pages, not necessarily contiguous
 * @region: the region
 * @pages: (out) array to fill
 * @nr: how many
 *
 * In runs of powers of two: of others the system zeroes more than there are. No
 * more than needed: large objects are not what there soon is another one of.
 *
 * Context: process, may sleep.
 * Return: 0; or -EDQUOT, -ENOMEM, -EINTR (killed), with nothing taken.
 */
int ph_region_take_pages(struct ph_region *region, struct page **pages,
			 unsigned long nr)
{
	unsigned int run = PH_RUN_MAX_PAGES;
	unsigned long done = 0;
	unsigned int i;
	void *addr;

	while (done < nr) {
		run = rounddown_pow_of_two(min_t(unsigned long, run,
						 nr - done));
		addr = fatal_signal_pending(current) ? ERR_PTR(-EINTR) :
						       ph_stock_take(region, run);
		if (!addr)
			addr = ph_region_request(region, run, region->gfp);
		/* The stock may still have shorter ones. */
		if (IS_ERR(addr) && addr != ERR_PTR(-EINTR) && run > 1) {
			run /= 2;
			continue;
		}
		if (IS_ERR(addr)) {
			ph_region_put_pages(region, pages, done);
			return PTR_ERR(addr);
		}
		for (i = 0; i < run; i++)
			pages[done++] = virt_to_page(addr + i * PAGE_SIZE);
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_take_pages);

/* A unit straight from the module; false where single pages have to do. */
static bool ph_region_take_unit(struct ph_region *region, struct page **pages)
{
	struct mem_cgroup *old;
	struct page *unit;
	unsigned long i;

	if (READ_ONCE(region->stock_pages) >= PH_UNIT_PAGES ||
	    fatal_signal_pending(current) ||
	    ph_region_charge(region, PH_UNIT_BYTES))
		return false;
	old = set_active_memcg(region->memcg);
	unit = ph_reserve_take_unit(region->gfp);
	set_active_memcg(old);
	if (!unit) {
		ph_region_uncharge(region, PH_UNIT_BYTES);
		return false;
	}
	atomic64_add(PH_UNIT_PAGES, &region->pages_from_system);
	atomic64_inc(&region->system_requests);
	for (i = 0; i < PH_UNIT_PAGES; i++)
		pages[i] = unit + i;
	return true;
}

static void ph_region_put_unit(struct ph_region *region, struct page *unit)
{
	ph_view_disown(&region->view, page_address(unit), 1);
	atomic64_add(PH_UNIT_PAGES, &region->pages_returned);
	atomic64_sub(PH_UNIT_BYTES, &region->held);
	ph_reserve_put_unit(unit);
}

/**
 * ph_region_take_span() - zeroed pages for a large object, or a part of it
 * @region: the region
 * @pages: (out) array of all of the object's pages
 * @from: which of them is the first to take
 * @to: which of them is the first not to take
 *
 * They are units where they can be.
 *
 * Context: process, may sleep.
 * Return: 0; or -EDQUOT, -ENOMEM, -EINTR (killed), with nothing taken.
 */
int ph_region_take_span(struct ph_region *region, struct page **pages,
			unsigned long from, unsigned long to)
{
	unsigned long at = from, next;
	bool units = ph_unit_any();
	int err;

	for (; at < to; at = next) {
		next = units ? min(to, round_up(at + 1, PH_UNIT_PAGES)) : to;
		if (units && next - at == PH_UNIT_PAGES) {
			units = ph_region_take_unit(region, pages + at);
			cond_resched();
			if (units)
				continue;
			next = to;
		}
		err = ph_region_take_pages(region, pages + at, next - at);
		if (err) {
			ph_region_put_pages(region, pages + from, at - from);
			return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_take_span);

/**
 * ph_region_put_pages() - give pages back, one by one
 * @region: the region
 * @pages: the pages; of each unit all are among them
 * @nr: how many
 *
 * Context: process.
 */
void ph_region_put_pages(struct ph_region *region, struct page **pages,
			 unsigned long nr)
{
	unsigned long i, part;

	for (i = 0; i < nr; i += part) {
		part = ph_unit_nr(pages[i]);
		if (part > 1)
			ph_region_put_unit(region, pages[i]);
		else
			ph_region_put_run(region, page_address(pages[i]), 1,
					  false);
		if (!(i % PH_SEG_PAGES))
			cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_put_pages);

/**
 * ph_region_stocked() - whether the stock has a run of so many pages
 * @region: the region
 * @pages: how many
 *
 * Context: process.
 */
bool ph_region_stocked(struct ph_region *region, unsigned int pages)
{
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&region->stock_lock, flags);
	found = ph_stock_find(region, pages);
	spin_unlock_irqrestore(&region->stock_lock, flags);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_stocked);

/**
 * ph_stock_is_sound() - whether the stock's books balance
 * @region: the region
 *
 * Context: any.
 */
bool ph_stock_is_sound(struct ph_region *region)
{
	unsigned long flags;
	struct page *page;
	unsigned int i, wrong = 0;
	u64 pages = 0;

	spin_lock_irqsave(&region->stock_lock, flags);
	for (i = 0; i < PH_STOCK_CLASSES; i++) {
		list_for_each_entry(page, &region->stock[i], lru) {
			pages += ph_run_pages(page);
			wrong += ph_stock_class(ph_run_pages(page)) != i;
		}
	}
	wrong += pages != region->stock_pages;
	spin_unlock_irqrestore(&region->stock_lock, flags);
	return !wrong;
}

/**
 * ph_region_set_reserve() - keep that many pages in stock from now on
 * @region: the region
 * @pages: how many in all
 *
 * Context: process, may sleep.
 * Return: 0; or -EDQUOT, -ENOMEM, -EINTR with the reserve as it was.
 */
int ph_region_set_reserve(struct ph_region *region, u64 pages)
{
	u64 old = region->stock_target;
	unsigned int run = PH_RUN_MAX_PAGES;
	void *addr;

	WRITE_ONCE(region->stock_target, pages);
	while (READ_ONCE(region->stock_pages) < pages) {
		run = min_t(u64, run, pages - READ_ONCE(region->stock_pages));
		run = max(run, 1U);
		addr = fatal_signal_pending(current) ?
			ERR_PTR(-EINTR) : ph_region_request(region, run, region->gfp);
		if (addr == ERR_PTR(-ENOMEM) && run > 1) {
			run /= 2;
			continue;
		}
		if (IS_ERR(addr)) {
			WRITE_ONCE(region->stock_target, old);
			ph_region_trim(region);
			return PTR_ERR(addr);
		}
		ph_stock_add(region, addr, run);
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_set_reserve);

/* Take one run beyond the target off the stock. */
static void *ph_stock_excess(struct ph_region *region, unsigned int *pages)
{
	struct page *page;
	unsigned long flags;
	void *addr = NULL;
	u64 excess;

	spin_lock_irqsave(&region->stock_lock, flags);
	if (region->stock_pages > region->stock_target) {
		excess = region->stock_pages - region->stock_target;
		/* The long ones are of more use. */
		page = ph_stock_find(region, 1);
		*pages = min_t(u64, ph_run_pages(page), excess);
		addr = ph_run_cut(region, page, *pages);
	}
	spin_unlock_irqrestore(&region->stock_lock, flags);
	return addr;
}

/**
 * ph_region_trim() - give back stocked pages that no reserve promises
 * @region: the region
 *
 * Context: process.
 * Return: bytes given back.
 */
u64 ph_region_trim(struct ph_region *region)
{
	unsigned int pages;
	u64 bytes = 0;
	void *addr;

	while ((addr = ph_stock_excess(region, &pages))) {
		ph_region_release(region, addr, pages);
		bytes += (u64)pages << PAGE_SHIFT;
	}
	return bytes;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_trim);
