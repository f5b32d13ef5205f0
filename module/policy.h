/* SPDX-License-Identifier: GPL-2.0 */
/* Policy: what distinguishes the allocators of the types. */
#ifndef _PH_POLICY_H
#define _PH_POLICY_H

#include <linux/types.h>

/**
 * struct ph_policy - the knobs, each a trade of speed for memory
 * @name: for people
 * @magazine_bytes: memory of one magazine
 * @depot_max: full magazines that a depot holds; more go back to the slabs
 * @warm: slots to load into the magazines when a slab has to be asked
 * @empty_max: empty slabs that a cache holds; more are given back at once.
 *	What it holds is trimmed to the working set from time to time
 * @fullest_first: allocate from the fullest slab, so that others run empty
 * @class_unit: distance of the small size classes, in bytes
 * @class_linear: up to this size, in bytes; beyond, it grows with the size:
 * @class_shift: log2 of the size classes in each doubling
 * @grow_shift: a resized object gets 1/2^this of its size to grow in place;
 *	0: none
 */
struct ph_policy {
	const char *name;
	u32 magazine_bytes;
	u32 depot_max;
	u32 warm;
	u32 empty_max;
	bool fullest_first;
	u32 class_unit;
	u32 class_linear;
	u32 class_shift;
	u32 grow_shift;
};

#define PH_WARM_MAX	32

const struct ph_policy *ph_policy(u32 id);

u32 ph_policy_class_index(const struct ph_policy *policy, u32 size);
u32 ph_policy_class_size(const struct ph_policy *policy, u32 index);

#endif /* _PH_POLICY_H */
