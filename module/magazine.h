/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Magazine: a stack of free slots that a CPU has to itself.
 *
 * Each CPU has two per cache, loaded and previous, so that it can allocate and
 * free a magazine's worth either way before it has to meet the depot. What they
 * look like, and how a CPU gets at its own, is in <linux/privheap.h>: the kernel
 * door does it in line.
 */
#ifndef _PH_MAGAZINE_H
#define _PH_MAGAZINE_H

#include <linux/privheap.h>

#include "count.h"
#include "region.h"

/* What a CPU has as long as it has no magazine: empty and full at once. */
extern struct ph_magazine ph_no_magazine;

/* Count @n more of @what. */
#define ph_cpu_count(cpus, what, n)					\
do {									\
	preempt_disable();						\
	ph_count_add(&ph_cpu_here(cpus)->count.what, n);		\
	preempt_enable();						\
} while (0)

/* An interrupt may look whether there is a magazine. */
static inline void ph_cpu_swap(struct ph_cpu *cpu)
{
	struct ph_magazine *loaded = cpu->loaded;

	WRITE_ONCE(cpu->loaded, cpu->prev);
	cpu->prev = loaded;
}

u32 ph_magazine_cap(u32 bytes);
struct ph_magazine *ph_magazine_create(struct ph_region *region, u32 cap,
				       gfp_t gfp);
void ph_magazine_destroy(struct ph_region *region, struct ph_magazine *mag);
u32 ph_magazine_pop(struct ph_magazine *mag, u64 *rounds, u32 nr);
u32 ph_magazine_push(struct ph_magazine *mag, u64 *rounds, u32 nr);

void ph_cpu_init_places(void);
void ph_cpu_init(struct ph_cpu *cpus);
u32 ph_cpu_pop(struct ph_cpu *cpus, u64 *rounds, u32 nr);
u32 ph_cpu_push(struct ph_cpu *cpus, u64 *rounds, u32 nr);
struct ph_magazine *ph_cpu_load(struct ph_cpu *cpus,
				struct ph_magazine *mag);
void ph_cpu_drain_offline(struct ph_cpu *cpus, struct list_head *mags);
bool ph_cpu_drain(struct ph_cpu *cpus, struct list_head *mags,
		  bool may_wait);

#endif /* _PH_MAGAZINE_H */
