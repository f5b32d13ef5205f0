/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Track: who did something to an object, and when.
 */
#ifndef _PH_TRACK_H
#define _PH_TRACK_H

#include <linux/types.h>

/* Return addresses that are worth a line each. */
#define PH_STACK_MAX	16

/**
 * struct ph_stack - return addresses, the nearest first
 * @nr: how many
 * @entry: they
 */
struct ph_stack {
	u32 nr;
	unsigned long entry[PH_STACK_MAX];
};

/**
 * struct ph_track - one event in the life of an object
 * @time: when, in ns of the monotonic clock
 * @caller: return address into the module that called
 * @stack: its stack, in the stack depot; 0 where there was no room
 * @pid: of the task that ran
 * @cpu: where
 * @in_irq: whether that task was interrupted for it
 * @sum: of all this: it lies in memory that others may have written to
 */
struct ph_track {
	u64 time;
	unsigned long caller;
	u32 stack;
	s32 pid;
	u16 cpu;
	u16 in_irq;
	u32 sum;
};

/**
 * enum ph_track_state - what a record is worth
 * @PH_TRACK_NONE: there was no such event yet
 * @PH_TRACK_GOOD: it tells the truth
 * @PH_TRACK_BAD: somebody wrote over it
 */
enum ph_track_state {
	PH_TRACK_NONE,
	PH_TRACK_GOOD,
	PH_TRACK_BAD,
};

void ph_track_init(void);
void ph_track_set(struct ph_track *track, unsigned long caller);
enum ph_track_state ph_track_get(const struct ph_track *track,
				 struct ph_track *copy);
void ph_stack_here(struct ph_stack *stack, unsigned long caller);
void ph_stack_of(struct ph_stack *stack, const struct ph_track *track);

#endif /* _PH_TRACK_H */
