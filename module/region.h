/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Region: the memory of one heap.
 *
 * It hands out ranges of offsets, maps any offset to its slab in a few loads,
 * supplies pages, and counts every byte against the heap's maximum.
 */
#ifndef _PH_REGION_H
#define _PH_REGION_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "view.h"

struct mem_cgroup;
struct ph_slab;

/* Handles carry 40 bits of offset: a region ends at 1 TiB. */
#define PH_OFFSET_BITS		40
#define PH_OFFSET_MASK		GENMASK_ULL(PH_OFFSET_BITS - 1, 0)

/* Above it come 16 bits that vary, and the tag of the heap. */
#define PH_TAG_SHIFT		56
#define PH_KEY_MASK		(PH_OFFSET_MASK | ~0ULL << PH_TAG_SHIFT)
#define PH_REGION_MAX_BYTES	BIT_ULL(PH_OFFSET_BITS)
static_assert(PH_REGION_MAX_BYTES == PRIVHEAP_REGION_BYTES);

/* A segment is what one leaf of the lookup table covers. */
#define PH_SEG_SHIFT		6
#define PH_SEG_PAGES		64U
#define PH_REGION_MAX_SEGS	\
	((unsigned int)(PH_REGION_MAX_BYTES >> (PAGE_SHIFT + PH_SEG_SHIFT)))

/* The module's user memory fails softly: no OOM killer, no message. */
#define PH_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* On behalf of a kernel module; and in the middle of anything. */
#define PH_GFP_KERNEL	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#define PH_GFP_ATOMIC	(GFP_NOWAIT | __GFP_NOWARN)

/* What covers a page that no slab covers: a slab of no length. */
extern struct ph_slab ph_no_slab;

/* The slab of each page of a segment, or ph_no_slab. */
struct ph_leaf {
	struct ph_slab *slab[PH_SEG_PAGES];
};

struct ph_leaves {
	struct rcu_head rcu;
	unsigned int nr;
	struct ph_leaf *leaf[];
};

/**
 * struct ph_segment - what the look-ups of a segment do not need
 * @taken: which pages are taken
 * @nr_free: how many are not
 * @tenant: the only one that may have offsets here; 0: anyone. Stays
 * @gen: generation from which the next slab at each page has to start
 *
 * Guarded by the region's lock.
 */
struct ph_segment {
	DECLARE_BITMAP(taken, PH_SEG_PAGES);
	u16 nr_free;
	u32 tenant;
	u16 gen[PH_SEG_PAGES];
};

/*
 * The stock tells lengths of run apart up to that of the longest slab; of longer
 * ones just their order.
 */
#define PH_STOCK_EXACT		8U
#define PH_STOCK_CLASSES	14

/*
 * Lengths of range for which it is remembered where the search may begin: up to
 * PH_HINTS_EXACT each, then all up to a segment, then all longer ones.
 */
#define PH_HINTS_EXACT	7U
#define PH_HINTS	9

/**
 * struct ph_tenant - who alone may have the offsets of some segments
 * @id: its number; 0: anyone
 * @hint: for each length: no segment below this one has room for it
 *
 * @hint is guarded by the region's lock.
 */
struct ph_tenant {
	u32 id;
	u32 hint[PH_HINTS];
};

/**
 * struct ph_region - see above
 * @memcg: who pays; set once
 * @gfp: how memory is allocated that is not for somebody who says how; set once
 * @tag: what the handles of the heap begin with, in place; set once
 * @gen_first: the oldest generation: where slots start that never were; set once
 * @hardened: see PRIVHEAP_SETUP_HARDENED; set before there is any slab
 * @tenants: types so far
 * @held: bytes charged, pages and metadata
 * @metadata: of which metadata
 * @peak: most that @held has been; approximate under concurrency
 * @soft_max: above it nothing idle is kept
 * @hard_max: above it charges fail
 * @leaves: lookup table, read under RCU, replaced under @grow
 * @grow: serialises growing the tables; taken before @lock
 * @lock: guards segments
 * @segs: one per leaf
 * @nr_segs: how many
 * @anyone: stands for all who are no tenants
 * @owned: all segments below this one have tenants
 * @stock_lock: guards the stock; taken with interrupts off
 * @stock: runs of zeroed pages that no slab uses yet, by length, see
 *	ph_stock_class()
 * @stock_pages: pages in @stock
 * @stock_target: pages that @stock keeps: the heap's promised reserve
 * @empty_pages: pages of empty slabs, which their caches hold
 * @pages_from_reserve: pages taken from the module's reserve so far
 * @pages_from_system: pages taken from the page allocator so far
 * @pages_returned: pages given back so far
 * @system_requests: calls of the page allocator so far
 * @view: what programs have mapped of it
 */
struct ph_region {
	struct mem_cgroup *memcg;
	gfp_t gfp;
	u64 tag;
	u16 gen_first;
	bool hardened;
	u32 tenants;
	atomic64_t held;
	atomic64_t metadata;
	u64 peak;
	u64 soft_max;
	u64 hard_max;

	struct ph_leaves __rcu *leaves;
	struct mutex grow;
	spinlock_t lock;
	struct ph_segment *segs;
	unsigned int nr_segs;
	struct ph_tenant anyone;
	unsigned int owned;

	spinlock_t stock_lock;
	struct list_head stock[PH_STOCK_CLASSES];
	u64 stock_pages;
	u64 stock_target;
	atomic64_t empty_pages;

	atomic64_t pages_from_reserve;
	atomic64_t pages_from_system;
	atomic64_t pages_returned;
	atomic64_t system_requests;

	struct ph_view view;
};

void ph_region_init(struct ph_region *region, struct mem_cgroup *memcg,
		    u64 hard_max);
void ph_region_exit(struct ph_region *region);

/* Accounting. */
int ph_region_charge(struct ph_region *region, u64 bytes);
void ph_region_uncharge(struct ph_region *region, u64 bytes);
int ph_region_charge_meta(struct ph_region *region, size_t bytes);
void *ph_region_meta_alloc_gfp(struct ph_region *region, size_t bytes,
			       gfp_t gfp);
void ph_region_meta_free(struct ph_region *region, void *p, size_t bytes);
void ph_region_meta_forget(struct ph_region *region, size_t bytes);
size_t ph_region_meta_cost(size_t bytes);
bool ph_region_above_soft(struct ph_region *region);
int ph_region_validate(struct ph_region *region);
bool ph_stock_is_sound(struct ph_region *region);

/* The same for a caller that may sleep. */
static inline void *ph_region_meta_alloc(struct ph_region *region,
					 size_t bytes)
{
	return ph_region_meta_alloc_gfp(region, bytes, region->gfp);
}

/* Pages. */
void *ph_region_take_run(struct ph_region *region, unsigned int pages,
			 gfp_t gfp);
void ph_region_put_run(struct ph_region *region, void *addr,
		       unsigned int pages, bool keep);
int ph_region_take_pages(struct ph_region *region, struct page **pages,
			 unsigned long nr);
int ph_region_take_span(struct ph_region *region, struct page **pages,
			unsigned long from, unsigned long to);
void ph_region_put_pages(struct ph_region *region, struct page **pages,
			 unsigned long nr);
int ph_region_set_reserve(struct ph_region *region, u64 pages);
u64 ph_region_trim(struct ph_region *region);
bool ph_region_stocked(struct ph_region *region, unsigned int pages);

/* Offsets. */
void ph_offsets_init(struct ph_region *region);
void ph_offsets_exit(struct ph_region *region);
void ph_tenant_init(struct ph_region *region, struct ph_tenant *tenant, u32 id);
int ph_region_map(struct ph_region *region, unsigned long pages,
		  struct ph_tenant *tenant, u64 *start, u16 *gen_first);
void ph_region_publish(struct ph_region *region, struct ph_slab *slab,
		       u64 start, unsigned long pages);
void ph_region_unpublish(struct ph_region *region, u64 start,
			 unsigned long pages, u16 gen_next);
void ph_region_unmap(struct ph_region *region, u64 start, unsigned long pages,
		     struct ph_tenant *tenant);
struct ph_slab *ph_region_next_slab(struct ph_region *region, u64 *offset);
u16 ph_region_gen(struct ph_region *region, u64 offset);
u64 ph_region_end(struct ph_region *region);

/* Generations are compared by their distance from the oldest one. */
static inline u16 ph_region_age(const struct ph_region *region, u16 gen)
{
	return gen - region->gen_first;
}

static inline u16 ph_region_younger(const struct ph_region *region, u16 a,
				    u16 b)
{
	return ph_region_age(region, a) > ph_region_age(region, b) ? a : b;
}

/**
 * ph_region_lookup() - the slab that covers an offset
 * @region: the region
 * @offset: any number below 2^64
 *
 * Context: RCU read side.
 * Return: the slab, or one of no length where there is none.
 */
static __always_inline struct ph_slab *
ph_region_lookup(struct ph_region *region, u64 offset)
{
	struct ph_leaves *leaves = rcu_dereference(region->leaves);
	unsigned long seg = offset >> (PAGE_SHIFT + PH_SEG_SHIFT);
	unsigned int page = (offset >> PAGE_SHIFT) & (PH_SEG_PAGES - 1);

	if (unlikely(seg >= leaves->nr))
		return &ph_no_slab;
	seg = array_index_nospec(seg, leaves->nr);
	/* Pairs with the release in ph_region_fill(). */
	return smp_load_acquire(&leaves->leaf[seg]->slab[page]);
}

/**
 * ph_region_slab() - the slab that covers an offset, if there is one
 * @region: the region
 * @offset: any number below 2^64
 *
 * Context: RCU read side.
 * Return: the slab, or NULL where there is none.
 */
static inline struct ph_slab *ph_region_slab(struct ph_region *region,
					     u64 offset)
{
	struct ph_slab *slab = ph_region_lookup(region, offset);

	return slab == &ph_no_slab ? NULL : slab;
}

#endif /* _PH_REGION_H */
