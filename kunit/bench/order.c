// SPDX-License-Identifier: GPL-2.0
/* Memory per object of either side, by the size of the objects. */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bench.h"

#define LIVE	100000

static s64 order_of(const struct bench_side *side, unsigned int size,
		    void **objects)
{
	struct bench_work work = { .objects = objects, .count = LIVE };
	s64 held = -ENOMEM;

	work.cache = side->create("privheap_bench_order", size, false);
	if (!work.cache)
		return -ENOMEM;
	if (!side->make(&work, 1)) {
		held = side->held(&work);
		side->drop(&work, 1);
	}
	side->destroy(work.cache);
	return held;
}

static int order_rows(struct seq_file *out, const struct bench_side *side,
		      void **objects)
{
	static const unsigned int sizes[] = {
		8, 16, 32, 64, 100, 192, 256, 1000, 4096,
	};
	char name[32];
	s64 held;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		held = order_of(side, sizes[i], objects);
		if (held < 0)
			return held;
		snprintf(name, sizeof(name), "kernel.order.%u", sizes[i]);
		bench_row(out, name, side->who, div_s64(held * 1000, LIVE),
			  "bytes");
	}
	return 0;
}

int bench_order_show(struct seq_file *out, void *unused)
{
	void **objects = kvcalloc(LIVE, sizeof(*objects), GFP_KERNEL);
	int err;

	if (!objects)
		return -ENOMEM;
	err = order_rows(out, &bench_door, objects);
	err = err ?: order_rows(out, &bench_slub, objects);
	kvfree(objects);
	return err;
}
