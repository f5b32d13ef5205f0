// SPDX-License-Identifier: GPL-2.0
/*
 * Readers of objects that are freed under them. What the constructor wrote is
 * there whatever happens to the object; and one that the reader could keep, by
 * its count of references, is the one that he looked for.
 */

#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>

#include "stress.h"

#define STRESS_CANARY	0x63616e6172792121ULL
#define STRESS_NODES	64
#define STRESS_READERS	2

struct stress_node {
	u64 canary;
	refcount_t refs;
	u32 key;
	u64 check;
	u64 body[8];
};

static struct privheap_cache *stress_nodes;
static struct stress_node __rcu *stress_table[STRESS_NODES];
static struct task_struct *stress_updater, *stress_reader[STRESS_READERS];
static struct stress_actor stress_update_actor;
static DECLARE_COMPLETION(stress_updated);
static u64 stress_reads[STRESS_READERS];

static void stress_node_ctor(void *obj)
{
	struct stress_node *node = obj;

	node->canary = STRESS_CANARY;
	refcount_set(&node->refs, 0);
}

static void stress_node_put(struct stress_node *node)
{
	if (refcount_dec_and_test(&node->refs))
		privheap_cache_free(stress_nodes, node);
}

static void stress_replace(struct stress_actor *actor)
{
	u32 key = stress_random(actor, STRESS_NODES);
	struct stress_node *node, *old;

	node = privheap_cache_alloc(stress_nodes, GFP_KERNEL);
	if (node) {
		node->key = key;
		node->check = ~(u64)key;
		/* What is written above is there before anybody can keep it. */
		smp_wmb();
		refcount_set(&node->refs, 1);
	}
	old = rcu_dereference_protected(stress_table[key], true);
	rcu_assign_pointer(stress_table[key], node);
	if (old)
		stress_node_put(old);
	actor->ops++;
}

static int stress_update_fn(void *data)
{
	while (stress_update_actor.ops < stress_goal()) {
		stress_replace(&stress_update_actor);
		if (!(stress_update_actor.ops % 512))
			privheap_cache_shrink(stress_nodes);
		cond_resched();
	}
	complete(&stress_updated);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50 + 1);
	return 0;
}

static void stress_read(u32 key)
{
	struct stress_node *node;

	rcu_read_lock();
	node = rcu_dereference(stress_table[key]);
	if (!node) {
		rcu_read_unlock();
		return;
	}
	if (READ_ONCE(node->canary) != STRESS_CANARY)
		stress_fault("reader", "memory of another type");
	if (!refcount_inc_not_zero(&node->refs)) {
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();
	/* It may be another one by now, but it stays that one. */
	if (node->key >= STRESS_NODES || node->check != ~(u64)node->key)
		stress_fault("reader", "a node that is kept changed");
	stress_node_put(node);
}

static int stress_read_fn(void *data)
{
	u64 *reads = data;
	u32 key = 0;

	while (!kthread_should_stop()) {
		stress_read(key++ % STRESS_NODES);
		++*reads;
		if (!(key % STRESS_NODES))
			cond_resched();
	}
	return 0;
}

int stress_readers_start(void)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
		.ctor = stress_node_ctor,
	};
	struct privheap_cache *cache;
	u32 i;

	stress_actor_init(&stress_update_actor, "updater");
	reinit_completion(&stress_updated);
	cache = privheap_cache_create(stress_heap(), "node",
				      sizeof(struct stress_node), &args);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	stress_nodes = cache;
	stress_updater = kthread_run(stress_update_fn, NULL, "privheap/update");
	for (i = 0; i < STRESS_READERS; i++) {
		stress_reads[i] = 0;
		stress_reader[i] = kthread_run(stress_read_fn, &stress_reads[i],
					       "privheap/read%u", i);
	}
	return 0;
}

static void stress_end_thread(struct task_struct **task)
{
	if (IS_ERR(*task))
		stress_fault("threads", "one could not be made");
	else if (*task)
		kthread_stop(*task);
	*task = NULL;
}

void stress_readers_stop(void)
{
	struct stress_node *node;
	u32 i;

	if (!IS_ERR_OR_NULL(stress_updater))
		stress_await(&stress_updated);
	stress_end_thread(&stress_updater);
	for (i = 0; i < STRESS_READERS; i++) {
		stress_end_thread(&stress_reader[i]);
		stress_count("reader", stress_reads[i]);
	}
	for (i = 0; i < STRESS_NODES; i++) {
		node = rcu_dereference_protected(stress_table[i], true);
		RCU_INIT_POINTER(stress_table[i], NULL);
		if (node)
			stress_node_put(node);
	}
	stress_count("updater", stress_update_actor.ops);
	if (privheap_cache_destroy(stress_nodes, 0))
		stress_fault("books", "nodes are left");
	stress_nodes = NULL;
}
