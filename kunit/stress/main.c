// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs/privheap_stress: writing a number to `run` lets each thread do that
 * many operations, and returns when all has ended; `result` then has a line for
 * each kind of caller: its faults, what it did, its name.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "stress.h"

#define STRESS_ROWS	24

/* One line of the result. */
struct stress_row {
	const char *name;
	u64 faults;
	u64 ops;
};

static DEFINE_MUTEX(stress_running);
static DEFINE_SPINLOCK(stress_lock);
static struct stress_row stress_rows[STRESS_ROWS];
static struct dentry *stress_folder;
static struct privheap *stress_the_heap;
static struct privheap_cache *stress_caches[STRESS_KINDS];
static u64 stress_ops;

struct privheap *stress_heap(void)
{
	return stress_the_heap;
}

struct privheap_cache *stress_cache(u32 kind)
{
	return stress_caches[kind];
}

u64 stress_goal(void)
{
	return stress_ops;
}

static void stress_add(const char *who, u64 faults, u64 ops)
{
	struct stress_row *row = stress_rows;
	unsigned long flags;

	spin_lock_irqsave(&stress_lock, flags);
	while (row->name && strcmp(row->name, who) &&
	       row < &stress_rows[STRESS_ROWS - 1])
		row++;
	row->name = who;
	row->faults += faults;
	row->ops += ops;
	spin_unlock_irqrestore(&stress_lock, flags);
}

void stress_fault(const char *who, const char *what)
{
	pr_err_ratelimited("%s: %s\n", who, what);
	stress_add(who, 1, 0);
}

void stress_count(const char *who, u64 ops)
{
	stress_add(who, 0, ops);
}

/* Who sleeps for minutes in one go is taken for hung. */
void stress_await(struct completion *done)
{
	while (!wait_for_completion_timeout(done, 5 * HZ))
		;
}

static const struct {
	const char *name;
	u32 size;
	struct privheap_cache_args args;
} stress_kinds[STRESS_KINDS] = {
	[STRESS_CTOR] = { "ctor", 64, { .ctor = stress_ctor } },
	[STRESS_PLAIN] = { "plain", 200, {
		.policy = PRIVHEAP_POLICY_GROWABLE } },
	[STRESS_COMPACT] = { "compact", 40, {
		.policy = PRIVHEAP_POLICY_COMPACT,
		.flags = PRIVHEAP_CACHE_ZERO } },
	[STRESS_QUOTA] = { "quota", 128, { .quota = 400, .align = 128 } },
	[STRESS_TINY] = { "tiny", 8 },
};

static int stress_open_heap(void)
{
	static const struct privheap_attr attr = {
		.name = "stress", .max_bytes = SZ_16M,
	};
	struct privheap *heap = privheap_create(&attr);
	struct privheap_cache *cache;
	u32 i;

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	stress_the_heap = heap;
	for (i = 0; i < STRESS_KINDS; i++) {
		cache = privheap_cache_create(heap, stress_kinds[i].name,
					      stress_kinds[i].size,
					      &stress_kinds[i].args);
		if (IS_ERR(cache))
			return PTR_ERR(cache);
		stress_caches[i] = cache;
	}
	return 0;
}

static void stress_close_cache(struct privheap_cache *cache)
{
	struct privheap_cache_stat stat;

	if (!cache)
		return;
	privheap_cache_stat(cache, &stat);
	if (stat.objects || stat.allocs != stat.frees)
		stress_fault("books", "objects are left");
	if (stat.errors)
		stress_fault("books", "errors were counted");
	stress_count("books", stat.frees);
	if (privheap_cache_destroy(cache, 0) &&
	    privheap_cache_destroy(cache, PRIVHEAP_DESTROY_FORCE))
		stress_fault("books", "a cache did not end");
}

static void stress_close_heap(void)
{
	u32 i;

	for (i = 0; i < STRESS_KINDS; i++) {
		stress_close_cache(stress_caches[i]);
		stress_caches[i] = NULL;
	}
	if (privheap_destroy(stress_the_heap))
		stress_fault("books", "the heap did not end");
	stress_the_heap = NULL;
}

static int stress_start(void)
{
	int err = stress_irqs_start();

	err = err ?: stress_readers_start();
	err = err ?: stress_churn_start();
	err = err ?: stress_promise_start();
	return err ?: stress_threads_start();
}

/* The threads first: they have a goal, the others go on as long as they do. */
static void stress_end(void)
{
	stress_threads_stop();
	stress_readers_stop();
	stress_irqs_stop();
	stress_churn_stop();
	stress_promise_stop();
}

static int stress_run(u64 ops)
{
	int err;

	memset(stress_rows, 0, sizeof(stress_rows));
	stress_ops = ops;
	err = stress_open_heap();
	err = err ?: stress_start();
	stress_end();
	stress_close_heap();
	return err;
}

static int stress_run_set(void *data, u64 ops)
{
	int err = mutex_lock_interruptible(&stress_running);

	if (err)
		return err;
	err = stress_run(ops);
	mutex_unlock(&stress_running);
	return err;
}

DEFINE_DEBUGFS_ATTRIBUTE(stress_run_fops, NULL, stress_run_set, "%llu\n");

static int stress_result_show(struct seq_file *out, void *unused)
{
	struct stress_row *row;

	mutex_lock(&stress_running);
	for (row = stress_rows; row->name; row++)
		seq_printf(out, "%llu %llu %s\n", row->faults, row->ops,
			   row->name);
	mutex_unlock(&stress_running);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(stress_result);

static int __init privheap_stress_init(void)
{
	stress_folder = debugfs_create_dir("privheap_stress", NULL);
	debugfs_create_file_unsafe("run", 0200, stress_folder, NULL,
				   &stress_run_fops);
	debugfs_create_file("result", 0400, stress_folder, NULL,
			    &stress_result_fops);
	return 0;
}

static void __exit privheap_stress_exit(void)
{
	debugfs_remove(stress_folder);
}

module_init(privheap_stress_init);
module_exit(privheap_stress_exit);

MODULE_DESCRIPTION("Stress of privheap's kernel door");
MODULE_LICENSE("GPL");
