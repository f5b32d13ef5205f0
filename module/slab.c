// SPDX-License-Identifier: GPL-2.0
/* One run of a region, cut into slots of one size; see slab.h. */

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "chain.h"
#include "reserve.h"
#include "slab.h"
#include "type.h"

struct ph_slab ph_no_slab;
EXPORT_SYMBOL_IF_KUNIT(ph_no_slab);

/* What the slab map says where nothing is. */
static const struct privheap_map_entry ph_no_entry;

/* Where the arrays of a slab's metadata lie. */
struct ph_meta_layout {
	size_t free;
	size_t refs;
	size_t gen;
	size_t slack;
	size_t out;
	size_t end;
};

static size_t ph_meta_place(size_t *end, size_t size, size_t nr)
{
	size_t at = ALIGN(*end, size);

	*end = at + size * nr;
	return at;
}

/**
 * ph_out_bytes() - size of the books of what is handed out
 * @keep: what the slab keeps
 * @slots: how many slots it has
 *
 * Context: any.
 */
size_t ph_out_bytes(u32 keep, u32 slots)
{
	u32 maps = keep & PH_LATE_GENS ? 2 : 1;
	struct ph_out *out;

	return struct_size(out, bits, maps * BITS_TO_LONGS(slots));
}
EXPORT_SYMBOL_IF_KUNIT(ph_out_bytes);

/* Bytes of slack per slot. */
static size_t ph_slack_bytes(u32 keep)
{
	if (keep & PH_KEEP_WIDE_SLACK)
		return sizeof(u16);
	return keep & PH_KEEP_SLACK ? sizeof(u8) : 0;
}

/*
 * In about falling order of alignment, so that little is lost in between. In line,
 * for a cache asks for one length after the other, and but for where it ends.
 */
static __always_inline void ph_meta_layout(struct ph_meta_layout *m, u32 keep,
					   u32 slots)
{
	memset(m, 0, sizeof(*m));
	m->end = offsetof(struct ph_slab, live);
	if (!(keep & PH_BY_ADDRESS) || (keep & PH_KEEP_LIVE))
		m->end += BITS_TO_LONGS(slots + 1) * sizeof(long);
	/* Right there: see ph_span_node(). */
	if (keep & PH_SPAN)
		m->end += sizeof(struct rb_node);
	if (!(keep & PH_CHAIN))
		m->free = ph_meta_place(&m->end, sizeof(long),
					BITS_TO_LONGS(slots));
	if (keep & PH_KEEP_REFS)
		m->refs = ph_meta_place(&m->end, sizeof(u64), slots);
	if (!(keep & (PH_LATE_GENS | PH_BY_ADDRESS)))
		m->gen = ph_meta_place(&m->end, sizeof(u16), slots + 1);
	if (keep & PH_BARE)
		m->out = ph_meta_place(&m->end, sizeof(long),
				       ph_out_bytes(keep, slots) /
				       sizeof(long));
	else if (keep & (PH_KEEP_SLACK | PH_KEEP_WIDE_SLACK))
		m->slack = ph_meta_place(&m->end, ph_slack_bytes(keep), slots);
}

/**
 * ph_geo_meta_bytes() - metadata of a slab
 * @geo: how it is cut
 * @slots: how many slots
 *
 * Context: any.
 * Return: bytes.
 */
size_t ph_geo_meta_bytes(const struct ph_geo *geo, u32 slots)
{
	struct ph_meta_layout m;

	ph_meta_layout(&m, geo->keep, slots);
	return m.end;
}
EXPORT_SYMBOL_IF_KUNIT(ph_geo_meta_bytes);

/**
 * ph_geo_slots() - how many slots fit
 * @geo: how the slab is cut
 * @pages: its length
 *
 * Context: any.
 */
u32 ph_geo_slots(const struct ph_geo *geo, u32 pages)
{
	return (pages << PAGE_SHIFT) / geo->stride;
}
EXPORT_SYMBOL_IF_KUNIT(ph_geo_slots);

/*
 * Bytes that a slab costs per 1024 objects, all of it counted. Runs are cut out of
 * powers of two, and the rest is zeroed for nothing: who has much to do rather has
 * one of those if it costs up to 1/32 more.
 */
static u64 ph_geo_cost(const struct ph_geo *geo, u32 pages)
{
	u32 slots = ph_geo_slots(geo, pages);
	u64 bytes;

	if (!slots || ((geo->keep & PH_CHAIN) && slots > PH_CHAIN_MAX))
		return U64_MAX;
	bytes = ((u64)pages << PAGE_SHIFT) +
		ph_region_meta_cost(ph_geo_meta_bytes(geo, slots));
	if ((geo->keep & PH_BARE) && !is_power_of_2(pages))
		bytes += bytes >> 5;
	return div_u64(bytes << 10, slots);
}

/**
 * ph_geo_choose() - choose the cheapest length of slab
 * @geo: @stride and @keep are set, @pages is (out)
 *
 * Tries each length and takes the one with the fewest bytes per object, tail
 * and metadata included. The shorter one wins where the gain is below 1/256; with
 * a chain below 1/128: of so small objects there are few slabs, and what the last
 * one has idle counts more. PH_LONG says who wins where there is no gain at all.
 *
 * Context: any.
 */
void ph_geo_choose(struct ph_geo *geo)
{
	u32 pages, gain = geo->keep & PH_CHAIN ? 7 : 8;
	u64 best = U64_MAX, cost;

	for (pages = 1; pages <= PH_SLAB_MAX_PAGES; pages++) {
		cost = ph_geo_cost(geo, pages);
		if (cost == U64_MAX)
			continue;
		if (cost + (cost >> gain) < best ||
		    (cost == best && (geo->keep & PH_LONG))) {
			best = cost;
			geo->pages = pages;
		}
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_geo_choose);

/**
 * ph_geo_init() - how the slabs of a size are cut
 * @geo: (out)
 * @size: bytes of an object
 * @align: its alignment, a power of two up to a page
 * @keep: PH_KEEP_* bits; PH_CHAIN allows a chain where it is worth it
 *
 * Context: any.
 * Return: 0, or -EINVAL for a size above PH_SLOT_MAX.
 */
int ph_geo_init(struct ph_geo *geo, u32 size, u32 align, u32 keep)
{
	if (!size || !is_power_of_2(align) || align > PAGE_SIZE ||
	    size > PH_SLOT_MAX)
		return -EINVAL;
	geo->stride = ALIGN(size, align);
	if (geo->stride > PH_CHAIN_STRIDE)
		keep &= ~PH_CHAIN;
	geo->keep = keep;
	geo->pages = 0;
	ph_geo_choose(geo);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_geo_init);

static struct ph_slab *ph_slab_alloc_meta(struct ph_region *region,
					  struct ph_cache *cache, u32 keep,
					  u32 slots, gfp_t gfp)
{
	struct ph_meta_layout m;
	struct ph_slab *slab;

	ph_meta_layout(&m, keep, slots);
	slab = ph_region_meta_alloc_gfp(region, m.end, gfp);
	if (IS_ERR(slab))
		return slab;
	slab->meta_bytes = m.end;
	slab->tenant = keep >> PH_TENANT_SHIFT;
	slab->cache = cache;
	slab->nr = slots;
	slab->gen = m.gen ? (void *)slab + m.gen : NULL;
	slab->refs_at = m.refs;
	slab->bare = keep & PH_BARE;
	slab->late_slack = slab->bare ? ph_slack_bytes(keep) : 0;
	if (m.slack)
		slab->slack = (void *)slab + m.slack;
	if (m.out)
		slab->out = (void *)slab + m.out;
	INIT_LIST_HEAD(&slab->list);
	if (keep & PH_CHAIN) {
		ph_chain_init(slab);
		return slab;
	}
	slab->free = (void *)slab + m.free;
	bitmap_set(slab->free, 0, slots);
	return slab;
}

static struct ph_tenant *ph_slab_tenant(const struct ph_slab *slab)
{
	return slab->tenant ? &slab->cache->type->tenant : NULL;
}

/* Give the slab its place in the region. */
static int ph_slab_map(struct ph_region *region, struct ph_slab *slab)
{
	int err = ph_region_map(region, ph_slab_range(slab),
				ph_slab_tenant(slab), &slab->start,
				&slab->gen_first);

	if (err)
		return err;
	slab->key = region->tag | slab->start;
	slab->reach = min_t(u64, ph_slab_bytes(slab), U32_MAX);
	if (slab->gen)
		memset16(slab->gen, slab->gen_first, slab->nr + 1);
	return 0;
}

/*
 * The pages of a slab by address, which are nobody else's, know it: the cache is
 * where the kernel door looks for it, and the slab stands there twice, once
 * plain and once masked, to tell our pages from any others.
 */
static void *ph_slab_mask(const struct ph_slab *slab)
{
	return (void *)((uintptr_t)slab ^ (uintptr_t)&ph_no_slab);
}

static void ph_slab_mark_pages(struct ph_slab *slab, const void *owner)
{
	struct page *page = virt_to_page(slab->addr);
	u32 i;

	slab->by_address = true;
	slab->marked = ph_reserve_owns(slab->addr);
	slab->key = (uintptr_t)slab->addr;
	slab->start = slab->key;
	slab->reach = ph_slab_bytes(slab);
	for (i = 0; i < slab->nr_pages; i++, page++) {
		set_page_private(page, (unsigned long)owner);
		page->lru.prev = ph_slab_mask(slab);
		/* An even number: an odd one would make it a compound page. */
		page->lru.next = (void *)slab;
	}
}

static void ph_slab_unmark_pages(struct ph_slab *slab)
{
	struct page *page = virt_to_page(slab->addr);
	u32 i;

	for (i = 0; i < slab->nr_pages; i++, page++) {
		set_page_private(page, slab->marked ? PH_RESERVE_MARK : 0);
		INIT_LIST_HEAD(&page->lru);
	}
}

/**
 * ph_slab_of_address() - the slab by address that an address lies in
 * @addr: an address of the direct mapping
 *
 * Context: any in which the slab stays, or RCU read side.
 * Return: the slab; NULL if it lies in none.
 */
struct ph_slab *ph_slab_of_address(const void *addr)
{
	struct page *page = virt_to_page(addr);
	struct ph_slab *slab = (void *)READ_ONCE(page->lru.next);

	return (void *)READ_ONCE(page->lru.prev) == ph_slab_mask(slab) ? slab :
									 NULL;
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_of_address);

/**
 * ph_slab_owns() - whether an address lies in a slab by address
 * @addr: any address
 * @slab: (out) the slab, if so
 *
 * Context: RCU read side.
 */
bool ph_slab_owns(const void *addr, struct ph_slab **slab)
{
	if (!virt_addr_valid(addr))
		return false;
	*slab = ph_slab_of_address(addr);
	return *slab && page_private(virt_to_page(addr));
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_owns);

/* A slab of one length. */
static struct ph_slab *ph_slab_make(struct ph_region *region,
				    struct ph_cache *cache,
				    const struct ph_geo *geo, u32 pages,
				    gfp_t gfp)
{
	void *addr = ph_region_take_run(region, pages, gfp);
	struct ph_slab *slab;
	int err;

	if (IS_ERR(addr))
		return addr;
	slab = ph_slab_alloc_meta(region, cache, geo->keep,
				  ph_geo_slots(geo, pages), gfp);
	if (IS_ERR(slab)) {
		ph_region_put_run(region, addr, pages, false);
		return slab;
	}
	slab->addr = addr;
	slab->nr_pages = pages;
	slab->stride = geo->stride;
	slab->mult = DIV_ROUND_UP_ULL(1ULL << 32, geo->stride);
	slab->rest = slab->mult - 1;
	if (geo->keep & PH_BY_ADDRESS) {
		slab->typesafe = geo->keep & PH_TYPESAFE;
		ph_slab_mark_pages(slab, geo->owner);
		return slab;
	}
	err = ph_slab_map(region, slab);
	if (err) {
		ph_region_put_run(region, addr, pages, false);
		ph_region_meta_free(region, slab, slab->meta_bytes);
		return ERR_PTR(err);
	}
	return slab;
}

/**
 * ph_slab_create() - a slab with all slots free, not to be found yet
 * @region: where
 * @cache: whose
 * @geo: how it is cut; it is shorter where there is but room for that, its own
 *	metadata included
 * @gfp: as for alloc_pages(); without sleeping only where slots go by address
 *
 * Context: as @gfp says.
 * Return: a slab for ph_slab_publish(), or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_slab *ph_slab_create(struct ph_region *region,
			       struct ph_cache *cache,
			       const struct ph_geo *geo, gfp_t gfp)
{
	struct ph_slab *slab;
	u32 pages = geo->pages;

	for (;;) {
		slab = ph_slab_make(region, cache, geo, pages, gfp);
		if (!IS_ERR(slab) || pages == 1 ||
		    !ph_geo_slots(geo, pages / 2))
			return slab;
		pages /= 2;
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_create);

/**
 * ph_span_alloc() - a span without pages and without a place in the region
 * @region: where it is going to be
 * @cache: whose
 * @keep: PH_KEEP_* bits
 * @pages: its length
 *
 * Context: process, may sleep.
 * Return: a slab with NULL pages for ph_span_map() or ph_span_free(); or an
 * ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_slab *ph_span_alloc(struct ph_region *region, struct ph_cache *cache,
			      u32 keep, unsigned long pages)
{
	struct ph_slab *slab;
	int err;

	keep &= PH_KEEP_REFS | ~0U << PH_TENANT_SHIFT;
	slab = ph_slab_alloc_meta(region, cache, keep | PH_SPAN, 1,
				  region->gfp);
	if (IS_ERR(slab))
		return slab;
	slab->stride = U32_MAX;
	slab->mult = 1;
	slab->nr_pages = pages;
	slab->pages = ph_region_meta_alloc(region,
					   array_size(pages, sizeof(*slab->pages)));
	if (!IS_ERR(slab->pages))
		return slab;
	err = PTR_ERR(slab->pages);
	ph_region_meta_free(region, slab, slab->meta_bytes);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(ph_span_alloc);

/**
 * ph_span_free() - free what ph_span_alloc() returned
 * @region: where it was going to be
 * @slab: the span; the caller has dealt with its pages
 *
 * Context: process.
 */
void ph_span_free(struct ph_region *region, struct ph_slab *slab)
{
	ph_region_meta_free(region, slab->pages,
			    slab->nr_pages * sizeof(*slab->pages));
	ph_region_meta_free(region, slab, slab->meta_bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_span_free);

/**
 * ph_span_map() - give a span its place in the region
 * @region: where
 * @slab: the span
 *
 * After its pages were taken: the look-up table, which does not shrink, does not
 * grow for one that cannot be had.
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_span_map(struct ph_region *region, struct ph_slab *slab)
{
	return ph_slab_map(region, slab);
}
EXPORT_SYMBOL_IF_KUNIT(ph_span_map);

/**
 * ph_span_create() - a slab that is one large slot, its pages zero
 * @region: where
 * @cache: whose
 * @keep: PH_KEEP_* bits
 * @pages: its length
 * @units: whether units will do; else all pages are single ones
 *
 * Context: process, may sleep.
 * Return: a slab for ph_slab_publish(), or an ERR_PTR: -EDQUOT, -ENOMEM, -EINTR.
 */
struct ph_slab *ph_span_create(struct ph_region *region,
			       struct ph_cache *cache, u32 keep,
			       unsigned long pages, bool units)
{
	struct ph_slab *slab = ph_span_alloc(region, cache, keep, pages);
	int err;

	if (IS_ERR(slab))
		return slab;
	err = units ? ph_region_take_span(region, slab->pages, 0, pages) :
		      ph_region_take_pages(region, slab->pages, pages);
	if (err)
		goto err_free;
	err = ph_span_map(region, slab);
	if (err)
		goto err_put_pages;
	return slab;

err_put_pages:
	ph_region_put_pages(region, slab->pages, pages);
err_free:
	ph_span_free(region, slab);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(ph_span_create);

/**
 * ph_slab_publish() - let handles find a slab
 * @region: where it is
 * @slab: the slab
 *
 * Context: process.
 */
void ph_slab_publish(struct ph_region *region, struct ph_slab *slab)
{
	ph_region_publish(region, slab, slab->start, slab->nr_pages);
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_publish);

/**
 * struct ph_gens - generations that a slab got late
 * @rcu: to free them
 * @gen: one for each slot, and one for the tail; behind them, for a slab that was
 *	bare, the slack
 */
struct ph_gens {
	struct rcu_head rcu;
	u16 gen[];
};

static size_t ph_gens_bytes(const struct ph_slab *slab)
{
	size_t bytes = offsetof(struct ph_gens, gen[slab->nr + 1]);

	return bytes + slab->nr * slab->late_slack;
}

/* The generations of a slab, if it got them late. */
static struct ph_gens *ph_slab_gens(const struct ph_slab *slab)
{
	void *end = (void *)slab + slab->meta_bytes;

	if (!slab->gen || ((void *)slab->gen > (void *)slab &&
			   (void *)slab->gen < end))
		return NULL;
	return container_of((void *)slab->gen, struct ph_gens, gen);
}

/**
 * ph_gens_alloc() - generations for a slab that has none
 * @region: where it is
 * @slab: the slab
 *
 * Context: process, may sleep.
 * Return: generations for ph_slab_attach_gens() or ph_gens_free(), or an
 * ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_gens *ph_gens_alloc(struct ph_region *region,
			      const struct ph_slab *slab)
{
	return ph_region_meta_alloc(region, ph_gens_bytes(slab));
}
EXPORT_SYMBOL_IF_KUNIT(ph_gens_alloc);

/**
 * ph_gens_free() - give generations back that no slab got
 * @region: who paid
 * @slab: for which slab they were made
 * @gens: the generations
 *
 * Context: process.
 */
void ph_gens_free(struct ph_region *region, const struct ph_slab *slab,
		  struct ph_gens *gens)
{
	ph_region_meta_free(region, gens, ph_gens_bytes(slab));
}
EXPORT_SYMBOL_IF_KUNIT(ph_gens_free);

static bool ph_slab_had_no_handle(const struct ph_slab *slab, u32 slot)
{
	return ph_slab_nr_again(slab) && test_bit(slot, ph_slab_again(slab));
}

/**
 * ph_slab_attach_gens() - let a slab use its slots again
 * @slab: the slab
 * @gens: from ph_gens_alloc()
 *
 * The next generation is due where slots are free again. One in somebody's hands
 * keeps the first one: either its first object is about to live, with that in
 * its handle, or it has ended, and then its round brings the next one along,
 * see ph_slab_give(). So does one that was never taken, or had no handle.
 *
 * Context: the cache's lock held.
 */
void ph_slab_attach_gens(struct ph_slab *slab, struct ph_gens *gens)
{
	u32 i;

	memset16(gens->gen, slab->gen_first, slab->nr + 1);
	for_each_set_bit(i, slab->free, slab->used_to)
		gens->gen[i] += !ph_slab_had_no_handle(slab, i);
	if (slab->late_slack)
		slab->slack = &gens->gen[slab->nr + 1];
	/* Pairs with the acquire in ph_slab_gen(). */
	smp_store_release(&slab->gen, gens->gen);
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_attach_gens);

static u16 ph_slab_gen_next(const struct ph_region *region,
			    const struct ph_slab *slab)
{
	u16 gen = slab->gen_first;
	u32 i;

	if (!slab->gen)
		return gen + (slab->used_to && !slab->bare);
	for (i = 0; i < slab->nr; i++)
		gen = ph_region_younger(region, gen, slab->gen[i]);
	return gen;
}

static void ph_slab_put_memory(struct ph_region *region, struct ph_slab *slab,
			       bool keep)
{
	unsigned long nr = slab->nr_pages;

	if (!ph_slab_is_span(slab)) {
		ph_region_put_run(region, slab->addr, nr, keep);
		return;
	}
	if (slab->pages[0])
		ph_region_put_pages(region, slab->pages, nr);
	ph_region_meta_free(region, slab->pages, nr * sizeof(*slab->pages));
}

static void ph_slab_destroy_by_address(struct ph_region *region,
				       struct ph_slab *slab, bool keep)
{
	ph_slab_unmark_pages(slab);
	ph_slab_put_memory(region, slab, keep);
	ph_region_meta_forget(region, slab->meta_bytes);
	kvfree_rcu(slab, rcu);
}

static void ph_slab_destroy_typesafe(struct rcu_head *rcu)
{
	struct ph_slab *slab = container_of(rcu, struct ph_slab, rcu);

	ph_slab_destroy_by_address(slab->region, slab, false);
}

/**
 * ph_slab_await_destroyed() - wait for slabs that wait for a grace period
 *
 * Context: process, may sleep.
 */
void ph_slab_await_destroyed(void)
{
	rcu_barrier();
}

/**
 * ph_slab_destroy() - end a slab whose slots are all free
 * @region: where it is
 * @slab: the slab; on no list; nobody has it pinned. A span whose first page is
 *	NULL has none
 * @keep: whether the heap is about to use its pages again
 *
 * Context: process; any if it goes by address.
 */
void ph_slab_destroy(struct ph_region *region, struct ph_slab *slab,
		     bool keep)
{
	struct ph_gens *gens;

	if (slab->typesafe) {
		slab->region = region;
		call_rcu(&slab->rcu, ph_slab_destroy_typesafe);
		return;
	}
	if (slab->by_address) {
		ph_slab_destroy_by_address(region, slab, keep);
		return;
	}
	ph_region_unpublish(region, slab->start, ph_slab_range(slab),
			    ph_slab_gen_next(region, slab));
	ph_view_note(&region->view, slab->start >> PAGE_SHIFT, slab->nr_pages,
		     &ph_no_entry);
	ph_view_zap(&region->view, slab->start, slab->nr_pages);
	/* Not before: the next slab there has pages and an entry of its own. */
	ph_region_unmap(region, slab->start, ph_slab_range(slab),
			ph_slab_tenant(slab));
	ph_slab_put_memory(region, slab, keep);
	if (!ph_slab_is_span(slab) && !slab->bare && slab->out) {
		ph_region_meta_forget(region, slab->out->bytes);
		kvfree_rcu(slab->out, rcu);
	}
	gens = ph_slab_gens(slab);
	if (gens) {
		ph_region_meta_forget(region, ph_gens_bytes(slab));
		kvfree_rcu(gens, rcu);
	}
	ph_region_meta_forget(region, slab->meta_bytes);
	kvfree_rcu(slab, rcu);
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_destroy);

/**
 * ph_slab_takeable() - the free slots of a word that can be taken
 * @slab: the slab
 * @word: which word of the bitmap
 *
 * Context: the cache's lock held.
 */
unsigned long ph_slab_takeable(const struct ph_slab *slab, u32 word)
{
	u32 base = word * BITS_PER_LONG;
	unsigned long again;

	/* Without generations no slot has two handles. */
	if (ph_slab_reuses(slab) || base >= slab->used_to)
		return slab->free[word];
	again = ph_slab_nr_again(slab) ? ph_slab_again(slab)[word] : 0;
	if (slab->used_to - base >= BITS_PER_LONG)
		return again;
	return again | (slab->free[word] & ~0UL << (slab->used_to - base));
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_takeable);

/**
 * ph_slab_take_bits() - slots of a word are not free any more
 * @slab: the slab
 * @word: which word of the bitmap
 * @bits: which, of ph_slab_takeable()
 *
 * Context: the cache's lock held.
 */
void ph_slab_take_bits(struct ph_slab *slab, u32 word, unsigned long bits)
{
	unsigned long *again;

	slab->free[word] &= ~bits;
	if (ph_slab_reuses(slab) || !ph_slab_nr_again(slab))
		return;
	again = &ph_slab_again(slab)[word];
	slab->out->nr_again -= hweight_long(*again & bits);
	*again &= ~bits;
}

/* Hand out the slots of one word of the bitmap. */
static u32 ph_slab_take_word(struct ph_slab *slab, u32 word, u64 *rounds,
			     u32 nr)
{
	unsigned long all = ph_slab_takeable(slab, word), bits = all;
	u32 base = word * BITS_PER_LONG;
	u32 got = 0, slot;

	while (bits && got < nr) {
		slot = base + __ffs(bits);
		bits &= bits - 1;
		rounds[got++] = (u64)ph_slab_gen(slab, slot) << PH_OFFSET_BITS |
				(slab->key + (u64)slot * slab->stride);
	}
	ph_slab_take_bits(slab, word, all & ~bits);
	return got;
}

/**
 * ph_slab_meta_cost() - what a slab takes beside its pages
 * @slab: the slab
 *
 * Context: any.
 * Return: bytes.
 */
size_t ph_slab_meta_cost(const struct ph_slab *slab)
{
	size_t cost = ph_region_meta_cost(slab->meta_bytes);

	if (ph_slab_gens(slab))
		cost += ph_region_meta_cost(ph_gens_bytes(slab));
	if (ph_slab_is_span(slab))
		cost += ph_region_meta_cost(slab->nr_pages *
					    sizeof(*slab->pages));
	else if (!slab->bare && ph_slab_out(slab))
		cost += ph_region_meta_cost(slab->out->bytes);
	return cost;
}

/**
 * ph_slab_random() - a free slot that nobody can foretell
 * @slab: a slab with free slots, of a hardened heap
 *
 * Context: the cache's lock held.
 */
u32 ph_slab_random(const struct ph_slab *slab)
{
	u32 from = get_random_u32() % slab->nr;
	u32 slot = find_next_bit(slab->free, slab->nr, from);

	return slot < slab->nr ? slot : find_first_bit(slab->free, slab->nr);
}

static u32 ph_slab_take_random(struct ph_slab *slab, u64 *rounds, u32 nr,
			       u32 *fresh)
{
	u32 got, slot;
	u16 gen;

	for (got = 0; got < nr && slab->taken < slab->nr; got++) {
		slot = ph_slab_random(slab);
		__clear_bit(slot, slab->free);
		WRITE_ONCE(slab->taken, slab->taken + 1);
		gen = ph_slab_gen(slab, slot);
		*fresh += gen == slab->gen_first;
		rounds[got] = (u64)gen << PH_OFFSET_BITS |
			      (slab->key + (u64)slot * slab->stride);
	}
	/* In no order: as if all had been out. */
	slab->used_to = slab->nr;
	return got;
}

/**
 * ph_slab_take() - take free slots, lowest first where it has a bitmap
 * @slab: the slab
 * @rounds: (out) array
 * @nr: most to take
 * @fresh: (in, out) grows by how many of them were never taken before
 *
 * Context: the cache's lock held.
 * Return: how many were taken, see also ph_chain_take().
 */
u32 ph_slab_take(struct ph_slab *slab, u64 *rounds, u32 nr, u32 *fresh)
{
	u32 words = BITS_TO_LONGS(slab->nr);
	u32 got = 0, word, last;

	if (unlikely(slab->tenant))
		return ph_slab_take_random(slab, rounds, nr, fresh);
	if (slab->chained)
		return ph_chain_take(slab, rounds, nr, fresh);
	for (word = 0; word < words && got < nr; word++)
		if (slab->free[word])
			got += ph_slab_take_word(slab, word, rounds + got,
						 nr - got);
	if (!got)
		return 0;
	WRITE_ONCE(slab->taken, slab->taken + got);
	/* Slots go out in rising order: all below used_to have been out. */
	last = ph_round_slot(slab, rounds[got - 1]) + 1;
	if (last > slab->used_to) {
		*fresh += min(got, last - slab->used_to);
		slab->used_to = last;
	}
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_take);

/**
 * ph_slab_give() - take a slot back
 * @slab: the slab
 * @round: a slot that was taken from it, and its next generation
 *
 * Context: the cache's lock held.
 * Return: false, and nothing is changed, if it is no slot, or free already.
 */
bool ph_slab_give(struct ph_slab *slab, u64 round)
{
	u32 slot;

	if (unlikely(!ph_slab_slot(slab, ph_round_offset(round - slab->start),
				   &slot) ||
		     slot >= slab->nr))
		return false;
	if (slab->chained)
		return ph_chain_give(slab, slot);
	if (unlikely(test_bit(slot, slab->free)))
		return false;
	__set_bit(slot, slab->free);
	WRITE_ONCE(slab->taken, slab->taken - 1);
	if (slab->gen)
		WRITE_ONCE(slab->gen[slot], (u16)(round >> PH_OFFSET_BITS));
	else if (!slab->taken && !slab->by_address)
		ph_slab_emptied(slab);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_give);

/**
 * ph_slab_emptied() - a slab without generations starts anew
 * @slab: the slab, whose last slot came back
 *
 * Context: the cache's lock held.
 */
void ph_slab_emptied(struct ph_slab *slab)
{
	/* In a bare one no object had it. */
	if (!slab->bare)
		WRITE_ONCE(slab->gen_first, slab->gen_first + 1);
	slab->used_to = 0;
	if (!ph_slab_nr_again(slab))
		return;
	slab->out->nr_again = 0;
	bitmap_zero(ph_slab_again(slab), slab->nr);
}

/**
 * ph_slab_is_free() - whether a slot is in the slab's hands
 * @slab: the slab
 * @slot: one of its slots
 *
 * Context: the cache's lock held.
 */
bool ph_slab_is_free(const struct ph_slab *slab, u32 slot)
{
	if (slab->chained)
		return slot >= slab->used_to || ph_chain_is_link(slab, slot);
	return test_bit(slot, slab->free);
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_is_free);

/**
 * ph_slab_weight() - how many slots are in the slab's hands, one by one
 * @slab: the slab
 *
 * Context: the cache's lock held.
 */
u32 ph_slab_weight(const struct ph_slab *slab)
{
	if (slab->chained)
		return ph_chain_weight(slab);
	return bitmap_weight(slab->free, slab->nr);
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_weight);

/**
 * ph_slab_live() - how many live objects a slab has
 * @slab: the slab, not by address: there it is not known
 *
 * Context: any in which the slab cannot go away.
 */
u32 ph_slab_live(const struct ph_slab *slab)
{
	return bitmap_weight(slab->live, slab->nr);
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_live);
