// SPDX-License-Identifier: GPL-2.0
/* Free slots, each of which remembers the next; see chain.h. */

#include <linux/hash.h>
#include <linux/random.h>
#include <kunit/visibility.h>

#include "chain.h"
#include "slab.h"

/* A link: the next slot, or the number of slots at the end; and the seal. */
#define PH_LINK_NEXT	((u64)PH_CHAIN_MAX)

/**
 * ph_chain_init() - no slot is in the chain yet
 * @slab: a new slab
 *
 * Context: any.
 */
void ph_chain_init(struct ph_slab *slab)
{
	slab->chained = true;
	slab->secret = get_random_u64();
	slab->first = slab->nr;
}

static u64 *ph_chain_place(const struct ph_slab *slab, u32 slot)
{
	return slab->addr + (size_t)slot * slab->stride;
}

static u64 ph_chain_link(const struct ph_slab *slab, u32 slot, u32 next)
{
	u64 seal = (slab->secret ^ ((u64)slot << 32 | next)) * GOLDEN_RATIO_64;

	seal = (seal ^ seal >> 32) * GOLDEN_RATIO_64;
	return (seal & ~PH_LINK_NEXT) | next;
}

/* Returns false where the slot holds something else than a link. */
static bool ph_chain_next(const struct ph_slab *slab, u32 slot, u32 *next)
{
	u64 link = READ_ONCE(*ph_chain_place(slab, slot));

	*next = link & PH_LINK_NEXT;
	return link == ph_chain_link(slab, slot, *next);
}

/* How many slots the chain has: all that have been out, and are not. */
static u32 ph_chain_length(const struct ph_slab *slab)
{
	return slab->used_to - slab->taken;
}

static bool ph_chain_pop(struct ph_slab *slab, u32 *slot)
{
	u32 next;

	*slot = slab->first;
	if (unlikely(*slot == slab->nr || !ph_chain_next(slab, *slot, &next)))
		return false;
	WRITE_ONCE(*ph_chain_place(slab, *slot), 0);
	slab->first = next;
	return true;
}

static u64 ph_chain_round(const struct ph_slab *slab, u32 slot)
{
	return slab->key + (u64)slot * slab->stride;
}

/**
 * ph_chain_take() - take free slots: those of the chain, then new ones
 * @slab: a slab with a chain
 * @rounds: (out) array
 * @nr: most to take
 * @fresh: (in, out) grows by how many of them were never taken before
 *
 * Context: the cache's lock held.
 * Return: how many were taken; 0 from a slab with free slots if the chain begins
 * with a bad link: it is for the caller to abandon it.
 */
u32 ph_chain_take(struct ph_slab *slab, u64 *rounds, u32 nr, u32 *fresh)
{
	u32 chained = min(nr, ph_chain_length(slab)), got, slot;
	u32 new = 0;

	for (got = 0; got < chained; got++) {
		if (unlikely(!ph_chain_pop(slab, &slot)))
			break;
		rounds[got] = ph_chain_round(slab, slot);
	}
	if (got == chained)
		new = min(nr - got, slab->nr - slab->used_to);
	*fresh += new;
	WRITE_ONCE(slab->taken, slab->taken + got + new);
	while (new--)
		rounds[got++] = ph_chain_round(slab, slab->used_to++);
	return got;
}

/* Whether a slot with a good link in it is in the chain, as far as one can tell. */
static bool ph_chain_has(const struct ph_slab *slab, u32 slot)
{
	u32 left = ph_chain_length(slab), at = slab->first;

	for (; left && at != slab->nr; left--)
		if (at == slot || !ph_chain_next(slab, at, &at))
			return true;
	return slab->lost;
}

/**
 * ph_chain_give() - take a slot back
 * @slab: a slab with a chain
 * @slot: one of its slots
 *
 * Context: the cache's lock held.
 * Return: false, and nothing is changed, if it is free already.
 */
bool ph_chain_give(struct ph_slab *slab, u32 slot)
{
	u32 next;

	if (unlikely(slot >= slab->used_to || slab->taken == slab->lost))
		return false;
	if (unlikely(ph_chain_next(slab, slot, &next) &&
		     ph_chain_has(slab, slot)))
		return false;
	WRITE_ONCE(*ph_chain_place(slab, slot),
		   ph_chain_link(slab, slot, slab->first));
	slab->first = slot;
	WRITE_ONCE(slab->taken, slab->taken - 1);
	return true;
}

/**
 * ph_chain_abandon() - give up what is behind a bad link
 * @slab: a slab whose chain begins with one
 * @slot: (out) where that is; the number of slots if the chain is too short
 *
 * Context: the cache's lock held.
 * Return: how many slots are lost. They count as taken, and never come back.
 */
u32 ph_chain_abandon(struct ph_slab *slab, u32 *slot)
{
	u32 lost = ph_chain_length(slab);

	*slot = slab->first;
	slab->first = slab->nr;
	WRITE_ONCE(slab->taken, slab->taken + lost);
	slab->lost += lost;
	return lost;
}
EXPORT_SYMBOL_IF_KUNIT(ph_chain_abandon);

/**
 * ph_chain_is_link() - whether a slot holds what only a free one does
 * @slab: a slab with a chain
 * @slot: one of its slots
 *
 * Context: the cache's lock held.
 */
bool ph_chain_is_link(const struct ph_slab *slab, u32 slot)
{
	u32 next;

	return ph_chain_next(slab, slot, &next);
}

/**
 * ph_chain_weight() - how many free slots there really are
 * @slab: a slab with a chain
 *
 * Context: the cache's lock held.
 * Return: those of the chain, up to a bad link, and those that never were taken.
 */
u32 ph_chain_weight(const struct ph_slab *slab)
{
	u32 at = slab->first, nr = 0;

	while (nr < slab->used_to && at != slab->nr &&
	       ph_chain_next(slab, at, &at))
		nr++;
	return nr + slab->nr - slab->used_to;
}
