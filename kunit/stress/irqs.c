// SPDX-License-Identifier: GPL-2.0
/*
 * Callers from interrupts: timers, irq_work, a tasklet. Where the kernel is
 * PREEMPT_RT its allocators cannot be called from the hard ones; timers are soft
 * ones there, and irq_work is served by a thread.
 */

#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>

#include "stress.h"

#define STRESS_TIMERS	2
#define STRESS_STEPS	10
#define STRESS_AFTER_NS	(50 * NSEC_PER_USEC)
#define STRESS_MODE	(IS_ENABLED(CONFIG_PREEMPT_RT) ?	\
			 HRTIMER_MODE_REL_SOFT : HRTIMER_MODE_REL)

static struct stress_timer {
	struct stress_actor actor;
	struct hrtimer timer;
} stress_timers[STRESS_TIMERS];

static struct stress_actor stress_worker, stress_tasklet_actor;
static struct irq_work stress_work;
static struct tasklet_struct stress_tasklet;
static bool stress_irqs;

static void stress_steps(struct stress_actor *actor)
{
	u32 i;

	/* It may have been queued on another CPU while it runs on one. */
	if (test_and_set_bit_lock(0, &actor->busy))
		return;
	for (i = 0; i < STRESS_STEPS; i++)
		stress_step(actor, GFP_ATOMIC);
	clear_bit_unlock(0, &actor->busy);
}

static enum hrtimer_restart stress_timer_fn(struct hrtimer *timer)
{
	struct stress_timer *t = container_of(timer, struct stress_timer, timer);

	stress_steps(&t->actor);
	return HRTIMER_NORESTART;
}

static void stress_work_fn(struct irq_work *work)
{
	stress_steps(&stress_worker);
}

static void stress_tasklet_fn(struct tasklet_struct *tasklet)
{
	stress_steps(&stress_tasklet_actor);
}

int stress_irqs_start(void)
{
	struct stress_timer *t;
	u32 i;

	stress_actor_init(&stress_worker, "irq_work");
	stress_actor_init(&stress_tasklet_actor, "tasklet");
	init_irq_work(&stress_work, stress_work_fn);
	tasklet_setup(&stress_tasklet, stress_tasklet_fn);
	for (i = 0; i < STRESS_TIMERS; i++) {
		t = &stress_timers[i];
		stress_actor_init(&t->actor, "timer");
		hrtimer_init(&t->timer, CLOCK_MONOTONIC, STRESS_MODE);
		t->timer.function = stress_timer_fn;
	}
	WRITE_ONCE(stress_irqs, true);
	return 0;
}

/*
 * Threads cause them all. A timer that starts itself again could leave a slow
 * machine no time for anything else.
 */
void stress_irqs_kick(void)
{
	u32 i;

	if (!READ_ONCE(stress_irqs))
		return;
	irq_work_queue(&stress_work);
	tasklet_schedule(&stress_tasklet);
	for (i = 0; i < STRESS_TIMERS; i++)
		hrtimer_start(&stress_timers[i].timer,
			      ns_to_ktime(STRESS_AFTER_NS << i), STRESS_MODE);
}

void stress_irqs_stop(void)
{
	u32 i;

	if (!stress_irqs)
		return;
	WRITE_ONCE(stress_irqs, false);
	for (i = 0; i < STRESS_TIMERS; i++) {
		hrtimer_cancel(&stress_timers[i].timer);
		stress_actor_exit(&stress_timers[i].actor);
	}
	irq_work_sync(&stress_work);
	stress_actor_exit(&stress_worker);
	tasklet_kill(&stress_tasklet);
	stress_actor_exit(&stress_tasklet_actor);
}
