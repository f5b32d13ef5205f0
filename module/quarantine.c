// SPDX-License-Identifier: GPL-2.0
/* Freed slots that wait before they are free; see quarantine.h. */

#include <linux/sched.h>
#include <kunit/visibility.h>

#include "quarantine.h"

/* How many slots wait: so many bytes of them, within bounds. */
#define PH_QUARANTINE_BYTES	0x100000U
#define PH_QUARANTINE_LEAST	16U
#define PH_QUARANTINE_MOST	256U

/* Slots that leave at once. */
#define PH_QUARANTINE_STEP	32U

/**
 * struct ph_quarantine - a queue
 * @max: most slots in it
 * @nr: slots in it
 * @first: the one that came first
 * @round: the slots
 *
 * Guarded by the cache's lock; @max is set once.
 */
struct ph_quarantine {
	u32 max;
	u32 nr;
	u32 first;
	u64 round[];
};

static size_t ph_quarantine_bytes(u32 max)
{
	struct ph_quarantine *queue;

	return struct_size(queue, round, max);
}

/**
 * ph_quarantine_create() - let freed slots of a cache wait
 * @cache: the cache, not of spans
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_quarantine_create(struct ph_cache *cache)
{
	u32 max = clamp(PH_QUARANTINE_BYTES / cache->size,
			PH_QUARANTINE_LEAST, PH_QUARANTINE_MOST);
	struct ph_quarantine *queue;

	queue = ph_region_meta_alloc(cache->region, ph_quarantine_bytes(max));
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	queue->max = max;
	cache->quarantine = queue;
	return 0;
}

/**
 * ph_quarantine_destroy() - free the queue
 * @cache: whose; nobody else may use it any more
 *
 * Context: process.
 */
void ph_quarantine_destroy(struct ph_cache *cache)
{
	if (cache->quarantine)
		ph_region_meta_free(cache->region, cache->quarantine,
				    ph_quarantine_bytes(cache->quarantine->max));
}

static u64 ph_quarantine_pop(struct ph_quarantine *queue)
{
	u64 round = queue->round[queue->first];

	queue->first = (queue->first + 1) % queue->max;
	queue->nr--;
	return round;
}

/* Let some in, and as many out as that takes. Returns how many are @out. */
static u32 ph_quarantine_pass(struct ph_cache *cache, const u64 *rounds,
			      u32 nr, u64 *out)
{
	struct ph_quarantine *queue = cache->quarantine;
	unsigned long flags;
	u32 i, left = 0;

	spin_lock_irqsave(&cache->lock, flags);
	for (i = 0; i < nr; i++) {
		if (queue->nr == queue->max)
			out[left++] = ph_quarantine_pop(queue);
		queue->round[(queue->first + queue->nr++) % queue->max] =
			rounds[i];
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return left;
}

/**
 * ph_quarantine_put() - freed slots begin to wait; others have waited enough
 * @cache: the cache
 * @rounds: array of slots that were taken from it
 * @nr: how many
 *
 * Context: process, may sleep.
 */
void ph_quarantine_put(struct ph_cache *cache, const u64 *rounds, u32 nr)
{
	u64 out[PH_QUARANTINE_STEP];
	u32 some, left;

	for (; nr; nr -= some, rounds += some) {
		some = min(nr, PH_QUARANTINE_STEP);
		left = ph_quarantine_pass(cache, rounds, some, out);
		if (left)
			ph_cache_give_slabs(cache, out, left);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_quarantine_put);

/**
 * ph_quarantine_drain() - all slots that wait are free
 * @cache: the cache
 *
 * Context: process.
 */
void ph_quarantine_drain(struct ph_cache *cache)
{
	struct ph_quarantine *queue = cache->quarantine;
	u64 out[PH_QUARANTINE_STEP];
	unsigned long flags;
	u32 nr;

	do {
		spin_lock_irqsave(&cache->lock, flags);
		for (nr = 0; nr < PH_QUARANTINE_STEP && queue->nr; nr++)
			out[nr] = ph_quarantine_pop(queue);
		spin_unlock_irqrestore(&cache->lock, flags);
		if (nr)
			ph_cache_give_slabs(cache, out, nr);
	} while (nr == PH_QUARANTINE_STEP);
}

/**
 * ph_quarantine_length() - how many slots wait
 * @cache: any cache
 *
 * Context: any.
 */
u32 ph_quarantine_length(const struct ph_cache *cache)
{
	return cache->quarantine ? READ_ONCE(cache->quarantine->nr) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_quarantine_length);
