// SPDX-License-Identifier: GPL-2.0
/* Slots that a program has by their addresses; see lend.h. */

#include <linux/bitops.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "lend.h"

/*
 * The part of a mask, whose bit 0 stands for @slot, that lies in the word of that
 * slot; both move on to the next word.
 */
static unsigned long ph_mask_part(u32 *slot, u64 *mask)
{
	u32 shift = *slot % BITS_PER_LONG, nr = BITS_PER_LONG - shift;
	unsigned long bits = (unsigned long)*mask << shift;

	*mask = nr < 64 ? *mask >> nr : 0;
	*slot += nr;
	return bits;
}

/**
 * ph_out_alloc() - books for a slab that has never lent
 * @cache: whose slab
 *
 * Context: process, may sleep.
 * Return: books that any slab of the cache can have; or an ERR_PTR: -EDQUOT,
 * -ENOMEM.
 */
struct ph_out *ph_out_alloc(struct ph_cache *cache)
{
	u32 slots = ph_geo_slots(&cache->geo, cache->geo.pages);
	size_t bytes = ph_out_bytes(cache->geo.keep, slots);
	struct ph_out *out;

	out = ph_region_meta_alloc(cache->region, bytes);
	if (!IS_ERR(out))
		out->bytes = bytes;
	return out;
}
EXPORT_SYMBOL_IF_KUNIT(ph_out_alloc);

/**
 * ph_out_free() - free books that no slab got
 * @cache: for whose slab
 * @out: the books, or NULL
 *
 * Context: process.
 */
void ph_out_free(struct ph_cache *cache, struct ph_out *out)
{
	if (out)
		ph_region_meta_free(cache->region, out, out->bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_out_free);

static void ph_slab_attach_out(struct ph_slab *slab, struct ph_out **spare)
{
	struct ph_cache *cache = slab->cache;

	lockdep_assert_held(&cache->lock);
	if (slab->out || !*spare)
		return;
	cache->meta_bytes -= ph_slab_meta_cost(slab);
	/* Pairs with the acquire in ph_slab_out(). */
	smp_store_release(&slab->out, *spare);
	cache->meta_bytes += ph_slab_meta_cost(slab);
	*spare = NULL;
}

static void ph_slab_attach(struct ph_slab *slab, struct ph_out **out,
			   struct ph_gens **gens)
{
	struct ph_cache *cache = slab->cache;
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	ph_slab_attach_out(slab, out);
	if (*gens && !slab->gen) {
		ph_cache_attach_gens(cache, slab, *gens);
		*gens = NULL;
	}
	spin_unlock_irqrestore(&cache->lock, flags);
}

/**
 * ph_slab_make_lendable() - let objects of a slab become handed out
 * @slab: the slab, not a span; pinned
 *
 * It needs books, and generations: an object that gave up its handle may get
 * another one.
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_slab_make_lendable(struct ph_slab *slab)
{
	struct ph_cache *cache = slab->cache;
	struct ph_gens *gens = NULL;
	struct ph_out *out = NULL;

	/* Pairs with the release in ph_slab_attach_gens(). */
	if (!smp_load_acquire(&slab->gen))
		gens = ph_gens_alloc(cache->region, slab);
	if (IS_ERR(gens))
		return PTR_ERR(gens);
	if (!ph_slab_out(slab))
		out = ph_out_alloc(cache);
	if (IS_ERR(out)) {
		if (gens)
			ph_gens_free(cache->region, slab, gens);
		return PTR_ERR(out);
	}
	if (out || gens)
		ph_slab_attach(slab, &out, &gens);
	ph_out_free(cache, out);
	if (gens)
		ph_gens_free(cache->region, slab, gens);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_make_lendable);

/**
 * ph_slab_make_nameable() - let objects of a slab have handles
 * @slab: the slab; whatever the caller does keeps it
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_slab_make_nameable(struct ph_slab *slab)
{
	struct ph_region *region = slab->cache->region;
	struct ph_out *out = NULL;
	struct ph_gens *gens;

	/* Pairs with the release in ph_slab_attach_gens(). */
	if (!slab->bare || smp_load_acquire(&slab->gen))
		return 0;
	gens = ph_gens_alloc(region, slab);
	if (IS_ERR(gens))
		return PTR_ERR(gens);
	ph_slab_attach(slab, &out, &gens);
	if (gens)
		ph_gens_free(region, slab, gens);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_make_nameable);

/* At most @nr slots of one word. Returns how many. */
static u32 ph_slab_lend_word(struct ph_slab *slab, u32 word, u32 nr,
			     struct privheap_run *run)
{
	unsigned long bits = ph_slab_takeable(slab, word);
	u32 got = hweight_long(bits);

	for (; got > nr; got--)
		bits &= ~BIT(__fls(bits));
	if (!got)
		return 0;
	ph_slab_take_bits(slab, word, bits);
	/* Who gives some back does so without the lock. */
	atomic_long_or(bits, (atomic_long_t *)&slab->out->bits[word]);
	run->offset = slab->start + (u64)word * BITS_PER_LONG * slab->stride;
	run->mask = bits;
	return got;
}

static bool ph_lend_wants(const struct ph_lend *lend)
{
	return lend->done < lend->want && lend->nr_runs < lend->max_runs;
}

/* In a hardened heap neighbours do not go together. */
static void ph_slab_lend_random(struct ph_slab *slab, struct ph_lend *lend,
				u32 *fresh)
{
	struct privheap_run *run;
	u32 slot;

	while (slab->taken < slab->nr && ph_lend_wants(lend)) {
		slot = ph_slab_random(slab);
		__clear_bit(slot, slab->free);
		set_bit(slot, slab->out->bits);
		WRITE_ONCE(slab->taken, slab->taken + 1);
		*fresh += ph_slab_gen(slab, slot) == slab->gen_first;
		run = &lend->runs[lend->nr_runs++];
		run->offset = slab->start + (u64)slot * slab->stride;
		run->mask = 1;
		lend->done++;
	}
	slab->used_to = slab->nr;
}

static void ph_slab_lend(struct ph_slab *slab, struct ph_lend *lend,
			 u32 *fresh)
{
	u32 words = BITS_TO_LONGS(slab->nr);
	struct privheap_run *run;
	u32 word, got, last;

	for (word = 0; word < words && ph_lend_wants(lend); word++) {
		run = &lend->runs[lend->nr_runs];
		got = ph_slab_lend_word(slab, word, lend->want - lend->done,
					run);
		if (!got)
			continue;
		lend->nr_runs++;
		lend->done += got;
		WRITE_ONCE(slab->taken, slab->taken + got);
		last = word * BITS_PER_LONG + __fls(run->mask) + 1;
		if (last > slab->used_to) {
			*fresh += min(got, last - slab->used_to);
			slab->used_to = last;
		}
	}
}

/* Returns 0 or why there are no more. */
static int ph_cache_lend_locked(struct ph_cache *cache, struct ph_lend *lend,
				u32 *fresh)
{
	struct list_head *from;
	struct ph_slab *slab;

	lockdep_assert_held(&cache->lock);
	while (ph_lend_wants(lend)) {
		slab = ph_cache_pick(cache, true);
		if (!slab)
			return -ENOENT;
		ph_slab_attach_out(slab, &lend->spare);
		if (!slab->out)
			return -EAGAIN;
		from = ph_cache_unlist(cache, slab);
		if (unlikely(slab->tenant))
			ph_slab_lend_random(slab, lend, fresh);
		else
			ph_slab_lend(slab, lend, fresh);
		ph_cache_relist(cache, slab, from);
	}
	return 0;
}

/**
 * ph_cache_lend() - hand slots out
 * @cache: the cache, not of spans
 * @lend: what is wanted; (out) what there is
 *
 * Context: any in which the cache stays.
 * Return: 0 if there is at least one more; -ENOENT if the slabs have none;
 * -EAGAIN if that needs a spare.
 */
int ph_cache_lend(struct ph_cache *cache, struct ph_lend *lend)
{
	u32 before = lend->done, fresh = 0, got;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&cache->lock, flags);
	err = ph_cache_lend_locked(cache, lend, &fresh);
	got = lend->done - before;
	cache->free_slots -= got;
	cache->promised -= min_t(u64, cache->promised, got);
	cache->handed += got;
	cache->handed_bytes += (u64)got * cache->size;
	cache->taken += got;
	spin_unlock_irqrestore(&cache->lock, flags);
	if (fresh)
		ph_cpu_count(cache->cpus, fresh, fresh);
	return got ? 0 : err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_lend);

/**
 * ph_cache_count_handed() - objects became handed out, or ceased to be
 * @cache: the cache
 * @nr: how many more
 * @bytes: what they can use
 *
 * Context: any in which the cache stays.
 */
void ph_cache_count_handed(struct ph_cache *cache, s32 nr, s64 bytes)
{
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	cache->handed += nr;
	cache->handed_bytes += bytes;
	if (nr > 0)
		cache->taken += nr;
	spin_unlock_irqrestore(&cache->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_count_handed);

static bool ph_out_clear(unsigned long *word, unsigned long bits)
{
	unsigned long old = READ_ONCE(*word);

	do {
		if ((old & bits) != bits)
			return false;
	} while (!try_cmpxchg(word, &old, old & ~bits));
	return true;
}

/**
 * ph_slab_set_out() - slots that the caller has claimed are handed out
 * @slab: their slab, not a span; it has books
 * @slot: the slot of bit 0
 * @mask: which, from @slot on
 *
 * Context: any in which the slab stays.
 */
void ph_slab_set_out(struct ph_slab *slab, u32 slot, u64 mask)
{
	unsigned long bits, *word;

	while (mask) {
		word = &slab->out->bits[slot / BITS_PER_LONG];
		bits = ph_mask_part(&slot, &mask);
		if (bits)
			atomic_long_or(bits, (atomic_long_t *)word);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_set_out);

/**
 * ph_slab_claim_out() - claim slots that are handed out, as the only one
 * @slab: their slab, not a span
 * @slot: the slot of bit 0
 * @mask: which, from @slot on; all of them are slots of the slab
 *
 * Context: RCU read side.
 * Return: false, and nothing is changed, if one of them is not handed out.
 */
bool ph_slab_claim_out(struct ph_slab *slab, u32 slot, u64 mask)
{
	struct ph_out *out = ph_slab_out(slab);
	u32 at = slot, was_at;
	u64 rest = mask, was;
	unsigned long bits;

	if (!out)
		return false;
	while (rest) {
		was_at = at;
		was = rest;
		bits = ph_mask_part(&at, &rest);
		if (ph_out_clear(&out->bits[was_at / BITS_PER_LONG], bits))
			continue;
		ph_slab_set_out(slab, slot, mask ^ was << (was_at - slot));
		return false;
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ph_slab_claim_out);

static u32 ph_slab_regain(struct ph_slab *slab, u32 slot, u64 mask)
{
	u32 nr = hweight64(mask), word;
	unsigned long bits;

	while (mask) {
		word = slot / BITS_PER_LONG;
		bits = ph_mask_part(&slot, &mask);
		slab->free[word] |= bits;
		if (!slab->gen)
			ph_slab_again(slab)[word] |= bits;
	}
	WRITE_ONCE(slab->taken, slab->taken - nr);
	if (slab->gen)
		return nr;
	slab->out->nr_again += nr;
	if (!slab->taken)
		ph_slab_emptied(slab);
	return nr;
}

/**
 * ph_cache_regain() - slots that were handed out and claimed come back
 * @cache: the cache
 * @runs: the slots, all of this cache
 * @nr: length of @runs
 *
 * Context: any in which the cache stays.
 */
void ph_cache_regain(struct ph_cache *cache, const struct privheap_run *runs,
		     u32 nr)
{
	struct ph_slab *slab = &ph_no_slab;
	struct list_head *from;
	unsigned long flags;
	u32 i, slot, got, sum = 0;

	rcu_read_lock();
	spin_lock_irqsave(&cache->lock, flags);
	for (i = 0; i < nr; i++) {
		if (runs[i].offset - slab->start >= slab->reach)
			slab = ph_region_lookup(cache->region, runs[i].offset);
		ph_slab_slot(slab, runs[i].offset - slab->start, &slot);
		from = ph_cache_unlist(cache, slab);
		got = ph_slab_regain(slab, slot, runs[i].mask);
		cache->free_slots += got;
		ph_cache_relist(cache, slab, from);
		sum += got;
	}
	cache->handed -= sum;
	cache->handed_bytes -= (u64)sum * cache->size;
	spin_unlock_irqrestore(&cache->lock, flags);
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(ph_cache_regain);
