/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chain: the free slots of a slab, each of which remembers the next.
 *
 * Of the smallest objects of the kernel door a bitmap would take too large a
 * share. Where nobody has a say in what a free object holds, it holds a link
 * instead: the number of the next free slot, and above it a seal that only this
 * slot of this slab can have, made with a secret of the slab. So
 *
 *   - a slot that is given back with a good link in it is free already, or its
 *     owner wrote one by chance: the chain tells;
 *   - a link that somebody wrote over is not followed. What was behind it is not
 *     known any more: the rest of the chain is lost, and the slab stays as long
 *     as its cache;
 *   - taking a slot wipes its link, so that each link is good for one take. A
 *     slot that got into the chain twice, because it was given, written to, and
 *     given again, comes out once, and the second time its link is bad.
 *
 * The seal keeps mistakes apart from links, and not an enemy who can read free
 * objects. Slots that were never taken are in no chain, and hold no links.
 */
#ifndef _PH_CHAIN_H
#define _PH_CHAIN_H

#include <linux/types.h>

struct ph_slab;

void ph_chain_init(struct ph_slab *slab);
u32 ph_chain_take(struct ph_slab *slab, u64 *rounds, u32 nr, u32 *fresh);
bool ph_chain_give(struct ph_slab *slab, u32 slot);
u32 ph_chain_abandon(struct ph_slab *slab, u32 *slot);
bool ph_chain_is_link(const struct ph_slab *slab, u32 slot);
u32 ph_chain_weight(const struct ph_slab *slab);

#endif /* _PH_CHAIN_H */
