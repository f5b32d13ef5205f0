/* SPDX-License-Identifier: GPL-2.0 */
/* The only place that knows kernel versions. */
#ifndef _PH_COMPAT_H
#define _PH_COMPAT_H

#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "privheap needs Linux 6.1 or later"
#endif

typedef unsigned long (*ph_shrink_fn)(struct shrinker *shrinker,
				      struct shrink_control *sc);

/*
 * Shrinkers are allocated by the kernel since 6.7; before, they were the
 * caller's own struct.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)

static inline struct shrinker *
ph_compat_shrinker_register(const char *name, ph_shrink_fn count,
			    ph_shrink_fn scan)
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	return shrinker;
}

static inline void ph_compat_shrinker_unregister(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}

#else

static inline struct shrinker *
ph_compat_shrinker_register(const char *name, ph_shrink_fn count,
			    ph_shrink_fn scan)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	if (register_shrinker(shrinker, "%s", name)) {
		kfree(shrinker);
		return NULL;
	}
	return shrinker;
}

static inline void ph_compat_shrinker_unregister(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}

#endif

/* Flags of a mapping have to be changed by functions since 6.3. */
static inline void ph_compat_vm_flags(struct vm_area_struct *vma,
				      unsigned long set, unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/*
 * Whether a fork may have copied the page tables of a mapping before it asks the
 * driver. It did so before 6.9, and before some release of each longterm line.
 */
static inline bool ph_compat_fork_copies_first(void)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0);
}

/* Return addresses of this task or interrupt, the nearest first. */
static inline u32 ph_compat_stack_here(unsigned long *entries, u32 nr)
{
#ifdef CONFIG_STACKTRACE
	return stack_trace_save(entries, nr, 0);
#else
	return 0;
#endif
}

/* Stacks that are kept once however often they occur; 0 is none. */
#ifdef CONFIG_STACKDEPOT

static inline u32 ph_compat_stack_keep(unsigned long *entries, u32 nr)
{
	return stack_depot_save(entries, nr, GFP_NOWAIT | __GFP_NOWARN);
}

static inline u32 ph_compat_stack_fetch(u32 stack, unsigned long **entries)
{
	return stack_depot_fetch(stack, entries);
}

#else

static inline u32 ph_compat_stack_keep(unsigned long *entries, u32 nr)
{
	return 0;
}

static inline u32 ph_compat_stack_fetch(u32 stack, unsigned long **entries)
{
	*entries = NULL;
	return 0;
}

#endif

#endif /* _PH_COMPAT_H */
