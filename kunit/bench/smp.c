// SPDX-License-Identifier: GPL-2.0
/*
 * One cache and two CPUs: each allocates and frees on its own, or one allocates
 * what the other frees. Wall time, and the best of many short rounds, because a
 * machine that is busy with other things can only make one longer. What is to be
 * compared is measured by turns, because the speed of a machine comes and goes.
 */
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "bench.h"

#define OBJECT	32
#define BURST	64
#define BURSTS	20		/* of each CPU in a round */
#define BATCHES	100		/* that are handed over in a round */
#define RING	8		/* of them on their way at a time */
#define TURN_MS	200
#define CALM	20		/* turns that bring nothing new end a row */
#define TURNS	100		/* at most */

/**
 * struct party - what one CPU does
 * @work: queued on its CPU
 * @smp: what all take part in
 * @own: its objects
 * @body: its part of a round
 * @start: when it began with that
 * @end: when it was through
 */
struct party {
	struct work_struct work;
	struct smp *smp;
	struct bench_work own;
	int (*body)(struct party *party);
	u64 start;
	u64 end;
};

/**
 * struct smp - parties that run rounds together
 * @side: whose cache
 * @cache: the cache
 * @batch: (handing over) the ring's objects
 * @made: batches that were put into the ring
 * @dropped: batches that were taken out of it
 * @met: arrivals at the gate
 * @parties: how many there are
 * @err: of any of them
 * @until: when to begin no other round
 * @over: that it is time
 * @best: shortest round by the number of parties, in nanoseconds
 * @party: they
 */
struct smp {
	const struct bench_side *side;
	void *cache;
	void *batch[RING][BURST] ____cacheline_aligned;
	unsigned long made ____cacheline_aligned;
	unsigned long dropped ____cacheline_aligned;
	atomic_t met ____cacheline_aligned;
	int parties;
	int err;
	u64 until;
	bool over;
	u64 best[3];
	struct party party[2];
};

/* A gate that opens when all parties are there. */
static void meet(struct smp *smp)
{
	int goal = roundup(atomic_inc_return(&smp->met), smp->parties);

	while (atomic_read(&smp->met) < goal)
		cpu_relax();
}

static void judge(struct smp *smp)
{
	u64 start = smp->party[0].start, end = smp->party[0].end;

	if (smp->parties > 1) {
		start = min(start, smp->party[1].start);
		end = max(end, smp->party[1].end);
	}
	smp->best[smp->parties] = min(smp->best[smp->parties], end - start);
	smp->over = end >= smp->until;
}

static void take_part(struct work_struct *work)
{
	struct party *party = container_of(work, struct party, work);
	struct smp *smp = party->smp;
	int err;

	for (;;) {
		meet(smp);
		if (smp->over)
			return;
		party->start = ktime_get_ns();
		err = party->body(party);
		party->end = ktime_get_ns();
		if (err)
			WRITE_ONCE(smp->err, err);
		meet(smp);
		if (party == &smp->party[0])
			judge(smp);
		cond_resched();
	}
}

static int own_bursts(struct party *party)
{
	return party->smp->side->burst(&party->own, BURSTS);
}

/* Memory and arithmetic, and nothing that CPUs could have in common. */
static int own_array(struct party *party)
{
	unsigned long *array = (unsigned long *)party->own.objects;
	int times, i;

	for (times = 0; times < BURSTS * 20; times++)
		for (i = 0; i < BURST; i++)
			WRITE_ONCE(array[i], READ_ONCE(array[i]) * 3 + i);
	return 0;
}

static int produce(struct party *party)
{
	struct smp *smp = party->smp;
	struct bench_work work = { .cache = smp->cache, .count = BURST };
	unsigned long made = smp->made, goal = made + BATCHES;
	int err;

	for (; made < goal; made++) {
		/* The consumer is through with the place. */
		while (made - smp_load_acquire(&smp->dropped) == RING)
			cpu_relax();
		work.objects = smp->batch[made % RING];
		err = smp->side->make(&work, 1);
		if (err)
			return err;
		/* The batch is there before it is told of. */
		smp_store_release(&smp->made, made + 1);
	}
	return 0;
}

static int consume(struct party *party)
{
	struct smp *smp = party->smp;
	struct bench_work work = { .cache = smp->cache, .count = BURST };
	unsigned long dropped = smp->dropped, goal = dropped + BATCHES;

	for (; dropped < goal; dropped++) {
		/* Pairs with produce(). */
		while (smp_load_acquire(&smp->made) == dropped) {
			if (READ_ONCE(smp->err))
				return 0;
			cpu_relax();
		}
		work.objects = smp->batch[dropped % RING];
		smp->side->drop(&work, 1);
		/* Nothing of the batch is read from here on. */
		smp_store_release(&smp->dropped, dropped + 1);
	}
	return 0;
}

static int set_up(struct smp *smp, const struct bench_side *side)
{
	int i;

	memset(smp, 0, sizeof(*smp));
	smp->side = side;
	smp->cache = side->create("privheap_bench_smp", OBJECT, false);
	if (!smp->cache)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(smp->party); i++) {
		struct party *party = &smp->party[i];

		INIT_WORK(&party->work, take_part);
		party->smp = smp;
		party->own.cache = smp->cache;
		party->own.count = BURST;
		/* An array of its own, so that no cache line is shared. */
		party->own.objects = smp->batch[i];
	}
	return 0;
}

/* Rounds for some time. */
static void run_parties(struct smp *smp, struct workqueue_struct *queue,
			int parties)
{
	int cpu = cpumask_first(cpu_online_mask), i;

	smp->parties = parties;
	smp->over = false;
	smp->until = ktime_get_ns() + TURN_MS * NSEC_PER_MSEC;
	atomic_set(&smp->met, 0);
	for (i = 0; i < parties; i++) {
		queue_work_on(cpu, queue, &smp->party[i].work);
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	for (i = 0; i < parties; i++)
		flush_work(&smp->party[i].work);
}

/* Whether a time is lower than it was by more than what is left to chance. */
static bool better(u64 now, u64 before)
{
	return now < before - before / 128;
}

/* One CPU by turns with two, until neither gets any faster. */
static int run_turns(struct smp *smp, struct workqueue_struct *queue,
		     int (*first)(struct party *party),
		     int (*second)(struct party *party))
{
	int turns, calm = 0, enough = bench_short ? 1 : CALM;

	memset(smp->best, -1, sizeof(smp->best));
	smp->party[0].body = first;
	smp->party[1].body = second;
	for (turns = 0; turns < TURNS && calm < enough && !smp->err; turns++) {
		u64 one = smp->best[1], two = smp->best[2];

		if (first == second)
			run_parties(smp, queue, 1);
		run_parties(smp, queue, 2);
		if (better(smp->best[1], one) || better(smp->best[2], two))
			calm = 0;
		else
			calm++;
	}
	return smp->err;
}

/* What two CPUs do in the time of one. */
static int scale_row(struct seq_file *out, struct smp *smp,
		     struct workqueue_struct *queue, const char *name,
		     int (*body)(struct party *party))
{
	int err = run_turns(smp, queue, body, body);

	if (!err)
		bench_row(out, name, smp->side->who,
			  div64_u64(2000 * smp->best[1], smp->best[2]),
			  "times");
	return err;
}

static int own_rows(struct seq_file *out, struct smp *smp,
		    struct workqueue_struct *queue)
{
	int err = scale_row(out, smp, queue, "kernel.smp2", own_bursts);

	if (err)
		return err;
	bench_row(out, "kernel.smp2.one", smp->side->who,
		  div_u64(smp->best[1] * 1000, BURSTS * BURST), "wall ns");
	bench_row(out, "kernel.smp2.two", smp->side->who,
		  div_u64(smp->best[2] * 1000, BURSTS * BURST), "wall ns");
	return 0;
}

static int handover_row(struct seq_file *out, struct smp *smp,
			struct workqueue_struct *queue)
{
	int err = run_turns(smp, queue, produce, consume);

	if (!err)
		bench_row(out, "kernel.smp2.handover", smp->side->who,
			  div64_u64(BATCHES * BURST * 1000 * NSEC_PER_MSEC,
				    smp->best[2]), "objects/ms");
	return err;
}

static int side_rows(struct seq_file *out, struct smp *smp,
		     const struct bench_side *side,
		     struct workqueue_struct *queue)
{
	int err = set_up(smp, side);

	if (err)
		return err;
	if (side == &bench_door)
		err = scale_row(out, smp, queue, "kernel.smp2.machine",
				own_array);
	err = err ?: own_rows(out, smp, queue);
	err = err ?: handover_row(out, smp, queue);
	side->destroy(smp->cache);
	return err;
}

int bench_smp_show(struct seq_file *out, void *unused)
{
	struct workqueue_struct *queue;
	struct smp *smp;
	int err = -ENOMEM;

	if (num_online_cpus() < 2)
		return -ENODEV;
	queue = alloc_workqueue("privheap_bench", WQ_CPU_INTENSIVE, 0);
	smp = kzalloc(sizeof(*smp), GFP_KERNEL);
	if (queue && smp)
		err = side_rows(out, smp, &bench_door, queue) ?:
		      side_rows(out, smp, &bench_slub, queue);
	kfree(smp);
	if (queue)
		destroy_workqueue(queue);
	return err;
}
