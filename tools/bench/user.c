// SPDX-License-Identifier: GPL-2.0
/* The mapped door by libprivheap: ints by kind, and an object that grows. */
#include "bench.h"
#include "libprivheap.h"
#include "parts.h"

#define BURST		64
#define CROWD		100000
#define SMALL		(64 << 10)
#define HUGE_OBJECT	(256 << 20)

struct crowd {
	void **objects;
	unsigned int count;
	int kind;
};

static void pair(void *arg, unsigned int times)
{
	const struct crowd *crowd = arg;
	int kind = crowd->kind;

	for (unsigned int i = 0; i < times; i++) {
		void *object = privheap_object_alloc(kind);

		bench_use(object);
		privheap_object_free(kind, object);
	}
}

static void crowd(void *arg, unsigned int times)
{
	const struct crowd *crowd = arg;
	void **objects = crowd->objects, **end = objects + crowd->count, **at;
	int kind = crowd->kind;

	while (times--) {
		for (at = objects; at < end; at++)
			*at = privheap_object_alloc(kind);
		for (at = objects; at < end; at++)
			privheap_object_free(kind, *at);
	}
}

/* The loops of crowd() without the objects, as peer.c has it. */
static void crowd_loops(void *arg, unsigned int times)
{
	const struct crowd *crowd = arg;
	void **objects = crowd->objects, **end = objects + crowd->count, **at;

	while (times--) {
		for (at = objects; at < end; at++) {
			void *object = NULL;

			bench_use(object);
			*at = object;
		}
		for (at = objects; at < end; at++) {
			void *object = *at;

			bench_use(object);
		}
	}
}

static double crowd_cost(struct crowd *what, unsigned int times)
{
	return (bench_cost(crowd, what, times) -
		bench_cost(crowd_loops, what, times)) / what->count;
}

static struct privheap *heap_make(void)
{
	struct privheap *heap = privheap_new(NULL);

	if (!heap)
		bench_die("privheap_new");
	return heap;
}

static void run_typed(void)
{
	struct privheap *heap = heap_make();
	int kind = privheap_kind(heap, PRIVHEAP_TYPE_INT, 0);
	struct crowd burst = { bench_memory(BURST * sizeof(void *)), BURST, kind };
	struct crowd large = { bench_memory(CROWD * sizeof(void *)), CROWD, kind };

	if (kind < 0)
		bench_die("privheap_kind");
	bench_row("user.typed.pair", "privheap", bench_cost(pair, &burst, 1000), "ns");
	bench_row("user.typed.burst64", "privheap", crowd_cost(&burst, 50), "ns");
	large.count = bench_times(CROWD, CROWD / 10);
	bench_row("user.typed.burst100k", "privheap", crowd_cost(&large, 1), "ns");
	privheap_delete(heap);
}

static struct privheap_heap_stat stat_of(struct privheap *heap)
{
	struct privheap_heap_stat stat = { 0 };

	if (privheap_cmd_heap_stat(privheap_fd(heap), &stat))
		bench_die("PRIVHEAP_HEAP_STAT");
	return stat;
}

/* What the library copies, it copies from one address to another: none, in spans. */
static void run_huge(void)
{
	struct privheap *heap = heap_make();
	uint64_t at_small = 0, start, spent = 0;
	size_t bytes = 4096;
	char *object = privheap_malloc(heap, bytes);

	for (; object && bytes < HUGE_OBJECT; object[0] = 1) {
		if (bytes <= SMALL)
			at_small = stat_of(heap).moved_bytes;
		bytes += bytes / 2;
		start = bench_now();
		object = privheap_realloc(heap, object, bytes);
		spent += bench_since(start);
		if (!object)
			break;
	}
	if (!object)
		bench_die("privheap_realloc");
	bench_row("user.realloc.1G", "privheap",
		  (double)(stat_of(heap).moved_bytes - at_small), "bytes");
	bench_row("user.realloc.spent", "privheap", (double)spent, "ns");
	privheap_delete(heap);
}

void run_user(void)
{
	run_typed();
	run_huge();
}
