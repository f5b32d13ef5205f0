// SPDX-License-Identifier: GPL-2.0
/* Caches and heaps that come and go, and idle memory that is given back. */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "stress.h"

#define STRESS_CHURN	150

static struct task_struct *stress_churner;
static u64 stress_churned;

/* A cache with objects, and its end. */
static void stress_churn_cache(struct privheap *heap, u64 round)
{
	struct privheap_cache_args args = {
		.policy = round % 3,
		.align = 8 << round % 6,
		.prealloc = round % 5 ? 0 : 40,
		.flags = round % 2 ? PRIVHEAP_CACHE_TYPESAFE_BY_RCU : 0,
	};
	void *objs[STRESS_CHURN];
	struct privheap_cache *cache;
	char name[24];
	u32 nr = 0;

	snprintf(name, sizeof(name), "churn%llu", round);
	cache = privheap_cache_create(heap, name, 8 + round % 1000, &args);
	if (IS_ERR(cache)) {
		if (cache == ERR_PTR(-ENOMEM) || cache == ERR_PTR(-EDQUOT))
			return;
		stress_fault("churn", "a cache was refused");
		return;
	}
	while (nr < STRESS_CHURN &&
	       (objs[nr] = privheap_cache_alloc(cache, GFP_KERNEL)))
		nr++;
	/* Not each time: it is told in the kernel log. */
	if (nr && !(round % 16) && privheap_cache_destroy(cache, 0) != -EBUSY)
		stress_fault("churn", "a cache ended with objects");
	privheap_cache_free_bulk(cache, nr, objs);
	if (privheap_cache_destroy(cache, 0))
		stress_fault("churn", "a cache without objects did not end");
}

static void stress_churn_heap(u64 round)
{
	static const struct privheap_attr attr = { .name = "churn" };
	struct privheap *heap = privheap_create(&attr);

	if (IS_ERR(heap))
		return;
	stress_churn_cache(heap, round);
	if (privheap_destroy(heap))
		stress_fault("churn", "a heap without caches did not end");
}

static int stress_churn_fn(void *data)
{
	while (!kthread_should_stop()) {
		stress_churn_cache(stress_heap(), stress_churned);
		stress_churn_heap(stress_churned);
		privheap_cache_shrink(stress_cache(stress_churned %
						   STRESS_KINDS));
		stress_churned++;
		cond_resched();
	}
	return 0;
}

int stress_churn_start(void)
{
	stress_churned = 0;
	stress_churner = kthread_run(stress_churn_fn, NULL, "privheap/churn");
	return PTR_ERR_OR_ZERO(stress_churner);
}

void stress_churn_stop(void)
{
	if (!IS_ERR_OR_NULL(stress_churner)) {
		kthread_stop(stress_churner);
		stress_count("churn", stress_churned);
	}
	stress_churner = NULL;
}
