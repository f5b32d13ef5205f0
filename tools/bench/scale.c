// SPDX-License-Identifier: GPL-2.0
/*
 * The cost of an object in a heap that holds many. At each level some of the
 * live objects, chosen at random, make way for new ones; that is what the
 * flatness is asked of. What filling and emptying costs stands beside it.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "heap.h"
#include "parts.h"

struct level {
	int heap;
	uint32_t live;
	uint64_t *handles;
	uint64_t random;
};

/* Moves 64 handles, no two the same, from the level to @batch. */
static void choose(struct level *level, uint32_t *places, uint64_t *batch)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		uint32_t place;

		do {
			place = bench_random(&level->random) % level->live;
		} while (!level->handles[place]);
		places[i] = place;
		batch[i] = level->handles[place];
		level->handles[place] = 0;
	}
}

static void put_back(struct level *level, const uint32_t *places,
		     const uint64_t *batch)
{
	for (uint32_t i = 0; i < BATCH; i++)
		level->handles[places[i]] = batch[i];
}

/* Frees 64 and allocates 64 in their place; nanoseconds of both calls. */
static uint64_t replace(struct level *level)
{
	uint64_t batch[BATCH], start, spent;
	uint32_t places[BATCH];
	struct privheap_alloc alloc = heap_alloc_command(PRIVHEAP_TYPE_INT,
							 batch, BATCH);
	struct privheap_batch free = heap_free_command(PRIVHEAP_TYPE_INT,
						       batch, BATCH);

	choose(level, places, batch);
	start = bench_now();
	heap_do_free(level->heap, &free);
	heap_do_alloc(level->heap, &alloc);
	spent = bench_since(start);
	put_back(level, places, batch);
	return spent;
}

/* The mean, not the minimum: rare dear steps belong to the cost. */
static double steady_cost(struct level *level)
{
	unsigned int rounds = bench_times(2000, 100);
	uint64_t spent = 0;

	for (unsigned int i = 0; i < rounds / 4; i++)
		replace(level);
	for (unsigned int i = 0; i < rounds; i++)
		spent += replace(level);
	return (double)spent / rounds / BATCH;
}

static void report(const char *what, const struct level *level, double cost)
{
	char row[40];

	snprintf(row, sizeof(row), "ioctl.%s.%u", what, level->live);
	bench_row(row, "privheap", cost, "ns");
}

static double fill(struct level *level)
{
	uint64_t start = bench_now();

	heap_alloc(level->heap, PRIVHEAP_TYPE_INT, level->handles, NULL,
		   level->live);
	return (double)bench_since(start) / level->live;
}

static double empty(struct level *level)
{
	uint64_t start = bench_now();

	heap_free(level->heap, PRIVHEAP_TYPE_INT, level->handles, level->live);
	return (double)bench_since(start) / level->live;
}

/* Returns what an object costs while @level->live others stay. */
static double run_level(struct level *level)
{
	double filling, steady, emptying;

	level->heap = heap_open();
	level->random = 88172645463325252ULL;
	filling = fill(level);
	report("filling", level, filling);
	steady = steady_cost(level);
	report("scale", level, steady);
	emptying = empty(level);
	report("emptying", level, emptying);
	report("fill", level, filling + emptying);
	close(level->heap);
	return steady;
}

void run_scale(void)
{
	uint32_t last = bench_times(1000000, 100000);
	struct level level = { .handles = heap_handles(last) };
	double least = 1e18, most = 0;

	for (level.live = 1000; level.live <= last; level.live *= 10) {
		double cost = run_level(&level);

		least = cost < least ? cost : least;
		most = cost > most ? cost : most;
	}
	bench_row("ioctl.scale", "privheap", most / least, "ratio");
}
