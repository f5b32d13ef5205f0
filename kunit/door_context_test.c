// SPDX-License-Identifier: GPL-2.0
/* Kernel door: calls from interrupts, and in the middle of other calls. */

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/rcupdate.h>

#include "door_fixture.h"

enum ph_context {
	PH_CONTEXT_IRQS_OFF,
	PH_CONTEXT_TASKLET,
	PH_CONTEXT_HRTIMER,
	PH_CONTEXT_IRQ_WORK,
	PH_CONTEXT_RCU,
	PH_CONTEXTS
};

static const char * const ph_context_names[] = {
	"interrupts off", "tasklet", "hrtimer", "irq_work", "RCU callback",
};

/* What is done elsewhere, and all ways to get there. */
static struct ph_errand {
	void (*fn)(struct ph_errand *errand);
	struct privheap_cache *cache;
	void **objs;
	u32 nr;
	struct completion done;
	struct tasklet_struct tasklet;
	struct hrtimer timer;
	struct irq_work work;
	struct rcu_head rcu;
} ph_errand;

static void ph_errand_run(struct ph_errand *errand)
{
	errand->fn(errand);
	complete(&errand->done);
}

static void ph_errand_tasklet(struct tasklet_struct *tasklet)
{
	ph_errand_run(from_tasklet(&ph_errand, tasklet, tasklet));
}

static enum hrtimer_restart ph_errand_timer(struct hrtimer *timer)
{
	ph_errand_run(container_of(timer, struct ph_errand, timer));
	return HRTIMER_NORESTART;
}

static void ph_errand_work(struct irq_work *work)
{
	ph_errand_run(container_of(work, struct ph_errand, work));
}

static void ph_errand_rcu(struct rcu_head *rcu)
{
	ph_errand_run(container_of(rcu, struct ph_errand, rcu));
}

static void ph_errand_go(struct ph_errand *errand, enum ph_context context)
{
	unsigned long flags;

	init_completion(&errand->done);
	switch (context) {
	case PH_CONTEXT_IRQS_OFF:
		local_irq_save(flags);
		ph_errand_run(errand);
		local_irq_restore(flags);
		return;
	case PH_CONTEXT_TASKLET:
		tasklet_setup(&errand->tasklet, ph_errand_tasklet);
		tasklet_schedule(&errand->tasklet);
		break;
	case PH_CONTEXT_HRTIMER:
		hrtimer_init(&errand->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		errand->timer.function = ph_errand_timer;
		hrtimer_start(&errand->timer, ns_to_ktime(1000),
			      HRTIMER_MODE_REL);
		break;
	case PH_CONTEXT_IRQ_WORK:
		init_irq_work(&errand->work, ph_errand_work);
		irq_work_queue(&errand->work);
		break;
	default:
		call_rcu(&errand->rcu, ph_errand_rcu);
	}
	wait_for_completion(&errand->done);
	if (context == PH_CONTEXT_TASKLET)
		tasklet_kill(&errand->tasklet);
	else if (context == PH_CONTEXT_HRTIMER)
		hrtimer_cancel(&errand->timer);
	else if (context == PH_CONTEXT_IRQ_WORK)
		irq_work_sync(&errand->work);
	else
		rcu_barrier();
}

static const enum ph_context ph_contexts[PH_CONTEXTS] = {
	PH_CONTEXT_IRQS_OFF, PH_CONTEXT_TASKLET, PH_CONTEXT_HRTIMER,
	PH_CONTEXT_IRQ_WORK, PH_CONTEXT_RCU,
};

static void ph_context_name(const enum ph_context *context, char *desc)
{
	strscpy(desc, ph_context_names[*context], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_context, ph_contexts, ph_context_name);

static struct ph_errand *ph_errand_new(struct kunit *test,
				       void (*fn)(struct ph_errand *errand),
				       u32 nr)
{
	ph_errand.fn = fn;
	ph_errand.cache = ph_door_cache(test, 96, NULL);
	ph_errand.objs = ph_door_objects();
	ph_errand.nr = nr;
	return &ph_errand;
}

static void ph_errand_alloc(struct ph_errand *errand)
{
	errand->nr = ph_door_alloc_all(errand->cache, GFP_ATOMIC, errand->objs,
				       errand->nr);
}

static void ph_errand_free(struct ph_errand *errand)
{
	ph_door_free_all(errand->cache, errand->objs, errand->nr);
}

static void ph_errand_bulk(struct ph_errand *errand)
{
	errand->nr = privheap_cache_alloc_bulk(errand->cache, GFP_ATOMIC,
					       errand->nr, errand->objs);
	privheap_cache_free_bulk(errand->cache, errand->nr, errand->objs);
}

static void alloc_there_and_free_here(struct kunit *test)
{
	const enum ph_context *context = test->param_value;
	struct ph_errand *errand = ph_errand_new(test, ph_errand_alloc, 600);

	ph_errand_go(errand, *context);
	KUNIT_EXPECT_EQ(test, errand->nr, 600);
	PH_DOOR_EXPECT_OBJECTS(test, errand->cache, 600);
	KUNIT_EXPECT_TRUE(test, ph_door_distinct(errand->objs, errand->nr));
	ph_errand_free(errand);
	PH_DOOR_EXPECT_OBJECTS(test, errand->cache, 0);
}

static void alloc_here_and_free_there(struct kunit *test)
{
	const enum ph_context *context = test->param_value;
	struct ph_errand *errand = ph_errand_new(test, ph_errand_free, 600);

	KUNIT_ASSERT_EQ(test, 600, ph_door_alloc_all(errand->cache, GFP_KERNEL,
						     errand->objs, 600));
	ph_errand_go(errand, *context);
	PH_DOOR_EXPECT_OBJECTS(test, errand->cache, 0);
	PH_DOOR_EXPECT_SOUND(test, errand->cache);
}

static void bulk_there(struct kunit *test)
{
	const enum ph_context *context = test->param_value;
	struct ph_errand *errand = ph_errand_new(test, ph_errand_bulk, 600);

	ph_errand_go(errand, *context);
	KUNIT_EXPECT_EQ(test, errand->nr, 600);
	PH_DOOR_EXPECT_OBJECTS(test, errand->cache, 0);
}

static void reserve_serves_there_when_nothing_is_left(struct kunit *test)
{
	const enum ph_context *context = test->param_value;
	struct ph_errand *errand = ph_errand_new(test, ph_errand_alloc, 600);

	KUNIT_EXPECT_EQ(test, privheap_cache_reserve(errand->cache, 600), 0);
	ph_door_exhaust();
	ph_errand_go(errand, *context);
	ph_door_relieve();
	KUNIT_EXPECT_EQ(test, errand->nr, 600);
	KUNIT_EXPECT_TRUE(test, ph_door_distinct(errand->objs, errand->nr));
	ph_errand_free(errand);
}

static void there_without_memory(struct kunit *test)
{
	const enum ph_context *context = test->param_value;
	struct ph_errand *errand = ph_errand_new(test, ph_errand_alloc, 600);

	ph_door_exhaust();
	ph_errand_go(errand, *context);
	ph_door_relieve();
	KUNIT_EXPECT_EQ(test, errand->nr, 0);
	PH_DOOR_EXPECT_OBJECTS(test, errand->cache, 0);
}

/* An interrupt that finds this CPU's magazines in use does without them. */
static void call_in_the_middle_of_a_call(struct kunit *test)
{
	struct privheap_cache *cache = ph_door_cache(test, 96, NULL);
	void **objs = ph_door_objects();
	struct ph_magazine *loaded;
	struct ph_cpu *cpu;
	u32 nr, rounds;
	bool alone;

	privheap_cache_free(cache, ph_door_alloc(test, cache));
	KUNIT_ASSERT_TRUE(test, ph_cpu_enter(cache->cpu, &cpu));
	loaded = cpu->loaded;
	rounds = loaded->nr;
	nr = ph_door_alloc_all(cache, GFP_ATOMIC, objs, 300);
	nr += privheap_cache_alloc_bulk(cache, GFP_ATOMIC, 300, objs + nr);
	ph_door_free_all(cache, objs, nr / 2);
	privheap_cache_free_bulk(cache, nr - nr / 2, objs + nr / 2);
	alone = cpu->loaded == loaded && loaded->nr == rounds && cpu->seq & 1;
	ph_cpu_leave_uncounted(cpu);
	KUNIT_EXPECT_TRUE(test, alone);
	KUNIT_EXPECT_EQ(test, nr, 600);
	PH_DOOR_EXPECT_OBJECTS(test, cache, 0);
	PH_DOOR_EXPECT_SOUND(test, cache);
}

/*
 * A timer that allocates and frees, time and again, in the middle of whatever
 * this does. The first word of an object tells whether it is in use: the
 * constructor clears it, and it survives free.
 */
#define PH_STORM_HELD	50
#define PH_STORM_TICKS	20

struct ph_storm {
	struct privheap_cache *cache;
	struct hrtimer timer;
	u64 *held[PH_STORM_HELD];
	u32 nr;
	u32 ticks;
	u32 faults;
};

static struct ph_storm ph_storm;

static void ph_storm_ctor(void *obj)
{
	*(u64 *)obj = 0;
}

static u64 *ph_storm_take(struct ph_storm *storm)
{
	u64 *obj = privheap_cache_alloc(storm->cache, GFP_ATOMIC);

	if (!obj || *obj)
		storm->faults++;
	if (obj)
		*obj = 1;
	return obj;
}

static void ph_storm_give(struct ph_storm *storm, u64 *obj)
{
	if (!obj)
		return;
	if (*obj != 1)
		storm->faults++;
	*obj = 0;
	privheap_cache_free(storm->cache, obj);
}

static enum hrtimer_restart ph_storm_tick(struct hrtimer *timer)
{
	struct ph_storm *storm = container_of(timer, struct ph_storm, timer);
	u32 i;

	for (i = 0; i < 30; i++) {
		if (storm->nr == PH_STORM_HELD || (storm->nr && i % 3 == 0))
			ph_storm_give(storm, storm->held[--storm->nr]);
		else
			storm->held[storm->nr++] = ph_storm_take(storm);
	}
	storm->ticks++;
	return HRTIMER_NORESTART;
}

static void interrupts_in_the_middle_of_calls(struct kunit *test)
{
	static const struct privheap_cache_args args = { .ctor = ph_storm_ctor };
	struct ph_storm *storm = &ph_storm;
	u64 **objs = (u64 **)ph_door_objects();
	u32 i;

	memset(storm, 0, sizeof(*storm));
	storm->cache = ph_door_cache(test, 64, &args);
	hrtimer_init(&storm->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	storm->timer.function = ph_storm_tick;
	while (READ_ONCE(storm->ticks) < PH_STORM_TICKS) {
		if (!hrtimer_active(&storm->timer))
			hrtimer_start(&storm->timer, ns_to_ktime(50000),
				      HRTIMER_MODE_REL);
		for (i = 0; i < 200; i++)
			objs[i] = ph_storm_take(storm);
		for (i = 0; i < 200; i++)
			ph_storm_give(storm, objs[i]);
		cond_resched();
	}
	hrtimer_cancel(&storm->timer);
	KUNIT_EXPECT_EQ(test, storm->faults, 0);
	PH_DOOR_EXPECT_OBJECTS(test, storm->cache, storm->nr);
	PH_DOOR_EXPECT_SOUND(test, storm->cache);
	while (storm->nr)
		ph_storm_give(storm, storm->held[--storm->nr]);
	KUNIT_EXPECT_EQ(test, ph_door_stat(storm->cache).errors, 0);
}

static struct kunit_case ph_door_context_cases[] = {
	KUNIT_CASE_PARAM(alloc_there_and_free_here, ph_context_gen_params),
	KUNIT_CASE_PARAM(alloc_here_and_free_there, ph_context_gen_params),
	KUNIT_CASE_PARAM(bulk_there, ph_context_gen_params),
	KUNIT_CASE_PARAM(reserve_serves_there_when_nothing_is_left,
			 ph_context_gen_params),
	KUNIT_CASE_PARAM(there_without_memory, ph_context_gen_params),
	KUNIT_CASE(call_in_the_middle_of_a_call),
	KUNIT_CASE(interrupts_in_the_middle_of_calls),
	{}
};

static struct kunit_suite ph_door_context_suite = {
	.name = "privheap_door_context",
	.init = ph_door_init,
	.exit = ph_door_exit,
	.test_cases = ph_door_context_cases,
};

kunit_test_suite(ph_door_context_suite);
