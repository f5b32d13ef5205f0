// SPDX-License-Identifier: GPL-2.0
/* Threads: bound to a CPU, unbound, in bulk, and from one to another. */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "stress.h"

#define STRESS_BULK	300
#define STRESS_BELT	256

/**
 * struct stress_thread - an actor with a thread of his own
 * @actor: he
 * @body: what he does
 * @cpu: where; -1: anywhere
 * @task: the thread, if it was made
 * @woken: whether it was let go
 * @done: he has reached the goal
 * @held: (bulk) what he has, more than an actor can
 * @objs: (bulk) the same, for the calls
 */
struct stress_thread {
	struct stress_actor actor;
	void (*body)(struct stress_thread *thread);
	int cpu;
	struct task_struct *task;
	bool woken;
	struct completion done;
	struct stress_held held[STRESS_BULK];
	void *objs[STRESS_BULK];
};

/* Objects on their way from the producer to the consumer. */
static struct stress_belt {
	spinlock_t lock;
	struct stress_held held[STRESS_BELT];
	u32 nr;
	bool closed;
} stress_belt;

static void stress_body_single(struct stress_thread *thread)
{
	struct stress_actor *actor = &thread->actor;

	while (actor->ops < stress_goal()) {
		stress_step(actor, GFP_KERNEL);
		if (!(actor->serial % 8)) {
			stress_irqs_kick();
			cond_resched();
		}
	}
}

static void stress_body_bulk(struct stress_thread *thread)
{
	struct stress_actor *actor = &thread->actor;
	struct privheap_cache *cache;
	u32 kind, nr, i;

	while (actor->ops < stress_goal()) {
		kind = stress_random(actor, STRESS_KINDS);
		nr = 1 + stress_random(actor, STRESS_BULK);
		cache = stress_cache(kind);
		if (!privheap_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_ZERO,
					       nr, thread->objs)) {
			actor->ops++;
			continue;
		}
		for (i = 0; i < nr; i++)
			stress_took(actor, kind, thread->objs[i], true,
				    &thread->held[i]);
		cond_resched();
		for (i = 0; i < nr; i++)
			stress_check(actor->name, &thread->held[i]);
		privheap_cache_free_bulk(cache, nr, thread->objs);
	}
}

static void stress_body_produce(struct stress_thread *thread)
{
	struct stress_actor *actor = &thread->actor;
	struct stress_held held;
	bool full;

	while (actor->ops < stress_goal()) {
		if (!stress_take(actor, stress_random(actor, STRESS_KINDS),
				 GFP_KERNEL, &held)) {
			actor->ops++;
			continue;
		}
		do {
			spin_lock(&stress_belt.lock);
			full = stress_belt.nr == STRESS_BELT;
			if (!full)
				stress_belt.held[stress_belt.nr++] = held;
			spin_unlock(&stress_belt.lock);
			cond_resched();
		} while (full);
	}
	spin_lock(&stress_belt.lock);
	stress_belt.closed = true;
	spin_unlock(&stress_belt.lock);
}

static void stress_body_consume(struct stress_thread *thread)
{
	struct stress_actor *actor = &thread->actor;
	struct stress_held held;
	bool empty, closed;

	do {
		spin_lock(&stress_belt.lock);
		empty = !stress_belt.nr;
		closed = stress_belt.closed;
		if (!empty)
			held = stress_belt.held[--stress_belt.nr];
		spin_unlock(&stress_belt.lock);
		if (!empty) {
			stress_give(actor->name, &held);
			actor->ops++;
		}
		cond_resched();
	} while (!empty || !closed);
}

static const struct stress_cast {
	const char *name;
	void (*body)(struct stress_thread *thread);
	int cpu;
} stress_cast[] = {
	{ "bound thread", stress_body_single, 0 },
	{ "bound thread", stress_body_single, 1 },
	{ "unbound thread", stress_body_single, -1 },
	{ "unbound thread", stress_body_single, -1 },
	{ "bulk thread", stress_body_bulk, -1 },
	{ "producer", stress_body_produce, 0 },
	{ "consumer", stress_body_consume, 1 },
};

static struct stress_thread *stress_threads[ARRAY_SIZE(stress_cast)];

static int stress_thread_fn(void *data)
{
	struct stress_thread *thread = data;

	thread->body(thread);
	complete(&thread->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50 + 1);
	return 0;
}

static int stress_thread_start(u32 nr)
{
	const struct stress_cast *cast = &stress_cast[nr];
	struct stress_thread *thread = kvzalloc(sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;

	if (!thread)
		return -ENOMEM;
	stress_threads[nr] = thread;
	stress_actor_init(&thread->actor, cast->name);
	init_completion(&thread->done);
	thread->body = cast->body;
	task = kthread_create(stress_thread_fn, thread, "privheap/%u", nr);
	if (IS_ERR(task))
		return PTR_ERR(task);
	thread->task = task;
	if (cast->cpu >= 0 && cast->cpu < nr_cpu_ids && cpu_online(cast->cpu))
		kthread_bind(task, cast->cpu);
	return 0;
}

int stress_threads_start(void)
{
	int err = 0;
	u32 nr;

	memset(&stress_belt, 0, sizeof(stress_belt));
	spin_lock_init(&stress_belt.lock);
	for (nr = 0; nr < ARRAY_SIZE(stress_cast) && !err; nr++)
		err = stress_thread_start(nr);
	/* All of them or none: the consumer waits for the producer. */
	for (nr = 0; nr < ARRAY_SIZE(stress_cast) && !err; nr++) {
		stress_threads[nr]->woken = true;
		wake_up_process(stress_threads[nr]->task);
	}
	return err;
}

/* A thread that is stopped too early, or never woken, ends without beginning. */
void stress_threads_stop(void)
{
	struct stress_thread *thread;
	u32 nr;

	for (nr = 0; nr < ARRAY_SIZE(stress_cast); nr++) {
		thread = stress_threads[nr];
		stress_threads[nr] = NULL;
		if (!thread)
			continue;
		if (thread->woken)
			stress_await(&thread->done);
		if (thread->task)
			kthread_stop(thread->task);
		stress_actor_exit(&thread->actor);
		kvfree(thread);
	}
}
