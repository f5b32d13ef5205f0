// SPDX-License-Identifier: GPL-2.0
/*
 * Threads on one heap: each one's objects stay its own, and a close waits for
 * nobody and hurts nobody.
 */
#include "threads.h"

#define OBJECTS	128
#define LARGEST	6000

/* One worker's objects and what each must contain. */
struct model {
	__u64 handles[OBJECTS];
	__u32 bytes[OBJECTS];
	__u64 seeds[OBJECTS];
};

static void model_new(struct model *m, int heap, unsigned int i, __u64 random)
{
	__u32 type = PRIVHEAP_TYPE_STR + random % 7;

	m->bytes[i] = 1 + (random >> 8) % (LARGEST >> (random >> 32) % 10);
	m->seeds[i] = random;
	m->handles[i] = heap_new(heap, type, m->bytes[i]);
	object_fill(heap, m->handles[i], m->bytes[i], random);
}

static void model_free(struct model *m, int heap, unsigned int i)
{
	object_check(heap, m->handles[i], m->bytes[i], m->seeds[i]);
	REQUIRE_OK(heap_free_one(heap, m->handles[i]));
	m->handles[i] = 0;
}

static void model_resize(struct model *m, int heap, unsigned int i, __u64 random)
{
	__u32 bytes = 1 + (random >> 8) % LARGEST;

	REQUIRE_OK(heap_resize(heap, &m->handles[i], bytes));
	object_check(heap, m->handles[i], MIN(bytes, m->bytes[i]), m->seeds[i]);
	m->bytes[i] = bytes;
	m->seeds[i] = random;
	object_fill(heap, m->handles[i], bytes, random);
}

static void *worker_follows_model(void *arg)
{
	struct model m = { .handles = { 0 } };
	struct worker *w = arg;
	__u64 state = 0x9e3779b97f4a7c15ULL * (w->number + 1), random;

	for (unsigned long n = 0; n < scaled(8000); n++) {
		unsigned int i;

		random = random_next(&state);
		i = random % OBJECTS;
		random >>= 8;
		if (!m.handles[i])
			model_new(&m, w->heap, i, random);
		else if (random % 4 == 0)
			model_resize(&m, w->heap, i, random);
		else if (random % 4 == 1)
			object_check(w->heap, m.handles[i], m.bytes[i], m.seeds[i]);
		else
			model_free(&m, w->heap, i);
		if (n % 1000 == 999)
			heap_trim(w->heap);
	}
	for (unsigned int i = 0; i < OBJECTS; i++)
		if (m.handles[i])
			model_free(&m, w->heap, i);
	return NULL;
}

static void threads_keep_their_own_objects(int heap, const void *arg)
{
	struct worker workers[THREADS];

	(void)arg;
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .heap = heap };
	workers_run(workers, worker_follows_model);
	workers_join(workers);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	EXPECT_EQ(heap_stat(heap).live_bytes, 0);
	EXPECT_EQ(heap_stat(heap).allocs, heap_stat(heap).frees);
}

/* Allocates in batches what the next worker frees. */
static void *worker_batches(void *arg)
{
	struct worker *w = arg;
	__u64 handles[64];

	for (unsigned long n = 0; n < scaled(2000); n++) {
		REQUIRE_OK(heap_alloc(w->heap, PRIVHEAP_TYPE_INT, 0, handles, 64));
		for (int i = 0; i < 64; i++)
			handles[i] = atomic_exchange((_Atomic __u64 *)
				&w->handles[i], handles[i]);
		for (int i = 0; i < 64; i++)
			if (handles[i])
				REQUIRE_OK(heap_free_one(w->heap, handles[i]));
	}
	return NULL;
}

static void objects_freed_by_other_threads(int heap, const void *arg)
{
	struct worker workers[THREADS];
	__u64 handles[64] = { 0 };

	(void)arg;
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .heap = heap, .handles = handles };
	workers_run(workers, worker_batches);
	workers_join(workers);
	EXPECT_EQ(heap_stat(heap).live_objects, 64);
	heap_drain(heap, handles, 64);
}

static void *worker_gets_and_puts(void *arg)
{
	struct worker *w = arg;

	for (unsigned long n = 0; n < scaled(5000); n++) {
		REQUIRE_OK(heap_batch(w->heap, PRIVHEAP_GET, 0, w->handles, w->count));
		REQUIRE_OK(heap_batch(w->heap, PRIVHEAP_PUT, 0, w->handles, w->count));
	}
	return NULL;
}

static void references_of_threads_add_up(int heap, const void *arg)
{
	__u32 type = type_make(heap, "counted", 8, 0, PRIVHEAP_TYPE_COUNTED);
	struct worker workers[THREADS];
	__u64 handles[8];

	(void)arg;
	heap_fill(heap, type, 0, handles, 8);
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .handles = handles, .count = 8,
		};
	workers_run(workers, worker_gets_and_puts);
	workers_join(workers);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(heap_info(heap, handles[i]).refs, 1);
}

/* Works through whatever the door names until the door is shut. */
static void *worker_until_closed(void *arg)
{
	struct worker *w = arg;
	__u64 handles[64];
	char byte;
	int err;

	do {
		err = heap_alloc(w->heap, PRIVHEAP_TYPE_STR, 500, handles, 64);
		if (!err)
			err = heap_read(w->heap, handles[0], 0, &byte, 1);
		if (!err)
			err = heap_free(w->heap, handles, 64);
		atomic_fetch_add(w->done, 1);
	} while (!err);
	/* Or the number names another file by then, which knows no such call. */
	EXPECT_ERR(err, EBADF, ENOTTY, ENXIO);
	return NULL;
}

static void close_while_others_are_inside(int heap, const void *arg)
{
	struct counters before, after;
	struct worker workers[THREADS];
	atomic_uint steps;

	(void)arg;
	(void)heap;
	REQUIRE_OK(counters_read(&before));
	for (unsigned long n = 0; n < scaled(200) + 1; n++) {
		int other = heap_open();

		steps = 0;
		for (int i = 0; i < THREADS; i++)
			workers[i] = (struct worker){
				.heap = other, .done = &steps,
			};
		workers_run(workers, worker_until_closed);
		/* All of them are under way, at a different place each time. */
		while (steps < THREADS + n % 32)
			;
		close(other);
		workers_join(workers);
	}
	REQUIRE_OK(counters_read(&after));
	counters_equal(&before, &after);
}

int main(void)
{
	TEST(threads_keep_their_own_objects);
	TEST(objects_freed_by_other_threads);
	TEST(references_of_threads_add_up);
	TEST(close_while_others_are_inside);
	return tests_run();
}
