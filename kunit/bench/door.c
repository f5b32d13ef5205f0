// SPDX-License-Identifier: GPL-2.0
/* privheap's kernel door, as any other module uses it. */
#include <linux/err.h>
#include <linux/privheap.h>
#include <linux/slab.h>

#define SIDE_CACHE	privheap_cache
#define SIDE_ALLOC	privheap_cache_alloc
#define SIDE_FREE	privheap_cache_free
#define SIDE_ALLOC_BULK	privheap_cache_alloc_bulk
#define SIDE_FREE_BULK	privheap_cache_free_bulk
#include "side.h"

static void *door_create(const char *name, unsigned int size, bool check)
{
	static const struct privheap_attr attr = { .name = "bench" };
	const struct privheap_cache_args args = {
		.flags = check ? PRIVHEAP_CACHE_CHECK : 0,
	};
	struct privheap_cache *cache;
	struct privheap *heap;

	heap = privheap_create(&attr);
	if (IS_ERR(heap))
		return NULL;
	cache = privheap_cache_create(heap, name, size, &args);
	if (!IS_ERR(cache))
		return cache;
	privheap_destroy(heap);
	return NULL;
}

static void door_destroy(void *arg)
{
	struct privheap_cache *cache = arg;
	struct privheap *heap;

	if (!cache)
		return;
	heap = cache->heap;
	privheap_cache_destroy(cache, PRIVHEAP_DESTROY_FORCE);
	privheap_destroy(heap);
}

/* All that the cache has, empty slabs and metadata included. */
static s64 door_held(const struct bench_work *work)
{
	struct privheap_cache_stat stat;

	privheap_cache_stat(work->cache, &stat);
	return stat.bytes + stat.metadata_bytes;
}

const struct bench_side bench_door = {
	.who = "privheap",
	.create = door_create,
	.destroy = door_destroy,
	.held = door_held,
	SIDE_BODIES,
};
