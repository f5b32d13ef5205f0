/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults: the n-th allocation of this task fails, and if wished all after it,
 * where the kernel can do that (Documentation/fault-injection).
 *
 * Who loads the suites has to have set the knobs of failslab and fail_page_alloc
 * before: ignore-gfp-wait off, min-order 0, and for "all after it" task-filter on,
 * probability 100, times -1.
 */
#ifndef _PH_KUNIT_FAULTS_H
#define _PH_KUNIT_FAULTS_H

#include <linux/sched.h>
#include <linux/slab.h>

#if IS_ENABLED(CONFIG_FAULT_INJECTION)

static inline void ph_faults_begin(u32 nth, bool and_on)
{
	current->make_it_fail = and_on;
	WRITE_ONCE(current->fail_nth, nth);
}

/* Let no more fail, from elsewhere. */
static inline void ph_faults_relent(struct task_struct *task)
{
	WRITE_ONCE(task->make_it_fail, 0);
}

/* Returns whether the n-th was reached. */
static inline bool ph_faults_end(void)
{
	bool hit = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	current->make_it_fail = 0;
	return hit;
}

#else

static inline void ph_faults_begin(u32 nth, bool and_on)
{
}

static inline void ph_faults_relent(struct task_struct *task)
{
}

static inline bool ph_faults_end(void)
{
	return false;
}

#endif

/* Whether the second of two allocations fails just as asked for. */
static inline bool ph_faults_work(bool and_on)
{
	void *first, *second, *third;

	ph_faults_begin(2, and_on);
	first = kmalloc(16, GFP_KERNEL);
	second = kmalloc(16, GFP_KERNEL);
	third = kmalloc(16, GFP_KERNEL);
	ph_faults_end();
	kfree(first);
	kfree(second);
	kfree(third);
	return first && !second && !third == and_on;
}

#endif /* _PH_KUNIT_FAULTS_H */
