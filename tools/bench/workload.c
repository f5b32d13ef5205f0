// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that allocate and free, for whatever malloc() is preloaded: time and
 * memory of one of three workloads of well-known shapes.
 *
 *   workload NAME WHO [BYTES]	prints the rows of NAME for WHO; BYTES is what
 *				"workload idle" says that no heap is needed for
 *
 * They have the shapes and sizes of the programs in mimalloc-bench, as that runs
 * them, with less to do: two threads, and live objects of 4 to 7 MiB where the
 * originals have 5 (larson), up to 26 (xmalloc-test) and 56 MiB (sh8bench); they
 * do a fixed amount of work where larson and xmalloc-test go on for 5 s.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "bench.h"

#define THREADS		2
#define STACK		(128 << 10)
#define STATUS		"/proc/self/status"

/* What becomes of each object is known by its slot, and so is its size. */
struct worker {
	pthread_t thread;
	uint64_t random;
	void **slots;
	uint32_t *sizes;
	unsigned int count;
	unsigned int number;
};

static struct worker workers[THREADS];

/* Of the workers: in each process the same, whatever libraries do with stacks. */
static char stacks[THREADS][STACK] __attribute__((aligned(4096)));

/* Set when the work begins, and the most bytes that were asked for at once. */
static uint64_t started;
static _Atomic uint64_t live;

/* Memory of the program's own, which is no allocator's. */
static uint64_t own_bytes;

static void *own(size_t bytes)
{
	own_bytes += (bytes + 4095) / 4096 * 4096;
	return bench_memory(bytes);
}

/*
 * Written to in each page, where the originals write to the first and the last
 * byte: of large objects, less would be in memory than is live.
 */
static void *fresh(size_t bytes)
{
	char *object = malloc(bytes);

	if (!object)
		bench_die("malloc");
	for (size_t at = 0; at < bytes; at += 4096)
		object[at] = 1;
	object[bytes - 1] = 1;
	return object;
}

/*
 * The kernel counts pages for each thread, and adds that up every 64 page faults
 * or when a thread ends: what the caller has of it must not be missing, neither
 * when it begins, nor where the most is live, nor when the sum is read.
 */
static void settle(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		bench_die("mmap");
	for (unsigned int i = 0; i < 130; i++) {
		*(volatile char *)page = 1;
		madvise(page, 4096, MADV_DONTNEED);
	}
	munmap(page, 4096);
}

/* Everything is in place; the clock starts. */
static void start(void)
{
	settle();
	started = bench_now();
}

static void make_workers(unsigned int slots)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .random = i + 1, .count = slots, .number = i };
		workers[i].slots = own(slots * sizeof(void *));
		workers[i].sizes = own(slots * sizeof(uint32_t));
	}
}

static void run_workers(void *(*run)(void *))
{
	pthread_attr_t attr;

	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_attr_init(&attr);
		pthread_attr_setstack(&attr, stacks[i], STACK);
		if (pthread_create(&workers[i].thread, &attr, run, &workers[i]))
			bench_die("pthread_create");
		pthread_attr_destroy(&attr);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void live_at_most(uint64_t bytes)
{
	if (bytes > live)
		live = bytes;
}

static uint64_t worker_bytes(const struct worker *w)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < w->count; i++)
		bytes += w->sizes[i];
	return bytes;
}

static void *nothing(void *arg)
{
	return arg;
}

static void idle(void)
{
	run_workers(nothing);
}

/*
 * larson 5 8 1000 5000 100 4141 2: a server. Each thread replaces objects of 8 to
 * 1000 bytes at random among 5,000 places, then ends, and another goes on with
 * its objects; after 100,000 of them here, 500,000 there. Before the clock starts
 * the main thread fills the places, mixes them, and replaces four times as many.
 */
#define LARSON_SLOTS	5000

static void larson_replace(struct worker *w)
{
	unsigned int slot = bench_random(&w->random) % w->count;
	uint32_t bytes = 8 + bench_random(&w->random) % 992;

	free(w->slots[slot]);
	w->slots[slot] = fresh(bytes);
	w->sizes[slot] = bytes;
}

static void *larson_worker(void *arg)
{
	for (unsigned int i = 0; i < 20 * LARSON_SLOTS; i++)
		larson_replace(arg);
	return NULL;
}

static void larson_swap(struct worker *a, unsigned int i, struct worker *b, unsigned int j)
{
	uint32_t bytes = a->sizes[i];
	void *object = a->slots[i];

	a->slots[i] = b->slots[j];
	a->sizes[i] = b->sizes[j];
	b->slots[j] = object;
	b->sizes[j] = bytes;
}

static void larson_warm_up(void)
{
	uint64_t random = 4141;

	for (unsigned int i = 0; i < THREADS * LARSON_SLOTS; i++) {
		struct worker *w = &workers[i / LARSON_SLOTS];

		w->sizes[i % LARSON_SLOTS] = 8 + bench_random(&random) % 992;
		w->slots[i % LARSON_SLOTS] = fresh(w->sizes[i % LARSON_SLOTS]);
	}
	for (unsigned int i = THREADS * LARSON_SLOTS; i; i--) {
		unsigned int j = bench_random(&random) % i;

		larson_swap(&workers[(i - 1) / LARSON_SLOTS], (i - 1) % LARSON_SLOTS,
			    &workers[j / LARSON_SLOTS], j % LARSON_SLOTS);
	}
	for (unsigned int i = 0; i < 4 * THREADS * LARSON_SLOTS; i++)
		larson_replace(&workers[bench_random(&random) % THREADS]);
}

static void larson(void)
{
	make_workers(LARSON_SLOTS);
	larson_warm_up();
	start();
	for (unsigned int round = bench_times(8, 1); round; round--) {
		run_workers(larson_worker);
		live_at_most(worker_bytes(&workers[0]) + worker_bytes(&workers[1]));
	}
}

/*
 * xmalloc-test -w 1 -s 64: one thread allocates batches of 4,096 objects of 64
 * bytes and writes to all of each, another frees them, the last batch first. Of
 * 16 batches that there may be at once, here one that is being made or freed is
 * one; there 100 may wait, besides. The one that frees begins when there are 16:
 * then the most that is live is not for the scheduler to say, nor larger where
 * allocations are so fast that one more batch is always ready.
 */
#define BATCH		4096
#define BATCH_OBJECT	64
#define BATCHES		16

struct batch {
	struct batch *next;
	void *objects[BATCH];
};

static struct batch *batches;
static unsigned int batches_there, batches_wanted;
static bool batches_flow;
static pthread_mutex_t batches_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t batches_moved = PTHREAD_COND_INITIALIZER;

/* How many there are changes by one that is to be made, or was freed. */
static void batches_count(int change)
{
	pthread_mutex_lock(&batches_lock);
	while (change > 0 && batches_there == BATCHES)
		pthread_cond_wait(&batches_moved, &batches_lock);
	batches_there += (unsigned int)change;
	pthread_cond_signal(&batches_moved);
	pthread_mutex_unlock(&batches_lock);
}

static void batch_put(struct batch *batch)
{
	pthread_mutex_lock(&batches_lock);
	batch->next = batches;
	batches = batch;
	if (batches_there == BATCHES && !batches_flow) {
		settle();
		batches_flow = true;
	}
	pthread_cond_signal(&batches_moved);
	pthread_mutex_unlock(&batches_lock);
}

static struct batch *batch_get(void)
{
	struct batch *batch;

	pthread_mutex_lock(&batches_lock);
	while (!batches || !batches_flow)
		pthread_cond_wait(&batches_moved, &batches_lock);
	batch = batches;
	batches = batch->next;
	pthread_mutex_unlock(&batches_lock);
	return batch;
}

static void batch_make(void)
{
	struct batch *batch;

	batches_count(1);
	batch = fresh(sizeof(*batch));
	for (unsigned int i = 0; i < BATCH; i++)
		batch->objects[i] = memset(fresh(BATCH_OBJECT), (int)i, BATCH_OBJECT);
	batch_put(batch);
}

static void batch_free(void)
{
	struct batch *batch = batch_get();

	for (unsigned int i = 0; i < BATCH; i++)
		free(batch->objects[i]);
	free(batch);
	batches_count(-1);
}

static void *xmalloc_worker(void *arg)
{
	const struct worker *w = arg;

	for (unsigned int round = batches_wanted; round; round--) {
		if (w->number)
			batch_free();
		else
			batch_make();
	}
	return NULL;
}

static void xmalloc(void)
{
	batches_wanted = bench_times(300, 40);
	make_workers(1);
	start();
	run_workers(xmalloc_worker);
	live_at_most(BATCHES * (sizeof(struct batch) + BATCH * BATCH_OBJECT));
}

/*
 * sh8bench 2: each thread goes round and round a row of places that it fills with
 * sizes of a fixed pattern, small ones more often. At the end of each lap all of
 * it but a fifth, which moves on, is freed: what is before that in the order of
 * allocation, what is behind it in reverse. First each thread frees its half of
 * small objects that the main thread has allocated, 2 % of all there are. 60,000
 * places and 10 laps here, 250,000 and 427 there. With so few laps the threads
 * have to meet where both have the most, which is once in each.
 */
#define SH8_SLOTS	60000

static const struct {
	uint32_t bytes;
	unsigned int count;
} sh8_sizes[] = {
	{ 8, 1000 }, { 16, 5000 }, { 48, 1000 }, { 72, 100 }, { 148, 100 }, { 200, 100 },
	{ 520, 10 }, { 1056, 5 }, { 4096, 3 }, { 9162, 1 }, { 34562, 1 }, { 168524, 1 },
};

#define SH8_KINDS	(sizeof(sh8_sizes) / sizeof(*sh8_sizes))
#define SH8_FOREIGN	12000

static void *sh8_foreign[THREADS][SH8_FOREIGN];
static unsigned int sh8_laps;
static pthread_barrier_t sh8_full;

static void sh8_drop(struct worker *w, unsigned int slot)
{
	free(w->slots[slot]);
	w->slots[slot] = NULL;
	w->sizes[slot] = 0;
}

/* Fills what is empty; @kind and @left say where in the pattern it goes on. */
static void sh8_fill(struct worker *w, unsigned int *kind, unsigned int *left)
{
	for (unsigned int slot = 0; slot < w->count; slot++) {
		if (w->slots[slot])
			continue;
		while (!*left) {
			*kind = (*kind + 1) % SH8_KINDS;
			*left = sh8_sizes[*kind].count;
		}
		--*left;
		w->slots[slot] = fresh(sh8_sizes[*kind].bytes);
		w->sizes[slot] = sh8_sizes[*kind].bytes;
	}
}

static void *sh8bench_worker(void *arg)
{
	struct worker *w = arg;
	unsigned int kind = 0, left = 0, kept = 0, fifth = w->count / 5;
	uint64_t most = 0, bytes;

	for (unsigned int i = 0; i < SH8_FOREIGN; i++)
		free(sh8_foreign[w->number][i]);
	for (unsigned int lap = 0; lap < sh8_laps; lap++) {
		sh8_fill(w, &kind, &left);
		bytes = worker_bytes(w);
		if (bytes > most)
			most = bytes;
		if (lap + 1 == sh8_laps)
			settle();
		pthread_barrier_wait(&sh8_full);
		for (unsigned int slot = 0; slot < kept; slot++)
			sh8_drop(w, slot);
		for (unsigned int slot = w->count; slot-- > kept + fifth;)
			sh8_drop(w, slot);
		kept = (kept + fifth) % w->count;
	}
	atomic_fetch_add(&live, most);
	return NULL;
}

static void sh8bench(void)
{
	make_workers(SH8_SLOTS);
	sh8_laps = bench_times(10, 2);
	pthread_barrier_init(&sh8_full, NULL, THREADS);
	start();
	for (unsigned int i = 0; i < SH8_FOREIGN; i++)
		for (unsigned int j = 0; j < THREADS; j++)
			sh8_foreign[j][i] = fresh(sh8_sizes[0].bytes);
	run_workers(sh8bench_worker);
}

/* The most that a private heap of this process held; 0 if it has none. */
static uint64_t heap_peak(void)
{
	struct privheap_heap_stat stat = { .size = sizeof(stat) };

	/* Wherever the library has it. */
	for (int fd = 3, end = getdtablesize(); fd < end; fd++)
		if (!ioctl(fd, PRIVHEAP_HEAP_STAT, &stat))
			return stat.peak_bytes;
	return 0;
}

/*
 * The most memory that was this process's own: files in memory are not. Of a
 * private heap counts what it held at its peak, books included, whether it was
 * mapped or not; what its library took beside that it never gives back.
 */
static uint64_t peak_bytes(void)
{
	uint64_t heap = heap_peak();

	settle();
	if (heap)
		return heap + bench_kilobytes(STATUS, "RssAnon:");
	return bench_kilobytes(STATUS, "VmHWM:") - bench_kilobytes(STATUS, "RssFile:") -
	       bench_kilobytes(STATUS, "RssShmem:");
}

static const struct {
	const char *name;
	void (*run)(void);
} loads[] = {
	{ "larson", larson }, { "xmalloc", xmalloc }, { "sh8bench", sh8bench },
};

static void row(const char *what, const char *name, const char *who, double value,
		const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "user.%s.%s", what, name);
	bench_row(text, who, value, unit);
}

static void measure(unsigned int load, const char *who, uint64_t not_heap)
{
	uint64_t spent, bytes;

	loads[load].run();
	spent = bench_since(started);
	if (!strcmp(who, "privheap") != !!heap_peak())
		bench_die("whose heap is it");
	/* Before the first line is written, for which the program allocates. */
	bytes = peak_bytes();
	row("threads", loads[load].name, who, (double)spent / 1e6, "ms");
	row("rss", loads[load].name, who, (double)(bytes - not_heap - own_bytes) / 1024, "KiB");
	row("live", loads[load].name, who, (double)live / 1024, "KiB");
}

int main(int argc, char **argv)
{
	bench_init();
	/* What is its own is there from the beginning, in all of them. */
	memset(stacks, 1, sizeof(stacks));
	memset(sh8_foreign, 1, sizeof(sh8_foreign));
	for (unsigned int i = 0; argc >= 3 && i < sizeof(loads) / sizeof(*loads); i++) {
		if (strcmp(argv[1], loads[i].name))
			continue;
		measure(i, argv[2], argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
		return 0;
	}
	if (argc < 2 || strcmp(argv[1], "idle"))
		bench_die("usage: workload idle | larson|xmalloc|sh8bench WHO [BYTES]");
	idle();
	printf("%llu\n", (unsigned long long)peak_bytes());
	return 0;
}
