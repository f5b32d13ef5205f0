/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reserve: the pages of the whole module.
 *
 * Pages that were set aside when the module was loaded come first; what they
 * cannot serve comes from the page allocator. All runs are contiguous, all
 * pages are ordinary ones with a reference count each, and all are zero when
 * they are handed out.
 */
#ifndef _PH_RESERVE_H
#define _PH_RESERVE_H

#include <linux/gfp.h>
#include <linux/types.h>

/* Bit of page_private() of a page that was set aside when the module was loaded. */
#define PH_RESERVE_MARK		1UL

/* The longest run that one call hands out. */
#define PH_RUN_MAX_ORDER	9
#define PH_RUN_MAX_PAGES	512U

/**
 * struct ph_reserve_stat - the module's memory as it stands
 * @held_bytes: charged by all heaps, pages and metadata
 * @metadata_bytes: of which metadata
 * @pages: pages in use by heaps
 * @reserve_pages: pages set aside when the module was loaded
 * @reserve_free_pages: of which no heap uses
 * @max_bytes: the most that @held_bytes may be
 */
struct ph_reserve_stat {
	u64 held_bytes;
	u64 metadata_bytes;
	u64 pages;
	u64 reserve_pages;
	u64 reserve_free_pages;
	u64 max_bytes;
};

int ph_reserve_init(unsigned long pages);
void ph_reserve_exit(void);

void *ph_reserve_take(unsigned int pages, gfp_t gfp, bool *from_reserve);
void ph_reserve_put(void *addr, unsigned int pages);
struct page *ph_reserve_take_unit(gfp_t gfp);
void ph_reserve_put_unit(struct page *unit);
bool ph_reserve_sweep_units(void);
bool ph_reserve_owns(const void *addr);
bool ph_reserve_is_held(const void *addr, unsigned int pages);

int ph_reserve_charge(u64 bytes);
void ph_reserve_uncharge(u64 bytes);
void ph_reserve_add_metadata(s64 bytes);

void ph_reserve_set_max(u64 bytes);
void ph_reserve_get_stat(struct ph_reserve_stat *stat);

#endif /* _PH_RESERVE_H */
