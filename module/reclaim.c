// SPDX-License-Identifier: GPL-2.0
/*
 * Idle memory goes back: a little at intervals, what the working set of each
 * cache did not need; all of it when the machine is short, from heaps whose
 * owners sleep, too.
 */

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <kunit/visibility.h>

#include "board.h"
#include "compat.h"
#include "reclaim.h"
#include "reserve.h"
#include "supply.h"

static struct shrinker *ph_shrinker;
/* For heaps that are mapped. */
static struct workqueue_struct *ph_reclaim_wq;
static unsigned int ph_interval_ms = 2000;

static void ph_reclaim_work(struct work_struct *work);
/* Deferrable: an idle machine is not woken up for it. */
static DECLARE_DEFERRABLE_WORK(ph_reclaim_tick, ph_reclaim_work);
/* Instead of it where a program may be looking at a statistics page. */
static DECLARE_DELAYED_WORK(ph_reclaim_watched, ph_reclaim_work);

struct ph_reclaim_sum {
	unsigned long wanted;
	unsigned long pages;
	bool heaps;
	bool watched;
};

static void ph_reclaim_heap_work(struct work_struct *work)
{
	struct ph_heap *heap = container_of(work, struct ph_heap, trim);
	bool all = xchg(&heap->trim_all, false);

	down_read(&heap->sem);
	if (all)
		ph_supply_reclaim(heap, true);
	else
		ph_supply_tick(heap);
	ph_board_update(heap);
	up_read(&heap->sem);
	ph_heap_leave(heap);
}

/*
 * What is mapped is first taken out of the mappings, and that waits for page faults
 * of the program, which a program can make take long: only this heap's own work does
 * so. Returns whether that is so.
 */
static bool ph_reclaim_defer(struct ph_heap *heap, bool all)
{
	if (!READ_ONCE(heap->region.view.active))
		return false;
	if (!heap->trim.func)
		INIT_WORK(&heap->trim, ph_reclaim_heap_work);
	if (all)
		WRITE_ONCE(heap->trim_all, true);
	if (queue_work(ph_reclaim_wq, &heap->trim))
		ph_heap_visit(heap);
	return true;
}

static void ph_reclaim_tick_heap(struct ph_heap *heap, void *data)
{
	struct ph_reclaim_sum *sum = data;

	sum->heaps = true;
	sum->watched |= !!ph_view_stat(&heap->region.view);
	if (ph_reclaim_defer(heap, false) || !down_read_trylock(&heap->sem))
		return;
	ph_supply_tick(heap);
	ph_board_update(heap);
	up_read(&heap->sem);
}

static void ph_reclaim_work(struct work_struct *work)
{
	struct ph_reclaim_sum sum = {};
	bool busy = !ph_heap_try_for_each(ph_reclaim_tick_heap, &sum);

	if (ph_reserve_sweep_units() || sum.heaps || busy)
		ph_reclaim_kick(sum.watched || busy);
}

/**
 * ph_reclaim_kick() - see to it that there is a next interval
 * @watched: a program can see when it ends; else that may be later, when the
 *	machine has something to do
 *
 * Context: any.
 */
void ph_reclaim_kick(bool watched)
{
	unsigned long delay = msecs_to_jiffies(READ_ONCE(ph_interval_ms));

	if (watched) {
		cancel_delayed_work(&ph_reclaim_tick);
		queue_delayed_work(system_unbound_wq, &ph_reclaim_watched, delay);
	} else if (!delayed_work_pending(&ph_reclaim_watched)) {
		queue_delayed_work(system_unbound_wq, &ph_reclaim_tick, delay);
	}
}

/**
 * ph_reclaim_set_interval() - how often caches are trimmed
 * @ms: length of an interval
 *
 * Context: any.
 */
void ph_reclaim_set_interval(unsigned int ms)
{
	WRITE_ONCE(ph_interval_ms, ms);
}

static void ph_reclaim_count_heap(struct ph_heap *heap, void *data)
{
	struct ph_reclaim_sum *sum = data;

	if (!down_read_trylock(&heap->sem))
		return;
	sum->pages += ph_supply_idle_pages(heap);
	up_read(&heap->sem);
}

/**
 * ph_reclaim_count() - about how many pages are idle
 *
 * Context: process.
 */
unsigned long ph_reclaim_count(void)
{
	struct ph_reclaim_sum sum = {};

	ph_heap_try_for_each(ph_reclaim_count_heap, &sum);
	return sum.pages;
}
EXPORT_SYMBOL_IF_KUNIT(ph_reclaim_count);

static void ph_reclaim_scan_heap(struct ph_heap *heap, void *data)
{
	struct ph_reclaim_sum *sum = data;

	if (sum->pages >= sum->wanted || !down_read_trylock(&heap->sem))
		return;
	if (ph_supply_idle_pages(heap) && !ph_reclaim_defer(heap, true))
		sum->pages += ph_supply_reclaim(heap, false) >> PAGE_SHIFT;
	up_read(&heap->sem);
}

/**
 * ph_reclaim_scan() - take idle pages back
 * @pages: how many are enough
 *
 * Those of mapped heaps go back soon.
 *
 * Context: process; waits for no program.
 * Return: how many went back.
 */
unsigned long ph_reclaim_scan(unsigned long pages)
{
	struct ph_reclaim_sum sum = { .wanted = pages };

	ph_heap_try_for_each(ph_reclaim_scan_heap, &sum);
	return sum.pages;
}
EXPORT_SYMBOL_IF_KUNIT(ph_reclaim_scan);

static unsigned long ph_shrink_count(struct shrinker *shrinker,
				     struct shrink_control *sc)
{
	return ph_reclaim_count() ?: SHRINK_EMPTY;
}

static unsigned long ph_shrink_scan(struct shrinker *shrinker,
				    struct shrink_control *sc)
{
	/* A page fault in a mapping may hold what a slab waits for to go. */
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	return ph_reclaim_scan(sc->nr_to_scan) ?: SHRINK_STOP;
}

/**
 * ph_reclaim_init() - be called when memory is short
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ph_reclaim_init(void)
{
	ph_reclaim_wq = alloc_workqueue("privheap", WQ_UNBOUND | WQ_MEM_RECLAIM,
					0);
	if (!ph_reclaim_wq)
		return -ENOMEM;
	ph_shrinker = ph_compat_shrinker_register("privheap", ph_shrink_count,
						  ph_shrink_scan);
	if (ph_shrinker)
		return 0;
	destroy_workqueue(ph_reclaim_wq);
	return -ENOMEM;
}

/**
 * ph_reclaim_exit() - be called no more
 *
 * Context: process, may sleep.
 */
void ph_reclaim_exit(void)
{
	ph_compat_shrinker_unregister(ph_shrinker);
	cancel_delayed_work_sync(&ph_reclaim_watched);
	/* Last, for the other may have begun it. */
	cancel_delayed_work_sync(&ph_reclaim_tick);
	destroy_workqueue(ph_reclaim_wq);
}
