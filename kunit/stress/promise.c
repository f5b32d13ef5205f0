// SPDX-License-Identifier: GPL-2.0
/*
 * Promises in a heap that is full: one thread takes all the memory that it can
 * get, another has objects promised and must get them, all the same.
 */

#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "stress.h"

#define STRESS_PROMISE	120
#define STRESS_GREED	4096

static struct privheap *stress_tight;
static struct privheap_cache *stress_sure, *stress_greedy;
static struct task_struct *stress_keeper, *stress_taker;
static void **stress_objs;
static u64 stress_kept, stress_refused;

static void stress_keep(void **objs)
{
	u32 nr;

	if (privheap_cache_reserve(stress_sure, STRESS_PROMISE))
		return;
	cond_resched();
	for (nr = 0; nr < STRESS_PROMISE; nr++) {
		objs[nr] = privheap_cache_alloc(stress_sure, GFP_NOWAIT);
		if (!objs[nr]) {
			stress_fault("promise", "it was not kept");
			break;
		}
	}
	privheap_cache_free_bulk(stress_sure, nr, objs);
	privheap_cache_reserve(stress_sure, 0);
	stress_kept++;
}

static int stress_keep_fn(void *data)
{
	void *objs[STRESS_PROMISE];

	while (!kthread_should_stop()) {
		stress_keep(objs);
		if (!(stress_kept % 8))
			privheap_cache_shrink(stress_sure);
		cond_resched();
	}
	return 0;
}

static int stress_greed_fn(void *data)
{
	void **objs = stress_objs;
	u32 nr;

	while (!kthread_should_stop()) {
		for (nr = 0; nr < STRESS_GREED; nr++) {
			objs[nr] = privheap_cache_alloc(stress_greedy,
							GFP_KERNEL);
			if (!objs[nr])
				break;
			cond_resched();
		}
		stress_refused += nr < STRESS_GREED;
		privheap_cache_free_bulk(stress_greedy, nr, objs);
		privheap_cache_shrink(stress_greedy);
	}
	return 0;
}

static int stress_promise_caches(void)
{
	static const struct privheap_attr attr = {
		.name = "tight", .max_bytes = SZ_1M,
	};
	struct privheap_cache *cache;
	struct privheap *heap = privheap_create(&attr);

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	stress_tight = heap;
	cache = privheap_cache_create(heap, "sure", 200, NULL);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	stress_sure = cache;
	cache = privheap_cache_create(heap, "greedy", 1000, NULL);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	stress_greedy = cache;
	return 0;
}

int stress_promise_start(void)
{
	int err = stress_promise_caches();

	stress_kept = 0;
	stress_refused = 0;
	if (err)
		return err;
	stress_objs = kvcalloc(STRESS_GREED, sizeof(*stress_objs), GFP_KERNEL);
	if (!stress_objs)
		return -ENOMEM;
	stress_taker = kthread_run(stress_greed_fn, NULL, "privheap/take");
	if (IS_ERR(stress_taker))
		return PTR_ERR(stress_taker);
	stress_keeper = kthread_run(stress_keep_fn, NULL, "privheap/keep");
	return PTR_ERR_OR_ZERO(stress_keeper);
}

void stress_promise_stop(void)
{
	if (!IS_ERR_OR_NULL(stress_keeper))
		kthread_stop(stress_keeper);
	if (!IS_ERR_OR_NULL(stress_taker))
		kthread_stop(stress_taker);
	stress_keeper = NULL;
	stress_taker = NULL;
	kvfree(stress_objs);
	stress_objs = NULL;
	stress_count("promise", stress_kept);
	stress_count("full heap", stress_refused);
	if (privheap_cache_destroy(stress_greedy, 0) ||
	    privheap_cache_destroy(stress_sure, 0) ||
	    privheap_destroy(stress_tight))
		stress_fault("books", "the full heap did not end");
	stress_greedy = NULL;
	stress_sure = NULL;
	stress_tight = NULL;
}
