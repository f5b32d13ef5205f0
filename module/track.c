// SPDX-License-Identifier: GPL-2.0
/* Who did something to an object, and when; see track.h. */

#include <linux/jhash.h>
#include <linux/kmsan-checks.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <kunit/visibility.h>

#include "compat.h"
#include "track.h"

/* The module's own functions, which lie on top of its caller's. */
#define PH_STACK_OURS	8

/**
 * ph_track_init() - be ready to keep stacks
 *
 * Where there is no memory for the depot, records have no stacks.
 *
 * Context: process, may sleep.
 */
void ph_track_init(void)
{
	stack_depot_init();
}

/**
 * ph_stack_here() - the stack from the module's caller on
 * @stack: (out)
 * @caller: return address into the caller
 *
 * Context: any.
 */
void ph_stack_here(struct ph_stack *stack, unsigned long caller)
{
	unsigned long entries[PH_STACK_OURS + PH_STACK_MAX];
	u32 nr = ph_compat_stack_here(entries, ARRAY_SIZE(entries)), first;

	/* How many frames are ours depends on the compiler: look for the first. */
	for (first = 0; first < nr; first++)
		if (entries[first] == caller)
			break;
	if (first == nr)
		first = 0;
	stack->nr = min_t(u32, nr - first, PH_STACK_MAX);
	memcpy(stack->entry, entries + first,
	       stack->nr * sizeof(entries[0]));
}

/**
 * ph_stack_of() - the stack of a record
 * @stack: (out) without entries where none was kept
 * @track: a record that ph_track_get() found good
 *
 * Context: any.
 */
void ph_stack_of(struct ph_stack *stack, const struct ph_track *track)
{
	unsigned long *entries;
	u32 nr = ph_compat_stack_fetch(track->stack, &entries);

	stack->nr = min_t(u32, nr, PH_STACK_MAX);
	if (!stack->nr)
		return;
	memcpy(stack->entry, entries, stack->nr * sizeof(entries[0]));
	/* KMSAN does not see who writes to the depot. */
	kmsan_unpoison_memory(stack->entry, stack->nr * sizeof(entries[0]));
}
EXPORT_SYMBOL_IF_KUNIT(ph_stack_of);

/* Bound to its place, so that a copy elsewhere is not taken for a record. */
static u32 ph_track_sum(const struct ph_track *track,
			const struct ph_track *place)
{
	return jhash(track, offsetof(struct ph_track, sum),
		     (u32)(uintptr_t)place);
}

/**
 * ph_track_set() - record that something happens now
 * @track: (out) the record; the caller has it to himself
 * @caller: return address into the module that wants it
 *
 * Context: any in which memory can be allocated without sleeping.
 */
void ph_track_set(struct ph_track *track, unsigned long caller)
{
	struct ph_stack stack;

	ph_stack_here(&stack, caller);
	track->time = ktime_get_mono_fast_ns();
	track->caller = caller;
	track->stack = ph_compat_stack_keep(stack.entry, stack.nr);
	track->pid = task_pid_nr(current);
	track->cpu = raw_smp_processor_id();
	track->in_irq = !in_task();
	track->sum = ph_track_sum(track, track);
}

/**
 * ph_track_get() - read a record that anybody may be writing over
 * @track: the record
 * @copy: (out) what it said
 *
 * Context: any.
 * Return: what @copy is worth.
 */
enum ph_track_state ph_track_get(const struct ph_track *track,
				 struct ph_track *copy)
{
	memcpy(copy, track, sizeof(*copy));
	if (copy->sum == ph_track_sum(copy, track))
		return PH_TRACK_GOOD;
	return memchr_inv(copy, 0, sizeof(*copy)) ? PH_TRACK_BAD :
						    PH_TRACK_NONE;
}
EXPORT_SYMBOL_IF_KUNIT(ph_track_get);
