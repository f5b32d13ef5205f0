// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "heap.h"
#include "parts.h"
#include "stream.h"

#define INT_BYTES	28
#define KMALLOC_FILE	"/sys/kernel/debug/privheap_bench/kmalloc"

/*
 * What the whole machine has left: a witness that held_bytes is all. MemFree
 * leaves out the free pages that each CPU keeps at hand; zoneinfo has both.
 */
static uint64_t machine_free(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	unsigned long long pages, sum = 0;
	char line[128];

	if (!file)
		bench_die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " pages free %llu", &pages) == 1 ||
		    sscanf(line, " count: %llu", &pages) == 1)
			sum += pages;
	}
	fclose(file);
	return sum * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t *wide_sizes(const struct stream *stream)
{
	uint64_t *sizes = heap_handles(stream->count);

	for (unsigned int i = 0; i < stream->count; i++)
		sizes[i] = stream->sizes[i];
	return sizes;
}

static void report_held(const char *row, const char *machine_row, int heap,
			uint64_t free_before, double divisor, const char *unit)
{
	struct privheap_heap_stat stat = heap_stat(heap);
	double lost = (double)free_before - (double)machine_free();

	bench_row(row, "privheap", (double)stat.held_bytes / divisor, unit);
	bench_row(machine_row, "privheap", lost / divisor, unit);
}

void run_waste(const char *text)
{
	struct stream stream;
	uint64_t *handles, *sizes, before;
	int heap;

	stream_read(&stream, text, bench_times(200000, 20000));
	sizes = wide_sizes(&stream);
	handles = heap_handles(stream.count);
	before = machine_free();
	heap = heap_open();
	heap_alloc(heap, PRIVHEAP_TYPE_STR, handles, sizes, stream.count);
	report_held("memory.compact.waste", "memory.compact.machine", heap,
		    before, (double)stream.bytes, "ratio");
	close(heap);
}

void run_ints(void)
{
	uint32_t count = bench_times(1000000, 100000);
	uint64_t *handles = heap_handles(count);
	uint64_t before = machine_free();
	int heap = heap_open();

	heap_alloc(heap, PRIVHEAP_TYPE_INT, handles, NULL, count);
	report_held("memory.int.overhead", "memory.int.machine", heap, before,
		    count, "bytes");
	close(heap);
}

/* The kernel module allocates the sizes and tells what pages they lie in. */
static double kmalloc_held(const uint32_t *sizes, uint32_t count)
{
	size_t bytes = count * sizeof(*sizes);
	int file = open(KMALLOC_FILE, O_RDWR);
	char answer[32] = "";

	if (file < 0)
		bench_die(KMALLOC_FILE);
	if (write(file, sizes, bytes) != (ssize_t)bytes)
		bench_die("kmalloc in the kernel");
	if (pread(file, answer, sizeof(answer) - 1, 0) <= 0)
		bench_die("the answer of kmalloc");
	close(file);
	return strtod(answer, NULL);
}

void run_kmalloc(const char *text)
{
	uint32_t count = bench_times(1000000, 100000), *ints;
	struct stream stream;

	stream_read(&stream, text, bench_times(200000, 20000));
	bench_row("malloc.waste", "slub kmalloc",
		  kmalloc_held(stream.sizes, stream.count) /
		  (double)stream.bytes, "ratio");
	ints = bench_memory(count * sizeof(*ints));
	for (uint32_t i = 0; i < count; i++)
		ints[i] = INT_BYTES;
	bench_row("malloc.int", "slub kmalloc",
		  kmalloc_held(ints, count) / count, "bytes");
}
