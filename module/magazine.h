/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Magazine: a stack of free slots that a CPU has to itself.
 *
 * Each CPU has two per cache, loaded and previous, so that it can allocate and
 * free a magazine's worth either way before it has to meet the depot.
 */
#ifndef _PH_MAGAZINE_H
#define _PH_MAGAZINE_H

#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/types.h>

#include "region.h"

/**
 * struct ph_magazine - a stack of rounds
 * @list: in the depot
 * @nr: rounds in it
 * @cap: most rounds in it
 * @round: last in, first out
 */
struct ph_magazine {
	struct list_head list;
	u32 nr;
	u32 cap;
	u64 round[];
};

/**
 * struct ph_cpu_count - what happened on one CPU; only sums mean something
 * @allocs: objects handed out: in sums only, where it is the sum of the three
 *	kinds below
 * @frees: objects taken back
 * @magazine_hits: of @allocs, those served by the magazines
 * @depot_hits: of @allocs, those served by a magazine from the depot
 * @slab_allocs: of @allocs, those served by slabs
 * @fresh: slots that came from slabs for the first time
 * @requested: bytes requested by live objects, where the size varies
 */
struct ph_cpu_count {
	u64 allocs;
	u64 frees;
	u64 magazine_hits;
	u64 depot_hits;
	u64 slab_allocs;
	u64 fresh;
	s64 requested;
};

/**
 * struct ph_cpu - one CPU's magazines
 * @busy: this CPU is between ph_cpu_enter() and ph_cpu_leave(); an interrupt
 *	that comes in between keeps off
 * @loaded: served first; may be NULL
 * @prev: full or empty when @loaded is not of use; may be NULL
 * @count: statistics
 *
 * An array of these, by CPU number, and not the kernel's per-CPU memory: that
 * is slow to get for who makes and ends caches all the time.
 */
struct ph_cpu {
	bool busy;
	struct ph_magazine *loaded;
	struct ph_magazine *prev;
	struct ph_cpu_count count;
} ____cacheline_aligned_in_smp;

/**
 * ph_cpu_here() - the magazines of the CPU that this happens to run on
 * @cpus: the cache's
 *
 * Context: any; only a hint as long as preemption is on.
 */
static __always_inline struct ph_cpu *ph_cpu_here(struct ph_cpu *cpus)
{
	return &cpus[raw_smp_processor_id()];
}

/* Count @n more of @what. */
#define ph_cpu_count(cpus, what, n)					\
do {									\
	preempt_disable();						\
	ph_cpu_here(cpus)->count.what += (n);				\
	preempt_enable();						\
} while (0)

/**
 * ph_cpu_enter() - have this CPU's magazines to oneself
 * @cpus: the cache's
 * @cpu: (out) they
 *
 * No lock and no atomic instruction: nobody else ever touches them but a drain
 * by interrupt on this very CPU, which looks at @busy.
 *
 * Context: any. Preemption is off until ph_cpu_leave().
 * Return: false when this came in the middle of just that.
 */
static __always_inline bool ph_cpu_enter(struct ph_cpu *cpus,
					 struct ph_cpu **cpu)
{
	preempt_disable();
	*cpu = ph_cpu_here(cpus);
	if (unlikely(READ_ONCE((*cpu)->busy))) {
		preempt_enable();
		return false;
	}
	WRITE_ONCE((*cpu)->busy, true);
	barrier();
	return true;
}

static __always_inline void ph_cpu_leave(struct ph_cpu *cpu)
{
	barrier();
	WRITE_ONCE(cpu->busy, false);
	preempt_enable();
}

static inline void ph_cpu_swap(struct ph_cpu *cpu)
{
	swap(cpu->loaded, cpu->prev);
}

u32 ph_magazine_cap(u32 bytes);
struct ph_magazine *ph_magazine_create(struct ph_region *region, u32 cap);
void ph_magazine_destroy(struct ph_region *region, struct ph_magazine *mag);
u32 ph_magazine_pop(struct ph_magazine *mag, u64 *rounds, u32 nr);
u32 ph_magazine_push(struct ph_magazine *mag, u64 *rounds, u32 nr);

u32 ph_cpu_pop(struct ph_cpu *cpus, u64 *rounds, u32 nr);
u32 ph_cpu_push(struct ph_cpu *cpus, u64 *rounds, u32 nr);
struct ph_magazine *ph_cpu_load(struct ph_cpu *cpus,
				struct ph_magazine *mag);
bool ph_cpu_drain(struct ph_cpu *cpus, struct list_head *mags,
		  bool may_wait);

#endif /* _PH_MAGAZINE_H */
