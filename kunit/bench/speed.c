// SPDX-License-Identifier: GPL-2.0
/* Objects of 32 bytes: pairs, bursts, and the calls for many. */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bench.h"

#define OBJECT	32
#define BURST	64
#define CROWD	10000

struct speed_row {
	const char *name;
	bench_body body;
	unsigned int count;
	unsigned int times;
};

static int run_row(struct seq_file *out, const struct bench_side *side,
		   struct bench_work *work, const struct speed_row *row)
{
	s64 cost;

	work->count = row->count;
	cost = bench_cost(row->body, work, row->times);
	if (cost < 0)
		return cost;
	bench_row(out, row->name, side->who, div_s64(cost, row->count), "ns");
	return 0;
}

static int run_rows(struct seq_file *out, const struct bench_side *side,
		    const struct speed_row *rows, size_t count, bool check)
{
	const char *name = check ? "privheap_bench_check" : "privheap_bench";
	struct bench_work work = {};
	int err = -ENOMEM;
	size_t i;

	work.objects = kvcalloc(CROWD, sizeof(*work.objects), GFP_KERNEL);
	work.cache = side->create(name, OBJECT, check);
	if (work.objects && work.cache)
		for (err = 0, i = 0; !err && i < count; i++)
			err = run_row(out, side, &work, &rows[i]);
	side->destroy(work.cache);
	kvfree(work.objects);
	return err;
}

static int run_plain(struct seq_file *out, const struct bench_side *side)
{
	const struct speed_row rows[] = {
		{ "kernel.pair", side->pair, 1, 1000 },
		{ "kernel.burst64", side->burst, BURST, 50 },
		{ "kernel.burst10k", side->burst, CROWD, 1 },
		{ "kernel.bulk64", side->bulk, BURST, 50 },
	};

	return run_rows(out, side, rows, ARRAY_SIZE(rows), false);
}

static int run_checked(struct seq_file *out, const struct bench_side *side)
{
	const struct speed_row rows[] = {
		{ "kernel.checked.pair", side->pair, 1, 100 },
		{ "kernel.checked.burst64", side->burst, BURST, 5 },
	};

	return run_rows(out, side, rows, ARRAY_SIZE(rows), true);
}

int bench_speed_show(struct seq_file *out, void *unused)
{
	int err = run_plain(out, &bench_door);

	return err ?: run_plain(out, &bench_slub);
}

int bench_checked_show(struct seq_file *out, void *unused)
{
	int err = run_checked(out, &bench_door);

	return err ?: run_checked(out, &bench_slub);
}
