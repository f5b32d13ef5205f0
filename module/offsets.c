// SPDX-License-Identifier: GPL-2.0
/* The offsets of one heap: which are taken, and by which slab; see region.h. */

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "region.h"
#include "unit.h"

/* The table of a region that has no segments yet. */
static struct ph_leaves ph_no_leaves;

/*
 * Most segments that are looked at with the lock held, give or take those of the
 * range itself; and what a search says where there are more.
 */
#define PH_LOOK_SEGS	512U
#define PH_LOOK_ON	(ULONG_MAX - 1)

static size_t ph_leaves_bytes(unsigned int nr)
{
	struct ph_leaves *leaves;

	return struct_size(leaves, leaf, nr);
}

/*
 * The tables grow by doubling; this is how many segments they have room for: as
 * many as fit the memory that the longer one takes.
 */
static unsigned int ph_region_room(unsigned int nr_segs)
{
	size_t bytes = nr_segs * sizeof(struct ph_segment);

	return nr_segs ? roundup_pow_of_two(bytes) / sizeof(struct ph_segment) :
			 0;
}

/**
 * ph_offsets_init() - a region without segments
 * @region: the region
 *
 * Context: any.
 */
void ph_offsets_init(struct ph_region *region)
{
	RCU_INIT_POINTER(region->leaves, &ph_no_leaves);
}

/**
 * ph_offsets_exit() - free the tables
 * @region: the region; nobody else may use it any more
 *
 * Context: process, may sleep.
 */
void ph_offsets_exit(struct ph_region *region)
{
	struct ph_leaves *leaves = rcu_dereference_protected(region->leaves, 1);
	unsigned int room = ph_region_room(region->nr_segs);
	unsigned int i;

	for (i = 0; i < region->nr_segs; i++) {
		ph_region_meta_free(region, leaves->leaf[i],
				    sizeof(struct ph_leaf));
		cond_resched();
	}
	if (!room)
		return;
	ph_region_meta_free(region, leaves, ph_leaves_bytes(room));
	ph_region_meta_free(region, region->segs, room * sizeof(*region->segs));
}

/* Make room for @nr segments in the tables. Caller holds @grow. */
static int ph_region_make_room(struct ph_region *region, unsigned int nr)
{
	unsigned int old_room = ph_region_room(region->nr_segs);
	unsigned int room = ph_region_room(nr);
	struct ph_leaves *leaves, *old;
	struct ph_segment *segs, *old_segs;

	if (room == old_room)
		return 0;
	old = rcu_dereference_protected(region->leaves,
					lockdep_is_held(&region->grow));
	leaves = ph_region_meta_alloc(region, ph_leaves_bytes(room));
	if (IS_ERR(leaves))
		return PTR_ERR(leaves);
	segs = ph_region_meta_alloc(region, room * sizeof(*segs));
	if (IS_ERR(segs)) {
		ph_region_meta_free(region, leaves, ph_leaves_bytes(room));
		return PTR_ERR(segs);
	}
	leaves->nr = old->nr;
	memcpy(leaves->leaf, old->leaf, old->nr * sizeof(old->leaf[0]));
	spin_lock(&region->lock);
	old_segs = region->segs;
	if (old_segs)
		memcpy(segs, old_segs, region->nr_segs * sizeof(*segs));
	region->segs = segs;
	spin_unlock(&region->lock);
	rcu_assign_pointer(region->leaves, leaves);
	if (old_room) {
		ph_region_meta_free(region, old_segs,
				    old_room * sizeof(*segs));
		ph_region_meta_forget(region, ph_leaves_bytes(old_room));
		kvfree_rcu(old, rcu);
	}
	return 0;
}

static void ph_region_init_segment(struct ph_region *region, unsigned int nr)
{
	struct ph_segment *seg = &region->segs[nr];

	lockdep_assert_held(&region->lock);
	bitmap_zero(seg->taken, PH_SEG_PAGES);
	seg->nr_free = PH_SEG_PAGES;
	seg->tenant = 0;
	memset16(seg->gen, region->gen_first, PH_SEG_PAGES);
}

static int ph_region_add_segment(struct ph_region *region)
{
	unsigned int nr = region->nr_segs, i;
	struct ph_leaves *leaves;
	struct ph_leaf *leaf;
	int err;

	if (nr == PH_REGION_MAX_SEGS)
		return -ENOMEM;
	leaf = ph_region_meta_alloc(region, sizeof(*leaf));
	if (IS_ERR(leaf))
		return PTR_ERR(leaf);
	err = ph_region_make_room(region, nr + 1);
	if (err) {
		ph_region_meta_free(region, leaf, sizeof(*leaf));
		return err;
	}
	for (i = 0; i < PH_SEG_PAGES; i++)
		leaf->slab[i] = &ph_no_slab;
	leaves = rcu_dereference_protected(region->leaves,
					   lockdep_is_held(&region->grow));
	leaves->leaf[nr] = leaf;
	/* Pairs with the dependency of ph_region_lookup(): bounded by nr. */
	smp_store_release(&leaves->nr, nr + 1);
	spin_lock(&region->lock);
	ph_region_init_segment(region, nr);
	region->nr_segs = nr + 1;
	spin_unlock(&region->lock);
	return 0;
}

/* Grow by enough whole segments for @pages; someone else may have done so. */
static int ph_region_grow(struct ph_region *region, unsigned long pages,
			  unsigned int seen)
{
	unsigned long nr = DIV_ROUND_UP(pages, PH_SEG_PAGES);
	int err = 0;

	mutex_lock(&region->grow);
	if (region->nr_segs == seen)
		while (nr-- && !err)
			err = ph_region_add_segment(region);
	mutex_unlock(&region->grow);
	return err;
}

/**
 * ph_tenant_init() - somebody who is going to have offsets of his own
 * @region: where
 * @tenant: to initialise; all zeroes
 * @id: his number
 *
 * He need not look at what others have already.
 *
 * Context: any.
 */
void ph_tenant_init(struct ph_region *region, struct ph_tenant *tenant, u32 id)
{
	u32 owned = READ_ONCE(region->owned);

	tenant->id = id;
	if (owned)
		memset32(tenant->hint, owned, PH_HINTS);
}
EXPORT_SYMBOL_IF_KUNIT(ph_tenant_init);

/* The hint for a length; (out) how long the shortest is that it stands for. */
static u32 *ph_tenant_hint(struct ph_tenant *tenant, unsigned long pages,
			   unsigned int *least)
{
	unsigned int nr = pages - 1;

	*least = pages;
	if (pages > PH_HINTS_EXACT) {
		nr = PH_HINTS_EXACT + (pages > PH_SEG_PAGES);
		*least = pages > PH_SEG_PAGES ? PH_SEG_PAGES :
						PH_HINTS_EXACT + 1;
	}
	return &tenant->hint[nr];
}

/* Whether a tenant, or somebody who does not care, may have a segment. */
static bool ph_segment_suits(const struct ph_segment *seg, u32 tenant)
{
	return !tenant || !seg->tenant || seg->tenant == tenant;
}

static void ph_segment_own(struct ph_region *region, unsigned int nr, u32 tenant)
{
	lockdep_assert_held(&region->lock);
	region->segs[nr].tenant = tenant;
	/* In all, this goes once through the segments: they are owned for ever. */
	while (region->owned < region->nr_segs &&
	       region->segs[region->owned].tenant)
		WRITE_ONCE(region->owned, region->owned + 1);
}

/* Where in a segment there are so many pages in a row; PH_SEG_PAGES: nowhere. */
static unsigned int ph_segment_room(struct ph_segment *seg, unsigned int pages)
{
	unsigned long bit;

	if (seg->nr_free < pages)
		return PH_SEG_PAGES;
	bit = bitmap_find_next_zero_area(seg->taken, PH_SEG_PAGES, 0, pages, 0);
	return min_t(unsigned long, bit, PH_SEG_PAGES);
}

/*
 * A range within one segment, of those from @from on, which is where to look on.
 * Returns the page number, PH_LOOK_ON or ULONG_MAX.
 */
static unsigned long ph_region_find_small(struct ph_region *region,
					  unsigned int pages,
					  struct ph_tenant *tenant,
					  unsigned int *from)
{
	unsigned int least, bit = PH_SEG_PAGES, i, end, first = UINT_MAX;
	u32 *hint = ph_tenant_hint(tenant, pages, &least);
	bool raise = *from <= *hint;
	struct ph_segment *seg;

	lockdep_assert_held(&region->lock);
	i = max(*from, *hint);
	end = min(region->nr_segs, i + PH_LOOK_SEGS);
	for (; i < end; i++) {
		seg = &region->segs[i];
		if (seg->nr_free < least || !ph_segment_suits(seg, tenant->id))
			continue;
		bit = ph_segment_room(seg, pages);
		if (bit < PH_SEG_PAGES)
			break;
		/* A shorter range may find room here. */
		if (first == UINT_MAX && pages > least &&
		    ph_segment_room(seg, least) < PH_SEG_PAGES)
			first = i;
	}
	*from = i;
	if (raise)
		*hint = min(first, i);
	if (bit == PH_SEG_PAGES)
		return i < region->nr_segs ? PH_LOOK_ON : ULONG_MAX;
	bitmap_set(seg->taken, bit, pages);
	seg->nr_free -= pages;
	ph_segment_own(region, i, tenant->id);
	return (unsigned long)i * PH_SEG_PAGES + bit;
}

static void ph_region_mark(struct ph_region *region, unsigned long page,
			   unsigned long pages, bool taken)
{
	lockdep_assert_held(&region->lock);
	while (pages) {
		struct ph_segment *seg = &region->segs[page / PH_SEG_PAGES];
		unsigned int bit = page % PH_SEG_PAGES;
		unsigned int nr = min_t(unsigned long, pages,
					PH_SEG_PAGES - bit);

		if (taken) {
			bitmap_set(seg->taken, bit, nr);
			seg->nr_free -= nr;
		} else {
			bitmap_clear(seg->taken, bit, nr);
			seg->nr_free += nr;
		}
		page += nr;
		pages -= nr;
	}
}

static unsigned long ph_region_take_segs(struct ph_region *region,
					 unsigned int start,
					 unsigned long pages,
					 struct ph_tenant *tenant)
{
	unsigned int need = DIV_ROUND_UP(pages, PH_SEG_PAGES);
	unsigned long page = (unsigned long)start * PH_SEG_PAGES;

	ph_region_mark(region, page, pages, true);
	while (need--)
		ph_segment_own(region, start++, tenant->id);
	return page;
}

/*
 * A range that starts with a segment, one of @align, and goes on through free
 * ones. Otherwise as above.
 */
static unsigned long ph_region_find_large(struct ph_region *region,
					  unsigned long pages,
					  struct ph_tenant *tenant,
					  unsigned int align,
					  unsigned int *from)
{
	unsigned int need = DIV_ROUND_UP(pages, PH_SEG_PAGES);
	unsigned int i, end, least, start, run = 0, first = UINT_MAX;
	u32 *hint = ph_tenant_hint(tenant, pages, &least);
	bool raise = *from <= *hint, found = false;
	struct ph_segment *seg;

	lockdep_assert_held(&region->lock);
	i = max(*from, *hint);
	/* More than a run that is too short, so that it gets on. */
	end = min(region->nr_segs, i + need + align + PH_LOOK_SEGS);
	for (; i < end && !found; i++) {
		seg = &region->segs[i];
		run++;
		if (seg->nr_free < least || !ph_segment_suits(seg, tenant->id))
			run = 0;
		else
			first = min(first, i);
		start = roundup(i + 1 - run, align);
		found = start + need <= i + 1;
	}
	*from = i - run;
	if (raise)
		*hint = min(first, i);
	if (found)
		return ph_region_take_segs(region, start, pages, tenant);
	return i < region->nr_segs ? PH_LOOK_ON : ULONG_MAX;
}

/* How many pages from @page on are in its segment, of @pages. */
static unsigned int ph_seg_part(unsigned long page, unsigned long pages)
{
	return min_t(unsigned long, pages, PH_SEG_PAGES - page % PH_SEG_PAGES);
}

/* Generations that earlier slabs of the range have used up, as a maximum. */
static u16 ph_region_gen_of(struct ph_region *region, unsigned long page,
			    unsigned long pages)
{
	u16 gen = region->gen_first;
	struct ph_segment *seg;
	unsigned int nr, i;

	/* A segment at a time: a range may be millions of pages. */
	for (; pages; pages -= nr, page += nr) {
		nr = ph_seg_part(page, pages);
		spin_lock(&region->lock);
		seg = &region->segs[page / PH_SEG_PAGES];
		for (i = 0; i < nr; i++)
			gen = ph_region_younger(region, gen,
						seg->gen[page % PH_SEG_PAGES + i]);
		spin_unlock(&region->lock);
		cond_resched();
	}
	return gen;
}

static void ph_region_fill(struct ph_region *region, unsigned long page,
			   unsigned int nr, struct ph_slab *slab)
{
	struct ph_leaf *leaf;
	unsigned int i;

	rcu_read_lock();
	leaf = rcu_dereference(region->leaves)->leaf[page / PH_SEG_PAGES];
	for (i = 0; i < nr; i++)
		/* Pairs with the acquire in ph_region_lookup(). */
		smp_store_release(&leaf->slab[page % PH_SEG_PAGES + i], slab);
	rcu_read_unlock();
}

/* How many segments make a unit, where the range may have some. */
static unsigned int ph_region_align(unsigned long pages)
{
	if (!ph_unit_any() || pages < PH_UNIT_PAGES)
		return 1;
	return max(PH_UNIT_PAGES / PH_SEG_PAGES, 1UL);
}

/**
 * ph_region_map() - take a range of offsets for a slab to come
 * @region: the region
 * @pages: length of the range
 * @tenant: who alone may have the segment's offsets from now on; NULL: no matter
 * @start: (out) its first offset
 * @gen_first: (out) generation from which its slots start
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_region_map(struct ph_region *region, unsigned long pages,
		  struct ph_tenant *tenant, u64 *start, u16 *gen_first)
{
	unsigned int align = ph_region_align(pages), from = 0, seen;
	unsigned long page, pad;
	int err;

	if (pages > (PH_REGION_MAX_BYTES >> PAGE_SHIFT))
		return -ENOMEM;
	tenant = tenant ?: &region->anyone;
	for (;;) {
		spin_lock(&region->lock);
		seen = region->nr_segs;
		page = pages <= PH_SEG_PAGES ?
			ph_region_find_small(region, pages, tenant, &from) :
			ph_region_find_large(region, pages, tenant, align,
					     &from);
		spin_unlock(&region->lock);
		if (page < PH_LOOK_ON)
			break;
		if (page == PH_LOOK_ON) {
			cond_resched();
			continue;
		}
		pad = (unsigned long)(roundup(seen, align) - seen) * PH_SEG_PAGES;
		err = ph_region_grow(region, pages + pad, seen);
		if (err && align == 1)
			return err;
		/* Where it lies is a wish. */
		if (err) {
			align = 1;
			from = 0;
		}
	}
	*start = (u64)page << PAGE_SHIFT;
	*gen_first = ph_region_gen_of(region, page, pages);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_map);

/**
 * ph_region_publish() - let look-ups in a range find its slab
 * @region: the region
 * @slab: the slab, complete
 * @start: from ph_region_map()
 * @pages: from ph_region_map()
 *
 * Context: process.
 */
void ph_region_publish(struct ph_region *region, struct ph_slab *slab,
		       u64 start, unsigned long pages)
{
	unsigned long page = start >> PAGE_SHIFT;
	unsigned int nr;

	for (; pages; pages -= nr, page += nr) {
		nr = ph_seg_part(page, pages);
		ph_region_fill(region, page, nr, slab);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_publish);

/**
 * ph_region_unpublish() - let look-ups in a range find nothing any more
 * @region: the region
 * @start: from ph_region_map()
 * @pages: from ph_region_map()
 * @gen_next: generation from which the next slab there has to start
 *
 * Look-ups that began before may still see the slab: free it after a grace
 * period. The range stays taken until ph_region_unmap().
 *
 * Context: process.
 */
void ph_region_unpublish(struct ph_region *region, u64 start,
			 unsigned long pages, u16 gen_next)
{
	unsigned long page = start >> PAGE_SHIFT;
	struct ph_segment *seg;
	unsigned int nr;

	for (; pages; pages -= nr, page += nr) {
		nr = ph_seg_part(page, pages);
		/* First: who misses the slab finds what it left behind. */
		spin_lock(&region->lock);
		seg = &region->segs[page / PH_SEG_PAGES];
		memset16(&seg->gen[page % PH_SEG_PAGES], gen_next, nr);
		spin_unlock(&region->lock);
		ph_region_fill(region, page, nr, &ph_no_slab);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_unpublish);

/**
 * ph_region_unmap() - take a range back
 * @region: the region
 * @start: its first offset
 * @pages: length
 * @tenant: who had it; NULL: no matter
 *
 * From now on another slab may come to lie there: whatever anybody has mapped of
 * the last one must be gone.
 *
 * Context: process.
 */
void ph_region_unmap(struct ph_region *region, u64 start, unsigned long pages,
		     struct ph_tenant *tenant)
{
	unsigned long page = start >> PAGE_SHIFT;
	unsigned int nr, i, seg;

	tenant = tenant ?: &region->anyone;
	for (; pages; pages -= nr, page += nr) {
		nr = ph_seg_part(page, pages);
		seg = page / PH_SEG_PAGES;
		spin_lock(&region->lock);
		ph_region_mark(region, page, nr, false);
		for (i = 0; i < PH_HINTS; i++)
			tenant->hint[i] = min(tenant->hint[i], seg);
		spin_unlock(&region->lock);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_unmap);

/**
 * ph_region_gen() - the generation from which the next slab has to start
 * @region: the region
 * @offset: where
 *
 * Context: process.
 * Return: the generation; the oldest one where nothing ever was.
 */
u16 ph_region_gen(struct ph_region *region, u64 offset)
{
	unsigned long page = offset >> PAGE_SHIFT, seg = page / PH_SEG_PAGES;
	u16 gen = region->gen_first;

	spin_lock(&region->lock);
	if (seg < region->nr_segs) {
		seg = array_index_nospec(seg, (unsigned long)region->nr_segs);
		gen = region->segs[seg].gen[page % PH_SEG_PAGES];
	}
	spin_unlock(&region->lock);
	return gen;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_gen);

/**
 * ph_region_end() - the offset from which on nothing ever was
 * @region: the region
 *
 * Context: RCU read side.
 */
u64 ph_region_end(struct ph_region *region)
{
	struct ph_leaves *leaves = rcu_dereference(region->leaves);

	/* Pairs with the release in ph_region_add_segment(). */
	return (u64)smp_load_acquire(&leaves->nr) << (PAGE_SHIFT + PH_SEG_SHIFT);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_end);

/* Whether no page of a segment is taken. */
static bool ph_segment_is_free(struct ph_region *region, unsigned int nr)
{
	bool is_free;

	spin_lock(&region->lock);
	is_free = nr < region->nr_segs &&
		  region->segs[nr].nr_free == PH_SEG_PAGES;
	spin_unlock(&region->lock);
	return is_free;
}

/**
 * ph_region_next_slab() - the first slab of what is left of a segment
 * @region: the region
 * @offset: from where on; (out) where the slab begins, or the next segment
 *
 * Context: RCU read side, which can be left from segment to segment.
 * Return: the slab, or NULL if there is none in this segment.
 */
struct ph_slab *ph_region_next_slab(struct ph_region *region, u64 *offset)
{
	unsigned long seg = *offset >> (PAGE_SHIFT + PH_SEG_SHIFT);
	u64 end = (u64)(seg + 1) << (PAGE_SHIFT + PH_SEG_SHIFT);
	struct ph_slab *slab;

	if (ph_segment_is_free(region, seg))
		*offset = end;
	for (; *offset < end; *offset += PAGE_SIZE) {
		slab = ph_region_slab(region, *offset);
		if (slab)
			return slab;
	}
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_next_slab);
