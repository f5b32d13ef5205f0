// SPDX-License-Identifier: GPL-2.0
/* Handles become offsets, and offsets handles; see convert.h. */

#include <linux/sched.h>
#include <kunit/visibility.h>

#include "content.h"
#include "convert.h"

static void ph_convert_count(struct ph_slab *slab, s32 nr, u64 bytes)
{
	ph_cache_count_handed(slab->cache, nr, nr * (s64)bytes);
	ph_type_count_handed(slab->cache->type, nr, nr * (s64)bytes);
}

static void ph_convert_unclaim(struct ph_heap *heap, const u64 *offsets,
			       u32 nr)
{
	struct privheap_run run = { .mask = 1 };
	u32 i;

	for (i = 0; i < nr; i++) {
		run.offset = offsets[i] & PH_OFFSET_MASK;
		ph_hand_unclaim_all(heap, &run, 1);
		cond_resched();
	}
}

/* Offsets become the handles that their objects will have. */
static int ph_convert_claim(struct ph_heap *heap, u32 type, u64 *words, u32 nr)
{
	struct privheap_run run = { .mask = 1 };
	struct ph_slab *slab = &ph_no_slab;
	int err = 0;
	u32 i, slot;

	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		run.offset = words[i];
		slab = ph_hand_pause(slab, i);
		err = ph_hand_claim(heap, type, &run, &slab, &slot);
		if (err)
			break;
		words[i] = ph_handle(heap, ph_slab_gen(slab, slot), words[i]);
	}
	rcu_read_unlock();
	if (err)
		ph_convert_unclaim(heap, words, i);
	return err;
}

/* What an object needs in order to have a handle is there after this. */
static int ph_convert_make_nameable(struct ph_heap *heap, const u64 *handles,
				    u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i, slot;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		rcu_read_lock();
		slab = ph_hand_claimed(heap, slab, handles[i] & PH_OFFSET_MASK,
				       &slot);
		rcu_read_unlock();
		/* What is claimed keeps its slab. */
		err = ph_slab_make_nameable(slab);
		cond_resched();
	}
	return err;
}

static void ph_convert_adopt(struct ph_heap *heap, const u64 *handles, u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i, slot;

	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		slab = ph_hand_pause(slab, i);
		slab = ph_hand_claimed(heap, slab, handles[i] & PH_OFFSET_MASK,
				       &slot);
		ph_convert_count(slab, -1, ph_slab_is_span(slab) ?
				 ph_slab_bytes(slab) : slab->cache->size);
		ph_object_adopt(slab, slot);
	}
	rcu_read_unlock();
}

/**
 * ph_convert_to_handles() - give handles to objects that are handed out
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @words: array of offsets; (out) their handles
 * @nr: how many
 * @tell: told the handles before they are good; or NULL
 * @data: handed to it
 *
 * Context: process, may sleep.
 * Return: 0; or what @tell returned, -ENXIO, -EBADSLT, -EPROTOTYPE, -ESTALE,
 * -EDQUOT, -ENOMEM with nothing changed.
 */
int ph_convert_to_handles(struct ph_heap *heap, u32 type, u64 *words, u32 nr,
			  ph_convert_tell_fn tell, void *data)
{
	int err = ph_convert_claim(heap, type, words, nr);

	if (err)
		return err;
	err = ph_convert_make_nameable(heap, words, nr);
	/* User memory is touched: but what is claimed keeps slab and type. */
	if (!err && tell)
		err = tell(data, words, nr, ~0ULL);
	if (err)
		ph_convert_unclaim(heap, words, nr);
	else
		ph_convert_adopt(heap, words, nr);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_convert_to_handles);

/* What an object needs in order to be handed out is there after this. */
static int ph_convert_prepare(struct ph_heap *heap, u32 type, u64 handle)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err = ph_handle_pin(heap, type, handle, &slab, &slot);

	if (err)
		return err;
	if (slab->refs_at)
		err = -EOPNOTSUPP;
	else if (!ph_slab_is_span(slab))
		err = ph_slab_make_lendable(slab);
	ph_slab_unpin(slab);
	return err;
}

static int ph_convert_claim_live(struct ph_heap *heap, u32 type, u64 *handles,
				 u32 nr)
{
	u32 done = 0;
	int err = 0;

	while (done < nr && !err)
		err = ph_object_claim_chunk(heap, type, handles + done,
					    min(nr - done, PH_CHUNK), &done);
	if (err)
		ph_object_unclaim(heap, handles, done);
	return err;
}

/*
 * Whether claimed objects are what ph_convert_prepare() found: in between one
 * may have ended, and its place come to give the same handle to another.
 */
static bool ph_convert_prepared(struct ph_heap *heap, const u64 *rounds,
				u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	bool prepared = true;
	u32 i, slot;

	rcu_read_lock();
	for (i = 0; i < nr && prepared; i++) {
		slab = ph_hand_pause(slab, i);
		slab = ph_hand_claimed(heap, slab, rounds[i] & PH_OFFSET_MASK,
				       &slot);
		if (slab->refs_at)
			prepared = false;
		else if (!ph_slab_is_span(slab))
			prepared = slab->gen && ph_slab_out(slab);
	}
	rcu_read_unlock();
	return prepared;
}

static void ph_convert_disown(struct ph_heap *heap, u64 *rounds, u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 i, slot;

	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		rounds[i] &= PH_OFFSET_MASK;
		slab = ph_hand_pause(slab, i);
		slab = ph_hand_claimed(heap, slab, rounds[i], &slot);
		ph_convert_count(slab, 1, ph_object_disown(slab, slot));
		ph_hand_set_out(slab, slot, 1);
	}
	rcu_read_unlock();
}

/**
 * ph_convert_to_offsets() - hand live objects out: their handles end
 * @heap: the heap
 * @type: the type that each must have; 0 for any
 * @words: array of handles; (out) their offsets
 * @nr: how many
 * @tell: told the handles, and the mask that makes offsets of them, before they
 *	are handed out; or NULL
 * @data: handed to it
 *
 * Context: process, may sleep.
 * Return: 0; or what @tell returned, what is wrong with a handle, -EOPNOTSUPP,
 * -EDQUOT, -ENOMEM with nothing changed.
 */
int ph_convert_to_offsets(struct ph_heap *heap, u32 type, u64 *words, u32 nr,
			  ph_convert_tell_fn tell, void *data)
{
	int err = 0;
	u32 i;

	for (i = 0; i < nr && !err; i++) {
		err = ph_convert_prepare(heap, type, words[i]);
		cond_resched();
	}
	if (!err && tell)
		err = tell(data, words, nr, PH_OFFSET_MASK);
	if (!err)
		err = ph_convert_claim_live(heap, type, words, nr);
	if (err)
		return err;
	if (ph_convert_prepared(heap, words, nr)) {
		ph_convert_disown(heap, words, nr);
		return 0;
	}
	ph_object_unclaim(heap, words, nr);
	return -ESTALE;
}
EXPORT_SYMBOL_IF_KUNIT(ph_convert_to_offsets);

/* What is at an offset, and what it can use. */
static int ph_convert_look(struct ph_heap *heap, u64 offset, u32 *type,
			   bool *span, u64 *usable)
{
	struct ph_slab *slab;

	rcu_read_lock();
	slab = offset > PH_OFFSET_MASK ? NULL :
		ph_region_slab(&heap->region, offset);
	if (slab) {
		*type = slab->cache->type->id;
		*span = ph_slab_is_span(slab);
		*usable = ph_content_usable(slab);
	}
	rcu_read_unlock();
	return slab ? 0 : -ENXIO;
}

/* What a resize by handle tells, in offsets. */
struct ph_convert_answer {
	ph_tell_fn tell;
	void *data;
	u64 handle;
};

static int ph_convert_tell(void *data, u64 handle, u64 usable)
{
	struct ph_convert_answer *answer = data;

	answer->handle = handle;
	return answer->tell(answer->data, handle & PH_OFFSET_MASK, usable);
}

/* Pages move: as an object with a handle does. */
static int ph_convert_resize_span(struct ph_heap *heap, u32 type, u64 offset,
				  u64 bytes, ph_tell_fn tell, void *data)
{
	struct ph_convert_answer answer = { .tell = tell, .data = data };
	u64 word = offset;
	int err, back;

	err = ph_convert_to_handles(heap, type, &word, 1, NULL, NULL);
	if (err)
		return err;
	err = ph_object_resize(heap, type, word, bytes, ph_convert_tell,
			       &answer);
	if (!err)
		word = answer.handle;
	/* For a span this takes no memory; but others may guess its handle. */
	back = ph_convert_to_offsets(heap, type, &word, 1, NULL, NULL);
	return err ?: back;
}

/* All that both can use; what is left is zero where the type says so. */
static void ph_convert_copy(struct ph_heap *heap, struct ph_slab *to,
			    u32 to_slot, struct ph_slab *from, u32 from_slot)
{
	u64 bytes = min(ph_content_usable(to), ph_content_usable(from));

	ph_content_copy(to, to_slot, from, from_slot, bytes);
	if (to->cache->type->flags & PRIVHEAP_TYPE_ZERO_ALLOC)
		ph_content_zero(to, to_slot, bytes, ph_content_usable(to));
	atomic64_add(bytes, &heap->moved_bytes);
}

/*
 * Both are claimed while bytes are copied, so that neither can go. Before that
 * whoever guesses where they are may have given them back, and others be there,
 * of other sizes: what counts is what is claimed.
 */
static int ph_convert_move(struct ph_heap *heap, u32 type,
			   const struct privheap_run *from,
			   const struct privheap_run *to, u64 told)
{
	struct ph_slab *to_slab = &ph_no_slab, *from_slab = &ph_no_slab;
	u32 to_slot, from_slot;
	int err;

	rcu_read_lock();
	err = ph_hand_claim(heap, type, to, &to_slab, &to_slot);
	if (!err) {
		err = ph_hand_claim(heap, type, from, &from_slab, &from_slot);
		if (!err && ph_content_usable(to_slab) < told) {
			ph_hand_set_out(from_slab, from_slot, 1);
			err = -ESTALE;
		}
		if (err)
			ph_hand_set_out(to_slab, to_slot, 1);
	}
	rcu_read_unlock();
	if (err)
		return err;
	ph_convert_copy(heap, to_slab, to_slot, from_slab, from_slot);
	ph_hand_set_out(to_slab, to_slot, 1);
	ph_hand_give_all(heap, from, 1);
	return 0;
}

static int ph_convert_resize_copy(struct ph_heap *heap, u32 type, u64 offset,
				  u64 old, u64 bytes, ph_tell_fn tell,
				  void *data)
{
	struct privheap_run to, from = { .offset = offset, .mask = 1 };
	struct privheap_take take = {
		.flags		= PH_HAND_MOVES,
		.type		= type,
		.count		= 1,
		.object_bytes	= bytes,
		.max_runs	= 1,
	};
	int err = ph_hand_out(heap, &take, &to);

	if (err)
		return err;
	/* The run has one bit, wherever it is. */
	to.offset += __ffs64(to.mask) * (u64)take.stride;
	to.mask = 1;
	err = tell(data, to.offset, take.object_bytes);
	down_read(&heap->sem);
	if (!err)
		err = ph_convert_move(heap, type, &from, &to,
				      take.object_bytes);
	up_read(&heap->sem);
	if (!err)
		return 0;
	ph_hand_undo(heap, &to, 1);
	tell(data, offset, old);
	return err;
}

static bool ph_convert_fits(struct ph_heap *heap, u32 id, u64 bytes,
			    u64 usable)
{
	struct ph_type *type;
	bool fits = false;

	rcu_read_lock();
	type = ph_heap_type(heap, id);
	if (type && bytes >= type->min_bytes && bytes <= usable &&
	    !ph_type_is_span(type, bytes))
		fits = ph_type_class(type, bytes) == ph_type_class(type, usable);
	rcu_read_unlock();
	return fits;
}

/* Whether large objects of a size are spans, like the one at hand. */
static bool ph_convert_stays_span(struct ph_heap *heap, u32 id, u64 bytes)
{
	struct ph_type *type;
	bool span;

	rcu_read_lock();
	type = ph_heap_type(heap, id);
	span = type && bytes <= type->max_bytes && ph_type_is_span(type, bytes);
	rcu_read_unlock();
	return span;
}

/* Without a change of size it is to be found out whether it is handed out. */
static int ph_convert_probe(struct ph_heap *heap, u64 offset)
{
	struct privheap_run run = { .offset = offset, .mask = 1 };
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err;

	rcu_read_lock();
	err = ph_hand_claim(heap, 0, &run, &slab, &slot);
	if (!err)
		ph_hand_set_out(slab, slot, 1);
	rcu_read_unlock();
	return err;
}

/**
 * ph_convert_resize() - change the size of an object that is handed out
 * @heap: the heap
 * @type: the type that it must have; 0 for any
 * @offset: the object
 * @bytes: new size
 * @tell: tells where it is from now on
 * @data: handed to @tell
 *
 * All that it can use is kept, up to the new size.
 *
 * Context: process, may sleep.
 * Return: 0; or -ENXIO, -EBADSLT, -EPROTOTYPE, -ESTALE, -ERANGE, -EDQUOT,
 * -ENOMEM, -EINTR, or what @tell returned, with the object as it was.
 */
int ph_convert_resize(struct ph_heap *heap, u32 type, u64 offset, u64 bytes,
		      ph_tell_fn tell, void *data)
{
	u64 usable;
	bool span;
	u32 id;
	int err = ph_convert_look(heap, offset, &id, &span, &usable);

	if (err)
		return err;
	if (type && type != id)
		return -EPROTOTYPE;
	if (!bytes)
		return -ERANGE;
	if (span && ph_convert_stays_span(heap, id, bytes))
		return ph_convert_resize_span(heap, id, offset, bytes, tell,
					      data);
	err = ph_convert_probe(heap, offset);
	if (err)
		return err;
	if (!span && ph_convert_fits(heap, id, bytes, usable))
		return tell(data, offset, usable);
	return ph_convert_resize_copy(heap, id, offset, usable, bytes, tell,
				      data);
}
EXPORT_SYMBOL_IF_KUNIT(ph_convert_resize);
