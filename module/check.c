// SPDX-License-Identifier: GPL-2.0
/* Caches that look for mistakes of their users; see check.h. */

#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "check.h"
#include "door.h"
#include "report.h"

/* The least that a red zone has. */
#define PH_RED_BYTES	8

/**
 * ph_check_layout() - where the parts of a slot lie
 * @lay: (out)
 * @flags: PRIVHEAP_CACHE_* bits
 * @size: of an object, bytes
 * @align: of an object, a power of two, at least 8
 *
 * Context: any.
 */
void ph_check_layout(struct ph_check_layout *lay, u32 flags, u32 size,
		     u32 align)
{
	u32 red = flags & PRIVHEAP_CACHE_RED_ZONE ? PH_RED_BYTES : 0;

	lay->size = size;
	lay->guard_end = red ? ALIGN(size, sizeof(u64)) + red : size;
	lay->tracks = ALIGN(lay->guard_end, sizeof(u64));
	lay->before = lay->tracks;
	if (flags & PRIVHEAP_CACHE_TRACK)
		lay->before += PH_TRACKS * sizeof(struct ph_track);
	lay->end = ALIGN(lay->before + red, align);
}
EXPORT_SYMBOL_IF_KUNIT(ph_check_layout);

/**
 * ph_check_slot_bytes() - how long a slot has to be
 * @flags: PRIVHEAP_CACHE_* bits
 * @size: of an object, bytes
 * @align: of an object
 *
 * Context: any.
 */
u32 ph_check_slot_bytes(u32 flags, u32 size, u32 align)
{
	struct ph_check_layout lay;

	if (!(flags & PRIVHEAP_CACHE_CHECK))
		return size;
	ph_check_layout(&lay, flags, size, align);
	return lay.end;
}

/**
 * ph_check_flags() - what a new cache is to look for
 * @door: the cache; its owner's wishes in it
 * @name: its name
 * @size: of its objects, bytes
 * @align: of its objects
 *
 * Beside its owner's wishes those of the checklist, as far as they can be had:
 * what a constructor or RCU readers rely on cannot be written to, and the
 * additions must not make the slot too long.
 *
 * Context: process, may sleep.
 * Return: all PRIVHEAP_CACHE_* bits of the cache.
 */
u32 ph_check_flags(const struct privheap_cache *door, const char *name,
		   u32 size, u32 align)
{
	u32 flags = door->flags | ph_checklist_flags(name);

	if (door->ctor || (flags & PRIVHEAP_CACHE_TYPESAFE_BY_RCU))
		flags &= ~PRIVHEAP_CACHE_POISON;
	if (ph_check_slot_bytes(flags, size, align) > PH_SLOT_MAX)
		flags &= ~PRIVHEAP_CACHE_TRACK;
	if (ph_check_slot_bytes(flags, size, align) > PH_SLOT_MAX)
		flags &= ~PRIVHEAP_CACHE_RED_ZONE;
	if (flags & PRIVHEAP_CACHE_TRACK)
		ph_track_init();
	return flags;
}

static void ph_check_layout_of(struct ph_check_layout *lay,
			       const struct privheap_cache *door)
{
	const struct ph_type *type = door->cache->type;

	ph_check_layout(lay, door->flags, type->max_bytes,
			max_t(u32, type->align, sizeof(u64)));
}

static struct ph_track *ph_check_tracks(const struct ph_check_layout *lay,
					const void *obj)
{
	return (struct ph_track *)(obj + lay->tracks);
}

/**
 * ph_check_track() - what is remembered of an object
 * @door: its cache
 * @obj: the object, in use or free
 * @which: PH_TRACK_*
 *
 * Context: any in which the slab stays.
 * Return: the record, for ph_track_get(); NULL if the cache keeps none.
 */
const struct ph_track *ph_check_track(const struct privheap_cache *door,
				      const void *obj, int which)
{
	struct ph_check_layout lay;

	if (!(door->flags & PRIVHEAP_CACHE_TRACK))
		return NULL;
	ph_check_layout_of(&lay, door);
	return &ph_check_tracks(&lay, obj)[which];
}
EXPORT_SYMBOL_IF_KUNIT(ph_check_track);

static void ph_check_poison(void *obj, u32 size)
{
	memset(obj, POISON_FREE, size - 1);
	((u8 *)obj)[size - 1] = POISON_END;
}

/**
 * ph_check_init_slab() - make the slots of a new slab what free ones are
 * @cache: a cache that checks
 * @slab: its slab, which nobody else knows yet
 *
 * Context: any.
 */
void ph_check_init_slab(struct ph_cache *cache, struct ph_slab *slab)
{
	struct privheap_cache *door = ph_door_of(cache);
	struct ph_check_layout lay;
	void *obj = slab->addr;
	u32 i;

	ph_check_layout_of(&lay, door);
	for (i = 0; i < slab->nr; i++, obj += slab->stride) {
		if (door->flags & PRIVHEAP_CACHE_POISON)
			ph_check_poison(obj, lay.size);
		memset(obj + lay.size, PH_RED_BYTE, lay.guard_end - lay.size);
		memset(obj + lay.tracks, 0, lay.before - lay.tracks);
		memset(obj + lay.before, PH_RED_BYTE, lay.end - lay.before);
		if (door->ctor)
			door->ctor(obj);
	}
}

/*
 * Whether [@from, @to) holds @want, and @last at its end. What does not is
 * reported, as one, and mended.
 */
static void ph_check_bytes(struct ph_report *report, enum ph_mistake mistake,
			   void *from, void *to, u8 want, u8 last)
{
	u8 *end = to - 1, *p = memchr_inv(from, want, (void *)end - from);

	if (likely(!p && *end == last))
		return;
	report->mistake = mistake;
	report->want = p ? want : last;
	p = p ?: end;
	report->first = (void *)p - report->addr;
	for (report->wrong = *end != last; p < end; p++)
		report->wrong += *p != want;
	ph_report(report);
	memset(from, want, (void *)end - from);
	*end = last;
}

/* The red zones around an object, the one behind the object before included. */
static void ph_check_red_zones(struct ph_report *report,
			       const struct ph_check_layout *lay)
{
	void *obj = (void *)report->addr;

	if (!(report->door->flags & PRIVHEAP_CACHE_RED_ZONE))
		return;
	ph_check_bytes(report, PH_WRITE_BEHIND, obj + lay->size,
		       obj + lay->guard_end, PH_RED_BYTE, PH_RED_BYTE);
	if (report->slot)
		ph_check_bytes(report, PH_WRITE_BEFORE,
			       obj - (lay->end - lay->before), obj,
			       PH_RED_BYTE, PH_RED_BYTE);
}

static void ph_check_freed(struct ph_report *report,
			   const struct ph_check_layout *lay)
{
	void *obj = (void *)report->addr;

	if (report->door->flags & PRIVHEAP_CACHE_POISON)
		ph_check_bytes(report, PH_WRITE_FREED, obj, obj + lay->size,
			       POISON_FREE, POISON_END);
}

static bool ph_check_zeroes(const struct privheap_cache *door, gfp_t gfp)
{
	if (gfp & __GFP_ZERO)
		return door->zero_words;
	if (door->flags & PRIVHEAP_CACHE_ZERO)
		return true;
	/* As SLUB has it: poison instead of what init_on_alloc= would do. */
	return door->init_words && !(door->flags & PRIVHEAP_CACHE_POISON);
}

/**
 * ph_check_hand_out() - a slot becomes an object
 * @door: a cache that checks
 * @obj: one of its slots, just taken from its slab
 * @gfp: as for kmem_cache_alloc()
 * @caller: return address into the module that allocates
 *
 * Context: as privheap_cache_alloc().
 */
void ph_check_hand_out(struct privheap_cache *door, void *obj, gfp_t gfp,
		       unsigned long caller)
{
	struct ph_slab *slab = ph_slab_of_address(obj);
	struct ph_report report = {
		.door = door, .caller = caller, .addr = obj, .slab = slab,
	};
	struct ph_check_layout lay;

	ph_slab_slot(slab, obj - slab->addr, &report.slot);
	ph_check_layout_of(&lay, door);
	ph_check_freed(&report, &lay);
	ph_check_red_zones(&report, &lay);
	if (door->flags & PRIVHEAP_CACHE_TRACK)
		ph_track_set(&ph_check_tracks(&lay, obj)[PH_TRACK_ALLOC],
			     caller);
	if (ph_check_zeroes(door, gfp))
		memset(obj, 0, lay.size);
	else if (door->flags & PRIVHEAP_CACHE_POISON)
		memset(obj, POISON_INUSE, lay.size);
	set_bit(report.slot, slab->live);
}

/* Find the object; from here on whoever frees it, too, comes too late. */
static bool ph_check_claim(struct ph_report *report)
{
	const void *obj = report->addr;
	struct ph_slab *slab = NULL;
	bool mine;

	rcu_read_lock();
	mine = ph_slab_owns(obj, &slab) && ph_door_of(slab->cache) == report->door &&
	       ph_slab_slot(slab, obj - slab->addr, &report->slot) &&
	       report->slot < slab->nr &&
	       test_and_clear_bit(report->slot, slab->live);
	rcu_read_unlock();
	report->slab = slab;
	return mine;
}

/**
 * ph_check_take_back() - an object becomes a slot
 * @door: a cache that checks
 * @obj: what is to be freed
 * @caller: return address into the module that frees
 *
 * Context: as privheap_cache_free().
 * Return: whether it was an object of the cache; then the slot is for the caller
 * to give to the slab.
 */
bool ph_check_take_back(struct privheap_cache *door, void *obj,
			unsigned long caller)
{
	struct ph_report report = {
		.door = door, .caller = caller, .addr = obj,
	};
	struct ph_check_layout lay;

	if (unlikely(!ph_check_claim(&report))) {
		ph_report_free(door, obj, caller);
		return false;
	}
	ph_check_layout_of(&lay, door);
	ph_check_red_zones(&report, &lay);
	if (door->flags & PRIVHEAP_CACHE_TRACK)
		ph_track_set(&ph_check_tracks(&lay, obj)[PH_TRACK_FREE],
			     caller);
	if (door->flags & PRIVHEAP_CACHE_POISON)
		ph_check_poison(obj, lay.size);
	else if (door->flags & PRIVHEAP_CACHE_ZERO)
		memset(obj, 0, lay.size);
	else if (want_init_on_free() && !door->ctor &&
		 !(door->flags & PRIVHEAP_CACHE_TYPESAFE_BY_RCU))
		memset(obj, 0, lay.size);
	return true;
}

static void ph_check_slab(struct privheap_cache *door, struct ph_slab *slab,
			  unsigned long caller)
{
	struct ph_report report = {
		.door = door, .caller = caller, .slab = slab,
	};
	struct ph_check_layout lay;

	lockdep_assert_held(&door->cache->lock);
	ph_check_layout_of(&lay, door);
	for (; report.slot < slab->nr; report.slot++) {
		report.addr = slab->addr + (size_t)report.slot * slab->stride;
		if (ph_slab_is_free(slab, report.slot))
			ph_check_freed(&report, &lay);
		ph_check_red_zones(&report, &lay);
	}
}

static u32 ph_check_list_length(struct ph_cache *cache, struct list_head *list)
{
	struct list_head *p;
	unsigned long flags;
	u32 nr = 0;

	spin_lock_irqsave(&cache->lock, flags);
	list_for_each(p, list)
		nr++;
	spin_unlock_irqrestore(&cache->lock, flags);
	return nr;
}

/* One slab at a time, so that nobody has to wait for long; all, while all stay. */
static void ph_check_scan_list(struct privheap_cache *door,
			       struct list_head *list, unsigned long caller)
{
	struct ph_cache *cache = door->cache;
	u32 nr = ph_check_list_length(cache, list);
	struct ph_slab *slab;
	unsigned long flags;

	while (nr--) {
		spin_lock_irqsave(&cache->lock, flags);
		slab = list_first_entry_or_null(list, struct ph_slab, list);
		if (slab) {
			ph_check_slab(door, slab, caller);
			list_move_tail(&slab->list, list);
		}
		spin_unlock_irqrestore(&cache->lock, flags);
		cond_resched();
	}
}

/**
 * ph_check_scan() - look at all of a cache's memory
 * @door: a cache that checks
 * @caller: return address into the module that wants it
 *
 * Context: process, may sleep.
 */
void ph_check_scan(struct privheap_cache *door, unsigned long caller)
{
	struct ph_cache *cache = door->cache;
	int i;

	for (i = 0; i < PH_FULLNESS; i++)
		ph_check_scan_list(door, &cache->partial[i], caller);
	ph_check_scan_list(door, &cache->full, caller);
	ph_check_scan_list(door, &cache->empty, caller);
}
