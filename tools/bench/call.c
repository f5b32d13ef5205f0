// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "bench.h"
#include "heap.h"
#include "parts.h"

struct calls {
	int heap;
	struct privheap_alloc alloc;
	struct privheap_batch free;
};

/*
 * The cheapest ioctl that reaches a driver: /dev/null knows no command, and
 * TCGETS is the command that every isatty() sends.
 */
static void null_ioctl(void *arg, unsigned int times)
{
	const int *null = arg;
	struct termios unused;

	while (times--)
		ioctl(*null, TCGETS, &unused);
}

static void parent(void *arg, unsigned int times)
{
	(void)arg;
	while (times--)
		getppid();
}

static void pair(void *arg, unsigned int times)
{
	struct calls *calls = arg;

	while (times--) {
		heap_do_alloc(calls->heap, &calls->alloc);
		heap_do_free(calls->heap, &calls->free);
	}
}

/* 64 calls that allocate, then 64 that free, one object each. */
static void burst(void *arg, unsigned int times)
{
	struct calls *calls = arg;
	struct privheap_alloc alloc = calls->alloc;
	struct privheap_batch free = calls->free;

	while (times--) {
		for (unsigned int i = 0; i < BATCH; i++) {
			alloc.handles = calls->alloc.handles + i * 8;
			heap_do_alloc(calls->heap, &alloc);
		}
		for (unsigned int i = 0; i < BATCH; i++) {
			free.handles = calls->free.handles + i * 8;
			heap_do_free(calls->heap, &free);
		}
	}
}

static struct calls calls_make(uint32_t type, uint32_t count, uint64_t *handles)
{
	return (struct calls) {
		.heap = heap_open(),
		.alloc = heap_alloc_command(type, handles, count),
		.free = heap_free_command(type, handles, count),
	};
}

static void run_null(double *null_cost)
{
	int null = open("/dev/null", O_RDWR);

	*null_cost = bench_cost(null_ioctl, &null, 1000);
	bench_row("call.null", "linux", *null_cost, "ns");
	bench_row("call.getppid", "linux", bench_cost(parent, NULL, 1000),
		  "ns");
	close(null);
}

static void run_batch(const char *row, uint32_t type, uint64_t *handles)
{
	struct calls calls = calls_make(type, BATCH, handles);

	bench_row(row, "privheap", bench_cost(pair, &calls, 100) / BATCH, "ns");
	close(calls.heap);
}

/* Two calls cost two null calls in any case: the rest is ours. */
static void run_single(uint64_t *handles, double null_cost)
{
	struct calls calls = calls_make(PRIVHEAP_TYPE_INT, 1, handles);
	double cost = bench_cost(pair, &calls, 1000);

	bench_row("ioctl.single.raw", "privheap", cost, "ns");
	bench_row("ioctl.single.pair", "privheap", cost - 2 * null_cost, "ns");
	cost = bench_cost(burst, &calls, 20) / BATCH;
	bench_row("ioctl.single.burst64", "privheap", cost - 2 * null_cost,
		  "ns");
	close(calls.heap);
}

static void harden(int heap)
{
	struct privheap_setup setup = {
		.size = sizeof(setup), .flags = PRIVHEAP_SETUP_HARDENED,
	};

	if (ioctl(heap, PRIVHEAP_SETUP, &setup) < 0)
		bench_die("PRIVHEAP_SETUP");
}

/* The same calls on a hardened heap. */
static void run_hardened(uint64_t *handles, double null_cost)
{
	struct calls single = calls_make(PRIVHEAP_TYPE_INT, 1, handles);
	struct calls batch = calls_make(PRIVHEAP_TYPE_INT, BATCH, handles);

	harden(single.heap);
	harden(batch.heap);
	bench_row("hardened.single.pair", "privheap",
		  bench_cost(pair, &single, 1000) - 2 * null_cost, "ns");
	bench_row("hardened.batch64.pair", "privheap",
		  bench_cost(pair, &batch, 100) / BATCH, "ns");
	close(single.heap);
	close(batch.heap);
}

void run_call(void)
{
	uint64_t *handles = heap_handles(BATCH);
	double null_cost;

	run_null(&null_cost);
	run_single(handles, null_cost);
	run_batch("ioctl.batch64.pair", PRIVHEAP_TYPE_INT, handles);
	run_batch("ioctl.batch64.float", PRIVHEAP_TYPE_FLOAT, handles);
	run_hardened(handles, null_cost);
}
