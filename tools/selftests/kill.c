// SPDX-License-Identifier: GPL-2.0
/*
 * kill -9 in the middle of batches, again and again: no page stays behind.
 */
#include "calls.h"
#include "memory.h"

#include <signal.h>
#include <sys/wait.h>

#define BATCH	64

/* What the victim does, for ever, after it said that it began. */
typedef void (*work_fn)(int heap);

static void work_alloc_and_free(int heap)
{
	__u64 handles[BATCH];

	for (;;) {
		heap_alloc(heap, PRIVHEAP_TYPE_INT, 0, handles, BATCH);
		heap_free(heap, handles, BATCH);
	}
}

static void work_grow(int heap)
{
	__u64 handles[BATCH];

	heap_setup(heap, 0, 0, 16 << 20);
	for (;;) {
		heap_alloc(heap, PRIVHEAP_TYPE_STR, 3000, handles, BATCH);
		heap_resize(heap, &handles[0], 100000);
		if (heap_stat(heap).held_bytes > 8 << 20)
			heap_free(heap, handles, BATCH);
	}
}

static void work_everything(int heap)
{
	static unsigned char buffer[5000];
	__u32 type = type_make(heap, "victim", 1, 5000, PRIVHEAP_TYPE_COUNTED |
			       PRIVHEAP_TYPE_ZERO_FREE);
	__u64 handles[BATCH];

	for (;;) {
		heap_alloc(heap, type, 5000, handles, BATCH);
		heap_write(heap, handles[0], 0, buffer, sizeof(buffer));
		heap_batch(heap, PRIVHEAP_GET, 0, handles, BATCH);
		heap_batch(heap, PRIVHEAP_PUT, 0, handles, BATCH);
		heap_reserve(heap, type, 100, 500, NULL);
		heap_read(heap, handles[1], 0, buffer, sizeof(buffer));
		heap_batch(heap, PRIVHEAP_PUT, 0, handles, BATCH);
		heap_reserve(heap, type, 100, 0, NULL);
		heap_trim(heap);
	}
}

static void work_large(int heap)
{
	__u64 handle;

	for (;;) {
		heap_alloc(heap, PRIVHEAP_TYPE_LIST, 300000, &handle, 1);
		heap_resize(heap, &handle, 2 << 20);
		heap_resize(heap, &handle, 100000);
		heap_free_one(heap, handle);
	}
}

static const struct work {
	const char *what;
	work_fn run;
} works[] = {
	{ "allocates_and_frees", work_alloc_and_free },
	{ "grows", work_grow },
	{ "does_everything", work_everything },
	{ "resizes_large_objects", work_large },
};

/* One life: from the first batch on it can end at any instruction. */
static void victim_kill(work_fn work, unsigned int spins)
{
	int began[2], status;
	pid_t victim;
	char byte = 0;

	REQUIRE(!pipe(began));
	victim = fork();
	REQUIRE(victim >= 0);
	if (!victim) {
		int heap = heap_open();

		REQUIRE(write(began[1], &byte, 1) == 1);
		work(heap);
	}
	close(began[1]);
	REQUIRE(read(began[0], &byte, 1) == 1);
	close(began[0]);
	/* Not to let it finish something, but to end each one elsewhere. */
	for (unsigned int i = 0; i < spins; i++)
		getppid();
	kill(victim, SIGKILL);
	REQUIRE(waitpid(victim, &status, 0) == victim);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void victims_kill(work_fn work, unsigned long victims)
{
	__u64 state = 0xc0ffee;

	for (unsigned long i = 0; i < victims; i++)
		victim_kill(work, random_next(&state) % 3000);
}

static void killed_owner_leaves_nothing(int heap, const void *arg)
{
	const struct work *work = arg;
	struct counters before, after;
	__u64 state = 0xdecaf;

	(void)heap;
	REQUIRE_OK(counters_read(&before));
	for (unsigned long i = 0; i < scaled(100); i++) {
		victim_kill(work->run, random_next(&state) % 3000);
		REQUIRE_OK(counters_read(&after));
		REQUIRE(counters_equal(&before, &after));
	}
}

/*
 * Tolerance: a leak of one page per victim would be @victims pages; the rest
 * of the system is granted half of that. What it took once it does not give
 * back, so the first victims, who warm its caches, are not counted.
 */
static void kills_by_the_thousand_leave_no_page(int heap, const void *arg)
{
	unsigned long victims = scaled_to(1000, 10000), page = sysconf(_SC_PAGESIZE);
	__u64 tolerance = victims * page / 1024 / 2, was;
	struct counters before, after;

	(void)heap;
	(void)arg;
	if (tolerance < 1024)
		tolerance = 1024;
	REQUIRE_OK(counters_read(&before));
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		victims_kill(works[i].run, scaled(50) + 1);
	was = memory_free_kb();
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		victims_kill(works[i].run, victims / ARRAY_SIZE(works));
	REQUIRE_OK(counters_read(&after));
	counters_equal(&before, &after);
	memory_expect_back(was, tolerance);
}

static void killed_sharer_leaves_the_heap_whole(int heap, const void *arg)
{
	__u64 handles[BATCH];
	pid_t victim;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_STR, 100, handles, BATCH);
	for (int i = 0; i < BATCH; i++)
		object_fill(heap, handles[i], 100, i);
	for (unsigned long n = 0; n < scaled(100) + 1; n++) {
		victim = fork();
		REQUIRE(victim >= 0);
		if (!victim)
			work_alloc_and_free(heap);
		for (unsigned int i = 0; i < n * 17 % 2000; i++)
			getppid();
		kill(victim, SIGKILL);
		REQUIRE(waitpid(victim, NULL, 0) == victim);
	}
	for (int i = 0; i < BATCH; i++)
		object_check(heap, handles[i], 100, i);
	/* Batches are whole: each victim left 0 or 64 ints. */
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_INT).live_objects % BATCH, 0);
	EXPECT_EQ(heap_stat(heap).live_objects, BATCH +
		  type_stat(heap, PRIVHEAP_TYPE_INT).live_objects);
	EXPECT_OK(heap_free(heap, handles, BATCH));
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		TEST_ARG(killed_owner_leaves_nothing, &works[i],
			 "owner_killed_while_it_%s_leaves_nothing", works[i].what);
	TEST(kills_by_the_thousand_leave_no_page);
	TEST(killed_sharer_leaves_the_heap_whole);
	return tests_run();
}
