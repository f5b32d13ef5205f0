// SPDX-License-Identifier: GPL-2.0
/* Changing the size of an object. */

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "content.h"
#include "object.h"
#include "resize.h"
#include "supply.h"
#include "unit.h"

/**
 * struct ph_resize - an object on its way
 * @heap: whose it is
 * @handle: its handle until now
 * @slab: where it is; pinned
 * @slot: where it is
 * @old_bytes: size until now
 * @bytes: size from now on
 * @tell: to be called before anything changes
 * @data: handed to it
 */
struct ph_resize {
	struct ph_heap *heap;
	u64 handle;
	struct ph_slab *slab;
	u32 slot;
	u64 old_bytes;
	u64 bytes;
	ph_tell_fn tell;
	void *data;
};

static struct ph_type *ph_resize_type(const struct ph_resize *r)
{
	return r->slab->cache->type;
}

/* That the object will be in @slab, by @handle. */
static int ph_resize_tell(const struct ph_resize *r, u64 handle,
			  const struct ph_slab *slab)
{
	return r->tell(r->data, handle, ph_content_usable(slab));
}

/* It stays where it was after all; the caller fails, whatever it knows. */
static void ph_resize_untell(const struct ph_resize *r)
{
	ph_resize_tell(r, r->handle, r->slab);
}

/* Whether another place would be just like this one. */
static bool ph_resize_same_class(const struct ph_resize *r, u64 usable)
{
	struct ph_type *type = ph_resize_type(r);

	if (ph_slab_is_span(r->slab))
		return DIV_ROUND_UP_ULL(r->bytes, PAGE_SIZE) ==
		       r->slab->nr_pages;
	return ph_type_class(type, r->bytes) == ph_type_class(type, usable);
}

/* A compact object stays in its class; another until it needs but half. */
static bool ph_resize_fits(const struct ph_resize *r)
{
	u64 usable = ph_content_usable(r->slab);

	if (r->bytes > usable)
		return false;
	if (ph_resize_type(r)->policy_id != PRIVHEAP_POLICY_COMPACT &&
	    (r->bytes >= usable / 2 || r->bytes >= r->old_bytes))
		return true;
	return ph_resize_same_class(r, usable);
}

/* What the object gains is zero where its type says so. */
static void ph_resize_zero_tail(const struct ph_resize *r,
				struct ph_slab *slab, u32 slot)
{
	if (ph_resize_type(r)->flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		ph_content_zero(slab, slot, r->old_bytes, r->bytes);
}

/*
 * While it is claimed nobody can free the object and have its slot serve another;
 * and whoever looks for it meanwhile comes to wait for the lock.
 */
static bool ph_resize_slot(const struct ph_resize *r)
{
	struct ph_cache *cache = r->slab->cache;
	unsigned long flags;
	bool done;

	spin_lock_irqsave(&cache->lock, flags);
	done = ph_handle_claim_locked(r->slab, r->slot, r->handle);
	if (done) {
		done = ph_content_resize(r->slab, r->slot, r->old_bytes,
					 r->bytes);
		if (done)
			ph_resize_zero_tail(r, r->slab, r->slot);
		ph_handle_unclaim_locked(r->slab, r->slot,
					 ph_handle_gen(r->handle));
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return done;
}

/* A span that is pinned serves no other object, and has no size once freed. */
static bool ph_resize_span_in_place(const struct ph_resize *r)
{
	ph_resize_zero_tail(r, r->slab, r->slot);
	return ph_content_resize(r->slab, r->slot, r->old_bytes, r->bytes);
}

/* Returns -EAGAIN when somebody else resized or freed the object meanwhile. */
static int ph_resize_in_place(const struct ph_resize *r)
{
	int err = ph_resize_tell(r, r->handle, r->slab);

	if (err)
		return err;
	if (ph_slab_is_span(r->slab) ? !ph_resize_span_in_place(r) :
				       !ph_resize_slot(r))
		return -EAGAIN;
	ph_cpu_count(r->slab->cache->cpus, requested,
		     (s64)(r->bytes - r->old_bytes));
	return 0;
}

/* The size to make room for: a growing object will grow again. */
static u64 ph_resize_room(const struct ph_resize *r)
{
	struct ph_type *type = ph_resize_type(r);
	u32 shift = type->policy->grow_shift;
	u64 bytes = r->bytes;

	if (shift && r->bytes > r->old_bytes)
		bytes += r->bytes >> shift;
	return min(bytes, type->max_bytes);
}

/*
 * Claim the object, its references first: a count of 0 belongs to who is about
 * to end it. @refs is what they were.
 */
static int ph_resize_claim(const struct ph_resize *r, u32 *refs)
{
	u16 gen = ph_handle_gen(r->handle);
	u64 *count = NULL, old;

	*refs = 0;
	if (r->slab->refs_at) {
		count = ph_slab_refs(r->slab, r->slot);
		do {
			old = READ_ONCE(*count);
			if (old >> 32 != gen || !(u32)old)
				return -ESTALE;
		} while (cmpxchg64(count, old, ph_refs(gen, 0)) != old);
		*refs = (u32)old;
	}
	if (ph_handle_claim_late(r->slab, r->slot, r->handle))
		return 0;
	if (count)
		cmpxchg64(count, ph_refs(gen, 0), old);
	return -ESTALE;
}

static void ph_resize_unclaim(const struct ph_resize *r, u32 refs)
{
	u16 gen = ph_handle_gen(r->handle);

	if (r->slab->refs_at)
		WRITE_ONCE(*ph_slab_refs(r->slab, r->slot), ph_refs(gen, refs));
	ph_handle_unclaim(r->slab, r->slot, gen);
}

static void ph_resize_set_refs(struct ph_slab *slab, u32 slot, u32 refs)
{
	if (slab->refs_at)
		WRITE_ONCE(*ph_slab_refs(slab, slot),
			   ph_refs(ph_slab_gen(slab, slot), refs));
}

/* How many of the old span's pages one of @pages goes on with. */
static u32 ph_resize_kept(const struct ph_resize *r, u32 pages)
{
	u32 have = r->slab->nr_pages;

	return pages < have ? ph_unit_whole(r->slab->pages, pages) : have;
}

static void ph_resize_put_extra(const struct ph_resize *r,
				struct ph_slab *span)
{
	u32 kept = ph_resize_kept(r, span->nr_pages);

	if (span->nr_pages > kept)
		ph_region_put_pages(&r->heap->region, span->pages + kept,
				    span->nr_pages - kept);
}

/* A span of the new length with what pages it needs beyond the old one's. */
static struct ph_slab *ph_resize_new_span(const struct ph_resize *r, u32 pages)
{
	struct ph_region *region = &r->heap->region;
	struct ph_cache *cache = r->slab->cache;
	u32 kept = ph_resize_kept(r, pages);
	struct ph_slab *span;
	int err = 0;

	span = ph_span_alloc(region, cache, cache->geo.keep, pages);
	if (IS_ERR(span))
		return span;
	if (pages > kept)
		err = ph_region_take_span(region, span->pages, kept, pages);
	if (err)
		goto err_free;
	err = ph_span_map(region, span);
	if (err)
		goto err_put;
	return span;

err_put:
	ph_resize_put_extra(r, span);
err_free:
	ph_span_free(region, span);
	return ERR_PTR(err);
}

/*
 * The same with room to grow; without; from idle memory; and with all of a unit of
 * which but a part is needed: to shrink takes no memory.
 */
static struct ph_slab *ph_resize_get_span(const struct ph_resize *r)
{
	u32 room = DIV_ROUND_UP_ULL(ph_resize_room(r), PAGE_SIZE);
	u32 need = DIV_ROUND_UP_ULL(r->bytes, PAGE_SIZE);
	struct ph_slab *span = ph_resize_new_span(r, room);
	u32 kept = ph_resize_kept(r, need);

	if (IS_ERR(span) && ph_supply_short(PTR_ERR(span)) && need < room)
		span = ph_resize_new_span(r, need);
	if (IS_ERR(span) && ph_supply_short(PTR_ERR(span))) {
		ph_supply_reclaim(r->heap, true);
		span = ph_resize_new_span(r, need);
	}
	if (IS_ERR(span) && ph_supply_short(PTR_ERR(span)) &&
	    need < r->slab->nr_pages && kept < need)
		span = ph_resize_new_span(r, kept + PH_UNIT_PAGES);
	return span;
}

static void ph_resize_drop_span(const struct ph_resize *r,
				struct ph_slab *span)
{
	ph_resize_put_extra(r, span);
	span->pages[0] = NULL;
	ph_slab_destroy(&r->heap->region, span, false);
}

/* The part that is needed of a unit that is not. */
static void ph_resize_copy_pages(const struct ph_resize *r,
				 struct ph_slab *span, u32 from, u32 to)
{
	for (; from < to; from++) {
		copy_page(page_address(span->pages[from]),
			  page_address(r->slab->pages[from]));
		atomic64_add(PAGE_SIZE, &r->heap->moved_bytes);
	}
}

/* The old span is claimed and nobody else has it pinned: its pages move. */
static void ph_resize_move_pages(const struct ph_resize *r,
				 struct ph_slab *span)
{
	u32 have = r->slab->nr_pages;
	u32 nr = ph_resize_kept(r, span->nr_pages);

	ph_resize_copy_pages(r, span, nr, min(have, span->nr_pages));
	if (ph_resize_type(r)->flags & PRIVHEAP_TYPE_ZERO_FREE)
		ph_content_zero(r->slab, 0, (u64)nr << PAGE_SHIFT,
				ph_slab_bytes(r->slab));
	memcpy(span->pages, r->slab->pages, nr * sizeof(*span->pages));
	if (have > nr)
		ph_region_put_pages(&r->heap->region, r->slab->pages + nr,
				    have - nr);
	r->slab->pages[0] = NULL;
	atomic64_add(nr, &r->heap->moved_pages);
}

static void ph_resize_publish_span(const struct ph_resize *r,
				   struct ph_slab *span, u32 refs)
{
	struct ph_cache *cache = span->cache;
	u64 old_bytes = ph_content_end(r->slab, r->slot);
	u32 fresh = 0;
	u64 round;

	ph_slab_take(span, &round, 1, &fresh);
	WRITE_ONCE(span->requested, r->bytes);
	ph_resize_set_refs(span, 0, refs);
	if (ph_resize_type(r)->flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		ph_content_zero(span, 0, old_bytes, r->bytes);
	ph_cache_add_slab(cache, span);
	ph_cache_remove_slab(cache, r->slab);
	ph_cpu_count(cache->cpus, requested, (s64)(r->bytes - old_bytes));
	/* Who sees it live sees all of the above; and may end it at once. */
	smp_mb__before_atomic();
	set_bit(0, span->live);
}

/*
 * The object goes to the new span, or stays. Returns -EAGAIN when somebody copies
 * to or from it just now, so that its pages have to stay.
 */
static int ph_resize_enter_span(const struct ph_resize *r, struct ph_slab *span)
{
	u32 refs;
	int err = ph_resize_claim(r, &refs);

	if (err)
		return err;
	/* Pairs with the barrier in ph_handle_pin(). */
	smp_mb();
	if (atomic_read(&r->slab->pins) > 1) {
		ph_resize_unclaim(r, refs);
		return -EAGAIN;
	}
	/* It is put in place no more where a program has it mapped. */
	set_bit(PH_SPAN_GOES, r->slab->live);
	ph_view_zap(&r->heap->region.view, r->slab->start, r->slab->nr_pages);
	ph_resize_move_pages(r, span);
	ph_resize_publish_span(r, span, refs);
	ph_slab_destroy(&r->heap->region, r->slab, false);
	return 0;
}

/* From span to span: no byte is copied. Returns -EAGAIN as above. */
static int ph_resize_span(const struct ph_resize *r)
{
	struct ph_slab *span;
	int err;

	down_read(&r->heap->sem);
	span = ph_resize_get_span(r);
	up_read(&r->heap->sem);
	if (IS_ERR(span))
		return PTR_ERR(span);
	/* The object keeps its type, and that the span's cache, by its pin. */
	err = ph_resize_tell(r, ph_handle(r->heap, span->gen[0], span->start),
			     span);
	down_read(&r->heap->sem);
	if (!err)
		err = ph_resize_enter_span(r, span);
	if (err)
		ph_resize_drop_span(r, span);
	up_read(&r->heap->sem);
	return err;
}

/* A place for the object, with room to grow where that can be had. */
static int ph_resize_place(const struct ph_resize *r, u64 *round)
{
	u32 id = ph_resize_type(r)->id;
	u64 room = ph_resize_room(r);
	int err;

	down_read(&r->heap->sem);
	err = ph_object_claim_new(r->heap, id, room, round);
	if (ph_supply_short(err) && room > r->bytes)
		err = ph_object_claim_new(r->heap, id, r->bytes, round);
	up_read(&r->heap->sem);
	return err;
}

/* A claimed slot keeps its slab. */
static struct ph_slab *ph_resize_slab(const struct ph_resize *r, u64 round)
{
	struct ph_slab *slab;

	rcu_read_lock();
	slab = ph_region_lookup(&r->heap->region, ph_round_offset(round));
	rcu_read_unlock();
	return slab;
}

/* The claimed place is complete: the object lives there from now on. */
static void ph_resize_fill(const struct ph_resize *r, u64 round, u32 refs)
{
	u64 old_bytes = ph_content_requested(r->slab, r->slot);
	struct ph_slab *slab = ph_resize_slab(r, round);
	u32 slot = ph_round_slot(slab, round);

	ph_content_copy(slab, slot, r->slab, r->slot,
			min(old_bytes, r->bytes));
	if (ph_resize_type(r)->flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		ph_content_zero(slab, slot, old_bytes, r->bytes);
	ph_content_set_requested(slab, slot, r->bytes);
	ph_cpu_count(slab->cache->cpus, requested, r->bytes);
	ph_resize_set_refs(slab, slot, refs);
	atomic64_add(min(old_bytes, r->bytes), &r->heap->moved_bytes);
	/* Who sees it live sees all of the above. */
	smp_mb__before_atomic();
	set_bit(slot, slab->live);
}

/* Give a place back that nothing moved to. */
static void ph_resize_drop_place(const struct ph_resize *r, u64 round)
{
	struct ph_slab *slab = ph_resize_slab(r, round);

	ph_content_set_requested(slab, ph_round_slot(slab, round), r->bytes);
	ph_cpu_count(slab->cache->cpus, requested, r->bytes);
	/* It has not lived: its generation is still the next one. */
	ph_object_free_claimed(r->heap, &round, 1);
}

/* To a slot of another size, or from or to a span: the bytes are copied. */
static int ph_resize_copy(const struct ph_resize *r)
{
	u64 round, old;
	u32 refs;
	int err;

	err = ph_resize_place(r, &round);
	if (err)
		return err;
	err = ph_resize_tell(r, round, ph_resize_slab(r, round));
	if (!err)
		err = ph_resize_claim(r, &refs);
	if (err) {
		ph_resize_drop_place(r, round);
		return err;
	}
	ph_resize_fill(r, round, refs);
	old = ph_handle_round(r->handle);
	ph_slab_unpin(r->slab);
	ph_object_free_claimed(r->heap, &old, 1);
	return 0;
}

/* Whether the object is still where it was. */
static int ph_resize_look_again(const struct ph_resize *r)
{
	struct ph_slab *slab = r->slab;
	u32 slot;
	int err;

	rcu_read_lock();
	err = ph_handle_lookup(r->heap, 0, r->handle, &slab, &slot);
	rcu_read_unlock();
	return err;
}

static int ph_resize_move(const struct ph_resize *r)
{
	int err = -EAGAIN;

	if (ph_slab_is_span(r->slab) &&
	    ph_type_is_span(ph_resize_type(r), r->bytes))
		err = ph_resize_span(r);
	if (err == -EAGAIN)
		err = ph_resize_copy(r);
	if (err)
		ph_resize_untell(r);
	return err;
}

static int ph_resize_pinned(struct ph_resize *r, bool *unpinned)
{
	struct ph_type *type = ph_resize_type(r);
	int err;

	if (r->bytes < type->min_bytes || r->bytes > type->max_bytes)
		return -ERANGE;
	do {
		r->old_bytes = ph_content_requested(r->slab, r->slot);
		if (!r->old_bytes)
			return -ESTALE;
		if (!ph_resize_fits(r))
			break;
		err = ph_resize_in_place(r);
		if (err != -EAGAIN)
			return err;
		err = ph_resize_look_again(r);
		if (err)
			return err;
	} while (!fatal_signal_pending(current));
	err = ph_resize_move(r);
	*unpinned = !err;
	return err;
}

/**
 * ph_object_resize() - change the size of an object
 * @heap: the heap
 * @id: the type that it must have; 0 for any
 * @handle: the object
 * @bytes: new size
 * @tell: tells what its handle is from now on
 * @data: handed to @tell
 *
 * Context: process, may sleep.
 * Return: 0; or -ERANGE, -EDQUOT, -ENOMEM, -EINTR, what is wrong with the
 * handle, or what @tell returned, with the object as it was.
 */
int ph_object_resize(struct ph_heap *heap, u32 id, u64 handle, u64 bytes,
		     ph_tell_fn tell, void *data)
{
	struct ph_resize r = {
		.heap	= heap,
		.slab	= &ph_no_slab,
		.handle	= handle,
		.bytes	= bytes,
		.tell	= tell,
		.data	= data,
	};
	bool unpinned = false;
	int err;

	err = ph_handle_pin(heap, id, handle, &r.slab, &r.slot);
	if (err)
		return err;
	err = ph_resize_pinned(&r, &unpinned);
	if (!unpinned)
		ph_slab_unpin(r.slab);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_object_resize);
