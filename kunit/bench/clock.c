// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "bench.h"

static u64 clock_cost(void)
{
	u64 best = U64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		u64 start = ktime_get_ns();

		best = min(best, ktime_get_ns() - start);
	}
	return best;
}

static int empty_loop(void *arg, unsigned int times)
{
	while (times--)
		barrier();
	return 0;
}

/* The cheapest round, or -errno of the body. */
static s64 best_round(bench_body body, void *arg, unsigned int times)
{
	u64 best = U64_MAX, cost = clock_cost();
	int i, err;

	for (i = 0; i <= bench_rounds; i++) {
		u64 start, spent;

		start = ktime_get_ns();
		err = body(arg, times);
		spent = ktime_get_ns() - start;
		if (err)
			return err;
		best = min(best, spent - min(spent, cost));
		cond_resched();
	}
	return best;
}

s64 bench_cost(bench_body body, void *arg, unsigned int times)
{
	s64 best;

	times *= bench_repeat;
	best = best_round(body, arg, times);
	if (best < 0)
		return best;
	return div_s64((best - best_round(empty_loop, NULL, times)) * 1000,
		       times);
}

void bench_row(struct seq_file *out, const char *name, const char *who,
	       s64 millis, const char *unit)
{
	seq_printf(out, "measure\t%s\t%s\t%lld.%03lld\t%s\n", name, who,
		   div_s64(millis, 1000), millis - div_s64(millis, 1000) * 1000,
		   unit);
}

static int clear_pages(void *page, unsigned int times)
{
	while (times--)
		clear_page(page);
	return 0;
}

s64 bench_clear_page(void)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	s64 cost;

	if (!page)
		return -ENOMEM;
	cost = bench_cost(clear_pages, page, 10);
	free_page((unsigned long)page);
	return cost;
}
