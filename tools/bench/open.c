// SPDX-License-Identifier: GPL-2.0
/*
 * A heap that nobody uses, and the first object of one. The first object
 * makes the heap take its first pages, and those have to be zeroed; what that
 * costs is known (privheap_bench.ko clears pages and counts) and is taken off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "heap.h"
#include "parts.h"

#define CLEAR_FILE	"/sys/kernel/debug/privheap_bench/clear_page"

static void open_close(void *path, unsigned int times)
{
	while (times--) {
		int file = open(path, O_RDWR);

		if (file < 0)
			bench_die(path);
		close(file);
	}
}

static double clear_page_cost(void)
{
	FILE *file = fopen(CLEAR_FILE, "r");
	double cost;

	if (!file || fscanf(file, "%lf", &cost) != 1)
		bench_die(CLEAR_FILE);
	fclose(file);
	return cost;
}

static uint64_t pages_taken(int heap)
{
	struct privheap_heap_stat stat = heap_stat(heap);

	return stat.pages_from_system + stat.pages_from_reserve;
}

/* Lets the kernel finish what earlier closes left to later. */
static void settle(void)
{
	usleep(50000);
}

/* Nanoseconds of the first allocation of a new heap; the pages it took. */
static uint64_t first_object(uint64_t *pages)
{
	int heap = heap_open();
	uint64_t handle, before = pages_taken(heap), start, spent;
	struct privheap_alloc alloc = heap_alloc_command(PRIVHEAP_TYPE_INT,
							 &handle, 1);

	settle();
	start = bench_now();
	heap_do_alloc(heap, &alloc);
	spent = bench_since(start);
	*pages = pages_taken(heap) - before;
	close(heap);
	return spent;
}

static double first_cost(uint64_t *pages)
{
	unsigned int times = bench_times(200, 20);
	uint64_t spent = 0;

	for (unsigned int i = 0; i < times; i++)
		spent += first_object(pages);
	return (double)spent / times;
}

/* From the module's reserve: no page has to be had, but one to be zeroed. */
static void run_reserve(void)
{
	uint64_t pages = 0;

	bench_row("open.first.reserve", "privheap", first_cost(&pages), "ns");
}

/* Means: what a close leaves to later falls into a later round, and counts. */
static void run_system(void)
{
	double clear = clear_page_cost(), first;
	uint64_t pages = 0;

	bench_row("open.null", "linux", bench_mean(open_close, "/dev/null", 50),
		  "ns");
	settle();
	bench_row("open.close", "privheap",
		  bench_mean(open_close, PRIVHEAP_DEVICE, 50), "ns");
	first = first_cost(&pages);
	bench_row("open.first.raw", "privheap", first, "ns");
	bench_row("open.first.pages", "privheap", (double)pages, "pages");
	bench_row("open.clear_page", "linux", clear, "ns");
	bench_row("open.first.net", "privheap", first - (double)pages * clear,
		  "ns");
}

void run_open(const char *from)
{
	if (!strcmp(from, "system"))
		run_system();
	else if (!strcmp(from, "reserve"))
		run_reserve();
	else
		bench_die("open takes system or reserve");
}
