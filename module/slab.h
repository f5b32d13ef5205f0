/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slab: one run of a region, cut into slots of one size.
 *
 * All that is believed about its objects is kept out of their memory: which
 * slots are free, which are live, the generation of each, its slack and its
 * reference count. The one exception are free slots of the smallest objects of
 * the kernel door, see chain.h.
 */
#ifndef _PH_SLAB_H
#define _PH_SLAB_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "region.h"

/*
 * The largest object that shares a slab, larger ones being spans of their own;
 * and the longest slab. Their product stays below 2^32, see ph_slab_slot().
 */
#define PH_SLOT_MAX		min(2 * PAGE_SIZE, 1UL << 14)
#define PH_SLAB_MAX_PAGES	max(2U, (u32)((1UL << 15) / PAGE_SIZE))

/* What a slab keeps per slot. */
#define PH_KEEP_SLACK		BIT(0)	/* usable - requested bytes */
#define PH_KEEP_WIDE_SLACK	BIT(1)	/* of 16 bits instead of 8 */
#define PH_KEEP_REFS		BIT(2)	/* reference count */
#define PH_LATE_GENS		BIT(3)	/* generations from first reuse on */
#define PH_BY_ADDRESS		BIT(4)	/* nothing: no handle names its objects */
#define PH_TYPESAFE		BIT(5)	/* its memory, for a grace period */
#define PH_KEEP_LIVE		BIT(6)	/* by address, too: which are in use */
#define PH_CHAIN		BIT(7)	/* by address: free slots in themselves */
#define PH_LONG			BIT(8)	/* long slabs, where they cost the same */
#define PH_BARE			BIT(9)	/* a slab to lend from, see below */
#define PH_SPAN			BIT(10)	/* its place among idle spans */

/* Above them, in a hardened heap: who alone may have the slab's offsets. */
#define PH_TENANT_SHIFT		11
#define PH_TENANT_MAX		(U32_MAX >> PH_TENANT_SHIFT)

/*
 * Objects up to this long are worth a chain: one bit is 1/64 of them. And the
 * most slots that a slab with a chain has.
 */
#define PH_CHAIN_STRIDE		sizeof(u64)
#define PH_CHAIN_MAX		U16_MAX

/**
 * struct ph_geo - how the slabs of a cache are cut
 * @stride: bytes from one slot to the next; a span has one slot and stride
 *	U32_MAX
 * @pages: length of a slab, where the memory for it can be had in one run
 * @keep: PH_KEEP_* bits, and the tenant
 * @owner: (by address) what page_private() of its pages says
 */
struct ph_geo {
	u32 stride;
	u32 pages;
	u32 keep;
	const void *owner;
};

/**
 * struct ph_slab - one slab
 * @start: offset of its first byte in the region
 * @key: the same with the heap's tag: what handles are compared with
 * @reach: its length in bytes, at most U32_MAX: what a look-up compares with
 * @mult: 2^32/@stride rounded up, see ph_slab_slot(); 1 for a span
 * @rest: @mult - 1
 * @gen: generation of the object in each slot, or of the next one; one more
 *	than there are slots, for the tail. NULL as long as all have the first
 *	one, see below
 * @cache: whose it is
 * @addr: kernel address of the run
 * @pages: (span) its pages
 * @stride: see struct ph_geo
 * @nr: number of slots
 * @gen_first: generation of a slot that was never used
 * @by_address: rounds are addresses, see below
 * @typesafe: (by address) its pages stay until the end of a grace period
 * @marked: (by address) its pages carried the mark of the module's reserve
 * @chained: (by address) its free slots are in a chain
 * @bare: born bare, see below
 * @late_slack: (born bare) bytes of slack per slot, to come with generations
 * @promised: (span) idle, and promised to an allocation to come
 * @slack: usable - requested bytes of each slot, u8 or u16; NULL where nothing is
 *	kept, or in a bare slab not yet
 * @refs_at: place in this struct of the reference counts; 0: none
 * @requested: (span) requested bytes
 * @region: (typesafe) where it was, once it waits for its grace period
 * @out: (all others) which slots are handed out; NULL as long as none ever was;
 *	see lend.h
 * @secret: (chained) what its links are sealed with
 * @nr_pages: its length
 * @pins: who copies to or from its pages just now
 * @taken: slots that are not in @free, nor in the chain
 * @used_to: slots from here on were never taken
 * @meta_bytes: size of this allocation
 * @tenant: (hardened heap) see struct ph_segment; else 0
 * @list: on the cache's list for its fullness
 * @rcu: to free it
 * @free: bitmap: slots in this slab's hands
 * @first: (chained) first slot of the chain; @nr: none
 * @lost: (chained) of @taken, those that were lost from the chain
 * @live: bitmap: slots that hold a live object; one bit more than there are
 *	slots, for the tail. The other arrays follow
 *
 * Up to @promised, but for @gen and @gen_first, and @nr_pages, it is immutable
 * from publication until a grace period after its end, and read by look-ups
 * under RCU. What there is per slot
 * is changed only by who owns the slot at the time, see heap.c. @taken,
 * @used_to, @promised, @list, @free, @first and @lost are guarded by the cache's
 * lock.
 *
 * Late generations: most objects of a compact type are never freed one by one.
 * Its slabs begin without @gen: the live bit alone tells whether the one object
 * that a slot has had still lives, and a slot that was freed is not used again
 * until there are generations to tell the next one from it. They are made when
 * the cache would have to grow otherwise. A slab that runs empty before starts
 * anew with the next generation as its first. What was only handed out had no
 * handle, and may be used again without generations, see struct ph_out.
 *
 * Bare: a slab of such a cache that was made in order to lend from it. It has
 * books of what is handed out from the beginning, but no slack: that comes with
 * the generations, and no object there has a handle before. So for handles all
 * its free slots wait for them.
 *
 * By address: the objects of a kernel module have no handles, so that there are
 * no generations and no live bits, unless mistakes are looked for, and the slab
 * has no place in the region's look-up table. @key is the address of the first
 * slot, which makes a round an address. The pages know their slab, see
 * ph_slab_of_address().
 */
struct ph_slab {
	u64 start;
	u64 key;
	u64 reach;
	u64 mult;
	u16 *gen;
	struct ph_cache *cache;
	union {
		void *addr;
		struct page **pages;
	};

	u32 rest;
	u32 stride;
	u32 nr;
	u16 gen_first;
	bool by_address : 1;
	bool typesafe : 1;
	bool marked : 1;
	bool chained : 1;
	bool bare : 1;
	u8 late_slack : 2;
	bool promised;
	u32 refs_at;
	void *slack;
	union {
		u64 requested;
		struct ph_region *region;
		struct ph_out *out;
		u64 secret;
	};
	u32 nr_pages;
	atomic_t pins;
	u32 taken;
	u32 used_to;
	union {
		struct list_head list;
		struct rcu_head rcu;
	};
	u32 meta_bytes;
	u32 tenant;
	union {
		unsigned long *free;
		struct {
			u32 first;
			u32 lost;
		};
	};
	unsigned long live[];
};

/**
 * ph_slab_slot() - the slot that begins at an offset
 * @slab: the slab
 * @offset: within the slab
 * @slot: (out) the slot; one behind the last for the tail
 *
 * One multiplication tells quotient and remainder: with mult = 2^32/stride,
 * rounded up, the upper half of offset * mult is the quotient, and the lower
 * half is below mult just where nothing remains, as long as offset * stride is
 * below 2^32 (Lemire, Kaser, Kurz: Faster remainder by direct computation).
 * reciprocal_divide() and the multiplication back take three times as long.
 *
 * Return: false for an offset in the interior of a slot.
 */
static __always_inline bool ph_slab_slot(const struct ph_slab *slab,
					 u64 offset, u32 *slot)
{
	u64 product = offset * slab->mult;

	*slot = product >> 32;
	return (u32)product <= slab->rest;
}

/*
 * A round names a free or claimed slot: it is the handle that the next object
 * there is going to have. Where the generation wraps, it carries into the tag;
 * whoever makes a handle of it mends that.
 */
static inline u64 ph_round_key(u64 round)
{
	return round & PH_KEY_MASK;
}

static inline u64 ph_round_offset(u64 round)
{
	return round & PH_OFFSET_MASK;
}

static inline u32 ph_round_slot(const struct ph_slab *slab, u64 round)
{
	u32 slot;

	/* In both kinds of round it is the low bits that differ. */
	ph_slab_slot(slab, ph_round_offset(round - slab->start), &slot);
	return slot;
}

static inline bool ph_slab_is_span(const struct ph_slab *slab)
{
	return slab->stride == U32_MAX;
}

/* Its place among idle spans lies behind its only word of live bits. */
static inline struct rb_node *ph_span_node(struct ph_slab *slab)
{
	return (struct rb_node *)&slab->live[1];
}

static inline struct ph_slab *ph_span_of_node(const struct rb_node *node)
{
	return container_of((const void *)node, struct ph_slab, live[1]);
}

/* The pages of the region that it takes: in a hardened heap one to guard it. */
static inline unsigned long ph_slab_range(const struct ph_slab *slab)
{
	return (unsigned long)slab->nr_pages + !!slab->tenant;
}

static inline u64 ph_slab_bytes(const struct ph_slab *slab)
{
	return (u64)slab->nr_pages << PAGE_SHIFT;
}

/* Reference count of an object: its generation above 32 bits of count. */
static inline u64 *ph_slab_refs(struct ph_slab *slab, u32 slot)
{
	return (u64 *)((void *)slab + slab->refs_at) + slot;
}

static inline u64 ph_refs(u16 gen, u32 count)
{
	return (u64)gen << 32 | count;
}

/**
 * ph_slab_gen() - the generation of a slot
 * @slab: the slab
 * @slot: the slot
 *
 * Context: any in which the slab stays.
 */
static inline u16 ph_slab_gen(const struct ph_slab *slab, u32 slot)
{
	/* Pairs with the release in ph_slab_attach_gens(). */
	u16 *gen = smp_load_acquire(&slab->gen);

	return gen ? READ_ONCE(gen[slot]) : READ_ONCE(slab->gen_first);
}

/**
 * struct ph_out - which slots of a slab are handed out to the program
 * @rcu: to free it
 * @bytes: size of this allocation; of those of a bare slab, which are a part of
 *	it, 0
 * @nr_again: (late generations, as long as there are none) free slots that were
 *	taken, but never had a handle; guarded by the cache's lock
 * @bits: a bit for each slot; behind them the same for those of @nr_again
 *
 * A slot that is handed out is taken, and not live. Who clears its bit has it.
 */
struct ph_out {
	struct rcu_head rcu;
	u32 bytes;
	u32 nr_again;
	unsigned long bits[];
};

/* The bit in @live that says so of a span, which has no tail. */
#define PH_SPAN_OUT	1
/* The bit there that says that its pages are about to be another span's. */
#define PH_SPAN_GOES	2

/* Its handed-out slots; NULL if there never were any. Not for spans. */
static inline struct ph_out *ph_slab_out(const struct ph_slab *slab)
{
	/* Pairs with the release in ph_slab_attach_out(). */
	return slab->by_address ? NULL : smp_load_acquire(&slab->out);
}

/* Whether no object of a slab can have a handle yet. */
static inline bool ph_slab_is_bare(const struct ph_slab *slab)
{
	return slab->bare && !slab->gen;
}

/* Whether a free slot can be taken a second time. */
static inline bool ph_slab_reuses(const struct ph_slab *slab)
{
	return slab->gen || slab->by_address;
}

/* Without generations: how many free slots were taken and can be once more. */
static inline u32 ph_slab_nr_again(const struct ph_slab *slab)
{
	return slab->out ? slab->out->nr_again : 0;
}

/* Which they are; of a slab that has lent. */
static inline unsigned long *ph_slab_again(const struct ph_slab *slab)
{
	return slab->out->bits + BITS_TO_LONGS(slab->nr);
}

/* Free slots that can be taken for handles without more ado. */
static inline u32 ph_slab_usable(const struct ph_slab *slab)
{
	if (ph_slab_is_bare(slab))
		return 0;
	if (ph_slab_reuses(slab))
		return slab->nr - slab->taken;
	return slab->nr - slab->used_to + ph_slab_nr_again(slab);
}

/* Whether the free slots of a slab wait for generations. */
static inline bool ph_slab_is_stuck(const struct ph_slab *slab)
{
	return !ph_slab_reuses(slab) && !ph_slab_usable(slab);
}

/* Slots that no free brings back, see ph_chain_abandon(). */
static inline u32 ph_slab_lost(const struct ph_slab *slab)
{
	return slab->chained ? slab->lost : 0;
}

void ph_geo_choose(struct ph_geo *geo);
int ph_geo_init(struct ph_geo *geo, u32 size, u32 align, u32 keep);
u32 ph_geo_slots(const struct ph_geo *geo, u32 pages);
size_t ph_out_bytes(u32 keep, u32 slots);
size_t ph_geo_meta_bytes(const struct ph_geo *geo, u32 slots);

struct ph_slab *ph_slab_create(struct ph_region *region,
			       struct ph_cache *cache,
			       const struct ph_geo *geo, gfp_t gfp);
struct ph_slab *ph_slab_of_address(const void *addr);
bool ph_slab_owns(const void *addr, struct ph_slab **slab);
struct ph_slab *ph_span_create(struct ph_region *region,
			       struct ph_cache *cache, u32 keep,
			       unsigned long pages, bool units);
struct ph_slab *ph_span_alloc(struct ph_region *region, struct ph_cache *cache,
			      u32 keep, unsigned long pages);
void ph_span_free(struct ph_region *region, struct ph_slab *slab);
int ph_span_map(struct ph_region *region, struct ph_slab *slab);
void ph_slab_publish(struct ph_region *region, struct ph_slab *slab);
void ph_slab_destroy(struct ph_region *region, struct ph_slab *slab,
		     bool keep);

unsigned long ph_slab_takeable(const struct ph_slab *slab, u32 word);
void ph_slab_take_bits(struct ph_slab *slab, u32 word, unsigned long bits);
u32 ph_slab_take(struct ph_slab *slab, u64 *rounds, u32 nr, u32 *fresh);
u32 ph_slab_random(const struct ph_slab *slab);
void ph_slab_emptied(struct ph_slab *slab);
bool ph_slab_give(struct ph_slab *slab, u64 round);
void ph_slab_await_destroyed(void);
struct ph_gens *ph_gens_alloc(struct ph_region *region,
			      const struct ph_slab *slab);
void ph_gens_free(struct ph_region *region, const struct ph_slab *slab,
		  struct ph_gens *gens);
void ph_slab_attach_gens(struct ph_slab *slab, struct ph_gens *gens);
size_t ph_slab_meta_cost(const struct ph_slab *slab);
bool ph_slab_is_free(const struct ph_slab *slab, u32 slot);
u32 ph_slab_weight(const struct ph_slab *slab);
u32 ph_slab_live(const struct ph_slab *slab);

#endif /* _PH_SLAB_H */
