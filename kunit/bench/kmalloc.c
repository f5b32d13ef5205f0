// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench.h"

static void free_objects(void **objects, size_t count)
{
	while (count--) {
		kfree(objects[count]);
		cond_resched();
	}
	kvfree(objects);
}

static void **make_objects(const u32 *sizes, size_t count)
{
	void **objects = kvcalloc(count, sizeof(*objects), GFP_KERNEL);
	size_t i;

	if (!objects)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		objects[i] = kmalloc(sizes[i], GFP_KERNEL);
		if (ZERO_OR_NULL_PTR(objects[i])) {
			free_objects(objects, i);
			return ERR_PTR(-ENOMEM);
		}
		cond_resched();
	}
	return objects;
}

/* Each run of pages counts when its first object is met. */
static s64 bytes_beneath(void **objects, size_t count, unsigned long *seen)
{
	s64 held = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		struct page *page = virt_to_head_page(objects[i]);

		if (!test_and_set_bit(page_to_pfn(page), seen))
			held += page_size(page);
		cond_resched();
	}
	return held;
}

s64 bench_slub_held(void **objects, size_t count)
{
	unsigned long pages = PFN_DOWN(__pa(high_memory - 1)) + 1;
	unsigned long *seen = kvcalloc(BITS_TO_LONGS(pages), sizeof(*seen),
				       GFP_KERNEL);
	s64 held;

	if (!seen)
		return -ENOMEM;
	held = bytes_beneath(objects, count, seen);
	kvfree(seen);
	return held;
}

s64 bench_kmalloc_held(const u32 *sizes, size_t count)
{
	void **objects = make_objects(sizes, count);
	s64 held;

	if (IS_ERR(objects))
		return PTR_ERR(objects);
	held = bench_slub_held(objects, count);
	free_objects(objects, count);
	return held;
}
