// SPDX-License-Identifier: GPL-2.0
/*
 * SLUB's figures for objects of 32 bytes. It checks nothing on free beyond
 * what the running kernel was configured to check.
 */
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "bench.h"

#define OBJECT	32
#define BURST	64
#define CROWD	10000

struct slub_bench {
	struct kmem_cache *cache;
	void **objects;
	unsigned int count;
};

static int pair(void *arg, unsigned int times)
{
	struct slub_bench *bench = arg;

	while (times--) {
		void *object = kmem_cache_alloc(bench->cache, GFP_KERNEL);

		if (!object)
			return -ENOMEM;
		kmem_cache_free(bench->cache, object);
	}
	return 0;
}

/* @count allocations, then @count frees. */
static int burst(void *arg, unsigned int times)
{
	struct slub_bench *bench = arg;
	unsigned int made, i;

	while (times--) {
		for (made = 0; made < bench->count; made++) {
			bench->objects[made] = kmem_cache_alloc(bench->cache,
								GFP_KERNEL);
			if (!bench->objects[made])
				break;
		}
		for (i = 0; i < made; i++)
			kmem_cache_free(bench->cache, bench->objects[i]);
		if (made < bench->count)
			return -ENOMEM;
	}
	return 0;
}

static int bulk(void *arg, unsigned int times)
{
	struct slub_bench *bench = arg;

	while (times--) {
		if (!kmem_cache_alloc_bulk(bench->cache, GFP_KERNEL,
					   bench->count, bench->objects))
			return -ENOMEM;
		kmem_cache_free_bulk(bench->cache, bench->count,
				     bench->objects);
	}
	return 0;
}

static int run(struct seq_file *out, struct slub_bench *bench, const char *row,
	       bench_body body, unsigned int count, unsigned int times)
{
	s64 cost;

	bench->count = count;
	cost = bench_cost(body, bench, times);
	if (cost < 0)
		return cost;
	bench_row(out, row, "slub", div_s64(cost, count));
	return 0;
}

static int run_all(struct seq_file *out, struct slub_bench *bench)
{
	int err;

	err = run(out, bench, "kernel.pair", pair, 1, 1000);
	if (!err)
		err = run(out, bench, "kernel.burst64", burst, BURST, 50);
	if (!err)
		err = run(out, bench, "kernel.burst10k", burst, CROWD, 1);
	if (!err)
		err = run(out, bench, "kernel.bulk64", bulk, BURST, 50);
	return err;
}

int bench_slub_show(struct seq_file *out, void *unused)
{
	struct slub_bench bench = {};
	int err = -ENOMEM;

	bench.objects = kvcalloc(CROWD, sizeof(*bench.objects), GFP_KERNEL);
	bench.cache = kmem_cache_create("privheap_bench", OBJECT, 0, 0, NULL);
	if (bench.objects && bench.cache)
		err = run_all(out, &bench);
	kmem_cache_destroy(bench.cache);
	kvfree(bench.objects);
	return err;
}
