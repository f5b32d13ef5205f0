// SPDX-License-Identifier: GPL-2.0
/*
 * What each policy is good at: the same work by three types that differ in
 * nothing but their policy. Rows are called policy.<what>.<policy>.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "grow.h"
#include "heap.h"
#include "parts.h"
#include "stream.h"

#define FIXED		32
#define LONGEST		(16 << 20)

struct policy {
	const char *name;
	uint32_t number;
};

static const struct policy policies[] = {
	{ "speed", PRIVHEAP_POLICY_SPEED },
	{ "compact", PRIVHEAP_POLICY_COMPACT },
	{ "growable", PRIVHEAP_POLICY_GROWABLE },
};

struct work {
	int heap;
	uint32_t type;
	uint64_t *handles;
};

static void report(const char *what, const struct policy *policy, double value,
		   const char *unit)
{
	char row[48];

	snprintf(row, sizeof(row), "policy.%s.%s", what, policy->name);
	bench_row(row, "privheap", value, unit);
}

/* One round is a batch of allocations and the same of frees. */
static void pairs(void *arg, unsigned int times)
{
	struct work *work = arg;
	struct privheap_alloc alloc = heap_alloc_command(work->type,
							 work->handles, BATCH);
	struct privheap_batch free = heap_free_command(work->type,
						       work->handles, BATCH);

	while (times--) {
		heap_do_alloc(work->heap, &alloc);
		heap_do_free(work->heap, &free);
	}
}

/* Farther apart than a magazine is deep. */
static void crowd(void *arg, unsigned int times)
{
	struct work *work = arg;

	while (times--) {
		heap_alloc(work->heap, work->type, work->handles, NULL, 10000);
		heap_free(work->heap, work->type, work->handles, 10000);
	}
}

static void run_fixed(const struct policy *policy, uint64_t *handles)
{
	struct work work = { .heap = heap_open(), .handles = handles };

	work.type = heap_type(work.heap, "fixed", policy->number, FIXED, 0);
	report("pair", policy, bench_cost(pairs, &work, 100) / BATCH, "ns");
	report("crowd", policy, bench_cost(crowd, &work, 1) / 10000, "ns");
	close(work.heap);
}

static void run_stream(const struct policy *policy, uint64_t *handles,
		       const uint64_t *sizes, const struct stream *stream)
{
	int heap = heap_open();
	uint32_t type = heap_type(heap, "strings", policy->number, 1, LONGEST);
	uint64_t start = bench_now(), spent;

	heap_alloc(heap, type, handles, sizes, stream->count);
	spent = bench_since(start);
	report("held", policy, (double)heap_stat(heap).held_bytes /
	       (double)stream->bytes, "ratio");
	start = bench_now();
	heap_free(heap, type, handles, stream->count);
	spent += bench_since(start);
	report("stream", policy, (double)spent / stream->count, "ns");
	report("idle", policy, (double)heap_stat(heap).held_bytes / 1024,
	       "KiB");
	close(heap);
}

static void run_growth(const struct policy *policy)
{
	uint32_t slots = bench_times(100000, 10000);
	int heap = heap_open();
	uint32_t type = heap_type(heap, "growing", policy->number, 1, LONGEST);
	struct growth growth = grow_list(heap, type, slots, true);

	report("copied", policy, (double)growth.copied, "bytes");
	report("grow", policy, (double)growth.spent / slots, "ns");
	close(heap);
}

void run_policy(const char *text)
{
	struct stream stream;
	uint64_t *handles, *sizes;

	stream_read(&stream, text, bench_times(200000, 20000));
	handles = heap_handles(stream.count);
	sizes = heap_handles(stream.count);
	for (unsigned int i = 0; i < stream.count; i++)
		sizes[i] = stream.sizes[i];
	for (unsigned int i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		run_fixed(&policies[i], handles);
		run_stream(&policies[i], handles, sizes, &stream);
		run_growth(&policies[i]);
	}
}
