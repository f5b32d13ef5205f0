// SPDX-License-Identifier: GPL-2.0
/* libprivheap: threads, their end, frees by others, and fork. */
#include "library.h"

#include <sched.h>

#define THREADS	4
#define RING	1024

struct worker {
	pthread_t thread;
	struct privheap *heap;
	int kind;
	unsigned int number;
};

static void workers_run(struct privheap *heap, int kind, void *(*run)(void *))
{
	struct worker workers[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .heap = heap, .kind = kind, .number = i };
		REQUIRE(!pthread_create(&workers[i].thread, NULL, run, &workers[i]));
	}
	for (unsigned int i = 0; i < THREADS; i++)
		REQUIRE(!pthread_join(workers[i].thread, NULL));
}

static void *worker_uses(void *arg)
{
	struct worker *w = arg;
	unsigned char *objects[400];

	for (unsigned long round = 0; round < scaled(60); round++) {
		for (int i = 0; i < 400; i++) {
			objects[i] = privheap_object_alloc(w->kind);
			REQUIRE(objects[i]);
			pattern_fill(objects[i], 28, w->number * 400 + i);
		}
		for (int i = 0; i < 400; i++) {
			REQUIRE_EQ(pattern_check(objects[i], 28, w->number * 400 + i), -1);
			privheap_object_free(w->kind, objects[i]);
		}
	}
	return NULL;
}

/* What ended threads had is there for others, and goes with a trim. */
static void ended_threads_leave_nothing(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0);

	(void)unused;
	workers_run(heap, kind, worker_uses);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	workers_run(heap, kind, worker_uses);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void *worker_allocates(void *arg)
{
	struct worker *w = arg;
	void *objects[200];

	for (int i = 0; i < 200; i++)
		REQUIRE(objects[i] = privheap_object_alloc(w->kind));
	for (int i = 0; i < 200; i++)
		privheap_object_free(w->kind, objects[i]);
	return NULL;
}

/* It serves the next thread, before the module is asked. */
static void threads_inherit(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	struct worker worker = {
		.heap = heap, .kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0),
	};
	__u64 taken = 0;

	(void)unused;
	for (int round = 0; round < 3; round++) {
		REQUIRE(!pthread_create(&worker.thread, NULL, worker_allocates, &worker));
		REQUIRE(!pthread_join(worker.thread, NULL));
		if (!round)
			taken = library_taken(heap);
	}
	EXPECT_EQ(library_taken(heap), taken);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static _Atomic(void *) ring[RING];

/* Even ones fill the ring, odd ones empty it and free. */
static void *worker_passes(void *arg)
{
	struct worker *w = arg;
	unsigned long passed = 0, goal = scaled(20000);

	for (unsigned long at = 0; passed < goal; at++) {
		_Atomic(void *) *slot = &ring[at % RING];
		void *object = NULL;

		if (w->number % 2) {
			object = atomic_exchange(slot, NULL);
			if (!object)
				continue;
			REQUIRE_EQ(*(__u64 *)object, (uintptr_t)object);
		} else {
			__u64 *fresh = privheap_object_alloc(w->kind);

			REQUIRE(fresh);
			*fresh = (uintptr_t)fresh;
			object = fresh;
			if (atomic_compare_exchange_strong(slot, &(void *){ NULL }, object)) {
				passed++;
				continue;
			}
		}
		passed += w->number % 2;
		privheap_object_free(w->kind, object);
	}
	return NULL;
}

static void others_may_free(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0);

	(void)unused;
	workers_run(heap, kind, worker_passes);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void *worker_mallocs(void *arg)
{
	struct worker *w = arg;
	unsigned char *objects[100] = { 0 };
	__u64 state = w->number + 1;

	for (unsigned long n = 0; n < scaled(6000); n++) {
		__u64 random = random_next(&state);
		unsigned int i = random % 100;
		size_t bytes = 16 + (random >> 8) % (30000 >> (random >> 32) % 10);

		if (objects[i])
			REQUIRE_EQ(pattern_check(objects[i], 16, w->number), -1);
		objects[i] = privheap_realloc(w->heap, objects[i], bytes);
		REQUIRE(objects[i]);
		pattern_fill(objects[i], 16, w->number);
	}
	for (int i = 0; i < 100; i++)
		privheap_free(w->heap, objects[i]);
	return NULL;
}

static void threads_share_the_malloc_family(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);

	(void)unused;
	workers_run(heap, 0, worker_mallocs);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

/* A destructor that comes after the library's own. */
static pthread_key_t late;
static struct privheap *late_heap;
static atomic_uint late_runs;

static void late_destructor(void *value)
{
	void *object = privheap_malloc(late_heap, 40);

	REQUIRE(object);
	privheap_free(late_heap, object);
	privheap_free(late_heap, value);
	if (atomic_fetch_add(&late_runs, 1) < 3)
		pthread_setspecific(late, privheap_malloc(late_heap, 100));
}

static void *worker_ends_late(void *arg)
{
	pthread_setspecific(late, privheap_malloc(late_heap, 100));
	return arg;
}

static void destructors_may_allocate(int unused, const void *arg)
{
	pthread_t thread;

	(void)unused;
	late_heap = library_heap(arg);
	/* Two keys: one made before the library's, one after it. */
	REQUIRE(!pthread_key_create(&late, late_destructor));
	privheap_free(late_heap, privheap_malloc(late_heap, 1));
	REQUIRE(!pthread_create(&thread, NULL, worker_ends_late, NULL));
	REQUIRE(!pthread_join(thread, NULL));
	EXPECT_EQ(late_runs, 4);
	privheap_delete(late_heap);
}

/* Objects of many kinds, all of which end in magazines and depots. */
static void use_sizes(struct privheap *heap, size_t step, unsigned int count)
{
	void *objects[1500];

	REQUIRE(count <= ARRAY_SIZE(objects));
	for (size_t bytes = step; bytes <= 1024; bytes += step) {
		for (unsigned int i = 0; i < count; i++) {
			objects[i] = privheap_malloc(heap, bytes);
			REQUIRE(objects[i]);
			*(char *)objects[i] = 1;
		}
		for (unsigned int i = 0; i < count; i++)
			privheap_free(heap, objects[i]);
	}
}

static atomic_bool enough;

static void *worker_stays(void *arg)
{
	struct worker *w = arg;

	while (!enough)
		use_sizes(w->heap, 128, 1500);
	return NULL;
}

/* It gives back what depots of all heaps have too much of, also of those that go. */
static void heaps_go_while_a_thread_uses_another(int unused, const void *arg)
{
	struct worker worker = { .heap = library_heap(arg) };

	(void)unused;
	REQUIRE(!pthread_create(&worker.thread, NULL, worker_stays, &worker));
	for (unsigned long round = 0; round < scaled(60); round++) {
		struct privheap *heap = library_heap(arg);

		use_sizes(heap, 64, 1500);
		privheap_delete(heap);
	}
	enough = true;
	REQUIRE(!pthread_join(worker.thread, NULL));
	EXPECT(!privheap_trim(worker.heap));
	EXPECT_EQ(library_handed(worker.heap), 0);
	privheap_delete(worker.heap);
}

static atomic_bool done_with_it;

static void *worker_ends(void *arg)
{
	struct worker *w = arg;

	use_sizes(w->heap, 16, 20);
	done_with_it = true;
	return NULL;
}

/* It has magazines of the heap still; the next one gets the same kinds meanwhile. */
static void a_heap_goes_while_its_user_ends(int unused, const void *arg)
{
	(void)unused;
	for (unsigned long round = 0; round < scaled(100); round++) {
		struct worker worker = { .heap = library_heap(arg) };
		struct privheap *next;

		done_with_it = false;
		REQUIRE(!pthread_create(&worker.thread, NULL, worker_ends, &worker));
		while (!done_with_it)
			sched_yield();
		privheap_delete(worker.heap);
		next = library_heap(arg);
		use_sizes(next, 16, 1);
		REQUIRE(!pthread_join(worker.thread, NULL));
		use_sizes(next, 16, 40);
		EXPECT(!privheap_trim(next));
		EXPECT_EQ(library_handed(next), 0);
		privheap_delete(next);
	}
}

static void *worker_deletes(void *arg)
{
	struct worker *w = arg;

	while (!enough) {
		struct privheap_options options = {
			.flags = PRIVHEAP_FALLBACK, .address_bytes = 64 * MIB,
		};
		struct privheap *heap = privheap_new(&options);

		REQUIRE(heap);
		use_sizes(heap, 64, 200);
		privheap_delete(heap);
	}
	return w;
}

/* The child finds each heap whole or gone, and may have and delete its own. */
static void forks_while_heaps_go(int unused, const void *arg)
{
	struct worker worker = { .heap = library_heap(arg) };
	pid_t child;
	int status;

	(void)unused;
	REQUIRE(!pthread_create(&worker.thread, NULL, worker_deletes, &worker));
	for (unsigned long round = 0; round < scaled(40); round++) {
		child = fork();
		REQUIRE(child >= 0);
		if (!child) {
			struct privheap *own = library_heap(arg);

			use_sizes(own, 64, 200);
			privheap_delete(own);
			privheap_delete(worker.heap);
			_exit(0);
		}
		REQUIRE(waitpid(child, &status, 0) == child);
		REQUIRE_EQ(status, 0);
	}
	enough = true;
	REQUIRE(!pthread_join(worker.thread, NULL));
	privheap_delete(worker.heap);
}

/* A heap of the module is not the child's; one of plain memory is. */
static void child_of_a_fork(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0);
	bool plain = privheap_fd(heap) < 0;
	char *object = privheap_malloc(heap, 100), *typed = privheap_object_alloc(kind);
	__u64 handed = library_handed(heap);
	pid_t child;
	int status;

	(void)unused;
	strcpy(object, "content");
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		void *mine = privheap_malloc(heap, 100);

		EXPECT_EQ(!!mine, plain);
		EXPECT_EQ(!!privheap_object_alloc(kind), plain);
		EXPECT(!plain || !strcmp(object, "content"));
		privheap_object_free(kind, typed);
		privheap_free(heap, object);
		_exit(0);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(library_handed(heap), handed);
	EXPECT(!strcmp(object, "content"));
	privheap_free(heap, object);
	privheap_object_free(kind, typed);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static atomic_bool stop_aligning;

static void *worker_aligns(void *arg)
{
	while (!stop_aligning) {
		struct privheap *heap = library_heap(arg);

		for (size_t align = 32; align <= 4096; align *= 2)
			REQUIRE(privheap_aligned_alloc(heap, align, 100));
		privheap_delete(heap);
	}
	return NULL;
}

/* Whatever lock another thread has just then, the child has none to wait for. */
static void forks_while_types_are_made(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	bool plain = privheap_fd(heap) < 0;
	pthread_t thread;
	int status = 0;

	(void)unused;
	REQUIRE(!pthread_create(&thread, NULL, worker_aligns, (void *)arg));
	for (unsigned long n = 0; n < scaled(400) && !status; n++) {
		pid_t child = fork();

		REQUIRE(child >= 0);
		if (!child) {
			alarm(60);
			_exit(!privheap_aligned_alloc(heap, 64, 100) == plain);
		}
		REQUIRE(waitpid(child, &status, 0) == child);
	}
	EXPECT_EQ(status, 0);
	stop_aligning = true;
	REQUIRE(!pthread_join(thread, NULL));
	privheap_delete(heap);
}

int main(void)
{
	TEST_PLACES(ended_threads_leave_nothing);
	TEST_PLACES(threads_inherit);
	TEST_PLACES(others_may_free);
	TEST_PLACES(threads_share_the_malloc_family);
	TEST_PLACES(destructors_may_allocate);
	TEST_PLACES(heaps_go_while_a_thread_uses_another);
	TEST_PLACES(a_heap_goes_while_its_user_ends);
	TEST_PLACES(forks_while_heaps_go);
	TEST_PLACES(child_of_a_fork);
	TEST_PLACES(forks_while_types_are_made);
	return tests_run();
}
