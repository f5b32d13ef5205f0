// SPDX-License-Identifier: GPL-2.0
/* The pages of the whole module; see reserve.h. */

#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <kunit/visibility.h>

#include "region.h"
#include "count.h"
#include "reserve.h"
#include "unit.h"

static struct gen_pool *ph_pool;
static u64 ph_pool_pages;

/* What all heaps have charged, and the most that they may. */
static atomic64_t ph_held_bytes = ATOMIC64_INIT(0);
static atomic64_t ph_metadata_bytes = ATOMIC64_INIT(0);
static atomic64_t ph_pages = ATOMIC64_INIT(0);
static u64 ph_max_bytes = U64_MAX;

/*
 * Pages of the reserve that came back while somebody else still has them, such
 * as I/O to an object that a program had mapped: they wait until it is through.
 */
static LIST_HEAD(ph_limbo);
static unsigned long ph_limbo_pages;
static DEFINE_SPINLOCK(ph_limbo_lock);

/*
 * Units in the same state. One page of it keeps 2 MiB from everybody else, so they
 * count as the module's until they are free: else a program could have any number.
 */
static LIST_HEAD(ph_limbo_units);
static unsigned long ph_limbo_nr_units;

/* How many of them are looked at in one go. */
#define PH_SWEEP	64UL

static int ph_pool_add_block(unsigned int order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page = alloc_pages(gfp, order);
	unsigned int i;
	int err;

	if (!page)
		return -ENOMEM;
	split_page(page, order);
	for (i = 0; i < 1U << order; i++)
		set_page_private(page + i, PH_RESERVE_MARK);
	err = gen_pool_add(ph_pool, (unsigned long)page_address(page),
			   PAGE_SIZE << order, NUMA_NO_NODE);
	if (err) {
		for (i = 0; i < 1U << order; i++) {
			set_page_private(page + i, 0);
			__free_page(page + i);
		}
		return err;
	}
	ph_pool_pages += 1U << order;
	return 0;
}

/**
 * ph_reserve_is_held() - whether somebody else still has a page of a run
 * @addr: address of its first page
 * @pages: how many
 *
 * Nothing is mapped any more: it is I/O to what was, for example.
 *
 * Context: any.
 */
bool ph_reserve_is_held(const void *addr, unsigned int pages)
{
	const struct page *page = virt_to_page(addr);

	while (pages--)
		if (page_count(page++) != 1)
			return true;
	return false;
}

/*
 * Look at so many of the pages that wait, longest waiting first, and take back
 * what nobody else has any more. A program can have as many held as it likes.
 */
static void ph_pool_sweep(unsigned int most)
{
	struct page *page;
	unsigned long flags;

	spin_lock_irqsave(&ph_limbo_lock, flags);
	for (; most && !list_empty(&ph_limbo); most--) {
		page = list_first_entry(&ph_limbo, struct page, lru);
		if (ph_reserve_is_held(page_address(page), 1)) {
			list_move_tail(&page->lru, &ph_limbo);
			continue;
		}
		list_del(&page->lru);
		ph_limbo_pages--;
		gen_pool_free(ph_pool, (unsigned long)page_address(page),
			      PAGE_SIZE);
	}
	spin_unlock_irqrestore(&ph_limbo_lock, flags);
}

/* The same with all of them, for those who can wait. */
static void ph_pool_sweep_all(void)
{
	unsigned long left = READ_ONCE(ph_limbo_pages);

	for (; left; left -= min(left, PH_SWEEP)) {
		ph_pool_sweep(PH_SWEEP);
		cond_resched();
	}
}

static void ph_unit_free(struct page *unit)
{
	atomic64_sub(PH_UNIT_PAGES, &ph_pages);
	ph_reserve_uncharge(PH_UNIT_BYTES);
	put_page(unit);
}

static void ph_unit_free_list(struct list_head *units)
{
	struct page *unit, *next;

	list_for_each_entry_safe(unit, next, units, lru) {
		list_del(&unit->lru);
		ph_unit_free(unit);
	}
}

/* As ph_pool_sweep(), for units; they go back to the page allocator. */
static void ph_unit_sweep(unsigned int most)
{
	unsigned long flags;
	struct page *unit;
	LIST_HEAD(gone);

	spin_lock_irqsave(&ph_limbo_lock, flags);
	for (; most && !list_empty(&ph_limbo_units); most--) {
		unit = list_first_entry(&ph_limbo_units, struct page, lru);
		if (ph_reserve_is_held(page_address(unit), 1)) {
			list_move_tail(&unit->lru, &ph_limbo_units);
			continue;
		}
		list_move(&unit->lru, &gone);
		WRITE_ONCE(ph_limbo_nr_units, ph_limbo_nr_units - 1);
	}
	spin_unlock_irqrestore(&ph_limbo_lock, flags);
	ph_unit_free_list(&gone);
}

/**
 * ph_reserve_sweep_units() - let units go that nobody else has any more
 *
 * Context: process, may sleep.
 * Return: whether some are left.
 */
bool ph_reserve_sweep_units(void)
{
	unsigned long left = READ_ONCE(ph_limbo_nr_units);

	for (; left; left -= min(left, PH_SWEEP)) {
		ph_unit_sweep(PH_SWEEP);
		cond_resched();
	}
	return READ_ONCE(ph_limbo_nr_units);
}

static void ph_pool_put(void *addr, unsigned int pages)
{
	struct page *page = virt_to_page(addr);
	unsigned long flags;

	if (likely(!ph_reserve_is_held(addr, pages))) {
		gen_pool_free(ph_pool, (unsigned long)addr,
			      (size_t)pages << PAGE_SHIFT);
		return;
	}
	spin_lock_irqsave(&ph_limbo_lock, flags);
	ph_limbo_pages += pages;
	while (pages--)
		list_add(&page++->lru, &ph_limbo);
	spin_unlock_irqrestore(&ph_limbo_lock, flags);
	ph_pool_sweep(PH_SWEEP);
}

static void ph_pool_free_chunk(struct gen_pool *pool,
			       struct gen_pool_chunk *chunk, void *data)
{
	unsigned long addr;

	for (addr = chunk->start_addr; addr < chunk->end_addr;
	     addr += PAGE_SIZE) {
		set_page_private(virt_to_page((void *)addr), 0);
		free_page(addr);
	}
}

/**
 * ph_reserve_init() - set pages aside for all heaps to come
 * @pages: how many; 0 for none
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM with nothing set aside.
 */
int ph_reserve_init(unsigned long pages)
{
	unsigned int order = PH_RUN_MAX_ORDER;
	int err = 0;

	if (!pages)
		return 0;
	ph_pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!ph_pool)
		return -ENOMEM;
	while (ph_pool_pages < pages) {
		while (order && (1UL << order) > pages - ph_pool_pages)
			order--;
		err = ph_pool_add_block(order);
		if (err && !order)
			break;
		if (err)
			order--;
	}
	if (ph_pool_pages < pages) {
		ph_reserve_exit();
		return err;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_init);

/**
 * ph_reserve_exit() - give the reserve back; no heap may be left
 *
 * Context: process, may sleep.
 */
void ph_reserve_exit(void)
{
	struct page *page, *next;
	LIST_HEAD(units);

	/* What somebody still has is his alone from now on. */
	spin_lock_irq(&ph_limbo_lock);
	list_splice_init(&ph_limbo_units, &units);
	WRITE_ONCE(ph_limbo_nr_units, 0);
	spin_unlock_irq(&ph_limbo_lock);
	ph_unit_free_list(&units);
	if (!ph_pool)
		return;
	list_for_each_entry_safe(page, next, &ph_limbo, lru)
		gen_pool_free(ph_pool, (unsigned long)page_address(page),
			      PAGE_SIZE);
	INIT_LIST_HEAD(&ph_limbo);
	ph_limbo_pages = 0;
	gen_pool_for_each_chunk(ph_pool, ph_pool_free_chunk, NULL);
	gen_pool_destroy(ph_pool);
	ph_pool = NULL;
	ph_pool_pages = 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_exit);

static void *ph_pool_take(unsigned int pages)
{
	unsigned long addr;
	unsigned int i;

	if (!ph_pool)
		return NULL;
	if (unlikely(!list_empty_careful(&ph_limbo)))
		ph_pool_sweep(PH_SWEEP);
	addr = gen_pool_alloc(ph_pool, (size_t)pages << PAGE_SHIFT);
	if (!addr)
		return NULL;
	for (i = 0; i < pages; i++)
		clear_page((void *)(addr + ((size_t)i << PAGE_SHIFT)));
	return (void *)addr;
}

static void *ph_system_take(unsigned int pages, gfp_t gfp)
{
	unsigned int order = get_order((size_t)pages << PAGE_SHIFT);
	struct page *page;
	unsigned int i;

	/* Long runs are a wish: who needs one takes shorter ones instead. */
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		gfp = (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY;
	page = alloc_pages(gfp | __GFP_ZERO, order);
	if (!page)
		return NULL;
	split_page(page, order);
	/* The allocator leaves in it what earlier owners left. */
	for (i = 0; i < 1U << order; i++)
		set_page_private(page + i, 0);
	for (i = pages; i < 1U << order; i++)
		__free_page(page + i);
	return page_address(page);
}

/**
 * ph_reserve_take() - take a run of zeroed pages
 * @pages: length of the run, 1 to PH_RUN_MAX_PAGES
 * @gfp: as for alloc_pages()
 * @from_reserve: (out) whether the reserve served it
 *
 * The pages are charged to the active memory cgroup, those of the reserve
 * excepted: they belong to the machine since the module was loaded.
 *
 * Context: as @gfp says.
 * Return: kernel address, or NULL.
 */
void *ph_reserve_take(unsigned int pages, gfp_t gfp, bool *from_reserve)
{
	void *addr = ph_pool_take(pages);

	*from_reserve = addr;
	if (!addr)
		addr = ph_system_take(pages, gfp);
	if (addr)
		atomic64_add(pages, &ph_pages);
	return addr;
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_take);

/**
 * ph_reserve_owns() - whether a page that a heap holds is the reserve's
 * @addr: address of a page from ph_reserve_take()
 *
 * Context: any.
 */
bool ph_reserve_owns(const void *addr)
{
	return page_private(virt_to_page(addr)) & PH_RESERVE_MARK;
}

/**
 * ph_reserve_put() - give a run, or a part of one, back
 * @addr: address of its first page
 * @pages: how many
 *
 * Context: any.
 */
void ph_reserve_put(void *addr, unsigned int pages)
{
	unsigned int i;

	atomic64_sub(pages, &ph_pages);
	if (ph_reserve_owns(addr)) {
		ph_pool_put(addr, pages);
		return;
	}
	for (i = 0; i < pages; i++)
		free_page((unsigned long)addr + ((size_t)i << PAGE_SHIFT));
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_put);

/**
 * ph_reserve_take_unit() - take a unit of zeroed pages
 * @gfp: as for alloc_pages()
 *
 * It is a wish, and pages that are set aside come first: they are no units.
 *
 * Context: as @gfp says.
 * Return: its first page, or NULL.
 */
struct page *ph_reserve_take_unit(gfp_t gfp)
{
	struct page *unit;

	if (!ph_unit_any() || (ph_pool && gen_pool_avail(ph_pool)))
		return NULL;
	gfp = (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY;
	unit = alloc_pages(gfp | __GFP_ZERO | __GFP_COMP, PH_UNIT_ORDER);
	if (!unit)
		return NULL;
	set_page_private(unit, 0);
	atomic64_add(PH_UNIT_PAGES, &ph_pages);
	return unit;
}

/**
 * ph_reserve_put_unit() - give a unit back, and its charge
 * @unit: its first page
 *
 * Both wait where somebody else still has it.
 *
 * Context: any.
 */
void ph_reserve_put_unit(struct page *unit)
{
	unsigned long flags;

	if (likely(!ph_reserve_is_held(page_address(unit), 1))) {
		ph_unit_free(unit);
		return;
	}
	spin_lock_irqsave(&ph_limbo_lock, flags);
	list_add_tail(&unit->lru, &ph_limbo_units);
	WRITE_ONCE(ph_limbo_nr_units, ph_limbo_nr_units + 1);
	spin_unlock_irqrestore(&ph_limbo_lock, flags);
	ph_unit_sweep(PH_SWEEP);
}

/**
 * ph_reserve_charge() - count bytes against the module's maximum
 * @bytes: how many
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
int ph_reserve_charge(u64 bytes)
{
	u64 held, max = READ_ONCE(ph_max_bytes);
	int err = ph_count_charge(&ph_held_bytes, bytes, max, &held);

	if (likely(!err) || !READ_ONCE(ph_limbo_nr_units))
		return err;
	ph_unit_sweep(PH_SWEEP);
	return ph_count_charge(&ph_held_bytes, bytes, max, &held);
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_charge);

/**
 * ph_reserve_uncharge() - undo ph_reserve_charge()
 * @bytes: how many
 *
 * Context: any.
 */
void ph_reserve_uncharge(u64 bytes)
{
	atomic64_sub(bytes, &ph_held_bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_uncharge);

/**
 * ph_reserve_add_metadata() - tell that some of what is charged is metadata
 * @bytes: how many more, or fewer
 *
 * Context: any.
 */
void ph_reserve_add_metadata(s64 bytes)
{
	atomic64_add(bytes, &ph_metadata_bytes);
}

/**
 * ph_reserve_set_max() - the most bytes that all heaps together may hold
 * @bytes: new maximum; what is held already stays
 *
 * Context: any.
 */
void ph_reserve_set_max(u64 bytes)
{
	WRITE_ONCE(ph_max_bytes, bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_set_max);

/**
 * ph_reserve_get_stat() - the module's memory as it stands
 * @stat: (out)
 *
 * Context: process.
 */
void ph_reserve_get_stat(struct ph_reserve_stat *stat)
{
	ph_reserve_sweep_units();
	stat->held_bytes = atomic64_read(&ph_held_bytes);
	stat->metadata_bytes = atomic64_read(&ph_metadata_bytes);
	stat->pages = atomic64_read(&ph_pages);
	stat->reserve_pages = ph_pool_pages;
	stat->max_bytes = READ_ONCE(ph_max_bytes);
	stat->reserve_free_pages = 0;
	ph_pool_sweep_all();
	if (ph_pool)
		stat->reserve_free_pages = gen_pool_avail(ph_pool) >> PAGE_SHIFT;
}
EXPORT_SYMBOL_IF_KUNIT(ph_reserve_get_stat);
