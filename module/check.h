/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Check: caches of the kernel door that look for mistakes of their users.
 *
 * Such a cache has no magazines: each object comes out of its slab, and goes
 * back to it, by itself, and a live bit tells of each slot whether it is in use.
 * A slot is longer than its object:
 *
 *	| object | red zone | tracks | red zone of the next object |
 *	0        size                                         stride
 *
 * The first red zone begins at the very next byte and tells of writes behind the
 * object, the second one of writes before the next. Which of the parts there are
 * is up to the cache's flags.
 */
#ifndef _PH_CHECK_H
#define _PH_CHECK_H

#include <linux/privheap.h>

#include "slab.h"
#include "track.h"

/* What red zones hold. */
#define PH_RED_BYTE	0xcc

/* Events of an object that are remembered. */
#define PH_TRACK_ALLOC	0
#define PH_TRACK_FREE	1
#define PH_TRACKS	2

/**
 * struct ph_check_layout - where the parts of a slot lie, from its begin
 * @size: end of the object
 * @guard_end: end of the red zone behind it
 * @tracks: records, an array by PH_TRACK_*
 * @before: begin of the red zone before the next object
 * @end: end of that, and of the slot
 */
struct ph_check_layout {
	u32 size;
	u32 guard_end;
	u32 tracks;
	u32 before;
	u32 end;
};

void ph_check_layout(struct ph_check_layout *lay, u32 flags, u32 size,
		     u32 align);
u32 ph_check_flags(const struct privheap_cache *door, const char *name,
		   u32 size, u32 align);
u32 ph_check_slot_bytes(u32 flags, u32 size, u32 align);
const struct ph_track *ph_check_track(const struct privheap_cache *door,
				      const void *obj, int which);

void ph_check_init_slab(struct ph_cache *cache, struct ph_slab *slab);
void ph_check_hand_out(struct privheap_cache *door, void *obj, gfp_t gfp,
		       unsigned long caller);
bool ph_check_take_back(struct privheap_cache *door, void *obj,
			unsigned long caller);
void ph_check_scan(struct privheap_cache *door, unsigned long caller);

/* The list of caches that are to be checked. */
#define PH_CHECKLIST_LEN	1024

int ph_checklist_set(const char *list);
int ph_checklist_get(char *list, size_t size);
u32 ph_checklist_flags(const char *name);

static inline bool ph_door_is_checked(const struct privheap_cache *door)
{
	return door->flags & PRIVHEAP_CACHE_CHECK;
}

#endif /* _PH_CHECK_H */
