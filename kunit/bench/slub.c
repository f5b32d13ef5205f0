// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own allocator. It checks nothing on free beyond what the running
 * kernel was configured to check, and for a cache of which the command line
 * says so (slub_debug=).
 */
#include <linux/slab.h>

#define SIDE_CACHE	kmem_cache
#define SIDE_ALLOC	kmem_cache_alloc
#define SIDE_FREE	kmem_cache_free
#define SIDE_ALLOC_BULK	kmem_cache_alloc_bulk
#define SIDE_FREE_BULK	kmem_cache_free_bulk
#include "side.h"

static void *slub_create(const char *name, unsigned int size, bool check)
{
	return kmem_cache_create(name, size, 0, 0, NULL);
}

static void slub_destroy(void *cache)
{
	kmem_cache_destroy(cache);
}

static s64 slub_held(const struct bench_work *work)
{
	return bench_slub_held(work->objects, work->count);
}

const struct bench_side bench_slub = {
	.who = "slub",
	.create = slub_create,
	.destroy = slub_destroy,
	.held = slub_held,
	SIDE_BODIES,
};
