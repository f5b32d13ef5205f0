/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Report: what the kernel log says of mistakes that other modules make.
 */
#ifndef _PH_REPORT_H
#define _PH_REPORT_H

#include <linux/privheap.h>

#include "slab.h"

/**
 * enum ph_mistake - what somebody did
 * @PH_DOUBLE_FREE: freed an object that is free
 * @PH_FOREIGN_FREE: freed an object of another cache
 * @PH_INTERIOR_FREE: freed what no object of the cache begins at
 * @PH_WILD_FREE: freed what is no memory of any cache
 * @PH_WRITE_BEHIND: wrote to the red zone behind an object
 * @PH_WRITE_BEFORE: wrote to the red zone before an object
 * @PH_WRITE_FREED: wrote to an object that was free
 * @PH_WRITE_LINK: wrote to a small object that was free, and over the link in it
 * @PH_OBJECTS_LEFT: ended a cache that has objects
 */
enum ph_mistake {
	PH_DOUBLE_FREE,
	PH_FOREIGN_FREE,
	PH_INTERIOR_FREE,
	PH_WILD_FREE,
	PH_WRITE_BEHIND,
	PH_WRITE_BEFORE,
	PH_WRITE_FREED,
	PH_WRITE_LINK,
	PH_OBJECTS_LEFT,
};

/* Objects left that are named. */
#define PH_LEFT_MAX	8

/**
 * struct ph_left - the first objects that are left
 * @nr: how many
 * @obj: the objects
 * @slab: where each lies
 */
struct ph_left {
	u32 nr;
	const void *obj[PH_LEFT_MAX];
	struct ph_slab *slab[PH_LEFT_MAX];
};

/**
 * struct ph_report - one mistake
 * @mistake: what it is
 * @door: the cache that it happened to
 * @caller: return address into the module that called when it was found
 * @addr: the object; or the address that was freed
 * @now: when it was, in ns of the monotonic clock; set by ph_report()
 * @slab: where it lies; NULL if in none
 * @slot: the slot there; @slab->nr for what is behind the last one
 * @first: (overwritten) first wrong byte, counted from the object
 * @wrong: (overwritten) how many are wrong
 * @want: (overwritten) what should be there
 * @nr_lost: (link) slots that are lost with it
 * @nr_left: (objects left) how many
 * @left: (objects left) the first of them
 */
struct ph_report {
	enum ph_mistake mistake;
	struct privheap_cache *door;
	unsigned long caller;
	const void *addr;
	u64 now;
	struct ph_slab *slab;
	u32 slot;
	int first;
	u32 wrong;
	u8 want;
	u32 nr_lost;
	u64 nr_left;
	const struct ph_left *left;
};

typedef bool (*ph_report_fn)(const struct ph_report *report);

#if IS_ENABLED(CONFIG_KUNIT)
/* For tests: returns whether it takes the report, which is then not printed. */
extern ph_report_fn ph_report_hook;
#endif

void ph_report(struct ph_report *report);
void ph_report_free(struct privheap_cache *door, const void *addr,
		    unsigned long caller);
void ph_report_link(struct privheap_cache *door, struct ph_slab *slab,
		    u32 slot, u32 lost, unsigned long caller);
void ph_report_left(struct privheap_cache *door, u64 nr,
		    unsigned long caller);

#endif /* _PH_REPORT_H */
