/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops of both sides. Each side says before what its calls are:
 * SIDE_CACHE, SIDE_ALLOC, SIDE_FREE, SIDE_ALLOC_BULK, SIDE_FREE_BULK.
 */
#ifndef PRIVHEAP_BENCH_SIDE_H
#define PRIVHEAP_BENCH_SIDE_H

#include <linux/gfp.h>

#include "bench.h"

static int side_pair(void *arg, unsigned int times)
{
	struct bench_work *work = arg;
	struct SIDE_CACHE *cache = work->cache;

	while (times--) {
		void *object = SIDE_ALLOC(cache, GFP_KERNEL);

		if (unlikely(!object))
			return -ENOMEM;
		SIDE_FREE(cache, object);
	}
	return 0;
}

/* What was allocated before a failure is lost, and counted with the cache. */
static __always_inline int side_alloc_all(const struct bench_work *work)
{
	struct SIDE_CACHE *cache = work->cache;
	unsigned int count = work->count, i;
	void **objects = work->objects;

	for (i = 0; i < count; i++) {
		objects[i] = SIDE_ALLOC(cache, GFP_KERNEL);
		if (unlikely(!objects[i]))
			return -ENOMEM;
	}
	return 0;
}

static __always_inline void side_free_all(const struct bench_work *work)
{
	struct SIDE_CACHE *cache = work->cache;
	unsigned int count = work->count, i;
	void **objects = work->objects;

	for (i = 0; i < count; i++)
		SIDE_FREE(cache, objects[i]);
}

static int side_burst(void *arg, unsigned int times)
{
	while (times--) {
		if (side_alloc_all(arg))
			return -ENOMEM;
		side_free_all(arg);
	}
	return 0;
}

static int side_bulk(void *arg, unsigned int times)
{
	struct bench_work *work = arg;
	struct SIDE_CACHE *cache = work->cache;
	unsigned int count = work->count;
	void **objects = work->objects;

	while (times--) {
		if (!SIDE_ALLOC_BULK(cache, GFP_KERNEL, count, objects))
			return -ENOMEM;
		SIDE_FREE_BULK(cache, count, objects);
	}
	return 0;
}

static int side_make(void *arg, unsigned int times)
{
	return side_alloc_all(arg);
}

static int side_drop(void *arg, unsigned int times)
{
	side_free_all(arg);
	return 0;
}

#define SIDE_BODIES							\
	.pair = side_pair, .burst = side_burst, .bulk = side_bulk,	\
	.make = side_make, .drop = side_drop

#endif /* PRIVHEAP_BENCH_SIDE_H */
